//! The audit chain: every commit is hashed together with the one before it, so that what was changed, dropped, added or moved
//! afterwards is found. A cut tail is found by whoever knows a later hash: keep the last one elsewhere from time to time.
use super::vault::hex;
use crate::model::WorkspaceId;
use crate::state::{AuditEntry, EventDraft, StoredEvent};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash before a workspace's first audit entry. It names the workspace, so that chains cannot be swapped.
#[must_use]
pub fn audit_genesis(workspace: WorkspaceId) -> String {
    let mut hash = Sha256::new();
    hash.update(b"seam audit v1");
    hash.update(workspace.uuid().as_bytes());
    hex(&hash.finalize())
}

/// Verifies a stretch of a workspace's audit chain. `head_before` is the hash of the entry before the first one, or [`audit_genesis`].
///
/// That the stretch reaches as far as it should is for the caller to see: by its last `seq` and hash.
///
/// # Errors
/// The `seq` of the first entry that does not verify.
pub fn verify_audit(entries: &[AuditEntry], head_before: &str) -> Result<(), u64> {
    let mut head = head_before;
    let mut last: Option<(u64, u64)> = None;
    for entry in entries {
        let follows = last.is_none_or(|(seq, event)| entry.seq == seq + 1 && entry.last_event >= event);
        if !follows || entry_hash(head, entry) != entry.hash {
            return Err(entry.seq);
        }
        head = &entry.hash;
        last = Some((entry.seq, entry.last_event));
    }
    Ok(())
}

/// Verifies that these events are the ones that a commit told. They are those after the previous entry's
/// [`last_event`](AuditEntry::last_event) up to this one's.
#[must_use]
pub fn verify_told(entry: &AuditEntry, events: &[StoredEvent]) -> bool {
    let first = (entry.last_event + 1).checked_sub(events.len() as u64);
    let in_place = events.iter().enumerate().all(|(n, e)| first.is_some_and(|first| e.seq == first + n as u64));
    in_place && digest(events.iter().map(|e| &e.event)) == entry.told
}

/// SHA-256 over the events of a commit; empty where there are none.
pub(super) fn events_digest(events: &[EventDraft]) -> String {
    digest(events.iter())
}

fn digest<'a>(events: impl Iterator<Item = &'a EventDraft>) -> String {
    let mut sink = Sink(Sha256::new());
    let mut any = false;
    for event in events {
        any = true;
        sink.json(&Canonical::from(event));
    }
    if any { sink.finish() } else { String::new() }
}

/// SHA-256 over the hash before and the entry, its own hash left out.
pub(super) fn entry_hash(before: &str, entry: &AuditEntry) -> String {
    let mut sink = Sink(Sha256::new());
    sink.0.update(before.as_bytes());
    let AuditEntry { seq, changeset, audit, wrote, last_event, told, hash: _ } = entry;
    sink.json(&(seq, changeset, audit, wrote, last_event, told));
    sink.finish()
}

/// Hashes JSON while it is written.
struct Sink(Sha256);

impl Sink {
    fn json(&mut self, value: &impl Serialize) {
        // What has no JSON (it cannot happen to these types) is hashed as if it were absent, on both sides alike.
        let _ = serde_json::to_writer(&mut *self, value);
        self.0.update(b"\n");
    }
    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An event with the keys of its maps in order, whatever order a host's build of `serde_json` keeps them in.
#[derive(Serialize)]
struct Canonical<'a> {
    id: crate::model::EventId,
    event_type: &'a str,
    at: chrono::DateTime<chrono::Utc>,
    order_key: uuid::Uuid,
    payload: Map<'a>,
}

impl<'a> From<&'a EventDraft> for Canonical<'a> {
    fn from(e: &'a EventDraft) -> Self {
        Self { id: e.id, event_type: &e.event_type, at: e.at, order_key: e.order_key, payload: Map(&e.payload) }
    }
}

struct Map<'a>(&'a serde_json::Map<String, Value>);
struct Any<'a>(&'a Value);

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let mut map = s.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            map.serialize_entry(key, &Any(value))?;
        }
        map.end()
    }
}

impl Serialize for Any<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => Map(map).serialize(s),
            Value::Array(items) => {
                let mut seq = s.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Any(item))?;
                }
                seq.end()
            }
            plain => plain.serialize(s),
        }
    }
}
