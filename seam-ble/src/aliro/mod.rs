//! Aliro 1.0 (Connectivity Standards Alliance, released 2026-02-26), both roles.
//!
//! A [reader](reader) is driven: each of its states is a type that offers what may come next, so a wrong order does not compile. A
//! [device](device) answers: it takes any command in any state and gives a response, with the state left as it was or the session closed.
//!
//! ```text
//! reader                                      device
//! SELECT (NFC) / notification 5, 6 (BLE)  ->  versions, proprietary information
//! AUTH0: ephemeral key, transaction id    ->  ephemeral key [, cryptogram: the fast phase ends here]
//! [LOAD CERT]
//! AUTH1: signature                        ->  encrypted: key or key slot, signature, timestamps
//! [ENVELOPE: documents (step-up)]
//! EXCHANGE: mailbox, reader status        ->  encrypted: what was read
//! ```
//!
//! Sources: the CSA's actuator (`aliro-access-control/aliro-actuator`, Apache-2.0) with its test vectors; worked examples of the
//! specification's chapter 14 as quoted by public test suites; `kormax/python-aliro-reader` and `jaouellette/com-elatec-pkoc-aliro` where
//! the actuator is silent. Where they disagree a constant says which is followed, and a test names the question: see [`unsettled`].

pub mod access_data;
pub mod ble;
pub mod certificate;
pub mod channel;
pub mod command;
pub mod device;
pub mod document;
mod error;
pub mod exchange;
pub mod issue;
pub mod keys;
pub mod nfc;
pub mod reader;
pub mod response;
pub mod revocation;
pub mod step_up;
mod time;
pub mod unsettled;

pub use error::{AliroError, DocumentError};
pub use time::Instant;

use core::fmt;

use crate::bytes::{Bytes, Writer};
use crate::tlv::{self, Reader as TlvReader, TlvError};

/// The application of the expedited phase.
pub const EXPEDITED_AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x09, 0x09, 0xAC, 0xCE, 0x55, 0x01];
/// The application of the step-up phase.
pub const STEP_UP_AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x09, 0x09, 0xAC, 0xCE, 0x55, 0x02];

/// A protocol version, `0x0100` for 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// 1.0, the only one spoken here.
    pub const V1_0: Self = Self(0x0100);

    pub(crate) const fn bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

/// Which reader it is: 16 bytes of its group, 16 of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderId([u8; 32]);

impl ReaderId {
    /// The group's half first.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The group: by it a phone finds the credential.
    pub fn group(&self) -> &[u8; 16] {
        self.0.first_chunk().unwrap_or(&[0; 16])
    }

    /// The reader within its group.
    pub fn sub(&self) -> &[u8; 16] {
        self.0.last_chunk().unwrap_or(&[0; 16])
    }
}

impl fmt::Debug for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderId(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// 16 random bytes that name a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionId(pub [u8; 16]);

/// What carries the commands; part of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Near field.
    Nfc,
    /// Bluetooth Low Energy, with or without UWB.
    Ble,
}

impl Interface {
    /// The byte in the salts of the key schedule.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Nfc => 0x5E,
            Self::Ble => 0xC3,
        }
    }
}

/// What the reader demands of the person at the phone (tag 42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// 1: as the phone is set.
    DeviceSetting,
    /// 2: as the phone is set for actions that matter.
    SecureAction,
    /// 3: unlock the phone or show a finger.
    ForceUserAuthentication,
}

impl Policy {
    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        match self {
            Self::DeviceSetting => 1,
            Self::SecureAction => 2,
            Self::ForceUserAuthentication => 3,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::DeviceSetting, Self::SecureAction, Self::ForceUserAuthentication].into_iter().find(|policy| policy.byte() == byte)
    }
}

/// The moment an Access or Revocation Document was signed, as the phone tells it before it shows the document: 20 characters, as
/// `2026-02-26T15:54:26Z`, or zeros for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub [u8; 20]);

impl Timestamp {
    /// No document.
    pub const NONE: Self = Self([0; 20]);
}

/// What the device has to offer beyond opening, as bits (tag 5E, two bytes; bits as the CSA's actuator reads them).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signaling(pub u16);

impl Signaling {
    /// An Access Document can be fetched in the step-up phase.
    pub const ACCESS_DOCUMENT: Self = Self(0x0001);
    /// A Revocation Document can be fetched in the step-up phase.
    pub const REVOCATION_DOCUMENT: Self = Self(0x0002);
    /// The step-up application must be selected first.
    pub const SELECT_STEP_UP: Self = Self(0x0004);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl core::ops::BitOr for Signaling {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The most bytes of proprietary information with its tag: type, eight versions, lengths, and 127 bytes of a vendor.
pub const PROPRIETARY_MAX: usize = 184;

/// The most bytes of a vendor's own data in a message.
pub const VENDOR_MAX: usize = 127;

/// What the device says of itself before anything is proven: the TLV with tag `A5`. It enters the keys, so nobody can change it on the way
/// and take a version out.
#[derive(Clone, PartialEq, Eq)]
pub struct Proprietary {
    tlv: Bytes<PROPRIETARY_MAX>,
}

impl fmt::Debug for Proprietary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proprietary").field(&self.tlv).finish()
    }
}

impl Proprietary {
    /// What a device says that speaks `versions` (one to eight) and takes commands and answers of the given lengths, if they may be
    /// extended ones.
    ///
    /// # Errors
    /// [`AliroError::Full`] when versions and vendor data are too long.
    pub fn new(versions: &[Version], lengths: Option<MessageLengths>, vendor: Option<&[u8]>) -> Result<Self, AliroError> {
        let mut inner = Bytes::<PROPRIETARY_MAX>::new();
        inner.fill(|out| {
            tlv::put(out, 0x80, &[&[0, 0]])?;
            tlv::put_header(out, 0x5C, versions.len() * 2)?;
            versions.iter().try_for_each(|version| out.put(&version.bytes()))?;
            if let Some(lengths) = lengths {
                tlv::put_header(out, 0x7F66, 8)?;
                tlv::put(out, 0x02, &[&lengths.command.to_be_bytes()])?;
                tlv::put(out, 0x02, &[&lengths.response.to_be_bytes()])?;
            }
            vendor.map_or(Ok(()), |vendor| tlv::put(out, 0xB3, &[vendor]))
        })?;
        Self::from_content(&inner)
    }

    /// Reads the value of the tag, as a BLE device sends it.
    ///
    /// # Errors
    /// [`AliroError::Tlv`] when it is no such object, [`AliroError::ApplicationType`] when it is of another application.
    pub fn from_content(content: &[u8]) -> Result<Self, AliroError> {
        let mut bytes = Bytes::new();
        bytes.fill(|out: &mut Writer<'_>| tlv::put(out, 0xA5, &[content]))?;
        let own = Self { tlv: bytes };
        own.read().map(|_| own.clone())
    }

    /// The whole TLV with its tag.
    pub fn tlv(&self) -> &[u8] {
        &self.tlv
    }

    /// The value without its tag.
    pub fn content(&self) -> &[u8] {
        TlvReader::new(&self.tlv).next().ok().flatten().map_or(&[], |tlv| tlv.value)
    }

    /// The versions the device speaks, in its order.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        let versions = self.read().map_or(&[][..], |(versions, _)| versions);
        versions.chunks_exact(2).map(|pair| Version(u16::from_be_bytes([pair[0], pair[1]])))
    }

    /// How long messages may be, when the device takes extended ones.
    pub fn lengths(&self) -> Option<MessageLengths> {
        self.read().ok().and_then(|(_, lengths)| lengths)
    }

    fn read(&self) -> Result<(&[u8], Option<MessageLengths>), AliroError> {
        let [kind, versions, lengths, _vendor] = tlv::pick(TlvReader::new(self.content()), [0x80, 0x5C, 0x7F66, 0xB3])?;
        if kind.ok_or(TlvError::Missing(0x80))? != [0, 0] {
            return Err(AliroError::ApplicationType);
        }
        let versions = versions.ok_or(TlvError::Missing(0x5C))?;
        if versions.is_empty() || !versions.len().is_multiple_of(2) || versions.len() > 16 {
            return Err(TlvError::Value(0x5C).into());
        }
        let lengths = lengths.map(|lengths| {
            let mut reader = TlvReader::new(lengths);
            let command = u16::from_be_bytes(*reader.expect(0x02)?.exactly()?);
            let response = u16::from_be_bytes(*reader.expect(0x02)?.exactly()?);
            reader.end().map(|()| MessageLengths { command, response })
        });
        Ok((versions, lengths.transpose()?))
    }
}

/// How many bytes a whole command and a whole response may have at most, when extended lengths are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLengths {
    /// Of a command.
    pub command: u16,
    /// Of a response.
    pub response: u16,
}
