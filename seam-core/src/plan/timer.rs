//! When the engine looks at a grant, and what it does then.
use super::draft::Draft;
use super::grant::{End, end_grant, methods_of};
use super::method;
use super::read::Try;
use crate::model::{AccessGrantId, AccessMethodId, EventType, codes};
use crate::planted::{self, Bug};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};

/// How long before its start a grant's methods are looked at: what is not issued by then is late, and told.
const LATE: Duration = Duration::minutes(10);

/// When the engine looks at a grant next: shortly before its start if something is not issued, at its start, at its end.
pub(super) fn set_timer(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    let now = d.now();
    let mut at: Option<DateTime<Utc>> = grant.window.ends_at();
    if planted::is(Bug::EndsLate) {
        at = at.map(|at| at + Duration::hours(1));
    }
    let mut consider = |t: DateTime<Utc>| {
        if t > now {
            at = Some(at.map_or(t, |a| a.min(t)));
        }
    };
    consider(grant.window.starts_at() - LATE);
    consider(grant.window.starts_at());
    grant.timer = grant.is_live().then_some(at).flatten();
    d.set(id, grant);
    Ok(())
}

/// The grant's time has come: it starts, is late, or ends.
pub(super) fn on_timer(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let Some(grant) = d.try_get::<Grant>(id)?.filter(Grant::is_live) else { return Ok(()) };
    let now = d.now();
    if grant.window.is_over(now) {
        return end_grant(d, id, End::Expired);
    }
    let starts = grant.window.starts_at();
    if now >= starts - LATE && !grant.suspended {
        for m in methods_of(&grant) {
            tell_late(d, m, now >= starts)?;
        }
    }
    for m in methods_of(&grant) {
        method::fit(d, m)?;
    }
    set_timer(d, id)
}

fn tell_late(d: &mut Draft<'_>, id: AccessMethodId, started: bool) -> Try<()> {
    let mut m = d.get::<Method>(id)?;
    if m.issued || m.is_over() {
        return Ok(());
    }
    let (code, event, text) = if started {
        (codes::error::FAILED_TO_ISSUE, EventType::ACCESS_METHOD_FAILED_TO_ISSUE, "The grant has started and the method is not issued.")
    } else {
        (codes::warning::DELAY_IN_ISSUING, EventType::ACCESS_METHOD_DELAY_IN_ISSUING, "The grant starts soon and the method is not issued.")
    };
    if m.warnings.iter().any(|w| w.code == code) {
        return Ok(());
    }
    // A card that waits for a person at an encoder is not late: nobody asked for it yet.
    let mut waits_for_person = !m.targets.is_empty();
    for row in &m.targets {
        let t = d.get::<Target>(*row)?;
        waits_for_person &= t.gone || t.needs != crate::provider::Needs::Nothing;
    }
    if waits_for_person {
        return Ok(());
    }
    m.warnings.push(Note { code: code.to_owned(), message: text.to_owned(), at: d.now(), details: serde_json::Map::new() });
    d.set(id, m);
    method::tell(d, &event, id)
}
