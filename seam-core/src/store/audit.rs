//! The audit chain: every commit is hashed together with the one before it, so that what was changed, dropped, added or moved
//! afterwards is found. A cut tail is found by whoever knows a later hash: keep the last one elsewhere from time to time.
//!
//! Two steps, because the second alone must wait for its turn: what a commit says of itself is hashed by whoever asks for it; the store then
//! hashes that digest together with the hash before it and the commit's place.
use super::vault::hex;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::{Audit, AuditEntry, EventDraft, RowId, StoredEvent};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// The hash before a workspace's first audit entry. It names the workspace, so that chains cannot be swapped.
#[must_use]
pub fn audit_genesis(workspace: WorkspaceId) -> String {
    hex(&genesis(workspace))
}

/// Verifies a stretch of a workspace's audit chain. `head_before` is the hash of the entry before the first one, or [`audit_genesis`].
///
/// That the stretch reaches as far as it should is for the caller to see: by its last `seq` and hash.
///
/// # Errors
/// The `seq` of the first entry that does not verify.
pub fn verify_audit(entries: &[AuditEntry], head_before: &str) -> Result<(), u64> {
    let mut head = read(head_before);
    let mut last: Option<(u64, u64)> = None;
    for entry in entries {
        let follows = last.is_none_or(|(seq, event)| entry.seq == seq + 1 && entry.last_event >= event);
        let hash = head.and_then(|head| entry_hash(&head, entry)).filter(|hash| follows && hex(hash) == entry.hash);
        if hash.is_none() {
            return Err(entry.seq);
        }
        head = hash;
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
    in_place && told(events.iter().map(|e| &e.event)).map_or_else(String::new, |hash| hex(&hash)) == entry.told
}

pub(super) fn genesis(workspace: WorkspaceId) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"seam audit v2");
    hash.update(workspace.uuid().as_bytes());
    hash.finalize().into()
}

/// The SHA-256 of the events of a commit, written as a JSON list with the keys of all maps in order; `None` where there are none.
pub(super) fn told<'a>(events: impl ExactSizeIterator<Item = &'a EventDraft>) -> Option<Hash> {
    if events.len() == 0 {
        return None;
    }
    let list: Vec<Canonical<'_>> = events.map(Canonical::from).collect();
    Some(Sha256::digest(json(&list)).into())
}

/// What a commit says of itself: its id, the rows it wrote with their new versions, what it told, who did it and why (written as JSON).
pub(super) fn content(
    changeset: ChangesetId,
    wrote: impl ExactSizeIterator<Item = (RowId, u64)>,
    told: Option<&Hash>,
    audit: &Audit,
) -> Hash {
    let audit = json(audit);
    let mut bytes = Vec::with_capacity(16 + 8 + wrote.len() * 24 + 33 + audit.len());
    bytes.extend_from_slice(changeset.uuid().as_bytes());
    bytes.extend_from_slice(&(wrote.len() as u64).to_be_bytes());
    for (id, version) in wrote {
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&version.to_be_bytes());
    }
    bytes.push(u8::from(told.is_some()));
    bytes.extend_from_slice(told.map_or(&[], |hash| &hash[..]));
    bytes.extend_from_slice(&audit);
    Sha256::digest(&bytes).into()
}

/// The hash of an entry: over the hash before it, its place, and what the commit says of itself.
pub(super) fn link(before: &Hash, seq: u64, last_event: u64, content: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(seq.to_be_bytes());
    hash.update(last_event.to_be_bytes());
    hash.update(content);
    hash.finalize().into()
}

fn entry_hash(before: &Hash, entry: &AuditEntry) -> Option<Hash> {
    let AuditEntry { seq, changeset, audit, wrote, last_event, told, hash: _ } = entry;
    let told = if told.is_empty() { None } else { Some(read(told)?) };
    Some(link(before, *seq, *last_event, &content(*changeset, wrote.iter().copied(), told.as_ref(), audit)))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(1_024);
    // What has no JSON (it cannot happen to these types) is hashed as if it were absent, on both sides alike.
    serde_json::to_writer(&mut text, value).map(|()| text).unwrap_or_default()
}

/// A hash as it is written: 64 digits, small letters.
fn read(text: &str) -> Option<Hash> {
    let hash: Hash = super::vault::unhex(text)?.try_into().ok()?;
    (hex(&hash) == text).then_some(hash)
}

/// An event with the keys of its maps in order, whatever order a host's build of `serde_json` keeps them in.
#[derive(Serialize)]
struct Canonical<'a> {
    id: crate::model::EventId,
    #[serde(rename = "type")]
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
