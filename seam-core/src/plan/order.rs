//! Stays that follow one another at a door: whose issue number is higher, and whose keys end when the next begins.
//!
//! A lock takes a key whose number is higher than the one it saw last, and refuses a lower one. So a stay's number is higher than every number
//! that its locks may have seen before its keys are used there.
use super::draft::Draft;
use super::read::Try;
use super::{method, stay};
use crate::model::{AccessMethodId, StayId, Window};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

/// The issue number of a stay: its start in whole seconds.
pub(super) fn start_number(window: &Window) -> u64 {
    u64::try_from(window.starts_at().timestamp()).unwrap_or(0)
}

/// Other stays near this one at its doors.
pub(super) fn neighbours(d: &Draft<'_>, id: StayId, stay: &Stay) -> Try<Vec<(StayId, Stay)>> {
    let around = Window::new(stay.window.starts_at() - Duration::hours(1), Some(stay.window.starts_at() + Duration::hours(1)))
        .unwrap_or(stay.window);
    let nears: Vec<Near> = stay.doors.iter().map(|door| Near::new(stay::door_claim(d, *door), &around)).collect();
    d.reader().hint_near(nears.iter().cloned());
    d.gather()?;
    let mut ids: BTreeSet<RowId> = BTreeSet::new();
    for near in &nears {
        ids.extend(d.near(near)?.into_iter().map(|c| c.row).filter(|r| *r != id.uuid()));
    }
    d.hint(ids.iter().copied());
    d.gather()?;
    let mut out = Vec::new();
    for row in ids {
        if let Some(other) = d.try_get::<Stay>(row)? {
            out.push((StayId::from_uuid(row), other));
        }
    }
    Ok(out)
}

/// Whether a lock may have seen the number of another stay before the keys of this one: the other starts earlier, or it was closed after its time
/// had come (a walk-in who left before a late guest was given the room). The number tells when a stay was to start that was moved since.
fn may_be_seen_before(d: &Draft<'_>, other: &Stay, stay: &Stay) -> Try<bool> {
    if other.window.starts_at() <= stay.window.starts_at() {
        return Ok(true);
    }
    let arrival = Duration::seconds(i64::from(d.get::<System>(stay.system)?.graces.arrival));
    let now = u64::try_from((d.now() + arrival).timestamp()).unwrap_or(0);
    let first = start_number(&other.window).min(other.generation.unwrap_or(u64::MAX));
    Ok(other.phase == StayPhase::Closed && first <= now)
}

/// The least number of a stay: its start, or less after a time in which nobody was there.
///
/// A lock takes no number that is further above the last one it saw than its bound. What an offline lock saw is not known, only what it may have:
/// the highest number of the stays before. Where the start is out of reach of that, half of the bound is gone beyond it. So the lock takes the key
/// also if it saw none of the keys that were made in the other half of the bound before; and the numbers of the next stays come up to their starts
/// again.
pub(super) fn first_number(d: &Draft<'_>, stay: &Stay, others: &[(StayId, Stay)]) -> Try<u64> {
    let start = start_number(&stay.window);
    let Some(bound) = d.get::<System>(stay.system)?.report.stay.and_then(|rules| rules.longest_jump_seconds) else { return Ok(start) };
    let mut highest = None;
    for (_, other) in others {
        if other.generation > highest && may_be_seen_before(d, other, stay)? {
            highest = other.generation;
        }
    }
    Ok(match highest {
        Some(highest) if start.saturating_sub(highest) > bound => highest + (bound / 2).max(1),
        _ => start,
    })
}

/// The number under which a stay is opened now.
pub(super) fn number(d: &Draft<'_>, stay: &Stay, others: &[(StayId, Stay)]) -> Try<u64> {
    let mut number = match stay.generation {
        Some(number) => number,
        None => first_number(d, stay, others)?,
    };
    for (_, other) in others {
        if let Some(theirs) = other.generation
            && theirs >= number
            && may_be_seen_before(d, other, stay)?
        {
            number = theirs + 1;
        }
    }
    // Two stays never share a number at a door.
    while others.iter().any(|(_, other)| other.generation == Some(number)) {
        number += 1;
    }
    Ok(number)
}

/// Keys made ahead for later stays whose number this one has reached would be dead: they are made again.
pub(super) fn remake_later(d: &mut Draft<'_>, id: StayId, others: Vec<(StayId, Stay)>) -> Try<()> {
    let stay = d.get::<Stay>(id)?;
    for (other_id, other) in others {
        if other.window.starts_at() > stay.window.starts_at() && other.generation.is_some_and(|theirs| Some(theirs) <= stay.generation) {
            stay::reopen(d, other_id, other)?;
        }
    }
    Ok(())
}

/// A stay was moved, or has more doors: if its keys are older now than what a lock may have seen before them, it is opened again; else the later
/// ones are that it has come before.
pub(super) fn keep(d: &mut Draft<'_>, id: StayId) -> Try<()> {
    let stay = d.get::<Stay>(id)?;
    if stay.generation.is_none() || !matches!(stay.phase, StayPhase::Open | StayPhase::InDoubt { .. }) {
        return Ok(());
    }
    let others = neighbours(d, id, &stay)?;
    let mut passed = false;
    for (_, other) in &others {
        passed |= other.generation >= stay.generation && may_be_seen_before(d, other, &stay)?;
    }
    if passed { stay::reopen(d, id, stay) } else { remake_later(d, id, others) }
}

/// A stay begins, or begins at another time than `before`: what earlier guests may do after their end (the grace of the site) ends when it begins.
pub(super) fn end_in_time(d: &mut Draft<'_>, id: StayId, before: Option<DateTime<Utc>>) -> Try<()> {
    let stay = d.get::<Stay>(id)?;
    let grace = Duration::seconds(i64::from(d.get::<System>(stay.system)?.graces.departure));
    if grace.is_zero() {
        return Ok(());
    }
    let starts = before.map_or(stay.window.starts_at(), |before| before.min(stay.window.starts_at()));
    let reaches = |other: &Stay| {
        other.phase != StayPhase::Closed
            && other.window.starts_at() < starts
            && other.window.ends_at().is_some_and(|end| end + grace > starts)
    };
    let mut grants = BTreeSet::new();
    for (_, other) in neighbours(d, id, &stay)? {
        if reaches(&other) {
            grants.extend(other.grants);
        }
    }
    d.hint(grants.iter().map(|g| g.uuid()));
    d.gather()?;
    let mut methods = BTreeSet::new();
    // Guests of a room who are in no stay (a PIN without a reservation) end in time as well.
    let graced: Vec<Key> = stay.doors.iter().map(|door| Key::id(Index::GracedAt, *door)).collect();
    d.reader().hint_keys(graced.iter().cloned());
    d.gather()?;
    for key in &graced {
        methods.extend(d.find_exactly(key)?.into_iter().map(AccessMethodId::from_uuid));
    }
    for grant in grants {
        methods.extend(super::grant::methods_of(&d.get::<Grant>(grant)?));
    }
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    for method in methods {
        method::fit(d, method)?;
    }
    Ok(())
}
