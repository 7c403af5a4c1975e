//! Windows against sets of seconds.
use super::super::*;
use super::at;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::time::Duration;

/// The seconds that the reference looks at; the last one stands for all that come later.
const SECONDS: usize = 80;
type Set = [bool; SECONDS];

fn second(n: usize) -> DateTime<Utc> {
    at("2026-03-01T00:00:00Z") + TimeDelta::seconds(i64::try_from(n).unwrap())
}

/// A window and, written down second by second, what it contains. Bounds leave room to grow on both sides.
fn windows() -> impl Strategy<Value = (Window, Set)> {
    (20..50_usize, proptest::option::of(1..10_usize)).prop_map(|(start, length)| {
        let window = Window::new(second(start), length.map(|n| second(start + n))).unwrap();
        let mut set = [false; SECONDS];
        let end = length.map_or(SECONDS, |n| start + n);
        set[start..end].fill(true);
        (window, set)
    })
}

fn set_of(window: &Window) -> Set {
    std::array::from_fn(|n| window.contains(second(n)))
}

fn both(a: &Set, b: &Set) -> Set {
    std::array::from_fn(|n| a[n] && b[n])
}

proptest! {
    #[test]
    fn contains((window, set) in windows()) {
        prop_assert_eq!(set_of(&window), set);
        for n in 0..SECONDS {
            let over = !set[n..].contains(&true);
            prop_assert_eq!(window.is_over(second(n)), over);
        }
    }

    #[test]
    fn algebra((a, sa) in windows(), (b, sb) in windows()) {
        let common = both(&sa, &sb);
        prop_assert_eq!(a.overlaps(&b), common.contains(&true));
        prop_assert_eq!(b.overlaps(&a), a.overlaps(&b));
        prop_assert_eq!(a.intersect(&b).map_or([false; SECONDS], |w| set_of(&w)), common);
        prop_assert_eq!(a.intersect(&b), b.intersect(&a));
        prop_assert_eq!(a.covers(&b), common == sb);

        let first = (0..SECONDS).find(|n| sa[*n] || sb[*n]).unwrap();
        let last = (0..SECONDS).rfind(|n| sa[*n] || sb[*n]).unwrap();
        let hull: Set = std::array::from_fn(|n| (first..=last).contains(&n));
        prop_assert_eq!(set_of(&a.hull(&b)), hull);
        prop_assert_eq!(a.hull(&b), b.hull(&a));
        prop_assert!(a.hull(&b).covers(&a) && a.hull(&b).covers(&b));
    }

    #[test]
    fn widen((window, set) in windows(), gap in 0..15_usize) {
        let near = |n: usize| (n.saturating_sub(gap)..=(n + gap).min(SECONDS - 1)).any(|m| set[m]);
        let wide = window.widen(Duration::from_secs(gap as u64));
        // The last seconds of the reference stand for those after them, which it does not see.
        let expected: Vec<_> = (0..SECONDS - 16).map(near).collect();
        prop_assert_eq!(&set_of(&wide)[..SECONDS - 16], &expected[..]);
        prop_assert_eq!(wide.ends_at().is_none(), window.ends_at().is_none());
    }

    #[test]
    fn gaps_are_symmetric((a, _) in windows(), (b, _) in windows(), gap in 0..15_u64) {
        let gap = Duration::from_secs(gap);
        prop_assert_eq!(a.widen(gap).overlaps(&b), a.overlaps(&b.widen(gap)));
    }

    #[test]
    fn what_is_made_can_be_stored(start in any::<i64>(), nanos in 0..1_000_000_000_u32, length in 0..5_000_000_i64) {
        let Some(start) = DateTime::from_timestamp(start % 300_000_000_000, nanos) else { return Ok(()) };
        let Some(end) = start.checked_add_signed(TimeDelta::microseconds(length)) else { return Ok(()) };
        if let Ok(window) = Window::new(start, Some(end)) {
            let text = serde_json::to_string(&window).unwrap();
            prop_assert_eq!(serde_json::from_str::<Window>(&text).unwrap(), window);
            let wide = window.widen(Duration::from_nanos(1));
            prop_assert!(Window::new(wide.starts_at(), wide.ends_at()).is_ok() && wide.covers(&window));
        }
    }
}

#[test]
fn bad_windows_are_refused() {
    let (early, late) = (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    assert_eq!(Window::new(early, Some(early)), Err(WindowError::Empty { at: early }));
    let a_little = TimeDelta::microseconds(999);
    assert_eq!(Window::new(early, Some(early + a_little)), Err(WindowError::Empty { at: early }));
    assert_eq!(Window::new(late, Some(early)), Err(WindowError::Backwards { starts_at: late, ends_at: early }));
    for outside in
        [at("1969-12-31T23:59:59.999Z"), "9999-01-01T00:00:00Z".parse().unwrap(), DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]
    {
        assert!(matches!(Window::new(outside, None), Err(WindowError::OutOfRange { .. })), "{outside}");
        assert!(matches!(Window::new(early, Some(outside)), Err(WindowError::OutOfRange { .. })), "{outside}");
    }
    let read = |json: &str| serde_json::from_str::<Window>(json);
    assert!(read(r#"{"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"}"#).is_err());
    assert!(read(r#"{"ends_at": "2026-03-01T00:00:00Z"}"#).is_err());
    assert_eq!(read(r#"{"starts_at": "2026-03-01T00:00:00Z"}"#).unwrap().ends_at(), None);
}

#[test]
fn the_ends_of_the_range_are_in_it() {
    let (first, last) = (at("1970-01-01T00:00:00Z"), at("9998-12-31T23:59:59.999Z"));
    let all = Window::new(first, Some(last)).unwrap();
    assert_eq!(all.widen(Duration::from_secs(1)), all);
    assert_eq!(all.widen(Duration::MAX), all);
    let day = Window::new(at("2026-03-01T00:00:00Z"), Some(at("2026-03-02T00:00:00Z"))).unwrap();
    assert_eq!(day.widen(Duration::MAX), all);
    assert_eq!(day.length(), Some(Duration::from_secs(86_400)));
    assert_eq!(Window::new(first, None).unwrap().length(), None);
}

#[test]
fn windows_that_touch_do_not_overlap() {
    let noon = at("2026-03-01T12:00:00Z");
    let morning = Window::new(at("2026-03-01T00:00:00Z"), Some(noon)).unwrap();
    let rest = Window::new(noon, None).unwrap();
    assert!(!morning.overlaps(&rest) && morning.intersect(&rest).is_none());
    assert!(!morning.contains(noon) && rest.contains(noon) && morning.is_over(noon));
    assert!(morning.widen(Duration::from_nanos(1)).overlaps(&rest));
}
