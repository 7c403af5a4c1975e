//! Spaces.
use super::paging::{At, body, holds, paged};
use super::{Related, Select, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, ConnectedAccountId, Page, Space, SpaceId};
use crate::plan::{Change, NewSpace, Outcome, SpaceUpdate};
use crate::state::{self, Index, Key, Row, RowKind};
use crate::view;
use std::collections::BTreeSet;

/// Spaces: entrances that belong together. Grants on a space follow it.
#[derive(Clone, Copy, Debug)]
pub struct Spaces<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which spaces are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct SpaceFilter {
    /// Of this customer.
    pub customer_key: Option<String>,
    /// With this key.
    pub space_key: Option<String>,
    /// Within the space with this id.
    pub parent_space_id: Option<SpaceId>,
    /// Within the space with this key.
    pub parent_space_key: Option<String>,
    /// With this account, or with an entrance that is reached through it.
    pub connected_account_id: Option<ConnectedAccountId>,
    /// With this in its name or key, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(SpaceFilter);

impl Spaces<'_> {
    /// Makes a space.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound` (an entrance), `Conflict` (the key is taken); `Busy`, `Store` (may be retried).
    pub async fn create(self, new: NewSpace) -> Result<Space> {
        match self.ws.apply(Change::CreateSpace(new)).await? {
            Outcome::Space(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a space was expected")),
        }
    }
    /// A space.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: SpaceId) -> Result<Space> {
        self.ws.look(|v| view::space(v, id)).await
    }
    /// A space by the caller's key.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_by_key(self, key: &str) -> Result<Space> {
        self.ws
            .look(|v| match v.reader.find(&Key::new(Index::SpaceKey, key))?.first() {
                Some(row) => view::space(v, SpaceId::from_uuid(*row)),
                None => Err(Error::not_found("space", key).into()),
            })
            .await
    }
    /// A page of spaces, in the order in which they were made. One with a key is found by it, one within another or of a customer by these; otherwise all spaces of the workspace are read.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, filter: &SpaceFilter) -> Result<Page<Space>> {
        let mut parent = filter.parent_space_id;
        if let Some(key) = &filter.parent_space_key {
            let found = self.ws.look(|v| Ok(v.reader.find(&Key::new(Index::SpaceKey, key.as_str()))?.first().copied())).await?;
            match (found.map(SpaceId::from_uuid), parent) {
                (Some(found), None) => parent = Some(found),
                (Some(found), Some(asked)) if found == asked => {}
                _ => return Ok(Page::new(Vec::new(), None)),
            }
        }
        let key = match (&filter.space_key, parent, &filter.customer_key) {
            (Some(key), ..) => Some(Key::new(Index::SpaceKey, key.as_str())),
            (None, Some(parent), _) => Some(Key::id(Index::SpacesIn, parent)),
            (None, None, Some(customer)) => Some(Key::new(Index::OfCustomer, customer.as_str())),
            (None, None, None) => None,
        };
        let doors: Option<BTreeSet<AcsEntranceId>> = match filter.connected_account_id {
            None => None,
            Some(account) => {
                let systems = self.ws.look(|v| Ok(v.reader.find(&Key::id(Index::SystemsOf, account))?.to_vec())).await?;
                let mut doors = BTreeSet::new();
                for system in systems {
                    let places = self.ws.look(|v| Ok(v.reader.find(&Key::id(Index::PlacesOf, system))?.to_vec())).await?;
                    doors.extend(places.into_iter().map(AcsEntranceId::from_uuid));
                }
                Some(doors)
            }
        };
        let keep = |row: &Row| {
            body::<state::Space>(row).is_some_and(|s| {
                filter.customer_key.as_ref().is_none_or(|c| s.customer_key.as_ref() == Some(c))
                    && filter.space_key.as_ref().is_none_or(|k| s.key.as_ref() == Some(k))
                    && parent.is_none_or(|parent| s.parent == Some(parent))
                    && filter.connected_account_id.is_none_or(|account| {
                        s.accounts.contains(&account) || doors.as_ref().is_some_and(|doors| s.entrances.iter().any(|e| doors.contains(e)))
                    })
                    && holds(filter.search.as_deref(), [Some(s.name.as_str()), s.key.as_deref()])
            })
        };
        let at = At::of(filter);
        self.ws.page(RowKind::Space, key, at, keep, |v, row| view::space(v, SpaceId::from_uuid(row))).await
    }
    /// Spaces with what belongs to them: entrances, systems, accounts, and the methods of the live grants on them.
    ///
    /// # Errors
    /// `NotFound` for any of them; `Store` (may be retried).
    pub async fn get_related(self, ids: &[SpaceId], select: &Select) -> Result<Related> {
        self.ws.related_to_spaces(ids.iter().copied().collect(), select).await
    }
    /// As [`Spaces::get_related`], by the caller's keys.
    ///
    /// # Errors
    /// As [`Spaces::get_related`].
    pub async fn get_related_by_keys(self, keys: &[impl AsRef<str>], select: &Select) -> Result<Related> {
        self.get_related(&self.ids_of(keys).await?, select).await
    }
    /// The ids of the spaces with these keys of the caller's, in the same order.
    ///
    /// # Errors
    /// `NotFound` for any of them; `Store` (may be retried).
    pub async fn ids_of(self, keys: &[impl AsRef<str>]) -> Result<Vec<SpaceId>> {
        let found = self.ws.by_keys(Index::SpaceKey, "space", keys).await?;
        Ok(found.into_iter().map(SpaceId::from_uuid).collect())
    }
    /// As [`Spaces::update`], of the space with the caller's key: `change` says what.
    ///
    /// # Errors
    /// As [`Spaces::update`].
    pub async fn update_by_key(self, key: &str, change: impl FnOnce(SpaceUpdate) -> SpaceUpdate) -> Result<Space> {
        let id = self.get_by_key(key).await?.space_id;
        self.update(change(SpaceUpdate::new(id))).await
    }
    /// Changes a space. Lists replace the sets; grants follow.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn update(self, update: SpaceUpdate) -> Result<Space> {
        let id = update.space;
        self.ws.apply(Change::UpdateSpace(update)).await?;
        self.get(id).await
    }
    /// Adds entrances. Grants follow.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn add_acs_entrances(self, space: SpaceId, add: Vec<AcsEntranceId>) -> Result<()> {
        self.ws.apply(Change::ChangeSpaceEntrances { space, add, remove: Vec::new() }).await.map(drop)
    }
    /// Removes entrances. Grants follow.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn remove_acs_entrances(self, space: SpaceId, remove: Vec<AcsEntranceId>) -> Result<()> {
        self.ws.apply(Change::ChangeSpaceEntrances { space, add: Vec::new(), remove }).await.map(drop)
    }
    /// Adds an account as a whole. Grants do not follow it; in it already is fine.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn add_connected_account(self, space: SpaceId, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::SetSpaceAccount { space, account, within: true }).await.map(drop)
    }
    /// Removes an account; not in it is fine.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn remove_connected_account(self, space: SpaceId, account: ConnectedAccountId) -> Result<()> {
        self.ws.apply(Change::SetSpaceAccount { space, account, within: false }).await.map(drop)
    }
    /// Deletes a space. Grants keep their other doors; a grant without any is deleted.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, space: SpaceId) -> Result<()> {
        self.ws.apply(Change::DeleteSpace { space }).await.map(drop)
    }
}
