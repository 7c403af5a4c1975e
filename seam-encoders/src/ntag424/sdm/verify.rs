//! What the backend does with a tap: decrypt, verify, and refuse what it has seen.
use std::fmt;
use zeroize::Zeroizing;

use super::Suite;
use crate::crypto::lrp::Lrp;
use crate::crypto::{BlockCipher, MacKey, Vector, equal, truncated};
use crate::keys::{Key, KeyType};

/// Why a tap is not believed. None of them says anything about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdmError {
    /// The address is not of the template.
    #[error("the address is not one that this template makes")]
    Form,
    /// What was decrypted is not a number and a counter: another key, or not of a card.
    #[error("the encrypted number of the card makes no sense")]
    Identity,
    /// The MAC is wrong: another key, or an address that was changed.
    #[error("the MAC of the address is wrong")]
    Mac,
    /// The counter is not above the highest that was seen: an address used again.
    #[error("the address was used before (counter {counter}, seen {seen})")]
    Replayed {
        /// The counter of this tap.
        counter: u32,
        /// The highest one seen.
        seen: u32,
    },
    /// The address has no counter, so it cannot be told from one that was used before.
    #[error("the address has no counter to compare")]
    Uncounted,
    /// A key of a type that the card does not have.
    #[error("a key that is not AES-128")]
    Key,
}

/// One tap, taken apart and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tap {
    suite: Suite,
    pub(super) encrypted: Option<Vec<u8>>,
    pub(super) uid: Option<[u8; 7]>,
    /// Low byte first, as it goes into the keys.
    pub(super) counter: Option<[u8; 3]>,
    pub(super) data: Option<Vec<u8>>,
    pub(super) covered: Vec<u8>,
    pub(super) mac: [u8; 8],
}

/// Who a tap says it is. Not believed before [`Tap::verify`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TapIdentity {
    /// The serial number of the card.
    pub uid: Option<[u8; 7]>,
    /// How often it was tapped: 1 at the first tap, at most FFFFFF.
    pub counter: Option<u32>,
}

/// A tap that a card with the key made.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedTap {
    /// The serial number of the card.
    pub uid: Option<[u8; 7]>,
    /// How often it was tapped. Keep the highest per card, and give it to the next verification.
    pub counter: Option<u32>,
    /// What was encrypted: the text of the template, then the digits that fill its place.
    pub data: Option<Vec<u8>>,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("suite", &self.suite).finish_non_exhaustive()
    }
}
impl fmt::Debug for TapIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapIdentity").field("counter", &self.counter).finish_non_exhaustive()
    }
}
impl fmt::Debug for VerifiedTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTap").field("counter", &self.counter).finish_non_exhaustive()
    }
}

impl Tap {
    pub(super) fn new(suite: Suite) -> Self {
        Self { suite, encrypted: None, uid: None, counter: None, data: None, covered: Vec::new(), mac: [0; 8] }
    }

    /// Who it says it is. `meta` is the key of `{picc}`; it is not used where number and counter are plain.
    ///
    /// # Errors
    /// [`SdmError::Identity`]: what was decrypted makes no sense; [`SdmError::Key`].
    pub fn identify(&self, meta: &Key) -> Result<TapIdentity, SdmError> {
        let (uid, counter) = self.parts(meta)?;
        Ok(TapIdentity { uid, counter: counter.map(number) })
    }

    fn parts(&self, meta: &Key) -> Result<Parts, SdmError> {
        let Some(encrypted) = &self.encrypted else { return Ok((self.uid, self.counter)) };
        let key = sixteen(meta)?;
        let clear = Zeroizing::new(decrypt_identity(self.suite, key, encrypted)?);
        let (tag, rest) = clear.split_first().ok_or(SdmError::Identity)?;
        // Bit 7: number, bit 6: counter, low nibble: length of the number.
        if tag & 0x30 != 0 || (tag & 0x80 != 0) != (tag & 0x0f == 7) || (tag & 0x80 == 0 && tag & 0x0f != 0) {
            return Err(SdmError::Identity);
        }
        let (uid, rest) = match rest.split_first_chunk::<7>() {
            Some((uid, rest)) if tag & 0x80 != 0 => (Some(*uid), rest),
            _ => (None, rest),
        };
        Ok((uid, if tag & 0x40 != 0 { rest.first_chunk::<3>().copied() } else { None }))
    }

    /// Verifies the MAC with the key of the card that [`Tap::identify`] named, and that the counter is above `seen`, the highest verified
    /// counter of this card (0: none yet). Without `seen` an address can be used again by whoever kept it; with it an address that has no
    /// counter is refused.
    ///
    /// # Errors
    /// [`SdmError`]: why it is not believed.
    pub fn verify(&self, meta: &Key, file: &Key, seen: Option<u32>) -> Result<VerifiedTap, SdmError> {
        let (uid, counter) = self.parts(meta)?;
        let keys = Keys::derive(self.suite, file, uid.as_ref(), counter.as_ref())?;
        if !equal(&keys.mac(&self.covered), &self.mac) {
            return Err(SdmError::Mac);
        }
        if let Some(seen) = seen {
            let counter = counter.map(number).ok_or(SdmError::Uncounted)?;
            if counter <= seen {
                return Err(SdmError::Replayed { counter, seen });
            }
        }
        let data = self.data.clone().map(|data| keys.decrypt(counter.unwrap_or_default(), data));
        Ok(VerifiedTap { uid, counter: counter.map(number), data })
    }
}

/// Number, and counter with its low byte first.
type Parts = (Option<[u8; 7]>, Option<[u8; 3]>);

fn number([low, mid, high]: [u8; 3]) -> u32 {
    u32::from_le_bytes([low, mid, high, 0])
}

fn sixteen(key: &Key) -> Result<&[u8; 16], SdmError> {
    if key.kind() == KeyType::Aes128 { key.bytes().first_chunk().ok_or(SdmError::Key) } else { Err(SdmError::Key) }
}

fn decrypt_identity(suite: Suite, key: &[u8; 16], encrypted: &[u8]) -> Result<[u8; 16], SdmError> {
    match suite {
        Suite::Aes => {
            let mut block: [u8; 16] = encrypted.try_into().map_err(|_| SdmError::Form)?;
            let mut vector = Vector::ZERO;
            BlockCipher::aes(key).decrypt_cbc(&mut vector, &mut block).map_err(|_| SdmError::Form)?;
            Ok(block)
        }
        Suite::Lrp => {
            let (random, block) = encrypted.split_first_chunk::<8>().ok_or(SdmError::Form)?;
            let (mut counter, mut block) = (*random, <[u8; 16]>::try_from(block).map_err(|_| SdmError::Form)?);
            // The base key's own updated key 0, as for a MAC: there is no session here (AN12321; vector `lrp-sdm-picc-data`).
            Lrp::updated(key, 0).decrypt_blocks(&mut counter, &mut block);
            Ok(block)
        }
    }
}

/// The keys of one tap (NT4H2421Gx section 9.3.9).
pub struct Keys(Cipher);

enum Cipher {
    Aes { encryption: BlockCipher, mac: MacKey },
    Lrp { encryption: Lrp, mac: Lrp },
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// From the file's key and what of number and counter (low byte first) is mirrored.
    ///
    /// # Errors
    /// [`SdmError::Key`]: not an AES-128 key.
    pub fn derive(suite: Suite, file: &Key, uid: Option<&[u8; 7]>, counter: Option<&[u8; 3]>) -> Result<Self, SdmError> {
        let key = sixteen(file)?;
        let mirrored = [uid.map_or(&[][..], |uid| uid), counter.map_or(&[][..], |counter| counter)].concat();
        let vector = |label: &[u8], end: &[u8]| {
            let mut vector = [0; 16];
            let start = label.len() + 4;
            vector[..label.len()].copy_from_slice(label);
            vector[label.len()..start].copy_from_slice(&[0x00, 0x01, 0x00, 0x80]);
            vector[start..start + mirrored.len()].copy_from_slice(&mirrored);
            vector[16 - end.len()..].copy_from_slice(end);
            vector
        };
        Ok(Self(match suite {
            Suite::Aes => {
                let base = MacKey::new(BlockCipher::aes(key));
                let session = |label: &[u8]| BlockCipher::aes(&Zeroizing::new(base.cmac(&[&vector(label, &[])])));
                Cipher::Aes { encryption: session(&[0xc3, 0x3c]), mac: MacKey::new(session(&[0x3c, 0xc3])) }
            }
            Suite::Lrp => {
                let master = Zeroizing::new(Lrp::for_mac(key).cmac(&vector(&[], &[0x1e, 0xe1])));
                Cipher::Lrp { encryption: Lrp::for_encryption(&master), mac: Lrp::for_mac(&master) }
            }
        }))
    }

    /// The MAC over what of the file it covers: every other byte of the CMAC.
    #[must_use]
    pub fn mac(&self, covered: &[u8]) -> [u8; 8] {
        truncated(match &self.0 {
            Cipher::Aes { mac, .. } => mac.cmac(&[covered]),
            Cipher::Lrp { mac, .. } => mac.cmac(covered),
        })
    }

    /// Decrypts the encrypted part; it has no padding.
    #[must_use]
    pub fn decrypt(&self, counter: [u8; 3], mut data: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Cipher::Aes { encryption, .. } => {
                let mut first = [0; 16];
                first[..3].copy_from_slice(&counter);
                let mut vector = Vector(encryption.encrypted_block(first));
                // The length was bound by the template to whole blocks.
                if encryption.decrypt_cbc(&mut vector, &mut data).is_err() {
                    data.clear();
                }
            }
            Cipher::Lrp { encryption, .. } => {
                let [a, b, c] = counter;
                encryption.decrypt_blocks(&mut [a, b, c, 0, 0, 0], &mut data);
            }
        }
        data
    }
}
