//! Secure messaging of EV1: one key, and one vector that runs through everything.
//!
//! Sources: the log of a real card (Elmü, `DESFire EV1 Communication Examples`), the recording in the crate `desox` 0.5.4, libfreefare.
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

use super::types::CommMode;
use crate::crypto::{BlockCipher, MacKey, Vector, crc32, equal};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// Bytes of a MAC on the wire: with AES the first half of the block.
const MAC: usize = 8;

/// A session.
#[derive(Clone, Debug)]
pub struct Ev1 {
    key: MacKey,
    vector: Vector,
}

impl Ev1 {
    /// A session from its key, at the vector zero with which every session begins.
    #[must_use]
    pub fn new(cipher: BlockCipher) -> Self {
        Self::at(cipher, Vector::ZERO)
    }
    /// A session that has come to this vector, as a recording shows it.
    #[must_use]
    pub fn at(cipher: BlockCipher, vector: Vector) -> Self {
        Self { key: MacKey::new(cipher), vector }
    }
    /// The vector that the next message begins with.
    #[must_use]
    pub fn vector(&self) -> Vector {
        self.vector
    }

    /// Carries the vector through a message and gives its MAC.
    fn mac(&mut self, parts: &[&[u8]]) -> [u8; MAC] {
        let mut mac = self.key.begin(self.vector);
        parts.iter().for_each(|part| mac.update(part));
        self.vector = mac.finish();
        *self.vector.0.first_chunk().expect("16 bytes begin with 8")
    }

    /// What goes to the card after the instruction. The MAC of a command is always computed, because it moves the vector, but sent in mode
    /// [`CommMode::Mac`] only.
    ///
    /// # Errors
    /// None; encrypting whole blocks cannot fail.
    pub fn command(&mut self, ins: u8, header: &[u8], data: &[u8], mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        match mode {
            CommMode::Plain => {
                self.mac(&[&[ins], header, data]);
                Ok(joined(&[header, data]))
            }
            CommMode::Mac => {
                let mac = self.mac(&[&[ins], header, data]);
                Ok(joined(&[header, data, &mac]))
            }
            CommMode::Full => self.encrypted(ins, header, data, &[]),
        }
    }

    /// An encrypted command: `E(data || CRC32(ins || header || data) || tail || 0..)`. The tail is the second CRC of ChangeKey.
    ///
    /// # Errors
    /// None; encrypting whole blocks cannot fail.
    pub fn encrypted(&mut self, ins: u8, header: &[u8], data: &[u8], tail: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let clear = data.len() + 4 + tail.len();
        let padded = clear.next_multiple_of(self.key.cipher().block_size());
        let mut out = Zeroizing::new(Vec::with_capacity(header.len() + padded));
        out.extend_from_slice(header);
        out.extend_from_slice(data);
        out.extend_from_slice(&crc32(&[&[ins], header, data]));
        out.extend_from_slice(tail);
        out.resize(header.len() + padded, 0);
        self.key.cipher().encrypt_cbc(&mut self.vector, &mut out[header.len()..])?;
        Ok(out)
    }

    /// What a card answered with status 00, in the clear. In the modes plain and MAC it carries a MAC over data and status; in mode full it is
    /// `E(data || CRC32(data || status) || 0..)`, of which the first `expected` bytes are the data.
    ///
    /// # Errors
    /// [`CardError::Integrity`] when the MAC or the CRC is wrong; [`CardError::Garbage`] when it cannot be so long.
    pub fn response(&mut self, mut answer: Zeroizing<Vec<u8>>, mode: CommMode, expected: usize) -> Result<Zeroizing<Vec<u8>>, CardError> {
        if mode == CommMode::Full {
            if answer.is_empty() || !answer.len().is_multiple_of(self.key.cipher().block_size()) || answer.len() < expected + 4 {
                return Err(CardError::Garbage("an encrypted answer of a length that it cannot have"));
            }
            self.key.cipher().decrypt_cbc(&mut self.vector, &mut answer)?;
            let (data, rest) = answer.split_at(expected);
            if !equal(&crc32(&[data, &[0]]), &rest[..4]) {
                return Err(CardError::Integrity("CRC"));
            }
            answer[expected..].zeroize();
            answer.truncate(expected);
            return Ok(answer);
        }
        let length = answer.len().checked_sub(MAC).ok_or(CardError::Integrity("no MAC"))?;
        let (data, came) = answer.split_at(length);
        let mac = self.mac(&[data, &[0]]);
        if !equal(&mac, came) {
            return Err(CardError::Integrity("MAC"));
        }
        answer.truncate(length);
        Ok(answer)
    }
}

fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// The three passes of AuthenticateISO and AuthenticateAES: one vector runs through all of them.
pub struct Handshake {
    cipher: BlockCipher,
    kind: KeyType,
    is_single_des: bool,
    vector: Vector,
    rnd_a: Zeroizing<Vec<u8>>,
    rnd_b: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the numbers the key of the session is made.
        f.debug_struct("Handshake").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Bytes of the random numbers: 8 with two-key DES, 16 with all others.
#[must_use]
pub fn random_length(kind: KeyType) -> usize {
    if kind == KeyType::TwoKeyTripleDes { 8 } else { 16 }
}

impl Handshake {
    /// Takes the card's `E(RndB)` and our RndA; gives the handshake and what to send, `E(RndA || RndB')`.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when the card's number has another length.
    pub fn answer(key: &Key, rnd_a: &[u8], enc_rnd_b: &[u8]) -> Result<(Self, Zeroizing<Vec<u8>>), CardError> {
        let length = random_length(key.kind());
        if enc_rnd_b.len() != length || rnd_a.len() != length {
            return Err(CardError::Garbage("a random number of another length"));
        }
        let cipher = key.cipher();
        let mut vector = Vector::ZERO;
        let mut rnd_b = Zeroizing::new(enc_rnd_b.to_vec());
        cipher.decrypt_cbc(&mut vector, &mut rnd_b)?;
        let mut token = Zeroizing::new(Vec::with_capacity(2 * length));
        token.extend_from_slice(rnd_a);
        token.extend_from_slice(&rnd_b[1..]);
        token.push(rnd_b[0]);
        cipher.encrypt_cbc(&mut vector, &mut token)?;
        let handshake =
            Self { cipher, kind: key.kind(), is_single_des: is_single_des(key), vector, rnd_a: Zeroizing::new(rnd_a.to_vec()), rnd_b };
        Ok((handshake, token))
    }

    /// Takes the card's `E(RndA')`; gives the session's cipher and key, or `None` when the card does not know the key.
    #[must_use]
    pub fn finish(mut self, enc_rnd_a: &[u8]) -> Option<(BlockCipher, Zeroizing<Vec<u8>>)> {
        let mut came = Zeroizing::new(enc_rnd_a.to_vec());
        self.cipher.decrypt_cbc(&mut self.vector, &mut came).ok()?;
        let mut rotated = self.rnd_a.clone();
        rotated.rotate_left(1);
        if !equal(&came, &rotated) {
            return None;
        }
        let key = self.session_key();
        let cipher = match self.kind {
            KeyType::Aes128 => BlockCipher::aes(key[..].try_into().ok()?),
            KeyType::TwoKeyTripleDes => BlockCipher::triple_des_two_keys(key[..].try_into().ok()?),
            KeyType::ThreeKeyTripleDes => BlockCipher::triple_des_three_keys(key[..].try_into().ok()?),
        };
        Some((cipher, key))
    }

    fn session_key(&self) -> Zeroizing<Vec<u8>> {
        // From which byte on four bytes are taken of both numbers.
        let from: &[usize] = match (self.kind, self.is_single_des) {
            (KeyType::TwoKeyTripleDes, true) => &[0, 0],
            (KeyType::TwoKeyTripleDes, false) => &[0, 4],
            (KeyType::ThreeKeyTripleDes, _) => &[0, 6, 12],
            (KeyType::Aes128, _) => &[0, 12],
        };
        let mut key = Zeroizing::new(Vec::with_capacity(24));
        for &at in from {
            key.extend_from_slice(&self.rnd_a[at..at + 4]);
            key.extend_from_slice(&self.rnd_b[at..at + 4]);
        }
        if self.kind != KeyType::Aes128 {
            key.iter_mut().for_each(|byte| *byte &= 0xFE);
        }
        key
    }
}

/// Two halves that are equal but for the parity bits make single DES, and then another session key.
fn is_single_des(key: &Key) -> bool {
    let bytes = key.bytes();
    key.kind() == KeyType::TwoKeyTripleDes && bytes[..8].iter().zip(&bytes[8..]).fold(0, |differ, (a, b)| differ | ((a ^ b) & 0xFE)) == 0
}
