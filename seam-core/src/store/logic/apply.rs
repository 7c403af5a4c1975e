//! Whether a changeset may be applied, and what that would change.
use super::View;
use super::claims::Asked;
use super::derive::{Derived, Diff, Place, diff, place};
use super::facts::{bug, visible};
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::planted::{self, Bug};
use crate::state::{OnlyIf, Row, RowId};
use crate::store::{CommitError, Conflict, audit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row that is written, and what changes with it.
#[derive(Debug)]
pub(in crate::store) struct Written {
    pub(in crate::store) old: Option<Arc<Row>>,
    pub(in crate::store) new: Arc<Row>,
    pub(in crate::store) diff: Diff,
}

impl Written {
    /// Whether lists of its kind have one more row from now on.
    pub(in crate::store) fn adds(&self) -> bool {
        self.old.as_ref().is_none_or(|old| old.body.kind() != self.new.body.kind())
    }
}

/// The rows of a changeset as they are to be stored: in their next versions.
pub(in crate::store) fn next_versions(put: Vec<Row>) -> Vec<Arc<Row>> {
    put.into_iter().map(|row| Arc::new(Row { version: row.version + 1, ..row })).collect()
}

/// Checks a changeset against the state in which it is to be applied. `rows`: in their next versions. `derived`: what they give away, if
/// that is at hand.
pub(in crate::store) fn check(
    view: &mut (impl View + ?Sized),
    workspace: WorkspaceId,
    only_if: &[OnlyIf],
    rows: &[Arc<Row>],
    derived: Option<Vec<Derived>>,
) -> Result<Vec<Written>, CommitError> {
    for condition in only_if {
        if let Some(conflict) = broken(view, workspace, condition)? {
            return Err(CommitError::Conflict(conflict));
        }
    }
    // A decision writes its rows in the order of their ids: then none comes twice.
    let in_order = rows.is_sorted_by(|a, b| a.id < b.id);
    let mut seen = BTreeSet::new();
    let mut written = Vec::with_capacity(rows.len());
    let mut derived = derived.into_iter().flatten();
    for row in rows {
        if row.workspace != workspace {
            return Err(bug("foreign_row", "a changeset writes a row of another workspace").into());
        }
        if !in_order && !seen.insert(row.id) {
            return Err(bug("row_twice", "a changeset writes a row twice").into());
        }
        let before = row.version - 1;
        let old = if before == 0 { view.before_new(row.id)? } else { view.row(row.id)? };
        if !old.as_ref().map_or(before == 0, |o| o.version == before && o.workspace == row.workspace) {
            return Err(CommitError::Conflict(Conflict::Row(row.id)));
        }
        let diff = diff(old.as_deref(), derived.next().unwrap_or_else(|| Derived::of(row)));
        written.push(Written { old, new: Arc::clone(row), diff });
    }
    unique(view, workspace, &written)?;
    Ok(written)
}

fn broken(view: &mut (impl View + ?Sized), workspace: WorkspaceId, condition: &OnlyIf) -> Result<Option<Conflict>> {
    Ok(match condition {
        OnlyIf::Unchanged { row, version } => {
            let stored = view.row(*row)?.filter(|r| r.workspace == workspace).map_or(0, |r| r.version);
            (stored != *version).then_some(Conflict::Row(*row))
        }
        OnlyIf::Listed { key, rows } => {
            let found = visible(view, workspace, &place(workspace, key))?;
            (found != *rows).then(|| Conflict::Listed(key.clone()))
        }
        OnlyIf::Free { key, from, until, gap_seconds, except } => {
            let asked = Asked { from: *from, until: *until, gap_seconds: *gap_seconds, except: *except };
            (!view.is_free(*key, &asked)?).then_some(Conflict::NotFree(*key))
        }
        OnlyIf::Fence { channel, fence } => {
            (!view.holds(channel, *fence) && !planted::is(Bug::FenceNotChecked)).then(|| Conflict::Fence(channel.clone()))
        }
    })
}

/// A unique key may pass from one row to another within a changeset, but two rows never have it.
fn unique(view: &mut (impl View + ?Sized), workspace: WorkspaceId, written: &[Written]) -> Result<(), CommitError> {
    let given_up: BTreeSet<(&Place, RowId)> = written.iter().flat_map(|w| w.diff.keys_gone.iter().map(|place| (place, w.new.id))).collect();
    let mut taken: BTreeMap<&Place, RowId> = BTreeMap::new();
    for w in written {
        for place in w.diff.keys_new.iter().filter(|(_, key)| key.index.is_unique()) {
            let stored = view.holders(place)?.into_iter().find(|id| *id != w.new.id && !given_up.contains(&(place, *id)));
            let Some(other) = stored.or_else(|| taken.get(place).copied()) else {
                taken.insert(place, w.new.id);
                continue;
            };
            let own = written.iter().any(|w| w.new.id == other) || view.row(other)?.is_some_and(|row| row.workspace == workspace);
            let named = if own { other } else { RowId::nil() };
            return Err(CommitError::Conflict(Conflict::KeyTaken(place.1.clone(), named)));
        }
    }
    Ok(())
}

/// Where a workspace's streams end: what the next commit goes on from.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Heads {
    pub(in crate::store) last_event: u64,
    pub(in crate::store) last_audit: u64,
    pub(in crate::store) hash: audit::Hash,
}

impl Heads {
    /// Of a workspace without a commit.
    pub(in crate::store) fn new(workspace: WorkspaceId) -> Self {
        Self { last_event: 0, last_audit: 0, hash: audit::genesis(workspace) }
    }

    /// After a commit that told so many events and said this of itself.
    pub(in crate::store) fn after(&self, events: usize, content: &audit::Hash) -> Self {
        let (last_event, last_audit) = (self.last_event + events as u64, self.last_audit + 1);
        Self { last_event, last_audit, hash: audit::link(&self.hash, last_audit, last_event, content) }
    }
}
