//! Access methods.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::UnmanagedAccessMethod;
use crate::model::{AccessGrantId, AccessMethod, AccessMethodId, AcsEncoderId, AcsEntranceId, ActionAttempt, ActionAttemptId, Shown};
use crate::plan::{Change, EncodeWhat, MethodsOf, NewEncode, Outcome};
use crate::view;
use std::time::Duration;

/// For how long a card is waited for, if nothing else is said.
const CARD_WAIT: Duration = Duration::from_secs(30);

/// Access methods: PINs, cards, mobile keys, cloud keys.
#[derive(Clone, Copy, Debug)]
pub struct AccessMethods<'a> {
    pub(super) ws: &'a Workspace,
}

impl AccessMethods<'_> {
    /// A method.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: AccessMethodId) -> Result<AccessMethod> {
        self.ws.look(|v| view::access_method(v, id)).await
    }
    /// The methods of a grant, in the order in which they were made.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn list(self, grant: AccessGrantId) -> Result<Vec<AccessMethod>> {
        let mut out = Vec::new();
        for id in self.ws.access_grants().get(grant).await?.access_method_ids {
            match self.get(id).await {
                Ok(m) => out.push(m),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(out)
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
        let new = NewEncode { what: EncodeWhat::Method(id), encoder, wait_seconds, would_end: false };
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
    /// Waits until a method is issued.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait_until_issued(self, id: AccessMethodId, within: Duration) -> Result<AccessMethod> {
        super::wait::until(self.ws, within, async || Ok(Some(self.get(id).await?).filter(|m| m.is_issued))).await
    }
}
