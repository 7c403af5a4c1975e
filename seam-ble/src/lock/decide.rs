//! The decision.
use super::clock::{TrustedTime, UnixTime};
use super::grant::{Action, Allow, Authority, Claim, EntranceId, Grant, IssueNumber, Role, Rule, Window};
use super::proximity::{Evidence, ProximityRule};
use super::schedule::{MAX_SCHEDULES, Schedule, Zone};
use super::state::LockState;

/// Whose door it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntranceKind {
    /// A room or flat: guests come with a stay, one stay after the other.
    Reservation,
    /// A door that many use at once. Keys of stays do not end each other here.
    Common,
}

/// What the lock was told about itself when it was fitted.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// Its name in grants.
    pub id: EntranceId,
    /// Whose door it is.
    pub kind: EntranceKind,
    /// How far an issue number may lie beyond the last one (or beyond the last proven time), in seconds. One issue number that was made by
    /// mistake for the year 2100 would otherwise lock out every guest until then.
    pub largest_jump: u32,
    /// What has to speak for the phone being here.
    pub proximity: ProximityRule,
    /// The wall clock at the door.
    pub zone: Zone<'a>,
}

/// Why the door stays as it is. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The grant is for another entrance.
    OtherEntrance,
    /// A stay at a common entrance, or anybody's key at a room.
    WrongKind,
    /// The key is on the revocation list.
    Revoked,
    /// The grant was made before the oldest one that is still good.
    OldIteration,
    /// A later stay has begun here.
    Superseded,
    /// The issue number lies too far ahead.
    JumpTooFar,
    /// The clock lies before a time that was proven already: it is not to be trusted.
    ClockWentBack,
    /// The window is surely over (or empty).
    Expired,
    /// The window has surely not begun.
    NotYet,
    /// The clock cannot prove that the window is open.
    TimeUnproven,
    /// A rule names a schedule that the grant does not have.
    UnknownSchedule,
    /// A schedule forbids this action at this time, or cannot be shown not to.
    Denied,
    /// No rule allows this action at this time.
    NotAllowedNow,
    /// Too little speaks for the phone being at the door.
    Proximity,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::OtherEntrance => "the grant is for another entrance",
            Self::WrongKind => "the grant is not for this kind of entrance",
            Self::Revoked => "the key was revoked",
            Self::OldIteration => "the grant was made before the oldest one that is still good",
            Self::Superseded => "a later stay has begun",
            Self::JumpTooFar => "the issue number lies too far ahead",
            Self::Expired => "the grant is over",
            Self::NotYet => "the grant has not begun",
            Self::TimeUnproven => "the lock cannot prove the time",
            Self::ClockWentBack => "the lock's clock went back",
            Self::NotAllowedNow => "no rule allows this now",
            Self::Denied => "a schedule denies this now",
            Self::UnknownSchedule => "a rule names a schedule that is not there",
            Self::Proximity => "too little speaks for the phone being at the door",
        })
    }
}

impl core::error::Error for Refusal {}

/// The decision to open. It moves no bolt yet: [`Journal::admit`](super::Journal::admit) makes it durable and gives the permit.
#[derive(Debug)]
#[must_use = "an opening that is not admitted opens nothing"]
pub struct Opening {
    pub(super) action: Action,
    pub(super) claim: Claim,
    pub(super) issue: IssueNumber,
    pub(super) opens_stay: bool,
}

impl Opening {
    /// What to do.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// By what right.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        self.claim
    }

    /// Whether this is the first key of a stay, which ends the access of the stay before.
    #[must_use]
    pub const fn opens_stay(&self) -> bool {
        self.opens_stay
    }

    /// Whether a joiner came before the key that overrides. Nothing is wrong with that.
    #[must_use]
    pub const fn joiner_came_first(&self) -> bool {
        self.opens_stay && matches!(self.claim, Claim::Stay { role: Role::Joiner, .. })
    }
}

/// Whether the grant opens the entrance: a pure function of what is passed in.
///
/// `now` is what the lock's own clock knows, `None` when it knows nothing.
///
/// # Errors
/// The first [`Refusal`] in the order of that enum. No refusal changes any state, and asking again later may give another answer.
pub fn decide(
    state: &LockState,
    entrance: &Entrance<'_>,
    grant: &Grant<'_>,
    action: Action,
    now: Option<TrustedTime>,
    evidence: &Evidence,
) -> Result<Opening, Refusal> {
    if grant.entrance != entrance.id {
        return Err(Refusal::OtherEntrance);
    }
    match (entrance.kind, grant.claim) {
        (_, Claim::Staff) | (EntranceKind::Reservation, Claim::Stay { .. }) | (EntranceKind::Common, Claim::Common) => {}
        (EntranceKind::Reservation, Claim::Common) | (EntranceKind::Common, Claim::Stay { .. }) => return Err(Refusal::WrongKind),
    }
    if state.revocations().names(grant.key) {
        return Err(Refusal::Revoked);
    }
    if grant.iteration < state.revocations().oldest_iteration() {
        return Err(Refusal::OldIteration);
    }
    let issue = issue_after(state, entrance, grant)?;
    let now = proven(now, state.floor())?;
    check_window(grant.window, grant.time_required, now, state.floor())?;
    check_rules(grant.rules, grant.schedules, action, now, &entrance.zone)?;
    if !entrance.proximity.accepts(evidence) {
        return Err(Refusal::Proximity);
    }
    Ok(Opening { action, claim: grant.claim, issue, opens_stay: issue > state.issue() })
}

/// The issue number that the entrance has after this opening.
fn issue_after(state: &LockState, entrance: &Entrance<'_>, grant: &Grant<'_>) -> Result<IssueNumber, Refusal> {
    let Claim::Stay { issue, .. } = grant.claim else {
        return Ok(state.issue());
    };
    if issue < state.issue() {
        return Err(Refusal::Superseded);
    }
    let reach = state.issue().0.max(state.floor().0).saturating_add(u64::from(entrance.largest_jump));
    // The last number is kept out of reach of the service key too: nothing could ever follow it.
    if issue.0 == u64::MAX || (issue.0 > reach && grant.authority != Authority::Service) {
        return Err(Refusal::JumpTooFar);
    }
    Ok(issue)
}

/// What the clock says, bounded by what was proven before.
fn proven(now: Option<TrustedTime>, floor: UnixTime) -> Result<Option<TrustedTime>, Refusal> {
    match now {
        None => Ok(None),
        Some(now) => now.not_before(floor).map(Some).ok_or(Refusal::ClockWentBack),
    }
}

fn check_window(window: Window, required: bool, now: Option<TrustedTime>, floor: UnixTime) -> Result<(), Refusal> {
    // Without a clock it is still not before the floor.
    let earliest = now.map_or(floor, |now| now.earliest()).max(floor);
    let latest = now.map_or(UnixTime(u64::MAX), |now| now.latest());
    if window.ends <= window.starts || earliest >= window.ends {
        return Err(Refusal::Expired);
    }
    if latest < window.starts {
        return Err(Refusal::NotYet);
    }
    if required && (earliest < window.starts || latest >= window.ends) {
        return Err(Refusal::TimeUnproven);
    }
    Ok(())
}

fn check_rules(rules: &[Rule], schedules: &[Schedule], action: Action, now: Option<TrustedTime>, zone: &Zone<'_>) -> Result<(), Refusal> {
    let known = if schedules.len() >= MAX_SCHEDULES { u32::MAX } else { (1 << schedules.len()) - 1 };
    let named = |mask: u32| schedules.iter().enumerate().filter(move |(n, _)| *n < MAX_SCHEDULES && mask & (1 << n) != 0).map(|(_, s)| s);
    let about = || rules.iter().filter(|rule| rule.capabilities & action as u8 != 0);
    let mask = |rule: &Rule| {
        rule.deny
            | match rule.allow {
                Allow::Always => 0,
                Allow::During(mask) => mask,
            }
    };
    if rules.iter().any(|rule| mask(rule) & !known != 0) {
        return Err(Refusal::UnknownSchedule);
    }
    let denied = |rule: &Rule| named(rule.deny).any(|schedule| now.is_none_or(|now| schedule.perhaps_on(&now, zone)));
    // Over all rules: what one of them forbids, no other one allows.
    if about().any(denied) {
        return Err(Refusal::Denied);
    }
    let allowed = |rule: &Rule| match rule.allow {
        Allow::Always => true,
        Allow::During(mask) => now.is_some_and(|now| named(mask).any(|schedule| schedule.surely_on(&now, zone))),
    };
    if about().any(allowed) { Ok(()) } else { Err(Refusal::NotAllowedNow) }
}
