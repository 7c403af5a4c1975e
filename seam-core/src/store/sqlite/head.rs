//! The committed state as far as it is in memory, and how a reader knows that what it saw belongs together.
//!
//! Only the writer changes it, when a commit is durable ([`Head::publish`]). That is done at once: what a large commit changes lies beside the
//! caches, where whoever looks finds it, until it is put into them ([`Head::settle_some`]), at the latest with the next commit. An entry that is in
//! the caches is then exactly what is committed; an entry that is not may still be in the file. The file can be ahead of this by one commit: the one that is just being written
//! (`pending`). Readers are told which rows, keys and claims each commit touches, so they can tell whether two looks, one here and one at
//! the file, were at the same state of what they looked at.
use super::absent::Absent;
use super::batch::TouchedClaims;
use super::ids::Ids;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::{ClaimKey, Claimed, Due, Row, RowId, RowKind};
use crate::store::Committed;
use crate::store::changes::{Changes, Commit, Touched};
use crate::store::logic::{Agenda, ClaimSet, Heads, Place};
use crate::store::recent::Recent;
use foldhash::{HashMap, HashMapExt};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many commits are remembered for readers. One that was slower than this many commits reads again.
const REMEMBERED: usize = 64;
/// How many commits' outcomes are remembered.
const OUTCOMES: usize = 50_000;
/// A commit of so many rows is put into the caches at once: to have another thread do it would take longer.
const FEW: usize = 32;

/// Who has a key that nobody has.
static NOBODY: Ids = Ids::NONE;

/// What a commit changes in memory.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) rows: HashMap<RowId, Arc<Row>>,
    /// Rows that lists of a kind have from now on.
    pub(super) added: Vec<(WorkspaceId, RowKind, RowId)>,
    /// Rows whose due mark changes: before and after, in the order in which it happens.
    pub(super) due: Vec<(RowId, Option<Due>, Option<Due>)>,
    /// By key: rows that it then finds (`true`) or no longer finds, in the order in which it happens.
    pub(super) places: HashMap<Place, SmallVec<[(RowId, bool); 1]>>,
    pub(super) claims: HashMap<ClaimKey, TouchedClaims>,
    /// The numbers of its workspaces in the file.
    pub(super) numbers: BTreeMap<WorkspaceId, i64>,
    pub(super) heads: BTreeMap<WorkspaceId, Heads>,
    pub(super) cursors: BTreeMap<(WorkspaceId, String), u64>,
    pub(super) outcomes: Vec<(WorkspaceId, ChangesetId, Committed)>,
}

impl Change {
    /// With room for so many changesets of the usual size: maps that grow under a batch are hashed anew at each step.
    pub(super) fn of(changesets: usize) -> Self {
        Self {
            rows: HashMap::with_capacity(changesets * 8),
            places: HashMap::with_capacity(changesets * 8),
            claims: HashMap::with_capacity(changesets * 4),
            ..Self::default()
        }
    }
}

/// Whether the store works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Open,
    /// A write failed in a way that leaves its outcome open.
    Broken,
    Closed,
}

#[derive(Debug)]
pub(super) struct Head {
    pub(super) condition: Condition,
    agenda: Agenda,
    pub(super) workspaces: BTreeMap<WorkspaceId, (i64, Heads)>,
    pub(super) cursors: BTreeMap<(WorkspaceId, String), u64>,
    rows: Recent<RowId, Option<Arc<Row>>>,
    places: Recent<Place, Ids>,
    claims: Recent<ClaimKey, ClaimSet>,
    pub(super) absent: Absent,
    no_claims: ClaimSet,
    outcomes: HashMap<ChangesetId, (WorkspaceId, Committed)>,
    outcome_order: VecDeque<ChangesetId>,
    /// What was published last and is not yet in its place.
    fresh: Change,
    /// How many commits were published.
    number: u64,
    recent: VecDeque<Arc<Commit>>,
    pending: Option<Arc<Commit>>,
    /// For those who keep what they have seen.
    changes: Arc<Changes>,
}

impl Head {
    pub(super) fn new(agenda: Agenda, room: usize) -> Self {
        Self {
            condition: Condition::Open,
            agenda,
            workspaces: BTreeMap::new(),
            cursors: BTreeMap::new(),
            rows: Recent::new(room),
            places: Recent::new(room.saturating_mul(4)),
            claims: Recent::new(room.saturating_mul(4)),
            absent: Absent::new(),
            no_claims: ClaimSet::default(),
            outcomes: HashMap::new(),
            outcome_order: VecDeque::new(),
            fresh: Change::default(),
            number: 0,
            recent: VecDeque::new(),
            pending: None,
            changes: Arc::default(),
        }
    }

    /// A row, if it is in memory whether there is one.
    pub(super) fn row(&mut self, id: RowId) -> Option<Option<Arc<Row>>> {
        match self.fresh.rows.get(&id) {
            Some(row) => Some(Some(Arc::clone(row))),
            None => self.rows.get(&id, |_| 1).cloned(),
        }
    }
    pub(super) fn places(&mut self, place: &Place) -> Option<&Ids> {
        if let Some((place, ids)) = self.fresh.places.remove_entry(place) {
            self.settle_place(place, ids);
        }
        // Asked first: what is in the file is mostly not in memory, what nobody has is never in the file.
        if self.absent.has_no_place(place) {
            return Some(&NOBODY);
        }
        self.places.get(place, weight).map(|set| &*set)
    }
    pub(super) fn claims(&mut self, key: ClaimKey) -> Option<&ClaimSet> {
        if let Some(touched) = self.fresh.claims.remove(&key) {
            self.settle_claims(key, touched);
        }
        if self.absent.has_no_claim(key) {
            return Some(&self.no_claims);
        }
        self.claims.get(&key, |set| 1 + set.len()).map(|set| &*set)
    }
    pub(super) fn agenda(&mut self) -> &mut Agenda {
        self.settle_due();
        &mut self.agenda
    }
    pub(super) fn outcome(&mut self, workspace: WorkspaceId, id: ChangesetId) -> Option<Committed> {
        self.settle_outcomes();
        self.outcomes.get(&id).filter(|(of, _)| *of == workspace).map(|(_, committed)| committed.clone())
    }
    /// The row, if it is in memory in this version.
    pub(super) fn row_in_version(&mut self, id: RowId, version: i64) -> Option<Arc<Row>> {
        let fresh = self.fresh.rows.get(&id).map(Arc::clone);
        fresh.or_else(|| self.rows.peek(&id).and_then(|row| row.clone())).filter(|row| i64::try_from(row.version) == Ok(version))
    }

    /// What commits touch.
    pub(super) fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// How many commits were published: a reader notes it before it looks.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether nothing of what a reader looked at was touched since, nor is being touched now: then what it saw, here and in the file, is
    /// the present state.
    pub(super) fn is_untouched(&self, looked: &Touched, since: u64) -> bool {
        let commits = usize::try_from(self.number - since).unwrap_or(usize::MAX);
        commits <= self.recent.len()
            && !self.is_pending(looked)
            && !self.recent.iter().rev().take(commits).any(|commit| commit.meets(looked))
    }

    /// Whether the commit that is being written touches what a reader looked at.
    pub(super) fn is_pending(&self, looked: &Touched) -> bool {
        self.pending.as_ref().is_some_and(|commit| commit.meets(looked))
    }

    /// Remembers what was read in the file. The caller has made sure that it is the present state.
    pub(super) fn learn_row(&mut self, id: RowId, row: Option<Arc<Row>>) {
        self.rows.insert(id, row, 1);
    }
    pub(super) fn learn_place(&mut self, place: Place, ids: Ids) {
        let weight = weight(&ids);
        self.places.insert(place, ids, weight);
    }
    pub(super) fn learn_claims(&mut self, key: ClaimKey, set: ClaimSet) {
        let weight = 1 + set.len();
        self.claims.insert(key, set, weight);
    }

    /// The writer begins to write. From now on the file may be ahead.
    pub(super) fn begin(&mut self, commit: Arc<Commit>) {
        self.pending = Some(commit);
    }

    /// What was begun was not written.
    pub(super) fn abandon(&mut self) {
        self.pending = None;
    }

    /// What was begun is durable. Comes before anybody hears of it.
    pub(super) fn publish(&mut self, mut change: Change) {
        if let Some(commit) = self.pending.take() {
            // What is kept of looks at what it touches holds no more.
            self.changes.publish(commit.touched(), std::mem::take(&mut change.added));
            self.recent.push_back(commit);
        }
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
        self.number += 1;
        for (workspace, heads) in std::mem::take(&mut change.heads) {
            if let Some(no) = change.numbers.get(&workspace) {
                self.workspaces.insert(workspace, (*no, heads));
            }
        }
        for (consumer, seq) in std::mem::take(&mut change.cursors) {
            let cursor = self.cursors.entry(consumer).or_insert(0);
            *cursor = seq.max(*cursor);
        }
        // What is still to be put in its place came before.
        self.settle();
        self.fresh = change;
        if self.fresh.rows.len() <= FEW {
            self.settle();
        }
    }

    /// Whether something that was published is not yet in its place.
    pub(super) fn is_unsettled(&self) -> bool {
        let Change { rows, due, places, claims, outcomes, .. } = &self.fresh;
        !(rows.is_empty() && due.is_empty() && places.is_empty() && claims.is_empty() && outcomes.is_empty())
    }

    /// Puts a part of what was published into its place; `false` when there was nothing more.
    pub(super) fn settle_some(&mut self) -> bool {
        let Change { rows, due, places, claims, .. } = &self.fresh;
        let (rows, due, places, claims) = (rows.is_empty(), due.is_empty(), places.is_empty(), claims.is_empty());
        if !rows {
            std::mem::take(&mut self.fresh.rows).into_iter().for_each(|(id, row)| self.learn_row(id, Some(row)));
        } else if !places {
            std::mem::take(&mut self.fresh.places).into_iter().for_each(|(place, ids)| self.settle_place(place, ids));
        } else if !claims {
            std::mem::take(&mut self.fresh.claims).into_iter().for_each(|(key, touched)| self.settle_claims(key, touched));
        } else if !due {
            self.settle_due();
        } else {
            return self.settle_outcomes();
        }
        true
    }

    fn settle(&mut self) {
        while self.settle_some() {}
    }

    fn settle_due(&mut self) {
        for (id, before, after) in std::mem::take(&mut self.fresh.due) {
            if let Some(due) = &before {
                self.agenda.remove(due, id);
            }
            if let Some(due) = &after {
                self.agenda.add(due, id);
            }
        }
    }

    fn settle_place(&mut self, place: Place, ids: SmallVec<[(RowId, bool); 1]>) {
        if self.absent.add_place(&place) {
            // Nobody had it: those who have it now are all there is to know.
            let mut now = Ids::NONE;
            now.apply(ids);
            self.learn_place(place, now);
        } else if let Some(known) = self.places.peek(&place) {
            known.apply(ids);
        } else if place.1.index.is_unique()
            && let Some(given) = ids.iter().position(|(_, there)| *there)
        {
            // Of a unique key, the one that is given it is all there is to know from then on.
            let mut now = Ids::NONE;
            now.apply(ids.into_iter().skip(given));
            self.learn_place(place, now);
        }
    }

    fn settle_claims(&mut self, key: ClaimKey, touched: TouchedClaims) {
        self.absent.add_claim(key);
        if let Some(known) = self.claims.peek(&key) {
            for (Claimed { claim, row, workspace }, there) in touched.changes {
                if there { known.insert(&claim, row, workspace) } else { known.remove(&claim, row, workspace) }
            }
        }
    }

    fn settle_outcomes(&mut self) -> bool {
        let outcomes = std::mem::take(&mut self.fresh.outcomes);
        let some = !outcomes.is_empty();
        for (workspace, id, committed) in outcomes {
            if self.outcomes.insert(id, (workspace, committed)).is_none() {
                self.outcome_order.push_back(id);
            }
            if self.outcome_order.len() > OUTCOMES
                && let Some(oldest) = self.outcome_order.pop_front()
            {
                self.outcomes.remove(&oldest);
            }
        }
        some
    }

    /// Another program has written to the file: nothing that was known of it holds any more.
    pub(super) fn forget(&mut self) {
        self.settle();
        self.rows.clear();
        self.places.clear();
        self.claims.clear();
        self.workspaces.clear();
        self.cursors.clear();
        self.agenda.forget_due();
        self.absent.give_up();
        self.changes.forget();
        // A reader that looked before finds that it cannot tell.
        self.number += 1;
        self.recent.clear();
    }
}

fn weight(ids: &Ids) -> usize {
    1 + ids.len()
}

#[cfg(test)]
mod tests;
