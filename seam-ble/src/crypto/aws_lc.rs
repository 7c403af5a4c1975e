//! The primitives by AWS-LC, for hosts. AES-CCM and single blocks come from the `aes` and `ccm` crates: see `symmetric`.

use core::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey};
use aws_lc_rs::{digest, hkdf, hmac};

use super::{Crypto, CryptoError, PublicKey, Secret, Signature, SigningKey, TAG, symmetric};

/// The backend; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

/// A session's private key.
pub struct AgreementKey(agreement::PrivateKey);

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKey(..)")
    }
}

/// A long-term key held in memory; erased by AWS-LC when dropped.
pub struct SoftwareKey {
    key: EcdsaKeyPair,
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
        let (_, public) = AwsLc.agreement_key(bytes)?;
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes.expose(), public.as_bytes())
            .map(|key| Self { key, public })
            .map_err(|_| CryptoError::Scalar)
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        // AWS-LC draws the nonce from its own generator, whatever is passed.
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(|_| CryptoError::Device)?;
        Signature::from_slice(signature.as_ref()).map_err(|_| CryptoError::Device)
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn gcm(key: &Secret<32>) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| CryptoError::Length)
}

impl Crypto for AwsLc {
    type AgreementKey = AgreementKey;

    fn agreement_key(&self, random: &Secret<32>) -> Result<(AgreementKey, PublicKey), CryptoError> {
        let key = agreement::PrivateKey::from_private_key(&ECDH_P256, random.expose()).map_err(|_| CryptoError::Scalar)?;
        let public = key.compute_public_key().map_err(|_| CryptoError::Scalar)?;
        let public = PublicKey::from_uncompressed(public.as_ref()).map_err(|_| CryptoError::Scalar)?;
        Ok((AgreementKey(key), public))
    }

    fn agree(&self, key: &AgreementKey, peer: &PublicKey) -> Result<Secret<32>, CryptoError> {
        let peer = agreement::UnparsedPublicKey::new(&ECDH_P256, peer.as_bytes());
        agreement::agree(&key.0, peer, CryptoError::PublicKey, |shared| {
            shared.try_into().map(Secret::new).map_err(|_| CryptoError::PublicKey)
        })
    }

    fn decompress(&self, compressed: &[u8; 33]) -> Result<PublicKey, CryptoError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, compressed).parse().map_err(|_| CryptoError::PublicKey)?;
        // The uncompressed point is the end of the X.509 form (RFC 5480).
        let x509: PublicKeyX509Der<'_> = key.as_der().map_err(|_| CryptoError::PublicKey)?;
        let point = x509.as_ref().last_chunk::<65>().ok_or(CryptoError::PublicKey)?;
        PublicKey::from_uncompressed(point)
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes());
        key.verify(message, signature.as_bytes()).map_err(|_| CryptoError::Signature)
    }

    fn sha256(&self, pieces: &[&[u8]]) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        pieces.iter().for_each(|piece| hash.update(piece));
        hash.finish().as_ref().try_into().unwrap_or([0; 32])
    }

    fn sha1(&self, pieces: &[&[u8]]) -> [u8; 20] {
        let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        pieces.iter().for_each(|piece| hash.update(piece));
        hash.finish().as_ref().try_into().unwrap_or([0; 20])
    }

    fn hmac_sha256(&self, key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        pieces.iter().for_each(|piece| mac.update(piece));
        mac.sign().as_ref().try_into().unwrap_or([0; 32])
    }

    fn hkdf(&self, secret: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
        let okm = prk.expand(info, Length(out.len())).map_err(|_| CryptoError::Length)?;
        okm.fill(out).map_err(|_| CryptoError::Length)
    }

    fn gcm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        let tag = gcm(key)?.seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(associated), data);
        tag.map_err(|_| CryptoError::Length)?.as_ref().try_into().map_err(|_| CryptoError::Length)
    }

    fn gcm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = gcm(key)?.open_in_place_separate_tag(nonce, Aad::from(associated), tag, data);
        opened.map(|_| ()).map_err(|_| CryptoError::Tag)
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
