//! Civil times (what a clock on the wall of a site shows) to instants, at one place and by one rule.
//!
//! | the civil time | as a start | as an end |
//! |---|---|---|
//! | exists once | that instant | that instant |
//! | is skipped (clocks go forward) | first instant after the gap | first instant after the gap |
//! | exists twice (clocks go back) | the earlier one | the later one |
//!
//! So nobody loses access that the words promised: a doubtful hour belongs to the guest.
use super::{Window, WindowError};
use chrono::{DateTime, LocalResult, NaiveDateTime, Offset as _, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// The instant at which something starts that is said to start at this civil time in this zone.
#[must_use]
pub fn start(civil: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    resolve(civil, zone, |one, other| one.min(other))
}

/// The instant at which something ends that is said to end at this civil time in this zone.
#[must_use]
pub fn end(civil: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    resolve(civil, zone, |one, other| one.max(other))
}

/// The window between two civil times in a zone; without an end it is ongoing.
///
/// # Errors
/// [`WindowError`], as for [`Window::new`]. Two civil times in the same gap make an empty window.
pub fn window(starts: NaiveDateTime, ends: Option<NaiveDateTime>, zone: Tz) -> Result<Window, WindowError> {
    Window::new(start(starts, zone), ends.map(|civil| end(civil, zone)))
}

/// What a clock on the wall shows at this instant. Within a day of the ends of the calendar (year 262,142), where it would show what no calendar has:
/// the time in UTC.
#[must_use]
pub fn clock(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let utc = at.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
}

fn resolve(civil: NaiveDateTime, zone: Tz, choose: fn(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>) -> DateTime<Utc> {
    match zone.from_local_datetime(&civil) {
        LocalResult::Single(at) => at.with_timezone(&Utc),
        LocalResult::Ambiguous(one, other) => choose(one.with_timezone(&Utc), other.with_timezone(&Utc)),
        // A gap; or a time within a day of the ends of the calendar (year 262,142), where only the zone's offset is
        // lost and no window is accepted anyway.
        LocalResult::None => {
            GapInfo::new(&civil, &zone).and_then(|gap| gap.end).map_or_else(|| civil.and_utc(), |after| after.with_timezone(&Utc))
        }
    }
}
