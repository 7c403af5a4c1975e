//! Connected accounts.
use super::Workspace;
use super::paging::At;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, AcsSystemId, ConnectedAccount, ConnectedAccountId, Page, Shown};
use crate::plan::{Change, NewAccount, Outcome};
use crate::state::{Account, RowKind};
use crate::view;
use std::time::Duration;

/// Connected accounts: the logins through which access systems are reached.
#[derive(Clone, Copy, Debug)]
pub struct ConnectedAccounts<'a> {
    pub(super) ws: &'a Workspace,
}

impl ConnectedAccounts<'_> {
    /// Connects an account. The engine reads it soon after.
    ///
    /// # Errors
    /// `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn connect(self, kind: &str, settings: &serde_json::Value) -> Result<ConnectedAccount> {
        match self.ws.apply(Change::Connect(NewAccount::new(kind, settings))).await? {
            Outcome::Account(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "an account was expected")),
        }
    }
    /// An account.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: ConnectedAccountId) -> Result<ConnectedAccount> {
        self.ws.look(|v| view::connected_account(v, id)).await
    }
    /// A page of accounts, in the order in which they were connected.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<ConnectedAccount>> {
        let see = |v: &view::Viewer<'_>, row| view::connected_account(v, ConnectedAccountId::from_uuid(row));
        self.ws.page(RowKind::Account, None, At { cursor: page_cursor, limit }, |_| true, see).await
    }
    /// Waits until an account has been read in full for the first time.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait_until_synced(self, id: ConnectedAccountId, within: Duration) -> Result<ConnectedAccount> {
        super::wait::until(self.ws, within, async || {
            let synced = self.ws.look(|v| Ok(v.reader.get::<Account>(id)?.synced_at.is_some())).await?;
            Ok(if synced { Some(self.get(id).await?) } else { None })
        })
        .await
    }
    /// Changes an account's settings.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn update(self, account: ConnectedAccountId, settings: &serde_json::Value) -> Result<()> {
        self.ws.apply(Change::UpdateAccount { account, settings: Shown::new(settings.to_string()) }).await.map(drop)
    }
    /// Disconnects an account. Nothing is taken away at the vendor.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::Disconnect { account }).await.map(drop)
    }
    /// Reads an account again soon.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn rescan(self, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::Rescan { account }).await.map(drop)
    }
    /// Carries out what a scan held back because it would have ended too much.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`; `Busy`, `Store` (may be retried).
    pub async fn confirm_held(self, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::ConfirmHeld { account }).await.map(drop)
    }
    /// Sets by how much credentials' windows are wider than grants' at a system, in seconds. Never past the next stay's start.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn set_graces(self, system: AcsSystemId, arrival: u32, departure: u32) -> Result<()> {
        self.ws.apply(Change::SetGraces { system, arrival, departure }).await.map(drop)
    }
    /// Binds an entrance to another that the system shows now: the lock was replaced, the door was renamed. Grants follow.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn rebind_entrance(self, entrance: AcsEntranceId, to: AcsEntranceId) -> Result<()> {
        self.ws.apply(Change::RebindEntrance { entrance, to }).await.map(drop)
    }
}
