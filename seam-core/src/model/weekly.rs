//! A schedule that repeats every week.
use super::civil;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

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
        Self {
            days: days.into(),
            from,
            to,
        }
    }

    /// Whether the span that starts on this date holds the instant.
    fn holds(&self, date: NaiveDate, at: DateTime<Utc>, zone: Tz) -> bool {
        if !self.days.contains(date.weekday()) {
            return false;
        }
        let last = if self.to > self.from {
            Some(date)
        } else {
            date.checked_add_days(Days::new(1))
        };
        let (Some(from), Some(to)) = (self.from.on(date), last.and_then(|date| self.to.on(date)))
        else {
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
    #[error(
        "a weekly schedule has at most {} spans, not {count}",
        Weekly::MAX_SPANS
    )]
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
                return Err(WeeklyError::EmptySpan {
                    index,
                    at: span.from,
                });
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
        days.into_iter()
            .flatten()
            .any(|date| self.spans.iter().any(|span| span.holds(date, at, zone)))
    }
}

/// A minute of the day, `00:00` to `24:00`, where `24:00` is the end of the day. `HH:MM` in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The end of the day, `24:00`.
    pub const END: Self = Self(24 * 60);

    /// A time of day: hour 0 to 23 and minute 0 to 59, or 24 and 0. None for anything else.
    #[must_use]
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        if (hour < 24 && minute < 60) || (hour == 24 && minute == 0) {
            Some(Self(hour as u16 * 60 + minute as u16))
        } else {
            None
        }
    }

    /// The hour, 0 to 24.
    #[must_use]
    pub const fn hour(self) -> u16 {
        self.0 / 60
    }

    /// The minute, 0 to 59.
    #[must_use]
    pub const fn minute(self) -> u16 {
        self.0 % 60
    }

    /// This time on a date; `24:00` is midnight of the next one. None at the end of the calendar.
    #[must_use]
    pub fn on(self, date: NaiveDate) -> Option<NaiveDateTime> {
        let date = if self == Self::END {
            date.succ_opt()?
        } else {
            date
        };
        Some(date.and_time(NaiveTime::from_hms_opt(
            u32::from(self.hour()) % 24,
            u32::from(self.minute()),
            0,
        )?))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TimeOfDay {
    type Err = WeeklyError;
    fn from_str(text: &str) -> Result<Self, WeeklyError> {
        let number = |part: &str| (part.len() == 2).then(|| part.parse().ok()).flatten();
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(number(hour)?, number(minute)?))
            .ok_or_else(|| WeeklyError::NotATime {
                text: text.to_owned(),
            })
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

const NAMES: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];

/// A set of days of the week. In JSON an array of names, `monday` to `sunday`, written from Monday on.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DaySet(u8);

impl DaySet {
    /// Monday to Sunday.
    pub const EVERY_DAY: Self = Self(0b111_1111);
    /// Monday to Friday.
    pub const WORKDAYS: Self = Self(0b001_1111);
    /// Saturday and Sunday.
    pub const WEEKEND: Self = Self(0b110_0000);

    /// Whether the day is in the set.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }

    /// Whether there is no day in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days of the set, from Monday on.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        NAMES
            .into_iter()
            .map(|(day, _)| day)
            .filter(move |day| self.contains(*day))
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.num_days_from_monday()
}

impl FromIterator<Weekday> for DaySet {
    fn from_iter<I: IntoIterator<Item = Weekday>>(days: I) -> Self {
        Self(days.into_iter().fold(0, |set, day| set | bit(day)))
    }
}

impl<const N: usize> From<[Weekday; N]> for DaySet {
    fn from(days: [Weekday; N]) -> Self {
        days.into_iter().collect()
    }
}

impl fmt::Debug for DaySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for DaySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            NAMES
                .iter()
                .filter(|(day, _)| self.contains(*day))
                .map(|(_, name)| name),
        )
    }
}

impl<'de> Deserialize<'de> for DaySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names
            .iter()
            .map(|name| {
                let known = NAMES.iter().find(|(_, known)| known == name);
                known.map(|(day, _)| *day).ok_or_else(|| {
                    serde::de::Error::custom(format_args!(
                        "{name:?} is no day: monday to sunday are expected"
                    ))
                })
            })
            .collect()
    }
}
