//! What goes wrong: at every call of the store, at every call of a provider, by draw or at one enumerated point.
use crate::clock::SimClock;
use crate::exec::give_way;
use crate::rng::Rng;
use crate::watch::Watch;
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::Clock;
use seam_core::engine::{CallObserver, Fault, Outcome};
use seam_core::error::{Error, ErrorKind};
use seam_core::model::{ChangesetId, InstanceId, WorkspaceId};
use seam_core::plan::begin::CallPlan;
use seam_core::provider::{Failure, Reason};
use seam_core::state::{AuditEntry, Changeset, Facts, ReadSet, Row, StoredEvent};
use seam_core::store::{CanServe, CommitError, Committed, Decision, Lease, ListQuery, Step, Store};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Result<T> = seam_core::Result<T>;

/// The caller whose own calls may fail, but who never crashes: whoever asks for grants.
pub(crate) const CLIENT: usize = 0;

/// What may go wrong, how often (in a thousand), and what did.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rng: Rng,
    pub(crate) on: bool,
    pub(crate) store: u32,
    pub(crate) call: u32,
    pub(crate) crash: u32,
    /// Instances that are dead from now on: whatever they call never comes back.
    pub(crate) dead: BTreeSet<usize>,
    /// How many faults there were.
    pub(crate) count: u64,
    /// Points of an enumerated run, counted; and the points at which it crashes.
    pub(crate) points: u64,
    pub(crate) counting: bool,
    pub(crate) crash_at: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Faults(Arc<Mutex<Plan>>);

enum Fate {
    Go,
    GiveWay,
    Slow(i64),
    Fail(ErrorKind),
    Crash,
}

impl Faults {
    pub(crate) fn new(rng: Rng) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            rng,
            on: false,
            store: 0,
            call: 0,
            crash: 0,
            dead: BTreeSet::new(),
            count: 0,
            points: 0,
            counting: false,
            crash_at: BTreeSet::new(),
        })))
    }
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self, who: usize) -> Fate {
        let mut p = self.plan();
        if p.dead.contains(&who) || (who != CLIENT && p.point()) {
            p.dead.insert(who);
            return Fate::Crash;
        }
        if !p.on {
            return Fate::Go;
        }
        let (store, crash) = (p.store, p.crash);
        if who != CLIENT && p.rng.in_1000(crash) {
            p.count += 1;
            p.dead.insert(who);
            return Fate::Crash;
        }
        if p.rng.in_1000(store) {
            p.count += 1;
            return match p.rng.below(4) {
                0 => Fate::Fail(ErrorKind::Busy),
                1 => Fate::Fail(ErrorKind::Store),
                _ => Fate::Slow(p.rng.between(1, 9000)),
            };
        }
        if p.rng.in_1000(150) { Fate::GiveWay } else { Fate::Go }
    }

    /// After the store has done it: `true`: the caller never hears of it.
    fn after(&self, who: usize) -> bool {
        let mut p = self.plan();
        let crash = p.crash;
        let on = p.on;
        let crashes = who != CLIENT && (p.point() || (on && p.rng.in_1000(crash)));
        if crashes {
            p.count += u64::from(on);
            p.dead.insert(who);
        }
        crashes
    }

    fn loses_commit(&self) -> bool {
        let mut p = self.plan();
        let rate = p.store / 2;
        let lost = p.on && p.rng.in_1000(rate);
        p.count += u64::from(lost);
        lost
    }
}

impl Plan {
    /// Counts a point; says whether the run is to crash here.
    fn point(&mut self) -> bool {
        if !self.counting {
            return false;
        }
        self.points += 1;
        self.crash_at.contains(&self.points)
    }
}

/// The store as one instance reaches it.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) who: usize,
    pub(crate) faults: Faults,
    pub(crate) watch: Arc<Mutex<Watch>>,
}

impl FaultyStore {
    async fn gate(&self) -> Result<()> {
        match self.faults.before(self.who) {
            Fate::Go => Ok(()),
            Fate::GiveWay => {
                give_way().await;
                Ok(())
            }
            Fate::Slow(millis) => {
                self.clock.sleep_until(self.clock.now() + Duration::milliseconds(millis)).await;
                Ok(())
            }
            Fate::Fail(kind) => Err(Error::new(kind, "simulated", "the store did not answer")),
            Fate::Crash => std::future::pending().await,
        }
    }
    async fn come_back<T>(&self, done: T) -> T {
        if self.faults.after(self.who) { std::future::pending().await } else { done }
    }
    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees the changeset of a decision that the store carries out by itself.
struct Spy {
    inner: Box<dyn Decision>,
    seen: Arc<Mutex<Option<Changeset>>>,
}

impl Decision for Spy {
    fn decide(&mut self, facts: &Facts) -> Result<Step> {
        let step = self.inner.decide(facts)?;
        if let Step::Done(set) = &step {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((**set).clone());
        }
        Ok(step)
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn clock(&self) -> &Arc<dyn Clock> {
        self.inner.clock()
    }
    async fn read(&self, workspace: WorkspaceId, what: &ReadSet) -> Result<Facts> {
        self.gate().await?;
        let facts = self.inner.read(workspace, what).await?;
        Ok(self.come_back(facts).await)
    }
    async fn commit(&self, set: Changeset) -> std::result::Result<Committed, CommitError> {
        self.gate().await?;
        let (seen, id) = (set.clone(), set.id);
        if self.faults.loses_commit() && self.faults.plan().rng.in_1000(500) {
            return Err(CommitError::InDoubt(id));
        }
        let done = self.inner.commit(set).await;
        if done.is_ok() {
            self.watch().committed(self.who, &seen, self.clock.now());
        }
        let done = self.come_back(done).await;
        if done.is_ok() && self.faults.loses_commit() {
            return Err(CommitError::InDoubt(id));
        }
        done
    }
    async fn transact(
        &self,
        workspace: WorkspaceId,
        decision: Box<dyn Decision>,
    ) -> std::result::Result<(Committed, Box<dyn Decision>), CommitError> {
        self.gate().await?;
        let seen = Arc::new(Mutex::new(None));
        let spy = Box::new(Spy { inner: decision, seen: Arc::clone(&seen) });
        let done = self.inner.transact(workspace, spy).await;
        let set = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Ok(_), Some(set)) = (&done, &set) {
            self.watch().committed(self.who, set, self.clock.now());
        }
        let done = self.come_back(done).await;
        match (&done, set) {
            (Ok(_), Some(set)) if self.faults.loses_commit() => Err(CommitError::InDoubt(set.id)),
            _ => done,
        }
    }
    async fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Result<Option<Committed>> {
        self.gate().await?;
        self.inner.outcome(workspace, id).await
    }
    async fn list(&self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>> {
        self.gate().await?;
        self.inner.list(workspace, query).await
    }
    async fn workspaces(&self) -> Result<Vec<WorkspaceId>> {
        self.gate().await?;
        self.inner.workspaces().await
    }
    async fn claim(&self, me: InstanceId, can: &CanServe, lease: std::time::Duration) -> Result<Option<Lease>> {
        self.gate().await?;
        let claimed = self.inner.claim(me, can, lease).await?;
        if let Some(l) = &claimed {
            self.watch().claimed(l, lease, self.clock.now());
        }
        Ok(self.come_back(claimed).await)
    }
    async fn due(&self, lease: &Lease, more: std::time::Duration, at_most: usize) -> Result<Option<Vec<Arc<Row>>>> {
        self.gate().await?;
        let due = self.inner.due(lease, more, at_most).await?;
        if due.is_some() {
            self.watch().renewed(lease, more, self.clock.now());
        }
        Ok(self.come_back(due).await)
    }
    async fn release(&self, lease: &Lease) -> Result<()> {
        self.gate().await?;
        self.watch().released(lease);
        self.inner.release(lease).await?;
        self.come_back(()).await;
        Ok(())
    }
    async fn next_due(&self, can: &CanServe) -> Result<Option<DateTime<Utc>>> {
        self.gate().await?;
        self.inner.next_due(can).await
    }
    fn changed<'a, 'async_trait>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        self.inner.changed()
    }
    async fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>> {
        self.inner.events(workspace, after, at_most).await
    }
    async fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> Result<u64> {
        self.inner.cursor(workspace, consumer).await
    }
    async fn ack(&self, workspace: WorkspaceId, consumer: &str, upto: u64) -> Result<()> {
        self.inner.ack(workspace, consumer, upto).await
    }
    async fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<AuditEntry>> {
        self.inner.audit(workspace, after, at_most).await
    }
}

/// Stands at an instance's one call site.
#[derive(Debug)]
pub(crate) struct Eye {
    pub(crate) who: usize,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) faults: Faults,
    pub(crate) watch: Arc<Mutex<Watch>>,
}

impl CallObserver for Eye {
    fn before(&self, plan: &CallPlan) -> Fault {
        let now = self.clock.now();
        let mut p = self.faults.plan();
        if p.dead.contains(&self.who) || p.point() {
            // What is answered here is never settled: the instance is gone before.
            p.dead.insert(self.who);
            return Fault::Instead(Failure::nothing(Reason::Other, "gone"));
        }
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).calls(plan, now);
        let (call, crash) = (p.call, p.crash);
        if !p.on {
            return Fault::None;
        }
        if p.rng.in_1000(crash) {
            p.count += 1;
            p.dead.insert(self.who);
            return Fault::Instead(Failure::nothing(Reason::Other, "gone"));
        }
        if !p.rng.in_1000(call) {
            return Fault::None;
        }
        p.count += 1;
        let failure = match p.rng.below(8) {
            0 => Failure::nothing(Reason::Offline, "connection refused"),
            1 => Failure::nothing(Reason::Busy, "busy"),
            2 => Failure::nothing(Reason::RateLimited, "too many requests").with_retry_after(std::time::Duration::from_secs(40)),
            3 => Failure::refused(Reason::Full, "the lock refused"),
            4 => Failure::unknown(Reason::TimedOut, "no answer, and it was never done"),
            _ => return Fault::LoseAnswer,
        };
        Fault::Instead(failure)
    }
    fn after(&self, _plan: &CallPlan, _outcome: Outcome) {
        let mut p = self.faults.plan();
        let (on, crash) = (p.on, p.crash);
        if p.point() || (on && p.rng.in_1000(crash)) {
            p.count += u64::from(on);
            p.dead.insert(self.who);
        }
    }
}
