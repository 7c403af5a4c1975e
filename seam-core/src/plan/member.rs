//! Permissions of users at systems that think in users and groups: what a person's grants together ask of one system.
use super::draft::Draft;
use super::read::Try;
use super::{doors, method, next, span};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodId, AcsAccessGroupId, AcsEntranceId, AcsSystemId, AcsUserId, EventType, UserIdentityId, Weekly, Window};
use crate::planted::{self, Bug};
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
        out.extend(targets_of_user(d, AcsUserId::from_uuid(user))?);
    }
    Ok(out)
}

fn targets_of_user(d: &Draft<'_>, user: AcsUserId) -> Try<Vec<(RowId, Target)>> {
    let belongs = |t: &Target| match &t.want {
        Wanted::Access { user: u, .. } => *u == user,
        Wanted::Credential(c) => c.user == Some(user),
        _ => false,
    };
    let mut rows: BTreeSet<RowId> = d.find(&Key::id(Index::TargetsOfUser, user))?.into_iter().collect();
    rows.extend(d.written().filter_map(|r| match &r.body {
        Body::Target(t) if belongs(t) => Some(r.id),
        _ => None,
    }));
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut out = Vec::new();
    for row in rows {
        out.push((row, d.get::<Target>(row)?));
    }
    Ok(out)
}

/// A user has another id at the vendor now (she was deleted there by hand, say, and made again): what belongs to her still names the old one.
pub(super) fn follow_user(d: &mut Draft<'_>, user: AcsUserId) -> Try<()> {
    let now = d.now();
    for (row, mut t) in targets_of_user(d, user)? {
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

/// What permissions are made of at a system: a group, or a single door where the provider makes groups of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    group: Option<AcsAccessGroupId>,
    doors: Vec<AcsEntranceId>,
}

/// Makes a user's permissions at a system fit all live grants of the person. A user without any is taken away.
pub(super) fn fit_access(d: &mut Draft<'_>, user: AcsUserId, system_id: AcsSystemId, identity: UserIdentityId) -> Try<()> {
    let system = d.get::<System>(system_id)?;
    let reach = reach(d, &system, system_id, identity)?;
    let mut wanted: BTreeMap<Unit, Vec<(Window, Option<Weekly>)>> = BTreeMap::new();
    if !reach.is_empty() {
        let groups = groups_of(d, &system, system_id)?;
        for (window, schedule, doors) in &reach {
            for unit in units(&system, system_id, &groups, doors)? {
                wanted.entry(unit).or_default().push((*window, schedule.clone()));
            }
        }
    }
    let row = d.get::<AcsUser>(user)?;
    let direct: BTreeSet<AcsAccessGroupId> = row.groups.iter().copied().collect();
    let now = d.now();
    let mut left = !direct.is_empty();
    for (id, mut t) in targets_of_user(d, user)? {
        if t.gone {
            continue;
        }
        let rules = method::rules_of(d, &t)?;
        let Wanted::Access { doors, groups, .. } = &t.want else {
            left = true;
            continue;
        };
        let unit = Unit { group: groups.first().copied(), doors: doors.clone() };
        if unit.group.is_some_and(|g| direct.contains(&g)) {
            wanted.remove(&unit);
            continue;
        }
        match wanted.remove(&unit) {
            Some(windows) => {
                left = true;
                let want = access(d, user, &system, unit, &windows)?;
                if next::want(&mut t, want, &rules, now) {
                    d.set(id, t);
                }
            }
            None => {
                next::take_away(&mut t, &rules, now);
                d.set(id, t);
            }
        }
    }
    for (unit, windows) in wanted {
        if unit.group.is_some_and(|g| direct.contains(&g)) {
            continue;
        }
        left = true;
        let want = access(d, user, &system, unit, &windows)?;
        let rules = system.report.kinds.get(&Kind::Access).cloned().unwrap_or_else(crate::provider::KindRules::full);
        let id = d.env.mint();
        let mut t = super::user::blank_target(d, &system, system_id, TargetOf::User(user), want);
        t.work.after = Some(row.target);
        next::schedule(&mut t, &rules, now);
        d.set(id, t);
    }
    if !left && row.deleted_at.is_none() {
        remove_user(d, user, row, system_id)?;
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

type Reach = Vec<(Window, Option<Weekly>, BTreeSet<AcsEntranceId>)>;

/// For each live grant of a person: when, and which doors of a system its methods open through the user.
fn reach(d: &Draft<'_>, system: &System, system_id: AcsSystemId, identity: UserIdentityId) -> Try<Reach> {
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
            out.push((grant.window, grant.schedule, here));
        }
    }
    Ok(out)
}

fn groups_of(d: &Draft<'_>, system: &System, system_id: AcsSystemId) -> Try<Vec<(AcsAccessGroupId, Group)>> {
    if system.report.groups != Groups::Fixed {
        return Ok(Vec::new());
    }
    let rows = d.find(&Key::id(Index::PlacesOf, system_id))?;
    let mut out = Vec::new();
    for row in rows {
        if let Some(g) = d.try_get::<Group>(row)?.filter(|g| g.missing_since.is_none()) {
            out.push((AcsAccessGroupId::from_uuid(row), g));
        }
    }
    Ok(out)
}

/// The permissions that open exactly these doors: existing groups that lie within them and together cover them, widest first; or one per door.
///
/// # Errors
/// `Unsupported` when groups can only open more than was asked for: never more than was asked for is given silently.
fn units(
    system: &System,
    system_id: AcsSystemId,
    groups: &[(AcsAccessGroupId, Group)],
    doors: &BTreeSet<AcsEntranceId>,
) -> Result<Vec<Unit>, Error> {
    if system.report.groups != Groups::Fixed {
        return Ok(doors.iter().map(|door| Unit { group: None, doors: vec![*door] }).collect());
    }
    let mut within: Vec<&(AcsAccessGroupId, Group)> = groups
        .iter()
        .filter(|(_, g)| !g.entrances.is_empty() && g.entrances.iter().all(|x| doors.contains(x) || planted::is(Bug::GroupsGiveMore)))
        .collect();
    within.sort_by_key(|(id, g)| (std::cmp::Reverse(g.entrances.len()), *id));
    let mut open = doors.clone();
    let mut out = Vec::new();
    for (id, g) in within {
        if g.entrances.iter().any(|x| open.contains(x)) {
            for x in &g.entrances {
                open.remove(x);
            }
            let mut group_doors = g.entrances.clone();
            group_doors.sort();
            out.push(Unit { group: Some(*id), doors: group_doors });
        }
    }
    if let Some(door) = open.iter().next() {
        let also: BTreeSet<AcsEntranceId> = groups
            .iter()
            .filter(|(_, g)| g.entrances.contains(door))
            .flat_map(|(_, g)| g.entrances.iter().copied())
            .filter(|x| !doors.contains(x))
            .collect();
        let also: Vec<String> = also.iter().map(ToString::to_string).collect();
        return Err(doors::unsupported(
            "would_also_open",
            "no set of this system's access groups opens exactly these entrances; the nearest would also open others".to_owned(),
            system_id,
        )
        .with_field("acs_entrance_ids")
        .with_context("acs_entrance_id", door)
        .with_context("would_also_open", also.join(",")));
    }
    Ok(out)
}

fn access(d: &Draft<'_>, user: AcsUserId, system: &System, unit: Unit, windows: &[(Window, Option<Weekly>)]) -> Try<Wanted> {
    let mut sorted: Vec<&(Window, Option<Weekly>)> = windows.iter().filter(|(w, _)| !w.is_over(d.now())).collect();
    sorted.sort_by_key(|(w, _)| w.starts_at());
    let first = sorted.first().copied().unwrap_or(&windows[0]);
    let mut window = first.0;
    let schedule = first.1.clone();
    for (w, s) in sorted.iter().skip(1) {
        if window.ends_at().is_none_or(|end| w.starts_at() <= end) {
            window = window.hull(w);
            if *s != schedule {
                // One permission has one schedule: the wider of two would open at hours that one grant did not mean.
                let message = "two grants of this person overlap here at other hours; the system keeps one schedule per permission";
                return Err(Error::new(ErrorKind::Unsupported, "schedules_differ", message).with_field("schedule").into());
            }
        }
    }
    let rules = system.report.kinds.get(&Kind::Access).cloned().unwrap_or_else(crate::provider::KindRules::full);
    let asked = span::Asked { grant: window, graces: system.graces, next_stay: None, now: d.now() };
    Ok(Wanted::Access {
        user,
        doors: unit.doors,
        groups: unit.group.into_iter().collect(),
        window: span::credential_window(&asked, &rules)?,
        schedule,
        suspended: false,
    })
}
