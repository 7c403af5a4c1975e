//! Windows as vendors keep them: civil times of the site, at a resolution, rounded inwards.
//!
//! A message that says "02:30" says it twice on the day when clocks go back, and nobody documents which one a server means. So a window is rounded until
//! neither reading makes it wider: at most an hour is lost, once a year, and no hour is given away.
use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use seam_core::model::{Window, civil};
use seam_core::provider::{Failure, Reason};

/// The most steps of rounding: two hours of seconds.
const MOST_STEPS: u32 = 7200;

/// A window in civil times of a site, whole at a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CivilWindow {
    /// The first civil time of it.
    pub starts: NaiveDateTime,
    /// The first civil time after it; none when it is ongoing.
    pub ends: Option<NaiveDateTime>,
}

impl CivilWindow {
    /// The instants of it: the earliest start and the latest end that the civil times can mean.
    ///
    /// # Errors
    /// `Refused` ([`Garbled`](Reason::Garbled)): it ends before it starts, or lies outside of the calendar. For what a system shows.
    pub fn instants(&self, zone: Tz) -> Result<Window, Failure> {
        civil::window(self.starts, self.ends, zone).map_err(|e| Failure::refused(Reason::Garbled, e.to_string()))
    }
}

/// A window at a resolution of so many seconds (1 to 86,400; a divisor of a day), in civil times of a zone: never a moment more than was asked for.
///
/// # Errors
/// `Refused` ([`WindowRefused`](Reason::WindowRefused)): nothing is left of it.
pub fn inwards(window: &Window, zone: Tz, resolution_seconds: u32) -> Result<CivilWindow, Failure> {
    let step = TimeDelta::seconds(i64::from(resolution_seconds.clamp(1, 86_400)));
    let refused = || Failure::refused(Reason::WindowRefused, "nothing is left of the window at the resolution of the system");
    let starts = start(window.starts_at(), zone, step).ok_or_else(refused)?;
    let ends = match window.ends_at() {
        Some(at) => Some(end(at, zone, step).ok_or_else(refused)?),
        None => None,
    };
    let rounded = CivilWindow { starts, ends };
    // By the clock on the wall, and in truth.
    let is_left = ends.is_none_or(|ends| starts < ends) && rounded.instants(zone).is_ok_and(|w| window.covers(&w));
    is_left.then_some(rounded).ok_or_else(refused)
}

/// The first whole civil time that means no instant before `at`.
fn start(at: DateTime<Utc>, zone: Tz, step: TimeDelta) -> Option<NaiveDateTime> {
    let shown = civil::clock(at, zone);
    let mut time = floor(shown, step)?;
    if time < shown {
        time = time.checked_add_signed(step)?;
    }
    for _ in 0..MOST_STEPS {
        if civil::start(time, zone) >= at {
            return Some(time);
        }
        time = time.checked_add_signed(step)?;
    }
    None
}

/// The last whole civil time that means no instant after `at`.
fn end(at: DateTime<Utc>, zone: Tz, step: TimeDelta) -> Option<NaiveDateTime> {
    let mut time = floor(civil::clock(at, zone), step)?;
    for _ in 0..MOST_STEPS {
        if civil::end(time, zone) <= at {
            return Some(time);
        }
        time = time.checked_sub_signed(step)?;
    }
    None
}

fn floor(time: NaiveDateTime, step: TimeDelta) -> Option<NaiveDateTime> {
    let second = i64::from(time.num_seconds_from_midnight());
    let midnight = time.date().and_hms_opt(0, 0, 0)?;
    midnight.checked_add_signed(TimeDelta::seconds(second - second % step.num_seconds().max(1)))
}
