//! The driver against what application notes and real tags say, byte for byte.
//!
//! Sources: NXP AN12196 (sections named at each), AN12321, AN12343, and recordings of real tags in the tests of the crate `ntag424` 0.1.1 (there
//! also from nfc-ev2-crypto) and of proxmark3 (`desfiretest.c` at 1c8c3b78).
use super::settings::{Access, CommMode, FileSettings, KeyNo, Rights};
use super::{File, Session, Suite};
use crate::crypto::lrp::Lrp;
use crate::crypto::{BlockCipher, Vector};
use crate::desfire::ev2::{Ev2, SessionKeys};
use crate::dialogue::Dialogue;
use crate::error::CardError;
use crate::keys::{Key, KeyType};
use hex_literal::hex;
use zeroize::Zeroizing;

fn aes(encryption: [u8; 16], mac: [u8; 16], ti: [u8; 4], counter: u16) -> Ev2 {
    Ev2::new(SessionKeys::new(&encryption, &mac), ti, counter)
}

/// What these keys make of a command with data: the data encrypted, and the MAC.
fn secured(keys: SessionKeys) -> Vec<u8> {
    Ev2::new(keys, [0; 4], 0).command(1, &[], b"a message", CommMode::Full).unwrap().to_vec()
}

/// Runs one use of a session against one recorded answer; what was sent, and how it ended.
fn once<T: 'static, F>(
    channel: Ev2,
    suite: Suite,
    key_no: u8,
    answer: &[u8],
    using: impl FnOnce(Session) -> F,
) -> (Vec<u8>, Result<T, CardError>)
where
    F: Future<Output = Result<T, CardError>> + Send + 'static,
{
    let mut sent = Vec::new();
    let key_no = KeyNo::new(key_no).expect("a key of the card");
    let result = Dialogue::new(|card| using(Session::new(card, suite, key_no, channel))).run(|command| {
        assert!(sent.is_empty(), "one command was expected");
        sent = command.bytes().to_vec();
        Some(answer.to_vec())
    });
    (sent, result)
}

fn aes_key(bytes: [u8; 16], version: u8) -> Key {
    Key::aes(bytes, version)
}

/// AN12343 p. 33-34, and one made by proxmark3 with a key that is not zero.
#[test]
fn session_keys() {
    for (key, a, b, encryption, mac) in [
        (
            [0; 16],
            hex!("B04D0787C93EE0CC8CACC8E86F16C6FE"),
            hex!("FA659AD0DCA738DD65DC7DC38612AD81"),
            hex!("63DC07286289A7A6C0334CA31C314A04"),
            hex!("774F26743ECE6AF5033B6AE8522946F6"),
        ),
        (
            hex!("00112233445566778899AABBCCDDEEFF"),
            hex!("0123456789ABCDEF0123456789ABCDEF"),
            hex!("FEDCBA9876543210FEDCBA9876543210"),
            hex!("195428119C8528D59580A73C7C96C6A3"),
            hex!("0AF00F6E39F904C4A6388C812D53DC94"),
        ),
    ] {
        let derived = SessionKeys::derive(&BlockCipher::aes(&key), &a, &b);
        assert_eq!(secured(derived), secured(SessionKeys::new(&encryption, &mac)));
    }
}

/// AN12343 p. 49, and one made by proxmark3; AN12321 section 4 for the two updated keys.
#[test]
fn lrp_session_keys() {
    for (key, a, b, master) in [
        (
            [0; 16],
            hex!("74D7DF6A2CEC0B72B412DE0D2B1117E6"),
            hex!("56109A31977C855319CD4618C9D2AED2"),
            hex!("132D7E6F35BA861F39B37221214E25A5"),
        ),
        (
            hex!("00112233445566778899AABBCCDDEEFF"),
            hex!("0123456789ABCDEF0123456789ABCDEF"),
            hex!("FEDCBA9876543210FEDCBA9876543210"),
            hex!("1AC2B1021F6EF99E79B703B6B33F65E6"),
        ),
    ] {
        assert_eq!(secured(SessionKeys::derive_lrp(&key, &a, &b)), secured(SessionKeys::lrp(&master)));
    }
}

/// AN12343 p. 54: command and answer, twice in a row.
#[test]
fn macs_of_commands_and_answers() {
    let mut channel = aes([0; 16], hex!("9366FA195EB566F5BD2BAD4020B83002"), hex!("E2D3AF69"), 0);
    let written = hex!("0000000019000022222222222222222222222222222222222222222222222222");
    let answer = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    assert_eq!(channel.command(0x8d, &written, &[], CommMode::Mac).unwrap()[written.len()..], hex!("68F2C28C575A1628"));
    assert_eq!(channel.response(answer(&hex!("0820F68898C2A7F1")), CommMode::Mac), Ok(Zeroizing::default()));
    assert_eq!(channel.command(0xad, &hex!("00000000300000"), &[], CommMode::Mac).unwrap()[7..], hex!("0D9BE191D5960834"));
    let read = hex!("222222222222222222222222222222222222222222222222220000000000000000000000000000000000000000000000 A49A44222D926666");
    assert_eq!(channel.response(answer(&read), CommMode::Mac), Ok(answer(&read[..48])));
    let again = channel.response(answer(&read), CommMode::Mac);
    assert_eq!(again, Err(CardError::Integrity("the MAC of the answer")), "the same answer again");
}

/// AN12196 section 5.15: a second authentication gives keys of its own.
#[test]
fn keys_of_a_second_authentication() {
    let mut b = hex!("A6A2B3C572D06C097BB8DB70463E22DC");
    BlockCipher::aes(&[0; 16]).decrypt_cbc(&mut crate::crypto::Vector::default(), &mut b).unwrap();
    let derived = SessionKeys::derive(&BlockCipher::aes(&[0; 16]), &hex!("60BE759EDA560250AC57CDDC11743CF6"), &b);
    let known = SessionKeys::new(&hex!("4CF3CB41A22583A61E89B158D252FC53"), &hex!("5529860B2FC5FB6154B7F28361D30BF9"));
    assert_eq!(secured(derived), secured(known));
}

/// AN12321 (the vector of counter 0) and proxmark3 (of counter 5): encrypting zeros in CBC shows the vector's own encryption.
#[test]
fn vectors_of_encryption() {
    for (key, ti, counter, vector) in [
        (hex!("66A8CB93269DC9BC2885B7A91B9C697B"), hex!("ED56F6E6"), 0, hex!("DA0F644A4986275957CF1EC3AF4CCE53")),
        (hex!("445A8626B3338459321232FADF6ADE2B"), hex!("11223344"), 5, hex!("177494FCC4F1DAB2AFBE8FAE2057A9D2")),
    ] {
        let encrypted = aes(key, [0; 16], ti, counter).command(1, &[], &[0; 16], CommMode::Full).unwrap();
        assert_eq!(encrypted[..16], BlockCipher::aes(&key).encrypted_block(vector));
    }
}

/// AN12196 section 5.12.
#[test]
fn write_data_encrypted() {
    let channel = aes(hex!("7A93D6571E4B180FCA6AC90C9A7488D4"), hex!("FC4AF159B62E549B5812394CAB1918CC"), hex!("7614281A"), 0);
    let key3 = Access::Key(KeyNo::new(3).unwrap());
    let settings =
        FileSettings { mode: CommMode::Full, rights: Rights { read: key3, write: key3, read_write: key3, change: key3 }, sdm: None };
    let (sent, result) = once(channel, Suite::Aes, 3, &hex!("C26D236E4A7C046D 9100"), |mut session| async move {
        session.write(File::Proprietary, &settings, 0, &hex!("0102030405060708090A")).await
    });
    assert_eq!(sent, hex!("908D00001F030000000A00006B5E6804909962FC4E3FF5522CF0F8436C0C53315B9C73AA00"));
    assert_eq!(result, Ok(()));
}

/// AN12196 section 5.8.2: the NDEF file over nine blocks.
#[test]
fn nine_blocks() {
    let mut channel = aes(hex!("1309C877509E5A215007FF0ED19CA564"), [0; 16], hex!("9D00C4DF"), 0);
    let file = hex!(
        "0051D1014D550463686F6F73652E75726C2E636F6D2F6E7461673432343F653D3030303030303030303030303030303030303030303030303030303030303030"
        "26633D30303030303030303030303030303030000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "80000000000000000000000000000000"
    );
    let encrypted = hex!(
        "421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BFE596C706BC00F2176781D4B0242642A0FF5A42C461AAF894D9A1284B8C76BCFA"
        "658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B407C9D651A3315B27373772E5DA2367D2064AE054AF996C6F1F669170FA88CE8C4E3A4A7BB"
        "BEF0FD971FF532C3A802AF745660F2B4"
    );
    // The last block of the clear text there is the padding, 80 00 ..
    let (data, padding) = file.split_at(128);
    assert_eq!(padding, hex!("80000000000000000000000000000000"));
    assert_eq!(channel.command(0x8d, &[], data, CommMode::Full).unwrap()[..encrypted.len()], encrypted);
}

/// AN12196 section 5.16.1, table 25.
#[test]
fn change_another_key() {
    let channel = || aes(hex!("4CF3CB41A22583A61E89B158D252FC53"), hex!("5529860B2FC5FB6154B7F28361D30BF9"), hex!("7614281A"), 2);
    let change = |answer: &[u8]| {
        once(channel(), Suite::Aes, 0, answer, |mut session| async move {
            let new = aes_key(hex!("F3847D627727ED3BC9C4CC050489B966"), 1);
            session.change_key(KeyNo::new(2)?, &Key::zero(KeyType::Aes128), &new).await
        })
    };
    let (sent, result) = change(&hex!("203BB55D1089D587 9100"));
    assert_eq!(sent, hex!("90C4000029022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E600"));
    assert_eq!(result, Ok(()));
    assert_eq!(change(&hex!("213BB55D1089D587 9100")).1, Err(CardError::Integrity("the MAC of the answer")));
    assert_eq!(change(&hex!("9100")).1, Err(CardError::Integrity("the answer has no MAC")));
}

/// AN12196 section 5.16.2, table 26: the answer has no MAC.
#[test]
fn change_the_own_key() {
    let channel = aes(hex!("4CF3CB41A22583A61E89B158D252FC53"), hex!("5529860B2FC5FB6154B7F28361D30BF9"), hex!("7614281A"), 3);
    let (sent, result) = once(channel, Suite::Aes, 0, &hex!("9100"), |session| async move {
        session.change_master(&aes_key(hex!("5004BF991F408672B1EF00F08F9E8647"), 1)).await.map(drop)
    });
    assert_eq!(sent, hex!("90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200"));
    assert_eq!(result, Ok(()));
}

/// AN12196 section 6.2, table 27, and AN12321 table 3.
#[test]
fn configurations_that_stay_for_ever() {
    let channel = aes(hex!("7951A705F47F3C29B596454DC1490383"), hex!("FE4EDBF46536557E304682F33E63A84F"), hex!("D779B1D0"), 0);
    let (sent, result) =
        once(channel, Suite::Aes, 0, &hex!("86044208CAD1676A 9100"), |mut session| async move { session.hide_uid().await });
    assert_eq!((sent.as_slice(), result), (&hex!("905C000019008EA0138A7AF6FC8E99DF2A3A305602C43A7A3C9228C3134A00")[..], Ok(())));
    let channel = aes(hex!("66A8CB93269DC9BC2885B7A91B9C697B"), hex!("7DE5F7E244A46D22E536804D07E8D70E"), hex!("ED56F6E6"), 0);
    let (sent, result) = once(channel, Suite::Aes, 0, &hex!("9100"), |session| async move { session.switch_to_lrp().await.map(drop) });
    assert_eq!((sent.as_slice(), result), (&hex!("905C0000190541B2BA963075730426D0858D2AA6C4982F579E77FAB49F8300")[..], Ok(())));
}

/// What lies between question and session in the first authentications of AN12196 sections 5.6 and 5.10 and of a tag recorded by the crate ntag424
/// 0.1.1: the card's proof in the clear begins with the transaction, and then our number turned by a byte.
#[test]
fn proofs_of_first_authentications_in_the_clear() {
    for (proof, transaction, turned) in [
        (
            hex!("0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A"),
            hex!("7614281A"),
            hex!("8F4C50CF1C2E084FD150E33992B048B9"),
        ),
        (
            hex!("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663"),
            hex!("9D00C4DF"),
            hex!("C5DB8A5930439FC3DEF9A4C675360F13"),
        ),
        (
            hex!("94A3D20D1035D7FF691B611360578F7765EC56EC456739A4533FDBA50F9CDFBB"),
            hex!("704B5F99"),
            hex!("F7C97067CC7C6B0C373F15028021EEA5"),
        ),
    ] {
        let mut clear = proof;
        BlockCipher::aes(&[0; 16]).decrypt_cbc(&mut Vector::ZERO.clone(), &mut clear).unwrap();
        assert_eq!((&clear[..4], &clear[4..20]), (&transaction[..], &turned[..]));
    }
}

/// AN12321 section 4, table 2, step by step: the vector of the session, its master key, the two updated keys, and the card's answer in the clear.
#[test]
fn the_lrp_authentication_of_the_application_note_in_the_clear() {
    let vector = hex!("0001008074D7897AB6DD9C0E855319CD4618C9D2AED2B412DE0D2B1117E69669");
    let master = hex!("132D7E6F35BA861F39B37221214E25A5");
    assert_eq!(Lrp::for_mac(&[0; 16]).cmac(&vector), master);
    assert_eq!(Lrp::for_mac(&master).evaluate([], false), hex!("F56CADE598CC2A3FE47E438CFEB885DB"));
    assert_eq!(Lrp::for_encryption(&master).evaluate([], false), hex!("E9043D65AB21C0C422781099AB25EFDD"));
    let mut answer = hex!("F4FC209D9D60623588B299FA5D6B2D71");
    Lrp::for_encryption(&master).decrypt_blocks(&mut [0; 4], &mut answer);
    assert_eq!(answer, hex!("58EE9424020000000000020000000000"));
}

/// Three commands in a row of a real tag with LRP (nfc-ev2-crypto `test_lrp_cmd`): the count of blocks goes on over them.
#[test]
fn the_number_of_a_tag_with_lrp_three_times() {
    let master = hex!("0856D337F42AE40EFF294C4326D9C1F1");
    for (counter, sent_mac, answer) in [
        (0, hex!("C37D6270F674CC6D"), hex!("5EC351196B8E2943DB04FCD4A952F53D A2830DC2258E4539 9100")),
        (1, hex!("D65CCB81E5591400"), hex!("D80B735F7B4C8E7E8A3CDAAA4410F35F 752769C8EBC48E1A 9100")),
        (2, hex!("8C677D7DCC349371"), hex!("9CCD031474A50199C696D8EF272E231A 10173FAF41B614E4 9100")),
    ] {
        let mut clear: [u8; 16] = answer[..16].try_into().unwrap();
        Lrp::for_encryption(&master).decrypt_blocks(&mut (u32::from(counter) + 1).to_be_bytes(), &mut clear);
        assert_eq!(clear, hex!("04940D2A2F7080800000000000000000"));
        let at = |counter: u16, blocks: u32| Ev2::new(SessionKeys::lrp(&master).after(blocks), hex!("4F5E8407"), counter);
        let channel = || at(counter, u32::from(counter) + 1);
        let (sent, uid) = once(channel(), Suite::Lrp, 0, &answer, |mut session| async move { session.uid().await });
        assert_eq!(sent, [&hex!("9051000008")[..], &sent_mac, &[0]].concat());
        assert_eq!(uid, Ok(hex!("04940D2A2F7080")));
        let late = at(counter + 1, u32::from(counter) + 1);
        let (_, replayed) = once(late, Suite::Lrp, 0, &answer, |mut session| async move { session.uid().await });
        assert_eq!(replayed, Err(CardError::Integrity("the MAC of the answer")));
    }
}
