//! The lock's own clock, and the only way it is set: a signed answer to a challenge of the lock.
//!
//! A lock without a connection can get the time through a phone that nobody trusts, because the phone only carries it: the lock gives a
//! random challenge, the backend signs it together with the time, and the lock bounds the error by how long the answer took by its own
//! uptime. A phone can delay the answer, which only widens the error; it cannot shift the time, repeat an older answer, or make one.
//!
//! A token may correct a clock that runs, in both directions. It never takes back what the clock has said: a key that was refused as expired would
//! open again. So the clock remembers the latest instant that it gave out as surely passed, and takes no token that lies before it.
use super::grant::EntranceId;
use subtle::ConstantTimeEq as _;

/// Whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

/// A time that is known to lie within `value ± max_error`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrustedTime {
    /// The best estimate.
    pub value: UnixTime,
    /// Bound of the error in seconds.
    pub max_error: u32,
}

impl TrustedTime {
    /// The earliest instant that it can be.
    #[must_use]
    pub const fn earliest(&self) -> UnixTime {
        UnixTime(self.value.0.saturating_sub(self.max_error as u64))
    }

    /// The latest instant that it can be.
    #[must_use]
    pub const fn latest(&self) -> UnixTime {
        UnixTime(self.value.0.saturating_add(self.max_error as u64))
    }

    /// The same knowledge together with another: it is not before `floor`. `None` when the two contradict each other, that is when the clock
    /// went back.
    pub(super) fn not_before(self, floor: UnixTime) -> Option<Self> {
        if self.latest() < floor {
            return None;
        }
        let (earliest, latest) = (self.earliest().max(floor), self.latest());
        let half = (latest.0 - earliest.0).div_ceil(2);
        // The middle, rounded up: the span never reaches below the floor.
        Some(Self { value: UnixTime(earliest.0.saturating_add(half)), max_error: u32::try_from(half).unwrap_or(u32::MAX) })
    }
}

/// Bytes of a challenge.
pub const TIME_CHALLENGE_LEN: usize = 16;
/// What separates a time token from everything else that the same key signs.
const DOMAIN: &[u8; 16] = b"seam-time-token1";

/// The backend's answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToken {
    /// The lock's challenge.
    pub challenge: [u8; TIME_CHALLENGE_LEN],
    /// The backend's time when it signed.
    pub time: UnixTime,
    /// ECDSA P-256 over SHA-256 of [`TimeToken::signed_bytes`], `r ‖ s`.
    pub signature: [u8; 64],
}

impl TimeToken {
    /// Length of a token on the wire.
    pub const LEN: usize = TIME_CHALLENGE_LEN + 8 + 64;

    /// What the backend signs: `"seam-time-token1" ‖ entrance (16) ‖ challenge (16) ‖ time (8, big endian)`.
    #[must_use]
    pub fn signed_bytes(entrance: EntranceId, challenge: &[u8; TIME_CHALLENGE_LEN], time: UnixTime) -> [u8; 56] {
        let mut bytes = [0; 56];
        bytes[..16].copy_from_slice(DOMAIN);
        bytes[16..32].copy_from_slice(&entrance.0);
        bytes[32..48].copy_from_slice(challenge);
        bytes[48..].copy_from_slice(&time.0.to_be_bytes());
        bytes
    }

    /// The token on the wire: challenge, time (8, big endian), signature.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..16].copy_from_slice(&self.challenge);
        bytes[16..24].copy_from_slice(&self.time.0.to_be_bytes());
        bytes[24..].copy_from_slice(&self.signature);
        bytes
    }

    /// Reads a token. The signature is checked by [`LockClock::accept`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let (challenge, rest) = bytes.split_at(TIME_CHALLENGE_LEN);
        let (time, signature) = rest.split_at(8);
        let mut token = Self { challenge: [0; TIME_CHALLENGE_LEN], time: UnixTime(0), signature: [0; 64] };
        token.challenge.copy_from_slice(challenge);
        token.signature.copy_from_slice(signature);
        token.time = UnixTime(time.iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte)));
        token
    }
}

/// Bounds of what a lock believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLimits {
    /// How wrong the oscillator may run, in parts per million. A crystal: 50 with temperature and age.
    pub drift_ppm: u32,
    /// How long an answer may take, in seconds.
    pub answer_within: u32,
    /// How far a token may move a clock that runs, beyond both errors, in seconds; and how far beyond the floor it may set one that does not.
    /// A backend with a wrong clock would otherwise void every window, for good.
    pub largest_step: u32,
}

impl Default for ClockLimits {
    /// 50 ppm, two minutes, and two years: longer than a lock lies in a box.
    fn default() -> Self {
        Self { drift_ppm: 50, answer_within: 120, largest_step: 2 * 366 * 86_400 }
    }
}

/// Why a time token was refused. The clock and the floor stay as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockError {
    /// No challenge is open: none was given, or it was used.
    NoChallenge,
    /// The token answers another challenge, for instance an earlier one.
    WrongChallenge,
    /// The signature does not verify for this entrance, challenge and time.
    Signature,
    /// The answer took too long.
    Late,
    /// The time lies before one that was proven already, or that the clock has given out as passed.
    Back,
    /// The time lies farther ahead than the limit.
    FarAhead,
}

impl core::fmt::Display for ClockError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoChallenge => "no time challenge is open",
            Self::WrongChallenge => "the time token answers another challenge",
            Self::Signature => "the signature of the time token does not verify",
            Self::Late => "the time token came too late",
            Self::Back => "the time token lies before a time that was proven already",
            Self::FarAhead => "the time token lies too far ahead",
        })
    }
}

impl core::error::Error for ClockError {}

/// A clock that runs on the lock's uptime since it was last set. It knows nothing after a restart, and says so.
#[derive(Debug)]
pub struct LockClock {
    limits: ClockLimits,
    set: Option<(TrustedTime, u64)>,
    /// The latest instant that was given out as surely passed.
    told: UnixTime,
    open: Option<([u8; TIME_CHALLENGE_LEN], u64)>,
}

impl LockClock {
    /// A clock that was not set yet.
    #[must_use]
    pub const fn new(limits: ClockLimits) -> Self {
        Self { limits, set: None, told: UnixTime(0), open: None }
    }

    /// The time after `uptime` seconds since the lock started, for a decision; none while it was not set since then. The clock will not go back to
    /// before the earliest instant that this can be.
    pub fn now(&mut self, uptime: u64) -> Option<TrustedTime> {
        let now = self.runs(uptime)?.not_before(self.told)?;
        self.told = self.told.max(now.earliest());
        Some(now)
    }

    fn runs(&self, uptime: u64) -> Option<TrustedTime> {
        let (set, at) = self.set?;
        let ran = uptime.checked_sub(at)?;
        let drift = u64::from(self.limits.drift_ppm).saturating_mul(ran).div_ceil(1_000_000);
        // One more second, because uptimes are whole ones.
        let max_error = drift.saturating_add(1).saturating_add(u64::from(set.max_error));
        Some(TrustedTime { value: UnixTime(set.value.0.saturating_add(ran)), max_error: u32::try_from(max_error).unwrap_or(u32::MAX) })
    }

    /// Opens a challenge; an earlier one is void. `random` has to come from the lock's generator and be new.
    pub fn challenge(&mut self, random: [u8; TIME_CHALLENGE_LEN], uptime: u64) -> [u8; TIME_CHALLENGE_LEN] {
        self.open = Some((random, uptime));
        random
    }

    /// Sets the clock by a token. Gives the earliest instant that it can be now, for [`LockState::raise_floor`](super::LockState::raise_floor).
    /// Any token, also a wrong one, uses up the challenge.
    ///
    /// `verify` gets what was signed and the signature, and says whether the time authority's key made it.
    ///
    /// # Errors
    /// [`ClockError`]; nothing but the challenge has changed then.
    pub fn accept(
        &mut self,
        token: &TimeToken,
        entrance: EntranceId,
        floor: UnixTime,
        uptime: u64,
        verify: impl FnOnce(&[u8], &[u8; 64]) -> bool,
    ) -> Result<UnixTime, ClockError> {
        let (challenge, asked) = self.open.take().ok_or(ClockError::NoChallenge)?;
        if !bool::from(challenge.ct_eq(&token.challenge)) {
            return Err(ClockError::WrongChallenge);
        }
        if !verify(&TimeToken::signed_bytes(entrance, &challenge, token.time), &token.signature) {
            return Err(ClockError::Signature);
        }
        let took = uptime.checked_sub(asked).filter(|&took| took <= u64::from(self.limits.answer_within)).ok_or(ClockError::Late)?;
        // It was signed at some point while the answer was awaited, so now is between the signed time and that plus the wait.
        let half = took.div_ceil(2);
        let time = TrustedTime { value: UnixTime(token.time.0.saturating_add(half)), max_error: u32::try_from(half).unwrap_or(u32::MAX) };
        let time = time.not_before(floor.max(self.told)).ok_or(ClockError::Back)?;
        let known = self.runs(uptime).map_or(floor, |now| now.latest());
        if time.earliest().0 > known.0.saturating_add(u64::from(self.limits.largest_step)) {
            return Err(ClockError::FarAhead);
        }
        self.set = Some((time, uptime));
        Ok(time.earliest())
    }
}
