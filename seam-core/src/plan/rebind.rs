//! An entrance gets another vendor id: the lock was replaced, the door was renamed. Its grants follow.
use super::change::Outcome;
use super::draft::Draft;
use super::read::{Shared, Stop, Try};
use super::{doors, method, next};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodId, AcsEntranceId, EventType};
use crate::provider::Handle;
use crate::state::*;
use serde_json::json;
use std::collections::BTreeSet;

/// The member of the handle of an entrance that went up in another.
const ABSORBED_BY: &str = "absorbed_by";

/// Whether an entrance went up in another. Its row is kept for history and is found by nobody.
pub(super) fn is_absorbed(entrance: &Entrance) -> bool {
    entrance.report.handle.0.get(ABSORBED_BY).is_some()
}

/// An entrance that is known. One that its system no longer shows still is; one that went up in another is not.
pub(super) fn there(d: &Draft<'_>, id: AcsEntranceId) -> Try<Entrance> {
    known(d, id).map(|entrance| Entrance::clone(&entrance))
}

/// That there is such an entrance, as in [`there`]: the parameter `field` names it.
pub(super) fn named(d: &Draft<'_>, id: AcsEntranceId, field: &str) -> Try<()> {
    known(d, id).map(drop).map_err(|stop| match stop {
        Stop::Reject(e) => Stop::Reject(e.with_field(field)),
        need => need,
    })
}

fn known(d: &Draft<'_>, id: AcsEntranceId) -> Try<Shared<Entrance>> {
    let entrance = d.shared::<Entrance>(id)?;
    if is_absorbed(&entrance) {
        return Err(Error::not_found("acs_entrance", id).into());
    }
    Ok(entrance)
}

/// Binds an entrance to what the system shows now as `to`, which goes up in it: spaces that hold `to` hold the entrance instead, and every
/// credential at the entrance is made again for the new lock.
///
/// # Errors
/// `InvalidInput` (`to`) for the same entrance or one of another system, or one that the system does not show; `Conflict`
/// (`entrance_has_access`) when `to` has credentials of its own; `NotFound`.
pub(super) fn rebind(d: &mut Draft<'_>, id: AcsEntranceId, to: AcsEntranceId) -> Try<Outcome> {
    d.hint([id.uuid(), to.uuid()]);
    d.gather()?;
    let mut entrance = there(d, id)?;
    let mut absorbed = there(d, to)?;
    if id == to || entrance.system != absorbed.system {
        return Err(Error::invalid("to", "name another entrance of the same access system").into());
    }
    if absorbed.missing_since.is_some() {
        return Err(Error::invalid("to", "the access system does not show this entrance").into());
    }
    let system_id = entrance.system;
    let (targets, spaces) = (Key::id(Index::TargetsAt, system_id), Key::id(Index::SpacesWith, to));
    d.reader().hint_keys([targets.clone(), spaces.clone()]);
    d.hint([system_id.uuid()]);
    d.gather()?;
    let rows = d.find_exactly(&targets)?;
    d.hint(rows.iter().copied());
    d.gather()?;
    let system = d.get::<System>(system_id)?;
    let mut here = Vec::new();
    for row in rows {
        let target = d.get::<Target>(row)?;
        if doors_of(&target).contains(&to) {
            return Err(Error::new(ErrorKind::Conflict, "entrance_has_access", "there is access to this entrance already: end it first")
                .with_field("to")
                .with_context("acs_entrance_id", to)
                .into());
        }
        if doors_of(&target).contains(&id) && !target.gone {
            here.push(row);
        }
    }
    let before = doors::channel_of(&system, Some(&entrance));
    entrance.report = std::sync::Arc::clone(&absorbed.report);
    entrance.missing_since = None;
    let after = doors::channel_of(&system, Some(&entrance));
    std::sync::Arc::make_mut(&mut absorbed.report).handle = Handle(json!({ ABSORBED_BY: id }));
    absorbed.missing_since = Some(d.now());
    let account = entrance.account;
    d.set(id, entrance);
    d.set(to, absorbed);
    d.event(
        EventType::ACS_ENTRANCE_REMOVED.as_str(),
        to,
        json!({ "acs_entrance_id": to, "acs_system_id": system_id, "connected_account_id": account }),
    );
    for row in d.find_exactly(&spaces)? {
        let mut space = d.get::<Space>(row)?;
        let has = space.entrances.contains(&id);
        space.entrances.retain(|e| *e != to || !has);
        for entrance in &mut space.entrances {
            if *entrance == to {
                *entrance = id;
            }
        }
        d.set(row, space);
        super::space::followed(d, crate::model::SpaceId::from_uuid(row))?;
    }
    let mut methods: BTreeSet<AccessMethodId> = BTreeSet::new();
    for row in here {
        // The spaces' grants may have been fitted meanwhile.
        let mut target = d.get::<Target>(row)?;
        if target.channel == before {
            target.channel = after.clone();
        }
        let rules = method::rules_of(d, &target)?;
        next::again(&mut target, &rules, d.now());
        // PINs are claimed at the physical door, which is another one now; those of methods when they are fitted.
        match target.of {
            TargetOf::Method(method) => drop(methods.insert(method)),
            _ => super::credential::claim_again(d, row, &mut target)?,
        }
        d.set(row, target);
    }
    for method in methods {
        method::fit(d, method)?;
        method::unissue(d, method)?;
    }
    Ok(Outcome::Done)
}

fn doors_of(target: &Target) -> &[AcsEntranceId] {
    match &target.want {
        Wanted::Access { doors, .. } => doors,
        Wanted::Credential(c) => &c.doors,
        _ => &[],
    }
}
