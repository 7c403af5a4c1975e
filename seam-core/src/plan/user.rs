//! Users of access systems and their groups.
use super::change::{NewUser, Outcome, Person, UserUpdate};
use super::draft::{Draft, expose};
use super::read::Try;
use super::{doors, identity, member, method, next, refresh, span, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodId, AcsAccessGroupId, AcsSystemId, AcsUserId, ConnectedAccountId, EventType, UserIdentityId, Window};
use crate::provider::{Groups, Kind, KindRules, Needs};
use crate::state::*;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) use super::credential::{create_credential, delete_credential, remove_direct_of, update_credential};

/// The field under which name and contacts of a user without a person are sealed, as the JSON of a [`Person`].
const PROFILE: &str = "profile";
/// How many groups a user can be put into when it is made.
const MAX_GROUPS: usize = 200;

/// A target that nothing was sent of yet, through the system's own channel.
pub(super) fn blank_target(d: &Draft<'_>, system: &System, system_id: AcsSystemId, of: TargetOf, want: Wanted) -> Target {
    Target {
        system: system_id,
        account: system.account,
        channel: doors::channel_of(system, None),
        of,
        want,
        rev: 1,
        gone: false,
        seen: SeenState::Never,
        handle: None,
        needs: Needs::Nothing,
        made: None,
        sent: None,
        others: Vec::new(),
        may_open_until: None,
        pin: None,
        link: None,
        card_number: None,
        card_tag: None,
        work: Work::default(),
        asked: None,
        renew_at: None,
        told_deleted: false,
        stale_claims: 0,
        claims: Vec::new(),
        created_at: d.now(),
        issued_at: None,
        synced_at: None,
    }
}

/// How a kind behaves at a system, or the error that it cannot hold it.
pub(super) fn rules(system: &System, system_id: AcsSystemId, kind: Kind) -> Try<KindRules> {
    match system.report.kinds.get(&kind).filter(|_| !system.missing_kinds.contains(&kind)) {
        Some(rules) => Ok(rules.clone()),
        None => {
            let message = format!("the access system holds nothing of the kind {}", word(kind));
            Err(doors::unsupported("kind_not_supported", message, system_id).with_context("kind", word(kind)).into())
        }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Stay => "stay",
        Kind::User => "user",
        Kind::Access => "access",
        Kind::Code => "code",
        Kind::Card => "card",
        Kind::MobileKey => "mobile_key",
        Kind::CloudKey => "cloud_key",
        Kind::Biometric => "biometric",
    }
}

/// The user that a person is at a system: the one she has, or a new one. The commit depends on its being unchanged.
///
/// # Errors
/// `Unsupported` (`kind_not_supported`) at a system without users.
pub(super) fn ensure_user(d: &mut Draft<'_>, system: AcsSystemId, account: ConnectedAccountId, identity: UserIdentityId) -> Try<AcsUserId> {
    match of_person(d, system, identity)? {
        Some(user) => {
            d.depend_on(user);
            Ok(user)
        }
        None => {
            let row = blank(d, system, account, Some(identity));
            make(d, row)
        }
    }
}

/// The user that a person is at a system, as this draft sees it.
pub(super) fn of_person(d: &Draft<'_>, system: AcsSystemId, identity: UserIdentityId) -> Try<Option<AcsUserId>> {
    let mine = |u: &AcsUser| u.system == system && u.identity == Some(identity) && u.deleted_at.is_none();
    let made_here = d.written().find_map(|r| match &r.body {
        Body::User(u) if mine(u) => Some(AcsUserId::from_uuid(r.id)),
        _ => None,
    });
    if made_here.is_some() {
        return Ok(made_here);
    }
    for row in d.find(&user_key(system, identity))? {
        if mine(&d.get::<AcsUser>(row)?) {
            return Ok(Some(AcsUserId::from_uuid(row)));
        }
    }
    Ok(None)
}

fn blank(d: &Draft<'_>, system: AcsSystemId, account: ConnectedAccountId, identity: Option<UserIdentityId>) -> AcsUser {
    AcsUser {
        system,
        account,
        identity,
        profile: None,
        target: RowId::nil(),
        groups: Vec::new(),
        schedule: None,
        suspended: false,
        by_hand: false,
        misfits: Vec::new(),
        before: None,
        created_at: d.now(),
        deleted_at: None,
    }
}

/// Writes a new user with the target that carries it, and tells it.
fn make(d: &mut Draft<'_>, mut row: AcsUser) -> Try<AcsUserId> {
    let system = d.get::<System>(row.system)?;
    let rules = rules(&system, row.system, Kind::User)?;
    let id = AcsUserId::from_uuid(d.env.mint());
    row.target = d.env.mint();
    let want = Wanted::User { window: row.schedule, suspended: row.suspended };
    let mut t = blank_target(d, &system, row.system, TargetOf::User(id), want);
    next::schedule(&mut t, &rules, d.now());
    d.set(row.target, t);
    tell(d, &EventType::ACS_USER_CREATED, id, &row);
    d.set(id, row);
    Ok(id)
}

fn tell(d: &mut Draft<'_>, event: &EventType, id: AcsUserId, row: &AcsUser) {
    let order = row.identity.map_or(id.uuid(), UserIdentityId::uuid);
    d.event(event.as_str(), order, json!({ "acs_user_id": id, "acs_system_id": row.system, "connected_account_id": row.account }));
}

/// Name and contacts of a user: her person's, or those that are kept with the user.
pub(super) fn profile_of(d: &Draft<'_>, id: AcsUserId, row: &AcsUser) -> Try<Person> {
    if let Some(sealed) = &row.profile {
        let text = d.env.open(id.uuid(), PROFILE, sealed)?;
        return serde_json::from_str(expose(&text)).map_err(|_| {
            Error::new(ErrorKind::Corrupt, "profile_unreadable", "the profile of a user does not decode")
                .with_context("acs_user_id", id)
                .into()
        });
    }
    let Some(person) = row.identity else { return Ok(Person::default()) };
    let (at, body) = identity::resolved(d, person)?;
    let known = identity::details(d, at, &body)?;
    // A system wants a name; one who is erased has none.
    Ok(Person { full_name: Some(identity::name_of(d, at)?), ..known })
}

/// A user that is there.
pub(super) fn living(d: &Draft<'_>, id: AcsUserId) -> Try<AcsUser> {
    let row = d.get::<AcsUser>(id)?;
    if row.deleted_at.is_some() {
        return Err(Error::not_found("acs_user", id).into());
    }
    Ok(row)
}

/// Makes a user at a system: of a person, or with a name of its own.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound`; `Conflict` (`acs_user_exists`) when the person has a user there; `Unsupported` at a system without
/// users or groups.
pub(super) fn create(d: &mut Draft<'_>, new: &NewUser) -> Try<Outcome> {
    validate::at_most("acs_access_group_ids", new.groups.len(), MAX_GROUPS)?;
    let system = d.get::<System>(new.system)?;
    let mut row = AcsUser { by_hand: true, ..blank(d, new.system, system.account, None) };
    if new.starts_at.is_some() || new.ends_at.is_some() {
        row.schedule = Some(validate::window(new.starts_at, new.ends_at, d.now())?);
    }
    if let Some(person) = new.identity {
        let (person, _) = identity::living(d, person)?;
        if new.profile != Person::default() {
            return Err(Error::invalid("profile", "name and contacts of a user are her person's: leave them out").into());
        }
        if let Some(has) = of_person(d, new.system, person)? {
            let e = Error::new(ErrorKind::Conflict, "acs_user_exists", "the person has a user at this access system already");
            return Err(e.with_field("user_identity_id").with_context("acs_user_id", has).into());
        }
        row.identity = Some(person);
    } else {
        identity::check(&new.profile)?;
        if new.profile.key.is_some() || new.profile.full_name.is_none() {
            return Err(Error::invalid("profile", "a user without a person has a full name, and no key").into());
        }
    }
    let id = make(d, row)?;
    if new.identity.is_none() {
        keep_profile(d, id, &new.profile)?;
    }
    for group in &new.groups {
        join(d, id, *group)?;
    }
    Ok(Outcome::User(id))
}

pub(super) fn keep_profile(d: &mut Draft<'_>, id: AcsUserId, profile: &Person) -> Try<()> {
    let text = serde_json::to_string(profile)
        .map_err(|_| Error::new(ErrorKind::Internal, "profile_unwritable", "the profile of a user does not encode"))?;
    let sealed = d.env.seal(id.uuid(), PROFILE, &text)?;
    let mut row = d.get::<AcsUser>(id)?;
    row.profile = Some(sealed);
    d.set(id, row);
    Ok(())
}

/// Changes a user's name, contacts or schedule. Name and contacts of a user who is a person's are changed with the person: they are kept in
/// one place, so that they can be erased.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound`.
pub(super) fn update(d: &mut Draft<'_>, id: AcsUserId, update: &UserUpdate) -> Try<Outcome> {
    let mut row = living(d, id)?;
    let mut again = false;
    if update.full_name.is_some() || update.email_address.is_some() || update.phone_number.is_some() {
        if row.identity.is_some() {
            return Err(Error::invalid("full_name", "name and contacts of this user are her person's: update the user identity").into());
        }
        let mut profile = profile_of(d, id, &row)?;
        let before = profile.clone();
        profile.full_name = update.full_name.clone().or(profile.full_name);
        profile.email_address = update.email_address.clone().or(profile.email_address);
        profile.phone_number = update.phone_number.clone().or(profile.phone_number);
        identity::check(&profile)?;
        if profile != before {
            keep_profile(d, id, &profile)?;
            row = d.get::<AcsUser>(id)?;
            again = true;
        }
    }
    let mut t = d.get::<Target>(row.target)?;
    if let Some(schedule) = update.schedule {
        remember(&mut row, &t);
        row.schedule = match schedule {
            Some((starts, ends)) => Some(validate::window(Some(starts), ends, d.now())?),
            None => None,
        };
        for (target, t) in memberships(d, id, &row.groups)? {
            fit_membership(d, target, t, &row)?;
        }
    }
    let want = Wanted::User { window: row.schedule, suspended: row.suspended };
    let rules = method::rules_of(d, &t)?;
    if !next::want(&mut t, want, &rules, d.now()) && again {
        // The profile is looked up when it is sent.
        next::again(&mut t, &rules, d.now());
    }
    d.set(row.target, t);
    d.set(id, row);
    Ok(Outcome::User(id))
}

/// Suspends a user, or takes her up again. She keeps everything and opens nothing.
///
/// # Errors
/// `NotFound`.
pub(super) fn suspend(d: &mut Draft<'_>, id: AcsUserId, suspended: bool) -> Try<Outcome> {
    let mut row = living(d, id)?;
    let mut t = d.get::<Target>(row.target)?;
    remember(&mut row, &t);
    row.suspended = suspended;
    let rules = method::rules_of(d, &t)?;
    next::want(&mut t, Wanted::User { window: row.schedule, suspended }, &rules, d.now());
    d.set(row.target, t);
    let system = row.system;
    d.set(id, row);
    if suspended {
        lose_doors(d, id, system)?;
    }
    Ok(Outcome::User(id))
}

/// Tells that the doors of a system no longer open for a user's grants.
fn lose_doors(d: &mut Draft<'_>, id: AcsUserId, system: AcsSystemId) -> Try<()> {
    for (_, t) in hanging(d, id)? {
        let TargetOf::Method(m) = t.of else { continue };
        let method = d.get::<Method>(m)?;
        for door in refresh::doors_at(d, &method, system)? {
            for grant in &method.grants {
                member::lost(d, (*grant, door))?;
            }
        }
    }
    Ok(())
}

/// Keeps what the system has, so that a change can be told from what to what until it is there.
fn remember(row: &mut AcsUser, t: &Target) {
    if t.is_in_place() {
        row.before = Some(UserBefore { rev: t.rev, suspended: row.suspended, schedule: row.schedule });
    }
}

/// Deletes a user with her credentials at the system. Her grants stay and lose the doors there, for good: nothing brings the user back but a
/// new grant, or a method that is asked for anew.
///
/// # Errors
/// `NotFound`.
pub(super) fn delete(d: &mut Draft<'_>, id: AcsUserId) -> Try<Outcome> {
    let row = living(d, id)?;
    lose_methods(d, id, row.system)?;
    remove(d, id)?;
    Ok(Outcome::Done)
}

/// Takes everything away that a user opens: her groups, her direct credentials, the doors of her grants at her system. She stays.
///
/// # Errors
/// `NotFound`.
pub(super) fn revoke_access(d: &mut Draft<'_>, id: AcsUserId) -> Try<Outcome> {
    let mut row = living(d, id)?;
    row.groups.clear();
    let (system, person) = (row.system, row.identity);
    // Somebody speaks of her by name: she does not go with the last of her grants.
    row.by_hand = true;
    d.set(id, row);
    lose_methods(d, id, system)?;
    for (target, mut t) in hanging(d, id)? {
        if t.of == TargetOf::Direct {
            super::credential::take_away(d, target)?;
        } else if matches!(t.want, Wanted::Access { .. }) {
            let rules = method::rules_of(d, &t)?;
            next::take_away(&mut t, &rules, d.now());
            d.set(target, t);
        }
    }
    if let Some(person) = person {
        member::fit_access(d, id, system, person)?;
    }
    Ok(Outcome::User(id))
}

/// The methods of a user lose the doors of her system, for good; those without any door left are deleted.
fn lose_methods(d: &mut Draft<'_>, id: AcsUserId, system: AcsSystemId) -> Try<()> {
    let hanging = d.find_exactly(&Key::id(Index::TargetsOfUser, id))?;
    d.hint(hanging.iter().copied());
    d.gather()?;
    let mut methods: BTreeSet<AccessMethodId> = BTreeSet::new();
    for target in hanging {
        if let TargetOf::Method(m) = d.get::<Target>(target)?.of {
            methods.insert(m);
        }
    }
    for m in methods {
        let mut method = d.get::<Method>(m)?;
        if method.is_over() {
            continue;
        }
        let there = refresh::doors_at(d, &method, system)?;
        method.doors.retain(|door| !there.contains(door));
        if method.doors.is_empty() {
            method::retire(d, m, true)?;
        } else {
            d.set(m, method);
            method::fit(d, m)?;
        }
    }
    Ok(())
}

/// Takes a user away with everything that hangs on it, whoever put it there. Deleted already is fine.
pub(super) fn remove(d: &mut Draft<'_>, id: AcsUserId) -> Try<()> {
    let mut row = d.get::<AcsUser>(id)?;
    if row.deleted_at.is_some() {
        return Ok(());
    }
    let hanging = d.find_exactly(&Key::id(Index::TargetsOfUser, id))?;
    d.hint(hanging.iter().copied().chain([row.target, row.system.uuid()]));
    d.gather()?;
    for target in hanging.into_iter().chain([row.target]) {
        let mut t = d.get::<Target>(target)?;
        let rules = method::rules_of(d, &t)?;
        next::take_away(&mut t, &rules, d.now());
        d.set(target, t);
    }
    row.deleted_at = Some(d.now());
    tell(d, &EventType::ACS_USER_DELETED, id, &row);
    d.set(id, row);
    Ok(())
}

/// Puts a user into a group, or takes her out. In or out already is fine.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a group of another system; `Conflict` (`acs_access_group_missing`) for one that the system no longer shows;
/// `Unsupported` at a system without groups.
pub(super) fn set_membership(d: &mut Draft<'_>, id: AcsUserId, group: AcsAccessGroupId, is_member: bool) -> Try<Outcome> {
    if is_member {
        join(d, id, group)?
    } else {
        leave(d, id, group)?
    }
    Ok(Outcome::User(id))
}

fn join(d: &mut Draft<'_>, id: AcsUserId, group_id: AcsAccessGroupId) -> Try<()> {
    const FIELD: &str = "acs_access_group_id";
    let mut row = living(d, id)?;
    let group = d.get::<Group>(group_id)?;
    if group.system != row.system {
        return Err(Error::invalid(FIELD, "the group belongs to another access system than the user").into());
    }
    let system = d.get::<System>(row.system)?;
    let rules = rules(&system, row.system, Kind::Access)?;
    if system.report.groups == Groups::None {
        let message = "the access system has no groups".to_owned();
        return Err(doors::unsupported("groups_not_supported", message, row.system).with_field(FIELD).into());
    }
    if row.groups.contains(&group_id) {
        return Ok(());
    }
    if group.missing_since.is_some() {
        let e = Error::new(ErrorKind::Conflict, "acs_access_group_missing", "the access system no longer shows this group");
        return Err(e.with_field(FIELD).into());
    }
    row.groups.push(group_id);
    let mut doors = group.entrances.clone();
    doors.sort();
    let window = membership_window(d, &row, &rules)?;
    let want = Wanted::Access { user: id, doors, groups: vec![group_id], window, schedule: None, suspended: false };
    let has = memberships(d, id, &[group_id])?.into_iter().next();
    let (target, t) = match has {
        // A grant has put her into the group for its time: now she is in it of her own.
        Some((target, mut t)) => {
            next::want(&mut t, want, &rules, d.now());
            (target, t)
        }
        None => {
            let mut t = blank_target(d, &system, row.system, TargetOf::User(id), want);
            t.work.after = Some(row.target);
            next::schedule(&mut t, &rules, d.now());
            (d.env.mint(), t)
        }
    };
    fit_membership(d, target, t, &row)?;
    d.set(id, row);
    Ok(())
}

/// Makes a membership last as long as the user may pass.
fn fit_membership(d: &mut Draft<'_>, target: RowId, mut t: Target, row: &AcsUser) -> Try<()> {
    let rules = method::rules_of(d, &t)?;
    let (new, renew_at) = span::roll(&t, membership_window(d, row, &rules)?, &asked_of(d, row)?, &rules, d.now());
    next::renew(&mut t, renew_at);
    let mut want = t.want.clone();
    if let Wanted::Access { window, .. } = &mut want {
        *window = new;
    }
    next::want(&mut t, want, &rules, d.now());
    d.set(target, t);
    Ok(())
}

/// The time of one of her permissions has come.
pub(super) fn renew(d: &mut Draft<'_>, id: AcsUserId, system: AcsSystemId) -> Try<()> {
    let Some(row) = d.try_get::<AcsUser>(id)?.filter(|row| row.deleted_at.is_none()) else { return Ok(()) };
    for (target, t) in memberships(d, id, &row.groups)? {
        fit_membership(d, target, t, &row)?;
    }
    match row.identity {
        Some(person) => member::fit_access(d, id, system, person),
        None => Ok(()),
    }
}

fn leave(d: &mut Draft<'_>, id: AcsUserId, group_id: AcsAccessGroupId) -> Try<()> {
    let mut row = living(d, id)?;
    if !row.groups.contains(&group_id) {
        d.get::<Group>(group_id)?;
        return Ok(());
    }
    row.groups.retain(|g| *g != group_id);
    let (system, person) = (row.system, row.identity);
    d.set(id, row);
    let by_grants = hanging(d, id)?.into_iter().any(|(_, t)| !t.gone && matches!(t.of, TargetOf::Method(_)));
    if let Some(person) = person.filter(|_| by_grants) {
        // Her grants may want the group too.
        return member::fit_access(d, id, system, person);
    }
    for (target, mut t) in memberships(d, id, &[group_id])? {
        let rules = method::rules_of(d, &t)?;
        next::take_away(&mut t, &rules, d.now());
        d.set(target, t);
    }
    Ok(())
}

/// When a user is in a group: whenever she may pass at all.
pub(super) fn asked_of(d: &Draft<'_>, row: &AcsUser) -> Try<Window> {
    match row.schedule {
        Some(window) => Ok(window),
        None => Ok(validate::window(Some(row.created_at), None, d.now())?),
    }
}

/// That, as the system keeps it.
fn membership_window(d: &Draft<'_>, row: &AcsUser, rules: &KindRules) -> Try<Window> {
    let asked = span::Asked { grant: asked_of(d, row)?, graces: Graces::default(), next_stay: None, now: d.now() };
    Ok(span::credential_window(&asked, rules)?)
}

/// What hangs on a user, as this draft sees it.
pub(super) fn hanging(d: &Draft<'_>, id: AcsUserId) -> Try<Vec<(RowId, Target)>> {
    let belongs = |t: &Target| match &t.want {
        Wanted::Access { user, .. } => *user == id,
        Wanted::Credential(c) => c.user == Some(id),
        _ => false,
    };
    let mut rows: BTreeSet<RowId> = d.find(&Key::id(Index::TargetsOfUser, id))?.into_iter().collect();
    rows.extend(d.written().filter_map(|r| matches!(&r.body, Body::Target(t) if belongs(t)).then_some(r.id)));
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut out = Vec::new();
    for row in rows {
        out.push((row, d.get::<Target>(row)?));
    }
    Ok(out)
}

/// The live permissions of a user that are membership in one of these groups.
fn memberships(d: &Draft<'_>, id: AcsUserId, groups: &[AcsAccessGroupId]) -> Try<Vec<(RowId, Target)>> {
    let mut out = hanging(d, id)?;
    out.retain(|(_, t)| !t.gone && matches!(&t.want, Wanted::Access { groups: g, .. } if g.len() == 1 && groups.contains(&g[0])));
    Ok(out)
}
