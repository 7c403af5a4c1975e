//! Connected accounts.
use super::Workspace;
use super::connect_webviews::has_all;
use super::paging::{Among, At, body, holds, paged, passing};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, AcsSystemId, ConnectedAccount, ConnectedAccountId, Map, Page, Shown, SpaceId};
use crate::plan::{AccountUpdate, Change, NewAccount, Outcome};
use crate::state::{Account, Index, Key, Row, RowKind};
use crate::view::{self, Readiness};
use std::time::Duration;

/// Connected accounts: the logins through which access systems are reached.
#[derive(Clone, Copy, Debug)]
pub struct ConnectedAccounts<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which accounts are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct AccountFilter {
    /// Of this customer.
    pub customer_key: Option<String>,
    /// In this space, or with an entrance in it.
    pub space_id: Option<SpaceId>,
    /// With all of these pairs in its custom metadata.
    #[builder(default)]
    pub custom_metadata_has: Map,
    /// With this in its id, type, name, custom metadata or customer's key, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(AccountFilter);

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
        self.ws.page(RowKind::Account, None, At::plain(page_cursor, limit, "connected_accounts"), |_| true, see).await
    }
    /// A page of accounts that a filter lets through, in the order in which they were connected.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` for the space; `Store` (may be retried).
    pub async fn search(self, filter: &AccountFilter) -> Result<Page<ConnectedAccount>> {
        let mut among = Among::from(filter.customer_key.as_ref().map(|c| Key::new(Index::OfCustomer, c.as_str())));
        if let Some(space) = filter.space_id {
            among = among.only(self.ws.look(|v| view::accounts_of_space(v, space)).await?);
        }
        let keep = |row: &Row| body::<Account>(row).is_some_and(|a| filter.customer_key.is_none() || a.customer == filter.customer_key);
        let see = |v: &view::Viewer<'_>, row| {
            passing(view::connected_account(v, ConnectedAccountId::from_uuid(row)), |a| {
                let id = a.connected_account_id.to_string();
                let texts = a.custom_metadata.iter().flat_map(|(key, value)| [Some(key.as_str()), value.as_str()]);
                let own = [Some(id.as_str()), a.account_type.as_deref(), a.customer_key.as_deref(), Some(a.display_name.as_str())];
                has_all(&a.custom_metadata, &filter.custom_metadata_has) && holds(filter.search.as_deref(), texts.chain(own))
            })
        };
        self.ws.page(RowKind::Account, among, At::of(filter), keep, see).await
    }
    /// What stands between an account and its first grant: looked at by the engine when it first reads the account, and again after its settings have
    /// changed or somebody has asked for a [`rescan`](Self::rescan).
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn readiness(self, id: ConnectedAccountId) -> Result<Readiness> {
        self.ws.look(|v| view::readiness(v, id)).await
    }
    /// Changes what the caller keeps with an account: its name, its customer, its custom metadata.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Conflict` (`connected_account_of_another_customer`); `Busy`, `Store` (may be retried).
    pub async fn change(self, update: AccountUpdate) -> Result<ConnectedAccount> {
        let id = update.account;
        self.ws.apply(Change::ChangeAccount(update)).await?;
        self.get(id).await
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
    /// A webhook of an access system has come, or somebody else has said that something changed there: the account is read again soon, at most once in half a
    /// minute. What the message says is not looked at, so that nobody has to be believed: the truth is read from the system, and a forged notice costs a reading.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn notice(self, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::Notice { account }).await.map(drop)
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
