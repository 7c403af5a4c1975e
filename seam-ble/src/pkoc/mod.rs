//! PKOC, the public key open credential of the Physical Security Interoperability Alliance: over Bluetooth LE (the ECDHE flow) and over NFC, for
//! phone and reader.
//!
//! Its Bluetooth part is plain GATT, so it is the one mobile key here that a page in a browser can speak.
//!
//! Facts: PSIA's own reference apps (`psialliance-org/com-psia-pkoc`, MIT), their fork for version 2.0.1 (`jaouellette/com-elatec-pkoc-aliro`, MIT)
//! and the NFC test values of `smithee-solutions/openpkoc` (Apache-2.0). Where they disagree there is one constant or one [`Wire`] version and a
//! test that names the question; `docs/mobile-keys.md` lists them.
//!
//! What is weak in the protocol and how this module lives with it:
//!
//! - Reader and phone sign the same bytes, without a word that says who signs. A key that is the reader's own is therefore no credential, and a
//!   phone whose key is the site's key does not answer.
//! - The result at the end is not authenticated. [`Response`] is for the screen, never for a decision.
//! - The normal flow shows the phone's public key to whoever asks. It is off unless asked for, on both sides.
//! - Nothing says until when the phone's key may open. The reader hands the proven key to [`lock::decide`](crate::lock::decide) with a grant; one
//!   may travel inside the encrypted message, in the manufacturer's field.

use core::fmt;

use crate::bytes::Full;
use crate::crypto::{CryptoError, PublicKey};
use crate::tlv::{LengthForm, TlvError};

mod certificate;
mod device;
pub mod nfc;
mod reader;

pub use certificate::{CERTIFICATE_LEN, Certificate, CertificateError, NO_END, REVOCATION_ENTRY_LEN, RevocationError, RevocationList};
pub use device::{Anchor, AwaitReaderProof, AwaitResponse, Device, ReadersOfSite, Site};
pub use reader::{AwaitCredential, AwaitDevice, FirstAnswer, Presented, Reader};

/// The 16-bit service of the advertisement.
pub const SERVICE: u16 = 0xFFF0;
/// The service that older readers advertise.
pub const LEGACY_SERVICE: u128 = 0x41fb_60a1_d4d0_4ae9_8cbb_b62b_5ae8_1810;
/// The characteristic that the phone writes to.
pub const WRITE: u128 = 0xfe27_8a85_89ae_191f_5dde_8412_0269_3835;
/// The characteristic on which the reader notifies. The reader speaks first, after the phone subscribed.
pub const NOTIFY: u128 = 0xe5b1_b3b5_3cca_3f76_cd86_a884_cc23_9692;
/// The MTU that the phone asks for.
pub const MTU: u16 = 512;
/// Longest message in bytes: one message is one ATT value, and no ATT value is longer.
pub const MAX_MESSAGE: usize = 512;
/// Longest content of the manufacturer's field inside the encrypted message, in bytes. With 1.x lengths only [`MAX_EXTENSION_V1`] fit.
pub const MAX_EXTENSION: usize = 320;
/// The same with the one-byte lengths of 1.x.
pub const MAX_EXTENSION_V1: usize = 255 - 16 - PLAIN_LEN_MAX - 2;

/// Key, signature, time and version with their headers, at the longest.
const PLAIN_LEN_MAX: usize = 67 + 66 + 6 + 8;
/// Open question: the counter of the only encrypted message. Both apps count from one.
const FIRST_COUNTER: u32 = 1;

mod tag {
    pub(super) const PUBLIC_KEY: u16 = 0x01;
    pub(super) const READER_KEY: u16 = 0x02;
    pub(super) const SIGNATURE: u16 = 0x03;
    pub(super) const RESPONSE: u16 = 0x04;
    pub(super) const DEVICE_KEY: u16 = 0x07;
    pub(super) const LAST_UPDATE: u16 = 0x09;
    pub(super) const VERSION: u16 = 0x0C;
    pub(super) const LOCATION: u16 = 0x0D;
    pub(super) const SITE: u16 = 0x0E;
    pub(super) const CERTIFICATE: u16 = 0x10;
    pub(super) const ENCRYPTED: u16 = 0x40;
    pub(super) const MANUFACTURER: u16 = 0x80;
}

/// How messages are written. The two are not compatible on the wire: the encrypted message has 162 bytes, so its length is `A2` in one and `81 A2`
/// in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Up to 1.x: lengths of one byte, no reader certificates.
    V1,
    /// 2.0.1: BER lengths, reader certificates.
    V2,
}

impl Wire {
    const fn form(self) -> LengthForm {
        match self {
            Self::V1 => LengthForm::OneByte,
            Self::V2 => LengthForm::Ber,
        }
    }
}

/// The version field, as the reader sends it and the phone repeats it.
///
/// Not settled: its layout. PSIA's apps write five bytes (version, vendor 2, features 2), the fork for 2.0.1 six (major, minor, vendor 2,
/// features 2), where the second feature bit is GCM to the one and reader certificates to the other. Either length is accepted; only the bit for
/// CCM, on which both agree, is read; and the phone's repetition has to be the same, byte for byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolVersion {
    bytes: [u8; 6],
    len: u8,
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolVersion({:02x?})", self.as_bytes())
    }
}

/// The feature bit of AES-256-CCM.
const CCM: u8 = 1;

impl ProtocolVersion {
    /// Five bytes: version, vendor's version 0, CCM. PSIA's apps send 3 as version.
    #[must_use]
    pub const fn psia(version: u8) -> Self {
        Self { bytes: [version, 0, 0, 0, CCM, 0], len: 5 }
    }

    /// Six bytes: major, minor, vendor's version 0, CCM.
    #[must_use]
    pub const fn two_part(major: u8, minor: u8) -> Self {
        Self { bytes: [major, minor, 0, 0, 0, CCM], len: 6 }
    }

    fn read(bytes: &[u8]) -> Result<Self, PkocError> {
        let mut version = Self { bytes: [0; 6], len: 0 };
        if !(5..=6).contains(&bytes.len()) {
            return Err(PkocError::Tlv(TlvError::Value(tag::VERSION)));
        }
        version.bytes[..bytes.len()].copy_from_slice(bytes);
        version.len = if bytes.len() == 5 { 5 } else { 6 };
        if version.as_bytes().last().is_some_and(|features| features & CCM != 0) { Ok(version) } else { Err(PkocError::NoCommonCipher) }
    }

    /// As it is on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}

/// A site: whoever runs the doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub [u8; 16]);

/// A reader within its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationId(pub [u8; 16]);

/// Which way the phone proved its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The reader proved itself first, and the phone's key came encrypted.
    Ecdhe,
    /// Without any proof of the reader, and the key in clear.
    Normal,
}

/// What the reader says at the end. Nothing protects it: show it, and decide nothing by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Response(pub u8);

impl Response {
    /// The transaction is over; whether the door opens is not told.
    pub const COMPLETED: Self = Self(1);
    /// The door stays closed.
    pub const DENIED: Self = Self(2);
    /// The door opens.
    pub const GRANTED: Self = Self(3);
    /// A message could not be decrypted with GCM.
    pub const GCM: Self = Self(4);
    /// Wrong state.
    pub const STATE: Self = Self(5);
    /// A signature did not verify.
    pub const SIGNATURE: Self = Self(6);

    /// What it says, for a log. The codes 7 and 8 changed their meaning: the apps for 1.x use them for "CCM failed" and "reader not known", the
    /// text of 2.0.1 for certificates.
    #[must_use]
    pub const fn meaning(self, wire: Wire) -> &'static str {
        match (self.0, wire) {
            (1, _) => "completed",
            (2, _) => "access denied",
            (3, _) => "access granted",
            (4, _) => "GCM failed",
            (5, _) => "wrong state",
            (6, _) => "the signature does not verify",
            (7, Wire::V1) => "CCM failed",
            (8, Wire::V1) => "the reader is not known",
            (7, Wire::V2) => "the reader's certificate is not valid",
            (8, Wire::V2) => "the reader's certificate is revoked",
            (9, Wire::V2) => "the reader's certificate is not valid at this time",
            _ => "a code without a known meaning",
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.0)
    }
}

/// Why a transaction ended. It is over with any of them: a state is used up by the message it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkocError {
    /// The message is not what may stand here.
    Tlv(TlvError),
    /// The message does not fit into the buffer, or has more than [`MAX_MESSAGE`] bytes.
    Full,
    /// A key, a signature or an authentication tag is wrong.
    Crypto(CryptoError),
    /// The phone knows no such site, or no such reader of the site.
    UnknownReader,
    /// The reader's certificate is not good.
    Certificate(CertificateError),
    /// The phone trusts this site's readers by certificate, and none came: falling back to a shared key would let whoever has it pose as any reader.
    CertificateMissing,
    /// A certificate in a version that has none.
    CertificateUnexpected,
    /// The phone repeated another version than the reader sent: somebody changed it on the way.
    VersionChanged,
    /// The peer does not offer AES-256-CCM.
    NoCommonCipher,
    /// A key of this side came back as if it were the peer's.
    Reflected,
    /// The phone wants the normal flow, which is off here.
    NormalFlowOff,
    /// NFC: the status word or the command is not what belongs here.
    Nfc(crate::apdu::Status),
}

impl fmt::Display for PkocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tlv(e) => write!(f, "the message is malformed: {e}"),
            Self::Full => f.write_str("the message is too long"),
            Self::Crypto(e) => e.fmt(f),
            Self::UnknownReader => f.write_str("the reader is not one of the phone's"),
            Self::Certificate(e) => e.fmt(f),
            Self::CertificateMissing => f.write_str("the reader sent no certificate"),
            Self::CertificateUnexpected => f.write_str("this version has no reader certificates"),
            Self::VersionChanged => f.write_str("the version was changed on the way"),
            Self::NoCommonCipher => f.write_str("the peer does not offer AES-256-CCM"),
            Self::Reflected => f.write_str("a key of this side came back"),
            Self::NormalFlowOff => f.write_str("the normal flow is off"),
            Self::Nfc(status) => write!(f, "the exchange ended with {status}"),
        }
    }
}

impl core::error::Error for PkocError {}

impl From<TlvError> for PkocError {
    fn from(error: TlvError) -> Self {
        Self::Tlv(error)
    }
}

impl From<CryptoError> for PkocError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

impl From<Full> for PkocError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<CertificateError> for PkocError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// What both sides sign: site ‖ location ‖ x of the phone's session key ‖ x of the reader's.
fn signed_bytes(site: SiteId, location: LocationId, device: &PublicKey, reader: &PublicKey) -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[..16].copy_from_slice(&site.0);
    bytes[16..32].copy_from_slice(&location.0);
    bytes[32..64].copy_from_slice(device.x());
    bytes[64..].copy_from_slice(reader.x());
    bytes
}

/// `00..01` (8 bytes) ‖ counter (4 bytes, big endian).
fn nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    nonce[8..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

fn too_long(message: &[u8]) -> Result<(), PkocError> {
    if message.len() > MAX_MESSAGE { Err(PkocError::Full) } else { Ok(()) }
}

fn missing(tag: u16) -> PkocError {
    PkocError::Tlv(TlvError::Missing(tag))
}

/// The value with its exact length.
fn sized<const N: usize>(value: Option<&[u8]>, tag: u16) -> Result<[u8; N], PkocError> {
    value.ok_or(missing(tag))?.try_into().map_err(|_| PkocError::Tlv(TlvError::Value(tag)))
}
