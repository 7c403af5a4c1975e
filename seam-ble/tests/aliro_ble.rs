//! Aliro over Bluetooth between both roles, in memory: the advertisement, the frames, the transaction, and the messages that are encrypted by keys of
//! their own. Tests name the line of the checklist that they are for.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use seam_ble::aliro::ble::advert::{Address, Advertisement, NO_CLOCK, SERVICE_DATA};
use seam_ble::aliro::ble::message::{HEADER, Inbox, Message, Protocol, access_protocol};
use seam_ble::aliro::ble::notification::{BoltState, Notification, Reporting};
use seam_ble::aliro::channel::Channel;
use seam_ble::aliro::device::{Device, Trust};
use seam_ble::aliro::reader::{Auth0Outcome, Reader, StandardOutcome, StoredPhone};
use seam_ble::aliro::{AliroError, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::{CryptoError, Secret, SigningKey};
use support::{Backend, Phone, proprietary, reader_id, reader_random, written};

/// As the lock's characteristic has them.
const VERSIONS: [u8; 2] = [1, 0];

const DONE: Notification = Notification::Completed { reporting: Reporting::Never, state: BoltState::Unsecured };

fn framed(message: Message<'_>) -> Vec<u8> {
    written(|out| Ok(message.write(out)?)).1
}

/// A message after it went over a channel that delivers twenty bytes at a time.
fn delivered(message: &[u8]) -> Vec<u8> {
    let mut inbox = Inbox::<1024>::new();
    let mut whole = None;
    for piece in message.chunks(20) {
        assert!(whole.is_none());
        inbox.push(piece).unwrap();
        whole = inbox.next().unwrap().map(|message| message.to_vec());
    }
    whole.unwrap()
}

fn ask<B: Backend>(phone: &mut Phone<'_, B>, command: &[u8]) -> Vec<u8> {
    let request = delivered(&framed(Message::request(command)));
    let command = Message::parse(&request).unwrap().expect(Protocol::AccessProtocol, access_protocol::REQUEST).unwrap();
    let answer = phone.send(command).1;
    let response = delivered(&framed(Message::response(&answer)));
    Message::parse(&response).unwrap().expect(Protocol::AccessProtocol, access_protocol::RESPONSE).unwrap().to_vec()
}

/// The standard phase over frames, begun by the phone.
fn meet<'a, B: Backend>(crypto: &'a B, key: &'a B::Key) -> (StandardOutcome<'a, B>, Phone<'a, B>) {
    let mut phone = Phone::new(Device::ble(crypto, proprietary()), reader_id(), Trust::Key(key.public_key()));
    let hello = Notification::Initiate { proprietary: proprietary(), pressed: true }.send(|message| Ok(framed(message))).unwrap();
    let hello = delivered(&hello);
    let Ok(Notification::Initiate { proprietary, pressed: true }) = Notification::parse(&Message::parse(&hello).unwrap()) else { panic!() };
    let state = Reader::new(crypto, reader_id(), key).ble(proprietary).unwrap();
    let (state, command) = written(|out| state.auth0(&reader_random(1), false, out));
    let none: [&StoredPhone; 0] = [];
    let Ok(Auth0Outcome::Standard(unproven)) = state.on_response(&ask(&mut phone, &command), none) else { panic!() };
    let (state, command) = written(|out| unproven.auth1(out));
    let outcome = state.on_response(&mut ask(&mut phone, &command), |_| None).unwrap();
    (outcome, phone)
}

fn sealed<B: Backend>(crypto: &B, channel: &mut Channel) -> Vec<u8> {
    DONE.send(|message| Ok(written(|out| message.write_sealed(channel, crypto, out)).1)).unwrap()
}

fn a_lock_and_a_phone_meet_over_frames<B: Backend>() {
    let (crypto, key) = (B::default(), B::key([0x33; 32]));
    let (outcome, mut phone) = meet(&crypto, &key);
    assert_eq!(outcome.credential, phone.wallet.key.public_key());
    let (_, select) = written(|out| Reader::new(&crypto, reader_id(), &key).select(out));
    assert_eq!(phone.send(&select).0, Err(AliroError::OutOfOrder), "there is no SELECT over Bluetooth");

    let mut lock = outcome.session.ble_channel(&VERSIONS, Version::V1_0).unwrap();
    let mut app = phone.device.ble_channel(&VERSIONS, Version::V1_0).unwrap();
    for _ in 0..2 {
        let mut message = delivered(&sealed(&crypto, &mut lock));
        assert_eq!(Notification::parse(&Message::open(&mut message, &mut app, &crypto).unwrap()), Ok(DONE));
        let mut message = delivered(&sealed(&crypto, &mut app));
        assert_eq!(Notification::parse(&Message::open(&mut message, &mut lock, &crypto).unwrap()), Ok(DONE));
    }
    let mut space = [0; 64];
    let command = Message::request(&[1]).write_sealed(&mut lock, &crypto, &mut Writer::new(&mut space));
    assert_eq!(command, Err(AliroError::OutOfOrder), "commands have their own encryption");
    assert!(lock.is_open());
}

/// Line 10: whatever is changed of an encrypted message, its header too; cut, it is refused although the length says so.
fn line_10_every_bit_of_an_encrypted_message_counts<B: Backend>() {
    let (crypto, key) = (B::default(), B::key([0x33; 32]));
    let (outcome, phone) = meet(&crypto, &key);
    let channels = || {
        let lock = outcome.session.ble_channel(&VERSIONS, Version::V1_0).unwrap();
        (lock, phone.device.ble_channel(&VERSIONS, Version::V1_0).unwrap())
    };
    let good = sealed(&crypto, &mut channels().0);
    let refused = |message: &[u8]| {
        let mut app = channels().1;
        let error = Message::open(&mut message.to_vec(), &mut app, &crypto).map(|_| ()).unwrap_err();
        assert_eq!(app.is_open(), !matches!(error, AliroError::Crypto(_)), "{error:?}");
        error
    };
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        refused(&changed);
    }
    let mut other_id = good.clone();
    other_id[1] = 2;
    assert_eq!(refused(&other_id), AliroError::Crypto(CryptoError::Tag), "another notification");
    for cut in HEADER..good.len() {
        let mut short = good[..cut].to_vec();
        short[3] = u8::try_from(cut - HEADER).unwrap();
        refused(&short);
    }
    // Once, in order, in its direction; and with the versions that the lock offered.
    let (mut lock, mut app) = channels();
    let first = sealed(&crypto, &mut lock);
    assert!(Message::open(&mut first.clone(), &mut app, &crypto).is_ok());
    assert!(Message::open(&mut first.clone(), &mut app, &crypto).is_err(), "again");
    assert!(Message::open(&mut first.clone(), &mut channels().0, &crypto).is_err(), "back to its sender");
    let mut downgraded = phone.device.ble_channel(&[0, 9, 1, 0], Version::V1_0).unwrap();
    assert!(Message::open(&mut first.clone(), &mut downgraded, &crypto).is_err(), "another offer");
}

fn an_advertisement_is_told_by_those_of_its_group_only<B: Backend>() {
    let (crypto, key, address) = (B::default(), Secret::new([8; 16]), Address([1, 2, 3, 4, 5, 6]));
    let group = reader_id().group().to_owned();
    for expiry in [NO_CLOCK, 1_000] {
        let (_, bytes) = written(|out| Ok(Advertisement::new(&crypto, &reader_id(), &key, address, expiry, -4).write_whole(out)?));
        assert_eq!(bytes[..7], [2, 1, 6, 27, 0x16, 0xF2, 0xFF]);
        let heard = Advertisement::parse(&bytes[7..]).unwrap();
        let is_of = |group: &[u8; 16], key: &Secret<16>, address: Address, now: Option<u32>| heard.is_of(&crypto, group, key, address, now);
        assert!(is_of(&group, &key, address, Some(1_000)) && is_of(&group, &key, address, None));
        assert_eq!(is_of(&group, &key, address, Some(1_001)), expiry == NO_CLOCK);
        assert!(!is_of(&[9; 16], &key, address, None), "another group");
        assert!(!is_of(&group, &Secret::new([9; 16]), address, None), "another key");
        assert!(!is_of(&group, &key, Address([1, 2, 3, 4, 5, 7]), None), "played again from another address");
        for byte in 10..SERVICE_DATA {
            let mut changed = bytes[7..].to_vec();
            changed[byte] ^= 1;
            let changed = Advertisement::parse(&changed).unwrap();
            // Of the reader's own two bytes nothing depends; the last one before the tag is for later use.
            let free = (10..12).contains(&byte) || byte == 16;
            assert_eq!(changed.is_of(&crypto, &group, &key, address, None), free, "byte {byte}");
        }
        assert_eq!(Advertisement::parse(&bytes[8..]), Err(AliroError::Short));
    }
}

on_each_backend!(
    a_lock_and_a_phone_meet_over_frames,
    line_10_every_bit_of_an_encrypted_message_counts,
    an_advertisement_is_told_by_those_of_its_group_only,
);
