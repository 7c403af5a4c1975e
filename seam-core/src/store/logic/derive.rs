//! What a row gives away beside itself, and how that changes with it.
use crate::model::WorkspaceId;
use crate::state::{Claim, Due, Key, Row};
use std::collections::BTreeSet;

/// A key and where it counts: in one workspace, or (`None`) in all of them.
pub(in crate::store) type Place = (Option<WorkspaceId>, Key);

/// Where a key of a workspace counts.
pub(in crate::store) fn place(workspace: WorkspaceId, key: &Key) -> Place {
    ((!key.index.is_global()).then_some(workspace), key.clone())
}

/// How what is derived of a row changes when the row does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Diff {
    pub(in crate::store) keys_gone: Vec<Place>,
    pub(in crate::store) keys_new: Vec<Place>,
    pub(in crate::store) claims_gone: Vec<Claim>,
    pub(in crate::store) claims_new: Vec<Claim>,
    pub(in crate::store) due_gone: Option<Due>,
    pub(in crate::store) due_new: Option<Due>,
}

/// Compares what two versions of a row give away. A key or a claim that a row names twice counts once.
pub(in crate::store) fn diff(old: Option<&Row>, new: &Row) -> Diff {
    let (keys_before, claims_before, due_before) = old.map(derived).unwrap_or_default();
    let (keys_after, claims_after, due_after) = derived(new);
    let due_changed = due_before != due_after;
    Diff {
        keys_gone: keys_before.difference(&keys_after).cloned().collect(),
        keys_new: keys_after.difference(&keys_before).cloned().collect(),
        claims_gone: claims_before.difference(&claims_after).cloned().collect(),
        claims_new: claims_after.difference(&claims_before).cloned().collect(),
        due_gone: due_before.filter(|_| due_changed),
        due_new: due_after.filter(|_| due_changed),
    }
}

fn derived(row: &Row) -> (BTreeSet<Place>, BTreeSet<Claim>, Option<Due>) {
    let keys = row.body.lookups().iter().map(|k| place(row.workspace, k)).collect();
    (keys, row.body.claims().iter().cloned().collect(), row.due())
}
