//! What is left of withdrawn access, door by door.
use super::*;
use crate::plan::residual::{Dies, dies, dies_now};
use std::collections::BTreeMap as Map;

struct Site {
    w: World,
    room: AcsEntranceId,
    gym: AcsEntranceId,
    office: AcsEntranceId,
    stay: StayId,
}

fn site() -> Site {
    let mut w = World::new();
    let (room, gym, office) = (w.door("101", DoorClass::Guest), w.door("Gym", DoorClass::Common), w.door("Office", DoorClass::Online));
    let stay = w.stay("res-1", &[room], window(-1, 20), Some(10), StayPhase::Open);
    Site { w, room, gym, office, stay }
}

type Left = Map<AcsEntranceId, (Option<DateTime<Utc>>, ResidualReason)>;

fn left(w: &World, it: &Granted) -> Left {
    let kept = w.look(|v| super::super::history::grant(v, it.grant)).unwrap();
    kept.grant.residual_access.into_iter().map(|one| (one.acs_entrance_id, (one.until, one.why))).collect()
}

#[test]
fn a_deleted_card_dies_at_each_door_in_its_own_way() {
    let Site { mut w, room, gym, office, stay } = site();
    let it = w.grant(&AccessMethodMode::Card, &[room, gym, office], window(-1, 20), Some(stay));
    assert_eq!(left(&w, &it), Left::new());
    w.carry(&it, Certainty::Accepted);
    assert_eq!(left(&w, &it), Left::new(), "what is wanted is not residual");
    w.delete(&it);
    let end = Some(hours(20));
    let mut expected = Left::from([
        (room, (end, ResidualReason::NextOverride)),
        (gym, (end, ResidualReason::CommonDoor)),
        (office, (end, ResidualReason::Revoking)),
    ]);
    assert_eq!(left(&w, &it), expected);
    w.gone(&it, Certainty::Accepted);
    expected.insert(office, (end, ResidualReason::NextSync));
    assert_eq!(left(&w, &it), expected);
    w.gone(&it, Certainty::Verified);
    expected.remove(&office);
    assert_eq!(left(&w, &it), expected, "no offline lock hears of the removal at the vendor");
    w.edit::<Target>(it.target, |t| t.may_open_until = Some(hours(3)));
    assert_eq!(left(&w, &it)[&office], (Some(hours(3)), ResidualReason::OwnEnd), "the system has looked and knows better");
    assert_eq!(left(&w, &it)[&gym].0, end, "what is on a card is no matter of the system's");
    w.now = hours(3);
    assert_eq!(left(&w, &it), expected);
    w.edit::<Target>(it.target, |t| t.may_open_until = None);
    w.now = hours(20);
    assert_eq!(left(&w, &it), Left::new(), "its own end has passed");
    w.rules(Kind::Card, |rules| rules.ends = EndsBy::Engine);
    assert_eq!(left(&w, &it)[&gym], (None, ResidualReason::CommonDoor), "a lock that keeps no end is not ended by time");
}

#[test]
fn staff_is_overridden_by_nobody() {
    let Site { mut w, room, .. } = site();
    let it = w.grant(&AccessMethodMode::Card, &[room], window(-1, 20), None);
    w.carry(&it, Certainty::Accepted);
    w.delete(&it);
    assert_eq!(left(&w, &it), Left::from([(room, (Some(hours(20)), ResidualReason::OwnEnd))]));
}

#[test]
fn a_shorter_window_and_fewer_doors_leave_what_they_took_away() {
    let Site { mut w, room, gym, stay, .. } = site();
    let it = w.grant(&AccessMethodMode::Card, &[room, gym], window(-1, 20), Some(stay));
    w.carry(&it, Certainty::Accepted);
    w.want(&it, |c| (c.doors, c.window) = (vec![room], window(-1, 8)));
    w.edit::<Grant>(it.grant, |g| g.doors = vec![room]);
    let end = Some(hours(20));
    assert_eq!(left(&w, &it), Left::from([(room, (end, ResidualReason::NextOverride)), (gym, (end, ResidualReason::CommonDoor))]));
    let grant = w.access_grant(&it);
    let over = grant.warnings.iter().find(|x| x.warning_code == codes::warning::OVERPROVISIONED_ACCESS).unwrap();
    assert_eq!(over.details["failed_devices"][0]["device_id"], json!(gym));
    w.want(&it, |c| (c.doors, c.window) = (vec![room, gym], window(4, 20)));
    assert_eq!(left(&w, &it)[&room].0, Some(hours(4)), "only its beginning is too early");
    w.want(&it, |c| c.window = window(-1, 30));
    assert_eq!(left(&w, &it), Left::new(), "an extension takes nothing away");
    w.want(&it, |c| c.suspended = true);
    assert_eq!(left(&w, &it).len(), 2);
}

#[test]
fn a_pin_counts_until_its_absence_was_seen() {
    let Site { mut w, room, .. } = site();
    let it = w.grant(&AccessMethodMode::Code, &[room], window(-1, 20), None);
    w.carry(&it, Certainty::Verified);
    w.delete(&it);
    let end = Some(hours(20));
    assert_eq!(left(&w, &it)[&room], (end, ResidualReason::Revoking));
    w.edit::<Target>(it.target, |t| {
        t.work.failure = Some(Failed { effect: Effect::Refused, reason: Reason::Unsupported, message: "No.".to_owned(), at: now() });
    });
    assert_eq!(left(&w, &it)[&room], (end, ResidualReason::NotRevocable));
    w.edit::<Target>(it.target, |t| t.seen = SeenState::Unknown { rev: 1 });
    assert_eq!(left(&w, &it)[&room], (end, ResidualReason::OutcomeUnknown));
    w.gone(&it, Certainty::Accepted);
    assert_eq!(left(&w, &it)[&room], (end, ResidualReason::NextSync));
    w.gone(&it, Certainty::Verified);
    assert_eq!(left(&w, &it), Left::new());
}

#[test]
fn an_unanswered_put_counts_as_what_was_wanted() {
    let Site { mut w, room, gym, stay, .. } = site();
    let it = w.grant(&AccessMethodMode::Card, &[room], window(-1, 10), Some(stay));
    w.carry(&it, Certainty::Accepted);
    w.want(&it, |c| (c.doors, c.window) = (vec![room, gym], window(-1, 20)));
    w.edit::<Target>(it.target, |t| t.seen = SeenState::Unknown { rev: 2 });
    w.delete(&it);
    let seen = left(&w, &it);
    assert_eq!((seen[&room].0, seen[&gym].0), (Some(hours(20)), Some(hours(20))));
    let fresh = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 10), None);
    w.edit::<Target>(fresh.target, |t| t.gone = true);
    assert_eq!(left(&w, &fresh), Left::new(), "nothing was ever sent");
    w.edit::<Target>(fresh.target, |t| t.seen = SeenState::Unknown { rev: 1 });
    assert_eq!(left(&w, &fresh)[&gym].1, ResidualReason::OutcomeUnknown);
}

#[test]
fn every_credential_says_how_it_would_die() {
    let end = Some(hours(1));
    assert_eq!(dies(Kind::Card, DoorClass::Guest, true, end), Dies::AtNextOverrideThere);
    assert_eq!(dies(Kind::Card, DoorClass::Guest, false, end), Dies::AtItsOwnEnd(end));
    assert_eq!(dies(Kind::Card, DoorClass::Common, true, end), Dies::AtItsOwnEnd(end));
    assert_eq!(dies(Kind::Card, DoorClass::Online, true, end), Dies::WhenRemovalIsSeen);
    assert_eq!(dies(Kind::Code, DoorClass::Guest, true, end), Dies::WhenRemovalIsSeen);
    let Site { mut w, office, .. } = site();
    let it = w.grant(&AccessMethodMode::Code, &[office], window(-1, 10), None);
    w.carry(&it, Certainty::Verified);
    w.delete(&it);
    let how = |w: &World| dies_now(&w.read::<Target>(it.target), DoorClass::Online, false);
    assert_eq!(how(&w), Dies::WhenRemovalIsSeen);
    w.gone(&it, Certainty::Accepted);
    assert_eq!(how(&w), Dies::AtNextSync);
    w.gone(&it, Certainty::Verified);
    assert_eq!(how(&w), Dies::NowAndSeen);
}

#[test]
fn what_a_system_gave_out_before_is_told_until_the_instant_that_it_says() {
    let Site { mut w, room, gym, stay, .. } = site();
    let it = w.grant(&AccessMethodMode::MobileKey, &[room, gym], window(-1, 20), Some(stay));
    w.carry(&it, Certainty::Verified);
    let before = w.read::<Target>(it.target).made.unwrap();
    w.want(&it, |c| c.doors = vec![room]);
    assert_eq!(left(&w, &it), Left::from([(gym, (Some(hours(20)), ResidualReason::Revoking))]));
    w.carry(&it, Certainty::Accepted);
    w.edit::<Target>(it.target, |t| {
        t.others = vec![Other { can: before, doubtful: false, card_tag: None }];
        t.may_open_until = Some(hours(3));
    });
    assert_eq!(left(&w, &it), Left::from([(gym, (Some(hours(3)), ResidualReason::NextSync))]), "not longer than it says");
    let t = w.read::<Target>(it.target);
    assert_eq!(dies_now(&t, DoorClass::Common, false), Dies::AtItsOwnEnd(Some(hours(3))));
    assert!(crate::plan::next::is_issued(&t, &w.read::<System>(w.system).report.kinds[&Kind::MobileKey]), "what is wanted is in force");
    assert_eq!(super::super::target::is_synced(&t), None, "and the rest was not seen");
    let can = |w: &World, door, at| w.look(|v| super::super::explain(v, w.person, door, at)).unwrap().can_enter;
    use super::super::answer::CanEnter;
    assert_eq!(can(&w, room, hours(1)), CanEnter::Yes);
    assert!(matches!(can(&w, gym, hours(1)), CanEnter::Perhaps { .. }), "{:?}", can(&w, gym, hours(1)));
    assert_eq!(can(&w, gym, hours(3)), CanEnter::No);
    w.want(&it, |c| c.suspended = true);
    w.carry(&it, Certainty::Accepted);
    assert_eq!(left(&w, &it)[&room], (Some(hours(3)), ResidualReason::NextSync));
    assert!(matches!(can(&w, room, hours(1)), CanEnter::Perhaps { .. }));
    assert_eq!(can(&w, room, hours(3)), CanEnter::No);
    w.now = hours(3);
    assert_eq!(left(&w, &it), Left::new());
}

#[test]
fn fewer_hours_leave_the_hours_that_they_took_away() {
    let Site { mut w, office, .. } = site();
    let it = w.grant(&AccessMethodMode::MobileKey, &[office], window(-1, 20), None);
    w.carry(&it, Certainty::Verified);
    let hours_of = |from: &str, to: &str| WeeklySpan::new(DaySet::EVERY_DAY, from.parse().unwrap(), to.parse().unwrap());
    w.want(&it, |c| c.schedule = Some(Weekly::new([hours_of("09:00", "14:00")]).unwrap()));
    let end = Some(hours(20));
    assert_eq!(left(&w, &it), Left::from([(office, (end, ResidualReason::Revoking))]));
    w.carry(&it, Certainty::Verified);
    assert_eq!(left(&w, &it), Left::new());
    w.want(&it, |c| c.schedule = None);
    assert_eq!(left(&w, &it), Left::new(), "any hour takes none away");
}
