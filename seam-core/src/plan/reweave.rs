//! A grant follows its places: doors that its spaces gained and lost.
use super::change::NewMethod;
use super::doors::Doors;
use super::draft::Draft;
use super::grant::methods_of;
use super::read::Try;
use super::{discover, doors, method, refresh, stay};
use crate::model::{AccessGrantId, AccessMethodMode, AcsEntranceId};
use crate::planted::{self, Bug};
use crate::state::*;
use serde_json::json;
use std::collections::BTreeSet;

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
    grant
        .warnings
        .retain(|n| n.details.get("device_id").and_then(|id| serde_json::from_value(id.clone()).ok()).is_none_or(|id| all.contains(&id)));
    if all.difference(&before).next().is_some() {
        grant.told_all = false;
    }
    let who = grant.identity;
    d.set(id, grant.clone());
    refresh::tell_lost(d, id, who, lost);
    let added: Vec<AcsEntranceId> = all.difference(&before).copied().collect();
    if !added.is_empty() {
        extend_methods(d, id, &grant, &added)?;
    }
    for m in methods_of(&d.get::<Grant>(id)?) {
        method::fit(d, m)?;
    }
    Ok(())
}

/// Doors that a guest's cards and keys may not have without a reservation: they would end somebody's stay there, or be ended by nobody.
fn barred(grant: &Grant, doors: &Doors) -> BTreeSet<AcsEntranceId> {
    let modes = grant.requested.iter().map(|request| &request.mode);
    super::grant::without_reservation(grant.holder, grant.reservation.as_deref(), modes, doors).collect()
}

/// Nobody is refused anything for what a space gained, so the grant says which doors it was left without.
fn note_barred(d: &Draft<'_>, grant: &mut Grant, barred: &BTreeSet<AcsEntranceId>) {
    if barred.is_empty() {
        return;
    }
    let message = "Guests' cards and mobile keys open these entrances only with a reservation: they were left out.";
    let mut note = discover::note(d, RESERVATION, message);
    let had = grant.warnings.iter().find(|n| n.code == RESERVATION).and_then(|n| n.details.get(DOORS)?.as_array().cloned());
    let mut all: BTreeSet<AcsEntranceId> = had.into_iter().flatten().filter_map(|id| serde_json::from_value(id).ok()).collect();
    all.extend(barred);
    note.details.insert(DOORS.to_owned(), json!(all));
    discover::set_note(&mut grant.warnings, note);
}
const RESERVATION: &str = "reservation_key_required";
const DOORS: &str = "acs_entrance_ids";

/// New doors of a grant go to its methods that can open them. A PIN goes with a method whose PIN fits there and is free; else another method is made.
fn extend_methods(d: &mut Draft<'_>, id: AccessGrantId, grant: &Grant, added: &[AcsEntranceId]) -> Try<()> {
    let doors = doors::load(d, added)?;
    let mut now = d.get::<Grant>(id)?;
    now.stays = stay::add_doors(d, id, grant, &doors)?;
    let barred = barred(grant, &doors);
    note_barred(d, &mut now, &barred);
    d.set(id, now);
    super::grant::note_left_out(d, id, &doors)?;
    for (i, request) in grant.requested.iter().enumerate() {
        let mut left: Vec<AcsEntranceId> = doors.usable(&request.mode).into_iter().map(|x| x.id).collect();
        if request.mode != AccessMethodMode::Code {
            left.retain(|door| !barred.contains(door));
        }
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
            // A door that it had before and cannot have again is not its door any more: another method serves it.
            row.doors.retain(|door| !added.contains(door));
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
