//! Secure messaging of EV2: two session keys, a transaction identifier and a counter of commands in every MAC.
//!
//! Sources: NXP AN12343 (DESFire Light), AN12196 and AN12321 (NTAG 424 DNA); the numbers of each also in proxmark3 and the crate `ntag424`.
use zeroize::{Zeroize, Zeroizing};

use super::types::CommMode;
use crate::crypto::{BlockCipher, MacKey, Vector, equal, xor};
use crate::error::CardError;

/// A session.
#[derive(Clone, Debug)]
pub struct Ev2 {
    keys: SessionKeys,
    ti: [u8; 4],
    counter: u16,
}

/// The two keys of a session.
#[derive(Clone, Debug)]
pub struct SessionKeys {
    enc: BlockCipher,
    mac: MacKey,
}

impl SessionKeys {
    /// From the keys themselves.
    #[must_use]
    pub fn new(enc: &[u8; 16], mac: &[u8; 16]) -> Self {
        Self { enc: BlockCipher::aes(enc), mac: MacKey::new(BlockCipher::aes(mac)) }
    }

    /// From the key that was authenticated with, and both random numbers.
    #[must_use]
    pub fn derive(key: &BlockCipher, rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Self {
        let [enc, mac] = session_key_bytes(key, rnd_a, rnd_b);
        Self::new(&enc, &mac)
    }
}

/// The bytes of the keys for encrypting and for MACs: `CMAC(K, SV1)` and `CMAC(K, SV2)`.
#[must_use]
pub fn session_key_bytes(key: &BlockCipher, rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> [Zeroizing<[u8; 16]>; 2] {
    let mut sv = Zeroizing::new([0_u8; 32]);
    sv[2..6].copy_from_slice(&[0x00, 0x01, 0x00, 0x80]);
    sv[6..14].copy_from_slice(&rnd_a[..8]);
    xor(&mut sv[8..14], &rnd_b[..6]);
    sv[14..24].copy_from_slice(&rnd_b[6..]);
    sv[24..].copy_from_slice(&rnd_a[8..]);
    let mac = MacKey::new(key.clone());
    [[0xA5, 0x5A], [0x5A, 0xA5]].map(|label| {
        sv[..2].copy_from_slice(&label);
        Zeroizing::new(mac.cmac(&[&sv[..]]))
    })
}

/// Every second byte of a CMAC.
#[must_use]
pub fn truncated(mac: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|i| mac[2 * i + 1])
}

impl Ev2 {
    /// A session with this transaction identifier and counter (0 after the first authentication).
    #[must_use]
    pub fn new(keys: SessionKeys, ti: [u8; 4], counter: u16) -> Self {
        Self { keys, ti, counter }
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

    /// The vector for a command (`A55A`) or a response (`5AA5`).
    fn vector(&self, label: [u8; 2]) -> Vector {
        let mut block = [0; 16];
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.ti);
        block[6..8].copy_from_slice(&self.counter.to_le_bytes());
        Vector(self.keys.enc.encrypted_block(block))
    }
    fn mac(&self, code: u8, parts: &[&[u8]]) -> [u8; 8] {
        let mut mac = self.keys.mac.begin(Vector::ZERO);
        mac.update(&[code]);
        mac.update(&self.counter.to_le_bytes());
        mac.update(&self.ti);
        parts.iter().for_each(|part| mac.update(part));
        truncated(mac.finish().0)
    }

    /// What goes to the card after the instruction. In mode full the data is padded (80 00..) and encrypted, the header is not; without data
    /// only the MAC remains of it.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when the counter is used up, and a new authentication is due; nothing was sent.
    pub fn command(&mut self, ins: u8, header: &[u8], data: &[u8], mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        if self.counter == u16::MAX {
            return Err(CardError::Invalid("the counter of the session is used up"));
        }
        let mut out = Zeroizing::new(Vec::with_capacity(header.len() + data.len() + 16 + 8));
        out.extend_from_slice(header);
        out.extend_from_slice(data);
        if mode == CommMode::Full && !data.is_empty() {
            out.push(0x80);
            out.resize(header.len() + (data.len() + 1).next_multiple_of(16), 0);
            self.keys.enc.encrypt_cbc(&mut self.vector([0xA5, 0x5A]), &mut out[header.len()..])?;
        }
        if mode != CommMode::Plain {
            let mac = self.mac(ins, &[&out]);
            out.extend_from_slice(&mac);
        }
        Ok(out)
    }

    /// What a card answered with status 00, in the clear. The counter rises with every command that was carried out, also in mode plain.
    ///
    /// # Errors
    /// [`CardError::Integrity`] when the MAC or the padding is wrong; [`CardError::Garbage`] when it cannot be so long.
    pub fn response(&mut self, mut answer: Zeroizing<Vec<u8>>, mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.counter += 1;
        if mode == CommMode::Plain {
            return Ok(answer);
        }
        let length = answer.len().checked_sub(8).ok_or(CardError::Integrity("no MAC"))?;
        let (data, came) = answer.split_at(length);
        if !equal(&self.mac(0, &[data]), came) {
            return Err(CardError::Integrity("MAC"));
        }
        answer.truncate(length);
        if mode == CommMode::Full && !answer.is_empty() {
            if !answer.len().is_multiple_of(16) {
                return Err(CardError::Garbage("an encrypted answer of a length that it cannot have"));
            }
            self.keys.enc.decrypt_cbc(&mut self.vector([0x5A, 0xA5]), &mut answer)?;
            let end =
                answer.iter().rposition(|byte| *byte != 0).filter(|end| answer[*end] == 0x80).ok_or(CardError::Integrity("padding"))?;
            answer[end..].zeroize();
            answer.truncate(end);
        }
        Ok(answer)
    }
}

/// The three passes of AuthenticateEV2First and AuthenticateEV2NonFirst: every message begins at the vector zero.
#[derive(Debug)]
pub struct Handshake {
    cipher: BlockCipher,
    rnd_a: Zeroizing<[u8; 16]>,
    rnd_b: Zeroizing<[u8; 16]>,
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
        self.proves(&clear[..]).then(|| Ev2::new(self.keys(), before.ti, before.counter))
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
            let session = Ev2::new(SessionKeys::new(&enc, &[0; 16]), ti, counter);
            assert_eq!(session.vector([0xA5, 0x5A]).0, expected);
        }
    }

    /// Source: NXP AN12196, GetCardUID in mode full.
    #[test]
    fn the_vector_of_an_answer() {
        let session = Ev2::new(SessionKeys::new(&hex!("2B4D963C014DC36F24F69A50A394F875"), &[0; 16]), hex!("DF055522"), 1);
        let mut vector = session.vector([0x5A, 0xA5]);
        assert_eq!(vector.0, hex!("7F6BB0B278EA054CBD238C5D9E9E342B"));
        let mut uid = hex!("70756055688505B52A5E26E59E329CD6");
        session.keys.enc.decrypt_cbc(&mut vector, &mut uid).expect("one block");
        assert_eq!(uid[..8], hex!("04958CAA5C5E8080"));
    }

    #[test]
    fn a_counter_that_is_used_up_ends_the_session_before_the_card_sees_anything() {
        let mut session = Ev2::new(SessionKeys::new(&[0; 16], &[0; 16]), [0; 4], u16::MAX);
        assert!(matches!(session.command(0x60, &[], &[], CommMode::Mac), Err(CardError::Invalid(_))));
    }
}
