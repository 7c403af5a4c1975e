//! People.
use super::paging::{Among, At, body, holds, paged, passing};
use super::unmanaged::{UnmanagedFilter, not_taken_over};
use super::{Workspace, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntrance, AcsSystem, AcsSystemId, AcsUser, AcsUserId, Page, UnmanagedUserIdentity, UserIdentity, UserIdentityId};
use crate::plan::{Change, NewUser, Outcome, Person, PersonUpdate};
use crate::state::{self, Identity, Index, Key, Row, RowKind};
use crate::view::{self, Viewer};
use chrono::{DateTime, Utc};

/// People.
#[derive(Clone, Copy, Debug)]
pub struct UserIdentities<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which people are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct IdentityFilter {
    /// One of these; empty: any.
    #[builder(default, into)]
    pub user_identity_ids: Vec<UserIdentityId>,
    /// With this in name, e-mail address, phone number or key, whatever the case.
    pub search: Option<String>,
    /// With a user at this system, from which their mobile keys come.
    pub credential_manager_acs_system_id: Option<AcsSystemId>,
    /// Made before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(IdentityFilter);

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
    /// A page of people whom systems know and we did not make.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` for the entrance; `Store` (may be retried).
    pub async fn search_unmanaged(self, filter: &UnmanagedFilter) -> Result<Page<UnmanagedUserIdentity>> {
        self.ws.found(filter, |v, row| view::unmanaged::user_identity(v, UserIdentityId::from_uuid(row))).await
    }
    /// Who was found is never taken over.
    ///
    /// # Errors
    /// `Unsupported` (`unmanaged_not_convertible`), always; `NotFound` for whom is not there; `Store` (may be retried).
    pub async fn manage(self, id: UserIdentityId) -> Result<()> {
        self.get_unmanaged(id).await?;
        not_taken_over()
    }
    /// A page of people, in the order in which they were made. Those whose ids are given are looked up; otherwise all people of the workspace are read.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, filter: &IdentityFilter) -> Result<Page<UserIdentity>> {
        let (among, keep) = self.among(filter).await?;
        let see = |v: &Viewer<'_>, row| {
            passing(view::user_identity(v, UserIdentityId::from_uuid(row)), |p| {
                let texts = [&p.full_name, &p.email_address, &p.phone_number, &p.user_identity_key].map(|text| text.as_deref());
                holds(filter.search.as_deref(), texts)
            })
        };
        self.ws.page(RowKind::Identity, among, At::of(filter), keep, see).await
    }
    /// The same page as JSON, for a server that passes it on: what has not changed since it was asked for last is not made anew.
    ///
    /// # Errors
    /// As [`UserIdentities::list`].
    pub async fn list_written(self, filter: &IdentityFilter) -> Result<Page<Written>> {
        if filter.search.is_some() {
            return Written::page(self.list(filter).await?);
        }
        let (among, keep) = self.among(filter).await?;
        let see = |v: &Viewer<'_>, row| view::user_identity(v, UserIdentityId::from_uuid(row));
        self.ws.written(RowKind::Identity, among, At::of(filter), keep, see).await
    }
    /// Among which people a filter looks, and which of their rows it lets through.
    async fn among(self, filter: &IdentityFilter) -> Result<(Among, impl Fn(&Row) -> bool)> {
        let mut among = Among::All;
        if !filter.user_identity_ids.is_empty() {
            among = among.only(filter.user_identity_ids.iter().copied());
        }
        if let Some(system) = filter.credential_manager_acs_system_id {
            let there = |row: &Row| body::<state::AcsUser>(row).is_some_and(|u| u.system == system && u.deleted_at.is_none());
            let whose = |v: &Viewer<'_>, row| Ok(v.reader.get::<state::AcsUser>(row)?.identity);
            among = among.only(self.ws.every(RowKind::User, None, there, whose).await?.into_iter().flatten());
        }
        let keep = move |row: &Row| {
            // One that was merged leads to the one that stays: she is listed once, under her own id.
            body::<Identity>(row).is_some_and(|p| p.merged_into.is_none() && filter.created_before.is_none_or(|at| p.created_at < at))
        };
        Ok((among, keep))
    }
    /// Makes a person who is a user of these systems: the user there who has her e-mail address or phone number and is nobody's, else a new one.
    ///
    /// # Errors
    /// As [`UserIdentities::create`], and `NotFound` for a system: nothing was made. What a system cannot have (`Unsupported`, `Conflict`) is told after
    /// the person was made.
    pub async fn create_at(self, person: Person, systems: &[AcsSystemId]) -> Result<UserIdentity> {
        for system in systems {
            self.ws.acs().systems().get(*system).await?;
        }
        let id = self.create(person).await?.user_identity_id;
        for system in systems {
            self.ws.acs().users().create(NewUser::builder().system(*system).identity(id).build()).await?;
        }
        self.get(id).await
    }
    /// As [`UserIdentities::add_acs_user`], of the person with the caller's key. Nobody has it: a person is made of what the system knows of the user.
    ///
    /// # Errors
    /// As [`UserIdentities::add_acs_user`] and [`UserIdentities::create`].
    pub async fn add_acs_user_by_key(self, key: &str, user: AcsUserId) -> Result<AcsUser> {
        let identity = match self.get_by_key(key).await {
            Ok(known) => known,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let user = self.ws.acs().users().get(user).await?;
                let AcsUser { full_name, email_address, phone_number, .. } = user;
                self.create(Person { key: Some(key.to_owned()), full_name, email_address, phone_number }).await?
            }
            Err(e) => return Err(e),
        };
        self.add_acs_user(identity.user_identity_id, user).await
    }
    /// Makes a user of an access system that is nobody's this person's. Name and contacts are the person's from then on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`: the user is another person's (`acs_user_of_another`), the person has a user there already (`acs_user_exists`); `Busy`,
    /// `Store` (may be retried).
    pub async fn add_acs_user(self, identity: UserIdentityId, user: AcsUserId) -> Result<AcsUser> {
        self.ws.apply(Change::LinkUser { user, identity }).await?;
        self.ws.acs().users().get(user).await
    }
    /// A user is no longer this person's. She keeps the name and contacts that the system knows her by.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`: the user is not this person's (`acs_user_of_another`), grants of the person work through her (`acs_user_has_grants`);
    /// `Busy`, `Store` (may be retried).
    pub async fn remove_acs_user(self, identity: UserIdentityId, user: AcsUserId) -> Result<AcsUser> {
        self.ws.apply(Change::UnlinkUser { user, identity }).await?;
        self.ws.acs().users().get(user).await
    }
    /// The users that a person is, one per access system at most.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_acs_users(self, identity: UserIdentityId) -> Result<Vec<AcsUser>> {
        let users = self.ws.look(|v| view::reach::users_of(v, view::staying_id(v, identity)?)).await?;
        self.ws.these(RowKind::User, users, |v, row| view::acs_user(v, AcsUserId::from_uuid(row))).await
    }
    /// The access systems at which a person is a user.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_acs_systems(self, identity: UserIdentityId) -> Result<Vec<AcsSystem>> {
        let systems = self.list_acs_users(identity).await?.into_iter().map(|user| user.acs_system_id);
        self.ws.these(RowKind::System, systems, |v, row| view::acs_system(v, AcsSystemId::from_uuid(row))).await
    }
    /// The entrances that a person is to open, by her grants, her groups and what was issued to her directly. Whether a door lets her in at an instant
    /// is told by [`Workspace::explain`].
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_accessible_entrances(self, identity: UserIdentityId) -> Result<Vec<AcsEntrance>> {
        self.ws.acs().reached(|v| view::reach::of_person(v, identity)).await
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
        self.ws.apply(Change::EraseIdentity { identity }).await?;
        self.ws.forget_written();
        Ok(())
    }
    /// As [`UserIdentities::merge`], by the caller's keys, those included of persons who were merged before.
    ///
    /// # Errors
    /// As [`UserIdentities::merge`].
    pub async fn merge_by_keys(self, key: &str, merged: &[impl AsRef<str>]) -> Result<UserIdentity> {
        if merged.is_empty() || merged.len() > 20 {
            return Err(Error::invalid("merged_user_identity_keys", "name 1 to 20 persons"));
        }
        let id = self.get_by_key(key).await?.user_identity_id;
        let mut others = Vec::new();
        for row in self.ws.by_keys(Index::IdentityKey, "user_identity", merged).await? {
            let other = UserIdentityId::from_uuid(row);
            // A key that leads to her already: merged before.
            if other != id || merged.iter().any(|named| named.as_ref() == key) {
                others.push(other);
            }
        }
        if others.is_empty() { self.get(id).await } else { self.merge(id, others).await }
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
