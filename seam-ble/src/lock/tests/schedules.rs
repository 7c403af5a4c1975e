//! Schedules against an oracle that knows calendars from elsewhere (chrono, the IANA database) and looks at every occurrence from the first on.
use super::*;
use chrono::{DateTime, Datelike, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::vec::Vec;

const ZONES: [Tz; 4] = [Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::UTC];

/// The zone as a backend would tell it to a lock: what the offset is at first, and each change in ten years.
fn changes(tz: Tz) -> &'static (i32, Vec<OffsetChange>) {
    static ALL: std::sync::LazyLock<Vec<(i32, Vec<OffsetChange>)>> = std::sync::LazyLock::new(|| ZONES.map(find_changes).into());
    &ALL[ZONES.iter().position(|zone| *zone == tz).unwrap()]
}

fn find_changes(tz: Tz) -> (i32, Vec<OffsetChange>) {
    use chrono::Offset;
    let offset = |at: i64| tz.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc()).fix().local_minus_utc();
    let (from, to) = (seconds("2023-12-01T00:00:00"), seconds("2034-01-01T00:00:00"));
    let first = offset(from);
    let mut found = Vec::new();
    let mut last = first;
    for at in (from..to).step_by(1_800) {
        if offset(at) != last {
            last = offset(at);
            found.push(OffsetChange { at: UnixTime(u64::try_from(at).unwrap()), offset: last });
        }
    }
    (first, found)
}

fn seconds(civil: &str) -> i64 {
    NaiveDateTime::parse_from_str(civil, "%Y-%m-%dT%H:%M:%S").unwrap().and_utc().timestamp()
}

fn civil(text: &str) -> u64 {
    u64::try_from(seconds(text)).unwrap()
}

/// The instant of a wall time: the earlier or the later one where there are two, the first one after where there is none.
fn instant(tz: Tz, wall: NaiveDateTime, later: bool) -> DateTime<Utc> {
    let mut wall = wall;
    loop {
        match tz.from_local_datetime(&wall) {
            LocalResult::Single(at) => return at.with_timezone(&Utc),
            LocalResult::Ambiguous(a, b) => return if later { b } else { a }.with_timezone(&Utc),
            LocalResult::None => wall += Duration::seconds(60 - wall.and_utc().timestamp() % 60),
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    tz: Tz,
    start: NaiveDateTime,
    length: i64,
    pattern: Pattern,
    every: u16,
    duration: u32,
}

impl Case {
    fn schedule(&self) -> Schedule {
        let start = u64::try_from(self.start.and_utc().timestamp()).unwrap();
        let recurrence = Recurrence::new(self.pattern, self.every, self.duration).unwrap();
        Schedule::new(start, start + u64::try_from(self.length).unwrap(), ScheduleClock::Local, Some(recurrence)).unwrap()
    }

    /// All occurrences, one date after the other, as instants.
    fn occurrences(&self) -> Vec<(i64, i64)> {
        let end = self.start + Duration::seconds(self.length);
        let monday = |date: NaiveDate| date - Days::new(u64::from(date.weekday().num_days_from_monday()));
        let first = self.start.date();
        let every = i64::from(self.every);
        let mut found = Vec::new();
        for date in first.iter_days().take_while(|date| date.and_time(self.start.time()) < end) {
            let bit = 1_u8 << date.weekday().num_days_from_monday();
            let month_step = i64::from(date.year() - first.year()) * 12 + i64::from(date.month()) - i64::from(first.month());
            let last = date.with_day(1).unwrap().checked_add_months(chrono::Months::new(1)).unwrap().pred_opt().unwrap().day();
            let begins = match self.pattern {
                Pattern::Daily => (date - first).num_days() % every == 0,
                Pattern::Weekly(days) => days.0 & bit != 0 && (monday(date) - monday(first)).num_weeks() % every == 0,
                Pattern::MonthDay(n) => {
                    let wanted = if n > 0 { i64::from(n) } else { i64::from(last) + 1 + i64::from(n) };
                    i64::from(date.day()) == wanted && month_step % every == 0
                }
                Pattern::MonthWeekday(days, n) => {
                    // Which one it is, counted by going a week back or forth until the month is another.
                    let step = |forth: bool| {
                        let mut count = 0_i8;
                        let mut day = date;
                        while day.month() == date.month() {
                            count += 1;
                            day = if forth { day + Days::new(7) } else { day - Days::new(7) };
                        }
                        count
                    };
                    days.0 & bit != 0 && month_step % every == 0 && if n > 0 { step(false) == n } else { step(true) == -n }
                }
                Pattern::Yearly => {
                    (date.month(), date.day()) == (first.month(), first.day()) && i64::from(date.year() - first.year()) % every == 0
                }
            };
            if begins {
                let opens = date.and_time(self.start.time());
                let closes = (opens + Duration::seconds(i64::from(self.duration))).min(end);
                found.push((instant(self.tz, opens, false).timestamp(), instant(self.tz, closes, true).timestamp()));
            }
        }
        found
    }
}

fn case() -> impl Strategy<Value = Case> {
    let days = (1_u8..0x80).prop_map(Weekdays);
    let ordinal = prop_oneof![1_i8..=5, -5_i8..=-1];
    let pattern = prop_oneof![
        Just(Pattern::Daily),
        days.clone().prop_map(Pattern::Weekly),
        prop_oneof![1_i8..=31, -31_i8..=-1].prop_map(Pattern::MonthDay),
        (days, ordinal).prop_map(|(days, n)| Pattern::MonthWeekday(days, n)),
        Just(Pattern::Yearly),
    ];
    let start = (seconds("2024-01-01T00:00:00") / 900..seconds("2025-12-31T00:00:00") / 900)
        .prop_map(|quarter| DateTime::from_timestamp(quarter * 900, 0).unwrap().naive_utc());
    let duration = prop_oneof![900_u32..90_000, 1_u32..=MAX_DURATION];
    (proptest::sample::select(&ZONES[..]), start, 1_i64..700 * 86_400, pattern, 1_u16..5, duration)
        .prop_map(|(tz, start, length, pattern, every, duration)| Case { tz, start, length, pattern, every, duration })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn occurrences_are_where_the_calendar_says(case in case(), error in prop_oneof![Just(0_u32), 1_u32..3_600]) {
        let &(offset, ref changes) = changes(case.tz);
        let zone = Zone::new(offset, changes).unwrap();
        let schedule = case.schedule();
        let occurrences = case.occurrences();
        let start = case.start.and_utc().timestamp();
        // Around each edge of the first occurrences, and at some times in between.
        let edges = occurrences.iter().take(40).flat_map(|&(a, b)| [a - 1, a, b - 1, b, a + i64::from(error), b - i64::from(error)]);
        let between = (0..40).map(|n| start - 86_400 + n * (case.length / 30));
        for value in edges.chain(between) {
            let now = TrustedTime { value: UnixTime(u64::try_from(value).unwrap()), max_error: error };
            let (from, to) = (value - i64::from(error), value + i64::from(error));
            let surely = occurrences.iter().any(|&(a, b)| a <= from && to < b);
            let perhaps = occurrences.iter().any(|&(a, b)| a <= to && from < b);
            prop_assert_eq!(schedule.surely_on(&now, &zone), surely, "surely at {}", value);
            prop_assert_eq!(schedule.perhaps_on(&now, &zone), perhaps, "perhaps at {}", value);
        }
    }
}

#[test]
fn a_night_over_the_change_of_the_clock_is_one_night() {
    let &(offset, ref changes) = changes(Tz::Europe__Berlin);
    let zone = Zone::new(offset, changes).unwrap();
    let nightly = |start| {
        let recurrence = Recurrence::new(Pattern::Daily, 1, 3_600).unwrap();
        Schedule::new(civil(start), civil("2026-12-31T00:00:00"), ScheduleClock::Local, Some(recurrence)).unwrap()
    };
    let on = |schedule: &Schedule, utc: &str| {
        let at = TrustedTime { value: UnixTime(civil(utc)), max_error: 0 };
        (schedule.surely_on(&at, &zone), schedule.perhaps_on(&at, &zone))
    };
    // 02:15 to 03:15 on 2026-03-29: the wall goes from 02:00 to 03:00 at 01:00 UTC, so it begins there and ends 15 minutes later.
    let gap = nightly("2026-01-01T02:15:00");
    assert_eq!(on(&gap, "2026-03-29T00:59:59"), (false, false));
    assert_eq!(on(&gap, "2026-03-29T01:00:00"), (true, true));
    assert_eq!(on(&gap, "2026-03-29T01:14:59"), (true, true));
    assert_eq!(on(&gap, "2026-03-29T01:15:00"), (false, false));
    // 01:30 to 02:30 on 2026-10-25: 02:30 comes at 00:30 and again at 01:30 UTC; the later one ends it, without a hole.
    let fold = nightly("2026-01-01T01:30:00");
    for utc in ["2026-10-24T23:30:00", "2026-10-25T00:30:00", "2026-10-25T00:45:00", "2026-10-25T01:29:59"] {
        assert_eq!(on(&fold, utc), (true, true), "{utc}");
    }
    assert_eq!(on(&fold, "2026-10-25T01:30:00"), (false, false));
}

#[test]
fn a_clock_too_uncertain_allows_nothing_and_may_deny() {
    let always = Schedule::new(0, u64::MAX, ScheduleClock::Utc, None).unwrap();
    let now = |max_error| TrustedTime { value: UnixTime(1_000_000), max_error };
    assert!(always.surely_on(&now(43_200), &Zone::UTC));
    assert!(!always.surely_on(&now(43_201), &Zone::UTC));
    let never = Schedule::new(5, 6, ScheduleClock::Utc, None).unwrap();
    assert!(!never.perhaps_on(&now(43_200), &Zone::UTC));
    assert!(never.perhaps_on(&now(43_201), &Zone::UTC));
    let end_of_time = TrustedTime { value: UnixTime(u64::MAX), max_error: 0 };
    assert!(!always.surely_on(&end_of_time, &Zone::UTC));
    assert!(never.perhaps_on(&end_of_time, &Zone::UTC));
}

#[test]
fn what_makes_no_schedule_is_refused() {
    let make = |pattern, every, duration| Recurrence::new(pattern, every, duration).map(|_| ());
    assert_eq!(make(Pattern::Daily, 0, 60), Err(ScheduleError::Interval));
    assert_eq!(make(Pattern::Daily, 1, 0), Err(ScheduleError::Duration));
    assert_eq!(make(Pattern::Daily, 1, MAX_DURATION), Ok(()));
    assert_eq!(make(Pattern::Daily, 1, MAX_DURATION + 1), Err(ScheduleError::Duration));
    for bits in [0, 0x80, 0xFF] {
        assert_eq!(make(Pattern::Weekly(Weekdays(bits)), 1, 60), Err(ScheduleError::Weekdays));
        assert_eq!(make(Pattern::MonthWeekday(Weekdays(bits), 1), 1, 60), Err(ScheduleError::Weekdays));
    }
    for n in [0, 32, -32, i8::MIN, i8::MAX] {
        assert_eq!(make(Pattern::MonthDay(n), 1, 60), Err(ScheduleError::Ordinal));
    }
    for n in [0, 6, -6, i8::MIN] {
        assert_eq!(make(Pattern::MonthWeekday(Weekdays(1), n), 1, 60), Err(ScheduleError::Ordinal));
    }
    assert_eq!(Schedule::new(10, 10, ScheduleClock::Utc, None), Err(ScheduleError::Period));
    assert_eq!(Schedule::new(u64::MAX - 1, u64::MAX, ScheduleClock::Utc, None), Err(ScheduleError::Period));
    let day = OffsetChange { at: UnixTime(1), offset: 86_400 };
    assert!(Zone::new(86_400, &[]).is_none());
    assert!(Zone::new(0, &[day]).is_none());
    let hour = OffsetChange { offset: 3_600, ..day };
    assert!(Zone::new(0, &[hour, hour]).is_none());
}
