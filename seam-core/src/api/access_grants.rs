//! Grants.
use super::paging::{Among, At, body, holds, paged, passing};
use super::unmanaged::{UnmanagedFilter, not_taken_over};
use super::workspace::Deed;
use super::{Related, RelatedKind, Select, Workspace, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AccessGrant, AccessGrantId, AccessMethodId, AcsEntranceId, AcsSystemId, Page, SpaceId, UnmanagedAccessGrant, UserIdentityId,
};
use crate::plan::{Change, GrantUpdate, NewGrant, NewMethod, Outcome, Try};
use crate::state::{Changeset, Grant, Index, Key, Method, Row, RowId, RowKind, Space};
use crate::view::{self, Viewer, history::GrantHistory};
use std::collections::BTreeSet;
use std::time::Duration;

/// Grants: who, where, when, how.
#[derive(Clone, Copy, Debug)]
pub struct AccessGrants<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which grants are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct GrantFilter {
    /// One of these; empty: any.
    #[builder(default, into)]
    pub access_grant_ids: Vec<AccessGrantId>,
    /// Of this person.
    pub user_identity_id: Option<UserIdentityId>,
    /// On this space.
    pub space_id: Option<SpaceId>,
    /// Pushed for this customer, or on a space of hers.
    pub customer_key: Option<String>,
    /// Reaching this entrance (or `device_id`, its second name).
    pub acs_entrance_id: Option<AcsEntranceId>,
    /// Reaching an entrance of this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// Of this stay.
    pub reservation_key: Option<String>,
    /// With this key.
    pub access_grant_key: Option<String>,
    /// Without a key.
    #[builder(default)]
    pub without_key: bool,
    /// With this in its name, its keys or its id, or in the name, e-mail address, phone number or key of its person, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(GrantFilter);

fn unexpected() -> Error {
    Error::new(ErrorKind::Internal, "unexpected_outcome", "a grant was expected")
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
        let see = |deed: &Deed<'_>, changeset: &mut Changeset, outcome: &Outcome| match outcome {
            Outcome::Grant(id) => deed.see(changeset, |v| view::access_grant(v, *id)),
            _ => None,
        };
        match self.ws.carry_out(Change::CreateGrant(Box::new(new)), see).await? {
            (_, Some(grant)) => Ok(grant),
            (Outcome::Grant(id), None) => self.get(id).await,
            _ => Err(unexpected()),
        }
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
    /// A page of grants, in the order in which they were made, those included that have ended.
    ///
    /// Grants of a key, a stay that is not over, a person or a space are found by an index; for an entrance, a system or a customer alone all grants
    /// of the workspace are read (an index by door would be written with every grant at the lobby).
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, filter: &GrantFilter) -> Result<Page<AccessGrant>> {
        let (among, keep) = self.among(filter).await?;
        let customer = filter.customer_key.as_ref();
        let see = |v: &Viewer<'_>, row: RowId| {
            let id = AccessGrantId::from_uuid(row);
            let grant = v.reader.get::<Grant>(id)?;
            if let Some(customer) = customer {
                v.reader.hint(grant.spaces.iter().map(|s| s.uuid()));
                v.reader.gather()?;
                let mut of = false;
                of |= grant.pushed.as_ref().is_some_and(|pushed| pushed.customer == *customer);
                for space in &grant.spaces {
                    of |= v.reader.try_get::<Space>(*space)?.is_some_and(|s| s.customer_key.as_ref() == Some(customer));
                }
                if !of {
                    return Err(Error::not_found("access_grant", id).into());
                }
            }
            let who = if filter.search.is_some() { view::texts_of(v, grant.identity)? } else { Vec::new() };
            passing(view::access_grant(v, id), |g| {
                let id = g.access_grant_id.to_string();
                let texts = [Some(id.as_str()), Some(g.display_name.as_str()), g.access_grant_key.as_deref(), g.reservation_key.as_deref()];
                holds(filter.search.as_deref(), texts.into_iter().chain(who.iter().map(|text| Some(text.as_str()))))
            })
        };
        self.ws.page(RowKind::Grant, among, At::of(filter), keep, see).await
    }
    /// The same page as JSON, for a server that passes it on: what has not changed since it was asked for last is not made anew.
    ///
    /// # Errors
    /// As [`AccessGrants::list`].
    pub async fn list_written(self, filter: &GrantFilter) -> Result<Page<Written>> {
        if filter.search.is_some() || filter.customer_key.is_some() {
            return Written::page(self.list(filter).await?);
        }
        let (among, keep) = self.among(filter).await?;
        let see = |v: &Viewer<'_>, row| view::access_grant(v, AccessGrantId::from_uuid(row));
        self.ws.written(RowKind::Grant, among, At::of(filter), keep, see).await
    }
    /// Among which grants a filter looks, and which of their rows it lets through.
    async fn among(self, filter: &GrantFilter) -> Result<(Among, impl Fn(&Row) -> bool)> {
        let mut among = Among::from(if let Some(k) = &filter.access_grant_key {
            Some(Key::new(Index::GrantKey, k.as_str()))
        } else if let Some(r) = &filter.reservation_key {
            Some(Key::new(Index::Reservation, r.as_str()))
        } else if let Some(person) = filter.user_identity_id {
            Some(Key::id(Index::GrantsOf, person))
        } else {
            filter.space_id.map(|s| Key::id(Index::GrantsOn, s))
        });
        if !filter.access_grant_ids.is_empty() {
            among = among.only(filter.access_grant_ids.iter().copied());
        }
        let doors: Option<BTreeSet<RowId>> = match filter.acs_system_id {
            Some(system) => Some(self.ws.look(|v| Ok(v.reader.find(&Key::id(Index::PlacesOf, system))?.iter().copied().collect())).await?),
            None => None,
        };
        let keep = move |row: &Row| {
            body::<Grant>(row).is_some_and(|g| {
                filter.user_identity_id.is_none_or(|x| g.identity == x)
                    && filter.space_id.is_none_or(|x| g.spaces.contains(&x))
                    && (filter.customer_key.is_none() || g.pushed.is_some() || !g.spaces.is_empty())
                    && filter.acs_entrance_id.is_none_or(|x| g.doors.contains(&x))
                    && doors.as_ref().is_none_or(|doors| g.doors.iter().any(|x| doors.contains(&x.uuid())))
                    && filter.reservation_key.as_ref().is_none_or(|x| g.reservation.as_ref() == Some(x))
                    && filter.access_grant_key.as_ref().is_none_or(|x| g.key.as_ref() == Some(x))
                    && !(filter.without_key && g.key.is_some())
            })
        };
        Ok((among, keep))
    }
    /// Grants with what belongs to them: methods, entrances, systems, groups, accounts, spaces, people.
    ///
    /// # Errors
    /// `NotFound` for any of them; `Store` (may be retried).
    pub async fn get_related(self, ids: &[AccessGrantId], select: &Select) -> Result<Related> {
        let select = select.clone().without([RelatedKind::AcsCredentials, RelatedKind::InstantKeys, RelatedKind::ClientSessions]);
        self.ws.related_to_grants(ids.iter().copied().collect(), &select).await
    }
    /// As [`AccessGrants::get_related`], by the caller's keys.
    ///
    /// # Errors
    /// As [`AccessGrants::get_related`].
    pub async fn get_related_by_keys(self, keys: &[impl AsRef<str>], select: &Select) -> Result<Related> {
        self.get_related(&self.ids_of(keys).await?, select).await
    }
    /// The ids of the grants with these keys of the caller's, in the same order.
    ///
    /// # Errors
    /// `NotFound` for any of them; `Store` (may be retried).
    pub async fn ids_of(self, keys: &[impl AsRef<str>]) -> Result<Vec<AccessGrantId>> {
        let found = self.ws.by_keys(Index::GrantKey, "access_grant", keys).await?;
        Ok(found.into_iter().map(AccessGrantId::from_uuid).collect())
    }
    /// As [`AccessGrants::update`], of the grant with the caller's key: `change` says what.
    ///
    /// # Errors
    /// As [`AccessGrants::update`].
    pub async fn update_by_key(self, key: &str, change: impl FnOnce(GrantUpdate) -> GrantUpdate) -> Result<AccessGrant> {
        let id = self.get_by_key(key).await?.access_grant_id;
        self.update(change(GrantUpdate::new(id))).await
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
    /// A page of what systems hold and is not ours, as grants.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `NotFound` for the entrance; `Store` (may be retried).
    pub async fn search_unmanaged(self, filter: &UnmanagedFilter) -> Result<Page<UnmanagedAccessGrant>> {
        self.ws.found(filter, |v, row| view::unmanaged::access_grant(v, AccessGrantId::from_uuid(row))).await
    }
    /// What was found is never taken over.
    ///
    /// # Errors
    /// `Unsupported` (`unmanaged_not_convertible`), always; `NotFound` for what is not there; `Store` (may be retried).
    pub async fn manage(self, id: AccessGrantId) -> Result<()> {
        self.get_unmanaged(id).await?;
        not_taken_over()
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
    /// Waits until every method of a grant is issued. Cards are issued when they are encoded. Methods that are being deleted are not waited for.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `Conflict` (`no_access_method`) when the grant has no method that could be issued: none
    /// could be made, or all are deleted; `Conflict` (`access_grant_ended`) when it is over; `NotFound`; `Store` (may be retried).
    pub async fn wait_until_issued(self, grant: AccessGrantId, within: Duration) -> Result<AccessGrant> {
        super::wait::until(self.ws, within, async || {
            let g = self.get(grant).await?;
            let (live, waited) = self.ws.look(|v| waited_for(v, grant)).await?;
            if !live {
                let e = Error::new(ErrorKind::Conflict, "access_grant_ended", "the access grant is over: nothing of it is issued any more");
                return Err(e.with_field("access_grant_id"));
            }
            if waited.is_empty() {
                let e = Error::new(ErrorKind::Conflict, "no_access_method", "the access grant has no access method that could be issued");
                return Err(e.with_field("access_grant_id"));
            }
            Ok(waited.iter().all(|issued| *issued).then_some(g))
        })
        .await
    }
}

/// Whether a grant lives, and whether each of its methods that are not over is issued.
fn waited_for(v: &Viewer<'_>, id: AccessGrantId) -> Try<(bool, Vec<bool>)> {
    let grant = v.reader.get::<Grant>(id)?;
    let methods: Vec<AccessMethodId> = grant.requested.iter().flat_map(|asked| asked.methods.iter().copied()).collect();
    v.reader.hint(methods.iter().map(|m| m.uuid()));
    v.reader.gather()?;
    let mut issued = Vec::new();
    for id in methods {
        issued.extend(v.reader.try_get::<Method>(id)?.filter(|m| !m.is_over()).map(|m| m.issued));
    }
    Ok((grant.is_live(), issued))
}
