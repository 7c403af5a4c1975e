//! The authentication of Ultralight AES, and the MACs that a card may want on every command after it.
//!
//! Facts: NXP MF0AES(H)20 sections 8.6.1 and 8.8, as public clients have them.
//!
//! - The three passes: three clients (proxmark3, a Flipper firmware, StuStaPay's app). They are those of AuthenticateEV2NonFirst, and a recording of
//!   a real NTAG 424 replays here.
//! - The MACs (session key, counter, every other byte): two clients, StuStaPay's app, whose cards are set to want MACs, and that Flipper firmware,
//!   whose own notes say that this part was made from the data sheet alone and not confirmed with a card. proxmark3 only sees that a card wants them.
//! - Of an Ultralight AES itself no numbers are public: neither passes nor MACs were compared with any.
use std::fmt;
use zeroize::Zeroizing;

use super::auth::REFUSED;
use super::{PAGE, Reader, raw};
use crate::crypto::{MacKey, equal, truncated};
use crate::desfire::ev2::Handshake;
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// Bytes of a MAC on the wire.
const MAC: usize = 8;
const READ: u8 = 0x30;
const WRITE: u8 = 0xa2;

/// Which key of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKeyNo {
    /// The one that protects pages.
    Data,
    /// The one that gives the serial number of a card that shows random ones.
    Uid,
}

impl AesKeyNo {
    /// Its number at the card.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Uid => 1,
        }
    }
}

/// Proves a key of an Ultralight AES, and lets the card prove it. A card may count failures and lock itself for ever (`AUTHLIM`).
///
/// Where the card does not want MACs the session may be dropped, and pages are read and written as before.
///
/// # Errors
/// [`CardError::Unsupported`]: the reader passes no raw commands. [`CardError::AuthenticationRefused`]: another key.
/// [`CardError::NotGenuine`]: the card does not know the key. [`CardError::Invalid`]: not an AES key.
pub async fn authenticate_aes(
    card: &Card,
    reader: Reader,
    key_no: AesKeyNo,
    key: &Key,
    random: &mut dyn Random,
) -> Result<AesSession, CardError> {
    if key.kind() != KeyType::Aes128 {
        return Err(CardError::Invalid("an Ultralight AES has AES-128 keys"));
    }
    const OTHER_FORM: CardError = CardError::Garbage("an authentication of another form");
    let question = raw(card, reader, &[&[0x1a, key_no.number()]]).await?.ok_or(REFUSED)?;
    let [0xaf, encrypted @ ..] = question.as_slice() else { return Err(OTHER_FORM) };
    let mut rnd_a = Zeroizing::new([0; 16]);
    random.fill(rnd_a.as_mut_slice())?;
    let (handshake, reply) = Handshake::answer(key.cipher(), rnd_a, encrypted)?;
    let answer = raw(card, reader, &[&[0xaf], &reply[..]]).await?.ok_or(REFUSED)?;
    let [0x00, encrypted @ ..] = answer.as_slice() else { return Err(OTHER_FORM) };
    if encrypted.len() != 16 {
        return Err(CardError::Garbage("an authentication of another length"));
    }
    let mac = handshake.finish_mac_key(encrypted).ok_or(CardError::NotGenuine { key_no: key_no.number() })?;
    Ok(AesSession { card: card.clone(), reader, mac, counter: Some(0) })
}

/// A session with a card that wants a MAC on every command (`SEC_MSG_ACT`). It ends with the first error.
pub struct AesSession {
    card: Card,
    reader: Reader,
    mac: MacKey,
    /// Of commands and answers together; `None` once it is over.
    counter: Option<u16>,
}

impl fmt::Debug for AesSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesSession").field("counter", &self.counter).finish_non_exhaustive()
    }
}

impl AesSession {
    /// Reads four pages from this one on.
    ///
    /// # Errors
    /// [`CardError::AuthenticationRefused`]: the card refused the command, or does not want MACs; [`CardError::Integrity`]: the answer is not
    /// from this session.
    pub async fn read(&mut self, page: u8) -> Result<[u8; 4 * PAGE], CardError> {
        let data = self.exchange(&[READ, page]).await?;
        data.as_slice().try_into().map_err(|_| CardError::Garbage("pages of another length"))
    }

    /// Writes a page.
    ///
    /// # Errors
    /// As [`read`](Self::read); after [`CardError::Integrity`] the page may have been written.
    pub async fn write(&mut self, page: u8, data: [u8; PAGE]) -> Result<(), CardError> {
        let [a, b, c, d] = data;
        let rest = self.exchange(&[WRITE, page, a, b, c, d]).await?;
        if rest.is_empty() { Ok(()) } else { Err(CardError::Garbage("data in an answer that has none")) }
    }

    async fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, CardError> {
        let at = self.counter.take().ok_or(CardError::Misused("a session after its end"))?;
        let [answered, next] = [1, 2].map(|more| at.checked_add(more).ok_or(CardError::Invalid("the counter of the session is used up")));
        let (answered, next) = (answered?, next?);
        let mac = truncated(self.mac.cmac(&[&at.to_le_bytes(), command]));
        let mut answer = raw(&self.card, self.reader, &[command, &mac]).await?.ok_or(REFUSED)?;
        let (data, came) = answer.split_last_chunk::<MAC>().ok_or(CardError::Integrity("the answer has no MAC"))?;
        if !equal(&truncated(self.mac.cmac(&[&answered.to_le_bytes(), data])), came) {
            return Err(CardError::Integrity("the MAC of the answer"));
        }
        answer.truncate(answer.len() - MAC);
        self.counter = Some(next);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::{Dialogue, RecordedRandom};
    use hex_literal::hex;

    /// Source of the numbers: a real NTAG 424 DNA recorded by the crate ntag424 0.1.1 (AuthenticateEV2NonFirst with a key of zeros), whose passes
    /// are the same.
    #[test]
    fn the_passes_of_a_real_card_replay() {
        let run = |question: Vec<u8>, answer: Vec<u8>| {
            let (mut sent, mut answers) = (Vec::new(), [question, answer].into_iter());
            let dialogue = Dialogue::new(|card| async move {
                let mut random = RecordedRandom::new(hex!("1AC618A15F5CB19BF10E5F649DC98764"));
                authenticate_aes(&card, Reader::Pn532, AesKeyNo::Uid, &Key::zero(KeyType::Aes128), &mut random).await.map(drop)
            });
            let result = dialogue.run(|command| {
                sent.push(command.bytes().to_vec());
                answers.next()
            });
            (sent, result)
        };
        let question = hex!("D54300 AF 01E9CB96C9EE3873B4135A6E08DED325 9000").to_vec();
        let answer = hex!("D54300 00 2E54DF5D25A366C03DF7A07F4B85301C 9000").to_vec();
        let (sent, result) = run(question.clone(), answer.clone());
        assert_eq!(result, Ok(()));
        assert_eq!(sent[0], hex!("FF00000004 D442 1A01"));
        assert_eq!(sent[1], hex!("FF00000023 D442 AF 75577A7FFEA719AE781951B1F9298FC947FA5A0AE2BC99CCF11A89C88D27709B"));
        let mut changed = answer;
        changed[9] ^= 1;
        assert_eq!(run(question.clone(), changed).1, Err(CardError::NotGenuine { key_no: 1 }));
        assert_eq!(run(question.clone(), hex!("D543 01 9000").to_vec()).1, Err(REFUSED));
        let short = [&question[..10], &[0x90, 0x00]].concat();
        assert!(matches!(run(short, Vec::new()).1, Err(CardError::Garbage(_))));
    }
}
