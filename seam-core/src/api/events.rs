//! The event stream.
use super::Workspace;
use crate::error::{Error, Result};
use crate::model::{Event, EventId, EventType, time};
use crate::state::{AuditEntry, StoredEvent};
use crate::store::stream;
use crate::view;
use bon::Builder;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use uuid::Uuid;

/// Which events are wanted. Everything that is set must hold.
///
/// ```
/// use seam_core::api::EventFilter;
/// use seam_core::model::{AcsEntranceId, EventType};
/// # let lobby: AcsEntranceId = "0193f3a4-0000-7000-8000-000000000001".parse().expect("an id");
/// let filter = EventFilter::builder().event_types(vec![EventType::LOCK_UNLOCKED]).about(vec![lobby.uuid()]).build();
/// ```
#[derive(Clone, Debug, Default, Builder)]
#[non_exhaustive]
pub struct EventFilter {
    /// One of these types; empty: any.
    #[builder(default)]
    pub event_types: Vec<EventType>,
    /// With one of these ids in it: of a grant, a method, an entrance, a system, a person, a space. Empty: any.
    #[builder(default)]
    pub about: Vec<Uuid>,
    /// And with one of each of these as well: of a grant, say, and of a door ([`EventFilter::and_about`]).
    #[builder(default)]
    pub also_about: Vec<Vec<Uuid>>,
    /// One of these events; empty: any.
    #[builder(default)]
    pub event_ids: Vec<EventId>,
    /// Recorded at this instant or later.
    pub since: Option<DateTime<Utc>>,
    /// Recorded after this instant, to a millisecond, as events show when they were.
    pub after: Option<DateTime<Utc>>,
    /// Recorded before this instant.
    pub until: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// Only events with one of these ids in them, which are of things of one kind. Two kinds are two conditions, and both must hold; no ids are none.
    #[must_use]
    pub fn and_about<I: Into<Uuid>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
        if !ids.is_empty() {
            self.also_about.push(ids);
        }
        self
    }
    /// From when on it looks.
    fn from(&self) -> Option<DateTime<Utc>> {
        self.since.max(self.after)
    }
    /// What the stored form already tells.
    fn may_show(&self, stored: &StoredEvent) -> bool {
        let at = stored.event.at;
        let typed = self.event_types.is_empty() || self.event_types.iter().any(|t| t.as_str() == stored.event.event_type);
        let named = self.event_ids.is_empty() || self.event_ids.contains(&stored.event.id);
        let in_time = self.since.is_none_or(|s| at >= s) && self.after.is_none_or(|a| time::to_millis(at) > a);
        typed && named && in_time && self.until.is_none_or(|u| at < u)
    }
    fn shows(&self, event: &Event) -> bool {
        let about = |ids: &Vec<Uuid>| ids.is_empty() || event.payload.iter().any(|(_, value)| names(value, ids));
        about(&self.about) && self.also_about.iter().all(about)
    }
}

/// Whether one of these ids stands in a value.
fn names(value: &Value, ids: &[Uuid]) -> bool {
    match value {
        Value::String(text) => Uuid::try_parse(text).is_ok_and(|id| ids.contains(&id)),
        Value::Array(list) => list.iter().any(|v| names(v, ids)),
        _ => false,
    }
}

/// What a search found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EventPage {
    /// The events with their places in the stream.
    pub events: Vec<(u64, Event)>,
    /// Where to go on.
    pub next: u64,
}

/// The event stream: every change of state, once, in order, without a gap.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    pub(super) ws: &'a Workspace,
}

impl Events<'_> {
    /// Events after a place in the stream (0: from the start), with their places, at most 1,000.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, after: u64, limit: usize) -> Result<Vec<(u64, Event)>> {
        let stored = self.ws.seam.0.store.events(self.ws.id(), after, limit.clamp(1, 1000)).await?;
        self.ws.look(|v| Ok(stored.iter().map(|s| (s.seq, view::event(v, s))).collect())).await
    }
    /// Events after a place in the stream that a filter lets through, oldest first, at most 1,000, and the place to go on from: hand it to the
    /// next call, until fewer than `limit` come.
    ///
    /// With [`EventFilter::since`] or [`EventFilter::after`] the start is found by halving, not by reading: the stream has no gaps and its instants rise, but for the
    /// difference between the clocks of the instances, for which an hour is allowed.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn search(self, filter: &EventFilter, after: u64, limit: usize) -> Result<EventPage> {
        const CHUNK: usize = 1000;
        // As many as are wanted first: where most are let through, no more is read than is shown.
        let mut chunk = limit.clamp(1, CHUNK);
        let store = &self.ws.seam.0.store;
        let limit = limit.clamp(1, 1000);
        let mut at = match filter.from() {
            Some(since) if after == 0 => stream::before(&**store, self.ws.id(), since - Duration::hours(1)).await?,
            _ => after,
        };
        let mut found = Vec::new();
        loop {
            let stored = store.events(self.ws.id(), at, chunk).await?;
            let (last, full) = (stored.last().map(|s| (s.seq, s.event.at)), stored.len() == chunk);
            chunk = (2 * chunk).min(CHUNK);
            for one in stored.iter().filter(|s| filter.may_show(s)) {
                let event = view::event_in(self.ws.id(), one);
                if filter.shows(&event) {
                    found.push((one.seq, event));
                    if found.len() == limit {
                        return Ok(EventPage { events: found, next: one.seq });
                    }
                }
            }
            let Some((seq, told)) = last else { return Ok(EventPage { events: found, next: at }) };
            at = seq;
            let past = filter.until.is_some_and(|until| told > until + Duration::hours(1));
            if !full || past {
                return Ok(EventPage { events: found, next: at });
            }
        }
    }

    /// An event by its id.
    ///
    /// Events have no index: an id tells when it was made, so the place is found by halving (about twice the logarithm of the length of the stream, one
    /// event read each), and then the events of up to an hour before and after are read, a thousand at a time.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: EventId) -> Result<Event> {
        let unknown = || Error::not_found("event", id);
        let made = id.uuid().get_timestamp().ok_or_else(unknown)?;
        let (seconds, nanos) = made.to_unix();
        let made = i64::try_from(seconds).ok().and_then(|s| DateTime::from_timestamp(s, nanos)).ok_or_else(unknown)?;
        let (from, until) =
            made.checked_sub_signed(Duration::hours(1)).zip(made.checked_add_signed(Duration::hours(1))).ok_or_else(unknown)?;
        let mut at = stream::before(&*self.ws.seam.0.store, self.ws.id(), from).await?;
        loop {
            let stored = self.ws.seam.0.store.events(self.ws.id(), at, 1000).await?;
            if let Some(found) = stored.iter().find(|s| s.event.id == id) {
                return self.ws.look(|v| Ok(view::event(v, found))).await;
            }
            match stored.last() {
                Some(last) if stored.len() == 1000 && last.event.at <= until => at = last.seq,
                _ => return Err(unknown()),
            }
        }
    }

    /// Events that a named consumer has not acknowledged. At least once: what is not acknowledged comes again.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn pending(self, consumer: &str, limit: usize) -> Result<Vec<(u64, Event)>> {
        let after = self.ws.seam.0.store.cursor(self.ws.id(), consumer).await?;
        self.list(after, limit).await
    }
    /// Acknowledges everything up to a place in the stream.
    ///
    /// # Errors
    /// `InvalidInput` for a name of more than 256 characters, an empty one, one with control characters, or one that begins with `webhook:`; `Store` (may be retried).
    pub async fn ack(self, consumer: &str, upto: u64) -> Result<()> {
        crate::plan::consumer_name(consumer)?;
        self.ws.seam.0.store.ack(self.ws.id(), consumer, upto).await
    }
    /// Waits for events after a place in the stream.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes; `Store` (may be retried).
    pub async fn wait(self, after: u64, within: std::time::Duration) -> Result<Vec<(u64, Event)>> {
        super::wait::until(self.ws, within, async || Ok(Some(self.list(after, 1000).await?).filter(|e| !e.is_empty()))).await
    }
    /// The audit chain after an entry (0: from the start), at most 1,000. [`verify_audit`](crate::store::verify_audit) checks it.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn audit(self, after: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.ws.seam.0.store.audit(self.ws.id(), after, limit.clamp(1, 1000)).await
    }
}
