//! Users of access systems, their groups, and credentials issued directly.
use super::doors;
use super::draft::Draft;
use super::read::Try;
use super::{method, next};
use crate::model::{AcsSystemId, AcsUserId, ConnectedAccountId, EventType, UserIdentityId};
use crate::provider::{Kind, KindRules, Needs};
use crate::state::*;
use serde_json::json;

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
        may_open_until: None,
        pin: None,
        link: None,
        card_number: None,
        card_tag: None,
        work: Work::default(),
        stale_claims: 0,
        claims: Vec::new(),
        created_at: d.now(),
        issued_at: None,
        synced_at: None,
    }
}

/// How a kind behaves at a system, or the error that it cannot hold it.
fn rules(system: &System, system_id: AcsSystemId, kind: Kind) -> Try<KindRules> {
    match system.report.kinds.get(&kind) {
        Some(rules) => Ok(rules.clone()),
        None => {
            Err(doors::unsupported("kind_not_supported", format!("the access system holds nothing of the kind {}", word(kind)), system_id)
                .with_context("kind", word(kind))
                .into())
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
    }
}

/// The user that a person is at a system: the one she has, or a new one. The commit depends on its being unchanged.
///
/// # Errors
/// `Unsupported` (`kind_not_supported`) at a system without users.
pub(super) fn ensure_user(d: &mut Draft<'_>, system: AcsSystemId, account: ConnectedAccountId, identity: UserIdentityId) -> Try<AcsUserId> {
    let mine = |u: &AcsUser| u.system == system && u.identity == Some(identity) && u.deleted_at.is_none();
    let made_here = d.written().find_map(|r| match &r.body {
        Body::User(u) if mine(u) => Some(AcsUserId::from_uuid(r.id)),
        _ => None,
    });
    if let Some(user) = made_here {
        return Ok(user);
    }
    for row in d.find(&user_key(system, identity))? {
        if mine(&d.get::<AcsUser>(row)?) {
            d.depend_on(row);
            return Ok(AcsUserId::from_uuid(row));
        }
    }
    make(d, system, account, Some(identity), None)
}

fn make(
    d: &mut Draft<'_>,
    system_id: AcsSystemId,
    account: ConnectedAccountId,
    identity: Option<UserIdentityId>,
    schedule: Option<crate::model::Window>,
) -> Try<AcsUserId> {
    let system = d.get::<System>(system_id)?;
    let rules = rules(&system, system_id, Kind::User)?;
    let id = AcsUserId::from_uuid(d.env.mint());
    let target = d.env.mint();
    let mut t = blank_target(d, &system, system_id, TargetOf::User(id), Wanted::User { window: schedule, suspended: false });
    next::schedule(&mut t, &rules, d.now());
    d.set(target, t);
    let row = AcsUser {
        system: system_id,
        account,
        identity,
        profile: None,
        target,
        groups: Vec::new(),
        schedule,
        suspended: false,
        created_at: d.now(),
        deleted_at: None,
    };
    tell(d, &EventType::ACS_USER_CREATED, id, &row);
    d.set(id, row);
    Ok(id)
}

fn tell(d: &mut Draft<'_>, event: &EventType, id: AcsUserId, row: &AcsUser) {
    let order = row.identity.map_or(id.uuid(), UserIdentityId::uuid);
    d.event(event.as_str(), order, json!({ "acs_user_id": id, "acs_system_id": row.system, "connected_account_id": row.account }));
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

/// Takes away the credentials that were issued to a person directly, at systems without users.
pub(super) fn remove_direct_of(d: &mut Draft<'_>, identity: UserIdentityId) -> Try<()> {
    for target in d.find_exactly(&Key::id(Index::TargetsOfUser, identity))? {
        let mut t = d.get::<Target>(target)?;
        let rules = method::rules_of(d, &t)?;
        next::take_away(&mut t, &rules, d.now());
        d.set(target, t);
    }
    Ok(())
}

#[allow(unused_variables, missing_docs)]
mod stubs {
    use super::super::change::*; use super::super::draft::Draft; use super::super::read::Try; use crate::model::{Shown, AcsUserId, AcsAccessGroupId, AcsCredentialId};
    use chrono::{DateTime, Utc};
    pub(in crate::plan) fn delete(d: &mut Draft<'_>, id: AcsUserId) -> Try<Outcome> { super::remove(d, id)?; Ok(Outcome::Done) }
    pub(in crate::plan) fn profile_of(d: &Draft<'_>, id: AcsUserId, u: &crate::state::AcsUser) -> Try<Person> { match u.identity { Some(i) => { let (i, row) = super::super::identity::living(d, i)?; super::super::identity::details(d, i, &row) } None => Ok(Person::default()) } }
    pub(in crate::plan) fn create(d: &mut Draft<'_>, p: &NewUser) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn update(d: &mut Draft<'_>, id: AcsUserId, u: &UserUpdate) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn suspend(d: &mut Draft<'_>, id: AcsUserId, s: bool) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn set_membership(d: &mut Draft<'_>, id: AcsUserId, g: AcsAccessGroupId, s: bool) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn create_credential(d: &mut Draft<'_>, p: &NewCredential) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn update_credential(d: &mut Draft<'_>, id: AcsCredentialId, c: Option<&Shown>, e: Option<DateTime<Utc>>) -> Try<Outcome> { Ok(Outcome::Done) }
    pub(in crate::plan) fn delete_credential(d: &mut Draft<'_>, id: AcsCredentialId) -> Try<Outcome> { Ok(Outcome::Done) }
}
pub(super) use stubs::*;
