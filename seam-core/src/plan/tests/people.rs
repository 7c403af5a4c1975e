//! People: made, changed, deleted, erased, merged; the person of a grant.
use super::super::identity;
use super::super::{Outcome, Person, PersonUpdate};
use super::{Table, simple};
use crate::error::ErrorKind;
use crate::model::{AccessMethodMode, UserIdentityId};
use crate::state::*;

fn person(key: Option<&str>, email: Option<&str>) -> Person {
    Person {
        key: key.map(str::to_owned),
        full_name: Some("Ann Smith".to_owned()),
        email_address: email.map(str::to_owned),
        phone_number: None,
    }
}
fn made(outcome: Outcome) -> UserIdentityId {
    match outcome {
        Outcome::Identity(id) => id,
        other => panic!("{other:?}"),
    }
}
fn create(t: &mut Table, p: &Person) -> crate::error::Result<UserIdentityId> {
    t.run(|d| identity::create(d, p)).map(made)
}
fn details(t: &mut Table, id: UserIdentityId) -> Person {
    t.decide(|d| identity::details(d, id, &d.get::<Identity>(id)?)).unwrap().0
}

#[test]
fn keys_and_contacts_are_unique() {
    let mut t = Table::new();
    let ann = create(&mut t, &person(Some("k1"), Some("Ann@Example.com"))).unwrap();
    assert_eq!(details(&mut t, ann), person(Some("k1"), Some("Ann@Example.com")), "kept as it was written");
    let e = create(&mut t, &person(Some("k1"), None)).unwrap_err();
    assert_eq!((e.kind(), e.code(), e.field()), (ErrorKind::Conflict, "user_identity_key_conflict", Some("user_identity_key")));
    let e = create(&mut t, &person(None, Some("ann@example.COM"))).unwrap_err();
    assert_eq!((e.code(), e.field()), ("user_identity_email_or_phone_conflict", Some("email_address")));
    assert!(!e.to_string().to_lowercase().contains("ann@"), "a contact is not repeated");
    create(&mut t, &person(None, None)).unwrap();
    create(&mut t, &person(None, None)).unwrap();
}

#[test]
fn nothing_of_a_person_is_stored_in_the_clear() {
    let mut t = Table::new();
    let id = create(&mut t, &person(Some("k1"), Some("ann@example.com"))).unwrap();
    let text = serde_json::to_string(&t.get::<Identity>(id)).unwrap();
    assert!(!text.contains("Smith") && !text.contains("example"));
}

#[test]
fn the_key_alone_identifies_the_person_of_a_grant() {
    let mut t = Table::new();
    let ann = create(&mut t, &person(Some("k1"), Some("ann@example.com"))).unwrap();
    // A relay address that two guests share makes nobody one and refuses nothing.
    let bob = Person { full_name: Some("Bob".to_owned()), ..person(Some("k2"), Some("ann@example.com")) };
    let (id, contact, warnings) = t.run(|d| identity::inline_identity(d, &bob)).unwrap();
    assert_ne!(id, ann);
    assert_eq!(warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), [identity::CONTACT_TAKEN]);
    let row = t.get::<Identity>(id);
    assert_eq!((row.email, row.email_tag), (None, None));
    let kept = t.decide(|d| identity::open(d, id, &row_of(d, id)?, identity::CONTACT, contact.as_ref())).unwrap().0.unwrap();
    let kept: Person = serde_json::from_str(super::super::draft::expose(&kept)).unwrap();
    assert_eq!(kept.email_address.as_deref(), Some("ann@example.com"));
    // Without a key it is always a new person.
    let (other, _, _) = t.run(|d| identity::inline_identity(d, &person(None, Some("ann@example.com")))).unwrap();
    assert!(other != ann && other != id);
    // With the key it is the same one, and nothing is wrong.
    let (same, contact, warnings) = t.run(|d| identity::inline_identity(d, &person(Some("k1"), Some("ANN@example.com")))).unwrap();
    assert_eq!((same, contact, warnings), (ann, None, Vec::new()));
}

fn row_of(d: &super::super::Draft<'_>, id: UserIdentityId) -> super::super::Try<Identity> {
    d.get::<Identity>(id)
}

#[test]
fn a_known_person_is_filled_in_and_never_overwritten() {
    let mut t = Table::new();
    let ann = create(&mut t, &person(Some("k1"), None)).unwrap();
    let asked = Person { full_name: Some("Somebody Else".to_owned()), ..person(Some("k1"), Some("ann@example.com")) };
    let (id, contact, warnings) = t.run(|d| identity::inline_identity(d, &asked)).unwrap();
    assert_eq!((id, contact), (ann, None));
    assert_eq!(warnings[0].code, identity::DETAILS_DIFFER);
    assert!(!warnings[0].message.contains("Else"));
    assert_eq!(details(&mut t, ann), person(Some("k1"), Some("ann@example.com")));
    let (_, contact, warnings) = t.run(|d| identity::inline_identity(d, &person(Some("k1"), Some("new@example.com")))).unwrap();
    assert!(contact.is_some() && warnings[0].code == identity::DETAILS_DIFFER, "another contact is kept with the grant");
    let e = t.run(|d| identity::inline_identity(d, &person(Some("k1"), Some("nonsense")))).unwrap_err();
    assert_eq!(e.field(), Some("user_identity.email_address"));
}

#[test]
fn null_clears_and_absent_leaves() {
    let mut t = Table::new();
    let id = create(&mut t, &person(Some("k1"), Some("ann@example.com"))).unwrap();
    let other = create(&mut t, &person(Some("k2"), None)).unwrap();
    let update = PersonUpdate { email_address: Some(None), ..PersonUpdate::default() };
    t.run(|d| identity::update(d, id, &update)).unwrap();
    assert_eq!(details(&mut t, id), person(Some("k1"), None));
    let email = PersonUpdate { email_address: Some(Some("ann@example.com".to_owned())), ..PersonUpdate::default() };
    t.run(|d| identity::update(d, other, &email)).unwrap();
    assert_eq!(t.run(|d| identity::update(d, id, &email)).unwrap_err().code(), identity::CONTACT_TAKEN);
    let key = PersonUpdate { key: Some(Some("k2".to_owned())), ..PersonUpdate::default() };
    assert_eq!(t.run(|d| identity::update(d, id, &key)).unwrap_err().code(), "user_identity_key_conflict");
    // One's own is not taken by somebody else.
    t.run(|d| identity::update(d, other, &email)).unwrap();
}

#[test]
fn deleting_a_person_ends_her_grants_and_links() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let id = t.person("Ann");
    let grant = t.grant(id, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    t.carry_out();
    t.run(|d| super::super::instant_key::create(d, id, 1)).unwrap();
    t.run(|d| identity::delete(d, id)).unwrap();
    assert!(matches!(t.get::<Grant>(grant).phase, GrantPhase::Deleted { .. }));
    let target = t.get::<Target>(t.targets_of(grant)[0]);
    assert!(target.gone && target.work.due_at == Some(t.now));
    assert!(t.all::<InstantKey>().iter().all(|(_, k)| k.deleted_at.is_some()));
    assert_eq!(t.run(|d| identity::delete(d, id)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| identity::update(d, id, &PersonUpdate::default())).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_grant_made_meanwhile_is_not_forgotten() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let id = t.person("Ann");
    let (_, set) = t.decide(|d| identity::delete(d, id)).unwrap();
    t.grant(id, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    assert!(t.apply(&set).is_err(), "the deletion saw no grant and must be decided again");
}

#[test]
fn erasing_leaves_nothing_to_read() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let id = create(&mut t, &person(Some("ann-smith"), Some("ann@example.com"))).unwrap();
    let grant = t.grant(id, AccessMethodMode::Code, |g| {
        g.entrances = site.doors.clone();
        g.name = Some("Smith, 101".to_owned());
    });
    // Deleted first, erased later: the usual way.
    let kept = create(&mut t, &person(None, Some("other@example.com"))).unwrap();
    t.run(|d| identity::erase(d, id)).unwrap();
    let row = t.get::<Identity>(id);
    assert!(row.deleted_at.is_some());
    assert_eq!((row.own_key, row.full_name, row.email, row.email_tag, row.key), (None, None, None, None, None));
    assert_eq!(t.get::<Grant>(grant).name, None);
    assert_eq!(t.decide(|d| identity::name_of(d, id)).unwrap().0, "Erased person");
    assert_eq!(t.decide(|d| identity::name_of(d, kept)).unwrap().0, "Ann Smith");
    t.run(|d| identity::erase(d, id)).unwrap();
    t.run(|d| identity::delete(d, kept)).unwrap();
    assert!(t.get::<Identity>(kept).own_key.is_some());
    t.run(|d| identity::erase(d, kept)).unwrap();
    assert!(t.get::<Identity>(kept).own_key.is_none());
}

#[test]
fn merged_persons_lead_to_the_one_that_stays() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let a = create(&mut t, &Person { key: Some("a".to_owned()), ..Person::default() }).unwrap();
    let b = create(&mut t, &person(Some("b"), Some("b@example.com"))).unwrap();
    let c = create(&mut t, &person(Some("c"), Some("c@example.com"))).unwrap();
    let grant = t.grant(c, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    t.run(|d| super::super::instant_key::create(d, c, 1)).unwrap();
    t.carry_out();
    let rev = t.get::<Target>(t.targets_of(grant)[0]).rev;
    t.run(|d| identity::merge(d, b, &[c])).unwrap();
    t.run(|d| identity::merge(d, a, &[c])).unwrap();
    let row = t.get::<Identity>(a);
    assert_eq!(row.merged, [b, c]);
    assert_eq!(details(&mut t, a), Person { key: Some("a".to_owned()), ..person(None, Some("b@example.com")) });
    for (old, key) in [(a, "a"), (b, "b"), (c, "c")] {
        assert_eq!(t.decide(|d| identity::living(d, old)).unwrap().0.0, a);
        assert_eq!(t.find(&Key::new(Index::IdentityKey, key)), [a.uuid()]);
    }
    // c's own address was not taken over: it is free again.
    create(&mut t, &person(None, Some("c@example.com"))).unwrap();
    assert_eq!(t.get::<Grant>(grant).identity, a);
    let target = t.get::<Target>(t.targets_of(grant)[0]);
    assert_eq!((target.credential().unwrap().identity, target.rev, target.work.due_at), (Some(a), rev, None), "nothing is sent");
    assert_eq!(t.all::<InstantKey>()[0].1.identity, a);
    // Asked again it is done already; into herself it makes no sense.
    t.run(|d| identity::merge(d, a, &[c, b])).unwrap();
    assert_eq!(t.get::<Identity>(a).merged, [b, c]);
    assert_eq!(t.run(|d| identity::merge(d, a, &[a])).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(t.run(|d| identity::merge(d, a, &[])).unwrap_err().kind(), ErrorKind::InvalidInput);
    t.run(|d| identity::delete(d, c)).unwrap();
    assert!(matches!(t.get::<Grant>(grant).phase, GrantPhase::Deleted { .. }));
    t.run(|d| identity::erase(d, b)).unwrap();
    assert!([a, b, c].iter().all(|x| t.get::<Identity>(*x).own_key.is_none()));
}

#[test]
fn a_contact_kept_with_a_grant_is_readable_after_a_merge() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    create(&mut t, &person(Some("x"), Some("relay@example.com"))).unwrap();
    let (guest, contact, _) = t.run(|d| identity::inline_identity(d, &person(Some("y"), Some("relay@example.com")))).unwrap();
    let grant = t.grant(guest, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    t.edit::<Grant>(grant, |g| g.contact.clone_from(&contact));
    let stays = t.person("Stays");
    t.run(|d| identity::merge(d, stays, &[guest])).unwrap();
    let contact = t.get::<Grant>(grant).contact;
    let text = t.decide(|d| identity::open(d, stays, &row_of(d, stays)?, identity::CONTACT, contact.as_ref())).unwrap().0.unwrap();
    assert!(super::super::draft::expose(&text).contains("relay@example.com"));
}

#[test]
fn a_name_is_never_empty() {
    let mut t = Table::new();
    let nobody = create(&mut t, &Person::default()).unwrap();
    assert_eq!(t.decide(|d| identity::name_of(d, nobody)).unwrap().0, "Unnamed person");
    let mailed = create(&mut t, &Person { email_address: Some("a@b.co".to_owned()), ..Person::default() }).unwrap();
    assert_eq!(t.decide(|d| identity::name_of(d, mailed)).unwrap().0, "a@b.co");
}
