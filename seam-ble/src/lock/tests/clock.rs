//! The clock and its tokens. Signatures are stood in for by a checksum of what was signed: whose key it is does not matter here.
use super::*;

const ONE: [u8; 16] = [1; 16];
const TWO: [u8; 16] = [2; 16];

fn stamp(bytes: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    for (n, byte) in bytes.iter().enumerate() {
        signature[n % 64] ^= byte.wrapping_add(u8::try_from(n).unwrap());
    }
    signature
}

fn token(entrance: EntranceId, challenge: [u8; 16], time: u64) -> TimeToken {
    let time = UnixTime(time);
    TimeToken { challenge, time, signature: stamp(&TimeToken::signed_bytes(entrance, &challenge, time)) }
}

fn accept(clock: &mut LockClock, token: &TimeToken, floor: u64, uptime: u64) -> Result<u64, ClockError> {
    clock.accept(token, ROOM, UnixTime(floor), uptime, |bytes, signature| stamp(bytes) == *signature).map(|time| time.0)
}

fn asked() -> LockClock {
    let mut clock = LockClock::new(ClockLimits::default());
    clock.challenge(ONE, 100);
    clock
}

#[test]
fn a_token_sets_the_clock_and_the_wait_is_its_error() {
    let mut clock = asked();
    assert_eq!(clock.now(100), None);
    assert_eq!(accept(&mut clock, &token(ROOM, ONE, 5_000), 1_000, 110), Ok(5_000));
    let now = clock.now(110).unwrap();
    assert!(now.earliest().0 <= 5_000 && now.latest().0 >= 5_010, "{now:?}");
    assert!(now.max_error <= 6);
    // 50 ppm: 50 seconds in a million, and one for whole seconds.
    let later = clock.now(110 + 1_000_000).unwrap();
    assert_eq!((later.value.0, later.max_error), (1_005_005, 5 + 50 + 1));
    // An uptime below that of the setting is another life of the lock.
    assert_eq!(clock.now(109), None);
}

// Negative list 13: a forged token.
#[test]
fn n13_a_forged_time_token_changes_nothing() {
    let good = token(ROOM, ONE, 5_000);
    for bit in 0..TimeToken::LEN * 8 {
        let mut bytes = good.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut clock = asked();
        let refused = accept(&mut clock, &TimeToken::from_bytes(&bytes), 1_000, 101).unwrap_err();
        assert_eq!(refused, if bit < 128 { ClockError::WrongChallenge } else { ClockError::Signature });
        assert_eq!(clock.now(101), None);
    }
    assert_eq!(accept(&mut asked(), &token(EntranceId([0; 16]), ONE, 5_000), 1_000, 101), Err(ClockError::Signature));
    assert_eq!(TimeToken::from_bytes(&good.to_bytes()), good);
}

#[test]
fn n13_a_time_token_is_good_once_and_only_for_the_last_challenge() {
    let mut clock = asked();
    accept(&mut clock, &token(ROOM, ONE, 5_000), 1_000, 101).unwrap();
    assert_eq!(accept(&mut clock, &token(ROOM, ONE, 5_000), 1_000, 102), Err(ClockError::NoChallenge));
    clock.challenge(TWO, 200);
    assert_eq!(accept(&mut clock, &token(ROOM, ONE, 5_000), 1_000, 201), Err(ClockError::WrongChallenge));
    assert_eq!(accept(&mut clock, &token(ROOM, TWO, 5_100), 1_000, 201), Err(ClockError::NoChallenge), "a wrong answer uses it up");
}

#[test]
fn n13_a_time_token_moves_the_clock_neither_back_nor_too_far() {
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 999), 1_000, 100), Err(ClockError::Back));
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 1_000), 1_000, 100), Ok(1_000));
    let step = u64::from(ClockLimits::default().largest_step);
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 1_000 + step), 1_000, 100), Ok(1_000 + step));
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 1_001 + step), 1_000, 100), Err(ClockError::FarAhead));
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 5_000), 1_000, 221), Err(ClockError::Late));
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, 5_000), 1_000, 99), Err(ClockError::Late), "the lock was restarted");
    assert_eq!(accept(&mut asked(), &token(ROOM, ONE, u64::MAX), 1_000, 100), Err(ClockError::FarAhead));
}

// A running clock is two hours ahead. What it said of them is not unsaid; what it did not say may be corrected.
#[test]
fn n13_a_token_corrects_the_clock_but_not_to_before_what_was_relied_on() {
    let mut clock = asked();
    accept(&mut clock, &token(ROOM, ONE, 9_000), 1_000, 100).unwrap();
    let relied = clock.now(1_100).unwrap().earliest();
    assert_eq!(relied, UnixTime(9_998), "a thousand seconds later, by its drift");
    let grant = Grant::new(ROOM, ALICE, stay(2_000), window(2_000, 9_500));
    let state = LockState::commissioned(UnixTime(1_000));
    assert_eq!(verdict(&state, &grant, clock.now(1_100)), Err(Refusal::Expired));
    for time in [9_400, 9_997] {
        clock.challenge(TWO, 1_200);
        assert_eq!(accept(&mut clock, &token(ROOM, TWO, time), 1_000, 1_200), Err(ClockError::Back));
        assert_eq!(verdict(&state, &grant, clock.now(1_200)), Err(Refusal::Expired), "{time}");
    }
    // Nobody asked for the time since: back by nearly a hundred seconds, to what was relied on and no farther.
    let relied = clock.now(1_200).unwrap().earliest().0;
    clock.challenge(TWO, 1_300);
    assert_eq!(accept(&mut clock, &token(ROOM, TWO, relied + 1), 1_000, 1_300), Ok(relied + 1));
    let now = clock.now(1_300).unwrap();
    assert!(now.earliest().0 >= relied && now.latest().0 <= relied + 3, "{now:?}");
    // A token whose span reaches below is cut off there, and so is the floor that is kept.
    let relied = clock.now(1_400).unwrap().earliest().0;
    clock.challenge(ONE, 1_400);
    let floor = accept(&mut clock, &token(ROOM, ONE, relied - 30), 1_000, 1_460).unwrap();
    assert!(floor >= relied - 1, "{floor} is below {relied}");
    assert!(clock.now(1_460).unwrap().earliest().0 >= relied);
}

// The same, whatever comes in whatever order: nothing that was given out as passed is ever ahead again.
#[test]
fn n13_no_order_of_tokens_and_questions_takes_a_time_back() {
    let steps = [0_u64, 7, 60, 3_600];
    for order in 0..steps.len().pow(4) {
        let mut clock = LockClock::new(ClockLimits::default());
        let (mut uptime, mut floor, mut passed, mut rest) = (100, 1_000, 0, order);
        for turn in 0..4_u64 {
            let step = steps[rest % steps.len()];
            rest /= steps.len();
            uptime += 10;
            clock.challenge(ONE, uptime);
            // Tokens swing around the true time by the step.
            let time = if turn % 2 == 0 { 5_000 + uptime + step } else { 5_000 + uptime - step };
            if let Ok(raised) = accept(&mut clock, &token(ROOM, ONE, time), floor, uptime) {
                floor = floor.max(raised);
            }
            if let Some(now) = clock.now(uptime + step % 8) {
                assert!(now.earliest().0 >= passed, "order {order}: {now:?} after {passed}");
                assert!(now.earliest() <= now.latest());
                passed = now.earliest().0;
            }
        }
    }
}
