//! What is decided and not yet everywhere: derived from targets that are not in place.
use super::method::Parts;
use super::target::{Named, is_leaving, made_doors, old_window, wanted_doors, without_graces};
use crate::model::{AccessMethodId, AcsEntranceId, AcsSystemId, PendingMutation, Window};
use crate::provider::{CardPath, DoorLimit, Kind};
use crate::state::{System, Target, Wanted};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Systems by id.
pub(super) type Systems<'a> = BTreeMap<AcsSystemId, &'a System>;

/// Doors as they are, and as they are to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doors {
    /// Doors that open, as far as was told.
    pub(super) now: BTreeSet<AcsEntranceId>,
    /// Doors that are to open.
    pub(super) wanted: BTreeSet<AcsEntranceId>,
}

impl Doors {
    /// Wanted and not there.
    pub(super) fn missing(&self) -> BTreeSet<AcsEntranceId> {
        self.wanted.difference(&self.now).copied().collect()
    }
    /// There and no longer wanted.
    pub(super) fn surplus(&self) -> BTreeSet<AcsEntranceId> {
        self.now.difference(&self.wanted).copied().collect()
    }
}

/// New times on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) from: Window,
    pub(super) to: Window,
    pub(super) since: DateTime<Utc>,
}

/// Since when something is changing: rows do not say when it was decided, but it was after they last agreed.
pub(super) fn since(target: &Target) -> DateTime<Utc> {
    target.synced_at.or(target.made.as_ref().map(|made| made.at)).unwrap_or(target.created_at)
}

/// The earliest of the instants since when these are changing.
pub(super) fn since_all(targets: &[Named<'_>], else_at: DateTime<Utc>) -> DateTime<Utc> {
    targets.iter().filter(|(_, t)| !t.is_in_place() && !t.is_dead()).map(|(_, t)| since(t)).min().unwrap_or(else_at)
}

/// A card that was never written: nothing is on its way, a person has to come with a card.
fn waits_for_card(target: &Target, systems: &Systems<'_>) -> bool {
    let rules = systems.get(&target.system).and_then(|system| system.report.kinds.get(&Kind::Card));
    target.kind() == Kind::Card
        && target.made.is_none()
        && !target.is_in_place()
        && rules.and_then(|rules| rules.card).is_some_and(|path| path != CardPath::Preassigned)
}

/// The doors of a method, as they are and as they are to be.
pub(super) fn doors(parts: &Parts<'_>, systems: &Systems<'_>) -> Doors {
    let mut doors = Doors::default();
    for (_, target) in parts.targets.iter().filter(|(_, t)| t.credential().is_some() && !waits_for_card(t, systems)) {
        if systems.get(&target.system).and_then(|s| s.report.kinds.get(&target.kind())).is_some_and(|r| r.doors == DoorLimit::ByUser) {
            through_user(&mut doors, parts, target);
            continue;
        }
        let wanted = wanted_doors(target);
        if target.is_in_place() {
            doors.now.extend(wanted.iter().copied());
        } else if !target.gone || is_leaving(target) {
            doors.now.extend(made_doors(target));
        }
        doors.wanted.extend(wanted);
    }
    doors
}

/// A credential whose doors are those that its user may pass, as far as they are this method's.
fn through_user(doors: &mut Doors, parts: &Parts<'_>, credential: &Target) {
    for (_, permission) in &parts.permissions {
        let Wanted::Access { user, doors: ids, suspended, .. } = &permission.want else { continue };
        if credential.credential().and_then(|c| c.user) != Some(*user) {
            continue;
        }
        let mine = || ids.iter().filter(|door| parts.row.doors.contains(door)).copied();
        if !permission.gone && !*suspended && !credential.gone {
            doors.wanted.extend(mine());
        }
        let there = permission.is_in_place() || is_leaving(permission);
        if there && (credential.is_in_place() || is_leaving(credential)) {
            doors.now.extend(mine());
        }
    }
}

/// The times of some targets, if any of them is getting new ones.
pub(super) fn times(targets: &[Named<'_>], systems: &Systems<'_>) -> Option<Times> {
    let mut changing: Option<Times> = None;
    for (_, target) in targets {
        let (Some(old), Some(new)) = (old_window(target), target.credential().map(|c| c.window)) else { continue };
        let graces = systems.get(&target.system).map(|system| system.graces).unwrap_or_default();
        let this = Times { from: without_graces(&old, graces), to: without_graces(&new, graces), since: since(target) };
        changing = Some(match changing {
            None => this,
            Some(so_far) => Times { from: so_far.from.hull(&this.from), to: so_far.to.hull(&this.to), since: so_far.since.min(this.since) },
        });
    }
    changing
}

/// The pending mutations of a method.
pub(super) fn of_method(parts: &Parts<'_>, systems: &Systems<'_>) -> Vec<PendingMutation> {
    let doors = doors(parts, systems);
    let (missing, surplus) = (doors.missing(), doors.surplus());
    let (from, to): (Vec<_>, Vec<_>) = (doors.now.iter().copied().collect(), doors.wanted.iter().copied().collect());
    let at = since_all(&parts.targets, parts.row.created_at);
    let mut pending = Vec::new();
    if !missing.is_empty() {
        pending.push(PendingMutation::provisioning_access(at, &from, &to));
    }
    if !surplus.is_empty() {
        pending.push(PendingMutation::revoking_access(at, &from, &to));
    }
    if let Some(times) = times(&parts.targets, systems) {
        pending.push(PendingMutation::method_updating_access_times(times.since, &times.from, &times.to));
    }
    pending
}

/// A grant's change of doors, of all its methods together: what any of them still lacks, and what any still opens.
pub(super) fn of_spaces(
    doors: &[AcsEntranceId],
    missing: &BTreeSet<AcsEntranceId>,
    surplus: &BTreeSet<AcsEntranceId>,
    at: DateTime<Utc>,
) -> Option<PendingMutation> {
    if missing.is_empty() && surplus.is_empty() {
        return None;
    }
    let from: BTreeSet<_> = doors.iter().filter(|door| !missing.contains(door)).chain(surplus).copied().collect();
    Some(PendingMutation::updating_spaces(at, &from.into_iter().collect::<Vec<_>>(), doors))
}

/// A grant's change of times, and the methods that are getting them.
pub(super) fn of_times(changing: &[(AccessMethodId, Times)], window: &Window) -> Option<PendingMutation> {
    let since = changing.iter().map(|(_, times)| times.since).min()?;
    let from = changing.iter().map(|(_, times)| times.from).reduce(|a, b| a.hull(&b))?;
    let methods: Vec<_> = changing.iter().map(|(method, _)| *method).collect();
    Some(PendingMutation::updating_access_times(since, &methods, &from, window))
}
