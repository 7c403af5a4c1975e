//! Claims in order, in stretches of a bounded length.
use super::Slot;
use chrono::{DateTime, Utc};

/// The most claims of a stretch; a longer one is cut in two.
const MOST: usize = 32;

/// Claims in order.
///
/// What a search touches hardly grows with their number: it goes over the first seconds of the stretches, which lie side by side, and over
/// the seconds of one stretch, which do too. The claims themselves, a line of the processor's cache each, are touched only where the
/// search ends. A search through them, or through the nodes of a tree, waits for memory at each of its steps.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// In which second each stretch begins.
    firsts: Vec<i64>,
    /// Never empty, nor is any of them.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug)]
struct Stretch {
    /// In which second each claim begins. One more than a stretch keeps: it is cut after it has grown.
    seconds: [i64; MOST + 1],
    slots: Vec<Slot>,
}

impl Stretch {
    fn of(slots: Vec<Slot>) -> Self {
        let mut seconds = [i64::MAX; MOST + 1];
        seconds.iter_mut().zip(&slots).for_each(|(second, slot)| *second = slot.second());
        Self { seconds, slots }
    }

    fn first(&self) -> i64 {
        self.seconds[0]
    }

    /// How many claims are before. As in [`Lane::search`].
    fn before(&self, second: i64, is_before: impl Fn(&Slot) -> bool) -> usize {
        // All of them are looked at: that is a handful of additions, and no step waits for the one before it.
        let earlier = self.seconds.iter().filter(|s| **s < second).count();
        earlier + self.slots[earlier..].iter().take_while(|slot| is_before(slot)).count()
    }
}

/// A place in a lane: a stretch, and how many of its claims are before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position(usize, usize);

impl Lane {
    pub(super) fn new(slot: Slot) -> Self {
        Self { firsts: vec![slot.second()], stretches: vec![Stretch::of(vec![slot])] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn len(&self) -> usize {
        self.stretches.iter().map(|s| s.slots.len()).sum()
    }

    /// Before the first claim that begins at this instant or later.
    pub(super) fn first_from(&self, at: DateTime<Utc>) -> Position {
        self.search(at.timestamp(), |slot| slot.from < at)
    }

    /// Before this claim, or where it would be.
    fn place_of(&self, slot: &Slot) -> Position {
        self.search(slot.second(), |s| s < slot)
    }

    /// Behind the last claim of which `is_before` is true: of all that begin in an earlier second, of none that begins in a later one, and
    /// of the others in their order.
    fn search(&self, second: i64, is_before: impl Fn(&Slot) -> bool) -> Position {
        let earlier = self.firsts.partition_point(|first| *first < second);
        let same = self.firsts[earlier..].partition_point(|first| *first == second);
        let of_same = self.stretches[earlier..earlier + same].partition_point(|s| s.slots.first().is_some_and(&is_before));
        match (earlier + of_same).checked_sub(1) {
            Some(stretch) => Position(stretch, self.stretches[stretch].before(second, is_before)),
            None => Position(0, 0),
        }
    }

    /// After the last claim.
    pub(super) fn end(&self) -> Position {
        let last = self.stretches.len().saturating_sub(1);
        Position(last, self.stretches.get(last).map_or(0, |s| s.slots.len()))
    }

    /// The claims from a place on.
    pub(super) fn on_from(&self, Position(stretch, before): Position) -> impl Iterator<Item = &Slot> {
        let here = self.stretches.get(stretch).map_or(&[][..], |s| &s.slots[before..]);
        here.iter().chain(self.stretches.iter().skip(stretch + 1).flat_map(|s| &s.slots))
    }

    /// The claims before a place, the nearest first.
    pub(super) fn back_from(&self, Position(stretch, before): Position) -> impl Iterator<Item = &Slot> {
        let here = self.stretches.get(stretch).map_or(&[][..], |s| &s.slots[..before]);
        here.iter().rev().chain(self.stretches[..stretch].iter().rev().flat_map(|s| s.slots.iter().rev()))
    }

    pub(super) fn contains(&self, slot: &Slot) -> bool {
        self.on_from(self.place_of(slot)).next() == Some(slot)
    }

    /// Whether the ends still never go back when it is put in.
    pub(super) fn has_room_for(&self, slot: &Slot) -> bool {
        let place = self.place_of(slot);
        let (before, after) = (self.back_from(place).next(), self.on_from(place).next());
        before.is_none_or(|b| b.end <= slot.end) && after.is_none_or(|a| slot.end <= a.end)
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        let Position(at, before) = self.place_of(&slot);
        let Some(stretch) = self.stretches.get_mut(at) else {
            *self = Self::new(slot);
            return;
        };
        let count = stretch.slots.len();
        stretch.seconds.copy_within(before..count, before + 1);
        stretch.seconds[before] = slot.second();
        stretch.slots.insert(before, slot);
        self.firsts[at] = stretch.first();
        if count == MOST {
            // What grows at its end is cut there, so that it leaves full stretches behind.
            let cut = if before == count { before } else { count / 2 };
            let rest = Stretch::of(stretch.slots.split_off(cut));
            stretch.slots.shrink_to_fit();
            stretch.seconds[cut..].fill(i64::MAX);
            self.firsts.insert(at + 1, rest.first());
            self.stretches.insert(at + 1, rest);
        }
    }

    /// Says whether it was there.
    pub(super) fn remove(&mut self, slot: &Slot) -> bool {
        // A place is behind all that are before, so at the end of a stretch it may be the next one's first.
        let Position(at, before) = self.place_of(slot);
        let at_end = self.stretches.get(at).is_some_and(|s| s.slots.len() == before);
        let (at, before) = if at_end { (at + 1, 0) } else { (at, before) };
        let Some(stretch) = self.stretches.get_mut(at).filter(|s| s.slots.get(before) == Some(slot)) else { return false };
        let count = stretch.slots.len();
        stretch.slots.remove(before);
        stretch.seconds.copy_within(before + 1..count, before);
        stretch.seconds[count - 1] = i64::MAX;
        if stretch.slots.is_empty() {
            self.stretches.remove(at);
            self.firsts.remove(at);
        } else {
            self.firsts[at] = stretch.first();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WorkspaceId;
    use crate::state::RowId;
    use crate::store::logic::claims::End;
    use chrono::DateTime;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn slot(n: i64) -> Slot {
        // Three to an instant, six to a second.
        let at = DateTime::from_timestamp(n / 6, (n / 3 % 2) as u32 * 500_000_000).unwrap();
        let row = RowId::from_u128(n.unsigned_abs().into());
        Slot { from: at, end: End::At(at), row, exclusive: true, workspace: WorkspaceId::from_uuid(RowId::nil()) }
    }

    proptest! {
        /// Against the tree of the standard library.
        #[test]
        fn it_holds_what_a_sorted_set_holds(steps in proptest::collection::vec((0i64..900, 0u8..4), 1..1500)) {
            let mut lane = Lane { firsts: Vec::new(), stretches: Vec::new() };
            let mut set = BTreeSet::new();
            for (n, what) in steps {
                let slot = slot(n);
                if what == 0 {
                    prop_assert_eq!(lane.remove(&slot), set.remove(&slot));
                } else if !lane.contains(&slot) {
                    lane.insert(slot);
                    prop_assert!(set.insert(slot));
                }
            }
            prop_assert_eq!(lane.is_empty(), set.is_empty());
            prop_assert!(lane.firsts.iter().copied().eq(lane.stretches.iter().map(|s| s.slots[0].second())));
            for s in &lane.stretches {
                prop_assert!((1..=MOST).contains(&s.slots.len()));
                let seconds = s.slots.iter().map(Slot::second).chain(std::iter::repeat(i64::MAX));
                prop_assert!(s.seconds.iter().copied().eq(seconds.take(MOST + 1)));
            }
            for n in (0..300).step_by(7) {
                let at = slot(n * 3).from;
                let place = lane.first_from(at);
                prop_assert!(lane.on_from(place).eq(set.iter().filter(|s| s.from >= at)));
                prop_assert!(lane.back_from(place).eq(set.iter().rev().filter(|s| s.from < at)));
            }
            prop_assert!(lane.back_from(lane.end()).eq(set.iter().rev()));
        }

        /// Cut at the end or in the middle, and longer than one stretch.
        #[test]
        fn it_holds_many(order in Just((0i64..700).collect::<Vec<_>>()).prop_shuffle(), sorted: bool) {
            let mut lane = Lane { firsts: Vec::new(), stretches: Vec::new() };
            let mut order = order;
            if sorted {
                order.sort_unstable();
            }
            order.iter().for_each(|n| lane.insert(slot(*n)));
            prop_assert!(lane.on_from(Position(0, 0)).copied().eq((0..700).map(slot)));
            prop_assert!(lane.stretches.len() >= 6);
        }
    }
}
