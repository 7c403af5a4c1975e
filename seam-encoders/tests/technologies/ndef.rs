//! NDEF messages, areas and files.
use super::bytes;
use hex_literal::hex;
use proptest::prelude::*;
use seam_encoders::ndef::file::{self, Capability};
use seam_encoders::ndef::tlv::{self, Block};
use seam_encoders::ndef::{Message, NdefError, Record, TypeName};

/// libfreefare `test_tlv.c`.
#[test]
fn blocks_and_their_terminator() {
    let blocks = [Block { kind: 3, value: bytes("DEADBEEF") }, Block { kind: 3, value: bytes("42") }];
    assert_eq!(tlv::to_bytes(&blocks), Ok(bytes("0304DEADBEEF030142FE")));
    assert_eq!(tlv::parse(&bytes("0304DEADBEEF030142FE")), Ok(blocks.to_vec()));
    // What a card has before, between and after them does not matter.
    assert_eq!(tlv::parse(&bytes("00000304DEADBEEF00030142FE03FF")), Ok(blocks.to_vec()));
}

#[test]
fn the_file_of_the_application_note() {
    // NXP AN12196 section 5.8.2: the first bytes of the file that it writes.
    let message = Message::new(vec![Record::uri("https://choose.url.com/ntag424?e=0").unwrap()]);
    let written = file::to_bytes(&message).unwrap();
    assert_eq!(written[2..], [&hex!("D1011B5504")[..], b"choose.url.com/ntag424?e=0"].concat());
    assert_eq!(written[..2], [0, 31]);
    assert_eq!(file::message(&written), Ok(Some(message)));
    assert_eq!(file::message(&[0, 0, 9, 9]), Ok(None));
    assert_eq!(file::message(&[0, 9, 0xd1]), Err(NdefError::Truncated));
}

#[test]
fn addresses_and_texts() {
    for (uri, payload) in [
        ("https://www.example.com", &b"\x02example.com"[..]),
        ("http://example.com", b"\x03example.com"),
        ("tel:+43123", b"\x05+43123"),
        ("urn:epc:id:x", b"\x1ex"),
        ("urn:epc:x", b"\x22x"),
        ("urn:nfc:x", b"\x23x"),
        ("door://x", b"\x00door://x"),
        ("", b"\x00"),
    ] {
        let record = Record::uri(uri).unwrap();
        assert_eq!(record.payload(), payload);
        assert_eq!(record.as_uri(), Ok(Some(uri.to_owned())));
        assert_eq!(record.as_text(), Ok(None));
    }
    let record = Record::text("de-AT", "Stüberl 4").unwrap();
    assert_eq!(record.as_text(), Ok(Some(("de-AT".to_owned(), "Stüberl 4".to_owned()))));
    let of = |payload: &[u8]| Record::new(TypeName::WellKnown, b"T", payload).unwrap().as_text();
    let text = |text: &str| Ok(Some(("en".to_owned(), text.to_owned())));
    assert_eq!(of(&hex!("82 656E 0041 00DC")), text("A\u{dc}"));
    assert_eq!(of(&hex!("82 656E FFFE 4100 DC00")), text("A\u{dc}"));
    assert_eq!(of(&hex!("82 656E FEFF 0041")), text("A"));
    assert_eq!(of(&hex!("82 656E 00")), Err(NdefError::Text));
    assert_eq!(of(&hex!("82 656E D800")), Err(NdefError::Text));
    assert_eq!(of(&hex!("02 656E FF")), Err(NdefError::Text));
    assert_eq!(of(&hex!("05 656E")), Err(NdefError::Truncated));
    assert_eq!(Record::text("", "x"), Err(NdefError::Text));
    assert_eq!(Record::new(TypeName::WellKnown, b"U", &[0x24]).unwrap().as_uri(), Err(NdefError::Text));
}

/// The chunks of NDEF 1.0 section 2.3.3: the first has the type, the others "unchanged", the last no chunk flag.
#[test]
fn chunks_are_put_together() {
    let chunked = hex!("B5 01 03 54 02656E") // begins, chunk, wrong type name on purpose below
        .to_vec();
    assert_eq!(Message::parse(&chunked), Err(NdefError::Length), "the unknown type has no type");
    let whole = Message::new(vec![Record::text("en", "level").unwrap()]);
    let chunked = hex!("B1 01 03 54 02656E  36 00 03 6C6576  56 00 02 656C");
    assert_eq!(Message::parse(&chunked), Ok(whole));
    for (broken, why) in [
        (hex!("B1 01 03 54 02656E  36 00 03 6C6576  16 00 02 656C").to_vec(), NdefError::Truncated),
        (hex!("B1 01 03 54 02656E  36 00 03 6C6576  51 00 02 656C").to_vec(), NdefError::Chunk),
        (hex!("B1 01 03 54 02656E  76 00 03 6C6576").to_vec(), NdefError::Chunk),
        (hex!("F1 01 03 54 02656E").to_vec(), NdefError::Chunk),
        (hex!("D6 00 02 656C").to_vec(), NdefError::Chunk),
        (hex!("D1 01 03 54 02656E 00").to_vec(), NdefError::Trailing),
        (hex!("51 01 03 54 02656E").to_vec(), NdefError::Begin),
        (hex!("91 01 03 54 02656E D1 01 03 54 02656E").to_vec(), NdefError::Begin),
        (hex!("D7 00 00").to_vec(), NdefError::Reserved),
        (hex!("C1 01 FFFFFFFF 54").to_vec(), NdefError::Truncated),
        (vec![], NdefError::Truncated),
    ] {
        assert_eq!(Message::parse(&broken), Err(why), "{broken:02X?}");
    }
}

/// The container with which an NTAG 424 comes (NXP AN12196 section 4).
#[test]
fn the_container_of_a_new_card() {
    let container = bytes("001720010000FF0406E104010000000506E10500808283000000000000000000");
    let said = Capability::parse(&container).unwrap();
    assert_eq!((said.file_id, said.size, said.read_free, said.write_free), (0xe104, 256, true, true));
    assert_eq!((said.read_at_most, said.write_at_most), (256, 255));
    assert_eq!(Capability::parse(&container[..20]), Err(NdefError::Truncated));
}

fn record() -> impl Strategy<Value = Record> {
    let kinds = prop::sample::select(vec![
        TypeName::Empty,
        TypeName::WellKnown,
        TypeName::Media,
        TypeName::AbsoluteUri,
        TypeName::External,
        TypeName::Unknown,
    ]);
    let vec = |most| prop::collection::vec(any::<u8>(), 0..most);
    (kinds, vec(6), vec(6), vec(400))
        .prop_filter_map("a record that can be", |(kind, name, id, payload)| Record::with_id(kind, &name, &id, &payload).ok())
}

proptest! {
    #[test]
    fn messages_are_read_back(records in prop::collection::vec(record(), 0..4)) {
        let message = Message::new(records);
        prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message.clone()));
        let area = tlv::to_bytes(&[Block { kind: tlv::NDEF, value: message.to_bytes() }]).unwrap();
        prop_assert_eq!(tlv::message(&area), Ok(Some(message.clone())));
        prop_assert_eq!(file::message(&file::to_bytes(&message).unwrap()), Ok(Some(message)));
    }
    #[test]
    fn blocks_are_read_back(blocks in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..600)), 0..4)) {
        let blocks: Vec<_> = blocks.into_iter().filter(|(kind, _)| !matches!(kind, 0 | 0xfe)).map(|(kind, value)| Block { kind, value }).collect();
        prop_assert_eq!(tlv::parse(&tlv::to_bytes(&blocks).unwrap()), Ok(blocks));
    }
    #[test]
    fn any_address_is_read_back(uri in "\\PC{0,80}") {
        prop_assert_eq!(Record::uri(&uri).unwrap().as_uri(), Ok(Some(uri)));
    }
    #[test]
    fn any_text_is_read_back(text in "\\PC{0,80}") {
        prop_assert_eq!(Record::text("en", &text).unwrap().as_text(), Ok(Some(("en".to_owned(), text))));
    }
}
