//! Schedules as Aliro's documents write them, and as the lock judges them.
//!
//! The document knows more kinds of recurrence than the lock. One that the lock cannot judge is refused with the whole document: left out of an
//! allowance it would shut somebody out, left out of a denial it would let somebody in.
use super::civil::{DAY, date_of};
use super::schedule::{LATEST, Pattern, Recurrence, Schedule, ScheduleClock, Weekdays};
use crate::aliro::DocumentError;
use crate::aliro::access_data::{Pattern as Written, Recurrence as WrittenRecurrence, Schedule as WrittenSchedule};

const UNKNOWN: DocumentError = DocumentError::Unsupported("a recurrence that the lock cannot judge");

/// The bit of a month (1 to 12) in a mask: they follow the seven days of the week.
const fn month_bit(month: i64) -> u32 {
    1 << (6 + month)
}

/// What a document says of a schedule.
///
/// # Errors
/// [`DocumentError::Time`] beyond the year 2106, [`DocumentError::Value`] for an interval above 255.
pub(super) fn written(schedule: &Schedule) -> Result<WrittenSchedule, DocumentError> {
    let seconds = |time: u64| u32::try_from(time).map_err(|_| DocumentError::Time);
    let recurrence = schedule.recurrence.as_ref().map(|recurrence| written_recurrence(recurrence, schedule.starts)).transpose()?;
    Ok(WrittenSchedule {
        start: seconds(schedule.starts)?,
        // The lock's own latest instant stands for none.
        end: if schedule.ends == LATEST { None } else { Some(seconds(schedule.ends)?) },
        recurrence,
        utc: schedule.clock == ScheduleClock::Utc,
    })
}

fn written_recurrence(recurrence: &Recurrence, starts: u64) -> Result<WrittenRecurrence, DocumentError> {
    let (pattern, mask, ordinal) = match recurrence.pattern {
        Pattern::Daily => (Written::Daily, 0, 0),
        Pattern::Weekly(days) => (Written::Weekly, u32::from(days.0), 0),
        Pattern::MonthDay(day) => (Written::MonthlyByDate, 0, day),
        Pattern::MonthWeekday(days, ordinal) => (Written::MonthlyByDay, u32::from(days.0), ordinal),
        Pattern::Yearly => {
            let date = date_of(day_of(starts)?);
            (Written::YearlyByDate, month_bit(date.month), i8::try_from(date.day).map_err(|_| DocumentError::Time)?)
        }
    };
    let interval = u8::try_from(recurrence.every).map_err(|_| DocumentError::Value)?;
    Ok(WrittenRecurrence { duration: recurrence.duration, mask, pattern, interval, ordinal })
}

/// What the lock makes of a schedule in a document.
///
/// # Errors
/// [`DocumentError::Unsupported`] for a recurrence that it cannot judge, [`DocumentError::Value`] for one that cannot be.
pub(super) fn read(schedule: &WrittenSchedule) -> Result<Schedule, DocumentError> {
    let clock = if schedule.utc { ScheduleClock::Utc } else { ScheduleClock::Local };
    let starts = u64::from(schedule.start);
    let recurrence = schedule.recurrence.as_ref().map(|recurrence| read_recurrence(recurrence, starts)).transpose()?;
    Schedule::new(starts, schedule.end.map_or(u64::MAX, u64::from), clock, recurrence).map_err(|_| DocumentError::Value)
}

fn read_recurrence(written: &WrittenRecurrence, starts: u64) -> Result<Recurrence, DocumentError> {
    let days = || u8::try_from(written.mask).map(Weekdays).map_err(|_| DocumentError::Value);
    let pattern = match (written.pattern, written.mask, written.ordinal) {
        (Written::Daily, 0, 0) => Pattern::Daily,
        (Written::Weekly, 1.., 0) => Pattern::Weekly(days()?),
        (Written::MonthlyByDay, 1.., ordinal) => Pattern::MonthWeekday(days()?, ordinal),
        (Written::MonthlyByDate, 0, ordinal) if ordinal != 0 => Pattern::MonthDay(ordinal),
        // One day of the month, told by its bit.
        (Written::MonthlyByDate, mask, 0) if mask.is_power_of_two() => {
            Pattern::MonthDay(i8::try_from(mask.trailing_zeros() + 1).map_err(|_| DocumentError::Value)?)
        }
        (Written::YearlyByDate, mask, ordinal) => {
            let date = date_of(day_of(starts)?);
            if (mask, i64::from(ordinal)) != (month_bit(date.month), date.day) {
                return Err(UNKNOWN);
            }
            Pattern::Yearly
        }
        _ => return Err(UNKNOWN),
    };
    Recurrence::new(pattern, u16::from(written.interval), written.duration).map_err(|_| DocumentError::Value)
}

fn day_of(seconds: u64) -> Result<i64, DocumentError> {
    i64::try_from(seconds).map(|seconds| seconds.div_euclid(DAY)).map_err(|_| DocumentError::Time)
}
