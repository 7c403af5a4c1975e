//! Where a grant reaches: entrances and spaces resolved to doors, doors with their systems and abilities.
use super::draft::Draft;
use super::read::{Shared, Try};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodMode, AcsEntranceId, AcsSystemId, SpaceId};
use crate::provider::{DoorClass, Kind, KindRules};
use crate::state::*;
use std::collections::{BTreeMap, BTreeSet};

/// A door with what the planner knows of it.
#[derive(Clone, Debug)]
pub(super) struct DoorFacts {
    pub(super) id: AcsEntranceId,
    pub(super) entrance: Shared<Entrance>,
}

/// Doors by system, each system once.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    pub(super) systems: BTreeMap<AcsSystemId, Shared<System>>,
    pub(super) doors: Vec<DoorFacts>,
}

/// The kind of thing that carries a mode. `None` for modes that a system may report but nobody can ask for.
pub(super) fn kind_of(mode: &AccessMethodMode) -> Option<Kind> {
    match mode {
        AccessMethodMode::Code => Some(Kind::Code),
        AccessMethodMode::Card => Some(Kind::Card),
        AccessMethodMode::MobileKey => Some(Kind::MobileKey),
        AccessMethodMode::CloudKey => Some(Kind::CloudKey),
        _ => None,
    }
}

/// The doors of spaces and of entrances named one by one, in ascending order, each once. The commit depends on the spaces being unchanged.
pub(super) fn resolve(d: &mut Draft<'_>, spaces: &[SpaceId], entrances: &[AcsEntranceId]) -> Try<Vec<AcsEntranceId>> {
    d.hint(spaces.iter().map(|s| s.uuid()));
    d.hint(entrances.iter().map(|e| e.uuid()));
    d.gather()?;
    let mut all: BTreeSet<AcsEntranceId> = entrances.iter().copied().collect();
    for id in spaces {
        let space = d.get::<Space>(*id)?;
        if space.deleted_at.is_some() {
            return Err(Error::not_found("space", id).with_field("space_ids").into());
        }
        d.depend_on(*id);
        all.extend(space.entrances);
    }
    Ok(all.into_iter().collect())
}

/// Reads doors and their systems.
pub(super) fn load(d: &mut Draft<'_>, ids: &[AcsEntranceId]) -> Try<Doors> {
    d.hint(ids.iter().map(|e| e.uuid()));
    d.gather()?;
    let mut out = Doors::default();
    for id in ids {
        let entrance = d.shared::<Entrance>(*id)?;
        d.hint([entrance.system.uuid()]);
        out.doors.push(DoorFacts { id: *id, entrance });
    }
    d.gather()?;
    for door in &out.doors {
        let system = door.entrance.system;
        if let std::collections::btree_map::Entry::Vacant(slot) = out.systems.entry(system) {
            slot.insert(d.shared::<System>(system)?);
        }
    }
    Ok(out)
}

/// Refuses doors of a system whose account was disconnected: nothing would be carried there.
pub(super) fn connected(d: &Draft<'_>, doors: &Doors) -> Try<()> {
    for (id, system) in &doors.systems {
        if d.shared::<Account>(system.account)?.deleted_at.is_some() {
            return Err(Error::new(ErrorKind::Conflict, "acs_system_disconnected", "the access system's account is disconnected")
                .with_context("acs_system_id", id)
                .into());
        }
    }
    Ok(())
}

impl Doors {
    /// The doors of one system, in ascending order.
    pub(super) fn of(&self, system: AcsSystemId) -> impl Iterator<Item = &DoorFacts> {
        self.doors.iter().filter(move |door| door.entrance.system == system)
    }
    /// Doors that a mode can open, by what their systems reported: the door takes it, and the system can hold it. Implicit doors open
    /// for every guest by themselves, so nothing is sent for them.
    pub(super) fn usable(&self, mode: &AccessMethodMode) -> Vec<&DoorFacts> {
        let Some(kind) = kind_of(mode) else { return Vec::new() };
        self.doors
            .iter()
            .filter(|door| door.entrance.report.class != DoorClass::Implicit)
            .filter(|door| takes(&door.entrance, kind))
            .filter(|door| self.systems.get(&door.entrance.system).is_some_and(|s| holds(s, kind)))
            .collect()
    }
    /// How a kind behaves at a system.
    pub(super) fn rules(&self, system: AcsSystemId, kind: Kind) -> Option<&KindRules> {
        self.systems.get(&system).and_then(|s| s.report.kinds.get(&kind))
    }
    /// Doors that take part in reservations, with the systems that override.
    pub(super) fn reservable(&self) -> impl Iterator<Item = &DoorFacts> {
        self.doors.iter().filter(|door| self.is_reservable(door))
    }
    /// Whether a door takes part in reservations.
    pub(super) fn is_reservable(&self, door: &DoorFacts) -> bool {
        door.entrance.report.reservation && self.systems.get(&door.entrance.system).is_some_and(|s| s.report.stay.is_some())
    }
}

/// Whether a system says that it holds a kind.
fn holds(system: &System, kind: Kind) -> bool {
    system.report.kinds.contains_key(&kind) && !system.missing_kinds.contains(&kind)
}

/// Whether a door takes a kind of credential.
pub(super) fn takes(entrance: &Entrance, kind: Kind) -> bool {
    let r = &entrance.report;
    match kind {
        Kind::Code => r.code,
        Kind::Card => r.card,
        Kind::MobileKey => r.mobile_key,
        Kind::CloudKey => r.cloud_key,
        _ => false,
    }
}

/// The channel of a door's credentials: the lock's own where it is reached directly, else the system's.
pub(super) fn channel_of(system: &System, door: Option<&Entrance>) -> Channel {
    let end = door.and_then(|e| e.report.channel.as_ref()).unwrap_or(&system.report.channel);
    Channel::new(&system.kind, &end.key)
}

/// The error for something that a system cannot do. Nothing is sent to it.
pub(super) fn unsupported(code: &'static str, message: String, system: AcsSystemId) -> Error {
    Error::new(ErrorKind::Unsupported, code, message).with_context("acs_system_id", system)
}
