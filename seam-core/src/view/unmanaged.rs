//! What access systems hold and we did not make. Shown, never changed.
use super::notes::{label, metadata, named};
use super::target::mode;
use super::{Viewer, hidden};
use crate::model::{self, AccessGrantId, AccessMethodId, AcsCredentialId, AcsUserId, Map, UserIdentityId};
use crate::plan::Try;
use crate::provider::Kind;
use crate::state::{Index, Key, RowId, System, Unmanaged, place_key};

/// The row, if it is still there and of a kind that has this form.
fn held<'a>(v: &Viewer<'a>, id: RowId, fits: impl Fn(Kind) -> bool) -> Try<(&'a Unmanaged, &'a System)> {
    let row = v.get::<Unmanaged>(id)?;
    if row.gone_at.is_some() || !fits(row.held.kind) {
        return hidden::<Unmanaged, _>(id);
    }
    Ok((row, v.get::<System>(row.system)?))
}

fn extra(system: &System, row: &Unmanaged) -> Map {
    let mut members = serde_json::Map::new();
    if let Some(handle) = row.held.handle.as_text() {
        members.insert("id".to_owned(), handle.into());
    }
    metadata(&system.kind, &members)
}

/// A credential that was found.
pub(crate) fn acs_credential(v: &Viewer<'_>, id: AcsCredentialId) -> Try<model::AcsCredential> {
    let (row, system) = held(v, id.uuid(), |kind| mode(kind).is_some())?;
    let Some(mode) = mode(row.held.kind) else { return hidden::<Unmanaged, _>(id) };
    let external_type = system.report.external_types.get(&row.held.kind).cloned();
    Ok(model::AcsCredential {
        acs_credential_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        workspace_id: v.workspace,
        display_name: named([row.held.name.as_deref()], super::status::mode_name(&mode)),
        access_method: mode,
        acs_user_id: None,
        user_identity_id: None,
        external_type_display_name: external_type.as_deref().map(label),
        external_type,
        card_number: None,
        code: None,
        created_at: row.created_at,
        starts_at: row.held.window.map(|window| window.starts_at()),
        ends_at: row.held.window.and_then(|window| window.ends_at()),
        is_managed: false,
        is_issued: Some(true),
        issued_at: None,
        is_latest_desired_state_synced_with_provider: None,
        latest_desired_state_synced_with_provider_at: None,
        is_multi_phone_sync_credential: None,
        is_one_time_use: None,
        parent_acs_credential_id: None,
        acs_credential_pool_id: None,
        residual_access: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        extra: extra(system, row),
    })
}

/// A credential that was found, as a method.
pub(crate) fn access_method(v: &Viewer<'_>, id: AccessMethodId) -> Try<model::UnmanagedAccessMethod> {
    let (row, system) = held(v, id.uuid(), |kind| mode(kind).is_some())?;
    let Some(mode) = mode(row.held.kind) else { return hidden::<Unmanaged, _>(id) };
    Ok(model::UnmanagedAccessMethod {
        access_method_id: id,
        workspace_id: v.workspace,
        display_name: named([row.held.name.as_deref()], super::status::mode_name(&mode)),
        display_status: "Found in the access system.".to_owned(),
        mode,
        created_at: row.created_at,
        is_issued: true,
        issued_at: None,
        code: None,
        is_assignment_required: None,
        is_encoding_required: None,
        is_ready_for_assignment: None,
        is_ready_for_encoding: None,
        errors: Vec::new(),
        warnings: Vec::new(),
        pending_mutations: Vec::new(),
        extra: extra(system, row),
    })
}

/// A permission that was found, as a grant. Its doors that are known here are in `extra`.
pub(crate) fn access_grant(v: &Viewer<'_>, id: AccessGrantId) -> Try<model::UnmanagedAccessGrant> {
    let (row, system) = held(v, id.uuid(), |kind| matches!(kind, Kind::Access | Kind::Stay))?;
    let keys: Vec<Key> = row.held.doors.iter().map(|door| place_key(row.system, "entrance", door)).collect();
    v.reader.hint_keys(keys.iter().cloned());
    v.reader.gather()?;
    let mut doors = Vec::new();
    for key in &keys {
        doors.extend(v.reader.find(key)?.iter().map(ToString::to_string));
    }
    let window = row.held.window;
    let stay = (row.held.kind == Kind::Stay).then(|| row.held.handle.as_text().map(str::to_owned)).flatten();
    let mut extra = extra(system, row);
    extra.insert("acs_entrance_ids".to_owned(), doors.into());
    Ok(model::UnmanagedAccessGrant {
        access_grant_id: id,
        workspace_id: v.workspace,
        user_identity_id: None,
        name: row.held.name.clone(),
        display_name: named([row.held.name.as_deref(), row.held.handle.as_text()], "Found grant"),
        starts_at: window.map_or(row.created_at, |window| window.starts_at()),
        ends_at: window.and_then(|window| window.ends_at()),
        created_at: row.created_at,
        space_ids: Vec::new(),
        location_ids: Vec::new(),
        access_method_ids: Vec::new(),
        requested_access_methods: Vec::new(),
        reservation_key: stay,
        errors: Vec::new(),
        warnings: Vec::new(),
        pending_mutations: Vec::new(),
        extra,
    })
}

/// A user that was found, as a person.
pub(crate) fn user_identity(v: &Viewer<'_>, id: UserIdentityId) -> Try<model::UnmanagedUserIdentity> {
    let (row, system) = held(v, id.uuid(), |kind| kind == Kind::User)?;
    Ok(model::UnmanagedUserIdentity {
        user_identity_id: id,
        workspace_id: v.workspace,
        display_name: named([row.held.name.as_deref()], "Unnamed user"),
        full_name: row.held.name.clone(),
        email_address: None,
        phone_number: None,
        created_at: row.created_at,
        acs_user_ids: vec![AcsUserId::from_uuid(id.uuid())],
        merged_user_identity_ids: Vec::new(),
        merged_user_identity_keys: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        extra: extra(system, row),
    })
}

/// A user that was found.
pub(crate) fn acs_user(v: &Viewer<'_>, id: AcsUserId) -> Try<model::AcsUser> {
    let (row, system) = held(v, id.uuid(), |kind| kind == Kind::User)?;
    let external_type = system.report.external_types.get(&Kind::User).cloned();
    Ok(model::AcsUser {
        acs_user_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        workspace_id: v.workspace,
        display_name: named([row.held.name.as_deref()], "Unnamed user"),
        full_name: row.held.name.clone(),
        email: None,
        email_address: None,
        phone_number: None,
        external_type_display_name: external_type.as_deref().map(label),
        external_type,
        user_identity_id: None,
        user_identity_full_name: None,
        user_identity_email_address: None,
        user_identity_phone_number: None,
        created_at: row.created_at,
        is_managed: false,
        is_suspended: None,
        access_schedule: row.held.window.map(Into::into),
        last_successful_sync_at: None,
        errors: Vec::new(),
        warnings: Vec::new(),
        pending_mutations: Vec::new(),
        extra: extra(system, row),
    })
}

/// The ids of what a system holds and we did not make.
pub(crate) fn of_system(v: &Viewer<'_>, system: model::AcsSystemId) -> Try<Vec<RowId>> {
    Ok(v.reader.find(&Key::id(Index::UnmanagedAt, system))?.to_vec())
}
