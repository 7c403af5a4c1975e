//! What issuers sign, as it comes through a phone.
use super::vectors::CERTIFICATE;
use super::{key, public, written};
use crate::hex::{all, bytes};
use seam_ble::aliro::access_data::{AccessContent, AccessData, Extension, Pattern, Recurrence, Rule, Schedule};
use seam_ble::aliro::certificate::Profile0000;
use seam_ble::aliro::document::{Document, documents as response};
use seam_ble::aliro::issue::Draft;
use seam_ble::aliro::revocation::{self, Entry, Mode, RevocationData};
use seam_ble::aliro::{DocumentError, Instant};
use seam_ble::cbor;
use seam_ble::crypto::PublicKey;
use seam_ble::crypto::rustcrypto::RustCrypto;

const ISSUER: u8 = 0x44;
const PHONE: u8 = 0x66;

pub(super) fn certificate_seeds() -> Vec<Vec<u8>> {
    all(&[CERTIFICATE.1])
}

#[cfg(test)]
#[test]
fn what_targets_begin_from_is_believed() {
    let (issuer, certificate) = (bytes(CERTIFICATE.0), bytes(CERTIFICATE.1));
    let issuer = PublicKey::from_uncompressed(&issuer).expect("a point");
    let certificate = Profile0000::parse(&certificate).expect("it is one");
    assert_eq!(certificate.verify(&RustCrypto, &issuer, None), Ok(certificate.content.key));
    for document in document_seeds().get(..2).expect("both kinds") {
        let document = Document::parse(document).expect("it is one");
        let verified = document.verify(&RustCrypto, &[public(ISSUER)], &public(PHONE)).expect("it is signed");
        assert!(verified.element("floor1").is_ok_and(|element| element.is_some()));
    }
    assert!(AccessData::parse(&content(), &[(7, 1)]).is_ok() && RevocationData::parse(&revoked()).is_ok());
}

/// A certificate: nothing but the published one is believed.
pub(super) fn certificate(input: &[u8]) {
    let Ok(certificate) = Profile0000::parse(input) else { return };
    let issuer = PublicKey::from_uncompressed(&bytes(CERTIFICATE.0)).expect("a point");
    let (from, until) = certificate.content.validity().expect("it was checked");
    assert!(from <= until || certificate.verify(&RustCrypto, &issuer, Some(from)).is_err());
    let whole = certificate.to_x509(&RustCrypto, &issuer);
    if certificate.verify(&RustCrypto, &issuer, None).is_ok() {
        let published = bytes(CERTIFICATE.1);
        let published = Profile0000::parse(&published).expect("it is one");
        assert_eq!(certificate.content, published.content, "a changed certificate is believed");
        assert!(whole.is_ok());
    }
}

fn content() -> Vec<u8> {
    let rules = [Rule { capabilities: Some(1), allow: Some(1), deny: None }, Rule { capabilities: Some(3), allow: None, deny: Some(1) }];
    let weekly = Recurrence { duration: 3600, mask: 0b001_1111, pattern: Pattern::Weekly, interval: 1, ordinal: 0 };
    let schedules = [Schedule { start: 1_700_000_000, end: Some(1_800_000_000), recurrence: Some(weekly), utc: false }];
    let extensions = [Extension { critical: false, vendor: 7, id: 1, version: 1, data: &[1, 2] }];
    let content = AccessContent { id: Some(b"floor1"), rules: &rules, schedules: &schedules, reader_rules: &[1], extensions: &extensions };
    written(|out| content.write(out)).expect("good content")
}

fn revoked() -> Vec<u8> {
    let entries = [Entry { key_hash: Some([7; 32]), id: None, expires: Some(Instant(1_800_000_000)) }];
    let removed = [Entry { key_hash: None, id: Some(&[1, 2, 3]), expires: None }];
    written(|out| revocation::write(Mode::Update, &entries, &removed, out)).expect("a good list")
}

fn signed(value: &[u8], of_phone: bool) -> Vec<u8> {
    let phone = public(PHONE);
    let draft = Draft {
        credential: of_phone.then_some(&phone),
        element: "floor1",
        value,
        random: [9; 16],
        signed: Instant(1_700_000_000),
        valid_from: Instant(1_700_000_000),
        valid_until: Instant(1_800_000_000),
        iteration: Some(3),
        time_required: true,
    };
    written(|out| draft.sign(&RustCrypto, &key(ISSUER), out)).expect("a good draft")
}

/// Both kinds of document, as our issuer writes them (they were checked against ISO 18013-5 and the CSA's actuator by other tests), alone
/// and in a response.
pub(super) fn document_seeds() -> Vec<Vec<u8>> {
    let single = [signed(&content(), true), signed(&revoked(), false)];
    let whole = written(|out| {
        cbor::put_map(out, 3)?;
        cbor::put_text(out, "1")?;
        cbor::put_text(out, "1.0")?;
        cbor::put_text(out, "2")?;
        cbor::put_array(out, 2)?;
        out.put(&single[0])?;
        out.put(&single[1])?;
        cbor::put_text(out, "3")?;
        cbor::put_uint(out, 0)
    });
    [single.to_vec(), vec![whole.expect("it fits")]].concat()
}

/// Documents: a changed one is not believed, and no element of a believed one is another than the issuer's.
pub(super) fn documents(input: &[u8]) {
    if let Ok(mut documents) = response(input) {
        let mut count = 0;
        while let Ok(Some(document)) = documents.next() {
            count += 1;
            believed(&document);
        }
        assert!(count <= input.len());
    }
    if let Ok(document) = Document::parse(input) {
        believed(&document);
    }
}

fn believed(document: &Document<'_>) {
    let Ok(verified) = document.verify(&RustCrypto, &[public(0x45), public(ISSUER)], &public(PHONE)) else { return };
    if let Ok(Some(element)) = verified.element("floor1") {
        assert!([content(), revoked()].iter().any(|own| own == element.value), "an element that nobody signed");
    }
}

pub(super) fn element_seeds() -> Vec<Vec<u8>> {
    vec![content(), revoked(), bytes("A10001"), bytes("A3000101000280")]
}

/// What is in elements: what was read is written, and that is read as the same.
pub(super) fn elements(input: &[u8]) {
    if let Ok(data) = AccessData::parse(input, &[(7, 1)]) {
        let content = AccessContent {
            id: data.id,
            rules: &data.rules,
            schedules: &data.schedules,
            reader_rules: &data.reader_rules,
            extensions: &[],
        };
        if let Some(again) = written(|out| content.write(out)) {
            let again = AccessData::parse(&again, &[]).expect("it was written");
            assert_eq!(
                (again.id, &*again.rules, &*again.schedules, &*again.reader_rules),
                (data.id, &*data.rules, &*data.schedules, &*data.reader_rules)
            );
        }
        let _ = data.extension(7, 1);
    }
    if let Ok(list) = RevocationData::parse(input) {
        let (mut entries, mut removed) = (Vec::new(), Vec::new());
        let keep = |into: &mut Vec<_>, entry| -> Result<(), DocumentError> {
            into.push(entry);
            Ok(())
        };
        list.entries(|entry| keep(&mut entries, entry)).expect("they were read before");
        list.removed(|entry| keep(&mut removed, entry)).expect("they were read before");
        assert!(entries.len() + removed.len() <= input.len());
        if let Some(again) = written(|out| revocation::write(list.mode, &entries, &removed, out)) {
            let again = RevocationData::parse(&again).expect("it was written");
            let mut same = Vec::new();
            again.entries(|entry| keep(&mut same, entry)).expect("they were read before");
            assert_eq!((again.mode, same), (list.mode, entries));
        }
    }
}
