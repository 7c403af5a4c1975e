//! Both roles of each protocol with a peer that says anything: whole conversations, each message in its turn.
use super::vectors::*;
use super::{key, public, written};
use crate::hex::{all, bytes};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead, KeyInit};
use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Moment, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::{Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::nuki::sim::SimLock;
use seam_ble::nuki::{self, Client, Identity, Paired};
use seam_ble::pkoc::{
    Anchor, Certificate, Device as PkocDevice, FirstAnswer, LocationId, ProtocolVersion, Reader as PkocReader, ReadersOfSite, Response,
    RevocationList, Site, SiteId, Wire, nfc,
};

/// Messages of an input: each begins with its length in two bytes, the last has what is left.
fn messages(mut input: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        let (length, rest) = input.split_at(input.len().min(2));
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (message, rest) = rest.split_at(length.min(rest.len()));
        input = rest;
        Some(message.to_vec())
    })
}

fn conversation(texts: &[&str]) -> Vec<u8> {
    let parts = texts.iter().map(|text| bytes(text));
    parts.flat_map(|part| [u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec(), part].concat()).collect()
}

struct Pocket(SoftwareKey, Secret<32>);

impl Wallet for Pocket {
    type Key = SoftwareKey;
    fn credential(&self, reader: &ReaderId, _: Policy) -> Option<Credential<'_, SoftwareKey>> {
        (reader.group() == reader_id().group()).then(|| Credential {
            key: &self.0,
            trust: Trust::Key(public(0x33)),
            persistent: Some(&self.1),
            signaling: Signaling::ACCESS_DOCUMENT | Signaling::SELECT_STEP_UP,
            credential_signed: None,
            revocation_signed: None,
        })
    }
    fn document(&self, _: &ReaderId, _: DocType, _: &str) -> Option<&[u8]> {
        Some(&[0xA0])
    }
}

fn reader_id() -> ReaderId {
    let id = bytes("00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100");
    ReaderId::new(id.try_into().expect("32 bytes"))
}

fn proprietary() -> Proprietary {
    Proprietary::new(&[Version::V1_0], None, None).expect("one version")
}

pub(super) fn device_seeds() -> Vec<Vec<u8>> {
    vec![
        conversation(&[SELECT_COMMAND, AUTH0_COMMAND, AUTH1_COMMAND, CONTROL_FLOW]),
        conversation(&[SELECT_COMMAND, AUTH0_COMMAND, "80C9000014000102030405060708090A0B0C0D0E0F1011121300"]),
        conversation(&["00A4040009A000000909ACCE550200", "00C3000004 53020102 00"]),
    ]
}

/// A phone: it answers every command, opens nothing to a reader that proves nothing, and never writes beyond its answer.
pub(super) fn device(input: &[u8]) {
    let wallet = Pocket(key(0x44), Secret::new([5; 32]));
    let random = DeviceRandom { ephemeral: Secret::new([0x22; 32]), filler: Secret::new([0x5A; 32]) };
    for over_ble in [false, true] {
        let mut device = if over_ble { Device::ble(&RustCrypto, proprietary()) } else { Device::nfc(&RustCrypto, proprietary()) };
        let mut mailbox = [0; 32];
        for mut command in messages(input).take(6) {
            let (mut scratch, mut space) = ([0; 2048], [0; 2048]);
            let mut out = Writer::new(&mut space);
            let moment = Moment { wallet: &wallet, random: &random, now: None, mailbox: &mut mailbox, scratch: &mut scratch };
            let handled = device.handle(&mut command, moment, &mut out);
            assert!(out.len() >= 2 || handled.is_err(), "an answer has a status");
            // Nobody here knows the reader's key.
            assert!(device.ranging_key().is_none(), "an unknown reader was believed");
        }
        assert_eq!(mailbox, [0; 32]);
    }
}

pub(super) fn reader_seeds() -> Vec<Vec<u8>> {
    vec![
        conversation(&[SELECT_RESPONSE, AUTH0_RESPONSE, AUTH1_RESPONSE]),
        conversation(&["6F158409A000000909ACCE5501A508800200005C0201009000", "6985"]),
    ]
}

/// A reader: it takes any answers, and no phone passes that proves nothing.
pub(super) fn reader(input: &[u8]) {
    let mut answers = messages(input);
    let own = key(0x33);
    let reader = Reader::new(&RustCrypto, reader_id(), &own);
    let mut space = [0; 1024];
    let Ok(state) = reader.select(&mut Writer::new(&mut space)) else { return };
    let Some(Ok(state)) = answers.next().map(|answer| state.on_response(&answer)) else { return };
    let random = ReaderRandom { ephemeral: Secret::new([0x11; 32]), transaction: TransactionId([0xC3; 16]) };
    let fast = input.len().is_multiple_of(2);
    let Ok(state) = state.auth0(&random, fast, &mut Writer::new(&mut space)) else { return };
    let stored: [&StoredPhone; 0] = [];
    let Some(Ok(outcome)) = answers.next().map(|answer| state.on_response(&answer, stored)) else { return };
    let Auth0Outcome::Standard(unproven) = outcome else { panic!("a phone that is not stored took the fast phase") };
    let Ok(state) = unproven.auth1(&mut Writer::new(&mut space)) else { return };
    if let Some(mut answer) = answers.next() {
        assert!(state.on_response(&mut answer, |_| None).is_err(), "a phone passed without a proof");
    }
}

const SITE: SiteId = SiteId([0x10; 16]);
const LOCATION: LocationId = LocationId([0x30; 16]);
const NOW: u32 = 1_800_000_000;

pub(super) fn pkoc_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&PKOC_BLE);
    seeds.extend(all(&[PKOC_PLAIN, PKOC_AUTH_COMMAND, PKOC_AUTH_RESPONSE, "00A4040008A00000089800000100", "5C0201009000"]));
    // The greeting of our own reader, so that a phone goes on.
    let own = PkocReader::with_site_key(SITE, LOCATION, key(0x33));
    seeds.extend(written(|out| own.begin(&RustCrypto, &Secret::new([0x11; 32]), out).map(drop)));
    let certified = PkocReader::with_certificate(SITE, LOCATION, key(0x55), pkoc_own_certificate());
    seeds.extend(written(|out| certified.begin(&RustCrypto, &Secret::new([0x11; 32]), out).map(drop)));
    seeds
}

fn pkoc_own_certificate() -> Certificate {
    Certificate::issue(&key(0x44), SITE, LOCATION, NOW - 10, NOW + 10, &public(0x55)).expect("a good window")
}

/// Each message of PKOC to each that waits for one, in both versions: nothing passes without a proof.
pub(super) fn pkoc(input: &[u8]) {
    let anchors = [(Anchor::SiteKey(public(0x33)), Wire::V1), (Anchor::Issuer(public(0x44)), Wire::V2)];
    for (anchor, wire) in anchors {
        let sites = [Site { id: SITE, anchor, readers: ReadersOfSite::All, revoked: None }];
        let device = PkocDevice { key: key(0x66), sites: &sites, last_update: NOW - 99, wire };
        let mut space = [0; 1024];
        if let Ok(waiting) = device.greet(&RustCrypto, input, &Secret::new([0x22; 32]), Some(NOW), &mut Writer::new(&mut space)) {
            let shown = waiting.receive(&RustCrypto, &device, input, &[], &mut Writer::new(&mut space));
            assert!(shown.is_err(), "a credential was shown to a reader without a proof");
        }
        let _ = device.answer_normal_flow(&RustCrypto, input, &mut Writer::new(&mut space));
    }
    let mut reader = PkocReader::with_site_key(SITE, LOCATION, key(0x33));
    for (wire, version) in [(Wire::V1, ProtocolVersion::two_part(1, 0)), (Wire::V2, ProtocolVersion::psia(3))] {
        (reader.wire, reader.version, reader.allow_normal_flow) = (wire, version, true);
        let mut space = [0; 1024];
        let Ok(waiting) = reader.begin(&RustCrypto, &Secret::new([0x11; 32]), &mut Writer::new(&mut space)) else { return };
        match waiting.receive(&RustCrypto, &reader, input, &mut Writer::new(&mut space)) {
            Ok(FirstAnswer::Proof(waiting)) => {
                assert!(waiting.receive(&RustCrypto, &reader, input).is_err(), "a credential without a proof");
            }
            Ok(FirstAnswer::Presented(presented)) => drop(format!("{presented:?}")),
            Err(_) => {}
        }
    }
    let mut card = nfc::Card::new(key(0x66));
    let mut space = [0; 512];
    let mut out = Writer::new(&mut space);
    if card.answer(input, &mut out).is_ok() {
        assert!(out.len() >= 2);
    }
    let _ = Response(input.first().copied().unwrap_or(0)).meaning(Wire::V2);
}

pub(super) fn pkoc_certificate_seeds() -> Vec<Vec<u8>> {
    let published = bytes(PKOC_CERTIFICATE);
    let own = pkoc_own_certificate().as_bytes().to_vec();
    let list = written(|out| RevocationList::issue(out, &key(0x44), SITE, NOW, &[(LOCATION, NOW + 5)]));
    [vec![published.get(3..).unwrap_or_default().to_vec(), own], list.into_iter().collect()].concat()
}

/// Certificates and lists: nothing is believed but what the issuer signed.
pub(super) fn pkoc_certificate(input: &[u8]) {
    if let Ok(certificate) = Certificate::from_slice(input) {
        assert_eq!(certificate.as_bytes()[..], *input);
        if certificate.verify(&RustCrypto, &public(0x44), SITE, LOCATION, Some(NOW)).is_ok() {
            assert!(pkoc_certificate_seeds().iter().any(|seed| seed == input), "a certificate that nobody signed");
        }
    }
    if let Ok(list) = RevocationList::accept(&RustCrypto, input, &public(0x44), SITE, None) {
        assert!(pkoc_certificate_seeds().iter().any(|seed| seed == input), "a list that nobody signed");
        assert!(list.names(LOCATION));
    }
}

pub(super) fn nuki_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&NUKI_PAIRING);
    seeds.extend(all(&NUKI_ENCRYPTED));
    // Plain texts of what a lock encrypts: states (first and later firmware), status, a challenge, an error.
    seeds.extend(all(&[
        "0C0002010000E0070B16120000003C0000",
        "0C0002030100E0070B16120000003C00010000010000 02",
        "0E0000",
        "0E0001",
        "0400 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "1200 200D00",
    ]));
    seeds
}

/// The client of a lock, and a simulated lock with a client that says anything: as it is, with its checksum made right, and encrypted.
pub(super) fn nuki(input: &[u8]) {
    let summed = [input, &checksum(input)].concat();
    for message in [input, &summed] {
        let mut space = [0; 512];
        let Ok(waiting) = nuki::begin(Secret::new([0x42; 32]), &mut Writer::new(&mut space)) else { return };
        let Ok(waiting) = waiting.receive(&pairing(0), &mut Writer::new(&mut space)) else { continue };
        if let Ok(waiting) = waiting.receive(&RustCrypto, message, &mut Writer::new(&mut space)) {
            let identity = Identity { kind: 0, id: 7, name: "Marc (Test)" };
            let _ = waiting.receive(&RustCrypto, &identity, [9; 32], message, &mut Writer::new(&mut space));
        }
        let mut lock = SimLock::new(RustCrypto, || [0x5A; 32]);
        lock.pairing_mode = true;
        let _ = lock.pairing_data(&pairing(1));
        for answer in [lock.pairing_data(message)].into_iter().chain(lock.user_data(message)) {
            assert!(answer.len() <= 512);
        }
    }
    let secret = bytes(NUKI_KEY);
    let Ok(secret) = <[u8; 32]>::try_from(secret) else { return };
    let client = || Client::new(Paired { authorization: 2, lock_id: [1; 16], key: Secret::new(secret) });
    let body = [&2_u32.to_le_bytes()[..], input].concat();
    let body = [&body[..], &checksum(&body)].concat();
    let nonce = [3; 24];
    let Ok(sealed) = XSalsa20Poly1305::new((&secret).into()).encrypt((&nonce).into(), &body[..]) else { return };
    let length = u16::try_from(sealed.len()).unwrap_or(u16::MAX).to_le_bytes();
    let message = [&nonce[..], &2_u32.to_le_bytes(), &length, &sealed].concat();
    for message in [input, &message[..]] {
        let mut space = [0; 512];
        let mut client = client();
        if let Ok(asked) = client.ask_states([4; 24], &mut Writer::new(&mut space)) {
            let _ = client.states(asked, message);
        }
        if let Ok(asked) = client.ask_challenge([5; 24], &mut Writer::new(&mut space)) {
            let by = nuki::Actions { app: 7, flags: 0 };
            if let Ok(waiting) = client.act(asked, message, nuki::Action::Unlock, by, [6; 24], &mut Writer::new(&mut space)) {
                let _ = client.progress(waiting, message);
            }
        }
    }
}

/// The published message of this number.
fn pairing(number: usize) -> Vec<u8> {
    NUKI_PAIRING.get(number + 1).map(|text| bytes(text)).unwrap_or_default()
}

/// CRC-16 with polynomial 1021 from FFFF, bit by bit.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = 0xFFFF_u16;
    for byte in bytes {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
    }
    sum.to_le_bytes()
}
