//! The driver's pure functions against known numbers, byte for byte.
use seam_encoders::crypto::{MacKey, Vector, crc32};
use seam_encoders::desfire::ev1::{self, Ev1};
use seam_encoders::desfire::ev2::{self, Ev2, SessionKeys, session_key_bytes};
use seam_encoders::desfire::{CommMode, transaction_key_bytes};
use seam_encoders::keys::{Key, KeyType};
use zeroize::Zeroizing;

use super::support::{hex, sixteen};
use super::vectors::*;

fn key(kind: KeyType, digits: &str) -> Key {
    Key::new(kind, &hex(digits)).expect("a key of this type")
}

#[test]
fn cmacs_from_any_vector() {
    assert_eq!(CMACS.len(), 54);
    for known in CMACS {
        let mac_key = MacKey::new(key(known.kind, known.key).cipher());
        let mut mac = mac_key.begin(Vector::of(&hex(known.vector)));
        hex(known.message).iter().for_each(|byte| mac.update(&[*byte]));
        let expected = hex(known.cmac);
        let computed = mac.finish().0;
        assert_eq!(computed[..expected.len()], expected, "{known:?}");
        if let Some(on_wire) = known.on_wire {
            assert_eq!(computed[..8], hex(on_wire), "{known:?}");
        }
    }
}

#[test]
fn subkeys_show_in_the_macs_of_empty_and_whole_messages() {
    // The subkeys are inside; a MAC over one block M is E(M ^ K1), so that D(MAC) ^ M is K1, and with the padding of nothing it is K2.
    for known in SUBKEYS {
        let key = key(known.kind, known.key);
        let (mac, size) = (MacKey::new(key.cipher()), hex(known.k1).len());
        for (message, subkey) in [(vec![0; size], known.k1), (Vec::new(), known.k2)] {
            let mut block = mac.cmac(&[&message])[..size].to_vec();
            key.cipher().decrypt_cbc(&mut Vector::ZERO.clone(), &mut block).expect("one block");
            if message.is_empty() {
                block[0] ^= 0x80;
            }
            assert_eq!(block, hex(subkey), "{known:?}");
        }
    }
}

#[test]
fn ev1_authentications() {
    assert_eq!(EV1_AUTHENTICATIONS.len(), 11);
    for known in EV1_AUTHENTICATIONS {
        let key = key(known.kind, known.key);
        let (handshake, token) =
            ev1::Handshake::answer(&key, &hex(known.rnd_a), &hex(known.enc_rnd_b)).expect("numbers of the right length");
        assert_eq!(token[..], hex(known.enc_rnd_ab), "{known:?}");
        let (_, session_key) = handshake.finish(&hex(known.enc_rnd_a_rot)).expect("the card knows the key");
        assert_eq!(session_key[..], hex(known.session_key), "{known:?}");
        // A card that does not know the key is found out.
        let (handshake, _) = ev1::Handshake::answer(&key, &hex(known.rnd_a), &hex(known.enc_rnd_b)).expect("numbers of the right length");
        let mut wrong = hex(known.enc_rnd_a_rot);
        wrong[3] ^= 1;
        assert!(handshake.finish(&wrong).is_none(), "{known:?}");
    }
}

/// Source: the tests of the crate desfire 0.2.0-alpha3 (two random numbers and the key of the session with single DES). There the parity bits, which
/// no cipher looks at, stay as they came; here they are zero.
#[test]
fn the_session_key_of_single_des_in_another_crate() {
    let (rnd_a, rnd_b, expected) = (hex("A541A9DC9138DF07"), hex("CBE55AA893B2DA25"), hex("A541A9DCCBE55AA8A541A9DCCBE55AA8"));
    let key = key(KeyType::TwoKeyTripleDes, "00000000000000000000000000000000");
    let mut vector = Vector::ZERO;
    let mut question = rnd_b;
    key.cipher().encrypt_cbc(&mut vector, &mut question).expect("one block");
    let (handshake, token) = ev1::Handshake::answer(&key, &rnd_a, &question).expect("numbers of the right length");
    let mut proof = rnd_a;
    proof.rotate_left(1);
    key.cipher().encrypt_cbc(&mut Vector::of(&token[8..]), &mut proof).expect("one block");
    let (_, session_key) = handshake.finish(&proof).expect("the card knows the key");
    assert_eq!(session_key[..], expected.iter().map(|byte| byte & 0xFE).collect::<Vec<_>>());
}

#[test]
fn ev1_changes_of_keys() {
    assert_eq!(EV1_CHANGE_KEYS.len(), 14);
    for known in EV1_CHANGE_KEYS {
        let mut data = hex(known.new);
        if let Some(old) = known.old {
            data.iter_mut().zip(hex(old)).for_each(|(byte, old)| *byte ^= old);
        }
        data.extend(known.version.map(hex).unwrap_or_default());
        let second = known.old.map(|_| crc32(&[&hex(known.new)])).map(Vec::from).unwrap_or_default();
        let clear = [&data[..], &crc32(&[&[0xC4, known.key_no], &data]), &second].concat();
        assert_eq!(clear, hex(known.cryptogram)[..clear.len()], "{known:?}");
        let mut session = Ev1::at(key(known.kind, known.session_key).cipher(), Vector::of(&hex(known.vector)));
        let sent = session.encrypted(0xC4, &[known.key_no], &data, &second).expect("whole blocks");
        assert_eq!([&[0xC4][..], &sent].concat(), hex(known.command), "{known:?}");
    }
}

/// Sources: the log of a real card (Elmü) for the settings, the crate `desfire` 0.2.0-alpha3 for the key.
#[test]
fn ev1_other_encrypted_commands() {
    let key_bytes = hex("48EC62DE3A3CFE6248EC62DE3A3CFE62");
    let mut session =
        Ev1::at(Key::new(KeyType::TwoKeyTripleDes, &key_bytes).expect("16 bytes").cipher(), Vector::of(&hex("25DD8D7731B1CFD5")));
    assert_eq!(session.command(0x54, &[], &[0x0D], CommMode::Full).expect("whole blocks")[..], hex("27882805FC3FD49D"));
    // The next answer of that log begins at the vector that this leaves.
    assert_eq!(session.vector(), Vector::of(&hex("27882805FC3FD49D")));

    assert_eq!([&[0x0D][..], &crc32(&[&[0x54, 0x0D]]), &[0; 3]].concat(), hex("0DED09401E000000"), "what is encrypted there");

    let mut session = Ev1::new(Key::aes(sixteen("A8514DD0350F3DFBC86E80744BCC9B57"), 0).cipher());
    let sent = session.encrypted(0xC4, &[0], &[&hex("25432A462D4A614E645267556B587032")[..], &[0x10]].concat(), &[]).expect("whole blocks");
    let apdu = hex("90C400002100C2B54A718D0251845653199909BB32E8E38BD6719E8DC21799C29C922A0984FC00");
    assert_eq!(sent[..], apdu[5..apdu.len() - 1]);
}

/// Source: the crate `desfire` 0.2.0-alpha3, whose tests have both random numbers.
#[test]
fn ev1_session_keys_from_their_numbers() {
    let aes = Key::zero(KeyType::Aes128);
    let des = Key::zero(KeyType::TwoKeyTripleDes);
    for (key, rnd_a, rnd_b, expected) in [
        (aes, "BC14DFDE20074617E45A8822F06FDD91", "482DDC54426E6DEE560413B8D95471F5", "BC14DFDE482DDC54F06FDD91D95471F5"),
        // Its first bytes are cleared of parity here, as real cards' are; the crate leaves them.
        (des, "A541A9DC9138DF07", "CBE55AA893B2DA25", "A440A8DCCAE45AA8A440A8DCCAE45AA8"),
    ] {
        let (rnd_a, rnd_b) = (hex(rnd_a), hex(rnd_b));
        let mut vector = Vector::ZERO;
        let mut enc_rnd_b = rnd_b;
        key.cipher().encrypt_cbc(&mut vector, &mut enc_rnd_b).expect("whole blocks");
        let (handshake, token) = ev1::Handshake::answer(&key, &rnd_a, &enc_rnd_b).expect("numbers of the right length");
        let mut vector = Vector::of(&token[token.len() - key.cipher().block_size()..]);
        let mut rotated = rnd_a.clone();
        rotated.rotate_left(1);
        key.cipher().encrypt_cbc(&mut vector, &mut rotated).expect("whole blocks");
        assert_eq!(handshake.finish(&rotated).expect("the card knows the key").1[..], hex(expected));
    }
}

#[test]
fn ev2_session_keys() {
    assert_eq!(EV2_SESSION_KEYS.len(), 2);
    for known in EV2_SESSION_KEYS {
        let [enc, mac] = session_key_bytes(&Key::aes(sixteen(known.key), 0).cipher(), &sixteen(known.rnd_a), &sixteen(known.rnd_b));
        assert_eq!((enc[..].to_vec(), mac[..].to_vec()), (hex(known.enc), hex(known.mac)), "{known:?}");
    }
}

#[test]
fn ev2_macs_of_commands_and_answers() {
    assert_eq!(EV2_MACS.len(), 4);
    for known in EV2_MACS {
        let keys = SessionKeys::new(&[0; 16], &sixteen(known.mac_key));
        let ti = hex(known.ti).try_into().expect("4 bytes");
        let data = hex(known.data);
        if known.code == 0 {
            // The counter has risen when the answer comes.
            let mut session = Ev2::new(keys.clone(), ti, known.counter - 1);
            let answer = [&data[..], &hex(known.mac)].concat();
            assert_eq!(session.response(Zeroizing::new(answer.clone()), CommMode::Mac).expect("the MAC is right")[..], data);
            let mut replayed = Ev2::new(keys, ti, known.counter);
            assert!(replayed.response(Zeroizing::new(answer), CommMode::Mac).is_err(), "an answer of another turn");
        } else {
            let mut session = Ev2::new(keys, ti, known.counter);
            let sent = session.command(known.code, &data[..7], &data[7..], CommMode::Mac).expect("the counter is low");
            assert_eq!(sent[..], [&data[..], &hex(known.mac)].concat(), "{known:?}");
        }
    }
}

#[test]
fn ev2_authentications() {
    assert_eq!(EV2_AUTHENTICATIONS.len(), 3);
    for known in EV2_AUTHENTICATIONS {
        let cipher = Key::aes(sixteen(known.key), 0).cipher();
        let (handshake, token) =
            ev2::Handshake::answer(cipher.clone(), Zeroizing::new(sixteen(known.rnd_a)), &hex(known.enc_rnd_b)).expect("16 bytes");
        assert_eq!(token[..], hex(known.token), "{known:?}");
        let session = handshake.finish_first(&hex(known.answer)).expect("the card knows the key");
        assert_eq!(session.ti()[..], hex(known.ti.expect("is known")), "{known:?}");
        assert_eq!(session.counter(), 0);
        if let (Some(enc), Some(mac)) = (known.enc, known.mac) {
            let mut rnd_b = hex(known.enc_rnd_b);
            cipher.decrypt_cbc(&mut Vector::ZERO.clone(), &mut rnd_b).expect("one block");
            let keys = session_key_bytes(&cipher, &sixteen(known.rnd_a), &rnd_b.try_into().expect("16 bytes"));
            assert_eq!(keys.map(|key| key.to_vec()), [hex(enc), hex(mac)], "{known:?}");
        }
    }
}

/// Source: NXP AN12196 5.15 (numbers also in the crate `ntag424`).
#[test]
fn ev2_a_following_authentication() {
    let cipher = Key::zero(KeyType::Aes128).cipher();
    let mut rnd_b = hex("A6A2B3C572D06C097BB8DB70463E22DC");
    cipher.decrypt_cbc(&mut Vector::ZERO.clone(), &mut rnd_b).expect("one block");
    let keys = session_key_bytes(&cipher, &sixteen("60BE759EDA560250AC57CDDC11743CF6"), &rnd_b.try_into().expect("16 bytes"));
    assert_eq!(keys.map(|key| key.to_vec()), [hex("4CF3CB41A22583A61E89B158D252FC53"), hex("5529860B2FC5FB6154B7F28361D30BF9")]);
}

fn ev2(enc: &str, mac: &str, ti: &str, counter: u16) -> Ev2 {
    Ev2::new(SessionKeys::new(&sixteen(enc), &sixteen(mac)), hex(ti).try_into().expect("4 bytes"), counter)
}
/// The data of a wrapped command.
fn data_of(apdu: &str) -> Vec<u8> {
    let apdu = hex(apdu);
    assert_eq!(usize::from(apdu[4]) + 6, apdu.len());
    apdu[5..apdu.len() - 1].to_vec()
}

/// Sources: NXP AN12196 5.12, 5.8.2, 5.16.1, 5.16.2 and 6.2, AN12321 table 3 (numbers also in the crate `ntag424`).
#[test]
fn ev2_encrypted_commands() {
    let mut write = ev2("7A93D6571E4B180FCA6AC90C9A7488D4", "FC4AF159B62E549B5812394CAB1918CC", "7614281A", 0);
    let sent = write.command(0x8D, &hex("030000000A0000"), &hex("0102030405060708090A"), CommMode::Full).expect("the counter is low");
    assert_eq!(sent[..], data_of("908D00001F030000000A00006B5E6804909962FC4E3FF5522CF0F8436C0C53315B9C73AA00"));
    assert!(write.response(Zeroizing::new(hex("C26D236E4A7C046D")), CommMode::Mac).expect("the MAC is right").is_empty());

    // The note encrypts what is already padded; the driver pads by itself.
    let mut ndef = ev2("1309C877509E5A215007FF0ED19CA564", "4C6626F5E72EA694202139295C7A7FC7", "9D00C4DF", 0);
    let padded = hex(NDEF);
    let message = &padded[..padded.len() - 16];
    let sent = ndef.command(0x8D, &[], message, CommMode::Full).expect("the counter is low");
    assert_eq!(sent[..sent.len() - 8], hex(NDEF_ENCRYPTED));

    let mut other = ev2("4CF3CB41A22583A61E89B158D252FC53", "5529860B2FC5FB6154B7F28361D30BF9", "7614281A", 2);
    let new = hex("F3847D627727ED3BC9C4CC050489B966");
    assert_eq!(crc32(&[&new])[..], hex("789DFADC"));
    let sent = other.command(0xC4, &[2], &[&new[..], &[1], &crc32(&[&new])].concat(), CommMode::Full).expect("the counter is low");
    assert_eq!(sent[..], data_of("90C4000029022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E600"));
    assert!(other.response(Zeroizing::new(hex("203BB55D1089D587")), CommMode::Mac).is_ok());

    let mut own = ev2("4CF3CB41A22583A61E89B158D252FC53", "5529860B2FC5FB6154B7F28361D30BF9", "7614281A", 3);
    let sent = own
        .command(0xC4, &[0], &[&hex("5004BF991F408672B1EF00F08F9E8647")[..], &[1]].concat(), CommMode::Full)
        .expect("the counter is low");
    assert_eq!(sent[..], data_of("90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200"));

    let mut random_uid = ev2("7951A705F47F3C29B596454DC1490383", "FE4EDBF46536557E304682F33E63A84F", "D779B1D0", 0);
    let sent = random_uid.command(0x5C, &[0], &[2], CommMode::Full).expect("the counter is low");
    assert_eq!(sent[..], data_of("905C000019008EA0138A7AF6FC8E99DF2A3A305602C43A7A3C9228C3134A00"));
    assert!(random_uid.response(Zeroizing::new(hex("86044208CAD1676A")), CommMode::Mac).is_ok());

    let mut lrp = ev2("66A8CB93269DC9BC2885B7A91B9C697B", "7DE5F7E244A46D22E536804D07E8D70E", "ED56F6E6", 0);
    let sent = lrp.command(0x5C, &[5], &hex("00000000020000000000"), CommMode::Full).expect("the counter is low");
    assert_eq!(sent[..], data_of("905C0000190541B2BA963075730426D0858D2AA6C4982F579E77FAB49F8300"));
}

#[test]
fn transaction_keys() {
    assert_eq!(TRANSACTION_KEYS.len(), 4);
    for known in TRANSACTION_KEYS {
        let uid = hex(known.uid).try_into().expect("7 bytes");
        let [mac, enc] = transaction_key_bytes(&Key::aes(sixteen(known.key), 0), &uid, known.counter_before + 1).expect("an AES key");
        assert_eq!(if known.is_mac { mac } else { enc }[..], hex(known.expected), "{known:?}");
    }
}

const NDEF: &str = "\
    0051D1014D550463686F6F73652E75726C2E636F6D2F6E7461673432343F653D30303030303030303030303030303030303030303030303030303030\
    3030303026633D3030303030303030303030303030303000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000080000000000000000000000000000000";
const NDEF_ENCRYPTED: &str = "\
    421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BFE596C706BC00F2176781D4B0242642A0FF5A42C461AAF894D9A1284B\
    8C76BCFA658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B407C9D651A3315B27373772E5DA2367D2064AE054AF996C6F1F669170F\
    A88CE8C4E3A4A7BBBEF0FD971FF532C3A802AF745660F2B4";
