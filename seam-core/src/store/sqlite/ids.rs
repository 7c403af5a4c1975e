//! The rows that a key finds.
use crate::state::RowId;
use std::collections::BTreeSet;

/// Most keys find one row: that one needs no memory of its own.
#[derive(Clone, Debug)]
pub(super) enum Ids {
    Few(Option<RowId>),
    Many(BTreeSet<RowId>),
}

impl Ids {
    pub(super) const NONE: Self = Self::Few(None);

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(one) => usize::from(one.is_some()),
            Self::Many(ids) => ids.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = RowId> {
        let (one, many) = match self {
            Self::Few(one) => (*one, None),
            Self::Many(ids) => (None, Some(ids)),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }

    /// Adds and removes rows.
    pub(super) fn apply(&mut self, changes: impl IntoIterator<Item = (RowId, bool)>) {
        for (id, there) in changes {
            if there {
                self.insert(id);
            } else {
                self.remove(id);
            }
        }
    }

    fn insert(&mut self, id: RowId) {
        match self {
            Self::Few(None) => *self = Self::Few(Some(id)),
            Self::Few(Some(one)) if *one == id => {}
            Self::Few(Some(one)) => *self = Self::Many(BTreeSet::from([*one, id])),
            Self::Many(ids) => {
                ids.insert(id);
            }
        }
    }

    fn remove(&mut self, id: RowId) {
        match self {
            Self::Few(one) => *one = one.filter(|one| *one != id),
            Self::Many(ids) => {
                ids.remove(&id);
            }
        }
    }
}

impl FromIterator<RowId> for Ids {
    fn from_iter<I: IntoIterator<Item = RowId>>(ids: I) -> Self {
        let mut all = Self::NONE;
        ids.into_iter().for_each(|id| all.insert(id));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn they_are_a_set() {
        // Against a plain set, through all that three rows can go through in five steps.
        let id = |n: u32| Uuid::from_u128(u128::from(n));
        for steps in 0..6_u32.pow(5) {
            let (mut ids, mut plain) = (Ids::NONE, BTreeSet::new());
            for step in 0..5 {
                let one = steps / 6_u32.pow(step) % 6;
                let there = one < 3;
                ids.apply([(id(one % 3), there)]);
                if there {
                    plain.insert(id(one % 3))
                } else {
                    plain.remove(&id(one % 3))
                };
            }
            assert!(ids.iter().eq(plain.iter().copied()), "{steps}");
            assert_eq!((ids.len(), ids.is_empty()), (plain.len(), plain.is_empty()));
            assert!(plain.iter().rev().copied().collect::<Ids>().iter().eq(plain));
        }
    }
}
