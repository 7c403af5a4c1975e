//! How a call travels to a site and back, with what may go wrong on the way.
use super::faults::{Bug, Plan, When};
use super::state::SiteState;
use super::world::{State, World};
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::provider::{Failure, Reason};
use std::time::Duration;

/// The limit of calls that bring none.
pub(super) const USUAL_LIMIT: Duration = Duration::from_secs(30);

/// A call on its way; it counts as being in flight until it is dropped.
#[derive(Debug)]
pub(super) struct Trip<'a> {
    world: &'a World,
    site: &'a str,
    started: DateTime<Utc>,
    within: Duration,
    slow: Duration,
    plan: Plan,
    bug: Option<Bug>,
}

impl Drop for Trip<'_> {
    fn drop(&mut self) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(self.site) {
                site.faults.in_flight = site.faults.in_flight.saturating_sub(1);
            }
        });
    }
}

pub(super) fn no_site(site: &str) -> Failure {
    Failure::refused(Reason::NotThere, format!("there is no virtual site {site:?}"))
}

impl<'a> Trip<'a> {
    /// Sets out. `Err` when the call fails before anything happens.
    pub(super) async fn begin(world: &'a World, site: &'a str, verb: &'static str, within: Duration) -> Result<Self, Failure> {
        let started = world.now();
        let (plan, slow, bug) = world.change(|state, now| {
            let site = state.sites.get_mut(site).ok_or_else(|| no_site(site))?;
            let faults = &mut site.faults;
            if faults.is_too_early(verb, site.config.per_second, now) {
                return Err(Failure::nothing(Reason::RateLimited, "too many requests").with_retry_after(Duration::from_secs(1)));
            }
            let plan = faults.plan();
            faults.in_flight += 1;
            faults.most_in_flight = faults.most_in_flight.max(faults.in_flight);
            if !matches!(plan, Plan::Fail(_, When::Before)) {
                *faults.calls.entry(verb).or_default() += 1;
            }
            Ok::<_, Failure>((plan, faults.slow, faults.bug))
        })?;
        let trip = Self { world, site, started, within, slow, plan, bug };
        match &trip.plan {
            Plan::Fail(failure, When::Before) => Err(failure.clone()),
            Plan::TimeOut(When::Before) => Err(trip.time_out().await),
            _ => {
                trip.wait(trip.slow / 2).await;
                Ok(trip)
            }
        }
    }

    /// Success is to be claimed and nothing to be done.
    pub(super) fn lies(&self) -> bool {
        matches!(self.plan, Plan::Lie)
    }

    /// Does what the call is for.
    pub(super) fn act<T>(&self, effect: impl FnOnce(&mut SiteState, DateTime<Utc>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.act_all(|state, now| {
            let site = state.sites.get_mut(self.site).ok_or_else(|| no_site(self.site))?;
            effect(site, now)
        })
    }

    /// Does what the call is for, to cards as well.
    pub(super) fn act_all<T>(&self, effect: impl FnOnce(&mut State, DateTime<Utc>) -> Result<T, Failure>) -> Result<T, Failure> {
        let result = self.world.change(effect);
        match self.world.journal_error() {
            None => result,
            Some(_) => Err(Failure::unknown(Reason::Other, "the journal of the virtual site cannot be written")),
        }
    }

    /// Comes back with the answer, if it gets through.
    pub(super) async fn end<T>(self, answer: Result<T, Failure>) -> Result<T, Failure> {
        match &self.plan {
            Plan::Fail(failure, _) => Err(failure.clone()),
            Plan::TimeOut(_) => Err(self.time_out().await),
            Plan::Answer | Plan::Lie => {
                if self.slow > self.within && self.bug != Some(Bug::IgnoresWithin) {
                    return Err(self.time_out().await);
                }
                self.wait(self.slow - self.slow / 2).await;
                answer
            }
        }
    }

    /// The caller waits out the limit and closes the connection.
    async fn time_out(&self) -> Failure {
        let late = if self.bug == Some(Bug::IgnoresWithin) { self.within + Duration::from_secs(60) } else { self.within };
        self.world.clock().sleep_until(after(self.started, late)).await;
        match self.bug {
            Some(Bug::NothingAfterEffect) => Failure::nothing(Reason::TimedOut, "no answer came"),
            _ => Failure::unknown(Reason::TimedOut, "no answer came within the limit"),
        }
    }

    async fn wait(&self, time: Duration) {
        if !time.is_zero() {
            let most = if self.bug == Some(Bug::IgnoresWithin) { time } else { time.min(self.within) };
            let until = after(self.world.now(), most);
            self.world.clock().sleep_until(until).await;
        }
    }
}

pub(super) fn after(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
