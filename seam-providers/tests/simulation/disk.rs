//! The SQLite store in the simulation: each call is carried out at once, and after a crash the file is opened by another process, which knows
//! nothing but what is in it.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use seam_core::clock::Clock;
use seam_core::error::Result;
use seam_core::model::{ChangesetId, InstanceId, WorkspaceId};
use seam_core::state::*;
use seam_core::store::{CanServe, CommitError, Committed, Decision, Lease, ListQuery, SqliteOptions, SqliteStore, Store};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;
use tokio::sync::Notify;

/// A store in a file of its own.
#[derive(Debug)]
pub(crate) struct OnDisk {
    dir: tempfile::TempDir,
    clock: Arc<dyn Clock>,
    open: Mutex<Option<Arc<SqliteStore>>>,
    committed: Notify,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the store's own threads: to the virtual clock no time passes.
fn wait<T>(work: impl Future<Output = T>) -> T {
    let (mut work, waker) = (pin!(work), Waker::from(Arc::new(Unpark(std::thread::current()))));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl OnDisk {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> std::result::Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let disk = Self { dir, clock, open: Mutex::new(None), committed: Notify::new() };
        disk.reopen()?;
        Ok(disk)
    }

    /// The process is gone, and another one opens the file.
    pub(crate) fn reopen(&self) -> std::result::Result<(), String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = open.take() {
            wait(old.close());
        }
        // What this looks for is what the file says after a crash of the program; syncs are for those of the machine, which have a test of theirs.
        let options = SqliteOptions::new().readers(1).unsynced();
        let store = SqliteStore::open_with(self.dir.path().join("house.db"), Arc::clone(&self.clock), options);
        *open = Some(Arc::new(store.map_err(|e| e.to_string())?));
        drop(open);
        self.committed.notify_waiters();
        Ok(())
    }

    fn now(&self) -> Arc<SqliteStore> {
        match &*self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(store) => Arc::clone(store),
            None => unreachable!("it is opened as soon as it is closed"),
        }
    }
}

#[async_trait]
impl Store for OnDisk {
    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
    async fn read(&self, workspace: WorkspaceId, what: &ReadSet) -> Result<Facts> {
        wait(self.now().read(workspace, what))
    }
    async fn commit(&self, set: Changeset) -> std::result::Result<Committed, CommitError> {
        let done = wait(self.now().commit(set));
        self.committed.notify_waiters();
        done
    }
    async fn transact(
        &self,
        workspace: WorkspaceId,
        decision: Box<dyn Decision>,
    ) -> std::result::Result<(Committed, Box<dyn Decision>), CommitError> {
        let done = wait(self.now().transact(workspace, decision));
        self.committed.notify_waiters();
        done
    }
    async fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Result<Option<Committed>> {
        wait(self.now().outcome(workspace, id))
    }
    async fn list(&self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>> {
        wait(self.now().list(workspace, query))
    }
    async fn workspaces(&self) -> Result<Vec<WorkspaceId>> {
        wait(self.now().workspaces())
    }
    async fn webhooks(&self) -> Result<Vec<Arc<Row>>> {
        wait(self.now().webhooks())
    }
    async fn claim(&self, me: InstanceId, can: &CanServe, lease: Duration) -> Result<Option<Lease>> {
        wait(self.now().claim(me, can, lease))
    }
    async fn due(&self, lease: &Lease, more: Duration, at_most: usize) -> Result<Option<Vec<Arc<Row>>>> {
        wait(self.now().due(lease, more, at_most))
    }
    async fn release(&self, lease: &Lease) -> Result<()> {
        wait(self.now().release(lease))
    }
    async fn next_due(&self, can: &CanServe) -> Result<Option<DateTime<Utc>>> {
        wait(self.now().next_due(can))
    }
    fn changed<'a, 'async_trait>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        // The wait counts from the call.
        Box::pin(self.committed.notified())
    }
    async fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>> {
        wait(self.now().events(workspace, after, at_most))
    }
    async fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> Result<u64> {
        wait(self.now().cursor(workspace, consumer))
    }
    async fn ack(&self, workspace: WorkspaceId, consumer: &str, upto: u64) -> Result<()> {
        wait(self.now().ack(workspace, consumer, upto))
    }
    async fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<AuditEntry>> {
        wait(self.now().audit(workspace, after, at_most))
    }
}
