//! CMAC (NIST SP 800-38B) that may start from a vector other than zero, as DESFire EV1 does with every message of a session.
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::{BlockCipher, Vector, xor};

/// A key for CMACs: the cipher with its two subkeys.
#[derive(Clone)]
pub struct MacKey {
    cipher: BlockCipher,
    /// K1 of the standard, for a last block that is whole.
    whole: Zeroizing<[u8; 16]>,
    /// K2, for one that was padded.
    padded: Zeroizing<[u8; 16]>,
}

wiped!(MacKey: cipher, whole, padded);

impl MacKey {
    /// Computes the subkeys.
    #[must_use]
    pub fn new(cipher: BlockCipher) -> Self {
        let mut zero = cipher.encrypted_block([0; 16]);
        let whole = doubled(&zero, cipher.block_size());
        let padded = doubled(&whole, cipher.block_size());
        zero.zeroize();
        Self { cipher, whole: Zeroizing::new(whole), padded: Zeroizing::new(padded) }
    }
    /// The cipher.
    #[must_use]
    pub fn cipher(&self) -> &BlockCipher {
        &self.cipher
    }
    /// Begins a MAC at this vector ([`Vector::ZERO`] is the CMAC of the standard).
    #[must_use]
    pub fn begin(&self, vector: Vector) -> Mac<'_> {
        Mac { key: self, state: vector.0, block: [0; 16], filled: 0 }
    }
    /// The CMAC of the standard over all parts in a row; with DES the first 8 bytes of it count.
    #[must_use]
    pub fn cmac(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.begin(Vector::ZERO);
        parts.iter().for_each(|part| mac.update(part));
        mac.finish().0
    }
    /// K1 and K2 of the standard, for tests and for diversification with a padding of its own.
    pub(crate) fn subkeys(&self) -> (&[u8], &[u8]) {
        let size = self.cipher.block_size();
        (&self.whole[..size], &self.padded[..size])
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MacKey").field(&self.cipher).finish()
    }
}

/// Multiplies a block by x in the field of the block size (polynomial 87 for 16 bytes, 1B for 8).
fn doubled(block: &[u8; 16], size: usize) -> [u8; 16] {
    let mut out = [0; 16];
    for i in 0..size {
        let carry = if i + 1 < size { block[i + 1] >> 7 } else { 0 };
        out[i] = (block[i] << 1) | carry;
    }
    // Without a branch on a secret bit.
    out[size - 1] ^= (block[0] >> 7) * if size == 16 { 0x87 } else { 0x1B };
    out
}

/// A MAC under way.
pub struct Mac<'k> {
    key: &'k MacKey,
    state: [u8; 16],
    block: [u8; 16],
    filled: usize,
}

impl Mac<'_> {
    /// Takes more of the message.
    pub fn update(&mut self, mut part: &[u8]) {
        let size = self.key.cipher.block_size();
        while !part.is_empty() {
            // A full block waits for what follows, because the last one is treated differently.
            if self.filled == size {
                self.absorb();
            }
            let taken = part.len().min(size - self.filled);
            self.block[self.filled..self.filled + taken].copy_from_slice(&part[..taken]);
            self.filled += taken;
            part = &part[taken..];
        }
    }
    fn absorb(&mut self) {
        let size = self.key.cipher.block_size();
        xor(&mut self.state, &self.block[..size]);
        self.key.cipher.encrypt_block(&mut self.state);
        self.filled = 0;
    }
    /// The MAC, which is also the vector that the next message of an EV1 session begins with.
    #[must_use]
    pub fn finish(mut self) -> Vector {
        let size = self.key.cipher.block_size();
        if self.filled == size {
            xor(&mut self.block, &*self.key.whole);
        } else {
            self.block[self.filled..].fill(0);
            self.block[self.filled] = 0x80;
            xor(&mut self.block, &*self.key.padded);
        }
        self.absorb();
        self.block.zeroize();
        Vector(self.state)
    }
}

impl fmt::Debug for Mac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mac").finish_non_exhaustive()
    }
}

/// Every second byte of a CMAC, beginning with the second: what cards of the EV2 generation send of it.
#[must_use]
pub fn truncated(mac: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|at| mac[2 * at + 1])
}

/// Whether two MACs are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::cmac::{Cmac, KeyInit, Mac as _};
    use proptest::prelude::*;

    proptest! {
        /// Against the crate `cmac`, with the message given in two parts.
        #[test]
        fn is_the_cmac_of_the_standard(key: [u8; 24], message in prop::collection::vec(any::<u8>(), 0..80), cut in 0usize..80) {
            let (head, tail) = message.split_at(cut.min(message.len()));
            let two: [u8; 16] = *key.first_chunk().expect("24 bytes begin with 16");
            let aes = MacKey::new(BlockCipher::aes(&two)).cmac(&[head, tail]);
            prop_assert_eq!(&aes[..], &Cmac::<aes::Aes128>::new((&two).into()).chain_update(&message).finalize().into_bytes()[..]);
            let des2 = MacKey::new(BlockCipher::triple_des_two_keys(&two)).cmac(&[head, tail]);
            prop_assert_eq!(&des2[..8], &Cmac::<des::TdesEde2>::new((&two).into()).chain_update(&message).finalize().into_bytes()[..]);
            let des3 = MacKey::new(BlockCipher::triple_des_three_keys(&key)).cmac(&[head, tail]);
            prop_assert_eq!(&des3[..8], &Cmac::<des::TdesEde3>::new((&key).into()).chain_update(&message).finalize().into_bytes()[..]);
        }
    }
}
