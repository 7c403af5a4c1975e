//! What a decision reads: rows by id, rows by key, claims near a window.
use super::*;
use crate::model::Window;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// By what rows are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[non_exhaustive]
pub enum Index {
    /// Unique: the idempotency key of an answer.
    Idempotency = 0,
    /// Unique: `access_grant_key`.
    GrantKey = 1,
    /// Unique: `space_key`.
    SpaceKey = 2,
    /// Unique: `user_identity_key`, merged ones included.
    IdentityKey = 3,
    /// Unique: keyed hash of an e-mail address.
    IdentityEmail = 4,
    /// Unique: keyed hash of a phone number.
    IdentityPhone = 5,
    /// Unique in all workspaces: the fingerprint of a system.
    Fingerprint = 6,
    /// Unique: a stay by reservation key and system.
    StayOf = 7,
    /// Unique: an entrance, group or encoder by system and vendor handle.
    Place = 8,
    /// Unique: a user by system and identity.
    UserOf = 9,
    /// Unique: an instant key by its short code.
    ShortCode = 10,
    /// Unique: an entrance, by the one physical lock it is, in all workspaces.
    Tagged = 11,
    /// Unique: a client session by the keyed hash of its token.
    SessionToken = 16,
    /// Unique: a client session that was not revoked, by the caller's key of its user.
    SessionFor = 17,
    /// Systems of an account.
    SystemsOf = 32,
    /// Entrances, groups, encoders of a system, and where its access log stands.
    PlacesOf = 33,
    /// Spaces that hold an entrance.
    SpacesWith = 34,
    /// Live grants of a person.
    GrantsOf = 35,
    /// Live grants on a space.
    GrantsOn = 36,
    /// Live grants of a reservation.
    Reservation = 38,
    /// Stays of a reservation.
    StaysOf = 39,
    /// Users of a person.
    UsersOf = 40,
    /// Live methods of a person.
    MethodsOf = 41,
    /// Live targets of a user at a system.
    TargetsOfUser = 42,
    /// Live targets at a system.
    TargetsAt = 43,
    /// Open questions of a workspace.
    Questions = 44,
    /// Open attempts for a method or credential.
    AttemptsFor = 45,
    /// Instant keys of a person.
    InstantKeysOf = 46,
    /// Unmanaged things of a system.
    UnmanagedAt = 47,
    /// Users in a group.
    MembersOf = 48,
    /// Rows by the number of the card that carries them.
    CardNumber = 49,
    /// Credentials issued to a person directly that keep the number of her card, dead or alive: to forget it.
    CardsOf = 50,
    /// Methods of guests without a stay whose keys outlast their grants by a grace at an entrance: the next stay there cuts it short.
    GracedAt = 51,
    /// Client sessions of a person.
    SessionsOf = 64,
    /// Webhooks of a workspace.
    Webhooks = 56,
}

impl Index {
    /// At most one row per key. The store refuses a second.
    #[must_use]
    pub fn is_unique(self) -> bool {
        (self as u8) < 32
    }
    /// The key is unique in the whole store, not per workspace.
    #[must_use]
    pub fn is_global(self) -> bool {
        matches!(self, Self::Fingerprint | Self::Tagged)
    }
}

/// An index and a key in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The index.
    pub index: Index,
    /// The key.
    pub key: Arc<str>,
}

impl Key {
    /// A key.
    #[must_use]
    pub fn new(index: Index, key: impl Into<Arc<str>>) -> Self {
        Self { index, key: key.into() }
    }
    /// A key that is an id.
    #[must_use]
    pub fn id(index: Index, id: impl Into<Uuid>) -> Self {
        Self::new(index, id.into().simple().to_string())
    }
    /// A key made of an id and a text.
    #[must_use]
    pub fn pair(index: Index, id: impl Into<Uuid>, text: &str) -> Self {
        Self::new(index, format!("{}/{text}", id.into().simple()))
    }
}

/// Something occupied for a time: a PIN or a slot at a door, a door by a stay.
///
/// `key` is 16 bytes of a keyed hash over the kind, the physical door (or system) and the value, so a store never learns a PIN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// What is occupied.
    pub key: ClaimKey,
    /// From when, inclusive.
    pub from: DateTime<Utc>,
    /// Until when, exclusive; `None`: until it is given up.
    pub until: Option<DateTime<Utc>>,
    /// Two claims of an exclusive key never overlap; others may.
    pub exclusive: bool,
}

impl Claim {
    /// Whether two claims of the same key meet, with `gap_seconds` between them.
    #[must_use]
    pub fn meets(&self, from: DateTime<Utc>, until: Option<DateTime<Utc>>, gap_seconds: i64) -> bool {
        let starts_before_theirs_end = self.until.and_then(|u| later(u, gap_seconds)).is_none_or(|u| from < u);
        let ends_after_theirs_start = until.and_then(|u| later(u, gap_seconds)).is_none_or(|u| self.from < u);
        starts_before_theirs_end && ends_after_theirs_start
    }
}

/// An instant moved by seconds; `None` when that is past the end of time.
pub(crate) fn later(at: DateTime<Utc>, seconds: i64) -> Option<DateTime<Utc>> {
    let moved = chrono::TimeDelta::try_seconds(seconds).and_then(|by| at.checked_add_signed(by));
    moved.or_else(|| (seconds < 0).then_some(DateTime::<Utc>::MIN_UTC))
}

/// What is occupied: 16 bytes of a keyed hash, in hexadecimal when serialised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimKey(pub Uuid);

impl std::fmt::Debug for ClaimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClaimKey({})", self.0.simple())
    }
}

/// A claim, and the row that makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// The row.
    pub row: RowId,
    /// The row's workspace.
    pub workspace: crate::model::WorkspaceId,
}

/// Claims of a key near a window: all that start within it, the last four that start before it, the first two that start after it.
/// Those that start at the same instant are in the order of their ends (none last), then of their rows. A claim that a row names twice
/// is told once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// The key.
    pub key: ClaimKey,
    /// Start of the window.
    pub from: DateTime<Utc>,
    /// End of the window, exclusive.
    pub until: Option<DateTime<Utc>>,
}

impl Near {
    /// Claims of `key` near `window`.
    #[must_use]
    pub fn new(key: ClaimKey, window: &Window) -> Self {
        Self { key, from: window.starts_at(), until: window.ends_at() }
    }
    /// How many claims that start before the window are told.
    pub const BEFORE: usize = 4;
    /// How many claims that start after the window are told.
    pub const AFTER: usize = 2;
}

/// What a decision wants to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Rows by id.
    pub rows: BTreeSet<RowId>,
    /// Rows by key.
    pub keys: BTreeSet<Key>,
    /// Claims.
    pub near: BTreeSet<Near>,
}

impl ReadSet {
    /// Nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.keys.is_empty() && self.near.is_empty()
    }
    /// Adds what another wants.
    pub fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.keys.extend(other.keys);
        self.near.extend(other.near);
    }
}

/// What was read. A row that is `None` is not there.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Rows by id, including all that were found by key.
    pub rows: BTreeMap<RowId, Option<Arc<Row>>>,
    /// Ids of the rows found by key, in the order of their ids.
    pub keys: BTreeMap<Key, Vec<RowId>>,
    /// Claims, in the order of their starts.
    pub near: BTreeMap<Near, Vec<Claimed>>,
}

impl Facts {
    /// What of `wanted` is not known yet.
    #[must_use]
    pub fn missing(&self, wanted: &ReadSet) -> ReadSet {
        ReadSet {
            rows: wanted.rows.iter().filter(|r| !self.rows.contains_key(*r)).copied().collect(),
            keys: wanted.keys.iter().filter(|k| !self.keys.contains_key(*k)).cloned().collect(),
            near: wanted.near.iter().filter(|n| !self.near.contains_key(*n)).cloned().collect(),
        }
    }
    /// Adds what was read later. A row that was known already keeps its first version, so that a decision sees one state of it;
    /// a commit notices if it has changed since.
    pub fn merge(&mut self, other: Self) {
        for (id, row) in other.rows {
            self.rows.entry(id).or_insert(row);
        }
        for (key, ids) in other.keys {
            self.keys.entry(key).or_insert(ids);
        }
        for (near, claims) in other.near {
            self.near.entry(near).or_insert(claims);
        }
    }
}
