//! AES-CCM and single blocks, for both backends: aws-lc-rs offers no CCM with these sizes.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use ccm::aead::AeadInOut;
use ccm::consts::{U12, U16};

use super::{CryptoError, Secret, TAG};

type Ccm256 = ccm::Ccm<aes::Aes256, U16, U12>;

pub(super) fn ccm_seal(key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
    let cipher = Ccm256::new(key.expose().into());
    cipher.encrypt_inout_detached(nonce.into(), associated, data.into()).map(Into::into).map_err(|_| CryptoError::Length)
}

pub(super) fn ccm_open(key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
    let cipher = Ccm256::new(key.expose().into());
    cipher.decrypt_inout_detached(nonce.into(), associated, data.into(), tag.into()).map_err(|_| CryptoError::Tag)
}

pub(super) fn aes128_block(key: &Secret<16>, block: &mut [u8; 16]) {
    aes::Aes128::new(key.expose().into()).encrypt_block(block.into());
}
