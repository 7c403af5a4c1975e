//! Access systems.
use super::super::paging::{At, body, holds, paged, passing};
use super::AcsSystems;
use crate::error::Result;
use crate::model::{AcsSystem, AcsSystemId, ConnectedAccountId, Page};
use crate::state::{Index, Key, Row, RowKind, System};
use crate::view::{self, Viewer};

/// Which systems are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct SystemFilter {
    /// Of this account.
    pub connected_account_id: Option<ConnectedAccountId>,
    /// Of an account of this customer.
    pub customer_key: Option<String>,
    /// With this in its name or kind, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(SystemFilter);

impl AcsSystems<'_> {
    /// The systems that issue mobile keys in the place of this one. Here every system issues its own, so there are none.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_compatible_credential_managers(self, id: AcsSystemId) -> Result<Vec<AcsSystem>> {
        self.get(id).await.map(|_| Vec::new())
    }
    /// A system.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsSystemId) -> Result<AcsSystem> {
        self.ws.look(|v| view::acs_system(v, id)).await
    }
    /// A page of systems.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsSystem>> {
        let cursor = page_cursor.map(str::to_owned);
        self.search(&SystemFilter { page_cursor: cursor, limit: Some(limit), ..SystemFilter::default() }).await
    }
    /// A page of systems, in the order in which they were found.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn search(self, filter: &SystemFilter) -> Result<Page<AcsSystem>> {
        let account = filter.connected_account_id;
        let key = account.map(|a| Key::id(Index::SystemsOf, a));
        let customers = match &filter.customer_key {
            Some(customer) => {
                let of = Key::new(Index::OfCustomer, customer.as_str());
                Some(self.ws.every(RowKind::Account, of, |_| true, |_, row| Ok(ConnectedAccountId::from_uuid(row))).await?)
            }
            None => None,
        };
        let keep = |row: &Row| {
            body::<System>(row)
                .is_some_and(|s| account.is_none_or(|a| s.account == a) && customers.as_ref().is_none_or(|of| of.contains(&s.account)))
        };
        let see = |v: &Viewer<'_>, row| {
            let seen = view::acs_system(v, AcsSystemId::from_uuid(row));
            passing(seen, |s| holds(filter.search.as_deref(), [Some(s.name.as_str()), s.external_type_display_name.as_deref()]))
        };
        self.ws.page(RowKind::System, key, At::of(filter), keep, see).await
    }
}
