//! Encoders.
use super::super::paging::{Among, At, body};
use super::{AcsEncoders, unexpected};
use crate::error::{Error, Result};
use crate::model::{AcsCredentialId, AcsEncoder, AcsEncoderId, AcsSystemId, ActionAttempt, Page};
use crate::plan::{Change, CredentialOwner, EncodeWhat, NewEncode, NewEncoder, Outcome};
use crate::state::{Encoder, Index, Key, Row, RowKind};
use crate::view::{self, Viewer};
use std::time::Duration;

/// Which encoders are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct EncoderFilter {
    /// One of these; empty: any.
    #[builder(default, into)]
    pub acs_encoder_ids: Vec<AcsEncoderId>,
    /// Of one of these systems; empty: of any.
    #[builder(default, into)]
    pub acs_system_ids: Vec<AcsSystemId>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
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
        let filter = EncoderFilter { acs_system_ids: system.into_iter().collect(), ..EncoderFilter::default() };
        self.search(&EncoderFilter { page_cursor: page_cursor.map(str::to_owned), limit: Some(limit), ..filter }).await
    }
    /// A page of encoders, in the order in which they were found.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn search(self, filter: &EncoderFilter) -> Result<Page<AcsEncoder>> {
        let mut among = match filter.acs_system_ids.as_slice() {
            [one] => Among::By(Key::id(Index::PlacesOf, *one)),
            _ => Among::All,
        };
        if !filter.acs_encoder_ids.is_empty() {
            among = among.only(filter.acs_encoder_ids.iter().copied());
        }
        let systems = &filter.acs_system_ids;
        let keep = |row: &Row| body::<Encoder>(row).is_some_and(|e| systems.is_empty() || systems.contains(&e.system));
        let see = |v: &Viewer<'_>, row| view::acs_encoder(v, AcsEncoderId::from_uuid(row));
        self.ws.page(RowKind::Encoder, among, At::new(filter.page_cursor.as_ref(), filter.limit), keep, see).await
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
    /// Puts a reader of our own to use at a system whose cards are written by such ([`CardPath::OwnEncoder`](crate::provider::CardPath)). An
    /// engine that has it ([`EngineConfig::card_encoders`](crate::EngineConfig::card_encoders)) does its jobs; while none runs they wait, and
    /// expire.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Unsupported` (`not_encodable`), `Conflict` (`encoder_known`); `Busy`, `Store` (may be retried).
    pub async fn add(self, new: NewEncoder) -> Result<AcsEncoder> {
        match self.ws.apply(Change::AddEncoder(new)).await? {
            Outcome::Encoder(id) => self.get(id).await,
            _ => Err(unexpected()),
        }
    }
    /// Removes a reader of our own. Jobs that wait for it end with `encoder_not_online`.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`encoder_of_system`: it is the access system's); `Busy`, `Store` (may be retried).
    pub async fn remove(self, encoder: AcsEncoderId) -> Result<()> {
        self.ws.apply(Change::RemoveEncoder { encoder }).await.map(drop)
    }
    /// Asks for a credential to be written; a card is waited for `card_wait` (1 to 600 s).
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported`; `Busy`, `Store` (may be retried).
    pub async fn encode_credential(self, encoder: AcsEncoderId, credential: AcsCredentialId, card_wait: Duration) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        let new = NewEncode { what: EncodeWhat::Credential(credential), encoder, wait_seconds };
        self.ws.acs().attempt(Change::Encode(new)).await
    }
    /// Asks for a card to be read; it is waited for `card_wait` (1 to 600 s). Presenting the card that a question is about answers it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn scan_credential(self, encoder: AcsEncoderId, card_wait: Duration) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        self.ws.acs().attempt(Change::Scan { encoder, wait_seconds }).await
    }
    /// Asks for a card to be read, and for the credential that is found to be given to a user of the encoder's system, or to a person: one step
    /// for whoever hands out cards. The card is waited for `card_wait` (1 to 600 s).
    ///
    /// A credential that is nobody's is assigned. Where the system binds registered cards by their number, a card of which nothing is recorded
    /// becomes one of hers. The result is the credential; it fails with `no_credential_on_encoder` (no card, or nothing on it that can be
    /// assigned), `action_attempt_expired`, or `uncategorized_error`, which says why: the card is somebody else's, say. What failed has changed
    /// nothing.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` (a user of another system), `Unsupported` (the system holds no cards); `Busy`, `Store` (may be retried).
    pub async fn scan_to_assign_credential(
        self,
        encoder: AcsEncoderId,
        to: impl Into<CredentialOwner>,
        card_wait: Duration,
    ) -> Result<ActionAttempt> {
        let wait_seconds = u32::try_from(card_wait.as_secs()).unwrap_or(u32::MAX);
        self.ws.acs().attempt(Change::ScanToAssign { encoder, to: to.into(), wait_seconds }).await
    }
}
