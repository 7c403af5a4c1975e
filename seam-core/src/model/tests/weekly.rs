//! Weekly schedules.
use super::super::*;
use super::at;
use chrono::{TimeDelta, Weekday};
use chrono_tz::Tz;
use proptest::prelude::*;

fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

fn weekly(spans: &[(DaySet, &str, &str)]) -> Weekly {
    Weekly::new(spans.iter().map(|(days, from, to)| WeeklySpan::new(*days, time(from), time(to)))).unwrap()
}

#[test]
fn a_span_is_half_open() {
    // 2 March 2026 is a Monday.
    let schedule = weekly(&[(DaySet::WORKDAYS, "08:00", "18:00")]);
    for (instant, admitted) in [
        ("2026-03-02T07:59:59.999Z", false),
        ("2026-03-02T08:00:00Z", true),
        ("2026-03-06T17:59:59.999Z", true),
        ("2026-03-06T18:00:00Z", false),
        ("2026-03-07T12:00:00Z", false),
        ("2026-03-08T12:00:00Z", false),
    ] {
        assert_eq!(schedule.admits(at(instant), Tz::UTC), admitted, "{instant}");
    }
    // The same clock elsewhere is another instant.
    assert!(schedule.admits(at("2026-03-02T07:00:00Z"), Tz::Europe__Berlin));
    assert!(!schedule.admits(at("2026-03-02T17:00:00Z"), Tz::Europe__Berlin));
}

#[test]
fn a_span_past_midnight_belongs_to_the_day_on_which_it_starts() {
    let schedule = weekly(&[([Weekday::Sun].into(), "22:00", "06:00")]);
    for (instant, admitted) in [
        ("2026-03-01T05:00:00Z", false),
        ("2026-03-01T21:59:00Z", false),
        ("2026-03-01T22:00:00Z", true),
        ("2026-03-02T05:59:00Z", true),
        ("2026-03-02T06:00:00Z", false),
        ("2026-03-02T23:00:00Z", false),
    ] {
        assert_eq!(schedule.admits(at(instant), Tz::UTC), admitted, "{instant}");
    }
    let whole = weekly(&[([Weekday::Mon].into(), "00:00", "24:00")]);
    assert!(whole.admits(at("2026-03-02T00:00:00Z"), Tz::UTC) && whole.admits(at("2026-03-02T23:59:00Z"), Tz::UTC));
    assert!(!whole.admits(at("2026-03-03T00:00:00Z"), Tz::UTC) && !whole.admits(at("2026-03-01T23:59:00Z"), Tz::UTC));
}

/// How many minutes of the two days from this instant on are admitted.
fn minutes(schedule: &Weekly, from: &str, zone: Tz) -> usize {
    (0..2 * 24 * 60).filter(|n| schedule.admits(at(from) + TimeDelta::minutes(*n), zone)).count()
}

#[test]
fn changes_of_the_clocks() {
    let berlin = Tz::Europe__Berlin;
    let spring = "2026-03-28T11:00:00Z";
    let autumn = "2026-10-24T10:00:00Z";
    let saturday_night = weekly(&[([Weekday::Sat].into(), "22:00", "06:00")]);
    assert_eq!(minutes(&saturday_night, spring, berlin), 7 * 60);
    assert_eq!(minutes(&saturday_night, autumn, berlin), 9 * 60);
    // Wholly in the skipped hour: not that day. Wholly in the doubled hour: one piece, from the first to the second.
    let small_hours = weekly(&[([Weekday::Sun].into(), "02:15", "02:45")]);
    assert_eq!(minutes(&small_hours, spring, berlin), 0);
    assert_eq!(minutes(&small_hours, autumn, berlin), 90);
    assert!(small_hours.admits(at("2026-10-25T00:50:00Z"), berlin));
    // It begins in the gap, or ends in it.
    assert_eq!(minutes(&weekly(&[([Weekday::Sun].into(), "02:30", "04:00")]), spring, berlin), 60);
    assert_eq!(minutes(&weekly(&[([Weekday::Sun].into(), "01:00", "02:30")]), spring, berlin), 60);
    // Half an hour on Lord Howe Island.
    let sunday = weekly(&[([Weekday::Sun].into(), "00:00", "24:00")]);
    assert_eq!(minutes(&sunday, "2026-10-03T01:00:00Z", Tz::Australia__Lord_Howe), 24 * 60 - 30);
    assert_eq!(minutes(&sunday, "2026-04-04T01:00:00Z", Tz::Australia__Lord_Howe), 24 * 60 + 30);
    // Clocks that go back over midnight: Sunday 00:00 to 01:00 is twice, the first time before Saturday 23:00 or so.
    assert_eq!(minutes(&sunday, "2026-10-31T12:00:00Z", Tz::America__Havana), 25 * 60);
}

#[test]
fn bad_schedules_are_refused() {
    let span = |days: DaySet, from: &str, to: &str| WeeklySpan::new(days, time(from), time(to));
    assert_eq!(Weekly::new([]), Err(WeeklyError::NoSpans));
    let good = span(DaySet::EVERY_DAY, "08:00", "09:00");
    assert_eq!(Weekly::new(vec![good; 65]), Err(WeeklyError::TooManySpans { count: 65 }));
    assert!(Weekly::new(vec![good; Weekly::MAX_SPANS]).is_ok());
    assert_eq!(Weekly::new([good, span(DaySet::default(), "08:00", "09:00")]), Err(WeeklyError::NoDays { index: 1 }));
    assert_eq!(Weekly::new([span(DaySet::WEEKEND, "08:00", "08:00")]), Err(WeeklyError::EmptySpan { index: 0, at: time("08:00") }));
    assert_eq!(Weekly::new([span(DaySet::WEEKEND, "24:00", "08:00")]), Err(WeeklyError::StartsAtMidnightEnd { index: 0 }));
    for bad in ["", "8:00", "08:0", "08:00:00", "24:01", "25:00", "08:60", "-8:00", "+8:00", "0８:00", "noon"] {
        assert_eq!(bad.parse::<TimeOfDay>(), Err(WeeklyError::NotATime { text: bad.to_owned() }), "{bad}");
    }
    for bad in [
        r#"{"spans": []}"#,
        r#"{"spans": [{"days": [], "from": "08:00", "to": "09:00"}]}"#,
        r#"{"spans": [{"days": ["Monday"], "from": "08:00", "to": "09:00"}]}"#,
        r#"{"spans": [{"days": ["monday"], "from": "08:00", "to": "08:00"}]}"#,
    ] {
        assert!(serde_json::from_str::<Weekly>(bad).is_err(), "{bad}");
    }
}

#[test]
fn json() {
    let schedule = weekly(&[([Weekday::Sun, Weekday::Mon].into(), "22:00", "24:00")]);
    let text = r#"{"spans":[{"days":["monday","sunday"],"from":"22:00","to":"24:00"}]}"#;
    assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
    assert_eq!(serde_json::from_str::<Weekly>(text).unwrap(), schedule);
    assert_eq!(schedule.spans()[0].days.iter().collect::<Vec<_>>(), [Weekday::Mon, Weekday::Sun]);
}

const WEEK: u16 = 7 * 24 * 60;

fn spans() -> impl Strategy<Value = WeeklySpan> {
    (1..128_u8, 0..24 * 60_u16, 1..=24 * 60_u16).prop_filter_map("from is to", |(days, from, to)| {
        let minute = |n: u16| TimeOfDay::new(u8::try_from(n / 60).unwrap(), u8::try_from(n % 60).unwrap()).unwrap();
        let day = |n: u8| Weekday::try_from(n).unwrap();
        let days: DaySet = (0..7).filter(|n| days & (1 << n) != 0).map(day).collect();
        (from != to).then(|| WeeklySpan::new(days, minute(from), minute(to)))
    })
}

proptest! {
    #[test]
    fn where_no_clock_changes_it_is_a_set_of_minutes_of_the_week(
        spans in proptest::collection::vec(spans(), 1..5),
        minute in 0..WEEK,
    ) {
        let schedule = Weekly::new(spans.clone()).unwrap();
        let mut set = vec![false; usize::from(WEEK)];
        for span in &spans {
            for day in span.days.iter() {
                let midnight = u16::try_from(day.num_days_from_monday()).unwrap() * 24 * 60;
                let mut clock = span.from.hour() * 60 + span.from.minute();
                let end = span.to.hour() * 60 + span.to.minute();
                let end = if end <= clock { end + 24 * 60 } else { end };
                while clock < end {
                    set[usize::from((midnight + clock) % WEEK)] = true;
                    clock += 1;
                }
            }
        }
        let instant = at("2026-03-02T00:00:00Z") + TimeDelta::minutes(i64::from(minute));
        prop_assert_eq!(schedule.admits(instant, Tz::UTC), set[usize::from(minute)]);
        let text = serde_json::to_string(&schedule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Weekly>(&text).unwrap(), schedule);
    }

    #[test]
    fn in_any_zone_it_is_the_clock_on_the_wall_where_that_is_plain(
        spans in proptest::collection::vec(spans(), 1..5),
        minute in 0..365 * 24 * 60_i64,
    ) {
        // Away from a change of the clocks, what counts is the weekday and the time that the wall shows.
        let schedule = Weekly::new(spans).unwrap();
        let zone = Tz::Europe__Lisbon;
        let instant = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(minute);
        let shown = instant.with_timezone(&zone).naive_local();
        let offset = |hours: i64| {
            let there = instant + TimeDelta::hours(hours);
            there.with_timezone(&zone).naive_local() - there.naive_utc()
        };
        prop_assume!(offset(-30) == offset(0) && offset(30) == offset(0));
        prop_assert_eq!(schedule.admits(instant, zone), schedule.admits(shown.and_utc(), Tz::UTC));
    }
}
