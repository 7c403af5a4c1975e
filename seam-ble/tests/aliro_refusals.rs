//! What both roles of Aliro refuse before anything is proven: keys, signatures and lists that are not in their one form. Tests name the line of the
//! negative list that they are for.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::cell::RefCell;

use seam_ble::aliro::command::{Auth0, Auth1, Command};
use seam_ble::aliro::device::{Credential, Device, Moment, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::keys;
use seam_ble::aliro::reader::{Auth0Outcome, Reader, StoredPhone};
use seam_ble::aliro::{AliroError, Policy, ReaderId, Signaling, TransactionId, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::{Crypto, CryptoError, PublicKey, Secret, Signature, SigningKey, TAG};
use seam_ble::tlv::TlvError;
use support::{Backend, Phone, array, device_random, hex, pair, proprietary, reader_id, reader_random, transact, written};

/// The prime of the field and the order of the group (FIPS 186-4, D.1.2.3).
const PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn auth0(key: PublicKey) -> Vec<u8> {
    let auth0 = Auth0 {
        fast: false,
        policy: Policy::DeviceSetting,
        version: Version::V1_0,
        reader_ephemeral: key,
        transaction: TransactionId([1; 16]),
        reader: reader_id(),
        vendor: None,
    };
    written(|out| Ok(Command::Auth0(auth0).write(out)?)).1
}

/// Line 1: no point, zero, infinity, compressed, x not below the prime, as the ephemeral key of either side.
fn line_01_an_ephemeral_key_that_is_no_point_is_refused<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let (_, good) = crypto.agreement_key(&Secret::new([7; 32])).unwrap();
    let mut moved = *good.as_bytes();
    moved[64] ^= 1;
    let zero = [&[4][..], &[0; 64]].concat();
    let beyond = [&[4][..], &hex(PRIME), &good.as_bytes()[33..]].concat();
    let hybrid = [&[6][..], &good.as_bytes()[1..]].concat();
    for bad in [&moved[..], &zero, &beyond, &hybrid] {
        // From the phone: the reader finds it out in the answer itself, or when it agrees on a key. Either way nobody is proven.
        let swap = |number, bytes: &mut Vec<u8>| {
            if number == 3 {
                bytes[2..67].copy_from_slice(bad);
            }
        };
        assert!(transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, swap).is_err());
        // From the reader.
        let swap = |number, bytes: &mut Vec<u8>| {
            if number == 2 {
                let at = bytes.windows(2).position(|pair| pair == [0x87, 65]).unwrap() + 2;
                bytes[at..at + 65].copy_from_slice(bad);
            }
        };
        assert!(transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, swap).is_err());
        assert!(!phone.events.iter().any(|event| matches!(event, seam_ble::aliro::device::Event::Proven(_))));
    }
    // In another length: compressed, and infinity.
    let command = auth0(good);
    let at = command.windows(2).position(|pair| pair == [0x87, 65]).unwrap();
    for short in [&good.compressed()[..], &[0]] {
        let mut changed = [&command[..at + 1], &[u8::try_from(short.len()).unwrap()], short, &command[at + 67..]].concat();
        changed[4] = u8::try_from(changed.len() - 6).unwrap();
        assert_eq!(Command::parse(&changed).map(|_| ()), Err(AliroError::Tlv(TlvError::Value(0x87))));
    }
}

/// Line 2: also where the two keys are agreed on.
fn line_02_nobody_agrees_on_a_key_with_himself<B: Backend>() {
    let crypto = B::default();
    let (key, own) = crypto.agreement_key(&Secret::new([7; 32])).unwrap();
    let (_, peer) = crypto.agreement_key(&Secret::new([8; 32])).unwrap();
    let agree = |with| keys::agree(&crypto, &key, &own, with, &TransactionId([1; 16])).map(drop);
    assert_eq!((agree(&own), agree(&peer)), (Err(AliroError::OwnKey), Ok(())));
}

/// Line 8: a cryptogram that is missing, and one that nobody asked for.
fn line_08_a_cryptogram_comes_when_it_is_asked_for_and_only_then<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let reader = Reader::new(&crypto, reader_id(), &key);
    // The answer to AUTH0 begins with the phone's key, 67 bytes.
    let without = |number, bytes: &mut Vec<u8>| {
        if number == 3 {
            bytes.drain(67..67 + 66);
        }
    };
    assert_eq!(transact(reader, &mut phone, Some(&[]), 1, without).map(|_| ()), Err(AliroError::Cryptogram));
    let with = |number, bytes: &mut Vec<u8>| {
        if number == 3 {
            bytes.splice(67..67, [0x9D, 64].into_iter().chain([0; 64]));
        }
    };
    assert_eq!(transact(reader, &mut phone, None, 2, with).map(|_| ()), Err(AliroError::Cryptogram));
}

/// Line 3: r or s zero or not below the order, and DER instead of the 64 bytes, as the reader's signature.
fn line_03_a_signature_out_of_range_or_in_der_is_refused<B: Backend>() {
    let crypto = B::default();
    let (key, _) = pair(&crypto);
    let order: [u8; 32] = array(ORDER);
    let mut good = None;
    let (_, mut phone) = pair(&crypto);
    transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, |number, bytes| {
        if number == 4 {
            good = Some(bytes.clone());
        }
    })
    .unwrap();
    let good = good.unwrap();
    let Ok(Command::Auth1(auth1)) = Command::parse(&good) else { panic!() };
    let (r, s) = auth1.signature.as_bytes().split_at(32);
    let zero = [0; 32];
    for (r, s) in [(&zero[..], s), (r, &zero[..]), (&order, s), (r, &order), (&zero, &zero), (&[0xFF; 32], &[0xFF; 32])] {
        let signature = Signature::from_slice(&[r, s].concat()).unwrap();
        let forged = written(|out| Ok(Command::Auth1(Auth1 { signature, ..auth1 }).write(out)?)).1;
        let swap = |number, bytes: &mut Vec<u8>| {
            if number == 4 {
                *bytes = forged.clone();
            }
        };
        let (_, mut phone) = pair(&crypto);
        let refused = transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, swap);
        assert!(matches!(refused.map(|_| ()), Err(AliroError::Status(_))));
        assert_eq!(phone.device.state_name(), "idle");
    }
    let der = [&[0x30, 0x44, 0x02, 0x20][..], r, &[0x02, 0x20], s].concat();
    let changed = [&good[..5], &[0x41, 1, 1, 0x9E, 70], &der, &[0]].concat();
    let mut changed = changed;
    changed[4] = u8::try_from(changed.len() - 6).unwrap();
    assert_eq!(Command::parse(&changed).map(|_| ()), Err(AliroError::Tlv(TlvError::Value(0x9E))));
}

/// A key that shows a public key, and signs as it likes.
struct Impostor<F>(PublicKey, F);

impl<F: Fn(&[u8]) -> Signature> SigningKey for Impostor<F> {
    fn public_key(&self) -> PublicKey {
        self.0
    }
    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        Ok((self.1)(message))
    }
}

/// A phone with one key.
struct OneKey<K>(K, Trust);

impl<K: SigningKey> Wallet for OneKey<K> {
    type Key = K;
    fn credential(&self, _: &ReaderId, _: Policy) -> Option<Credential<'_, K>> {
        let (key, trust, signaling) = (&self.0, self.1, Signaling(0));
        Some(Credential { key, trust, signaling, persistent: None, credential_signed: None, revocation_signed: None })
    }
    fn document(&self, _: &ReaderId, _: DocType, _: &str) -> Option<&[u8]> {
        None
    }
}

/// Whom the reader takes a phone for that shows `shown` and signs by `signs`.
fn taken_for<B: Backend>(
    crypto: &B,
    reader: &B::Key,
    shown: PublicKey,
    seed: u8,
    signs: impl Fn(&[u8]) -> Signature,
) -> Result<PublicKey, AliroError> {
    let wallet = OneKey(Impostor(shown, signs), Trust::Key(reader.public_key()));
    let (mut device, random) = (Device::nfc(crypto, proprietary()), device_random(seed ^ 0x77));
    let mut send = |command: &[u8]| {
        let (mut command, mut scratch, mut answer) = (command.to_vec(), [0; 512], [0; 512]);
        let mut out = Writer::new(&mut answer);
        let moment = Moment { wallet: &wallet, random: &random, now: None, mailbox: &mut [], scratch: &mut scratch };
        device.handle(&mut command, moment, &mut out).unwrap();
        out.as_slice().to_vec()
    };
    let (state, command) = written(|out| Reader::new(crypto, reader_id(), reader).select(out));
    let state = state.on_response(&send(&command))?;
    let (state, command) = written(|out| state.auth0(&reader_random(seed), false, out));
    let none: [&StoredPhone; 0] = [];
    let Auth0Outcome::Standard(unproven) = state.on_response(&send(&command), none)? else { panic!("no cryptogram was asked for") };
    let (state, command) = written(|out| unproven.auth1(out));
    state.on_response(&mut send(&command), |_| None).map(|outcome| outcome.credential)
}

/// Line 4: a phone that does everything right, and shows a key that it does not hold: it signs with another one, repeats what the key signed
/// before, or turns round what the reader signs.
fn line_04_a_phone_that_does_not_hold_the_key_it_shows_is_refused<B: Backend>() {
    let crypto = B::default();
    let (reader, guest, own) = (B::key([0x33; 32]), B::key([0x44; 32]), B::key([0x66; 32]));
    let shown = guest.public_key();
    let refused = Err(AliroError::Crypto(CryptoError::Signature));

    let heard = RefCell::new(None);
    let honest = taken_for(&crypto, &reader, shown, 1, |message| *heard.borrow_mut().insert(guest.sign(message).unwrap()));
    assert_eq!(honest, Ok(shown));
    let heard = heard.into_inner().unwrap();
    assert_eq!(taken_for(&crypto, &reader, shown, 1, |_| heard), Ok(shown), "in the same transaction it fits");

    assert_eq!(taken_for(&crypto, &reader, shown, 2, |message| own.sign(message).unwrap()), refused);
    assert_eq!(taken_for(&crypto, &reader, shown, 3, |_| heard), refused, "in another one it does not");
    let turned_round = taken_for(&crypto, &reader, reader.public_key(), 4, |message| {
        let usage = message.len() - 4;
        reader.sign(&[&message[..usage], &[0x41, 0x5D, 0x95, 0x69]].concat()).unwrap()
    });
    assert_eq!(turned_round, refused);
}

/// Line 11: AUTH0's list with a tag twice, one missing, one too many, something behind it, and lengths in another form than the shortest.
fn line_11_a_list_that_is_not_in_its_one_form_is_refused<B: Backend>() {
    let crypto = B::default();
    let (_, good) = crypto.agreement_key(&Secret::new([7; 32])).unwrap();
    let command = auth0(good);
    let list = &command[5..command.len() - 1];
    let parse = |list: &[u8]| {
        let head = [0x80, 0x80, 0, 0, u8::try_from(list.len()).unwrap()];
        Command::parse(&[&head[..], list, &[0]].concat()).map(|_| ())
    };
    assert_eq!(parse(list), Ok(()));
    let tlv = |error| Err(AliroError::Tlv(error));
    assert_eq!(parse(&[list, &[0x41, 1, 0]].concat()), tlv(TlvError::Duplicate(0x41)));
    assert_eq!(parse(&list[3..]), tlv(TlvError::Missing(0x41)));
    assert_eq!(parse(&[list, &[0x43, 1, 0]].concat()), tlv(TlvError::Unexpected(0x43)));
    assert_eq!(parse(&[list, &[0]].concat()), tlv(TlvError::Truncated));
    assert_eq!(parse(&[&[0x41, 0x81, 1, 0][..], &list[3..]].concat()), tlv(TlvError::Length), "a long form of a short length");
    assert_eq!(parse(&[&[0x41, 0x80, 0, 0, 0][..], &list[3..]].concat()), tlv(TlvError::Length), "indefinite");
    assert_eq!(parse(&[&[0x41, 0x83, 1, 0, 0][..], &list[3..]].concat()), tlv(TlvError::Length), "2^16");
    assert_eq!(parse(&[&[0x41, 1, 2][..], &list[3..]].concat()), Err(AliroError::Value), "a flag that there is not");
    assert_eq!(parse(&[&list[..3], &[0x42, 1, 4], &list[6..]].concat()), Err(AliroError::Value), "a policy that there is not");
}

/// A backend that writes down what it is asked for.
struct Noting<B>(B, RefCell<Vec<(&'static str, usize)>>);

impl<B> Noting<B> {
    fn note(&self, what: &'static str, length: usize) {
        self.1.borrow_mut().push((what, length));
    }
}

impl<B: Crypto> Crypto for Noting<B> {
    type AgreementKey = B::AgreementKey;
    fn agreement_key(&self, random: &Secret<32>) -> Result<(Self::AgreementKey, PublicKey), CryptoError> {
        self.note("key", 0);
        self.0.agreement_key(random)
    }
    fn agree(&self, key: &Self::AgreementKey, peer: &PublicKey) -> Result<Secret<32>, CryptoError> {
        self.note("agree", 0);
        self.0.agree(key, peer)
    }
    fn decompress(&self, compressed: &[u8; 33]) -> Result<PublicKey, CryptoError> {
        self.note("decompress", 0);
        self.0.decompress(compressed)
    }
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        self.note("verify", message.len());
        self.0.verify(key, message, signature)
    }
    fn sha256(&self, pieces: &[&[u8]]) -> [u8; 32] {
        self.note("sha256", pieces.concat().len());
        self.0.sha256(pieces)
    }
    fn sha1(&self, pieces: &[&[u8]]) -> [u8; 20] {
        self.note("sha1", pieces.concat().len());
        self.0.sha1(pieces)
    }
    fn hmac_sha256(&self, key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
        self.note("hmac", pieces.concat().len());
        self.0.hmac_sha256(key, pieces)
    }
    fn hkdf(&self, secret: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        self.note("hkdf", salt.len() + info.concat().len() + out.len());
        self.0.hkdf(secret, salt, info, out)
    }
    fn gcm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        self.note("gcm_seal", associated.len() + data.len());
        self.0.gcm_seal(key, nonce, associated, data)
    }
    fn gcm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
        self.note("gcm_open", associated.len() + data.len());
        self.0.gcm_open(key, nonce, associated, data, tag)
    }
    fn ccm_seal(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        self.note("ccm_seal", associated.len() + data.len());
        self.0.ccm_seal(key, nonce, associated, data)
    }
    fn ccm_open(&self, key: &Secret<32>, nonce: &[u8; 12], associated: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Result<(), CryptoError> {
        self.note("ccm_open", associated.len() + data.len());
        self.0.ccm_open(key, nonce, associated, data, tag)
    }
    fn aes128_block(&self, key: &Secret<16>, block: &mut [u8; 16]) {
        self.note("aes", 16);
        self.0.aes128_block(key, block);
    }
}

impl<B: Default> Default for Noting<B> {
    fn default() -> Self {
        Self(B::default(), RefCell::default())
    }
}

impl<B: Backend> Backend for Noting<B> {
    type Key = B::Key;
    fn key(bytes: [u8; 32]) -> B::Key {
        B::key(bytes)
    }
}

/// Line 8: whether a phone knows the reader, and whether it was here before, shows neither in what it computes for AUTH0 nor in how much of it: a reader
/// with a stopwatch learns nothing. (Tests with a stopwatch of our own would only measure the machine.)
fn line_08_a_phone_that_knows_the_reader_does_the_same_work_as_one_that_does_not<B: Backend>() {
    let crypto = Noting::<B>::default();
    let key = B::key([0x33; 32]);
    let strange = seam_ble::aliro::ReaderId::new([9; 32]);
    let stored = [StoredPhone { credential: key.public_key(), persistent: Secret::new([5; 32]) }];
    let mut works = Vec::new();
    for (id, persistent) in [(reader_id(), None), (reader_id(), Some(Secret::new([6; 32]))), (strange, None)] {
        let mut phone = Phone::<Noting<B>>::new(Device::nfc(&crypto, proprietary()), reader_id(), Trust::Key(key.public_key()));
        phone.wallet.persistent = persistent;
        let mut at_auth0 = 0..0;
        let noted = || crypto.1.borrow().len();
        let _ = transact(Reader::new(&crypto, id, &key), &mut phone, Some(&stored), 1, |number, _| match number {
            // AUTH0 goes to the phone, and its answer comes back.
            2 => at_auth0.start = noted(),
            3 => at_auth0.end = noted(),
            _ => {}
        });
        works.push(crypto.1.borrow()[at_auth0].to_vec());
    }
    assert!(works[0].iter().any(|(what, _)| *what == "hkdf"), "{works:?}");
    assert_eq!(works[0], works[1], "new here, or not");
    assert_eq!(works[0], works[2], "known, or not");
}

on_each_backend!(
    line_01_an_ephemeral_key_that_is_no_point_is_refused,
    line_02_nobody_agrees_on_a_key_with_himself,
    line_03_a_signature_out_of_range_or_in_der_is_refused,
    line_04_a_phone_that_does_not_hold_the_key_it_shows_is_refused,
    line_08_a_cryptogram_comes_when_it_is_asked_for_and_only_then,
    line_08_a_phone_that_knows_the_reader_does_the_same_work_as_one_that_does_not,
    line_11_a_list_that_is_not_in_its_one_form_is_refused,
);
