//! Proving a password or a key.
use std::fmt;
use zeroize::Zeroizing;

use super::{Reader, raw};
use crate::apdu::StatusWord;
use crate::crypto::{Vector, equal};
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// A password and what the card answers to it. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    pub(super) password: Zeroizing<[u8; 4]>,
    pub(super) answer: Zeroizing<[u8; 2]>,
}

wiped!(Password: password, answer);

impl Password {
    /// A password of four bytes and the answer of two.
    #[must_use]
    pub fn new(password: [u8; 4], answer: [u8; 2]) -> Self {
        Self { password: Zeroizing::new(password), answer: Zeroizing::new(answer) }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What the errors say where a card does not answer with a status of its own.
pub(super) const REFUSED: CardError = CardError::AuthenticationRefused { key_no: 0, status: StatusWord(0x6300) };

/// Proves a password to an Ultralight EV1 or NTAG 21x (MF0ULX1 section 10.7). Cards may count failures and lock themselves.
///
/// # Errors
/// [`CardError::Unsupported`]: the reader passes no raw commands. [`CardError::AuthenticationRefused`]: another password.
/// [`CardError::NotGenuine`]: the card's answer is another.
pub async fn prove_password(card: &Card, reader: Reader, password: &Password) -> Result<(), CardError> {
    let answer = raw(card, reader, &[&[0x1b], &password.password[..]]).await?.ok_or(REFUSED)?;
    if answer.len() != 2 {
        return Err(CardError::Garbage("an answer to a password of another length"));
    }
    if equal(&answer, &password.answer[..]) { Ok(()) } else { Err(CardError::NotGenuine { key_no: 0 }) }
}

/// Proves the key of an Ultralight C, and lets the card prove it (MF0ICU2 section 7.5.5).
///
/// The key is two DES keys in the order in which they encrypt; in memory each half lies the other way round.
///
/// # Errors
/// [`CardError::Unsupported`]: the reader passes no raw commands. [`CardError::AuthenticationRefused`]: another key.
/// [`CardError::NotGenuine`]: the card does not know the key. [`CardError::Invalid`]: not a key of two DES keys.
pub async fn authenticate(card: &Card, reader: Reader, key: &Key, random: &mut dyn Random) -> Result<(), CardError> {
    if key.kind() != KeyType::TwoKeyTripleDes {
        return Err(CardError::Invalid("an Ultralight C has a key of two DES keys"));
    }
    let question = raw(card, reader, &[&[0x1a, 0x00]]).await?.ok_or(REFUSED)?;
    let [0xaf, encrypted @ ..] = question.as_slice() else { return Err(CardError::Garbage("an authentication of another form")) };
    let cipher = key.cipher();
    let mut vector = Vector::ZERO;
    let mut b: Zeroizing<[u8; 8]> = sized(encrypted)?;
    cipher.decrypt_cbc(&mut vector, b.as_mut_slice())?;

    let mut reply = Zeroizing::new([0; 16]);
    let (a, rest) = reply.split_at_mut(8);
    random.fill(a)?;
    rest.copy_from_slice(&b[..]);
    rest.rotate_left(1);
    let mut expected = Zeroizing::new([0; 8]);
    expected.copy_from_slice(a);
    expected.rotate_left(1);
    // The vector goes on over all three messages.
    cipher.encrypt_cbc(&mut vector, reply.as_mut_slice())?;

    let answer = raw(card, reader, &[&[0xaf], &reply[..]]).await?.ok_or(REFUSED)?;
    let [0x00, encrypted @ ..] = answer.as_slice() else { return Err(CardError::Garbage("an authentication of another form")) };
    let mut proof: Zeroizing<[u8; 8]> = sized(encrypted)?;
    cipher.decrypt_cbc(&mut vector, proof.as_mut_slice())?;
    if equal(&proof[..], &expected[..]) { Ok(()) } else { Err(CardError::NotGenuine { key_no: 0 }) }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<Zeroizing<[u8; N]>, CardError> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| CardError::Garbage("an authentication of another length"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::{Dialogue, RecordedRandom};
    use hex_literal::hex;

    fn replay(key: [u8; 16], a: [u8; 8], answers: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Result<(), CardError>) {
        let (mut sent, mut answers) = (Vec::new(), answers.into_iter());
        let dialogue = Dialogue::new(move |card| async move {
            let key = Key::new(KeyType::TwoKeyTripleDes, &key)?;
            authenticate(&card, Reader::Pn532, &key, &mut RecordedRandom::new(a)).await
        });
        let result = dialogue.run(|command| {
            sent.push(command.bytes().to_vec());
            answers.next()
        });
        (sent, result)
    }

    /// Source: NXP MF0ICU2 revision 3.3, table 9.
    #[test]
    fn the_authentication_of_the_data_sheet_replays() {
        let question = hex!("D54300 AF 577293FD2F34CA51 9000").to_vec();
        let answer = hex!("D54300 00 3B884FA07C137CE1 9000").to_vec();
        // The card's number in the clear, of which both sides need no more than that they agree.
        let mut b = hex!("577293FD2F34CA51");
        let factory = Key::new(KeyType::TwoKeyTripleDes, &hex!("49454D4B41455242214E4143554F5946")).unwrap();
        factory.cipher().decrypt_cbc(&mut Vector::ZERO.clone(), &mut b).unwrap();
        assert_eq!(b, hex!("51E764602678DF2B"));
        let (key, a) = (hex!("49454D4B41455242214E4143554F5946"), hex!("A8AF3B256C75ED40"));
        let (sent, result) = replay(key, a, vec![question.clone(), answer.clone()]);
        assert_eq!(result, Ok(()));
        assert_eq!(sent, [hex!("FF00000004 D442 1A00").to_vec(), hex!("FF00000013 D442 AF 0A638559FC7737F9F15D7862EBBE967A").to_vec()]);
        let mut changed = answer;
        changed[5] ^= 0x10;
        assert_eq!(replay(key, a, vec![question.clone(), changed]).1, Err(CardError::NotGenuine { key_no: 0 }));
        let refused = hex!("D543 01 9000").to_vec();
        assert_eq!(replay(key, a, vec![question, refused]).1, Err(REFUSED));
    }

    /// Source: NXP community, message 1285216.
    #[test]
    fn the_second_message_of_the_forum() {
        let question = hex!("D54300 AF 69ECC8F7CADC1AC8 9000").to_vec();
        let mut b = hex!("69ECC8F7CADC1AC8");
        let key = Key::new(KeyType::TwoKeyTripleDes, &hex!("425245414B4D454946594F5543414E21")).unwrap();
        key.cipher().decrypt_cbc(&mut Vector::ZERO.clone(), &mut b).unwrap();
        assert_eq!(b, hex!("CB0CACEEF276F17E"));
        let (sent, result) = replay(hex!("425245414B4D454946594F5543414E21"), hex!("C9600ADCEB08FDC4"), vec![question]);
        assert_eq!(sent[1], hex!("FF00000013 D442 AF 90799A6D73E95149C7AA66D90C08BEC5"));
        assert_eq!(result, Err(CardError::Lost));
    }

    /// Source of the form: NXP MF0ULX1 section 10.7.
    #[test]
    fn a_card_that_answers_a_password_in_another_way_is_not_genuine() {
        let run = |answer: &[u8]| {
            Dialogue::<(), CardError>::new(
                |card| async move { prove_password(&card, Reader::Pn532, &Password::new(*b"pass", *b"ok")).await },
            )
            .run(|command| {
                assert_eq!(command.bytes(), hex!("FF00000007 D442 1B 70617373"));
                Some(answer.to_vec())
            })
        };
        assert_eq!(run(&hex!("D54300 6F6B 9000")), Ok(()));
        assert_eq!(run(&hex!("D54300 6F6A 9000")), Err(CardError::NotGenuine { key_no: 0 }));
        assert_eq!(run(&hex!("D54300 6E6B 9000")), Err(CardError::NotGenuine { key_no: 0 }));
        assert!(matches!(run(&hex!("D54300 6F6B00 9000")), Err(CardError::Garbage(_))));
        assert_eq!(run(&hex!("D54301 9000")), Err(REFUSED));
    }

    #[test]
    fn without_raw_commands_a_proof_is_unsupported_and_nothing_is_sent() {
        let dialogue = Dialogue::<(), CardError>::new(|card| async move {
            prove_password(&card, Reader::StorageOnly, &Password::new([1; 4], [2; 2])).await
        });
        let result = dialogue.run(|_| panic!("nothing is sent"));
        assert!(matches!(result, Err(CardError::Unsupported(_))));
    }
}
