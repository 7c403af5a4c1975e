//! What public sources leave open: the answer that is followed, as bytes. An answer from the specification's text turns one of these red.
#![cfg(feature = "rustcrypto")]

use seam_ble::aliro::access_data::AccessData;
use seam_ble::aliro::ble::message::{Message, Protocol};
use seam_ble::aliro::ble::notification::Notification;
use seam_ble::aliro::channel::{Channel, Side};
use seam_ble::aliro::command::{Command, ControlFlow};
use seam_ble::aliro::document::{DocType, Iterations};
use seam_ble::aliro::keys::ChannelKeys;
use seam_ble::aliro::revocation::RevocationData;
use seam_ble::aliro::{DocumentError, Proprietary, Version, unsettled};
use seam_ble::bytes::Writer;
use seam_ble::cbor::CborError;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Crypto, Secret};

#[test]
fn ble_device_nonce_prefix() {
    let keys = ChannelKeys { reader: Secret::new([1; 32]), device: Secret::new([2; 32]) };
    let tag = Channel::ble(Side::Device, keys).seal(&RustCrypto, &[], &mut [7]).unwrap();
    let nonce = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    assert_eq!(tag, RustCrypto.gcm_seal(&Secret::new([2; 32]), &nonce, &[], &mut [7]).unwrap());
}

#[test]
fn le_byte() {
    let mut space = [0; 64];
    for (command, last) in [(Command::Exchange(&[7]), Some(256)), (Command::ControlFlow(ControlFlow::FAILURE), None)] {
        let mut out = Writer::new(&mut space);
        command.write(&mut out).unwrap();
        assert_eq!(seam_ble::apdu::Command::parse(out.as_slice()).unwrap().le, last);
    }
    assert_eq!(Command::parse(&[0x80, 0xC9, 0, 0, 1, 7]), Ok(Command::Exchange(&[7])), "without one too");
}

#[test]
fn ble_keys_salted_with_versions() {
    let derive =
        |supported: &[u8], selected| *ChannelKeys::ble(&RustCrypto, &Secret::new([1; 32]), supported, selected).unwrap().reader.expose();
    assert_ne!(derive(&[1, 0], Version::V1_0), derive(&[1, 0, 0, 9], Version::V1_0));
    assert_ne!(derive(&[1, 0], Version::V1_0), derive(&[1, 0], Version(9)));
}

#[test]
fn ble_proprietary_without_tag() {
    let payload = [0, 8, 0x80, 2, 0, 0, 0x5C, 2, 1, 0];
    let parsed = Notification::parse(&Message { protocol: Protocol::Notification, id: 5, payload: &payload });
    let proprietary = Proprietary::new(&[Version::V1_0], None, None).unwrap();
    assert_eq!(parsed, Ok(Notification::Initiate { proprietary, pressed: false }));
}

#[test]
fn schedule_times_untagged_and_recurrence_as_array() {
    let plain = [0xA2, 0, 1, 3, 0x81, 0xA3, 0, 0x18, 100, 2, 0x85, 0x18, 60, 1, 2, 1, 0, 3, 1];
    let read = AccessData::parse(&plain, &[]).unwrap();
    assert_eq!((read.schedules[0].start, read.schedules[0].recurrence.unwrap().duration), (100, 60));
    let tagged = [0xA2, 0, 1, 3, 0x81, 0xA2, 0, 0xC1, 0x18, 100, 3, 1];
    assert_eq!(AccessData::parse(&tagged, &[]).map(|_| ()), Err(DocumentError::Cbor(CborError::Type)));
    let eleven = [&[0xA2, 0, 1, 3, 0x81, 0xA3, 0, 0x18, 100, 2, 0x4B][..], &[0; 11], &[3, 1]].concat();
    assert_eq!(AccessData::parse(&eleven, &[]).map(|_| ()), Err(DocumentError::Cbor(CborError::Type)));
}

#[test]
fn revocation_expiry_tagged() {
    let entry = |expiry: &[u8]| [&[0xA3, 0, 1, 1, 0, 2, 0x81, 0xA2, 1, 0x41, 7, 2][..], expiry].concat();
    assert!(RevocationData::parse(&entry(&[0xC1, 5])).is_ok());
    assert_eq!(RevocationData::parse(&entry(&[5])).map(|_| ()), Err(DocumentError::Cbor(CborError::Type)));
}

#[test]
fn access_iteration_lag() {
    let seen = Iterations { access: 10, revocation: 0 };
    assert!(seen.judge(DocType::Access, Some(3)).is_ok());
    assert_eq!(seen.judge(DocType::Access, Some(2)), Err(DocumentError::Iteration));
}

#[test]
fn an_extension_is_critical_when_its_bit_is_not_set() {
    let element = |criticality| [0xA2, 0, 1, 6, 0xA1, 5, 0x81, 0x84, criticality, 2, 1, 0x41, 9];
    assert_eq!(AccessData::parse(&element(0), &[]).map(|_| ()), Err(DocumentError::CriticalExtension));
    assert!(AccessData::parse(&element(1), &[]).is_ok());
    let understood = element(0);
    assert_eq!(AccessData::parse(&understood, &[(5, 2)]).unwrap().extension(5, 2).unwrap().data, [9]);
}

#[test]
fn step_up_salt_and_advertised_flag() {
    let keys = ChannelKeys::step_up(&RustCrypto, &Secret::new([1; 32])).unwrap();
    let mut zeros = [0; 32];
    RustCrypto.hkdf(&[1; 32], &[0; 32], &[b"SKReader"], &mut zeros).unwrap();
    assert_eq!(keys.reader.expose(), &zeros, "an empty salt is one of zeros");
    assert_eq!(unsettled::ADVERTISED_BLE_ONLY, 0x40);
}
