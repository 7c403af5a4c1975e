//! How a door decides: by what a credential says and what the lock remembers, or by what the cloud holds.
use super::door::Why;
use super::faults::Bug;
use super::state::{Key, SiteState, Thing};
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::model::{Weekly, Window};
use seam_core::provider::{DoorClass, DoorLimit, EndsBy, EntranceReport, Kind};

/// Whether an instant lies in a window and a schedule.
fn at_the_time(site: &SiteState, window: Option<&Window>, schedule: Option<&Weekly>, at: DateTime<Utc>) -> Result<(), Why> {
    if let Some(window) = window {
        let last = site.faults.bug == Some(Bug::EndIncluded) && window.ends_at() == Some(at);
        if at < window.starts_at() {
            return Err(Why::NotYetValid);
        }
        if window.is_over(at) && !last {
            return Err(Why::Expired);
        }
    }
    match schedule {
        Some(weekly) if !weekly.admits(at, site.config.zone()) => Err(Why::OutsideSchedule),
        _ => Ok(()),
    }
}

fn verdict(checks: Result<(), Why>) -> Why {
    checks.err().unwrap_or(Why::Opened)
}

/// Whether the lock of this door works without the system.
pub(super) fn is_offline(door: &EntranceReport) -> bool {
    door.class != DoorClass::Online
}

/// What the door's own clock shows.
pub(super) fn lock_time(site: &SiteState, door: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    let fast = site.locks.get(door).map_or(0, |l| l.fast_seconds);
    TimeDelta::try_seconds(fast).and_then(|by| now.checked_add_signed(by)).unwrap_or(now)
}

/// An offline lock looks at a key; the first use of a newer one moves the lock on.
pub(super) fn offline(site: &mut SiteState, door: &EntranceReport, key: &Key, at: DateTime<Utc>) -> Why {
    let name = door.handle.as_text().unwrap_or_default();
    if site.locks.get(name).is_some_and(|l| l.blocked.contains(&key.id)) {
        return Why::Blocked;
    }
    if let Err(why) = at_the_time(site, Some(&key.window), None, at) {
        return why;
    }
    let implied = door.class == DoorClass::Implicit && !key.numbers.is_empty();
    if !implied && !key.doors.iter().any(|d| d == name) {
        return Why::WrongDoor;
    }
    if let Err(why) = at_the_time(site, None, key.schedule.as_ref(), at) {
        return why;
    }
    if key.suspended {
        return Why::Suspended;
    }
    let Some(number) = key.numbers.get(name).copied() else {
        return Why::Opened;
    };
    let current = site.locks.get(name).map_or(0, |l| l.generation);
    if number == current {
        return Why::Opened;
    }
    if number < current {
        return Why::Overridden;
    }
    let bound = site.config.stay.and_then(|s| s.longest_jump_seconds);
    if current > 0 && bound.is_some_and(|most| number - current > most) {
        return Why::JumpTooLarge;
    }
    site.lock(name).generation = number;
    if current == 0 { Why::Opened } else { Why::OpenedAndOverrode }
}

/// An online door in front of offline ones: the system must hold the key still, and its own record counts.
pub(super) fn by_record(site: &SiteState, door: &str, id: &str, now: DateTime<Utc>) -> Why {
    let Some(thing) = site.things.get(id) else {
        return Why::NoCredential;
    };
    if !thing.doors.iter().any(|d| d == door) {
        return Why::WrongDoor;
    }
    verdict(itself(site, thing, now))
}

/// Suspension, window and schedule of one thing.
fn itself(site: &SiteState, thing: &Thing, at: DateTime<Utc>) -> Result<(), Why> {
    if thing.suspended {
        return Err(Why::Suspended);
    }
    at_the_time(site, thing.window.as_ref(), thing.schedule.as_ref(), at)
}

/// The cloud decides about a credential at a door, now.
pub(super) fn by_cloud(site: &SiteState, door: &str, id: &str, now: DateTime<Utc>) -> Why {
    let Some(thing) = site.things.get(id) else {
        return Why::NoCredential;
    };
    if site.config.kinds.get(&thing.kind).is_none_or(|r| r.doors != DoorLimit::ByUser) {
        return by_record(site, door, id, now);
    }
    let person = || -> Result<&str, Why> {
        itself(site, thing, now)?;
        let id = thing.user.as_deref().ok_or(Why::NoCredential)?;
        let user = site.things.get(id).ok_or(Why::NoCredential)?;
        itself(site, user, now)?;
        Ok(id)
    };
    let user = match person() {
        Ok(user) => user,
        Err(why) => return why,
    };
    let mut why = Why::WrongDoor;
    for access in site.things.accesses_of(user).filter(|a| opens(site, a, door)) {
        why = verdict(itself(site, access, now));
        if why.is_open() {
            break;
        }
    }
    why
}

/// Whether a permission names the door, itself or through a group.
pub(super) fn opens(site: &SiteState, access: &Thing, door: &str) -> bool {
    let by_group = |group: &String| {
        let group = site.config.groups.iter().find(|g| g.handle.as_text() == Some(group));
        group.is_some_and(|g| g.entrances.iter().any(|e| e.as_text() == Some(door)))
    };
    if access.groups.is_empty() { access.doors.iter().any(|d| d == door) } else { access.groups.iter().any(by_group) }
}

/// A door is given digits. Of several codes with the same digits one that opens counts.
pub(super) fn code(site: &SiteState, door: &str, pin: &str, at: DateTime<Utc>) -> (Why, Option<String>) {
    let by_user = site.config.kinds.get(&Kind::Code).is_some_and(|r| r.doors == DoorLimit::ByUser);
    let keeps_window = site.config.kinds.get(&Kind::Code).is_some_and(|r| r.ends == EndsBy::Itself);
    let fits = |thing: &Thing| thing.kind == Kind::Code && thing.pin.as_ref().is_some_and(|p| p.0 == pin);
    let mut best = (Why::UnknownCode, None);
    let mut look = |id: &String, thing: &Thing| {
        let why = match (by_user, keeps_window) {
            (true, _) => by_cloud(site, door, id, at),
            (false, true) => verdict(itself(site, thing, at)),
            (false, false) => Why::Opened,
        };
        if best.1.is_none() || (why.is_open() && !best.0.is_open()) {
            best = (why, Some(id.clone()));
        }
    };
    if by_user {
        site.things.iter().filter(|(_, t)| fits(t)).for_each(|(id, t)| look(id, t));
    } else {
        site.things.codes_at(door).filter(|(_, t)| fits(t)).for_each(|(id, t)| look(id, t));
    }
    best
}
