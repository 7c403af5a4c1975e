//! Entrances.
use super::super::paging::{Among, At, body, holds, paged, passing};
use super::{AcsEntrances, CredentialFilter};
use crate::error::{Error, Result};
use crate::model::{
    AccessMethodId, AcsCredential, AcsCredentialId, AcsEntrance, AcsEntranceId, AcsSystemId, ActionAttempt, ConnectedAccountId, Page,
    SpaceId,
};
use crate::plan::{Change, CredentialOwner};
use crate::state::{Entrance, Index, Key, Row, RowKind, Space};
use crate::view::{self, Viewer};

/// Which entrances are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct EntranceFilter {
    /// One of these; empty: any.
    #[builder(default, into)]
    pub acs_entrance_ids: Vec<AcsEntranceId>,
    /// Of this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// Reached through this account.
    pub connected_account_id: Option<ConnectedAccountId>,
    /// In this space.
    pub space_id: Option<SpaceId>,
    /// In a space of this customer.
    pub customer_key: Option<String>,
    /// That this credential is to open.
    pub acs_credential_id: Option<AcsCredentialId>,
    /// That this method is for.
    pub access_method_id: Option<AccessMethodId>,
    /// With this in its name, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(EntranceFilter);

impl AcsEntrances<'_> {
    /// An entrance.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsEntranceId) -> Result<AcsEntrance> {
        self.ws.look(|v| view::acs_entrance(v, id)).await
    }
    /// A page of entrances, of a system or a space if one is named.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` (the space); `Store` (may be retried).
    pub async fn list(
        self,
        system: Option<AcsSystemId>,
        space: Option<SpaceId>,
        page_cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<AcsEntrance>> {
        let cursor = page_cursor.map(str::to_owned);
        let filter = EntranceFilter { acs_system_id: system, space_id: space, page_cursor: cursor, ..EntranceFilter::default() };
        self.search(&EntranceFilter { limit: Some(limit), ..filter }).await
    }
    /// A page of entrances, in the order in which they were found.
    ///
    /// Entrances of a credential, a method or a space are looked up; those of a system or an account are found by an index; `customer_key` alone reads
    /// the spaces of the workspace, `search` alone all its entrances.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` (the space, the credential, the method); `Store` (may be retried).
    pub async fn search(self, filter: &EntranceFilter) -> Result<Page<AcsEntrance>> {
        let mut among = Among::from(filter.acs_system_id.map(|s| Key::id(Index::PlacesOf, s)));
        if !filter.acs_entrance_ids.is_empty() {
            among = among.only(filter.acs_entrance_ids.iter().copied());
        }
        if let Some(id) = filter.space_id {
            among = among.only(self.ws.look(|v| view::entrances_of_space(v, id)).await?);
        }
        if let Some(id) = filter.acs_credential_id {
            among = among.only(self.ws.look(|v| view::reach::of_credential(v, id)).await?);
        }
        if let Some(id) = filter.access_method_id {
            among = among.only(self.ws.look(|v| view::entrances_of_method(v, id)).await?);
        }
        if let Some(customer) = &filter.customer_key {
            let of = |row: &Row| body::<Space>(row).is_some_and(|s| s.customer_key.as_ref() == Some(customer));
            let spaces = Key::new(Index::OfCustomer, customer.as_str());
            let see = |v: &Viewer<'_>, row| view::entrances_of_space(v, SpaceId::from_uuid(row));
            among = among.only(self.ws.every(RowKind::Space, spaces, of, see).await?.into_iter().flatten());
        }
        if let (Among::All, Some(account)) = (&among, filter.connected_account_id) {
            // Most accounts have one system: its entrances are found by it.
            let systems = self.ws.look(|v| Ok(v.reader.find(&Key::id(Index::SystemsOf, account))?.to_vec())).await?;
            if let [one] = systems.as_slice() {
                among = Among::By(Key::id(Index::PlacesOf, *one));
            }
        }
        let keep = |row: &Row| {
            body::<Entrance>(row).is_some_and(|e| {
                filter.acs_system_id.is_none_or(|s| e.system == s) && filter.connected_account_id.is_none_or(|a| e.account == a)
            })
        };
        let see = |v: &Viewer<'_>, row| {
            let seen = view::acs_entrance(v, AcsEntranceId::from_uuid(row));
            passing(seen, |e| holds(filter.search.as_deref(), [Some(e.display_name.as_str())]))
        };
        self.ws.page(RowKind::Entrance, among, At::of(filter), keep, see).await
    }
    /// The credentials that are to open an entrance, those included that open what their user may pass. Reads all credentials of the system.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_credentials_with_access(self, id: AcsEntranceId) -> Result<Vec<AcsCredential>> {
        self.get(id).await?;
        let mut filter = CredentialFilter { acs_entrance_id: Some(id), limit: Some(1000), ..CredentialFilter::default() };
        let mut all = Vec::new();
        loop {
            let page = self.ws.acs().credentials().list(&filter).await?;
            all.extend(page.items);
            filter.page_cursor = page.pagination.next_page_cursor;
            if filter.page_cursor.is_none() {
                return Ok(all);
            }
        }
    }
    /// Lets a user, or a person, pass an entrance, by the groups of its system that open it and nothing else. A person without a user there gets one.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a user of another system; `Unsupported` where groups would also open other entrances (`would_also_open`), and where
    /// the system lets nobody pass by groups (`entrance_access_not_supported`); `Conflict` (`acs_system_disconnected`); `Busy`, `Store` (may be retried).
    pub async fn grant_access(self, id: AcsEntranceId, who: impl Into<CredentialOwner>) -> Result<()> {
        self.ws.apply(Change::GrantEntrance { who: who.into(), entrance: id }).await.map(drop)
    }
    /// Unlocks a door on behalf of the holder of a cloud key.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` (not a cloud key, or not of this door), `Conflict` (suspended, ended); `Busy`, `Store` (may be retried). What
    /// happens at the door is in the attempt.
    pub async fn unlock(self, id: AcsEntranceId, credential: AcsCredentialId) -> Result<ActionAttempt> {
        self.ws.acs().attempt(Change::UnlockWith { credential, entrance: id }).await
    }
    /// The entrance of this display name, at whatever system; the first where there are several.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn by_name(self, name: &str) -> Result<AcsEntrance> {
        let mut cursor = None;
        loop {
            let page = self.list(None, None, cursor.as_deref(), 1000).await?;
            if let Some(found) = page.items.into_iter().find(|e| e.display_name == name) {
                return Ok(found);
            }
            cursor = page.pagination.next_page_cursor;
            if cursor.is_none() {
                return Err(Error::not_found("acs_entrance", name));
            }
        }
    }
}
