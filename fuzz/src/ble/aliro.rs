//! Messages of Aliro, of both roles, over both links. No cryptography: what is encrypted is looked at as it is when it was decrypted.
use super::vectors::*;
use super::written;
use crate::hex::{all, bytes};
use crate::mutate::pieces;
use seam_ble::aliro::ble::advert::Advertisement;
use seam_ble::aliro::ble::gatt::{DeviceInfo, ReaderInfo};
use seam_ble::aliro::ble::message::{Inbox, Message, Protocol};
use seam_ble::aliro::ble::notification::{Attributes, Notification};
use seam_ble::aliro::command::Command;
use seam_ble::aliro::exchange::{Answer, Received, Waiting};
use seam_ble::aliro::nfc::{Collected, Collector, Link, Parts, Taken};
use seam_ble::aliro::response::{self, Auth0, Auth1, Cryptogram, Select};
use seam_ble::aliro::step_up::read_request;
use seam_ble::aliro::{AliroError, Proprietary};
use seam_ble::bytes::Writer;

/// The published commands, one in parts, and GET RESPONSE.
pub(super) fn command_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&[
        SELECT_COMMAND,
        AUTH0_COMMAND,
        AUTH1_COMMAND,
        CONTROL_FLOW,
        "00A4040009A000000909ACCE550200",
        "00C0000000",
        "80C9000014000102030405060708090A0B0C0D0E0F1011121300",
        "80D10000 10 000102030405060708090A0B0C0D0E0F 00",
        "00C3000004 53020102 00",
        "107A000004DEADBEEF",
    ]);
    seeds.push([&[14][..], &bytes(SELECT_COMMAND), &[0x8A], &bytes(AUTH0_COMMAND)].concat());
    seeds
}

/// Commands: what was read is written, and that is read as the same.
pub(super) fn commands(input: &[u8]) {
    if let Ok(command) = Command::parse(input) {
        let again = written(|out| command.write(out)).expect("it was read");
        assert_eq!(Command::parse(&again), Ok(command));
    }
}

/// The published answers and what is encrypted in them.
pub(super) fn response_seeds() -> Vec<Vec<u8>> {
    let select = bytes(SELECT_RESPONSE);
    let auth0 = bytes(AUTH0_RESPONSE);
    let mut seeds = all(&[SELECT_RESPONSE, AUTH0_RESPONSE, AUTH1_PLAIN, CRYPTOGRAM_PLAIN, "00026985", "6A82"]);
    seeds.extend([select, auth0].map(|answer| answer[..answer.len() - 2].to_vec()));
    seeds.push(bytes("800200005C0201007F6608020201000202 0100B303010203"));
    seeds
}

/// Answers, and what is decrypted of them: what was read is written, and that is read as the same.
pub(super) fn responses(input: &[u8]) {
    if let Ok(select) = Select::parse(input) {
        let again = written(|out| select.write(out)).expect("it was read");
        assert_eq!(Select::parse(&again), Ok(select));
    }
    if let Ok(auth0) = Auth0::parse(input)
        && auth0.vendor.is_none_or(|vendor| vendor.len() < 2000)
    {
        let again = written(|out| auth0.write(out)).expect("it was read");
        assert_eq!(Auth0::parse(&again), Ok(auth0));
    }
    if let Ok(auth1) = Auth1::parse(input)
        && auth1.mailbox.is_none_or(|mailbox| mailbox.len() < 2000)
    {
        let again = written(|out| auth1.write(out)).expect("it was read");
        assert_eq!(Auth1::parse(&again), Ok(auth1));
    }
    if let Ok(cryptogram) = Cryptogram::parse(input) {
        assert_eq!(written(|out| cryptogram.write(out)).as_deref(), Some(input), "its form has no choice");
    }
    if let Ok(proprietary) = Proprietary::from_content(input) {
        assert_eq!(proprietary.content(), input);
        let versions = proprietary.versions().count();
        assert!((1..=8).contains(&versions));
        let _ = proprietary.lengths();
    }
    let _ = (response::data(input), response::data_mut(&mut input.to_vec()));
}

/// Requests to a mailbox (read, write, set), a status, and answers of one and two pieces.
pub(super) fn exchange_seeds() -> Vec<Vec<u8>> {
    all(&[
        "BA098C010087040000 0010",
        "BA118C01008A06000001020304 9505 0008000455",
        "BA1B8C0100 8704 0000 0008 8704 0008 0008 8A04 0010 AABB",
        "97020101",
        "AE03010203",
        "BA038C0101",
        "9800",
        "000401020304 00020000",
        "0002AABB 0001CC 00020000",
        "00020001",
        "A2613163312E30613281A16131D8185828A3613567616C69726F2D61613181",
    ])
}

/// EXCHANGE after decryption: a mailbox is changed as a whole or not at all, and never beyond its end. What waits when something fails is forgotten.
pub(super) fn exchange(input: &[u8]) {
    if let Ok(received) = Received::parse(input) {
        // Twice: what the first one writes may wait for the second.
        for (size, times) in [(0, 1), (16, 1), (64, 2)] {
            let mut mailbox: Vec<u8> = (0..size).collect();
            let mut waiting = Waiting::default();
            for _ in 0..times {
                let before = mailbox.clone();
                let mut space = [0xEE; 100];
                let mut out = Writer::new(&mut space);
                match received.apply(&mut waiting, &mut mailbox, &mut out) {
                    Ok(()) => {
                        let answer = out.as_slice();
                        let reads = (0..=answer.len()).find(|reads| Answer::parse(answer, *reads).is_ok());
                        assert!(reads.is_some(), "the other side understands the answer");
                    }
                    Err(error) => {
                        assert!(matches!(error, AliroError::Mailbox | AliroError::Full), "{error:?}");
                        assert_eq!(mailbox, before);
                        assert!(out.is_empty() && waiting.is_empty());
                    }
                }
            }
        }
    }
    for reads in 0..4 {
        if let Ok(answer) = Answer::parse(input, reads) {
            assert_eq!(answer.pieces().map(|piece| piece.len() + 2).sum::<usize>() + 4, input.len());
        }
    }
    let mut wanted = 0;
    let _ = read_request(input, |_| {
        wanted += 1;
        Ok(())
    });
    assert!(wanted <= input.len());
}

/// The parts of commands and answers over NFC: a link bears any command, and what was cut into parts is put together again.
pub(super) fn nfc(input: &[u8]) {
    let mut link = Link::<512>::new();
    let mut rest = input;
    while let Some((length, after)) = rest.split_first() {
        let (command, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let mut space = [0; 300];
        let mut out = Writer::new(&mut space);
        let whole = match link.take(command, &mut out) {
            Ok(Taken::Reply) => {
                assert!(out.len() >= 2, "a reply has a status");
                continue;
            }
            Ok(Taken::Command(whole)) => whole.to_vec(),
            Err(_) => continue,
        };
        assert!(whole.len() <= 512);
        let mut answer = whole.repeat(3);
        answer.extend([0x90, 0x00]);
        let mut space = [0; 300];
        let mut out = Writer::new(&mut space);
        if link.answer(&answer, &mut out).is_ok() {
            assert_eq!(collected(&mut link, out.as_slice()).as_deref(), Some(&answer[..]));
        }
    }
    // Both ends together.
    if let Ok(Command::LoadCert(_) | Command::Auth1(_) | Command::Auth0(_)) = Command::parse(input)
        && let Ok(mut parts) = Parts::new(input)
    {
        let mut link = Link::<4096>::new();
        loop {
            let mut space = [0; 300];
            let mut out = Writer::new(&mut space);
            if !parts.next(&mut out).expect("a part fits") {
                break;
            }
            let mut reply = [0; 300];
            if let Ok(Taken::Command(whole)) = link.take(out.as_slice(), &mut Writer::new(&mut reply)) {
                assert_eq!(Command::parse(whole), Command::parse(input));
            }
        }
    }
}

/// What a reader collects of an answer, part by part.
fn collected(link: &mut Link<512>, first: &[u8]) -> Option<Vec<u8>> {
    let mut space = [0; 4096];
    let mut collector = Collector::new(&mut space);
    let mut part = first.to_vec();
    for _ in 0..64 {
        match collector.push(&part).ok()? {
            Collected::Whole => return Some(collector.finish().to_vec()),
            Collected::More(count) => {
                let ask = written(|out| Collector::get_response(count, out))?;
                let mut reply = [0; 300];
                let mut out = Writer::new(&mut reply);
                let Ok(Taken::Reply) = link.take(&ask, &mut out) else { return None };
                part = out.as_slice().to_vec();
            }
        }
    }
    None
}

/// Source: Aliro's frames as the public actuator reads them: a request, a response, notifications; an advertisement; both characteristics.
pub(super) fn ble_seeds() -> Vec<Vec<u8>> {
    let framed =
        |head: &str, body: &str| [bytes(head), u16::try_from(body.len() / 2).unwrap_or(0).to_be_bytes().to_vec(), bytes(body)].concat();
    let mut seeds = vec![framed("0000", AUTH0_COMMAND), framed("0001", AUTH0_RESPONSE)];
    seeds.push(seeds.concat());
    seeds.extend(all(&[
        "0100000B 0009800200005C020100",
        "01020002 0000",
        "01020003 010102",
        "01030004 00022001",
        "0203000401020304",
        "4004000102030405060708090 0017A4B8500007B7F4A82557990",
        "0080020100",
        "008004010002000101",
        "0100",
        "01000101",
    ]));
    seeds
}

/// Frames over L2CAP: the same however they are cut.
pub(super) fn ble_frames(input: &[u8]) {
    const SPACE: usize = 600;
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| -> (Vec<Vec<u8>>, Result<bool, AliroError>) {
        let (mut inbox, mut messages) = (Inbox::<SPACE>::new(), Vec::new());
        for piece in pieces {
            if let Err(error) = inbox.push(piece) {
                return (messages, Err(error));
            }
            loop {
                match inbox.next() {
                    Ok(Some(message)) => messages.push(message.to_vec()),
                    Ok(None) => break,
                    Err(error) => return (messages, Err(error)),
                }
            }
        }
        (messages, Ok(inbox.is_waiting()))
    };
    // Byte by byte nothing is ever refused for coming too much at once.
    let single = read(&mut input.chunks(1));
    assert_eq!(read(&mut input.chunks(2)).0, single.0);
    let cut = read(&mut pieces(input));
    match cut.1 {
        // More at once than there is space for: whatever came before it is the same.
        Err(AliroError::Full) => assert!(single.0.starts_with(&cut.0)),
        _ => assert_eq!(cut, single),
    }
    for message in &single.0 {
        if let Ok(message_read) = Message::parse(message) {
            assert_eq!(written(|out| message_read.write(out)).as_ref(), Some(message));
        }
    }
}

/// What is in frames, characteristics and advertisements.
pub(super) fn ble_objects(input: &[u8]) {
    if let Ok(message) = Message::parse(input)
        && input.len() < 4000
    {
        assert_eq!(written(|out| message.write(out)).as_deref(), Some(input));
        if let Ok(notification) = Notification::parse(&message) {
            let sent = notification.send(|message| Ok(written(|out| message.write(out)))).expect("it was read").expect("it fits");
            assert_eq!(Message::parse(&sent).and_then(|message| Notification::parse(&message)), Ok(notification));
        }
    }
    for id in 0..6 {
        let _ = Notification::parse(&Message { protocol: Protocol::Notification, id, payload: input });
    }
    let mut attributes = Attributes::new(input);
    let mut count = 0;
    while let Ok(Some(_)) = attributes.next() {
        count += 1;
    }
    assert!(count <= input.len());
    if let Ok(info) = ReaderInfo::parse(input) {
        assert_eq!(written(|out| info.write(out)).as_deref(), Some(input));
    }
    if let Ok(info) = DeviceInfo::parse(input) {
        assert_eq!(written(|out| info.write(out)).as_deref(), Some(input));
    }
    if let Ok(advertisement) = Advertisement::parse(input) {
        let again = written(|out| advertisement.write(out)).expect("it was read");
        assert_eq!(Advertisement::parse(&again), Ok(advertisement));
        // One byte is for later use.
        assert_eq!((again.len(), &again[..16]), (input.len(), &input[..16]));
    }
}
