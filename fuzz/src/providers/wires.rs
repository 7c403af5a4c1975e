//! Wires of vendors, without a connection.
use crate::hex::{all, bytes, texts};
use crate::mutate::pieces;
use ::bytes::BytesMut;
use seam_providers::fuzzing::{cut, visionline};
use seam_providers::salto_ks::wire::instant;
use seam_providers::salto_space::frame::{Frame, FrameCodec, Message};
use seam_providers::salto_space::pms::{self, Command, KeyContent, KeyKind, Removal, Walk, serial_number};
use seam_providers::salto_space::ship::{NoAnswer, Request, StpCodec, time};
use seam_providers::salto_space::xml::Node;
use tokio_util::codec::Encoder;

/// Sources: frames that were composed by hand from the field tables of two released clients, with LRCs computed by hand.
pub(super) fn salto_frame_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&[
        "02B3434FB330B3313031B3030F",
        "02B34C54B34465736B2031B352B30361",
        "02B3434EB34465736B2031B30395",
        "02B3434EB34465736B2031B33034323341423541394332463830B30352",
        "02B35444B34465736B2031B30388",
        "02B34C54B34465736B2031B3313031B3B3B3B34349B330B33132B331353030323231313236B331313030323431313236B366726F6E74B303EA",
        "02B3574 6B347796DB303F2",
        "02B34547B34465736B2031B3456E636F646572206973206E6F7420636F6E66696775726564B3033E",
        "050615",
        "02B3434FB330B3313031B3030D",
        "02B3434F02B3434FB330B3313031B3030F",
    ]);
    seeds.push([&bytes("0506"), &bytes("02B3434FB330B3313031B3030F")[..], &bytes("06")].concat());
    seeds
}

/// Frames: the same however they are cut, and what was read is written again.
pub(super) fn salto_frames(input: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (messages, refused) = cut(FrameCodec::default(), pieces, false);
        (messages, refused)
    };
    let whole = read(&mut std::iter::once(input));
    assert_eq!(read(&mut pieces(input)), whole);
    assert!(whole.0.len() <= input.len());
    for message in whole.0 {
        let mut written = BytesMut::new();
        match &message {
            Message::Damaged => assert!(FrameCodec::default().encode(&message, &mut written).is_err()),
            _ => {
                FrameCodec::default().encode(&message, &mut written).expect("it was read");
                assert_eq!(read(&mut std::iter::once(&written[..])).0, [message]);
            }
        }
    }
}

/// The fields of answers, separated by strokes.
pub(super) fn salto_answer_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "CN|Desk 1|0423AB5A9C2F80",
        "LT|Desk 1|101||||CI|0|12|1500221126|1100241126|front",
        "LT|Desk 1|LM",
        "WF|Gym|22/11|15:03| 0| I|101   | 0|",
        "WO|Gym",
        "CNMB|+34600111222|0123ABCD|77",
        "L1|Desk 1|a text",
        "CO|0|101",
        "MC|101||1100251126",
        "EG|Desk 1|Encoder is not configured",
        "TD|Desk 1",
        "ES",
    ])
}

/// Answers to every command: understood or refused; serial numbers and times are what they seem.
pub(super) fn salto_answers(input: &[u8]) {
    let content =
        KeyContent { rooms: vec!["101".to_owned()], granted: vec![], denied: vec![], starts: None, ends: None, operator: String::new() };
    let (encoder, phone) = ("Desk 1".to_owned(), "+34600111222".to_owned());
    let fields = input.split(|byte| *byte == b'|').map(|field| field.iter().map(|b| char::from(*b)).collect::<String>());
    let Ok(frame) = Frame::new(fields) else { return };
    let commands = [
        Command::Key { kind: KeyKind::New, encoder: encoder.clone(), removal: None, content: content.clone(), serial: true },
        Command::MobileKeyBytes { is_new: true, phone: phone.clone(), content: content.clone(), installation: true },
        Command::MobileKey { is_new: false, phone, content, text: "t".to_owned() },
        Command::CheckOut { room: "101".to_owned() },
        Command::ReadKey { encoder: encoder.clone(), removal: Removal::Ignore },
        Command::ReadTrack { track: 1, encoder, removal: Removal::Await },
        Command::Audit { walk: Walk::First, door: "Gym".to_owned() },
    ];
    for command in commands {
        match command.answer(&frame) {
            Ok(answer) => drop(format!("{answer:?}")),
            Err(no) => drop(format!("{no:?}")),
        }
        if let pms::Command::ReadKey { .. } = command
            && let Ok(pms::Answer::Key(pms::KeyRead::Guest { content, .. })) = command.answer(&frame)
        {
            assert!((1..=pms::MOST_ROOMS).contains(&content.rooms.len()));
            assert!(content.granted.len() <= input.len());
        }
    }
    for field in frame.fields() {
        if let Some(serial) = serial_number(field) {
            assert_eq!(serial_number(&serial), Some(serial));
        }
    }
}

/// Source: a driver of a building-management product, and a client in Go: literal `STP`, version, length in bytes, XML.
pub(super) fn stp_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> =
        ship_seeds().iter().map(|document| [format!("STP/00/{}/", document.len()).as_bytes(), document].concat()).collect();
    seeds.extend(texts(&["STP/00/3/abc", "STP/00/0/", "STP/00/3/abcSTP/00/2/de", "STP/01/3/abc", "STP/00/99999999/x", "STP/00/+3/abc"]));
    seeds
}

/// STP: the same however it is cut, and what was read is written again.
pub(super) fn stp_frames(input: &[u8]) {
    let whole = cut(StpCodec, std::iter::once(input), false);
    assert_eq!(cut(StpCodec, pieces(input), false), whole);
    for document in whole.0 {
        let mut written = BytesMut::new();
        StpCodec.encode(&document, &mut written).expect("it was read");
        assert_eq!(cut(StpCodec, std::iter::once(&written[..]), false), (vec![document], false));
    }
}

/// Sources: recorded answers in a driver, notes from a live server; and bombs.
pub(super) fn ship_seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"<?xml version="1.0" encoding="UTF-8"?><RequestResponse><RequestName>GetInfo</RequestName><Params><ProtocolID>SHIP</ProtocolID><ProtocolVersion>1.6</ProtocolVersion><DateTime>2026-11-22T15:00:00</DateTime></Params></RequestResponse>"#,
        r"<RequestResponse><RequestName>GetInfo</RequestName><Exception><Code>401</Code><Message>no &lt;such&gt; &amp; thing &#x41;</Message></Exception></RequestResponse>",
        r"<RequestResponse><RequestName>SaltoDBUserList.Read</RequestName><Params><Count>1</Count><EOF>1</EOF><SaltoDBUserList><SaltoDB.User><ExtUserID>u1</ExtUserID><FirstName><![CDATA[Ana]]></FirstName><UserActivation>2026-11-22T24:00:00</UserActivation></SaltoDB.User></SaltoDBUserList></Params></RequestResponse>",
        "\u{feff}<a/><!-- c --><?p i?>",
        r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"#,
        "<a><b><c><d><e><f>deep</f></e></d></c></b></a>",
        "<a>&#0;&#xD800;&unknown;</a>",
    ])
}

/// XML: what was read is written, and that is read as the same; nothing of a document type is.
pub(super) fn ship_xml(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(node) = Node::parse(text) {
        if text.contains("<!DOCTYPE") {
            assert!(
                text.contains("<!--") || text.contains("<![CDATA[") || text.contains("<?") || text.contains("=\""),
                "a document type was passed over"
            );
        }
        let written = node.document();
        let again = Node::parse(&written).unwrap_or_else(|problem| panic!("{written}: {problem}"));
        assert_eq!(again, plain(node));
    }
    for request in [Request::new("GetInfo"), Request::new("SaltoDBUserList.Read")] {
        match request.answer(text) {
            Err(NoAnswer::Exception { code, .. }) => assert!(text.contains("Exception"), "{code}"),
            Ok(_) => assert!(text.contains(request.name())),
            Err(_) => {}
        }
    }
    let _ = time(text);
}

/// As it is sent: control characters become question marks, blanks at the ends are none of the text's.
fn plain(mut node: Node) -> Node {
    node.text = node.text.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>().trim().to_owned();
    node.children = node.children.into_iter().map(plain).collect();
    node
}

/// Source: a client of the PMS port; result codes of a product's documentation.
pub(super) fn line_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "CCA;EA1;GR101;NS1;RC0;\r\n",
        "CCA;EA1;RC41;\n",
        "CCA;EA1;RC0;",
        "CCB;EA1;RC0;GR101;CI202611221500;CO202611241100;UFAna;SN0423AB5A9C2F80FF;\r\n",
        "CCA;UGfront;IOop;OPsecret;TA1;GNAna Sanz;GR00101;\r\n\r\nCCA;RC0;\r\n",
        "CC",
        ";;;",
        "CCA;RC4294967296;\n",
    ])
}

pub(super) fn lines(input: &[u8]) {
    visionline::pms_lines(input, pieces(input));
}

pub(super) fn serial_seeds() -> Vec<Vec<u8>> {
    let framed = |text: &str| {
        let sum = text.bytes().fold(2, |sum, byte| sum ^ byte);
        [&[2], text.as_bytes(), format!("{sum:02X}").as_bytes(), &[3]].concat()
    };
    let mut seeds = vec![framed("CCA;EA1;RC0;"), framed("CCB;EA1;RC0;GR101;"), [&[6][..], &framed("CCA;RC41;")].concat(), vec![0x15, 0x06]];
    // The text alone: the target makes the frame.
    seeds.extend(texts(&["CCA;EA1;RC0;", "CCB;SN0423AB5A9C2F80;RC0;"]));
    seeds
}

pub(super) fn serial(input: &[u8]) {
    visionline::serial_frames(input, pieces(input));
}

/// Times of both interfaces, serial numbers, instants of a cloud.
pub(super) fn text_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "20261122T1500",
        "202611221500",
        "20260229T2460",
        "0423AB5A9C2F80FF",
        "04a1b2c3FFFFFFFF",
        "2026-11-22T15:00:00Z",
        "2026-11-22T15:00:00.123+02:00",
        "2026-11-22T15:00:00",
        "+262142-12-31T23:59:59Z",
        "2026-11-22T24:00:00",
        "é",
    ])
}

pub(super) fn visionline_texts(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        visionline::texts(text);
    }
}

/// Instants of KS and of SHIP.
pub(super) fn ks_texts(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(at) = instant(text)
        && (0..10_000).contains(&chrono::Datelike::year(&at))
    {
        assert_eq!(instant(&at.to_rfc3339()), Some(at));
    }
    let _ = time(text);
}

/// A name of a door and a time, between strokes.
pub(super) fn signature_seeds() -> Vec<Vec<u8>> {
    texts(&["101|20261122T1500", "Suite Ñ & Co|a=b&c=d", "|", "100%|%20", "a+b|a b"])
}

pub(super) fn signature(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut values = text.split('|');
    let mut next = || values.next().unwrap_or_default();
    let query = [("guestDoor", next()), ("validTime", next()), ("autoJoin", next()), ("guestDoor", next())];
    for count in 0..=query.len() {
        visionline::signature("/api/v1/cards", query.get(..count).unwrap_or_default());
    }
}

/// As we send them; that they are right byte for byte is shown elsewhere.
pub(super) fn pmsif_seeds() -> Vec<Vec<u8>> {
    let mut seeds = visionline::pmsif_seeds();
    seeds.push(seeds.concat());
    seeds
}

pub(super) fn pmsif(input: &[u8]) {
    visionline::pmsif(input, pieces(input));
}
