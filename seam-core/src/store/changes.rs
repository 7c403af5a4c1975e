//! Whether what somebody looked at was touched by a commit since. What is kept of a look in memory holds for as long as it was not.
//!
//! Each row, key and claim has a place in a table by its hash, and the place holds the number of the last commit that touched anything of that
//! place. Two things that share a place only make somebody look again. A look is marked before it begins: what a commit changes while it goes on
//! counts as changed since.
#[cfg(feature = "sqlite")]
use super::logic::Derived;
use super::logic::{Place, Written, place};
use crate::model::WorkspaceId;
use crate::state::{ClaimKey, Index, Key, RowId, RowKind};
use foldhash::quality::FixedState;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Places in the table: 2 MiB, which are there from the first look that is kept.
const PLACES: usize = 1 << 18;
/// How many commits are told apart by the rows that they added.
const ADDITIONS: usize = 1024;

/// What a commit touches, or a reader looked at: a hash of each row, key and claim.
#[derive(Debug, Default)]
pub(crate) struct Touched(Vec<u64>);

impl Touched {
    pub(crate) fn row(&mut self, id: RowId) {
        self.add((0u8, id));
    }
    /// A key, as a workspace asks for it.
    pub(crate) fn key(&mut self, workspace: WorkspaceId, key: &Key) {
        self.place(&place(workspace, key));
    }
    pub(super) fn place(&mut self, place: &Place) {
        self.add((1u8, place));
        if place.1.index == Index::Webhooks {
            self.webhooks();
        }
    }
    /// That some workspace has a webhook more, or less.
    pub(crate) fn webhooks(&mut self) {
        self.add(3u8);
    }
    pub(crate) fn claim(&mut self, key: ClaimKey) {
        self.add((2u8, key));
    }
    /// A row that is new, with all that is derived of it.
    #[cfg(feature = "sqlite")]
    pub(super) fn new_row(&mut self, id: RowId, derived: &Derived) {
        self.row(id);
        derived.keys().iter().for_each(|place| self.place(place));
        derived.claims().iter().for_each(|claim| self.claim(claim.key));
    }
    /// A row that is written, with what is derived of it.
    pub(super) fn written(&mut self, Written { old: _, new, diff }: &Written) {
        self.row(new.id);
        diff.keys_gone.iter().chain(&diff.keys_new).for_each(|place| self.place(place));
        diff.claims_gone.iter().chain(&diff.claims_new).for_each(|claim| self.claim(claim.key));
    }
    fn add(&mut self, what: impl Hash) {
        self.0.push(FixedState::default().hash_one(what));
    }

    /// This too.
    #[cfg(feature = "sqlite")]
    pub(super) fn also(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }
}

/// What a commit touches, to be searched by those who have looked into the file meanwhile.
#[cfg(feature = "sqlite")]
#[derive(Debug, Default)]
pub(super) struct Commit {
    touched: Touched,
    /// In order. Made by the first who searches: most commits are never asked.
    sorted: OnceLock<Vec<u64>>,
}

#[cfg(feature = "sqlite")]
impl Commit {
    pub(super) fn of(touched: Touched) -> Self {
        Self { touched, sorted: OnceLock::new() }
    }

    pub(super) fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Whether it touches something that a reader looked at.
    pub(super) fn meets(&self, looked: &Touched) -> bool {
        let sorted = self.sorted.get_or_init(|| {
            let mut all = self.touched.0.clone();
            all.sort_unstable();
            all
        });
        looked.0.iter().any(|hash| sorted.binary_search(hash).is_ok())
    }
}

/// What a look depends on, in the form in which it is kept.
#[derive(Clone, Debug, Default)]
pub struct Looked(Box<[u32]>);

impl From<Touched> for Looked {
    fn from(touched: Touched) -> Self {
        let mut places: Vec<u32> = touched.0.into_iter().map(|hash| index(hash) as u32).collect();
        places.sort_unstable();
        places.dedup();
        Self(places.into())
    }
}

fn index(hash: u64) -> usize {
    usize::try_from(hash % PLACES as u64).unwrap_or(0)
}

/// When a look began, in commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// Tells what was touched by commits.
#[derive(Default)]
pub struct Changes {
    /// How many commits there were.
    number: AtomicU64,
    /// What was looked at before this commit does not hold any more.
    floor: AtomicU64,
    table: OnceLock<Box<[AtomicU64]>>,
    added: Mutex<HashMap<(WorkspaceId, RowKind), Added>>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Changes {
    /// To be taken before a look that is to be kept.
    pub fn mark(&self) -> Mark {
        // Before the look: a commit that finds no table was there before it.
        self.table.get_or_init(|| (0..PLACES).map(|_| AtomicU64::new(0)).collect());
        Mark(self.number.load(Ordering::Acquire))
    }

    /// Whether anybody keeps anything.
    pub(super) fn are_watched(&self) -> bool {
        self.table.get().is_some()
    }

    /// Whether nothing that was looked at was touched since.
    pub fn is_untouched(&self, looked: &Looked, since: Mark) -> bool {
        let Some(table) = self.table.get() else { return false };
        self.floor.load(Ordering::Acquire) <= since.0
            && looked.0.iter().all(|at| table.get(*at as usize).is_some_and(|last| last.load(Ordering::Acquire) <= since.0))
    }

    /// The least id that a row of a kind was given since; `None`: there is no new one.
    #[cfg(any(feature = "sqlite", test))]
    pub(super) fn least_added(&self, workspace: WorkspaceId, kind: RowKind, since: Mark) -> Option<RowId> {
        let added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.get(&(workspace, kind)).and_then(|added| added.least(since.0))
    }

    /// A commit is published. Under the lock under which readers look: whoever has marked its number sees it.
    pub(super) fn publish(&self, touched: &Touched, added: impl IntoIterator<Item = (WorkspaceId, RowKind, RowId)>) {
        let number = self.number.load(Ordering::Relaxed) + 1;
        if let Some(table) = self.table.get() {
            for last in touched.0.iter().filter_map(|hash| table.get(index(*hash))) {
                last.store(number, Ordering::Release);
            }
            let mut all = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            for (workspace, kind, id) in added {
                all.entry((workspace, kind)).or_default().add(number, id);
            }
        }
        self.number.store(number, Ordering::Release);
    }

    /// Nothing that was looked at holds any more.
    #[cfg(any(feature = "sqlite", test))]
    pub(super) fn forget(&self) {
        let number = self.number.load(Ordering::Relaxed) + 1;
        self.floor.store(number, Ordering::Release);
        self.number.store(number, Ordering::Release);
    }
}

/// Which rows of a kind came with which commit: of each commit only the least, and only if no later one brought a lesser.
#[derive(Debug, Default)]
struct Added(VecDeque<(u64, RowId)>);

impl Added {
    fn add(&mut self, number: u64, id: RowId) {
        while self.0.pop_back_if(|(_, other)| *other >= id).is_some() {}
        self.0.push_back((number, id));
        if self.0.len() > ADDITIONS
            && let Some((_, least)) = self.0.pop_front()
            && let Some(next) = self.0.front_mut()
        {
            // From here on as if it had come with the next one: too often changed, never too seldom.
            next.1 = least;
        }
    }

    #[cfg(any(feature = "sqlite", test))]
    fn least(&self, since: u64) -> Option<RowId> {
        let first = self.0.partition_point(|(number, _)| *number <= since);
        self.0.get(first).map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> RowId {
        Uuid::from_u128(n)
    }

    fn rows(ids: &[u128]) -> Touched {
        let mut touched = Touched::default();
        ids.iter().for_each(|n| touched.row(id(*n)));
        touched
    }

    #[test]
    fn what_a_commit_touches_does_not_hold_any_more() {
        let changes = Changes::default();
        let looked = Looked::from(rows(&[1, 2]));
        let before = changes.mark();
        assert!(changes.is_untouched(&looked, before));
        changes.publish(&rows(&[3]), []);
        assert!(changes.is_untouched(&looked, before));
        changes.publish(&rows(&[2, 4]), []);
        assert!(!changes.is_untouched(&looked, before));
        let after = changes.mark();
        assert!(changes.is_untouched(&looked, after));
        changes.forget();
        assert!(!changes.is_untouched(&looked, after) && changes.is_untouched(&looked, changes.mark()));
    }

    #[test]
    fn the_least_id_that_came_since_is_told_or_a_lesser_one() {
        let changes = Changes::default();
        let (ws, kind) = (WorkspaceId::from_uuid(id(1)), RowKind::User);
        changes.mark();
        // Rises, falls back, rises again; more commits than are told apart.
        let ids: Vec<u128> = (0..3_000u128).map(|n| if n % 700 == 699 { n / 2 } else { n } + 10).collect();
        let mut marks = Vec::new();
        for n in &ids {
            marks.push(changes.mark());
            changes.publish(&Touched::default(), [(ws, kind, id(*n))]);
        }
        for (n, mark) in marks.iter().enumerate() {
            let least = ids[n..].iter().min().map(|n| id(*n));
            let told = changes.least_added(ws, kind, *mark);
            assert!(told <= least && told.is_some());
            assert!(n < ids.len() - ADDITIONS || told == least, "the last ones are told exactly");
        }
        assert_eq!(changes.least_added(ws, kind, changes.mark()), None);
    }
}
