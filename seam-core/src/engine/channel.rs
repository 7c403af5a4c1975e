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
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
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
    let mut limits: Option<Limits> = None;
    loop {
        let changed = inner.store.changed();
        let room = limits.map_or(1, |l| l.at_once).saturating_sub(rows.len());
        let knew = limits.is_some();
        // When the next call may begin, if something that is due has to wait for its rate.
        let mut held_back = None;
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
                let limits = match limits {
                    Some(l) => l,
                    None => match of_channel(inner, &row, &lease).await {
                        Ok(l) => *limits.insert(l),
                        Err(e) if active.is_empty() => return Err(e),
                        Err(_) => break,
                    },
                };
                if rows.len() >= limits.at_once || rows.contains(&row.id) {
                    continue;
                }
                if let Err(until) = inner.paces.take(&lease.channel, limits.apart, inner.clock.now()) {
                    held_back = Some(until);
                    break;
                }
                rows.insert(row.id);
                active.push(step(inner, &lease, row));
            }
        }
        if active.is_empty() {
            if let Some(until) = held_back {
                inner.clock.sleep_until(until).await;
                continue;
            }
            inner.store.release(&lease).await?;
            return Ok(());
        }
        let free = limits.is_none_or(|l| rows.len() < l.at_once) && held_back.is_none() && !inner.providers.stopping();
        if free && !knew {
            // The first row told how many calls the end takes: the others do not wait for its answer.
            continue;
        }
        let look = inner.clock.now() + chrono::Duration::from_std(inner.config.lease / 3).unwrap_or(chrono::Duration::seconds(20));
        let look = held_back.map_or(look, |until| look.min(until));
        // While there is room, what is asked for now is begun now, beside calls that hang.
        let asked = pin!(async {
            if free {
                changed.await;
            } else {
                pending::<()>().await;
            }
        });
        match select(active.next(), select(asked, pin!(inner.clock.sleep_until(look)))).await {
            Either::Left((Some(done), _)) => {
                let (row, result): (Arc<Row>, Result<(), Stuck>) = done;
                let (row, workspace) = (row.id, row.workspace);
                rows.remove(&row);
                match result {
                    Ok(()) => {}
                    Err(Stuck::Begin(e)) => {
                        // One row that cannot be decided never stops the channel: it is put off.
                        tracing::error!(row = %row, error = %e, "a step could not be decided");
                        if let Err(e) = put_off(inner, &lease, workspace, row).await {
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

/// What the physical end of a channel takes.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Calls at once.
    at_once: usize,
    /// The time between the beginnings of two calls; none: any number.
    apart: Option<chrono::Duration>,
}

impl Limits {
    fn of(report: &ChannelReport) -> Self {
        let apart = report.per_second.filter(|rate| rate.is_finite() && *rate > 0.0);
        // Rounded up: the rate is never exceeded.
        let apart = apart.map(|rate| chrono::Duration::microseconds((1_000_000.0 / f64::from(rate)).ceil() as i64));
        Self { at_once: usize::from(report.in_flight.max(1)), apart }
    }
    const fn at_once(at_once: usize) -> Self {
        Self { at_once, apart: None }
    }
}

/// What the channel of a row takes.
async fn of_channel(inner: &Inner, row: &Row, lease: &Lease) -> Result<Limits> {
    let system = match &row.body {
        Body::Target(t) => t.system,
        Body::Attempt(a) if a.encoder().is_none() => a.system,
        Body::LogFeed(f) => f.system,
        Body::Grant(_) => return Ok(Limits::at_once(TIMERS)),
        _ => return Ok(Limits::at_once(1)),
    };
    let reads = ReadSet { rows: BTreeSet::from([system.uuid()]), ..ReadSet::default() };
    let facts = inner.store.read(row.workspace, &reads).await?;
    let report = facts.rows.get(&system.uuid()).and_then(Option::as_ref).and_then(|r| match &r.body {
        Body::System(s) => Some(s.report.channel.clone()),
        _ => None,
    });
    Ok(report.filter(|c: &ChannelReport| c.key == lease.channel.end()).map_or(Limits::at_once(1), |c| Limits::of(&c)))
}

/// When each channel may be called next. A channel has one owner among all instances, so the rate of its end is kept; an owner that takes it over
/// begins anew.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<BTreeMap<Channel, DateTime<Utc>>>);

impl Paces {
    /// Takes the right to begin one call now; else says when there is one.
    fn take(&self, channel: &Channel, apart: Option<chrono::Duration>, now: DateTime<Utc>) -> std::result::Result<(), DateTime<Utc>> {
        let Some(apart) = apart else { return Ok(()) };
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match next.get(channel) {
            Some(at) if *at > now => Err(*at),
            _ => {
                next.insert(channel.clone(), now + apart);
                Ok(())
            }
        }
    }
}

/// Where a step stands still.
enum Stuck {
    /// Nothing was called.
    Begin(Error),
    /// It was called, and what came of it could not be written down.
    Settle(Error),
}

async fn step(inner: &Inner, lease: &Lease, row: Arc<Row>) -> (Arc<Row>, Result<(), Stuck>) {
    let done = carry(inner, lease, &row).await;
    (row, done)
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
async fn put_off(inner: &Inner, lease: &Lease, workspace: WorkspaceId, id: RowId) -> Result<()> {
    let again = inner.clock.now() + chrono::Duration::minutes(5);
    let reads = ReadSet { rows: BTreeSet::from([id]), ..ReadSet::default() };
    let Some(Some(row)) = inner.store.read(workspace, &reads).await?.rows.remove(&id) else { return Ok(()) };
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
