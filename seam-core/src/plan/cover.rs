//! Which groups of an access system open exactly some doors.
use super::doors;
use crate::error::Error;
use crate::model::{AcsAccessGroupId, AcsEntranceId, AcsSystemId, Weekly, Window};
use crate::planted::{self, Bug};
use crate::provider::Groups;
use crate::state::{Group, RowId, System};
use std::collections::BTreeSet;

/// What permissions are made of at a system: a group, or a single door where the provider makes groups of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) group: Option<AcsAccessGroupId>,
    pub(super) doors: Vec<AcsEntranceId>,
}

impl Unit {
    /// A group with all its doors.
    pub(super) fn of_group(id: AcsAccessGroupId, group: &Group) -> Self {
        let mut doors = group.entrances.clone();
        doors.sort();
        Self { group: Some(id), doors }
    }
    /// What it is known by: the doors of a group change, and it is the same group.
    pub(super) fn key(&self) -> RowId {
        self.group.map_or_else(|| self.doors.first().map_or(RowId::nil(), |door| door.uuid()), |group| group.uuid())
    }
}

/// Permissions that open doors, and what they leave.
#[derive(Debug)]
pub(super) struct Cover {
    /// Permissions that open nothing but the doors.
    pub(super) units: Vec<Unit>,
    /// Doors that none of them opens.
    pub(super) open: BTreeSet<AcsEntranceId>,
}

/// The permissions that open these doors and no others, at these times and no others: groups that lie within them, widest first; or one per door.
///
/// A group that the system no longer shows is not used, nor one that has other hours, or ends before the window does.
pub(super) fn cover(
    system: &System,
    groups: &[(AcsAccessGroupId, Group)],
    doors: &BTreeSet<AcsEntranceId>,
    window: &Window,
    schedule: Option<&Weekly>,
) -> Cover {
    if system.report.groups != Groups::Fixed {
        let units = doors.iter().map(|door| Unit { group: None, doors: vec![*door] }).collect();
        return Cover { units, open: BTreeSet::new() };
    }
    let mut within: Vec<&(AcsAccessGroupId, Group)> = shown(groups)
        .filter(|(_, g)| fits(g, window, schedule))
        .filter(|(_, g)| !g.entrances.is_empty() && g.entrances.iter().all(|x| doors.contains(x) || planted::is(Bug::GroupsGiveMore)))
        .collect();
    within.sort_by_key(|(id, g)| (std::cmp::Reverse(g.entrances.len()), *id));
    let (mut open, mut units) = (doors.clone(), Vec::new());
    for (id, g) in within {
        if g.entrances.iter().any(|x| open.contains(x)) {
            open.retain(|x| !g.entrances.contains(x));
            units.push(Unit::of_group(*id, g));
        }
    }
    Cover { units, open }
}

/// The error for doors that groups can only open with others: never more than was asked for is given silently.
pub(super) fn would_also_open(
    system: AcsSystemId,
    groups: &[(AcsAccessGroupId, Group)],
    doors: &BTreeSet<AcsEntranceId>,
    open: &BTreeSet<AcsEntranceId>,
) -> Error {
    let door = open.iter().next().copied();
    let nearest = shown(groups).filter(|(_, g)| door.is_some_and(|door| g.entrances.contains(&door)));
    let also: BTreeSet<AcsEntranceId> = nearest.flat_map(|(_, g)| g.entrances.iter().copied()).filter(|x| !doors.contains(x)).collect();
    let also: Vec<String> = also.iter().map(ToString::to_string).collect();
    let message = "no set of this system's access groups opens exactly these entrances; the nearest would also open others";
    let error = doors::unsupported("would_also_open", message.to_owned(), system).with_field("acs_entrance_ids");
    let error = door.into_iter().fold(error, |e, door| e.with_context("acs_entrance_id", door));
    error.with_context("would_also_open", also.join(","))
}

fn shown(groups: &[(AcsAccessGroupId, Group)]) -> impl Iterator<Item = &(AcsAccessGroupId, Group)> {
    groups.iter().filter(|(_, g)| g.missing_since.is_none())
}

/// Whether a group's own times allow everything that is asked for. Where it has hours, they are those that are asked for.
fn fits(group: &Group, window: &Window, schedule: Option<&Weekly>) -> bool {
    let begun = group.window.is_none_or(|g| g.starts_at() <= window.starts_at());
    let lasts = group.window.and_then(|g| g.ends_at()).is_none_or(|end| window.ends_at().is_some_and(|asked| asked <= end));
    begun && lasts && (group.schedule.is_none() || group.schedule.as_ref() == schedule)
}
