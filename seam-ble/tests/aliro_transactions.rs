//! Whole transactions between both roles, and the checklist of what must be refused. Tests name the line of the checklist that they are for.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use seam_ble::aliro::certificate::{self, Content};
use seam_ble::aliro::channel::{Channel, Side};
use seam_ble::aliro::command::{Auth0, Auth1, Command, ControlFlow};
use seam_ble::aliro::device::{Device, Event, Trust};
use seam_ble::aliro::document::{DocType, Iterations, documents};
use seam_ble::aliro::exchange::{MailboxRequest, ReaderStatus, Request};
use seam_ble::aliro::issue::Draft;
use seam_ble::aliro::keys::ChannelKeys;
use seam_ble::aliro::reader::{Auth0Outcome, Reader, StoredPhone, key_slot};
use seam_ble::aliro::response;
use seam_ble::aliro::step_up::{ReaderStepUp, Wanted};
use seam_ble::aliro::{AliroError, DocumentError, Instant, Interface, Policy, Proprietary, STEP_UP_AID, TransactionId, Version};
use seam_ble::crypto::{CryptoError, PublicKey, Secret, Signature, SigningKey};
use support::{Backend, Outcome, Phone, device_random, pair, proprietary, reader_id, reader_random, transact, written};

fn standard_then_fast_then_exchange<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key).with_policy(Policy::SecureAction);
    let outcome = transact(reader, &mut phone, None, 1, |_, _| {}).unwrap().standard();
    assert_eq!(outcome.credential, phone.wallet.key.public_key());
    let Some(Event::Proven(proven)) = phone.events.pop() else { panic!() };
    assert!(proven.persistent == outcome.persistent);

    let requests = [MailboxRequest::Write { offset: 3, data: b"door" }, MailboxRequest::Read { offset: 2, length: 6 }];
    let request = Request { mailbox: &requests, status: Some(ReaderStatus::UNSECURED), ..Request::default() };
    let (state, command) = written(|out| outcome.session.exchange(&request, out));
    let mut answer = phone.send(&command).1;
    let (session, answer) = state.on_response(&mut answer).unwrap();
    assert!(answer.pieces().eq([b"\0door\0"]));
    let (state, command) = written(|out| session.exchange(&Request::default(), out));
    assert!(state.on_response(&mut phone.send(&command).1).is_ok(), "counters go on together");

    phone.wallet.persistent = Some(proven.persistent);
    phone.random = device_random(0x23);
    let stranger = StoredPhone { credential: key.public_key(), persistent: Secret::new([1; 32]) };
    let known = StoredPhone { credential: outcome.credential, persistent: outcome.persistent };
    let Ok(Outcome::Fast(fast)) = transact(reader, &mut phone, Some(&[stranger, known]), 2, |_, _| {}) else { panic!("no fast phase") };
    assert_eq!((fast.index, fast.credential), (1, outcome.credential));
    assert!(fast.session.step_up().is_none());
    let (state, command) = written(|out| fast.session.exchange(&Request::default(), out));
    assert!(state.on_response(&mut phone.send(&command).1).is_ok());
    assert!(matches!(phone.events.last(), Some(Event::Exchanged { .. })));
}

fn a_certificate_proves_a_reader_of_the_group<B: Backend>() {
    let crypto = B::default();
    let (key, issuer) = (B::key([0x33; 32]), B::key([0x55; 32]));
    let certificate = certificate::issue(&crypto, &issuer, &Content { serial: &[0xF0, 2], ..Content::template(key.public_key()) }).unwrap();
    let reader = Reader::new(&crypto, reader_id(), &key).with_certificate(&certificate, issuer.public_key());
    let trust = Trust::Issuer(issuer.public_key());
    let mut phone = Phone::new(Device::nfc(&crypto, proprietary()), reader_id(), trust);
    phone.now = Instant::from_rfc3339(b"2026-11-22T12:00:00Z");
    transact(reader, &mut phone, None, 1, |_, _| {}).unwrap().standard();

    // Loaded ahead.
    let (state, command) = written(|out| reader.select(out));
    let state = state.on_response(&phone.send(&command).1).unwrap();
    let (state, command) = written(|out| state.auth0(&reader_random(2), false, out));
    let none: [&StoredPhone; 0] = [];
    let Ok(Auth0Outcome::Standard(unproven)) = state.on_response(&phone.send(&command).1, none) else { panic!() };
    let (state, command) = written(|out| unproven.load_certificate(out));
    let loaded = phone.send(&command).1;
    let (state, command) = written(|out| state.on_response(&loaded, out));
    assert!(state.on_response(&mut phone.send(&command).1, |_| None).is_ok());

    // Another issuer, an expired one, and none at all.
    phone.now = Instant::from_rfc3339(b"2050-01-01T00:00:00Z");
    assert!(transact(reader, &mut phone, None, 3, |_, _| {}).is_err());
    phone.now = None;
    phone.wallet.trust = Trust::Issuer(key.public_key());
    assert!(transact(reader, &mut phone, None, 4, |_, _| {}).is_err());
    phone.wallet.trust = trust;
    assert!(transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 5, |_, _| {}).is_err());
    for bit in 0..certificate.len() * 8 {
        let mut changed = certificate.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verified = certificate::Profile0000::parse(&changed).and_then(|read| read.verify(&crypto, &issuer.public_key(), None));
        assert!(verified.is_err(), "bit {bit}");
    }
}

fn a_key_slot_stands_for_a_key<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key).with_key_slots();
    let known = phone.wallet.key.public_key();
    for (keys, outcome) in [(vec![known], Ok(known)), (vec![key.public_key()], Err(AliroError::UnknownCredential))] {
        let (state, command) = written(|out| reader.select(out));
        let state = state.on_response(&phone.send(&command).1).unwrap();
        let (state, command) = written(|out| state.auth0(&reader_random(1), false, out));
        let none: [&StoredPhone; 0] = [];
        let Ok(Auth0Outcome::Standard(unproven)) = state.on_response(&phone.send(&command).1, none) else { panic!() };
        let (state, command) = written(|out| unproven.auth1(out));
        let find = |slot: &[u8; 8]| keys.iter().copied().find(|key| key_slot(&crypto, key) == *slot);
        assert_eq!(state.on_response(&mut phone.send(&command).1, find).map(|outcome| outcome.credential), outcome);
    }
}

fn documents_are_shown_and_believed<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let issuer = B::key([0x66; 32]);
    let credential = phone.wallet.key.public_key();
    let draft = Draft {
        credential: Some(&credential),
        element: "floor1",
        value: &[0xA1, 0x00, 0x01],
        random: [7; 16],
        signed: Instant(1_000),
        valid_from: Instant(2_000),
        valid_until: Instant(3_000),
        iteration: Some(9),
        time_required: true,
    };
    let (_, document) = written(|out| {
        draft.sign(&crypto, &issuer, out).unwrap();
        Ok(())
    });
    phone.wallet.document = Some((DocType::Access, "floor1".into(), document.clone()));
    let outcome = transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, |_, _| {}).unwrap().standard();
    let step_up = outcome.session.step_up().unwrap().unwrap();
    let ((), command) = written(|out| ReaderStepUp::<B>::select(out));
    ReaderStepUp::<B>::on_select(&phone.send(&command).1).unwrap();
    let wanted = [
        Wanted { kind: DocType::Access, element: "floor1", retain: true },
        Wanted { kind: DocType::Revocation, element: "x", retain: false },
    ];
    let (state, command) = written(|out| step_up.request(&wanted, out));
    let mut answer = phone.send(&command).1;
    let (_, response) = state.on_response(&mut answer).unwrap();
    let mut shown = documents(response).unwrap();
    let document_shown = shown.next().unwrap().unwrap();
    assert!(shown.next().unwrap().is_none());
    let verified = document_shown.verify(&crypto, &[key.public_key(), issuer.public_key()], &credential).unwrap();
    assert_eq!(
        (verified.valid_from, verified.valid_until, verified.iteration, verified.time_required),
        (Instant(2_000), Instant(3_000), Some(9), true)
    );
    assert_eq!(verified.element("floor1").unwrap().unwrap().value, [0xA1, 0x00, 0x01]);
    assert!(verified.element("floor2").unwrap().is_none());

    // Line 12: another issuer, another key; and no bit of it can be changed.
    let verify = |document: &seam_ble::aliro::document::Document<'_>, issuers: &[PublicKey], key: &PublicKey| {
        document.verify(&crypto, issuers, key).map(|_| ())
    };
    assert_eq!(verify(&document_shown, &[key.public_key()], &credential), Err(DocumentError::Issuer));
    assert_eq!(verify(&document_shown, &[issuer.public_key()], &key.public_key()), Err(DocumentError::DeviceKey));
    for bit in 0..document.len() * 8 {
        let mut changed = document.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let read = seam_ble::aliro::document::Document::parse(&changed);
        assert!(read.and_then(|read| verify(&read, &[issuer.public_key()], &credential)).is_err(), "bit {bit}");
    }
}

/// Every message of the standard and the fast phase, every bit: the transaction never succeeds.
fn any_flipped_bit_ends_the_transaction<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key);
    let mut lengths = Vec::new();
    transact(reader, &mut phone, None, 1, |_, bytes| lengths.push(bytes.len())).unwrap();
    assert_eq!(lengths.len(), 6);
    let mut survived = Vec::new();
    for (message, length) in lengths.into_iter().enumerate() {
        for bit in 0..length * 8 {
            let flip = |number, bytes: &mut Vec<u8>| {
                if number == message {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            };
            if transact(reader, &mut phone, None, 1, flip).is_ok() {
                survived.push((message, bit / 8));
            }
        }
    }
    // Le of a command is no part of what either side proves: any value of it is taken. And the y coordinates of the ephemeral keys have a
    // sign only: a changed one is no point, or the mirrored one, which agrees on the same key.
    let le = [(0, 14), (2, 5 + 0x81), (4, 5 + 0x45)];
    survived.retain(|place| !le.contains(place));
    assert_eq!(survived, []);
}

fn a_changed_cryptogram_leads_to_the_standard_phase<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key);
    let outcome = transact(reader, &mut phone, None, 1, |_, _| {}).unwrap().standard();
    let stored = [StoredPhone { credential: outcome.credential, persistent: outcome.persistent.clone() }];
    phone.wallet.persistent = Some(outcome.persistent);
    // 86 and the key, then 9D, its length, and the cryptogram up to the status.
    for byte in 67..133 {
        let flip = |number, bytes: &mut Vec<u8>| {
            if number == 3 {
                bytes[byte] ^= 0x10;
            }
        };
        let result = transact(reader, &mut phone, Some(&stored), 2, flip);
        if byte < 69 {
            assert!(result.is_err(), "{byte}");
        } else {
            assert!(matches!(result, Ok(Outcome::Standard(_))), "{byte}");
        }
    }
}

/// Line 2: zero, or our own key echoed.
fn line_02_our_own_ephemeral_key_is_refused<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let mut own = Vec::new();
    let echo = |number, bytes: &mut Vec<u8>| match number {
        2 => own = bytes.windows(67).find(|part| part.starts_with(&[0x87, 65])).unwrap()[2..].to_vec(),
        3 => bytes[2..67].copy_from_slice(&own),
        _ => {}
    };
    let reader = Reader::new(&crypto, reader_id(), &key);
    assert_eq!(transact(reader, &mut phone, None, 1, echo).map(|_| ()), Err(AliroError::OwnKey));
    phone.random.ephemeral = Secret::new([9; 32]);
    let refused = transact(reader, &mut phone, None, 9, |_, _| {});
    assert!(matches!(refused, Err(AliroError::Status(_))), "the device too");
    let zero = |number, bytes: &mut Vec<u8>| {
        if number == 3 {
            bytes[3..67].fill(0);
        }
    };
    let refused = transact(reader, &mut phone, None, 2, zero);
    assert!(matches!(refused, Err(AliroError::Status(_))), "both sign their ephemeral keys");
}

/// Line 4: the reader's signature in place of the device's, and the reverse.
fn line_04_a_signature_of_the_other_side_is_refused<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    // One key on both sides: only the usage tells the signatures apart.
    phone.wallet.key = B::key([0x33; 32]);
    let (state, command) = written(|out| Reader::new(&crypto, reader_id(), &key).select(out));
    let state = state.on_response(&phone.send(&command).1).unwrap();
    let (state, command) = written(|out| state.auth0(&reader_random(1), false, out));
    let answer = phone.send(&command).1;
    let device_ephemeral = response::Auth0::parse(response::data(&answer).unwrap()).unwrap().device_ephemeral;
    let none: [&StoredPhone; 0] = [];
    let Ok(Auth0Outcome::Standard(unproven)) = state.on_response(&answer, none) else { panic!() };
    let Ok(Command::Auth0(auth0)) = Command::parse(&command) else { panic!() };
    let transcript = seam_ble::aliro::keys::Transcript {
        interface: Interface::Nfc,
        version: Version::V1_0,
        reader: reader_id(),
        reader_key_x: *key.public_key().x(),
        transaction: auth0.transaction,
        reader_ephemeral: auth0.reader_ephemeral,
        device_ephemeral,
        flags: auth0.flags(),
        proprietary: proprietary(),
        vendor: seam_ble::bytes::Bytes::new(),
    };
    let as_device = key.sign(&transcript.authentication_data(seam_ble::aliro::keys::Usage::Device).unwrap()).unwrap();
    let (_, forged) =
        written(|out| Ok(Command::Auth1(Auth1 { want_public_key: true, signature: as_device, certificate: None }).write(out)?));
    assert_eq!(phone.send(&forged).0, Err(AliroError::Crypto(CryptoError::Signature)));
    assert_eq!(phone.device.state_name(), "idle", "line 9: the session is gone, nothing is stored");
    assert!(!phone.events.iter().any(|event| matches!(event, Event::Proven(_))));
    drop(unproven);
}

/// Line 5: each input of the salts gives other keys.
fn line_05_each_input_changes_the_keys<B: Backend>() {
    let crypto = B::default();
    let (_, reader_ephemeral) = crypto.agreement_key(&Secret::new([1; 32])).unwrap();
    let (_, device_ephemeral) = crypto.agreement_key(&Secret::new([2; 32])).unwrap();
    let transcript = |change: usize| {
        let mut id = *reader_id().as_bytes();
        id[31] ^= u8::from(change == 1);
        seam_ble::aliro::keys::Transcript {
            interface: if change == 2 { Interface::Ble } else { Interface::Nfc },
            version: Version(if change == 3 { 0x0009 } else { 0x0100 }),
            reader: seam_ble::aliro::ReaderId::new(id),
            reader_key_x: [u8::from(change == 4); 32],
            transaction: TransactionId([u8::from(change == 5); 16]),
            reader_ephemeral: if change == 6 { device_ephemeral } else { reader_ephemeral },
            device_ephemeral: if change == 7 { reader_ephemeral } else { device_ephemeral },
            flags: [u8::from(change == 8), u8::from(change == 9)],
            proprietary: if change == 10 { Proprietary::new(&[Version::V1_0, Version(9)], None, None).unwrap() } else { proprietary() },
            vendor: seam_ble::bytes::Bytes::from_slice(if change == 11 { &[0xB1, 0] } else { &[] }).unwrap(),
        }
    };
    let secret = Secret::new([3; 32]);
    let derive = |change| *seam_ble::aliro::keys::standard(&crypto, &secret, &transcript(change)).unwrap().ranging.expose();
    let all: std::collections::BTreeSet<_> = (0..12).map(derive).collect();
    assert_eq!(all.len(), 12);
}

/// Line 6: taking 1.0 out of the offer ends the transaction; adding a version changes the keys.
fn line_06_a_changed_offer_of_versions_is_noticed<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key);
    let replace = |with: &'static [u8]| {
        move |number, bytes: &mut Vec<u8>| {
            if number == 1 {
                *bytes = with.to_vec();
            }
        }
    };
    let only_draft = replace(&[0x6F, 0x15, 0x84, 9, 0xA0, 0, 0, 9, 9, 0xAC, 0xCE, 0x55, 1, 0xA5, 8, 0x80, 2, 0, 0, 0x5C, 2, 0, 9, 0x90, 0]);
    assert_eq!(transact(reader, &mut phone, None, 1, only_draft).map(|_| ()), Err(AliroError::Version));
    let both =
        replace(&[0x6F, 0x17, 0x84, 9, 0xA0, 0, 0, 9, 9, 0xAC, 0xCE, 0x55, 1, 0xA5, 10, 0x80, 2, 0, 0, 0x5C, 4, 1, 0, 0, 9, 0x90, 0]);
    assert_eq!(transact(reader, &mut phone, None, 1, both).map(|_| ()), Err(AliroError::Crypto(CryptoError::Tag)));
}

fn channel<B: Backend>(side: Side) -> Channel {
    Channel::new(side, ChannelKeys { reader: Secret::new([1; 32]), device: Secret::new([2; 32]) })
}

/// Line 7: a tag cut or flipped, a counter off by one, a repeat, the wrong direction, the end of the counter.
fn line_07_a_channel_takes_each_message_once_and_in_order<B: Backend>() {
    let crypto = B::default();
    let seal = |channel: &mut Channel| {
        let mut data = b"text".to_vec();
        let tag = channel.seal(&crypto, &[], &mut data).unwrap();
        data.extend(tag);
        data
    };
    let mut out = channel::<B>(Side::Reader);
    let (first, second) = (seal(&mut out), seal(&mut out));
    let mut good = channel::<B>(Side::Device);
    assert_eq!(good.open(&crypto, &[], &mut first.clone()).unwrap(), b"text");
    assert_eq!(good.open(&crypto, &[], &mut second.clone()).unwrap(), b"text");
    let refused = |channel: &mut Channel, message: &[u8], error| {
        assert_eq!(channel.open(&crypto, &[], &mut message.to_vec()).map(|_| ()), Err(error));
        assert!(!channel.is_open());
        assert_eq!(channel.seal(&crypto, &[], &mut [0]), Err(AliroError::ChannelClosed), "its keys are gone");
    };
    refused(&mut good, &second, AliroError::Crypto(CryptoError::Tag)); // repeated
    refused(&mut channel::<B>(Side::Device), &second, AliroError::Crypto(CryptoError::Tag)); // one ahead
    refused(&mut channel::<B>(Side::Reader), &first, AliroError::Crypto(CryptoError::Tag)); // back to its sender
    refused(&mut channel::<B>(Side::Device), &first[..first.len() - 1], AliroError::Crypto(CryptoError::Tag));
    refused(&mut channel::<B>(Side::Device), &first[..15], AliroError::Short);
    let mut last = channel::<B>(Side::Reader);
    *last.counters_mut().unwrap()[0] = 0xFFFE;
    seal(&mut last);
    assert_eq!(last.seal(&crypto, &[], &mut [0]), Err(AliroError::ChannelClosed));
}

/// Line 8: a phone that does not know the reader answers in the same form, and is found out only after AUTH1.
fn line_08_an_unknown_reader_cannot_tell_that_it_is_unknown<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let strange = seam_ble::aliro::ReaderId::new([9; 32]);
    let stored = [StoredPhone { credential: phone.wallet.key.public_key(), persistent: Secret::new([5; 32]) }];
    let mut lengths = Vec::new();
    for id in [reader_id(), strange] {
        let seen = |number, bytes: &mut Vec<u8>| {
            if number == 3 {
                lengths.push(bytes.len())
            }
        };
        let result = transact(Reader::new(&crypto, id, &key), &mut phone, Some(&stored), 1, seen);
        assert_eq!(result.is_ok(), id == reader_id());
    }
    assert_eq!(lengths, [135, 135]);
}

/// Line 9: nothing is stored when AUTH1's answer fails; line 15: what a broken connection leaves is not taken up again.
fn line_15_a_session_does_not_outlive_its_connection<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key);
    let outcome = transact(reader, &mut phone, None, 1, |_, _| {}).unwrap().standard();
    // The next connection: another device value, or SELECT on the same.
    let (_, select) = written(|out| reader.select(out));
    assert!(phone.send(&select).0.is_ok());
    let (_, command) = written(|out| outcome.session.exchange(&Request::default(), out));
    assert_eq!(phone.send(&command).0, Err(AliroError::OutOfOrder));
    // Two phones at once do not share anything: an answer meant for one is refused by the other.
    let mut other = Phone::<B>::new(Device::nfc(&crypto, proprietary()), reader_id(), Trust::Key(key.public_key()));
    other.random = device_random(0x77);
    let mut auth1 = Vec::new();
    transact(reader, &mut phone, None, 1, |number, bytes| {
        if number == 4 {
            auth1 = bytes.clone()
        }
    })
    .unwrap();
    let replay = |number, bytes: &mut Vec<u8>| {
        if number == 4 {
            *bytes = auth1.clone()
        }
    };
    assert!(matches!(transact(reader, &mut other, None, 1, replay), Err(AliroError::Status(_))));
}

/// Line 19: every command in every state of the device.
fn line_19_every_command_in_every_state<B: Backend>() {
    let crypto = B::default();
    let key = B::key([0x33; 32]);
    let reader = Reader::new(&crypto, reader_id(), &key);
    let (_, public) = crypto.agreement_key(&Secret::new([1; 32])).unwrap();
    let write = |command: Command<'_>| written(|out| Ok(command.write(out)?)).1;
    let auth0 = Auth0 {
        fast: false,
        policy: Policy::DeviceSetting,
        version: Version::V1_0,
        reader_ephemeral: public,
        transaction: TransactionId([1; 16]),
        reader: reader_id(),
        vendor: None,
    };
    let auth1 = Auth1 { want_public_key: true, signature: Signature::new([1; 64]), certificate: None };
    let commands = [
        ("select", written(|out| reader.select(out)).1),
        ("select step-up", write(Command::Select(&STEP_UP_AID))),
        ("select other", write(Command::Select(&[1; 9]))),
        ("auth0", write(Command::Auth0(auth0))),
        ("load cert", write(Command::LoadCert(&[0x30, 0]))),
        ("auth1", write(Command::Auth1(auth1))),
        ("exchange", write(Command::Exchange(&[0; 32]))),
        ("exchange without room for a tag", write(Command::Exchange(&[0; 15]))),
        ("envelope", write(Command::Envelope(&[0x53, 0]))),
        ("control flow", write(Command::ControlFlow(ControlFlow::FAILURE))),
        ("get response", write(Command::GetResponse)),
        ("unknown", vec![0x80, 0x99, 0, 0]),
        ("cut", vec![0x80, 0x80]),
    ];
    // Per state the state after each command: capital letters where the command succeeded. i idle, s selected, k keyed, e session, u step-up.
    let table = [
        ("idle", "S i i i i i i i i i i i i"),
        ("selected", "S s s K s s s s s I s s s"),
        ("keyed", "S k k k k i k k k I k k k"),
        ("session", "S U e e e e i i u I e e e"),
        ("step-up", "S u u u u u i i u I u u u"),
    ];
    for (state, row) in table {
        for ((name, command), expected) in commands.iter().zip(row.split(' ')) {
            let (_, mut phone) = pair(&crypto);
            if matches!(state, "session" | "step-up") {
                transact(reader, &mut phone, None, 1, |_, _| {}).unwrap();
            }
            match state {
                "selected" | "keyed" => drop(phone.send(&commands[0].1)),
                "step-up" => drop(phone.send(&commands[1].1)),
                _ => {}
            }
            if state == "keyed" {
                phone.send(&commands[3].1).0.unwrap();
            }
            assert_eq!(phone.device.state_name(), state);
            let (result, answer) = phone.send(command);
            let after = match phone.device.state_name() {
                "session" => "e",
                "step-up" => "u",
                name => &name[..1],
            };
            let seen = if result.is_ok() { after.to_uppercase() } else { after.to_owned() };
            assert_eq!(seen, expected, "{name} in state {state}: {result:?}");
            let status = &answer[answer.len() - 2..];
            assert_eq!(status == [0x90, 0], result.is_ok(), "{name} in state {state}");
        }
    }
}

/// Line 12: the iterations of an issuer, and line 3: a signature in DER is none.
fn line_12_an_older_iteration_is_refused<B: Backend>() {
    let seen = Iterations::default().judge(DocType::Access, Some(20)).unwrap().judge(DocType::Revocation, Some(5)).unwrap();
    assert_eq!(seen, Iterations { access: 20, revocation: 5 });
    assert_eq!(seen.judge(DocType::Access, Some(13)), Ok(seen));
    assert_eq!(seen.judge(DocType::Access, Some(12)), Err(DocumentError::Iteration));
    assert_eq!(seen.judge(DocType::Revocation, Some(4)), Err(DocumentError::Iteration));
    assert_eq!(seen.judge(DocType::Revocation, None), Ok(seen));
    assert_eq!(Signature::from_slice(&[0x30; 71]), Err(CryptoError::Signature));
}

/// Line 16: what both sides hold prints no key.
fn line_16_nothing_prints_a_secret<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let outcome = transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, |_, _| {}).unwrap().standard();
    let printed = format!("{:?} {:?} {:?} {:?}", outcome.session.ranging_key(), outcome.persistent, phone.device, phone.random);
    let secret = outcome.persistent.expose();
    for run in secret.windows(3) {
        let [decimal, lower] = [format!("{run:?}"), run.iter().map(|byte| format!("{byte:02x}")).collect()];
        assert!(!printed.contains(decimal.trim_matches(['[', ']'])) && !printed.to_lowercase().contains(&lower));
    }
}

on_each_backend!(
    standard_then_fast_then_exchange,
    a_certificate_proves_a_reader_of_the_group,
    a_key_slot_stands_for_a_key,
    documents_are_shown_and_believed,
    any_flipped_bit_ends_the_transaction,
    a_changed_cryptogram_leads_to_the_standard_phase,
    line_02_our_own_ephemeral_key_is_refused,
    line_04_a_signature_of_the_other_side_is_refused,
    line_05_each_input_changes_the_keys,
    line_06_a_changed_offer_of_versions_is_noticed,
    line_07_a_channel_takes_each_message_once_and_in_order,
    line_08_an_unknown_reader_cannot_tell_that_it_is_unknown,
    line_12_an_older_iteration_is_refused,
    line_15_a_session_does_not_outlive_its_connection,
    line_16_nothing_prints_a_secret,
    line_19_every_command_in_every_state,
);
