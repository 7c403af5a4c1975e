//! What codes occupy in the locks: PINs and slots.
use super::doors::{self, Doors};
use super::draft::{Draft, expose};
use super::pin::{self, Place};
use super::read::Try;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, Window};
use crate::planted::{self, Bug};
use crate::provider::{EndsBy, Kind};
use crate::state::*;
use std::collections::BTreeSet;

/// Where the PIN of these doors must be unique.
pub(super) fn places(doors: &Doors, ids: &[AcsEntranceId]) -> Result<Vec<Place>> {
    let mut places: Vec<Place> = Vec::new();
    for door in doors.doors.iter().filter(|x| ids.contains(&x.id)) {
        let system_id = door.entrance.system;
        let system = &doors.systems[&system_id];
        let Some(mut rules) = system.report.pin.clone() else {
            return Err(doors::unsupported("no_pin_rules", "the access system does not say how its PINs work".to_owned(), system_id));
        };
        if planted::is(Bug::PinWithoutGap) {
            rules.gap_seconds = 0;
        }
        let ends = doors.rules(system_id, Kind::Code).map_or(EndsBy::Engine, |r| r.ends);
        let domain = pin::domain(system, Some(&door.entrance.report.handle), &rules);
        match places.iter_mut().find(|p| p.domain == domain) {
            Some(place) => place.doors.push(door.id),
            None => places.push(Place { system: system_id, domain, rules, ends, doors: vec![door.id] }),
        }
    }
    Ok(places)
}

/// Registers what a code occupies: what the lock may still hold together with what is wanted now.
pub(super) fn claim_pin(
    d: &mut Draft<'_>,
    doors: &Doors,
    row: RowId,
    t: &mut Target,
    pin: Option<&secrecy::SecretString>,
    before: &Target,
) -> Try<()> {
    let (Some(pin), Some(c)) = (pin, t.credential().cloned()) else { return Ok(()) };
    if c.kind != Kind::Code {
        return Ok(());
    }
    let ids: Vec<AcsEntranceId> = if c.doors.is_empty() { doors.of(t.system).map(|x| x.id).collect() } else { c.doors.clone() };
    let window = t.held_window().map_or(c.window, |w| w.hull(&c.window));
    let mut claims: Vec<Claim> = before.claims.iter().take(usize::from(before.stale_claims)).cloned().collect();
    let slot = c.slot.zip(c.doors.first().copied());
    claims.extend(of_code(d, row, &places(doors, &ids)?, expose(pin), &window, slot, &before.claims));
    t.claims = claims;
    Ok(())
}

/// What a code occupies for a window: its PIN at each place, and its slot. What it does not have yet (`has`) must be free.
pub(super) fn of_code(
    d: &mut Draft<'_>,
    row: RowId,
    places: &[Place],
    digits: &str,
    window: &Window,
    slot: Option<(u16, AcsEntranceId)>,
    has: &[Claim],
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for place in places {
        let pin = (pin::claim(d, place, digits, window), place.rules.gap_seconds);
        let slot = slot.map(|(slot, door)| (slot_claim(d, door, slot, place.ends, window), 0));
        for (claim, gap_seconds) in std::iter::once(pin).chain(slot) {
            if !has.contains(&claim) {
                pin::demand(d, &claim, gap_seconds, row);
            }
            claims.push(claim);
        }
    }
    claims
}

pub(super) fn slot_claim(d: &Draft<'_>, door: AcsEntranceId, slot: u16, ends: EndsBy, window: &Window) -> Claim {
    let until = if ends == EndsBy::Itself { window.ends_at() } else { None };
    Claim { key: d.env.vault.claim_key("slot", &door.to_string(), &slot.to_string()), from: window.starts_at(), until, exclusive: true }
}

/// The lowest slot that is free for a window.
pub(super) fn free_slot(d: &mut Draft<'_>, doors: &Doors, want: &WantedCredential, slots: u16) -> Try<u16> {
    let Some(door) = want.doors.first().copied() else { return Ok(1) };
    let ends = doors
        .doors
        .iter()
        .find(|x| x.id == door)
        .and_then(|x| doors.rules(x.entrance.system, Kind::Code))
        .map_or(EndsBy::Engine, |r| r.ends);
    let claims: Vec<Claim> = (1..=slots).map(|slot| slot_claim(d, door, slot, ends, &want.window)).collect();
    d.reader().hint_near(claims.iter().map(|c| pin::near_of(c, 0)));
    d.gather()?;
    // Slots that this draft has given away already.
    let mine: BTreeSet<ClaimKey> = d.written().flat_map(|r| r.body.claims().iter().map(|c| c.key)).collect();
    for (slot, claim) in (1..=slots).zip(&claims) {
        let taken = d.near(&pin::near_of(claim, 0))?.iter().any(|c| c.claim.meets(claim.from, claim.until, 0));
        if !taken && !mine.contains(&claim.key) {
            return Ok(slot);
        }
    }
    Err(Error::new(ErrorKind::Exhausted, "no_free_slot", "all slots of this lock are taken for this window")
        .with_context("acs_entrance_id", door)
        .into())
}
