//! Accounts, systems, entrances, groups, encoders, spaces.
use super::notes::{errors, label, map, metadata, named, warnings};
use super::{Viewer, hidden};
use crate::model::codes;
use crate::model::{
    self, AcsAccessGroupId, AcsEncoderId, AcsEntranceId, AcsSystemId, ConnectedAccountId, Map, ObjectError, SpaceId, Warning,
};
use crate::plan::Try;
use crate::provider::Kind;
use crate::state::{Account, Encoder, Entrance, Group, Index, Key, Space, System};

/// An account that is due for so long and that nobody reads is served by nobody.
const UNSERVED: chrono::Duration = chrono::Duration::minutes(5);

/// A connected account. A disconnected one is hidden.
pub(crate) fn connected_account(v: &Viewer<'_>, id: ConnectedAccountId) -> Try<model::ConnectedAccount> {
    let row = v.get::<Account>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Account, _>(id);
    }
    let systems = v.all::<System, _>(v.reader.find(&Key::id(Index::SystemsOf, id))?)?;
    let kind = label(&row.kind);
    let mut warnings = Vec::new();
    if let Some(held) = &row.held {
        warnings.push(super::notes::warning(held));
    }
    let mut errors = errors(&row.errors);
    // Nothing else would show it: no provider that could fail is there.
    if let Some(since) = row.work.due_at.filter(|at| row.work.in_flight.is_none() && *at + UNSERVED < v.now()) {
        let message = "Nobody has read this account since it was due: no engine runs, or none that knows this kind of access system.";
        errors.push(ObjectError::new("account_not_served", message, since));
    }
    Ok(model::ConnectedAccount {
        connected_account_id: id,
        workspace_id: v.workspace,
        account_type: Some(row.kind.clone()),
        account_type_display_name: kind.clone(),
        display_name: named(
            [row.name.as_deref()].into_iter().chain(systems.iter().map(|(_, system)| Some(system.report.name.as_str()))),
            &kind,
        ),
        user_identifier: None,
        customer_key: row.customer.clone(),
        custom_metadata: map(&row.metadata),
        accepted_capabilities: vec!["access_control".to_owned()],
        automatically_manage_new_devices: true,
        created_at: row.created_at,
        errors,
        warnings,
        extra: Map::new(),
    })
}

/// The picture of a system, as an address of its own: a door. Pictures of vendors are theirs.
const DOOR: &str = "data:image/svg+xml,%3Csvg xmlns=%27http://www.w3.org/2000/svg%27%20viewBox=%270%200%2024%2024%27%3E%3Cpath%20d=%27M6%202h12v20H6z%27%20\
                    fill=%27none%27%20stroke=%27%23345%27%20stroke-width=%272%27/%3E%3Ccircle%20cx=%2715%27%20cy=%2712%27%20r=%271.4%27%20fill=%27%23345%27/%3E%3C/svg%3E";

/// An access system.
pub(crate) fn acs_system(v: &Viewer<'_>, id: AcsSystemId) -> Try<model::AcsSystem> {
    let row = v.get::<System>(id)?;
    let account = v.try_get::<Account>(row.account)?;
    let report = &row.report;
    let kind = Some(report.external_type.clone()).filter(|text| !text.is_empty());
    let label = Some(report.external_type_display_name.clone()).filter(|text| !text.is_empty());
    let mut errors = errors(&row.errors);
    if let Some(since) = row.missing_since {
        errors.push(ObjectError::acs_system_disconnected(since));
    }
    if let Some(since) = account.and_then(|account| account.deleted_at) {
        errors.push(ObjectError::account_disconnected(since));
    }
    let mut warnings = warnings(&row.warnings);
    if report.time_zone.as_ref().is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
        let message = "The access system names a time zone that is not known: schedules there may be off.";
        warnings.push(Warning::new(codes::warning::TIME_ZONE_DOES_NOT_MATCH_LOCATION, message, row.created_at));
    }
    Ok(model::AcsSystem {
        acs_system_id: id,
        workspace_id: v.workspace,
        connected_account_id: row.account,
        connected_account_ids: vec![row.account],
        name: named([Some(report.name.as_str())], &super::notes::label(&row.kind)),
        external_type: kind.clone(),
        external_type_display_name: label.clone(),
        system_type: kind,
        system_type_display_name: label,
        is_credential_manager: false,
        default_credential_manager_acs_system_id: None,
        location: model::SystemLocation::new(report.time_zone.clone()),
        image_url: DOOR.to_owned(),
        image_alt_text: "A door".to_owned(),
        created_at: row.created_at,
        acs_access_group_count: None,
        acs_user_count: None,
        errors,
        warnings,
        extra: Map::new(),
    })
}

/// An entrance. One that its system no longer shows stays, with an error: grants on it are kept.
pub(crate) fn acs_entrance(v: &Viewer<'_>, id: AcsEntranceId) -> Try<model::AcsEntrance> {
    let row = v.get::<Entrance>(id)?;
    let spaces = Key::id(Index::SpacesWith, id);
    v.reader.hint([row.system.uuid()]);
    v.reader.hint_keys([spaces.clone()]);
    v.reader.gather()?;
    let system = v.get::<System>(row.system)?;
    let report = &row.report;
    let missing = row.missing_since.map(|since| {
        let message = "The access system no longer shows this entrance. Grants on it are kept.";
        ObjectError::new(codes::error::DELETED_EXTERNALLY, message, since)
    });
    Ok(model::AcsEntrance {
        acs_entrance_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        display_name: named([Some(report.name.as_str()), report.handle.as_text()], "Entrance"),
        created_at: row.created_at,
        can_belong_to_reservation: Some(report.reservation),
        can_unlock_with_card: Some(report.card),
        can_unlock_with_cloud_key: Some(report.cloud_key),
        can_unlock_with_code: Some(report.code),
        can_unlock_with_mobile_key: Some(report.mobile_key),
        is_locked: None,
        space_ids: v.reader.find(&spaces)?.iter().copied().map(SpaceId::from_uuid).collect(),
        errors: missing.into_iter().collect(),
        warnings: Vec::new(),
        extra: metadata(&system.kind, &report.metadata),
    })
}

/// A group of an access system.
pub(crate) fn acs_access_group(v: &Viewer<'_>, id: AcsAccessGroupId) -> Try<model::AcsAccessGroup> {
    let row = v.get::<Group>(id)?;
    let system = v.get::<System>(row.system)?;
    let kind = system.report.external_types.get(&Kind::Access).cloned().unwrap_or_else(|| format!("{}_access_group", system.kind));
    let kind_label = label(&kind);
    let name = named([Some(row.name.as_str()), row.handle.as_text()], "Group");
    let missing = row.missing_since.map(|since| {
        let message = "The access system no longer shows this group.";
        Warning::new(codes::warning::UNKNOWN_ISSUE_WITH_ACS_ACCESS_GROUP, message, since)
    });
    Ok(model::AcsAccessGroup {
        acs_access_group_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        workspace_id: v.workspace,
        name: name.clone(),
        display_name: name,
        external_type: kind.clone(),
        external_type_display_name: kind_label.clone(),
        access_group_type: kind,
        access_group_type_display_name: kind_label,
        created_at: row.created_at,
        is_managed: true,
        access_schedule: row.window.map(Into::into),
        schedule: row.schedule.clone(),
        errors: Vec::new(),
        warnings: missing.into_iter().collect(),
        pending_mutations: Vec::new(),
        extra: Map::new(),
    })
}

/// An encoder. While it is quarantined after an unknown outcome, it says until when.
pub(crate) fn acs_encoder(v: &Viewer<'_>, id: AcsEncoderId) -> Try<model::AcsEncoder> {
    let row = v.get::<Encoder>(id)?;
    let errors: Vec<ObjectError> = row.missing_since.map(ObjectError::acs_encoder_removed).into_iter().collect();
    Ok(model::AcsEncoder {
        acs_encoder_id: id,
        acs_system_id: row.system,
        connected_account_id: row.account,
        workspace_id: v.workspace,
        display_name: named([Some(row.report.name.as_str()), row.report.handle.as_text()], "Encoder"),
        created_at: row.created_at,
        quarantined_until: row.quarantined_until.filter(|until| *until > v.now()),
        errors,
        extra: Map::new(),
    })
}

/// A space. A deleted one is hidden.
pub(crate) fn space(v: &Viewer<'_>, id: SpaceId) -> Try<model::Space> {
    let row = v.get::<Space>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Space, _>(id);
    }
    v.reader.hint(row.parent.map(|id| id.uuid()));
    let entrances = v.all::<Entrance, _>(&row.entrances)?;
    let parent = match row.parent {
        Some(id) => v.try_get::<Space>(id)?.filter(|parent| parent.deleted_at.is_none()).map(|parent| (id, parent)),
        None => None,
    };
    // A device is an entrance that is a lock of its own, reached by itself; its id is the entrance's.
    let devices = entrances.iter().filter(|(_, entrance)| entrance.report.channel.is_some()).count();
    Ok(model::Space {
        space_id: id,
        workspace_id: v.workspace,
        space_key: row.key.clone(),
        name: row.name.clone(),
        display_name: named([Some(row.name.as_str()), row.key.as_deref()], "Space"),
        created_at: row.created_at,
        acs_entrance_count: row.entrances.len() as u64,
        device_count: devices as u64,
        customer_data: row.customer_data.as_ref().and_then(|data| serde_json::from_value(data.clone()).ok()),
        customer_key: row.customer_key.clone(),
        geolocation: row.geolocation,
        parent_space_id: parent.map(|(id, _)| id),
        parent_space_key: parent.and_then(|(_, parent)| parent.key.clone()),
        extra: Map::new(),
    })
}

/// The entrances of a space that is there.
pub(crate) fn entrances_of_space(v: &Viewer<'_>, id: SpaceId) -> Try<Vec<AcsEntranceId>> {
    let row = v.get::<Space>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Space, _>(id);
    }
    Ok(row.entrances.clone())
}

/// The accounts of a space: those that belong to it as a whole, and those of its entrances.
pub(crate) fn accounts_of_space(v: &Viewer<'_>, id: SpaceId) -> Try<Vec<ConnectedAccountId>> {
    let row = v.get::<Space>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Space, _>(id);
    }
    let doors = v.all::<Entrance, _>(&row.entrances)?;
    Ok(row.accounts.iter().copied().chain(doors.into_iter().map(|(_, door)| door.account)).collect())
}
