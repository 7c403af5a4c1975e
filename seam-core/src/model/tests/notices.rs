//! Warnings, errors and pending mutations in the form that the API names.
use super::super::*;
use super::at;
use super::fixtures::{ID, OTHER};
use serde::Serialize;
use serde_json::{Value, json};

/// What a notice has beside its code, its message and its instant.
fn details(notice: &impl Serialize, code: &str) -> Value {
    let mut written = serde_json::to_value(notice).unwrap();
    let members = written.as_object_mut().unwrap();
    assert!(members.remove("message").unwrap().as_str().unwrap().ends_with('.'));
    assert_eq!(members.remove("created_at").unwrap(), "2026-03-01T09:30:00.000Z");
    let name = members.keys().find(|key| ["warning_code", "error_code", "mutation_code"].contains(&key.as_str()));
    let name = name.unwrap().clone();
    assert_eq!(members.remove(&name).unwrap(), code);
    written
}

#[test]
fn warnings() {
    let now = at("2026-03-01T09:30:00Z");
    let (door, method): (AcsEntranceId, AccessMethodId) = (ID.parse().unwrap(), OTHER.parse().unwrap());
    let system = ID.parse().unwrap();
    assert_eq!(details(&Warning::being_deleted(now), "being_deleted"), json!({}));
    assert_eq!(details(&Warning::underprovisioned_access(now), "underprovisioned_access"), json!({}));
    assert_eq!(details(&Warning::overprovisioned_access(now, &[]), "overprovisioned_access"), json!({}));
    let failed = FailedDevice::new(door, "offline_access_code_not_revocable", "No.");
    assert_eq!(
        details(&Warning::overprovisioned_access(now, &[failed]), "overprovisioned_access"),
        json!({ "failed_devices": [
            { "device_id": ID, "error_code": "offline_access_code_not_revocable", "message": "No." }
        ] })
    );
    assert_eq!(details(&Warning::updating_access_times(now, &[method]), "updating_access_times"), json!({ "access_method_ids": [OTHER] }));
    assert_eq!(details(&Warning::method_updating_access_times(now), "updating_access_times"), json!({}));
    assert_eq!(
        details(&Warning::requested_code_unavailable(now, door, "1111", "2580"), "requested_code_unavailable"),
        json!({ "device_id": ID, "original_code": "1111", "new_code": "2580" })
    );
    assert_eq!(
        details(
            &Warning::device_time_constraints_violated(now, door, &TimeConstraint::OngoingNotSupported),
            "device_time_constraints_violated"
        ),
        json!({ "device_id": ID, "reason": "ongoing_not_supported" })
    );
    assert_eq!(
        details(&Warning::pulled_backup_access_code(now, Some(method)), "pulled_backup_access_code"),
        json!({ "original_access_method_id": OTHER })
    );
    assert_eq!(details(&Warning::ends_by_engine(now, system), "ends_by_engine"), json!({ "acs_system_id": ID }));
    let left = ResidualAccess {
        acs_entrance_id: door,
        access_method_id: None,
        until: Some(now),
        why: ResidualReason::NextSync,
        extra: Map::new(),
    };
    assert_eq!(
        details(&Warning::residual_access(now, &left), "overprovisioned_access"),
        json!({ "acs_entrance_id": ID, "until": "2026-03-01T09:30:00.000Z", "why": "next_sync" })
    );
}

#[test]
fn errors() {
    let now = at("2026-03-01T09:30:00Z");
    let error = ObjectError::cannot_create_requested_access_methods(now, "No cards here.", &[ID.parse().unwrap()]);
    assert_eq!(details(&error, "cannot_create_requested_access_methods"), json!({ "missing_device_ids": [ID] }));
    assert_eq!(details(&ObjectError::failed_to_issue(now), "failed_to_issue"), json!({}));
    assert_eq!(
        details(&ObjectError::issue_with_acs_user(now, ID.parse().unwrap(), OTHER.parse().unwrap()), "issue_with_acs_user"),
        json!({ "acs_system_id": ID, "acs_user_id": OTHER })
    );
}

#[test]
fn mutations() {
    let now = at("2026-03-01T09:30:00Z");
    let (door, other): (AcsEntranceId, AcsEntranceId) = (ID.parse().unwrap(), OTHER.parse().unwrap());
    let from = Window::new(now, Some(at("2026-03-02T09:30:00Z"))).unwrap();
    let to = Window::new(now, None).unwrap();
    assert_eq!(
        details(&PendingMutation::updating_spaces(now, &[door], &[door, other]), "updating_spaces"),
        json!({ "from": { "device_ids": [ID] }, "to": { "common_code_key": null, "device_ids": [ID, OTHER] } })
    );
    let times = json!({
        "from": { "starts_at": "2026-03-01T09:30:00.000Z", "ends_at": "2026-03-02T09:30:00.000Z" },
        "to": { "starts_at": "2026-03-01T09:30:00.000Z", "ends_at": null },
    });
    let mutation = PendingMutation::method_updating_access_times(now, &from, &to);
    assert_eq!(details(&mutation, "updating_access_times"), times);
    let mutation = PendingMutation::updating_access_times(now, &[ID.parse().unwrap()], &from, &to);
    assert_eq!(details(&mutation, "updating_access_times")["access_method_ids"], json!([ID]));
    assert_eq!(
        details(&PendingMutation::revoking_access(now, &[door], &[]), "revoking_access"),
        json!({ "from": { "device_ids": [ID] }, "to": { "device_ids": [] } })
    );
    assert_eq!(
        details(&PendingMutation::updating_access_schedule(now, None, Some(&to)), "updating_access_schedule")["from"],
        json!({ "starts_at": null, "ends_at": null })
    );
    assert_eq!(
        details(&PendingMutation::updating_suspension_state(now, true), "updating_suspension_state"),
        json!({ "from": { "is_suspended": false }, "to": { "is_suspended": true } })
    );
    let group = ID.parse().unwrap();
    assert_eq!(
        details(&PendingMutation::updating_group_membership(now, None, Some(group)), "updating_group_membership"),
        json!({ "from": { "acs_access_group_id": null }, "to": { "acs_access_group_id": ID } })
    );
    assert_eq!(
        details(&PendingMutation::deferring_group_membership_update(now, group, Variant::Removing), "deferring_group_membership_update"),
        json!({ "acs_access_group_id": ID, "variant": "removing" })
    );
    let profile = Profile::new(Some("Jane".to_owned()), None, None);
    assert_eq!(
        details(&PendingMutation::updating_user_information(now, &Profile::default(), &profile), "updating_user_information"),
        json!({
            "from": { "email_address": null, "full_name": null, "phone_number": null },
            "to": { "email_address": null, "full_name": "Jane", "phone_number": null },
        })
    );
}
