//! What the file does not hold, known without looking into it.
//!
//! A new guest's reservation, person and PIN are new to the file too, and every decision asks whether they are. A filter in memory answers:
//! "nobody has it" is certain, "somebody may" is looked up. It is filled from the file in the background after opening, a stretch at a
//! time, and from every commit; until it is full it answers nothing.
use super::codec;
use crate::state::ClaimKey;
use crate::store::logic::Place;
use foldhash::quality::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use uuid::Uuid;

/// Bits for each entry, and how many of them an entry sets: one look in 400 goes to the file for nothing.
const BITS: usize = 16;
const PROBES: u64 = 4;
/// Entries of the first layer; each further one has room for twice as many.
const FIRST: usize = 1 << 14;

/// A Bloom filter that grows by layers.
pub(super) struct Absent {
    layers: Vec<Layer>,
    hasher: RandomState,
    state: Filled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filled {
    /// What the file holds is being added.
    Partly,
    Fully,
    /// Somebody else has written to the file: nothing is certain until it is opened anew.
    Never,
}

struct Layer {
    bits: Vec<u64>,
    room: usize,
}

impl fmt::Debug for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Absent").field("layers", &self.layers.len()).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Absent {
    pub(super) fn new() -> Self {
        Self { layers: vec![Layer::new(FIRST)], hasher: RandomState::default(), state: Filled::Partly }
    }

    /// Whether it is certain that no row has this key.
    pub(super) fn has_no_place(&self, place: &Place) -> bool {
        self.state == Filled::Fully && !self.may_hold(self.of_place(place))
    }
    /// Whether it is certain that nothing is claimed under this key.
    pub(super) fn has_no_claim(&self, key: ClaimKey) -> bool {
        self.state == Filled::Fully && !self.may_hold(self.of_claim(key.0))
    }
    /// Adds a key; says whether it was certain that no row had it.
    pub(super) fn add_place(&mut self, place: &Place) -> bool {
        self.add(self.of_place(place)) && self.state == Filled::Fully
    }
    pub(super) fn add_claim(&mut self, key: ClaimKey) {
        self.add(self.of_claim(key.0));
    }
    /// A key as the file has it: the number of its index, the workspace in which it counts, the key packed.
    pub(super) fn add_stored(&mut self, index: u8, scope: Option<Uuid>, key: &[u8]) {
        self.add(self.hasher.hash_one((index, scope, key)));
    }
    /// All that the file holds was added.
    pub(super) fn is_full(&mut self) {
        if self.state == Filled::Partly {
            self.state = Filled::Fully;
        }
    }
    /// Nothing is certain any more.
    pub(super) fn give_up(&mut self) {
        self.state = Filled::Never;
        self.layers = vec![Layer::new(1)];
    }

    fn of_place(&self, (workspace, key): &Place) -> u64 {
        self.hasher.hash_one((key.index as u8, workspace.map(|w| w.uuid()), codec::key(&key.key).as_slice()))
    }
    fn of_claim(&self, key: Uuid) -> u64 {
        self.hasher.hash_one(key)
    }

    fn may_hold(&self, hash: u64) -> bool {
        self.layers.iter().any(|layer| layer.places(hash).all(|(word, bit)| layer.bits[word] & bit != 0))
    }

    /// Says whether it was not there.
    fn add(&mut self, hash: u64) -> bool {
        if self.state == Filled::Never || self.may_hold(hash) {
            return false;
        }
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            self.layers.push(Layer::new(FIRST << self.layers.len().min(20)));
        }
        if let Some(layer) = self.layers.last_mut() {
            layer.room -= 1;
            for (word, bit) in layer.places(hash) {
                layer.bits[word] |= bit;
            }
        }
        true
    }
}

impl Layer {
    fn new(room: usize) -> Self {
        Self { bits: vec![0; (room * BITS).div_ceil(64)], room }
    }

    /// The word and the bit of each probe.
    fn places(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let bits = self.bits.len() as u64 * 64;
        let step = (hash >> 32) | 1;
        (0..PROBES).map(move |n| {
            let at = hash.wrapping_add(n.wrapping_mul(step).wrapping_mul(0x9e37_79b9_7f4a_7c15)) % bits;
            ((at / 64) as usize, 1 << (at % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WorkspaceId;
    use crate::state::{Index, Key};

    fn place(n: u128) -> Place {
        (Some(WorkspaceId::from_uuid(Uuid::from_u128(1))), Key::new(Index::Reservation, format!("stay-{n}")))
    }

    #[test]
    fn what_was_added_is_never_absent_and_little_else_is_taken_for_it() {
        let mut absent = Absent::new();
        assert!(!absent.has_no_place(&place(0)), "nothing is certain before it is full");
        for n in 0..50_000 {
            absent.add_place(&place(n));
            absent.add_claim(ClaimKey(Uuid::from_u128(n)));
        }
        absent.is_full();
        assert!((0..50_000).all(|n| !absent.has_no_place(&place(n)) && !absent.has_no_claim(ClaimKey(Uuid::from_u128(n)))));
        let mistaken = (50_000..100_000).filter(|n| !absent.has_no_place(&place(*n))).count();
        assert!(mistaken < 2_000, "{mistaken} of 50,000");
        absent.give_up();
        assert!(!absent.has_no_place(&place(60_000)));
        absent.is_full();
        assert!(!absent.has_no_place(&place(60_000)), "it stays given up");
    }

    #[test]
    fn a_key_is_the_same_in_memory_and_in_the_file() {
        let mut absent = Absent::new();
        let (workspace, key) = place(7);
        absent.add_stored(key.index as u8, workspace.map(|w| w.uuid()), &codec::key(&key.key));
        absent.is_full();
        assert!(!absent.has_no_place(&place(7)));
        assert!(absent.has_no_place(&place(8)));
    }
}
