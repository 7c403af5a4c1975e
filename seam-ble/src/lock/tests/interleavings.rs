//! Every order in which the keys of three stays can come, with three windows each, at every time of the clock, and with the power cut at every
//! byte of every write: all states that can be reached, compared with a model that knows nothing of records, slots or sequences.
use super::memory::Flash;
use super::*;
use std::collections::{BTreeSet, VecDeque};

const FITTED: u64 = 1_000;
/// Three stays. The third is a re-opening of the second: its number is one more.
const STAYS: [u64; 3] = [2_000, 3_000, 3_001];
const WINDOWS: [(u64, u64); 3] = [(2_000, 3_000), (3_000, 4_000), (2_500, 3_500)];
/// The edges of the windows, a second on each side, and no clock at all.
const TIMES: [Option<u64>; 9] =
    [None, Some(1_999), Some(2_000), Some(2_499), Some(2_500), Some(2_999), Some(3_000), Some(3_499), Some(3_999)];

/// What the outside can know: the numbers that the lock may stand at. It is a set because a power cut leaves open whether the write came through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Model(BTreeSet<u64>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// The bolt moved.
    Moved,
    /// Refused because of a later stay.
    Superseded,
    /// Refused because of the time.
    Time,
    /// The power went before the bolt moved.
    Dark,
}

impl Model {
    /// What the outside knows after it saw this; empty when it must never see it.
    fn after(&self, issue: u64, in_window: bool, seen: Seen) -> Self {
        let mut next = BTreeSet::new();
        for &stands in &self.0 {
            let superseded = issue < stands;
            match seen {
                Seen::Superseded if superseded => next.extend([stands]),
                Seen::Time if !superseded && !in_window => next.extend([stands]),
                Seen::Moved if !superseded && in_window => next.extend([issue]),
                Seen::Dark if !superseded && in_window => next.extend([stands, issue]),
                _ => {}
            }
        }
        Self(next)
    }
}

/// One try at the door: what is seen, and what is in flash afterwards.
fn present(flash: &Flash, grant: &Grant<'_>, now: Option<u64>, cut: Option<usize>) -> (Seen, Flash) {
    let mut journal = Journal::open(Flash { cut, ..flash.clone() }).unwrap();
    let seen = match decide(journal.state(), &room(), grant, Action::Momentary, now.and_then(at), &TAP) {
        Ok(opening) => match journal.admit(opening) {
            Ok(permit) => {
                assert_eq!(permit.claim(), grant.claim());
                Seen::Moved
            }
            Err(_) => Seen::Dark,
        },
        Err(Refusal::Superseded) => Seen::Superseded,
        Err(Refusal::Expired | Refusal::NotYet | Refusal::TimeUnproven) => Seen::Time,
        Err(other) => panic!("{other:?}"),
    };
    let known = *journal.state();
    let mut after = journal.into_storage();
    if seen != Seen::Dark {
        assert_eq!(*Journal::open(after.clone()).unwrap().state(), known, "the flash knows what the lock goes by");
    }
    // Not part of what a state is.
    (after.cut, after.writes) = (None, 0);
    (seen, after)
}

#[test]
fn no_interleaving_and_no_power_cut_lets_an_earlier_stay_in_again() {
    let mut start = Journal::commission(Flash::new(), LockState::commissioned(UnixTime(FITTED))).unwrap().into_storage();
    start.writes = 0;
    let record = start.places[0].len();
    let first = (start, Model(BTreeSet::from([FITTED])));
    let mut reached = BTreeSet::from([first.clone()]);
    let mut todo = VecDeque::from([first]);
    let (mut tries, mut cuts, mut moved) = (0_u64, 0_u64, 0_u64);
    while let Some((flash, model)) = todo.pop_front() {
        for issue in STAYS {
            for role in [Role::Override, Role::Joiner] {
                for (starts, ends) in WINDOWS {
                    let claim = Claim::Stay { issue: IssueNumber(issue), role };
                    let grant = Grant::new(ROOM, ALICE, claim, window(starts, ends));
                    for now in TIMES {
                        let in_window = now.is_some_and(|now| (starts..ends).contains(&now));
                        let before = Journal::open(flash.clone()).unwrap().state().issue().0;
                        // Only a try that writes can be cut; another role or second makes no other write.
                        let writes = now == Some(starts) && issue > before && role == Role::Override;
                        let at_bytes = if writes { 0..record + 1 } else { 0..0 };
                        for cut in core::iter::once(None).chain(at_bytes.map(Some)) {
                            let (seen, after) = present(&flash, &grant, now, cut);
                            let known = model.after(issue, in_window, seen);
                            assert!(!known.0.is_empty(), "{issue} {role:?} {starts} at {now:?}, cut {cut:?}: {seen:?} after {model:?}");
                            let stands = Journal::open(after.clone()).unwrap().state().issue().0;
                            assert!(stands >= before, "the number fell from {before} to {stands}");
                            assert!(known.0.contains(&stands), "{stands} is none of {known:?}");
                            tries += 1;
                            cuts += u64::from(cut.is_some());
                            moved += u64::from(seen == Seen::Moved);
                            let next = (after, known);
                            if reached.insert(next.clone()) {
                                todo.push_back(next);
                            }
                        }
                    }
                }
            }
        }
    }
    std::println!("{} states, {tries} tries, {cuts} power cuts, {moved} openings", reached.len());
    assert!(reached.len() > 1_000 && cuts > 100_000 && moved > 1_000, "the search went nowhere");
}

#[test]
fn the_order_of_override_and_joiner_makes_no_difference() {
    let keys = [(2_000, Role::Override), (2_000, Role::Joiner), (3_000, Role::Override), (3_000, Role::Joiner)];
    // All orders of the four keys, told by the digits of a number in base four.
    for code in 0..256_usize {
        let order: std::vec::Vec<usize> = (0..4).map(|digit| code / 4_usize.pow(digit) % 4).collect();
        let outcome = |swap: bool| -> std::vec::Vec<bool> {
            let mut state = LockState::commissioned(UnixTime(FITTED));
            let mut outcome = std::vec::Vec::new();
            for &key in &order {
                let (issue, role) = keys[if swap { key ^ 1 } else { key }];
                let claim = Claim::Stay { issue: IssueNumber(issue), role };
                let grant = Grant::new(ROOM, ALICE, claim, window(0, 9_000));
                let opening = decide(&state, &room(), &grant, Action::Momentary, at(3_500), &TAP);
                outcome.push(opening.is_ok());
                state = opening.map_or(state, |opening| state.with_issue(opening.issue));
            }
            outcome
        };
        assert_eq!(outcome(false), outcome(true), "{order:?}");
    }
}
