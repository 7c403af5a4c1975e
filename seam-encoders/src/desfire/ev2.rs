//! Secure messaging of EV2: two session keys, a transaction identifier and a counter of commands in every MAC. NTAG 424 DNA has the same, and
//! there (as in DESFire Light) also with the leakage resilient primitive in the place of AES.
//!
//! Sources: NXP AN12343 (DESFire Light), AN12196 and AN12321 (NTAG 424 DNA); the numbers of each also in proxmark3 and the crate `ntag424`.
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

use super::types::CommMode;
use crate::crypto::lrp::Lrp;
use crate::crypto::{BlockCipher, MacKey, Vector, equal, truncated};
use crate::error::CardError;

/// Bytes of a MAC on the wire.
const MAC: usize = 8;

/// A session.
#[derive(Clone, Debug)]
pub struct Ev2 {
    keys: SessionKeys,
    ti: [u8; 4],
    counter: u16,
}

/// The keys of a session, for encrypting and for MACs.
#[derive(Clone)]
pub struct SessionKeys(Suite);

#[derive(Clone)]
enum Suite {
    Aes {
        enc: BlockCipher,
        mac: MacKey,
    },
    Lrp {
        enc: Lrp,
        mac: Lrp,
        /// Blocks that were encrypted or decrypted in this session, both ways together (NT4H2421Gx section 9.2.4).
        blocks: u32,
    },
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Suite::Aes { .. } => "SessionKeys(AES-128)",
            Suite::Lrp { .. } => "SessionKeys(LRP)",
        })
    }
}

impl SessionKeys {
    /// From the keys themselves.
    #[must_use]
    pub fn new(enc: &[u8; 16], mac: &[u8; 16]) -> Self {
        Self(Suite::Aes { enc: BlockCipher::aes(enc), mac: MacKey::new(BlockCipher::aes(mac)) })
    }

    /// From the key that was authenticated with, and both random numbers.
    #[must_use]
    pub fn derive(key: &BlockCipher, rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Self {
        let [enc, mac] = session_key_bytes(key, rnd_a, rnd_b);
        Self::new(&enc, &mac)
    }

    /// With LRP, from the key that was authenticated with, and both random numbers (NT4H2421Gx section 9.2.7).
    #[must_use]
    pub fn derive_lrp(key: &[u8; 16], rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Self {
        let mut vector = Zeroizing::new([0_u8; 32]);
        vector[..4].copy_from_slice(&[0x00, 0x01, 0x00, 0x80]);
        vector[4..30].copy_from_slice(&mixed(rnd_a, rnd_b)[..]);
        vector[30..].copy_from_slice(&[0x96, 0x69]);
        Self::lrp(&Zeroizing::new(Lrp::for_mac(key).cmac(&vector[..])))
    }

    /// With LRP, from the master key of the session.
    #[must_use]
    pub fn lrp(master: &[u8; 16]) -> Self {
        Self(Suite::Lrp { enc: Lrp::for_encryption(master), mac: Lrp::for_mac(master), blocks: 0 })
    }

    /// With LRP, after so many blocks: for recordings that begin in the middle.
    #[cfg(test)]
    pub(crate) fn after(mut self, done: u32) -> Self {
        if let Suite::Lrp { blocks, .. } = &mut self.0 {
            *blocks = done;
        }
        self
    }

    /// The whole MAC over the parts in a row.
    pub(crate) fn whole_mac(&self, parts: &[&[u8]]) -> [u8; 16] {
        match &self.0 {
            Suite::Aes { mac, .. } => mac.cmac(parts),
            Suite::Lrp { mac, .. } => mac.cmac(&Zeroizing::new(parts.concat())),
        }
    }

    /// Decrypts the block of the second part of an LRP authentication, which has no counters but the count of blocks.
    pub(crate) fn decrypt_counted(&mut self, data: &mut [u8]) {
        if let Suite::Lrp { enc, blocks, .. } = &mut self.0 {
            let mut counter = blocks.to_be_bytes();
            enc.decrypt_blocks(&mut counter, data);
            *blocks = u32::from_be_bytes(counter);
        }
    }
}

/// The bytes of the keys for encrypting and for MACs: `CMAC(K, SV1)` and `CMAC(K, SV2)`.
#[must_use]
pub fn session_key_bytes(key: &BlockCipher, rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> [Zeroizing<[u8; 16]>; 2] {
    let context = mixed(rnd_a, rnd_b);
    let mac = MacKey::new(key.clone());
    [[0xA5, 0x5A], [0x5A, 0xA5]].map(|label| Zeroizing::new(mac.cmac(&[&label, &[0x00, 0x01, 0x00, 0x80], &context[..]])))
}

/// The middle of the session vector: `RndA[0..2]`, `RndA[2..8] xor RndB[0..6]`, `RndB[6..16]`, `RndA[8..16]`.
fn mixed(rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Zeroizing<[u8; 26]> {
    let mut out = Zeroizing::new([0; 26]);
    out[..8].copy_from_slice(&rnd_a[..8]);
    crate::crypto::xor(&mut out[2..8], &rnd_b[..6]);
    out[8..18].copy_from_slice(&rnd_b[6..]);
    out[18..].copy_from_slice(&rnd_a[8..]);
    out
}

impl Ev2 {
    /// A session with this transaction identifier and counter (0 after the first authentication).
    #[must_use]
    pub fn new(keys: SessionKeys, ti: [u8; 4], counter: u16) -> Self {
        Self { keys, ti, counter }
    }
    /// The same transaction with the keys of another authentication: identifier and counter go on.
    #[must_use]
    pub fn with_keys(&self, keys: SessionKeys) -> Self {
        Self { keys, ti: self.ti, counter: self.counter }
    }
    /// The transaction identifier.
    #[must_use]
    pub fn ti(&self) -> [u8; 4] {
        self.ti
    }
    /// How many commands the session has seen.
    #[must_use]
    pub fn counter(&self) -> u16 {
        self.counter
    }

    fn mac(&self, code: u8, data: &[u8]) -> [u8; MAC] {
        let ([low, high], [a, b, c, d]) = (self.counter.to_le_bytes(), self.ti);
        truncated(self.keys.whole_mac(&[&[code, low, high, a, b, c, d], data]))
    }

    /// Encrypts whole blocks of a command.
    fn encrypt(&mut self, data: &mut [u8]) -> Result<(), CardError> {
        match &mut self.keys.0 {
            Suite::Aes { enc, .. } => enc.encrypt_cbc(&mut vector(enc, [0xA5, 0x5A], self.ti, self.counter), data),
            Suite::Lrp { enc, blocks, .. } => {
                let mut counter = blocks.to_be_bytes();
                enc.encrypt_blocks(&mut counter, data);
                *blocks = u32::from_be_bytes(counter);
                Ok(())
            }
        }
    }
    /// Decrypts whole blocks of an answer.
    fn decrypt(&mut self, data: &mut [u8]) -> Result<(), CardError> {
        if let Suite::Aes { enc, .. } = &self.keys.0 {
            return enc.decrypt_cbc(&mut vector(enc, [0x5A, 0xA5], self.ti, self.counter), data);
        }
        self.keys.decrypt_counted(data);
        Ok(())
    }

    /// What goes to the card after the instruction. In mode full the data is padded (80 00..) and encrypted, the header is not; without data
    /// only the MAC remains of it.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when the counter is used up, and a new authentication is due: one that began again would allow a replay. Nothing was
    /// sent.
    pub fn command(&mut self, ins: u8, header: &[u8], data: &[u8], mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        if self.counter == u16::MAX {
            return Err(CardError::Invalid("the counter of the session is used up"));
        }
        let mut out = Zeroizing::new(Vec::with_capacity(header.len() + data.len() + 16 + MAC));
        out.extend_from_slice(header);
        out.extend_from_slice(data);
        if mode == CommMode::Full && !data.is_empty() {
            out.push(0x80);
            out.resize(header.len() + (data.len() + 1).next_multiple_of(16), 0);
            self.encrypt(&mut out[header.len()..])?;
        }
        if mode != CommMode::Plain {
            let mac = self.mac(ins, &out);
            out.extend_from_slice(&mac);
        }
        Ok(out)
    }

    /// What a card answered with status 00, in the clear. The counter rises with every command that was carried out, also in mode plain.
    ///
    /// # Errors
    /// [`CardError::Integrity`] when the MAC or the padding is wrong; [`CardError::Garbage`] when it cannot be so long.
    pub fn response(&mut self, answer: Zeroizing<Vec<u8>>, mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.response_with(0, answer, mode)
    }

    /// As [`response`](Self::response), to a command that ends with another status (its low byte).
    ///
    /// # Errors
    /// As [`response`](Self::response).
    pub fn response_with(&mut self, status: u8, mut answer: Zeroizing<Vec<u8>>, mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.counter = self.counter.checked_add(1).ok_or(CardError::Invalid("the counter of the session is used up"))?;
        if mode == CommMode::Plain {
            return Ok(answer);
        }
        let (data, came) = answer.split_last_chunk::<MAC>().ok_or(CardError::Integrity("the answer has no MAC"))?;
        if !equal(&self.mac(status, data), came) {
            return Err(CardError::Integrity("the MAC of the answer"));
        }
        let length = data.len();
        answer.truncate(length);
        if mode == CommMode::Full && !answer.is_empty() {
            if !answer.len().is_multiple_of(16) {
                return Err(CardError::Garbage("an encrypted answer of a length that it cannot have"));
            }
            self.decrypt(&mut answer)?;
            let end =
                answer.iter().rposition(|byte| *byte != 0).filter(|end| answer[*end] == 0x80).ok_or(CardError::Integrity("padding"))?;
            answer[end..].zeroize();
            answer.truncate(end);
        }
        Ok(answer)
    }
}

/// The vector for a command (`A55A`) or a response (`5AA5`).
fn vector(enc: &BlockCipher, label: [u8; 2], ti: [u8; 4], counter: u16) -> Vector {
    let mut block = [0; 16];
    block[..2].copy_from_slice(&label);
    block[2..6].copy_from_slice(&ti);
    block[6..8].copy_from_slice(&counter.to_le_bytes());
    Vector(enc.encrypted_block(block))
}

/// The three passes of AuthenticateEV2First and AuthenticateEV2NonFirst, and of an Ultralight AES: every message begins at the vector zero.
pub struct Handshake {
    cipher: BlockCipher,
    rnd_a: Zeroizing<[u8; 16]>,
    rnd_b: Zeroizing<[u8; 16]>,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With the numbers and the key those of the session are made.
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

impl Handshake {
    /// Takes the card's `E(RndB)` and our RndA; gives the handshake and what to send, `E(RndA || RndB')`.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when the card's number does not have 16 bytes.
    pub fn answer(cipher: BlockCipher, rnd_a: Zeroizing<[u8; 16]>, enc_rnd_b: &[u8]) -> Result<(Self, Zeroizing<[u8; 32]>), CardError> {
        let enc_rnd_b: [u8; 16] = enc_rnd_b.try_into().map_err(|_| CardError::Garbage("a random number of another length"))?;
        let mut rnd_b = Zeroizing::new(enc_rnd_b);
        cipher.decrypt_cbc(&mut Vector::ZERO.clone(), &mut rnd_b[..])?;
        let mut token = Zeroizing::new([0; 32]);
        token[..16].copy_from_slice(&rnd_a[..]);
        token[16..31].copy_from_slice(&rnd_b[1..]);
        token[31] = rnd_b[0];
        cipher.encrypt_cbc(&mut Vector::ZERO.clone(), &mut token[..])?;
        Ok((Self { cipher, rnd_a, rnd_b }, token))
    }

    /// Takes `E(TI || RndA' || PDcap2 || PCDcap2)`, the end of a first authentication; gives the session, or `None` when the card does not know
    /// the key.
    #[must_use]
    pub fn finish_first(self, answer: &[u8]) -> Option<Ev2> {
        let clear = self.decrypted::<32>(answer)?;
        let ti = *clear.first_chunk()?;
        self.proves(&clear[4..20]).then(|| Ev2::new(self.keys(), ti, 0))
    }

    /// Takes `E(RndA')`, the end of a following authentication; gives the new session, which keeps identifier and counter.
    #[must_use]
    pub fn finish_following(self, answer: &[u8], before: &Ev2) -> Option<Ev2> {
        let clear = self.decrypted::<16>(answer)?;
        self.proves(&clear[..]).then(|| before.with_keys(self.keys()))
    }

    /// Takes `E(RndA')` as [`finish_following`](Self::finish_following), of a card that makes MACs of another form; gives the key for these.
    #[must_use]
    pub fn finish_mac_key(self, answer: &[u8]) -> Option<MacKey> {
        let clear = self.decrypted::<16>(answer)?;
        let [_, mac] = session_key_bytes(&self.cipher, &self.rnd_a, &self.rnd_b);
        self.proves(&clear[..]).then(|| MacKey::new(BlockCipher::aes(&mac)))
    }

    fn decrypted<const N: usize>(&self, answer: &[u8]) -> Option<Zeroizing<[u8; N]>> {
        let mut clear = Zeroizing::new(<[u8; N]>::try_from(answer).ok()?);
        self.cipher.decrypt_cbc(&mut Vector::ZERO.clone(), &mut clear[..]).ok()?;
        Some(clear)
    }
    fn proves(&self, rotated: &[u8]) -> bool {
        let mut ours = self.rnd_a.clone();
        ours.rotate_left(1);
        equal(rotated, &ours[..])
    }
    fn keys(&self) -> SessionKeys {
        SessionKeys::derive(&self.cipher, &self.rnd_a, &self.rnd_b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// Sources: NXP AN12321, and proxmark3 `desfiretest.c`.
    #[test]
    fn vectors_of_commands() {
        for (enc, ti, counter, expected) in [
            (hex!("66A8CB93269DC9BC2885B7A91B9C697B"), hex!("ED56F6E6"), 0, hex!("DA0F644A4986275957CF1EC3AF4CCE53")),
            (hex!("445A8626B3338459321232FADF6ADE2B"), hex!("11223344"), 5, hex!("177494FCC4F1DAB2AFBE8FAE2057A9D2")),
            (hex!("7A93D6571E4B180FCA6AC90C9A7488D4"), hex!("7614281A"), 0, hex!("4C651A64261A90307B6C293F611C7F7B")),
            (hex!("1309C877509E5A215007FF0ED19CA564"), hex!("9D00C4DF"), 0, hex!("D2CB7277A17841A06654A48188C1F8F5")),
        ] {
            assert_eq!(vector(&BlockCipher::aes(&enc), [0xA5, 0x5A], ti, counter).0, expected);
        }
    }

    /// Source: NXP AN12196, GetCardUID in mode full.
    #[test]
    fn the_vector_of_an_answer() {
        let enc = BlockCipher::aes(&hex!("2B4D963C014DC36F24F69A50A394F875"));
        let mut vector = vector(&enc, [0x5A, 0xA5], hex!("DF055522"), 1);
        assert_eq!(vector.0, hex!("7F6BB0B278EA054CBD238C5D9E9E342B"));
        let mut uid = hex!("70756055688505B52A5E26E59E329CD6");
        enc.decrypt_cbc(&mut vector, &mut uid).expect("one block");
        assert_eq!(uid[..8], hex!("04958CAA5C5E8080"));
    }

    /// The MAC of the answer is right, and what was encrypted does not end in 80 00 ..
    #[test]
    fn an_answer_without_padding_is_refused() {
        let session = |counter| Ev2::new(SessionKeys::new(&[1; 16], &[2; 16]), [3; 4], counter);
        let mut answer = vec![0x77; 16];
        let enc = BlockCipher::aes(&[1; 16]);
        enc.encrypt_cbc(&mut vector(&enc, [0x5A, 0xA5], [3; 4], 1), &mut answer).expect("one block");
        let mac = session(1).mac(0, &answer);
        answer.extend(mac);
        assert_eq!(session(0).response(Zeroizing::new(answer), CommMode::Full), Err(CardError::Integrity("padding")));
    }

    #[test]
    fn a_counter_that_is_used_up_ends_the_session_before_the_card_sees_anything() {
        let mut session = Ev2::new(SessionKeys::new(&[0; 16], &[0; 16]), [0; 4], u16::MAX);
        assert!(matches!(session.command(0x60, &[], &[], CommMode::Mac), Err(CardError::Invalid(_))));
    }
}
