//! The Bluetooth protocol of Nuki's smart locks: pairing, states, lock actions. The client, and (feature `sim`) a lock to try it on.
//!
//! Facts: Nuki Smart Lock API (Bluetooth), versions 2.2 and 2.3, and the worked examples in it, recomputed; one misprint of them is corrected in
//! thread 25615 of developer.nuki.io. A Nuki lock knows its users online or by pairing; it knows no stays, so a grant there ends when the entry
//! is removed.
//!
//! What is weak in the protocol: nothing binds an answer to its question, within a session or across them. Whoever recorded the lock's encrypted
//! "locked" or "done" can play it to the client later. What [`Client::states`] and [`Progress::Done`] say is for the screen; that the bolt has
//! moved is proven by no message.
//!
//! X25519 gives a common secret, HSalsa20 makes the key of it, HMAC-SHA-256 proves it during pairing, XSalsa20-Poly1305 protects what comes after.

use core::fmt;

use crate::bytes::{Full, Writer};
use crate::crypto::Secret;

mod client;
mod message;
mod pairing;
#[cfg(feature = "sim")]
pub mod sim;

pub use client::{Actions, AwaitAction, AwaitChallenge, AwaitStates, Client, Progress};
pub use message::{DoorSensor, LockState, Mode, States};
pub use pairing::{AwaitAuthorization, AwaitConfirmed, AwaitFirstChallenge, AwaitLockKey, AwaitSecondChallenge, Identity, Paired, begin};

/// The service for pairing.
pub const PAIRING_SERVICE: u128 = 0xa92e_e100_5501_11e4_916c_0800_200c_9a66;
/// Its characteristic, for writing and for indications.
pub const PAIRING_DATA: u128 = 0xa92e_e101_5501_11e4_916c_0800_200c_9a66;
/// The service for everything after pairing.
pub const SERVICE: u128 = 0xa92e_e200_5501_11e4_916c_0800_200c_9a66;
/// Its characteristic for a user's commands, for writing and for indications.
pub const USER_DATA: u128 = 0xa92e_e202_5501_11e4_916c_0800_200c_9a66;

/// Longest message of this module in bytes.
pub const MAX_MESSAGE: usize = 200;

/// What a command is called on the wire.
mod command {
    pub(super) const REQUEST_DATA: u16 = 0x0001;
    pub(super) const PUBLIC_KEY: u16 = 0x0003;
    pub(super) const CHALLENGE: u16 = 0x0004;
    pub(super) const AUTHENTICATOR: u16 = 0x0005;
    pub(super) const AUTHORIZATION_DATA: u16 = 0x0006;
    pub(super) const AUTHORIZATION_ID: u16 = 0x0007;
    pub(super) const STATES: u16 = 0x000C;
    pub(super) const LOCK_ACTION: u16 = 0x000D;
    pub(super) const STATUS: u16 = 0x000E;
    pub(super) const ERROR: u16 = 0x0012;
    pub(super) const CONFIRMATION: u16 = 0x001E;
}

const COMPLETE: u8 = 0;
const ACCEPTED: u8 = 1;

/// What a lock is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// Turns the bolt back.
    Unlock = 1,
    /// Locks.
    Lock = 2,
    /// Pulls the latch: the door opens.
    Unlatch = 3,
    /// Unlocks, and locks again after a while.
    LockNGo = 4,
    /// Pulls the latch, and locks again after a while.
    LockNGoUnlatch = 5,
    /// Locks with all turns.
    FullLock = 6,
}

impl Action {
    #[cfg(feature = "sim")]
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Unlock,
            2 => Self::Lock,
            3 => Self::Unlatch,
            4 => Self::LockNGo,
            5 => Self::LockNGoUnlatch,
            6 => Self::FullLock,
            _ => return None,
        })
    }
}

/// The lock's own word for what went wrong, with the command that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockError {
    /// The code.
    pub code: u8,
    /// The command.
    pub command: u16,
}

impl LockError {
    /// The name of the code in the API document; "unlisted" for others.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.code {
            0x10 => "not in pairing mode",
            0x11 => "bad authenticator",
            0x12 | 0x23 => "bad parameter",
            0x13 => "too many users",
            0x20 => "not authorized",
            0x21 => "bad security PIN",
            0x22 => "bad nonce",
            0x24 => "invalid authorization id",
            0x25 => "authorization disabled",
            0x26 => "remote access not allowed",
            0x27 => "not allowed at this time",
            0x28 => "too many attempts with a wrong PIN",
            0x29 => "too many entries",
            0x40 => "unlocked automatically a moment ago",
            0x41 => "position unknown",
            0x42 => "motor blocked",
            0x43 => "clutch failure",
            0x44 => "motor timeout",
            0x45 => "busy",
            0x46 => "cancelled",
            0x47 => "not calibrated",
            0x48 => "motor at its limit",
            0x49 => "motor voltage low",
            0x4A => "motor power failure",
            0x4B => "clutch power failure",
            0x4C => "voltage too low",
            0x4D => "firmware update needed",
            0xFD => "bad checksum",
            0xFE => "bad length",
            _ => "unlisted",
        }
    }
}

/// Why an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NukiError {
    /// Fewer or more bytes than this message has.
    Length,
    /// The checksum is wrong: a fault of the radio, or of whoever changed it without knowing better.
    Checksum,
    /// The message could not be decrypted, or says another user inside than outside.
    Tag,
    /// It is for another authorization.
    OtherUser,
    /// A message that has no place here; the command's number.
    Unexpected(u16),
    /// A value without a meaning.
    Value,
    /// The peer's key gives a secret that everybody knows.
    WeakKey,
    /// The proof of the common secret is wrong: somebody sits in between.
    Authenticator,
    /// The random numbers repeat: with one nonce twice the messages could be read.
    NonceRepeated,
    /// The lock refused.
    Lock(LockError),
    /// The message does not fit into the buffer.
    Full,
}

impl fmt::Display for NukiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("the message has a wrong length"),
            Self::Checksum => f.write_str("the message has a wrong checksum"),
            Self::Tag => f.write_str("the message could not be decrypted"),
            Self::OtherUser => f.write_str("the message is for another authorization"),
            Self::Unexpected(command) => write!(f, "command {command:04X} has no place here"),
            Self::Value => f.write_str("a value of the message has no meaning"),
            Self::WeakKey => f.write_str("the peer's key is of small order"),
            Self::Authenticator => f.write_str("the peer does not have the common secret"),
            Self::NonceRepeated => f.write_str("the random numbers repeat"),
            Self::Lock(error) => write!(f, "the lock refused: {} ({:02X})", error.name(), error.code),
            Self::Full => f.write_str("the message is too long"),
        }
    }
}

impl core::error::Error for NukiError {}

impl From<Full> for NukiError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// The public half of an X25519 key.
#[must_use]
pub fn public_key(private: &Secret<32>) -> [u8; 32] {
    x25519_dalek::x25519(*private.expose(), x25519_dalek::X25519_BASEPOINT_BYTES)
}

/// The key that both sides compute: HSalsa20 over the X25519 secret, with sixteen zeros.
///
/// # Errors
/// [`NukiError::WeakKey`] when the peer's point is of small order.
pub fn shared_key(private: &Secret<32>, peer: &[u8; 32]) -> Result<Secret<32>, NukiError> {
    let common = Secret::new(x25519_dalek::x25519(*private.expose(), *peer));
    if crate::crypto::equal(common.expose(), &[0; 32]) {
        return Err(NukiError::WeakKey);
    }
    let key = salsa20::hsalsa::<salsa20::cipher::consts::U10>(common.expose().into(), &[0; 16].into());
    Ok(Secret::new(key.into()))
}

fn write_plain(out: &mut Writer<'_>, number: u16, payload: &[&[u8]]) -> Result<(), NukiError> {
    message::write(out, number, payload)
}
