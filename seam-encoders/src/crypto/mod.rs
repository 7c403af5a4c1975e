//! The few primitives that cards use: AES-128 and triple DES in CBC with a running vector, CMAC that starts from any vector, and the CRCs.
//!
//! The block ciphers are RustCrypto's and the CRCs are the crate `crc`'s. CBC and CMAC are written here, because the cards carry one vector
//! through both of them over a whole session, which the crates for these modes do not offer.
mod crc;
pub mod lrp;
mod mac;

pub use crc::{crc16, crc32};
pub use mac::{Mac, MacKey, equal, truncated};

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{TdesEde2, TdesEde3};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::CardError;
use crate::wiped::is_wiped;

/// The vector of CBC or CMAC, as long as the largest block; a cipher with blocks of 8 bytes uses the first 8.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Vector(pub [u8; 16]);

impl Vector {
    /// All zero.
    pub const ZERO: Self = Self([0; 16]);

    /// From one block, as a recording shows it.
    ///
    /// # Panics
    /// When it is longer than 16 bytes.
    #[must_use]
    pub fn of(block: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes[..block.len()].copy_from_slice(block);
        Self(bytes)
    }
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vector").finish_non_exhaustive()
    }
}

/// A block cipher with its key schedule, wiped when dropped.
#[derive(Clone)]
pub struct BlockCipher(Schedule);

#[derive(Clone)]
enum Schedule {
    Aes(Box<Aes128>),
    TwoKeys(Box<TdesEde2>),
    ThreeKeys(Box<TdesEde3>),
}

const _: fn(&BlockCipher) = |cipher| match &cipher.0 {
    Schedule::Aes(schedule) => is_wiped(&**schedule),
    Schedule::TwoKeys(schedule) => is_wiped(&**schedule),
    Schedule::ThreeKeys(schedule) => is_wiped(&**schedule),
};
impl ZeroizeOnDrop for BlockCipher {}

impl BlockCipher {
    /// AES-128.
    #[must_use]
    pub fn aes(key: &[u8; 16]) -> Self {
        Self(Schedule::Aes(Box::new(Aes128::new(key.into()))))
    }
    /// Triple DES with two keys; two equal ones are single DES.
    #[must_use]
    pub fn triple_des_two_keys(key: &[u8; 16]) -> Self {
        Self(Schedule::TwoKeys(Box::new(TdesEde2::new(key.into()))))
    }
    /// Triple DES with three keys.
    #[must_use]
    pub fn triple_des_three_keys(key: &[u8; 24]) -> Self {
        Self(Schedule::ThreeKeys(Box::new(TdesEde3::new(key.into()))))
    }

    /// Bytes in a block: 16 with AES, 8 with DES.
    #[must_use]
    pub fn block_size(&self) -> usize {
        match self.0 {
            Schedule::Aes(_) => 16,
            Schedule::TwoKeys(_) | Schedule::ThreeKeys(_) => 8,
        }
    }

    /// Encrypts one block, the first [`block_size`](Self::block_size) bytes of `block`.
    fn encrypt_block(&self, block: &mut [u8; 16]) {
        match &self.0 {
            Schedule::Aes(cipher) => cipher.encrypt_block(block.into()),
            Schedule::TwoKeys(cipher) => cipher.encrypt_block(first_half(block).into()),
            Schedule::ThreeKeys(cipher) => cipher.encrypt_block(first_half(block).into()),
        }
    }
    fn decrypt_block(&self, block: &mut [u8; 16]) {
        match &self.0 {
            Schedule::Aes(cipher) => cipher.decrypt_block(block.into()),
            Schedule::TwoKeys(cipher) => cipher.decrypt_block(first_half(block).into()),
            Schedule::ThreeKeys(cipher) => cipher.decrypt_block(first_half(block).into()),
        }
    }

    /// Encrypts one block of 16 bytes by itself (with AES: ECB).
    #[must_use]
    pub fn encrypted_block(&self, block: [u8; 16]) -> [u8; 16] {
        let mut out = block;
        self.encrypt_block(&mut out);
        out
    }

    /// Encrypts whole blocks in place and leaves the last one in `vector`.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when `data` is not whole blocks; it is then unchanged.
    pub fn encrypt_cbc(&self, vector: &mut Vector, data: &mut [u8]) -> Result<(), CardError> {
        let size = self.whole_blocks(data)?;
        for block in data.chunks_exact_mut(size) {
            xor(&mut vector.0, block);
            self.encrypt_block(&mut vector.0);
            block.copy_from_slice(&vector.0[..size]);
        }
        Ok(())
    }

    /// Decrypts whole blocks in place and leaves the last one as it came in `vector`.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when `data` is not whole blocks; it is then unchanged.
    pub fn decrypt_cbc(&self, vector: &mut Vector, data: &mut [u8]) -> Result<(), CardError> {
        let size = self.whole_blocks(data)?;
        for block in data.chunks_exact_mut(size) {
            let came = Vector::of(block);
            let mut clear = came.0;
            self.decrypt_block(&mut clear);
            xor(&mut clear, &vector.0[..size]);
            block.copy_from_slice(&clear[..size]);
            clear.zeroize();
            *vector = came;
        }
        Ok(())
    }

    fn whole_blocks(&self, data: &[u8]) -> Result<usize, CardError> {
        let size = self.block_size();
        if data.len().is_multiple_of(size) { Ok(size) } else { Err(CardError::Invalid("what is to be encrypted is not whole blocks")) }
    }
}

impl fmt::Debug for BlockCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Schedule::Aes(_) => "BlockCipher(AES-128)",
            Schedule::TwoKeys(_) => "BlockCipher(2K3DES)",
            Schedule::ThreeKeys(_) => "BlockCipher(3K3DES)",
        })
    }
}

fn first_half(block: &mut [u8; 16]) -> &mut [u8; 8] {
    block.first_chunk_mut().expect("16 bytes begin with 8")
}

/// `into ^= with`, as far as `with` reaches.
pub(crate) fn xor(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(a, b)| *a ^= b);
}
