//! People.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Page, UnmanagedUserIdentity, UserIdentity, UserIdentityId};
use crate::plan::{Change, Outcome, Person, PersonUpdate};
use crate::state::{Index, Key, RowKind};
use crate::view;

/// People.
#[derive(Clone, Copy, Debug)]
pub struct UserIdentities<'a> {
    pub(super) ws: &'a Workspace,
}

impl UserIdentities<'_> {
    /// Makes a person.
    ///
    /// # Errors
    /// `InvalidInput`, `Conflict` (key, e-mail or phone are another person's); `Busy`, `Store` (may be retried).
    pub async fn create(self, person: Person) -> Result<UserIdentity> {
        match self.ws.apply(Change::CreateIdentity(person)).await? {
            Outcome::Identity(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a person was expected")),
        }
    }
    /// A person.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: UserIdentityId) -> Result<UserIdentity> {
        self.ws.look(|v| view::user_identity(v, id)).await
    }
    /// A person by the caller's key.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_by_key(self, key: &str) -> Result<UserIdentity> {
        self.ws
            .look(|v| match v.reader.find(&Key::new(Index::IdentityKey, key))?.first() {
                Some(row) => view::user_identity(v, UserIdentityId::from_uuid(*row)),
                None => Err(Error::not_found("user_identity", key).into()),
            })
            .await
    }
    /// A person whom a system knows and we did not make.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_unmanaged(&self, id: UserIdentityId) -> Result<UnmanagedUserIdentity> {
        self.ws.look(|v| view::unmanaged::user_identity(v, id)).await
    }
    /// A page of people, in the order in which they were made.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<UserIdentity>> {
        let see = |v: &view::Viewer<'_>, row| view::user_identity(v, UserIdentityId::from_uuid(row));
        self.ws.page(RowKind::Identity, None, page_cursor, limit, |_| true, see).await
    }
    /// Changes a person.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Conflict`; `Busy`, `Store` (may be retried).
    pub async fn update(self, identity: UserIdentityId, update: PersonUpdate) -> Result<UserIdentity> {
        self.ws.apply(Change::UpdateIdentity { identity, update }).await?;
        self.get(identity).await
    }
    /// Deletes a person, with all her grants and users.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, identity: UserIdentityId) -> Result<()> {
        self.ws.apply(Change::DeleteIdentity { identity }).await.map(drop)
    }
    /// Deletes a person and makes unreadable what is kept of her. The audit chain still verifies.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn erase(self, identity: UserIdentityId) -> Result<()> {
        self.ws.apply(Change::EraseIdentity { identity }).await.map(drop)
    }
    /// Makes several persons one: `merged` go up in `identity`.
    ///
    /// # Errors
    /// `InvalidInput` (1 to 20 at a time), `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn merge(self, identity: UserIdentityId, merged: Vec<UserIdentityId>) -> Result<UserIdentity> {
        self.ws.apply(Change::MergeIdentities { identity, merged }).await?;
        self.get(identity).await
    }
}
