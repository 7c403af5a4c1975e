//! Which issue numbers a credential gets, by what a joiner refers to.
use super::state::{SiteState, StayMark, Thing};
use chrono::{DateTime, Utc};
use seam_core::provider::{CredentialSpec, DoorClass, Failure, JoinBy, Kind, Reason, Role, StaySpec};
use std::collections::BTreeMap;

/// So many stays of a room keep their numbers.
const STAYS_KEPT: usize = 32;

/// Issue numbers of the credential's guest doors; none for staff. `before` is the same credential as it was.
pub(super) fn numbers(
    site: &mut SiteState,
    credential: &CredentialSpec,
    before: Option<&Thing>,
) -> Result<(Option<StayMark>, BTreeMap<String, u64>), Failure> {
    let (Some((stay, role)), Some(rules)) = (&credential.stay, site.config.stay) else {
        return Ok((None, BTreeMap::new()));
    };
    let guest = credential.doors.iter().filter(|d| d.class == DoorClass::Guest).filter_map(|d| d.handle.as_text());
    let doors: Vec<String> = guest.map(str::to_owned).collect();
    let mark = StayMark { key: stay.key.clone(), generation: stay.generation, role: role.clone() };
    let unchanged = before.filter(|b| b.stay.as_ref().is_some_and(|s| s.key == mark.key && s.generation == mark.generation));
    let mut numbers = BTreeMap::new();
    for door in doors {
        let kept = unchanged.and_then(|b| b.numbers.get(&door).copied());
        let number = match (kept, rules.join) {
            (_, JoinBy::Generation) => stay.generation,
            (Some(kept), _) => kept,
            (None, join) => given(site, join, stay, role, &door)?,
        };
        numbers.insert(door, number);
    }
    Ok((Some(mark), numbers))
}

/// The number that the server gives at one door.
fn given(site: &mut SiteState, join: JoinBy, stay: &StaySpec, role: &Role, door: &str) -> Result<u64, Failure> {
    let absent = |what: &str| Failure::refused(Reason::NotThere, format!("{what} at {door}"));
    let like = |site: &SiteState, handle: &seam_core::provider::Handle| {
        handle.as_text().and_then(|id| site.things.get(id)).and_then(|t| t.numbers.get(door).copied())
    };
    match (role, join) {
        (Role::Open, _) => Ok(open(site, door, &stay.key)),
        (Role::Copy { of }, _) => like(site, of).ok_or_else(|| absent("the card that is to be copied is not known")),
        (Role::Join { .. }, JoinBy::CurrentGuest) => {
            let room = site.rooms.get(door).filter(|r| r.guest.is_some());
            room.map(|r| r.number).ok_or_else(|| absent("there is no current guest"))
        }
        (Role::Join { .. }, JoinBy::Key) => {
            let number = site.rooms.get(door).and_then(|r| r.stays.get(&stay.key).copied());
            number.ok_or_else(|| absent("the stay has not been opened"))
        }
        (Role::Join { with }, JoinBy::CardList) => {
            let number = with.iter().find_map(|h| like(site, h));
            number.ok_or_else(|| absent("none of the cards that are to be joined is known"))
        }
        (Role::Join { .. }, JoinBy::Generation) => Ok(stay.generation),
    }
}

/// The next number of a room, for this stay from now on.
fn open(site: &mut SiteState, door: &str, key: &str) -> u64 {
    if keeps_guests(site) {
        forget(site, door, Some(key));
    }
    let room = site.room(door);
    room.number += 1;
    room.guest = Some(key.to_owned());
    room.stays.insert(key.to_owned(), room.number);
    while room.stays.len() > STAYS_KEPT {
        let oldest = room.stays.iter().min_by_key(|(_, n)| **n).map(|(key, _)| key.clone());
        oldest.and_then(|key| room.stays.remove(&key));
    }
    room.number
}

/// The number of a key that reception makes with the vendor's own client.
pub(super) fn by_hand(site: &mut SiteState, door: &str, starts_at: DateTime<Utc>) -> u64 {
    match site.config.stay.map(|s| s.join) {
        Some(JoinBy::Generation) | None => u64::try_from(starts_at.timestamp()).unwrap_or_default(),
        Some(_) => open(site, door, ""),
    }
}

/// Check-out: the room has no current guest any more. Where stays are known by their keys, only if it was this stay's; where the site knows one
/// present guest for each room, whoever that is.
pub(super) fn check_out(site: &mut SiteState, key: &str, doors: &[String]) {
    let whoever = keeps_guests(site);
    for door in doors {
        let Some(guest) = site.rooms.get(door).and_then(|r| r.guest.clone()) else { continue };
        if guest == key || whoever {
            site.room(door).guest = None;
            wrong(site, key, guest);
        }
        if whoever {
            forget(site, door, None);
        }
    }
}

/// A change of the present guest's stay: whoever that is, where the site knows one present guest for each room.
pub(super) fn change(site: &mut SiteState, key: &str, doors: &[String]) -> Result<(), Failure> {
    if !keeps_guests(site) {
        return Ok(());
    }
    for door in doors {
        let guest = site.rooms.get(door).and_then(|r| r.guest.clone());
        let guest = guest.ok_or_else(|| Failure::refused(Reason::Other, format!("nobody is checked in at {door}")))?;
        wrong(site, key, guest);
    }
    Ok(())
}

/// Whether the site keeps a list of the present guest of each room.
fn keeps_guests(site: &SiteState) -> bool {
    site.config.kinds.contains_key(&Kind::Stay) && site.config.stay.is_some_and(|rules| rules.join == JoinBy::CurrentGuest)
}

/// Remembers whose guest another stay's request has reached.
fn wrong(site: &mut SiteState, key: &str, guest: String) {
    if guest != key {
        site.wronged.push((key.to_owned(), guest));
    }
}

/// The list of guests names nobody at a room any more but the stay with this key.
fn forget(site: &mut SiteState, door: &str, but: Option<&str>) {
    let is_other = |t: &Thing| t.kind == Kind::Stay && t.stay.as_ref().map(|s| s.key.as_str()) != but && t.doors.iter().any(|d| d == door);
    let others: Vec<(String, Thing)> = site.things.iter().filter(|(_, t)| is_other(t)).map(|(id, t)| (id.clone(), t.clone())).collect();
    for (id, mut thing) in others {
        thing.doors.retain(|d| d != door);
        let left = (!thing.doors.is_empty()).then_some(thing);
        site.set_thing(&id, left);
    }
}
