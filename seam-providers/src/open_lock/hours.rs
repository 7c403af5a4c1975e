//! Hours of the week, as the lock judges them. Pure.
use chrono::{Days, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use seam_ble::aliro::access_data::SCHEDULES_MAX;
use seam_ble::lock::{Action, Allow, Pattern, Recurrence, Rule, Schedule, ScheduleClock, Weekdays};
use seam_core::model::{Weekly, WeeklySpan, Window};
use seam_core::provider::{Failure, Reason};

/// So many spans have a place in a document: one schedule each.
pub(super) const MAX_SPANS: usize = SCHEDULES_MAX;
const DAY_MINUTES: u32 = 24 * 60;

fn seconds(at: NaiveDateTime) -> Option<u64> {
    u64::try_from(at.and_utc().timestamp()).ok()
}

/// The schedules of a document, one per span, and the rule that opens during any of them. Times are those of the clock on the wall at the site.
///
/// # Errors
/// `Refused` for a week that cannot be written: never for one that was checked.
pub(super) fn of_week(week: &Weekly, window: &Window, zone: Tz) -> Result<(Vec<Schedule>, Rule), Failure> {
    // A day before the window: a span of the evening before may reach into it.
    let first = window.starts_at().with_timezone(&zone).date_naive();
    let first = first.checked_sub_days(Days::new(1)).unwrap_or(first);
    let schedules: Option<Vec<Schedule>> = week.spans().iter().map(|span| of_span(span, first.and_time(NaiveTime::MIN))).collect();
    let schedules = schedules.filter(|schedules| schedules.len() <= MAX_SPANS);
    let schedules =
        schedules.ok_or_else(|| Failure::refused(Reason::Invalid, "the hours of the week cannot be written into a document"))?;
    let named = schedules.iter().fold(0_u32, |mask, _| (mask << 1) | 1);
    Ok((schedules, Rule { capabilities: Action::Momentary as u8, allow: Allow::During(named), deny: 0 }))
}

fn of_span(span: &WeeklySpan, from: NaiveDateTime) -> Option<Schedule> {
    let minutes = |time: seam_core::model::TimeOfDay| u32::from(time.hour()) * 60 + u32::from(time.minute());
    let (starts, ends) = (minutes(span.from), minutes(span.to));
    let lasts = if ends > starts { ends - starts } else { ends + DAY_MINUTES - starts };
    let days = span.days.iter().fold(0_u8, |mask, day| mask | 1 << day.num_days_from_monday());
    let recurrence = Recurrence::new(Pattern::Weekly(Weekdays(days)), 1, lasts * 60).ok()?;
    let begins = seconds(from)? + u64::from(starts) * 60;
    Schedule::new(begins, u64::MAX, ScheduleClock::Local, Some(recurrence)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta, Utc};
    use seam_ble::lock::{
        Authority, Claim, Distance, Entrance, EntranceId, EntranceKind, Evidence, Grant, KeyId, Link, LockState, ProximityRule,
        TrustedTime, UnixTime, UserAct, decide,
    };
    use seam_core::model::DaySet;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    // The lock's judgement against the model's own, every quarter of an hour of two weeks in which the clocks change, at sites west and east.
    #[test]
    fn the_lock_admits_when_the_week_does() {
        let span = |days: DaySet, from: &str, to: &str| WeeklySpan::new(days, from.parse().expect("a time"), to.parse().expect("a time"));
        let weeks = [
            vec![span(DaySet::WORKDAYS, "08:00", "18:00")],
            vec![span(DaySet::EVERY_DAY, "22:00", "06:00"), span(DaySet::WEEKEND, "00:00", "24:00")],
            vec![span(DaySet::EVERY_DAY, "02:15", "02:45"), span(DaySet::EVERY_DAY, "01:30", "03:30")],
        ];
        let evidence = Evidence { link: Link::Nfc, distance: Distance::Unknown, user: UserAct::None };
        for (zone, start) in [(Tz::Europe__Berlin, "2026-03-22T10:30:00Z"), (Tz::America__New_York, "2026-10-25T10:30:00Z")] {
            let window = Window::new(at(start), Some(at(start) + TimeDelta::days(14))).expect("a window");
            let changes = super::super::sim::clock_changes(zone, at(start));
            let wall = super::super::sim::wall_clock(&changes);
            let entrance = Entrance {
                id: EntranceId([1; 16]),
                kind: EntranceKind::Common,
                largest_jump: 1,
                proximity: ProximityRule::HOTEL_ROOM,
                zone: wall,
            };
            for spans in &weeks {
                let week = Weekly::new(spans.clone()).expect("a week");
                let (schedules, rule) = of_week(&week, &window, zone).expect("a document has a place for it");
                let unix = |at: DateTime<Utc>| UnixTime(u64::try_from(at.timestamp()).expect("after 1970"));
                let (starts, ends) = (unix(window.starts_at()), unix(at(start) + TimeDelta::days(14)));
                let grant = Grant::new(entrance.id, KeyId([2; 32]), Claim::Common, seam_ble::lock::Window { starts, ends });
                let rules = [rule];
                let grant = grant.with_rules(&rules, &schedules).signed_by(Authority::Issuer);
                let state = LockState::commissioned(UnixTime(0));
                for quarter in 0..14 * 24 * 4 {
                    let now = at(start) + TimeDelta::minutes(15 * quarter);
                    let told = Some(TrustedTime { value: unix(now), max_error: 0 });
                    let opens = decide(&state, &entrance, &grant, Action::Momentary, told, &evidence).is_ok();
                    assert_eq!(opens, week.admits(now, zone), "{spans:?} in {zone} at {now}");
                }
            }
        }
    }
}
