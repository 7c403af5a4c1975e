//! Worked examples, byte for byte: computed elsewhere, with other programs. And what codecs make of bytes cut anywhere.
use crate::visionline::wire::pms::{self, Line, LineCodec};
use crate::visionline::wire::serial::{self, Frame, SerialCodec};
use crate::visionline::wire::sign::{self, ToSign, authorization, content_md5};
use crate::visionline::wire::web::{CardShown, CardWanted, DoorOperation};
use crate::visionline::wire::{pms_time, read_pms_time, read_serial, read_web_time, web_time};
use bytes::BytesMut;
use proptest::prelude::*;
use secrecy::SecretString;
use tokio_util::codec::{Decoder, Encoder};

const DATE: &str = "Sun, 22 Nov 2026 03:00:00 GMT";
const LOGIN: &str = r#"{"username":"demo","password":"demo-pass"}"#;
const CARD: &str = concat!(
    r#"{"expireTime":"20261125T1200","startTime":"20261122T1500","format":"rfid48","cardHolder":"Doe","#,
    r#""doorOperations":[{"operation":"guest","doors":["101"]}]}"#
);

fn signed(method: &str, body: Option<&str>, date: &str, target: &str) -> String {
    let md5 = body.map(|b| content_md5(b.as_bytes())).unwrap_or_default();
    let content_type = if body.is_some() { sign::CONTENT_TYPE } else { "" };
    let to_sign = ToSign { method, content_md5: &md5, content_type, date, target };
    authorization("4f1c2d3e", &SecretString::from("k9-example-access-key"), to_sign)
}

#[test]
fn the_signatures_are_those_of_the_worked_examples() {
    assert_eq!(LOGIN.len(), 42);
    assert_eq!(content_md5(LOGIN.as_bytes()), "PWvcW36bZugFWc0KQXuh3A==");
    assert_eq!(CARD.len(), 152);
    assert_eq!(content_md5(CARD.as_bytes()), "8FfP7g5bj+2j4NdHgJ22KA==");
    let a = sign::target("/api/v1/cards", &[("override", "true"), ("encoder", "Desk1"), ("action", "encode")]);
    assert_eq!(a, "/api/v1/cards?action=encode&encoder=Desk1&override=true");
    assert_eq!(signed("POST", Some(CARD), DATE, &a), "AWS 4f1c2d3e:4LaifjTMoFuAKbiZZIntKZ3Ilyo=");
    assert_eq!(signed("GET", None, DATE, "/api/v1/doors?details=true"), "AWS 4f1c2d3e:qhLFEggth8gL8Hrz7+yg+STK1n4=");
    assert_eq!(signed("DELETE", None, DATE, "/api/v1/sessions/4f1c2d3e"), "AWS 4f1c2d3e:wqgmTf/Bu7V1kFonlxUAo8amOX0=");
    let d = sign::target("/api/v1/cards", &[("autoJoin", "true"), ("action", "encode"), ("encoder", "Desk1")]);
    assert_eq!(signed("POST", Some(CARD), &format!("X-Aah-Date:{DATE}"), &d), "AWS 4f1c2d3e:2qRhtqZYnSKWE4g3jaSPmbqKTWU=");
    assert_eq!(sign::date("2026-11-22T03:00:00Z".parse().unwrap()), DATE);
}

#[test]
fn the_body_of_a_card_is_that_of_the_worked_example() {
    let card = CardWanted {
        expire_time: "20261125T1200".to_owned(),
        start_time: "20261122T1500".to_owned(),
        format: "rfid48",
        card_holder: "Doe".to_owned(),
        door_operations: vec![DoorOperation { operation: "guest".to_owned(), doors: vec!["101".to_owned()] }],
        serial_numbers: Vec::new(),
        end_point_id: None,
        label: None,
        description: None,
    };
    assert_eq!(serde_json::to_string(&card).unwrap(), CARD);
}

#[test]
fn names_of_doors_are_encoded_as_they_are_signed() {
    let target = sign::target("/api/v1/cards", &[("validTime", "20261122T1500"), ("guestDoor", "Zi 7/ö&=")]);
    assert_eq!(target, "/api/v1/cards?guestDoor=Zi%207%2F%C3%B6%26%3D&validTime=20261122T1500");
}

#[test]
fn answers_are_read_however_they_spell_it() {
    for (text, name) in [
        (r#"{"credentialId":17}"#, Some("17")),
        (r#"{"credentialID":"17","id":"9"}"#, Some("17")),
        (r#"{"id":"c-9","uniqueRegistrationNumber":9}"#, Some("c-9")),
        (r#"{"id":null}"#, None),
        (r#"{"endPointID":"e","something":[1]}"#, None),
    ] {
        let shown: CardShown = serde_json::from_str(text).unwrap();
        assert_eq!(shown.name().as_deref(), name, "{text}");
        assert!(shown.is_in_force());
    }
    let over: CardShown = serde_json::from_str(r#"{"id":"1","overridden":true}"#).unwrap();
    assert!(!over.is_in_force());
}

#[test]
fn times_and_serial_numbers() {
    let time = "2026-11-25T12:00:00".parse().unwrap();
    assert_eq!((web_time(time).as_str(), pms_time(time).as_str()), ("20261125T1200", "202611251200"));
    assert_eq!((read_web_time("20261125T1200"), read_pms_time("202611251200")), (Some(time), Some(time)));
    for bad in ["", "20261125T12000", "20261125T2400", "20261325T1200", "2026112512:0", "２０２６112512001"] {
        assert_eq!((read_web_time(bad), read_pms_time(bad)), (None, None), "{bad}");
    }
    assert_eq!(read_serial("04a1b2c3d4e5f6FF").as_deref(), Some("04A1B2C3D4E5F6"));
    assert_eq!(read_serial("04A1B2C3FFFFFFFF").as_deref(), Some("04A1B2C3"));
    assert_eq!(read_serial("FFFFFFFFFF").as_deref(), Some("FFFFFFFF"), "no fewer than four bytes");
    for bad in ["", "4", "04A", "not hex!", &"F".repeat(40)] {
        assert_eq!(read_serial(bad), None, "{bad}");
    }
}

fn example() -> Line {
    let tags = [("AM", "1"), ("EA", "1"), ("GR", "101"), ("CO", "202611251200"), ("NC", "01")];
    tags.into_iter().fold(Line::new(pms::CREATE), |line, (tag, value)| line.with(tag, value).unwrap())
}

#[test]
fn the_lines_are_those_of_the_worked_examples() {
    let mut bytes = BytesMut::new();
    LineCodec.encode(&example(), &mut bytes).unwrap();
    assert_eq!(&bytes[..], b"CCA;AM1;EA1;GR101;CO202611251200;NC01;\r\n");
    assert_eq!(serial::lrc(b"CCA;AM1;EA1;GR101;CO202611251200;NC01;"), 0x6c);
    let mut frame = BytesMut::new();
    SerialCodec.encode(&example(), &mut frame).unwrap();
    assert_eq!(&frame[..], b"\x02CCA;AM1;EA1;GR101;CO202611251200;NC01;6C\x03");
    for end in ["\r\n", "\n", "\r\n\r\n"] {
        let answer = LineCodec.decode(&mut format!("CCA;EA11;RC0;{end}").as_bytes().into()).unwrap().unwrap();
        assert_eq!((answer.result(), answer.get("EA")), (Some(0), Some("11")));
    }
    let unended = LineCodec.decode_eof(&mut "CCA;EA11;RC13;".as_bytes().into()).unwrap().unwrap();
    assert_eq!(unended.result(), Some(13), "a whole number, not its first digit");
    for half in ["CCA;EA11;RC1", "CCA;EA11;", "CCA;EA11;RC"] {
        assert_eq!(LineCodec.decode_eof(&mut half.as_bytes().into()).unwrap(), None, "{half}: half an answer is none");
    }
}

#[test]
fn what_would_end_a_value_cannot_be_sent() {
    for bad in ["a;b", "a\r", "a\n", "\u{2}", "ä", "\u{7f}"] {
        assert!(Line::new("CCA").with("GR", bad).is_err(), "{bad:?}");
        let name = pms::sendable(bad, 20);
        assert!(pms::is_sendable(&name), "{name:?}");
    }
    assert_eq!(pms::sendable("Müller; GR102", 20), "M?ller? GR102");
    let secret = Line::new("CCA").with("OP", "hunter2hunter2").unwrap();
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn frames_with_a_wrong_checksum_are_none() {
    let good = b"\x02CCA;EA11;RC0;";
    let sum = serial::lrc(&good[1..]);
    for (digits, ok) in
        [(format!("{sum:02X}"), true), (format!("{sum:02x}"), true), (format!("{:02X}", sum ^ 1), false), ("ZZ".to_owned(), false)]
    {
        let mut bytes = BytesMut::from(&good[..]);
        bytes.extend_from_slice(digits.as_bytes());
        bytes.extend_from_slice(b"\x03");
        assert_eq!(SerialCodec.decode(&mut bytes).is_ok(), ok, "{digits}");
    }
    for bad in [&b"\x02\x03"[..], b"\x02A\x03", b"CCA;", b"\x00"] {
        assert!(SerialCodec.decode(&mut bad.into()).is_err(), "{bad:?}");
    }
}

/// Feeds bytes in pieces; gives all frames.
fn cut<D: Decoder>(mut codec: D, bytes: &[u8], cuts: &[usize]) -> Vec<D::Item>
where
    D::Error: std::fmt::Debug,
{
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    let mut ends: Vec<usize> = cuts.iter().map(|c| c % (bytes.len() + 1)).collect();
    ends.extend([0, bytes.len()]);
    ends.sort_unstable();
    for piece in ends.windows(2) {
        buffer.extend_from_slice(&bytes[piece[0]..piece[1]]);
        while let Some(frame) = codec.decode(&mut buffer).unwrap() {
            frames.push(frame);
        }
    }
    frames
}

fn line() -> impl Strategy<Value = Line> {
    let tags = prop::collection::vec(("[A-Z]{2}", "[ -:<-~]{0,12}"), 0..6);
    ("CC[AB]", tags).prop_map(|(command, tags)| Line { command, tags })
}

proptest! {
    #[test]
    fn lines_survive_any_fragmentation(lines in prop::collection::vec(line(), 1..5), cuts in prop::collection::vec(any::<usize>(), 0..9)) {
        let (mut over_tcp, mut over_serial) = (BytesMut::new(), BytesMut::new());
        for line in &lines {
            LineCodec.encode(line, &mut over_tcp).unwrap();
            SerialCodec.encode(line, &mut over_serial).unwrap();
            over_serial.extend_from_slice(b"\x06\x15");
        }
        prop_assert_eq!(&cut(LineCodec, &over_tcp, &cuts), &lines);
        let framed: Vec<Frame> = lines.into_iter().flat_map(|line| [Frame::Line(line), Frame::Ack, Frame::Nak]).collect();
        prop_assert_eq!(cut(SerialCodec, &over_serial, &cuts), framed);
    }

    #[test]
    fn decoders_take_anything(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = LineCodec.decode(&mut bytes.as_slice().into());
        let _ = LineCodec.decode_eof(&mut bytes.as_slice().into());
        let _ = SerialCodec.decode(&mut bytes.as_slice().into());
        let _ = read_serial(&String::from_utf8_lossy(&bytes));
        let _ = read_web_time(&String::from_utf8_lossy(&bytes));
        let _ = serde_json::from_slice::<CardShown>(&bytes);
    }
}

#[test]
fn a_line_that_is_too_long_is_none_however_it_was_cut() {
    let long = format!("CCA;GN{};RC0;\r\n", "x".repeat(pms::LONGEST_LINE)).into_bytes();
    let framed = [&[2], &long[..long.len() - 2], b"00", &[3]].concat();
    for piece in [1, 4096, long.len()] {
        let mut unread = BytesMut::new();
        let read = long.chunks(piece).try_for_each(|piece| {
            unread.extend_from_slice(piece);
            LineCodec.decode(&mut unread).map(|line| assert_eq!(line, None))
        });
        assert!(read.is_err(), "in pieces of {piece}");
        let mut unread = BytesMut::new();
        let read = framed.chunks(piece).try_for_each(|piece| {
            unread.extend_from_slice(piece);
            SerialCodec.decode(&mut unread).map(|frame| assert_eq!(frame, None))
        });
        assert_eq!(read.unwrap_err().to_string(), "the frame has no end", "in pieces of {piece}");
    }
}

#[test]
fn the_day_ends_where_the_time_begins() {
    assert!(read_web_time("20261221T1500").is_some());
    for bad in ["2026122T11500", "T202612211500", "202612211500T", "20261221t1500", "202612211500"] {
        assert_eq!(read_web_time(bad), None, "{bad}");
    }
}
