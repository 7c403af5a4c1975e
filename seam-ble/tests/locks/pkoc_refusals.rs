//! The negative list of mobile keys, as far as it concerns PKOC over Bluetooth. `n1` to `n20` are its lines.
use crate::pkoc_setup::{LOCATION, NOW, SITE, Setup, certificate, phone_key, who};
use crate::support::{ORDER, PRIME, flipped, hex, key, public, written};
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Crypto, CryptoError, PublicKey, Secret, SigningKey, TAG};
use seam_ble::pkoc::{
    Anchor, Certificate, CertificateError, NO_END, PkocError, ProtocolVersion, Reader, ReadersOfSite, Response, Site, Wire,
};
use seam_ble::tlv::{LengthForm, TlvError};

/// A message out of fields, in the setup's form of lengths.
fn message(setup: &Setup, fields: &[(u16, &[u8])]) -> Vec<u8> {
    let form = if setup.wire == Wire::V1 { LengthForm::OneByte } else { LengthForm::Ber };
    let put = |out: &mut seam_ble::bytes::Writer<'_>| {
        fields.iter().try_for_each(|(tag, value)| seam_ble::tlv::put_with(out, form, *tag, &[value]))
    };
    written(put).unwrap().0
}

fn version(setup: &Setup) -> Vec<u8> {
    setup.reader.version.as_bytes().to_vec()
}

/// What the phone says to a first message with this session key in it.
fn greet_with_key(compressed: &[u8]) -> PkocError {
    let setup = Setup::site_key();
    let greeting = message(&setup, &[(0x0C, &version(&setup)), (0x02, compressed), (0x0D, &LOCATION.0), (0x0E, &SITE.0)]);
    setup.greet(&greeting).unwrap_err()
}

/// What the reader says to a second message with this session key in it.
fn prove_with_key(uncompressed: &[u8]) -> PkocError {
    let setup = Setup::site_key();
    let (_, reader) = setup.begin();
    setup.prove(reader, &message(&setup, &[(0x07, uncompressed), (0x0C, &version(&setup))])).unwrap_err()
}

/// What the reader says to an encrypted message with these fields, sealed with the right key and the given counter.
fn present_with(setup: &Setup, fields: &[(u16, &[u8])], nonce: [u8; 12]) -> Result<(), PkocError> {
    let (_, reader) = setup.begin();
    let (answer, _) = setup.greet(&setup.begin().0).unwrap();
    let (_, state) = setup.prove(reader, &answer).unwrap();
    let mut plain = message(setup, fields);
    let tag = RustCrypto.ccm_seal(&channel_key(), &nonce, &[], &mut plain).unwrap();
    setup.finish(state, &message(setup, &[(0x40, &[plain.as_slice(), &tag].concat())])).map(|_| ())
}

/// The key of the channel between the two session keys of the setup, computed from the phone's side.
fn channel_key() -> Secret<32> {
    let (phone, _) = RustCrypto.agreement_key(&Secret::new([who::DEVICE_SESSION; 32])).unwrap();
    let common = RustCrypto.agree(&phone, &public(who::READER_SESSION)).unwrap();
    Secret::new(RustCrypto.sha256(&[common.expose()]))
}

fn signed() -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[..16].copy_from_slice(&SITE.0);
    bytes[16..32].copy_from_slice(&LOCATION.0);
    bytes[32..64].copy_from_slice(public(who::DEVICE_SESSION).x());
    bytes[64..].copy_from_slice(public(who::READER_SESSION).x());
    bytes
}

const NONCE: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];

#[test]
fn n1_a_key_that_is_no_point_is_refused_by_both_sides() {
    let bad = CryptoError::PublicKey;
    // About every second x has no point.
    let off = (0_u8..50)
        .map(|x| [&[2][..], &[0; 31], &[x]].concat())
        .filter(|key| RustCrypto.decompress(key.as_slice().try_into().unwrap()).is_err());
    let off: Vec<_> = off.collect();
    assert!(off.len() > 10, "about half of all numbers are no x of a point");
    for key in off {
        assert_eq!(greet_with_key(&key), PkocError::Crypto(bad));
    }
    for x in [PRIME, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"] {
        assert_eq!(greet_with_key(&[vec![2], hex(x)].concat()), PkocError::Crypto(bad), "x is not below the prime");
        assert_eq!(prove_with_key(&[vec![4], hex(x), public(9).as_bytes()[33..].to_vec()].concat()), PkocError::Crypto(bad));
    }
    let mut moved = *public(9).as_bytes();
    moved[64] ^= 1;
    assert_eq!(prove_with_key(&moved), PkocError::Crypto(bad), "not on the curve");
    assert_eq!(prove_with_key(&[0; 65]), PkocError::Crypto(bad));
    assert_eq!(prove_with_key(&[&[4][..], &[0; 64]].concat()), PkocError::Crypto(bad), "zero");
    assert_eq!(prove_with_key(&[0]), PkocError::Crypto(bad), "infinity");
    assert_eq!(prove_with_key(&public(9).compressed()), PkocError::Crypto(bad), "compressed where it must not be");
    assert_eq!(greet_with_key(public(9).as_bytes()), PkocError::Tlv(TlvError::Value(0x02)), "uncompressed where it must not be");
    assert_eq!(greet_with_key(&[[5].as_slice(), public(9).x()].concat()), PkocError::Crypto(bad));
}

#[test]
fn n2_a_key_of_ones_own_that_comes_back_is_refused() {
    // The reader's session key as the phone's, and its negative, which has the same x.
    assert_eq!(prove_with_key(public(who::READER_SESSION).as_bytes()), PkocError::Reflected);
    let mut negative = public(who::READER_SESSION).compressed();
    negative[0] ^= 1;
    assert_eq!(prove_with_key(RustCrypto.decompress(&negative).unwrap().as_bytes()), PkocError::Reflected);
    // The phone's session key as the reader's: only a broken generator makes this happen.
    assert_eq!(greet_with_key(&public(who::DEVICE_SESSION).compressed()), PkocError::Reflected);
}

#[test]
fn n3_signatures_out_of_range_or_in_der_are_refused() {
    let setup = Setup::site_key();
    let zero = [0_u8; 32];
    let good = key(who::SITE).sign(&signed()).unwrap();
    let (r, s) = good.as_bytes().split_at(32);
    let order = hex(ORDER);
    for (r, s) in [(&zero[..], s), (r, &zero[..]), (&order, s), (r, &order), (&zero, &zero), (&[0xFF; 32], &[0xFF; 32])] {
        let (greeting, reader) = setup.begin();
        let (answer, phone) = setup.greet(&greeting).unwrap();
        setup.prove(reader, &answer).unwrap();
        let refused = setup.present(phone, &message(&setup, &[(0x03, &[r, s].concat())]), &[]).unwrap_err();
        assert_eq!(refused, PkocError::Crypto(CryptoError::Signature));
        // The same from the phone to the reader.
        let phone = phone_key();
        let fields: [(u16, &[u8]); 4] = [(0x01, phone.as_bytes()), (0x03, &[r, s].concat()), (0x09, &[0; 4]), (0x0C, &version(&setup))];
        assert_eq!(present_with(&setup, &fields, NONCE), Err(PkocError::Crypto(CryptoError::Signature)));
    }
    let der = [&[0x30, 0x44, 0x02, 0x20][..], r, &[0x02, 0x20], s].concat();
    let (greeting, _) = setup.begin();
    let (_, phone) = setup.greet(&greeting).unwrap();
    assert_eq!(setup.present(phone, &message(&setup, &[(0x03, &der)]), &[]).unwrap_err(), PkocError::Tlv(TlvError::Value(0x03)));
}

#[test]
fn n3_either_half_of_s_is_accepted() {
    let setup = Setup::site_key();
    let good = key(who::SITE).sign(&signed()).unwrap();
    // n - s, by schoolbook subtraction.
    let (mut other, mut borrow) = (*good.as_bytes(), 0_i16);
    for (at, n) in (32..64).rev().zip(hex(ORDER).into_iter().rev()) {
        let digit = i16::from(n) - i16::from(good.as_bytes()[at]) - borrow;
        borrow = i16::from(digit < 0);
        other[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    for signature in [*good.as_bytes(), other] {
        let (_, phone) = setup.greet(&setup.begin().0).unwrap();
        assert!(setup.present(phone, &message(&setup, &[(0x03, &signature)]), &[]).is_ok());
    }
}

// Line 4 (swapped usage) in the shape it has here: PKOC signs without a word that says who signs.
#[test]
fn n4_the_readers_own_proof_is_no_credential() {
    for setup in Setup::all() {
        let proof = setup.reader.key.sign(&signed()).unwrap();
        let reader_key = setup.reader.key.public_key();
        let fields: [(u16, &[u8]); 4] =
            [(0x01, reader_key.as_bytes()), (0x03, proof.as_bytes()), (0x09, &[0; 4]), (0x0C, &version(&setup))];
        assert_eq!(present_with(&setup, &fields, NONCE), Err(PkocError::Reflected));
    }
    let mut same = Setup::site_key();
    same.phone = key(who::SITE);
    assert_eq!(same.greet(&same.begin().0).unwrap_err(), PkocError::Reflected);
}

#[test]
fn n6_a_changed_version_is_noticed() {
    for setup in Setup::all() {
        let offset = setup.transcript()[0].windows(2).position(|pair| pair[0] == 0x0C).unwrap() + 2;
        for at in 0..setup.reader.version.as_bytes().len() {
            let changed = |index: usize, mut message: Vec<u8>| {
                if index == 0 {
                    message[offset + at] ^= 0x02;
                }
                message
            };
            assert_eq!(setup.transaction(changed).unwrap_err(), PkocError::VersionChanged, "byte {at}");
        }
        // Whoever changes both clear messages is found out by the encrypted one.
        let other = ProtocolVersion::two_part(1, 9);
        let (phone, signature) = (phone_key(), key(who::PHONE).sign(&signed()).unwrap());
        let fields: [(u16, &[u8]); 4] = [(0x01, phone.as_bytes()), (0x03, signature.as_bytes()), (0x09, &[0; 4]), (0x0C, other.as_bytes())];
        assert_eq!(present_with(&setup, &fields, NONCE), Err(PkocError::VersionChanged));
    }
    let setup = Setup::site_key();
    for (bytes, refused) in [
        (&[3, 0, 0, 0, 2][..], PkocError::NoCommonCipher),
        (&[3, 0, 0, 0][..], PkocError::Tlv(TlvError::Value(0x0C))),
        (&[3, 0, 0, 0, 0, 0, 1][..], PkocError::Tlv(TlvError::Value(0x0C))),
    ] {
        let session = public(who::READER_SESSION).compressed();
        let greeting = message(&setup, &[(0x0C, bytes), (0x02, &session), (0x0D, &LOCATION.0), (0x0E, &SITE.0)]);
        assert_eq!(setup.greet(&greeting).unwrap_err(), refused);
    }
}

#[test]
fn n6_a_reader_without_its_certificate_does_not_fall_back_to_a_shared_key() {
    let mut setup = Setup::certified();
    let bare = Reader { wire: Wire::V2, ..Reader::with_site_key(SITE, LOCATION, key(who::SITE)) };
    setup.reader = bare;
    assert_eq!(setup.greet(&setup.begin().0).unwrap_err(), PkocError::CertificateMissing);
    let mut old = Setup::site_key();
    old.reader.certificate = Some(certificate());
    let refused = written(|out| old.reader.begin(&RustCrypto, &Secret::new([1; 32]), out)).unwrap_err();
    assert_eq!(refused, PkocError::CertificateUnexpected);
}

#[test]
fn n7_tag_counter_and_direction_of_the_encrypted_message_are_bound() {
    let setup = Setup::site_key();
    let signature = key(who::PHONE).sign(&signed()).unwrap();
    let version = version(&setup);
    let phone = phone_key();
    let fields: [(u16, &[u8]); 4] = [(0x01, phone.as_bytes()), (0x03, signature.as_bytes()), (0x09, &[0; 4]), (0x0C, &version)];
    assert_eq!(present_with(&setup, &fields, NONCE), Ok(()));
    for wrong in
        [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0xFF; 12]]
    {
        assert_eq!(present_with(&setup, &fields, wrong), Err(PkocError::Crypto(CryptoError::Tag)), "{wrong:?}");
    }
    // Cut anywhere, and repeated to the next session.
    let credential = setup.transcript()[3].clone();
    let sealed = &credential[2..];
    for length in 0..sealed.len() {
        let (answer, _) = setup.greet(&setup.begin().0).unwrap();
        let (_, state) = setup.prove(setup.begin().1, &answer).unwrap();
        let refused = setup.finish(state, &message(&setup, &[(0x40, &sealed[..length])])).unwrap_err();
        let expected = if length < TAG { PkocError::Tlv(TlvError::Value(0x40)) } else { PkocError::Crypto(CryptoError::Tag) };
        assert_eq!(refused, expected);
    }
    let (greeting, reader) = written(|out| setup.reader.begin(&RustCrypto, &Secret::new([0x77; 32]), out)).unwrap();
    let (answer, _) = setup.greet(&greeting).unwrap();
    let (_, state) = setup.prove(reader, &answer).unwrap();
    assert_eq!(setup.finish(state, &credential).unwrap_err(), PkocError::Crypto(CryptoError::Tag));
}

#[test]
fn n11_each_form_of_length_is_refused_by_the_other_version() {
    let (old, new) = (Setup::all()[0].clone(), Setup::all()[1].clone());
    let (short, long) = (old.transcript()[3].clone(), new.transcript()[3].clone());
    assert_eq!((&short[..2], &long[..3]), (&[0x40, 0xA2][..], &[0x40, 0x81, 0xA2][..]));
    for (setup, other) in [(&old, &long), (&new, &short)] {
        let (answer, _) = setup.greet(&setup.begin().0).unwrap();
        let (_, state) = setup.prove(setup.begin().1, &answer).unwrap();
        assert!(matches!(setup.finish(state, other), Err(PkocError::Tlv(_))), "{:?}", setup.wire);
    }
}

#[test]
fn n11_malformed_lists_are_refused_with_their_reason() {
    let setup = Setup::all()[1].clone();
    let session = public(who::READER_SESSION).compressed();
    let version = version(&setup);
    let all: [(u16, &[u8]); 4] = [(0x0C, &version), (0x02, &session), (0x0D, &LOCATION.0), (0x0E, &SITE.0)];
    let good = message(&setup, &all);
    assert!(setup.greet(&good).is_ok());
    let says = |bytes: &[u8], error| assert_eq!(setup.greet(bytes).unwrap_err(), PkocError::Tlv(error));
    for (index, (tag, value)) in all.iter().enumerate() {
        let mut less = all.to_vec();
        less.remove(index);
        says(&message(&setup, &less), TlvError::Missing(*tag));
        says(&message(&setup, &[&all[..], &[all[index]]].concat()), TlvError::Duplicate(*tag));
        let mut short = all.to_vec();
        short[index].1 = &value[1..];
        let refused = setup.greet(&message(&setup, &short)).unwrap_err();
        assert_eq!(refused, PkocError::Tlv(TlvError::Value(*tag)), "one byte less in {tag:02X}");
    }
    says(&message(&setup, &[&all[..], &[(0x55, &[1][..])]].concat()), TlvError::Unexpected(0x55));
    says(&[good.as_slice(), &[0]].concat(), TlvError::Truncated);
    // 0C 81 05, 0C 80, 0C 82 FF FF: longer than needed, indefinite, and longer than there is.
    says(&[&[0x0C, 0x81, 0x05], &good[2..]].concat(), TlvError::Length);
    says(&[&[0x0C, 0x80], &good[2..]].concat(), TlvError::Length);
    says(&[&[0x0C, 0x82, 0xFF, 0xFF], &good[2..]].concat(), TlvError::Truncated);
    says(&[], TlvError::Missing(0x0C));
    assert_eq!(setup.greet(&[0; 513]).unwrap_err(), PkocError::Full);
}

// Lines 12 and 13 as far as they are PKOC's: the window of a reader's certificate, by the phone's clock.
#[test]
fn n13_a_readers_certificate_is_good_from_its_first_to_its_last_second() {
    let at = |now| {
        let mut setup = Setup::certified();
        setup.now = now;
        setup.greet(&setup.begin().0).map(|_| ())
    };
    let refused = |error| Err(PkocError::Certificate(error));
    assert_eq!(at(Some(NOW - 11)), refused(CertificateError::NotYet));
    assert_eq!(at(Some(NOW - 10)), Ok(()));
    assert_eq!(at(Some(NOW + 10)), Ok(()));
    assert_eq!(at(Some(NOW + 11)), refused(CertificateError::Expired));
    assert_eq!(at(None), refused(CertificateError::TimeUnknown));
}

#[test]
fn a_certificate_is_bound_to_reader_site_issuer_and_key() {
    let with = |certificate: Certificate, reader_key: u8| {
        let mut setup = Setup::certified();
        setup.reader.certificate = Some(certificate);
        setup.reader.key = key(reader_key);
        setup.transaction(|_, message| message).map(|presented| presented.key)
    };
    let issue = |issuer, site, location, reader| Certificate::issue(&key(issuer), site, location, 0, NO_END, &public(reader)).unwrap();
    let refused = |error| Err(PkocError::Certificate(error));
    assert_eq!(with(issue(who::ISSUER, SITE, LOCATION, who::READER), who::READER), Ok(phone_key()));
    let other = [9; 16];
    assert_eq!(
        with(issue(who::ISSUER, SITE, seam_ble::pkoc::LocationId(other), who::READER), who::READER),
        refused(CertificateError::Subject)
    );
    assert_eq!(
        with(issue(who::ISSUER, seam_ble::pkoc::SiteId(other), LOCATION, who::READER), who::READER),
        refused(CertificateError::Issuer)
    );
    assert_eq!(with(issue(who::SITE, SITE, LOCATION, who::READER), who::READER), refused(CertificateError::Signature));
    // A good certificate of somebody else's reader does not make one's own key good.
    assert_eq!(with(issue(who::ISSUER, SITE, LOCATION, who::READER), 0x7A), Err(PkocError::Crypto(CryptoError::Signature)));
}

#[test]
fn an_unknown_site_or_reader_learns_nothing() {
    let mut setup = Setup::certified();
    setup.site.id = seam_ble::pkoc::SiteId([0; 16]);
    assert_eq!(setup.greet(&setup.begin().0).unwrap_err(), PkocError::UnknownReader);
    let mut setup = Setup::certified();
    setup.site.readers = ReadersOfSite::Only(&[]);
    assert_eq!(setup.greet(&setup.begin().0).unwrap_err(), PkocError::UnknownReader);
    let anchored: Site<'_> = setup.site;
    assert!(matches!(anchored.anchor, Anchor::Issuer(_)));
}

#[test]
fn n15_two_phones_at_once_do_not_get_into_each_others_session() {
    let (one, mut two) = (Setup::certified(), Setup::certified());
    two.phone = key(0x67);
    let (greeting_one, reader_one) = one.begin();
    let (greeting_two, reader_two) = written(|out| two.reader.begin(&RustCrypto, &Secret::new([0x12; 32]), out)).unwrap();
    let (answer_one, phone_one) = one.greet(&greeting_one).unwrap();
    let (answer_two, phone_two) = {
        let sites = [two.site];
        written(|out| two.device(&sites).greet(&RustCrypto, &greeting_two, &Secret::new([0x23; 32]), two.now, out)).unwrap()
    };
    let (proof_one, reader_one) = one.prove(reader_one, &answer_one).unwrap();
    let (proof_two, reader_two) = two.prove(reader_two, &answer_two).unwrap();
    let (credential_one, _) = one.present(phone_one, &proof_one, &[]).unwrap();
    assert_eq!(two.present(phone_two, &proof_one, &[]).unwrap_err(), PkocError::Crypto(CryptoError::Signature));
    assert_eq!(two.finish(reader_two, &credential_one).unwrap_err(), PkocError::Crypto(CryptoError::Tag));
    assert_eq!(one.finish(reader_one, &credential_one).unwrap().key, phone_key());
    drop(proof_two);
}

#[test]
fn n16_no_state_prints_its_keys() {
    let setup = Setup::certified();
    let (greeting, reader) = setup.begin();
    let printed_reader = format!("{reader:?}");
    let (answer, phone) = setup.greet(&greeting).unwrap();
    let printed_phone = format!("{phone:?}");
    let (_, credential) = setup.prove(reader, &answer).unwrap();
    let all =
        [printed_reader, printed_phone, format!("{credential:?}"), format!("{:?}", setup.reader), format!("{:?}", setup.phone)].concat();
    assert!(all.contains("AwaitDevice(..)AwaitReaderProof(..)AwaitCredential(..)"), "{all}");
    let channel = channel_key();
    for secret in [&channel.expose()[..4], &[who::READER; 4], &[who::PHONE; 4], &[who::READER_SESSION; 4]] {
        let (hex, list) = (secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), format!("{secret:?}"));
        assert!(!all.to_lowercase().contains(&hex) && !all.contains(list.trim_matches(['[', ']'])), "{all}");
    }
}

#[test]
fn n19_every_message_in_every_state() {
    for setup in Setup::all() {
        let messages = setup.transcript();
        for (index, message) in messages.iter().enumerate() {
            // Who waits for which message: the phone for 0, 2 and 4, the reader for 1 and 3.
            let (_, reader) = setup.begin();
            let (answer, phone) = setup.greet(&messages[0]).unwrap();
            assert_eq!(setup.greet(message).is_ok(), index == 0, "the phone at first, message {index}");
            assert_eq!(setup.prove(reader, message).is_ok(), index == 1, "the reader at first, message {index}");
            assert_eq!(setup.present(phone, message, &[]).is_ok(), index == 2, "the phone with a session, message {index}");
            let (_, state) = setup.prove(setup.begin().1, &answer).unwrap();
            assert_eq!(setup.finish(state, message).is_ok(), index == 3, "the reader with a session, message {index}");
            let (_, phone) = setup.greet(&messages[0]).unwrap();
            let (_, last) = setup.present(phone, &messages[2], &[]).unwrap();
            assert_eq!(setup.response(last, message).is_ok(), index == 4, "the phone at the end, message {index}");
        }
    }
}

#[test]
fn every_bit_of_every_message_counts() {
    for setup in Setup::all() {
        let messages = setup.transcript();
        // The one exception: whether the reader's session key is the point or its negative. Only x is signed, and both have the same common
        // x with any key, so the transaction is the same one.
        let sign = (messages[0].windows(2).position(|header| header == [0x02, 33]).unwrap() + 2) * 8;
        for (index, message) in messages[..4].iter().enumerate() {
            for bit in (0..message.len() * 8).filter(|&bit| (index, bit) != (0, sign)) {
                let changed = setup.transaction(|at, message| if at == index { flipped(&message, bit) } else { message });
                assert!(changed.is_err(), "bit {bit} of message {index} made no difference");
            }
        }
        // The last message is not protected: a changed one is an error or another response, never the same one.
        for bit in 0..messages[4].len() * 8 {
            let (_, phone) = setup.greet(&messages[0]).unwrap();
            let (_, last) = setup.present(phone, &messages[2], &[]).unwrap();
            assert_ne!(setup.response(last, &flipped(&messages[4], bit)), Ok(Response::GRANTED), "bit {bit}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn n20_no_bytes_make_a_state_panic(bytes in proptest::collection::vec(0_u8.., 0..600)) {
        for setup in Setup::all() {
            let _ = setup.greet(&bytes);
            let _ = written(|out| setup.begin().1.receive(&RustCrypto, &setup.reader, &bytes, out));
            let _ = PublicKey::from_uncompressed(&bytes);
            let _ = Certificate::from_slice(&bytes);
            let _ = seam_ble::pkoc::RevocationList::accept(&RustCrypto, &bytes, &public(who::ISSUER), SITE, None);
        }
    }
}
