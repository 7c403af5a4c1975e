//! The answers of a device.

use super::{AliroError, Proprietary, Signaling, Timestamp, VENDOR_MAX};
use crate::apdu::{self, Status};
use crate::bytes::{Full, Writer};
use crate::crypto::{PublicKey, Signature};
use crate::tlv::{self, Reader as TlvReader, TlvError};

/// The bytes of a cryptogram: 48 encrypted, 16 of tag.
pub const CRYPTOGRAM: usize = 64;

/// Takes the data of an answer that says `9000`.
///
/// # Errors
/// [`AliroError::Apdu`] below two bytes, [`AliroError::Status`] for any other status.
pub fn data(bytes: &[u8]) -> Result<&[u8], AliroError> {
    let response = apdu::Response::parse(bytes)?;
    if response.status == Status::OK { Ok(response.data) } else { Err(AliroError::Status(response.status)) }
}

/// The same, to be decrypted in place.
///
/// # Errors
/// As [`data`].
pub fn data_mut(bytes: &mut [u8]) -> Result<&mut [u8], AliroError> {
    let length = data(bytes)?.len();
    Ok(&mut bytes[..length])
}

/// Answer to SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select<'a> {
    /// The application.
    pub aid: &'a [u8],
    /// What the device says of itself.
    pub proprietary: Proprietary,
}

impl<'a> Select<'a> {
    /// Reads the data of the answer.
    ///
    /// # Errors
    /// [`AliroError::Tlv`], [`AliroError::ApplicationType`].
    pub fn parse(data: &'a [u8]) -> Result<Self, AliroError> {
        let mut outer = TlvReader::new(data);
        let inner = outer.expect(0x6F)?.value;
        outer.end()?;
        let [aid, proprietary] = tlv::pick(TlvReader::new(inner), [0x84, 0xA5])?;
        let aid = aid.ok_or(TlvError::Missing(0x84))?;
        Ok(Self { aid, proprietary: Proprietary::from_content(proprietary.ok_or(TlvError::Missing(0xA5))?)? })
    }

    /// Writes the data of the answer.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        let proprietary = self.proprietary.tlv();
        tlv::put_header(out, 0x6F, 2 + self.aid.len() + proprietary.len())?;
        tlv::put(out, 0x84, &[self.aid])?;
        out.put(proprietary)
    }
}

/// Answer to AUTH0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth0<'a> {
    /// Tag 86.
    pub device_ephemeral: PublicKey,
    /// Tag 9D, when it was wanted. A device that does not know the reader sends random bytes.
    pub cryptogram: Option<&'a [u8; CRYPTOGRAM]>,
    /// Tag B2, at most 127 bytes.
    pub vendor: Option<&'a [u8]>,
}

impl<'a> Auth0<'a> {
    /// Reads the data of the answer.
    ///
    /// # Errors
    /// [`AliroError::Tlv`], [`AliroError::Crypto`] for a key that is not in its form.
    pub fn parse(data: &'a [u8]) -> Result<Self, AliroError> {
        let [key, cryptogram, vendor] = tlv::pick(TlvReader::new(data), [0x86, 0x9D, 0xB2])?;
        let key = key.ok_or(TlvError::Missing(0x86))?;
        if vendor.is_some_and(|vendor| vendor.len() > VENDOR_MAX) {
            return Err(TlvError::Value(0xB2).into());
        }
        Ok(Self {
            device_ephemeral: PublicKey::from_uncompressed(key)?,
            cryptogram: cryptogram.map(|bytes| bytes.try_into().map_err(|_| TlvError::Value(0x9D))).transpose()?,
            vendor,
        })
    }

    /// Writes the data of the answer.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        tlv::put(out, 0x86, &[self.device_ephemeral.as_bytes()])?;
        self.cryptogram.map_or(Ok(()), |cryptogram| tlv::put(out, 0x9D, &[cryptogram]))?;
        self.vendor.map_or(Ok(()), |vendor| tlv::put(out, 0xB2, &[vendor]))
    }
}

/// How a device names its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Tag 4E: the first eight bytes of SHA-1 over the public key.
    KeySlot([u8; 8]),
    /// Tag 5A.
    PublicKey(PublicKey),
}

/// What is decrypted out of the answer to AUTH1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth1<'a> {
    /// Tag 4E or 5A.
    pub identity: Identity,
    /// Tag 9E.
    pub signature: Signature,
    /// Tag 4B: a part of the mailbox that the device shows unasked.
    pub mailbox: Option<&'a [u8]>,
    /// Tag 5E.
    pub signaling: Signaling,
    /// Tag 91: when the Access Document was signed.
    pub credential_signed: Option<Timestamp>,
    /// Tag 92: when the Revocation Document was signed.
    pub revocation_signed: Option<Timestamp>,
}

impl<'a> Auth1<'a> {
    /// Reads the decrypted text.
    ///
    /// # Errors
    /// [`AliroError::Tlv`], also when both names or none are there; [`AliroError::Crypto`] for a key that is not in its form.
    pub fn parse(text: &'a [u8]) -> Result<Self, AliroError> {
        let found = tlv::pick(TlvReader::new(text), [0x4E, 0x5A, 0x9E, 0x4B, 0x5E, 0x91, 0x92])?;
        let [slot, key, signature, mailbox, signaling, credential, revocation] = found;
        let identity = match (slot, key) {
            (Some(slot), None) => Identity::KeySlot(slot.try_into().map_err(|_| TlvError::Value(0x4E))?),
            (None, Some(key)) => Identity::PublicKey(PublicKey::from_uncompressed(key)?),
            (None, None) => return Err(TlvError::Missing(0x5A).into()),
            (Some(_), Some(_)) => return Err(TlvError::Unexpected(0x4E).into()),
        };
        let signaling: [u8; 2] = signaling.ok_or(TlvError::Missing(0x5E))?.try_into().map_err(|_| TlvError::Value(0x5E))?;
        Ok(Self {
            identity,
            signature: Signature::from_slice(signature.ok_or(TlvError::Missing(0x9E))?).map_err(|_| TlvError::Value(0x9E))?,
            mailbox,
            signaling: Signaling(u16::from_be_bytes(signaling)),
            credential_signed: timestamp(credential, 0x91)?,
            revocation_signed: timestamp(revocation, 0x92)?,
        })
    }

    /// Writes the text to be encrypted.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        match &self.identity {
            Identity::KeySlot(slot) => tlv::put(out, 0x4E, &[slot])?,
            Identity::PublicKey(key) => tlv::put(out, 0x5A, &[key.as_bytes()])?,
        }
        tlv::put(out, 0x9E, &[self.signature.as_bytes()])?;
        self.mailbox.map_or(Ok(()), |mailbox| tlv::put(out, 0x4B, &[mailbox]))?;
        tlv::put(out, 0x5E, &[&self.signaling.0.to_be_bytes()])?;
        self.credential_signed.map_or(Ok(()), |time| tlv::put(out, 0x91, &[&time.0]))?;
        self.revocation_signed.map_or(Ok(()), |time| tlv::put(out, 0x92, &[&time.0]))
    }
}

fn timestamp(value: Option<&[u8]>, tag: u16) -> Result<Option<Timestamp>, TlvError> {
    value.map(|value| value.try_into().map(Timestamp).map_err(|_| TlvError::Value(tag))).transpose()
}

/// What is decrypted out of a cryptogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cryptogram {
    /// Tag 5E.
    pub signaling: Signaling,
    /// Tag 91, zeros for none.
    pub credential_signed: Timestamp,
    /// Tag 92, zeros for none.
    pub revocation_signed: Timestamp,
}

impl Cryptogram {
    pub(super) const LENGTH: usize = CRYPTOGRAM - crate::crypto::TAG;

    /// Reads the decrypted text.
    ///
    /// # Errors
    /// [`AliroError::Tlv`].
    pub fn parse(text: &[u8]) -> Result<Self, AliroError> {
        let mut reader = TlvReader::new(text);
        let signaling = Signaling(u16::from_be_bytes(*reader.expect(0x5E)?.exactly()?));
        let credential_signed = Timestamp(*reader.expect(0x91)?.exactly()?);
        let revocation_signed = Timestamp(*reader.expect(0x92)?.exactly()?);
        reader.end()?;
        Ok(Self { signaling, credential_signed, revocation_signed })
    }

    /// Writes the 48 bytes to be encrypted.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        tlv::put(out, 0x5E, &[&self.signaling.0.to_be_bytes()])?;
        tlv::put(out, 0x91, &[&self.credential_signed.0])?;
        tlv::put(out, 0x92, &[&self.revocation_signed.0])
    }
}
