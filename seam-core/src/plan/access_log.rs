//! The access log of a system: read on and on, and told as `lock.unlocked` and `lock.access_denied`.
//!
//! Entries and the place to go on from are committed together: none is lost, none is told twice.
use super::begin::{CALL_LIMIT, CallPlan, CallWhat, MARGIN};
use super::draft::Draft;
use super::places::Here;
use super::read::Try;
use super::{doors, settle, spec};
use crate::model::{AcsEntranceId, AcsUserId, EventBody, EventType, UserIdentityId, time};
use crate::provider::{Failure, Kind, LogEntry, LogPage, SystemReport};
use crate::state::*;
use chrono::Duration;
use serde_json::{Value, json};

/// Makes, changes or stops the feed of a system as its report says.
pub(super) fn follow(d: &mut Draft<'_>, here: &Here<'_>, report: &SystemReport) -> Try<()> {
    let known = if here.known { known(d, here)? } else { None };
    let channel = doors::channel_of(&d.get::<System>(here.system)?, None);
    match (known, report.access_log_seconds) {
        (None, None) => {}
        (None, Some(every_seconds)) => {
            let id = d.env.mint();
            let work = Work { due_at: Some(d.now()), ..Work::default() };
            let (system, account) = (here.system, here.account);
            d.set(id, LogFeed { system, account, channel, every_seconds: every_seconds.max(1), cursor: None, read_at: None, work });
        }
        (Some((id, mut feed)), every) => {
            feed.channel = channel;
            match every {
                Some(seconds) => {
                    feed.every_seconds = seconds.max(1);
                    feed.work.due_at.get_or_insert(d.env.now);
                }
                None => feed.work = Work::default(),
            }
            d.set(id, feed);
        }
    }
    Ok(())
}

fn known(d: &Draft<'_>, here: &Here<'_>) -> Try<Option<(RowId, LogFeed)>> {
    for row in d.find(&Key::id(Index::PlacesOf, here.system))? {
        if let Some(feed) = d.try_get::<LogFeed>(row)? {
            return Ok(Some((row, feed)));
        }
    }
    Ok(None)
}

/// Begins to read the next page.
pub(super) fn begin(d: &mut Draft<'_>, row: RowId, fence: u64) -> Try<Option<CallPlan>> {
    let mut feed = d.get::<LogFeed>(row)?;
    if feed.work.due_at.is_none_or(|at| at > d.now()) {
        return Ok(None);
    }
    if d.get::<Account>(feed.account)?.deleted_at.is_some() {
        feed.work = Work::default();
        d.set(row, feed);
        return Ok(None);
    }
    feed.work.in_flight = Some(InFlight { fence, doing: Doing::Log });
    feed.work.due_at = Some(d.now() + CALL_LIMIT + MARGIN);
    let plan = CallPlan {
        row,
        account: feed.account,
        system: Some(spec::system_ref(d, feed.system)?),
        what: CallWhat::Log { cursor: feed.cursor.clone() },
        tag: spec::tag_of(row),
        attempt: feed.work.attempt + 1,
        within: CALL_LIMIT,
        operator: None,
    };
    d.set(row, feed);
    Ok(Some(plan))
}

/// Tells what a page says, and sets when the next one is read: at once while there is more.
pub(super) fn settle(d: &mut Draft<'_>, row: RowId, fence: u64, page: &Result<LogPage, Failure>) -> Try<()> {
    let mut feed = d.get::<LogFeed>(row)?;
    if feed.work.in_flight.is_none_or(|f| f.fence != fence) {
        return Ok(());
    }
    feed.work.in_flight = None;
    let now = d.now();
    match page {
        Ok(page) => {
            tell(d, &feed, &page.entries)?;
            let moved = page.next.is_some() && page.next != feed.cursor;
            if moved {
                feed.cursor.clone_from(&page.next);
            }
            let more = moved && !page.entries.is_empty();
            if !more {
                feed.read_at = Some(now);
            }
            let wait = Duration::seconds(if more { 0 } else { i64::from(feed.every_seconds) });
            feed.work = Work { due_at: Some(now + wait), ..Work::default() };
        }
        Err(failure) => {
            feed.work.attempt = feed.work.attempt.saturating_add(1);
            let at = settle::retry_at(d, failure, feed.work.attempt, now).unwrap_or(now + Duration::hours(1));
            let effect = failure.effect;
            feed.work.failure = Some(Failed { effect, reason: failure.reason, message: failure.message.clone(), at: now });
            feed.work.due_at = Some(at.max(now + Duration::seconds(i64::from(feed.every_seconds))));
        }
    }
    d.set(row, feed);
    Ok(())
}

fn tell(d: &mut Draft<'_>, feed: &LogFeed, entries: &[LogEntry]) -> Try<()> {
    let door = |entry: &LogEntry| place_key(feed.system, "entrance", &entry.door);
    d.reader().hint_keys(entries.iter().map(door));
    d.hint(entries.iter().filter_map(ours));
    d.gather()?;
    for entry in entries {
        // A door that has not been discovered yet has no id to tell of.
        let Some(entrance) = d.find(&door(entry))?.first().copied().map(AcsEntranceId::from_uuid) else { continue };
        let user = user_of(d, feed, entry)?;
        let kind = if entry.opened { EventType::LOCK_UNLOCKED } else { EventType::LOCK_ACCESS_DENIED };
        let body = EventBody::lock(kind.clone(), entrance, feed.system, feed.account, user.user, user.person);
        let mut fields = body.payload.into_inner();
        fields.insert("occurred_at".to_owned(), json!(time::text(entry.at)));
        fields.extend(user.fields);
        if entry.opened {
            fields.insert("method".to_owned(), json!(method_word(user.kind.or(entry.by))));
        } else if let Some(denial) = entry.denied {
            fields.insert("reason".to_owned(), json!({ "reason_code": denial.code(), "message": denial.message() }));
        }
        let about = user.person.map_or_else(|| entrance.uuid(), |p| p.uuid());
        d.event(kind.as_str(), about, Value::Object(fields.into_iter().collect()));
    }
    Ok(())
}

fn ours(entry: &LogEntry) -> Option<RowId> {
    entry.tag.as_ref().and_then(spec::row_of)
}

/// Who used what.
#[derive(Default)]
struct Used {
    user: Option<AcsUserId>,
    person: Option<UserIdentityId>,
    kind: Option<Kind>,
    fields: serde_json::Map<String, Value>,
}

fn user_of(d: &Draft<'_>, feed: &LogFeed, entry: &LogEntry) -> Try<Used> {
    let mut used = Used::default();
    let Some(row) = ours(entry) else { return Ok(used) };
    // A tag of our shape may still be somebody else's.
    let Some(t) = d.try_get::<Target>(row)?.filter(|t| t.system == feed.system) else { return Ok(used) };
    let mut tell = |key: &str, id: String| drop(used.fields.insert(key.to_owned(), json!(id)));
    match t.of {
        TargetOf::User(user) => {
            used.user = Some(user);
            used.person = d.try_get::<AcsUser>(user)?.and_then(|u| u.identity);
        }
        TargetOf::Method(method) => {
            tell("access_method_id", method.to_string());
            used.person = d.try_get::<Method>(method)?.map(|m| m.identity);
        }
        TargetOf::Stay(_) | TargetOf::Direct => {}
    }
    if let Some(credential) = t.credential() {
        tell("acs_credential_id", row.to_string());
        used.kind = Some(credential.kind);
        used.user = used.user.or(credential.user);
        used.person = used.person.or(credential.identity);
    }
    Ok(used)
}

/// How a door was opened, in the words of the event.
fn method_word(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Card) => "card",
        Some(Kind::Code) => "keycode",
        Some(Kind::CloudKey) => "remote",
        _ => "unknown",
    }
}
