//! The calendar: days to dates and back, in the proleptic Gregorian calendar. Nothing else in the crate counts days.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
}

/// The date of a day counted from 1970-01-01. The arithmetic counts years from March, so that the leap day is a year's last.
pub(super) fn date_of(days: i64) -> Date {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    Date { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
}

/// Monday is 0. 1970-01-01 was a Thursday.
pub(super) const fn weekday_of(days: i64) -> u8 {
    (days + 3).rem_euclid(7) as u8
}

/// The number of the week that begins on Monday, counted from the week of 1970-01-01.
pub(super) const fn week_of(days: i64) -> i64 {
    (days + 3).div_euclid(7)
}

/// How many days the month has.
pub(super) const fn days_in(date: Date) -> i64 {
    match date.month {
        2 if date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Months since the year 0, to count intervals of months.
pub(super) const fn months(date: Date) -> i64 {
    date.year * 12 + date.month - 1
}
