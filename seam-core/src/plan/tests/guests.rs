//! Whose guest a room has, and that nobody is checked out for another.
use super::super::begin::CallWhat;
use super::super::change::GrantUpdate;
use super::super::guest::{Whose, whose};
use super::super::{account, grant};
use super::stays::{Hotel, hotel_of, hotel_report};
use crate::model::AccessGrantId;
use crate::provider::{CardPath, Certainty, Failure, JoinBy, Kind, KindRules, ReadBack, Reason, Receipt, StaySpec, Want};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};

/// When a key that opens a stay came into being, in truth.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Truth {
    WhenBegun,
    WhenOver,
    Never,
}

/// What a call about it said.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Made,
    NotMade,
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begins(usize, Truth),
    Settles(usize, Said),
    IsOver(usize),
}

#[derive(Clone, Debug, Default)]
struct Stay {
    turns: Turns,
    now: Option<(u64, Option<Truth>)>,
    openings: u32,
    over: bool,
}

/// Two stays that follow one another in a room, and what the system believes: who opened it last.
#[derive(Clone, Debug, Default)]
struct Room {
    stays: [Stay; 2],
    guest: Option<usize>,
    in_doubt: bool,
}

impl Room {
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (n, stay) in self.stays.iter().enumerate() {
            match stay.now {
                Some((_, Some(Truth::Never))) => steps.extend([Said::NotMade, Said::Nothing].map(|said| Step::Settles(n, said))),
                Some(_) => steps.extend([Said::Made, Said::Nothing].map(|said| Step::Settles(n, said))),
                // No two keys that open stays of a room are made at the same time.
                None if !stay.over && stay.openings < 2 && self.stays.iter().all(|s| s.now.is_none()) => {
                    steps.extend([Truth::WhenBegun, Truth::WhenOver, Truth::Never].map(|truth| Step::Begins(n, truth)));
                }
                None => {}
            }
            if !stay.over {
                steps.push(Step::IsOver(n));
            }
        }
        steps
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Begins(n, truth) => {
                let highest = self.stays[1 - n].turns.highest();
                let stay = &mut self.stays[n];
                stay.openings += 1;
                stay.now = Some((stay.turns.begin(highest), Some(truth)));
                if truth == Truth::WhenBegun {
                    self.guest = Some(n);
                }
            }
            Step::Settles(n, said) => {
                let stay = &mut self.stays[n];
                let (turn, truth) = stay.now.take().unwrap();
                if truth == Some(Truth::WhenOver) {
                    self.guest = Some(n);
                }
                match said {
                    Said::Made => stay.turns.made(turn),
                    Said::NotMade => stay.turns.not_made(turn),
                    Said::Nothing => {
                        stay.turns.perhaps_made(turn);
                        self.in_doubt = true;
                    }
                }
            }
            Step::IsOver(n) => self.stays[n].over = true,
        }
    }

    fn verdict(&self, n: usize) -> Whose {
        let other = &self.stays[1 - n];
        whose(&self.stays[n].turns, [(!other.over, &other.turns)])
    }
}

#[derive(Default)]
struct Seen {
    states: u64,
    ours: u64,
    theirs: u64,
    being_made: u64,
}

fn explore(room: &Room, path: &mut Vec<Step>, seen: &mut Seen) {
    seen.states += 1;
    for n in [0, 1] {
        let (verdict, other) = (room.verdict(n), 1 - n);
        let under_way = room.stays.iter().any(|s| s.now.is_some());
        assert_eq!(verdict == Whose::BeingMade, under_way, "{path:?}");
        match verdict {
            Whose::Ours => {
                seen.ours += 1;
                assert!(room.guest != Some(other) || room.stays[other].over, "stay {n} would end the guest of stay {other}: {path:?}");
            }
            Whose::Theirs => {
                seen.theirs += 1;
                let certain = !room.in_doubt && room.guest == Some(n);
                assert!(!certain, "the room is stay {n}'s beyond doubt, and nobody is told: {path:?}");
                assert!(!room.stays[other].over, "a stay that is over keeps nobody in: {path:?}");
            }
            Whose::BeingMade => seen.being_made += 1,
        }
    }
    for step in room.steps() {
        let mut next = room.clone();
        next.take(step);
        path.push(step);
        explore(&next, path, seen);
        path.pop();
    }
}

/// All orders of two stays in a room, each opened up to twice, with every outcome of each opening, said or not: whoever is checked out, it is nobody who
/// is still to stay; and a room that is a stay's beyond doubt is told of it.
#[test]
fn nobody_is_checked_out_for_another_in_any_order() {
    let mut seen = Seen::default();
    explore(&Room::default(), &mut Vec::new(), &mut seen);
    assert!(seen.states > 10_000, "{}", seen.states);
    assert!(seen.ours > 0 && seen.theirs > 0 && seen.being_made > 0);
}

/// A hotel whose system knows one present guest for each room.
fn hotel() -> Hotel {
    let mut report = hotel_report(CardPath::VendorEncoder);
    report.kinds.insert(Kind::Stay, KindRules { read_back: ReadBack::None, ..KindRules::full() });
    report.stay = report.stay.map(|mut rules| {
        (rules.join, rules.role_per_door) = (JoinBy::CurrentGuest, false);
        rules
    });
    hotel_of(&report)
}

impl Hotel {
    /// The rows that carry stays, in their order.
    fn carried(&self) -> Vec<RowId> {
        self.t.all::<Target>().into_iter().filter(|(_, t)| t.kind() == Kind::Stay).map(|(row, _)| row).collect()
    }
    /// The row that carries a stay.
    fn carrier(&self, key: &str) -> Option<RowId> {
        self.stay(key).target
    }
    /// What is told of a stay now.
    fn tells(&mut self, row: RowId) -> Option<(&'static str, StaySpec)> {
        let call = self.t.begin(row)?;
        let name = call.name();
        match call {
            CallWhat::Put { want: Want::Stay(stay), .. } | CallWhat::Remove { want: Want::Stay(stay), .. } => Some((name, stay)),
            other => panic!("{other:?}"),
        }
    }
    fn delete(&mut self, grant: AccessGrantId) {
        self.t.run(|d| grant::delete(d, grant)).unwrap();
    }
    fn extend(&mut self, grant: AccessGrantId, until: DateTime<Utc>) {
        self.t.run(|d| grant::update(d, &GrantUpdate::new(grant).ends_at(until))).unwrap();
    }
}

#[test]
fn a_stay_is_told_once_its_key_is_made_then_changed_and_checked_out() {
    let mut h = hotel();
    let until = h.in_days(3);
    let ann = h.card("R1", h.t.now, until);
    let ben = h.card("R1", h.t.now, until);
    assert!(h.carried().is_empty(), "nobody is checked in before a key was made");
    let (attempt, _) = h.encode(ann);
    assert!(h.carried().is_empty());
    h.t.done(attempt, Err(Failure::nothing(Reason::NoCard, "no card")));
    assert!(h.carried().is_empty());
    h.write(ann);
    let [row] = h.carried()[..] else { panic!() };
    let (verb, stay) = h.tells(row).unwrap();
    assert_eq!((verb, stay.key.as_str(), stay.window.ends_at()), ("put", "R1", Some(until)));
    h.t.done(row, Ok(Receipt::accepted()));
    h.write(ben);
    assert!(h.t.begin(row).is_none(), "a joiner changes nothing");
    let later = h.in_days(5);
    h.extend(ben, later);
    let (verb, stay) = h.tells(row).unwrap();
    assert_eq!((verb, stay.window.ends_at()), ("put", Some(later)), "the stay lasts as long as its last guest");
    h.t.done(row, Ok(Receipt::accepted()));
    h.delete(ben);
    let (verb, stay) = h.tells(row).unwrap();
    assert_eq!((verb, stay.window.ends_at()), ("put", Some(until)));
    h.t.done(row, Ok(Receipt::accepted()));
    h.delete(ann);
    assert_eq!(h.tells(row).unwrap().0, "remove");
    h.t.done(row, Err(Failure::unknown(Reason::TimedOut, "no answer")));
    h.t.pass(Duration::minutes(1));
    assert_eq!(h.tells(row).unwrap().0, "remove", "a check-out without an answer is sent again");
    h.t.done(row, Ok(Receipt::accepted().with_may_open_until(until)));
    let t = h.t.get::<Target>(row);
    assert_eq!((t.seen, t.may_open_until), (SeenState::Absent { certainty: Certainty::Accepted }, Some(until)));
    assert!(h.t.begin(row).is_none());
}

/// The system was away when the guest left, and the next one has come.
#[test]
fn a_check_out_that_comes_late_does_not_reach_the_next_guest() {
    let mut h = hotel();
    let (now, until) = (h.t.now, h.in_days(3));
    let ann = h.card("ann", now, until);
    h.write(ann);
    let [row] = h.carried()[..] else { panic!() };
    h.tells(row).unwrap();
    h.t.done(row, Ok(Receipt::accepted()));
    h.delete(ann);
    h.tells(row).unwrap();
    let ben = h.card("ben", now + Duration::hours(1), until);
    let (attempt, call) = h.encode(ben);
    assert!(call.is_none(), "no key is made for the room while its guest is being checked out");
    assert!(!h.t.get::<Attempt>(attempt).is_over(), "it waits");
    h.t.done(row, Err(Failure::nothing(Reason::Offline, "away")));
    h.t.pass(Duration::seconds(2));
    let call = h.t.begin(attempt);
    assert!(matches!(call, Some(CallWhat::Encode { .. })), "{call:?}");
    h.t.pass(Duration::minutes(1));
    assert!(h.t.begin(row).is_none(), "nobody is checked out while a key is being made");
    assert!(!matches!(h.t.get::<Target>(row).seen, SeenState::Absent { .. }));
    h.t.done(attempt, Ok(Receipt::verified()));
    h.t.pass(Duration::minutes(20));
    assert!(h.t.begin(row).is_none(), "the room is his");
    assert!(matches!(h.t.get::<Target>(row).seen, SeenState::Absent { .. }));
    // His own check-out is sent, though nothing was told of him: his key has checked him in.
    let his = h.carrier("ben").unwrap();
    h.delete(ben);
    let (verb, stay) = h.tells(his).unwrap();
    assert_eq!((verb, stay.key.as_str()), ("remove", "ben"));
}

/// The key of a later stay was made ahead; then an earlier one is given the room. Who joins would join the earlier one.
#[test]
fn a_stay_whose_room_an_earlier_one_opens_is_opened_again_and_told_nothing_meanwhile() {
    let mut h = hotel();
    let now = h.t.now;
    let next = h.card("next", h.in_days(2), h.in_days(4));
    h.write(next);
    let [row] = h.carried()[..] else { panic!() };
    h.tells(row).unwrap();
    h.t.done(row, Ok(Receipt::accepted()));
    let walk_in = h.card("walk-in", now, h.in_days(1));
    h.write(walk_in);
    assert_eq!(h.stay("next").phase, StayPhase::Planned, "its cards are to be made again");
    assert!(matches!(h.t.get::<Target>(row).seen, SeenState::Absent { .. }));
    h.extend(next, h.in_days(5));
    assert!(h.carrier("next").is_none() && h.t.begin(row).is_none(), "it would be the walk-in's stay");
    let his = h.carrier("walk-in").unwrap();
    h.tells(his).unwrap();
    h.t.done(his, Ok(Receipt::accepted()));
    h.delete(walk_in);
    assert_eq!(h.tells(his).unwrap().1.key, "walk-in");
    h.t.done(his, Ok(Receipt::accepted()));
    assert!(h.write(next).1, "it opens the room anew");
    let row = h.carrier("next").unwrap();
    assert_eq!(h.tells(row).unwrap().1.window.ends_at(), Some(h.in_days(5)));
}

/// Two reservations hold one room from the same instant on. The key of each would take it from the other, and one made again take it back.
#[test]
fn of_two_stays_at_once_in_a_room_the_second_waits_for_the_first() {
    let mut h = hotel();
    let (now, until) = (h.t.now, h.in_days(2));
    let one = h.card("a", now, until);
    let other = h.card("b", now, until);
    h.write(one);
    let (attempt, call) = h.encode(other);
    assert!(call.is_none() && h.stay("b").phase == StayPhase::Planned, "the room is the first one's");
    assert_eq!(h.stay("a").phase, StayPhase::Open);
    h.t.pass(Duration::minutes(2));
    let _ = h.t.begin(attempt);
    h.delete(one);
    let row = h.carried()[0];
    h.tells(row).unwrap();
    h.t.done(row, Ok(Receipt::accepted()));
    h.write(other);
    assert_eq!(h.stay("b").phase, StayPhase::Open);
}

/// Nobody knows whether the first key of a stay was made; then the stay is given up.
#[test]
fn a_guest_who_was_perhaps_checked_in_is_checked_out() {
    let mut h = hotel();
    let ann = h.card("ann", h.t.now, h.in_days(3));
    let (attempt, _) = h.encode(ann);
    h.t.done(attempt, Err(Failure::unknown(Reason::TimedOut, "no answer")));
    assert!(h.carried().is_empty());
    h.delete(ann);
    let [row] = h.carried()[..] else { panic!() };
    assert_eq!(h.tells(row).unwrap().0, "remove");
    // Never asked for at a desk: there is nobody to check out.
    let ben = h.card("ben", h.t.now, h.in_days(3));
    h.delete(ben);
    assert_eq!(h.carried().len(), 1);
}

/// A key that is checked out may be stripped at an updater: who is let out after her time is checked out when she was.
#[test]
fn a_guest_is_checked_out_when_her_grace_is_over() {
    let mut h = hotel();
    let system = h.system;
    h.t.run(|d| account::set_graces(d, system, 0, 3600)).unwrap();
    let ann = h.card("ann", h.t.now, h.in_days(1));
    h.write(ann);
    let row = h.carrier("ann").unwrap();
    h.tells(row).unwrap();
    h.t.done(row, Ok(Receipt::accepted()));
    h.t.pass(Duration::days(1));
    assert!(h.t.begin(ann).is_none(), "the grant ends");
    assert_eq!(h.stay("ann").phase, StayPhase::Closed);
    assert!(h.t.begin(row).is_none());
    assert_eq!(h.t.get::<Target>(row).work.due_at, Some(h.t.now + Duration::hours(1)));
    h.t.pass(Duration::hours(1));
    assert_eq!(h.tells(row).unwrap().0, "remove");
}
