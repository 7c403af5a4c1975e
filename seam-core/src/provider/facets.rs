//! Optional abilities of a provider.
use crate::encoder::{CardImage, CardSeen, JobControl};
use crate::model::{Weekly, Window};
use crate::provider::{Call, ChannelReport, CredentialSpec, Door, DoorClass, Failure, Handle, Kind, Receipt, SystemRef, Tag};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lists what a system has.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// All entrances.
    ///
    /// # Errors
    /// `Nothing` when the system cannot be reached now, `Refused` for the login. Never `Unknown`: reading changes nothing.
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure>;
    /// All groups with their doors.
    ///
    /// # Errors
    /// As [`entrances`](Self::entrances).
    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure>;
    /// What the system holds, whoever put it there, a page at a time. `None`: the system cannot list. Kinds without a read-back need not be on the list: that
    /// one of them is not means nothing.
    ///
    /// # Errors
    /// As [`entrances`](Self::entrances); `Refused` ([`Reason::Invalid`](super::Reason::Invalid)) for a cursor that was never given.
    async fn held(&self, system: &SystemRef, cursor: Option<&str>) -> Result<Option<HeldPage>, Failure>;
}

/// An entrance, as the system reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntranceReport {
    /// The vendor's name.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// What it means for a stay.
    pub class: DoorClass,
    /// A PIN works.
    pub code: bool,
    /// A card works.
    pub card: bool,
    /// A mobile key works.
    pub mobile_key: bool,
    /// Remote unlock by a person works.
    pub cloud_key: bool,
    /// Takes part in override and join.
    pub reservation: bool,
    /// A channel of its own, where the lock is reached directly; else the system's.
    pub channel: Option<ChannelReport>,
    /// The vendor's own facts, for `<kind>_metadata`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

impl EntranceReport {
    /// An entrance that can do nothing yet; set the fields that apply.
    #[must_use]
    pub fn new(handle: Handle, name: impl Into<String>, class: DoorClass) -> Self {
        Self {
            handle,
            name: name.into(),
            class,
            code: false,
            card: false,
            mobile_key: false,
            cloud_key: false,
            reservation: false,
            channel: None,
            metadata: serde_json::Map::new(),
        }
    }
}

/// A group, as the system reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupReport {
    /// The vendor's name.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// Handles of its entrances.
    pub entrances: Vec<Handle>,
    /// When its members may pass at all; `None`: only the membership says.
    #[serde(default)]
    pub window: Option<Window>,
    /// At which hours, in the time zone of the site; `None`: at all hours.
    #[serde(default)]
    pub schedule: Option<Weekly>,
}

impl GroupReport {
    /// A group.
    #[must_use]
    pub fn new(handle: Handle, name: impl Into<String>, entrances: Vec<Handle>) -> Self {
        Self { handle, name: name.into(), entrances, window: None, schedule: None }
    }
}

/// A page of what a system holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeldPage {
    /// The things.
    pub things: Vec<Held>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl HeldPage {
    /// A page.
    #[must_use]
    pub fn new(things: Vec<Held>, next: Option<String>) -> Self {
        Self { things, next }
    }
}

/// Something that a system holds. Two are equal when all but their PINs are. `Debug` leaves out whose it is.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Held {
    /// What it is.
    pub kind: Kind,
    /// The vendor's ids.
    pub handle: Handle,
    /// Our tag, if it carries one.
    pub tag: Option<Tag>,
    /// The name for people, where there is one.
    pub name: Option<String>,
    /// Handles of its doors, where shown.
    pub doors: Vec<Handle>,
    /// Its window, where shown.
    pub window: Option<Window>,
    /// The PIN, where shown: only its keyed digest is kept.
    #[serde(skip)]
    pub pin: Option<secrecy::SecretString>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("kind", &self.kind)
            .field("handle", &self.handle)
            .field("tag", &self.tag)
            .field("doors", &self.doors)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.handle, &self.tag, &self.name, &self.doors, &self.window)
            == (other.kind, &other.handle, &other.tag, &other.name, &other.doors, &other.window)
    }
}

impl Held {
    /// Something held.
    #[must_use]
    pub fn new(kind: Kind, handle: Handle, tag: Option<Tag>) -> Self {
        Self { kind, handle, tag, name: None, doors: Vec::new(), window: None, pin: None }
    }
}

/// Encoders that the system owns.
#[async_trait]
pub trait VendorEncoders: Send + Sync {
    /// All encoders.
    ///
    /// # Errors
    /// As [`Inventory::entrances`].
    async fn list(&self, system: &SystemRef) -> Result<Vec<EncoderReport>, Failure>;
    /// Writes a card that a person presents.
    ///
    /// # Errors
    /// `Nothing` when no card came ([`Reason::TimedOut`](super::Reason::TimedOut)) or the encoder is busy; `Refused` for a card that must not be
    /// written; `Unknown` once a card may have been written: the encoder is then left alone until its own card wait has passed.
    async fn encode(
        &self,
        card: &CredentialSpec,
        had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure>;
    /// Reads a card that a person presents.
    ///
    /// # Errors
    /// `Nothing` when no card came or the encoder is busy, `Refused` for one that cannot be read. Never `Unknown`.
    async fn read(&self, at: &Handle, call: &Call<'_>, control: &JobControl) -> Result<CardSeen, Failure>;
}

/// An encoder, as the system reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EncoderReport {
    /// The vendor's name.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// The channel that a job at it occupies.
    pub channel: ChannelReport,
    /// The system's own card wait in seconds: so long is the encoder left alone after an unknown outcome.
    pub card_wait_seconds: u32,
}

impl EncoderReport {
    /// An encoder.
    #[must_use]
    pub fn new(handle: Handle, name: impl Into<String>, channel: ChannelReport, card_wait_seconds: u32) -> Self {
        Self { handle, name: name.into(), channel, card_wait_seconds }
    }
}

/// Card images that the system computes for our own encoder.
#[async_trait]
pub trait CardImages: Send + Sync {
    /// The image for this card.
    ///
    /// # Errors
    /// `Refused` when the system makes no image for such a card; `Nothing` when it cannot be reached now; `Unknown` when it may have counted the
    /// card as made.
    async fn image(&self, card: &CredentialSpec, had: Option<&Handle>, on: &CardSeen, call: &Call<'_>) -> Result<CardImage, Failure>;
}

/// Remote unlock.
#[async_trait]
pub trait RemoteUnlock: Send + Sync {
    /// Unlocks a door on behalf of the holder of a credential.
    ///
    /// # Errors
    /// `Refused` ([`Reason::Forbidden`](super::Reason::Forbidden)) when the credential does not open the door now; `Unknown` when it may have been
    /// unlocked. A door is never unlocked a second time by itself.
    async fn unlock(&self, credential: &CredentialSpec, had: Option<&Handle>, door: &Door, call: &Call<'_>) -> Result<Receipt, Failure>;
}

/// The record of who opened what. A system that has one reports [`access_log_seconds`](crate::provider::SystemReport::access_log_seconds).
#[async_trait]
pub trait AccessLog: Send + Sync {
    /// One page of entries after `cursor`, oldest first. `None`: from where the system begins to tell; what is older than a month may be left out.
    ///
    /// An entry may come twice after a crash only if the same cursor gives it again; the engine keeps the cursor together with the entries.
    ///
    /// # Errors
    /// Never `Unknown`: reading changes nothing.
    async fn entries(&self, system: &SystemRef, cursor: Option<&str>) -> Result<LogPage, Failure>;
}

/// A page of an access log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogPage {
    /// Its lines, oldest first.
    pub entries: Vec<LogEntry>,
    /// Where to go on; `None` keeps the cursor that was given.
    pub next: Option<String>,
}

impl LogPage {
    /// A page.
    #[must_use]
    pub fn new(entries: Vec<LogEntry>, next: Option<String>) -> Self {
        Self { entries, next }
    }
}

/// One line of an access log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// When, by the lock's or the system's clock.
    pub at: DateTime<Utc>,
    /// The door.
    pub door: Handle,
    /// The credential, where known.
    pub credential: Option<Handle>,
    /// Our tag of the credential, where the system shows it.
    pub tag: Option<Tag>,
    /// What was used, where the system tells it of a credential that it does not name.
    pub by: Option<Kind>,
    /// Opened or refused.
    pub opened: bool,
    /// Why it was refused, where the system tells.
    pub denied: Option<Denial>,
}

impl LogEntry {
    /// A line.
    #[must_use]
    pub fn new(at: DateTime<Utc>, door: Handle, opened: bool) -> Self {
        Self { at, door, credential: None, tag: None, by: None, opened, denied: None }
    }
}

/// Why a door refused, in the words of the event `lock.access_denied`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Denial {
    /// A PIN that the lock does not know.
    UnknownCode,
    /// A PIN whose time is over.
    ExpiredCode,
    /// A credential that was revoked at the lock.
    BlocklistedCode,
    /// The lock takes no PIN for a while.
    TooManyAttempts,
    /// Somebody inside has locked the door.
    BlockedByPrivacyMode,
    /// Anything else about the credential: not for this door, not at this time, overridden, unreadable.
    CredentialError,
}

impl Denial {
    /// The code of the event.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::ExpiredCode => "expired_code",
            Self::BlocklistedCode => "blocklisted_code",
            Self::TooManyAttempts => "too_many_attempts",
            Self::BlockedByPrivacyMode => "blocked_by_privacy_mode",
            Self::CredentialError => "credential_error",
        }
    }
    /// One sentence.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnknownCode => "The code is not known at this door.",
            Self::ExpiredCode => "The code is no longer valid.",
            Self::BlocklistedCode => "The credential is blocked at this door.",
            Self::TooManyAttempts => "There were too many wrong codes.",
            Self::BlockedByPrivacyMode => "The door is in privacy mode.",
            Self::CredentialError => "The credential does not open this door now.",
        }
    }
}
