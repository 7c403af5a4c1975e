//! Endpoints that are told what happens.
use super::open::open_enum;
use super::{EventId, EventType, Map, Shown, WebhookId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An endpoint that is told what happens in a workspace, by a signed HTTP request per event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The id of the webhook.
    pub webhook_id: WebhookId,
    /// Where the events are sent.
    pub url: String,
    /// The types that are sent; `*` is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<EventType>>,
    /// What the requests are signed with: `whsec_` and base64, as every library for Standard Webhooks takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Shown>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

open_enum! {
    /// How an endpoint keeps up.
    pub enum WebhookStatus {
        /// Nothing waits.
        UpToDate = "up_to_date",
        /// Events wait to be sent, and none of them has failed. If it stays so, no engine that runs has an HTTP transport.
        Pending = "pending",
        /// Something has failed and is tried again. Events of others are sent meanwhile.
        Retrying = "retrying",
        /// Nothing is sent any more until somebody resumes it. Nothing is lost.
        Parked = "parked",
    }
}

open_enum! {
    /// Why an endpoint is parked.
    pub enum ParkedReason {
        /// An event failed as often as it is tried, and nothing else was delivered meanwhile.
        Exhausted = "exhausted",
        /// The endpoint answered 410 Gone.
        Gone = "gone",
    }
}

/// Where the deliveries of a webhook stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookState {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// How it keeps up.
    pub status: WebhookStatus,
    /// The place in the event stream up to which everything was delivered, is not subscribed to, or stands in one of the `lines`.
    pub cursor: u64,
    /// When the first event after the cursor was recorded.
    #[serde(with = "time::option")]
    pub waiting_since: Option<DateTime<Utc>>,
    /// When something was last delivered, to a minute.
    #[serde(with = "time::option")]
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// The last failure.
    pub last_failure: Option<WebhookFailure>,
    /// Since when it is parked.
    #[serde(with = "time::option")]
    pub parked_at: Option<DateTime<Utc>>,
    /// Why it is parked.
    pub parked_reason: Option<ParkedReason>,
    /// Persons (else resources) of whom an event failed: their later events wait for it.
    pub lines: Vec<WebhookLine>,
}

/// Events of one person, else one resource, that wait because the first of them failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookLine {
    /// The person, else the resource.
    pub order_key: Uuid,
    /// The place in the event stream from which events of it wait.
    pub from: u64,
    /// How often the first of them was tried.
    pub attempts: u32,
    /// When it is tried next; `None`: it failed as often as it is tried, and waits until somebody resumes the webhook.
    #[serde(with = "time::option")]
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A delivery that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookFailure {
    /// The event.
    pub event_id: EventId,
    /// When.
    #[serde(with = "time::instant")]
    pub at: DateTime<Utc>,
    /// What the endpoint answered, if it did.
    pub http_status: Option<u16>,
    /// One sentence.
    pub message: String,
}

impl Webhook {
    /// A webhook.
    #[must_use]
    pub(crate) fn new(webhook_id: WebhookId, url: String, event_types: Vec<EventType>, secret: Shown) -> Self {
        Self { webhook_id, url, event_types: Some(event_types), secret: Some(secret), extra: Map::new() }
    }
}
