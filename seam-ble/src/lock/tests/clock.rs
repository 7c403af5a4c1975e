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
