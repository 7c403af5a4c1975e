//! Grants.
use super::changes::{self, Systems, Times};
use super::credential::residual;
use super::method::{self, Parts, systems};
use super::notes::{add, errors, named, warning};
use super::people::{contacts, person_name};
use super::status::{self, mode_name};
use super::target::{Named, ends_by_engine, is_leaving, rules};
use super::{Viewer, hidden, sealed};
use crate::model::{
    self, AccessGrantId, AccessMethodMode, AcsEntranceId, FailedDevice, Map, RequestedAccessMethod, ResidualAccess, ResidualReason, Shown,
    Warning, codes,
};
use crate::plan::Try;
use crate::provider::Certainty;
use crate::state::{
    AcsUser, Entrance, Grant, GrantPhase, Identity, Method, Misfit, Note, Requested, SeenState, Space, System, Target, Wanted,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use std::collections::BTreeSet;

/// A grant with everything that it is made of.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub(super) id: AccessGrantId,
    pub(super) row: &'a Grant,
    /// Every method that was ever made for it.
    pub(super) methods: Vec<Parts<'a>>,
    pub(super) systems: Systems<'a>,
    /// What the groups of its systems can no longer give exactly.
    misfits: Vec<&'a Misfit>,
}

impl<'a> Whole<'a> {
    /// Reads the methods of a grant, their targets, and the systems of those.
    pub(super) fn read(v: &Viewer<'a>, id: AccessGrantId, row: &'a Grant) -> Try<Self> {
        let ids: Vec<_> = row.requested.iter().flat_map(|asked| asked.methods.iter().copied()).collect();
        let rows = v.all::<Method, _>(&ids)?;
        v.reader.hint(rows.iter().flat_map(|(_, method)| method.targets.iter().copied()));
        v.reader.hint(rows.iter().filter_map(|(_, method)| method.instant_key).map(|key| key.uuid()));
        v.reader.gather()?;
        let methods = rows.into_iter().map(|(id, method)| Parts::read(v, id, method)).collect::<Try<Vec<_>>>()?;
        let targets: Vec<_> = methods.iter().flat_map(|parts| parts.targets.iter().copied()).collect();
        let users: BTreeSet<_> = targets.iter().filter_map(|(_, target)| target.credential()?.user).collect();
        v.reader.hint(users.iter().map(|user| user.uuid()));
        let systems = systems(v, &targets)?;
        let users = v.all::<AcsUser, _>(&users.into_iter().collect::<Vec<_>>())?;
        let misfits = users.into_iter().flat_map(|(_, user)| &user.misfits).filter(|misfit| misfit.grant == id).collect();
        Ok(Self { id, row, methods, systems, misfits })
    }

    /// The methods that exist.
    fn shown(&self) -> impl Iterator<Item = &Parts<'a>> {
        self.methods.iter().filter(|parts| parts.is_shown())
    }

    /// What is left of access that was withdrawn, of all methods that were ever made for it.
    pub(super) fn residual(&self, v: &Viewer<'_>) -> Try<Vec<ResidualAccess>> {
        let mut left = Vec::new();
        for parts in &self.methods {
            for (id, target) in &parts.targets {
                let Some(system) = self.systems.get(&target.system) else { continue };
                // A lost card is withdrawn from the moment it is reported, whatever is still wanted of its row.
                let lost = (parts.row.lost && !target.gone).then(|| Target { gone: true, ..Target::clone(target) });
                let target = lost.as_ref().unwrap_or(target);
                left.extend(residual(v, (*id, target), system)?);
                left.extend(by_user(v, parts, (*id, target), system)?);
            }
        }
        left.sort_by_key(|one| (one.acs_entrance_id, one.access_method_id));
        Ok(left)
    }

    /// Doors that any method still lacks, and doors that any still opens.
    fn doors(&self) -> (BTreeSet<AcsEntranceId>, BTreeSet<AcsEntranceId>) {
        let (mut missing, mut surplus) = (BTreeSet::new(), BTreeSet::new());
        for parts in &self.methods {
            let doors = changes::doors(parts, &self.systems);
            missing.extend(doors.missing());
            surplus.extend(doors.surplus());
        }
        for misfit in &self.misfits {
            missing.extend(&misfit.lacks);
            surplus.extend(&misfit.also_opens);
        }
        let mine: BTreeSet<_> = self.row.doors.iter().copied().collect();
        (missing.intersection(&mine).copied().collect(), surplus.difference(&mine).copied().collect())
    }

    fn times(&self) -> Vec<(model::AccessMethodId, Times)> {
        let live = self.methods.iter().filter(|parts| !parts.row.is_over());
        live.filter_map(|parts| Some((parts.id, changes::times(&parts.targets, &self.systems)?))).collect()
    }

    fn targets(&self) -> Vec<Named<'a>> {
        self.methods.iter().flat_map(|parts| parts.targets.iter().copied()).collect()
    }

    /// The time zone of its first site that has one.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.systems.values().find_map(|system| system.report.time_zone.as_deref()?.parse().ok())
    }
}

/// A grant. A deleted one says so until nothing of it is left at the systems, then it is hidden; one that has ended stays.
pub(crate) fn access_grant(v: &Viewer<'_>, id: AccessGrantId) -> Try<model::AccessGrant> {
    let row = v.get::<Grant>(id)?;
    hint_surroundings(v, row);
    let whole = Whole::read(v, id, row)?;
    let deleted = matches!(row.phase, GrantPhase::Deleted { .. });
    if deleted && !whole.targets().iter().any(|(_, target)| is_leaving(target)) {
        return hidden::<Grant, _>(id);
    }
    render(v, &whole)
}

/// What every view of a grant needs beside its methods, read in the same go as those.
pub(super) fn hint_surroundings(v: &Viewer<'_>, row: &Grant) {
    v.reader.hint([row.identity.uuid()]);
    v.reader.hint(row.spaces.iter().map(|space| space.uuid()));
    v.reader.hint(row.doors.iter().take(2).map(|door| door.uuid()));
    v.reader.hint(row.stays.iter().map(|stay| stay.uuid()));
}

/// A grant whatever its phase.
pub(super) fn render(v: &Viewer<'_>, whole: &Whole<'_>) -> Try<model::AccessGrant> {
    let (id, row) = (whole.id, whole.row);
    let residual = whole.residual(v)?;
    let (missing, surplus) = whole.doors();
    // Before anything was ever made the grant is being set up; nothing is missing from it.
    let begun = !row.told.is_empty() || whole.methods.iter().any(|m| m.row.ever_issued || m.targets.iter().any(|(_, t)| t.made.is_some()));
    let missing = if begun { missing } else { BTreeSet::new() };
    let times = whole.times();
    let live = row.is_live();
    let at = changes::since_all(&whole.targets(), row.created_at);
    let mut pending = Vec::new();
    if live {
        pending.extend((!row.suspended).then(|| changes::of_spaces(&row.doors, &missing, &surplus, at)).flatten());
        pending.extend(changes::of_times(&times, &row.window));
    }
    // All mobile keys of a grant are one person's: the first one's session reaches them all.
    let first = whole.shown().find(|parts| parts.row.mode == AccessMethodMode::MobileKey);
    let token = first.map_or(Ok(None), |parts| super::session::token_of_link(v, parts.row.instant_key))?;
    let mut link = None;
    let mut mobile = whole.shown().filter(|parts| parts.row.mode == AccessMethodMode::MobileKey);
    if let (Some(only), None) = (mobile.next(), mobile.next()) {
        link = super::instant_key::link_of(v, only.row.instant_key)?;
    }
    let mut warnings = stored_warnings(v, whole)?;
    if let GrantPhase::Deleted { at } = row.phase {
        add(&mut warnings, Warning::being_deleted(at));
    }
    if live && !row.suspended && !missing.is_empty() {
        add(&mut warnings, Warning::underprovisioned_access(at));
    }
    if live && (!surplus.is_empty() || residual.iter().any(|left| !row.doors.contains(&left.acs_entrance_id))) {
        add(&mut warnings, Warning::overprovisioned_access(at, &not_possible(row, &residual)));
    }
    if live && let Some(since) = times.iter().map(|(_, times)| times.since).min() {
        let methods: Vec<_> = times.iter().map(|(method, _)| *method).collect();
        add(&mut warnings, Warning::updating_access_times(since, &methods));
    }
    let mut told = BTreeSet::new();
    for (_, target) in whole.targets() {
        let rules = whole.systems.get(&target.system).and_then(|system| rules(system, target));
        if ends_by_engine(target, rules) && told.insert(target.system) {
            warnings.push(Warning::ends_by_engine(target.created_at, target.system));
        }
    }
    warnings.extend(residual.iter().map(|left| Warning::residual_access(v.now(), left)));
    Ok(model::AccessGrant {
        access_grant_id: id,
        workspace_id: v.workspace,
        access_grant_key: row.key.clone(),
        user_identity_id: row.identity,
        name: row.name.clone(),
        display_name: display_name(v, row)?,
        display_status: display_status(v, whole)?,
        starts_at: row.window.starts_at(),
        ends_at: row.window.ends_at(),
        created_at: row.created_at,
        space_ids: row.spaces.clone(),
        location_ids: row.spaces.clone(),
        access_method_ids: whole.shown().map(|parts| parts.id).collect(),
        requested_access_methods: row.requested.iter().enumerate().map(|(i, asked)| requested(v, whole, i, asked)).collect::<Try<_>>()?,
        reservation_key: row.reservation.clone(),
        client_session_token: token,
        instant_key_url: link,
        customization_profile_id: None,
        holder: row.holder,
        schedule: row.schedule.clone(),
        is_suspended: row.suspended,
        residual_access: residual,
        errors: errors(&row.errors),
        warnings,
        pending_mutations: pending,
        extra: Map::new(),
    })
}

/// What was asked for, as the grant shows it.
fn requested(v: &Viewer<'_>, whole: &Whole<'_>, index: usize, asked: &Requested) -> Try<RequestedAccessMethod> {
    let shown = |id: &model::AccessMethodId| whole.methods.iter().any(|parts| parts.id == *id && parts.is_shown());
    Ok(RequestedAccessMethod {
        mode: asked.mode.clone(),
        display_name: mode_name(&asked.mode).to_owned(),
        created_at: asked.at,
        created_access_method_ids: asked.methods.iter().copied().filter(shown).collect(),
        code: wish(v, whole, index)?,
        instant_key_max_use_count: asked.instant_key_max_use_count,
        extra: Map::new(),
    })
}

/// The PIN that was asked for in a request.
fn wish(v: &Viewer<'_>, whole: &Whole<'_>, index: usize) -> Try<Option<Shown>> {
    let code = whole.row.requested.get(index).and_then(|asked| asked.code.as_ref());
    v.open_some(whole.id, &sealed::requested(index), code)
}

/// The warnings that are facts. No PIN is stored in them; those that name PINs get them here.
fn stored_warnings(v: &Viewer<'_>, whole: &Whole<'_>) -> Try<Vec<Warning>> {
    let mut warnings = Vec::with_capacity(whole.row.warnings.len());
    for note in &whole.row.warnings {
        let mut shown = warning(note);
        if note.code == codes::warning::REQUESTED_CODE_UNAVAILABLE {
            shown = other_pin(v, whole, note, shown)?;
        }
        warnings.push(shown);
    }
    Ok(warnings)
}

/// Which PIN was asked for, which was given, and at which door (the first one, if the PIN is for several).
fn other_pin(v: &Viewer<'_>, whole: &Whole<'_>, note: &Note, mut shown: Warning) -> Try<Warning> {
    let method = note.details.get("access_method_id").and_then(Value::as_str).and_then(|id| id.parse::<model::AccessMethodId>().ok());
    let Some(parts) = whole.methods.iter().find(|parts| Some(parts.id) == method) else { return Ok(shown) };
    let index = whole.row.requested.iter().position(|asked| asked.methods.contains(&parts.id));
    if let Some(door) = parts.row.doors.first() {
        shown = shown.with("device_id", door.to_string());
    }
    if let Some(original) = index.map(|index| wish(v, whole, index)).transpose()?.flatten() {
        shown = shown.with("original_code", original.expose());
    }
    if let Some(new) = method::code(v, parts)? {
        shown = shown.with("new_code", new.expose());
    }
    Ok(shown)
}

/// Doors that no longer belong to the grant and that nothing we do at the system takes away.
/// What is left where a credential opens what its user may pass: the credential itself, while it may be there, and permissions that became fewer.
fn by_user(v: &Viewer<'_>, parts: &Parts<'_>, (id, target): Named<'_>, system: &System) -> Try<Vec<ResidualAccess>> {
    let absent = matches!(target.seen, SeenState::Never | SeenState::Absent { certainty: Certainty::Verified });
    if target.credential().is_none_or(|c| c.user.is_none()) || (absent && target.work.in_flight.is_none()) {
        return Ok(Vec::new());
    }
    let known = v.all::<Entrance, AcsEntranceId>(&parts.row.doors)?;
    let doors: Vec<AcsEntranceId> = known.into_iter().filter(|(_, e)| e.system == target.system).map(|(id, _)| id).collect();
    let mut as_if = target.clone();
    let others = as_if.others.iter_mut().map(|other| &mut other.can);
    for made in as_if.made.iter_mut().chain(&mut as_if.sent).chain(others) {
        made.doors.clone_from(&doors);
    }
    if let Wanted::Credential(c) = &mut as_if.want {
        c.doors.clone_from(&doors);
    }
    let mut left = residual(v, (id, &as_if), system)?;
    for (row, permission) in parts.permissions.iter().filter(|(_, p)| p.system == target.system) {
        let of_method = |one: ResidualAccess| ResidualAccess { access_method_id: Some(parts.id), ..one };
        left.extend(residual(v, (*row, permission), system)?.into_iter().filter(|one| doors.contains(&one.acs_entrance_id)).map(of_method));
    }
    Ok(left)
}

fn not_possible(row: &Grant, residual: &[ResidualAccess]) -> Vec<FailedDevice> {
    let beyond = residual.iter().filter(|left| !row.doors.contains(&left.acs_entrance_id));
    beyond
        .filter_map(|left| {
            let (code, message) = match left.why {
                ResidualReason::NextOverride => {
                    ("offline_credential_not_revocable", "It opens until the key of a later stay is used there.")
                }
                ResidualReason::OwnEnd | ResidualReason::CommonDoor => ("offline_credential_not_revocable", "It opens until its own end."),
                ResidualReason::NotRevocable => ("credential_not_revocable", "The access system does not take it away."),
                _ => return None,
            };
            Some(FailedDevice::new(left.acs_entrance_id, code, message))
        })
        .collect()
}

/// The caller's name, else the person and the places.
fn display_name(v: &Viewer<'_>, row: &Grant) -> Try<String> {
    if let Some(name) = row.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        return Ok(name.to_owned());
    }
    let person = match v.try_get::<Identity>(row.identity)? {
        Some(person) => person_name(person, &contacts(v, row.identity, person)?),
        None => "Unnamed person".to_owned(),
    };
    let spaces = v.all::<Space, _>(&row.spaces)?;
    let mut places: Vec<String> = spaces.iter().map(|(_, space)| space.name.clone()).collect();
    if places.is_empty() {
        let doors: Vec<_> = row.doors.iter().copied().take(2).collect();
        places = v.all::<Entrance, _>(&doors)?.iter().map(|(_, door)| named([Some(door.report.name.as_str())], "Entrance")).collect();
    }
    let more = if row.spaces.is_empty() { row.doors.len() } else { places.len() }.saturating_sub(2);
    places.truncate(2);
    let places = places.join(", ");
    Ok(match (places.is_empty(), more) {
        (true, _) => person,
        (false, 0) => format!("{person}: {places}"),
        (false, more) => format!("{person}: {places} and {more} more"),
    })
}

/// One sentence on how it stands.
fn display_status(v: &Viewer<'_>, whole: &Whole<'_>) -> Try<String> {
    let row = whole.row;
    match row.phase {
        GrantPhase::Deleted { .. } => return Ok("Being deleted.".to_owned()),
        GrantPhase::Ended { at } => return Ok(format!("Ended on {}.", status::at(row.window.ends_at().unwrap_or(at), whole.zone()))),
        GrantPhase::Live if row.suspended => return Ok("Suspended.".to_owned()),
        GrantPhase::Live => {}
    }
    let (mut cards, mut assign, mut asks, mut waits, mut methods) = (0u32, 0u32, false, false, 0u32);
    let mut later: Option<DateTime<Utc>> = None;
    for parts in whole.methods.iter().filter(|parts| !parts.row.is_over()) {
        let needs = method::needs(v, parts, &whole.systems)?;
        methods += 1;
        cards += u32::from(needs.encoding);
        assign += u32::from(needs.assignment);
        asks |= parts.targets.iter().any(|(_, target)| target.work.asks.is_some());
        waits |= !parts.row.issued && !needs.encoding && !needs.assignment;
        later = later.max(parts.wanted().filter(|(_, t)| !t.is_in_place()).filter_map(|(_, t)| t.work.due_at).max());
    }
    let plural = |count: u32| if count == 1 { "card" } else { "cards" };
    Ok(if asks {
        "Waiting for a person to say whether the last step happened.".to_owned()
    } else if methods == 0 && !row.errors.is_empty() {
        "The requested methods could not be made.".to_owned()
    } else if cards > 0 {
        format!("Waiting for {cards} {} to be encoded.", plural(cards))
    } else if assign > 0 {
        format!("Waiting for {assign} {} to be assigned.", plural(assign))
    } else if waits && let Some(later) = later.filter(|later| !v.has_come(*later - chrono::Duration::hours(1))) {
        // The systems take it only so long before the start; a retry after a failure is never that far away.
        format!("Scheduled. It is sent to the access system on {}.", status::at(later, whole.zone()))
    } else if waits {
        "Being set up.".to_owned()
    } else if !v.has_come(row.window.starts_at()) {
        format!("Ready. Access starts on {}.", status::at(row.window.starts_at(), whole.zone()))
    } else {
        match row.window.ends_at() {
            Some(end) => format!("Active until {}.", status::at(end, whole.zone())),
            None => "Active, without an end.".to_owned(),
        }
    })
}
