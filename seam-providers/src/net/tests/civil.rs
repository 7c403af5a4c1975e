//! Rounding inwards, against an oracle that knows nothing of zones but what one minute means.
use crate::net::civil::{CivilWindow, inwards};
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use seam_core::model::Window;
use seam_core::provider::{Effect, Reason};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn civil(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn round(from: &str, to: &str, zone: &str, seconds: u32) -> Result<(NaiveDateTime, Option<NaiveDateTime>), Reason> {
    let window = Window::new(at(from), Some(at(to))).unwrap();
    inwards(&window, zone.parse().unwrap(), seconds).map(|w| (w.starts, w.ends)).map_err(|f| {
        assert_eq!(f.effect, Effect::Refused);
        f.reason
    })
}

#[test]
fn windows_are_rounded_inwards_in_the_site_s_time() {
    let whole = round("2026-07-01T13:00:00Z", "2026-07-03T09:00:00Z", "Europe/Berlin", 60);
    assert_eq!(whole, Ok((civil("2026-07-01T15:00:00"), Some(civil("2026-07-03T11:00:00")))));
    let odd = round("2026-07-01T13:00:01Z", "2026-07-03T09:00:59Z", "Europe/Berlin", 60);
    assert_eq!(odd, Ok((civil("2026-07-01T15:01:00"), Some(civil("2026-07-03T11:00:00")))));
    assert_eq!(round("2026-07-01T13:00:01Z", "2026-07-01T13:00:59Z", "Europe/Berlin", 60), Err(Reason::WindowRefused));
    assert_eq!(round("2026-07-01T13:00:01Z", "2026-07-01T13:01:30Z", "Europe/Berlin", 60), Err(Reason::WindowRefused));
    let days = round("2026-07-01T13:00:00Z", "2026-07-05T09:00:00Z", "Europe/Berlin", 86_400);
    assert_eq!(days, Ok((civil("2026-07-02T00:00:00"), Some(civil("2026-07-05T00:00:00")))));
}

#[test]
fn the_doubtful_hour_of_autumn_is_given_to_nobody() {
    // 2026-10-25: 01:00 UTC is 02:00 in Berlin for the second time. Starts in it wait for its end, ends in it come before it.
    let starts = round("2026-10-25T01:10:00Z", "2026-10-25T09:00:00Z", "Europe/Berlin", 60);
    assert_eq!(starts, Ok((civil("2026-10-25T03:00:00"), Some(civil("2026-10-25T10:00:00")))));
    let ends = round("2026-10-24T13:00:00Z", "2026-10-25T00:10:00Z", "Europe/Berlin", 60);
    assert_eq!(ends, Ok((civil("2026-10-24T15:00:00"), Some(civil("2026-10-25T01:59:00")))));
}

/// Every instant that a civil time can mean.
fn meanings(time: NaiveDateTime, zone: Tz) -> Vec<DateTime<Utc>> {
    match zone.from_local_datetime(&time) {
        LocalResult::None => Vec::new(),
        LocalResult::Single(one) => vec![one.with_timezone(&Utc)],
        LocalResult::Ambiguous(one, other) => vec![one.with_timezone(&Utc), other.with_timezone(&Utc)],
    }
}

proptest! {
    #[test]
    fn no_reading_of_a_rounded_window_is_wider(
        from in 1_761_000_000_i64..1_800_000_000, length in 1_i64..400_000, zone in 0_usize..5, step in 0_usize..4,
    ) {
        let zone: Tz = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"][zone].parse().unwrap();
        let step = [1_u32, 60, 3600, 86_400][step];
        let start = DateTime::from_timestamp(from, 0).unwrap();
        let window = Window::new(start, Some(start + TimeDelta::seconds(length))).unwrap();
        let rounded = inwards(&window, zone, step);
        if let Ok(CivilWindow { starts, ends: Some(ends) }) = rounded {
            for instant in meanings(starts, zone) {
                prop_assert!(instant >= window.starts_at());
                prop_assert!(instant < window.starts_at() + TimeDelta::hours(2) + TimeDelta::seconds(i64::from(step)));
            }
            for instant in meanings(ends, zone) {
                prop_assert!(instant <= window.ends_at().unwrap());
                prop_assert!(instant > window.ends_at().unwrap() - TimeDelta::hours(2) - TimeDelta::seconds(i64::from(step)));
            }
            prop_assert!(starts < ends);
        } else {
            prop_assert!(length < 4 * 3600 + 2 * i64::from(step), "{rounded:?}");
        }
    }
}
