//! Stays: rules R1 to R4 when a grant is made, roles and issue numbers when a key is made.
use super::doors::Doors;
use super::draft::Draft;
use super::guest;
use super::order::{self, neighbours, start_number};
use super::read::Try;
use crate::error::{Error, ErrorKind};
use crate::model::{AccessGrantId, AcsEntranceId, AcsSystemId, Holder, StayId, Window};
use crate::planted::{self, Bug};
use crate::provider::{Handle, JoinBy, Role, StayRules};
use crate::state::*;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What a grant asks of its stay.
pub(super) struct Wish<'a> {
    pub(super) grant: AccessGrantId,
    pub(super) key: &'a str,
    pub(super) window: Window,
    /// All doors of the party, where they were declared.
    pub(super) party: &'a [AcsEntranceId],
}

fn conflict(code: &'static str, title: &str, gist: &str) -> Error {
    Error::new(ErrorKind::Conflict, code, format!("{title} {gist}")).with_field("reservation_key").with_context("title", title)
}

/// Puts a grant into the stays of its reservation, one per system with doors that take part. Gives their ids.
///
/// # Errors
/// The reservation rules, with stable titles:
/// R1 no door takes part (`reservation_key_not_supported`); R2 another set of doors (`reservation_entrance_change`);
/// R3 more doors than the party has (`reservation_joiner_entrance_set`); R4 windows that do not meet (`reservation_time_frames`).
pub(super) fn join_stays(d: &mut Draft<'_>, wish: &Wish<'_>, doors: &Doors) -> Try<Vec<StayId>> {
    let mine: BTreeSet<AcsEntranceId> = doors.reservable().map(|x| x.id).collect();
    if mine.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "reservation_key_not_supported",
            "reservation_key not supported. None of the entrances can belong to a reservation: leave the key out, or add such an entrance.",
        )
        .with_field("reservation_key")
        .with_context("title", "reservation_key not supported.")
        .into());
    }
    // One party over all systems: a guest with the room alone must not close the garage to the next.
    let existing = d.find_exactly(&Key::new(Index::StaysOf, wish.key))?;
    d.hint(existing.iter().copied());
    d.gather()?;
    let mut stays: Vec<(StayId, Stay)> = Vec::new();
    for id in existing {
        stays.push((StayId::from_uuid(id), d.get::<Stay>(id)?));
    }
    stays.retain(|(_, s)| s.phase != StayPhase::Closed && !s.grants.is_empty());
    let established: BTreeSet<AcsEntranceId> = stays.iter().flat_map(|(_, s)| s.doors.iter().copied()).collect();
    if !established.is_empty() {
        if mine.is_superset(&established) && mine != established {
            return Err(conflict(
                "reservation_joiner_entrance_set",
                "Reservation joiner entrance set conflict.",
                "Further grants of a reservation have the same entrances as the party, or fewer; declare the party's entrances with the first grant.",
            )
            .into());
        }
        if !mine.is_subset(&established) {
            return Err(conflict(
                "reservation_entrance_change",
                "Reservation entrance change requires cleanup.",
                "This reservation already stands for other entrances: delete its grants first.",
            )
            .into());
        }
    }
    for (_, stay) in &stays {
        if !meet(&stay.window, &wish.window) {
            return Err(conflict(
                "reservation_time_frames",
                "Reservation time frames must overlap.",
                "The window neither overlaps nor touches the reservation's: use another key for a separate stay.",
            )
            .into());
        }
    }
    let party: BTreeSet<AcsEntranceId> =
        if established.is_empty() { mine.iter().copied().chain(wish.party.iter().copied()).collect() } else { established };
    let party_doors = super::doors::load(d, &party.iter().copied().collect::<Vec<_>>())?;
    let mut ids = Vec::new();
    for system in party_doors.systems.keys() {
        let here: Vec<AcsEntranceId> = party_doors.of(*system).filter(|x| party_doors.is_reservable(x)).map(|x| x.id).collect();
        if here.is_empty() {
            continue;
        }
        // Every grant is in all stays of its reservation, with doors there or without: the party's doors are kept while any of it is here.
        ids.push(match stays.iter().find(|(_, s)| s.system == *system) {
            Some((id, stay)) => join(d, *id, stay.clone(), wish.grant, wish.window)?,
            None => begin(d, wish, &party_doors, *system, here)?,
        });
    }
    Ok(ids)
}

/// A grant joins a stay.
fn join(d: &mut Draft<'_>, id: StayId, mut stay: Stay, grant: AccessGrantId, window: Window) -> Try<StayId> {
    let before = stay.window;
    stay.window = stay.window.hull(&window);
    if !stay.grants.contains(&grant) {
        stay.grants.push(grant);
    }
    write_stay(d, id, stay);
    moved(d, id, &before)?;
    guest::carry(d, id)?;
    Ok(id)
}

/// A stay begins with its first grant.
fn begin(d: &mut Draft<'_>, wish: &Wish<'_>, known: &Doors, system: AcsSystemId, doors: Vec<AcsEntranceId>) -> Try<StayId> {
    let id = StayId::from_uuid(d.env.mint());
    let stay = Stay {
        key: wish.key.to_owned(),
        system,
        account: known.systems[&system].account,
        doors,
        window: wish.window,
        generation: None,
        reopened: 0,
        phase: StayPhase::Planned,
        grants: vec![wish.grant],
        made: Vec::new(),
        claims: Vec::new(),
        target: None,
        turns: Turns::default(),
        created_at: d.now(),
    };
    write_stay(d, id, stay);
    order::end_in_time(d, id, None)?;
    Ok(id)
}

/// What follows when a stay begins at another time: the order of the issue numbers, and the ends of those before it.
fn moved(d: &mut Draft<'_>, id: StayId, before: &Window) -> Try<()> {
    if d.get::<Stay>(id)?.window.starts_at() == before.starts_at() {
        return Ok(());
    }
    order::keep(d, id)?;
    order::end_in_time(d, id, Some(before.starts_at()))
}

/// Windows of one stay overlap or touch: a guest who stays on begins at the very instant at which she would have left.
fn meet(a: &Window, b: &Window) -> bool {
    a.overlaps(b) || a.ends_at() == Some(b.starts_at()) || b.ends_at() == Some(a.starts_at())
}

/// Under which a stay claims a door.
pub(super) fn door_claim(d: &Draft<'_>, door: AcsEntranceId) -> ClaimKey {
    d.env.vault.claim_key("stay", &door.to_string(), "")
}

fn write_stay(d: &mut Draft<'_>, id: StayId, mut stay: Stay) {
    // A closed stay whose keys may still be around keeps its place at its doors: its number must not be given to another stay.
    stay.claims = if stay.phase == StayPhase::Closed && stay.generation.is_none() {
        Vec::new()
    } else {
        let (from, until) = (stay.window.starts_at(), stay.window.ends_at());
        stay.doors.iter().map(|door| Claim { key: door_claim(d, *door), from, until, exclusive: false }).collect()
    };
    d.set(id, stay);
}

/// Takes a grant out of its stays. A stay without grants is closed.
pub(super) fn leave_stays(d: &mut Draft<'_>, grant: AccessGrantId, stays: &[StayId]) -> Try<()> {
    for id in stays {
        let Some(mut stay) = d.try_get::<Stay>(*id)? else { continue };
        stay.grants.retain(|g| *g != grant);
        if stay.grants.is_empty() || planted::is(Bug::ClosedWithGuests) {
            stay.phase = StayPhase::Closed;
        } else {
            let before = stay.window;
            stay.window = hull_of_grants(d, &stay)?;
            write_stay(d, *id, stay);
            moved(d, *id, &before)?;
            guest::carry(d, *id)?;
            continue;
        }
        write_stay(d, *id, stay);
        if !planted::is(Bug::GuestLeftBehind) {
            guest::carry(d, *id)?;
        }
    }
    Ok(())
}

/// Fits the stays' windows to their grants after a grant's window has changed.
///
/// # Errors
/// R4 when the new window no longer meets the rest of the stay.
pub(super) fn refit_stays(d: &mut Draft<'_>, grant: AccessGrantId, window: Window, stays: &[StayId]) -> Try<()> {
    for id in stays {
        let mut stay = d.get::<Stay>(*id)?;
        let before = stay.window;
        d.hint(stay.grants.iter().map(|g| g.uuid()));
        d.gather()?;
        let mut others: Option<Window> = None;
        for g in stay.grants.iter().filter(|g| **g != grant) {
            let w = d.get::<Grant>(*g)?.window;
            others = Some(others.map_or(w, |o| o.hull(&w)));
        }
        if let Some(others) = others {
            if !meet(&others, &window) {
                return Err(conflict(
                    "reservation_time_frames",
                    "Reservation time frames must overlap.",
                    "The new window neither overlaps nor touches the rest of the stay.",
                )
                .into());
            }
            stay.window = others.hull(&window);
        } else {
            stay.window = window;
        }
        write_stay(d, *id, stay);
        moved(d, *id, &before)?;
        guest::carry(d, *id)?;
    }
    Ok(())
}

fn hull_of_grants(d: &Draft<'_>, stay: &Stay) -> Try<Window> {
    d.hint(stay.grants.iter().map(|g| g.uuid()));
    d.gather()?;
    let mut hull: Option<Window> = None;
    for g in &stay.grants {
        let w = d.get::<Grant>(*g)?.window;
        hull = Some(hull.map_or(w, |h| h.hull(&w)));
    }
    Ok(hull.unwrap_or(stay.window))
}

/// When the next other stay starts at one of these doors, after the start of a window.
pub(super) fn next_stay_start(d: &Draft<'_>, own: Option<StayId>, doors: &[AcsEntranceId], window: &Window) -> Try<Option<DateTime<Utc>>> {
    let nears: Vec<Near> = doors.iter().map(|door| Near::new(door_claim(d, *door), window)).collect();
    d.reader().hint_near(nears.iter().cloned());
    d.gather()?;
    let mut rows: BTreeSet<RowId> = d.written().filter(|r| matches!(r.body, Body::Stay(_))).map(|r| r.id).collect();
    for near in &nears {
        rows.extend(d.near(near)?.into_iter().map(|c| c.row));
    }
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut next: Option<DateTime<Utc>> = None;
    for row in rows.into_iter().filter(|row| own.is_none_or(|own| own.uuid() != *row)) {
        let Some(other) = d.try_get::<Stay>(row)?.filter(|s| s.phase != StayPhase::Closed) else { continue };
        let starts = other.window.starts_at();
        if starts > window.starts_at() && other.doors.iter().any(|door| doors.contains(door)) {
            next = Some(next.map_or(starts, |n| n.min(starts)));
        }
    }
    Ok(next)
}

/// What a key is in its stay, decided when it is made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Casting {
    /// Open or join.
    pub(super) role: Role,
    /// The issue number.
    pub(super) generation: u64,
    /// Its turn among the openings of the rooms, where that matters.
    pub(super) turn: Option<u64>,
}

/// Why a key of a stay cannot be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotNow {
    /// The outcome of the stay's first key is not known.
    InDoubt,
    /// A stay at the door that begins no later is open, and the system would join its guest.
    EarlierStay,
    /// This key has fewer doors than the stay, and the role is per key: it would open only a part.
    NotOpen,
    /// The system is being told of another guest of the room right now: that she comes, leaves, or stays longer.
    Busy,
    /// The stay is over.
    Closed,
}

impl NotNow {
    /// As an error for the person who asked.
    pub(super) fn error(self) -> Error {
        match self {
            Self::InDoubt => Error::new(
                ErrorKind::Conflict,
                "stay_in_doubt",
                "It is not known whether the stay's first card was written. Encode the same method again, or present that card.",
            ),
            Self::EarlierStay => Error::new(
                ErrorKind::Conflict,
                "earlier_stay_open",
                "The access system would join this key to the room's present guest. Close the earlier stay first.",
            ),
            Self::NotOpen => Error::new(
                ErrorKind::Conflict,
                "stay_not_open",
                "This card has fewer doors than the stay and cannot open it. Make a card with all of the party's doors first.",
            ),
            Self::Busy => Error::new(
                ErrorKind::Conflict,
                "room_busy",
                "The access system is being told of another guest of the room right now. Encode the card in a moment.",
            ),
            Self::Closed => Error::new(ErrorKind::Conflict, "stay_closed", "The stay is over."),
        }
    }
}

/// Casts a key: opens the stay, or joins it. Writes the stay: from here until the outcome is known it is in doubt.
///
/// One override per stay and door: the first key opens; every later one joins; the same target again repeats its role.
pub(super) fn cast(
    d: &mut Draft<'_>,
    id: StayId,
    target: RowId,
    doors: &[AcsEntranceId],
    rules: &StayRules,
) -> Try<Result<Casting, NotNow>> {
    let mut stay = d.get::<Stay>(id)?;
    if let StayPhase::InDoubt { first } = stay.phase
        && first != target
        && !may_be_answered(&d.get::<Target>(first)?)
        && !planted::is(Bug::StaysInDoubt)
    {
        // Nobody is asked about that one any more, and perhaps it was made: this one opens the stay under the next number.
        stay.generation = stay.generation.map(|g| g + 1);
        stay.reopened += 1;
        stay.phase = StayPhase::Planned;
    }
    match stay.phase {
        StayPhase::Closed => Ok(Err(NotNow::Closed)),
        StayPhase::InDoubt { first } if first != target => Ok(Err(NotNow::InDoubt)),
        StayPhase::InDoubt { .. } => {
            // The same key again: what it would override is only its own failed try.
            let others = neighbours(d, id, &stay)?;
            if guest::is_busy(d, &others)? {
                return Ok(Err(NotNow::Busy));
            }
            let generation = stay.generation.unwrap_or_else(|| start_number(&stay.window));
            let turn = guest::turn(d, &mut stay, &others)?;
            if turn.is_some() {
                write_stay(d, id, stay);
            }
            Ok(Ok(Casting { role: Role::Open, generation, turn }))
        }
        StayPhase::Open => {
            if let Some(why) = guest::joins_another(d, id, &stay)? {
                return Ok(Err(why));
            }
            let generation = stay.generation.unwrap_or_else(|| start_number(&stay.window));
            let others: Vec<RowId> = stay.made.iter().copied().filter(|r| *r != target).collect();
            d.hint(others.iter().copied());
            d.gather()?;
            let mut with: Vec<Handle> = Vec::new();
            for row in others {
                with.extend(d.try_get::<Target>(row)?.and_then(|t| t.handle));
            }
            let role = if planted::is(Bug::JoinerOpens) { Role::Open } else { Role::Join { with } };
            Ok(Ok(Casting { role, generation, turn: None }))
        }
        StayPhase::Planned => {
            let whole = stay.doors.iter().all(|door| doors.contains(door));
            if !rules.role_per_door && !whole {
                return Ok(Err(NotNow::NotOpen));
            }
            let others = neighbours(d, id, &stay)?;
            if rules.join == JoinBy::CurrentGuest {
                let earlier = others.iter().any(|(_, o)| {
                    o.window.starts_at() <= stay.window.starts_at() && matches!(o.phase, StayPhase::Open | StayPhase::InDoubt { .. })
                });
                if earlier {
                    return Ok(Err(NotNow::EarlierStay));
                }
            }
            if guest::is_busy(d, &others)? {
                return Ok(Err(NotNow::Busy));
            }
            let generation = order::number(d, &stay, &others)?;
            let turn = guest::turn(d, &mut stay, &others)?;
            stay.generation = Some(generation);
            stay.phase = StayPhase::InDoubt { first: target };
            stay.made.clear();
            write_stay(d, id, stay);
            // Keys made ahead whose number this one has reached would be dead: they are made again.
            order::remake_later(d, id, others)?;
            Ok(Ok(Casting { role: Role::Open, generation, turn }))
        }
    }
}

/// Whether it will still be known if the key was made: it is being made, or a question is open, and it was neither taken away nor suspended since.
fn may_be_answered(first: &Target) -> bool {
    !first.gone && (first.work.in_flight.is_some() || matches!(first.seen, SeenState::Unknown { .. }))
}

/// The key of a stay was made: the stay is open.
pub(super) fn opened(d: &mut Draft<'_>, id: StayId, target: RowId) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    if matches!(stay.phase, StayPhase::InDoubt { first } if first == target) {
        stay.phase = StayPhase::Open;
    }
    if stay.phase == StayPhase::Open && !stay.made.contains(&target) {
        stay.made.push(target);
    }
    write_stay(d, id, stay);
    guest::carry(d, id)
}

/// The key of a stay was surely not made this time: if it was to open the stay, and no earlier try may have, the next one does.
pub(super) fn not_opened(d: &mut Draft<'_>, id: StayId, target: RowId) -> Try<()> {
    let mut stay = d.get::<Stay>(id)?;
    let earlier = d.get::<Target>(target)?.others.iter().any(|other| other.doubtful && other.can.generation == stay.generation);
    if !earlier && matches!(stay.phase, StayPhase::InDoubt { first } if first == target) {
        stay.phase = StayPhase::Planned;
        if stay.reopened == 0 {
            // Nothing carries the number, and the start may still move.
            stay.generation = None;
        }
        write_stay(d, id, stay);
    }
    Ok(())
}

/// Opens a stay again under the next number (a lost card): what was made before is overridden by the first key that is made now. Its other
/// credentials are asked for again. Nothing if no key was made yet.
pub(super) fn reopen(d: &mut Draft<'_>, id: StayId, mut stay: Stay) -> Try<()> {
    let Some(generation) = stay.generation else { return Ok(()) };
    if stay.phase == StayPhase::Closed {
        return Ok(());
    }
    let next = generation + u64::from(!planted::is(Bug::NumberNotRaised));
    let others = neighbours(d, id, &stay)?;
    stay.generation = Some(next.max(order::first_number(d, &stay, &others)?));
    stay.reopened += 1;
    stay.phase = StayPhase::Planned;
    stay.made.clear();
    let grants = stay.grants.clone();
    write_stay(d, id, stay);
    super::method::remake_for_stay(d, id, &grants)
}

/// The stay of a credential at a system, if it has doors that take part.
pub(super) fn stay_at(d: &Draft<'_>, stays: &[StayId], system: AcsSystemId) -> Try<Option<StayId>> {
    for id in stays {
        if d.get::<Stay>(*id)?.system == system {
            return Ok(Some(*id));
        }
    }
    Ok(None)
}

/// New doors of a grant (a space has grown) that take part become doors of its stays, or of a stay that begins at a system where it had none.
/// Never a reason to refuse. Gives all stays of the grant.
pub(super) fn add_doors(d: &mut Draft<'_>, id: AccessGrantId, grant: &Grant, doors: &Doors) -> Try<Vec<StayId>> {
    let mut stays = grant.stays.clone();
    let mut without: BTreeSet<AcsSystemId> = doors.reservable().map(|x| x.entrance.system).collect();
    for id in &stays {
        let stay = d.get::<Stay>(*id)?;
        without.remove(&stay.system);
        add(d, *id, stay, doors)?;
    }
    let Some(key) = grant.reservation.as_deref().filter(|_| grant.holder == Holder::Guest) else { return Ok(stays) };
    let wish = Wish { grant: id, key, window: grant.window, party: &[] };
    for system in without {
        let there = d.find_exactly(&stay_key(system, key))?;
        stays.push(match there.first() {
            Some(row) => {
                let stay_id = StayId::from_uuid(*row);
                let stay = d.get::<Stay>(stay_id)?;
                join(d, stay_id, stay, id, grant.window)?;
                let stay = d.get::<Stay>(stay_id)?;
                add(d, stay_id, stay, doors)?;
                stay_id
            }
            None => {
                let here = doors.reservable().filter(|x| x.entrance.system == system).map(|x| x.id).collect();
                begin(d, &wish, doors, system, here)?
            }
        });
    }
    Ok(stays)
}

fn add(d: &mut Draft<'_>, id: StayId, mut stay: Stay, doors: &Doors) -> Try<()> {
    let mine: Vec<AcsEntranceId> = doors.reservable().filter(|x| x.entrance.system == stay.system).map(|x| x.id).collect();
    if mine.iter().any(|x| !stay.doors.contains(x)) {
        stay.doors = stay.doors.into_iter().chain(mine).collect::<BTreeSet<_>>().into_iter().collect();
        write_stay(d, id, stay);
        // Other stays have been at the new doors, under other numbers.
        order::keep(d, id)?;
        order::end_in_time(d, id, None)?;
        guest::carry(d, id)?;
    }
    Ok(())
}
