//! A commit: what must hold, what is written, what is told.
use super::*;
use crate::model::{ChangesetId, EventId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A commit: all of it or nothing, and only if every precondition holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changeset {
    /// Names the commit: a commit whose answer was lost is looked up by it.
    pub id: ChangesetId,
    /// The tenant.
    pub workspace: WorkspaceId,
    /// What must hold.
    pub only_if: Vec<OnlyIf>,
    /// Rows to write. A row with version 0 is new and must not exist; any other must be stored in exactly this version.
    pub put: Vec<Row>,
    /// What is told.
    pub events: Vec<EventDraft>,
    /// Who did it and why.
    pub audit: Audit,
}

/// A predicate over what is stored. "The rows I read are unchanged" would make every two grants at the lobby conflict, so a decision
/// says what it really depends on. Rows that are written are always checked for their version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnlyIf {
    /// A row that is not written is still in this version (0: still not there).
    Unchanged {
        /// The row.
        row: RowId,
        /// Its version.
        version: u64,
    },
    /// A key still finds exactly these rows.
    Listed {
        /// The key.
        key: Key,
        /// The rows, in the order of their ids.
        rows: Vec<RowId>,
    },
    /// No claim of this key meets the window, with a gap, but those of the row `except`. In all workspaces: a PIN is taken at a physical door.
    Free {
        /// What is claimed.
        key: ClaimKey,
        /// From when.
        from: DateTime<Utc>,
        /// Until when; `None`: for good.
        until: Option<DateTime<Utc>>,
        /// Seconds that must lie between two holders.
        gap_seconds: i64,
        /// The row whose own claims do not count.
        except: RowId,
    },
    /// The channel is still held under this fence.
    Fence {
        /// The channel.
        channel: Channel,
        /// The fence.
        fence: u64,
    },
}

/// An event before the store has given it its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDraft {
    /// Its id.
    pub id: EventId,
    /// Its type, as `access_method.issued`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What its order is kept by: the person if there is one, else the resource.
    pub order_key: uuid::Uuid,
    /// The fields beside the common ones. Ids only; never a PIN, never a name.
    pub payload: serde_json::Map<String, serde_json::Value>,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Its place in the workspace's stream: 1, 2, 3, without a gap.
    pub seq: u64,
    /// The event.
    pub event: EventDraft,
}

/// Who did something, and why. Ids only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Who.
    pub actor: Actor,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What, as `access_grant.create`.
    pub what: String,
    /// What it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<RowId>,
    /// When, by the clock of the instance that decided.
    pub at: DateTime<Utc>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
#[non_exhaustive]
pub enum Actor {
    /// A member of staff, by the integrator's own id.
    Person(String),
    /// A kiosk.
    Kiosk(String),
    /// A program: a property management system, a script.
    Integration(String),
    /// This engine.
    Engine,
}

/// One link of the audit chain: a commit, hashed together with the link before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place in the workspace's chain: 1, 2, 3.
    pub seq: u64,
    /// The commit.
    pub changeset: ChangesetId,
    /// Who and why.
    pub audit: Audit,
    /// Ids and versions of the rows that were written.
    pub wrote: Vec<(RowId, u64)>,
    /// The place of the workspace's last event after it: the commit told the events after the previous entry's, up to this one.
    pub last_event: u64,
    /// SHA-256 over these events, in hexadecimal; empty when there are none. So the chain holds the events too.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub told: String,
    /// SHA-256 over the previous hash and this entry, in hexadecimal.
    pub hash: String,
}
