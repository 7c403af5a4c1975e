//! What persons asked for at devices.
use super::Workspace;
use super::paging::{Among, At};
use crate::error::Result;
use crate::model::{ActionAttempt, ActionAttemptId, ActionStatus, Page};
use crate::plan::Change;
use crate::state::RowKind;
use crate::view::{self, Viewer};
use std::time::Duration;

/// What persons asked for at devices: encode, scan, assign, unlock.
#[derive(Clone, Copy, Debug)]
pub struct ActionAttempts<'a> {
    pub(super) ws: &'a Workspace,
}

impl ActionAttempts<'_> {
    /// An attempt.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: ActionAttemptId) -> Result<ActionAttempt> {
        self.ws.look(|v| view::action_attempt(v, id)).await
    }
    /// Attempts by their ids, in the order in which they were asked for. Unknown ones are left out.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, ids: &[ActionAttemptId]) -> Result<Vec<ActionAttempt>> {
        let see = |v: &Viewer<'_>, row| view::action_attempt(v, ActionAttemptId::from_uuid(row));
        self.ws.these(RowKind::Attempt, ids.iter().copied(), see).await
    }
    /// A page of attempts by their ids, in the order in which they were asked for; without ids of all. Unknown ones are left out.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn page(self, ids: &[ActionAttemptId], page_cursor: Option<&str>, limit: usize) -> Result<Page<ActionAttempt>> {
        let among = if ids.is_empty() { Among::All } else { Among::All.only(ids.iter().copied()) };
        let see = |v: &Viewer<'_>, row| view::action_attempt(v, ActionAttemptId::from_uuid(row));
        let at = At::plain(page_cursor, limit, &format!("action_attempts {ids:?}"));
        self.ws.page(RowKind::Attempt, among, at, |_| true, see).await
    }
    /// Stops an attempt: one that nobody has begun ends at once; one that is under way is asked to end.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn cancel(self, id: ActionAttemptId) -> Result<ActionAttempt> {
        self.ws.apply(Change::CancelAttempt { attempt: id }).await?;
        self.get(id).await
    }
    /// Waits until an attempt has ended, with or without success.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the attempt goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait(self, id: ActionAttemptId, within: Duration) -> Result<ActionAttempt> {
        super::wait::until(self.ws, within, async || Ok(Some(self.get(id).await?).filter(|a| a.status != ActionStatus::Pending))).await
    }
}
