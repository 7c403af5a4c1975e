//! Stays that a system carries as things of their own, and whose guest a room has.
//!
//! A system that keeps one present guest for each room is told of a check-in by the key that opens the stay, and of a check-out by a request that
//! names the room and nobody in it: whoever is the room's guest by then is checked out. So is it with a change of the stay's end. Neither is sent
//! for a room that another stay may have opened since, and neither while a key that opens a stay is being made there.
//!
//! Openings of the stays of a room are numbered in the order in which they are begun. A number says nothing else: it reaches no lock.
use super::draft::Draft;
use super::order::neighbours;
use super::read::Try;
use super::stay::NotNow;
use super::{method, next, stay, user};
use crate::model::{AcsEntranceId, StayId};
use crate::planted::{self, Bug};
use crate::provider::{Certainty, Effect, JoinBy, Kind, Reason};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};

/// Between two looks whether a key is still being made.
const LOOK_AGAIN: Duration = Duration::seconds(2);

/// Whose guest a room has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// This stay's, or nobody's whom anybody would miss.
    Ours,
    /// Perhaps another's who is still to stay.
    Theirs,
    /// A key is being made that may change it.
    BeingMade,
}

/// Whose guest a room has, as far as is known. `others`: the other stays at the room, and whether each is still to go on.
///
/// Only an opening of ours that is sure counts for us; of a stay that goes on also what may have happened counts. A stay that is over wants its guest
/// checked out itself, so it is in nobody's way.
pub(super) fn whose<'t>(mine: &Turns, others: impl IntoIterator<Item = (bool, &'t Turns)>) -> Whose {
    let mut being_made = !mine.under_way.is_empty();
    let mut theirs = false;
    for (goes_on, turns) in others {
        being_made |= !turns.under_way.is_empty();
        theirs |= goes_on && turns.perhaps > mine.sure;
    }
    match (being_made, theirs) {
        _ if planted::is(Bug::CheckedOutBlindly) => Whose::Ours,
        (true, _) => Whose::BeingMade,
        (false, true) => Whose::Theirs,
        (false, false) => Whose::Ours,
    }
}

/// Whether the system keeps one present guest for each room, so that the order of openings matters.
fn keeps_guests(system: &System) -> bool {
    system.report.stay.is_some_and(|rules| rules.join == JoinBy::CurrentGuest)
}

/// An opening of a stay begins: its turn at its rooms. The commit holds only if nobody else's has begun there meanwhile.
pub(super) fn turn(d: &mut Draft<'_>, stay: &mut Stay, others: &[(StayId, Stay)]) -> Try<Option<u64>> {
    if !keeps_guests(&d.get::<System>(stay.system)?) {
        return Ok(None);
    }
    others.iter().for_each(|(id, _)| d.depend_on(*id));
    let highest = others.iter().map(|(_, other)| other.turns.highest()).max();
    Ok(Some(stay.turns.begin(highest.unwrap_or(0))))
}

/// Whether one of these stays is being checked out or changed right now, or a key is being made that opens it: a key that is made meanwhile might be
/// the one that suffers, and nobody would know whose the room is.
pub(super) fn is_busy(d: &mut Draft<'_>, others: &[(StayId, Stay)]) -> Try<bool> {
    if others.iter().any(|(_, other)| !other.turns.under_way.is_empty()) {
        return Ok(true);
    }
    let targets: Vec<RowId> = others.iter().filter_map(|(_, other)| other.target).collect();
    d.hint(targets.iter().copied());
    d.gather()?;
    let mut told = false;
    for row in targets {
        d.depend_on(row);
        told |= d.try_get::<Target>(row)?.is_some_and(|t| t.work.in_flight.is_some());
    }
    Ok(told)
}

/// A key that opens a stay was surely not made.
pub(super) fn not_made(d: &mut Draft<'_>, id: StayId, turn: u64) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    stay.turns.not_made(turn);
    d.set(id, stay);
    Ok(())
}

/// Nobody knows whether a key that opens a stay was made.
pub(super) fn perhaps_made(d: &mut Draft<'_>, id: StayId, turn: u64) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    stay.turns.perhaps_made(turn);
    d.set(id, stay);
    carry(d, id)
}

/// A call that might have opened a stay is over. What was not said of it is not known: nobody waits for it any more.
pub(super) fn settled(d: &mut Draft<'_>, id: StayId, turn: u64) -> Try<()> {
    match d.try_get::<Stay>(id)? {
        Some(stay) if stay.turns.under_way.contains(&turn) => perhaps_made(d, id, turn),
        _ => Ok(()),
    }
}

/// A key that opens a stay was made: the rooms have this guest now. Keys that were made ahead for a later stay would die when this one is used: they
/// are made again. Those of a stay that begins no later are what this one overrides; made again, they would take the room back, and so on for ever.
pub(super) fn made(d: &mut Draft<'_>, id: StayId, turn: u64) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    stay.turns.made(turn);
    d.set(id, stay.clone());
    for (other_id, other) in neighbours(d, id, &stay)? {
        if !other.doors.iter().any(|door| stay.doors.contains(door)) {
            continue;
        }
        let (earlier, later) = if other.turns.sure < turn { ((other_id, other), id) } else { ((id, stay.clone()), other_id) };
        let by = d.get::<Stay>(later)?;
        if earlier.1.turns.sure > 0 && by.phase != StayPhase::Closed {
            taken_over(d, earlier.0, &by)?;
        }
    }
    carry(d, id)
}

/// Another stay has opened rooms of this one.
fn taken_over(d: &mut Draft<'_>, id: StayId, by: &Stay) -> Try<()> {
    let stay = d.get::<Stay>(id)?;
    if let Rooms::None = rooms(d, id, &stay)?
        && let Some(row) = stay.target
    {
        let rest = Stay { target: None, ..stay.clone() };
        d.set(id, rest);
        over(d, row)?;
    }
    let stay = d.get::<Stay>(id)?;
    let was_ahead = stay.phase == StayPhase::Open && stay.window.starts_at() > by.window.starts_at();
    if was_ahead { stay::reopen(d, id, stay) } else { Ok(()) }
}

/// The system has this guest no more, and there is nothing to tell it.
fn over(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    t.gone = true;
    t.seen = SeenState::Absent { certainty: Certainty::Accepted };
    (t.work.asks, t.work.failure, t.work.look, t.work.attempt) = (None, None, false, 0);
    let rules = method::rules_of(d, &t)?;
    next::schedule(&mut t, &rules, d.now());
    d.set(row, t);
    Ok(())
}

/// The target of a stay follows it, where the system carries stays: it is put once a key has opened the stay, changed with it, and taken away (the
/// guest is checked out) when the stay is over, whoever ended it.
pub(super) fn carry(d: &mut Draft<'_>, id: StayId) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    let is_over = stay.phase == StayPhase::Closed;
    let may_be_there = stay.phase == StayPhase::Open || (is_over && stay.turns.perhaps > 0);
    if stay.target.is_none() && !may_be_there {
        return Ok(());
    }
    let now = d.now();
    let want = Wanted::Stay { doors: stay.doors.clone(), window: stay.window };
    if let Some(row) = stay.target {
        let mut t = d.get::<Target>(row)?;
        let rules = method::rules_of(d, &t)?;
        if is_over {
            if t.seen == SeenState::Never && stay.turns.perhaps > 0 {
                // The key itself has checked the guest in, though the stay was never put.
                t.seen = SeenState::Unknown { rev: t.rev };
            }
            next::take_away(&mut t, &rules, now);
        } else {
            next::want(&mut t, want, &rules, now);
        }
        d.set(row, t);
        return Ok(());
    }
    let system = d.get::<System>(stay.system)?;
    let Some(rules) = system.report.kinds.get(&Kind::Stay).filter(|_| !system.missing_kinds.contains(&Kind::Stay)) else { return Ok(()) };
    let row = d.env.mint();
    let mut t = user::blank_target(d, &system, stay.system, TargetOf::Stay(id), want);
    if is_over {
        // Its key was perhaps made, and then the room has its guest.
        (t.gone, t.seen) = (true, SeenState::Unknown { rev: t.rev });
    }
    next::schedule(&mut t, rules, now);
    d.set(row, t);
    stay.target = Some(row);
    d.set(id, stay);
    Ok(())
}

/// The rooms of a stay about which its system may be told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rooms {
    /// These.
    These(Vec<AcsEntranceId>),
    /// None: each has another guest by now, or perhaps.
    None,
    /// That is not known before this instant.
    NotBefore(DateTime<Utc>),
}

fn rooms(d: &mut Draft<'_>, id: StayId, stay: &Stay) -> Try<Rooms> {
    if !keeps_guests(&d.get::<System>(stay.system)?) {
        return Ok(Rooms::These(stay.doors.clone()));
    }
    let guests = guests(d, id, stay)?;
    if guests.iter().any(|(_, guest)| *guest == Whose::BeingMade) {
        return Ok(Rooms::NotBefore(d.now() + LOOK_AGAIN));
    }
    let ours: Vec<_> = guests.into_iter().filter(|(_, guest)| *guest == Whose::Ours).map(|(door, _)| door).collect();
    Ok(if ours.is_empty() { Rooms::None } else { Rooms::These(ours) })
}

/// Why a key of an open stay cannot join now: the system would join it to whoever is the present guest, and that is not surely this stay's.
pub(super) fn joins_another(d: &mut Draft<'_>, id: StayId, stay: &Stay) -> Try<Option<NotNow>> {
    if !keeps_guests(&d.get::<System>(stay.system)?) {
        return Ok(None);
    }
    let guests = guests(d, id, stay)?;
    let any = |whose| guests.iter().any(|(_, guest)| *guest == whose);
    Ok(match () {
        () if any(Whose::Theirs) => Some(NotNow::EarlierStay),
        () if any(Whose::BeingMade) => Some(NotNow::Busy),
        () => None,
    })
}

/// Whose guest each room of a stay has. It holds as long as no key begins to be made at one of them meanwhile: that one comes first.
fn guests(d: &mut Draft<'_>, id: StayId, stay: &Stay) -> Try<Vec<(AcsEntranceId, Whose)>> {
    let others = neighbours(d, id, stay)?;
    others.iter().for_each(|(other, _)| d.depend_on(*other));
    let at = |door| {
        let here = others.iter().filter(|(_, other)| other.doors.contains(door));
        whose(&stay.turns, here.map(|(_, other)| (other.phase != StayPhase::Closed, &other.turns)))
    };
    Ok(stay.doors.iter().map(|door| (*door, at(door))).collect())
}

/// About which rooms of a stay the system is told now; nothing when it is told nothing now, and then its target says what comes next.
pub(super) fn before_telling(d: &mut Draft<'_>, row: RowId, doing: Doing) -> Try<Option<Vec<AcsEntranceId>>> {
    let t = d.get::<Target>(row)?;
    let TargetOf::Stay(id) = t.of else { return Ok(None) };
    let stay = d.get::<Stay>(id)?;
    if let Doing::Find { .. } = doing {
        return Ok(Some(stay.doors));
    }
    let now = d.now();
    let grace = Duration::seconds(i64::from(d.get::<System>(stay.system)?.graces.departure));
    let leaves = stay.window.ends_at().filter(|end| doing == Doing::Remove && *end <= now).map(|end| end + grace);
    let rooms = match leaves.filter(|leaves| now < *leaves) {
        // A guest whose time is up is let out, and a key that is checked out may be stripped at the next updater.
        Some(leaves) => Rooms::NotBefore(leaves),
        None => rooms(d, id, &stay)?,
    };
    match rooms {
        Rooms::These(doors) => return Ok(Some(doors)),
        Rooms::None if doing == Doing::Remove => over(d, row)?,
        Rooms::None => {
            // The stay goes on, and the change would be the other guest's. It is told with the next change, when the rooms are this one's again.
            let mut t = t;
            let message = "another stay has opened the rooms, or may have: its guest would be changed".to_owned();
            t.work.failure = Some(Failed { effect: Effect::Refused, reason: Reason::Clash, message, at: now });
            t.work.due_at = None;
            d.set(row, t);
        }
        Rooms::NotBefore(at) => {
            let mut t = t;
            t.work.due_at = Some(at);
            d.set(row, t);
        }
    }
    Ok(None)
}
