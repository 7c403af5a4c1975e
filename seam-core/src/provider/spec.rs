//! What is wanted of a system.
use crate::model::{AcsEntranceId, Weekly, Window};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of thing that a system can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The room's stay: check-in, check-out.
    Stay,
    /// A user.
    User,
    /// A user's permission to pass doors (group membership, access level).
    Access,
    /// A PIN code.
    Code,
    /// A card.
    Card,
    /// A mobile key.
    MobileKey,
    /// A right to unlock remotely.
    CloudKey,
    /// A fingerprint, a face. It is only reported of what a system holds ([`Held`](super::Held)); nobody can ask for one.
    Biometric,
}

/// One thing that a system is to hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Want {
    /// A stay.
    Stay(StaySpec),
    /// A user.
    User(UserSpec),
    /// A permission.
    Access(AccessSpec),
    /// A credential.
    Credential(CredentialSpec),
}

impl Want {
    /// The kind of the thing.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Stay(_) => Kind::Stay,
            Self::User(_) => Kind::User,
            Self::Access(_) => Kind::Access,
            Self::Credential(c) => c.body.kind(),
        }
    }
}

/// A stay at the doors of one system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaySpec {
    /// The reservation key.
    pub key: String,
    /// The issue number at the doors: the stay's start in whole seconds since 1970, plus one for each re-opening.
    pub generation: u64,
    /// The doors of the stay.
    pub doors: Vec<Door>,
    /// The stay's window.
    pub window: Window,
}

/// A user. `Debug` leaves out who it is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct UserSpec {
    /// The name shown at the system; never empty.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number in E.164.
    pub phone: Option<String>,
    /// When the user may pass at all; `None` when only the permissions say.
    pub window: Option<Window>,
    /// Suspended users keep everything and open nothing.
    pub suspended: bool,
}

/// A user's permission to pass doors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessSpec {
    /// The user's handle, once the system has given one.
    pub user: Option<Handle>,
    /// The doors to open: exactly these.
    pub doors: Vec<Door>,
    /// Existing groups that together cover exactly these doors ([`Groups::Fixed`](super::Groups::Fixed)); else empty.
    pub groups: Vec<Handle>,
    /// When.
    pub window: Window,
    /// At which hours within the window.
    pub schedule: Option<Weekly>,
    /// Suspended permissions open nothing.
    pub suspended: bool,
}

/// A credential. `Debug` leaves out whose it is.
#[derive(Clone, Serialize, Deserialize)]
pub struct CredentialSpec {
    /// The user's handle, where credentials belong to users.
    pub user: Option<Handle>,
    /// The person's name, for the system's own lists.
    pub holder: String,
    /// The doors it opens at this system.
    pub doors: Vec<Door>,
    /// The credential's window (not the grant's: lead and grace are in it).
    pub window: Window,
    /// At which hours within the window.
    pub schedule: Option<Weekly>,
    /// Suspended credentials open nothing.
    pub suspended: bool,
    /// What it is.
    pub body: Body,
    /// The stay, and this credential's role in it; `None` for staff and where no door takes part in reservations.
    pub stay: Option<(StaySpec, Role)>,
}

/// What a credential is. `Debug` leaves out PINs, card numbers and phone numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// A PIN code. No `pin`: the system makes its own. `slot`: where to put it, on locks with slots, from 1.
    Code {
        /// The digits.
        #[serde(default, with = "super::secret")]
        pin: Option<SecretString>,
        /// The slot, from 1.
        slot: Option<u16>,
    },
    /// A card; `number` where a registered card is assigned.
    Card {
        /// The card's printed or serial number.
        number: Option<String>,
    },
    /// A mobile key; `endpoint` where the phone is known.
    MobileKey {
        /// The system's name of the phone.
        endpoint: Option<String>,
        /// The holder's phone number in E.164, where the system's report says that it needs one ([`KindRules::needs_phone_number`]) and the holder has one.
        ///
        /// [`KindRules::needs_phone_number`]: super::KindRules::needs_phone_number
        #[serde(default, with = "super::secret")]
        phone_number: Option<SecretString>,
    },
    /// A right to unlock remotely.
    CloudKey,
}

impl Body {
    /// A mobile key of which nothing is known but that it is wanted.
    #[must_use]
    pub const fn mobile_key() -> Self {
        Self::MobileKey { endpoint: None, phone_number: None }
    }
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Code { .. } => Kind::Code,
            Self::Card { .. } => Kind::Card,
            Self::MobileKey { .. } => Kind::MobileKey,
            Self::CloudKey => Kind::CloudKey,
        }
    }
}

impl fmt::Debug for UserSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSpec").field("window", &self.window).field("suspended", &self.suspended).finish_non_exhaustive()
    }
}

impl fmt::Debug for CredentialSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSpec")
            .field("body", &self.body)
            .field("doors", &self.doors)
            .field("window", &self.window)
            .field("schedule", &self.schedule)
            .field("suspended", &self.suspended)
            .field("stay", &self.stay)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { slot, .. } => f.debug_struct("Code").field("slot", slot).finish_non_exhaustive(),
            Self::Card { .. } => f.debug_struct("Card").finish_non_exhaustive(),
            Self::MobileKey { .. } => f.debug_struct("MobileKey").finish_non_exhaustive(),
            Self::CloudKey => f.write_str("CloudKey"),
        }
    }
}

/// The role of a credential in its stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Opens the stay: its first use ends the earlier guests' credentials at that door.
    Open,
    /// Joins the stay that `with` belong to.
    Join {
        /// Handles of credentials that are in the stay already.
        with: Vec<Handle>,
    },
    /// Copies a card of the same grant.
    Copy {
        /// The handle of the card that is copied.
        of: Handle,
    },
}

/// A door, as a provider needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Our id.
    pub id: AcsEntranceId,
    /// The vendor's name.
    pub handle: Handle,
    /// What it means for a stay.
    pub class: DoorClass,
}

/// What a door means for a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DoorClass {
    /// A guest room: takes part in override and join.
    Guest,
    /// A common door: offline, never overridden.
    Common,
    /// Opens for every guest by itself: nothing is sent.
    Implicit,
    /// An online door: the system decides at each opening.
    Online,
}

/// The vendor's ids of something, opaque to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub serde_json::Value);

impl Handle {
    /// A handle that is one string.
    #[must_use]
    pub fn text(s: impl Into<String>) -> Self {
        Self(serde_json::Value::String(s.into()))
    }
    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_str()
    }
}

/// Our short name of a row, stored at the vendor so that `find` works without a handle: at most 32 ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(pub String);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
