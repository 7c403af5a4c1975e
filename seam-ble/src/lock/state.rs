//! What a lock remembers, and how it looks in flash.
use super::clock::UnixTime;
use super::grant::{IssueNumber, KeyId};
use crc::{CRC_32_ISO_HDLC, Crc};

/// How many revoked keys a lock remembers. Keys whose window is over need no place, nor do those of an earlier stay.
pub const MAX_REVOKED: usize = 32;
/// Longest record in flash, in bytes.
pub const MAX_RECORD: usize = HEAD + MAX_REVOKED * 32 + 4;

const MAGIC: [u8; 3] = [b'S', b'L', 1];
/// Magic, sequence, issue number, floor, iteration, oldest iteration, count.
const HEAD: usize = 3 + 4 + 8 * 4 + 1;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Keys that may not open any more, as the issuer's signed list says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Revocations {
    iteration: u64,
    oldest_iteration: u64,
    keys: [KeyId; MAX_REVOKED],
    count: u8,
}

/// Why a revocation list was refused. The one before stays in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationError {
    /// Not newer than the one that is in force.
    NotNewer,
    /// More than [`MAX_REVOKED`] keys. Cutting the list would let somebody in.
    TooMany,
    /// It takes back that older grants are void.
    OldestFell,
}

impl core::fmt::Display for RevocationError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotNewer => "the revocation list is not newer than the one in force",
            Self::TooMany => "the revocation list has more keys than the lock can hold",
            Self::OldestFell => "the revocation list takes back that older grants are void",
        })
    }
}

impl core::error::Error for RevocationError {}

impl core::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { iteration, oldest_iteration, count, .. } = self;
        write!(f, "Revocations {{ iteration: {iteration}, oldest_iteration: {oldest_iteration}, keys: {count} }}")
    }
}

impl Revocations {
    /// No list yet.
    pub const NONE: Self = Self { iteration: 0, oldest_iteration: 0, keys: [KeyId([0; 32]); MAX_REVOKED], count: 0 };

    /// A list whose signature was verified. `oldest_iteration` is the lowest iteration of a grant's document that is still good.
    ///
    /// # Errors
    /// [`RevocationError::TooMany`].
    pub fn new(iteration: u64, oldest_iteration: u64, keys: &[KeyId]) -> Result<Self, RevocationError> {
        let mut list = Self { iteration, oldest_iteration, ..Self::NONE };
        list.keys.get_mut(..keys.len()).ok_or(RevocationError::TooMany)?.copy_from_slice(keys);
        list.count = u8::try_from(keys.len()).map_err(|_| RevocationError::TooMany)?;
        Ok(list)
    }

    /// The list's number; 0 before the first one.
    #[must_use]
    pub const fn iteration(&self) -> u64 {
        self.iteration
    }

    /// The lowest iteration of a grant's document that is still good.
    #[must_use]
    pub const fn oldest_iteration(&self) -> u64 {
        self.oldest_iteration
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[KeyId] {
        self.keys.get(..usize::from(self.count)).unwrap_or(&self.keys)
    }

    /// Whether the key is on the list.
    #[must_use]
    pub fn names(&self, key: KeyId) -> bool {
        self.keys().contains(&key)
    }
}

/// What a lock remembers of one entrance. None of it ever falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockState {
    issue: IssueNumber,
    floor: UnixTime,
    revocations: Revocations,
}

impl LockState {
    /// A lock that is fitted now: earlier stays are over, and it is not before now.
    #[must_use]
    pub const fn commissioned(now: UnixTime) -> Self {
        Self { issue: IssueNumber(now.0), floor: now, revocations: Revocations::NONE }
    }

    /// The number of the stay that the entrance is in.
    #[must_use]
    pub const fn issue(&self) -> IssueNumber {
        self.issue
    }

    /// The latest instant that is proven to have passed.
    #[must_use]
    pub const fn floor(&self) -> UnixTime {
        self.floor
    }

    /// The revocation list in force.
    #[must_use]
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The state after an opening.
    pub(super) fn with_issue(mut self, issue: IssueNumber) -> Self {
        self.issue = self.issue.max(issue);
        self
    }

    /// The state after the clock was set: it is not before `passed`.
    #[must_use]
    pub fn raise_floor(mut self, passed: UnixTime) -> Self {
        self.floor = self.floor.max(passed);
        self
    }

    /// The state with a newer revocation list.
    ///
    /// # Errors
    /// [`RevocationError::NotNewer`] and [`RevocationError::OldestFell`].
    pub fn with_revocations(mut self, list: Revocations) -> Result<Self, RevocationError> {
        if list.iteration <= self.revocations.iteration {
            return Err(RevocationError::NotNewer);
        }
        if list.oldest_iteration < self.revocations.oldest_iteration {
            return Err(RevocationError::OldestFell);
        }
        self.revocations = list;
        Ok(self)
    }

    /// Of two states of one lock, what is later in each part.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let newer = if other.revocations.iteration > self.revocations.iteration { other.revocations } else { self.revocations };
        let revocations =
            Revocations { oldest_iteration: self.revocations.oldest_iteration.max(other.revocations.oldest_iteration), ..newer };
        Self { issue: self.issue.max(other.issue), floor: self.floor.max(other.floor), revocations }
    }

    /// Writes the record; gives its length.
    pub(super) fn encode(&self, sequence: u32, into: &mut [u8; MAX_RECORD]) -> usize {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            into[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(&MAGIC);
        put(&sequence.to_be_bytes());
        for number in [self.issue.0, self.floor.0, self.revocations.iteration, self.revocations.oldest_iteration] {
            put(&number.to_be_bytes());
        }
        put(&[self.revocations.count]);
        for key in self.revocations.keys() {
            put(&key.0);
        }
        let sum = CRC.checksum(&into[..at]);
        into[at..at + 4].copy_from_slice(&sum.to_be_bytes());
        at + 4
    }

    /// Reads a record with its sequence; none when it is torn, rotten, or of another version. What stands behind the record is not looked at:
    /// an earlier, longer one may have been there.
    pub(super) fn decode(bytes: &[u8]) -> Option<(u32, Self)> {
        let (magic, rest) = bytes.split_first_chunk::<3>()?;
        let (sequence, mut rest) = rest.split_first_chunk::<4>()?;
        let mut numbers = [0; 4];
        for number in &mut numbers {
            let (bytes, after) = rest.split_first_chunk::<8>()?;
            (*number, rest) = (u64::from_be_bytes(*bytes), after);
        }
        let (&count, rest) = rest.split_first()?;
        let (listed, rest) = rest.split_at_checked(usize::from(count) * 32)?;
        let (sum, _) = rest.split_first_chunk::<4>()?;
        if *magic != MAGIC || CRC.checksum(bytes.get(..HEAD + listed.len())?) != u32::from_be_bytes(*sum) {
            return None;
        }
        let [issue, floor, iteration, oldest_iteration] = numbers;
        let mut revocations = Revocations { iteration, oldest_iteration, count, ..Revocations::NONE };
        for (key, bytes) in revocations.keys.get_mut(..usize::from(count))?.iter_mut().zip(listed.as_chunks::<32>().0) {
            *key = KeyId(*bytes);
        }
        Some((u32::from_be_bytes(*sequence), Self { issue: IssueNumber(issue), floor: UnixTime(floor), revocations }))
    }
}
