//! What happens by itself when its time comes, and not before.
use super::super::begin::CallWhat;
use super::super::change::{GrantUpdate, NewUser};
use super::super::{NewGrant, Outcome, grant, user};
use super::{Site, Table, by_groups, direct_code, scan_of, simple};
use crate::model::{AccessMethodMode, AcsAccessGroupId, AcsCredentialId, AcsEntranceId, AcsSystemId, DaySet, Weekly, WeeklySpan};
use crate::provider::{EndsBy, GroupReport, Handle, Kind, KindRules, PinRules, SystemReport};
use crate::state::*;
use chrono::Duration;

fn direct(t: &mut Table, site: &Site, days: Option<i64>) -> AcsCredentialId {
    let new = direct_code(t, site, "Ann", days);
    match t.run(|d| user::create_credential(d, &new)).unwrap() {
        Outcome::Credential(id) => id,
        other => panic!("{other:?}"),
    }
}

fn with_code(rules: KindRules) -> SystemReport {
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, rules);
    report
}

/// A system of two groups with one door each, and its two doors.
fn grouped(t: &mut Table, change: impl Fn(&mut SystemReport)) -> (AcsSystemId, Vec<AcsEntranceId>) {
    let mut report = by_groups("g");
    change(&mut report);
    let account = t.connect();
    let mut scan = scan_of(&report, &["a", "c"]);
    let of = |name: &str, door: &str| GroupReport::new(Handle::text(name), name, vec![Handle::text(door)]);
    scan.systems[0].groups = Some(vec![of("g1", "a"), of("g2", "c")]);
    t.scan(account, &scan);
    let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
    let doors = vec![t.door(system, "a"), t.door(system, "c")];
    (system, doors)
}

fn at(door: AcsEntranceId) -> impl Fn(&mut NewGrant) {
    move |g| g.entrances = vec![door]
}

fn permissions(t: &Table) -> Vec<(RowId, Target)> {
    t.all::<Target>().into_iter().filter(|(_, t)| matches!(t.want, Wanted::Access { .. }) && !t.gone).collect()
}

#[test]
fn a_direct_code_is_taken_out_by_our_timer_where_the_lock_keeps_no_end() {
    let mut t = Table::new();
    let site = t.site(&with_code(KindRules { ends: EndsBy::Engine, ..KindRules::full() }), &["101"]);
    let id = direct(&mut t, &site, Some(1));
    t.work();
    let end = t.get::<Target>(id).credential().unwrap().window.ends_at();
    assert_eq!(t.get::<Target>(id).work.due_at, end);
    t.pass(Duration::days(1));
    assert!(matches!(t.begin(id), Some(CallWhat::Remove { .. })));
    t.done(id, Ok(crate::provider::Receipt::verified()));
    assert!(t.get::<Target>(id).is_dead());
    // Later than first said: the end moves along.
    let id = direct(&mut t, &site, Some(1));
    t.work();
    let later = t.now + Duration::days(3);
    t.run(|d| user::update_credential(d, id, None, Some(later))).unwrap();
    t.work();
    assert_eq!(t.get::<Target>(id).work.due_at, Some(later));
}

#[test]
fn a_direct_code_without_an_end_is_renewed_where_one_is_asked_for() {
    let mut t = Table::new();
    let site = t.site(&with_code(KindRules { end_required: true, ..KindRules::full() }), &["101"]);
    let id = direct(&mut t, &site, None);
    t.work();
    let first = t.get::<Target>(id);
    let (end, due) = (first.credential().unwrap().window.ends_at().unwrap(), first.work.due_at.unwrap());
    assert!(due > t.now && due < end);
    t.pass(due - t.now);
    assert!(matches!(t.begin(id), Some(CallWhat::Put { .. })));
    t.done(id, Ok(crate::provider::Receipt::verified()));
    let second = t.get::<Target>(id);
    assert!(second.credential().unwrap().window.ends_at() > Some(end) && second.work.due_at > Some(due));
    assert_eq!(second.claims.iter().map(|c| c.until).max(), Some(second.credential().unwrap().window.ends_at()));
}

#[test]
fn a_direct_code_gets_a_slot_of_its_own() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, KindRules { doors: crate::provider::DoorLimit::One, ..KindRules::full() });
    report.pin = Some(PinRules { slots: Some(2), ..PinRules::digits(4, 8) });
    let site = t.site(&report, &["101"]);
    let ids = [direct(&mut t, &site, Some(1)), direct(&mut t, &site, Some(1))];
    let slot = |id: AcsCredentialId| t.get::<Target>(id).credential().unwrap().slot;
    assert_eq!(ids.map(slot), [Some(1), Some(2)]);
    let new = direct_code(&mut t, &site, "Ben", Some(1));
    assert_eq!(t.run(|d| user::create_credential(d, &new)).unwrap_err().code(), "no_free_slot");
}

#[test]
fn permissions_without_an_end_are_renewed_where_one_is_asked_for() {
    let mut t = Table::new();
    let ends = |r: &mut SystemReport| r.kinds.get_mut(&Kind::Access).unwrap().end_required = true;
    let (system, doors) = grouped(&mut t, ends);
    let who = t.person("Ann");
    t.grant(who, AccessMethodMode::Code, |g| {
        at(doors[0])(g);
        g.ends_at = None;
    });
    let group = AcsAccessGroupId::from_uuid(t.find(&place_key(system, "group", &Handle::text("g2")))[0]);
    let ben = t.person("Ben");
    let new = NewUser::builder().system(system).identity(ben).groups([group]).build();
    t.run(|d| user::create(d, &new)).unwrap();
    t.work();
    for (row, before) in permissions(&t) {
        let end = before.window().unwrap().ends_at().unwrap();
        let due = before.work.due_at.unwrap();
        assert!(due < end);
        let now = t.now;
        t.now = due;
        assert!(matches!(t.begin(row), Some(CallWhat::Put { .. })));
        t.done(row, Ok(crate::provider::Receipt::verified()));
        assert!(t.get::<Target>(row).window().unwrap().ends_at() > Some(end));
        t.now = now;
    }
    assert_eq!(permissions(&t).len(), 2);
}

#[test]
fn a_window_that_rolls_is_not_rolled_on_before_its_time() {
    let mut t = Table::new();
    let site = t.site(&with_code(KindRules { end_required: true, ..KindRules::full() }), &["101"]);
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::Code, |g| {
        g.entrances = vec![site.doors[0]];
        g.ends_at = None;
    });
    t.work();
    let row = t.targets_of(g)[0];
    let before = t.get::<Target>(row);
    t.pass(Duration::days(5));
    t.run(|d| super::super::method::fit(d, t_method(&before))).unwrap();
    assert_eq!(t.get::<Target>(row), before);
    let end = t.now + Duration::days(10);
    t.run(|d| grant::update(d, &GrantUpdate::new(g).ends_at(end))).unwrap();
    let after = t.get::<Target>(row);
    assert_eq!((after.window().unwrap().ends_at(), after.renew_at), (Some(end), None));
}

fn t_method(t: &Target) -> crate::model::AccessMethodId {
    match t.of {
        TargetOf::Method(m) => m,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_permission_that_the_system_does_not_time_is_put_at_its_start() {
    let mut t = Table::new();
    let (_, doors) = grouped(&mut t, |r| r.kinds.get_mut(&Kind::Access).unwrap().ends = EndsBy::Engine);
    let who = t.person("Ann");
    let start = t.now + Duration::days(7);
    t.grant(who, AccessMethodMode::Code, |g| {
        at(doors[0])(g);
        g.starts_at = Some(start);
    });
    assert_eq!(permissions(&t).into_iter().map(|(_, t)| t.work.due_at).collect::<Vec<_>>(), [Some(start)]);
}

#[test]
fn the_hours_of_one_grant_are_not_those_of_a_pin_that_serves_two() {
    let mut t = Table::new();
    let (_, doors) = grouped(&mut t, |r| {
        for kind in [Kind::User, Kind::Access] {
            r.kinds.get_mut(&kind).unwrap().schedule = true;
        }
        r.pin.as_mut().unwrap().per_user = true;
    });
    let who = t.person("Ann");
    let hours = Weekly::new([WeeklySpan::new(DaySet::WORKDAYS, "09:00".parse().unwrap(), "14:00".parse().unwrap())]).unwrap();
    let first = t.grant(who, AccessMethodMode::Code, |g| {
        at(doors[0])(g);
        g.schedule = Some(hours.clone());
    });
    let second = t.grant(who, AccessMethodMode::Code, at(doors[1]));
    assert_eq!(t.targets_of(first), t.targets_of(second));
    assert_eq!(t.get::<Target>(t.targets_of(first)[0]).credential().unwrap().schedule, None);
    let of = |t: &Target| if let Wanted::Access { schedule, .. } = &t.want { schedule.clone() } else { None };
    let schedules: Vec<_> = permissions(&t).iter().map(|(_, t)| of(t)).collect();
    assert!(schedules.contains(&Some(hours)) && schedules.contains(&None), "{schedules:?}");
}
