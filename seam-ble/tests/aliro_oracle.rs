//! The key schedule against another implementation of it, with random inputs. Nothing here is the library's but what is compared: SHA-256,
//! HMAC, HKDF and the X9.63 derivation are written out from FIPS 180-4, RFC 2104, RFC 5869 and SEC 1 (3.6.1), and salts and infos are put
//! together from the inputs, not from a transcript.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use seam_ble::aliro::keys::{self, ChannelKeys, Transcript};
use seam_ble::aliro::{Interface, MessageLengths, Proprietary, ReaderId, TransactionId, Version};
use seam_ble::bytes::Bytes;
use seam_ble::crypto::{PublicKey, Secret};
use support::{Backend, hex};

/// The first 32 bits behind the point of the `root`-th root of `prime`: what SHA-256 takes its constants from.
fn fraction(prime: u32, root: u32) -> u32 {
    // The root of prime * 2^(32 * root), found bit by bit, is the root of the prime with 32 bits behind the point.
    let target = u128::from(prime) << (32 * root);
    let found =
        (0..38).rev().map(|bit| 1_u128 << bit).fold(0, |found, bit| if (found | bit).pow(root) <= target { found | bit } else { found });
    found as u32
}

/// Of the rounds, and the first state: from the first 64 primes.
static CONSTANTS: LazyLock<(Vec<u32>, Vec<u32>)> = LazyLock::new(|| {
    let primes: Vec<u32> = (2..312).filter(|n| (2..*n).all(|divisor| n % divisor != 0)).collect();
    let fractions = |primes: &[u32], root| primes.iter().map(|prime| fraction(*prime, root)).collect();
    (fractions(&primes, 3), fractions(&primes[..8], 2))
});

fn sha256(message: &[u8]) -> [u8; 32] {
    let (constants, mut state) = CONSTANTS.clone();
    let mut padded = [message, &[0x80]].concat();
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w: Vec<u32> = block.chunks_exact(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        for t in 16..64 {
            let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
            let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
            w.push(s1.wrapping_add(w[t - 7]).wrapping_add(s0).wrapping_add(w[t - 16]));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h]: [u32; 8] = state[..].try_into().unwrap();
        for t in 0..64 {
            let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = h.wrapping_add(sum1).wrapping_add((e & f) ^ (!e & g)).wrapping_add(constants[t]).wrapping_add(w[t]);
            let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = sum0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        state.iter_mut().zip([a, b, c, d, e, f, g, h]).for_each(|(word, more)| *word = word.wrapping_add(more));
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>().try_into().unwrap()
}

/// No key here is longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| (0..64).map(|place| key.get(place).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    assert!(key.len() <= 64);
    sha256(&[&padded(0x5C)[..], &sha256(&[&padded(0x36), message].concat())].concat())
}

fn hkdf(secret: &[u8], salt: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    // A salt longer than a block goes into HMAC as its hash.
    let pseudorandom = if salt.len() > 64 { hmac(&sha256(salt), secret) } else { hmac(salt, secret) };
    let (mut okm, mut last) = (Vec::new(), Vec::new());
    for number in 1_u8.. {
        last = hmac(&pseudorandom, &[&last, info, &[number]].concat()).to_vec();
        okm.extend(&last);
        if okm.len() >= length {
            break;
        }
    }
    okm.truncate(length);
    okm
}

#[test]
fn the_oracle_itself_gives_published_values() {
    // FIPS 180-4's examples (one block, two blocks), and the lengths around which the padding changes.
    assert_eq!(sha256(b"abc")[..], hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    let two = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(sha256(two)[..], hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    assert_eq!(sha256(b"")[..], hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    // RFC 5869, A.1 and A.2 (whose salt is longer than a block).
    let okm = hkdf(&[0x0B; 22], &hex("000102030405060708090a0b0c"), &hex("f0f1f2f3f4f5f6f7f8f9"), 42);
    assert_eq!(okm, hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
    let count = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    let okm = hkdf(&count(0, 0x4F), &count(0x60, 0xAF), &count(0xB0, 0xFF), 82);
    assert_eq!(okm[..32], hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"));
}

/// What both sides saw, before anything is put together.
#[derive(Clone, Debug)]
struct Seen {
    ble: bool,
    version: u16,
    reader: [u8; 32],
    reader_key_x: [u8; 32],
    transaction: [u8; 16],
    flags: [u8; 2],
    /// Scalars of the ephemeral keys.
    scalars: [[u8; 32]; 2],
    credential: [u8; 32],
    versions: Vec<u16>,
    lengths: Option<[u16; 2]>,
    proprietary_vendor: Option<Vec<u8>>,
    command_vendor: Option<Vec<u8>>,
    answer_vendor: Option<Vec<u8>>,
    /// In the reader's GATT characteristic.
    supported: Vec<u16>,
    selected: u16,
    /// What the last standard phase left behind.
    persistent: [u8; 32],
}

fn vendor() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 0..=127))
}

/// Below the order of the curve, and not zero.
fn scalar() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>().prop_map(|mut bytes| {
        bytes[0] &= 0x7F;
        bytes[31] |= 1;
        bytes
    })
}

prop_compose! {
    fn seen()(
        (ble, version, reader, reader_key_x, transaction, flags) in any::<(bool, u16, [u8; 32], [u8; 32], [u8; 16], [u8; 2])>(),
        scalars in [scalar(), scalar()],
        (credential, persistent, selected, lengths) in any::<([u8; 32], [u8; 32], u16, Option<[u16; 2]>)>(),
        versions in vec(any::<u16>(), 1..=8),
        supported in vec(any::<u16>(), 0..=16),
        (proprietary_vendor, command_vendor, answer_vendor) in (vendor(), vendor(), vendor()),
    ) -> Seen {
        Seen {
            ble, version, reader, reader_key_x, transaction, flags, scalars, credential, versions, lengths, proprietary_vendor, command_vendor,
            answer_vendor, supported, selected, persistent,
        }
    }
}

fn tlv(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap();
    [tag, if length < 0x80 { &[] } else { &[0x81] }, &[length], value].concat()
}

fn pairs(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

impl Seen {
    fn vendor(&self) -> Vec<u8> {
        let of = |tag: u8, value: &Option<Vec<u8>>| value.as_ref().map(|value| tlv(&[tag], value)).unwrap_or_default();
        [of(0xB1, &self.command_vendor), of(0xB2, &self.answer_vendor)].concat()
    }

    fn proprietary(&self) -> Vec<u8> {
        let lengths = self.lengths.map(|[command, response]| {
            tlv(&[0x7F, 0x66], &[tlv(&[2], &command.to_be_bytes()), tlv(&[2], &response.to_be_bytes())].concat())
        });
        let own = self.proprietary_vendor.as_ref().map(|value| tlv(&[0xB3], value));
        let versions = tlv(&[0x5C], &pairs(&self.versions));
        tlv(&[0xA5], &[tlv(&[0x80], &[0, 0]), versions, lengths.unwrap_or_default(), own.unwrap_or_default()].concat())
    }

    /// `length` bytes as the specification derives them from `secret`.
    fn derive(&self, secret: &[u8], word: &str, with_credential: bool, ephemeral: [&PublicKey; 2], length: usize) -> Vec<u8> {
        let [reader_x, device_x] = ephemeral.map(|key| &key.as_bytes()[1..33]);
        let salt: [&[u8]; 11] = [
            &self.reader_key_x,
            word.as_bytes(),
            &self.reader,
            &[if self.ble { 0xC3 } else { 0x5E }],
            &[0x5C, 2],
            &self.version.to_be_bytes(),
            reader_x,
            &self.transaction,
            &self.flags,
            &self.proprietary(),
            if with_credential { &self.credential } else { &[] },
        ];
        hkdf(secret, &salt.concat(), &[device_x, &self.vendor()].concat(), length)
    }
}

fn keys_are_the_oracles<B: Backend>() {
    proptest!(ProptestConfig::with_cases(64), |(seen in seen())| {
        let crypto = B::default();
        let (key, reader_ephemeral) = crypto.agreement_key(&Secret::new(seen.scalars[0])).unwrap();
        let (device_key, device_ephemeral) = crypto.agreement_key(&Secret::new(seen.scalars[1])).unwrap();
        let ephemeral = [&reader_ephemeral, &device_ephemeral];
        let lengths = seen.lengths.map(|[command, response]| MessageLengths { command, response });
        let versions: Vec<Version> = seen.versions.iter().copied().map(Version).collect();
        let transcript = Transcript {
            interface: if seen.ble { Interface::Ble } else { Interface::Nfc },
            version: Version(seen.version),
            reader: ReaderId::new(seen.reader),
            reader_key_x: seen.reader_key_x,
            transaction: TransactionId(seen.transaction),
            reader_ephemeral,
            device_ephemeral,
            flags: seen.flags,
            proprietary: Proprietary::new(&versions, lengths, seen.proprietary_vendor.as_deref()).unwrap(),
            vendor: Bytes::from_slice(&seen.vendor()).unwrap(),
        };
        let credential = PublicKey::from_uncompressed(&[&[4][..], &seen.credential, &[9; 32]].concat()).unwrap();

        // The common point as the other side finds it; how a backend finds it is for `backends.rs`.
        let shared = crypto.agree(&device_key, &reader_ephemeral).unwrap();
        let agreed = keys::agree(&crypto, &key, &reader_ephemeral, &device_ephemeral, &transcript.transaction).unwrap();
        let own_agreed = sha256(&[&shared.expose()[..], &[0, 0, 0, 1], &seen.transaction].concat());
        prop_assert_eq!(agreed.expose(), &own_agreed);

        let standard = keys::standard(&crypto, &agreed, &transcript).unwrap();
        let okm = [&standard.exchange_reader, &standard.exchange_device, &standard.step_up, &standard.ble, &standard.ranging];
        prop_assert_eq!(okm.map(|key| *key.expose()).concat(), seen.derive(&own_agreed, "Volatile****", false, ephemeral, 160));

        let persistent = keys::persistent(&crypto, &agreed, &transcript, &credential).unwrap();
        prop_assert_eq!(persistent.expose().to_vec(), seen.derive(&own_agreed, "Persistent**", true, ephemeral, 32));

        let fast = keys::fast(&crypto, &Secret::new(seen.persistent), &transcript, &credential).unwrap();
        let okm = [&fast.cryptogram, &fast.exchange_reader, &fast.exchange_device, &fast.ble, &fast.ranging];
        prop_assert_eq!(okm.map(|key| *key.expose()).concat(), seen.derive(&seen.persistent, "VolatileFast", true, ephemeral, 160));

        let both = |keys: ChannelKeys| [keys.reader.expose().to_vec(), keys.device.expose().to_vec()];
        let step_up = ChannelKeys::step_up(&crypto, &standard.step_up).unwrap();
        let own = ["SKReader", "SKDevice"].map(|name| hkdf(standard.step_up.expose(), &[], name.as_bytes(), 32));
        prop_assert_eq!(both(step_up), own);

        let supported = pairs(&seen.supported);
        let salt = [&supported[..], &seen.selected.to_be_bytes()].concat();
        for key in [&standard.ble, &fast.ble] {
            let ble = ChannelKeys::ble(&crypto, key, &supported, Version(seen.selected)).unwrap();
            let own = ["BleSKReader", "BleSKDevice"].map(|name| hkdf(key.expose(), &salt, name.as_bytes(), 32));
            prop_assert_eq!(both(ble), own);
        }
    });
}

on_each_backend!(keys_are_the_oracles);
