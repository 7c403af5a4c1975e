//! The backends answer alike: what one makes, the other takes, and what must be refused is refused by both.
#![cfg(all(feature = "aws-lc", feature = "rustcrypto"))]

use proptest::prelude::*;
use seam_ble::crypto::aws_lc::{self, AwsLc};
use seam_ble::crypto::rustcrypto::{self, RustCrypto};
use seam_ble::crypto::{Crypto, CryptoError, PublicKey, Secret, Signature, SigningKey};

const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
    0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

fn both<T: PartialEq + std::fmt::Debug>(rust: T, aws: T) -> T {
    assert_eq!(rust, aws);
    rust
}

fn agreement_key(bytes: [u8; 32]) -> Result<(rustcrypto::AgreementKey, aws_lc::AgreementKey, PublicKey), CryptoError> {
    let (secret, again) = (Secret::new(bytes), Secret::new(bytes));
    match (RustCrypto.agreement_key(&secret), AwsLc.agreement_key(&again)) {
        (Ok((rust, public)), Ok((aws, same))) => Ok((rust, aws, both(public, same))),
        (Err(error), Err(same)) => Err(both(error, same)),
        (rust, aws) => panic!("one backend takes the key, the other does not: {:?} {:?}", rust.map(|_| ()), aws.map(|_| ())),
    }
}

fn less(number: [u8; 32]) -> [u8; 32] {
    let mut number = number;
    for byte in number.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    number
}

/// ORDER - s: the other of the two signatures that verify.
fn other_half(s: [u8; 32]) -> [u8; 32] {
    let (mut difference, mut borrow) = ([0; 32], 0_i32);
    for place in (0..32).rev() {
        let digit = i32::from(ORDER[place]) - i32::from(s[place]) - borrow;
        borrow = i32::from(digit < 0);
        difference[place] = digit.rem_euclid(256).to_le_bytes()[0];
    }
    difference
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn agreement_is_equal(a: [u8; 32], b: [u8; 32]) {
        if let (Ok((rust_a, aws_a, public_a)), Ok((rust_b, aws_b, public_b))) = (agreement_key(a), agreement_key(b)) {
            let shared = both(RustCrypto.agree(&rust_a, &public_b), AwsLc.agree(&aws_a, &public_b)).unwrap();
            let reverse = both(RustCrypto.agree(&rust_b, &public_a), AwsLc.agree(&aws_b, &public_a)).unwrap();
            assert!(shared == reverse);
            let compressed = public_a.compressed();
            assert_eq!(both(RustCrypto.decompress(&compressed), AwsLc.decompress(&compressed)), Ok(public_a));
        }
    }

    #[test]
    fn each_verifies_what_the_other_signs_in_both_halves_of_s(key: [u8; 32], message: Vec<u8>, flip in 0_usize..64, bit in 0_u8..8) {
        let Ok(rust) = rustcrypto::SoftwareKey::from_bytes(&Secret::new(key)) else { return Ok(()) };
        let aws = aws_lc::SoftwareKey::from_bytes(&Secret::new(key)).unwrap();
        let public = both(rust.public_key(), aws.public_key());
        for signature in [rust.sign(&message).unwrap(), aws.sign(&message).unwrap()] {
            let verify = |signature: &Signature| both(RustCrypto.verify(&public, &message, signature), AwsLc.verify(&public, &message, signature));
            assert_eq!(verify(&signature), Ok(()));
            let mut other = *signature.as_bytes();
            let half = other_half(other[32..].try_into().unwrap());
            other[32..].copy_from_slice(&half);
            assert_eq!(verify(&Signature::new(other)), Ok(()), "neither demands the lower half");
            other[flip] ^= 1 << bit;
            assert_eq!(verify(&Signature::new(other)), Err(CryptoError::Signature));
        }
    }

    #[test]
    fn hashes_and_derivations_are_equal(key: Vec<u8>, salt: Vec<u8>, info: Vec<u8>, length in 0_usize..300) {
        let pieces = [&salt[..], &info[..]];
        both(RustCrypto.sha256(&pieces), AwsLc.sha256(&pieces));
        both(RustCrypto.sha1(&pieces), AwsLc.sha1(&pieces));
        both(RustCrypto.hmac_sha256(&key, &pieces), AwsLc.hmac_sha256(&key, &pieces));
        let (mut rust, mut aws) = (vec![0; length], vec![0; length]);
        both(RustCrypto.hkdf(&key, &salt, &[&info, &key], &mut rust), AwsLc.hkdf(&key, &salt, &[&info, &key], &mut aws)).unwrap();
        both(rust, aws);
    }

    #[test]
    fn gcm_is_equal_and_refuses_any_flipped_bit(key: [u8; 32], nonce: [u8; 12], associated: Vec<u8>, data: Vec<u8>, flip: prop::sample::Index, bit in 0_u8..8) {
        let key = Secret::new(key);
        let (mut rust, mut aws) = (data.clone(), data.clone());
        let tag = both(RustCrypto.gcm_seal(&key, &nonce, &associated, &mut rust), AwsLc.gcm_seal(&key, &nonce, &associated, &mut aws)).unwrap();
        let sealed = [both(rust, aws), tag.to_vec()].concat();
        let open = |bytes: &[u8]| {
            let (cipher, tag) = bytes.split_last_chunk().unwrap();
            let (mut rust, mut aws) = (cipher.to_vec(), cipher.to_vec());
            let rust = RustCrypto.gcm_open(&key, &nonce, &associated, &mut rust, tag).map(|()| rust);
            let aws = AwsLc.gcm_open(&key, &nonce, &associated, &mut aws, tag).map(|()| aws);
            both(rust, aws)
        };
        assert_eq!(open(&sealed), Ok(data));
        let mut changed = sealed.clone();
        let place = flip.index(changed.len());
        changed[place] ^= 1 << bit;
        assert_eq!(open(&changed), Err(CryptoError::Tag));
    }

    #[test]
    fn ccm_opens_what_it_sealed_only(key: [u8; 32], nonce: [u8; 12], data: Vec<u8>, flip: prop::sample::Index, bit in 0_u8..8) {
        let (key, mut sealed) = (Secret::new(key), data.clone());
        let tag = AwsLc.ccm_seal(&key, &nonce, &[1], &mut sealed).unwrap();
        let mut opened = sealed.clone();
        RustCrypto.ccm_open(&key, &nonce, &[1], &mut opened, &tag).unwrap();
        assert_eq!(opened, data);
        let mut bytes = [sealed, tag.to_vec()].concat();
        let place = flip.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let (cipher, tag) = bytes.split_last_chunk().unwrap();
        assert_eq!(RustCrypto.ccm_open(&key, &nonce, &[1], &mut cipher.to_vec(), tag), Err(CryptoError::Tag));
    }
}

#[test]
fn private_keys_outside_the_range_are_refused() {
    for bytes in [[0; 32], ORDER, [0xFF; 32]] {
        assert_eq!(agreement_key(bytes).map(|_| ()), Err(CryptoError::Scalar));
        assert_eq!(rustcrypto::SoftwareKey::from_bytes(&Secret::new(bytes)).map(|_| ()), Err(CryptoError::Scalar));
        assert_eq!(aws_lc::SoftwareKey::from_bytes(&Secret::new(bytes)).map(|_| ()), Err(CryptoError::Scalar));
    }
    assert!(agreement_key(less(ORDER)).is_ok());
}

/// Line 1 of the checklist: points that are none.
#[test]
fn points_that_are_not_on_the_curve_are_refused() {
    let (rust, aws, public) = agreement_key([7; 32]).unwrap();
    let mut off = *public.as_bytes();
    off[64] ^= 1;
    let mut beyond = *public.as_bytes();
    beyond[1..33].fill(0xFF); // x is not below the prime
    let mut zero = [0; 65];
    zero[0] = 4;
    for bytes in [off, beyond, zero] {
        let point = PublicKey::from_uncompressed(&bytes).unwrap();
        assert_eq!(both(RustCrypto.agree(&rust, &point), AwsLc.agree(&aws, &point)).map(|_| ()), Err(CryptoError::PublicKey));
        let signature = rustcrypto::SoftwareKey::from_bytes(&Secret::new([7; 32])).unwrap().sign(b"m").unwrap();
        let verified = both(RustCrypto.verify(&point, b"m", &signature), AwsLc.verify(&point, b"m", &signature));
        assert_eq!(verified, Err(CryptoError::Signature));
    }
    for compressed in [[5; 33], {
        let mut x = [0xFF; 33];
        x[0] = 2;
        x
    }] {
        assert_eq!(both(RustCrypto.decompress(&compressed), AwsLc.decompress(&compressed)), Err(CryptoError::PublicKey));
    }
}

/// Line 3 of the checklist: halves of a signature out of range.
#[test]
fn signature_halves_of_zero_or_above_the_order_are_refused() {
    let key = rustcrypto::SoftwareKey::from_bytes(&Secret::new([7; 32])).unwrap();
    let (public, good) = (key.public_key(), key.sign(b"m").unwrap());
    for half in [[0; 32], ORDER, [0xFF; 32]] {
        for place in [0, 32] {
            let mut bytes = *good.as_bytes();
            bytes[place..place + 32].copy_from_slice(&half);
            let signature = Signature::new(bytes);
            let verified = both(RustCrypto.verify(&public, b"m", &signature), AwsLc.verify(&public, b"m", &signature));
            assert_eq!(verified, Err(CryptoError::Signature));
        }
    }
}
