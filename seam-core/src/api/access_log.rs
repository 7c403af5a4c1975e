//! Who opened what, as the access systems tell it.
use super::events::EventFilter;
use super::workspace::Workspace;
use crate::error::Result;
use crate::model::{AccessMethodId, AcsCredentialId, AcsEntranceId, AcsSystemId, AcsUserId, Event, EventType, UserIdentityId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Access logs of all systems that have one that can be read.
///
/// The engine reads them and keeps them as the events `lock.unlocked` and `lock.access_denied`; this reads these. A lock without a connection
/// tells what it saw when somebody collects its log, or never.
#[derive(Clone, Copy, Debug)]
pub struct AccessLog<'a> {
    pub(super) ws: &'a Workspace,
}

/// A line of an access log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessLogEntry {
    /// When, by the clock of the lock or of its system.
    pub occurred_at: DateTime<Utc>,
    /// The door.
    pub acs_entrance_id: AcsEntranceId,
    /// Its system.
    pub acs_system_id: AcsSystemId,
    /// Whether it opened.
    pub opened: bool,
    /// How, where it opened: `keycode`, `card`, `remote`, `unknown`.
    pub method: Option<String>,
    /// Why not, where it refused and the system says it: `unknown_code`, `expired_code`, `credential_error`, ...
    pub reason_code: Option<String>,
    /// The person, where known.
    pub user_identity_id: Option<UserIdentityId>,
    /// The user of the access system, where known.
    pub acs_user_id: Option<AcsUserId>,
    /// The access method, where it is one of ours.
    pub access_method_id: Option<AccessMethodId>,
    /// The credential, where it is one of ours.
    pub acs_credential_id: Option<AcsCredentialId>,
}

/// Lines of access logs.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AccessLogPage {
    /// In the order in which they were read from the systems.
    pub entries: Vec<AccessLogEntry>,
    /// Where to go on.
    pub next: u64,
}

impl AccessLog<'_> {
    /// Lines about any of these (entrances, systems, people, methods, credentials; none: all), read since an instant, at most 1,000, and the place
    /// to go on from: hand it to the next call, until fewer than `limit` come.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, about: &[Uuid], since: Option<DateTime<Utc>>, after: u64, limit: usize) -> Result<AccessLogPage> {
        let filter = EventFilter {
            event_types: vec![EventType::LOCK_UNLOCKED, EventType::LOCK_ACCESS_DENIED],
            about: about.to_vec(),
            since,
            ..EventFilter::default()
        };
        let page = self.ws.events().search(&filter, after, limit).await?;
        Ok(AccessLogPage { entries: page.events.iter().filter_map(|(_, event)| entry(event)).collect(), next: page.next })
    }
}

pub(super) fn entry(event: &Event) -> Option<AccessLogEntry> {
    fn id<T: FromStr>(event: &Event, key: &str) -> Option<T> {
        event.payload.get(key).and_then(Value::as_str)?.parse().ok()
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    Some(AccessLogEntry {
        occurred_at: event.occurred_at,
        acs_entrance_id: id(event, "acs_entrance_id")?,
        acs_system_id: id(event, "acs_system_id")?,
        opened: event.event_type == EventType::LOCK_UNLOCKED,
        method: text(event.payload.get("method")),
        reason_code: text(event.payload.get("reason").and_then(|r| r.get("reason_code"))),
        user_identity_id: id(event, "user_identity_id"),
        acs_user_id: id(event, "acs_user_id"),
        access_method_id: id(event, "access_method_id"),
        acs_credential_id: id(event, "acs_credential_id"),
    })
}
