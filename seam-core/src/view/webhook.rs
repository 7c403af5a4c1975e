//! Endpoints that are told what happens.
use super::{Viewer, hidden};
use crate::model::{self, ParkedReason, WebhookFailure, WebhookId, WebhookLine, WebhookState, WebhookStatus};
use crate::plan::Try;
use crate::plan::webhook::SECRET;
use crate::state::{StoredEvent, Webhook};

/// A webhook. A deleted one is hidden.
pub(crate) fn webhook(v: &Viewer<'_>, id: WebhookId) -> Try<model::Webhook> {
    let row = row(v, id)?;
    Ok(model::Webhook::new(id, row.url.clone(), row.event_types.clone(), v.open(id, SECRET, &row.secret)?))
}

/// Its row, if it was not deleted.
pub(crate) fn row<'a>(v: &Viewer<'a>, id: WebhookId) -> Try<&'a Webhook> {
    let row = v.get::<Webhook>(id)?;
    if row.deleted_at.is_some() { hidden::<Webhook, _>(id) } else { Ok(row) }
}

/// Where its deliveries stand, with its place in the stream and the first event after that.
pub(crate) fn state(id: WebhookId, row: &Webhook, cursor: u64, waiting: Option<&StoredEvent>) -> WebhookState {
    let status = if row.parked.is_some() {
        WebhookStatus::Parked
    } else if !row.lines.is_empty() {
        WebhookStatus::Retrying
    } else if waiting.is_some() {
        WebhookStatus::Pending
    } else {
        WebhookStatus::UpToDate
    };
    let lines = row.lines.iter().map(|line| WebhookLine {
        order_key: line.key,
        from: line.from,
        attempts: line.attempts,
        next_attempt_at: line.due_at,
    });
    WebhookState {
        webhook_id: id,
        status,
        cursor,
        waiting_since: waiting.map(|w| w.event.at),
        last_delivered_at: row.delivered_at,
        last_failure: row.failure.as_ref().map(|f| WebhookFailure {
            event_id: f.event,
            at: f.at,
            http_status: f.status,
            message: f.message.clone(),
        }),
        parked_at: row.parked.as_ref().map(|p| p.at),
        parked_reason: row.parked.as_ref().map(|p| ParkedReason::clone(&p.reason)),
        lines: lines.collect(),
    }
}
