//! Persons, and users of access systems.
use super::notes::{named, warnings};
use super::target::failure_error;
use super::{Viewer, hidden, sealed};
use crate::model::{self, AcsCredentialId, AcsUserId, Map, ObjectError, PendingMutation, Profile, UserIdentityId, Warning, codes};
use crate::plan::{Person, Try};
use crate::provider::{Kind, Needs};
use crate::state::{AcsUser, Identity, Index, Key, RowId, SeenState, System, Target, TargetOf, Wanted};
use secrecy::ExposeSecret;

/// Name and contacts in the clear; all empty once a person is erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contacts {
    pub(super) full_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

/// Name and contacts of a person.
pub(super) fn contacts(v: &Viewer<'_>, id: UserIdentityId, row: &Identity) -> Try<Contacts> {
    let Some(own) = &row.own_key else {
        return Ok(Contacts::default());
    };
    let key = v.vault.own(own, v.workspace, id.uuid())?;
    let open = |field: &str, text: Option<&crate::state::Sealed>| -> Try<Option<String>> {
        let Some(text) = text else { return Ok(None) };
        Ok(Some(key.open(field, text)?.expose_secret().to_owned()))
    };
    Ok(Contacts {
        full_name: open(sealed::FULL_NAME, row.full_name.as_ref())?,
        email: open(sealed::EMAIL, row.email.as_ref())?,
        phone: open(sealed::PHONE, row.phone.as_ref())?,
    })
}

/// What a person is called: by her name, else by what else is known of her.
pub(super) fn person_name(row: &Identity, who: &Contacts) -> String {
    let known = [who.full_name.as_deref(), who.email.as_deref(), who.phone.as_deref(), row.key.as_deref()];
    named(known, if row.own_key.is_none() && row.deleted_at.is_some() { "Erased person" } else { "Unnamed person" })
}

/// The person that this id leads to: herself, or the one that she was merged into.
pub(super) fn staying<'a>(v: &Viewer<'a>, id: UserIdentityId) -> Try<(UserIdentityId, &'a Identity)> {
    let mut id = id;
    let mut row = v.get::<Identity>(id)?;
    // A merge may follow a merge. No chain is as long as this; a circle would be a corrupt row.
    for _ in 0..64 {
        let Some(into) = row.merged_into else { break };
        id = into;
        row = v.get::<Identity>(id)?;
    }
    Ok((id, row))
}

/// A person. A deleted one is hidden; one that was merged leads to the one that stays.
pub(crate) fn user_identity(v: &Viewer<'_>, id: UserIdentityId) -> Try<model::UserIdentity> {
    let (id, row) = staying(v, id)?;
    if row.deleted_at.is_some() || row.merged_into.is_some() {
        return hidden::<Identity, _>(id);
    }
    let who = contacts(v, id, row)?;
    let users = v.all::<AcsUser, _>(v.reader.find(&Key::id(Index::UsersOf, id))?)?;
    v.reader.hint(users.iter().map(|(_, user)| user.target));
    v.reader.gather()?;
    let mut errors = Vec::new();
    for (user, body) in &users {
        if let Some((target, failed)) = v.try_get::<Target>(body.target)?.and_then(|t| Some((t, t.work.failure.as_ref()?))) {
            errors.push(ObjectError::issue_with_acs_user(failed.at, target.system, AcsUserId::from_uuid(*user)));
        }
    }
    Ok(model::UserIdentity {
        user_identity_id: id,
        workspace_id: v.workspace,
        user_identity_key: row.key.clone(),
        display_name: person_name(row, &who),
        full_name: who.full_name,
        email_address: who.email,
        phone_number: who.phone,
        created_at: row.created_at,
        acs_user_ids: users.iter().map(|(user, _)| AcsUserId::from_uuid(*user)).collect(),
        merged_user_identity_ids: row.merged.clone(),
        merged_user_identity_keys: row.merged_keys.clone(),
        errors,
        warnings: warnings(&row.warnings),
        extra: Map::new(),
    })
}

/// A user of an access system. A deleted one shows that it is being deleted until it is gone there, then it is hidden.
pub(crate) fn acs_user(v: &Viewer<'_>, id: AcsUserId) -> Try<model::AcsUser> {
    let row = v.get::<AcsUser>(id)?;
    v.reader.hint([row.target, row.system.uuid()].into_iter().chain(row.identity.map(|person| person.uuid())));
    v.reader.hint_keys([Key::id(Index::TargetsOfUser, id)]);
    v.reader.gather()?;
    let target = v.try_get::<Target>(row.target)?;
    // Before anything is opened: whoever has to read more begins again.
    let of_groups = group_changes(v, id)?;
    if row.deleted_at.is_some() && target.is_none_or(|target| !super::target::is_leaving(target)) {
        return hidden::<AcsUser, _>(id);
    }
    let system = v.get::<System>(row.system)?;
    let person = row.identity.map(|person| Ok::<_, crate::plan::Stop>((person, v.get::<Identity>(person)?))).transpose()?;
    let linked = person.map(|(person, body)| contacts(v, person, body)).transpose()?.unwrap_or_default();
    let own = own_profile(v, id, row)?;
    let own = if row.profile.is_some() { own } else { linked.clone() };
    let profile = Profile::new(own.full_name.clone(), own.email.clone(), own.phone.clone());
    let external_type = system.report.external_types.get(&Kind::User).cloned();
    let mut pending = target.map(|target| user_changes(row, target, &profile)).unwrap_or_default();
    pending.extend(of_groups);
    Ok(model::AcsUser {
        acs_user_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        workspace_id: v.workspace,
        display_name: named([own.full_name.as_deref(), own.email.as_deref(), own.phone.as_deref()], "Unnamed user"),
        full_name: own.full_name,
        email: own.email.clone(),
        email_address: own.email,
        phone_number: own.phone,
        external_type_display_name: external_type.as_deref().map(super::notes::label),
        external_type,
        user_identity_id: row.identity,
        user_identity_full_name: linked.full_name,
        user_identity_email_address: linked.email,
        user_identity_phone_number: linked.phone,
        created_at: row.created_at,
        is_managed: true,
        is_suspended: Some(row.suspended),
        access_schedule: row.schedule.map(Into::into),
        last_successful_sync_at: target.and_then(|target| target.synced_at),
        errors: target.and_then(|target| failure_error(target, true)).into_iter().collect(),
        warnings: user_warnings(v, row, target),
        pending_mutations: pending,
        extra: Map::new(),
    })
}

fn own_profile(v: &Viewer<'_>, id: AcsUserId, row: &AcsUser) -> Try<Contacts> {
    let Some(profile) = &row.profile else { return Ok(Contacts::default()) };
    let profile = v.vault.open(v.workspace, id.uuid(), sealed::PROFILE, profile)?;
    // A profile that does not read is no reason to hide the user.
    let person: Person = serde_json::from_str(profile.expose_secret()).unwrap_or_default();
    Ok(Contacts { full_name: person.full_name, email: person.email_address, phone: person.phone_number })
}

fn user_warnings(v: &Viewer<'_>, row: &AcsUser, target: Option<&Target>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(at) = row.deleted_at {
        warnings.push(Warning::being_deleted(at));
    }
    if row.schedule.is_some_and(|schedule| !v.is_within(&schedule)) {
        warnings.push(Warning::acs_user_inactive(v.now()));
    }
    // After some tries it is an error.
    let late = target.filter(|t| !t.is_in_place() && !t.is_dead() && failure_error(t, true).is_none());
    if let Some(failed) = late.and_then(|t| t.work.failure.as_ref()) {
        let message = "The user could not be brought up to date at the access system; it is tried again.";
        warnings.push(Warning::new(codes::warning::UNKNOWN_ISSUE_WITH_ACS_USER, message, failed.at));
    }
    warnings
}

/// What is decided about a user and not yet at the system.
fn user_changes(row: &AcsUser, target: &Target, profile: &Profile) -> Vec<PendingMutation> {
    let at = target.synced_at.unwrap_or(target.created_at);
    if target.gone {
        return if super::target::is_leaving(target) { vec![PendingMutation::deleting(at)] } else { Vec::new() };
    }
    if target.is_in_place() {
        return Vec::new();
    }
    if matches!(target.seen, SeenState::Never) {
        return vec![PendingMutation::creating(at)];
    }
    if let (Some(before), SeenState::Present { rev, .. }) = (row.before, target.seen)
        && before.rev == rev
    {
        let mut pending = Vec::new();
        if before.suspended != row.suspended {
            pending.push(PendingMutation::updating_suspension_state(at, row.suspended));
        }
        if before.schedule != row.schedule {
            pending.push(PendingMutation::updating_access_schedule(at, before.schedule.as_ref(), row.schedule.as_ref()));
        }
        if !pending.is_empty() {
            return pending;
        }
    }
    match &target.want {
        Wanted::User { suspended: true, .. } => vec![PendingMutation::updating_suspension_state(at, true)],
        Wanted::User { window: Some(window), .. } => vec![PendingMutation::updating_access_schedule(at, None, Some(window))],
        // What the system has now is not stored; that something is on its way is.
        Wanted::User { .. } => vec![PendingMutation::updating_user_information(at, profile, profile)],
        _ => Vec::new(),
    }
}

/// The groups that she is getting into or out of, the credentials that she is getting or losing. Of a membership that is there and changes only in its times nothing is told here.
fn group_changes(v: &Viewer<'_>, id: AcsUserId) -> Try<Vec<PendingMutation>> {
    let rows = v.reader.find(&Key::id(Index::TargetsOfUser, id))?;
    let mut pending = Vec::new();
    for (row, target) in v.all::<Target, RowId>(rows)? {
        let at = target.synced_at.unwrap_or(target.created_at);
        let there = matches!(target.seen, SeenState::Present { .. });
        if let (Wanted::Credential(_), TargetOf::Direct) = (&target.want, target.of) {
            // One that waits for a card is not on its way: it waits for a person.
            let credential = Some(AcsCredentialId::from_uuid(row));
            if super::target::is_leaving(target) {
                pending.push(PendingMutation::updating_credential_assignment(at, credential, None));
            } else if !target.gone && !target.is_withheld() && !there && target.needs == Needs::Nothing {
                pending.push(PendingMutation::updating_credential_assignment(at, None, credential));
            }
        }
        let Wanted::Access { groups, .. } = &target.want else { continue };
        for group in groups {
            if super::target::is_leaving(target) {
                pending.push(PendingMutation::updating_group_membership(at, Some(*group), None));
            } else if !target.gone && !there {
                pending.push(PendingMutation::updating_group_membership(at, None, Some(*group)));
            }
        }
    }
    Ok(pending)
}

/// The person that an id leads to, if she is there.
pub(crate) fn staying_id(v: &Viewer<'_>, id: UserIdentityId) -> Try<UserIdentityId> {
    let (id, row) = staying(v, id)?;
    if row.deleted_at.is_some() { hidden::<Identity, _>(id) } else { Ok(id) }
}

/// Everything that a person can be searched by.
pub(crate) fn texts_of(v: &Viewer<'_>, id: UserIdentityId) -> Try<Vec<String>> {
    let (id, row) = staying(v, id)?;
    let who = contacts(v, id, row)?;
    Ok([Some(person_name(row, &who)), who.email, who.phone, row.key.clone()].into_iter().flatten().collect())
}
