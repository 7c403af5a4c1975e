//! What follows from a target's new state: methods are issued, doors begin to work, and it is told once.
use super::draft::Draft;
use super::grant::methods_of;
use super::read::Try;
use super::{method, next, settle};
use crate::model::{AccessGrantId, AccessMethodId, AcsEntranceId, AcsSystemId, EventType, UserIdentityId};
use crate::planted::{self, Bug};
use crate::provider::{Certainty, DoorClass, Handle, Needs};
use crate::state::*;
use serde_json::json;
use std::collections::BTreeSet;

/// Tells and derives what follows from a target's change.
pub(super) fn after(d: &mut Draft<'_>, row: RowId, before: &Target) -> Try<()> {
    let t = d.get::<Target>(row)?;
    renamed(d, &t, before.handle.as_ref())?;
    arrived(d, row, &t, before)?;
    if t.credential().is_some() {
        credential_changed(d, row, before, t.clone())?;
    }
    match t.of {
        TargetOf::Method(m) => method_changed(d, m),
        TargetOf::User(u) => user_changed(d, u),
        TargetOf::Stay(_) | TargetOf::Direct => Ok(()),
    }
}

/// What belongs to a user follows her when she has another id at the vendor than before.
pub(super) fn renamed(d: &mut Draft<'_>, t: &Target, before: Option<&Handle>) -> Try<()> {
    match (t.of, &t.want) {
        (TargetOf::User(user), Wanted::User { .. }) if before.is_some() && t.handle.as_ref() != before => {
            super::member::follow_user(d, user)
        }
        _ => Ok(()),
    }
}

/// What waits for a user begins as soon as she is there, and not when it would have looked again. What failed keeps its own time.
fn arrived(d: &mut Draft<'_>, row: RowId, t: &Target, before: &Target) -> Try<()> {
    let is_there = |t: &Target| matches!(t.seen, SeenState::Present { .. });
    let (TargetOf::User(user), Wanted::User { .. }, true) = (t.of, &t.want, is_there(t) && !is_there(before)) else { return Ok(()) };
    let now = d.now();
    for (id, mut waits) in super::user::hanging(d, user)? {
        let is_put_off = waits.work.after == Some(row) && waits.work.failure.is_none() && waits.work.due_at.is_some_and(|at| at > now);
        if is_put_off {
            let rules = method::rules_of(d, &waits)?;
            next::schedule(&mut waits, &rules, now);
            d.set(id, waits);
        }
    }
    Ok(())
}

/// Tells once that a credential was issued, issued again after a change, or is gone. One that is suspended is not issued, whatever is put.
fn credential_changed(d: &mut Draft<'_>, row: RowId, before: &Target, mut t: Target) -> Try<()> {
    let was = before.made.is_some() && works(d, before)?;
    if !was && works(d, &t)? {
        let event = if t.issued_at.is_some() { EventType::ACS_CREDENTIAL_REISSUED } else { EventType::ACS_CREDENTIAL_ISSUED };
        t.issued_at = t.issued_at.or(Some(d.now()));
        settle::tell_credential(d, &event, row, &t)?;
        d.set(row, t.clone());
    }
    if t.is_out() && !t.told_deleted {
        t.told_deleted = true;
        settle::tell_credential(d, &EventType::ACS_CREDENTIAL_DELETED, row, &t)?;
        d.set(row, t);
    }
    Ok(())
}

/// A user or one of her permissions changed: her methods at that system may work now.
pub(super) fn user_changed(d: &mut Draft<'_>, user: crate::model::AcsUserId) -> Try<()> {
    let Some(identity) = d.try_get::<AcsUser>(user)?.and_then(|u| u.identity) else { return Ok(()) };
    let methods = d.find(&Key::id(Index::MethodsOf, identity))?;
    d.hint(methods.iter().copied());
    d.gather()?;
    for m in methods {
        method_changed(d, AccessMethodId::from_uuid(m))?;
    }
    Ok(())
}

/// Whether a target does what it is wanted for, as surely as its kind can be known.
fn works(d: &Draft<'_>, t: &Target) -> Try<bool> {
    Ok(!next::is_suspended(t) && next::is_issued(t, &method::rules_of(d, t)?))
}

fn method_changed(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let mut m = d.get::<Method>(id)?;
    if m.is_over() {
        return Ok(());
    }
    d.hint(m.targets.iter().copied());
    d.gather()?;
    let mut live = 0usize;
    let mut in_place = 0usize;
    let mut working: BTreeSet<AcsEntranceId> = BTreeSet::new();
    let mut encoding = false;
    let mut least = Certainty::Verified;
    for row in &m.targets {
        let t = d.get::<Target>(*row)?;
        if t.gone {
            continue;
        }
        live += 1;
        encoding |= t.needs == Needs::Encoding;
        let doors: Vec<AcsEntranceId> = match t.credential() {
            Some(c) if c.user.is_some() => permitted(d, &t, &m)?,
            Some(c) => c.doors.clone(),
            None => Vec::new(),
        };
        let complete = match t.credential().and_then(|c| c.user) {
            Some(_) => !doors.is_empty() && doors_at(d, &m, t.system)?.iter().all(|x| doors.contains(x)),
            None => true,
        };
        if works(d, &t)? {
            working.extend(doors);
            if complete {
                in_place += 1;
            }
        }
        if let SeenState::Present { certainty, .. } = t.seen {
            least = least.min(certainty);
        }
    }
    let issued = live > 0 && (in_place == live || (in_place > 0 && planted::is(Bug::IssuedTooSoon)));
    let newly = issued && !m.issued;
    let no_more = m.issued && !issued;
    let again = m.ever_issued;
    m.issued = issued;
    if !encoding {
        m.told_encoding = false;
    }
    if newly {
        m.issued_at = Some(d.now());
        m.ever_issued = true;
        m.warnings.clear();
    }
    let grants = m.grants.clone();
    d.set(id, m);
    for g in &grants {
        doors_work(d, *g, &working, least)?;
    }
    if no_more {
        method::tell(d, &EventType::ACCESS_METHOD_REVOKED, id)?;
    }
    if newly {
        let event = if again { EventType::ACCESS_METHOD_REISSUED } else { EventType::ACCESS_METHOD_ISSUED };
        if !planted::is(Bug::EventMissing) {
            method::tell(d, &event, id)?;
        }
        if planted::is(Bug::EventTwice) {
            method::tell(d, &event, id)?;
        }
        for g in grants {
            all_doors(d, g)?;
        }
    }
    Ok(())
}

/// Doors of a method at a system.
pub(super) fn doors_at(d: &Draft<'_>, m: &Method, system: AcsSystemId) -> Try<Vec<AcsEntranceId>> {
    d.hint(m.doors.iter().map(|x| x.uuid()));
    d.gather()?;
    let mut here = Vec::new();
    for door in &m.doors {
        if d.get::<Entrance>(*door)?.system == system {
            here.push(*door);
        }
    }
    Ok(here)
}

/// Doors that a user's permissions, as they are in place, open for a credential.
fn permitted(d: &Draft<'_>, t: &Target, m: &Method) -> Try<Vec<AcsEntranceId>> {
    let Some(user) = t.credential().and_then(|c| c.user) else { return Ok(Vec::new()) };
    let row = d.get::<AcsUser>(user)?;
    if !works(d, &d.get::<Target>(row.target)?)? {
        return Ok(Vec::new());
    }
    let mut open = BTreeSet::new();
    for (_, access) in super::user::hanging(d, user)? {
        if let Wanted::Access { doors, .. } = &access.want
            && works(d, &access)?
        {
            open.extend(doors.iter().copied());
        }
    }
    Ok(m.doors.iter().copied().filter(|x| open.contains(x)).collect())
}

/// Doors of a grant that work now and had not been told.
fn doors_work(d: &mut Draft<'_>, id: AccessGrantId, working: &BTreeSet<AcsEntranceId>, certainty: Certainty) -> Try<()> {
    let Some(mut grant) = d.try_get::<Grant>(id)?.filter(Grant::is_live) else { return Ok(()) };
    let new: Vec<AcsEntranceId> = working.iter().copied().filter(|x| grant.doors.contains(x) && !grant.told.contains(x)).collect();
    if new.is_empty() {
        return Ok(());
    }
    grant.told.extend(new.iter().copied());
    let who = grant.identity;
    d.set(id, grant);
    for door in new {
        let mut fields = json!({ "access_grant_id": id, "acs_entrance_id": door });
        if certainty == Certainty::Verified {
            fields["confirmed_at"] = json!(crate::model::time::text(d.now()));
        }
        d.event(EventType::ACCESS_GRANT_ACCESS_GRANTED_TO_DOOR.as_str(), who, fields);
    }
    Ok(())
}

/// Doors of a grant that were told to work and that none of its methods is to open any more: it is suspended, or they were taken away. Told when it
/// is decided, as everything that is withdrawn; and they are told again when they work again.
pub(super) fn doors_lost(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let Some(mut grant) = d.try_get::<Grant>(id)?.filter(|g| g.is_live() && !g.told.is_empty()) else { return Ok(()) };
    let methods = methods_of(&grant);
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    let mut wanted: BTreeSet<AcsEntranceId> = BTreeSet::new();
    for m in methods {
        let m = d.get::<Method>(m)?;
        if !m.is_over() && !grant.suspended {
            wanted.extend(m.doors);
        }
    }
    let lost: Vec<AcsEntranceId> = grant.told.difference(&wanted).copied().collect();
    if lost.is_empty() {
        return Ok(());
    }
    grant.told.retain(|door| wanted.contains(door));
    grant.told_all = false;
    let who = grant.identity;
    d.set(id, grant);
    tell_lost(d, id, who, lost);
    Ok(())
}

/// Tells that doors of a grant no longer open.
pub(super) fn tell_lost(d: &mut Draft<'_>, id: AccessGrantId, who: UserIdentityId, doors: impl IntoIterator<Item = AcsEntranceId>) {
    for door in doors {
        d.event(EventType::ACCESS_GRANT_ACCESS_TO_DOOR_LOST.as_str(), who, json!({ "access_grant_id": id, "acs_entrance_id": door }));
    }
}

/// Everything that was asked for is in place, at every door that does not open by itself.
fn all_doors(d: &mut Draft<'_>, id: AccessGrantId) -> Try<()> {
    let Some(mut grant) = d.try_get::<Grant>(id)?.filter(Grant::is_live) else { return Ok(()) };
    let methods = methods_of(&grant);
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    let mut all = !methods.is_empty();
    for m in methods {
        let m = d.get::<Method>(m)?;
        all &= m.issued || m.is_over();
    }
    let silent: Vec<AcsEntranceId> = grant.doors.iter().copied().filter(|door| !grant.told.contains(door)).collect();
    d.hint(silent.iter().map(|door| door.uuid()));
    d.gather()?;
    for door in silent {
        all &= d.get::<Entrance>(door)?.report.class == DoorClass::Implicit;
    }
    if all && !grant.told_all {
        grant.told_all = true;
        let who = grant.identity;
        d.set(id, grant);
        d.event(EventType::ACCESS_GRANT_ACCESS_GRANTED_TO_ALL_DOORS.as_str(), who, json!({ "access_grant_id": id }));
    }
    Ok(())
}
