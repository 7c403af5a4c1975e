//! The key schedule. Verified against the published examples of the standard and the fast phase (`tests/aliro_vectors.rs`), and against
//! another implementation of it with random inputs (`tests/aliro_oracle.rs`).

use super::unsettled::{BLE_KEYS_SALTED_WITH_VERSIONS, STEP_UP_SALT};
use super::{AliroError, Interface, Proprietary, ReaderId, TransactionId, VENDOR_MAX, Version};
use crate::bytes::{Bytes, Full, Writer};
use crate::crypto::{Crypto, PublicKey, Secret};
use crate::tlv;

/// Which side signs: part of what is signed, so that neither signature passes for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The reader, in AUTH1's command.
    Reader,
    /// The device, in AUTH1's answer.
    Device,
}

impl Usage {
    const fn bytes(self) -> [u8; 4] {
        match self {
            Self::Reader => [0x41, 0x5D, 0x95, 0x69],
            Self::Device => [0x4E, 0x88, 0x7B, 0x4C],
        }
    }
}

/// How many bytes either side signs.
pub const AUTHENTICATION_DATA: usize = 126;
const SALT_MAX: usize = 32 + 12 + 32 + 1 + 4 + 32 + 16 + 2 + super::PROPRIETARY_MAX + 32;
const INFO_MAX: usize = 32 + 2 * (VENDOR_MAX + 3);

/// Everything both sides have seen in a transaction, in the clear. Both build all keys and signatures from it, so whoever changes a byte
/// on the way ends the transaction.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// What carries it.
    pub interface: Interface,
    /// The version chosen by the reader.
    pub version: Version,
    /// The reader.
    pub reader: ReaderId,
    /// The x coordinate of the reader's long-term key, or of its group's issuer when the reader shows a certificate.
    pub reader_key_x: [u8; 32],
    /// Named by the reader.
    pub transaction: TransactionId,
    /// Of this transaction.
    pub reader_ephemeral: PublicKey,
    /// Of this transaction.
    pub device_ephemeral: PublicKey,
    /// Tags 41 and 42 of AUTH0.
    pub flags: [u8; 2],
    /// Tag A5.
    pub proprietary: Proprietary,
    /// The vendor TLVs of AUTH0 and its answer.
    pub vendor: Bytes<{ 2 * (VENDOR_MAX + 3) }>,
}

impl Transcript {
    /// What `usage`'s side signs.
    ///
    /// # Errors
    /// [`Full`], never: the length is fixed.
    pub fn authentication_data(&self, usage: Usage) -> Result<Bytes<AUTHENTICATION_DATA>, Full> {
        let mut data = Bytes::new();
        data.fill(|out| {
            tlv::put(out, 0x4D, &[self.reader.as_bytes()])?;
            tlv::put(out, 0x86, &[self.device_ephemeral.x()])?;
            tlv::put(out, 0x87, &[self.reader_ephemeral.x()])?;
            tlv::put(out, 0x4C, &[&self.transaction.0])?;
            tlv::put(out, 0x93, &[&usage.bytes()])
        })?;
        Ok(data)
    }

    /// The salt of a derivation; `credential` for the fast phase and the persistent key.
    ///
    /// # Errors
    /// [`Full`], never: all parts are bounded.
    pub fn salt(&self, word: &[u8; 12], credential: Option<&PublicKey>) -> Result<Bytes<SALT_MAX>, Full> {
        let mut salt = Bytes::new();
        salt.fill(|out: &mut Writer<'_>| {
            out.put(&self.reader_key_x)?;
            out.put(word)?;
            out.put(self.reader.as_bytes())?;
            out.byte(self.interface.byte())?;
            tlv::put(out, 0x5C, &[&self.version.bytes()])?;
            out.put(self.reader_ephemeral.x())?;
            out.put(&self.transaction.0)?;
            out.put(&self.flags)?;
            out.put(self.proprietary.tlv())?;
            credential.map_or(Ok(()), |key| out.put(key.x()))
        })?;
        Ok(salt)
    }

    fn info(&self) -> Result<Bytes<INFO_MAX>, Full> {
        let mut info = Bytes::from_slice(self.device_ephemeral.x())?;
        info.put(&self.vendor)?;
        Ok(info)
    }
}

/// The keys of the standard phase.
#[derive(Debug)]
pub struct StandardKeys {
    /// Encrypts what the reader sends in AUTH1 and EXCHANGE.
    pub exchange_reader: Secret<32>,
    /// Encrypts what the device sends there.
    pub exchange_device: Secret<32>,
    /// Makes the keys of the step-up phase.
    pub step_up: Secret<32>,
    /// Makes the keys of the BLE channel.
    pub ble: Secret<32>,
    /// For secure ranging; handed to whoever does UWB.
    pub ranging: Secret<32>,
}

/// The keys of the fast phase. There is none for step-up: who needs a document runs the standard phase.
#[derive(Debug)]
pub struct FastKeys {
    /// Encrypts the cryptogram of AUTH0's answer.
    pub cryptogram: Secret<32>,
    /// Encrypts what the reader sends in EXCHANGE.
    pub exchange_reader: Secret<32>,
    /// Encrypts what the device sends there.
    pub exchange_device: Secret<32>,
    /// Makes the keys of the BLE channel.
    pub ble: Secret<32>,
    /// For secure ranging.
    pub ranging: Secret<32>,
}

/// The key that both sides agree on: X9.63 over the common point and the transaction.
///
/// # Errors
/// [`AliroError::Crypto`] when the peer's ephemeral key is no point, [`AliroError::OwnKey`] when it is our own: nobody else has a reason to
/// send it.
pub fn agree<C: Crypto>(
    crypto: &C,
    key: &C::AgreementKey,
    own: &PublicKey,
    peer: &PublicKey,
    transaction: &TransactionId,
) -> Result<Secret<32>, AliroError> {
    // The x coordinate alone counts: the mirrored point agrees on the same secret.
    if own.x() == peer.x() {
        return Err(AliroError::OwnKey);
    }
    let shared = crypto.agree(key, peer)?;
    Ok(crypto.x963(&shared, &transaction.0))
}

fn split<const N: usize>(okm: &Secret<160>) -> [Secret<32>; N] {
    core::array::from_fn(|place| {
        let mut key = Secret::new([0; 32]);
        if let Some(part) = okm.expose().get(place * 32..place * 32 + 32) {
            key.expose_mut().copy_from_slice(part);
        }
        key
    })
}

/// Derives the keys of the standard phase.
///
/// # Errors
/// [`AliroError::Full`] or [`AliroError::Crypto`], never with a transcript that was read here.
pub fn standard<C: Crypto>(crypto: &C, agreed: &Secret<32>, transcript: &Transcript) -> Result<StandardKeys, AliroError> {
    let mut okm = Secret::new([0; 160]);
    crypto.hkdf(agreed.expose(), &transcript.salt(b"Volatile****", None)?, &[&transcript.info()?], okm.expose_mut())?;
    let [exchange_reader, exchange_device, step_up, ble, ranging] = split(&okm);
    Ok(StandardKeys { exchange_reader, exchange_device, step_up, ble, ranging })
}

/// Derives the key by which reader and device will know each other again in the fast phase. It may be stored only after the other side's
/// signature was verified.
///
/// # Errors
/// As [`standard`].
pub fn persistent<C: Crypto>(
    crypto: &C,
    agreed: &Secret<32>,
    transcript: &Transcript,
    credential: &PublicKey,
) -> Result<Secret<32>, AliroError> {
    let mut key = Secret::new([0; 32]);
    let salt = transcript.salt(b"Persistent**", Some(credential))?;
    crypto.hkdf(agreed.expose(), &salt, &[&transcript.info()?], key.expose_mut())?;
    Ok(key)
}

/// Derives the keys of the fast phase.
///
/// # Errors
/// As [`standard`].
pub fn fast<C: Crypto>(
    crypto: &C,
    persistent: &Secret<32>,
    transcript: &Transcript,
    credential: &PublicKey,
) -> Result<FastKeys, AliroError> {
    let mut okm = Secret::new([0; 160]);
    let salt = transcript.salt(b"VolatileFast", Some(credential))?;
    crypto.hkdf(persistent.expose(), &salt, &[&transcript.info()?], okm.expose_mut())?;
    let [cryptogram, exchange_reader, exchange_device, ble, ranging] = split(&okm);
    Ok(FastKeys { cryptogram, exchange_reader, exchange_device, ble, ranging })
}

/// Searches the phone that a cryptogram comes from: the common part of the salt is written once, and each trial derives the first 32 of the
/// 160 bytes only.
#[derive(Debug)]
pub(super) struct Trial {
    salt: Bytes<SALT_MAX>,
    common: usize,
    info: Bytes<INFO_MAX>,
}

impl Trial {
    pub(super) fn new(transcript: &Transcript) -> Result<Self, Full> {
        let salt = transcript.salt(b"VolatileFast", None)?;
        Ok(Self { common: salt.len(), salt, info: transcript.info()? })
    }

    pub(super) fn cryptogram_key<C: Crypto>(
        &mut self,
        crypto: &C,
        persistent: &Secret<32>,
        credential: &PublicKey,
    ) -> Result<Secret<32>, AliroError> {
        self.salt.truncate(self.common);
        self.salt.put(credential.x())?;
        let mut key = Secret::new([0; 32]);
        crypto.hkdf(persistent.expose(), &self.salt, &[&self.info], key.expose_mut())?;
        Ok(key)
    }
}

/// The two keys of a channel: what the reader encrypts with, and the device.
#[derive(Debug)]
pub struct ChannelKeys {
    /// The reader encrypts with it.
    pub reader: Secret<32>,
    /// The device encrypts with it.
    pub device: Secret<32>,
}

impl ChannelKeys {
    /// The step-up phase's.
    ///
    /// # Errors
    /// [`AliroError::Crypto`], never.
    pub fn step_up<C: Crypto>(crypto: &C, key: &Secret<32>) -> Result<Self, AliroError> {
        Self::derive(crypto, key, &STEP_UP_SALT, [b"SKReader", b"SKDevice"])
    }

    /// The BLE channel's. `supported` are the versions as they stand in the reader's GATT characteristic, two bytes each.
    ///
    /// # Errors
    /// [`AliroError::Full`] when there are more than sixteen versions.
    pub fn ble<C: Crypto>(crypto: &C, key: &Secret<32>, supported: &[u8], selected: Version) -> Result<Self, AliroError> {
        let mut salt = Bytes::<34>::new();
        if BLE_KEYS_SALTED_WITH_VERSIONS {
            salt.put(supported)?;
            salt.put(&selected.bytes())?;
        }
        Self::derive(crypto, key, &salt, [b"BleSKReader", b"BleSKDevice"])
    }

    fn derive<C: Crypto, const N: usize>(crypto: &C, key: &Secret<32>, salt: &[u8], names: [&[u8; N]; 2]) -> Result<Self, AliroError> {
        let derive = |name: &[u8; N]| {
            let mut derived = Secret::new([0; 32]);
            crypto.hkdf(key.expose(), salt, &[name], derived.expose_mut()).map(|()| derived)
        };
        Ok(Self { reader: derive(names[0])?, device: derive(names[1])? })
    }
}
