//! Access methods.
use super::changes::{self, Systems};
use super::credential::{needs_reissue, stay_of};
use super::instant_key::link_of;
use super::notes::{add, error, warning};
use super::status::{self, MethodFacts, mode_name};
use super::target::{CardNeeds, Named, card_needs, ends_by_engine, is_leaving, rules};
use super::{Viewer, hidden, sealed};
use crate::model::{self, AccessMethodId, AccessMethodMode, AcsEntranceId, Map, Shown, Warning, Window, codes};
use crate::plan::Try;
use crate::provider::Needs;
use crate::state::{Grant, Index, Key, Method, RowId, StayPhase, System, Target, Wanted};
use std::collections::BTreeSet;

/// A method with everything that it is made of.
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    pub(super) id: AccessMethodId,
    pub(super) row: &'a Method,
    pub(super) targets: Vec<Named<'a>>,
    /// What its users may pass, where doors are a matter of users and not of credentials.
    pub(super) permissions: Vec<Named<'a>>,
}

impl<'a> Parts<'a> {
    /// Reads a method's targets.
    pub(super) fn read(v: &Viewer<'a>, id: AccessMethodId, row: &'a Method) -> Try<Self> {
        let targets = v.all::<Target, RowId>(&row.targets)?;
        let permissions = permissions(v, &targets)?;
        Ok(Self { id, row, targets, permissions })
    }
    /// Whether it is to be shown: it is not deleted, or something of it is still at a system.
    pub(super) fn is_shown(&self) -> bool {
        self.row.deleted_at.is_none() || self.targets.iter().any(|(_, target)| is_leaving(target))
    }
    /// Its credentials that are wanted.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Named<'a>> {
        self.targets.iter().copied().filter(|(_, target)| !target.gone && target.credential().is_some())
    }
    /// All its credentials are suspended.
    pub(super) fn is_suspended(&self) -> bool {
        self.wanted().next().is_some() && self.wanted().all(|(_, t)| t.credential().is_some_and(|c| c.suspended))
    }
}

/// The permissions of the users that own these credentials.
pub(super) fn permissions<'a>(v: &Viewer<'a>, targets: &[Named<'_>]) -> Try<Vec<Named<'a>>> {
    let users: BTreeSet<_> = targets.iter().filter_map(|(_, target)| target.credential()?.user).collect();
    let keys: Vec<_> = users.into_iter().map(|user| Key::id(Index::TargetsOfUser, user)).collect();
    v.reader.hint_keys(keys.iter().cloned());
    v.reader.gather()?;
    let mut found = Vec::new();
    for key in &keys {
        let rows = v.all::<Target, RowId>(v.reader.find(key)?)?;
        found.extend(rows.into_iter().filter(|(_, target)| matches!(target.want, Wanted::Access { .. })));
    }
    Ok(found)
}

/// The systems of some targets.
pub(super) fn systems<'a>(v: &Viewer<'a>, targets: &[Named<'_>]) -> Try<Systems<'a>> {
    let mut ids: Vec<_> = targets.iter().map(|(_, target)| target.system).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(v.all::<System, _>(&ids)?.into_iter().collect())
}

/// An access method. A deleted one says so until nothing of it is left at the systems, then it is hidden.
pub(crate) fn access_method(v: &Viewer<'_>, id: AccessMethodId) -> Try<model::AccessMethod> {
    let row = v.get::<Method>(id)?;
    v.reader.hint(row.targets.iter().copied());
    v.reader.hint(row.grants.iter().map(|grant| grant.uuid()));
    v.reader.hint(row.instant_key.map(|key| key.uuid()));
    v.reader.gather()?;
    let parts = Parts::read(v, id, row)?;
    if !parts.is_shown() {
        return hidden::<Method, _>(id);
    }
    let systems = systems(v, &parts.targets)?;
    let window = grants_window(v, row)?;
    let own = parts.wanted().filter_map(|(_, t)| t.credential().map(|c| c.window)).reduce(|a, b| a.hull(&b));
    let own = own.filter(|own| window.is_some_and(|window| *own != window));
    let needs = needs(v, &parts, &systems)?;
    let facts = facts(v, &parts, needs, &systems)?;
    let is_card = row.mode == AccessMethodMode::Card;
    let assigns = parts.wanted().any(|(_, t)| {
        let rules = systems.get(&t.system).and_then(|system| rules(system, t));
        rules.and_then(|rules| rules.card) == Some(crate::provider::CardPath::Preassigned)
    });
    let mobile = row.mode == AccessMethodMode::MobileKey;
    Ok(model::AccessMethod {
        access_method_id: id,
        workspace_id: v.workspace,
        display_name: mode_name(&row.mode).to_owned(),
        display_status: status::method(facts).to_owned(),
        mode: row.mode.clone(),
        created_at: row.created_at,
        is_issued: row.issued && !facts.deleted,
        issued_at: row.issued_at,
        code: code(v, &parts)?,
        client_session_token: if mobile { super::session::token_of_link(v, row.instant_key)? } else { None },
        instant_key_url: if mobile { link_of(v, row.instant_key)? } else { None },
        customization_profile_id: None,
        is_assignment_required: (is_card && assigns).then_some(needs.assignment),
        is_encoding_required: is_card.then_some(needs.encoding),
        is_ready_for_assignment: (is_card && assigns).then_some(needs.ready_for_assignment),
        is_ready_for_encoding: is_card.then_some(needs.ready_for_encoding),
        starts_at: own.map(|own| own.starts_at()),
        ends_at: own.and_then(|own| own.ends_at()),
        is_suspended: facts.suspended,
        errors: failed_notes(row, true).map(error).collect(),
        warnings: warnings(&parts, &systems),
        pending_mutations: changes::of_method(&parts, &systems),
        extra: if row.lost { Map::new().with("is_lost", true) } else { Map::new() },
    })
}

/// The hull of the windows of the grants that it serves.
fn grants_window(v: &Viewer<'_>, row: &Method) -> Try<Option<Window>> {
    let grants = v.all::<Grant, _>(&row.grants)?;
    Ok(grants.iter().filter(|(_, grant)| grant.is_live()).map(|(_, grant)| grant.window).reduce(|a, b| a.hull(&b)))
}

/// The PIN: the method's own, or the one that a system made for it.
pub(super) fn code(v: &Viewer<'_>, parts: &Parts<'_>) -> Try<Option<Shown>> {
    if parts.row.mode != AccessMethodMode::Code {
        return Ok(None);
    }
    if let Some(pin) = &parts.row.pin {
        return Ok(Some(v.open(parts.id, sealed::PIN, pin)?));
    }
    match parts.wanted().find_map(|(id, target)| Some((id, target.pin.as_ref()?))) {
        Some((id, pin)) => Ok(Some(v.open(id, sealed::PIN, pin)?)),
        None => Ok(None),
    }
}

/// Whether another thing has to come first: a row that this waits for, or the first key of its stay, whose outcome is unknown.
fn waits(v: &Viewer<'_>, (id, target): Named<'_>) -> Try<bool> {
    if let Some(StayPhase::InDoubt { first }) = stay_of(v, target)?.map(|stay| stay.phase)
        && first != id
    {
        return Ok(true);
    }
    let Some(after) = target.work.after else { return Ok(false) };
    Ok(v.try_get::<Target>(after)?.is_some_and(|first| !first.is_in_place() && !first.gone))
}

/// What its cards still need from a person.
pub(super) fn needs(v: &Viewer<'_>, parts: &Parts<'_>, systems: &Systems<'_>) -> Try<CardNeeds> {
    v.reader.hint(parts.wanted().filter_map(|(_, t)| t.credential()?.stay).map(|stay| stay.uuid()));
    v.reader.hint(parts.wanted().filter_map(|(_, t)| t.work.after));
    v.reader.gather()?;
    let mut needs = CardNeeds::default();
    for (id, target) in parts.wanted() {
        let rules = systems.get(&target.system).and_then(|system| rules(system, target));
        let this = card_needs(target, rules, waits(v, (id, target))?);
        needs.encoding |= this.encoding;
        needs.ready_for_encoding |= this.ready_for_encoding;
        needs.assignment |= this.assignment;
        needs.ready_for_assignment |= this.ready_for_assignment;
    }
    Ok(needs)
}

/// How it stands.
pub(super) fn facts(v: &Viewer<'_>, parts: &Parts<'_>, needs: CardNeeds, systems: &Systems<'_>) -> Try<MethodFacts> {
    let mut again = parts.row.ever_issued;
    for (_, target) in parts.wanted() {
        again |= target.made.is_some() || needs_reissue(target, stay_of(v, target)?);
    }
    let pending = changes::of_method(parts, systems);
    Ok(MethodFacts {
        deleted: parts.row.deleted_at.is_some(),
        ended: parts.row.ended_at.is_some(),
        suspended: parts.is_suspended(),
        issued: parts.row.issued,
        asks: parts.targets.iter().any(|(_, t)| t.work.asks.is_some()),
        encoding: needs.encoding,
        again,
        assignment: needs.assignment,
        phone: parts.wanted().any(|(_, t)| t.needs == Needs::Phone),
        changing: parts.row.ever_issued && !pending.is_empty(),
        failed: failed_notes(parts.row, true).next().is_some(),
    })
}

/// Stored notes that are errors, or those that are warnings. What was told of being late is over once the method is issued.
fn failed_notes(row: &Method, errors: bool) -> impl Iterator<Item = &crate::state::Note> {
    row.warnings.iter().filter(move |note| {
        let late = note.code == codes::warning::DELAY_IN_ISSUING || note.code == codes::error::FAILED_TO_ISSUE;
        (note.code == codes::error::FAILED_TO_ISSUE) == errors && !(late && row.issued)
    })
}

fn warnings(parts: &Parts<'_>, systems: &Systems<'_>) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = failed_notes(parts.row, false).map(warning).collect();
    if let Some(at) = parts.row.deleted_at {
        add(&mut warnings, Warning::being_deleted(at));
    }
    if let Some(times) = changes::times(&parts.targets, systems) {
        add(&mut warnings, Warning::method_updating_access_times(times.since));
    }
    for (_, target) in parts.wanted() {
        if ends_by_engine(target, systems.get(&target.system).and_then(|system| rules(system, target))) {
            add(&mut warnings, Warning::ends_by_engine(target.created_at, target.system));
        }
    }
    warnings
}

/// The entrances that a method is for: none once it is over.
pub(crate) fn entrances_of_method(v: &Viewer<'_>, id: AccessMethodId) -> Try<Vec<AcsEntranceId>> {
    let row = v.get::<Method>(id)?;
    v.reader.hint(row.targets.iter().copied());
    v.reader.gather()?;
    if !Parts::read(v, id, row)?.is_shown() {
        return hidden::<Method, _>(id);
    }
    Ok(if row.is_over() { Vec::new() } else { row.doors.clone() })
}
