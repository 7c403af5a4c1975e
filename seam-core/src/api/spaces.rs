//! Spaces.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, Page, Space, SpaceId};
use crate::plan::{Change, NewSpace, Outcome, SpaceUpdate};
use crate::state::{Index, Key, RowKind};
use crate::view;

/// Spaces: entrances that belong together. Grants on a space follow it.
#[derive(Clone, Copy, Debug)]
pub struct Spaces<'a> {
    pub(super) ws: &'a Workspace,
}

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
    /// A page of spaces, in the order in which they were made.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<Space>> {
        self.ws.page(RowKind::Space, None, page_cursor, limit, |_| true, |v, row| view::space(v, SpaceId::from_uuid(row))).await
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
    /// Deletes a space. Grants keep their other doors; a grant without any is deleted.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, space: SpaceId) -> Result<()> {
        self.ws.apply(Change::DeleteSpace { space }).await.map(drop)
    }
}
