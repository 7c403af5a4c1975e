//! What a lock decides, as one pure function, and the state it keeps so that the decision survives a power cut.
//!
//! A key that a phone has proven to hold is worth nothing by itself: [`decide`] says whether the [`Grant`] that was signed for it opens this
//! entrance now. It reads no clock and no flash; whatever it needs is passed in, so that a test can ask it every question there is.
//!
//! The rule between guests of one room needs no connection to anything. A stay's keys carry an [`IssueNumber`], the stay's start in whole
//! seconds. The lock keeps the highest one that ever opened it and refuses lower ones, so the first key of the next guest ends the
//! access of the guest before, also when nobody could tell the lock. The number is written *before* the bolt moves: [`Journal::admit`]
//! is the only way from an [`Opening`] to the [`Permit`] that a bolt's driver asks for.
//!
//! What must hold, and is checked exhaustively in the tests of this module:
//!
//! - the number never falls, whatever is cut off at whatever byte of a write;
//! - after one use of a number, no key with a lower one opens again;
//! - the order in which the keys of one stay come (the one that overrides, those that join) makes no difference;
//! - a time that the lock has gone by is never taken back: a token may correct the clock, but not to before what decisions relied on;
//! - what a lock says of itself ([`Receipt`]) is what it has kept, not what it was told;
//! - a grant whose window cannot be proven by a trusted clock is refused where the grant asks for that proof; a phone's clock is never read.

mod civil;
mod clock;
mod decide;
mod document;
mod grant;
mod journal;
mod proximity;
mod receipt;
mod recurrence;
mod schedule;
mod state;
mod token;

pub use clock::{ClockError, ClockLimits, LockClock, TIME_CHALLENGE_LEN, TimeToken, TrustedTime, UnixTime};
pub use decide::{Entrance, EntranceKind, Opening, Refusal, decide};
pub use document::{
    AccessDocument, ElementName, Issued, STAY_EXTENSION, STAY_VENDOR, sign_access_document, sign_revocation_document,
    verify_revocation_document,
};
pub use grant::{Action, Allow, Authority, Claim, EntranceId, Grant, IssueNumber, KeyId, Role, Rule, SiteId, Window};
pub use journal::{Journal, JournalError, Permit, Slot, Storage};
pub use proximity::{Distance, DistanceMethod, Evidence, Link, ProximityRule, UserAct};
pub use receipt::{RECEIPT_LEN, Receipt};
pub use schedule::{
    MAX_DURATION, MAX_SCHEDULES, OffsetChange, Pattern, Recurrence, Schedule, ScheduleClock, ScheduleError, Weekdays, Zone,
};
pub use state::{LockState, MAX_RECORD, MAX_REVOKED, RevocationError, Revocations};
pub use token::{
    GrantError, IssueError, MAX_REVOCATION_LIST, SIGNED_GRANT_LEN, SignedGrant, key_id, sign_revocations, sign_time, verify_revocations,
};

#[cfg(test)]
mod tests;
