//! Keys of cards, and where they come from.
mod an10922;
mod source;

pub use an10922::diversify;
pub use source::{Diversified, FixedKeys, KeySource};

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::BlockCipher;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyType {
    /// AES with 128 bits; the card keeps a version beside it.
    Aes128,
    /// Triple DES with two keys (16 bytes); two equal halves are single DES. The version lies in the parity bits of the first 8 bytes.
    TwoKeyTripleDes,
    /// Triple DES with three keys (24 bytes). The version lies in the parity bits of the first 8 bytes.
    ThreeKeyTripleDes,
}

impl KeyType {
    /// Bytes of a key.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Aes128 | Self::TwoKeyTripleDes => 16,
            Self::ThreeKeyTripleDes => 24,
        }
    }
}

/// A key of a card. It is wiped when dropped, `Debug` shows its type only, and comparing takes the same time wherever two keys differ.
#[derive(Clone)]
pub struct Key {
    kind: KeyType,
    bytes: Zeroizing<[u8; 24]>,
    version: u8,
}

wiped!(Key: bytes);

/// There is no such key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The source has no key of this number and version for this application.
    #[error("there is no key {key_no} of version {version} for this application")]
    None {
        /// The number of the key at the card.
        key_no: u8,
        /// The version that was asked for.
        version: u8,
    },
    /// So many bytes are no key of this type.
    #[error("{0} bytes are not a key of this type")]
    Length(usize),
    /// More to diversify with than the method takes.
    #[error("{0} bytes to diversify with, at most {1} are allowed")]
    DiversificationInput(usize, usize),
    /// The source (as a security module) does not answer.
    #[error("the source of keys does not answer")]
    Unavailable,
}

impl Key {
    /// An AES key with its version (0 to 255).
    #[must_use]
    pub fn aes(bytes: [u8; 16], version: u8) -> Self {
        let mut key = Self { kind: KeyType::Aes128, bytes: Zeroizing::new([0; 24]), version };
        key.bytes[..16].copy_from_slice(&bytes);
        key
    }

    /// A key from its bytes. The version of a DES key is read from its parity bits, that of an AES key is 0.
    ///
    /// # Errors
    /// [`KeyError::Length`] when they are not 16, or 24 for three keys.
    pub fn new(kind: KeyType, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != kind.length() {
            return Err(KeyError::Length(bytes.len()));
        }
        let mut key = Self { kind, bytes: Zeroizing::new([0; 24]), version: 0 };
        key.bytes[..bytes.len()].copy_from_slice(bytes);
        if kind != KeyType::Aes128 {
            key.version = bytes[..8].iter().fold(0, |version, byte| version << 1 | byte & 1);
        }
        Ok(key)
    }

    /// The key of zeros with version 0 that a new card comes with.
    #[must_use]
    pub fn zero(kind: KeyType) -> Self {
        Self { kind, bytes: Zeroizing::new([0; 24]), version: 0 }
    }

    /// The same key with this version. In a DES key it is written to the lowest bits of the first 8 bytes, highest bit first; the next 8 bytes
    /// of a key of two get its complement, so that the halves stay different (as libfreefare and the cards do).
    #[must_use]
    pub fn with_version(mut self, version: u8) -> Self {
        self.version = version;
        if self.kind != KeyType::Aes128 {
            let is_single = self.bytes[..8] == self.bytes[8..16] && self.kind == KeyType::TwoKeyTripleDes;
            for i in 0..8 {
                let bit = (version >> (7 - i)) & 1;
                self.bytes[i] = self.bytes[i] & 0xFE | bit;
                if self.kind == KeyType::TwoKeyTripleDes {
                    self.bytes[i + 8] = self.bytes[i + 8] & 0xFE | if is_single { bit } else { bit ^ 1 };
                }
            }
        }
        self
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> KeyType {
        self.kind
    }
    /// Its version.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }
    /// Its bytes: 16, or 24 for three keys.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.kind.length()]
    }
    /// Its cipher.
    #[must_use]
    pub fn cipher(&self) -> BlockCipher {
        match self.kind {
            KeyType::Aes128 => BlockCipher::aes(self.sixteen()),
            KeyType::TwoKeyTripleDes => BlockCipher::triple_des_two_keys(self.sixteen()),
            KeyType::ThreeKeyTripleDes => BlockCipher::triple_des_three_keys(&self.bytes),
        }
    }
    fn sixteen(&self) -> &[u8; 16] {
        self.bytes.first_chunk().expect("24 bytes begin with 16")
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.version == other.version && bool::from(self.bytes.as_slice().ct_eq(other.bytes.as_slice()))
    }
}
impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).field("version", &self.version).finish_non_exhaustive()
    }
}
