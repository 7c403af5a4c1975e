//! Events, from the rows of the outbox.
use super::Viewer;
use super::notes::map;
use crate::model::{self, EventBody, EventType, WorkspaceId};
use crate::state::StoredEvent;
use chrono::{DateTime, Utc};

/// An event. Its place in the stream is not part of it: it is the consumer's cursor.
pub(crate) fn event(v: &Viewer<'_>, stored: &StoredEvent) -> model::Event {
    event_in(v.workspace, stored)
}

/// An event of a workspace.
pub(crate) fn event_in(workspace: WorkspaceId, stored: &StoredEvent) -> model::Event {
    let event = &stored.event;
    // An access system may tell of something later than it happened.
    let occurred = event.payload.get("occurred_at").and_then(|at| at.as_str());
    let occurred = occurred.and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map_or(event.at, |at| at.with_timezone(&Utc));
    let description = event.payload.get("event_description").and_then(|text| text.as_str()).map(str::to_owned);
    let body = EventBody::new(EventType::from(event.event_type.as_str()), map(&event.payload));
    let mut told = body.into_event(event.id, workspace, event.at, occurred);
    told.event_description = description;
    told
}
