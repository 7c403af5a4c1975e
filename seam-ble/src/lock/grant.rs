//! What was granted, after its signature was verified.
use super::clock::UnixTime;
use super::schedule::Schedule;

/// An entrance, as the issuer of grants names it: 16 bytes, for instance those of its UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntranceId(pub [u8; 16]);

/// A site, as its issuer names it: 16 bytes, for instance those of its UUID. A list of revoked keys is one site's: its number counts there only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub [u8; 16]);

/// A phone's key: SHA-256 over its public key in uncompressed form (65 bytes, `04 ‖ x ‖ y`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 32]);

/// The number of a stay at one entrance: the stay's start in whole seconds since 1970, fixed once a key has opened the stay, plus one for
/// each re-opening (a lost key that was replaced).
///
/// Because it is a time, a lock needs no counter that a backend keeps in step with, and a jump too far ahead is recognised as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueNumber(pub u64);

/// What the key was made as. It makes no difference to the decision: the keys of one stay carry one number, so whichever comes first opens
/// the stay. It is kept for the lock's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The key that opens the stay and ends the one before.
    Override,
    /// A further key of the same stay.
    Joiner,
}

/// By what right the key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A guest of a stay. Only for entrances of kind [`Reservation`](super::EntranceKind::Reservation).
    Stay {
        /// Which stay.
        issue: IssueNumber,
        /// What the key was made as.
        role: Role,
    },
    /// A member of staff, at either kind of entrance. Never inferred: the issuer says so. Neither checks nor changes the issue number.
    Staff,
    /// Anybody who may use a common entrance (front door, gym). Refused at an entrance of kind `Reservation`.
    Common,
}

/// Half-open: `starts` is the first second in which the grant holds, `ends` the first in which it does not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// First second, inclusive.
    pub starts: UnixTime,
    /// First second after, exclusive. A window with `ends <= starts` is empty: it never opens.
    pub ends: UnixTime,
}

impl Window {
    /// From `starts` on, without an end.
    #[must_use]
    pub const fn from(starts: UnixTime) -> Self {
        Self { starts, ends: UnixTime(u64::MAX) }
    }
}

/// Which key signed the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The issuer's everyday key.
    Issuer,
    /// The service key, kept offline. It alone may make the issue number jump farther than the entrance's bound.
    Service,
}

/// What the phone asks the lock to do. The values are the capability bits of Aliro's access rules (CSA actuator: 1 secure, 2 unsecure,
/// 8 momentary unsecure).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// Lock, and stay locked.
    Secure = 1,
    /// Unlock, and stay unlocked.
    Unsecure = 2,
    /// Open for one passage.
    Momentary = 8,
}

/// When a rule's capabilities may be used, within the grant's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allow {
    /// At any time.
    Always,
    /// While at least one of these schedules is on; bit *n* names the grant's schedule *n*. No bit, no time.
    During(u32),
}

/// One access rule: what may be done, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The [`Action`]s that the rule speaks of, their values or-ed together.
    pub capabilities: u8,
    /// When they may be used.
    pub allow: Allow,
    /// While one of these schedules is on they may not be used, whatever any rule allows. Bit *n* names the grant's schedule *n*.
    pub deny: u32,
}

/// A verified grant for a key whose possession the phone has proven in this very session.
///
/// Making one is a promise: signature, issuer, document digests and the phone's proof were checked. [`decide`](super::decide) checks
/// everything that needs the lock's state or the time.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    pub(super) entrance: EntranceId,
    pub(super) key: KeyId,
    pub(super) claim: Claim,
    pub(super) window: Window,
    pub(super) authority: Authority,
    pub(super) time_required: bool,
    pub(super) iteration: u64,
    pub(super) rules: &'a [Rule],
    pub(super) schedules: &'a [Schedule],
}

/// One passage, at any time.
const MOMENTARY: &[Rule] = &[Rule { capabilities: Action::Momentary as u8, allow: Allow::Always, deny: 0 }];

impl<'a> Grant<'a> {
    /// A grant to open for one passage at any time within the window, signed by the issuer's everyday key, with the time to be proven.
    #[must_use]
    pub const fn new(entrance: EntranceId, key: KeyId, claim: Claim, window: Window) -> Self {
        Self {
            entrance,
            key,
            claim,
            window,
            authority: Authority::Issuer,
            time_required: true,
            iteration: 0,
            rules: MOMENTARY,
            schedules: &[],
        }
    }

    /// The rules and the schedules that they name, instead of one passage at any time. Without any rule nothing is allowed.
    #[must_use]
    pub const fn with_rules(mut self, rules: &'a [Rule], schedules: &'a [Schedule]) -> Self {
        self.rules = rules;
        self.schedules = schedules;
        self
    }

    /// Which key signed.
    #[must_use]
    pub const fn signed_by(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }

    /// The issuer says that a lock without a clock may open too (Aliro: `timeVerificationRequired` is false). A grant that is *surely* over or
    /// not yet begun is refused all the same, and schedules always need the time.
    #[must_use]
    pub const fn without_time_proof(mut self) -> Self {
        self.time_required = false;
        self
    }

    /// The iteration of the document that carried the grant (Aliro: `validityIteration`); 0 where there is none.
    #[must_use]
    pub const fn with_iteration(mut self, iteration: u64) -> Self {
        self.iteration = iteration;
        self
    }

    /// Whether it is for one passage at any time within the window, without rules of its own.
    pub(super) fn is_plain(&self) -> bool {
        self.rules == MOMENTARY && self.schedules.is_empty()
    }

    /// The key it was granted to.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// By what right it opens.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        self.claim
    }
}
