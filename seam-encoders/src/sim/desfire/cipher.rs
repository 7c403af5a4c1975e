//! The card's own cryptography, on the crates `aes`, `des` and `cmac` and nothing of the drivers.
use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use des::{TdesEde2, TdesEde3};

/// A key with its cipher.
pub(super) enum Cipher {
    Aes(Aes128, [u8; 16]),
    Two(TdesEde2, [u8; 16]),
    Three(TdesEde3, [u8; 24]),
}

impl Cipher {
    /// `kind` as on the wire: 00 two-key triple DES, 40 three-key, 80 AES.
    pub(super) fn new(kind: u8, key: &[u8]) -> Self {
        match kind {
            0x80 => {
                let key: [u8; 16] = key.try_into().expect("an AES key has 16 bytes");
                Self::Aes(Aes128::new((&key).into()), key)
            }
            0x40 => {
                let key: [u8; 24] = key.try_into().expect("a key of three has 24 bytes");
                Self::Three(TdesEde3::new((&key).into()), key)
            }
            _ => {
                let key: [u8; 16] = key.try_into().expect("a key of two has 16 bytes");
                Self::Two(TdesEde2::new((&key).into()), key)
            }
        }
    }
    pub(super) fn block(&self) -> usize {
        if matches!(self, Self::Aes(..)) { 16 } else { 8 }
    }
    fn encrypt_one(&self, block: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes(cipher, _) => {
                let mut out = <[u8; 16]>::try_from(block).expect("a block of AES").into();
                cipher.encrypt_block(&mut out);
                out.to_vec()
            }
            Self::Two(cipher, _) => {
                let mut out = <[u8; 8]>::try_from(block).expect("a block of DES").into();
                cipher.encrypt_block(&mut out);
                out.to_vec()
            }
            Self::Three(cipher, _) => {
                let mut out = <[u8; 8]>::try_from(block).expect("a block of DES").into();
                cipher.encrypt_block(&mut out);
                out.to_vec()
            }
        }
    }
    fn decrypt_one(&self, block: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes(cipher, _) => {
                let mut out = <[u8; 16]>::try_from(block).expect("a block of AES").into();
                cipher.decrypt_block(&mut out);
                out.to_vec()
            }
            Self::Two(cipher, _) => {
                let mut out = <[u8; 8]>::try_from(block).expect("a block of DES").into();
                cipher.decrypt_block(&mut out);
                out.to_vec()
            }
            Self::Three(cipher, _) => {
                let mut out = <[u8; 8]>::try_from(block).expect("a block of DES").into();
                cipher.decrypt_block(&mut out);
                out.to_vec()
            }
        }
    }

    /// CBC over whole blocks; the last block of the result is the next vector.
    pub(super) fn encrypt(&self, iv: &[u8], clear: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        let mut before = iv.to_vec();
        for block in clear.chunks(self.block()) {
            let mixed: Vec<u8> = block.iter().zip(&before).map(|(a, b)| a ^ b).collect();
            before = self.encrypt_one(&mixed);
            out.extend(&before);
        }
        out
    }
    /// CBC over whole blocks; `None` when they are not whole.
    pub(super) fn decrypt(&self, iv: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
        if !secret.len().is_multiple_of(self.block()) {
            return None;
        }
        let befores = std::iter::once(iv).chain(secret.chunks(self.block()));
        let blocks = secret.chunks(self.block()).zip(befores);
        Some(blocks.flat_map(|(block, before)| self.decrypt_one(block).into_iter().zip(before.to_vec()).map(|(a, b)| a ^ b)).collect())
    }
    pub(super) fn cmac(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes(_, key) => Cmac::<Aes128>::new(key.into()).chain_update(message).finalize().into_bytes().to_vec(),
            Self::Two(_, key) => Cmac::<TdesEde2>::new(key.into()).chain_update(message).finalize().into_bytes().to_vec(),
            Self::Three(_, key) => Cmac::<TdesEde3>::new(key.into()).chain_update(message).finalize().into_bytes().to_vec(),
        }
    }
    /// A CMAC that starts from a vector: the plain one with a block before the message that encrypts to this vector. The message is never empty.
    pub(super) fn cmac_from(&self, iv: &[u8], message: &[u8]) -> Vec<u8> {
        self.cmac(&[&self.decrypt_one(iv), message].concat())
    }
}

/// CRC-32 bit by bit: reflected, from all ones, without the last inversion.
pub(super) fn crc32(data: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    crc.to_le_bytes()
}

pub(super) fn rotated(number: &[u8]) -> Vec<u8> {
    let mut out = number.to_vec();
    out.rotate_left(1);
    out
}
