//! Credentials issued directly.
use super::super::{NewCredential, Outcome, user};
use super::{Site, Table, by_groups, door, simple};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodMode, AcsCredentialId, Holder, Shown, UserIdentityId};
use crate::provider::{DoorClass, DoorLimit, JoinBy, Kind, KindRules, StayRules};
use crate::state::*;
use chrono::Duration;
use secrecy::ExposeSecret;

fn new(site: &Site, who: UserIdentityId, mode: AccessMethodMode) -> NewCredential {
    NewCredential {
        user: None,
        identity: Some(who),
        system: Some(site.system),
        mode,
        code: None,
        entrances: vec![site.doors[0]],
        starts_at: None,
        ends_at: None,
        holder: Holder::Staff,
    }
}
fn create(t: &mut Table, new: &NewCredential) -> Result<AcsCredentialId, Error> {
    t.run(|d| user::create_credential(d, new)).map(|outcome| match outcome {
        Outcome::Credential(id) => id,
        other => panic!("{other:?}"),
    })
}
fn pin(t: &Table, id: AcsCredentialId) -> String {
    t.env().open(id.uuid(), "pin", &t.get::<Target>(id).pin.unwrap()).unwrap().expose_secret().to_owned()
}

#[test]
fn a_pin_that_is_asked_for_is_given_or_refused() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["1", "2"]);
    let [ann, bob] = ["Ann", "Bob"].map(|n| t.person(n));
    let asked = NewCredential { code: Some(Shown::new("482915")), ..new(&site, ann, AccessMethodMode::Code) };
    let id = create(&mut t, &asked).unwrap();
    assert_eq!(pin(&t, id), "482915");
    let target = t.get::<Target>(id);
    assert_eq!((target.of, target.work.due_at, target.claims.len()), (TargetOf::Direct, Some(t.now), 1));
    let e = create(&mut t, &NewCredential { identity: Some(bob), ..asked.clone() }).unwrap_err();
    assert_eq!((e.kind(), e.code(), e.field()), (ErrorKind::Conflict, "code_unavailable", Some("code")));
    assert!(!e.to_string().contains("482915"));
    create(&mut t, &NewCredential { identity: Some(bob), entrances: vec![site.doors[1]], ..asked }).unwrap();
    let drawn = create(&mut t, &new(&site, bob, AccessMethodMode::Code)).unwrap();
    assert!(pin(&t, drawn).len() == 6 && pin(&t, drawn) != "482915");
    for (bad, field) in [("12", "code"), ("12ab", "code"), ("123456789", "code")] {
        let e = create(&mut t, &NewCredential { code: Some(Shown::new(bad)), ..new(&site, ann, AccessMethodMode::Code) }).unwrap_err();
        assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidInput, Some(field)), "{bad}");
    }
}

#[test]
fn what_a_system_cannot_hold_is_refused() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.kinds.insert(Kind::Card, KindRules { doors: DoorLimit::One, ..KindRules::full() });
    let site = t.site(&report, &["1", "2"]);
    let other = t.site(&simple("b"), &["x"]);
    let ann = t.person("Ann");
    let refused = |t: &mut Table, new: NewCredential| {
        let e = create(t, &new).unwrap_err();
        (e.kind(), e.code())
    };
    assert_eq!(refused(&mut t, new(&site, ann, AccessMethodMode::MobileKey)), (ErrorKind::Unsupported, "kind_not_supported"));
    let card = new(&site, ann, AccessMethodMode::Card);
    assert_eq!(
        refused(&mut t, NewCredential { entrances: site.doors.clone(), ..card.clone() }),
        (ErrorKind::Unsupported, "too_many_doors")
    );
    assert_eq!(refused(&mut t, NewCredential { entrances: vec![], ..card.clone() }).0, ErrorKind::InvalidInput);
    assert_eq!(refused(&mut t, NewCredential { entrances: other.doors, ..card.clone() }).0, ErrorKind::InvalidInput);
    assert_eq!(refused(&mut t, NewCredential { code: Some(Shown::new("4711")), ..card.clone() }).0, ErrorKind::InvalidInput);
    assert_eq!(refused(&mut t, NewCredential { system: None, ..card.clone() }).0, ErrorKind::InvalidInput);
    let past = t.now;
    assert_eq!(refused(&mut t, NewCredential { ends_at: Some(past), ..card.clone() }).0, ErrorKind::InvalidInput);
    t.edit::<Entrance>(site.doors[0], |e| std::sync::Arc::make_mut(&mut e.report).card = false);
    assert_eq!(refused(&mut t, card), (ErrorKind::Unsupported, "entrance_not_supported"));
    let mut code = new(&site, ann, AccessMethodMode::Code);
    t.edit::<System>(site.system, |s| std::sync::Arc::make_mut(&mut s.report).pin.as_mut().unwrap().made_by_vendor = true);
    code.code = Some(Shown::new("4711"));
    assert_eq!(refused(&mut t, code.clone()), (ErrorKind::Unsupported, "code_made_by_system"));
    code.code = None;
    let made = create(&mut t, &code).unwrap();
    assert!(t.get::<Target>(made).pin.is_none());
}

#[test]
fn a_guests_card_at_a_room_needs_a_stay() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.stay = Some(StayRules { join: JoinBy::Generation, role_per_door: true, required: true, longest_jump_seconds: None });
    let account = t.connect();
    let mut scan = super::scan_of(&report, &[]);
    let mut room = door("101");
    (room.class, room.reservation) = (DoorClass::Guest, true);
    scan.systems[0].entrances = Some(vec![room]);
    t.scan(account, &scan);
    let system = t.all::<System>()[0].0;
    let site = Site { account, system: super::id(system.as_u128()), doors: vec![t.door(super::id(system.as_u128()), "101")] };
    let ann = t.person("Ann");
    let card = new(&site, ann, AccessMethodMode::Card);
    let e = create(&mut t, &NewCredential { holder: Holder::Guest, ..card.clone() }).unwrap_err();
    assert_eq!(e.code(), "reservation_key_required");
    create(&mut t, &card).unwrap();
    create(&mut t, &NewCredential { holder: Holder::Guest, ..new(&site, ann, AccessMethodMode::Code) }).unwrap();
}

#[test]
fn where_there_are_users_it_belongs_to_one() {
    let mut t = Table::new();
    let site = t.site(&by_groups("a"), &["1"]);
    let ann = t.person("Ann");
    let code = NewCredential { entrances: vec![], ..new(&site, ann, AccessMethodMode::Code) };
    let id = create(&mut t, &code).unwrap();
    let user = t.find(&user_key(site.system, ann))[0];
    let target = t.get::<Target>(id);
    assert_eq!(target.credential().unwrap().user, Some(super::id(user.as_u128())));
    assert_eq!(target.work.after, Some(t.get::<AcsUser>(user).target));
    let by_user = NewCredential { user: Some(super::id(user.as_u128())), identity: None, system: None, ..code };
    let second = create(&mut t, &by_user).unwrap();
    assert_ne!(pin(&t, id), pin(&t, second));
    let e = create(&mut t, &NewCredential { entrances: site.doors.clone(), ..by_user }).unwrap_err();
    assert_eq!(e.field(), Some("allowed_acs_entrance_ids"));
    t.run(|d| user::delete(d, super::id(user.as_u128()))).unwrap();
    assert!(t.get::<Target>(id).gone && t.get::<Target>(second).gone);
}

#[test]
fn a_new_pin_keeps_the_old_one_taken_until_it_is_seen() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["1"]);
    let [ann, bob] = ["Ann", "Bob"].map(|n| t.person(n));
    let code = NewCredential { code: Some(Shown::new("482915")), ..new(&site, ann, AccessMethodMode::Code) };
    let id = create(&mut t, &code).unwrap();
    t.carry_out();
    let shown = Shown::new("739164");
    t.run(|d| user::update_credential(d, id, Some(&shown), None)).unwrap();
    let target = t.get::<Target>(id);
    assert_eq!((pin(&t, id).as_str(), target.rev, target.claims.len(), target.stale_claims), ("739164", 2, 2, 1));
    for taken in ["482915", "739164"] {
        let wish = NewCredential { code: Some(Shown::new(taken)), ..new(&site, bob, AccessMethodMode::Code) };
        assert_eq!(create(&mut t, &wish).unwrap_err().code(), "code_unavailable");
    }
    t.run(|d| user::update_credential(d, id, Some(&shown), None)).unwrap();
    assert_eq!(t.get::<Target>(id).rev, 2, "the same again is nothing");
}

#[test]
fn an_end_that_moves_is_sent_and_claimed() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["1"]);
    let ann = t.person("Ann");
    let ends = t.now + Duration::days(1);
    let id = create(&mut t, &NewCredential { ends_at: Some(ends), ..new(&site, ann, AccessMethodMode::Code) }).unwrap();
    t.carry_out();
    let later = t.now + Duration::days(5);
    t.run(|d| user::update_credential(d, id, None, Some(later))).unwrap();
    let target = t.get::<Target>(id);
    assert_eq!((target.credential().unwrap().window.ends_at(), target.rev, target.work.due_at), (Some(later), 2, Some(t.now)));
    assert_eq!((target.claims.len(), target.claims[0].until, target.stale_claims), (1, Some(later), 0));
    let past = t.now;
    assert_eq!(t.run(|d| user::update_credential(d, id, None, Some(past))).unwrap_err().field(), Some("ends_at"));
}

#[test]
fn deleting_is_for_good_and_only_for_direct_ones() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["1"]);
    let ann = t.person("Ann");
    let never_sent = create(&mut t, &new(&site, ann, AccessMethodMode::Code)).unwrap();
    t.told();
    t.run(|d| user::delete_credential(d, never_sent)).unwrap();
    assert!(t.get::<Target>(never_sent).is_dead() && t.get::<Target>(never_sent).claims.is_empty());
    assert_eq!(t.told(), ["acs_credential.deleted"]);
    let sent = create(&mut t, &new(&site, ann, AccessMethodMode::Code)).unwrap();
    t.carry_out();
    t.run(|d| user::delete_credential(d, sent)).unwrap();
    let target = t.get::<Target>(sent);
    assert!(target.gone && target.work.due_at == Some(t.now) && !target.claims.is_empty());
    assert!(t.told().is_empty(), "told when it is gone there");
    assert_eq!(t.run(|d| user::delete_credential(d, sent)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| user::update_credential(d, sent, None, None)).unwrap_err().kind(), ErrorKind::NotFound);
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    let row: AcsCredentialId = super::id(t.targets_of(grant)[0].as_u128());
    assert_eq!(t.run(|d| user::delete_credential(d, row)).unwrap_err().code(), "credential_of_access_method");
}
