//! What public sources leave open: the answer that is followed, as bytes. An answer from the specification's text turns one of these red.
#![cfg(feature = "rustcrypto")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use seam_ble::aliro::access_data::AccessData;
use seam_ble::aliro::ble::advert::{Address, Advertisement};
use seam_ble::aliro::ble::message::{Message, Protocol};
use seam_ble::aliro::ble::notification::Notification;
use seam_ble::aliro::channel::{Channel, Side};
use seam_ble::aliro::command::{Command, ControlFlow};
use seam_ble::aliro::document::{DocType, Iterations};
use seam_ble::aliro::keys::{self, ChannelKeys, Transcript};
use seam_ble::aliro::reader::Reader;
use seam_ble::aliro::revocation::RevocationData;
use seam_ble::aliro::step_up::Wanted;
use seam_ble::aliro::{AliroError, DocumentError, Interface, Proprietary, TransactionId, Version};
use seam_ble::bytes::{Bytes, Writer};
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
fn ble_proprietary_with_tag() {
    let proprietary = Proprietary::new(&[Version::V1_0], None, None).unwrap();
    let initiate = Notification::Initiate { proprietary, pressed: false };
    let payloads = [&[0, 10, 0xA5, 8, 0x80, 2, 0, 0, 0x5C, 2, 1, 0][..], &[0, 8, 0x80, 2, 0, 0, 0x5C, 2, 1, 0]];
    for payload in payloads {
        assert_eq!(Notification::parse(&Message { protocol: Protocol::Notification, id: 5, payload }), Ok(initiate.clone()));
    }
    let first = |message: Message<'_>| {
        assert_eq!(message.payload, payloads[0]);
        Ok(())
    };
    initiate.send(first).unwrap();
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
fn step_up_in_session_data() {
    let (key, mut phone) = support::pair(&RustCrypto);
    let outcome =
        support::transact(Reader::new(&RustCrypto, support::reader_id(), &key), &mut phone, None, 1, |_, _| {}).unwrap().standard();
    let wanted = [Wanted { kind: DocType::Access, element: "a", retain: false }];
    let (_, command) = support::written(|out| outcome.session.step_up().unwrap().unwrap().request(&wanted, out));
    // 53, its length, a map of one, the text "data", and a byte string.
    let data = seam_ble::apdu::Command::parse(&command).unwrap().data;
    assert_eq!((data[0], usize::from(data[1])), (0x53, data.len() - 2));
    assert_eq!(data[2..8], [0xA1, 0x64, b'd', b'a', b't', b'a']);
    assert_eq!((data[8], usize::from(data[9])), (0x58, data.len() - 10));
}

#[test]
fn vendor_tlvs_in_info() {
    let (_, reader_ephemeral) = RustCrypto.agreement_key(&Secret::new([1; 32])).unwrap();
    let (_, device_ephemeral) = RustCrypto.agreement_key(&Secret::new([2; 32])).unwrap();
    let vendor = [0xB1, 1, 0x11, 0xB2, 2, 0x22, 0x23];
    let transcript = Transcript {
        interface: Interface::Nfc,
        version: Version::V1_0,
        reader: support::reader_id(),
        reader_key_x: [6; 32],
        transaction: TransactionId([7; 16]),
        reader_ephemeral,
        device_ephemeral,
        flags: [0, 1],
        proprietary: support::proprietary(),
        vendor: Bytes::from_slice(&vendor).unwrap(),
    };
    let derived = keys::persistent(&RustCrypto, &Secret::new([9; 32]), &transcript, &reader_ephemeral).unwrap();
    let salt = transcript.salt(b"Persistent**", Some(&reader_ephemeral)).unwrap();
    let mut expected = [0; 32];
    RustCrypto.hkdf(&[9; 32], &salt, &[device_ephemeral.x(), &vendor], &mut expected).unwrap();
    assert_eq!(derived.expose(), &expected, "the device's key, then B1 and B2 with their tags");
}

#[test]
fn counter_limit() {
    let mut channel = Channel::new(Side::Reader, ChannelKeys { reader: Secret::new([1; 32]), device: Secret::new([2; 32]) });
    *channel.counters_mut().unwrap()[0] = 0xFFFE;
    assert!(channel.seal(&RustCrypto, &[], &mut [7]).is_ok());
    assert_eq!(channel.seal(&RustCrypto, &[], &mut [7]), Err(AliroError::ChannelClosed));
}

#[test]
fn step_up_salt_and_advertised_flag() {
    let keys = ChannelKeys::step_up(&RustCrypto, &Secret::new([1; 32])).unwrap();
    let mut zeros = [0; 32];
    RustCrypto.hkdf(&[1; 32], &[0; 32], &[b"SKReader"], &mut zeros).unwrap();
    assert_eq!(keys.reader.expose(), &zeros, "an empty salt is one of zeros");
    let mut space = [0; 24];
    let advertised = Advertisement::new(&RustCrypto, &support::reader_id(), &Secret::new([1; 16]), Address([2; 6]), 3, -4);
    advertised.write(&mut Writer::new(&mut space)).unwrap();
    assert_eq!(space[..2], [0x40, 0xFC], "without UWB, and the power in dBm");
}
