//! Grants: made, changed, ended.
use super::change::{GrantUpdate, MethodsOf, NewGrant, NewMethod, Outcome, Who};
use super::doors::{self, Doors};
use super::draft::Draft;
use super::read::Try;
use super::{identity, method, stay, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, EventType, Holder, SpaceId, codes};
use crate::planted::{self, Bug};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// How long before its start a grant's methods are looked at: what is not issued by then is late, and told.
const LATE: Duration = Duration::minutes(10);

/// Who, where, when, how: becomes a grant, its methods, its stay, and what is wanted of each system.
pub(super) fn create(d: &mut Draft<'_>, new: &NewGrant) -> Try<Outcome> {
    let digest = new.key.as_ref().map(|_| digest(d, new));
    if let Some(key) = &new.key {
        validate::key("access_grant_key", key)?;
        if let Some(row) = d.find(&Key::new(Index::GrantKey, key.as_str()))?.first() {
            let existing = d.get::<Grant>(*row)?;
            if existing.digest == digest {
                return Ok(Outcome::Grant(AccessGrantId::from_uuid(*row)));
            }
            return Err(Error::new(
                ErrorKind::IdempotencyConflict,
                "access_grant_key_conflict",
                "this access_grant_key was used for a grant with other content",
            )
            .with_field("access_grant_key")
            .into());
        }
    }
    validate::methods(&new.methods)?;
    if let Some(name) = &new.name {
        validate::name("name", name)?;
    }
    let window = validate::window(new.starts_at, new.ends_at, d.now())?;
    validate::at_most("space_ids", new.spaces.len() + new.space_keys.len(), validate::MAX_SPACES)?;
    let spaces = space_ids(d, &new.spaces, &new.space_keys)?;
    let door_ids = doors::resolve(d, &spaces, &new.entrances)?;
    validate::doors(&door_ids)?;
    for id in &new.entrances {
        super::rebind::named(d, *id, "acs_entrance_ids")?;
    }
    validate::at_most("party_entrance_ids", new.party_entrances.len(), validate::MAX_DOORS)?;
    d.hint(new.party_entrances.iter().map(|e| e.uuid()));
    d.gather()?;
    for id in &new.party_entrances {
        super::rebind::named(d, *id, "party_entrance_ids")?;
    }
    let doors = doors::load(d, &door_ids)?;
    doors::connected(d, &doors)?;
    if new.methods.iter().all(|m| doors.usable(&m.mode).is_empty()) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "access_methods_not_supported",
            "none of the entrances takes any of the requested access methods",
        )
        .with_field("requested_access_methods")
        .into());
    }
    demand_reservation(new.holder, new.reservation.as_deref(), new.methods.iter().map(|m| &m.mode), &doors)?;
    let (who, contact, warnings) = match &new.who {
        Who::Known(id) => (identity::living(d, *id)?.0, None, Vec::new()),
        Who::Inline(person) => identity::inline_identity(d, person)?,
    };

    let id = AccessGrantId::from_uuid(d.env.mint());
    let mut grant = Grant {
        identity: who,
        key: new.key.clone(),
        digest,
        name: new.name.clone(),
        spaces,
        entrances: new.entrances.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        doors: door_ids,
        window,
        schedule: new.schedule.clone(),
        holder: new.holder,
        requested: Vec::new(),
        reservation: None,
        stays: Vec::new(),
        suspended: false,
        phase: GrantPhase::Live,
        told: BTreeSet::new(),
        told_all: false,
        warnings,
        errors: Vec::new(),
        created_at: d.now(),
        timer: None,
        contact,
    };
    if let Some(key) = &new.reservation {
        validate::key("reservation_key", key)?;
        if new.holder == Holder::Guest {
            let wish = stay::Wish { grant: id, key, window, party: &new.party_entrances };
            grant.stays = stay::join_stays(d, &wish, &doors)?;
        }
        grant.reservation = Some(key.clone());
    }
    d.set(id, grant.clone());
    d.event(EventType::ACCESS_GRANT_CREATED.as_str(), who, json!({ "access_grant_id": id }));
    add_methods(d, id, &new.methods, &doors)?;
    set_timer(d, id)?;
    Ok(Outcome::Grant(id))
}

/// What was asked for under a key, as a keyed hash: it may hold a PIN.
fn digest(d: &Draft<'_>, new: &NewGrant) -> String {
    let text = serde_json::to_string(new).unwrap_or_default();
    d.env.vault.tag(d.env.workspace, "access_grant", &text)
}

fn space_ids(d: &Draft<'_>, ids: &[SpaceId], keys: &[String]) -> Try<Vec<SpaceId>> {
    let mut all: BTreeSet<SpaceId> = ids.iter().copied().collect();
    for key in keys {
        match d.find(&Key::new(Index::SpaceKey, key.as_str()))?.first() {
            Some(row) => all.insert(SpaceId::from_uuid(*row)),
            None => return Err(Error::not_found("space", key).with_field("space_keys").into()),
        };
    }
    Ok(all.into_iter().collect())
}

/// R1b: at doors that override, a guest's card or key without a reservation would end somebody's stay, or be ended by nobody. Staff is asked for, never inferred.
fn demand_reservation<'m>(
    holder: Holder,
    reservation: Option<&str>,
    modes: impl Iterator<Item = &'m AccessMethodMode>,
    doors: &Doors,
) -> Result<(), Error> {
    if holder == Holder::Staff || reservation.is_some() {
        return Ok(());
    }
    for mode in modes {
        if *mode == AccessMethodMode::Code {
            continue;
        }
        for door in doors.usable(mode) {
            let required = doors.systems[&door.entrance.system].report.stay.is_some_and(|s| s.required);
            if required && doors.is_reservable(door) {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "reservation_key_required",
                    "reservation_key required for guest cards. Guests' cards and mobile keys at this entrance belong to a reservation; for staff, say so.",
                )
                .with_field("reservation_key")
                .with_context("title", "reservation_key required for guest cards.")
                .with_context("acs_entrance_id", door.id));
            }
        }
    }
    Ok(())
}

/// Makes requested methods and writes them into the grant.
fn add_methods(d: &mut Draft<'_>, id: AccessGrantId, asked: &[NewMethod], doors: &Doors) -> Try<()> {
    for m in asked {
        let grant = d.get::<Grant>(id)?;
        let made = method::make(d, id, &grant, m, doors)?;
        let mut grant = d.get::<Grant>(id)?;
        let code = match &m.code {
            Some(pin) => Some(d.env.seal(id.uuid(), &format!("requested.{}", grant.requested.len()), pin.expose())?),
            None => None,
        };
        if made.ids.is_empty() {
            let message = format!("none of the entrances takes the access method {}", m.mode.as_str());
            let mut details = serde_json::Map::new();
            details.insert("missing_device_ids".to_owned(), json!(made.missing));
            grant.errors.push(Note {
                code: codes::error::CANNOT_CREATE_REQUESTED_ACCESS_METHODS.to_owned(),
                message: message.clone(),
                at: d.now(),
                details,
            });
            d.event(
                EventType::ACCESS_GRANT_COULD_NOT_CREATE_REQUESTED_ACCESS_METHODS.as_str(),
                grant.identity,
                json!({ "access_grant_id": id, "error_message": message, "missing_device_ids": made.missing }),
            );
        }
        for other in &made.other_pin {
            let mut details = serde_json::Map::new();
            details.insert("access_method_id".to_owned(), json!(other));
            details.insert("requested".to_owned(), json!(grant.requested.len()));
            grant.warnings.push(Note {
                code: codes::warning::REQUESTED_CODE_UNAVAILABLE.to_owned(),
                message: "The requested PIN was not to be had; another was chosen.".to_owned(),
                at: d.now(),
                details,
            });
        }
        grant.requested.push(Requested {
            mode: m.mode.clone(),
            code,
            instant_key_max_use_count: m.instant_key_max_use_count,
            at: d.now(),
            methods: made.ids,
        });
        d.set(id, grant);
    }
    Ok(())
}

/// A grant that is live; an ended or deleted one is not found by those who want to change it.
fn live(d: &Draft<'_>, id: AccessGrantId) -> Try<Grant> {
    let grant = d.get::<Grant>(id)?;
    match grant.phase {
        GrantPhase::Live => Ok(grant),
        GrantPhase::Ended { .. } => Err(Error::new(ErrorKind::Conflict, "access_grant_ended", "the grant has ended; make a new one")
            .with_field("access_grant_id")
            .into()),
        GrantPhase::Deleted { .. } => Err(Error::not_found("access_grant", id).into()),
    }
}

/// Changes a grant's window, schedule or name.
pub(super) fn update(d: &mut Draft<'_>, update: &GrantUpdate) -> Try<Outcome> {
    let id = update.grant;
    let mut grant = live(d, id)?;
    if let Some(name) = &update.name {
        if let Some(name) = name {
            validate::name("name", name)?;
        }
        grant.name.clone_from(name);
    }
    let starts = update.starts_at.unwrap_or_else(|| grant.window.starts_at());
    let ends = update.ends_at.unwrap_or_else(|| grant.window.ends_at());
    let moved = starts != grant.window.starts_at() || ends != grant.window.ends_at();
    let window = if moved { validate::window(Some(starts), ends, d.now())? } else { grant.window };
    let schedule = update.schedule.clone().unwrap_or_else(|| grant.schedule.clone());
    let changed = window != grant.window || schedule != grant.schedule;
    let stays = grant.stays.clone();
    let who = grant.identity;
    grant.window = window;
    grant.schedule = schedule;
    let key = grant.key.clone();
    d.set(id, grant);
    if changed {
        stay::refit_stays(d, id, window, &stays)?;
        let mut fields = json!({ "access_grant_id": id, "starts_at": crate::model::time::text(window.starts_at()) });
        if let Some(key) = key {
            fields["access_grant_key"] = json!(key);
        }
        if let Some(ends) = window.ends_at() {
            fields["ends_at"] = json!(crate::model::time::text(ends));
        }
        d.event(EventType::ACCESS_GRANT_ACCESS_TIMES_CHANGED.as_str(), who, fields);
        refit_with_pins(d, id)?;
        set_timer(d, id)?;
    }
    Ok(Outcome::Grant(id))
}

/// Fits a grant's methods after its window has changed. Where a PIN that stays would now meet a later holder's, the person in the house keeps it
/// and the later one is issued another.
fn refit_with_pins(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    for m in methods_of(&d.get::<Grant>(id)?) {
        super::clash::make_room(d, m)?;
        method::fit(d, m)?;
    }
    Ok(())
}

fn methods_of(grant: &Grant) -> Vec<AccessMethodId> {
    grant.requested.iter().flat_map(|r| r.methods.iter().copied()).collect()
}

/// Suspends a grant, or takes it up again.
pub(super) fn suspend(d: &mut Draft<'_>, id: AccessGrantId, suspended: bool) -> Try<Outcome> {
    let mut grant = live(d, id)?;
    if grant.suspended != suspended {
        grant.suspended = suspended;
        d.set(id, grant);
        for m in methods_of(&d.get::<Grant>(id)?) {
            method::fit(d, m)?;
        }
    }
    Ok(Outcome::Grant(id))
}

/// Adds methods to a grant. They have the grant's window and doors.
pub(super) fn request_methods(d: &mut Draft<'_>, id: AccessGrantId, asked: &[NewMethod]) -> Try<Outcome> {
    validate::methods(asked)?;
    let grant = live(d, id)?;
    let doors = doors::load(d, &grant.doors)?;
    doors::connected(d, &doors)?;
    demand_reservation(grant.holder, grant.reservation.as_deref(), asked.iter().map(|m| &m.mode), &doors)?;
    if asked.iter().all(|m| doors.usable(&m.mode).is_empty()) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "access_methods_not_supported",
            "none of the entrances takes any of the requested access methods",
        )
        .with_field("requested_access_methods")
        .into());
    }
    add_methods(d, id, asked, &doors)?;
    told_anew(d, id)?;
    Ok(Outcome::Grant(id))
}

fn told_anew(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    grant.told_all = false;
    d.set(id, grant);
    Ok(())
}

/// Deletes a grant. Deleted already is fine.
pub(super) fn delete(d: &mut Draft<'_>, id: AccessGrantId) -> Try<Outcome> {
    let grant = d.get::<Grant>(id)?;
    if !matches!(grant.phase, GrantPhase::Deleted { .. }) {
        end_grant(d, id, End::Deleted)?;
    }
    Ok(Outcome::Done)
}

/// Takes methods away. The grants stay.
pub(super) fn delete_methods(d: &mut Draft<'_>, which: &MethodsOf) -> Try<Outcome> {
    let methods: Vec<AccessMethodId> = match which {
        MethodsOf::Method(id) => {
            let m = d.get::<Method>(*id)?;
            if m.deleted_at.is_some() {
                return Ok(Outcome::Done);
            }
            vec![*id]
        }
        MethodsOf::Grant(id) => methods_of(&live(d, *id)?),
        MethodsOf::Reservation(key) => {
            let grants = d.find_exactly(&Key::new(Index::Reservation, key.as_str()))?;
            d.hint(grants.iter().copied());
            d.gather()?;
            let mut all = Vec::new();
            for g in grants {
                all.extend(methods_of(&d.get::<Grant>(g)?));
            }
            all
        }
    };
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    for m in methods {
        method::retire(d, m, true)?;
    }
    Ok(Outcome::Done)
}

/// A card is lost. On systems that override, the stay is opened again: the new card ends the lost one when it is first used, the stay's other cards
/// ask to be encoded again, its phones follow, staff is untouched. Elsewhere only the lost credential dies.
pub(super) fn replace_lost(d: &mut Draft<'_>, id: AccessMethodId) -> Try<Outcome> {
    let mut lost = d.get::<Method>(id)?;
    if lost.is_over() {
        return Err(Error::not_found("access_method", id).into());
    }
    if lost.mode != AccessMethodMode::Card {
        return Err(Error::new(ErrorKind::InvalidInput, "not_a_card", "only a card can be lost and replaced")
            .with_field("access_method_id")
            .into());
    }
    let grants = lost.grants.clone();
    let stays: BTreeSet<crate::model::StayId> = {
        let mut all = BTreeSet::new();
        for row in &lost.targets {
            let t = d.get::<Target>(*row)?;
            // A card that was never made cannot be found by a stranger: nothing to override. One that is being made right now may be written.
            if t.made.is_some() || t.work.in_flight.is_some() || !t.others.is_empty() || matches!(t.seen, SeenState::Unknown { .. }) {
                all.extend(t.credential().and_then(|c| c.stay));
            }
        }
        all
    };
    lost.lost = true;
    d.set(id, lost);
    method::retire(d, id, true)?;
    for s in stays {
        let row = d.get::<Stay>(s)?;
        stay::reopen(d, s, row)?;
    }
    let grant_id = *grants.first().ok_or_else(|| Error::new(ErrorKind::Internal, "method_without_grant", "a method has no grant"))?;
    let grant = live(d, grant_id)?;
    let doors = doors::load(d, &grant.doors)?;
    let made = method::make(d, grant_id, &grant, &NewMethod::new(AccessMethodMode::Card), &doors)?;
    let mut grant = d.get::<Grant>(grant_id)?;
    if let Some(r) = grant.requested.iter_mut().find(|r| r.methods.contains(&id)) {
        r.methods.extend(made.ids.iter().copied());
    }
    grant.told_all = false;
    d.set(grant_id, grant);
    match made.ids.first() {
        Some(new) => Ok(Outcome::Method(*new)),
        None => {
            Err(Error::new(ErrorKind::Unsupported, "access_methods_not_supported", "none of the entrances takes a card any more").into())
        }
    }
}

/// How a grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its end has passed.
    Expired,
    /// It is deleted.
    Deleted,
}

/// Ends a grant: its methods, its part in the stay, what it wants of systems. A grant that has ended can still be deleted.
pub(super) fn end_grant(d: &mut Draft<'_>, id: AccessGrantId, how: End) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    let was_live = grant.is_live();
    if matches!(grant.phase, GrantPhase::Deleted { .. }) || (how == End::Expired && !was_live) {
        return Ok(());
    }
    let now = d.now();
    grant.phase = match how {
        End::Expired => GrantPhase::Ended { at: now },
        End::Deleted => GrantPhase::Deleted { at: now },
    };
    grant.timer = None;
    let (who, stays, methods) = (grant.identity, grant.stays.clone(), methods_of(&grant));
    let told = std::mem::take(&mut grant.told);
    d.set(id, grant);
    for door in told {
        d.event(EventType::ACCESS_GRANT_ACCESS_TO_DOOR_LOST.as_str(), who, json!({ "access_grant_id": id, "acs_entrance_id": door }));
    }
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    for m in methods {
        let row = d.get::<Method>(m)?;
        let mut others = false;
        for g in row.grants.iter().filter(|g| **g != id) {
            others |= d.try_get::<Grant>(*g)?.is_some_and(|g| g.is_live());
        }
        if others {
            // The person's secret goes on serving the other grants.
            method::fit(d, m)?;
        } else if how == End::Deleted {
            delete_ended(d, m)?;
        } else {
            method::retire(d, m, false)?;
        }
    }
    if was_live {
        stay::leave_stays(d, id, &stays)?;
    }
    if how == End::Deleted {
        d.event(EventType::ACCESS_GRANT_DELETED.as_str(), who, json!({ "access_grant_id": id }));
    }
    Ok(())
}

/// Deletes a method, also one whose time has passed.
fn delete_ended(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let mut m = d.get::<Method>(id)?;
    if m.ended_at.is_some() && m.deleted_at.is_none() {
        m.deleted_at = Some(d.now());
        d.set(id, m);
        return method::tell(d, &EventType::ACCESS_METHOD_DELETED, id);
    }
    method::retire(d, id, true)
}

/// Makes what is wanted of systems fit the grant as this draft sees it: its window, its doors (spaces may have changed), its suspension.
///
/// A change of a space's doors never raises a reservation rule against a stay that exists: new doors are added to the grant, and a stay takes those
/// that take part.
pub(super) fn reweave_grant(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    if !grant.is_live() {
        return Ok(());
    }
    let before: BTreeSet<AcsEntranceId> = grant.doors.iter().copied().collect();
    let mut all: BTreeSet<AcsEntranceId> = grant.entrances.iter().copied().collect();
    for s in &grant.spaces {
        if let Some(space) = d.try_get::<Space>(*s)?.filter(|s| s.deleted_at.is_none()) {
            all.extend(space.entrances);
        }
    }
    if planted::is(Bug::SpaceOnlyGrows) {
        all.extend(before.iter().copied());
    }
    grant.doors = all.iter().copied().collect();
    let lost: Vec<AcsEntranceId> = grant.told.difference(&all).copied().collect();
    grant.told.retain(|x| all.contains(x));
    if all.difference(&before).next().is_some() {
        grant.told_all = false;
    }
    let who = grant.identity;
    d.set(id, grant.clone());
    for door in lost {
        d.event(EventType::ACCESS_GRANT_ACCESS_TO_DOOR_LOST.as_str(), who, json!({ "access_grant_id": id, "acs_entrance_id": door }));
    }
    let added: Vec<AcsEntranceId> = all.difference(&before).copied().collect();
    if !added.is_empty() {
        extend_methods(d, id, &grant, &added)?;
    }
    for m in methods_of(&d.get::<Grant>(id)?) {
        method::fit(d, m)?;
    }
    Ok(())
}

/// New doors of a grant go to its methods that can open them. A PIN goes with a method whose PIN fits there and is free; else another method is made.
fn extend_methods(d: &mut Draft<'_>, id: AccessGrantId, grant: &Grant, added: &[AcsEntranceId]) -> Try<()> {
    let doors = doors::load(d, added)?;
    stay::add_doors(d, &grant.stays, &doors)?;
    for (i, request) in grant.requested.iter().enumerate() {
        let mut left: Vec<AcsEntranceId> = doors.usable(&request.mode).into_iter().map(|x| x.id).collect();
        if left.is_empty() {
            continue;
        }
        for m in &request.methods {
            let mut row = d.get::<Method>(*m)?;
            if row.is_over() {
                continue;
            }
            let (take, rest): (Vec<_>, Vec<_>) = if request.mode == AccessMethodMode::Code {
                let mut take = Vec::new();
                let mut rest = Vec::new();
                for door in left {
                    if super::clash::pin_fits(d, *m, &doors, door)? { take.push(door) } else { rest.push(door) }
                }
                (take, rest)
            } else {
                // Every card and key of a request reaches every door.
                (left.clone(), left)
            };
            row.doors = row.doors.into_iter().chain(take).collect::<BTreeSet<_>>().into_iter().collect();
            d.set(*m, row);
            left = rest;
        }
        if request.mode == AccessMethodMode::Code && !left.is_empty() {
            let rest = doors::load(d, &left)?;
            let asked = NewMethod::new(AccessMethodMode::Code);
            let made = method::make(d, id, grant, &asked, &rest)?;
            let mut g = d.get::<Grant>(id)?;
            g.requested[i].methods.extend(made.ids);
            d.set(id, g);
        }
    }
    Ok(())
}

/// When the engine looks at a grant next: shortly before its start if something is not issued, at its start, at its end, when a rolling end must be renewed.
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
    for m in methods_of(&grant) {
        for row in d.get::<Method>(m)?.targets {
            let t = d.get::<Target>(row)?;
            if let Some(c) = t.credential().filter(|_| !t.gone) {
                let rules = method::rules_of(d, &t)?;
                if let Some(renew) = super::span::renew_at(&c.window, &grant.window, &rules, now) {
                    consider(renew);
                }
            }
        }
    }
    grant.timer = grant.is_live().then_some(at).flatten();
    d.set(id, grant);
    Ok(())
}

/// The grant's time has come: it starts, is late, ends, or a credential with a rolling end is renewed.
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
