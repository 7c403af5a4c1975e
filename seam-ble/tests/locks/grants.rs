//! What an issuer signs, and what of it a lock believes.
use crate::support::{flipped, key, public};
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Crypto, Signature};
use seam_ble::lock::{
    Action, Allow, Authority, Claim, ClockError, ClockLimits, Distance, Entrance, EntranceId, EntranceKind, Evidence, Grant, GrantError,
    IssueError, IssueNumber, KeyId, Link, LockClock, LockState, MAX_REVOCATION_LIST, MAX_REVOKED, ProximityRule, Refusal, Revocations,
    Role, Rule, SIGNED_GRANT_LEN, Schedule, ScheduleClock, SignedGrant, SiteId, TimeToken, TrustedTime, UnixTime, UserAct, Window, Zone,
    decide, key_id, sign_revocations, sign_time, verify_revocations,
};

const ROOM: EntranceId = EntranceId([1; 16]);
const SITE: SiteId = SiteId([9; 16]);
const ISSUER: u8 = 0x44;
const SERVICE: u8 = 0x45;
const PHONE: u8 = 0x66;

fn window() -> Window {
    Window { starts: UnixTime(2_000), ends: UnixTime(3_000) }
}

fn grant(claim: Claim) -> Grant<'static> {
    Grant::new(ROOM, key_id(&RustCrypto, &public(PHONE)), claim, window())
}

fn stay() -> Claim {
    Claim::Stay { issue: IssueNumber(2_000), role: Role::Joiner }
}

fn verify(bytes: &[u8]) -> Result<Grant<'static>, GrantError> {
    let issuers = [(public(ISSUER), Authority::Issuer), (public(SERVICE), Authority::Service)];
    SignedGrant::verify(&RustCrypto, bytes, &issuers, &public(PHONE))
}

#[test]
fn a_signed_grant_reads_back_as_it_was() {
    for claim in [Claim::Stay { issue: IssueNumber(7), role: Role::Override }, stay(), Claim::Staff, Claim::Common] {
        for made in [grant(claim), grant(claim).with_iteration(u64::MAX), grant(claim).without_time_proof()] {
            let signed = SignedGrant::issue(&key(ISSUER), &made).unwrap();
            assert_eq!(format!("{:?}", verify(signed.as_bytes()).unwrap()), format!("{made:?}"));
            let service = SignedGrant::issue(&key(SERVICE), &made).unwrap();
            let expected = format!("{:?}", made.signed_by(Authority::Service));
            assert_eq!(format!("{:?}", verify(service.as_bytes()).unwrap()), expected);
        }
    }
}

// Left out, a rule would turn "on Mondays" into "always".
#[test]
fn a_grant_with_rules_of_its_own_is_not_signed_without_them() {
    let on = [Schedule::new(2_000, 2_100, ScheduleClock::Utc, None).unwrap()];
    let during = [Rule { capabilities: Action::Momentary as u8, allow: Allow::During(1), deny: 0 }];
    let always = [Rule { capabilities: Action::Momentary as u8, allow: Allow::Always, deny: 0 }];
    for (rules, schedules) in [(&during[..], &on[..]), (&[], &[]), (&during[..], &[]), (&always[..], &on[..])] {
        let refused = SignedGrant::issue(&key(ISSUER), &grant(stay()).with_rules(rules, schedules));
        assert_eq!(refused.unwrap_err(), IssueError::Rules, "{rules:?}");
    }
    assert!(SignedGrant::issue(&key(ISSUER), &grant(stay()).with_rules(&always, &[])).is_ok(), "the same as without rules");
}

// The layout, written down a second time: a lock in the field has to read what a later version signs.
#[test]
fn the_bytes_of_a_grant_are_where_they_were() {
    let signed = SignedGrant::issue(&key(ISSUER), &grant(stay()).with_iteration(5)).unwrap();
    let expected = [
        b"seam-open-grant1".as_slice(),
        &[1; 16],
        &RustCrypto.sha256(&[public(PHONE).as_bytes()]),
        &[2],
        &2_000_u64.to_be_bytes(),
        &2_000_u64.to_be_bytes(),
        &3_000_u64.to_be_bytes(),
        &[0],
        &5_u64.to_be_bytes(),
    ]
    .concat();
    assert_eq!(signed.as_bytes()[..expected.len()], expected);
    assert_eq!(signed.as_bytes().len(), SIGNED_GRANT_LEN);
    let signature = Signature::from_slice(&signed.as_bytes()[expected.len()..]).unwrap();
    assert!(RustCrypto.verify(&public(ISSUER), &expected, &signature).is_ok());
}

#[test]
fn every_bit_of_a_grant_counts() {
    let signed = SignedGrant::issue(&key(ISSUER), &grant(stay())).unwrap();
    for bit in 0..SIGNED_GRANT_LEN * 8 {
        let refused = verify(&flipped(signed.as_bytes(), bit)).unwrap_err();
        assert!(matches!(refused, GrantError::Format | GrantError::Signature), "bit {bit}: {refused:?}");
    }
    for length in 0..SIGNED_GRANT_LEN {
        assert_eq!(verify(&signed.as_bytes()[..length]).unwrap_err(), GrantError::Format);
    }
}

#[test]
fn a_grant_is_good_for_its_own_key_and_from_its_own_issuer() {
    let signed = SignedGrant::issue(&key(ISSUER), &grant(stay())).unwrap();
    let issuers = [(public(ISSUER), Authority::Issuer)];
    let other = SignedGrant::verify(&RustCrypto, signed.as_bytes(), &issuers, &public(0x67)).unwrap_err();
    assert_eq!(other, GrantError::OtherKey);
    let forged = SignedGrant::issue(&key(0x46), &grant(stay())).unwrap();
    assert_eq!(verify(forged.as_bytes()).unwrap_err(), GrantError::Signature);
    // The issuer's signature over something else of the same key is none over a grant.
    let mut swapped = *signed.as_bytes();
    let time = sign_time(&key(ISSUER), ROOM, [0; 16], UnixTime(1)).unwrap();
    swapped[SIGNED_GRANT_LEN - 64..].copy_from_slice(&time.signature);
    assert_eq!(verify(&swapped).unwrap_err(), GrantError::Signature);
}

#[test]
fn a_revocation_list_reads_back_and_every_bit_of_it_counts() {
    for count in [0, 1, MAX_REVOKED] {
        let keys: Vec<_> = (0..count).map(|n| KeyId([u8::try_from(n).unwrap(); 32])).collect();
        let list = Revocations::new(9, 3, &keys).unwrap();
        let (bytes, ()) = written_long(|out| sign_revocations(out, &key(ISSUER), SITE, &list));
        assert!(bytes.len() <= MAX_REVOCATION_LIST);
        assert_eq!(verify_revocations(&RustCrypto, &bytes, &public(ISSUER), SITE), Ok(list));
        assert_eq!(verify_revocations(&RustCrypto, &bytes, &public(SERVICE), SITE), Err(GrantError::Signature));
        assert_eq!(verify_revocations(&RustCrypto, &bytes, &public(ISSUER), SiteId([8; 16])), Err(GrantError::OtherSite));
        for bit in (0..bytes.len() * 8).step_by(if count > 1 { 61 } else { 1 }) {
            assert!(verify_revocations(&RustCrypto, &flipped(&bytes, bit), &public(ISSUER), SITE).is_err(), "bit {bit}");
        }
    }
}

fn written_long<T>(write: impl FnOnce(&mut seam_ble::bytes::Writer<'_>) -> Result<T, seam_ble::bytes::Full>) -> (Vec<u8>, T) {
    let mut space = [0; MAX_REVOCATION_LIST];
    let mut out = seam_ble::bytes::Writer::new(&mut space);
    let result = write(&mut out).unwrap();
    (out.as_slice().to_vec(), result)
}

// Negative list 13 with real signatures: from a lock without any time to an open door, and nothing in between that could be forged.
#[test]
fn n13_a_lock_that_lost_its_time_gets_it_back_through_a_phone() {
    let entrance =
        Entrance { id: ROOM, kind: EntranceKind::Reservation, largest_jump: 86_400, proximity: ProximityRule::HOTEL_ROOM, zone: Zone::UTC };
    let tap = Evidence { link: Link::Ble, distance: Distance::Unknown, user: UserAct::Gesture };
    let grant = verify(SignedGrant::issue(&key(ISSUER), &grant(stay())).unwrap().as_bytes()).unwrap();
    let state = LockState::commissioned(UnixTime(1_000));
    let mut clock = LockClock::new(ClockLimits::default());
    let opens = |now: Option<TrustedTime>| decide(&state, &entrance, &grant, Action::Momentary, now, &tap).map(|_| ());
    assert_eq!(opens(clock.now(10)), Err(Refusal::TimeUnproven));
    let mut accept = |token: &TimeToken| {
        let check = |bytes: &[u8], signature: &[u8; 64]| RustCrypto.verify(&public(SERVICE), bytes, &Signature::new(*signature)).is_ok();
        clock.accept(token, ROOM, state.floor(), 12, check)
    };
    let token = |clock: u8, challenge| sign_time(&key(clock), ROOM, challenge, UnixTime(2_500)).unwrap();
    assert_eq!(accept(&token(SERVICE, [7; 16])), Err(ClockError::NoChallenge));
    clock.challenge([7; 16], 11);
    let mut accept = |token: &TimeToken| {
        let check = |bytes: &[u8], signature: &[u8; 64]| RustCrypto.verify(&public(SERVICE), bytes, &Signature::new(*signature)).is_ok();
        clock.accept(token, ROOM, state.floor(), 12, check)
    };
    assert_eq!(accept(&token(ISSUER, [7; 16])), Err(ClockError::Signature), "not the time's authority");
    clock.challenge([8; 16], 11);
    let check = |bytes: &[u8], signature: &[u8; 64]| RustCrypto.verify(&public(SERVICE), bytes, &Signature::new(*signature)).is_ok();
    assert_eq!(clock.accept(&token(SERVICE, [8; 16]), ROOM, state.floor(), 12, check), Ok(UnixTime(2_500)));
    assert_eq!(opens(clock.now(12)), Ok(()));
}

proptest::proptest! {
    #[test]
    fn n20_no_bytes_make_a_lock_panic(bytes in proptest::collection::vec(0_u8.., 0..1_200)) {
        let _ = verify(&bytes);
        let _ = verify_revocations(&RustCrypto, &bytes, &public(ISSUER), SITE);
    }
}
