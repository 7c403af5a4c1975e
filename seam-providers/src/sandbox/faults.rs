//! What a site does wrong when it is told to. Forgotten at a restart.
use chrono::{DateTime, Utc};
use seam_core::provider::{Failure, Reason};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How a site is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// Connections are refused at once: nothing happens.
    RefusesConnections,
    /// Requests are lost on the way: nothing happens, and the caller waits out its limit.
    LosesRequests,
    /// Answers are lost on the way: it happens, and the caller waits out its limit.
    LosesAnswers,
}

/// Whether a failure comes before or after its call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call has no effect.
    Before,
    /// The call has its effect, and fails all the same.
    After,
}

/// What happens to one call.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Answer,
    Fail(Failure, When),
    /// No answer comes within the limit.
    TimeOut(When),
    /// Success is claimed, nothing is done.
    Lie,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) silence: Option<Silence>,
    pub(super) next: VecDeque<Plan>,
    pub(super) slow: Duration,
    /// How many calls of each verb have reached the site.
    pub(super) calls: BTreeMap<&'static str, u64>,
    pub(super) in_flight: u32,
    pub(super) most_in_flight: u32,
    /// When the site takes its next request, where it limits their rate, and how many came too early.
    pub(super) takes_next: Option<DateTime<Utc>>,
    pub(super) too_early: u64,
    pub(super) bug: Option<Bug>,
}

impl Faults {
    /// Whether a request comes sooner after the last one than the site takes them. What an account is read with is not counted.
    pub(super) fn is_too_early(&mut self, verb: &str, per_second: Option<f32>, now: DateTime<Utc>) -> bool {
        let Some(rate) = per_second.filter(|_| matches!(verb, "put" | "remove" | "find" | "unlock" | "entries")) else { return false };
        if self.takes_next.is_some_and(|at| now < at) {
            self.too_early += 1;
            return true;
        }
        self.takes_next = Some(super::serve::after(now, Duration::from_secs_f32(1.0 / rate)));
        false
    }

    pub(super) fn plan(&mut self) -> Plan {
        if let Some(next) = self.next.pop_front() {
            return next;
        }
        match self.silence {
            None => Plan::Answer,
            Some(Silence::RefusesConnections) => Plan::Fail(Failure::nothing(Reason::Offline, "connection refused"), When::Before),
            Some(Silence::LosesRequests) => Plan::TimeOut(When::Before),
            Some(Silence::LosesAnswers) => Plan::TimeOut(When::After),
        }
    }
}

/// A bug that a provider might have, to see that the conformance suite finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "bugs are planted by tests only"))]
pub(super) enum Bug {
    /// Removing what is absent fails.
    RemoveOfAbsentFails,
    /// A PIN loses its leading zeros.
    LeadingZeroDropped,
    /// A lost answer is told as if nothing had happened.
    NothingAfterEffect,
    /// Every put makes another one.
    PutTwiceMakesTwo,
    /// A window's end belongs to it.
    EndIncluded,
    /// The limit of a call is not obeyed.
    IgnoresWithin,
    /// The PIN is told in the failure.
    PinInFailure,
    /// Reading on in the log tells the last lines again.
    LogCursorStays,
}
