//! The edges of windows, tried at the door, never by reading back.
use super::build::{Piece, seconds};
use super::lives::is_put;
use super::{Suite, Tried};
use crate::model::Window;
use crate::provider::{CardPath, DoorLimit, EndsBy, Kind, KindRules};
use chrono::{DateTime, Utc};

pub(super) async fn check(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    let shown = match kind {
        Kind::User | Kind::Stay => return,
        Kind::Access => {
            let by_user = suite.report.kinds.iter().find(|(_, r)| r.doors == DoorLimit::ByUser && is_put(r));
            match by_user {
                Some((kind, _)) => *kind,
                None => return suite.skip("Access: no credential stands on it"),
            }
        }
        Kind::Card if rules.card == Some(CardPath::OwnEncoder) => return,
        _ => kind,
    };
    if rules.ends == EndsBy::Engine {
        return;
    }
    let res = u64::from(rules.resolution_seconds).max(1);
    // Not at a full minute, so that rounding shows.
    let lead = if rules.load_ahead_seconds == 0 { 0 } else { rules.load_ahead_seconds.min(600 + 2 * res) };
    let start = suite.judge.now() + seconds(lead) + chrono::Duration::milliseconds(if res > 1 { 7_000 } else { 0 });
    let Some(window) = suite.window(rules, start) else { return };
    let margin = seconds(2 * res + 3600);
    let wide = Window::new(suite.judge.now() - margin, window.ends_at().map(|e| e + margin)).unwrap_or(window);
    let (own, access) = if kind == Kind::Access { (wide, window) } else { (window, wide) };
    let Some(mut piece) = suite.piece(shown, own, access).await else { return };
    match suite.issue(&mut piece, None).await {
        None => return,
        Some(Err(failure)) => suite.breach("what_is_right_is_taken", format!("{kind:?} ahead of its window: {failure}")),
        Some(Ok(())) => edges(suite, &piece, window, res, lead > 0).await,
    }
    suite.clear(&mut piece).await;
}

async fn edges(suite: &mut Suite<'_>, piece: &Piece, window: Window, res: u64, ahead: bool) {
    let step = i64::try_from(res).unwrap_or(i64::MAX).saturating_mul(1000);
    let round = |at: DateTime<Utc>, up: bool| {
        let millis = at.timestamp_millis() + if up { step - 1 } else { 0 };
        DateTime::from_timestamp_millis(millis.div_euclid(step) * step).unwrap_or(at)
    };
    let Some(end) = window.ends_at() else { return };
    let (from, to) = (round(window.starts_at(), true), round(end, false));
    let mut points = vec![
        (from, Tried::Opened, "at its first second"),
        (from + seconds(1), Tried::Opened, "a second after its start"),
        (to - seconds(1), Tried::Opened, "in its last second"),
        (end, Tried::Refused, "at its end"),
        (end + seconds(1), Tried::Refused, "a second after its end"),
    ];
    if ahead {
        points.insert(0, (window.starts_at() - seconds(1), Tried::Refused, "a second before its start"));
    }
    for (at, expected, when) in points {
        let wait = (at - suite.judge.now()).to_std().unwrap_or_default();
        if !wait.is_zero() {
            suite.judge.pass(wait).await;
        }
        suite.expect("windows_hold_at_the_door", piece, expected, when).await;
    }
}
