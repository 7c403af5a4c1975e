//! The leakage resilient primitive of NTAG 424 DNA and DESFire Light (NXP AN12304): AES used so that a power trace of a card shows little.
//!
//! A key becomes sixteen secret plaintexts and a chain of updated keys. [`Lrp`] is one updated key of them: number 0 makes MACs, number 1
//! encrypts (AN12304 section 3; NT4H2421Gx section 9.2).
use aes::Aes128;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use std::fmt;
use zeroize::Zeroizing;

const BLOCK: usize = 16;

/// One updated key of an LRP key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Lrp {
    plaintexts: Box<Zeroizing<[[u8; BLOCK]; 16]>>,
    key: Zeroizing<[u8; BLOCK]>,
}

wiped!(Lrp: key);
const _: fn(&Lrp) = |lrp| crate::wiped::is_wiped(&*lrp.plaintexts);

impl fmt::Debug for Lrp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lrp").finish_non_exhaustive()
    }
}

impl Lrp {
    /// The updated key for message authentication.
    #[must_use]
    pub fn for_mac(key: &[u8; BLOCK]) -> Self {
        Self::updated(key, 0)
    }

    /// The updated key for encryption.
    #[must_use]
    pub fn for_encryption(key: &[u8; BLOCK]) -> Self {
        Self::updated(key, 1)
    }

    /// Updated key number `index` (AN12304 algorithms 1 and 2). Cards use 0 and 1.
    #[must_use]
    pub fn updated(key: &[u8; BLOCK], index: u8) -> Self {
        let mut plaintexts = Box::new(Zeroizing::new([[0; BLOCK]; 16]));
        let mut chain = Zeroizing::new(encrypt(key, &[0x55; BLOCK]));
        for plaintext in plaintexts.iter_mut() {
            *plaintext = encrypt(&chain, &[0xaa; BLOCK]);
            chain = Zeroizing::new(encrypt(&chain, &[0x55; BLOCK]));
        }
        let mut chain = Zeroizing::new(encrypt(key, &[0xaa; BLOCK]));
        for _ in 0..index {
            chain = Zeroizing::new(encrypt(&chain, &[0x55; BLOCK]));
        }
        Self { plaintexts, key: Zeroizing::new(encrypt(&chain, &[0xaa; BLOCK])) }
    }

    /// The value of the primitive for a string of nibbles (AN12304 algorithm 3). Of each item only the low four bits count.
    pub fn evaluate(&self, nibbles: impl IntoIterator<Item = u8>, finish: bool) -> [u8; BLOCK] {
        let mut y = self.key.clone();
        for nibble in nibbles {
            *y = encrypt(&y, &self.plaintexts[usize::from(nibble & 0x0f)]);
        }
        if finish { encrypt(&y, &[0; BLOCK]) } else { *y }
    }

    /// CMAC with this primitive in the place of the block cipher (AN12304 section 3.4), 16 bytes.
    #[must_use]
    pub fn cmac(&self, message: &[u8]) -> [u8; BLOCK] {
        let (k1, k2) = self.subkeys();
        // The last block, complete or not, is treated apart; an empty message is one incomplete block.
        let whole = message.len().saturating_sub(1) / BLOCK * BLOCK;
        let (head, tail) = message.split_at(whole);
        let mut state = [0; BLOCK];
        for block in head.as_chunks::<BLOCK>().0 {
            xor(&mut state, block);
            state = self.evaluate(nibbles(&state), true);
        }
        xor(&mut state, tail);
        if let Some(first_of_padding) = state.get_mut(tail.len()) {
            *first_of_padding ^= 0x80;
            xor(&mut state, &k2);
        } else {
            xor(&mut state, &k1);
        }
        self.evaluate(nibbles(&state), true)
    }

    /// The two subkeys of the CMAC.
    #[must_use]
    pub fn subkeys(&self) -> ([u8; BLOCK], [u8; BLOCK]) {
        let k1 = double(self.evaluate([0; 2 * BLOCK], true));
        (k1, double(k1))
    }

    /// Encrypts whole blocks in place in the indexed codebook mode (AN12304 section 3.3) and counts `counter`, big endian, on by one for
    /// each. A remainder of less than 16 bytes stays as it is.
    pub fn encrypt_blocks(&self, counter: &mut [u8], data: &mut [u8]) {
        for block in data.as_chunks_mut::<BLOCK>().0 {
            let key = Zeroizing::new(self.evaluate(nibbles(counter), true));
            *block = encrypt(&key, block);
            increment(counter);
        }
    }

    /// Undoes [`Lrp::encrypt_blocks`].
    pub fn decrypt_blocks(&self, counter: &mut [u8], data: &mut [u8]) {
        for block in data.as_chunks_mut::<BLOCK>().0 {
            let key = Zeroizing::new(self.evaluate(nibbles(counter), true));
            let mut clear = Block::<Aes128>::from(*block);
            Aes128::new(&(*key).into()).decrypt_block(&mut clear);
            *block = clear.into();
            increment(counter);
        }
    }
}

fn encrypt(key: &[u8; BLOCK], block: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut out = Block::<Aes128>::from(*block);
    Aes128::new(&(*key).into()).encrypt_block(&mut out);
    out.into()
}

fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f])
}

fn xor(into: &mut [u8], from: &[u8]) {
    for (a, b) in into.iter_mut().zip(from) {
        *a ^= b;
    }
}

/// Multiplication by x in GF(2^128), as in CMAC (SP 800-38B).
fn double(block: [u8; BLOCK]) -> [u8; BLOCK] {
    let value = u128::from_be_bytes(block);
    let carry = if value >> 127 == 1 { 0x87 } else { 0 };
    ((value << 1) ^ carry).to_be_bytes()
}

fn increment(counter: &mut [u8]) {
    for byte in counter.iter_mut().rev() {
        let (next, carry) = byte.overflowing_add(1);
        *byte = next;
        if !carry {
            break;
        }
    }
}
