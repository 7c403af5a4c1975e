//! The one call site: deadline, tracing and faults live here, not in decorators. (The rate is kept where calls are begun, by the channel.)
use super::Inner;
use super::desk;
use super::provider::RowNotes;
use crate::encoder::JobControl;
use crate::model::WorkspaceId;
use crate::plan::begin::{CallPlan, CallWhat};
use crate::plan::settle::{Report, Scan, ScannedSystem};
use crate::provider::{AccessSystemProvider, Call, Effect, Failure, Finding, Reason, SystemRef};
use crate::state::*;
use crate::store::Lease;
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use tracing::Instrument;

/// Is told what every call came to, and may make it fail: for metrics, for tests and simulations.
pub trait CallObserver: Debug + Send + Sync + 'static {
    /// Asked before a call is made.
    fn before(&self, plan: &CallPlan) -> Fault {
        let _ = plan;
        Fault::None
    }
    /// Told after a call was made. There is no PIN and no key in it.
    fn after(&self, plan: &CallPlan, outcome: Outcome) {
        let _ = (plan, outcome);
    }
}

/// What is done to a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    None,
    /// It is not made, and fails like this.
    Instead(Failure),
    /// It is made, and its answer is lost.
    LoseAnswer,
}

/// What a call came to, for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// It failed.
    Failed {
        /// What may have happened.
        effect: Effect,
        /// Why.
        reason: Reason,
    },
}

/// Makes a call, within its limit, in a span `seam.call`: what is called, for which row (hand its id to `explain` or look it up in the audit), at
/// which system, which try, and what it came to. There is no name, PIN, key or card number in it.
pub(super) async fn make(inner: &Inner, workspace: WorkspaceId, lease: &Lease, plan: &CallPlan) -> Report {
    let span = tracing::info_span!(
        "seam.call",
        what = plan.what.name(),
        workspace = %workspace,
        row = %plan.row,
        system = plan.system.as_ref().map(|s| tracing::field::display(s.id)),
        channel = %lease.channel,
        attempt = plan.attempt,
        effect = tracing::field::Empty,
        reason = tracing::field::Empty,
    );
    observed(inner, workspace, lease, plan).instrument(span).await
}

async fn observed(inner: &Inner, workspace: WorkspaceId, lease: &Lease, plan: &CallPlan) -> Report {
    let observer = inner.config.observer.as_deref();
    let fault = observer.map_or(Fault::None, |o| o.before(plan));
    let report = match fault {
        Fault::Instead(failure) => failed(plan, failure),
        Fault::None | Fault::LoseAnswer => {
            let made = within(inner, workspace, lease, plan).await;
            match fault {
                Fault::LoseAnswer => failed(plan, Failure::unknown(Reason::TimedOut, "the answer was lost")),
                _ => made,
            }
        }
    };
    let outcome = outcome(&report);
    match outcome {
        Outcome::Done => tracing::debug!("done"),
        Outcome::Failed { effect, reason } => {
            let span = tracing::Span::current();
            span.record("effect", tracing::field::debug(effect)).record("reason", tracing::field::debug(reason));
            tracing::info!("failed");
        }
    }
    if let Some(o) = observer {
        o.after(plan, outcome);
    }
    report
}

fn outcome(report: &Report) -> Outcome {
    let failure = match report {
        Report::Done(Err(f)) | Report::Found(Err(f)) | Report::Card(Err(f)) => Some(f),
        Report::Scan(scan) => scan.as_ref().as_ref().err(),
        Report::Log(Err(f)) => Some(f),
        _ => None,
    };
    failure.map_or(Outcome::Done, |f| Outcome::Failed { effect: f.effect, reason: f.reason })
}

fn failed(plan: &CallPlan, failure: Failure) -> Report {
    match plan.what {
        CallWhat::Find { .. } => Report::Found(Err(failure)),
        CallWhat::Read { .. } | CallWhat::Present { .. } => Report::Card(Err(failure)),
        CallWhat::Scan { .. } => Report::Scan(Box::new(Err(failure))),
        CallWhat::Log { .. } => Report::Log(Err(failure)),
        _ => Report::Done(Err(failure)),
    }
}

async fn within(inner: &Inner, workspace: WorkspaceId, lease: &Lease, plan: &CallPlan) -> Report {
    let provider = match inner.providers.get(inner, workspace, plan.account).await {
        Ok(provider) => provider,
        Err(failure) => return failed(plan, failure),
    };
    let until = inner.clock.now() + plan.within;
    match select(pin!(call(inner, workspace, lease, plan, &*provider)), pin!(inner.clock.sleep_until(until))).await {
        Either::Left((report, _)) => report,
        Either::Right(_) => failed(plan, Failure::unknown(Reason::TimedOut, "the call did not come back within its limit")),
    }
}

async fn call(inner: &Inner, workspace: WorkspaceId, lease: &Lease, plan: &CallPlan, provider: &dyn AccessSystemProvider) -> Report {
    if let CallWhat::Scan { readiness } = plan.what {
        let until = inner.clock.now() + plan.within;
        let mut scanned = scan(provider).await;
        if let (Ok(scan), true) = (&mut scanned, readiness) {
            scan.readiness = look_around(inner, provider, until).await;
        }
        return Report::Scan(Box::new(scanned));
    }
    let Some(system) = &plan.system else {
        return failed(plan, Failure::refused(Reason::NotThere, "the system is gone"));
    };
    let notes = RowNotes { inner, workspace, row: plan.row, channel: lease.channel.clone(), fence: lease.fence };
    let call = Call {
        system,
        tag: plan.tag.clone(),
        attempt: plan.attempt,
        within: plan.within.to_std().unwrap_or_default(),
        operator: plan.operator.as_deref(),
        notes: &notes,
    };
    match &plan.what {
        CallWhat::Put { want, had } => Report::Done(provider.put(want, had.as_ref(), &call).await),
        CallWhat::Remove { want, had } => Report::Done(provider.remove(want, had.as_ref(), &call).await),
        CallWhat::Find { want, had } => Report::Found(provider.find(want, had.as_ref(), &call).await),
        CallWhat::Unlock { card, had, door } => Report::Done(match provider.unlock() {
            Some(unlock) => unlock.unlock(card, had.as_ref(), door, &call).await,
            None => Err(Failure::unsupported("this system unlocks no door remotely")),
        }),
        CallWhat::Encode { card, had, encoder, card_wait } => {
            let control = control(inner, plan, *card_wait);
            let Some(encoders) = provider.encoders() else {
                return failed(plan, Failure::unsupported("this system has no encoder"));
            };
            let job = encoders.encode(card, had.as_ref(), encoder, &call, &control);
            Report::Done(cancellable(inner, workspace, plan.row, &control, job).await)
        }
        CallWhat::Read { encoder, card_wait } => {
            let control = control(inner, plan, *card_wait);
            let Some(encoders) = provider.encoders() else {
                return failed(plan, Failure::unsupported("this system has no encoder"));
            };
            let job = encoders.read(encoder, &call, &control);
            Report::Card(cancellable(inner, workspace, plan.row, &control, job).await)
        }
        CallWhat::Write { card, had, end, card_wait } => {
            let control = control(inner, plan, *card_wait);
            let Some(images) = provider.card_images() else {
                return failed(plan, Failure::unsupported("this system computes no card images"));
            };
            let job = desk::write(inner, end, images, card, had.as_ref(), &call, &control);
            Report::Done(cancellable(inner, workspace, plan.row, &control, job).await)
        }
        CallWhat::Present { end, card_wait } => {
            let control = control(inner, plan, *card_wait);
            let job = desk::present(inner, end, &control);
            Report::Card(cancellable(inner, workspace, plan.row, &control, job).await)
        }
        CallWhat::Log { cursor } => Report::Log(match provider.access_log() {
            Some(log) => log.entries(system, cursor.as_deref()).await,
            None => Err(Failure::unsupported("this system has no access log that can be read")),
        }),
        CallWhat::Scan { .. } => failed(plan, Failure::unsupported("not a call of one system")),
    }
}

fn control(inner: &Inner, plan: &CallPlan, card_wait: chrono::Duration) -> JobControl {
    let now = inner.clock.now();
    JobControl::new(now + card_wait, now + plan.within)
}

/// A job at an encoder, while somebody may ask for it to be stopped.
async fn cancellable<T>(inner: &Inner, workspace: WorkspaceId, row: RowId, control: &JobControl, job: impl Future<Output = T>) -> T {
    let watch = async {
        loop {
            let changed = inner.store.changed();
            let reads = ReadSet { rows: BTreeSet::from([row]), ..ReadSet::default() };
            if let Ok(facts) = inner.store.read(workspace, &reads).await
                && let Some(Some(found)) = facts.rows.get(&row)
                && let Body::Attempt(a) = &found.body
                && a.cancel_asked
            {
                control.cancel();
                return std::future::pending::<()>().await;
            }
            changed.await;
        }
    };
    match select(pin!(job), pin!(watch)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => unreachable!("the watch never ends"),
    }
}

/// Looks what stands between an account and its first grant. `None`: it took too long; the next scan tries again. Half of what is left of the call's
/// time is kept, so that what was read of the account is not lost for it.
async fn look_around(inner: &Inner, provider: &dyn AccessSystemProvider, until: DateTime<Utc>) -> Option<Vec<Finding>> {
    let now = inner.clock.now();
    let limit = now + (until - now) / 2;
    match select(provider.readiness(), pin!(inner.clock.sleep_until(limit))).await {
        Either::Left((findings, _)) => Some(findings),
        Either::Right(_) => None,
    }
}

/// Reads the whole account.
async fn scan(provider: &dyn AccessSystemProvider) -> Result<Scan, Failure> {
    let mut systems = Vec::new();
    for report in provider.systems().await? {
        // Our id of a system that is found for the first time is not known yet; a provider goes by the handle.
        let system = SystemRef { id: crate::model::AcsSystemId::from_uuid(uuid::Uuid::nil()), handle: report.handle.clone() };
        let (mut entrances, mut groups, mut held) = (None, None, None);
        if let Some(inventory) = provider.inventory() {
            entrances = Some(inventory.entrances(&system).await?);
            groups = Some(inventory.groups(&system).await?);
            let mut cursor: Option<String> = None;
            let mut all = Vec::new();
            let mut lists = true;
            loop {
                match inventory.held(&system, cursor.as_deref()).await? {
                    Some(page) => {
                        all.extend(page.things);
                        cursor = page.next;
                        if cursor.is_none() {
                            break;
                        }
                    }
                    None => {
                        lists = false;
                        break;
                    }
                }
            }
            held = lists.then_some(all);
        }
        let encoders = match provider.encoders() {
            Some(encoders) => Some(encoders.list(&system).await?),
            None => None,
        };
        systems.push(ScannedSystem { report, entrances, groups, encoders, held });
    }
    Ok(Scan { systems, readiness: None })
}

/// A shared observer observes too.
impl CallObserver for Arc<dyn CallObserver> {
    fn before(&self, plan: &CallPlan) -> Fault {
        (**self).before(plan)
    }
    fn after(&self, plan: &CallPlan, outcome: Outcome) {
        (**self).after(plan, outcome);
    }
}
