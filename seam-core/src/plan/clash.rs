//! Two holders of one PIN whose windows come to meet: the person in the house keeps it, the later one is issued another.
use super::doors::{self, Doors};
use super::draft::{Draft, expose};
use super::pin;
use super::read::Try;
use super::{claims, member, method, next};
use crate::model::{AccessMethodId, AccessMethodMode, AcsEntranceId, Window, codes};
use crate::state::*;
use secrecy::SecretString;
use std::collections::BTreeSet;

fn pin_of(d: &Draft<'_>, id: AccessMethodId, m: &Method) -> Try<Option<SecretString>> {
    Ok(match &m.pin {
        Some(sealed) => Some(d.env.open(id.uuid(), "pin", sealed)?),
        None => None,
    })
}

fn window_of(d: &Draft<'_>, m: &Method) -> Try<Option<Window>> {
    let mut live = Vec::new();
    for g in &m.grants {
        live.extend(d.try_get::<Grant>(*g)?.filter(Grant::is_live));
    }
    if live.is_empty() {
        return Ok(None);
    }
    Ok(Some(method::cover(&live.iter().collect::<Vec<_>>(), d.now())))
}

/// Before a method's PIN gets a new window: whoever would now have the same PIN at the same time, and has not begun, gets another; if the other has
/// begun, or is not ours to change, this method gets another. Optimistic at first: the commit finds a clash, then this is asked in earnest.
pub(super) fn make_room(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let m = d.get::<Method>(id)?;
    if d.env.attempt == 0 || m.is_over() || m.mode != AccessMethodMode::Code {
        return Ok(());
    }
    let (Some(digits), Some(window)) = (pin_of(d, id, &m)?, window_of(d, &m)?) else { return Ok(()) };
    let doors = doors::load(d, &m.doors)?;
    let mut theirs: BTreeSet<AccessMethodId> = BTreeSet::new();
    let mut mine_goes = false;
    for place in claims::places(&doors, &m.doors)? {
        let claim = pin::claim(d, &place, expose(&digits), &window);
        let gap = i64::from(place.rules.gap_seconds);
        for other in d.near(&pin::near_of(&claim, gap))? {
            if m.targets.contains(&other.row) || !other.claim.meets(claim.from, claim.until, gap) {
                continue;
            }
            let target = if other.workspace == d.env.workspace { d.try_get::<Target>(other.row)? } else { None };
            match target.map(|t| (t.of, t.made)) {
                Some((TargetOf::Method(m2), None)) if other.claim.from > d.now() => {
                    theirs.insert(m2);
                }
                Some((TargetOf::Method(m2), Some(_))) if other.claim.from > d.now() && other.claim.from > window.starts_at() => {
                    theirs.insert(m2);
                }
                _ => mine_goes = true,
            }
        }
    }
    if mine_goes {
        return change_pin(d, id);
    }
    for m2 in theirs {
        change_pin(d, m2)?;
    }
    Ok(())
}

/// Gives a method another PIN. What the lock holds of the old one stays claimed until the new one is seen there.
pub(super) fn change_pin(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let mut m = d.get::<Method>(id)?;
    let Some(window) = window_of(d, &m)? else { return Ok(()) };
    let doors = doors::load(d, &m.doors)?;
    let places = claims::places(&doors, &m.doors)?;
    let chosen = pin::choose(d, &places, None, &window, &|_| false)?;
    m.pin = Some(d.env.seal(id.uuid(), "pin", &chosen.pin)?);
    m.warnings.push(Note {
        code: codes::warning::REQUESTED_CODE_UNAVAILABLE.to_owned(),
        message: "The PIN would have been another person's at the same time; a new one was issued.".to_owned(),
        at: d.now(),
        details: serde_json::Map::new(),
    });
    let targets = m.targets.clone();
    d.set(id, m);
    let now = d.now();
    for row in targets {
        let mut t = d.get::<Target>(row)?;
        if t.gone {
            continue;
        }
        let rules = method::rules_of(d, &t)?;
        t.pin = Some(d.env.seal(row, "pin", &chosen.pin)?);
        if matches!(t.seen, SeenState::Never) && t.work.in_flight.is_none() {
            t.claims.clear();
            t.stale_claims = 0;
        } else {
            t.stale_claims = u16::try_from(t.claims.len()).unwrap_or(u16::MAX);
        }
        next::again(&mut t, &rules, now);
        d.set(row, t);
    }
    method::unissue(d, id)?;
    method::fit(d, id)
}

/// Whether a method's PIN can be used at one more door: its length fits, and it is free there. A PIN that the system makes, or that belongs to the user, is
/// for the doors that it was made for alone: one of them that was lost may come back to it, unless the person has another there by now.
pub(super) fn pin_fits(d: &mut Draft<'_>, id: AccessMethodId, doors: &Doors, door: AcsEntranceId) -> Try<bool> {
    let m = d.get::<Method>(id)?;
    let Some(window) = window_of(d, &m)? else { return Ok(false) };
    for place in claims::places(doors, &[door])? {
        if (place.rules.made_by_vendor || place.rules.per_user) && !m.doors.contains(&door) {
            return Ok(false);
        }
        if place.rules.per_user && member::shared_code(d, place.system, m.identity)?.is_some_and(|(other, _)| other != id) {
            return Ok(false);
        }
        if place.rules.made_by_vendor {
            continue;
        }
        let Some(digits) = pin_of(d, id, &m)?.filter(|digits| pin::fits(expose(digits), &place.rules)) else { return Ok(false) };
        let claim = pin::claim(d, &place, expose(&digits), &window);
        let gap = i64::from(place.rules.gap_seconds);
        for other in d.near(&pin::near_of(&claim, gap))? {
            if !m.targets.contains(&other.row) && other.claim.meets(claim.from, claim.until, gap) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
