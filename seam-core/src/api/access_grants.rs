//! Grants.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AccessGrant, AccessGrantId, AccessMethod, AcsEntrance, AcsEntranceId, AcsSystem, AcsSystemId, Page, Space, SpaceId,
    UnmanagedAccessGrant, UserIdentity, UserIdentityId,
};
use crate::plan::{Change, GrantUpdate, NewGrant, NewMethod, Outcome};
use crate::state::{Body, Index, Key, RowKind};
use crate::view::{self, history::GrantHistory};
use std::collections::BTreeSet;
use std::time::Duration;

/// Grants: who, where, when, how.
#[derive(Clone, Copy, Debug)]
pub struct AccessGrants<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which grants are listed. All that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// Of this person.
    pub user_identity_id: Option<UserIdentityId>,
    /// On this space.
    pub space_id: Option<SpaceId>,
    /// Reaching this entrance.
    pub acs_entrance_id: Option<AcsEntranceId>,
    /// Of this stay.
    pub reservation_key: Option<String>,
    /// With this key.
    pub access_grant_key: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}

/// What belongs to grants.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Related {
    /// The grants.
    pub access_grants: Vec<AccessGrant>,
    /// Their methods.
    pub access_methods: Vec<AccessMethod>,
    /// Their entrances.
    pub acs_entrances: Vec<AcsEntrance>,
    /// Their systems.
    pub acs_systems: Vec<AcsSystem>,
    /// Their spaces.
    pub spaces: Vec<Space>,
    /// Their people.
    pub user_identities: Vec<UserIdentity>,
}

impl AccessGrants<'_> {
    /// Grants access. Durable when it returns; the engine carries it to the access systems.
    ///
    /// With a `key` that is known and the same content it gives the grant that is there.
    ///
    /// # Errors
    /// `InvalidInput` (`field` names the parameter; `reservation_key_not_supported`, `reservation_key_required`), `NotFound`,
    /// `Conflict` (the reservation rules: `reservation_entrance_change`, `reservation_joiner_entrance_set`, `reservation_time_frames`),
    /// `IdempotencyConflict`, `Unsupported` (a system cannot do it), `Exhausted` (no PIN or slot is free): nothing was written.
    /// `Busy`, `Store`: nothing was written; may be retried.
    pub async fn create(self, new: NewGrant) -> Result<AccessGrant> {
        let outcome = self.ws.apply(Change::CreateGrant(Box::new(new))).await?;
        let Outcome::Grant(id) = outcome else { return Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a grant was expected")) };
        self.get(id).await
    }
    /// A grant by its id. An ended grant is still there; a deleted one is not (see [`Workspace::history`]).
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AccessGrantId) -> Result<AccessGrant> {
        self.ws.look(|v| view::access_grant(v, id)).await
    }
    /// A grant by the caller's key.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_by_key(self, key: &str) -> Result<AccessGrant> {
        self.ws
            .look(|v| match v.reader.find(&Key::new(Index::GrantKey, key))?.first() {
                Some(row) => view::access_grant(v, AccessGrantId::from_uuid(*row)),
                None => Err(Error::not_found("access_grant", key).into()),
            })
            .await
    }
    /// A page of grants, in the order in which they were made.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, filter: &GrantFilter) -> Result<Page<AccessGrant>> {
        let key = if let Some(k) = &filter.access_grant_key {
            Some(Key::new(Index::GrantKey, k.as_str()))
        } else if let Some(r) = &filter.reservation_key {
            Some(Key::new(Index::Reservation, r.as_str()))
        } else if let Some(person) = filter.user_identity_id {
            Some(Key::id(Index::GrantsOf, person))
        } else {
            filter.space_id.map(|s| Key::id(Index::GrantsOn, s))
        };
        let keep = |row: &crate::state::Row| match &row.body {
            Body::Grant(g) => {
                filter.user_identity_id.is_none_or(|x| g.identity == x)
                    && filter.space_id.is_none_or(|x| g.spaces.contains(&x))
                    && filter.acs_entrance_id.is_none_or(|x| g.doors.contains(&x))
                    && filter.reservation_key.as_ref().is_none_or(|x| g.reservation.as_ref() == Some(x))
                    && filter.access_grant_key.as_ref().is_none_or(|x| g.key.as_ref() == Some(x))
            }
            _ => false,
        };
        let see = |v: &view::Viewer<'_>, row: crate::state::RowId| view::access_grant(v, AccessGrantId::from_uuid(row));
        self.ws.page(RowKind::Grant, key, filter.page_cursor.as_deref(), filter.limit.unwrap_or(500), keep, see).await
    }
    /// Grants with all that belongs to them.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_related(self, ids: &[AccessGrantId]) -> Result<Related> {
        let mut out = Related::default();
        let (mut doors, mut systems, mut spaces, mut people) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for id in ids {
            let grant = self.get(*id).await?;
            for m in &grant.access_method_ids {
                match self.ws.access_methods().get(*m).await {
                    Ok(m) => out.access_methods.push(m),
                    Err(e) if e.kind() == ErrorKind::NotFound => {}
                    Err(e) => return Err(e),
                }
            }
            doors.extend(self.ws.look(|v| Ok(v.reader.get::<crate::state::Grant>(*id)?.doors.clone())).await?);
            spaces.extend(grant.space_ids.iter().copied());
            people.insert(grant.user_identity_id);
            out.access_grants.push(grant);
        }
        for id in doors {
            let door = self.ws.acs().entrances().get(id).await?;
            systems.insert(door.acs_system_id);
            out.acs_entrances.push(door);
        }
        for id in systems {
            out.acs_systems.push(self.ws.acs().systems().get(id).await?);
        }
        for id in spaces {
            match self.ws.spaces().get(id).await {
                Ok(space) => out.spaces.push(space),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        for id in people {
            out.user_identities.push(self.ws.user_identities().get(id).await?);
        }
        Ok(out)
    }
    /// Changes a grant's window, schedule or name. PINs stay; cards ask to be encoded again.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Conflict` (`access_grant_ended`, `reservation_time_frames`), `Unsupported`, `Exhausted`; `Busy`, `Store` (may be
    /// retried).
    pub async fn update(self, update: GrantUpdate) -> Result<AccessGrant> {
        let id = update.grant;
        self.ws.apply(Change::UpdateGrant(update)).await?;
        self.get(id).await
    }
    /// Takes a grant away, for good. Until nothing of it is left at the systems it says that it is being deleted, then it is not found
    /// ([`AccessGrants::wait_until_removed`]). What its cards may still open is told by [`Workspace::history`].
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, grant: AccessGrantId) -> Result<()> {
        self.ws.apply(Change::DeleteGrant { grant }).await.map(drop)
    }
    /// Suspends a grant: everything is kept, nothing opens.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`access_grant_ended`); `Busy`, `Store` (may be retried).
    pub async fn suspend(self, grant: AccessGrantId) -> Result<AccessGrant> {
        self.ws.apply(Change::SuspendGrant { grant, suspended: true }).await?;
        self.get(grant).await
    }
    /// Takes a suspended grant up again.
    ///
    /// # Errors
    /// As [`AccessGrants::suspend`].
    pub async fn resume(self, grant: AccessGrantId) -> Result<AccessGrant> {
        self.ws.apply(Change::SuspendGrant { grant, suspended: false }).await?;
        self.get(grant).await
    }
    /// Adds methods to a grant.
    ///
    /// # Errors
    /// As [`AccessGrants::create`], but for the people and doors, which are there.
    pub async fn request_access_methods(self, grant: AccessGrantId, methods: Vec<NewMethod>) -> Result<AccessGrant> {
        self.ws.apply(Change::RequestMethods { grant, methods }).await?;
        self.get(grant).await
    }
    /// What a system holds and is not ours, as a grant.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_unmanaged(&self, id: AccessGrantId) -> Result<UnmanagedAccessGrant> {
        self.ws.look(|v| view::unmanaged::access_grant(v, id)).await
    }
    /// What a system holds and is not ours, as grants. It is shown and never changed.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list_unmanaged(&self, system: AcsSystemId) -> Result<Vec<UnmanagedAccessGrant>> {
        self.ws
            .look(|v| {
                let rows = view::unmanaged::of_system(v, system)?;
                rows.into_iter().map(|row| view::unmanaged::access_grant(v, AccessGrantId::from_uuid(row))).collect()
            })
            .await
    }
    /// Waits until a deleted grant is gone from every access system, and gives what is kept of it. A lock that cannot be reached from anywhere may
    /// still open to a card: the grant's `residual_access` names the door, until when, and what it waits for.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes, also while the grant is not deleted (the work goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait_until_removed(self, grant: AccessGrantId, within: Duration) -> Result<GrantHistory> {
        super::wait::until(self.ws, within, async || match self.get(grant).await {
            Ok(_) => Ok(None),
            Err(e) if e.kind() == ErrorKind::NotFound => self.ws.history(grant).await.map(Some),
            Err(e) => Err(e),
        })
        .await
    }
    /// Waits until every method of a grant is issued. Cards are issued when they are encoded.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait_until_issued(self, grant: AccessGrantId, within: Duration) -> Result<AccessGrant> {
        super::wait::until(self.ws, within, async || {
            let g = self.get(grant).await?;
            for id in &g.access_method_ids {
                if !self.ws.access_methods().get(*id).await?.is_issued {
                    return Ok(None);
                }
            }
            Ok(Some(g))
        })
        .await
    }
}
