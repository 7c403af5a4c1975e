//! What a grant says of its doors, and what it keeps when a list says less than before.
use super::super::change::{GrantUpdate, MethodsOf, NewMethod};
use super::super::{grant, timer, user};
use super::{Table, by_groups, door, scan_of, simple};
use crate::model::{AccessGrantId, AccessMethodMode, AcsSystemId, AcsUserId};
use crate::provider::{GroupReport, Handle, Kind, KindRules};
use crate::state::*;
use chrono::Duration;

fn count(told: &[String], event: &str) -> usize {
    told.iter().filter(|e| *e == event).count()
}
const LOST: &str = "access_grant.access_to_door_lost";
const GRANTED: &str = "access_grant.access_granted_to_door";
const ALL: &str = "access_grant.access_granted_to_all_doors";

fn one_code(t: &mut Table) -> AccessGrantId {
    let site = t.site(&simple("a"), &["101"]);
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    t.work();
    let told = t.told();
    assert_eq!((count(&told, GRANTED), count(&told, ALL)), (1, 1));
    g
}

#[test]
fn a_door_that_is_lost_is_told_and_told_again_when_it_works_again() {
    let mut t = Table::new();
    let g = one_code(&mut t);
    t.run(|d| grant::suspend(d, g, true)).unwrap();
    assert_eq!(count(&t.told(), LOST), 1);
    t.work();
    let told = t.told();
    assert_eq!(count(&told, "acs_credential.reissued") + count(&told, GRANTED) + count(&told, LOST), 0, "{told:?}");
    t.run(|d| grant::suspend(d, g, false)).unwrap();
    t.work();
    let told = t.told();
    assert_eq!((count(&told, GRANTED), count(&told, ALL)), (1, 1));
    t.run(|d| grant::delete_methods(d, &MethodsOf::Grant(g))).unwrap();
    assert_eq!(count(&t.told(), LOST), 1);
    t.work();
    t.run(|d| grant::request_methods(d, g, &[NewMethod::code()])).unwrap();
    t.work();
    let told = t.told();
    assert_eq!((count(&told, GRANTED), count(&told, ALL), count(&told, LOST)), (1, 1, 0));
    t.run(|d| grant::delete(d, g)).unwrap();
    assert_eq!(count(&t.told(), LOST), 1);
}

#[test]
fn a_longer_stay_loses_no_door() {
    let mut t = Table::new();
    let g = one_code(&mut t);
    let end = t.now + Duration::days(20);
    t.run(|d| grant::update(d, &GrantUpdate::new(g).ends_at(end))).unwrap();
    t.work();
    let told = t.told();
    assert_eq!(count(&told, LOST) + count(&told, GRANTED), 0, "{told:?}");
}

#[test]
fn the_doors_of_a_suspended_user_are_lost() {
    let mut t = Table::new();
    let account = t.connect();
    let mut scan = scan_of(&by_groups("g"), &["a"]);
    scan.systems[0].groups = Some(vec![GroupReport::new(Handle::text("g1"), "g1", vec![Handle::text("a")])]);
    t.scan(account, &scan);
    let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
    let a = t.door(system, "a");
    let who = t.person("Ann");
    t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![a]);
    t.work();
    t.told();
    let user = AcsUserId::from_uuid(t.all::<AcsUser>()[0].0);
    t.run(|d| user::suspend(d, user, true)).unwrap();
    assert_eq!(count(&t.told(), LOST), 1);
    t.run(|d| user::suspend(d, user, false)).unwrap();
    t.work();
    assert_eq!(count(&t.told(), GRANTED), 1);
}

#[test]
fn a_door_that_takes_no_pin_is_named_and_not_all_doors_are_granted() {
    let mut t = Table::new();
    let account = t.connect();
    let mut scan = scan_of(&simple("a"), &["gym"]);
    let mut room = door("101");
    room.code = false;
    scan.systems[0].entrances.as_mut().unwrap().push(room);
    t.scan(account, &scan);
    let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
    let (gym, room) = (t.door(system, "gym"), t.door(system, "101"));
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![gym, room]);
    t.work();
    let row = t.get::<Grant>(g);
    assert_eq!(row.warnings.iter().map(|n| n.code.as_str()).collect::<Vec<_>>(), ["device_does_not_support_access_codes"]);
    assert_eq!(row.warnings[0].details["device_id"], serde_json::json!(room));
    let told = t.told();
    assert_eq!((count(&told, GRANTED), count(&told, ALL)), (1, 0));
    // A card opens both.
    t.run(|d| grant::request_methods(d, g, &[NewMethod::card()])).unwrap();
    t.work();
    assert_eq!(count(&t.told(), ALL), 1);
    assert_eq!(t.get::<Grant>(g).warnings.len(), 1, "said once");
}

#[test]
fn nothing_is_taken_away_because_a_system_says_less_of_itself() {
    for by_kind in [true, false] {
        let mut t = Table::new();
        let site = t.site(&simple("a"), &["101"]);
        let who = t.person("Ann");
        let now = t.now;
        let g = t.grant(who, AccessMethodMode::Code, |g| {
            g.entrances = vec![site.doors[0]];
            g.starts_at = Some(now + Duration::hours(1));
        });
        t.carry_out();
        let row = t.targets_of(g)[0];
        let mut report = simple("a");
        let mut room = door("101");
        if by_kind {
            report.kinds.remove(&Kind::Code);
            report.pin = None;
        } else {
            room.code = false;
        }
        let mut scan = scan_of(&report, &[]);
        scan.systems[0].entrances = Some(vec![room]);
        t.scan(site.account, &scan);
        t.pass(Duration::hours(1));
        t.run(|d| timer::on_timer(d, g)).unwrap();
        assert!(t.get::<Target>(row).is_in_place());
        let method = t.get::<Grant>(g).requested[0].methods[0];
        assert_eq!(t.get::<Method>(method).warnings.iter().filter(|n| n.code == "entrance_not_supported").count(), 1);
        // Nobody new gets one; she can still be suspended.
        let e = t.run(|d| grant::request_methods(d, g, &[NewMethod::code()])).unwrap_err();
        assert_eq!(e.code(), "access_methods_not_supported");
        t.run(|d| grant::suspend(d, g, true)).unwrap();
        assert!(t.get::<Target>(row).credential().unwrap().suspended);
        t.run(|d| grant::suspend(d, g, false)).unwrap();
        t.scan(site.account, &scan_of(&simple("a"), &["101"]));
        t.run(|d| super::super::method::fit(d, method)).unwrap();
        assert!(t.get::<System>(site.system).missing_kinds.is_empty());
        assert_eq!(t.get::<Method>(method).warnings.iter().filter(|n| n.code == "entrance_not_supported").count(), 0);
    }
}

#[test]
fn a_link_ends_with_its_grant_also_when_that_end_moves() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.kinds.insert(Kind::MobileKey, KindRules::full());
    let site = t.site(&report, &["101"]);
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::MobileKey, |g| g.entrances = vec![site.doors[0]]);
    let link = t.all::<InstantKey>()[0].0;
    let made = t.get::<InstantKey>(link);
    for days in [20, 3] {
        let end = t.now + Duration::days(days);
        t.run(|d| grant::update(d, &GrantUpdate::new(g).ends_at(end))).unwrap();
        assert_eq!(t.get::<InstantKey>(link).expires_at, end);
    }
    t.run(|d| grant::update(d, &GrantUpdate::new(g).ongoing())).unwrap();
    assert_eq!(t.get::<InstantKey>(link).expires_at, made.created_at + Duration::days(30));
}
