//! The clock on the wall at a site, as its locks were told of it.
use chrono::{DateTime, Offset as _, TimeDelta, Utc};
use chrono_tz::Tz;
use seam_ble::lock::{OffsetChange, UnixTime, Zone};

/// The offset from UTC at an instant, and its changes in the three years after it.
pub(in super::super) fn clock_changes(zone: Tz, from: DateTime<Utc>) -> (i32, Vec<OffsetChange>) {
    let offset = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix().local_minus_utc();
    let mut changes = Vec::new();
    // Clocks change at whole hours of UTC.
    let mut hour = from - TimeDelta::seconds(from.timestamp().rem_euclid(3600));
    for _ in 0..3 * 366 * 24 {
        let next = hour + TimeDelta::hours(1);
        if offset(next) != offset(hour) {
            let at = UnixTime(u64::try_from(next.timestamp()).unwrap_or(0));
            changes.push(OffsetChange { at, offset: offset(next) });
        }
        hour = next;
    }
    (offset(from), changes)
}

/// The same, as the lock goes by it.
pub(in super::super) fn wall_clock((offset, changes): &(i32, Vec<OffsetChange>)) -> Zone<'_> {
    Zone::new(*offset, changes).unwrap_or(Zone::UTC)
}
