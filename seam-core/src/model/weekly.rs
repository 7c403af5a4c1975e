//! A schedule that repeats every week.
use super::{DaySet, TimeOfDay, civil};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A weekly schedule: the spans of each week during which a door opens, in the civil time of the site's zone.
///
/// It narrows a grant and never widens it: access needs the window *and* the schedule. The zone is not part of it; it
/// is the site's, and is passed where it is asked.
///
/// In JSON: `{"spans": [{"days": ["monday", "tuesday"], "from": "08:00", "to": "18:00"}]}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Spans")]
pub struct Weekly {
    spans: Vec<WeeklySpan>,
}

/// A schedule as it is read, before it is checked.
#[derive(Deserialize)]
struct Spans {
    spans: Vec<WeeklySpan>,
}

impl TryFrom<Spans> for Weekly {
    type Error = WeeklyError;
    fn try_from(read: Spans) -> Result<Self, WeeklyError> {
        Self::new(read.spans)
    }
}

/// One span of a [`Weekly`] schedule: on each of these days, from one time until just before another.
///
/// When `to` is not after `from`, the span passes midnight and ends on the following day; the days are those on which
/// it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WeeklySpan {
    /// The days on which the span starts. At least one.
    pub days: DaySet,
    /// The first minute of the span, `00:00` to `23:59`.
    pub from: TimeOfDay,
    /// The first minute after the span, `00:00` to `24:00`; never equal to `from`.
    pub to: TimeOfDay,
}

impl WeeklySpan {
    /// A span. It is checked when a [`Weekly`] is made of it.
    #[must_use]
    pub fn new(days: impl Into<DaySet>, from: TimeOfDay, to: TimeOfDay) -> Self {
        Self { days: days.into(), from, to }
    }

    /// Whether the span that starts on this date holds the instant.
    fn holds(&self, date: NaiveDate, at: DateTime<Utc>, zone: Tz) -> bool {
        if !self.days.contains(date.weekday()) {
            return false;
        }
        let last = if self.to > self.from { Some(date) } else { date.checked_add_days(Days::new(1)) };
        let (Some(from), Some(to)) = (self.from.on(date), last.and_then(|date| self.to.on(date))) else {
            return false;
        };
        civil::start(from, zone) <= at && at < civil::end(to, zone)
    }
}

/// Why spans make no [`Weekly`] schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeeklyError {
    /// There are no spans: such a schedule would never open. Leave the schedule out instead.
    #[error("a weekly schedule needs at least one span")]
    NoSpans,
    /// There are more spans than [`Weekly::MAX_SPANS`].
    #[error("a weekly schedule has at most {} spans, not {count}", Weekly::MAX_SPANS)]
    TooManySpans {
        /// How many there were.
        count: usize,
    },
    /// A span has no days.
    #[error("span {index} has no days")]
    NoDays {
        /// Which span, from 0.
        index: usize,
    },
    /// A span starts and ends at the same time. A whole day is `00:00` to `24:00`.
    #[error("span {index} starts and ends at {at}; a whole day is 00:00 to 24:00")]
    EmptySpan {
        /// Which span, from 0.
        index: usize,
        /// The time that is both.
        at: TimeOfDay,
    },
    /// A span starts at `24:00`; that is `00:00` of the next day.
    #[error("span {index} starts at 24:00; say 00:00 of the next day")]
    StartsAtMidnightEnd {
        /// Which span, from 0.
        index: usize,
    },
    /// The text is no time of day.
    #[error("{text:?} is no time of day: HH:MM from 00:00 to 24:00 is expected")]
    NotATime {
        /// The text.
        text: String,
    },
}

impl Weekly {
    /// The most spans a schedule may have: a day with nine of them, all week.
    pub const MAX_SPANS: usize = 64;

    /// A schedule of these spans. They may overlap.
    ///
    /// # Errors
    /// [`WeeklyError`]: no spans, too many, or a span without days or without length.
    pub fn new(spans: impl IntoIterator<Item = WeeklySpan>) -> Result<Self, WeeklyError> {
        let spans: Vec<_> = spans.into_iter().collect();
        if spans.is_empty() {
            return Err(WeeklyError::NoSpans);
        }
        if spans.len() > Self::MAX_SPANS {
            return Err(WeeklyError::TooManySpans { count: spans.len() });
        }
        for (index, span) in spans.iter().enumerate() {
            if span.days.is_empty() {
                return Err(WeeklyError::NoDays { index });
            }
            if span.from == span.to {
                return Err(WeeklyError::EmptySpan { index, at: span.from });
            }
            if span.from == TimeOfDay::END {
                return Err(WeeklyError::StartsAtMidnightEnd { index });
            }
        }
        Ok(Self { spans })
    }

    /// The spans, in the order in which they were given.
    #[must_use]
    pub fn spans(&self) -> &[WeeklySpan] {
        &self.spans
    }

    /// Whether the schedule lets somebody in at this instant at a site in this zone.
    ///
    /// Each span begins and ends by the rules of [`civil`]: across a change of the clocks a span stays one piece, and
    /// a span that lies wholly in a skipped hour does not happen that day.
    #[must_use]
    pub fn admits(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let today = civil::clock(at, zone).date();
        // Yesterday's span may pass midnight; tomorrow's may have begun where the clocks go back over midnight.
        let days = [today.pred_opt(), Some(today), today.succ_opt()];
        days.into_iter().flatten().any(|date| self.spans.iter().any(|span| span.holds(date, at, zone)))
    }
}
