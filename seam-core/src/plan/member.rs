//! Permissions of users at systems that think in users and groups: what a person's grants together ask of one system.
use super::cover::{self, Unit};
use super::draft::Draft;
use super::read::Try;
use super::{doors, method, next, refresh, span};
use crate::error::{Error, ErrorKind};
use crate::model::{
    AccessGrantId, AccessMethodId, AcsAccessGroupId, AcsEntranceId, AcsSystemId, AcsUserId, EventType, UserIdentityId, Weekly, Window,
};
use crate::provider::{DoorLimit, Groups, Kind};
use crate::state::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The PIN method that a person already has at a system where PINs belong to users.
pub(super) fn shared_code(d: &Draft<'_>, system: AcsSystemId, identity: UserIdentityId) -> Try<Option<(AccessMethodId, Method)>> {
    for t in targets_of(d, system, identity)? {
        if let (TargetOf::Method(m), Some(c)) = (t.1.of, t.1.credential())
            && c.kind == Kind::Code
            && !t.1.gone
        {
            let row = d.get::<Method>(m)?;
            if !row.is_over() {
                return Ok(Some((m, row)));
            }
        }
    }
    Ok(None)
}

/// Targets of a person's user at a system: read, and written in this draft.
fn targets_of(d: &Draft<'_>, system: AcsSystemId, identity: UserIdentityId) -> Try<Vec<(RowId, Target)>> {
    let mut users: BTreeSet<RowId> = d.find(&user_key(system, identity))?.into_iter().collect();
    users.extend(d.written().filter_map(|r| match &r.body {
        Body::User(u) if u.system == system && u.identity == Some(identity) && u.deleted_at.is_none() => Some(r.id),
        _ => None,
    }));
    let mut out = Vec::new();
    for user in users {
        out.extend(super::user::hanging(d, AcsUserId::from_uuid(user))?);
    }
    Ok(out)
}

/// A user has another id at the vendor now (she was deleted there by hand, say, and made again): what belongs to her still names the old one.
pub(super) fn follow_user(d: &mut Draft<'_>, user: AcsUserId) -> Try<()> {
    let now = d.now();
    for (row, mut t) in super::user::hanging(d, user)? {
        if t.gone {
            continue;
        }
        let rules = method::rules_of(d, &t)?;
        next::again(&mut t, &rules, now);
        let of = t.of;
        d.set(row, t);
        if let TargetOf::Method(m) = of
            && !d.get::<Method>(m)?.is_over()
        {
            method::unissue(d, m)?;
        }
    }
    Ok(())
}

/// Makes a user's permissions at a system fit all live grants of the person. A user without any is taken away.
///
/// # Errors
/// `Unsupported` when what is newly asked for cannot be given exactly. A grant of which nothing new is asked never stands in the way: what cannot
/// be given of it any more is kept on the user as a [`Misfit`].
pub(super) fn fit_access(d: &mut Draft<'_>, user: AcsUserId, system_id: AcsSystemId, identity: UserIdentityId) -> Try<()> {
    let system = d.get::<System>(system_id)?;
    let has = super::user::hanging(d, user)?;
    let reach = reach(d, &system, system_id, identity)?;
    let groups = if reach.is_empty() { Vec::new() } else { groups_of(d, &system, system_id)? };
    let mut wanted: BTreeMap<RowId, (Unit, Vec<&Reached>)> = BTreeMap::new();
    let mut misfits = Vec::new();
    for reached in &reach {
        let cover = cover::cover(&system, &groups, &reached.doors, &reached.window, reached.schedule.as_ref());
        let mut units = cover.units;
        if !cover.open.is_empty() {
            if asks_anew(d, reached.grant)? {
                return Err(cover::would_also_open(system_id, &groups, &reached.doors, &cover.open).into());
            }
            let kept = kept(&has, &groups, &cover.open);
            misfits.extend(misfit(reached, &cover.open, &kept));
            units.extend(kept);
        }
        for unit in units {
            wanted.entry(unit.key()).or_insert_with(|| (unit, Vec::new())).1.push(reached);
        }
    }
    let mut row = d.get::<AcsUser>(user)?;
    for door in misfits.iter().flat_map(|m: &Misfit| m.lacks.iter().map(|door| (m.grant, *door))) {
        lost(d, door)?;
    }
    if row.misfits != misfits {
        row.misfits = misfits;
        d.set(user, row.clone());
    }
    let direct: BTreeSet<AcsAccessGroupId> = row.groups.iter().copied().collect();
    let now = d.now();
    let mut left = !direct.is_empty() || row.by_hand;
    let rules = method::rules_at(&system, Kind::Access);
    for (id, mut t) in has {
        if t.gone {
            continue;
        }
        let Wanted::Access { doors, groups, .. } = &t.want else {
            left = true;
            continue;
        };
        let unit = Unit { group: groups.first().copied(), doors: doors.clone() };
        if unit.group.is_some_and(|g| direct.contains(&g)) {
            wanted.remove(&unit.key());
            continue;
        }
        let want = match wanted.remove(&unit.key()) {
            Some((unit, reached)) => access(d, user, &system, unit, &reached)?,
            None => None,
        };
        match want {
            Some((mut want, asked)) => {
                left = true;
                if let Wanted::Access { window, .. } = &mut want {
                    let (rolled, renew_at) = span::roll(&t, *window, &asked, &rules, now);
                    *window = rolled;
                    next::renew(&mut t, renew_at);
                }
                next::want(&mut t, want, &rules, now);
                d.set(id, t);
            }
            None => {
                next::take_away(&mut t, &rules, now);
                d.set(id, t);
            }
        }
    }
    for (unit, reached) in wanted.into_values() {
        if unit.group.is_some_and(|g| direct.contains(&g)) {
            continue;
        }
        let Some((want, asked)) = access(d, user, &system, unit, &reached)? else { continue };
        left = true;
        let id = d.env.mint();
        let mut t = super::user::blank_target(d, &system, system_id, TargetOf::User(user), want);
        t.renew_at = t.window().and_then(|window| span::renew_at(&window, &asked, &rules, now));
        t.work.after = Some(row.target);
        next::schedule(&mut t, &rules, now);
        d.set(id, t);
    }
    if !left && row.deleted_at.is_none() {
        remove_user(d, user, row, system_id)?;
    }
    Ok(())
}

/// Whether this draft asks for more of a grant than was stored: it is new, has new doors, other times, or works again.
fn asks_anew(d: &Draft<'_>, grant: AccessGrantId) -> Try<bool> {
    let now = d.get::<Grant>(grant)?;
    let Some(before) = d.reader().try_get::<Grant>(grant)? else { return Ok(true) };
    let wider = now.doors.iter().any(|door| !before.doors.contains(door));
    let works_again = (before.suspended && !now.suspended) || now.requested.len() > before.requested.len();
    Ok(wider || works_again || now.window != before.window || now.schedule != before.schedule)
}

/// Permissions that the user has and that open some of these doors: the system's groups were changed there, and nobody is shut out for that.
fn kept(has: &[(RowId, Target)], groups: &[(AcsAccessGroupId, Group)], open: &BTreeSet<AcsEntranceId>) -> Vec<Unit> {
    let live = has.iter().filter(|(_, t)| !t.gone).filter_map(|(_, t)| match &t.want {
        Wanted::Access { groups, .. } => groups.first().copied(),
        _ => None,
    });
    let live: BTreeSet<AcsAccessGroupId> = live.collect();
    let of_use = groups.iter().filter(|(id, g)| live.contains(id) && g.entrances.iter().any(|door| open.contains(door)));
    of_use.map(|(id, g)| Unit::of_group(*id, g)).collect()
}

fn misfit(reached: &Reached, open: &BTreeSet<AcsEntranceId>, kept: &[Unit]) -> Option<Misfit> {
    let opened: BTreeSet<AcsEntranceId> = kept.iter().flat_map(|unit| unit.doors.iter().copied()).collect();
    let lacks: Vec<AcsEntranceId> = open.difference(&opened).copied().collect();
    let also_opens: Vec<AcsEntranceId> = opened.difference(&reached.doors).copied().collect();
    (!lacks.is_empty() || !also_opens.is_empty()).then_some(Misfit { grant: reached.grant, lacks, also_opens })
}

/// A door of a grant no longer opens, and that is told if it was told that it did.
pub(super) fn lost(d: &mut Draft<'_>, (id, door): (AccessGrantId, AcsEntranceId)) -> Try<()> {
    let mut grant = d.get::<Grant>(id)?;
    if grant.told.remove(&door) {
        grant.told_all = false;
        let who = grant.identity;
        d.set(id, grant);
        refresh::tell_lost(d, id, who, [door]);
    }
    Ok(())
}

/// Groups were changed at the system. Whoever is in them passes other doors, at once and without a call of ours; whoever could not be given
/// everything exactly may be now.
pub(super) fn regroup(d: &mut Draft<'_>, system_id: AcsSystemId, changed: &BTreeSet<AcsAccessGroupId>) -> Try<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = d.find(&Key::id(Index::TargetsAt, system_id))?;
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut users = BTreeSet::new();
    for row in rows {
        let before = d.get::<Target>(row)?;
        if let TargetOf::User(user) = before.of
            && matches!(before.want, Wanted::User { .. })
            && d.try_get::<AcsUser>(user)?.is_some_and(|u| !u.misfits.is_empty())
        {
            users.insert(user);
        }
        let Wanted::Access { user, groups, .. } = &before.want else { continue };
        let Some(group) = groups.first().filter(|g| changed.contains(g)) else { continue };
        let unit = Unit::of_group(*group, &d.get::<Group>(*group)?);
        users.insert(*user);
        let mut t = before.clone();
        if let Wanted::Access { doors, .. } = &mut t.want {
            doors.clone_from(&unit.doors);
        }
        for made in [&mut t.made, &mut t.sent].into_iter().flatten() {
            made.doors.clone_from(&unit.doors);
        }
        d.set(row, t);
    }
    d.hint(users.iter().map(|user| user.uuid()));
    d.gather()?;
    for user in users {
        let row = d.get::<AcsUser>(user)?;
        if let Some(identity) = row.identity.filter(|_| row.deleted_at.is_none()) {
            fit_access(d, user, system_id, identity)?;
            refresh::user_changed(d, user)?;
        }
    }
    Ok(())
}

/// A user that was made for grants and has none left: seats cost money, and a name is kept no longer than it is needed.
fn remove_user(d: &mut Draft<'_>, user: AcsUserId, mut row: AcsUser, system: AcsSystemId) -> Try<()> {
    let now = d.now();
    let mut t = d.get::<Target>(row.target)?;
    let rules = method::rules_of(d, &t)?;
    next::take_away(&mut t, &rules, now);
    d.set(row.target, t);
    row.deleted_at = Some(now);
    let order = row.identity.map_or(user.uuid(), |i| i.uuid());
    d.event(
        EventType::ACS_USER_DELETED.as_str(),
        order,
        json!({ "acs_user_id": user, "acs_system_id": system, "connected_account_id": row.account }),
    );
    d.set(user, row);
    Ok(())
}

/// What a live grant of a person opens at a system through her user.
struct Reached {
    grant: AccessGrantId,
    window: Window,
    schedule: Option<Weekly>,
    doors: BTreeSet<AcsEntranceId>,
}

/// For each live grant of a person: when, and which doors of a system its methods open through the user.
fn reach(d: &Draft<'_>, system: &System, system_id: AcsSystemId, identity: UserIdentityId) -> Try<Vec<Reached>> {
    let mut rows: BTreeSet<RowId> = d.find(&Key::id(Index::MethodsOf, identity))?.into_iter().collect();
    rows.extend(d.written().filter_map(|r| match &r.body {
        Body::Method(m) if m.identity == identity => Some(r.id),
        _ => None,
    }));
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut by_grant: BTreeMap<RowId, BTreeSet<AcsEntranceId>> = BTreeMap::new();
    for row in rows {
        let m = d.get::<Method>(row)?;
        let by_user = doors::kind_of(&m.mode).and_then(|k| system.report.kinds.get(&k)).is_some_and(|r| r.doors == DoorLimit::ByUser);
        if m.is_over() || !by_user {
            continue;
        }
        for g in &m.grants {
            by_grant.entry(g.uuid()).or_default().extend(m.doors.iter().copied());
        }
    }
    d.hint(by_grant.keys().copied());
    d.hint(by_grant.values().flatten().map(|x| x.uuid()));
    d.gather()?;
    let mut out = Vec::new();
    for (g, doors) in by_grant {
        let Some(grant) = d.try_get::<Grant>(g)?.filter(|g| g.is_live() && !g.suspended) else { continue };
        let mut here = BTreeSet::new();
        for door in doors.into_iter().filter(|x| grant.doors.contains(x)) {
            if d.get::<Entrance>(door)?.system == system_id {
                here.insert(door);
            }
        }
        if !here.is_empty() {
            let grant_id = AccessGrantId::from_uuid(g);
            out.push(Reached { grant: grant_id, window: grant.window, schedule: grant.schedule, doors: here });
        }
    }
    Ok(out)
}

/// The groups of a system, those included that it no longer shows: as read, and as written in this draft.
pub(super) fn groups_of(d: &Draft<'_>, system: &System, system_id: AcsSystemId) -> Try<Vec<(AcsAccessGroupId, Group)>> {
    if system.report.groups != Groups::Fixed {
        return Ok(Vec::new());
    }
    let mut rows: BTreeSet<RowId> = d.find(&Key::id(Index::PlacesOf, system_id))?.into_iter().collect();
    rows.extend(d.written().filter(|r| matches!(&r.body, Body::Group(g) if g.system == system_id)).map(|r| r.id));
    let mut out = Vec::new();
    for row in rows {
        out.extend(d.try_get::<Group>(row)?.map(|g| (AcsAccessGroupId::from_uuid(row), g)));
    }
    Ok(out)
}

/// A permission for all these grants together, and the window that they ask for; `None` when nothing is left of it at this system's resolution.
///
/// # Errors
/// `Unsupported` when that is because of something newly asked for, or when two grants that overlap have other hours.
fn access(d: &Draft<'_>, user: AcsUserId, system: &System, unit: Unit, grants: &[&Reached]) -> Try<Option<(Wanted, Window)>> {
    let mut sorted: Vec<&Reached> = grants.iter().copied().filter(|g| !g.window.is_over(d.now())).collect();
    sorted.sort_by_key(|g| g.window.starts_at());
    let first = sorted.first().copied().unwrap_or(grants[0]);
    let mut window = first.window;
    let schedule = first.schedule.clone();
    for g in sorted.iter().skip(1) {
        if window.ends_at().is_none_or(|end| g.window.starts_at() <= end) {
            if g.schedule == schedule {
                window = window.hull(&g.window);
            } else if asks_anew(d, g.grant)? || asks_anew(d, first.grant)? {
                // One permission has one schedule: the wider of two would open at hours that one grant did not mean.
                let message = "two grants of this person overlap here at other hours; the system keeps one schedule per permission";
                return Err(Error::new(ErrorKind::Unsupported, "schedules_differ", message).with_field("schedule").into());
            }
        }
    }
    let rules = method::rules_at(system, Kind::Access);
    let asked = span::Asked { grant: window, graces: system.graces, next_stay: None, now: d.now() };
    let kept = match span::credential_window(&asked, &rules) {
        Ok(kept) => kept,
        Err(e) => {
            for g in grants {
                if asks_anew(d, g.grant)? {
                    return Err(e.into());
                }
            }
            return Ok(None);
        }
    };
    let groups = unit.group.into_iter().collect();
    Ok(Some((Wanted::Access { user, doors: unit.doors, groups, window: kept, schedule, suspended: false }, window)))
}
