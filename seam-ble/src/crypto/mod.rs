//! The cryptography that the protocols need, behind one trait.
//!
//! [`Crypto`] is what a backend does with bytes; [`SigningKey`] is a long-term key, which may lie in a secure element and then is a reference
//! rather than bytes. Randomness is passed in: a caller with a good source gives it, a test gives what it wants to see again.
//!
//! Two backends come along, and answer alike (`tests/backends.rs`): [`rustcrypto`] in plain Rust, for hosts and firmware, and [`aws_lc`] for
//! hosts. Times of both: `docs/performance.md`.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(feature = "aws-lc")]
pub mod aws_lc;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;
#[cfg(any(feature = "aws-lc", feature = "rustcrypto"))]
mod symmetric;

/// Why a step of cryptography failed. It never says more: which part of a check failed is of use to an attacker only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The bytes are no point of the curve in the expected form.
    PublicKey,
    /// The bytes are zero or not below the order of the curve. Of random ones it happens once in four billion: draw again.
    Scalar,
    /// The signature does not belong to key and message.
    Signature,
    /// The authentication tag does not belong to key, nonce and data.
    Tag,
    /// Too long for the primitive.
    Length,
    /// The device that holds the key refused or did not answer.
    Device,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey => "the public key is not a point of the curve",
            Self::Scalar => "the private key is out of range",
            Self::Signature => "the signature does not verify",
            Self::Tag => "the authentication tag does not verify",
            Self::Length => "too many bytes for the primitive",
            Self::Device => "the device that holds the key did not answer",
        })
    }
}

impl core::error::Error for CryptoError {}

/// `N` secret bytes: overwritten when dropped, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes; the caller's own copy is the caller's to erase.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a primitive or a sealed store.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled.
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({N} bytes)")
    }
}

/// Compares in a time that depends on the lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A P-256 public key in the uncompressed form `04 ‖ x ‖ y` (SEC 1, 2.3.3).
///
/// Form and length are checked here; that it is a point of the curve is checked by each use of it ([`Crypto::agree`], [`Crypto::verify`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// Reads the uncompressed form; a compressed one or the point at infinity is refused.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`].
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, CryptoError> {
        let key: [u8; 65] = bytes.try_into().map_err(|_| CryptoError::PublicKey)?;
        if key[0] == 4 { Ok(Self(key)) } else { Err(CryptoError::PublicKey) }
    }

    /// `04 ‖ x ‖ y`.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The x coordinate, 32 bytes.
    pub fn x(&self) -> &[u8; 32] {
        self.0[1..].first_chunk().unwrap_or(&[0; 32])
    }

    /// The compressed form, `02` or `03` and x (SEC 1, 2.3.3).
    pub fn compressed(&self) -> [u8; 33] {
        let mut compressed = [0; 33];
        compressed[0] = 2 | (self.0[64] & 1);
        compressed[1..].copy_from_slice(self.x());
        compressed
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.0[1..5].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

/// An ECDSA signature over P-256 and SHA-256, raw `r ‖ s`, each 32 bytes. Both halves of `s` are accepted: none of the protocols demands the
/// lower one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes the 64 bytes; they are checked by [`Crypto::verify`].
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads 64 bytes; DER or any other length is refused.
    ///
    /// # Errors
    /// [`CryptoError::Signature`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        bytes.try_into().map(Self).map_err(|_| CryptoError::Signature)
    }

    /// `r ‖ s`.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// A long-term P-256 key that signs. The bytes need not be here: a secure element, a key store of the phone or a signing service
/// implements this with a reference to its key.
pub trait SigningKey {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Signs with ECDSA and SHA-256.
    ///
    /// # Errors
    /// [`CryptoError::Device`] when the key's holder refuses or does not answer; a key in memory always signs.
    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError>;
}

impl<K: SigningKey + ?Sized> SigningKey for &K {
    fn public_key(&self) -> PublicKey {
        (**self).public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        (**self).sign(message)
    }
}

/// Length of an authentication tag, in bytes.
pub const TAG: usize = 16;

/// The primitives. A backend holds no keys but those it hands out as [`Crypto::AgreementKey`].
pub trait Crypto {
    /// The private half of a key for one session. It erases itself when dropped.
    type AgreementKey;

    /// Makes a session's key out of 32 random bytes.
    ///
    /// # Errors
    /// [`CryptoError::Scalar`] when the bytes are zero or not below the order: draw again.
    fn agreement_key(&self, random: &Secret<32>) -> Result<(Self::AgreementKey, PublicKey), CryptoError>;

    /// The x coordinate of the common point (ECDH).
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] when the peer's key is not a point of the curve.
    fn agree(&self, key: &Self::AgreementKey, peer: &PublicKey) -> Result<Secret<32>, CryptoError>;

    /// Finds the point of a compressed key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] when there is none.
    fn decompress(&self, compressed: &[u8; 33]) -> Result<PublicKey, CryptoError>;

    /// Checks an ECDSA signature with SHA-256.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when it does not belong to key and message, or the key is not a point of the curve.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), CryptoError>;

    /// SHA-256 over the pieces, one after the other.
    fn sha256(&self, pieces: &[&[u8]]) -> [u8; 32];

    /// SHA-1 over the pieces. Only names of keys are made with it, where a protocol demands so; nothing rests on it.
    fn sha1(&self, pieces: &[&[u8]]) -> [u8; 20];

    /// HMAC with SHA-256 over the pieces, one after the other.
    fn hmac_sha256(&self, key: &[u8], pieces: &[&[u8]]) -> [u8; 32];

    /// HKDF with SHA-256 (RFC 5869), extract and expand. A shorter `out` is the beginning of a longer one.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `out` has more than 8 160 bytes.
    fn hkdf(&self, secret: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;

    /// One block of the key derivation of ANSI X9.63 with SHA-256: `SHA-256(secret ‖ 00000001 ‖ shared info)`.
    fn x963(&self, secret: &Secret<32>, shared_info: &[u8]) -> Secret<32> {
        Secret::new(self.sha256(&[secret.expose(), &[0, 0, 0, 1], shared_info]))
    }

    /// Encrypts in place with AES-256-GCM and gives the tag.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `data` is longer than the mode allows.
    fn gcm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError>;

    /// Decrypts in place with AES-256-GCM. After an error `data` holds nothing of use.
    ///
    /// # Errors
    /// [`CryptoError::Tag`].
    fn gcm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError>;

    /// Encrypts in place with AES-256-CCM (tag of 16 bytes, nonce of 12) and gives the tag.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `data` is longer than the mode allows.
    fn ccm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError>;

    /// Decrypts in place with AES-256-CCM. After an error `data` holds nothing of use.
    ///
    /// # Errors
    /// [`CryptoError::Tag`].
    fn ccm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError>;

    /// Encrypts one block with AES-128.
    fn aes128_block(&self, key: &Secret<16>, block: &mut [u8; 16]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new([0xA5; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(32 bytes)");
    }

    #[test]
    fn a_public_key_has_its_uncompressed_form() {
        let mut bytes = [7; 65];
        bytes[0] = 4;
        let key = PublicKey::from_uncompressed(&bytes).unwrap();
        assert_eq!((key.x(), key.compressed()[0]), (&[7; 32], 3));
        for wrong in [&bytes[..64], &[0][..], &[bytes.as_slice(), &[0]].concat(), &{ key.compressed() }] {
            assert_eq!(PublicKey::from_uncompressed(wrong), Err(CryptoError::PublicKey));
        }
        bytes[0] = 6;
        assert_eq!(PublicKey::from_uncompressed(&bytes), Err(CryptoError::PublicKey), "hybrid form");
    }

    #[test]
    fn a_signature_has_64_bytes() {
        assert_eq!(Signature::from_slice(&[0x30; 70]), Err(CryptoError::Signature));
        assert_eq!(Signature::from_slice(&[0x30; 63]), Err(CryptoError::Signature));
        assert!(Signature::from_slice(&[0x30; 64]).is_ok());
    }
}
