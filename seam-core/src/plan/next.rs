//! What is to be done with a target next. Total: every state has an answer.
use super::span;
use crate::planted::{self, Bug};
use crate::provider::{CardPath, Certainty, EndsBy, Kind, KindRules, Needs, ReadBack, Repeat};
use crate::state::*;
use chrono::{DateTime, Utc};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Nothing.
    Rest,
    /// This.
    Do(Doing),
    /// A person has to answer this first.
    Ask(QuestionKind),
}

/// What is to be done with a target next, if nothing is being done.
#[must_use]
pub fn next(t: &Target, rules: &KindRules, now: DateTime<Utc>) -> Next {
    if !wanted_there(t, rules, now) {
        return match t.seen {
            SeenState::Never | SeenState::Absent { certainty: Certainty::Verified } => Next::Rest,
            // After a put whose outcome was unknown, the absence is looked at once more.
            SeenState::Absent { certainty: Certainty::Accepted } if t.work.look && rules.read_back != ReadBack::None => {
                Next::Do(Doing::Find { rev: t.rev })
            }
            SeenState::Absent { .. } => Next::Rest,
            SeenState::Present { .. } | SeenState::Unknown { .. } => Next::Do(Doing::Remove),
        };
    }
    if let Some(q) = &t.work.asks {
        return Next::Ask(q.kind);
    }
    if !is_put(rules) {
        // Made at an encoder, when a person asks for it.
        return match t.seen {
            SeenState::Unknown { .. } => Next::Ask(QuestionKind::WasTheCardWritten),
            _ => Next::Rest,
        };
    }
    match t.seen {
        SeenState::Unknown { .. } => match rules.repeat {
            _ if planted::is(Bug::UnknownPutRepeated) => Next::Do(Doing::Put { rev: t.rev }),
            Repeat::Safe => Next::Do(Doing::Put { rev: t.rev }),
            Repeat::AfterFind if rules.read_back == ReadBack::None => Next::Ask(QuestionKind::DidItHappen),
            Repeat::AfterFind => Next::Do(Doing::Find { rev: t.rev }),
            Repeat::Never => Next::Ask(QuestionKind::DidItHappen),
        },
        SeenState::Present { rev, .. } if rev == t.rev => {
            if t.work.look && rules.read_back != ReadBack::None {
                Next::Do(Doing::Find { rev: t.rev })
            } else if t.work.renew {
                Next::Do(Doing::Put { rev: t.rev })
            } else {
                Next::Rest
            }
        }
        SeenState::Never | SeenState::Present { .. } | SeenState::Absent { .. } => Next::Do(Doing::Put { rev: t.rev }),
    }
}

/// Whether the thing is to be at the system now: it is wanted, somebody's, and not suspended where suspending means taking it away.
#[must_use]
pub fn wanted_there(t: &Target, rules: &KindRules, now: DateTime<Utc>) -> bool {
    !(t.gone || t.is_unassigned() || (is_suspended(t) && !rules.suspend) || is_too_early(t, rules, now))
}

/// Whether the thing would open before its time: the system keeps no window, and what is there opens. So a credential whose window was moved to a
/// later time is taken away, and put again when its time comes.
fn is_too_early(t: &Target, rules: &KindRules, now: DateTime<Utc>) -> bool {
    rules.ends == EndsBy::Engine && !planted::is(Bug::LoadedTooEarly) && t.window().is_some_and(|window| now < window.starts_at())
}

/// Whether the thing is wanted, but suspended.
#[must_use]
pub fn is_suspended(t: &Target) -> bool {
    match &t.want {
        Wanted::User { suspended, .. } | Wanted::Access { suspended, .. } => *suspended,
        Wanted::Credential(_) => t.is_withheld(),
        Wanted::Stay { .. } => false,
    }
}

/// Whether the engine sends the thing by itself. Cards that a person makes at an encoder are not sent.
#[must_use]
pub fn is_put(rules: &KindRules) -> bool {
    !matches!(rules.card, Some(CardPath::VendorEncoder | CardPath::OwnEncoder | CardPath::Preassigned))
}

/// The best certainty that a thing of this kind can reach. What is not put by the engine is not looked for either: nobody learns more of a card
/// than what the encoder said.
#[must_use]
pub fn best(rules: &KindRules) -> Certainty {
    if is_put(rules) && rules.read_back != ReadBack::None { Certainty::Verified } else { Certainty::Accepted }
}

/// Whether what is wanted now is in place, as surely as its kind can be known. That something wanted no more may still open beside it takes nothing
/// from whoever holds it. A PIN whose digits nobody has told opens nothing for anybody: the access system made it, and the answer was lost.
#[must_use]
pub fn is_issued(t: &Target, rules: &KindRules) -> bool {
    let sure = matches!(t.seen, SeenState::Present { certainty, .. } if certainty >= best(rules));
    let known = t.kind() != Kind::Code || t.pin.is_some();
    known && t.is_in_place() && (sure || t.earlier_until().is_some())
}

/// What a new credential of a kind needs from a person before it opens a door.
#[must_use]
pub fn first_needs(rules: &KindRules) -> Needs {
    match rules.card {
        Some(CardPath::VendorEncoder | CardPath::OwnEncoder | CardPath::PushThenVendorEncoder) => Needs::Encoding,
        Some(CardPath::Preassigned) => Needs::Assignment,
        None => Needs::Nothing,
    }
}

/// Sets when the target is worked on next. Called after every change of what is wanted or seen.
pub fn schedule(t: &mut Target, rules: &KindRules, now: DateTime<Utc>) {
    if t.work.in_flight.is_some() {
        // The call under way has its own time; what comes of it is scheduled when it is settled.
        return;
    }
    t.work.due_at = match next(t, rules, now) {
        Next::Rest if !t.gone && !is_suspended(t) && is_too_early(t, rules, now) => t.window().map(|window| span::load_at(&window, rules)),
        Next::Rest | Next::Ask(_) => None,
        Next::Do(Doing::Put { .. }) => {
            let load = t.window().map_or(now, |window| span::load_at(&window, rules));
            // What is there already, in an older form, is changed at once.
            let there = matches!(t.seen, SeenState::Present { .. } | SeenState::Unknown { .. });
            Some(if there { now } else { load.max(now) })
        }
        Next::Do(_) => Some(now),
    };
    t.work.due_at = with_renewal(t, t.work.due_at);
    if let Next::Ask(kind) = next(t, rules, now)
        && t.work.asks.is_none()
    {
        let at = t.doubtful().map_or(now, |other| other.can.at);
        t.work.asks = Some(Question { kind, at });
    }
}

/// When a target is worked on that is due at some time, or never, by what is to be done: not after it has to be renewed.
pub(super) fn with_renewal(t: &Target, due_at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    due_at.into_iter().chain(t.renew_at.filter(|_| !t.gone)).min()
}

/// Sets when a target has to be renewed.
pub(super) fn renew(t: &mut Target, at: Option<DateTime<Utc>>) {
    t.renew_at = at;
    t.work.due_at = with_renewal(t, t.work.due_at);
}

/// Wants something else of a target. Nothing if it is the same. Gives whether anything changed.
pub fn want(t: &mut Target, want: Wanted, rules: &KindRules, now: DateTime<Utc>) -> bool {
    if t.want == want || t.gone {
        return false;
    }
    t.want = want;
    again(t, rules, now);
    true
}

/// Wants a target anew: what is there is no longer right, although the wish reads the same.
pub fn again(t: &mut Target, rules: &KindRules, now: DateTime<Utc>) {
    t.rev += u64::from(!planted::is(Bug::ChangeNotSent));
    t.work.attempt = 0;
    t.work.failure = None;
    if !matches!(t.seen, SeenState::Never) || t.made.is_some() {
        let needs = first_needs(rules);
        if needs == Needs::Encoding {
            t.needs = needs;
        }
    }
    schedule(t, rules, now);
}

/// Takes a target away, for good.
pub fn take_away(t: &mut Target, rules: &KindRules, now: DateTime<Utc>) {
    if t.gone {
        return;
    }
    t.gone = true;
    if planted::is(Bug::PinFreedEarly) {
        t.claims.clear();
    }
    t.renew_at = None;
    t.work.asks = None;
    t.work.attempt = 0;
    t.work.failure = None;
    if matches!(t.seen, SeenState::Never) && t.work.in_flight.is_none() {
        // Nothing was ever sent: it is surely not there.
        t.seen = SeenState::Absent { certainty: Certainty::Verified };
        t.claims.clear();
    }
    schedule(t, rules, now);
}
