//! One question each, and the answer word for word.
use super::*;

fn state() -> LockState {
    LockState::commissioned(UnixTime(1_000))
}

#[test]
fn a_window_holds_from_its_first_second_to_the_one_before_its_last() {
    let grant = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 3_000));
    for (now, answer) in [
        (1_999, Err(Refusal::NotYet)),
        (2_000, Ok(true)),
        (2_001, Ok(true)),
        (2_999, Ok(true)),
        (3_000, Err(Refusal::Expired)),
        (3_001, Err(Refusal::Expired)),
    ] {
        assert_eq!(verdict(&state(), &grant, at(now)), answer, "at {now}");
    }
    let empty = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 2_000));
    assert_eq!(verdict(&state(), &empty, at(2_000)), Err(Refusal::Expired));
}

#[test]
fn an_error_of_the_clock_counts_against_the_guest() {
    let grant = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 3_000));
    let about = |value, max_error| Some(TrustedTime { value: UnixTime(value), max_error });
    assert_eq!(verdict(&state(), &grant, about(2_010, 10)), Ok(true));
    assert_eq!(verdict(&state(), &grant, about(2_010, 11)), Err(Refusal::TimeUnproven));
    assert_eq!(verdict(&state(), &grant, about(2_989, 10)), Ok(true));
    assert_eq!(verdict(&state(), &grant, about(2_990, 10)), Err(Refusal::TimeUnproven));
    assert_eq!(verdict(&state(), &grant, about(3_010, 10)), Err(Refusal::Expired));
    assert_eq!(verdict(&state(), &grant, about(1_989, 10)), Err(Refusal::NotYet));
    assert_eq!(verdict(&state(), &grant, about(2_500, u32::MAX)), Err(Refusal::TimeUnproven));
}

// Negative list 13: unknown time together with timeVerificationRequired.
#[test]
fn n13_an_unknown_time_is_refused_where_the_grant_asks_for_proof() {
    let strict = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 3_000));
    assert_eq!(verdict(&state(), &strict, None), Err(Refusal::TimeUnproven));
    let lenient = strict.without_time_proof();
    assert_eq!(verdict(&state(), &lenient, None), Ok(true));
    // What is known is used all the same: by the floor the window is over.
    assert_eq!(verdict(&state().raise_floor(UnixTime(3_000)), &lenient, None), Err(Refusal::Expired));
    assert_eq!(verdict(&state(), &lenient, at(3_000)), Err(Refusal::Expired));
    assert_eq!(verdict(&state(), &lenient, at(1_999)), Err(Refusal::NotYet));
}

#[test]
fn n13_a_clock_that_went_back_is_not_believed() {
    let later = state().raise_floor(UnixTime(2_500));
    let grant = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 3_000));
    assert_eq!(verdict(&later, &grant, at(2_499)), Err(Refusal::ClockWentBack));
    assert_eq!(verdict(&later, &grant.without_time_proof(), at(2_499)), Err(Refusal::ClockWentBack));
    // The floor cuts off the impossible part of a wide span.
    let wide = Some(TrustedTime { value: UnixTime(2_000), max_error: 600 });
    assert_eq!(verdict(&state(), &grant, wide), Err(Refusal::TimeUnproven));
    assert_eq!(verdict(&later, &grant, wide), Ok(true));
}

#[test]
fn n14_a_later_stay_ends_the_earlier_one() {
    let first = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 9_000));
    let second = Grant::new(ROOM, BOB, stay(2_001), window(2_000, 9_000));
    let opened = decide(&state(), &room(), &second, Action::Momentary, at(2_500), &TAP).unwrap();
    let after = state().with_issue(opened.issue);
    assert_eq!(verdict(&after, &first, at(2_500)), Err(Refusal::Superseded));
    assert_eq!(verdict(&after, &second, at(2_500)), Ok(false), "it is its own stay already");
}

#[test]
fn n14_a_jump_too_far_needs_the_service_key() {
    let reach = 1_000 + u64::from(room().largest_jump);
    let far = |issue| Grant::new(ROOM, ALICE, stay(issue), window(0, u64::MAX));
    assert_eq!(verdict(&state(), &far(reach), at(2_000)), Ok(true));
    assert_eq!(verdict(&state(), &far(reach + 1), at(2_000)), Err(Refusal::JumpTooFar));
    assert_eq!(verdict(&state(), &far(reach + 1).signed_by(Authority::Service), at(2_000)), Ok(true));
    assert_eq!(verdict(&state(), &far(u64::MAX).signed_by(Authority::Service), at(2_000)), Err(Refusal::JumpTooFar));
    // Proven time moves the bound along, so a room that stood empty for years needs no service.
    assert_eq!(verdict(&state().raise_floor(UnixTime(1_001)), &far(reach + 1), at(2_000)), Ok(true));
}

#[test]
fn staff_neither_checks_nor_moves_the_number() {
    let lock = state().with_issue(IssueNumber(9_000));
    let staff = Grant::new(ROOM, ALICE, Claim::Staff, window(0, u64::MAX));
    let opening = decide(&lock, &room(), &staff, Action::Momentary, at(2_000), &TAP).unwrap();
    assert_eq!((opening.issue, opening.opens_stay()), (IssueNumber(9_000), false));
}

#[test]
fn nobody_is_inferred_to_be_staff() {
    let common = Entrance { kind: EntranceKind::Common, ..room() };
    let ask = |entrance: &Entrance<'_>, claim| {
        let grant = Grant::new(ROOM, ALICE, claim, window(0, u64::MAX));
        decide(&state(), entrance, &grant, Action::Momentary, at(2_000), &TAP).map(|_| ())
    };
    assert_eq!(ask(&room(), Claim::Common), Err(Refusal::WrongKind));
    assert_eq!(ask(&common, stay(2_000)), Err(Refusal::WrongKind));
    assert_eq!(ask(&common, Claim::Common), Ok(()));
    assert_eq!(ask(&common, Claim::Staff), Ok(()));
    assert_eq!(ask(&room(), Claim::Staff), Ok(()));
}

#[test]
fn another_entrance_stays_closed() {
    let other = Grant::new(EntranceId([0; 16]), ALICE, stay(2_000), window(0, u64::MAX));
    assert_eq!(verdict(&state(), &other, at(2_000)), Err(Refusal::OtherEntrance));
}

#[test]
fn a_revoked_key_stays_revoked_whatever_else_it_has() {
    let list = Revocations::new(1, 0, &[BOB, ALICE]).unwrap();
    let lock = state().with_revocations(list).unwrap();
    for claim in [stay(2_000), Claim::Staff] {
        let grant = Grant::new(ROOM, ALICE, claim, window(0, u64::MAX)).signed_by(Authority::Service);
        assert_eq!(verdict(&lock, &grant, at(2_000)), Err(Refusal::Revoked));
    }
    let other = Grant::new(ROOM, KeyId([1; 32]), stay(2_000), window(0, u64::MAX));
    assert_eq!(verdict(&lock, &other, at(2_000)), Ok(true));
}

#[test]
fn a_revocation_list_only_ever_grows_in_number() {
    let lock = state().with_revocations(Revocations::new(5, 3, &[ALICE]).unwrap()).unwrap();
    let next = |iteration, oldest| lock.with_revocations(Revocations::new(iteration, oldest, &[]).unwrap()).map(|_| ());
    assert_eq!(next(4, 3), Err(RevocationError::NotNewer));
    assert_eq!(next(5, 3), Err(RevocationError::NotNewer));
    assert_eq!(next(6, 2), Err(RevocationError::OldestFell));
    assert_eq!(next(6, 3), Ok(()));
    assert_eq!(Revocations::new(6, 3, &[ALICE; MAX_REVOKED + 1]), Err(RevocationError::TooMany));
    let grant = Grant::new(ROOM, BOB, stay(2_000), window(0, u64::MAX));
    assert_eq!(verdict(&lock, &grant.with_iteration(2), at(2_000)), Err(Refusal::OldIteration));
    assert_eq!(verdict(&lock, &grant.with_iteration(3), at(2_000)), Ok(true));
}

#[test]
fn deny_beats_allow_over_all_rules() {
    let on = Schedule::new(2_000, 3_000, ScheduleClock::Utc, None).unwrap();
    let part = Schedule::new(2_400, 2_500, ScheduleClock::Utc, None).unwrap();
    let schedules = [on, part];
    let ask = |rules: &[Rule], action, now| {
        let grant = Grant::new(ROOM, ALICE, stay(2_000), window(0, u64::MAX)).with_rules(rules, &schedules);
        decide(&state(), &room(), &grant, action, at(now), &TAP).map(|_| ())
    };
    let momentary = Action::Momentary as u8;
    let allow = Rule { capabilities: momentary, allow: Allow::During(0b01), deny: 0 };
    let deny = Rule { capabilities: momentary, allow: Allow::During(0), deny: 0b10 };
    assert_eq!(ask(&[allow], Action::Momentary, 2_450), Ok(()));
    assert_eq!(ask(&[allow], Action::Momentary, 3_000), Err(Refusal::NotAllowedNow));
    for rules in [[allow, deny], [deny, allow]] {
        assert_eq!(ask(&rules, Action::Momentary, 2_450), Err(Refusal::Denied));
        assert_eq!(ask(&rules, Action::Momentary, 2_399), Ok(()));
        assert_eq!(ask(&rules, Action::Momentary, 2_500), Ok(()));
    }
    // A rule about another action says nothing about this one.
    let other = Rule { capabilities: Action::Secure as u8, allow: Allow::Always, deny: 0b11 };
    assert_eq!(ask(&[allow, other], Action::Momentary, 2_450), Ok(()));
    assert_eq!(ask(&[allow], Action::Unsecure, 2_450), Err(Refusal::NotAllowedNow));
    assert_eq!(ask(&[], Action::Momentary, 2_450), Err(Refusal::NotAllowedNow));
    let lost = Rule { capabilities: momentary, allow: Allow::Always, deny: 0b100 };
    assert_eq!(ask(&[lost], Action::Momentary, 2_450), Err(Refusal::UnknownSchedule));
}

#[test]
fn without_a_clock_no_schedule_allows_and_any_may_deny() {
    let schedules = [Schedule::new(2_000, 3_000, ScheduleClock::Utc, None).unwrap()];
    let ask = |allow, deny| {
        let rules = [Rule { capabilities: Action::Momentary as u8, allow, deny }];
        let grant = Grant::new(ROOM, ALICE, stay(2_000), window(0, u64::MAX)).without_time_proof();
        decide(&state(), &room(), &grant.with_rules(&rules, &schedules), Action::Momentary, None, &TAP).map(|_| ())
    };
    assert_eq!(ask(Allow::Always, 0), Ok(()));
    assert_eq!(ask(Allow::During(1), 0), Err(Refusal::NotAllowedNow));
    assert_eq!(ask(Allow::Always, 1), Err(Refusal::Denied));
}

#[test]
fn a_phone_in_a_pocket_opens_nothing() {
    let grant = Grant::new(ROOM, ALICE, stay(2_000), window(0, u64::MAX));
    let ask = |link, distance, user| {
        let evidence = Evidence { link, distance, user };
        decide(&state(), &room(), &grant, Action::Momentary, at(2_000), &evidence).map(|_| ())
    };
    let measured = |at_most_mm| Distance::Measured { by: DistanceMethod::UltraWideband, at_most_mm };
    assert_eq!(ask(Link::Ble, Distance::Unknown, UserAct::None), Err(Refusal::Proximity));
    assert_eq!(ask(Link::Ble, Distance::Unknown, UserAct::Gesture), Ok(()));
    assert_eq!(ask(Link::Nfc, Distance::Unknown, UserAct::None), Ok(()));
    assert_eq!(ask(Link::Ble, measured(1_500), UserAct::None), Ok(()));
    assert_eq!(ask(Link::Ble, measured(1_501), UserAct::Verified), Err(Refusal::Proximity), "measured far away is far away");
    let off = ProximityRule { nfc: None, ble_unmeasured: None, measured_within_mm: 0 };
    assert!(!off.accepts(&Evidence { link: Link::Nfc, distance: Distance::Unknown, user: UserAct::Verified }));
    assert!(!off.accepts(&Evidence { link: Link::Ble, distance: measured(0), user: UserAct::Verified }));
}
