//! What can be asked for of webhooks, as data.
use crate::model::{EventType, WebhookId};
use serde::{Deserialize, Serialize};

/// Something that is asked for of webhooks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookChange {
    /// Make one.
    Create(NewWebhook),
    /// Send other types from now on.
    Update {
        /// The webhook.
        webhook: WebhookId,
        /// The types; `*` is all of them.
        event_types: Vec<EventType>,
    },
    /// Delete one. Nothing is sent to it any more.
    Delete {
        /// The webhook.
        webhook: WebhookId,
    },
    /// Sign with a new secret, and with the present one too for a while.
    RotateSecret {
        /// The webhook.
        webhook: WebhookId,
        /// For how long the present secret still signs, in seconds; at most 30 days.
        overlap_seconds: u32,
    },
    /// Take up a parked endpoint, and parked lines: what failed is tried again at once, on a new schedule.
    Resume {
        /// The webhook.
        webhook: WebhookId,
    },
    /// Send everything again after a place in the event stream, with the same ids as before. What waits before that place is given up.
    Replay {
        /// The webhook.
        webhook: WebhookId,
        /// The place; no later than the last event.
        after: u64,
    },
}

/// A new webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct NewWebhook {
    /// Where events are sent: `http` or `https`, without user information and fragment, at most 2,048 characters.
    pub url: String,
    /// Which types are sent. `*` (the default) is all of them, those included that are not known yet.
    #[serde(default = "every")]
    #[builder(default = every())]
    pub event_types: Vec<EventType>,
    /// The place in the event stream after which it begins; `None`: with what was recorded when it was made, or later. Not part of what is asked: the
    /// handle fills it in, and the same request under an idempotency key stays the same.
    #[serde(default, skip_serializing)]
    pub after: Option<u64>,
}

fn every() -> Vec<EventType> {
    vec![EventType::ANY]
}

impl WebhookChange {
    /// The name of the operation, as `resource.verb`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "webhooks.create",
            Self::Update { .. } => "webhooks.update",
            Self::Delete { .. } => "webhooks.delete",
            Self::RotateSecret { .. } => "webhooks.rotate_secret",
            Self::Resume { .. } => "webhooks.resume",
            Self::Replay { .. } => "webhooks.replay",
        }
    }
}
