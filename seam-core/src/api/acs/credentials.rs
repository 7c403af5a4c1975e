//! Credentials.
use super::super::UnmanagedFilter;
use super::super::paging::{Among, At, body, holds, paged, passing};
use super::{AcsCredentials, unexpected};
use crate::error::{Error, Result};
use crate::model::{
    AccessMethodId, AcsCredential, AcsCredentialId, AcsEntrance, AcsEntranceId, AcsSystemId, AcsUserId, Page, Shown, UserIdentityId,
};
use crate::plan::{Change, CredentialOwner, NewCredential, Outcome};
use crate::state::{Index, Key, Method, Row, RowKind, Target};
use crate::view::{self, Viewer};
use chrono::{DateTime, Utc};

/// Which credentials are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct CredentialFilter {
    /// Of this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// Of this user.
    pub acs_user_id: Option<AcsUserId>,
    /// Of this person, by her grants or issued to her directly.
    pub user_identity_id: Option<UserIdentityId>,
    /// That are to open this entrance.
    pub acs_entrance_id: Option<AcsEntranceId>,
    /// That make this method.
    pub access_method_id: Option<AccessMethodId>,
    /// With this in its name or card number, whatever the case.
    pub search: Option<String>,
    /// Made before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// A template that each phone of its person gets a copy of, or not one.
    pub is_multi_phone_sync_credential: Option<bool>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(CredentialFilter);

impl AcsCredentials<'_> {
    /// A page of credentials that systems hold and we did not make.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` for the entrance; `Store` (may be retried).
    pub async fn search_unmanaged(self, filter: &UnmanagedFilter) -> Result<Page<AcsCredential>> {
        self.ws.found(filter, |v, row| view::unmanaged::acs_credential(v, AcsCredentialId::from_uuid(row))).await
    }
    /// A credential.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsCredentialId) -> Result<AcsCredential> {
        self.ws.look(|v| view::acs_credential(v, id)).await
    }
    /// A page of credentials, in the order in which they were made. Those of a user, a person or a method are looked up, those of a system or an
    /// entrance found by an index of the system; otherwise all credentials of the workspace are read.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` (the person, the method, the entrance); `Store` (may be retried).
    pub async fn list(self, filter: &CredentialFilter) -> Result<Page<AcsCredential>> {
        let mut system = filter.acs_system_id;
        let door = filter.acs_entrance_id;
        if let Some(door) = door {
            system = system.or(Some(self.ws.acs().entrances().get(door).await?.acs_system_id));
        }
        let mut among = Among::from(match (filter.acs_user_id, system) {
            (Some(user), _) => Some(Key::id(Index::TargetsOfUser, user)),
            (None, system) => system.map(|s| Key::id(Index::TargetsAt, s)),
        });
        if let Some(person) = filter.user_identity_id {
            among = among.only(self.ws.look(|v| view::reach::credentials_of_person(v, person)).await?);
        }
        if let Some(method) = filter.access_method_id {
            self.ws.access_methods().get(method).await?;
            among = among.only(self.ws.look(|v| Ok(v.reader.get::<Method>(method)?.targets.clone())).await?);
        }
        let keep = |row: &Row| {
            let Some(t) = body::<Target>(row) else { return false };
            t.credential().is_some_and(|c| {
                filter.acs_system_id.is_none_or(|s| t.system == s)
                    && filter.acs_user_id.is_none_or(|u| c.user == Some(u))
                    && filter.access_method_id.is_none_or(|m| view::reach::method_of(t) == Some(m))
                    && filter.created_before.is_none_or(|at| t.created_at < at)
                    && door.is_none_or(|d| c.user.is_some() || c.doors.contains(&d))
            })
        };
        let see = |v: &Viewer<'_>, row| {
            let id = AcsCredentialId::from_uuid(row);
            if let Some(door) = door
                && !view::reach::of_credential(v, id)?.contains(&door)
            {
                return Err(Error::not_found("acs_credential", id).into());
            }
            passing(view::acs_credential(v, id), |c| {
                let template = c.is_multi_phone_sync_credential.unwrap_or(false);
                filter.is_multi_phone_sync_credential.is_none_or(|wanted| wanted == template)
                    && holds(filter.search.as_deref(), [Some(c.display_name.as_str()), c.card_number.as_deref()])
            })
        };
        self.ws.page(RowKind::Target, among, At::of(filter), keep, see).await
    }
    /// The entrances that a credential is to open: its own, or those that its user may pass. A credential that is suspended, unassigned or being
    /// deleted opens none; what it may still open meanwhile is its `residual_access`.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_accessible_entrances(self, id: AcsCredentialId) -> Result<Vec<AcsEntrance>> {
        self.ws.acs().reached(|v| view::reach::of_credential(v, id)).await
    }
    /// A page of credentials that a system holds and that are not ours. They are shown and never changed.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list_unmanaged(self, system: AcsSystemId, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsCredential>> {
        let see = |v: &Viewer<'_>, row| view::unmanaged::acs_credential(v, AcsCredentialId::from_uuid(row));
        let key = Key::id(Index::UnmanagedAt, system);
        self.ws.page(RowKind::Unmanaged, key, At::plain(page_cursor, limit, &format!("unmanaged of {system}")), |_| true, see).await
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
    /// Gives a direct credential that is nobody's to a user of its system, or to a person.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` (a user of another system), `Conflict` (`credential_assigned`: unassign it first; `credential_of_access_method`);
    /// `Busy`, `Store` (may be retried).
    pub async fn assign(self, credential: AcsCredentialId, to: impl Into<CredentialOwner>) -> Result<AcsCredential> {
        self.ws.apply(Change::AssignCredential { credential, to: to.into() }).await?;
        self.get(credential).await
    }
    /// Takes a direct credential from whoever has it. It is kept, with its PIN, and opens nothing until it is assigned again.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`credential_of_another`, when it is not whose it is said to be; `credential_of_access_method`); `Busy`, `Store` (may
    /// be retried).
    pub async fn unassign(self, credential: AcsCredentialId, from: Option<CredentialOwner>) -> Result<AcsCredential> {
        self.ws.apply(Change::UnassignCredential { credential, from }).await?;
        self.get(credential).await
    }
    /// Suspends a direct credential: it is kept and opens nothing.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`credential_of_access_method`: a credential of a grant is suspended with its grant); `Busy`, `Store` (may be retried).
    pub async fn suspend(self, credential: AcsCredentialId) -> Result<AcsCredential> {
        self.ws.apply(Change::SuspendCredential { credential, suspended: true }).await?;
        self.get(credential).await
    }
    /// Takes a suspended credential up again. A card that the system could only cancel asks to be written again.
    ///
    /// # Errors
    /// As [`AcsCredentials::suspend`].
    pub async fn unsuspend(self, credential: AcsCredentialId) -> Result<AcsCredential> {
        self.ws.apply(Change::SuspendCredential { credential, suspended: false }).await?;
        self.get(credential).await
    }
    /// A credential that a system holds and that is not ours.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_unmanaged(self, id: AcsCredentialId) -> Result<AcsCredential> {
        self.ws.look(|v| view::unmanaged::acs_credential(v, id)).await
    }
}
