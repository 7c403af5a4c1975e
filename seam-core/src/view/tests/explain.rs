//! The facts of explanations, one situation after the other.
use super::super::answer::{CanEnter, Explanation, Says};
use super::*;
use crate::plan::residual::Dies;

fn explain(w: &World, door: AcsEntranceId, at: DateTime<Utc>) -> Explanation {
    let seen = w.look(|v| super::super::explain(v, w.person, door, at)).unwrap();
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(serde_json::from_value::<Explanation>(json).unwrap(), seen);
    assert!(seen.facts.iter().all(|fact| fact.to_string().ends_with('.')), "facts are sentences");
    seen
}

fn says(seen: &Explanation, fact: impl Fn(&Says) -> bool) -> bool {
    seen.facts.iter().any(|one| fact(&one.says))
}

fn why(seen: &Explanation) -> &Says {
    match &seen.can_enter {
        CanEnter::Perhaps { why } => &why.says,
        other => panic!("{other} {seen:#?}"),
    }
}

#[test]
fn a_window_and_a_schedule_in_the_zone_of_the_site() {
    let mut w = World::new();
    let (gym, other) = (w.door("Gym", DoorClass::Online), w.door("Pool", DoorClass::Online));
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    assert!(says(&explain(&w, other, now()), |s| *s == Says::NothingReachesTheDoor));
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::No);
    assert!(says(&explain(&w, gym, now()), |s| matches!(s, Says::NotIssued { .. })));
    assert!(matches!(why(&explain(&w, gym, hours(1))), Says::NotIssued { .. }), "by then it may be issued");
    w.carry(&it, Certainty::Verified);
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::Yes);
    assert_eq!(explain(&w, other, now()).can_enter, CanEnter::No);
    let late = explain(&w, gym, hours(5));
    assert_eq!(late.can_enter, CanEnter::No, "the end is not part of the window");
    assert!(late.facts.iter().any(|fact| fact.to_string() == "It opened only until 2026-05-06 15:00 (Europe/Berlin)."));
    assert!(says(&explain(&w, gym, hours(-2)), |s| matches!(s, Says::Before { .. })));
    let early = WeeklySpan::new(DaySet::WORKDAYS, "06:00".parse().unwrap(), "11:00".parse().unwrap());
    w.want(&it, |c| c.schedule = Some(Weekly::new([early]).unwrap()));
    w.carry(&it, Certainty::Verified);
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::Yes, "10:00 in Berlin");
    let closed = explain(&w, gym, hours(1));
    assert!(closed.can_enter == CanEnter::No && says(&closed, |s| matches!(s, Says::OutsideSchedule { .. })), "11:00 in Berlin");
    assert_eq!(w.look(|v| super::super::explain(v, w.person, WS.uuid().into(), now())).unwrap_err().code(), "acs_entrance_not_found");
    assert_eq!(w.look(|v| super::super::explain(v, WS.uuid().into(), gym, now())).unwrap_err().code(), "user_identity_not_found");
}

#[test]
fn suspension_counts_once_the_system_has_it() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    w.carry(&it, Certainty::Verified);
    w.want(&it, |c| c.suspended = true);
    w.edit::<Grant>(it.grant, |g| g.suspended = true);
    let seen = explain(&w, gym, now());
    assert_ne!(seen.can_enter, CanEnter::No);
    assert!(says(&seen, |s| *s == Says::GrantSuspended) && says(&seen, |s| *s == Says::Suspended));
    assert!(says(&seen, |s| matches!(s, Says::Residual { dies: Dies::WhenRemovalIsSeen, .. })));
    w.carry(&it, Certainty::Verified);
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::No);
}

#[test]
fn a_card_knows_only_what_was_written_on_it() {
    let mut w = World::new();
    let room = w.door("101", DoorClass::Guest);
    let stay = w.stay("res-1", &[room], window(-1, 20), Some(10), StayPhase::Open);
    let it = w.grant(&AccessMethodMode::Card, &[room], window(-1, 20), Some(stay));
    assert!(says(&explain(&w, room, now()), |s| *s == Says::NotEncoded { again: false }));
    w.carry(&it, Certainty::Verified);
    w.want(&it, |c| c.window = window(-1, 30));
    assert_eq!(explain(&w, room, hours(10)).can_enter, CanEnter::Yes, "the old card still opens");
    assert_eq!(*why(&explain(&w, room, hours(25))), Says::NotEncoded { again: true }, "not encoded again since the extension");
    w.carry(&it, Certainty::Verified);

    // The next stay's key is made ahead: it can be used from its start on.
    let other = w.stay("res-2", &[room], window(15, 40), Some(99), StayPhase::Open);
    assert_eq!(explain(&w, room, hours(14)).can_enter, CanEnter::Yes);
    let seen = explain(&w, room, hours(15));
    assert!(matches!(why(&seen), Says::OverriddenIfUsed { reservation_key, from } if reservation_key == "res-2" && *from == hours(15)));
    assert!(explain(&w, room, hours(15)).can_enter.to_string().starts_with("Perhaps: A key of stay \"res-2\""));
    w.edit::<Stay>(other, |s| s.phase = StayPhase::Planned);
    assert_eq!(explain(&w, room, hours(15)).can_enter, CanEnter::Yes, "no key of it was made");

    // The stay is opened again; once a key of the new number exists, this one may be dead.
    w.edit::<Stay>(stay, |s| (s.generation, s.reopened, s.phase) = (Some(11), 1, StayPhase::Planned));
    assert_eq!(explain(&w, room, now()).can_enter, CanEnter::Yes);
    w.edit::<Stay>(stay, |s| s.phase = StayPhase::Open);
    assert!(matches!(why(&explain(&w, room, now())), Says::OverriddenIfUsed { .. }));
}

#[test]
fn an_ended_grant_leaves_a_card_that_opens() {
    let mut w = World::new();
    let (room, lobby) = (w.door("101", DoorClass::Guest), w.door("Lobby", DoorClass::Implicit));
    let stay = w.stay("res-1", &[room], window(-1, 20), Some(10), StayPhase::Open);
    let it = w.grant(&AccessMethodMode::Card, &[room], window(-1, 20), Some(stay));
    w.carry(&it, Certainty::Verified);
    let seen = explain(&w, lobby, now());
    assert!(seen.can_enter == CanEnter::Yes && says(&seen, |s| *s == Says::Implicit), "it opens for every guest by itself");
    w.edit::<Grant>(it.grant, |g| g.holder = Holder::Staff);
    w.edit::<Grant>(it.grant, |g| g.doors.push(lobby));
    assert_eq!(explain(&w, lobby, now()).can_enter, CanEnter::No, "staff is no guest, and nothing is sent to that door");
    w.delete(&it);
    let seen = explain(&w, room, now());
    assert!(seen.can_enter == CanEnter::Yes && says(&seen, |s| matches!(s, Says::GrantDeleted { .. })));
    let left = |s: &Says| matches!(s, Says::Residual { why: ResidualReason::NextOverride, dies: Dies::AtNextOverrideThere, .. });
    assert!(says(&seen, left));
    w.edit::<Method>(it.method, |m| m.lost = true);
    assert_eq!(*why(&explain(&w, room, now())), Says::Lost, "whoever has it may enter");
    assert_eq!(explain(&w, room, hours(20)).can_enter, CanEnter::No);
}

#[test]
fn doubt_is_told_as_such() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    w.edit::<Target>(it.target, |t| {
        t.seen = SeenState::Unknown { rev: 1 };
        t.work.asks = Some(Question { kind: QuestionKind::DidItHappen, at: now() });
    });
    assert_eq!(*why(&explain(&w, gym, now())), Says::WaitsForAnswer { question: QuestionKind::DidItHappen, since: now() });
    w.edit::<Target>(it.target, |t| t.work.asks = None);
    assert_eq!(*why(&explain(&w, gym, now())), Says::OutcomeUnknown);
    w.carry(&it, Certainty::Accepted);
    assert_eq!(*why(&explain(&w, gym, now())), Says::NotConfirmed);
    w.rules(Kind::Code, |rules| rules.read_back = ReadBack::None);
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::Yes, "as sure as this kind can be");
    w.edit::<Entrance>(gym, |e| e.missing_since = Some(now()));
    assert_eq!(*why(&explain(&w, gym, now())), Says::EntranceMissing { since: now() });
    w.edit::<Account>(w.account, |a| a.deleted_at = Some(now()));
    assert!(says(&explain(&w, gym, now()), |s| *s == Says::SystemDisconnected { since: now() }));
    w.edit::<Entrance>(gym, |e| std::sync::Arc::make_mut(&mut e.report).code = false);
    assert!(says(&explain(&w, gym, now()), |s| matches!(s, Says::NotTaken { .. })));
}

#[test]
fn a_lock_that_keeps_no_end_opens_until_it_is_told() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    w.rules(Kind::Code, |rules| rules.ends = EndsBy::Engine);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    w.carry(&it, Certainty::Verified);
    assert_eq!(*why(&explain(&w, gym, hours(6))), Says::EndsByEngine);
    w.now = hours(6);
    assert_eq!(explain(&w, gym, hours(6)).can_enter, CanEnter::Yes, "nobody has taken it away");
}

#[test]
fn where_doors_are_a_matter_of_users_all_parts_are_needed() {
    let mut w = World::new();
    let (gym, pool) = (w.door("Gym", DoorClass::Online), w.door("Pool", DoorClass::Online));
    w.rules(Kind::Code, |rules| rules.doors = DoorLimit::ByUser);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    let (user, permission, there): (AcsUserId, RowId, RowId) = (w.id().into(), w.id(), w.id());
    w.want(&it, |c| (c.user, c.doors) = (Some(user), Vec::new()));
    w.carry(&it, Certainty::Verified);
    let target = |want: Value, seen: Value| {
        Body::Target(from(
            json!({ "system": w.system, "account": w.account, "channel": "x|y", "of": { "user": user }, "want": want, "rev": 1,
            "seen": seen, "work": {}, "created_at": hours(-1000) }),
        ))
    };
    let present = json!({ "present": { "rev": 1, "certainty": "verified" } });
    let may =
        json!({ "access": { "user": user, "doors": [gym], "groups": [], "window": window(-1, 5), "schedule": null, "suspended": false } });
    let (may, is) = (target(may, present.clone()), target(json!({ "user": { "window": null, "suspended": false } }), present));
    let row = json!({ "system": w.system, "account": w.account, "identity": w.person, "profile": null, "target": there, "schedule": null,
        "suspended": false, "created_at": now(), "deleted_at": null });
    w.put(permission, may);
    w.put(there, is);
    w.put(user, Body::User(from(row)));
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::Yes);
    assert_eq!(explain(&w, pool, now()).can_enter, CanEnter::No);
    w.edit::<Target>(there, |t| t.want = Wanted::User { window: None, suspended: true });
    let seen = explain(&w, gym, now());
    assert!(seen.can_enter == CanEnter::No && says(&seen, |s| *s == Says::UserBarred));
    w.edit::<Target>(there, |t| t.want = Wanted::User { window: None, suspended: false });
    w.edit::<Target>(permission, |t| t.rev = 2);
    assert_eq!(*why(&explain(&w, gym, now())), Says::ChangeOnItsWay);
    w.edit::<Target>(permission, |t| t.seen = SeenState::Absent { certainty: Certainty::Verified });
    assert_eq!(explain(&w, gym, now()).can_enter, CanEnter::No);
}

#[test]
fn credentials_issued_directly_count_as_well() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    w.carry(&it, Certainty::Verified);
    w.rows.remove(&it.grant.uuid());
    w.rows.remove(&it.method.uuid());
    w.edit::<Target>(it.target, |t| t.of = TargetOf::Direct);
    let seen = explain(&w, gym, now());
    assert_eq!((seen.can_enter, seen.facts[0].acs_credential_id), (CanEnter::Yes, Some(it.target.into())));
}
