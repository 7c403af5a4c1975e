//! Windows of credentials: a grant's window, widened by the site's graces, rounded inwards, bounded by the next stay.
use crate::error::{Error, ErrorKind, Result};
use crate::model::Window;
use crate::planted::{self, Bug};
use crate::provider::{EndsBy, KindRules};
use crate::state::{Graces, Target};
use chrono::{DateTime, Duration, Utc};

/// For how long a credential of an ongoing grant is made where the system demands an end. The engine renews it when a quarter is left.
const ROLLING: Duration = Duration::days(90);

/// What a credential's window comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The grant's window.
    pub(super) grant: Window,
    /// The site's graces.
    pub(super) graces: Graces,
    /// When the next stay starts at one of the doors, if it does.
    pub(super) next_stay: Option<DateTime<Utc>>,
    /// Now.
    pub(super) now: DateTime<Utc>,
}

/// The window of a credential of a kind.
///
/// # Errors
/// `Unsupported` when nothing is left after rounding inwards.
pub(super) fn credential_window(asked: &Asked, rules: &KindRules) -> Result<Window> {
    let starts = asked.grant.starts_at() - Duration::seconds(i64::from(asked.graces.arrival));
    let mut ends = asked.grant.ends_at().map(|end| {
        let with_grace = end + Duration::seconds(i64::from(asked.graces.departure));
        // The grace never reaches into the next stay; the grant's own end is what was promised and stays.
        asked.next_stay.map_or(with_grace, |next| with_grace.min(next.max(end)))
    });
    if let Some(limit) = limit(rules, ends) {
        let latest = starts.max(asked.now) + limit;
        if ends.is_none_or(|e| e > latest) {
            ends = Some(latest);
        }
    }
    let step = i64::from(rules.resolution_seconds.max(1));
    let (starts, ends) = match planted::is(Bug::RoundedOutwards) {
        true => (down(starts, step), ends.map(|e| up(e, step))),
        false => (up(starts, step), ends.map(|e| down(e, step))),
    };
    Window::new(starts, ends).map_err(|_| {
        Error::new(
            ErrorKind::Unsupported,
            "window_too_short",
            format!("the access system keeps time in steps of {step} s; nothing of the window is left"),
        )
        .with_field("ends_at")
    })
}

/// The least and the most that the window of a credential may be: without graces, and with all of them.
pub(super) fn between(asked: &Asked, rules: &KindRules) -> Option<(Window, Window)> {
    let least = Asked { graces: Graces::default(), ..*asked };
    let most = Asked { next_stay: None, ..*asked };
    credential_window(&least, rules).ok().zip(credential_window(&most, rules).ok())
}

/// When a window that rolls has to be renewed; `None` when it does not roll.
pub(super) fn renew_at(made: &Window, grant: &Window, rules: &KindRules, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let end = made.ends_at()?;
    let rolls = limit(rules, grant.ends_at()).is_some() && grant.ends_at().is_none_or(|g| g > end);
    rolls.then(|| {
        let length = end - made.starts_at().max(now);
        (end - length / 4).max(now)
    })
}

/// The window that a target is to have, and when it has to be renewed. One that rolls is not rolled on before its time: cards would be asked back
/// for it.
pub(super) fn roll(t: &Target, wanted: Window, asked: &Window, rules: &KindRules, now: DateTime<Utc>) -> (Window, Option<DateTime<Utc>>) {
    let renew_at = renew_at(&wanted, asked, rules, now);
    match (t.window(), t.renew_at.filter(|at| *at > now)) {
        (Some(has), Some(at)) if renew_at.is_some() && has.starts_at() == wanted.starts_at() && wanted.covers(&has) => (has, Some(at)),
        _ => (wanted, renew_at),
    }
}

/// How long a window may be. A system that only demands an end gets the grant's own, however far it is; without one it rolls.
fn limit(rules: &KindRules, end: Option<DateTime<Utc>>) -> Option<Duration> {
    let longest = rules.longest_seconds.map(|s| Duration::seconds(i64::try_from(s).unwrap_or(i64::MAX / 1000)));
    longest.or_else(|| (rules.end_required && end.is_none()).then_some(ROLLING))
}

/// When a credential is sent: as early as the system takes it, never before it would open by being there.
pub(super) fn load_at(window: &Window, rules: &KindRules) -> DateTime<Utc> {
    let ahead = match rules.ends {
        EndsBy::Itself => i64::try_from(rules.load_ahead_seconds).unwrap_or(0),
        // A system that keeps no window opens as soon as the credential is there.
        EndsBy::Engine if planted::is(Bug::LoadedTooEarly) => 3600,
        EndsBy::Engine => 0,
    };
    window.starts_at() - Duration::seconds(ahead)
}

fn up(at: DateTime<Utc>, step: i64) -> DateTime<Utc> {
    let floor = down(at, step);
    if floor == at { at } else { floor + Duration::seconds(step) }
}

fn down(at: DateTime<Utc>, step: i64) -> DateTime<Utc> {
    let seconds = at.timestamp().div_euclid(step) * step;
    DateTime::from_timestamp(seconds, 0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + s, 0).unwrap()
    }
    fn asked(from: i64, to: i64) -> Asked {
        Asked {
            grant: Window::new(at(from), Some(at(to))).unwrap(),
            graces: Graces { arrival: 0, departure: 0 },
            next_stay: None,
            now: at(0),
        }
    }

    #[test]
    fn rounds_inwards() {
        let mut rules = KindRules::full();
        rules.resolution_seconds = 60;
        // 1_700_000_000 is 20 s past a minute.
        let w = credential_window(&asked(0, 300), &rules).unwrap();
        assert_eq!((w.starts_at(), w.ends_at()), (at(40), Some(at(280))));
        assert_eq!(credential_window(&asked(0, 45), &rules).unwrap_err().code(), "window_too_short");
    }

    #[test]
    fn grace_stops_at_the_next_stay_but_never_takes_from_the_grant() {
        let rules = KindRules::full();
        let mut a = asked(0, 1000);
        a.graces = Graces { arrival: 100, departure: 500 };
        a.next_stay = Some(at(1200));
        let w = credential_window(&a, &rules).unwrap();
        assert_eq!((w.starts_at(), w.ends_at()), (at(-100), Some(at(1200))));
        a.next_stay = Some(at(900));
        assert_eq!(credential_window(&a, &rules).unwrap().ends_at(), Some(at(1000)));
    }

    #[test]
    fn a_far_end_is_kept_where_only_an_end_is_required() {
        let mut rules = KindRules::full();
        rules.end_required = true;
        let year = 365 * 86_400;
        let a = asked(0, year);
        let w = credential_window(&a, &rules).unwrap();
        assert_eq!(w.ends_at(), Some(at(year)));
        assert_eq!(renew_at(&w, &a.grant, &rules, at(0)), None);
        rules.longest_seconds = Some(86_400);
        assert_eq!(credential_window(&a, &rules).unwrap().ends_at(), Some(at(86_400)));
    }

    #[test]
    fn ongoing_grants_roll_where_an_end_is_required() {
        let mut rules = KindRules::full();
        rules.end_required = true;
        let grant = Window::new(at(0), None).unwrap();
        let a = Asked { grant, graces: Graces::default(), next_stay: None, now: at(0) };
        let w = credential_window(&a, &rules).unwrap();
        assert_eq!(w.ends_at(), Some(at(0) + ROLLING));
        assert_eq!(renew_at(&w, &grant, &rules, at(0)), Some(at(0) + ROLLING - ROLLING / 4));
        assert_eq!(renew_at(&w, &Window::new(at(0), Some(at(50))).unwrap(), &rules, at(0)), None);
    }
}
