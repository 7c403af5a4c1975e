//! A bounded map of what was used lately.
use foldhash::{HashMap, HashMapExt};
use std::borrow::Borrow;
use std::hash::Hash;
use std::mem;

/// Two generations: what is used moves to the young one; when that is full, it becomes the old one and the old one is dropped. So at most
/// `room` is held, at least the last `room / 2` used are, and nothing is ever searched or sorted.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// How much the young generation holds, in the unit of `room`.
    held: usize,
    room: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    pub(crate) fn new(room: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), held: 0, room }
    }

    /// `weight`: how much of the room an entry takes, where it is not one.
    pub(crate) fn get<Q>(&mut self, key: &Q, weight: impl FnOnce(&V) -> usize) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if !self.old.is_empty()
            && let Some((key, value)) = self.old.remove_entry(key)
        {
            let weight = weight(&value);
            self.insert(key, value, weight);
        }
        self.young.get_mut(key)
    }

    /// Looks without counting as a use.
    #[cfg(any(feature = "sqlite", test))]
    pub(crate) fn peek<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.young.get_mut(key) {
            Some(value) => Some(value),
            None => self.old.get_mut(key),
        }
    }

    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        if self.held + weight > self.room / 2 && !self.young.is_empty() {
            // As many again will come.
            let room = HashMap::with_capacity(self.young.len());
            self.old = mem::replace(&mut self.young, room);
            self.held = 0;
        }
        if !self.old.is_empty() {
            self.old.remove(&key);
        }
        self.held += weight;
        self.young.insert(key, value);
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // Its weight counts on until the generation ends: fewer are held then, never more.
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_room_is_kept() {
        let mut recent = Recent::new(10);
        for n in 0..1000 {
            recent.insert(n, n, 1);
            assert_eq!(recent.get(&0, |_| 1), Some(&mut 0));
            assert!(recent.young.len() + recent.old.len() <= 10);
        }
        assert!(recent.peek(&999).is_some() && recent.peek(&998).is_some() && recent.peek(&900).is_none());
        recent.insert(0, 7, 1);
        assert_eq!(recent.peek(&0), Some(&mut 7));
        recent.clear();
        assert!(recent.peek(&0).is_none());
    }
}
