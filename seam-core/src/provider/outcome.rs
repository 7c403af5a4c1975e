//! What a call came to: typed certainty.
pub use crate::error::Effect;
use crate::model::Window;
use crate::provider::Handle;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How sure the system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The system took it; whether it is in force was not seen.
    Accepted,
    /// It was read back, or the device itself confirmed it.
    Verified,
}

/// A call that succeeded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// How sure the system is.
    pub certainty: Certainty,
    /// The vendor's ids, to be given back with the next call.
    pub handle: Option<Handle>,
    /// What the system made by itself.
    pub made: Made,
    /// What is still missing before it opens a door.
    pub needs: Needs,
    /// Look again at this instant (the system is still working on it), or renew (a short-lived document).
    pub again_at: Option<DateTime<Utc>>,
    /// Until when what was taken away with this call may still open, as far as the system can tell. `None`: nothing of it does.
    ///
    /// After a remove that is the whole thing. After a put with fewer rights (fewer doors, a shorter window, fewer hours, suspended) it is what the
    /// thing could do before and is wanted no more: what is wanted *is* in force all the same, so that an [`Accepted`](Certainty::Accepted)
    /// receipt with an instant here is issued, and not verified before that instant.
    pub may_open_until: Option<DateTime<Utc>>,
}

impl Receipt {
    /// Taken by the system, not yet seen in force.
    #[must_use]
    pub fn accepted() -> Self {
        Self {
            certainty: Certainty::Accepted,
            handle: None,
            made: Made::default(),
            needs: Needs::Nothing,
            again_at: None,
            may_open_until: None,
        }
    }
    /// Read back, or confirmed by the device.
    #[must_use]
    pub fn verified() -> Self {
        Self { certainty: Certainty::Verified, ..Self::accepted() }
    }
    /// With the vendor's ids.
    #[must_use]
    pub fn with_handle(mut self, handle: Handle) -> Self {
        self.handle = Some(handle);
        self
    }
    /// With what is still missing.
    #[must_use]
    pub fn with_needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
    /// With what the system made by itself.
    #[must_use]
    pub fn with_made(mut self, made: Made) -> Self {
        self.made = made;
        self
    }
    /// With an instant to look again.
    #[must_use]
    pub fn with_again_at(mut self, at: DateTime<Utc>) -> Self {
        self.again_at = Some(at);
        self
    }
    /// With the instant until which what was taken away may still open.
    #[must_use]
    pub fn with_may_open_until(mut self, until: DateTime<Utc>) -> Self {
        self.may_open_until = Some(until);
        self
    }
}

/// What the system made by itself.
#[derive(Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Made {
    /// A PIN.
    #[serde(default, with = "super::secret")]
    pub pin: Option<SecretString>,
    /// A link that hands over a mobile key.
    #[serde(default, with = "super::secret")]
    pub link: Option<SecretString>,
    /// A card's number.
    pub card_number: Option<String>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made")
            .field("pin", &self.pin.is_some())
            .field("link", &self.link.is_some())
            .field("card_number", &self.card_number.is_some())
            .finish()
    }
}

/// What is still missing before a credential opens a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A card must be written at an encoder.
    Encoding,
    /// A registered card must be assigned.
    Assignment,
    /// The person must enrol a phone.
    Phone,
}

/// Why a call failed, as far as a program can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The system does not answer.
    Offline,
    /// It answers that it is busy.
    Busy,
    /// Too many requests.
    RateLimited,
    /// Login refused.
    Unauthenticated,
    /// The login may not do this.
    Forbidden,
    /// The system cannot do this at all.
    Unsupported,
    /// A value was refused.
    Invalid,
    /// The window was refused or is empty at the system's resolution.
    WindowRefused,
    /// The PIN is taken or not acceptable.
    PinRefused,
    /// Nothing is free: slots, seats, licences.
    Full,
    /// Something that it refers to is not there: door, user, group.
    NotThere,
    /// Something else has the place: another row with the same name.
    Clash,
    /// The time limit passed.
    TimedOut,
    /// No card on the encoder.
    NoCard,
    /// The card cannot be used.
    BadCard,
    /// The card was removed, or a second one came.
    Interrupted,
    /// The encoder does not answer.
    EncoderOffline,
    /// A person cancelled.
    Cancelled,
    /// The answer could not be understood.
    Garbled,
    /// Nothing of the above.
    Other,
}

/// A call that failed: what may have happened, and why.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What may have happened.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The vendor's ids of what it left half-done.
    pub left: Option<Handle>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// One sentence, without secrets.
    pub message: String,
}

impl Failure {
    /// Nothing happened; it may be tried again.
    #[must_use]
    pub fn nothing(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Effect::Nothing, reason, message)
    }
    /// Understood and refused.
    #[must_use]
    pub fn refused(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Effect::Refused, reason, message)
    }
    /// It may or may not have happened.
    #[must_use]
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Effect::Unknown, reason, message)
    }
    /// The system cannot do this at all; nothing was sent.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Effect::Refused, Reason::Unsupported, message)
    }
    fn new(effect: Effect, reason: Reason, message: impl Into<String>) -> Self {
        Self { effect, reason, retry_after: None, left: None, vendor_code: None, message: message.into() }
    }
    /// When it is worth trying again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
    /// What it left half-done.
    #[must_use]
    pub fn with_left(mut self, left: Handle) -> Self {
        self.left = Some(left);
        self
    }
    /// The vendor's own code.
    #[must_use]
    pub fn with_vendor_code(mut self, code: impl Into<String>) -> Self {
        self.vendor_code = Some(code.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, effect {:?})", self.message, self.reason, self.effect)?;
        if let Some(c) = &self.vendor_code {
            write!(f, " vendor code {c}")?;
        }
        Ok(())
    }
}
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self})")
    }
}
impl std::error::Error for Failure {}

/// What a look at the system found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Found {
    /// It is there.
    Present(Seen),
    /// It is not there.
    Absent,
    /// The system cannot tell (a lock that never answers).
    CannotTell,
    /// More than one thing carries our tag: a person must decide.
    Several(u32),
}

/// What was seen of a thing that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    /// The vendor's ids.
    pub handle: Handle,
    /// Whether it is exactly as wanted; `None` where the system shows existence only, and where one that compares has taken the wish and the lock
    /// or the phone has not yet: then it is looked at again.
    pub as_wanted: Option<bool>,
    /// It is as it was put, and wants to be put again: a short-lived document that is to be renewed, or a phone that has come for it.
    #[serde(default)]
    pub renew: bool,
    /// Its window, where the system shows it.
    pub window: Option<Window>,
    /// What the system made by itself.
    pub made: Made,
}

impl Seen {
    /// Seen with this handle; how it stands compared with what is wanted is `as_wanted`.
    #[must_use]
    pub fn new(handle: Handle, as_wanted: Option<bool>) -> Self {
        Self { handle, as_wanted, renew: false, window: None, made: Made::default() }
    }
}
