//! What an Ultralight AES computes: its authentication and its MACs.
use ::cmac::{Cmac, KeyInit as _, Mac as _};
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt};

/// A proven key, for a card that wants MACs.
pub(super) struct Secured {
    key: [u8; 16],
    counter: u16,
}

fn mac16(key: &[u8; 16], message: &[u8]) -> [u8; 16] {
    Cmac::<Aes128>::new(&Array::from(*key)).chain_update(message).finalize().into_bytes().into()
}

fn encrypt(key: &[u8; 16], block: u128) -> u128 {
    let mut out = Array::from(block.to_be_bytes());
    Aes128::new(&Array::from(*key)).encrypt_block(&mut out);
    u128::from_be_bytes(out.into())
}

fn decrypt(key: &[u8; 16], block: u128) -> u128 {
    let mut out = Array::from(block.to_be_bytes());
    Aes128::new(&Array::from(*key)).decrypt_block(&mut out);
    u128::from_be_bytes(out.into())
}

/// The first pass: RndB, encrypted.
pub(super) fn question(key: &[u8; 16], rnd_b: u128) -> [u8; 16] {
    encrypt(key, rnd_b).to_be_bytes()
}

/// The second pass: whether the reader knows the key, and then the card's proof and the session.
pub(super) fn answer(key: &[u8; 16], rnd_b: u128, reply: &[u8; 32]) -> Option<([u8; 16], Secured)> {
    let first = u128::from_be_bytes(reply[..16].try_into().ok()?);
    let second = u128::from_be_bytes(reply[16..].try_into().ok()?);
    let rnd_a = decrypt(key, first);
    if decrypt(key, second) ^ first != rnd_b.rotate_left(8) {
        return None;
    }
    // As one number of 256 bits in two halves: label, 0001 0080, then the numbers mixed.
    let (a, b) = (rnd_a.to_be_bytes(), rnd_b.to_be_bytes());
    let mut vector = vec![0x5a, 0xa5, 0, 1, 0, 0x80, a[0], a[1]];
    vector.extend((0..6).map(|at| a[at + 2] ^ b[at]));
    vector.extend(&b[6..]);
    vector.extend(&a[8..]);
    let proof = encrypt(key, rnd_a.rotate_left(8)).to_be_bytes();
    Some((proof, Secured { key: mac16(key, &vector), counter: 0 }))
}

impl Secured {
    fn mac(&mut self, bytes: &[u8]) -> Vec<u8> {
        let whole = mac16(&self.key, &[&self.counter.to_le_bytes(), bytes].concat());
        self.counter += 1;
        whole.chunks(2).map(|pair| pair[1]).collect()
    }
    /// Takes the MAC off a command; `None`: it is wrong.
    pub(super) fn command<'c>(&mut self, command: &'c [u8]) -> Option<&'c [u8]> {
        let (bytes, mac) = command.split_at(command.len().checked_sub(8)?);
        (self.mac(bytes) == mac).then_some(bytes)
    }
    /// Puts the MAC on an answer.
    pub(super) fn answer(&mut self, data: &[u8]) -> Vec<u8> {
        [data, &self.mac(data)].concat()
    }
}
