//! Civil times of real zones.
use super::super::{DaySet, Weekly, WeeklySpan, WindowError, civil};
use super::at;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

fn clock(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

#[test]
fn gaps_and_folds_of_real_zones() {
    let berlin = Tz::Europe__Berlin;
    let lisbon = Tz::Europe__Lisbon;
    let lord_howe = Tz::Australia__Lord_Howe;
    for (zone, civil_time, start, end) in [
        // Summer begins in Berlin: 02:00 to 03:00 does not exist.
        (berlin, "2026-03-29 01:59", "2026-03-29T00:59:00Z", "2026-03-29T00:59:00Z"),
        (berlin, "2026-03-29 02:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        (berlin, "2026-03-29 02:30", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        (berlin, "2026-03-29 03:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        // Summer ends there: 02:00 to 03:00 exists twice.
        (berlin, "2026-10-25 01:59", "2026-10-24T23:59:00Z", "2026-10-24T23:59:00Z"),
        (berlin, "2026-10-25 02:00", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
        (berlin, "2026-10-25 02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        (berlin, "2026-10-25 03:00", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"),
        // Lisbon changes at the same instants, one hour earlier on the clock.
        (lisbon, "2026-03-29 01:30", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        (lisbon, "2026-10-25 01:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        (lisbon, "2026-07-01 12:00", "2026-07-01T11:00:00Z", "2026-07-01T11:00:00Z"),
        // Half an hour on Lord Howe Island: 02:00 to 02:30 is skipped in October, 01:30 to 02:00 doubled in April.
        (lord_howe, "2026-10-04 02:15", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"),
        (lord_howe, "2026-10-04 02:30", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"),
        (lord_howe, "2026-04-05 01:45", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"),
        (lord_howe, "2026-04-05 02:00", "2026-04-04T15:30:00Z", "2026-04-04T15:30:00Z"),
        // A whole day that never was: Samoa crossed the date line.
        (Tz::Pacific__Apia, "2011-12-30 12:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
        // Clocks that change at midnight.
        (Tz::America__Sao_Paulo, "2018-11-04 00:30", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z"),
    ] {
        let civil_time = clock(civil_time);
        assert_eq!(civil::start(civil_time, zone), at(start), "start at {civil_time} in {zone}");
        assert_eq!(civil::end(civil_time, zone), at(end), "end at {civil_time} in {zone}");
    }
}

#[test]
fn a_clock_shows_something_at_the_ends_of_the_calendar_too() {
    for zone in [Tz::UTC, Tz::Etc__GMTMinus14, Tz::Etc__GMTPlus12, Tz::Europe__Berlin] {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let shown = civil::clock(at, zone);
            assert!((shown - at.naive_utc()).abs() <= TimeDelta::hours(14), "{zone}");
            let always = Weekly::new([WeeklySpan::new(DaySet::EVERY_DAY, "00:00".parse().unwrap(), "24:00".parse().unwrap())]).unwrap();
            let _ = always.admits(at, zone);
        }
    }
    assert_eq!(civil::clock(at("2026-07-01T12:00:00Z"), Tz::Europe__Berlin), clock("2026-07-01 14:00"));
}

#[test]
fn windows_of_civil_times() {
    let zone = Tz::Europe__Berlin;
    let night = civil::window(clock("2026-10-24 15:00"), Some(clock("2026-10-25 11:00")), zone).unwrap();
    assert_eq!(night.length().unwrap().as_secs(), 21 * 3600);
    let gone = civil::window(clock("2026-03-29 02:10"), Some(clock("2026-03-29 02:50")), zone);
    assert_eq!(gone, Err(WindowError::Empty { at: at("2026-03-29T01:00:00Z") }));
    for extreme in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
        for zone in [zone, Tz::Pacific__Apia, Tz::Etc__GMTMinus14, Tz::UTC] {
            assert!(matches!(civil::window(extreme, None, zone), Err(WindowError::OutOfRange { .. })));
        }
    }
}

/// Looks at every minute around a civil time, and knows nothing of gaps and folds.
fn by_walking(civil_time: NaiveDateTime, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = civil_time.and_utc() - TimeDelta::hours(40);
    let minutes = (0..80 * 60).map(|n| first + TimeDelta::minutes(n));
    let shown = |instant: DateTime<Utc>| instant.with_timezone(&zone).naive_local();
    let matches: Vec<_> = minutes.clone().filter(|instant| shown(*instant) == civil_time).collect();
    match (matches.first(), matches.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => {
            let after = minutes.clone().find(|instant| shown(*instant) > civil_time).unwrap();
            (after, after)
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_walking_through_the_minutes(
        zone in proptest::sample::select(vec![
            Tz::Europe__Berlin, Tz::Europe__Lisbon, Tz::Australia__Lord_Howe, Tz::America__New_York,
            Tz::America__Sao_Paulo, Tz::Pacific__Apia, Tz::Africa__Casablanca, Tz::Asia__Kathmandu,
            Tz::Atlantic__Azores, Tz::America__Havana,
        ]),
        near in proptest::sample::select(vec![
            "2026-03-29 02:00", "2026-10-25 02:00", "2026-10-04 02:00", "2026-04-05 02:00", "2026-03-08 02:00",
            "2026-11-01 02:00", "2018-11-04 00:00", "2018-02-18 00:00", "2011-12-30 00:00", "2026-03-08 00:00",
        ]),
        minutes in -180..240_i64,
    ) {
        let civil_time = clock(near) + TimeDelta::minutes(minutes);
        let (start, end) = by_walking(civil_time, zone);
        prop_assert_eq!(civil::start(civil_time, zone), start);
        prop_assert_eq!(civil::end(civil_time, zone), end);
    }
}
