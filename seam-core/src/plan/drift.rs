//! What a system holds against what is wanted there.
//!
//! A list tells where to look; it never decides. What is ours and missing or edited is looked at by itself, and what that look finds is
//! repaired like everything else: so nothing is written twice for one cause, and a list that is wrong costs a look and not a guest's key.
//! When so much deviates that the list itself is doubtful, everything waits for a person.
use super::discover::{clear_note, note, set_note};
use super::draft::{Draft, expose};
use super::read::Try;
use super::spec::row_of;
use super::{foreign, method, next};
use crate::model::{AccessMethodId, AcsEntranceId, AcsSystemId, ConnectedAccountId};
use crate::planted::{self, Bug};
use crate::provider::{Certainty, DoorClass, Handle, Held, Kind, KindRules, ReadBack};
use crate::state::*;
use chrono::Duration;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Up to so many deviations are repaired without asking, however few things there are.
const FEW: usize = 5;
/// Above that, up to one in so many of the things that are in place.
const ONE_IN: usize = 5;
/// What was changed so shortly ago may look different in a list that was begun before: reading an account takes up to two minutes, and clocks
/// of instances differ.
const RECENT: Duration = Duration::minutes(5);

/// The note of an account where something is held, and of a system with things that carry our tag and belong to nothing.
pub(super) const HELD: &str = "changes_held";
pub(super) const ORPHANS: &str = "orphaned_things";
/// Told once when something is held.
const HELD_EVENT: &str = "connected_account.changes_held";

/// What a system showed, by what it is to us.
#[derive(Default)]
struct Sorted<'h> {
    /// Ours, by target.
    ours: BTreeMap<RowId, Vec<&'h Held>>,
    /// Taken away by us, and there again.
    returned: BTreeSet<RowId>,
    /// With a tag of ours, of nothing that is known.
    orphans: usize,
    /// Not ours.
    foreign: Vec<&'h Held>,
}

/// Compares what a system holds with what is wanted there.
///
/// # Errors
/// None of its own.
pub(crate) fn apply_held(d: &mut Draft<'_>, account: ConnectedAccountId, system_id: AcsSystemId, held: &[Held]) -> Try<()> {
    let rows = d.find(&Key::id(Index::TargetsAt, system_id))?;
    d.hint(rows.iter().copied());
    let places = d.find(&Key::id(Index::PlacesOf, system_id))?;
    d.hint(places.iter().copied());
    d.gather()?;
    let mut targets = BTreeMap::new();
    for row in rows {
        targets.insert(row, d.get::<Target>(row)?);
    }
    let doors = doors(d, system_id, &places)?;
    let sorted = sort(d, system_id, &targets, held)?;
    let system = d.get::<System>(system_id)?;

    let now = d.now();
    let old_enough = |t: &Target| t.work.in_flight.is_none() && t.synced_at.is_none_or(|at| at + RECENT <= now);
    let mut deviating = Vec::new();
    let mut in_place = 0usize;
    for (row, t) in &targets {
        let rules = method::rules_at(&system, t.kind());
        let seen = sorted.ours.get(row).map(Vec::as_slice).unwrap_or_default();
        if !t.gone && matches!(t.seen, SeenState::Present { .. }) {
            in_place += 1;
            if old_enough(t) && t.work.asks.is_none() && !t.work.look && deviates(d, *row, t, &rules, seen, &doors)? {
                deviating.push(*row);
            }
        }
        take_handle(d, *row, seen)?;
    }
    if may_go_on(d, account, system_id, deviating.len(), in_place)? && !planted::is(Bug::ScanRepairsNothing) {
        for row in deviating {
            let missing = !sorted.ours.contains_key(&row);
            look_at(d, row, missing)?;
        }
    }
    for row in &sorted.returned {
        take_away_again(d, *row, &old_enough)?;
    }
    report_orphans(d, system_id, sorted.orphans)?;
    foreign::apply(d, account, system_id, &sorted.foreign, &doors)
}

/// The doors of a system by handle, with what they mean.
pub(super) type DoorMap = BTreeMap<String, (AcsEntranceId, Entrance)>;

pub(super) fn handle_text(handle: &Handle) -> String {
    handle.0.to_string()
}

/// The doors of a system: those that were known, and those that this draft has found.
fn doors(d: &Draft<'_>, system: AcsSystemId, places: &[RowId]) -> Try<DoorMap> {
    let new = d.written().filter_map(|r| matches!(&r.body, Body::Entrance(e) if e.system == system).then_some(r.id));
    let rows: BTreeSet<RowId> = places.iter().copied().chain(new).collect();
    let mut out = BTreeMap::new();
    for row in rows {
        if let Some(e) = d.try_get::<Entrance>(row)? {
            out.insert(handle_text(&e.report.handle), (AcsEntranceId::from_uuid(row), e));
        }
    }
    Ok(out)
}

fn sort<'h>(d: &Draft<'_>, system: AcsSystemId, targets: &BTreeMap<RowId, Target>, held: &'h [Held]) -> Try<Sorted<'h>> {
    let by_handle: BTreeMap<(Kind, String), RowId> =
        targets.iter().filter(|(_, t)| !t.gone).filter_map(|(row, t)| Some(((t.kind(), handle_text(t.handle.as_ref()?)), *row))).collect();
    let mut sorted = Sorted::default();
    let mut unclear = Vec::new();
    for h in held {
        match h.tag.as_ref().and_then(row_of) {
            Some(row) if targets.get(&row).is_some_and(|t| !t.gone) => sorted.ours.entry(row).or_default().push(h),
            Some(row) => unclear.push((row, h)),
            None => match by_handle.get(&(h.kind, handle_text(&h.handle))) {
                Some(row) => sorted.ours.entry(*row).or_default().push(h),
                None => sorted.foreign.push(h),
            },
        }
    }
    d.hint(unclear.iter().map(|(row, _)| *row));
    d.gather()?;
    for (row, h) in unclear {
        match d.try_get::<Target>(row)? {
            Some(t) if t.gone && t.system == system => drop(sorted.returned.insert(row)),
            _ => {
                sorted.orphans += 1;
                sorted.foreign.push(h);
            }
        }
    }
    Ok(sorted)
}

/// Whether a thing of ours that is in place is missing or not as it was put.
fn deviates(d: &Draft<'_>, row: RowId, t: &Target, rules: &KindRules, seen: &[&Held], doors: &DoorMap) -> Try<bool> {
    if rules.read_back == ReadBack::None {
        return Ok(false);
    }
    match seen {
        [] => Ok(true),
        [one] => {
            let settled = matches!(t.seen, SeenState::Present { rev, .. } if rev == t.rev);
            // A card carries what was written on it, whatever a list says.
            Ok(settled && rules.read_back == ReadBack::Full && next::is_put(rules) && edited(d, row, t, one, doors)?)
        }
        // More than one carries our tag: the look asks a person.
        _ => Ok(true),
    }
}

/// Whether what is shown differs from what was put. What is not shown does not.
fn edited(d: &Draft<'_>, row: RowId, t: &Target, h: &Held, doors: &DoorMap) -> Try<bool> {
    let (window, wanted) = match &t.want {
        Wanted::Stay { .. } => return Ok(false),
        Wanted::User { window, .. } => (*window, &[][..]),
        Wanted::Access { window, doors, .. } => (Some(*window), doors.as_slice()),
        Wanted::Credential(c) => (Some(c.window), c.doors.as_slice()),
    };
    if let (Some(window), Some(shown)) = (window, h.window)
        && window != shown
    {
        return Ok(true);
    }
    if !h.doors.is_empty() && !wanted.is_empty() {
        // Doors that open by themselves are nowhere sent, and may be shown or not.
        let by_itself: BTreeSet<AcsEntranceId> =
            doors.values().filter(|(_, e)| e.report.class == DoorClass::Implicit).map(|(id, _)| *id).collect();
        let shown: Option<BTreeSet<AcsEntranceId>> = h.doors.iter().map(|x| doors.get(&handle_text(x)).map(|(id, _)| *id)).collect();
        let Some(shown) = shown else { return Ok(true) };
        let wanted: BTreeSet<AcsEntranceId> = wanted.iter().copied().collect();
        if shown.symmetric_difference(&wanted).any(|x| !by_itself.contains(x)) {
            return Ok(true);
        }
    }
    if let (Some(shown), Some(sealed)) = (&h.pin, &t.pin) {
        return Ok(expose(shown) != expose(&d.env.open(row, "pin", sealed)?));
    }
    Ok(false)
}

/// Keeps the vendor's id of a thing that was found by its tag.
fn take_handle(d: &mut Draft<'_>, row: RowId, seen: &[&Held]) -> Try<()> {
    if let [one] = seen {
        let mut t = d.get::<Target>(row)?;
        if t.work.in_flight.is_none() && t.handle.as_ref() != Some(&one.handle) {
            let user = match (t.of, &t.want) {
                (TargetOf::User(user), Wanted::User { .. }) if t.handle.is_some() && !t.gone => Some(user),
                _ => None,
            };
            t.handle = Some(one.handle.clone());
            d.set(row, t);
            if let Some(user) = user {
                super::member::follow_user(d, user)?;
            }
        }
    }
    Ok(())
}

/// Whether so many deviations may be repaired now; else they are held, and it is told once.
fn may_go_on(d: &mut Draft<'_>, account: ConnectedAccountId, system: AcsSystemId, count: usize, of: usize) -> Try<bool> {
    let mut row = d.get::<Account>(account)?;
    let mut systems = row.held.as_ref().and_then(|n| n.details.get("systems")?.as_object().cloned()).unwrap_or_default();
    let before = systems.remove(&system.to_string());
    let confirmed = before.as_ref().filter(|b| b["confirmed"] == json!(true)).and_then(|b| b["count"].as_u64()).unwrap_or(0);
    let confirmed = usize::try_from(confirmed).unwrap_or(0);
    let too_many = count > FEW && count * ONE_IN > of;
    // Confirmed is what somebody has seen, and a few that came since.
    let hold = too_many && !(confirmed > 0 && count <= confirmed + FEW);
    if hold {
        systems.insert(system.to_string(), json!({ "count": count, "of": of }));
        if before.is_none() {
            let fields = json!({ "connected_account_id": account, "acs_system_id": system, "count": count, "of": of });
            d.event(HELD_EVENT, account, fields);
        }
    }
    let held = if systems.is_empty() {
        None
    } else {
        let message = "An access system shows much less than was put there. Nothing is repaired until this is confirmed.";
        let at = row.held.as_ref().map_or(d.now(), |n| n.at);
        let details: Map<String, Value> = std::iter::once(("systems".to_owned(), Value::Object(systems))).collect();
        Some(Note { at, details, ..note(d, HELD, message) })
    };
    if row.held != held {
        row.held = held;
        d.set(account, row);
    }
    Ok(!hold)
}

/// Confirms everything that a note holds.
pub(super) fn confirm(held: &mut Note) {
    if let Some(Value::Object(systems)) = held.details.get_mut("systems") {
        for entry in systems.values_mut() {
            entry["confirmed"] = json!(true);
        }
    }
}

/// Has a deviating thing looked at by itself. A card that a person made is not looked for: it is to be written again.
fn look_at(d: &mut Draft<'_>, row: RowId, missing: bool) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    let rules = method::rules_of(d, &t)?;
    if next::is_put(&rules) {
        t.work.look = true;
    } else if missing {
        t.seen = SeenState::Absent { certainty: Certainty::Accepted };
        t.needs = next::first_needs(&rules);
    }
    next::schedule(&mut t, &rules, d.now());
    let of = t.of;
    d.set(row, t);
    if let TargetOf::Method(m) = of
        && !next::is_put(&rules)
        && missing
    {
        unissue(d, m)?;
    }
    Ok(())
}

fn unissue(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let m = d.get::<Method>(id)?;
    d.hint(m.targets.iter().copied().chain(m.grants.iter().map(|g| g.uuid())));
    d.gather()?;
    if m.is_over() { Ok(()) } else { method::unissue(d, id) }
}

/// Something that we took away is there again: a backup was played back, or the removal had not arrived. Revocation wins.
fn take_away_again(d: &mut Draft<'_>, row: RowId, old_enough: &dyn Fn(&Target) -> bool) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    if old_enough(&t) && matches!(t.seen, SeenState::Absent { .. }) {
        let rules = method::rules_of(d, &t)?;
        t.seen = SeenState::Present { rev: t.rev, certainty: Certainty::Accepted };
        t.work.attempt = 0;
        next::schedule(&mut t, &rules, d.now());
        d.set(row, t);
    }
    Ok(())
}

/// Things with a tag of ours that belong to nothing: left over from another store or from a restored one. They are reported, never removed.
fn report_orphans(d: &mut Draft<'_>, id: AcsSystemId, count: usize) -> Try<()> {
    let mut system = d.get::<System>(id)?;
    let before = system.warnings.clone();
    if count == 0 {
        clear_note(&mut system.warnings, ORPHANS);
    } else {
        let mut note =
            note(d, ORPHANS, "The access system holds things that were put by this SDK and belong to nothing that is known here.");
        note.details.insert("count".to_owned(), json!(count));
        set_note(&mut system.warnings, note);
    }
    if system.warnings != before {
        d.set(id, system);
    }
    Ok(())
}
