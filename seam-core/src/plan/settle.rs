//! What an answer means. Every outcome of every call ends here; the engine has no `if` about access.
use super::discover;
pub use super::discover::{Scan, ScannedSystem};
use super::draft::Draft;
use super::read::Try;
use super::{access_log, card, clash, guest, method, next, refresh, scan_assign, spec, stay};
use crate::encoder::CardSeen;
use crate::model::{ActionAttemptId, EventType, codes};
use crate::planted::{self, Bug};
use crate::provider::{Certainty, Effect, Failure, Found, Handle, KindRules, LogPage, Needs, ReadBack, Reason, Receipt};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};
use rand::RngExt;
use serde_json::json;

/// What a call came to.
#[derive(Debug)]
pub enum Report {
    /// A put, a remove, an encode, an assignment, an unlock.
    Done(Result<Receipt, Failure>),
    /// A look.
    Found(Result<Found, Failure>),
    /// A card that was read.
    Card(Result<CardSeen, Failure>),
    /// A whole account.
    Scan(Box<Result<Scan, Failure>>),
    /// A page of an access log.
    Log(Result<LogPage, Failure>),
}

/// Turns what a call came to into what is known, and what is to be done next. Nothing if the row is no longer doing that under this fence: a stale
/// worker changes nothing.
pub(crate) fn settle(d: &mut Draft<'_>, row: RowId, fence: u64, report: &Report) -> Try<()> {
    match d.reader().row(row)?.map(|r| r.body.kind()) {
        Some(RowKind::Target) => {
            let t = d.get::<Target>(row)?;
            match t.work.in_flight {
                Some(f) if f.fence == fence => settle_target(d, row, f.doing, report),
                _ => Ok(()),
            }
        }
        Some(RowKind::Attempt) => {
            let a = d.get::<Attempt>(row)?;
            match a.state {
                AttemptState::Begun { fence: begun, .. } if begun == fence => settle_attempt(d, row, &a, report),
                _ => Ok(()),
            }
        }
        Some(RowKind::LogFeed) => match report {
            Report::Log(page) => access_log::settle(d, row, fence, page),
            _ => Ok(()),
        },
        Some(RowKind::Account) => {
            let a = d.get::<Account>(row)?;
            match (a.work.in_flight, report) {
                (Some(f), Report::Scan(scan)) if f.fence == fence => {
                    discover::apply_scan(d, crate::model::ConnectedAccountId::from_uuid(row), scan)
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// A call was begun and nobody knows what became of it: its owner is gone.
pub(super) fn lost(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let t = d.get::<Target>(row)?;
    let Some(flight) = t.work.in_flight else { return Ok(()) };
    let failure = match planted::is(Bug::LostIsNothing) {
        true => Failure::nothing(Reason::Other, "the instance that made the call is gone"),
        false => Failure::unknown(Reason::Other, "the instance that made the call is gone"),
    };
    let report = match flight.doing {
        Doing::Find { .. } => Report::Found(Err(failure)),
        _ => Report::Done(Err(failure)),
    };
    settle_target(d, row, flight.doing, &report)
}

/// An attempt was begun and nobody knows what became of it.
pub(super) fn attempt_lost(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let a = d.get::<Attempt>(row)?;
    let failure = Failure::unknown(Reason::Other, "the instance that made the attempt is gone");
    let report = match a.action {
        Action::Scan { .. } | Action::ScanToAssign { found: None, .. } => Report::Card(Err(failure)),
        _ => Report::Done(Err(failure)),
    };
    settle_attempt(d, row, &a, &report)
}

/// A provider has made a part, and tells its name before the rest is done, so that it is known whatever becomes of the rest. A user who has another name than
/// before is followed at once: when the rest is settled nobody sees the difference any more.
///
/// # Errors
/// None of its own.
pub(crate) fn half_way(d: &mut Draft<'_>, row: RowId, handle: &Handle) -> Try<()> {
    let Some(mut t) = d.try_get::<Target>(row)? else { return Ok(()) };
    let before = t.handle.replace(handle.clone());
    d.set(row, t.clone());
    refresh::renamed(d, &t, before.as_ref())
}

fn settle_target(d: &mut Draft<'_>, row: RowId, doing: Doing, report: &Report) -> Try<()> {
    let before = d.get::<Target>(row)?;
    let rules = method::rules_of(d, &before)?;
    let mut t = before.clone();
    t.work.in_flight = None;
    d.set(row, t);
    match (doing, report) {
        (Doing::Put { rev } | Doing::Encode { rev }, Report::Done(Ok(receipt))) => put_done(d, row, rev, receipt, &rules)?,
        (Doing::Put { rev } | Doing::Encode { rev }, Report::Done(Err(failure))) => put_failed(d, row, rev, failure, &rules)?,
        (Doing::Remove, Report::Done(Ok(receipt))) => removed(d, row, receipt, &rules)?,
        (Doing::Remove, Report::Done(Err(failure))) => remove_failed(d, row, failure, &rules)?,
        (Doing::Find { rev }, Report::Found(Ok(found))) => looked(d, row, rev, found, &rules)?,
        (Doing::Find { rev }, Report::Found(Err(failure))) => look_failed(d, row, rev, failure, &rules)?,
        _ => {
            let mut t = d.get::<Target>(row)?;
            next::schedule(&mut t, &rules, d.now());
            d.set(row, t);
        }
    }
    if let (Some(stay), Some(turn)) = (before.credential().and_then(|c| c.stay), before.sent.as_ref().and_then(|sent| sent.turn)) {
        guest::settled(d, stay, turn)?;
    }
    refresh::after(d, row, &before)
}

/// It is there now.
fn put_done(d: &mut Draft<'_>, row: RowId, rev: u64, receipt: &Receipt, rules: &KindRules) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let now = d.now();
    let rev = if planted::is(Bug::SettledForLatest) { t.rev } else { rev };
    t.gone &= !planted::is(Bug::RevokeNotSticky);
    t.handle = receipt.handle.clone().or(t.handle);
    t.seen = SeenState::Present { rev, certainty: receipt.certainty };
    t.may_open_until = receipt.may_open_until;
    t.synced_at = Some(now);
    let is_written = !next::is_put(rules);
    if rev == t.rev {
        t.needs = if is_written { Needs::Nothing } else { receipt.needs };
    }
    let is_sure = receipt.certainty >= next::best(rules);
    // What is put again and again and never seen is put ever more rarely.
    t.work.attempt = if is_sure { 0 } else { t.work.attempt.saturating_add(1) };
    t.work.failure = None;
    (t.work.look, t.work.renew) = (false, false);
    if rev == t.rev {
        // Only now is the old PIN surely out of the lock: what was put for an older wish may have put it there again.
        t.claims.drain(..usize::from(t.stale_claims).min(t.claims.len()));
        t.stale_claims = 0;
    }
    // A card of which nothing was sent but to the system is still to be written.
    let is_made = t.sent.is_some() || !card::is_plastic(rules);
    // A key whose phone is not enrolled yet is at the system, in its role and under its number: those of the same stay need not wait for the phone.
    let complete = is_made && (matches!(t.needs, Needs::Nothing | Needs::Phone) || rev != t.rev);
    if !card::is_plastic(rules) {
        card::replaced(&mut t, is_sure && receipt.may_open_until.is_none(), complete);
    } else if complete {
        card::put_aside(d, &mut t, receipt.made.card_number.as_deref());
    }
    card::keep_made(d, row, &mut t, &receipt.made)?;
    let stay_id = t.credential().and_then(|c| c.stay);
    let mut turn = None;
    if complete && let Some(sent) = t.sent.take() {
        turn = sent.turn;
        t.made = Some(MadeCredential { at: now, ..sent });
    }
    next::schedule(&mut t, rules, now);
    // What was only accepted and can be seen is looked at once it had the time to come true.
    let unseen = !is_sure && rev == t.rev && t.needs == Needs::Nothing;
    let again_at = receipt.again_at.or_else(|| unseen.then(|| t.earlier_until().unwrap_or_else(|| now + soon(d, t.work.attempt))));
    if let Some(at) = again_at.filter(|at| t.work.due_at.is_none_or(|due| *at < due)) {
        t.work.look = true;
        t.work.due_at = Some(at);
    }
    d.set(row, t);
    if let Some(id) = stay_id.filter(|_| complete) {
        stay::opened(d, id, row)?;
        if let Some(turn) = turn {
            guest::made(d, id, turn)?;
        }
    }
    Ok(())
}

/// It is surely not there, or nobody knows.
fn put_failed(d: &mut Draft<'_>, row: RowId, rev: u64, failure: &Failure, rules: &KindRules) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let stay_id = t.credential().and_then(|c| c.stay);
    if let Some(left) = &failure.left {
        t.handle = Some(left.clone());
    }
    let unknown = failure.effect == Effect::Unknown;
    let sent = t.sent.take();
    let turn = sent.as_ref().and_then(|sent| sent.turn);
    if unknown {
        card::doubt(&mut t, sent, rules);
        t.seen = SeenState::Unknown { rev };
        // Whatever comes now, its absence or presence is looked at once more.
        t.work.look = true;
    }
    d.set(row, t);
    if !unknown && let Some(id) = stay_id {
        stay::not_opened(d, id, row)?;
    }
    if let (Some(id), Some(turn)) = (stay_id, turn) {
        if unknown { guest::perhaps_made(d, id, turn)? } else { guest::not_made(d, id, turn)? }
    }
    let pin_refused = failure.effect == Effect::Refused && failure.reason == Reason::PinRefused;
    if pin_refused
        && d.get::<Target>(row)?.rev == rev
        && let TargetOf::Method(m) = d.get::<Target>(row)?.of
        && d.get::<Target>(row)?.work.attempt < 5
        && d.get::<Method>(m)?.pin.is_some()
    {
        let mut t = d.get::<Target>(row)?;
        t.work.attempt += 1;
        let tries = t.work.attempt;
        d.set(row, t);
        clash::change_pin(d, m)?;
        let mut t = d.get::<Target>(row)?;
        t.work.attempt = tries;
        d.set(row, t);
        return Ok(());
    }
    fail(d, row, failure)?;
    let mut t = d.get::<Target>(row)?;
    let outdated = t.rev != rev && t.work.due_at == t.renew_at;
    if outdated {
        // What was refused is not wanted any more; what is wanted now was never asked.
        t.work.attempt = 0;
        t.work.failure = None;
    }
    if outdated || !next::is_put(rules) {
        next::schedule(&mut t, rules, d.now());
        d.set(row, t);
    }
    Ok(())
}

/// It is not there any more.
fn removed(d: &mut Draft<'_>, row: RowId, receipt: &Receipt, rules: &KindRules) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let now = d.now();
    let doubtful = matches!(t.seen, SeenState::Unknown { .. }) || t.work.look;
    t.may_open_until = receipt.may_open_until;
    t.work.asks = None;
    t.synced_at = Some(now);
    let unseen = receipt.certainty == Certainty::Accepted;
    if (doubtful || unseen) && rules.read_back != ReadBack::None {
        // A put whose answer was lost may have arrived after the remove, and what was only accepted may not have come true: it is looked at once
        // more.
        t.seen = SeenState::Absent { certainty: Certainty::Accepted };
        t.work.look = true;
        next::schedule(&mut t, rules, now);
        if unseen && t.work.due_at == Some(now) {
            t.work.due_at = Some(now + soon(d, t.work.attempt.saturating_add(1)));
        }
    } else {
        t.work.attempt = 0;
        t.work.failure = None;
        t.seen = SeenState::Absent { certainty: receipt.certainty };
        t.work.look = false;
        absent(&mut t);
        next::schedule(&mut t, rules, now);
    }
    d.set(row, t);
    Ok(())
}

/// What is verified to be absent occupies nothing, but for as long as the system says that it may still open.
fn absent(t: &mut Target) {
    if !t.is_dead() {
        return;
    }
    let until = t.may_open_until;
    t.claims.retain_mut(|claim| {
        claim.until = until.map(|until| claim.until.map_or(until, |end| end.min(until)));
        claim.until.is_some_and(|end| claim.from < end)
    });
    t.stale_claims = 0;
}

fn remove_failed(d: &mut Draft<'_>, row: RowId, failure: &Failure, rules: &KindRules) -> Try<()> {
    if failure.effect == Effect::Unknown {
        if planted::is(Bug::RemoveNotRepeated) {
            return removed(d, row, &Receipt::verified(), rules);
        }
        let mut t = d.get::<Target>(row)?;
        t.work.look = true;
        d.set(row, t);
    }
    // A remove is always repeatable, and nothing makes it give up.
    let mut again = failure.clone();
    if again.effect == Effect::Refused {
        again.retry_after = Some(again.retry_after.unwrap_or(std::time::Duration::from_secs(300)));
    }
    again.effect = Effect::Nothing;
    fail(d, row, &again)?;
    let mut t = d.get::<Target>(row)?;
    if let Some(f) = &mut t.work.failure {
        f.effect = failure.effect;
    }
    d.set(row, t);
    Ok(())
}

/// A look failed. One that is refused for good can tell nothing, now or later.
fn look_failed(d: &mut Draft<'_>, row: RowId, rev: u64, failure: &Failure, rules: &KindRules) -> Try<()> {
    let for_good = failure.effect == Effect::Refused && retry_at(d, failure, 1, d.now()).is_none();
    if !for_good {
        return fail(d, row, failure);
    }
    looked(d, row, rev, &Found::CannotTell, rules)?;
    let mut t = d.get::<Target>(row)?;
    t.work.failure = Some(failed(failure, d.now()));
    d.set(row, t);
    Ok(())
}

/// What a look found that was begun when revision `looked_for` was wanted.
fn looked(d: &mut Draft<'_>, row: RowId, looked_for: u64, found: &Found, rules: &KindRules) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let now = d.now();
    let wanted = next::wanted_there(&t, rules, now);
    t.work.look = false;
    // What is there against our will although it was taken away, or is not there although it was put: each round comes later than the last.
    let mut in_vain = false;
    // The system compares, and does not say that it is as wanted: it has the wish, and the phone or the lock has not taken it yet.
    let mut under_way = false;
    match found {
        Found::Present(seen) => {
            t.handle = Some(seen.handle.clone());
            let rev = match (t.seen, seen.as_wanted) {
                (_, Some(false)) => 0,
                (SeenState::Unknown { rev } | SeenState::Present { rev, .. }, None) => rev,
                _ => looked_for,
            };
            in_vain = !wanted && matches!(t.seen, SeenState::Absent { .. });
            let unconfirmed = wanted && rules.read_back == ReadBack::Full && seen.as_wanted.is_none();
            under_way = unconfirmed && !seen.renew;
            let unseen = unconfirmed || rules.read_back == ReadBack::None;
            let certainty = if unseen { Certainty::Accepted } else { Certainty::Verified };
            let stay_id = t.credential().and_then(|c| c.stay);
            let was_unknown = matches!(t.seen, SeenState::Unknown { .. });
            if !matches!(t.seen, SeenState::Present { .. }) {
                // It was said of a removal.
                t.may_open_until = None;
            }
            t.seen = SeenState::Present { rev, certainty };
            t.work.renew = wanted && seen.renew;
            if wanted && rev == t.rev && certainty == Certainty::Verified && !was_unknown && !card::is_plastic(rules) {
                card::replaced(&mut t, true, true);
                t.may_open_until = None;
            }
            if wanted && rev != 0 && was_unknown {
                t.sent = t.take_doubtful();
                d.set(row, t);
                let mut receipt = match certainty {
                    Certainty::Verified => Receipt::verified(),
                    Certainty::Accepted => Receipt::accepted(),
                };
                receipt.made = seen.made.clone();
                receipt.needs = d.get::<Target>(row)?.needs;
                return put_done(d, row, rev, &receipt, rules);
            }
            if was_unknown
                && !wanted
                && let Some(id) = stay_id
            {
                d.set(row, t.clone());
                stay::opened(d, id, row)?;
            }
        }
        Found::Absent => {
            let stay_id = t.credential().and_then(|c| c.stay);
            let was_unknown = matches!(t.seen, SeenState::Unknown { .. });
            t.seen = SeenState::Absent { certainty: Certainty::Verified };
            if !card::is_plastic(rules) && t.may_open_until.is_none() {
                t.others.clear();
            }
            absent(&mut t);
            if was_unknown && let Some(id) = stay_id {
                d.set(row, t.clone());
                stay::not_opened(d, id, row)?;
            }
        }
        Found::CannotTell => {
            if wanted && matches!(t.seen, SeenState::Unknown { .. }) {
                t.work.asks = Some(Question { kind: QuestionKind::DidItHappen, at: now });
            }
        }
        Found::Several(_) if wanted => {
            t.work.asks = Some(Question { kind: QuestionKind::WhichOne, at: now });
        }
        Found::Several(_) => {
            // All of them go, whichever was which: without a handle the system looks for our tag.
            t.seen = SeenState::Present { rev: 0, certainty: Certainty::Accepted };
            t.handle = None;
            t.work.look = true;
            t.work.failure = Some(failed(&Failure::refused(Reason::Clash, "more than one thing carries our tag"), now));
            in_vain = true;
        }
    }
    if under_way && matches!(t.seen, SeenState::Present { rev, .. } if rev == t.rev) {
        t.work.look = true;
        in_vain = true;
    }
    next::schedule(&mut t, rules, now);
    if in_vain {
        t.work.attempt = t.work.attempt.saturating_add(1);
        // Until the system's own instant nothing else can be seen.
        let at = t.earlier_until().filter(|until| *until > now).unwrap_or_else(|| now + soon(d, t.work.attempt));
        t.work.due_at = next::with_renewal(&t, Some(at));
    } else if !matches!(found, Found::Absent) || !wanted {
        t.work.attempt = 0;
    } else if t.work.due_at.is_some_and(|at| at > now) {
        // It is put when its time to be loaded comes: what failed before that is over.
        t.work.attempt = 0;
        t.work.failure = None;
    }
    d.set(row, t);
    Ok(())
}

fn failed(failure: &Failure, at: DateTime<Utc>) -> Failed {
    Failed { effect: failure.effect, reason: failure.reason, message: failure.message.clone(), at }
}

/// The call failed: when it is tried again, if at all.
fn fail(d: &mut Draft<'_>, row: RowId, failure: &Failure) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let now = d.now();
    t.work.attempt = t.work.attempt.saturating_add(1);
    t.work.failure = Some(failed(failure, now));
    let rules = method::rules_of(d, &t)?;
    next::schedule(&mut t, &rules, now);
    if t.work.due_at.is_some() {
        let again = retry_at(d, failure, t.work.attempt, now);
        t.work.due_at = next::with_renewal(&t, again);
    }
    d.set(row, t);
    Ok(())
}

/// When a failed call is tried again. Refused for good: not before something changes; but a full system or a missing thing may change by itself.
pub(super) fn retry_at(d: &mut Draft<'_>, failure: &Failure, attempt: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let retry_after = asked_pause(failure);
    if failure.effect == Effect::Refused {
        return match failure.reason {
            Reason::Full | Reason::NotThere | Reason::Clash | Reason::Unauthenticated | Reason::Forbidden | Reason::RateLimited => {
                Some(now + retry_after.unwrap_or(Duration::minutes(15)))
            }
            _ => retry_after.map(|after| now + after),
        };
    }
    Some(now + soon(d, attempt).max(retry_after.unwrap_or(Duration::zero())))
}

/// For how long a system asked to be left alone, a day at most: whatever it says, nobody is given up, and no instant lies beyond the calendar.
pub(super) fn asked_pause(failure: &Failure) -> Option<Duration> {
    failure.retry_after.map(|asked| Duration::from_std(asked).unwrap_or(Duration::MAX).min(Duration::days(1)))
}

/// 2, 4, 8, ... seconds up to a quarter of an hour, each between half and all of it, so that many do not come back at once.
fn soon(d: &mut Draft<'_>, attempt: u32) -> Duration {
    let full = 2000i64 << attempt.saturating_sub(1).min(9);
    let full = if planted::is(Bug::NoBackoff) { 1000 } else { full.min(900_000) };
    Duration::milliseconds(d.env.rng().random_range(full / 2..=full))
}

/// Tells an event about a credential.
pub(super) fn tell_credential(d: &mut Draft<'_>, event: &EventType, row: RowId, t: &Target) -> Try<()> {
    let order = t.credential().and_then(|c| c.identity).map_or(row, |i| i.uuid());
    d.event(event.as_str(), order, json!({ "acs_credential_id": row, "acs_system_id": t.system, "connected_account_id": t.account }));
    Ok(())
}

fn settle_attempt(d: &mut Draft<'_>, row: RowId, a: &Attempt, report: &Report) -> Try<()> {
    match (&a.action, report) {
        (Action::Encode { target, encoder, .. }, Report::Done(result)) => {
            settle_card(d, *target, result)?;
            if let Err(f) = result
                && f.effect == Effect::Unknown
            {
                quarantine(d, *encoder)?;
            }
            finish_card(d, row, *target, result)
        }
        (Action::Assign { target, .. }, Report::Done(result)) => {
            settle_card(d, *target, result)?;
            finish_card(d, row, *target, result)
        }
        (Action::Unlock { .. }, Report::Done(result)) => match result {
            Ok(receipt) => {
                let confirmed = receipt.certainty == Certainty::Verified;
                attempt_done(d, row, json!({ "was_confirmed_by_device": confirmed }))?;
                tell_attempt(d, row, &EventType::ACTION_ATTEMPT_UNLOCK_DOOR_SUCCEEDED)
            }
            Err(f) => {
                attempt_over(d, row, error_type(f.reason), &f.message, f.effect)?;
                tell_attempt(d, row, &EventType::ACTION_ATTEMPT_UNLOCK_DOOR_FAILED)
            }
        },
        (Action::ScanToAssign { found: Some(found), .. }, Report::Done(result)) => scan_assign::told(d, row, found, result),
        (Action::Scan { encoder } | Action::ScanToAssign { encoder, found: None, .. }, Report::Card(result)) => match result {
            Ok(card) if matches!(a.action, Action::Scan { .. }) => scanned(d, row, card),
            Ok(card) => scan_assign::read(d, row, a, card),
            Err(f) => {
                if f.effect == Effect::Unknown {
                    quarantine(d, *encoder)?;
                }
                attempt_over(d, row, error_type(f.reason), &f.message, f.effect)
            }
        },
        _ => Ok(()),
    }
}

/// A card's target, after an encode or an assignment.
pub(super) fn settle_card(d: &mut Draft<'_>, target: RowId, result: &Result<Receipt, Failure>) -> Try<()> {
    let t = d.get::<Target>(target)?;
    let Some(InFlight { doing: Doing::Encode { rev }, .. }) = t.work.in_flight else { return Ok(()) };
    let report = match result {
        Ok(receipt) => Report::Done(Ok(receipt.clone().with_needs(Needs::Nothing))),
        Err(f) => Report::Done(Err(f.clone())),
    };
    settle_target(d, target, Doing::Encode { rev }, &report)
}

pub(super) fn finish_card(d: &mut Draft<'_>, row: RowId, target: RowId, result: &Result<Receipt, Failure>) -> Try<()> {
    match result {
        Ok(_) => attempt_done(d, row, json!({ "acs_credential_id": target })),
        Err(f) => attempt_over(d, row, error_type(f.reason), &f.message, f.effect),
    }
}

/// After an unknown outcome a card wait may still be running: the encoder is left alone until it has surely passed.
fn quarantine(d: &mut Draft<'_>, id: crate::model::AcsEncoderId) -> Try<()> {
    let mut encoder = d.get::<Encoder>(id)?;
    let until = d.now() + Duration::seconds(i64::from(encoder.report.card_wait_seconds));
    encoder.quarantined_until = Some(encoder.quarantined_until.map_or(until, |q| q.max(until)));
    d.set(id, encoder);
    Ok(())
}

/// A card was read: what it carries, as we know it. A question about that card is answered by it.
fn scanned(d: &mut Draft<'_>, row: RowId, seen: &CardSeen) -> Try<()> {
    let ours = seen.tag.as_ref().and_then(spec::row_of);
    let known = match ours {
        Some(id) => d.try_get::<Target>(id)?.map(|t| (id, t)),
        // A reader of our own knows no more than the number.
        None => scan_assign::known(d, seen)?,
    };
    if let Some((id, t)) = &known
        && let Some(Question { kind: QuestionKind::WasTheCardWritten, .. }) = t.work.asks
        && ours.is_some()
        && card::is_the_doubtful_one(d, t, seen.number.as_deref())
    {
        let mut receipt = Receipt::accepted();
        receipt.made.card_number.clone_from(&seen.number);
        super::attempt::resolve_happened(d, *id, receipt)?;
    }
    // The number of a card that is somebody's is kept with her credential and nowhere else, so that it can be forgotten with her.
    let tag = seen.number.as_ref().map(|number| d.env.vault.tag(d.env.workspace, "card", number));
    let is_kept = tag.is_some() && known.as_ref().is_some_and(|(_, t)| t.card_tag == tag);
    let number = match &seen.number {
        Some(number) if !is_kept => Some(d.env.seal(row, "card_number", number)?),
        _ => None,
    };
    let result = json!({
        "card_number": number,
        "is_empty": seen.carries.is_none() && known.is_none(),
        "as_recorded": seen.as_recorded,
        "acs_credential_id": known.as_ref().map(|(id, _)| *id),
        "is_ours": ours.is_some(),
        "is_its_card": is_kept,
    });
    attempt_done(d, row, result)
}

fn tell_attempt(d: &mut Draft<'_>, row: RowId, event: &EventType) -> Try<()> {
    let a = d.get::<Attempt>(row)?;
    let id = ActionAttemptId::from_uuid(row);
    let status = if matches!(a.state, AttemptState::Success { .. }) { "success" } else { "error" };
    let mut fields = json!({ "action_attempt_id": id, "action_type": "UNLOCK_DOOR", "status": status, "connected_account_id": a.account });
    if let Action::Unlock { entrance, .. } = a.action {
        fields["device_id"] = json!(entrance);
    }
    d.event(event.as_str(), row, fields);
    Ok(())
}

pub(super) fn attempt_done(d: &mut Draft<'_>, row: RowId, result: serde_json::Value) -> Try<()> {
    let mut a = d.get::<Attempt>(row)?;
    forget_number(&mut a);
    a.state = AttemptState::Success { result, at: d.now() };
    d.set(row, a);
    Ok(())
}

/// An attempt has ended without success.
pub(super) fn attempt_over(d: &mut Draft<'_>, row: RowId, kind: &str, message: &str, effect: Effect) -> Try<()> {
    let mut a = d.get::<Attempt>(row)?;
    forget_number(&mut a);
    let kind = if is_told_of(&a.action, kind) { kind } else { codes::action_error::UNCATEGORIZED_ERROR };
    a.state = AttemptState::Error { kind: kind.to_owned(), message: message.to_owned(), effect, at: d.now() };
    d.set(row, a);
    Ok(())
}

/// An attempt that is over needs its card's number no more: it is kept with the credential.
fn forget_number(a: &mut Attempt) {
    if let Action::Assign { number, .. } | Action::ScanToAssign { found: Some(FoundCard { number, .. }), .. } = &mut a.action {
        *number = Sealed::default();
    }
}

/// Whether an action is told to fail in this way: the public model knows three ways in which scanning and assigning in one step fails.
fn is_told_of(action: &Action, kind: &str) -> bool {
    let three = [
        codes::action_error::UNCATEGORIZED_ERROR,
        codes::action_error::ACTION_ATTEMPT_EXPIRED,
        codes::action_error::NO_CREDENTIAL_ON_ENCODER,
    ];
    !matches!(action, Action::ScanToAssign { .. }) || three.contains(&kind)
}

/// The public name of a failure at an encoder or a door.
fn error_type(reason: Reason) -> &'static str {
    match reason {
        Reason::NoCard => codes::action_error::NO_CREDENTIAL_ON_ENCODER,
        Reason::BadCard => codes::action_error::INCOMPATIBLE_CARD_FORMAT,
        Reason::Interrupted => codes::action_error::ENCODING_INTERRUPTED,
        Reason::EncoderOffline | Reason::Offline => codes::action_error::ENCODER_NOT_ONLINE,
        Reason::TimedOut => codes::action_error::ENCODER_COMMUNICATION_TIMEOUT,
        Reason::Cancelled => codes::action_error::ACTION_ATTEMPT_EXPIRED,
        Reason::NotThere => codes::action_error::CREDENTIAL_NOT_FOUND,
        _ => codes::action_error::UNCATEGORIZED_ERROR,
    }
}
