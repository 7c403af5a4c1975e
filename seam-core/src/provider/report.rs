//! What a provider says of its systems. Stored; the planner reads it, never a live provider.
use crate::provider::{Handle, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One system and its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SystemReport {
    /// The vendor's name of the system.
    pub handle: Handle,
    /// Its name for people.
    pub name: String,
    /// What it is, in the vendor's words (`external_type`).
    pub external_type: String,
    /// The label of that.
    pub external_type_display_name: String,
    /// Names the physical installation. A fingerprint is connected once per store.
    pub fingerprint: String,
    /// IANA time zone of the site.
    pub time_zone: Option<String>,
    /// What it can hold, and how.
    pub kinds: BTreeMap<Kind, KindRules>,
    /// How stays work; `None` where nothing is overridden.
    pub stay: Option<StayRules>,
    /// How PINs work.
    pub pin: Option<PinRules>,
    /// How permissions are given.
    pub groups: Groups,
    /// The physical end through which everything of this system goes.
    pub channel: ChannelReport,
    /// How the kinds are called here (`external_type` of credentials, users, groups), by kind.
    pub external_types: BTreeMap<Kind, String>,
    /// How often its access log is to be read, in seconds; `None` where it has none, or none that can be read.
    #[serde(default)]
    pub access_log_seconds: Option<u32>,
}

impl SystemReport {
    /// A report without any ability; set the fields that apply.
    #[must_use]
    pub fn new(handle: Handle, name: impl Into<String>, fingerprint: impl Into<String>, channel: ChannelReport) -> Self {
        Self {
            handle,
            name: name.into(),
            external_type: String::new(),
            external_type_display_name: String::new(),
            fingerprint: fingerprint.into(),
            time_zone: None,
            kinds: BTreeMap::new(),
            stay: None,
            pin: None,
            groups: Groups::None,
            channel,
            external_types: BTreeMap::new(),
            access_log_seconds: None,
        }
    }
}

/// How one kind behaves at a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KindRules {
    /// May `put` be sent again after an unknown outcome?
    pub repeat: Repeat,
    /// What can be read back.
    pub read_back: ReadBack,
    /// Who ends it.
    pub ends: EndsBy,
    /// How many doors one credential may have.
    pub doors: DoorLimit,
    /// Can it be suspended in place? Else it is removed and put again.
    pub suspend: bool,
    /// Does the system keep a weekly schedule?
    pub schedule: bool,
    /// How a card is made; `None` for other kinds.
    pub card: Option<CardPath>,
    /// The longest window in seconds, where there is one.
    pub longest_seconds: Option<u64>,
    /// Whether an end is required. Then an ongoing grant gets a rolling end that the engine renews.
    pub end_required: bool,
    /// Windows are kept at this resolution, in seconds (1, 60, 86 400); rounded inwards.
    pub resolution_seconds: u32,
    /// How long before the start it may be loaded, in seconds; 0 where it would open as soon as it is there.
    pub load_ahead_seconds: u64,
    /// A mobile key is sent to its holder's phone number. Where this is not said, no number leaves the store with a credential.
    #[serde(default)]
    pub needs_phone_number: bool,
}

impl KindRules {
    /// The most capable rules: safe to repeat, read back in full, ended by the system itself, any number of doors.
    #[must_use]
    pub fn full() -> Self {
        Self {
            repeat: Repeat::Safe,
            read_back: ReadBack::Full,
            ends: EndsBy::Itself,
            doors: DoorLimit::Many { guest: u16::MAX, common: u16::MAX },
            suspend: true,
            schedule: false,
            card: None,
            longest_seconds: None,
            end_required: false,
            resolution_seconds: 1,
            load_ahead_seconds: 72 * 3600,
            needs_phone_number: false,
        }
    }
}

/// May `put` be sent again after an unknown outcome? (`remove` always may.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Yes: it overwrites the same place.
    Safe,
    /// After looking for our tag.
    AfterFind,
    /// Never: a person decides.
    Never,
}

/// What can be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBack {
    /// Nothing.
    None,
    /// Whether it is there.
    Existence,
    /// All of it.
    Full,
}

/// Who ends a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndsBy {
    /// The lock or the system keeps the window.
    Itself,
    /// Our timer: if we are down it stays open. Shown as a warning.
    Engine,
}

/// How many doors one credential may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorLimit {
    /// One: a credential per door.
    One,
    /// So many of each class.
    Many {
        /// Guest doors.
        guest: u16,
        /// Other doors.
        common: u16,
    },
    /// The user's permissions say; the credential has none.
    ByUser,
}

/// How a card is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardPath {
    /// The system's encoder writes it; nothing is sent before.
    VendorEncoder,
    /// The credential is put first, then the system's encoder writes it.
    PushThenVendorEncoder,
    /// Our encoder writes an image that the system computes.
    OwnEncoder,
    /// A registered card is assigned by its number.
    Preassigned,
}

/// How stays work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayRules {
    /// What a joiner refers to.
    pub join: JoinBy,
    /// The role is given per door (else per credential: then a narrower one before the opener is refused).
    pub role_per_door: bool,
    /// Guests' credentials need a reservation at doors that can belong to one.
    pub required: bool,
    /// By how much a lock's issue number may jump at once, in seconds; `None`: unbounded. Numbers are starts of stays: after a room was left empty
    /// for longer, the next stay gets a number that is in reach of the last one. A lock that saw none of the keys made in the half of this time
    /// before needs whatever its maker has for that: a service card, say.
    pub longest_jump_seconds: Option<u64>,
}

/// What a joiner refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinBy {
    /// The room's current guest: a later stay's first key waits until the earlier stay is closed.
    CurrentGuest,
    /// A list of cards.
    CardList,
    /// A key of the stay.
    Key,
    /// The issue number.
    Generation,
}

/// How PINs work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PinRules {
    /// The system makes the PIN.
    pub made_by_vendor: bool,
    /// Shortest PIN, in digits.
    pub shortest: u8,
    /// Longest PIN, in digits.
    pub longest: u8,
    /// The largest value, where the PIN is a number.
    pub max: Option<u64>,
    /// The PIN belongs to the user: one for all her grants.
    pub per_user: bool,
    /// Unique in the whole system, not only per door.
    pub unique_in_system: bool,
    /// Number of slots per door, where the lock has slots.
    pub slots: Option<u16>,
    /// The time that must lie between two holders of the same PIN, in seconds.
    pub gap_seconds: u32,
}

impl PinRules {
    /// Our PINs of `shortest..=longest` digits, unique per door, an hour between two holders.
    #[must_use]
    pub fn digits(shortest: u8, longest: u8) -> Self {
        Self {
            made_by_vendor: false,
            shortest,
            longest,
            max: None,
            per_user: false,
            unique_in_system: false,
            slots: None,
            gap_seconds: 3600,
        }
    }
}

/// How permissions are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    /// No groups: credentials name their doors.
    None,
    /// Existing groups only: exact cover or `Unsupported`.
    Fixed,
    /// The provider makes a group per permission.
    Own,
}

/// A physical end: host and port, encoder, cloud account, USB reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChannelReport {
    /// Names the physical end in all the world: `tcp://host:8090`, `api.example.com#account`.
    pub key: String,
    /// Requests at once, at least 1.
    pub in_flight: u16,
    /// Calls that may begin per second. One call of ours may be several requests: say what one call comes to.
    pub per_second: Option<f32>,
    /// Reachable only from the machine that has it (a USB reader).
    pub local: bool,
}

impl ChannelReport {
    /// A channel with so many requests at once.
    #[must_use]
    pub fn new(key: impl Into<String>, in_flight: u16) -> Self {
        Self { key: key.into(), in_flight: in_flight.max(1), per_second: None, local: false }
    }
}
