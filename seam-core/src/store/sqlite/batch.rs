//! The state as the next changeset of a batch finds it: what is committed, and on it what the batch has decided so far. Nothing of that
//! is in the file yet.
use super::Shared;
use super::head::Change;
use super::ids::Ids;
use super::load;
use super::ready::Ready;
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::state::*;
use crate::store::changes::Touched;
use crate::store::logic::{self, Asked, ClaimSet, Heads, Place, View, Written};
use crate::store::{CommitError, Committed};
use chrono::{DateTime, Utc};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a changeset that was taken in changes in the file.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) workspace: WorkspaceId,
    pub(super) rows: Vec<Written>,
    pub(super) heads: Heads,
}

impl Unwritten {
    /// Whether it changes nothing that is there.
    pub(super) fn only_adds(&self) -> bool {
        self.rows.iter().all(|written| written.old.is_none())
    }
}

/// The claims of a key that the batch touches.
#[derive(Debug, Default)]
pub(super) struct TouchedClaims {
    /// In the order in which they came about.
    pub(super) changes: Vec<(Claimed, bool)>,
    /// All claims of the key as the batch leaves them, once somebody has asked.
    all: Option<ClaimSet>,
}

pub(super) struct Batch<'a> {
    shared: &'a Shared,
    conn: &'a Connection,
    now: DateTime<Utc>,
    /// Look also for what is very likely not there. Otherwise the file's own constraints find it.
    careful: bool,
    change: Change,
    touched: Touched,
}

impl<'a> Batch<'a> {
    /// `expected`: of so many changesets, more or less.
    pub(super) fn new(shared: &'a Shared, conn: &'a Connection, careful: bool, expected: usize) -> Self {
        Self { shared, conn, now: shared.clock.now(), careful, change: Change::of(expected), touched: Touched::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.change.outcomes.is_empty() && self.change.cursors.is_empty()
    }

    /// How many changesets it holds.
    pub(super) fn changesets(&self) -> u64 {
        self.change.outcomes.len() as u64
    }

    /// How far it moves consumers.
    pub(super) fn cursors(&self) -> &BTreeMap<(WorkspaceId, String), u64> {
        &self.change.cursors
    }

    /// The number of a workspace in the file, and whether it is new there.
    pub(super) fn number(&mut self, workspace: WorkspaceId) -> (i64, bool) {
        if let Some(no) = self.change.numbers.get(&workspace) {
            return (*no, false);
        }
        let (no, new) = {
            let head = self.shared.head();
            match head.workspaces.get(&workspace) {
                Some((no, _)) => (*no, false),
                None => {
                    let last = head.workspaces.values().map(|(no, _)| *no).chain(self.change.numbers.values().copied()).max();
                    (last.unwrap_or(0) + 1, true)
                }
            }
        };
        self.change.numbers.insert(workspace, no);
        (no, new)
    }

    fn heads(&self, workspace: WorkspaceId) -> Heads {
        let known = self.change.heads.get(&workspace).copied();
        known.or_else(|| self.shared.head().workspaces.get(&workspace).map(|(_, h)| *h)).unwrap_or_else(|| Heads::new(workspace))
    }

    /// Where the workspace stands.
    pub(super) fn committed(&self, workspace: WorkspaceId) -> Committed {
        Committed { last_event: self.heads(workspace).last_event }
    }

    /// Takes a changeset in, if its preconditions hold. After an error the batch is as it was.
    pub(super) fn take(&mut self, set: &mut Ready) -> Result<(Committed, Unwritten), CommitError> {
        let mut checked = logic::check(self, set.workspace, &set.only_if, &set.rows, set.derived.take());
        if matches!(checked, Err(CommitError::Conflict(_))) && !self.careful {
            // Looked at in full, it may be another conflict that comes first: callers are told the same by every store.
            self.careful = true;
            checked = logic::check(self, set.workspace, &set.only_if, &set.rows, None);
            self.careful = false;
        }
        let rows = checked?;
        let heads = self.heads(set.workspace).after(set.events_told, &set.content);
        let committed = Committed { last_event: heads.last_event };
        self.change.heads.insert(set.workspace, heads);
        self.change.outcomes.push((set.workspace, set.id, committed.clone()));
        self.touched.also(&set.touched);
        for written in &rows {
            if written.old.is_some() {
                self.touched.written(written);
            }
            self.put(written);
        }
        Ok((committed, Unwritten { workspace: set.workspace, rows, heads }))
    }

    fn put(&mut self, written: &Written) {
        let Written { old: _, new, diff } = written;
        let (id, workspace) = (new.id, new.workspace);
        if written.adds() {
            self.change.added.push((workspace, new.body.kind(), id));
        }
        for (places, there) in [(&diff.keys_gone, false), (&diff.keys_new, true)] {
            for place in places {
                self.change.places.entry(place.clone()).or_default().push((id, there));
            }
        }
        for (claims, there) in [(&diff.claims_gone, false), (&diff.claims_new, true)] {
            for claim in claims {
                let touched = self.change.claims.entry(claim.key).or_default();
                if let Some(all) = &mut touched.all {
                    if there { all.insert(claim, id, workspace) } else { all.remove(claim, id, workspace) }
                }
                touched.changes.push((Claimed { claim: claim.clone(), row: id, workspace }, there));
            }
        }
        if diff.due_before != diff.due_after {
            self.change.due.push((id, diff.due_before.clone(), diff.due_after.clone()));
        }
        self.change.rows.insert(id, Arc::clone(new));
    }

    /// Moves a consumer forward.
    pub(super) fn ack(&mut self, workspace: WorkspaceId, consumer: &str, upto: u64) {
        let upto = upto.min(self.heads(workspace).last_event);
        let at = (workspace, consumer.to_owned());
        let known = self.change.cursors.get(&at).copied().or_else(|| self.shared.head().cursors.get(&at).copied());
        if upto > known.unwrap_or(0) {
            self.change.cursors.insert(at, upto);
        }
    }

    /// What it changes in memory once it is durable.
    pub(super) fn change(self) -> Change {
        self.change
    }

    /// What it touches. To be asked once, at its end.
    pub(super) fn touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    /// Gives the committed claims of a key to `f`.
    fn with_claims<T>(&self, key: ClaimKey, f: impl FnOnce(&ClaimSet) -> T) -> Result<T> {
        if let Some(known) = self.shared.head().claims(key) {
            return Ok(f(known));
        }
        let loaded = load::claims(self.conn, key)?;
        let answer = f(&loaded);
        // What this batch has written under the key is in what was loaded, and not yet committed.
        if !self.change.claims.contains_key(&key) {
            self.shared.head().learn_claims(key, loaded);
        }
        Ok(answer)
    }

    /// Gives the claims of a key, as the batch leaves them, to `f`.
    fn with_all_claims<T>(&mut self, key: ClaimKey, f: impl FnOnce(&ClaimSet) -> T) -> Result<T> {
        let all = match self.change.claims.get_mut(&key) {
            None => return self.with_claims(key, f),
            Some(touched) => touched.all.take(),
        };
        let mut all = match all {
            Some(all) => return Ok(self.keep(key, all, f)),
            None => self.with_claims(key, ClaimSet::clone)?,
        };
        for (claimed, there) in self.change.claims.get(&key).into_iter().flat_map(|t| &t.changes) {
            let Claimed { claim, row, workspace } = claimed;
            if *there { all.insert(claim, *row, *workspace) } else { all.remove(claim, *row, *workspace) }
        }
        Ok(self.keep(key, all, f))
    }

    fn keep<T>(&mut self, key: ClaimKey, all: ClaimSet, f: impl FnOnce(&ClaimSet) -> T) -> T {
        let answer = f(&all);
        if let Some(touched) = self.change.claims.get_mut(&key) {
            touched.all = Some(all);
        }
        answer
    }
}

impl View for Batch<'_> {
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        if let Some(new) = self.change.rows.get(&id) {
            return Ok(Some(Arc::clone(new)));
        }
        if let Some(known) = self.shared.head().row(id) {
            return Ok(known);
        }
        let row = load::row(self.conn, id)?;
        self.shared.head().learn_row(id, row.clone());
        Ok(row)
    }

    fn before_new(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        if self.careful {
            return self.row(id);
        }
        let put = self.change.rows.get(&id).map(Arc::clone);
        Ok(put.or_else(|| self.shared.head().row(id).flatten()))
    }

    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>> {
        let changes = self.change.places.get(place);
        let known = self.shared.head().places(place).cloned();
        let mut ids = match known {
            Some(known) => known,
            None => {
                let loaded = load::ids(self.conn, place)?;
                // What this batch has written under the key is in what was loaded, and not yet committed.
                if changes.is_none() {
                    self.shared.head().learn_place(place.clone(), loaded.clone());
                }
                loaded
            }
        };
        ids.apply(changes.into_iter().flatten().copied());
        Ok(ids.iter().collect())
    }

    fn holders(&mut self, place: &Place) -> Result<Vec<RowId>> {
        if self.careful {
            return self.ids(place);
        }
        let known = self.shared.head().places(place).filter(|known| !known.is_empty()).cloned();
        match (known, self.change.places.get(place)) {
            (None, None) => Ok(Vec::new()),
            (known, changes) => {
                let mut ids = known.unwrap_or(Ids::NONE);
                ids.apply(changes.into_iter().flatten().copied());
                Ok(ids.iter().collect())
            }
        }
    }

    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>> {
        self.with_all_claims(near.key, |set| set.near(near))
    }

    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool> {
        self.with_all_claims(key, |set| set.is_free(key, asked))
    }

    fn holds(&mut self, channel: &Channel, fence: u64) -> bool {
        self.shared.head().agenda().holds(channel, fence, self.now)
    }
}
