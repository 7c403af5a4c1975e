//! What is part of Aliro and not done here, because too little of it is public: each is told as such, and does nothing. The page on mobile keys lists
//! the same, with the reasons.
#![cfg(feature = "rustcrypto")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use seam_ble::aliro::ble::message::{Message, Protocol};
use seam_ble::aliro::ble::notification::{Notification, id};
use seam_ble::aliro::certificate::Profile0000;
use seam_ble::aliro::document::{DocType, Document};
use seam_ble::aliro::exchange::Received;
use seam_ble::aliro::issue::Draft;
use seam_ble::aliro::revocation::{self, Entry, Mode, RevocationData};
use seam_ble::aliro::{AliroError, DocumentError, Instant};
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::RustCrypto;
use support::Backend;

fn list() -> Vec<u8> {
    let mut space = [0; 512];
    let mut out = Writer::new(&mut space);
    revocation::write(Mode::Replace, &[Entry { key_hash: Some([7; 32]), id: None, expires: None }], &[], &mut out).unwrap();
    out.as_slice().to_vec()
}

#[test]
fn an_issuer_named_by_a_chain_of_x509_certificates() {
    let value = list();
    let draft = Draft {
        credential: None,
        element: "site",
        value: &value,
        random: [7; 16],
        signed: Instant(1_000),
        valid_from: Instant(2_000),
        valid_until: Instant(3_000),
        iteration: Some(1),
        time_required: false,
    };
    let mut space = [0; 1024];
    let mut out = Writer::new(&mut space);
    draft.sign(&RustCrypto, &RustCrypto::key([0x66; 32]), &mut out).unwrap();
    let signed = out.as_slice();
    assert_eq!(Document::parse(signed).unwrap().kind(), DocType::Revocation);
    // The header that nobody signs: a map of one, label 4 (kid), eight bytes. Label 33 (x5chain) in its place.
    let place = signed.windows(3).position(|three| three == [0xA1, 4, 0x48]).unwrap();
    let chained = [&signed[..=place], &[0x18, 33], &signed[place + 2..]].concat();
    assert_eq!(Document::parse(&chained).map(|_| ()), Err(DocumentError::Unsupported("an issuer's X.509 chain")));
    let other = [&signed[..=place], &[0x18, 34], &signed[place + 2..]].concat();
    assert!(matches!(Document::parse(&other), Err(DocumentError::Cbor(_))), "what no document has is malformed");
}

#[test]
fn extensions_of_a_revocation_document() {
    let value = list();
    assert!(RevocationData::parse(&value).is_ok());
    // One more member: label 4, an empty list.
    let extended = [&[value[0] + 1][..], &value[1..], &[4, 0x80]].concat();
    assert_eq!(RevocationData::parse(&extended).map(|_| ()), Err(DocumentError::Unsupported("extensions of a Revocation Document")));
    let other = [&[value[0] + 1][..], &value[1..], &[5, 0x80]].concat();
    assert!(matches!(RevocationData::parse(&other), Err(DocumentError::Cbor(_))));
}

#[test]
fn ranging_keys_and_updates_of_documents_in_exchange() {
    // A write to the mailbox beside it: refused with the rest, before anything is done.
    let write = [0xBA, 8, 0x8C, 1, 0, 0x8A, 3, 0, 0, 9];
    assert!(Received::parse(&write).is_ok());
    for tag in [0x98, 0x81] {
        let text = [&write[..], &[tag, 1, 0]].concat();
        let told = AliroError::Unsupported("a ranging key or an update of documents in EXCHANGE");
        assert_eq!(Received::parse(&text).map(|_| ()), Err(told), "{tag:02X}");
    }
    let other = [&write[..], &[0x99, 1, 0]].concat();
    assert!(matches!(Received::parse(&other), Err(AliroError::Tlv(_))));
}

#[test]
fn reader_certificates_of_other_profiles() {
    let told = Err(AliroError::Unsupported("a certificate profile other than 0000"));
    assert_eq!(Profile0000::parse(&[0x30, 6, 4, 2, 0, 1, 0x30, 0]).map(|_| ()), told);
}

#[test]
fn notifications_about_ranging() {
    let about = |protocol| Notification::parse(&Message { protocol, id: id::RANGING, payload: &[0, 1, 0] });
    assert_eq!(about(Protocol::Notification), Err(AliroError::Unsupported("this notification")));
    assert_eq!(about(Protocol::Ranging), Err(AliroError::OutOfOrder), "no notification");
}
