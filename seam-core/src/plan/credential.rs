//! Credentials issued directly, without a grant.
use super::change::{NewCredential, Outcome};
use super::doors;
use super::draft::{Draft, expose};
use super::pin::{self, Place};
use super::read::Try;
use super::user::{self, blank_target, ensure_user, rules};
use super::{claims, identity, method, next, rebind, settle, span, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AcsCredentialId, AcsEntranceId, AcsSystemId, AcsUserId, EventType, Holder, Shown, UserIdentityId, Window};
use crate::provider::{DoorClass, DoorLimit, EndsBy, Kind, KindRules};
use crate::state::*;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

const ENTRANCES: &str = "allowed_acs_entrance_ids";

/// Issues a credential to a user, or to a person at a system.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound`; `Unsupported` for what the system cannot hold; `Conflict` (`code_unavailable`) when the PIN is taken;
/// `Exhausted` when no PIN is free.
pub(super) fn create_credential(d: &mut Draft<'_>, new: &NewCredential) -> Try<Outcome> {
    validate::mode("access_method", &new.mode)?;
    if new.code.is_some() && new.mode != crate::model::AccessMethodMode::Code {
        return Err(Error::invalid("code", "only a code has a PIN").into());
    }
    let Some(kind) = doors::kind_of(&new.mode) else { return Err(Error::invalid("access_method", "it cannot be issued").into()) };
    let asked = validate::window(new.starts_at, new.ends_at, d.now())?;
    let (system_id, given) = whose(d, new)?;
    let system = d.get::<System>(system_id)?;
    let rules = rules(&system, system_id, kind)?;
    let entrances = load(d, new, system_id, &system, kind, &rules)?;
    let (user, person) = match given {
        Owner::User(id, person) => (Some(id), person),
        Owner::Person(person) if system.report.kinds.contains_key(&Kind::User) => {
            (Some(ensure_user(d, system_id, system.account, person)?), Some(person))
        }
        Owner::Person(person) => (None, Some(person)),
    };
    let mut doors: Vec<AcsEntranceId> = entrances.iter().map(|(id, _)| *id).collect();
    doors.sort();
    let want = WantedCredential {
        kind,
        identity: person,
        user,
        doors,
        window: window_of(d, asked, &rules)?,
        schedule: None,
        suspended: false,
        slot: None,
        stay: None,
    };
    let row = d.env.mint();
    let renew_at = turn(&want.window, &asked, &rules, d.now());
    let mut t = blank_target(d, &system, system_id, TargetOf::Direct, Wanted::Credential(want));
    t.asked = Some(asked);
    t.renew_at = renew_at;
    t.needs = next::first_needs(&rules);
    if rules.doors == DoorLimit::One {
        t.channel = doors::channel_of(&system, entrances.first().map(|(_, e)| e));
    }
    if let Some(user) = user {
        t.work.after = Some(d.get::<AcsUser>(user)?.target);
    }
    if kind == Kind::Code {
        give_pin(d, row, &mut t, &system, new.code.as_ref().map(Shown::expose))?;
    }
    next::schedule(&mut t, &rules, d.now());
    d.set(row, t);
    Ok(Outcome::Credential(AcsCredentialId::from_uuid(row)))
}

enum Owner {
    User(AcsUserId, Option<UserIdentityId>),
    Person(UserIdentityId),
}

fn whose(d: &Draft<'_>, new: &NewCredential) -> Try<(AcsSystemId, Owner)> {
    match (new.user, new.identity, new.system) {
        (Some(id), None, None) => {
            let row = user::living(d, id)?;
            Ok((row.system, Owner::User(id, row.identity)))
        }
        (None, Some(person), Some(system)) => Ok((system, Owner::Person(identity::living(d, person)?.0))),
        _ => Err(Error::invalid("acs_user_id", "name a user, or a person and an access system").into()),
    }
}

/// The doors of a direct credential, as far as its kind takes them.
fn load(
    d: &Draft<'_>,
    new: &NewCredential,
    system_id: AcsSystemId,
    system: &System,
    kind: Kind,
    rules: &KindRules,
) -> Try<Vec<(AcsEntranceId, Entrance)>> {
    validate::at_most(ENTRANCES, new.entrances.len(), validate::MAX_DOORS)?;
    let ids: BTreeSet<AcsEntranceId> = new.entrances.iter().copied().collect();
    d.hint(ids.iter().map(|e| e.uuid()));
    d.gather()?;
    let mut out = Vec::new();
    for id in ids {
        let e = rebind::there(d, id)?;
        if e.system != system_id {
            return Err(Error::invalid(ENTRANCES, "an entrance belongs to another access system")
                .with_context("acs_entrance_id", id)
                .into());
        }
        if !doors::takes(&e, kind) {
            let message = "an entrance does not take this kind of credential".to_owned();
            return Err(doors::unsupported("entrance_not_supported", message, system_id).with_context("acs_entrance_id", id).into());
        }
        let overrides = e.report.reservation && system.report.stay.is_some_and(|s| s.required) && kind != Kind::Code;
        if overrides && new.holder == Holder::Guest {
            // Without a stay it would end somebody's, or be ended by nobody.
            let message = "guests' credentials at this entrance belong to a reservation: make a grant, or say that it is for staff";
            return Err(Error::new(ErrorKind::InvalidInput, "reservation_key_required", message).with_field("holder").into());
        }
        out.push((id, e));
    }
    let guests = out.iter().filter(|(_, e)| e.report.class == DoorClass::Guest).count();
    let fits = match rules.doors {
        DoorLimit::ByUser if !out.is_empty() => {
            return Err(Error::invalid(ENTRANCES, "the user's permissions say which entrances open: put her into groups").into());
        }
        DoorLimit::ByUser => return Ok(out),
        DoorLimit::One => out.len() == 1,
        DoorLimit::Many { guest, common } => guests <= usize::from(guest) && out.len() - guests <= usize::from(common),
    };
    if out.is_empty() {
        return Err(Error::invalid(ENTRANCES, "name at least one entrance").into());
    }
    if !fits {
        let message = "a credential of this kind does not hold so many entrances here".to_owned();
        return Err(doors::unsupported("too_many_doors", message, system_id).with_field(ENTRANCES).into());
    }
    Ok(out)
}

/// A window as the system keeps it. Graces are for stays; what is issued directly means what it says.
fn window_of(d: &Draft<'_>, asked: Window, rules: &KindRules) -> Try<Window> {
    Ok(span::credential_window(&span::Asked { grant: asked, graces: Graces::default(), next_stay: None, now: d.now() }, rules)?)
}

/// When a direct credential is looked at by itself: its end rolls, or our timer ends it.
fn turn(window: &Window, asked: &Window, rules: &KindRules, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let ends = asked.ends_at().filter(|_| rules.ends == EndsBy::Engine);
    span::renew_at(window, asked, rules, now).into_iter().chain(ends).min()
}

/// The time of a direct credential has come: our timer ends it, or it rolls on.
pub(super) fn renew(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let rules = method::rules_of(d, &t)?;
    let Some(asked) = t.asked.filter(|_| !t.gone) else { return Ok(()) };
    if asked.is_over(d.now()) {
        return if rules.ends == EndsBy::Engine { take_away(d, row) } else { Ok(()) };
    }
    fit(d, row, &mut t, asked, &rules)?;
    d.set(row, t);
    Ok(())
}

/// Fits a direct credential to the window that was asked for. Gives whether anything changed.
fn fit(d: &mut Draft<'_>, row: RowId, t: &mut Target, asked: Window, rules: &KindRules) -> Try<bool> {
    let Some(old) = t.credential().cloned() else { return Ok(false) };
    let (window, _) = span::roll(t, window_of(d, asked, rules)?, &asked, rules, d.now());
    t.asked = Some(asked);
    next::renew(t, turn(&window, &asked, rules, d.now()));
    if window == old.window {
        return Ok(false);
    }
    t.want = Wanted::Credential(WantedCredential { window, ..old });
    claim_again(d, row, t)?;
    next::again(t, rules, d.now());
    Ok(true)
}

/// Where the PIN of a code must be unique.
fn places(d: &Draft<'_>, t: &Target, system: &System) -> Try<Vec<Place>> {
    let Some(rules) = system.report.pin.clone() else {
        return Err(doors::unsupported("no_pin_rules", "the access system does not say how its PINs work".to_owned(), t.system).into());
    };
    let ends = user::rules(system, t.system, Kind::Code)?.ends;
    let doors: &[AcsEntranceId] = t.credential().map(|c| c.doors.as_slice()).unwrap_or_default();
    let mut domains = BTreeSet::new();
    for door in doors {
        domains.insert(pin::domain(system, Some(&d.get::<Entrance>(*door)?.report.handle), &rules));
    }
    if domains.is_empty() {
        domains.insert(pin::domain(system, None, &rules));
    }
    let place = |domain| Place { system: t.system, domain, rules: rules.clone(), ends, doors: doors.to_vec() };
    Ok(domains.into_iter().map(place).collect())
}

/// Gives a code its PIN: the one that is asked for, or one that is free. A PIN that was asked for is not replaced by another.
fn give_pin(d: &mut Draft<'_>, row: RowId, t: &mut Target, system: &System, asked: Option<&str>) -> Try<()> {
    if let Some(digits) = asked {
        validate::pin("code", digits)?;
    }
    let places = places(d, t, system)?;
    let Some(window) = t.credential().map(|c| c.window) else { return Ok(()) };
    let Some(rules) = places.first().map(|p| p.rules.clone()) else { return Ok(()) };
    if let (Some(slots), Wanted::Credential(want)) = (rules.slots, &t.want)
        && want.slot.is_none()
    {
        let mut want = want.clone();
        let there = doors::load(d, &want.doors)?;
        want.slot = Some(claims::free_slot(d, &there, &want, slots)?);
        t.want = Wanted::Credential(want);
    }
    if rules.made_by_vendor {
        return match asked {
            Some(_) => Err(doors::unsupported("code_made_by_system", "the access system makes its PINs".to_owned(), t.system)
                .with_field("code")
                .into()),
            None => Ok(()),
        };
    }
    if asked.is_some_and(|digits| !pin::fits(digits, &rules)) {
        return Err(
            Error::invalid("code", format!("the access system takes PINs of {} to {} digits", rules.shortest, rules.longest)).into()
        );
    }
    let chosen = pin::choose(d, &places, asked, &window, &|other| other == row)?;
    if chosen.refused_preference {
        return Err(Error::new(ErrorKind::Conflict, "code_unavailable", "the PIN is taken at an entrance").with_field("code").into());
    }
    t.pin = Some(d.env.seal(row, "pin", &chosen.pin)?);
    occupy(d, row, t, &places, &chosen.pin, window, true);
    Ok(())
}

/// Claims a PIN for a window. `other`: it is not the PIN that the lock holds, whose claims stay until the new one is seen.
fn occupy(d: &mut Draft<'_>, row: RowId, t: &mut Target, places: &[Place], digits: &str, window: Window, other: bool) {
    let held = !matches!(t.seen, SeenState::Never) || t.work.in_flight.is_some();
    let keep = if other { t.claims.len() } else { usize::from(t.stale_claims) };
    let mut claims: Vec<Claim> = if held { t.claims.iter().take(keep).cloned().collect() } else { Vec::new() };
    t.stale_claims = u16::try_from(claims.len()).unwrap_or(u16::MAX);
    let slot = t.credential().and_then(|c| c.slot.zip(c.doors.first().copied()));
    claims.extend(claims::of_code(d, row, places, digits, &window, slot, &t.claims));
    t.claims = claims;
}

/// Claims the PIN of a direct credential anew: its door is another lock now, or its window another one.
pub(super) fn claim_again(d: &mut Draft<'_>, row: RowId, t: &mut Target) -> Try<()> {
    let (Some(sealed), Some(window)) = (t.pin.clone(), t.credential().map(|c| c.window)) else { return Ok(()) };
    let window = t.held_window().map_or(window, |held| held.hull(&window));
    let digits = d.env.open(row, "pin", &sealed)?;
    let system = d.get::<System>(t.system)?;
    let places = places(d, t, &system)?;
    occupy(d, row, t, &places, expose(&digits), window, false);
    Ok(())
}

/// A credential that was issued directly and is there.
pub(super) fn direct(d: &Draft<'_>, id: AcsCredentialId) -> Try<Target> {
    let t = d.get::<Target>(id)?;
    if t.gone || t.credential().is_none() {
        return Err(Error::not_found("acs_credential", id).into());
    }
    if t.of != TargetOf::Direct {
        let e = Error::new(
            ErrorKind::Conflict,
            "credential_of_access_method",
            "this credential belongs to a grant: change the grant or its method",
        );
        return Err(e.with_field("acs_credential_id").into());
    }
    Ok(t)
}

/// Changes a direct credential's PIN or end.
///
/// # Errors
/// As [`create_credential`]; `Conflict` (`credential_of_access_method`) for one that belongs to a grant.
pub(super) fn update_credential(
    d: &mut Draft<'_>,
    id: AcsCredentialId,
    code: Option<&Shown>,
    ends_at: Option<DateTime<Utc>>,
) -> Try<Outcome> {
    let mut t = direct(d, id)?;
    let row = id.uuid();
    let system = d.get::<System>(t.system)?;
    let rules = method::rules_of(d, &t)?;
    let Some(old) = t.credential().cloned() else { return Err(Error::not_found("acs_credential", id).into()) };
    let mut changed = false;
    if let Some(ends) = ends_at {
        let starts = t.asked.map_or(old.window.starts_at(), |asked| asked.starts_at());
        let asked = validate::window(Some(starts), Some(ends), d.now())?;
        fit(d, row, &mut t, asked, &rules)?;
        d.set(row, t.clone());
    }
    if let Some(code) = code {
        if old.kind != Kind::Code {
            return Err(Error::invalid("code", "only a code has a PIN").into());
        }
        let same = match &t.pin {
            Some(sealed) => expose(&d.env.open(row, "pin", sealed)?) == code.expose(),
            None => false,
        };
        if !same {
            give_pin(d, row, &mut t, &system, Some(code.expose()))?;
            changed = true;
        }
    }
    if changed {
        next::again(&mut t, &rules, d.now());
        d.set(row, t);
    }
    Ok(Outcome::Credential(id))
}

/// Deletes a direct credential.
///
/// # Errors
/// `NotFound`; `Conflict` (`credential_of_access_method`).
pub(super) fn delete_credential(d: &mut Draft<'_>, id: AcsCredentialId) -> Try<Outcome> {
    direct(d, id)?;
    take_away(d, id.uuid())?;
    Ok(Outcome::Done)
}

pub(super) fn take_away(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let rules = method::rules_of(d, &t)?;
    let was_gone = t.gone;
    next::take_away(&mut t, &rules, d.now());
    if t.is_dead() && !was_gone {
        // Nothing was ever sent, so nothing will be heard of it again.
        settle::tell_credential(d, &EventType::ACS_CREDENTIAL_DELETED, row, &t)?;
    }
    d.set(row, t);
    Ok(())
}

/// Takes away the credentials that were issued to a person directly, at systems without users.
pub(super) fn remove_direct_of(d: &mut Draft<'_>, identity: UserIdentityId) -> Try<()> {
    let rows = d.find_exactly(&Key::id(Index::TargetsOfUser, identity))?;
    d.hint(rows.iter().copied());
    d.gather()?;
    for row in rows {
        take_away(d, row)?;
    }
    Ok(())
}
