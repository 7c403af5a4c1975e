//! PKOC over NFC (PSIA, Public Key Open Credential 1.1): the credential is a public key, and the card or phone proves its private half.
//!
//! There is nothing to write: the key pair is made where it stays. [`read`] asks for a signature over a number of our own and returns the
//! key only when the signature holds. What of it becomes the number of a credential is [`PublicKey::credential`].
//!
//! Facts: `SELECT` of `A000000898000001`, then `80 80 00 01` with TLV 5C (version), 4C (transaction identifier, 16 bytes) and 4D (reader
//! identifier, 32 bytes); the answer holds 5A (public key, 65 bytes) and 9E (signature, 64 bytes) over the transaction identifier alone
//! (PSIA's own reference apps, `com-psia-pkoc`).
mod tlv;

pub use tlv::{Field, TlvError, fields};

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use std::fmt;

use crate::apdu::{Command, StatusWord};
use crate::dialogue::{Card, Random};
use crate::error::CardError;

/// The application of PKOC.
pub const AID: [u8; 8] = [0xa0, 0x00, 0x00, 0x08, 0x98, 0x00, 0x00, 0x01];
/// Version 1.0 of the protocol, the only one whose signature is known here.
pub const VERSION: [u8; 2] = [0x01, 0x00];

const TAG_VERSION: u8 = 0x5c;
const TAG_TRANSACTION: u8 = 0x4c;
const TAG_READER: u8 = 0x4d;
const TAG_KEY: u8 = 0x5a;
const TAG_SIGNATURE: u8 = 0x9e;

/// How much of the key a system takes as the number of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The whole X coordinate, 32 bytes.
    Bits256,
    /// Its low 75 bits in 10 bytes, as in the 75-bit PIV format.
    Bits75,
    /// Its low 64 bits, 8 bytes.
    Bits64,
}

/// The public key of a credential: a point on P-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    point: [u8; 65],
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is the number of a credential: as a card number, it stays out of logs.
        f.write_str("PublicKey(..)")
    }
}

impl PublicKey {
    /// Reads an uncompressed point: 04, X, Y.
    ///
    /// # Errors
    /// [`CardError::Garbage`]: not a point on the curve.
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        let point: [u8; 65] = bytes.try_into().map_err(|_| CardError::Garbage("a public key of another length"))?;
        if point[0] != 0x04 {
            return Err(CardError::Garbage("a public key in another form"));
        }
        VerifyingKey::from_sec1_bytes(&point).map_err(|_| CardError::Garbage("a public key that is not on the curve"))?;
        Ok(Self { point })
    }

    /// The point: 04, X, Y.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        self.point
    }

    /// The number of the credential, big endian.
    #[must_use]
    pub fn credential(&self, width: Width) -> Vec<u8> {
        let x = &self.point[1..33];
        match width {
            Width::Bits256 => x.to_vec(),
            Width::Bits64 => x[24..].to_vec(),
            Width::Bits75 => {
                let mut low = x[22..].to_vec();
                low[0] &= 0x07;
                low
            }
        }
    }

    /// Whether it made this signature (r and s, 32 bytes each) over `message`, hashed with SHA-256.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(&self.point), Signature::from_slice(signature)) else {
            return false;
        };
        key.verify(message, &signature).is_ok()
    }
}

/// Who asks: 16 bytes for the site and 16 for the reader. Phones show it, or choose a key by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderId(pub [u8; 32]);

/// Reads the public key of the credential in the field, and has it proven.
///
/// # Errors
/// - [`CardError::NotThisTechnology`]: the card does not know the application.
/// - [`CardError::Unsupported`]: it speaks only other versions.
/// - [`CardError::NotGenuine`]: the signature is not that of the key.
/// - [`CardError::Garbage`]: an answer that is not the protocol's.
pub async fn read(card: &Card, reader: ReaderId, random: &mut dyn Random) -> Result<PublicKey, CardError> {
    let selected = card.transmit(Command::with_data(0x00, 0xa4, 0x04, 0x00, &AID)?.expecting(0)).await?;
    if matches!(selected.status(), StatusWord(0x6a82 | 0x6d00 | 0x6e00 | 0x6a81)) {
        return Err(CardError::NotThisTechnology { expected: "a PKOC credential" });
    }
    let versions = selected.ok()?;
    let offered = field(&versions, TAG_VERSION)?.unwrap_or_default();
    if !offered.as_chunks::<2>().0.contains(&VERSION) {
        return Err(CardError::Unsupported("a version of PKOC other than 1.0"));
    }

    let mut transaction = [0; 16];
    random.fill(&mut transaction)?;
    let mut question = Vec::with_capacity(56);
    for (tag, value) in [(TAG_VERSION, &VERSION[..]), (TAG_TRANSACTION, &transaction), (TAG_READER, &reader.0)] {
        tlv::push(&mut question, tag, value);
    }
    let answer = card.transmit(Command::with_data(0x80, 0x80, 0x00, 0x01, &question)?.expecting(0)).await?.ok()?;
    let key = field(&answer, TAG_KEY)?.ok_or(CardError::Garbage("an answer without a public key"))?;
    let signature = field(&answer, TAG_SIGNATURE)?.ok_or(CardError::Garbage("an answer without a signature"))?;
    let key = PublicKey::parse(key)?;
    if !key.verifies(&transaction, signature) {
        return Err(CardError::NotGenuine { key_no: 0 });
    }
    Ok(key)
}

fn field(bytes: &[u8], tag: u8) -> Result<Option<&[u8]>, CardError> {
    let mut found = None;
    for field in fields(bytes) {
        let field = field.map_err(|_| CardError::Garbage("a broken TLV"))?;
        if field.tag == tag && found.replace(field.value).is_some() {
            // Two keys and one signature: which is meant is not to be guessed.
            return Err(CardError::Garbage("a TLV that comes twice"));
        }
    }
    Ok(found)
}
