//! Transactions that go well, and what is on the wire.
use crate::pkoc_setup::{Setup, phone_key, who};
use crate::support::{key, public, written};
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Secret, SigningKey};
use seam_ble::lock::{
    Action, Claim, Entrance, EntranceId, EntranceKind, Grant, IssueNumber, KeyId, LockState, ProximityRule, Role, UnixTime, Window, Zone,
};
use seam_ble::pkoc::{
    Device, FirstAnswer, Flow, LocationId, MAX_EXTENSION, MAX_EXTENSION_V1, MAX_MESSAGE, PkocError, Response, RevocationError,
    RevocationList, SiteId, Wire,
};

#[test]
fn a_phone_proves_its_key_in_each_version() {
    for setup in Setup::all() {
        let presented = setup.transaction(|_, message| message).unwrap();
        assert_eq!((presented.key, presented.flow), (phone_key(), Flow::Ecdhe));
        assert!(presented.extension.is_empty());
    }
}

#[cfg(feature = "aws-lc")]
#[test]
fn the_backends_speak_with_each_other() {
    use seam_ble::crypto::aws_lc::AwsLc;
    let setup = Setup::certified();
    let (greeting, reader) = setup.begin_with(&AwsLc);
    let (answer, phone) = setup.greet(&greeting).unwrap();
    let (proof, next) = written(|out| reader.receive(&AwsLc, &setup.reader, &answer, out)).unwrap();
    let FirstAnswer::Proof(next) = next else { panic!("{next:?}") };
    let (credential, _) = setup.present(phone, &proof, &[]).unwrap();
    assert_eq!(next.receive(&AwsLc, &setup.reader, &credential).unwrap().key, phone_key());
}

#[test]
fn the_phones_key_is_in_no_message_in_clear() {
    for setup in Setup::all() {
        let messages = setup.transcript().concat();
        assert!(!messages.windows(8).any(|part| part == &phone_key().x()[..8]));
    }
}

#[test]
fn a_grant_of_our_own_travels_in_the_manufacturers_field() {
    for (setup, most) in [(Setup::site_key(), MAX_EXTENSION_V1), (Setup::certified(), MAX_EXTENSION)] {
        for length in [1, most] {
            let grant = vec![0x5A; length];
            let (greeting, reader) = setup.begin();
            let (answer, phone) = setup.greet(&greeting).unwrap();
            let (proof, reader) = setup.prove(reader, &answer).unwrap();
            let (credential, _) = setup.present(phone, &proof, &grant).unwrap();
            assert!(credential.len() <= MAX_MESSAGE);
            assert_eq!(setup.finish(reader, &credential).unwrap().extension.as_slice(), grant);
        }
        let (greeting, reader) = setup.begin();
        let (answer, phone) = setup.greet(&greeting).unwrap();
        let (proof, _) = setup.prove(reader, &answer).unwrap();
        assert_eq!(setup.present(phone, &proof, &vec![0; MAX_EXTENSION + 1]).unwrap_err(), PkocError::Full);
    }
}

#[test]
fn the_normal_flow_is_off_unless_both_ask_for_it() {
    let mut setup = Setup::site_key();
    let answer = |setup: &Setup, greeting: &[u8]| {
        let device = Device { key: setup.phone.clone(), sites: &[], last_update: 7, wire: setup.wire };
        written(|out| device.answer_normal_flow(&RustCrypto, greeting, out)).unwrap().0
    };
    let (greeting, reader) = setup.begin();
    let clear = answer(&setup, &greeting);
    assert!(clear.windows(32).any(|part| part == phone_key().x()), "this is what makes it a flow for tracking");
    let refused = written(|out| reader.receive(&RustCrypto, &setup.reader, &clear, out)).unwrap_err();
    assert_eq!(refused, PkocError::NormalFlowOff);

    setup.reader.allow_normal_flow = true;
    let (greeting, reader) = setup.begin();
    let clear = answer(&setup, &greeting);
    let (nothing, next) = written(|out| reader.receive(&RustCrypto, &setup.reader, &clear, out)).unwrap();
    let FirstAnswer::Presented(presented) = next else { panic!("{next:?}") };
    assert_eq!((presented.key, presented.last_update, presented.flow, nothing.len()), (phone_key(), 7, Flow::Normal, 0));

    // An answer to one reader's session key is none to another's.
    let other = written(|out| setup.reader.begin(&RustCrypto, &Secret::new([9; 32]), out)).unwrap().1;
    assert!(written(|out| other.receive(&RustCrypto, &setup.reader, &clear, out)).is_err());
}

#[test]
fn a_revocation_list_is_taken_when_it_is_newer_and_the_issuers() {
    let setup = Setup::certified();
    let (site, location) = (setup.reader.site, setup.reader.location);
    let (list, ()) =
        written(|out| RevocationList::issue(out, &key(who::ISSUER), site, 100, &[(LocationId([1; 16]), 50), (location, 60)])).unwrap();
    let accept =
        |bytes: &[u8], site, issuer, in_force| RevocationList::accept(&RustCrypto, bytes, &public(issuer), site, in_force).map(|_| ());
    assert_eq!(accept(&list, site, who::ISSUER, None), Ok(()));
    assert_eq!(accept(&list, site, who::ISSUER, Some(99)), Ok(()));
    assert_eq!(accept(&list, site, who::ISSUER, Some(100)), Err(RevocationError::NotNewer));
    assert_eq!(accept(&list, site, who::SITE, None), Err(RevocationError::Signature));
    assert_eq!(accept(&list, SiteId([0; 16]), who::ISSUER, None), Err(RevocationError::Issuer));
    assert_eq!(accept(&list[..list.len() - 1], site, who::ISSUER, None), Err(RevocationError::Format));
    for bit in 0..list.len() * 8 {
        assert!(accept(&crate::support::flipped(&list, bit), site, who::ISSUER, None).is_err(), "bit {bit}");
    }
    let accepted = RevocationList::accept(&RustCrypto, &list, &public(who::ISSUER), site, None).unwrap();
    assert!(accepted.names(location) && accepted.names(LocationId([1; 16])) && !accepted.names(LocationId([2; 16])));
    assert_eq!(accepted.issued(), 100);
}

#[test]
fn a_revoked_reader_gets_no_answer_although_its_certificate_is_good() {
    let setup = Setup::certified();
    let (list, ()) =
        written(|out| RevocationList::issue(out, &key(who::ISSUER), setup.reader.site, 100, &[(setup.reader.location, 60)])).unwrap();
    let revoked = RevocationList::accept(&RustCrypto, &list, &public(who::ISSUER), setup.reader.site, None).unwrap();
    let sites = [seam_ble::pkoc::Site { revoked: Some(revoked), ..setup.site }];
    let device = setup.device(&sites);
    let (greeting, _) = setup.begin();
    let refused = written(|out| device.greet(&RustCrypto, &greeting, &Secret::new([2; 32]), setup.now, out)).unwrap_err();
    assert_eq!(refused, PkocError::Certificate(seam_ble::pkoc::CertificateError::Revoked));
}

#[test]
fn a_proven_key_opens_by_the_locks_decision() {
    let setup = Setup::certified();
    let presented = setup.transaction(|_, message| message).unwrap();
    let room = EntranceId([7; 16]);
    let id = KeyId(seam_ble::crypto::Crypto::sha256(&RustCrypto, &[presented.key.as_bytes()]));
    let claim = Claim::Stay { issue: IssueNumber(2_000), role: Role::Override };
    let grant = Grant::new(room, id, claim, Window::from(UnixTime(2_000)));
    let entrance =
        Entrance { id: room, kind: EntranceKind::Reservation, largest_jump: 86_400, proximity: ProximityRule::HOTEL_ROOM, zone: Zone::UTC };
    let tap = seam_ble::lock::Evidence {
        link: seam_ble::lock::Link::Ble,
        distance: seam_ble::lock::Distance::Unknown,
        user: seam_ble::lock::UserAct::Gesture,
    };
    let now = seam_ble::lock::TrustedTime { value: UnixTime(2_500), max_error: 1 };
    let state = LockState::commissioned(UnixTime(1_000));
    assert!(seam_ble::lock::decide(&state, &entrance, &grant, Action::Momentary, Some(now), &tap).unwrap().opens_stay());
}

#[test]
fn the_codes_7_and_8_mean_what_their_version_says() {
    assert_eq!(Response(7).meaning(Wire::V1), "CCM failed");
    assert_eq!(Response(7).meaning(Wire::V2), "the reader's certificate is not valid");
    assert_eq!(Response(8).meaning(Wire::V1), "the reader is not known");
    assert_eq!(Response(8).meaning(Wire::V2), "the reader's certificate is revoked");
    assert_eq!(Response(9).meaning(Wire::V1), "a code without a known meaning");
    assert_eq!(key(who::PHONE).public_key(), phone_key());
}
