//! Users of access systems and their groups.
use super::super::{NewUser, Outcome, Person, UserUpdate, identity, user};
use super::{Site, Table, by_groups, scan_of, simple};
use crate::error::ErrorKind;
use crate::model::{AccessMethodMode, AcsAccessGroupId, AcsUserId};
use crate::provider::{Effect, GroupReport, Handle, Reason, Receipt};
use crate::state::*;
use chrono::Duration;

/// A system with a group per door, and one of all.
fn start() -> (Table, Site, Vec<AcsAccessGroupId>) {
    let mut t = Table::new();
    let report = by_groups("a");
    let site = t.site(&report, &["1", "2"]);
    let mut scan = scan_of(&report, &["1", "2"]);
    let group = |name: &str, doors: &[&str]| GroupReport::new(Handle::text(name), name, doors.iter().map(|x| Handle::text(*x)).collect());
    scan.systems[0].groups = Some(vec![group("one", &["1"]), group("two", &["2"]), group("all", &["1", "2"])]);
    t.scan(site.account, &scan);
    let groups = ["one", "two", "all"]
        .iter()
        .map(|g| AcsAccessGroupId::from_uuid(t.find(&place_key(site.system, "group", &Handle::text(*g)))[0]))
        .collect();
    t.told();
    (t, site, groups)
}
fn new(site: &Site, name: &str) -> NewUser {
    NewUser {
        system: site.system,
        identity: None,
        profile: Person { full_name: Some(name.to_owned()), ..Person::default() },
        groups: Vec::new(),
        starts_at: None,
        ends_at: None,
    }
}
fn create(t: &mut Table, new: &NewUser) -> AcsUserId {
    match t.run(|d| user::create(d, new)).unwrap() {
        Outcome::User(id) => id,
        other => panic!("{other:?}"),
    }
}
fn permissions(t: &Table, user: AcsUserId) -> Vec<Target> {
    let mine = |x: &Target| matches!(&x.want, Wanted::Access { user: u, .. } if *u == user);
    t.all::<Target>().into_iter().map(|(_, x)| x).filter(|x| mine(x) && !x.gone).collect()
}

#[test]
fn a_person_is_one_user_per_system() {
    let (mut t, site, _) = start();
    let ann = t.person("Ann");
    let made =
        t.run(|d| Ok((user::ensure_user(d, site.system, site.account, ann)?, user::ensure_user(d, site.system, site.account, ann)?)));
    let (first, second) = made.unwrap();
    assert_eq!(first, second, "within one decision");
    assert_eq!(t.run(|d| user::ensure_user(d, site.system, site.account, ann)).unwrap(), first);
    assert_eq!(t.told(), ["acs_user.created"]);
    let e = t.run(|d| user::create(d, &NewUser { identity: Some(ann), profile: Person::default(), ..new(&site, "") })).unwrap_err();
    assert_eq!((e.kind(), e.code()), (ErrorKind::Conflict, "acs_user_exists"));
    let row = t.get::<AcsUser>(first);
    assert_eq!(t.get::<Target>(row.target).work.due_at, Some(t.now));
    assert_eq!(t.decide(|d| user::profile_of(d, first, &d.get::<AcsUser>(first)?)).unwrap().0.full_name.as_deref(), Some("Ann"));
    // Whoever was given the user depends on its being there.
    let (_, set) = t.decide(|d| user::ensure_user(d, site.system, site.account, ann)).unwrap();
    t.run(|d| user::delete(d, first)).unwrap();
    assert!(t.apply(&set).is_err());
}

#[test]
fn a_system_without_users_says_so() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["1"]);
    let e = t.run(|d| user::create(d, &new(&site, "Ann"))).unwrap_err();
    assert_eq!((e.kind(), e.code()), (ErrorKind::Unsupported, "kind_not_supported"));
    assert!(e.context().contains(&("kind", "user".to_owned())));
    assert!(t.all::<AcsUser>().is_empty());
}

#[test]
fn a_user_without_a_person_has_a_name_of_her_own() {
    let (mut t, site, _) = start();
    let e = t.run(|d| user::create(d, &NewUser { profile: Person::default(), ..new(&site, "") })).unwrap_err();
    assert_eq!(e.field(), Some("profile"));
    let id = create(&mut t, &new(&site, "Cleaner"));
    assert!(!serde_json::to_string(&t.get::<AcsUser>(id)).unwrap().contains("Cleaner"));
    let rev = t.get::<Target>(t.get::<AcsUser>(id).target).rev;
    let update = UserUpdate { phone_number: Some("+491701234567".to_owned()), ..UserUpdate::default() };
    t.run(|d| user::update(d, id, &update)).unwrap();
    let profile = t.decide(|d| user::profile_of(d, id, &d.get::<AcsUser>(id)?)).unwrap().0;
    assert_eq!((profile.full_name.as_deref(), profile.phone_number.as_deref()), (Some("Cleaner"), Some("+491701234567")));
    assert_eq!(t.get::<Target>(t.get::<AcsUser>(id).target).rev, rev + 1, "it is sent");
    t.run(|d| user::update(d, id, &update)).unwrap();
    assert_eq!(t.get::<Target>(t.get::<AcsUser>(id).target).rev, rev + 1, "but not again");
}

#[test]
fn a_persons_users_follow_her_name_and_keep_none() {
    let (mut t, site, _) = start();
    let ann = t.person("Ann");
    let id = create(&mut t, &NewUser { identity: Some(ann), profile: Person::default(), ..new(&site, "") });
    t.carry_out();
    let update = UserUpdate { full_name: Some("Anna".to_owned()), ..UserUpdate::default() };
    assert_eq!(t.run(|d| user::update(d, id, &update)).unwrap_err().field(), Some("full_name"));
    let update = super::super::PersonUpdate { full_name: Some(Some("Anna".to_owned())), ..super::super::PersonUpdate::default() };
    t.run(|d| identity::update(d, ann, &update)).unwrap();
    let target = t.get::<Target>(t.get::<AcsUser>(id).target);
    assert_eq!((target.rev, target.work.due_at), (2, Some(t.now)));
    t.run(|d| identity::delete(d, ann)).unwrap();
    assert!(t.get::<AcsUser>(id).deleted_at.is_some());
    assert!(t.get::<Target>(t.get::<AcsUser>(id).target).gone);
}

#[test]
fn schedules_and_suspension_are_sent() {
    let (mut t, site, groups) = start();
    let ends = t.now + Duration::days(3);
    let id = create(&mut t, &NewUser { ends_at: Some(ends), groups: vec![groups[0]], ..new(&site, "Ann") });
    let of = |t: &Table| t.get::<Target>(t.get::<AcsUser>(id).target);
    let Wanted::User { window: Some(window), suspended: false } = of(&t).want else { panic!() };
    assert_eq!((window.starts_at(), window.ends_at()), (t.now, Some(ends)));
    let Wanted::Access { window: member, .. } = permissions(&t, id)[0].want.clone() else { panic!() };
    assert_eq!(member, window);
    t.carry_out();
    t.run(|d| user::suspend(d, id, true)).unwrap();
    assert!(matches!(of(&t).want, Wanted::User { suspended: true, .. }) && of(&t).work.due_at == Some(t.now));
    t.run(|d| user::update(d, id, &UserUpdate { schedule: Some(None), ..UserUpdate::default() })).unwrap();
    assert_eq!(of(&t).want, Wanted::User { window: None, suspended: true });
    let Wanted::Access { window: member, .. } = permissions(&t, id)[0].want.clone() else { panic!() };
    assert_eq!(member.ends_at(), None);
    t.run(|d| user::suspend(d, id, false)).unwrap();
    assert_eq!(of(&t).want, Wanted::User { window: None, suspended: false });
}

#[test]
fn membership_is_a_permission_of_the_groups_doors() {
    let (mut t, site, groups) = start();
    let id = create(&mut t, &new(&site, "Ann"));
    t.run(|d| user::set_membership(d, id, groups[2], true)).unwrap();
    t.run(|d| user::set_membership(d, id, groups[2], true)).unwrap();
    let all = permissions(&t, id);
    assert_eq!(all.len(), 1);
    let Wanted::Access { doors, groups: of, .. } = &all[0].want else { panic!() };
    let mut both = site.doors.clone();
    both.sort();
    assert_eq!((doors, of.as_slice()), (&both, &groups[2..]));
    assert_eq!(all[0].work.after, Some(t.get::<AcsUser>(id).target), "not before the user is there");
    t.run(|d| user::set_membership(d, id, groups[2], false)).unwrap();
    assert_eq!((permissions(&t, id).len(), t.get::<AcsUser>(id).groups.len()), (0, 0));
    assert_eq!(t.get::<AcsUser>(id).deleted_at, None, "the user stays");
    t.run(|d| user::set_membership(d, id, groups[2], false)).unwrap();
    // Gone is gone: in again is another permission.
    t.run(|d| user::set_membership(d, id, groups[2], true)).unwrap();
    assert_eq!(permissions(&t, id).len(), 1);
}

#[test]
fn groups_of_elsewhere_are_refused() {
    let (mut t, site, groups) = start();
    let plain = t.site(&simple("b"), &["x"]);
    let id = create(&mut t, &new(&site, "Ann"));
    assert_eq!(t.run(|d| user::set_membership(d, id, super::id(5), true)).unwrap_err().kind(), ErrorKind::NotFound);
    t.edit::<Group>(groups[0], |g| g.system = plain.system);
    assert_eq!(t.run(|d| user::set_membership(d, id, groups[0], true)).unwrap_err().kind(), ErrorKind::InvalidInput);
    let now = t.now;
    t.edit::<Group>(groups[1], |g| g.missing_since = Some(now));
    assert_eq!(t.run(|d| user::set_membership(d, id, groups[1], true)).unwrap_err().code(), "acs_access_group_missing");
    t.edit::<System>(site.system, |s| std::sync::Arc::make_mut(&mut s.report).groups = crate::provider::Groups::None);
    assert_eq!(t.run(|d| user::set_membership(d, id, groups[2], true)).unwrap_err().code(), "groups_not_supported");
}

#[test]
fn leaving_a_group_leaves_what_grants_give() {
    let (mut t, site, groups) = start();
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    let id = AcsUserId::from_uuid(t.find(&user_key(site.system, ann))[0]);
    let ends = t.get::<Grant>(grant).window.ends_at();
    let until = |t: &Table| {
        permissions(t, id)
            .iter()
            .map(|x| if let Wanted::Access { window, .. } = &x.want { window.ends_at() } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(until(&t), [ends]);
    t.run(|d| user::set_membership(d, id, groups[0], true)).unwrap();
    assert_eq!(until(&t), [None], "one permission, now of her own");
    t.run(|d| user::set_membership(d, id, groups[0], false)).unwrap();
    assert_eq!(until(&t), [ends], "the grant's time again");
}

#[test]
fn deleting_a_user_is_not_undone_by_her_grants() {
    let (mut t, site, _) = start();
    let other = t.site(&simple("b"), &["x"]);
    let ann = t.person("Ann");
    let here = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    // One PIN at both systems: at this one it is the user's.
    let both = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[1], other.doors[0]]);
    t.carry_out();
    let id = AcsUserId::from_uuid(t.find(&user_key(site.system, ann))[0]);
    t.run(|d| user::delete(d, id)).unwrap();
    assert!(t.get::<AcsUser>(id).deleted_at.is_some());
    assert_eq!(permissions(&t, id).len(), 0);
    for (row, x) in t.all::<Target>() {
        let hers = x.credential().is_some_and(|c| c.user == Some(id)) || x.of == TargetOf::User(id);
        assert_eq!(x.gone, hers, "{row}");
    }
    for grant in [here, both] {
        t.run(|d| super::super::reweave::reweave_grant(d, grant)).unwrap();
    }
    assert!(t.find(&user_key(site.system, ann)).is_empty(), "nothing brings her back");
    assert!(t.all::<Target>().iter().filter(|(_, x)| !x.gone).all(|(_, x)| x.credential().is_some()));
    assert_eq!(t.run(|d| user::delete(d, id)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| user::suspend(d, id, true)).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn merging_moves_users_or_leaves_them_their_own() {
    let (mut t, site, _) = start();
    let [a, b, c] = ["A", "B", "C"].map(|n| t.person(n));
    let of_b = t.grant(b, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    let of_c = t.grant(c, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[1]]);
    let user_b = t.find(&user_key(site.system, b))[0];
    t.run(|d| identity::merge(d, a, &[b])).unwrap();
    assert_eq!(t.find(&user_key(site.system, a)), [user_b], "a had none there");
    // c has a user where a has one now: hers keeps what hangs on it.
    t.run(|d| identity::merge(d, a, &[c])).unwrap();
    assert_eq!((t.find(&user_key(site.system, a)).len(), t.find(&user_key(site.system, c)).len()), (1, 1));
    for grant in [of_b, of_c] {
        t.run(|d| super::super::reweave::reweave_grant(d, grant)).unwrap();
    }
    let live = t.all::<Target>().into_iter().filter(|(_, x)| !x.gone).count();
    assert_eq!(live, 6, "two users, two permissions, two codes");
    t.run(|d| identity::delete(d, a)).unwrap();
    assert!(t.all::<Target>().iter().all(|(_, x)| x.gone), "all goes with her");
    assert!(t.all::<AcsUser>().iter().all(|(_, u)| u.deleted_at.is_some()));
}

/// A new user whose call is under way, and her permission at a group.
fn under_way(t: &mut Table, site: &Site, group: AcsAccessGroupId) -> (RowId, RowId) {
    let user = create(t, &NewUser { groups: vec![group], ..new(site, "Ann") });
    let hers = t.get::<AcsUser>(user).target;
    let (permission, _) = t.all::<Target>().into_iter().find(|(_, x)| matches!(x.want, Wanted::Access { .. })).unwrap();
    assert!(t.begin(hers).is_some());
    (hers, permission)
}

/// Nobody waits for the time limit of the call that made the user.
#[test]
fn what_waits_for_a_user_begins_when_she_is_there() {
    let (mut t, site, groups) = start();
    let (hers, permission) = under_way(&mut t, &site, groups[0]);
    assert!(t.begin(permission).is_none(), "she is not there yet");
    assert!(t.get::<Target>(permission).work.due_at.unwrap() > t.now + Duration::seconds(10));
    t.pass(Duration::seconds(1));
    t.done(hers, Ok(Receipt::accepted()));
    assert_eq!(t.get::<Target>(permission).work.due_at, Some(t.now));
    assert!(t.begin(permission).is_some());
}

/// A call that failed waits as long as its failure says, whoever arrives meanwhile.
#[test]
fn what_failed_keeps_its_own_time_when_the_user_arrives() {
    let (mut t, site, groups) = start();
    let (hers, permission) = under_way(&mut t, &site, groups[0]);
    let later = t.now + Duration::hours(1);
    t.edit::<Target>(permission, |x| {
        x.work.due_at = Some(later);
        x.work.failure = Some(Failed { effect: Effect::Nothing, reason: Reason::RateLimited, message: "later".to_owned(), at: later });
    });
    t.done(hers, Ok(Receipt::accepted()));
    assert_eq!(t.get::<Target>(permission).work.due_at, Some(later));
}
