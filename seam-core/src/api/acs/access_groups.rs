//! Groups of users with the same permissions.
use super::super::paging::{Among, At, body, holds, paged, passing};
use super::AcsAccessGroups;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsAccessGroup, AcsAccessGroupId, AcsEntrance, AcsSystemId, AcsUser, AcsUserId, Page, UserIdentityId};
use crate::plan::{Change, CredentialOwner, Try};
use crate::state::{Group, Index, Key, Row, RowKind, Target, Wanted};
use crate::view::{self, Viewer};

/// Which groups are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct AccessGroupFilter {
    /// Of this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// That this user is to be in.
    pub acs_user_id: Option<AcsUserId>,
    /// That this person is to be in, at whatever system.
    pub user_identity_id: Option<UserIdentityId>,
    /// With this in its name, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(AccessGroupFilter);

impl AcsAccessGroups<'_> {
    /// A group.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AcsAccessGroupId) -> Result<AcsAccessGroup> {
        self.ws.look(|v| view::acs_access_group(v, id)).await
    }
    /// A page of groups, in the order in which they were found.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` (the user); `Store` (may be retried).
    pub async fn list(self, filter: &AccessGroupFilter) -> Result<Page<AcsAccessGroup>> {
        let mut among = Among::from(filter.acs_system_id.map(|s| Key::id(Index::PlacesOf, s)));
        if let Some(user) = filter.acs_user_id {
            among = among.only(self.ws.look(|v| view::reach::groups_of_user(v, user)).await?);
        }
        if let Some(person) = filter.user_identity_id {
            let of_person = |v: &Viewer<'_>| -> Try<Vec<AcsAccessGroupId>> {
                let mut groups = Vec::new();
                for user in view::reach::users_of(v, person)? {
                    groups.extend(view::reach::groups_of_user(v, user)?);
                }
                Ok(groups)
            };
            among = among.only(self.ws.look(of_person).await?);
        }
        let keep = |row: &Row| body::<Group>(row).is_some_and(|g| filter.acs_system_id.is_none_or(|s| g.system == s));
        let see = |v: &Viewer<'_>, row| {
            let seen = view::acs_access_group(v, AcsAccessGroupId::from_uuid(row));
            passing(seen, |g| holds(filter.search.as_deref(), [Some(g.name.as_str())]))
        };
        self.ws.page(RowKind::Group, among, At::of(filter), keep, see).await
    }
    /// The users that are to be in a group: put there, or by their grants. Reads what is wanted at the group's system.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_users(self, id: AcsAccessGroupId) -> Result<Vec<AcsUser>> {
        let system = self.get(id).await?.acs_system_id;
        let member = |row: &Row| match body::<Target>(row) {
            Some(Target { want: Wanted::Access { groups, .. }, gone: false, .. }) => groups.contains(&id),
            _ => false,
        };
        let user = |v: &Viewer<'_>, row| match &v.reader.get::<Target>(row)?.want {
            Wanted::Access { user, .. } => Ok(*user),
            _ => Err(Error::not_found("acs_user", row).into()),
        };
        let users = self.ws.every(RowKind::Target, Key::id(Index::TargetsAt, system), member, user).await?;
        self.ws.these(RowKind::User, users, |v, row| view::acs_user(v, AcsUserId::from_uuid(row))).await
    }
    /// The entrances of a group.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_accessible_entrances(self, id: AcsAccessGroupId) -> Result<Vec<AcsEntrance>> {
        self.ws.acs().reached(|v| view::reach::of_group(v, id)).await
    }
    /// Puts a user into a group.
    ///
    /// # Errors
    /// As [`AcsUsers::add_to_access_group`](super::AcsUsers::add_to_access_group).
    pub async fn add_user(self, id: AcsAccessGroupId, who: impl Into<CredentialOwner>) -> Result<()> {
        self.ws.apply(Change::JoinGroup { who: who.into(), group: id }).await.map(drop)
    }
    /// Takes a user out of a group.
    ///
    /// # Errors
    /// As [`AcsUsers::remove_from_access_group`](super::AcsUsers::remove_from_access_group).
    pub async fn remove_user(self, id: AcsAccessGroupId, who: impl Into<CredentialOwner>) -> Result<()> {
        let user = match who.into() {
            CredentialOwner::User(user) => user,
            CredentialOwner::Identity(person) => self.ws.acs().users().get_of(person, self.get(id).await?.acs_system_id).await?.acs_user_id,
        };
        self.ws.acs().users().remove_from_access_group(user, id).await
    }
    /// Groups are made and deleted in the access system itself.
    ///
    /// # Errors
    /// `Unsupported` (`acs_access_group_read_only`), always; `NotFound` for a group that is not there; `Store` (may be retried).
    pub async fn delete(self, id: AcsAccessGroupId) -> Result<()> {
        self.get(id).await?;
        let message = "access groups are made and deleted in the access system itself";
        Err(Error::new(ErrorKind::Unsupported, "acs_access_group_read_only", message).with_field("acs_access_group_id"))
    }
}
