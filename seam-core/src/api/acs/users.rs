//! Users of access systems.
use super::super::paging::{At, body, holds, paged, passing};
use super::super::{UnmanagedFilter, Written};
use super::{AcsUsers, unexpected};
use crate::error::{Error, Result};
use crate::model::{AcsAccessGroupId, AcsEntrance, AcsSystemId, AcsUser, AcsUserId, Page, UserIdentityId};
use crate::plan::{Change, NewUser, Outcome, UserUpdate};
use crate::state::{self, Index, Key, Row, RowKind, user_key};
use crate::view::{self, Viewer};
use chrono::{DateTime, Utc};

/// Which users are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct UserFilter {
    /// Of this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// Of this person.
    pub user_identity_id: Option<UserIdentityId>,
    /// Whose person has this e-mail address.
    pub user_identity_email_address: Option<String>,
    /// Whose person has this phone number.
    pub user_identity_phone_number: Option<String>,
    /// With this in name, e-mail address or phone number, whatever the case.
    pub search: Option<String>,
    /// Made before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(UserFilter);

impl AcsUsers<'_> {
    /// The user that is meant: by her id, or as a person at a system.
    ///
    /// # Errors
    /// `InvalidInput` unless exactly one of the two is given, the person together with the system; `NotFound`; `Store` (may be retried).
    pub async fn resolve(self, user: Option<AcsUserId>, person: Option<UserIdentityId>, system: Option<AcsSystemId>) -> Result<AcsUserId> {
        match (user, person, system) {
            (Some(user), None, None) => Ok(self.get(user).await?.acs_user_id),
            (None, Some(person), Some(system)) => Ok(self.get_of(person, system).await?.acs_user_id),
            _ => Err(Error::invalid("acs_user_id", "name the user, or the person and the access system")),
        }
    }
    /// A user that a system holds and we did not make.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_unmanaged(self, id: AcsUserId) -> Result<AcsUser> {
        self.ws.look(|v| view::unmanaged::acs_user(v, id)).await
    }
    /// A page of users that systems hold and we did not make.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` for the entrance; `Store` (may be retried).
    pub async fn search_unmanaged(self, filter: &UnmanagedFilter) -> Result<Page<AcsUser>> {
        self.ws.found(filter, |v, row| view::unmanaged::acs_user(v, AcsUserId::from_uuid(row))).await
    }
    /// A user.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsUserId) -> Result<AcsUser> {
        self.ws.look(|v| view::acs_user(v, id)).await
    }
    /// The user that a person is at a system.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_of(self, person: UserIdentityId, system: AcsSystemId) -> Result<AcsUser> {
        let see = |v: &Viewer<'_>| match v.reader.find(&user_key(system, view::staying_id(v, person)?))?.first() {
            Some(row) => view::acs_user(v, AcsUserId::from_uuid(*row)),
            None => Err(Error::not_found("acs_user", person).into()),
        };
        self.ws.look(see).await
    }
    /// A page of users, in the order in which they were made. Users of a person are found by an index; otherwise all users of the workspace are read.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` (the person); `Store` (may be retried).
    pub async fn list(self, filter: &UserFilter) -> Result<Page<AcsUser>> {
        let (key, keep) = self.among(filter).await?;
        let same = |wish: Option<&String>, has: Option<&String>| wish.is_none_or(|w| has.is_some_and(|h| h.eq_ignore_ascii_case(w)));
        let see = |v: &Viewer<'_>, row| {
            passing(view::acs_user(v, AcsUserId::from_uuid(row)), |u| {
                let texts = [&u.full_name, &u.email_address, &u.phone_number].map(|text| text.as_deref());
                holds(filter.search.as_deref(), texts)
                    && same(filter.user_identity_email_address.as_ref(), u.user_identity_email_address.as_ref())
                    && same(filter.user_identity_phone_number.as_ref(), u.user_identity_phone_number.as_ref())
            })
        };
        self.ws.page(RowKind::User, key, At::of(filter), keep, see).await
    }
    /// The same page as JSON, for a server that passes it on: what has not changed since it was asked for last is not made anew.
    ///
    /// # Errors
    /// As [`AcsUsers::list`].
    pub async fn list_written(self, filter: &UserFilter) -> Result<Page<Written>> {
        let by_texts =
            filter.search.is_some() || filter.user_identity_email_address.is_some() || filter.user_identity_phone_number.is_some();
        if by_texts {
            return Written::page(self.list(filter).await?);
        }
        let (key, keep) = self.among(filter).await?;
        let see = |v: &Viewer<'_>, row| view::acs_user(v, AcsUserId::from_uuid(row));
        self.ws.written(RowKind::User, key, At::of(filter), keep, see).await
    }
    /// Among which users a filter looks, and which of their rows it lets through.
    async fn among(self, filter: &UserFilter) -> Result<(Option<Key>, impl Fn(&Row) -> bool)> {
        let person = match filter.user_identity_id {
            Some(person) => Some(self.ws.look(|v| view::staying_id(v, person)).await?),
            None => None,
        };
        let key = match (person, filter.acs_system_id) {
            (Some(person), Some(system)) => Some(user_key(system, person)),
            (Some(person), None) => Some(Key::id(Index::UsersOf, person)),
            _ => None,
        };
        let keep = move |row: &Row| {
            body::<state::AcsUser>(row).is_some_and(|u| {
                filter.acs_system_id.is_none_or(|s| u.system == s) && filter.created_before.is_none_or(|at| u.created_at < at)
            })
        };
        Ok((key, keep))
    }
    /// The entrances that a user is to open: those of her groups and grants, and those of her credentials.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_accessible_entrances(self, id: AcsUserId) -> Result<Vec<AcsEntrance>> {
        self.ws.acs().reached(|v| view::reach::of_user(v, id)).await
    }
    /// Takes everything away that a user opens: her groups, the credentials that were issued to her directly, and the doors of this system from her
    /// grants, for good. The user stays.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn revoke_access_to_all_entrances(self, user: AcsUserId) -> Result<()> {
        self.ws.apply(Change::RevokeUserAccess { user }).await.map(drop)
    }
    /// A page of users of a system that we did not make. They are shown and never changed.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list_unmanaged(&self, system: AcsSystemId, page_cursor: Option<&str>, limit: usize) -> Result<Page<AcsUser>> {
        let see = |v: &Viewer<'_>, row| view::unmanaged::acs_user(v, AcsUserId::from_uuid(row));
        self.ws
            .page(
                RowKind::Unmanaged,
                Key::id(Index::UnmanagedAt, system),
                At::plain(page_cursor, limit, &format!("unmanaged of {system}")),
                |_| true,
                see,
            )
            .await
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
