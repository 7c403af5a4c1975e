//! Which entrances something is to open: what is decided, whether or not the doors have learned it. What has been taken away, is suspended or
//! stands for nobody opens none; what it may still open meanwhile is residual access.
use super::people::staying;
use super::target::mode;
use super::{Viewer, hidden};
use crate::model::{AccessMethodId, AcsAccessGroupId, AcsCredentialId, AcsEntranceId, AcsUserId, UserIdentityId};
use crate::plan::Try;
use crate::provider::DoorLimit;
use crate::state::{AcsUser, Grant, Group, Index, Key, Method, RowId, System, Target, TargetOf, Wanted};
use std::collections::BTreeSet;

/// Entrances.
pub(crate) type Doors = BTreeSet<AcsEntranceId>;

/// The entrances of a credential: its own, or those that its user may pass.
pub(crate) fn of_credential(v: &Viewer<'_>, id: AcsCredentialId) -> Try<Doors> {
    let target = v.get::<Target>(id)?;
    if mode(target.kind()).is_none() || (target.gone && !super::target::is_leaving(target)) {
        return hidden::<Target, _>(id);
    }
    of_target(v, target)
}

fn of_target(v: &Viewer<'_>, target: &Target) -> Try<Doors> {
    let Some(wanted) = target.credential().filter(|_| !target.gone && !target.is_withheld()) else {
        return Ok(Doors::new());
    };
    v.reader.hint([target.system.uuid()].into_iter().chain(wanted.user.map(|user| user.uuid())));
    v.reader.gather()?;
    let Some(user) = wanted.user else { return Ok(wanted.doors.iter().copied().collect()) };
    if v.try_get::<AcsUser>(user)?.is_none_or(|user| user.suspended || user.deleted_at.is_some()) {
        return Ok(Doors::new());
    }
    let rules = v.try_get::<System>(target.system)?.and_then(|system| system.report.kinds.get(&target.kind()));
    if rules.is_some_and(|rules| rules.doors == DoorLimit::ByUser) {
        return permitted(&hanging(v, user)?);
    }
    Ok(wanted.doors.iter().copied().collect())
}

fn hanging<'a>(v: &Viewer<'a>, user: AcsUserId) -> Try<Vec<(RowId, &'a Target)>> {
    v.all::<Target, RowId>(v.reader.find(&Key::id(Index::TargetsOfUser, user))?)
}

#[expect(clippy::unnecessary_wraps, reason = "the callers hand it on as the answer of a view")]
fn permitted(hanging: &[(RowId, &Target)]) -> Try<Doors> {
    let mut doors = Doors::new();
    for (_, target) in hanging {
        match &target.want {
            Wanted::Access { doors: ids, suspended: false, .. } if !target.gone => doors.extend(ids),
            _ => {}
        }
    }
    Ok(doors)
}

/// The entrances of a user: those that she may pass, and those of credentials that name their own.
pub(crate) fn of_user(v: &Viewer<'_>, id: AcsUserId) -> Try<Doors> {
    let row = v.get::<AcsUser>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<AcsUser, _>(id);
    }
    if row.suspended {
        return Ok(Doors::new());
    }
    let hanging = hanging(v, id)?;
    let mut doors = permitted(&hanging)?;
    for (_, target) in hanging {
        doors.extend(of_target(v, target)?);
    }
    Ok(doors)
}

/// The entrances of a person: of her users at all systems, and of her credentials at systems without users.
pub(crate) fn of_person(v: &Viewer<'_>, id: UserIdentityId) -> Try<Doors> {
    let (id, row) = staying(v, id)?;
    if row.deleted_at.is_some() {
        return hidden::<crate::state::Identity, _>(id);
    }
    let mut doors = Doors::new();
    for user in users_of(v, id)? {
        doors.extend(of_user(v, user)?);
    }
    let credentials = credentials_of_person(v, id)?;
    for (_, target) in v.all::<Target, RowId>(&credentials.into_iter().collect::<Vec<_>>())? {
        doors.extend(of_target(v, target)?);
    }
    Ok(doors)
}

/// The users that a person is, at all systems.
pub(crate) fn users_of(v: &Viewer<'_>, id: UserIdentityId) -> Try<Vec<AcsUserId>> {
    let users: Vec<AcsUserId> = v.reader.find(&Key::id(Index::UsersOf, id))?.iter().copied().map(AcsUserId::from_uuid).collect();
    v.reader.hint_keys(users.iter().map(|user| Key::id(Index::TargetsOfUser, *user)));
    v.reader.gather()?;
    Ok(users)
}

/// The entrances of a group.
pub(crate) fn of_group(v: &Viewer<'_>, id: AcsAccessGroupId) -> Try<Doors> {
    Ok(v.get::<Group>(id)?.entrances.iter().copied().collect())
}

/// The rows of all credentials of a person: of her users, issued to her directly, and of every method that was made for her grants.
pub(crate) fn credentials_of_person(v: &Viewer<'_>, id: UserIdentityId) -> Try<BTreeSet<RowId>> {
    let (id, _) = staying(v, id)?;
    v.reader.hint_keys([Index::UsersOf, Index::TargetsOfUser, Index::GrantsOf].map(|index| Key::id(index, id)));
    v.reader.gather()?;
    let mut rows: BTreeSet<RowId> = v.reader.find(&Key::id(Index::TargetsOfUser, id))?.iter().copied().collect();
    for user in users_of(v, id)? {
        rows.extend(v.reader.find(&Key::id(Index::TargetsOfUser, user))?);
    }
    let grants = v.all::<Grant, RowId>(v.reader.find(&Key::id(Index::GrantsOf, id))?)?;
    let methods: Vec<AccessMethodId> =
        grants.iter().flat_map(|(_, grant)| grant.requested.iter().flat_map(|asked| asked.methods.iter().copied())).collect();
    for (_, method) in v.all::<Method, _>(&methods)? {
        rows.extend(&method.targets);
    }
    Ok(rows)
}

/// The groups that a person's or a user's membership is wanted in, by her grants or by hand.
pub(crate) fn groups_of_user(v: &Viewer<'_>, id: AcsUserId) -> Try<BTreeSet<AcsAccessGroupId>> {
    let row = v.get::<AcsUser>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<AcsUser, _>(id);
    }
    let mut groups: BTreeSet<AcsAccessGroupId> = row.groups.iter().copied().collect();
    for (_, target) in hanging(v, id)? {
        if let (Wanted::Access { groups: of, .. }, false) = (&target.want, target.gone) {
            groups.extend(of);
        }
    }
    Ok(groups)
}

/// The method that a credential belongs to.
pub(crate) fn method_of(target: &Target) -> Option<AccessMethodId> {
    if let TargetOf::Method(method) = target.of { Some(method) } else { None }
}
