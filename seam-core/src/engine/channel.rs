//! One channel: what is due on it, as many calls at once as its physical end takes, persons first.
use super::Inner;
use super::call;
use crate::error::{Error, Result};
use crate::model::WorkspaceId;
use crate::plan::begin::CallPlan;
use crate::plan::{self, Begun};
use crate::provider::ChannelReport;
use crate::state::*;
use crate::store::perform::{Performed, perform};
use crate::store::{Lease, Step};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Timers make no calls: so many are decided side by side.
const TIMERS: usize = 64;

/// How often a store that is away is asked again by a step: 0.5 s, 1 s, 2 s, 4 s, within the lease.
const TRIES: u32 = 4;

/// Works on a channel until nothing is due on it, then gives it back.
pub(super) async fn work(inner: &Inner, lease: Lease) -> Result<()> {
    let mut active = FuturesUnordered::new();
    let mut rows: BTreeSet<RowId> = BTreeSet::new();
    let mut limit = None;
    loop {
        let changed = inner.store.changed();
        let room = limit.unwrap_or(1usize).saturating_sub(rows.len());
        let knew = limit.is_some();
        if !inner.providers.stopping() {
            // Rows whose beginning is not committed yet come again: they are passed over.
            let due = match inner.store.due(&lease, inner.config.lease, rows.len() + room.max(1)).await {
                Ok(Some(due)) => due,
                Ok(None) => {
                    // Somebody else has the channel: what is under way settles under a fence that no longer holds, and changes nothing.
                    while active.next().await.is_some() {}
                    return Ok(());
                }
                // The store is away for a moment: the calls under way go on, nothing new is begun.
                Err(e) if !active.is_empty() => {
                    tracing::warn!(error = %e, "the store did not say what is due");
                    Vec::new()
                }
                Err(e) => return Err(e),
            };
            for row in due {
                let limit = match limit {
                    Some(l) => l,
                    None => match in_flight(inner, &row, &lease).await {
                        Ok(l) => *limit.insert(l),
                        Err(e) if active.is_empty() => return Err(e),
                        Err(_) => break,
                    },
                };
                if rows.len() < limit && rows.insert(row.id) {
                    active.push(step(inner, &lease, row));
                }
            }
        }
        if active.is_empty() {
            inner.store.release(&lease).await?;
            return Ok(());
        }
        let free = limit.is_none_or(|limit| rows.len() < limit) && !inner.providers.stopping();
        if free && !knew {
            // The first row told how many calls the end takes: the others do not wait for its answer.
            continue;
        }
        let renew = inner.clock.now() + chrono::Duration::from_std(inner.config.lease / 3).unwrap_or(chrono::Duration::seconds(20));
        // While there is room, what is asked for now is begun now, beside calls that hang.
        let asked = pin!(async {
            if free {
                changed.await;
            } else {
                pending::<()>().await;
            }
        });
        match select(active.next(), select(asked, pin!(inner.clock.sleep_until(renew)))).await {
            Either::Left((Some(done), _)) => {
                let (row, result): (RowId, Result<(), Stuck>) = done;
                rows.remove(&row);
                match result {
                    Ok(()) => {}
                    Err(Stuck::Begin(e)) => {
                        // One row that cannot be decided never stops the channel: it is put off.
                        tracing::error!(row = %row, error = %e, "a step could not be decided");
                        if let Err(e) = put_off(inner, &lease, row).await {
                            tracing::warn!(row = %row, error = %e, "a step could not be put off");
                        }
                    }
                    Err(Stuck::Settle(e)) => {
                        // The call was made. The mark stays: when its time is over it counts as lost, and what it did as unknown.
                        tracing::error!(row = %row, error = %e, "an outcome could not be settled");
                    }
                }
            }
            Either::Left((None, _)) | Either::Right(_) => {}
        }
    }
}

/// How many calls the physical end takes at once.
async fn in_flight(inner: &Inner, row: &Row, lease: &Lease) -> Result<usize> {
    let system = match &row.body {
        Body::Target(t) => t.system,
        Body::Attempt(a) if a.encoder().is_none() => a.system,
        Body::LogFeed(f) => f.system,
        Body::Grant(_) => return Ok(TIMERS),
        _ => return Ok(1),
    };
    let reads = ReadSet { rows: BTreeSet::from([system.uuid()]), ..ReadSet::default() };
    let facts = inner.store.read(row.workspace, &reads).await?;
    let report = facts.rows.get(&system.uuid()).and_then(Option::as_ref).and_then(|r| match &r.body {
        Body::System(s) => Some(s.report.channel.clone()),
        _ => None,
    });
    Ok(report.filter(|c: &ChannelReport| c.key == lease.channel.end()).map_or(1, |c| usize::from(c.in_flight.max(1))))
}

/// Where a step stands still.
enum Stuck {
    /// Nothing was called.
    Begin(Error),
    /// It was called, and what came of it could not be written down.
    Settle(Error),
}

async fn step(inner: &Inner, lease: &Lease, row: Arc<Row>) -> (RowId, Result<(), Stuck>) {
    let id = row.id;
    (id, carry(inner, lease, &row).await)
}

/// One row: what is about to be done is committed, done, and what it came to is settled.
async fn carry(inner: &Inner, lease: &Lease, row: &Row) -> Result<(), Stuck> {
    let (id, workspace, fence) = (row.id, row.workspace, lease.fence);
    let mut tries = 0;
    let plan = loop {
        match begin(inner, lease, id, workspace).await {
            Ok(plan) => break plan,
            Err(e) if tries < TRIES && e.is_passing() => pause(inner, &mut tries).await,
            Err(e) => return Err(Stuck::Begin(e)),
        }
    };
    let Performed::Done(Some(plan)) = plan else { return Ok(()) };
    let report = Arc::new(call::make(inner, workspace, lease, &plan).await);
    tries = 0;
    loop {
        match inner.settler.settle(inner, workspace, &lease.channel, (id, fence, Arc::clone(&report))).await {
            Ok(()) => return Ok(()),
            // What a call came to must not be lost because the store is away for a moment.
            Err(e) if tries < TRIES && e.is_passing() => pause(inner, &mut tries).await,
            Err(e) => return Err(Stuck::Settle(e)),
        }
    }
}

async fn pause(inner: &Inner, tries: &mut u32) {
    *tries += 1;
    inner.clock.sleep_until(inner.clock.now() + chrono::Duration::milliseconds(250 << *tries)).await;
}

/// Writes down what is about to be done, and says what it is.
async fn begin(inner: &Inner, lease: &Lease, id: RowId, workspace: WorkspaceId) -> Result<Performed<Option<Box<CallPlan>>>> {
    let (fence, channel) = (lease.fence, lease.channel.clone());
    let seed = inner.seed();
    let maker = inner.maker();
    perform(&*inner.store, workspace, move |facts, attempt| {
        Ok(match plan::begin_work(id, fence, facts, maker.env(workspace, seed, attempt))? {
            Begun::Need(reads) => (Step::Need(reads), None),
            Begun::Done { mut changeset, call } => {
                changeset.only_if.push(OnlyIf::Fence { channel: channel.clone(), fence });
                (Step::Done(changeset), Some(call))
            }
        })
    })
    .await
}

/// A row that cannot be decided (it does not decode, its system is gone) is looked at again later.
async fn put_off(inner: &Inner, lease: &Lease, id: RowId) -> Result<()> {
    let again = inner.clock.now() + chrono::Duration::minutes(5);
    let workspace = Arc::new(Mutex::new(None));
    for ws in inner.store.workspaces().await? {
        let reads = ReadSet { rows: BTreeSet::from([id]), ..ReadSet::default() };
        if let Some(Some(row)) = inner.store.read(ws, &reads).await?.rows.get(&id) {
            *workspace.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(row));
        }
    }
    let Some(row) = workspace.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
    let mut row = (*row).clone();
    match &mut row.body {
        Body::Target(t) => t.work.due_at = Some(again),
        Body::Account(a) => a.work.due_at = Some(again),
        Body::Grant(g) => g.timer = Some(again),
        Body::Attempt(a) => {
            let begun = matches!(a.state, AttemptState::Begun { .. });
            a.state = AttemptState::Error {
                kind: "uncategorized_error".to_owned(),
                message: if begun { "What became of the attempt is not known." } else { "The attempt could not be begun." }.to_owned(),
                effect: if begun { crate::error::Effect::Unknown } else { crate::error::Effect::Nothing },
                at: inner.clock.now(),
            };
        }
        _ => return Ok(()),
    }
    let mut env = inner.env(row.workspace, inner.seed(), 1);
    let changeset = Changeset {
        id: crate::model::ChangesetId::from_uuid(env.mint()),
        workspace: row.workspace,
        only_if: vec![OnlyIf::Fence { channel: lease.channel.clone(), fence: lease.fence }],
        put: vec![row],
        events: Vec::new(),
        audit: Audit { actor: Actor::Engine, reason: None, what: "engine.put_off".to_owned(), subject: Some(id), at: inner.clock.now() },
    };
    match inner.store.commit(changeset).await {
        Ok(_) | Err(crate::store::CommitError::Conflict(_) | crate::store::CommitError::InDoubt(_)) => Ok(()),
        Err(crate::store::CommitError::Failed(e)) => Err(e),
    }
}
