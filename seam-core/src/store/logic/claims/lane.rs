//! Claims in order, in stretches of a bounded length.
use super::Slot;

/// The most claims of a stretch; a longer one is cut in two.
const MOST: usize = 128;

/// Claims in order.
///
/// A search goes over the first claims of the stretches, which lie side by side, and then through one stretch: with 10,000 claims it touches
/// little more memory than with 100, where a tree goes through a node for each of its levels.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Never empty, nor is any of them.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug)]
struct Stretch {
    first: Slot,
    slots: Vec<Slot>,
}

impl Stretch {
    fn of(slots: Vec<Slot>) -> Option<Self> {
        Some(Self { first: *slots.first()?, slots })
    }
}

/// A place in a lane: a stretch, and how many of its claims are before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position(usize, usize);

impl Lane {
    pub(super) fn new(slot: Slot) -> Self {
        Self { stretches: vec![Stretch { first: slot, slots: vec![slot] }] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn len(&self) -> usize {
        self.stretches.iter().map(|s| s.slots.len()).sum()
    }

    /// Before the first claim of which `is_past` is true. It must be so for all claims after that one.
    pub(super) fn first(&self, is_past: impl Fn(&Slot) -> bool) -> Position {
        let Some(stretch) = self.stretches.partition_point(|s| !is_past(&s.first)).checked_sub(1) else { return Position(0, 0) };
        Position(stretch, self.stretches[stretch].slots.partition_point(|slot| !is_past(slot)))
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
        self.on_from(self.first(|s| s >= slot)).next() == Some(slot)
    }

    /// Whether the ends still never go back when it is put in.
    pub(super) fn has_room_for(&self, slot: &Slot) -> bool {
        let place = self.first(|s| s >= slot);
        let (before, after) = (self.back_from(place).next(), self.on_from(place).next());
        before.is_none_or(|b| b.end <= slot.end) && after.is_none_or(|a| slot.end <= a.end)
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        let Position(at, before) = self.first(|s| *s >= slot);
        let Some(stretch) = self.stretches.get_mut(at) else {
            self.stretches.extend(Stretch::of(vec![slot]));
            return;
        };
        stretch.slots.insert(before, slot);
        stretch.first = stretch.slots[0];
        if stretch.slots.len() > MOST {
            // What grows at its end is cut there, so that it leaves full stretches behind.
            let cut = if before + 1 == stretch.slots.len() { before } else { stretch.slots.len() / 2 };
            let rest = Stretch::of(stretch.slots.split_off(cut));
            stretch.slots.shrink_to_fit();
            self.stretches.splice(at + 1..at + 1, rest);
        }
    }

    /// Says whether it was there.
    pub(super) fn remove(&mut self, slot: &Slot) -> bool {
        let at = self.stretches.partition_point(|s| s.first <= *slot).checked_sub(1);
        let Some((at, stretch)) = at.and_then(|at| Some((at, self.stretches.get_mut(at)?))) else { return false };
        let Ok(found) = stretch.slots.binary_search(slot) else { return false };
        stretch.slots.remove(found);
        match stretch.slots.first() {
            Some(first) => stretch.first = *first,
            None => drop(self.stretches.remove(at)),
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
        let at = DateTime::from_timestamp(n / 3, 0).unwrap();
        let row = RowId::from_u128(n.unsigned_abs().into());
        Slot { from: at, end: End::At(at), row, exclusive: true, workspace: WorkspaceId::from_uuid(RowId::nil()) }
    }

    proptest! {
        /// Against the tree of the standard library.
        #[test]
        fn it_holds_what_a_sorted_set_holds(steps in proptest::collection::vec((0i64..900, 0u8..4), 1..1500)) {
            let mut lane = Lane { stretches: Vec::new() };
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
            prop_assert!(lane.stretches.iter().all(|s| !s.slots.is_empty() && s.slots.len() <= MOST && s.first == s.slots[0]));
            for n in (0..300).step_by(7) {
                let at = slot(n * 3).from;
                let place = lane.first(|s| s.from >= at);
                prop_assert!(lane.on_from(place).eq(set.iter().filter(|s| s.from >= at)));
                prop_assert!(lane.back_from(place).eq(set.iter().rev().filter(|s| s.from < at)));
            }
            prop_assert!(lane.back_from(lane.end()).eq(set.iter().rev()));
        }

        /// Cut at the end or in the middle, and longer than one stretch.
        #[test]
        fn it_holds_many(order in Just((0i64..700).collect::<Vec<_>>()).prop_shuffle(), sorted: bool) {
            let mut lane = Lane { stretches: Vec::new() };
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
