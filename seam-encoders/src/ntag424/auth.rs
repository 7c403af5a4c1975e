//! The three passes in which both sides prove that they know a key (NT4H2421Gx sections 9.1.5, 9.1.6, 9.2.5, 9.2.6; commands 71 and 77).
use zeroize::Zeroizing;

use super::settings::KeyNo;
use super::{Suite, native};
use crate::apdu::{Response, StatusWord};
use crate::crypto::equal;
use crate::desfire::ev2::{Ev2, Handshake, SessionKeys};
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

const FIRST: u8 = 0x71;
const NON_FIRST: u8 = 0x77;
const MORE: u8 = 0xaf;
/// What we can do: LRP is bit 1 of the first byte, and the rest means nothing.
const LRP_CAPABLE: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

/// Proves a key in a new transaction.
pub(super) async fn first(card: &Card, suite: Suite, key_no: KeyNo, key: &Key, random: &mut dyn Random) -> Result<Ev2, CardError> {
    let key_bytes = aes_key(key)?;
    let capable: &[u8] = match suite {
        Suite::Aes => &[0x00],
        Suite::Lrp => &[0x06, 0x02, 0, 0, 0, 0, 0],
    };
    let question = begin(card, FIRST, key_no, capable).await?;
    let failed = CardError::NotGenuine { key_no: key_no.number() };
    match suite {
        Suite::Aes => {
            let (handshake, reply) = Handshake::answer(key.cipher(), drawn(random)?, &question)?;
            let answer: Zeroizing<[u8; 32]> = sized(&finish(card, key_no, &reply[..]).await?)?;
            handshake.finish_first(&answer[..]).ok_or(failed)
        }
        Suite::Lrp => {
            let pass = LrpPass::answer(&question, key_bytes, random)?;
            let answer = finish(card, key_no, &pass.reply()[..]).await?;
            let answer: Zeroizing<[u8; 32]> = sized(&answer)?;
            let (data, proof) = answer.split_at(16);
            if !equal(&pass.keys.whole_mac(&[&pass.rnd_b[..], &pass.rnd_a[..], data]), proof) {
                return Err(failed);
            }
            let mut keys = pass.keys;
            let mut data: Zeroizing<[u8; 16]> = sized(data)?;
            keys.decrypt_counted(data.as_mut_slice());
            let (transaction, rest) = data.split_first_chunk::<4>().ok_or(failed.clone())?;
            if !equal(&rest[6..], &LRP_CAPABLE) {
                return Err(failed);
            }
            Ok(Ev2::new(keys, *transaction, 0))
        }
    }
}

/// Proves another key within the transaction.
pub(super) async fn next(
    card: &Card,
    suite: Suite,
    before: &Ev2,
    key_no: KeyNo,
    key: &Key,
    random: &mut dyn Random,
) -> Result<Ev2, CardError> {
    let key_bytes = aes_key(key)?;
    let question = begin(card, NON_FIRST, key_no, &[]).await?;
    let failed = CardError::NotGenuine { key_no: key_no.number() };
    match suite {
        Suite::Aes => {
            let (handshake, reply) = Handshake::answer(key.cipher(), drawn(random)?, &question)?;
            let answer: Zeroizing<[u8; 16]> = sized(&finish(card, key_no, &reply[..]).await?)?;
            handshake.finish_following(&answer[..], before).ok_or(failed)
        }
        Suite::Lrp => {
            let pass = LrpPass::answer(&question, key_bytes, random)?;
            let answer = finish(card, key_no, &pass.reply()[..]).await?;
            if !equal(&pass.keys.whole_mac(&[&pass.rnd_b[..], &pass.rnd_a[..]]), &answer) {
                return Err(failed);
            }
            Ok(before.with_keys(pass.keys))
        }
    }
}

fn aes_key(key: &Key) -> Result<&[u8; 16], CardError> {
    let bytes = (key.kind() == KeyType::Aes128).then(|| key.bytes().first_chunk()).flatten();
    bytes.ok_or(CardError::Invalid("an NTAG 424 has AES-128 keys"))
}

/// The first pass: the card's random number, as it came.
async fn begin(card: &Card, instruction: u8, key_no: KeyNo, capable: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
    let answer = native(card, instruction, &[&[key_no.number()], capable]).await?;
    if answer.status() != StatusWord::NATIVE_MORE {
        return Err(refused(&answer, key_no));
    }
    Ok(answer.into_data())
}

/// The second pass: our answer, and the card's proof.
async fn finish(card: &Card, key_no: KeyNo, reply: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
    let answer = native(card, MORE, &[reply]).await?;
    if answer.status() != StatusWord::NATIVE_OK {
        return Err(refused(&answer, key_no));
    }
    Ok(answer.into_data())
}

/// 91AE: another key. 919D: no authentication of this kind (LRP is switched on, or not). 9140: no such key.
/// 91AD, a card that wants to be left alone for a while, says nothing about the key.
fn refused(answer: &Response, key_no: KeyNo) -> CardError {
    match answer.status() {
        status @ StatusWord(0x91ae | 0x919d | 0x9140) => CardError::AuthenticationRefused { key_no: key_no.number(), status },
        StatusWord::NATIVE_OK | StatusWord::NATIVE_MORE => CardError::Garbage("an authentication with too many or too few passes"),
        status => CardError::Status(status),
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<Zeroizing<[u8; N]>, CardError> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| CardError::Garbage("an authentication of another length"))
}

fn drawn(random: &mut dyn Random) -> Result<Zeroizing<[u8; 16]>, CardError> {
    let mut rnd_a = Zeroizing::new([0; 16]);
    random.fill(rnd_a.as_mut_slice())?;
    Ok(rnd_a)
}

/// What we know after the first pass of an LRP authentication.
struct LrpPass {
    rnd_a: Zeroizing<[u8; 16]>,
    rnd_b: Zeroizing<[u8; 16]>,
    keys: SessionKeys,
}

impl LrpPass {
    fn answer(question: &[u8], key: &[u8; 16], random: &mut dyn Random) -> Result<Self, CardError> {
        // 01 says LRP; the number is in clear.
        let (mode, rnd_b) = question.split_first().ok_or(CardError::Garbage("an authentication of another length"))?;
        if *mode != 0x01 {
            return Err(CardError::Garbage("an authentication that is not LRP"));
        }
        let rnd_b = sized(rnd_b)?;
        let rnd_a = drawn(random)?;
        let keys = SessionKeys::derive_lrp(key, &rnd_a, &rnd_b);
        Ok(Self { rnd_a, rnd_b, keys })
    }
    fn reply(&self) -> Zeroizing<[u8; 32]> {
        let mut reply = Zeroizing::new([0; 32]);
        reply[..16].copy_from_slice(&self.rnd_a[..]);
        reply[16..].copy_from_slice(&self.keys.whole_mac(&[&self.rnd_a[..], &self.rnd_b[..]]));
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::{Dialogue, RecordedRandom};
    use hex_literal::hex;

    fn replay(suite: Suite, instruction: u8, key_no: u8, rnd_a: [u8; 16], answers: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Result<(), CardError>) {
        let mut sent = Vec::new();
        let mut answers = answers.into_iter();
        let dialogue = Dialogue::new(move |card| async move {
            let key = Key::zero(KeyType::Aes128);
            let mut random = RecordedRandom::new(rnd_a);
            if instruction == FIRST {
                first(&card, suite, KeyNo::new(key_no)?, &key, &mut random).await.map(drop)
            } else {
                let before = Ev2::new(SessionKeys::new(&[0; 16], &[0; 16]), [0; 4], 0);
                next(&card, suite, &before, KeyNo::new(key_no)?, &key, &mut random).await.map(drop)
            }
        });
        let result = dialogue.run(|command| {
            sent.push(command.bytes().to_vec());
            answers.next()
        });
        (sent, result)
    }

    /// Source: NXP AN12196 sections 5.6 and 5.10 (keys 0 and 3 of zeros), and a tag recorded by the crate ntag424 0.1.1.
    #[test]
    fn first_authentications_of_the_application_note_replay() {
        for (key_no, rnd_a, question, reply, answer) in [
            (
                3,
                hex!("B98F4C50CF1C2E084FD150E33992B048"),
                hex!("B875CEB0E66A6C5CD00898DC371F92D1 91AF"),
                hex!("FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B1"),
                hex!("0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A 9100"),
            ),
            (
                0,
                hex!("13C5DB8A5930439FC3DEF9A4C675360F"),
                hex!("A04C124213C186F22399D33AC2A30215 91AF"),
                hex!("35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D"),
                hex!("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663 9100"),
            ),
            (
                0,
                hex!("A5F7C97067CC7C6B0C373F15028021EE"),
                hex!("457B8458856FA7D114513E5A65A37405 91AF"),
                hex!("BD8315EF8B1AFF79FB51287D1E93DCE49EE4EC2EEFD5285A499B9EDC59219922"),
                hex!("94A3D20D1035D7FF691B611360578F7765EC56EC456739A4533FDBA50F9CDFBB 9100"),
            ),
        ] {
            let (sent, result) = replay(Suite::Aes, FIRST, key_no, rnd_a, vec![question.to_vec(), answer.to_vec()]);
            assert_eq!(result, Ok(()));
            assert_eq!(sent[0], [0x90, 0x71, 0, 0, 2, key_no, 0, 0]);
            assert_eq!(sent[1], [&hex!("90AF000020")[..], &reply, &[0]].concat());
            let mut changed = answer.to_vec();
            changed[20] ^= 1;
            let (_, result) = replay(Suite::Aes, FIRST, key_no, rnd_a, vec![question.to_vec(), changed]);
            assert_eq!(result, Err(CardError::NotGenuine { key_no }));
        }
    }

    /// Source: a tag recorded by the crate ntag424 0.1.1 (key 0 of zeros).
    #[test]
    fn a_second_authentication_of_a_tag_replays() {
        let rnd_a = hex!("1AC618A15F5CB19BF10E5F649DC98764");
        let question = hex!("01E9CB96C9EE3873B4135A6E08DED325 91AF");
        let answer = hex!("2E54DF5D25A366C03DF7A07F4B85301C 9100");
        let (sent, result) = replay(Suite::Aes, NON_FIRST, 0, rnd_a, vec![question.to_vec(), answer.to_vec()]);
        assert_eq!(result, Ok(()));
        assert_eq!(sent[0], hex!("9077000001 00 00"));
        assert_eq!(sent[1], hex!("90AF000020 75577A7FFEA719AE781951B1F9298FC947FA5A0AE2BC99CCF11A89C88D27709B 00"));
        let mut changed = answer.to_vec();
        changed[0] ^= 1;
        let (_, result) = replay(Suite::Aes, NON_FIRST, 0, rnd_a, vec![question.to_vec(), changed]);
        assert_eq!(result, Err(CardError::NotGenuine { key_no: 0 }));
    }

    /// Source: NXP AN12321 section 4, table 2.
    #[test]
    fn the_lrp_authentication_of_the_application_note_replays() {
        let rnd_a = hex!("74D7DF6A2CEC0B72B412DE0D2B1117E6");
        let question = hex!("01 56109A31977C855319CD4618C9D2AED2 91AF");
        let answer = hex!("F4FC209D9D60623588B299FA5D6B2D71 0125F8547D9FB8D572C90D2C2A14E235 9100");
        let (sent, result) = replay(Suite::Lrp, FIRST, 3, rnd_a, vec![question.to_vec(), answer.to_vec()]);
        assert_eq!(result, Ok(()));
        assert_eq!(sent[0], hex!("9071000008 03 06 020000000000 00"));
        assert_eq!(sent[1], hex!("90AF000020 74D7DF6A2CEC0B72B412DE0D2B1117E6 189B59DCEDC31A3D3F38EF8D4810B3B4 00"));
        for at in [0, 16] {
            let mut changed = answer.to_vec();
            changed[at] ^= 1;
            let (_, result) = replay(Suite::Lrp, FIRST, 3, rnd_a, vec![question.to_vec(), changed]);
            assert_eq!(result, Err(CardError::NotGenuine { key_no: 3 }), "byte {at}");
        }
    }

    /// The same answer with other capabilities of ours in it, as a card would make it that was told others on the way.
    #[test]
    fn a_card_that_heard_other_capabilities_than_were_told_is_not_believed() {
        let (rnd_a, rnd_b) = (hex!("74D7DF6A2CEC0B72B412DE0D2B1117E6"), hex!("56109A31977C855319CD4618C9D2AED2"));
        let master = hex!("132D7E6F35BA861F39B37221214E25A5");
        let mut data = hex!("58EE9424 020000000000 000000000000");
        crate::crypto::lrp::Lrp::for_encryption(&master).encrypt_blocks(&mut [0; 4], &mut data);
        let proof = crate::crypto::lrp::Lrp::for_mac(&master).cmac(&[rnd_b, rnd_a, data].concat());
        let answers = vec![[&[0x01][..], &rnd_b, &[0x91, 0xAF]].concat(), [&data[..], &proof, &[0x91, 0x00]].concat()];
        let (_, result) = replay(Suite::Lrp, FIRST, 3, rnd_a, answers);
        assert_eq!(result, Err(CardError::NotGenuine { key_no: 3 }));
    }

    #[test]
    fn each_refusal_has_its_name() {
        for status in [hex!("91AE"), hex!("919D"), hex!("9140")] {
            let (_, result) = replay(Suite::Aes, FIRST, 2, [0; 16], vec![status.to_vec()]);
            assert_eq!(result, Err(CardError::AuthenticationRefused { key_no: 2, status: StatusWord(u16::from_be_bytes(status)) }));
        }
        // A card that was asked too often is not somebody else's.
        let (_, result) = replay(Suite::Aes, FIRST, 2, [0; 16], vec![hex!("91AD").to_vec()]);
        assert_eq!(result, Err(CardError::Status(StatusWord(0x91AD))));
        let (_, result) = replay(Suite::Lrp, FIRST, 2, [0; 16], vec![hex!("00 56109A31977C855319CD4618C9D2AED2 91AF").to_vec()]);
        assert_eq!(result, Err(CardError::Garbage("an authentication that is not LRP")));
        let (_, result) = replay(Suite::Aes, NON_FIRST, 2, [0; 16], vec![hex!("9100").to_vec()]);
        assert_eq!(result, Err(CardError::Garbage("an authentication with too many or too few passes")));
        assert_eq!(replay(Suite::Aes, NON_FIRST, 2, [0; 16], vec![]).1, Err(CardError::Lost));
    }
}
