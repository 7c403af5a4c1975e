//! Grants: made, changed, ended.
use super::change::{GrantUpdate, MethodsOf, NewGrant, NewMethod, Outcome, Who};
use super::doors::{self, Doors};
use super::draft::Draft;
use super::read::Try;
use super::timer::set_timer;
use super::{identity, method, refresh, stay, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, EventType, Holder, SpaceId, codes};
use crate::provider::DoorClass;
use crate::state::*;
use serde_json::json;
use std::collections::BTreeSet;

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
        pushed: None,
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
    note_left_out(d, id, &doors)?;
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
    match without_reservation(holder, reservation, modes, doors).next() {
        None => Ok(()),
        Some(door) => Err(Error::new(
            ErrorKind::InvalidInput,
            "reservation_key_required",
            "reservation_key required for guest cards. Guests' cards and mobile keys at this entrance belong to a reservation; for staff, say so.",
        )
        .with_field("reservation_key")
        .with_context("title", "reservation_key required for guest cards.")
        .with_context("acs_entrance_id", door)),
    }
}

/// The doors for which R1b asks for a reservation that is not there.
pub(super) fn without_reservation<'m>(
    holder: Holder,
    reservation: Option<&str>,
    modes: impl Iterator<Item = &'m AccessMethodMode>,
    doors: &Doors,
) -> impl Iterator<Item = AcsEntranceId> {
    let is_free = holder == Holder::Staff || reservation.is_some();
    let modes = modes.filter(move |mode| !is_free && **mode != AccessMethodMode::Code);
    modes
        .flat_map(|mode| doors.usable(mode))
        .filter(|door| {
            let required = doors.systems[&door.entrance.system].report.stay.is_some_and(|s| s.required);
            required && doors.is_reservable(door)
        })
        .map(|door| door.id)
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

/// Notes the doors that were left out: those that take no PIN, where one was asked for, and those that take nothing of what was asked for.
pub(super) fn note_left_out(d: &mut Draft<'_>, id: AccessGrantId, doors: &Doors) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    let modes: BTreeSet<&AccessMethodMode> = grant.requested.iter().map(|r| &r.mode).collect();
    let takes: BTreeSet<AcsEntranceId> = modes.iter().flat_map(|mode| doors.usable(mode)).map(|door| door.id).collect();
    let takes_code: BTreeSet<AcsEntranceId> = doors.usable(&AccessMethodMode::Code).into_iter().map(|door| door.id).collect();
    let asks_code = modes.contains(&AccessMethodMode::Code);
    let mut notes = Vec::new();
    for door in doors.doors.iter().filter(|door| door.entrance.report.class != DoorClass::Implicit) {
        let (code, message) = if asks_code && !takes_code.contains(&door.id) {
            (codes::warning::DEVICE_DOES_NOT_SUPPORT_ACCESS_CODES, "The entrance takes no PINs and was left out.")
        } else if !takes.contains(&door.id) {
            ("entrance_not_supported", "The entrance takes none of the requested access methods and was left out.")
        } else {
            continue;
        };
        let details: serde_json::Map<_, _> = [("device_id".to_owned(), json!(door.id))].into_iter().collect();
        if !grant.warnings.iter().any(|n| n.code == code && n.details == details) {
            notes.push(Note { code: code.to_owned(), message: message.to_owned(), at: d.now(), details });
        }
    }
    grant.warnings.extend(notes);
    d.set(id, grant);
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

pub(super) fn methods_of(grant: &Grant) -> Vec<AccessMethodId> {
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
    note_left_out(d, id, &doors)?;
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
    refresh::tell_lost(d, id, who, told);
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
