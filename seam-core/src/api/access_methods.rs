//! Access methods.
use super::paging::{Among, At, body, paged};
use super::{Related, RelatedKind, Select, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AccessGrantId, AccessMethod, AccessMethodId, AcsEncoderId, AcsEntranceId, ActionAttempt, ActionAttemptId, Page, Shown, SpaceId,
    UnmanagedAccessMethod,
};
use crate::plan::{Change, EncodeWhat, MethodsOf, NewEncode, Outcome};
use crate::state::{Method, Row, RowKind};
use crate::view::{self, Viewer};
use std::collections::BTreeSet;
use std::time::Duration;

/// For how long a card is waited for, if nothing else is said.
const CARD_WAIT: Duration = Duration::from_secs(30);

/// Access methods: PINs, cards, mobile keys, cloud keys.
#[derive(Clone, Copy, Debug)]
pub struct AccessMethods<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which methods are listed. A grant, an entrance or a space must be named; all that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct MethodFilter {
    /// Of this grant.
    pub access_grant_id: Option<AccessGrantId>,
    /// Of the grant with this key.
    pub access_grant_key: Option<String>,
    /// For this entrance (or `device_id`, its second name).
    pub acs_entrance_id: Option<AcsEntranceId>,
    /// For an entrance in this space.
    pub space_id: Option<SpaceId>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(MethodFilter);

impl AccessMethods<'_> {
    /// A method.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AccessMethodId) -> Result<AccessMethod> {
        self.ws.look(|v| view::access_method(v, id)).await
    }
    /// A page of methods, in the order in which they were made: of a grant, or at an entrance or in a space. Methods of a grant are looked up; for an
    /// entrance or a space alone all methods of the workspace are read.
    ///
    /// # Errors
    /// `InvalidInput` when neither grant, entrance nor space is named, and for a foreign cursor; `NotFound` (the grant, the space); `Store` (may be
    /// retried).
    pub async fn list(self, filter: &MethodFilter) -> Result<Page<AccessMethod>> {
        let mut among = Among::All;
        if let Some(id) = filter.access_grant_id {
            among = among.only(self.ws.access_grants().get(id).await?.access_method_ids);
        }
        if let Some(key) = &filter.access_grant_key {
            among = among.only(self.ws.access_grants().get_by_key(key).await?.access_method_ids);
        }
        let mut within = filter.acs_entrance_id.map(|door| BTreeSet::from([door]));
        if let Some(space) = filter.space_id {
            let doors = self.ws.look(|v| view::entrances_of_space(v, space)).await?.into_iter();
            within = Some(match within {
                Some(one) => doors.filter(|door| one.contains(door)).collect(),
                None => doors.collect(),
            });
        }
        if matches!(among, Among::All) && within.is_none() {
            return Err(Error::invalid("access_grant_id", "name a grant, an entrance or a space"));
        }
        let keep = |row: &Row| body::<Method>(row).is_some_and(|m| within.as_ref().is_none_or(|w| m.doors.iter().any(|x| w.contains(x))));
        let see = |v: &Viewer<'_>, row| view::access_method(v, AccessMethodId::from_uuid(row));
        self.ws.page(RowKind::Method, among, At::of(filter), keep, see).await
    }
    /// All methods of a grant, in the order in which they were made.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn of_grant(self, grant: AccessGrantId) -> Result<Vec<AccessMethod>> {
        let ids = self.ws.access_grants().get(grant).await?.access_method_ids;
        self.ws.these(RowKind::Method, ids, |v, row| view::access_method(v, AccessMethodId::from_uuid(row))).await
    }
    /// Methods with what belongs to them: grants, entrances, spaces, credentials, instant keys.
    ///
    /// # Errors
    /// `NotFound` for any of them; `Store` (may be retried).
    pub async fn get_related(self, ids: &[AccessMethodId], select: &Select) -> Result<Related> {
        use RelatedKind::{AcsAccessGroups, AcsSystems, ConnectedAccounts, UserIdentities};
        let select = select.clone().without([AcsAccessGroups, AcsSystems, ConnectedAccounts, UserIdentities]);
        self.ws.related_to_methods(ids.iter().copied().collect(), &select).await
    }
    /// Takes a method away. The grant stays.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, id: AccessMethodId) -> Result<()> {
        self.delete_of(MethodsOf::Method(id)).await
    }
    /// Takes methods away: one, all of a grant, all of a stay. The grants stay.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete_of(self, which: MethodsOf) -> Result<()> {
        self.ws.apply(Change::DeleteMethods(which)).await.map(drop)
    }
    /// A card is lost: makes another in its place. Where locks override, the new card's first use ends the lost one; the stay's other cards ask to be
    /// encoded again. Deleting the method and asking for a card again would leave the lost card opening the door.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` (`not_a_card`); `Busy`, `Store` (may be retried).
    pub async fn replace_lost(self, id: AccessMethodId) -> Result<AccessMethod> {
        match self.ws.apply(Change::ReplaceLost { method: id }).await? {
            Outcome::Method(new) => self.get(new).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a method was expected")),
        }
    }
    /// Asks for the card to be written at an encoder; a card is waited for 30 seconds. Gives the attempt at once.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported` (`not_encodable`), `Conflict`; `Busy`, `Store` (may be retried). What happens at the encoder is in the
    /// attempt.
    pub async fn encode(self, id: AccessMethodId, encoder: AcsEncoderId) -> Result<ActionAttempt> {
        self.encode_within(id, encoder, CARD_WAIT).await
    }
    /// As [`AccessMethods::encode`]; a card is waited for 1 to 600 seconds.
    ///
    /// # Errors
    /// As [`AccessMethods::encode`].
    pub async fn encode_within(self, id: AccessMethodId, encoder: AcsEncoderId, card_wait: Duration) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        let new = NewEncode { what: EncodeWhat::Method(id), encoder, wait_seconds };
        self.attempt(Change::Encode(new)).await
    }
    /// Assigns a registered card.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported` (`not_assignable`); `Busy`, `Store` (may be retried).
    pub async fn assign_card(self, id: AccessMethodId, number: &str) -> Result<ActionAttempt> {
        self.attempt(Change::AssignCard { method: id, number: Shown::new(number) }).await
    }
    /// Unlocks a door on behalf of the holder of a cloud key.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Conflict` (`access_method_ended`); `Busy`, `Store` (may be retried).
    pub async fn unlock_door(self, id: AccessMethodId, entrance: AcsEntranceId) -> Result<ActionAttempt> {
        self.attempt(Change::Unlock { method: id, entrance }).await
    }
    async fn attempt(self, change: Change) -> Result<ActionAttempt> {
        let id: ActionAttemptId = match self.ws.apply(change).await? {
            Outcome::Attempt(id) => id,
            _ => return Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "an attempt was expected")),
        };
        self.ws.action_attempts().get(id).await
    }
    /// What a system holds and is not ours, as a method.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_unmanaged(&self, id: AccessMethodId) -> Result<UnmanagedAccessMethod> {
        self.ws.look(|v| view::unmanaged::access_method(v, id)).await
    }
    /// The methods of a grant that was found. A system tells its permissions and its credentials apart, so there are none that belong to one.
    ///
    /// # Errors
    /// `NotFound` for the grant; `Store` (may be retried).
    pub async fn list_unmanaged(self, grant: AccessGrantId) -> Result<Vec<UnmanagedAccessMethod>> {
        self.ws.access_grants().get_unmanaged(grant).await.map(|_| Vec::new())
    }
    /// Waits until a method is issued.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `Conflict` (`access_method_ended`) when it is being deleted or its time has passed:
    /// it is not issued any more; `NotFound`; `Store` (may be retried).
    pub async fn wait_until_issued(self, id: AccessMethodId, within: Duration) -> Result<AccessMethod> {
        super::wait::until(self.ws, within, async || {
            let method = self.get(id).await?;
            if self.ws.look(|v| Ok(v.reader.get::<Method>(id)?.is_over())).await? {
                let e = Error::new(ErrorKind::Conflict, "access_method_ended", "the access method has ended");
                return Err(e.with_field("access_method_id"));
            }
            Ok(Some(method).filter(|m| m.is_issued))
        })
        .await
    }
}
