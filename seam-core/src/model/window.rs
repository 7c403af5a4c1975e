//! The time during which something holds.
use super::time;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A half-open stretch of time `[starts_at, ends_at)`: the start belongs to it, the end does not. Without an end it is
/// ongoing.
///
/// It is never empty, and both bounds lie in the years 1970 to 9998 (UTC). Bounds are whole milliseconds; what is
/// finer is cut off when a window is made, so that a stored window is the same one when it is read again.
///
/// In JSON: `{"starts_at": instant, "ends_at": instant or null}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Window {
    #[serde(with = "time::instant")]
    starts_at: DateTime<Utc>,
    #[serde(with = "time::option")]
    ends_at: Option<DateTime<Utc>>,
}

/// A window as it is read, before it is checked.
#[derive(Deserialize)]
struct Bounds {
    #[serde(with = "time::instant")]
    starts_at: DateTime<Utc>,
    #[serde(default, with = "time::option")]
    ends_at: Option<DateTime<Utc>>,
}

impl TryFrom<Bounds> for Window {
    type Error = WindowError;
    fn try_from(bounds: Bounds) -> Result<Self, WindowError> {
        Self::new(bounds.starts_at, bounds.ends_at)
    }
}

/// Why two instants make no [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// Start and end are the same millisecond.
    #[error("the window is empty: it starts and ends at {}", time::text(*.at))]
    Empty {
        /// The instant that is both.
        at: DateTime<Utc>,
    },
    /// The end lies before the start.
    #[error("the window ends at {}, before it starts at {}", time::text(*.ends_at), time::text(*.starts_at))]
    Backwards {
        /// The start that was asked for.
        starts_at: DateTime<Utc>,
        /// The end that was asked for.
        ends_at: DateTime<Utc>,
    },
    /// A bound lies outside the years 1970 to 9998.
    #[error("{at:?} is outside the years 1970 to 9998")]
    OutOfRange {
        /// The bound.
        at: DateTime<Utc>,
    },
}

/// The last instant that a window may have as a bound: the last millisecond of the year 9998.
const LAST: DateTime<Utc> = match DateTime::from_timestamp_millis(253_370_764_799_999) {
    Some(at) => at,
    None => DateTime::UNIX_EPOCH,
};

impl Window {
    /// A window from `starts_at` until just before `ends_at`; without an end it is ongoing.
    ///
    /// # Errors
    /// [`WindowError`] when the window would be empty or backwards, or when a bound lies outside the years 1970 to
    /// 9998. Trying again with the same instants fails again.
    pub fn new(starts_at: DateTime<Utc>, ends_at: Option<DateTime<Utc>>) -> Result<Self, WindowError> {
        let starts_at = bound(starts_at)?;
        let ends_at = ends_at.map(bound).transpose()?;
        match ends_at {
            Some(ends_at) if ends_at == starts_at => Err(WindowError::Empty { at: starts_at }),
            Some(ends_at) if ends_at < starts_at => Err(WindowError::Backwards { starts_at, ends_at }),
            _ => Ok(Self { starts_at, ends_at }),
        }
    }

    /// The first instant of the window.
    #[must_use]
    pub const fn starts_at(&self) -> DateTime<Utc> {
        self.starts_at
    }

    /// The first instant after the window; none when it is ongoing.
    #[must_use]
    pub const fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.ends_at
    }

    /// Whether the instant lies in the window.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.starts_at <= at && !self.is_over(at)
    }

    /// Whether the window has ended at this instant: its end is now or earlier.
    #[must_use]
    pub fn is_over(&self, at: DateTime<Utc>) -> bool {
        self.ends_at.is_some_and(|end| end <= at)
    }

    /// Whether every instant of the other window lies in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.starts_at <= other.starts_at
            && match (self.ends_at, other.ends_at) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(mine), Some(theirs)) => theirs <= mine,
            }
    }

    /// Whether there is an instant in both. Windows that only touch do not overlap.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.is_over(other.starts_at) && !other.is_over(self.starts_at)
    }

    /// The instants that are in both; none when there are none.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        self.overlaps(other).then(|| Self {
            starts_at: self.starts_at.max(other.starts_at),
            ends_at: match (self.ends_at, other.ends_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        })
    }

    /// The shortest window that covers both, including what lies between them.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self { starts_at: self.starts_at.min(other.starts_at), ends_at: self.ends_at.zip(other.ends_at).map(|(a, b)| a.max(b)) }
    }

    /// The window grown by `gap` at both sides, kept inside the years 1970 to 9998. A gap is rounded up to whole
    /// milliseconds.
    #[must_use]
    pub fn widen(&self, gap: Duration) -> Self {
        let millis = gap.as_nanos().div_ceil(1_000_000);
        let gap = i64::try_from(millis).ok().and_then(TimeDelta::try_milliseconds).unwrap_or(TimeDelta::MAX);
        let starts_at = self.starts_at.checked_sub_signed(gap).unwrap_or(DateTime::UNIX_EPOCH);
        Self {
            starts_at: starts_at.max(DateTime::UNIX_EPOCH),
            ends_at: self.ends_at.map(|end| end.checked_add_signed(gap).unwrap_or(LAST).min(LAST)),
        }
    }

    /// How long the window is; none when it is ongoing.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.ends_at.and_then(|end| (end - self.starts_at).to_std().ok())
    }
}

/// A bound in whole milliseconds, if it lies in the supported years.
fn bound(at: DateTime<Utc>) -> Result<DateTime<Utc>, WindowError> {
    let at = time::to_millis(at);
    if (1970..=9998).contains(&at.year()) { Ok(at) } else { Err(WindowError::OutOfRange { at }) }
}
