//! The PMS protocol, byte for byte.
use crate::salto_space::frame::{Frame, FrameCodec, FrameError, Message};
use crate::salto_space::pms::*;
use bytes::BytesMut;
use chrono::{NaiveDate, NaiveDateTime};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

fn at(day: u32, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap().and_hms_opt(hour, 0, 0).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

fn bytes_of(frame: Frame) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    FrameCodec::default().encode(&Message::Frame(frame), &mut bytes).unwrap();
    bytes.to_vec()
}

fn frame_of(fields: &str) -> Frame {
    Frame::new(fields.split(',')).unwrap()
}

fn all(bytes: &[u8]) -> Vec<Message> {
    let mut unread = BytesMut::from(bytes);
    std::iter::from_fn(|| FrameCodec::default().decode(&mut unread).unwrap()).collect()
}

fn guest(operator: &str) -> KeyContent {
    KeyContent {
        rooms: vec!["101".to_owned()],
        granted: vec![Authorisation::new(2).unwrap(), Authorisation::new(1).unwrap()],
        denied: Vec::new(),
        starts: Some(at(22, 15)),
        ends: Some(at(24, 11)),
        operator: operator.to_owned(),
    }
}

fn desk() -> String {
    "Desk 1".to_owned()
}

/// Frames that were composed by hand, with an LRC that was computed by hand.
const WORKED: [(&str, &str); 12] = [
    ("CO,0,101", "02 B3 43 4F B3 30 B3 31 30 31 B3 03 0F"),
    ("LT,Desk 1,R", "02 B3 4C 54 B3 44 65 73 6B 20 31 B3 52 B3 03 61"),
    (
        "CN,Desk 1,R,101,,,,12,,1500221126,1100241126,front,,,,2",
        "02 B3 43 4E B3 44 65 73 6B 20 31 B3 52 B3 31 30 31 B3 B3 B3 B3 31 32 B3 B3 31 35 30 30 32 32 31 31 32 36 B3 31 31 30 30 32 34 31 31 32 36 B3 66 72 6F 6E 74 B3 B3 B3 B3 32 B3 03 A5",
    ),
    ("CN,Desk 1", "02 B3 43 4E B3 44 65 73 6B 20 31 B3 03 95"),
    ("CN,Desk 1,0423AB5A9C2F80", "02 B3 43 4E B3 44 65 73 6B 20 31 B3 30 34 32 33 41 42 35 41 39 43 32 46 38 30 B3 03 52"),
    ("TD,Desk 1", "02 B3 54 44 B3 44 65 73 6B 20 31 B3 03 88"),
    ("ED,Desk 1", "02 B3 45 44 B3 44 65 73 6B 20 31 B3 03 99"),
    (
        "LT,Desk 1,101,,,,CI,0,12,1500221126,1100241126,front",
        "02 B3 4C 54 B3 44 65 73 6B 20 31 B3 31 30 31 B3 B3 B3 B3 43 49 B3 30 B3 31 32 B3 31 35 30 30 32 32 31 31 32 36 B3 31 31 30 30 32 34 31 31 32 36 B3 66 72 6F 6E 74 B3 03 EA",
    ),
    (
        "CNM,+34600111222,101,,,,,,1500221126,1100241126,api",
        "02 B3 43 4E 4D B3 2B 33 34 36 30 30 31 31 31 32 32 32 B3 31 30 31 B3 B3 B3 B3 B3 B3 31 35 30 30 32 32 31 31 32 36 B3 31 31 30 30 32 34 31 31 32 36 B3 61 70 69 B3 03 10",
    ),
    ("MC,101,,1100251126", "02 B3 4D 43 B3 31 30 31 B3 B3 31 31 30 30 32 35 31 31 32 36 B3 03 8D"),
    ("WF,Gym", "02 B3 57 46 B3 47 79 6D B3 03 F2"),
    (
        "EG,Desk 1,Encoder is not configured",
        "02 B3 45 47 B3 44 65 73 6B 20 31 B3 45 6E 63 6F 64 65 72 20 69 73 20 6E 6F 74 20 63 6F 6E 66 69 67 75 72 65 64 B3 03 3E",
    ),
];

#[test]
fn worked_frames_are_written_and_read_byte_for_byte() {
    for (fields, bytes) in WORKED {
        assert_eq!(bytes_of(frame_of(fields)), hex(bytes), "{fields}");
        assert_eq!(all(&hex(bytes)), [Message::Frame(frame_of(fields))], "{fields}");
    }
}

#[test]
fn commands_are_the_worked_frames() {
    let key = Command::Key { kind: KeyKind::New, encoder: desk(), removal: Some(Removal::Ignore), content: guest("front"), serial: true };
    let mobile = KeyContent { granted: Vec::new(), ..guest("api") };
    let commands = [
        (Command::CheckOut { room: "101".to_owned() }, 0),
        (Command::ReadKey { encoder: desk(), removal: Removal::Ignore }, 1),
        (key, 2),
        (Command::MobileKey { is_new: true, phone: "+34600111222".to_owned(), content: mobile, text: String::new() }, 8),
        (Command::Modify { room: "101".to_owned(), to: None, ends: at(25, 11) }, 9),
        (Command::Audit { walk: Walk::First, door: "Gym".to_owned() }, 10),
    ];
    for (command, n) in commands {
        assert_eq!(bytes_of(command.frame().unwrap()), hex(WORKED[n].1), "{command:?}");
    }
    let bytes = Command::MobileKeyBytes { is_new: false, phone: String::new(), content: guest("api"), installation: true };
    assert_eq!(bytes.frame().unwrap().fields().join(","), "CCMB,,101,,,,12,,1500221126,1100241126,api,,,,1");
    let text = Command::WriteTrack { track: 3, encoder: desk(), removal: Removal::Await, text: "hello".to_owned() };
    assert_eq!(text.frame().unwrap().fields().join(","), "P3,Desk 1,E,hello");
}

#[test]
fn answers_are_understood() {
    let key = Command::Key { kind: KeyKind::New, encoder: desk(), removal: None, content: guest("front"), serial: true };
    assert_eq!(key.answer(&frame_of(WORKED[3].0)).unwrap(), Answer::Written { serial: None });
    assert_eq!(key.answer(&frame_of(WORKED[4].0)).unwrap(), Answer::Written { serial: Some("0423AB5A9C2F80".to_owned()) });
    let code = |fields: &str| key.answer(&frame_of(fields)).unwrap_err();
    assert_eq!(code(WORKED[5].0), NoAnswer::Code { code: "TD".to_owned(), text: String::new() });
    assert_eq!(code(WORKED[11].0), NoAnswer::Code { code: "EG".to_owned(), text: "Encoder is not configured".to_owned() });
    assert_eq!(
        code("QX"),
        NoAnswer::Code { code: "QX".to_owned(), text: String::new() },
        "a code that nobody has documented, without a subject"
    );
    for stranger in ["CN,Desk 2", "CC,Desk 1", "CO,0,101", "LT,Desk 1,101,,,,CI"] {
        assert_eq!(code(stranger), NoAnswer::Stranger, "{stranger}");
    }
    assert_eq!(code("hello"), NoAnswer::Garbled);

    let read = Command::ReadKey { encoder: desk(), removal: Removal::Ignore };
    let seen = read.answer(&frame_of(WORKED[7].0)).unwrap();
    let mut content = guest("front");
    content.granted.sort_unstable();
    assert_eq!(seen, Answer::Key(KeyRead::Guest { content, checked_in: true, copy: "0".to_owned() }));
    for (word, kind) in [("LM", KeyRead::Staff), ("LR", KeyRead::Spare), ("LC", KeyRead::NotValid), ("LD", KeyRead::Unidentified)] {
        assert_eq!(read.answer(&frame_of(&format!("LT,Desk 1,{word}"))).unwrap(), Answer::Key(kind));
    }
    assert_eq!(read.answer(&frame_of("LT,Desk 1,101,,,,XX")).unwrap_err(), NoAnswer::Garbled);

    let walk = Command::Audit { walk: Walk::Next, door: "Gym".to_owned() };
    assert_eq!(walk.answer(&frame_of("WO,Gym")).unwrap(), Answer::EndOfTrail);
    let Answer::Record(record) = walk.answer(&frame_of("WN,Gym,24/12,09:05,0,I,101     ,#0,")).unwrap() else { panic!("no record") };
    assert_eq!((record.date, record.time, record.who.as_str(), record.inwards), ((24, 12), (9, 5), "101", true));
    assert_eq!(walk.answer(&frame_of("WN,Gym,yesterday,09:05,0,I,101,#0,")).unwrap_err(), NoAnswer::Garbled);
}

#[test]
fn every_authorisation_has_a_symbol_of_its_own() {
    let known = [
        (1, "1"),
        (9, "9"),
        (10, "a"),
        (35, "z"),
        (36, "!"),
        (37, "#"),
        (40, "&"),
        (41, "("),
        (45, ","),
        (47, "."),
        (60, "_"),
        (61, "{"),
        (62, "}"),
    ];
    let all: Vec<Authorisation> = (1..=62).map(|n| Authorisation::new(n).unwrap()).collect();
    let content = KeyContent { granted: all.clone(), ..guest("x") };
    let key = Command::Key { kind: KeyKind::Copy, encoder: desk(), removal: None, content, serial: false };
    let symbols = key.frame().unwrap().field(7).to_owned();
    let distinct: std::collections::BTreeSet<char> = symbols.chars().collect();
    assert_eq!((symbols.len(), distinct.len()), (62, 62));
    for (n, symbol) in known {
        assert_eq!(&symbols[n - 1..n], symbol, "{n}");
    }
    assert_eq!((Authorisation::new(0), Authorisation::new(63)), (None, None));
}

#[test]
fn only_printable_ascii_goes_out() {
    for bad in ["Zimmer Süd", "a\u{b3}b", "a\u{3}", "\r\n", "房间"] {
        let command = Command::CheckOut { room: bad.to_owned() };
        assert!(matches!(command.frame(), Err(FrameError::Character)), "{bad:?}");
    }
    assert!(matches!(Frame::new([""; 1]), Err(FrameError::Length)));
    assert!(matches!(Frame::new(["CN".to_owned(), "x".repeat(9000)]), Err(FrameError::Length)));
}

#[test]
fn damage_is_noticed() {
    let good = hex(WORKED[0].1);
    // Any single byte of the fields, the separators or the LRC.
    for n in 1..good.len() {
        for flip in [0x01, 0x10, 0x80] {
            let mut bad = good.clone();
            bad[n] ^= flip;
            let messages = all(&bad);
            assert!(!messages.contains(&Message::Frame(frame_of(WORKED[0].0))), "byte {n} changed by {flip:02x}");
        }
    }
    let skipped = [&good[..12], &[0x0D]].concat();
    assert_eq!(all(&skipped), [Message::Frame(frame_of("CO,0,101"))], "0D: not to be checked");
    let broken_off = [&good[..6], &good[..]].concat();
    assert_eq!(all(&broken_off), [Message::Damaged, Message::Frame(frame_of("CO,0,101"))]);
    let noise = [b"hello\r\n".as_slice(), &[0x06], b"..", &good, &[0x15, 0x05]].concat();
    assert_eq!(all(&noise), [Message::Ack, Message::Frame(frame_of("CO,0,101")), Message::Nak, Message::Enq]);
    assert_eq!(all(&[0x02, 0x03, 0x03]), [Message::Damaged], "no fields");
    let endless = vec![0x02; 1].into_iter().chain(vec![b'x'; 9000]).collect::<Vec<u8>>();
    assert!(FrameCodec::default().decode(&mut BytesMut::from(&endless[..])).is_err());
}

/// An LRC that looks like a control byte is a byte like any other.
#[test]
fn an_lrc_may_have_any_value() {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..95 * 95_u32 {
        let (one, other) = (b' ' + (n / 95) as u8, b' ' + (n % 95) as u8);
        let field = String::from_utf8(vec![one, other]).unwrap();
        let frame = Frame::new(["WF".to_owned(), field, String::new()]).unwrap();
        let bytes = bytes_of(frame.clone());
        seen.insert(*bytes.last().unwrap());
        assert_eq!(all(&[bytes.as_slice(), &[0x06]].concat()), [Message::Frame(frame), Message::Ack]);
    }
    assert!([0x02, 0x03, 0x05, 0x06, 0x0A].iter().all(|b| seen.contains(b)), "{seen:?}");
}

proptest! {
    /// However the bytes are cut into packets, the messages are the same.
    #[test]
    fn fragments_make_no_difference(
        frames in prop::collection::vec(prop::collection::vec("[ -~]{0,12}", 0..6), 1..6),
        cuts in prop::collection::vec(1..7_usize, 1..40),
    ) {
        let frames: Vec<Frame> = frames.into_iter()
            .map(|rest| Frame::new(std::iter::once("CN".to_owned()).chain(rest)).unwrap())
            .collect();
        let mut bytes = Vec::new();
        for frame in &frames {
            bytes.push(0x06);
            bytes.extend(bytes_of(frame.clone()));
        }
        let expected: Vec<Message> = frames.into_iter().flat_map(|f| [Message::Ack, Message::Frame(f)]).collect();
        let (mut unread, mut got, mut rest) = (BytesMut::new(), Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            unread.extend_from_slice(now);
            rest = later;
            while let Some(message) = FrameCodec::default().decode(&mut unread).unwrap() {
                got.push(message);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, expected);
    }

    /// Whatever comes, nothing panics, and what is decoded can be written again.
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut unread = BytesMut::from(&bytes[..]);
        while let Ok(Some(message)) = FrameCodec::default().decode(&mut unread) {
            if let Message::Frame(frame) = &message {
                let mut again = BytesMut::new();
                FrameCodec::default().encode(&message, &mut again).unwrap();
                prop_assert_eq!(all(&again), vec![message.clone()]);
                for command in [Command::ReadKey { encoder: desk(), removal: Removal::Ignore }, Command::CheckOut { room: "1".to_owned() }] {
                    let _ = command.answer(frame);
                }
            }
        }
    }
}
