//! Small helpers that every file here uses.
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::SoftwareKey;
use seam_ble::crypto::{PublicKey, Secret, SigningKey};

/// The bytes of a hexadecimal text.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex_n<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// Lets `write` write, and gives what it wrote beside what it returned.
pub(crate) fn written<T, E>(write: impl FnOnce(&mut Writer<'_>) -> Result<T, E>) -> Result<(Vec<u8>, T), E> {
    let mut space = [0; 1024];
    let mut out = Writer::new(&mut space);
    let result = write(&mut out)?;
    Ok((out.as_slice().to_vec(), result))
}

pub(crate) fn key(byte: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&Secret::new([byte; 32])).unwrap()
}

pub(crate) fn public(byte: u8) -> PublicKey {
    key(byte).public_key()
}

/// The message with one bit changed.
pub(crate) fn flipped(message: &[u8], bit: usize) -> Vec<u8> {
    let mut changed = message.to_vec();
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

/// The order of the curve's group (SEC 2, 2.4.2).
pub(crate) const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The prime of the curve's field.
pub(crate) const PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
