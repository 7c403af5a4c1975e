//! Rows of webhooks: where events are sent, and where the deliveries stand.
use super::*;
use crate::model::{EventId, EventType, ParkedReason};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An endpoint that is told what happens.
///
/// What was delivered is kept in two places: the cursor of the consumer [`Webhook::consumer`] says how far the stream was gone through, and
/// [`Webhook::lines`] name what was passed over on the way. So a delivery that succeeds moves a cursor and writes no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where events are sent.
    pub url: String,
    /// Which types; `*` is all of them.
    pub event_types: Vec<EventType>,
    /// What is signed with, sealed.
    pub secret: Sealed,
    /// What was signed with before, and still is for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_secrets: Vec<OldSecret>,
    /// Counts the replays: each has a cursor of its own, because a cursor never goes back.
    #[serde(default)]
    pub replays: u32,
    /// The place in the event stream after which it begins; `None`: with what was recorded when the webhook was made, or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_after: Option<u64>,
    /// Counts what persons change here, so that an engine at work notices.
    #[serde(default)]
    pub touched: u32,
    /// What was passed over because something failed, in the order of its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Nothing is sent until somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
    /// When something was last delivered, to a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime<Utc>>,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<DeliveryFailure>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A secret that still signs beside its successor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    /// The secret, sealed.
    pub secret: Sealed,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
}

/// Events of one key that wait because the first of them failed: all of it from `from` on that the cursor has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The person if there is one, else the resource ([`EventDraft::order_key`]).
    pub key: Uuid,
    /// The first of them is at this place in the stream, or after it.
    pub from: u64,
    /// How often the first of them was tried.
    pub attempts: u32,
    /// When it failed first.
    pub failed_at: DateTime<Utc>,
    /// When it is tried next; `None`: it failed as often as it is tried.
    pub due_at: Option<DateTime<Utc>>,
}

/// Since when and why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: ParkedReason,
}

/// A delivery that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailure {
    /// The event.
    pub event: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// What the endpoint answered, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// One sentence. Nothing that the endpoint said, and no part of its address.
    pub message: String,
}

impl Webhook {
    /// Whether events are sent.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.deleted_at.is_none() && self.parked.is_none()
    }
    /// Whether events of a type are sent.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        self.event_types.iter().any(|t| *t == EventType::ANY || t.as_str() == event_type)
    }
    /// The name of its cursor.
    #[must_use]
    pub fn consumer(&self, id: RowId) -> String {
        format!("{CONSUMER}{}:{}", id.simple(), self.replays)
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() {
            return Vec::new();
        }
        vec![webhooks_key()]
    }
}

/// How the names of the consumers of webhooks begin.
pub const CONSUMER: &str = "webhook:";

/// The key that finds the webhooks of a workspace.
#[must_use]
pub fn webhooks_key() -> Key {
    Key::new(Index::Webhooks, "all")
}
