//! What a reader is told, and how a decision is asked until it is done.
use super::View;
use super::derive::{Place, place};
use crate::error::{Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::planted::{self, Bug};
use crate::state::{Changeset, Facts, ReadSet, RowId};
use crate::store::{CommitError, Decision, Step};

/// Reads from one state. Rows of other workspaces are not there.
pub(in crate::store) fn facts(view: &mut (impl View + ?Sized), workspace: WorkspaceId, what: &ReadSet) -> Result<Facts> {
    let mut facts = Facts::default();
    for id in &what.rows {
        let row = view.row(*id)?.filter(|row| row.workspace == workspace || planted::is(Bug::TenantsMixed));
        facts.rows.insert(*id, row);
    }
    for key in &what.keys {
        let ids = visible(view, workspace, &place(workspace, key))?;
        for id in &ids {
            if !facts.rows.contains_key(id) {
                let row = view.row(*id)?;
                facts.rows.insert(*id, row);
            }
        }
        facts.keys.insert(key.clone(), ids);
    }
    for near in &what.near {
        facts.near.insert(near.clone(), view.near(near)?);
    }
    Ok(facts)
}

/// The rows of the workspace that a key finds.
pub(super) fn visible(view: &mut (impl View + ?Sized), workspace: WorkspaceId, place: &Place) -> Result<Vec<RowId>> {
    let mut ids = view.ids(place)?;
    if place.0.is_none() {
        let mut own = Vec::with_capacity(ids.len());
        for id in ids {
            if view.row(id)?.is_some_and(|row| row.workspace == workspace) {
                own.push(id);
            }
        }
        ids = own;
    }
    Ok(ids)
}

/// Asks a decision until it is done. `None`: nothing is to be written.
pub(in crate::store) fn decide(
    view: &mut (impl View + ?Sized),
    workspace: WorkspaceId,
    decision: &mut dyn Decision,
) -> Result<Option<Changeset>, CommitError> {
    let mut known = Facts::default();
    loop {
        match decision.decide(&known)? {
            Step::Nothing => return Ok(None),
            Step::Done(set) if set.workspace == workspace => return Ok(Some(*set)),
            Step::Done(_) => return Err(bug("foreign_changeset", "a decision answered with a changeset of another workspace").into()),
            Step::Need(wanted) => {
                let missing = known.missing(&wanted);
                if missing.is_empty() {
                    return Err(bug("decision_goes_round", "a decision asks for what it was already told").into());
                }
                known.merge(facts(view, workspace, &missing)?);
            }
        }
    }
}

pub(super) fn bug(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Internal, code, message).with_effect(crate::error::Effect::Nothing)
}
