//! What the tests of Aliro share: backends, a phone's wallet, and a transaction between both roles.
#![allow(dead_code, reason = "each test file uses some")]

pub(crate) mod vectors;

use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Event, Moment, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::reader::{Auth0Outcome, FastOutcome, Reader, ReaderRandom, StandardOutcome, StoredPhone};
use seam_ble::aliro::{AliroError, Instant, Policy, Proprietary, ReaderId, Signaling, Timestamp, TransactionId, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::{Crypto, PublicKey, Secret, SigningKey};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect()
}

pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// A backend with its keys in memory.
pub(crate) trait Backend: Crypto + Default {
    type Key: SigningKey;
    fn key(bytes: [u8; 32]) -> Self::Key;
}

#[cfg(feature = "rustcrypto")]
impl Backend for seam_ble::crypto::rustcrypto::RustCrypto {
    type Key = seam_ble::crypto::rustcrypto::SoftwareKey;
    fn key(bytes: [u8; 32]) -> Self::Key {
        Self::Key::from_bytes(&Secret::new(bytes)).unwrap()
    }
}

#[cfg(feature = "aws-lc")]
impl Backend for seam_ble::crypto::aws_lc::AwsLc {
    type Key = seam_ble::crypto::aws_lc::SoftwareKey;
    fn key(bytes: [u8; 32]) -> Self::Key {
        Self::Key::from_bytes(&Secret::new(bytes)).unwrap()
    }
}

/// One test per backend out of a function that is generic over it.
#[macro_export]
macro_rules! on_each_backend {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        #[cfg(feature = "rustcrypto")]
        mod on_rustcrypto {
            $($(#[$doc])* #[test] fn $name() { super::$name::<seam_ble::crypto::rustcrypto::RustCrypto>(); })*
        }
        #[cfg(feature = "aws-lc")]
        mod on_aws_lc {
            $($(#[$doc])* #[test] fn $name() { super::$name::<seam_ble::crypto::aws_lc::AwsLc>(); })*
        }
    };
}

/// A phone's wallet with one credential.
pub(crate) struct Pocket<B: Backend> {
    pub key: B::Key,
    pub reader: ReaderId,
    pub trust: Trust,
    pub persistent: Option<Secret<32>>,
    pub document: Option<(DocType, String, Vec<u8>)>,
}

impl<B: Backend> Wallet for Pocket<B> {
    type Key = B::Key;

    fn credential(&self, reader: &ReaderId, _policy: Policy) -> Option<Credential<'_, B::Key>> {
        (reader.group() == self.reader.group()).then(|| Credential {
            key: &self.key,
            trust: self.trust,
            persistent: self.persistent.as_ref(),
            signaling: Signaling::ACCESS_DOCUMENT | Signaling::SELECT_STEP_UP,
            credential_signed: Some(Timestamp(*b"2026-02-26T15:54:26Z")),
            revocation_signed: None,
        })
    }

    fn document(&self, _reader: &ReaderId, kind: DocType, element: &str) -> Option<&[u8]> {
        self.document.as_ref().filter(|(held, name, _)| *held == kind && name == element).map(|(_, _, bytes)| &bytes[..])
    }
}

/// A phone and what it draws.
pub(crate) struct Phone<'a, B: Backend> {
    pub device: Device<'a, B>,
    pub wallet: Pocket<B>,
    pub random: DeviceRandom,
    pub now: Option<Instant>,
    pub mailbox: Vec<u8>,
    pub events: Vec<Event>,
}

impl<'a, B: Backend> Phone<'a, B> {
    pub(crate) fn new(device: Device<'a, B>, reader: ReaderId, trust: Trust) -> Self {
        let wallet = Pocket { key: B::key([0x44; 32]), reader, trust, persistent: None, document: None };
        Self { device, wallet, random: device_random(0x22), now: None, mailbox: vec![0; 64], events: Vec::new() }
    }

    /// Gives a command and takes the answer, which is there for an error too.
    pub(crate) fn send(&mut self, command: &[u8]) -> (Result<(), AliroError>, Vec<u8>) {
        let (mut command, mut scratch, mut answer) = (command.to_vec(), [0; 4096], [0; 4096]);
        let mut out = Writer::new(&mut answer);
        let moment =
            Moment { wallet: &self.wallet, random: &self.random, now: self.now, mailbox: &mut self.mailbox, scratch: &mut scratch };
        let result = self.device.handle(&mut command, moment, &mut out).map(|event| self.events.push(event));
        (result, out.as_slice().to_vec())
    }
}

pub(crate) fn device_random(seed: u8) -> DeviceRandom {
    DeviceRandom { ephemeral: Secret::new([seed; 32]), filler: Secret::new([seed ^ 0x5A; 32]) }
}

pub(crate) fn reader_random(seed: u8) -> ReaderRandom {
    ReaderRandom { ephemeral: Secret::new([seed; 32]), transaction: TransactionId([seed ^ 0xC3; 16]) }
}

pub(crate) fn reader_id() -> ReaderId {
    ReaderId::new(array(vectors::READER_IDENTIFIER))
}

pub(crate) fn proprietary() -> Proprietary {
    Proprietary::new(&[Version::V1_0], None, None).unwrap()
}

/// Lets a step write a command and gives it.
pub(crate) fn written<T>(step: impl FnOnce(&mut Writer<'_>) -> Result<T, AliroError>) -> (T, Vec<u8>) {
    let mut space = [0; 4096];
    let mut out = Writer::new(&mut space);
    let next = step(&mut out).unwrap();
    (next, out.as_slice().to_vec())
}

pub(crate) enum Outcome<'a, B> {
    Standard(StandardOutcome<'a, B>),
    Fast(FastOutcome<'a, B>),
}

impl<'a, B> Outcome<'a, B> {
    pub(crate) fn standard(self) -> StandardOutcome<'a, B> {
        match self {
            Self::Standard(outcome) => outcome,
            Self::Fast(_) => panic!("the fast phase was taken"),
        }
    }
}

/// A whole transaction over NFC up to the session; `tamper` may change each message (its number from 0, command or answer).
pub(crate) fn transact<'a, B: Backend>(
    reader: Reader<'a, B, B::Key>,
    phone: &mut Phone<'_, B>,
    stored: Option<&[StoredPhone]>,
    seed: u8,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> Result<Outcome<'a, B>, AliroError> {
    let mut number = 0;
    let mut pass = |mut bytes: Vec<u8>| {
        tamper(number, &mut bytes);
        number += 1;
        bytes
    };
    let (state, command) = written(|out| reader.select(out));
    let answer = {
        let command = pass(command);
        pass(phone.send(&command).1)
    };
    let state = state.on_response(&answer)?;
    let (state, command) = written(|out| state.auth0(&reader_random(seed), stored.is_some(), out));
    let answer = {
        let command = pass(command);
        pass(phone.send(&command).1)
    };
    let unproven = match state.on_response(&answer, stored.unwrap_or(&[]))? {
        Auth0Outcome::Fast(outcome) => return Ok(Outcome::Fast(outcome)),
        Auth0Outcome::Standard(unproven) => unproven,
    };
    let (state, command) = written(|out| unproven.auth1(out));
    let mut answer = {
        let command = pass(command);
        pass(phone.send(&command).1)
    };
    state.on_response(&mut answer, |_| None).map(Outcome::Standard)
}

/// A reader's key and a phone that trusts it.
pub(crate) fn pair<B: Backend>(crypto: &B) -> (B::Key, Phone<'_, B>) {
    let key = B::key([0x33; 32]);
    let phone = Phone::new(Device::nfc(crypto, proprietary()), reader_id(), Trust::Key(key.public_key()));
    (key, phone)
}

pub(crate) fn public_key(text: &str) -> PublicKey {
    PublicKey::from_uncompressed(&hex(text)).unwrap()
}
