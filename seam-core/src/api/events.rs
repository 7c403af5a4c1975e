//! The event stream.
use super::Workspace;
use crate::error::Result;
use crate::model::Event;
use crate::state::AuditEntry;
use crate::view;
use std::time::Duration;

/// The event stream: every change of state, once, in order, without a gap.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    pub(super) ws: &'a Workspace,
}

impl Events<'_> {
    /// Events after a place in the stream (0: from the start), with their places, at most 1,000.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, after: u64, limit: usize) -> Result<Vec<(u64, Event)>> {
        let stored = self.ws.seam.0.store.events(self.ws.id(), after, limit.clamp(1, 1000)).await?;
        self.ws.look(|v| Ok(stored.iter().map(|s| (s.seq, view::event(v, s))).collect())).await
    }
    /// Events that a named consumer has not acknowledged. At least once: what is not acknowledged comes again.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn pending(self, consumer: &str, limit: usize) -> Result<Vec<(u64, Event)>> {
        let after = self.ws.seam.0.store.cursor(self.ws.id(), consumer).await?;
        self.list(after, limit).await
    }
    /// Acknowledges everything up to a place in the stream.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn ack(self, consumer: &str, upto: u64) -> Result<()> {
        self.ws.seam.0.store.ack(self.ws.id(), consumer, upto).await
    }
    /// Waits for events after a place in the stream.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes; `Store` (may be retried).
    pub async fn wait(self, after: u64, within: Duration) -> Result<Vec<(u64, Event)>> {
        super::wait::until(self.ws, within, async || Ok(Some(self.list(after, 1000).await?).filter(|e| !e.is_empty()))).await
    }
    /// The audit chain after an entry (0: from the start), at most 1,000. [`verify_audit`](crate::store::verify_audit) checks it.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn audit(self, after: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.ws.seam.0.store.audit(self.ws.id(), after, limit.clamp(1, 1000)).await
    }
}
