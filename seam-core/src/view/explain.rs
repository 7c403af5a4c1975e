//! Can this person enter, and what decides it.
use super::Viewer;
use super::answer::{CanEnter, Explanation, Fact, Says};
use super::credential::stay_of;
use super::method::{Parts, permissions};
use super::people::staying;
use super::target::Named;
use super::worlds::{Known, Maybe, Scene, facts, opens_at};
use crate::model::{AccessGrantId, AccessMethodId, AcsCredentialId, AcsEntranceId, Holder, StayId, UserIdentityId, codes};
use crate::plan::Try;
use crate::plan::residual::{dies_now, residual_of};
use crate::provider::{DoorClass, DoorLimit};
use crate::state::{
    Account, AcsUser, Claim, ClaimKey, Entrance, Grant, GrantPhase, Index, Key, Method, Near, RowId, SeenState, Stay, System, Target,
    TargetOf, Wanted,
};
use crate::store::Vault;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

/// The key under which stays claim a door.
pub(crate) fn door_claim(vault: &Vault, door: AcsEntranceId) -> ClaimKey {
    vault.claim_key("stay", &door.to_string(), "")
}

/// Whether a person can enter at a door at an instant, as far as is known now, and the facts that decide it.
///
/// It goes over everything of the person that reaches or reached the door: live grants, those that have ended, those that were deleted and have
/// something left at the systems, and credentials issued directly. An instant to come is answered as if what is decided is carried out or not; a
/// past one by what is stored now.
///
/// # Errors
/// `NotFound` for an unknown person or entrance.
pub(crate) fn explain(v: &Viewer<'_>, identity: UserIdentityId, entrance: AcsEntranceId, at: DateTime<Utc>) -> Try<Explanation> {
    let (who, _) = staying(v, identity)?;
    let door = v.get::<Entrance>(entrance)?;
    let (grants_key, here) = (Key::id(Index::GrantsOf, who), Key::id(Index::TargetsAt, door.system));
    v.reader.hint([door.system.uuid(), door.account.uuid()]);
    v.reader.hint_keys([grants_key.clone(), here.clone()]);
    v.reader.gather()?;
    let system = v.get::<System>(door.system)?;
    let held = held(v, who, v.reader.find(&grants_key)?, v.reader.find(&here)?)?;
    let stays = stays_at(v, entrance, at, &held)?;
    let scene = Scene { door: entrance, entrance: door, system, at, now: v.now(), stays: &stays };

    let mut all: Vec<Fact> = site_facts(v, door, system)?.into_iter().map(Fact::from).collect();
    let mut answer = Maybe::No;
    let mut told: BTreeSet<AccessGrantId> = BTreeSet::new();
    let mut doubts: Vec<Fact> = Vec::new();
    for one in held.iter().filter(|one| one.target.1.system == door.system && one.concerns(&scene)) {
        if let Some((id, grant)) = one.grant.filter(|(id, _)| told.insert(*id)) {
            let says = grant_facts(grant, entrance, door.report.class);
            all.extend(says.into_iter().map(|says| Fact { access_grant_id: Some(id), ..Fact::from(says) }));
        }
        let this = one.opens(v, &scene)?;
        let says = one.facts(v, &scene, this)?;
        let facts = says.into_iter().map(|says| Fact {
            access_grant_id: one.grant.map(|(id, _)| id),
            access_method_id: one.method.map(|(id, _)| id),
            acs_credential_id: Some(AcsCredentialId::from_uuid(one.target.0)),
            says,
        });
        let facts: Vec<Fact> = facts.collect();
        if this == Maybe::Perhaps {
            doubts.extend(facts.iter().filter(|fact| fact.says.is_doubt()).cloned());
        }
        all.extend(facts);
        answer = answer | this;
    }
    if all.iter().all(|fact| fact.acs_credential_id.is_none() && fact.access_grant_id.is_none()) {
        all.push(Says::NothingReachesTheDoor.into());
    }
    if door.report.class == DoorClass::Implicit && answer != Maybe::No {
        all.push(Says::Implicit.into());
    }
    if let Some(since) = door.missing_since.filter(|_| answer == Maybe::Yes) {
        answer = Maybe::Perhaps;
        doubts.push(Says::EntranceMissing { since }.into());
    }
    let can_enter = match answer {
        Maybe::Yes => CanEnter::Yes,
        Maybe::No => CanEnter::No,
        Maybe::Perhaps => CanEnter::Perhaps { why: Box::new(doubts.into_iter().next().unwrap_or_else(|| Says::ChangeOnItsWay.into())) },
    };
    Ok(Explanation { user_identity_id: who, acs_entrance_id: entrance, at, can_enter, facts: all })
}

/// A credential of the person, with where it comes from.
struct Holding<'a> {
    target: Named<'a>,
    grant: Option<(AccessGrantId, &'a Grant)>,
    method: Option<(AccessMethodId, &'a Method)>,
    permissions: Vec<Named<'a>>,
    stay: Option<(StayId, &'a Stay)>,
}

/// Everything that the person holds, held or is to hold at the systems: of her grants, and whatever else is at this system in her name.
fn held<'a>(v: &Viewer<'a>, who: UserIdentityId, grants: &[RowId], here: &[RowId]) -> Try<Vec<Holding<'a>>> {
    let mut grants: BTreeSet<AccessGrantId> = grants.iter().copied().map(AccessGrantId::from_uuid).collect();
    let hers: Vec<Named<'_>> = v
        .all::<Target, RowId>(here)?
        .into_iter()
        .filter(|(_, target)| target.credential().is_some_and(|c| c.identity == Some(who)))
        .collect();
    let methods: Vec<AccessMethodId> = hers
        .iter()
        .filter_map(|(_, target)| match target.of {
            TargetOf::Method(method) => Some(method),
            _ => None,
        })
        .collect();
    for (_, method) in v.all::<Method, _>(&methods)? {
        grants.extend(method.grants.iter().copied());
    }
    let rows = v.all::<Grant, _>(&grants.into_iter().collect::<Vec<_>>())?;
    let of_grants: Vec<AccessMethodId> =
        rows.iter().flat_map(|(_, g)| g.requested.iter().flat_map(|r| r.methods.iter().copied())).collect();
    v.reader.hint(of_grants.iter().map(|method| method.uuid()));
    v.reader.gather()?;
    let mut seen: BTreeSet<RowId> = BTreeSet::new();
    let mut held = Vec::new();
    for (id, grant) in rows {
        let methods: Vec<_> = grant.requested.iter().flat_map(|asked| asked.methods.iter().copied()).collect();
        for (method, row) in v.all::<Method, _>(&methods)? {
            let parts = Parts::read(v, method, row)?;
            let credentials = parts.targets.iter().filter(|(row, target)| target.credential().is_some() && !seen.contains(row));
            for target in credentials.copied().collect::<Vec<_>>() {
                // A method that serves several grants is told of under the one that is live.
                let live = grant.is_live() || row.grants.iter().all(|other| *other == id);
                if live || v.all::<Grant, _>(&row.grants)?.iter().all(|(_, other)| !other.is_live()) {
                    seen.insert(target.0);
                    let stay = with_stay(v, target.1)?;
                    let permissions = parts.permissions.clone();
                    held.push(Holding { target, grant: Some((id, grant)), method: Some((method, row)), permissions, stay });
                }
            }
        }
    }
    for target in hers.into_iter().filter(|(row, _)| !seen.contains(row)) {
        let permissions = permissions(v, &[target])?;
        held.push(Holding { target, grant: None, method: None, permissions, stay: with_stay(v, target.1)? });
    }
    Ok(held)
}

fn with_stay<'a>(v: &Viewer<'a>, target: &Target) -> Try<Option<(StayId, &'a Stay)>> {
    Ok(stay_of(v, target)?.and_then(|stay| Some((target.credential()?.stay?, stay))))
}

/// Stays that have or had the door: those of the person's own credentials, and those that begin from there until the instant.
fn stays_at<'a>(v: &Viewer<'a>, door: AcsEntranceId, at: DateTime<Utc>, held: &[Holding<'a>]) -> Try<Vec<(StayId, &'a Stay)>> {
    let Some(first) = held.iter().filter_map(|one| Some(one.stay?.1.window.starts_at())).min() else { return Ok(Vec::new()) };
    let until = at.max(v.now()).max(first) + Duration::days(1);
    let near = Near { key: door_claim(v.vault, door), from: first, until: Some(until) };
    let mut ids: BTreeSet<StayId> = held.iter().filter_map(|one| Some(one.stay?.0)).collect();
    let mine = |claim: &Claim| claim.key == near.key;
    let claims = v.reader.near(&near)?.iter().filter(|c| c.workspace == v.workspace && mine(&c.claim));
    ids.extend(claims.map(|c| StayId::from_uuid(c.row)));
    let stays = v.all::<Stay, _>(&ids.into_iter().collect::<Vec<_>>())?;
    Ok(stays.into_iter().filter(|(_, stay)| stay.doors.contains(&door)).collect())
}

impl<'a> Holding<'a> {
    fn rules(&self, scene: &Scene<'a>) -> Option<&'a crate::provider::KindRules> {
        scene.system.report.kinds.get(&self.target.1.kind())
    }

    fn holder(&self) -> Holder {
        self.grant.map_or(Holder::Guest, |(_, grant)| grant.holder)
    }

    fn known(&self, rules: &'a crate::provider::KindRules) -> Known<'a> {
        let lost = self.method.is_some_and(|(_, method)| method.lost);
        Known { target: self.target.1, rules, holder: self.holder(), lost, stay: self.stay }
    }

    /// Whether it has, had or is to have anything to do with the door.
    fn concerns(&self, scene: &Scene<'_>) -> bool {
        let (_, target) = self.target;
        let credential = target.credential();
        let has = |doors: &[AcsEntranceId]| doors.contains(&scene.door);
        credential.is_some_and(|c| has(&c.doors))
            || target.made.as_ref().is_some_and(|made| has(&made.doors))
            || target.others.iter().any(|other| has(&other.can.doors))
            || self.grant.is_some_and(|(_, grant)| has(&grant.doors))
            || self.method.is_some_and(|(_, method)| has(&method.doors))
            || self.permissions.iter().any(|(_, p)| matches!(&p.want, Wanted::Access { doors, .. } if has(doors)))
            || (scene.entrance.report.class == DoorClass::Implicit && self.holder().is_guest())
    }

    /// Whether it opens the door: by itself, or with the permissions of its user.
    fn opens(&self, v: &Viewer<'a>, scene: &Scene<'a>) -> Try<Maybe> {
        let Some(rules) = self.rules(scene) else { return Ok(Maybe::No) };
        let own = opens_at(&self.known(rules), scene);
        if rules.doors != DoorLimit::ByUser || scene.entrance.report.class == DoorClass::Implicit {
            return Ok(own);
        }
        let Some(user) = self.target.1.credential().and_then(|c| c.user) else { return Ok(Maybe::No) };
        let mut through = Maybe::No;
        for (_, permission) in &self.permissions {
            let Some(rules) = scene.system.report.kinds.get(&permission.kind()) else { continue };
            let known = Known { target: permission, rules, holder: self.holder(), lost: false, stay: None };
            through = through | opens_at(&known, scene);
        }
        Ok(own & through & admitted(v, user, scene)?)
    }

    /// What is to be said of it.
    fn facts(&self, v: &Viewer<'a>, scene: &Scene<'a>, answer: Maybe) -> Try<Vec<Says>> {
        let Some(rules) = self.rules(scene) else { return Ok(Vec::new()) };
        let (id, target) = self.target;
        let mut says = facts(&self.known(rules), scene, answer);
        if rules.doors == DoorLimit::ByUser
            && let Some(user) = target.credential().and_then(|c| c.user)
        {
            if admitted(v, user, scene)? != Maybe::Yes {
                says.push(Says::UserBarred);
            }
            let pending =
                |(_, p): &&Named<'_>| matches!(&p.want, Wanted::Access { doors, .. } if doors.contains(&scene.door)) && !p.is_in_place();
            if self.permissions.iter().any(|p| pending(&p)) {
                says.push(Says::ChangeOnItsWay);
            }
        }
        let entrance = |door: AcsEntranceId| (door == scene.door).then_some(scene.entrance);
        let left = residual_of(target, id, &entrance, rules, self.stay.map(|(_, stay)| stay), v.now());
        if let Some(left) = left.into_iter().find(|left| left.acs_entrance_id == scene.door) {
            let overridable = self.stay.is_some_and(|(_, stay)| stay.doors.contains(&scene.door));
            says.push(Says::Residual {
                until: left.until,
                why: left.why,
                dies: dies_now(target, scene.entrance.report.class, overridable),
            });
        }
        Ok(says)
    }
}

/// Whether the system lets the user pass at all.
fn admitted(v: &Viewer<'_>, user: crate::model::AcsUserId, scene: &Scene<'_>) -> Try<Maybe> {
    let Some(user) = v.try_get::<AcsUser>(user)? else { return Ok(Maybe::No) };
    let Some(target) = v.try_get::<Target>(user.target)? else { return Ok(Maybe::No) };
    let (suspended, window) = match &target.want {
        Wanted::User { suspended, window } => (*suspended, *window),
        _ => (false, None),
    };
    let wish = !target.gone && !suspended && window.is_none_or(|window| window.contains(scene.at));
    Ok(match target.seen {
        _ if target.is_in_place() => {
            if wish {
                Maybe::Yes
            } else {
                Maybe::No
            }
        }
        SeenState::Never if scene.at > scene.now && wish => Maybe::Perhaps,
        SeenState::Never => Maybe::No,
        SeenState::Absent { certainty } if certainty == crate::provider::Certainty::Verified && !(scene.at > scene.now && wish) => {
            Maybe::No
        }
        _ => Maybe::Perhaps,
    })
}

/// What is to be said of a grant at the door.
fn grant_facts(grant: &Grant, door: AcsEntranceId, class: DoorClass) -> Vec<Says> {
    let mut says = Vec::new();
    match grant.phase {
        GrantPhase::Live => {}
        GrantPhase::Ended { at } => says.push(Says::GrantEnded { at }),
        GrantPhase::Deleted { at } => says.push(Says::GrantDeleted { at }),
    }
    if grant.suspended {
        says.push(Says::GrantSuspended);
    }
    if class != DoorClass::Implicit && !grant.doors.contains(&door) {
        says.push(Says::DoorNotInGrant);
    }
    says
}

/// What is to be said of the door and its system.
fn site_facts(v: &Viewer<'_>, door: &Entrance, system: &System) -> Try<Vec<Says>> {
    let mut says = Vec::new();
    says.extend(door.missing_since.map(|since| Says::EntranceMissing { since }));
    let account = v.try_get::<Account>(door.account)?;
    let noted = system.errors.iter().chain(account.iter().flat_map(|account| &account.errors)).find(|note| is_disconnection(&note.code));
    let since = [system.missing_since, account.and_then(|account| account.deleted_at), noted.map(|note| note.at)];
    says.extend(since.into_iter().flatten().min().map(|since| Says::SystemDisconnected { since }));
    Ok(says)
}

fn is_disconnection(code: &str) -> bool {
    [
        codes::error::ACS_SYSTEM_DISCONNECTED,
        codes::error::ACCOUNT_DISCONNECTED,
        codes::error::BRIDGE_DISCONNECTED,
        codes::error::PROVIDER_SERVICE_UNAVAILABLE,
    ]
    .contains(&code)
}
