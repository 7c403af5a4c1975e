//! What access systems hold.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AcsAccessGroup, AcsAccessGroupId, AcsCredential, AcsCredentialId, AcsEncoder, AcsEncoderId, AcsEntrance, AcsEntranceId, AcsSystem,
    AcsSystemId, AcsUser, AcsUserId, ActionAttempt, Page, Shown, SpaceId,
};
use crate::plan::{Change, EncodeWhat, NewCredential, NewEncode, NewUser, Outcome, UserUpdate};
use crate::state::{Body, Index, Key, RowKind};
use crate::view::{self, Viewer};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What access systems hold.
#[derive(Clone, Copy, Debug)]
pub struct Acs<'a> {
    pub(super) ws: &'a Workspace,
}

impl<'a> Acs<'a> {
    /// Access systems.
    #[must_use]
    pub fn systems(&self) -> AcsSystems<'a> {
        AcsSystems { ws: self.ws }
    }
    /// Entrances.
    #[must_use]
    pub fn entrances(&self) -> AcsEntrances<'a> {
        AcsEntrances { ws: self.ws }
    }
    /// Groups of users with the same permissions.
    #[must_use]
    pub fn access_groups(&self) -> AcsAccessGroups<'a> {
        AcsAccessGroups { ws: self.ws }
    }
    /// Users.
    #[must_use]
    pub fn users(&self) -> AcsUsers<'a> {
        AcsUsers { ws: self.ws }
    }
    /// Credentials.
    #[must_use]
    pub fn credentials(&self) -> AcsCredentials<'a> {
        AcsCredentials { ws: self.ws }
    }
    /// Who opened what.
    #[must_use]
    pub fn access_log(&self) -> super::AccessLog<'a> {
        super::AccessLog { ws: self.ws }
    }
    /// Encoders.
    #[must_use]
    pub fn encoders(&self) -> AcsEncoders<'a> {
        AcsEncoders { ws: self.ws }
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            ws: &'a Workspace,
        }
    };
}
handle! {
    /// Access systems.
    AcsSystems
}
handle! {
    /// Entrances.
    AcsEntrances
}
handle! {
    /// Groups of users with the same permissions.
    AcsAccessGroups
}
handle! {
    /// Users of access systems.
    AcsUsers
}
handle! {
    /// Credentials at access systems.
    AcsCredentials
}
handle! {
    /// Encoders.
    AcsEncoders
}

fn unexpected() -> Error {
    Error::new(ErrorKind::Internal, "unexpected_outcome", "another outcome was expected")
}

impl AcsSystems<'_> {
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
        let see = |v: &Viewer<'_>, row| view::acs_system(v, AcsSystemId::from_uuid(row));
        self.ws.page(RowKind::System, None, page_cursor, limit, |_| true, see).await
    }
}

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
        let within = match space {
            Some(id) => Some(self.ws.look(|v| Ok(v.reader.get::<crate::state::Space>(id)?.entrances.clone())).await?),
            None => None,
        };
        let keep = |row: &crate::state::Row| match &row.body {
            Body::Entrance(e) => {
                system.is_none_or(|s| e.system == s) && within.as_ref().is_none_or(|w| w.contains(&AcsEntranceId::from_uuid(row.id)))
            }
            _ => false,
        };
        let key = system.map(|s| Key::id(Index::PlacesOf, s));
        let see = |v: &Viewer<'_>, row| view::acs_entrance(v, AcsEntranceId::from_uuid(row));
        self.ws.page(RowKind::Entrance, key, page_cursor, limit, keep, see).await
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

impl AcsAccessGroups<'_> {
    /// A group.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsAccessGroupId) -> Result<AcsAccessGroup> {
        self.ws.look(|v| view::acs_access_group(v, id)).await
    }
    /// A page of groups, of a system if one is named.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, system: Option<AcsSystemId>, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsAccessGroup>> {
        let key = system.map(|s| Key::id(Index::PlacesOf, s));
        let see = |v: &Viewer<'_>, row| view::acs_access_group(v, AcsAccessGroupId::from_uuid(row));
        self.ws.page(RowKind::Group, key, page_cursor, limit, |_| true, see).await
    }
}

impl AcsUsers<'_> {
    /// A user.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsUserId) -> Result<AcsUser> {
        self.ws.look(|v| view::acs_user(v, id)).await
    }
    /// A page of users.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsUser>> {
        let see = |v: &Viewer<'_>, row| view::acs_user(v, AcsUserId::from_uuid(row));
        self.ws.page(RowKind::User, None, page_cursor, limit, |_| true, see).await
    }
    /// A page of users of a system that we did not make. They are shown and never changed.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list_unmanaged(&self, system: AcsSystemId, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsUser>> {
        let see = |v: &Viewer<'_>, row| view::unmanaged::acs_user(v, AcsUserId::from_uuid(row));
        self.ws.page(RowKind::Unmanaged, Some(Key::id(Index::UnmanagedAt, system)), page_cursor, limit, |_| true, see).await
    }
    /// Makes a user.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Conflict`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn create(self, new: NewUser) -> Result<AcsUser> {
        match self.ws.apply(Change::CreateUser(new)).await? {
            Outcome::User(id) => self.get(id).await,
            _ => Err(unexpected()),
        }
    }
    /// Changes a user's profile or schedule.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn update(self, user: AcsUserId, update: UserUpdate) -> Result<AcsUser> {
        self.ws.apply(Change::UpdateUser { user, update }).await?;
        self.get(user).await
    }
    /// Deletes a user, with her credentials at that system.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, user: AcsUserId) -> Result<()> {
        self.ws.apply(Change::DeleteUser { user }).await.map(drop)
    }
    /// Suspends a user, or takes her up again.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn suspend(self, user: AcsUserId, suspended: bool) -> Result<AcsUser> {
        self.ws.apply(Change::SuspendUser { user, suspended }).await?;
        self.get(user).await
    }
    /// Puts a user into a group.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn add_to_access_group(self, user: AcsUserId, group: AcsAccessGroupId) -> Result<()> {
        self.ws.apply(Change::SetMembership { user, group, member: true }).await.map(drop)
    }
    /// Takes a user out of a group.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn remove_from_access_group(self, user: AcsUserId, group: AcsAccessGroupId) -> Result<()> {
        self.ws.apply(Change::SetMembership { user, group, member: false }).await.map(drop)
    }
}

impl AcsCredentials<'_> {
    /// A credential.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsCredentialId) -> Result<AcsCredential> {
        self.ws.look(|v| view::acs_credential(v, id)).await
    }
    /// A page of credentials.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsCredential>> {
        let see = |v: &Viewer<'_>, row| view::acs_credential(v, AcsCredentialId::from_uuid(row));
        let keep = |row: &crate::state::Row| matches!(&row.body, Body::Target(t) if t.credential().is_some());
        self.ws.page(RowKind::Target, None, page_cursor, limit, keep, see).await
    }
    /// A page of credentials that a system holds and that are not ours. They are shown and never changed.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list_unmanaged(self, system: AcsSystemId, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsCredential>> {
        let see = |v: &Viewer<'_>, row| view::unmanaged::acs_credential(v, AcsCredentialId::from_uuid(row));
        let key = Key::id(Index::UnmanagedAt, system);
        self.ws.page(RowKind::Unmanaged, Some(key), page_cursor, limit, |_| true, see).await
    }
    /// Issues a credential directly.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Unsupported`, `Exhausted`; `Busy`, `Store` (may be retried).
    pub async fn create(self, new: NewCredential) -> Result<AcsCredential> {
        match self.ws.apply(Change::CreateCredential(Box::new(new))).await? {
            Outcome::Credential(id) => self.get(id).await,
            _ => Err(unexpected()),
        }
    }
    /// Changes a direct credential's PIN or end.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Unsupported`, `Exhausted`; `Busy`, `Store` (may be retried).
    pub async fn update(self, credential: AcsCredentialId, code: Option<&str>, ends_at: Option<DateTime<Utc>>) -> Result<AcsCredential> {
        self.ws.apply(Change::UpdateCredential { credential, code: code.map(Shown::new), ends_at }).await?;
        self.get(credential).await
    }
    /// Deletes a direct credential.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it belongs to an access method; `Busy`, `Store` (may be retried).
    pub async fn delete(self, credential: AcsCredentialId) -> Result<()> {
        self.ws.apply(Change::DeleteCredential { credential }).await.map(drop)
    }
}

impl AcsEncoders<'_> {
    /// An encoder.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsEncoderId) -> Result<AcsEncoder> {
        self.ws.look(|v| view::acs_encoder(v, id)).await
    }
    /// A page of encoders, of a system if one is named.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, system: Option<AcsSystemId>, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsEncoder>> {
        let key = system.map(|s| Key::id(Index::PlacesOf, s));
        let see = |v: &Viewer<'_>, row| view::acs_encoder(v, AcsEncoderId::from_uuid(row));
        self.ws.page(RowKind::Encoder, key, page_cursor, limit, |_| true, see).await
    }
    /// The encoder of this display name, at whatever system; the first where there are several.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn by_name(self, name: &str) -> Result<AcsEncoder> {
        let mut cursor = None;
        loop {
            let page = self.list(None, cursor.as_deref(), 1000).await?;
            if let Some(found) = page.items.into_iter().find(|e| e.display_name == name) {
                return Ok(found);
            }
            cursor = page.pagination.next_page_cursor;
            if cursor.is_none() {
                return Err(Error::not_found("acs_encoder", name));
            }
        }
    }
    /// Asks for a credential to be written; a card is waited for `card_wait` (1 to 600 s).
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn encode_credential(self, encoder: AcsEncoderId, credential: AcsCredentialId, card_wait: Duration) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        let new = NewEncode { what: EncodeWhat::Credential(credential), encoder, wait_seconds, would_end: false };
        self.attempt(Change::Encode(new)).await
    }
    /// Asks for a card to be read; it is waited for `card_wait` (1 to 600 s). Presenting the card that a question is about answers it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn scan_credential(self, encoder: AcsEncoderId, card_wait: Duration) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        self.attempt(Change::Scan { encoder, wait_seconds }).await
    }
    async fn attempt(self, change: Change) -> Result<ActionAttempt> {
        match self.ws.apply(change).await? {
            Outcome::Attempt(id) => self.ws.action_attempts().get(id).await,
            _ => Err(unexpected()),
        }
    }
}
