//! Endpoints that are told what happens.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EventType, Webhook, WebhookId, WebhookState};
use crate::plan::{Change, NewWebhook, Outcome, WebhookChange};
use crate::state::webhooks_key;
use crate::store::stream;
use crate::view;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Webhooks: endpoints that are told what happens, by a signed HTTP request per event.
///
/// They are served by an engine that has an HTTP transport ([`EngineConfig::webhooks`](crate::EngineConfig::webhooks)). Without one they are kept, and
/// their events wait.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a> {
    pub(super) ws: &'a Workspace,
}

impl Webhooks<'_> {
    /// Makes a webhook: events that are recorded from now on are sent to `url`, those of `event_types`, or all of them.
    ///
    /// Whether the engine will connect to where `url` leads is decided when something is sent: the guard of its transport says so in
    /// [`state`](Self::state).
    ///
    /// # Errors
    /// `InvalidInput` for the address, or for types (`invalid_event_types`); `Exhausted` when the workspace has 100 of them; `Busy`, `Store` (may be
    /// retried).
    pub async fn create(self, url: &str, event_types: Option<Vec<EventType>>) -> Result<Webhook> {
        let after = stream::last(&*self.ws.seam.0.store, self.ws.id()).await?;
        let new = NewWebhook::builder().url(url).maybe_event_types(event_types).after(after).build();
        self.made(WebhookChange::Create(new)).await
    }
    /// A webhook, with its secret.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: WebhookId) -> Result<Webhook> {
        self.ws.look(|v| view::webhook::webhook(v, id)).await
    }
    /// All webhooks, in the order in which they were made. There are at most 100.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self) -> Result<Vec<Webhook>> {
        self.ws
            .look(|v| {
                let rows = v.reader.find(&webhooks_key())?;
                v.reader.hint(rows.iter().copied());
                v.reader.gather()?;
                rows.iter().map(|row| view::webhook::webhook(v, WebhookId::from_uuid(*row))).collect()
            })
            .await
    }
    /// Sends other types from now on. Events that have waited are sent if their type is among the new ones.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` (`invalid_event_types`); `Busy`, `Store` (may be retried).
    pub async fn update(self, id: WebhookId, event_types: Vec<EventType>) -> Result<()> {
        self.ws.apply(Change::Webhook(WebhookChange::Update { webhook: id, event_types })).await.map(drop)
    }
    /// Deletes a webhook. Nothing new is sent to it; a request that is on its way may still arrive.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, id: WebhookId) -> Result<()> {
        self.ws.apply(Change::Webhook(WebhookChange::Delete { webhook: id })).await.map(drop)
    }
    /// Signs with a new secret, and with the present one beside it for `overlap` more (zero: not at all; at most 30 days, in whole seconds).
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for the overlap; `Conflict` (`too_many_secrets`) while four earlier secrets still sign; `Busy`, `Store` (may be
    /// retried).
    pub async fn rotate_secret(self, id: WebhookId, overlap: Duration) -> Result<Webhook> {
        let overlap_seconds = u32::try_from(overlap.as_secs()).unwrap_or(u32::MAX);
        self.made(WebhookChange::RotateSecret { webhook: id, overlap_seconds }).await
    }
    /// Where the deliveries stand: what waits, what failed, whether it is parked.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn state(self, id: WebhookId) -> Result<WebhookState> {
        let store = &*self.ws.seam.0.store;
        let row = self.ws.look(|v| view::webhook::row(v, id).cloned()).await?;
        let cursor = stream::of_webhook(store, self.ws.id(), id.uuid(), &row).await?;
        let waiting = store.events(self.ws.id(), cursor, 1).await?;
        Ok(view::webhook::state(id, &row, cursor, waiting.first()))
    }
    /// Takes up a parked endpoint, and lines that are parked: what failed is tried again at once, on a new schedule.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried). Nothing parked is no error.
    pub async fn resume(self, id: WebhookId) -> Result<()> {
        self.ws.apply(Change::Webhook(WebhookChange::Resume { webhook: id })).await.map(drop)
    }
    /// Sends everything after a place in the event stream (0: everything), with the same ids as before: who keeps the ids that she has seen knows
    /// what is new. What failed and waited is given up; a parked endpoint is taken up.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a place past the last event; `Busy`, `Store` (may be retried).
    pub async fn replay(self, id: WebhookId, after: u64) -> Result<()> {
        if after > stream::last(&*self.ws.seam.0.store, self.ws.id()).await? {
            return Err(Error::invalid("after", "there is no event at this place yet"));
        }
        self.ws.apply(Change::Webhook(WebhookChange::Replay { webhook: id, after })).await.map(drop)
    }
    /// As [`replay`](Self::replay), with what was recorded at an instant or later.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn replay_since(self, id: WebhookId, since: DateTime<Utc>) -> Result<()> {
        let after = stream::since(&*self.ws.seam.0.store, self.ws.id(), since).await?;
        self.ws.apply(Change::Webhook(WebhookChange::Replay { webhook: id, after })).await.map(drop)
    }

    async fn made(self, change: WebhookChange) -> Result<Webhook> {
        match self.ws.apply(Change::Webhook(change)).await? {
            Outcome::Webhook(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a webhook was expected")),
        }
    }
}
