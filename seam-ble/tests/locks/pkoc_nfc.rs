//! PKOC over NFC: every command in every state, every bit, and what a card refuses.
use crate::support::{flipped, hex, key, public, written};
use seam_ble::apdu::{Command, Response, Status};
use seam_ble::crypto::CryptoError;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::pkoc::PkocError;
use seam_ble::pkoc::nfc::{self, Card};
use seam_ble::tlv::TlvError;

const TRANSACTION: [u8; 16] = [0x4C; 16];
const READER: [u8; 32] = [0x4D; 32];
const OFFERED: &str = "5c0201009000";

fn ask(card: &mut Card<SoftwareKey>, command: &[u8]) -> (Vec<u8>, Status) {
    let (answer, ()) = written(|out| card.answer(command, out)).unwrap();
    let response = Response::parse(&answer).unwrap();
    (answer.clone(), response.status)
}

fn authenticate() -> (Vec<u8>, nfc::Authenticating) {
    let (_, selecting) = written(nfc::select).unwrap();
    written(|out| selecting.authenticate(&hex(OFFERED), TRANSACTION, &READER, out)).unwrap()
}

#[test]
fn a_card_is_read() {
    let mut card = Card::new(key(0x66));
    let (sent, selecting) = written(nfc::select).unwrap();
    let (answer, _) = ask(&mut card, &sent);
    let (sent, state) = written(|out| selecting.authenticate(&answer, TRANSACTION, &READER, out)).unwrap();
    let (answer, _) = ask(&mut card, &sent);
    assert_eq!(state.finish(&RustCrypto, &answer).unwrap(), public(0x66));
}

#[test]
fn n19_every_command_in_every_state_of_a_card() {
    let (authenticate, _) = authenticate();
    let commands: [(&[u8], Status, Status); 8] = [
        // The command, the answer before and the answer after SELECT.
        (&nfc::SELECT, Status::OK, Status::OK),
        (&authenticate, Status::CONDITIONS, Status::OK),
        (&[0x00, 0xA4, 0x04, 0x00, 1, 0xA0, 0x00], Status::NOT_FOUND, Status::NOT_FOUND),
        (&[0x00, 0xA4, 0x00, 0x00, 1, 0xA0, 0x00], Status::WRONG_P1_P2, Status::WRONG_P1_P2),
        (&[0x80, 0x80, 0x00, 0x00], Status::WRONG_P1_P2, Status::WRONG_P1_P2),
        (&[0x80, 0x81, 0x00, 0x01], Status::INSTRUCTION, Status::INSTRUCTION),
        (&[0xFF, 0x80, 0x00, 0x01], Status::CLASS, Status::CLASS),
        (&[0x80, 0x80], Status::WRONG_LENGTH, Status::WRONG_LENGTH),
    ];
    for (command, before, after) in commands {
        let mut card = Card::new(key(0x66));
        assert_eq!(ask(&mut card, command).1, before, "{command:02x?}");
        let mut card = Card::new(key(0x66));
        ask(&mut card, &nfc::SELECT);
        assert_eq!(ask(&mut card, command).1, after, "{command:02x?}");
        // Whatever it was but SELECT, the selection is used up.
        let expected = if command == nfc::SELECT { Status::OK } else { Status::CONDITIONS };
        assert_eq!(ask(&mut card, &authenticate).1, expected, "after {command:02x?}");
    }
    let mut card = Card::new(key(0x66));
    ask(&mut card, &nfc::SELECT);
    card.deselect();
    assert_eq!(ask(&mut card, &authenticate).1, Status::CONDITIONS, "the field went away");
}

#[test]
fn a_card_signs_nothing_but_the_three_fields() {
    let good: [(u8, &[u8]); 3] = [(0x5C, &[1, 0]), (0x4C, &TRANSACTION), (0x4D, &READER)];
    let send = |fields: &[(u8, &[u8])]| {
        let data: Vec<u8> = fields.iter().flat_map(|(tag, value)| [&[*tag, u8::try_from(value.len()).unwrap()], *value].concat()).collect();
        let (command, ()) = written(|out| Command::new(0x80, 0x80, 0, 1, &data).write(out)).unwrap();
        let mut card = Card::new(key(0x66));
        ask(&mut card, &nfc::SELECT);
        ask(&mut card, &command).1
    };
    assert_eq!(send(&good), Status::OK);
    for index in 0..3 {
        let mut less = good.to_vec();
        less.remove(index);
        assert_eq!(send(&less), Status::WRONG_DATA);
        let mut short = good.to_vec();
        short[index].1 = &short[index].1[1..];
        assert_eq!(send(&short), Status::WRONG_DATA);
    }
    assert_eq!(send(&[good[0], good[1], good[2], (0x01, &[])]), Status::WRONG_DATA);
    assert_eq!(send(&[(0x5C, &[2, 0]), good[1], good[2]]), Status::WRONG_DATA);
}

#[test]
fn every_bit_of_the_cards_answer_counts() {
    let mut card = Card::new(key(0x66));
    ask(&mut card, &nfc::SELECT);
    let (command, _) = authenticate();
    let (answer, _) = ask(&mut card, &command);
    for bit in 0..answer.len() * 8 {
        let refused = authenticate().1.finish(&RustCrypto, &flipped(&answer, bit));
        assert!(refused.is_err(), "bit {bit}");
    }
    // The transaction number is what is signed: each bit of it counts, and nothing else of the command does.
    for bit in 0..128 {
        let (_, selecting) = written(nfc::select).unwrap();
        let other = flipped(&TRANSACTION, bit).try_into().unwrap();
        let (_, state) = written(|out| selecting.authenticate(&hex(OFFERED), other, &READER, out)).unwrap();
        assert_eq!(state.finish(&RustCrypto, &answer).unwrap_err(), PkocError::Crypto(CryptoError::Signature));
    }
}

#[test]
fn a_reader_goes_on_only_with_a_card_that_offers_version_1() {
    let offer = |answer: &str| {
        let (_, selecting) = written(nfc::select).unwrap();
        written(|out| selecting.authenticate(&hex(answer), TRANSACTION, &READER, out)).map(|_| ()).unwrap_err()
    };
    assert_eq!(offer("9000"), PkocError::Tlv(TlvError::Missing(0x5C)), "another kind of card");
    assert_eq!(offer("5c0202009000"), PkocError::Tlv(TlvError::Missing(0x5C)));
    assert_eq!(offer("5c0201006a82"), PkocError::Nfc(Status::NOT_FOUND));
    assert_eq!(offer("90"), PkocError::Nfc(Status::WRONG_LENGTH));
    let (_, selecting) = written(nfc::select).unwrap();
    let more = written(|out| selecting.authenticate(&hex("5c04020001005301009000"), TRANSACTION, &READER, out));
    assert!(more.is_ok(), "versions and objects beside");
}
