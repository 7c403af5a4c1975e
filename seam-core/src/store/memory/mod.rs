//! The store in memory: for tests, simulations and trying things out. Nothing is kept when it is dropped.
mod state;
#[cfg(test)]
mod tests;

use super::logic::{self, View};
use super::*;
use state::State;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// State in memory.
///
/// It keeps decoded rows in ordered maps and decides everything under one lock that is never held across an `await`: no thread, no
/// timer, nothing random. A run over it can be repeated exactly.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changes: Changes,
    committed: Notify,
}

impl MemoryStore {
    /// An empty store whose leases run by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), changes: Changes::default(), committed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.changes)
    }

    async fn read(&self, workspace: WorkspaceId, what: &ReadSet) -> Result<Facts> {
        logic::facts(&mut *self.state(), workspace, what)
    }

    async fn commit(&self, set: Changeset) -> std::result::Result<Committed, CommitError> {
        let committed = self.state().commit(set, &self.changes)?;
        self.committed.notify_waiters();
        Ok(committed)
    }

    async fn transact(
        &self,
        workspace: WorkspaceId,
        mut decision: Box<dyn Decision>,
    ) -> std::result::Result<(Committed, Box<dyn Decision>), CommitError> {
        let committed = {
            let mut state = self.state();
            match logic::decide(&mut *state, workspace, &mut *decision)? {
                Some(set) => state.commit(set, &self.changes)?,
                None => return Ok((state.committed(workspace), decision)),
            }
        };
        self.committed.notify_waiters();
        Ok((committed, decision))
    }

    async fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Result<Option<Committed>> {
        Ok(self.state().outcome(workspace, id))
    }

    async fn list(&self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>> {
        self.state().list(workspace, query)
    }

    async fn workspaces(&self) -> Result<Vec<WorkspaceId>> {
        Ok(self.state().workspaces())
    }

    async fn webhooks(&self) -> Result<Vec<Arc<Row>>> {
        Ok(self.state().webhooks())
    }

    async fn claim(&self, me: InstanceId, can: &CanServe, lease: Duration) -> Result<Option<Lease>> {
        let mut state = self.state();
        let now = state.now;
        Ok(state.agenda.claim(me, can, lease, now))
    }

    async fn due(&self, lease: &Lease, for_another: Duration, at_most: usize) -> Result<Option<Vec<Arc<Row>>>> {
        let mut state = self.state();
        let now = state.now;
        let Some(ids) = state.agenda.due(lease, for_another, at_most, now) else { return Ok(None) };
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.extend(state.row(id)?);
        }
        Ok(Some(rows))
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let released = {
            let mut state = self.state();
            let now = state.now;
            state.agenda.release(lease, now)
        };
        if released {
            self.committed.notify_waiters();
        }
        Ok(())
    }

    async fn next_due(&self, can: &CanServe) -> Result<Option<DateTime<Utc>>> {
        let state = self.state();
        Ok(state.agenda.next_due(can, state.now))
    }

    // Written out, because the wait counts from the call and not from the first poll.
    fn changed<'a, 'async_trait>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.committed.notified())
    }

    async fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>> {
        Ok(self.state().events(workspace, after, at_most))
    }

    async fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> Result<u64> {
        Ok(self.state().cursor(workspace, consumer))
    }

    async fn ack(&self, workspace: WorkspaceId, consumer: &str, upto: u64) -> Result<()> {
        self.state().ack(workspace, consumer, upto);
        Ok(())
    }

    async fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<AuditEntry>> {
        Ok(self.state().audit(workspace, after, at_most))
    }
}
