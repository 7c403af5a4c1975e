//! The primitives in plain Rust, by the RustCrypto crates. Works without `std`.

use core::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use hmac::Mac;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::elliptic_curve::sec1::ToSec1Point;
use sha2::Digest;

use super::{Crypto, CryptoError, PublicKey, Secret, Signature, SigningKey, TAG, symmetric};

/// The backend; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

/// A session's private key.
pub struct AgreementKey(p256::SecretKey);

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKey(..)")
    }
}

/// A long-term key held in memory; erased when dropped.
#[derive(Clone)]
pub struct SoftwareKey {
    key: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SoftwareKey").field(&self.public).finish()
    }
}

impl SoftwareKey {
    /// A key from its 32 bytes: a stored one, or random bytes for a new one.
    ///
    /// # Errors
    /// [`CryptoError::Scalar`] when they are zero or not below the order of the curve.
    pub fn from_bytes(bytes: &Secret<32>) -> Result<Self, CryptoError> {
        let key = p256::SecretKey::from_slice(bytes.expose()).map_err(|_| CryptoError::Scalar)?;
        Ok(Self { public: public_key(&key.public_key())?, key: key.into() })
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        // The nonce comes from key and message (RFC 6979): no randomness that could be bad.
        let signature: p256::ecdsa::Signature = self.key.try_sign(message).map_err(|_| CryptoError::Device)?;
        Ok(Signature::new(signature.to_bytes().into()))
    }
}

fn public_key(key: &p256::PublicKey) -> Result<PublicKey, CryptoError> {
    PublicKey::from_uncompressed(key.to_sec1_point(false).as_bytes())
}

impl Crypto for RustCrypto {
    type AgreementKey = AgreementKey;

    fn agreement_key(&self, random: &Secret<32>) -> Result<(AgreementKey, PublicKey), CryptoError> {
        let key = p256::SecretKey::from_slice(random.expose()).map_err(|_| CryptoError::Scalar)?;
        let public = public_key(&key.public_key())?;
        Ok((AgreementKey(key), public))
    }

    fn agree(&self, key: &AgreementKey, peer: &PublicKey) -> Result<Secret<32>, CryptoError> {
        let peer = p256::PublicKey::from_sec1_bytes(peer.as_bytes()).map_err(|_| CryptoError::PublicKey)?;
        let shared = p256::ecdh::diffie_hellman(key.0.to_nonzero_scalar(), peer.as_affine());
        Ok(Secret::new((*shared.raw_secret_bytes()).into()))
    }

    fn decompress(&self, compressed: &[u8; 33]) -> Result<PublicKey, CryptoError> {
        // The crate would also read the compact form `05`, which no protocol here has.
        if !matches!(compressed[0], 2 | 3) {
            return Err(CryptoError::PublicKey);
        }
        public_key(&p256::PublicKey::from_sec1_bytes(compressed).map_err(|_| CryptoError::PublicKey)?)
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key.as_bytes()).map_err(|_| CryptoError::Signature)?;
        let signature = p256::ecdsa::Signature::from_slice(signature.as_bytes()).map_err(|_| CryptoError::Signature)?;
        key.verify(message, &signature).map_err(|_| CryptoError::Signature)
    }

    fn sha256(&self, pieces: &[&[u8]]) -> [u8; 32] {
        let mut hash = sha2::Sha256::new();
        pieces.iter().for_each(|piece| hash.update(piece));
        hash.finalize().into()
    }

    fn sha1(&self, pieces: &[&[u8]]) -> [u8; 20] {
        let mut hash = sha1::Sha1::new();
        pieces.iter().for_each(|piece| hash.update(piece));
        hash.finalize().into()
    }

    fn hmac_sha256(&self, key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
        // A key of any length is allowed; the error has no cause.
        let Ok(mut mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(key) else { return [0; 32] };
        pieces.iter().for_each(|piece| mac.update(piece));
        mac.finalize().into_bytes().into()
    }

    fn hkdf(&self, secret: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), secret).expand_multi_info(info, out).map_err(|_| CryptoError::Length)
    }

    fn gcm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        let cipher = aes_gcm::Aes256Gcm::new(key.expose().into());
        cipher.encrypt_inout_detached(nonce.into(), associated, data.into()).map(Into::into).map_err(|_| CryptoError::Length)
    }

    fn gcm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
        let cipher = aes_gcm::Aes256Gcm::new(key.expose().into());
        cipher.decrypt_inout_detached(nonce.into(), associated, data.into(), tag.into()).map_err(|_| CryptoError::Tag)
    }

    fn ccm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        symmetric::ccm_seal(key, nonce, associated, data)
    }

    fn ccm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
        symmetric::ccm_open(key, nonce, associated, data, tag)
    }

    fn aes128_block(&self, key: &Secret<16>, block: &mut [u8; 16]) {
        symmetric::aes128_block(key, block);
    }
}
