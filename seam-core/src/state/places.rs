//! Rows of accounts, systems, entrances, groups, encoders, spaces, users.
use super::*;
use crate::model::{AccessGrantId, AcsAccessGroupId, AcsEntranceId, AcsSystemId, ConnectedAccountId, UserIdentityId, Weekly, Window};
use crate::provider::{EncoderReport, EntranceReport, Handle, Held, Kind, SystemReport};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something worth telling about a row: a warning or an error with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// A stable code in snake case.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// More fields.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// A tenant's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceRow {
    /// Its name.
    pub name: String,
    /// Made for trying things out: simulate calls are allowed.
    pub sandbox: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A connected account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The provider kind.
    pub kind: String,
    /// The settings, sealed.
    pub settings: Sealed,
    /// Counts up when the settings change, so that every instance opens the provider anew.
    pub settings_rev: u64,
    /// The provider's own record and its version.
    pub memo: Option<Sealed>,
    /// The version of that.
    pub memo_version: u64,
    /// When it was connected.
    pub created_at: DateTime<Utc>,
    /// When it was last read in full.
    pub synced_at: Option<DateTime<Utc>>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Note>,
    /// Discovery and drift: what is to be done next.
    pub work: Work,
    /// When it was disconnected.
    pub deleted_at: Option<DateTime<Utc>>,
    /// A change that would end more than the set share of the live access: it waits to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Note>,
}

impl Account {
    /// The channel of discovery and drift: the account itself, not the physical end of one system.
    #[must_use]
    pub fn channel(&self, id: RowId) -> Channel {
        Channel::new(&self.kind, &format!("account:{}", id.simple()))
    }
}

/// An access system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Its account.
    pub account: ConnectedAccountId,
    /// The provider kind.
    pub kind: String,
    /// What the provider last said of it. The planner reads this, never a live provider. Shared: decisions copy the row often.
    pub report: Arc<SystemReport>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// The account no longer shows it.
    pub missing_since: Option<DateTime<Utc>>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Note>,
    /// What is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Note>,
    /// Windows of credentials differ from those of grants by these, in seconds.
    #[serde(default)]
    pub graces: Graces,
    /// Kinds that the provider no longer says it holds. Their last rules stay in the report: what was put under them is changed and taken away
    /// under them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing_kinds: BTreeSet<Kind>,
}

/// By how much a credential's window is wider than the grant's, in seconds. Never past the next stay's start at that door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graces {
    /// Before the start.
    pub arrival: u32,
    /// After the end.
    pub departure: u32,
}

/// How far the access log of a system has been read. A row of its own: reading on does not disturb decisions that look at the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogFeed {
    /// The system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The physical end through which it is read.
    pub channel: Channel,
    /// How often it is read, in seconds.
    pub every_seconds: u32,
    /// Where to go on.
    pub cursor: Option<String>,
    /// When it was last read to its end.
    pub read_at: Option<DateTime<Utc>>,
    /// When it is read next; never after the system has stopped keeping a log.
    pub work: Work,
}

/// An entrance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entrance {
    /// Its system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// What the provider last said of it.
    pub report: Arc<EntranceReport>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// The system no longer shows it. Grants stay; nothing is taken away because a list got shorter.
    pub missing_since: Option<DateTime<Utc>>,
}

/// A group of an access system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The vendor's name.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// Its doors.
    pub entrances: Vec<AcsEntranceId>,
    /// When its members may pass at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// At which hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// The system no longer shows it.
    pub missing_since: Option<DateTime<Utc>>,
}

/// An encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// Its system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The provider kind.
    pub kind: String,
    /// What the provider last said of it.
    pub report: EncoderReport,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// The system no longer shows it.
    pub missing_since: Option<DateTime<Utc>>,
    /// After an unknown outcome: not to be used before this instant, so that no guest's key lands on the next guest's card.
    pub quarantined_until: Option<DateTime<Utc>>,
    /// A reader of our own: the system computes what is written and does not list it. Its handle is its end, as `local:usb:reader-3`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

impl Encoder {
    /// The channel that a job at it occupies.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Channel::new(&self.kind, &self.report.channel.key)
    }
}

/// A space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// The caller's key.
    pub key: Option<String>,
    /// The customer it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// Stay defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_data: Option<serde_json::Value>,
    /// Its entrances, in the order in which they were added.
    pub entrances: Vec<AcsEntranceId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted. Kept for history.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A user of an access system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcsUser {
    /// Its system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The person; `None` for a user without an identity.
    pub identity: Option<UserIdentityId>,
    /// Name, e-mail and phone, sealed, where there is no identity that holds them.
    pub profile: Option<Sealed>,
    /// The target that carries it to the system.
    pub target: RowId,
    /// Groups that it was put into directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<AcsAccessGroupId>,
    /// When it may pass.
    pub schedule: Option<Window>,
    /// Suspended by us.
    pub suspended: bool,
    /// Made by hand: she stays when no grant asks for her any more.
    #[serde(default)]
    pub by_hand: bool,
    /// What the groups of the system can no longer give exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misfits: Vec<Misfit>,
    /// What the system had when the last change of it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<UserBefore>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What a system has of a user while a change is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserBefore {
    /// The revision of the user's target that was in place.
    pub rev: u64,
    /// Suspended there.
    pub suspended: bool,
    /// When it may pass, there.
    pub schedule: Option<Window>,
}

/// A grant that the groups of a system, changed there, can no longer give exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    /// The grant.
    pub grant: AccessGrantId,
    /// Its entrances that no group opens without opening others too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<AcsEntranceId>,
    /// Entrances that are not its own, and that the groups open in which its person is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_opens: Vec<AcsEntranceId>,
}

/// Something that a system holds and that is not ours. It is shown and never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unmanaged {
    /// Its system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// What was seen. A PIN is not kept; it is in the claims as a keyed hash.
    pub held: Held,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// It is no longer there.
    pub gone_at: Option<DateTime<Utc>>,
    /// The PINs that it occupies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

/// The key of a place: its system and the vendor's handle.
#[must_use]
pub fn place_key(system: AcsSystemId, what: &str, handle: &Handle) -> Key {
    Key::pair(Index::Place, system, &format!("{what}:{}", handle.0))
}

impl Account {
    pub(super) fn lookups(&self) -> Vec<Key> {
        Vec::new()
    }
}
impl System {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![Key::new(Index::Fingerprint, self.report.fingerprint.as_str()), Key::id(Index::SystemsOf, self.account)]
    }
}
impl Entrance {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![place_key(self.system, "entrance", &self.report.handle), Key::id(Index::PlacesOf, self.system)]
    }
}
impl Group {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![place_key(self.system, "group", &self.handle), Key::id(Index::PlacesOf, self.system)]
    }
}
impl Encoder {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![place_key(self.system, "encoder", &self.report.handle), Key::id(Index::PlacesOf, self.system)]
    }
}
impl LogFeed {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![Key::id(Index::PlacesOf, self.system)]
    }
}
impl Space {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() {
            return Vec::new();
        }
        let mut keys: Vec<Key> = self.entrances.iter().map(|e| Key::id(Index::SpacesWith, *e)).collect();
        keys.extend(self.key.as_ref().map(|k| Key::new(Index::SpaceKey, k.as_str())));
        keys
    }
}
impl AcsUser {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() {
            return Vec::new();
        }
        let mut keys = Vec::new();
        if let Some(identity) = self.identity {
            keys.push(Key::pair(Index::UserOf, self.system, &identity.to_string()));
            keys.push(Key::id(Index::UsersOf, identity));
        }
        keys.extend(self.groups.iter().map(|g| Key::id(Index::MembersOf, *g)));
        keys
    }
}
impl Unmanaged {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.gone_at.is_some() {
            return Vec::new();
        }
        vec![Key::id(Index::UnmanagedAt, self.system), place_key(self.system, "held", &self.held.handle)]
    }
}

/// The user that one person is at one system.
#[must_use]
pub fn user_key(system: AcsSystemId, identity: UserIdentityId) -> Key {
    Key::pair(Index::UserOf, system, &identity.to_string())
}
