//! Weekly and other recurring times, as intervals of real time.
//!
//! A schedule is asked about a *span*, because a lock's clock has an error: what allows has to hold for the whole span, what denies need
//! only touch it.
use super::civil::{DAY, date_of, days_in, months, week_of, weekday_of};
use super::clock::{TrustedTime, UnixTime};

/// Longest occurrence of a recurring schedule, in seconds: 31 days.
pub const MAX_DURATION: u32 = 31 * 86_400;
/// How many schedules a grant can have: as many as a rule's mask has bits.
pub const MAX_SCHEDULES: usize = 32;
/// A clock with a larger error than this, in seconds, proves nothing about a schedule.
const LARGEST_ERROR: u32 = 12 * 3_600;
/// Latest instant that is computed with (the year 9999): beyond it the calendar is of no use, and sums stay far from overflowing.
pub(super) const LATEST: u64 = 253_402_300_799;

/// Days of the week: bit 0 is Monday, bit 6 is Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weekdays(pub u8);

/// On which days an occurrence begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Every day.
    Daily,
    /// On these days of the week. Weeks are counted from Monday.
    Weekly(Weekdays),
    /// On this day of the month: 1 to 31, or -1 (the last) to -31. Months without that day are left out.
    MonthDay(i8),
    /// On the n-th of each of these weekdays in the month: 1 to 5, or -1 (the last) to -5.
    MonthWeekday(Weekdays, i8),
    /// On the date of the schedule's start. The 29th of February comes in leap years only.
    Yearly,
}

/// How a schedule repeats. An occurrence begins at the time of day of the schedule's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recurrence {
    pub(super) pattern: Pattern,
    pub(super) every: u16,
    pub(super) duration: u32,
}

/// Why a schedule cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleError {
    /// `every` is 0.
    Interval,
    /// The duration is 0 or longer than [`MAX_DURATION`].
    Duration,
    /// No day, or a bit beyond Sunday.
    Weekdays,
    /// A day of the month beyond 31, an n-th beyond 5, or 0.
    Ordinal,
    /// The end is not after the start, or the start is later than the year 9999.
    Period,
}

impl core::fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Interval => "a schedule repeats every 1 or more units",
            Self::Duration => "an occurrence lasts from 1 second to 31 days",
            Self::Weekdays => "a schedule names days from Monday to Sunday, at least one",
            Self::Ordinal => "a day of the month is 1 to 31, a weekday's ordinal 1 to 5, or as much below zero",
            Self::Period => "a schedule ends after it starts",
        })
    }
}

impl core::error::Error for ScheduleError {}

impl Recurrence {
    /// Repeats by the pattern, every `every` days, weeks, months or years; each occurrence lasts `duration` seconds of the wall clock.
    ///
    /// # Errors
    /// What is out of its range, see [`ScheduleError`].
    pub const fn new(pattern: Pattern, every: u16, duration: u32) -> Result<Self, ScheduleError> {
        if every == 0 {
            return Err(ScheduleError::Interval);
        }
        if duration == 0 || duration > MAX_DURATION {
            return Err(ScheduleError::Duration);
        }
        match pattern {
            Pattern::Weekly(Weekdays(0 | 0x80..)) | Pattern::MonthWeekday(Weekdays(0 | 0x80..), _) => Err(ScheduleError::Weekdays),
            Pattern::MonthDay(0 | 32.. | ..=-32) | Pattern::MonthWeekday(_, 0 | 6.. | ..=-6) => Err(ScheduleError::Ordinal),
            _ => Ok(Self { pattern, every, duration }),
        }
    }

    /// Whether an occurrence begins on this day, given the day of the schedule's start. Days count from 1970-01-01.
    fn begins_on(&self, day: i64, first: i64) -> bool {
        if day < first {
            return false;
        }
        let every = i64::from(self.every);
        let (date, start) = (date_of(day), date_of(first));
        let in_step = match self.pattern {
            Pattern::Daily => day - first,
            Pattern::Weekly(_) => week_of(day) - week_of(first),
            Pattern::MonthDay(_) | Pattern::MonthWeekday(..) => months(date) - months(start),
            Pattern::Yearly => date.year - start.year,
        } % every
            == 0;
        let named = |days: Weekdays| days.0 & (1 << weekday_of(day)) != 0;
        in_step
            && match self.pattern {
                Pattern::Daily => true,
                Pattern::Weekly(days) => named(days),
                Pattern::MonthDay(n) if n > 0 => date.day == i64::from(n),
                Pattern::MonthDay(n) => date.day == days_in(date) + 1 + i64::from(n),
                Pattern::MonthWeekday(days, n) if n > 0 => named(days) && (date.day - 1) / 7 == i64::from(n) - 1,
                Pattern::MonthWeekday(days, n) => named(days) && (days_in(date) - date.day) / 7 == -i64::from(n) - 1,
                Pattern::Yearly => (date.month, date.day) == (start.month, start.day),
            }
    }
}

/// Whose clock the times of a schedule are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleClock {
    /// Seconds since 1970 in UTC.
    Utc,
    /// Seconds since 1970-01-01 00:00 as a clock on the wall at the door counts them, without regard to its changes. A start within the hour
    /// that the clock skips becomes the first instant after it; an end within the hour that it repeats is the later one.
    Local,
}

/// A period, or times that recur within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    pub(super) starts: u64,
    pub(super) ends: u64,
    pub(super) clock: ScheduleClock,
    pub(super) recurrence: Option<Recurrence>,
}

impl Schedule {
    /// The first second of 1970: what stands where there is none.
    pub(super) const BLANK: Self = Self { starts: 0, ends: 1, clock: ScheduleClock::Utc, recurrence: None };

    /// On from `starts` (inclusive) to `ends` (exclusive), in seconds by the given clock; or, within that period, as the recurrence says.
    /// What an occurrence would last beyond `ends` is cut off.
    ///
    /// # Errors
    /// [`ScheduleError::Period`] for an empty period or a start beyond the year 9999.
    pub const fn new(starts: u64, ends: u64, clock: ScheduleClock, recurrence: Option<Recurrence>) -> Result<Self, ScheduleError> {
        if ends <= starts || starts > LATEST {
            return Err(ScheduleError::Period);
        }
        Ok(Self { starts, ends: if ends > LATEST { LATEST } else { ends }, clock, recurrence })
    }

    /// Whether one occurrence holds the whole span in which the true time lies.
    pub(super) fn surely_on(&self, now: &TrustedTime, zone: &Zone<'_>) -> bool {
        let (from, to) = (now.earliest().0, now.latest().0);
        now.max_error <= LARGEST_ERROR && self.any(from, to, zone, |starts, ends| starts <= from && to < ends)
    }

    /// Whether any occurrence touches the span in which the true time lies.
    pub(super) fn perhaps_on(&self, now: &TrustedTime, zone: &Zone<'_>) -> bool {
        let (from, to) = (now.earliest().0, now.latest().0);
        now.max_error > LARGEST_ERROR || to > LATEST || self.any(from, to, zone, |starts, ends| starts <= to && from < ends)
    }

    /// Whether an occurrence near the span satisfies the test, which gets its first instant and the first one after it.
    fn any(&self, from: u64, to: u64, zone: &Zone<'_>, test: impl Fn(u64, u64) -> bool) -> bool {
        if to > LATEST {
            return false;
        }
        let begin = |civil: i64| self.instant(civil, zone, Edge::Start);
        let end = |civil: i64| self.instant(civil, zone, Edge::End);
        let (starts, ends) = (signed(self.starts), signed(self.ends));
        let Some(recurrence) = &self.recurrence else {
            return test(begin(starts), end(ends));
        };
        let (first, of_day, lasts) = (starts.div_euclid(DAY), starts.rem_euclid(DAY), i64::from(recurrence.duration));
        // No clock on a wall is a whole day away from UTC, so one day more on each side is enough.
        let earliest = (signed(from) - lasts).div_euclid(DAY) - 2;
        let latest = signed(to).div_euclid(DAY) + 1;
        (earliest.max(first)..=latest).any(|day| {
            let civil = day * DAY + of_day;
            recurrence.begins_on(day, first) && civil < ends && test(begin(civil), end((civil + lasts).min(ends)))
        })
    }

    fn instant(&self, civil: i64, zone: &Zone<'_>, edge: Edge) -> u64 {
        match self.clock {
            ScheduleClock::Utc => unsigned(civil),
            ScheduleClock::Local => zone.instant(civil, edge),
        }
    }
}

/// A change of the wall clock's offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetChange {
    /// The first instant with the new offset.
    pub at: UnixTime,
    /// Seconds east of UTC from then on; less than a day.
    pub offset: i32,
}

/// The wall clock at the door: an offset from UTC and its coming changes, as the backend tells the lock. A lock holds no time zone database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone<'a> {
    offset: i32,
    changes: &'a [OffsetChange],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

impl<'a> Zone<'a> {
    /// UTC, without changes.
    pub const UTC: Self = Self { offset: 0, changes: &[] };

    /// `offset` seconds east of UTC, and the changes in the order of time. `None` when an offset is a day or more, or when the changes are
    /// not in order.
    #[must_use]
    pub fn new(offset: i32, changes: &'a [OffsetChange]) -> Option<Self> {
        let sane = |offset: i32| i64::from(offset).abs() < DAY;
        let ordered = changes.windows(2).all(|pair| pair[0].at < pair[1].at);
        (sane(offset) && ordered && changes.iter().all(|c| sane(c.offset))).then_some(Self { offset, changes })
    }

    fn offset_at(&self, instant: i64) -> i64 {
        let last = self.changes.iter().rev().find(|change| signed(change.at.0) <= instant);
        i64::from(last.map_or(self.offset, |change| change.offset))
    }

    /// The instant at which the wall clock shows `civil`.
    fn instant(&self, civil: i64, edge: Edge) -> u64 {
        let offsets = core::iter::once(self.offset).chain(self.changes.iter().map(|change| change.offset)).map(i64::from);
        let shows = offsets.map(|offset| civil - offset).filter(|&instant| instant + self.offset_at(instant) == civil);
        let found = match edge {
            Edge::Start => shows.min(),
            Edge::End => shows.max(),
        };
        // The clock never shows a time that it skips: the change itself is the first instant after it.
        let skipped = || {
            self.changes
                .iter()
                .map(|change| signed(change.at.0))
                .find(|&at| at - 1 + self.offset_at(at - 1) < civil && civil < at + self.offset_at(at))
        };
        unsigned(found.or_else(skipped).unwrap_or(civil))
    }
}

/// Times in a schedule are at most [`LATEST`], spans are cut off there before; so nothing is lost.
fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds.min(LATEST)).unwrap_or(i64::MAX)
}

fn unsigned(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}
