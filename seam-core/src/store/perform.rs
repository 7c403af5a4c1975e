//! Deciding and committing: optimistic first; after a conflict with nobody in between.
use super::{CommitError, Conflict, Decision, Step, Store};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{ChangesetId, WorkspaceId};
use crate::planted::{self, Bug};
use crate::state::{Facts, Index};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a decision is made with nobody in between before its conflict is told.
const EARNEST: u32 = 4;

/// Something that is decided from facts: `attempt` is 0 for the optimistic try and counts up after conflicts. Gives what is to be done and what is answered.
pub(crate) trait Deciding<T>: FnMut(&Facts, u32) -> Result<(Step, Option<T>)> + Send + 'static {}
impl<T, F: FnMut(&Facts, u32) -> Result<(Step, Option<T>)> + Send + 'static> Deciding<T> for F {}

struct InEarnest<T, F> {
    decide: Arc<Mutex<F>>,
    attempt: u32,
    answer: Arc<Mutex<Option<T>>>,
}

impl<T: Send + 'static, F: Deciding<T>> Decision for InEarnest<T, F> {
    fn decide(&mut self, facts: &Facts) -> Result<Step> {
        let (step, answer) = (self.decide.lock().unwrap_or_else(PoisonError::into_inner))(facts, self.attempt)?;
        if let Some(answer) = answer {
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        Ok(step)
    }
}

/// What became of a decision that was carried out.
#[derive(Debug)]
pub(crate) enum Performed<T> {
    /// It holds, and this is the answer.
    Done(T),
    /// The channel under whose fence it was made is lost: somebody else goes on.
    FenceLost,
}

/// Decides, reads what is missing, commits; after a conflict decides again inside the store.
///
/// # Errors
/// What the decision refuses for, or that the store cannot be used.
pub(crate) async fn perform<T: Send + 'static>(
    store: &dyn Store,
    workspace: WorkspaceId,
    mut decide: impl Deciding<T>,
) -> Result<Performed<T>> {
    let mut facts = Facts::default();
    loop {
        let (step, answer) = decide(&facts, 0)?;
        match step {
            Step::Need(reads) => {
                let missing = facts.missing(&reads);
                if missing.is_empty() {
                    return Err(Error::new(ErrorKind::Internal, "decision_stuck", "a decision asks for what it was told"));
                }
                let more = store.read(workspace, &missing).await?;
                facts.merge(more);
            }
            Step::Nothing => return answered(answer),
            Step::Done(changeset) => {
                let id = changeset.id;
                match store.commit(*changeset).await {
                    Ok(_) => return answered(answer),
                    Err(CommitError::Failed(e)) => return Err(e),
                    Err(CommitError::InDoubt(_)) if planted::is(Bug::InDoubtIsDone) => return answered(answer),
                    Err(CommitError::InDoubt(_)) => {
                        if is_there(store, workspace, id).await? {
                            return answered(answer);
                        }
                        facts = Facts::default();
                    }
                    Err(CommitError::Conflict(Conflict::Fence(_))) => return Ok(Performed::FenceLost),
                    Err(CommitError::Conflict(_)) => break,
                }
            }
        }
    }
    let decide = Arc::new(Mutex::new(decide));
    let mut last = None;
    for attempt in 1..=EARNEST {
        let slot = Arc::new(Mutex::new(None));
        let decision = Box::new(InEarnest { decide: Arc::clone(&decide), attempt, answer: Arc::clone(&slot) });
        let take = || slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match store.transact(workspace, decision).await {
            Ok(_) => return answered(take()),
            Err(CommitError::Failed(e)) => return Err(e),
            Err(CommitError::Conflict(Conflict::Fence(_))) => return Ok(Performed::FenceLost),
            // Something unique is taken where the decision cannot see it; told how often it was tried, it may decide otherwise.
            Err(CommitError::Conflict(conflict)) => last = Some(clash(&conflict)),
            Err(CommitError::InDoubt(id)) => {
                if is_there(store, workspace, id).await? {
                    return answered(take());
                }
            }
        }
    }
    Err(last.unwrap_or_else(|| {
        Error::new(ErrorKind::Store, "commit_in_doubt", "the answer to a commit was lost and the commit is not there; ask again")
    }))
}

/// Whether a commit whose answer was lost is there. When the store cannot say that either, the effect is unknown: asking again under the same
/// idempotency key, or the same `access_grant_key`, finds out.
async fn is_there(store: &dyn Store, workspace: WorkspaceId, id: ChangesetId) -> Result<bool> {
    Ok(store.outcome(workspace, id).await.map_err(|e| e.with_effect(Effect::Unknown))?.is_some())
}

fn answered<T>(answer: Option<T>) -> Result<Performed<T>> {
    answer
        .map(Performed::Done)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "decision_without_answer", "a decision was carried out without an answer"))
}

/// A conflict that deciding again did not cure: something unique is taken where the decision cannot see it.
fn clash(conflict: &Conflict) -> Error {
    match conflict {
        Conflict::KeyTaken(key, _) if key.index == Index::Fingerprint => Error::new(
            ErrorKind::Conflict,
            "acs_system_already_connected",
            "this access system is connected already, perhaps in another workspace",
        ),
        Conflict::KeyTaken(key, _) => {
            Error::new(ErrorKind::Conflict, "key_taken", "a unique key is taken").with_context("index", format!("{:?}", key.index))
        }
        Conflict::NotFree(_) => Error::new(ErrorKind::Exhausted, "no_free_pin", "the PIN or slot is taken for this window"),
        other => {
            Error::new(ErrorKind::Busy, "conflict", "the state changed meanwhile; ask again").with_context("conflict", format!("{other:?}"))
        }
    }
}
