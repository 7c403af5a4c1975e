//! What a user is let into by hand: a group, or one entrance by the groups that open it and nothing else.
use super::change::{CredentialOwner, Outcome};
use super::cover::{cover, would_also_open};
use super::draft::Draft;
use super::read::Try;
use super::{doors, identity, member, rebind, user};
use crate::error::{Error, ErrorKind};
use crate::model::{AcsAccessGroupId, AcsEntranceId, AcsSystemId, AcsUserId};
use crate::provider::Groups;
use crate::state::*;
use std::collections::BTreeSet;

/// The user that somebody is at a system. A person who has none there gets one, who stays when no grant asks for her.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a user of another system; `Unsupported` at a system without users.
fn user_at(d: &mut Draft<'_>, system: AcsSystemId, who: CredentialOwner) -> Try<AcsUserId> {
    match who {
        CredentialOwner::User(id) => {
            if user::living(d, id)?.system != system {
                return Err(Error::invalid("acs_user_id", "the user belongs to another access system").into());
            }
            Ok(id)
        }
        CredentialOwner::Identity(person) => {
            let (person, _) = identity::living(d, person)?;
            let account = d.get::<System>(system)?.account;
            let id = user::ensure_user(d, system, account, person)?;
            let mut row = d.get::<AcsUser>(id)?;
            row.by_hand = true;
            d.set(id, row);
            Ok(id)
        }
    }
}

/// Puts somebody into a group.
///
/// # Errors
/// As [`user_at`] and [`user::set_membership`].
pub(super) fn join_group(d: &mut Draft<'_>, who: CredentialOwner, group: AcsAccessGroupId) -> Try<Outcome> {
    let system = d.get::<Group>(group)?.system;
    let id = user_at(d, system, who)?;
    user::set_membership(d, id, group, true)
}

/// Lets somebody pass an entrance, by the groups of its system that open it and nothing else.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a user of another system; `Unsupported` where groups would also open other entrances (`would_also_open`), and where
/// the system lets nobody pass by groups (`entrance_access_not_supported`): there a grant, or a credential that names the entrance, does it.
pub(super) fn entrance(d: &mut Draft<'_>, who: CredentialOwner, entrance: AcsEntranceId) -> Try<Outcome> {
    const FIELD: &str = "acs_entrance_id";
    rebind::named(d, entrance, FIELD)?;
    let door = d.get::<Entrance>(entrance)?;
    let system = d.get::<System>(door.system)?;
    if d.get::<Account>(system.account)?.deleted_at.is_some() {
        let e = Error::new(ErrorKind::Conflict, "acs_system_disconnected", "the access system's account is disconnected");
        return Err(e.with_context("acs_system_id", door.system).into());
    }
    if system.report.groups != Groups::Fixed {
        let message =
            "access to a single entrance is given by groups at systems that have them: make a grant, or issue a credential".to_owned();
        return Err(doors::unsupported("entrance_access_not_supported", message, door.system).with_field(FIELD).into());
    }
    let groups = member::groups_of(d, &system, door.system)?;
    let id = user_at(d, door.system, who)?;
    let wanted = BTreeSet::from([entrance]);
    let window = user::asked_of(d, &d.get::<AcsUser>(id)?)?;
    let found = cover(&system, &groups, &wanted, &window, None);
    if !found.open.is_empty() {
        return Err(would_also_open(door.system, &groups, &wanted, &found.open).with_field(FIELD).into());
    }
    for group in found.units.into_iter().filter_map(|unit| unit.group) {
        user::set_membership(d, id, group, true)?;
    }
    Ok(Outcome::User(id))
}
