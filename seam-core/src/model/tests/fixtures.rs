//! Hand-written samples, one per object, each with every field that the object can have.
use serde_json::{Value, json};

pub(super) const ID: &str = "6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c";
pub(super) const OTHER: &str = "00000000-0000-4000-8000-000000000001";
const AT: &str = "2026-03-01T09:30:00.000Z";
const START: &str = "2026-03-28T14:00:00.000Z";
const END: &str = "2026-03-31T09:00:00.000Z";

fn warnings() -> Value {
    json!([{ "warning_code": "being_deleted", "message": "Soon gone.", "created_at": AT, "more": { "a": [1] } }])
}

fn errors() -> Value {
    json!([{ "error_code": "acme_out_of_paper", "message": "No paper.", "created_at": AT, "tray": 2 }])
}

fn mutations() -> Value {
    json!([{
        "mutation_code": "updating_access_times", "message": "Soon.", "created_at": AT, "access_method_ids": [ID],
        "from": { "starts_at": START, "ends_at": END }, "to": { "starts_at": START, "ends_at": null },
    }])
}

fn residual() -> Value {
    json!([
        { "acs_entrance_id": ID, "access_method_id": OTHER, "until": END, "why": "next_override" },
        { "acs_entrance_id": OTHER, "until": null, "why": "something_new", "acme": 1 },
    ])
}

fn weekly() -> Value {
    json!({ "spans": [{ "days": ["monday", "sunday"], "from": "22:00", "to": "06:30" }] })
}

pub(super) fn access_grant() -> Value {
    json!({
        "access_grant_id": ID, "workspace_id": OTHER, "access_grant_key": "booking-17/adult-1",
        "user_identity_id": ID, "name": "Room 101", "display_name": "Room 101", "display_status": "Ready",
        "starts_at": START, "ends_at": END, "created_at": AT, "space_ids": [ID], "location_ids": [ID],
        "access_method_ids": [ID, OTHER], "reservation_key": "booking-17",
        "requested_access_methods": [
            { "mode": "code", "display_name": "PIN code", "created_at": AT, "created_access_method_ids": [ID],
              "code": "2580" },
            { "mode": "mobile_key", "display_name": "Mobile key", "created_at": AT, "created_access_method_ids": [],
              "instant_key_max_use_count": 2, "acme": true },
        ],
        "client_session_token": "seam_cst_1", "instant_key_url": "https://keys.example/1",
        "customization_profile_id": ID, "holder": "staff", "schedule": weekly(), "is_suspended": true,
        "residual_access": residual(), "errors": errors(), "warnings": warnings(), "pending_mutations": mutations(),
    })
}

pub(super) fn access_method() -> Value {
    json!({
        "access_method_id": ID, "workspace_id": OTHER, "display_name": "PIN code", "display_status": "Ready",
        "mode": "code", "created_at": AT, "is_issued": true, "issued_at": AT, "code": "2580",
        "client_session_token": "seam_cst_1", "instant_key_url": "https://keys.example/1",
        "customization_profile_id": ID, "is_assignment_required": false, "is_encoding_required": false,
        "is_ready_for_assignment": true, "is_ready_for_encoding": true, "starts_at": START, "ends_at": END,
        "is_suspended": true, "errors": errors(), "warnings": warnings(), "pending_mutations": mutations(),
    })
}

pub(super) fn space() -> Value {
    json!({
        "space_id": ID, "workspace_id": OTHER, "space_key": "room-101", "name": "101", "display_name": "Room 101",
        "created_at": AT, "acs_entrance_count": 2, "device_count": 1, "customer_key": "hotel-1",
        "customer_data": {
            "address": "1 Main Street", "default_checkin_time": "15:00", "default_checkout_time": "11:00:00",
            "time_zone": "Europe/Berlin", "acme_name": "x",
        },
        "geolocation": { "latitude": 52.52, "longitude": 13.405 }, "parent_space_id": OTHER,
        "parent_space_key": "floor-1",
    })
}

pub(super) fn user_identity() -> Value {
    json!({
        "user_identity_id": ID, "workspace_id": OTHER, "user_identity_key": "guest-9", "display_name": "Jane Doe",
        "full_name": "Jane Doe", "email_address": "jane@example.com", "phone_number": "+491701234567",
        "created_at": AT, "acs_user_ids": [ID], "merged_user_identity_ids": [OTHER],
        "merged_user_identity_keys": ["guest-8"], "errors": errors(), "warnings": warnings(),
    })
}

pub(super) fn acs_system() -> Value {
    json!({
        "acs_system_id": ID, "workspace_id": OTHER, "connected_account_id": ID, "connected_account_ids": [ID],
        "name": "Main building", "external_type": "acme_site", "external_type_display_name": "Acme site",
        "system_type": "acme_site", "system_type_display_name": "Acme site", "is_credential_manager": false,
        "default_credential_manager_acs_system_id": OTHER,
        "location": { "time_zone": "Europe/Berlin", "acme": 1 }, "image_url": "https://example.com/a.png",
        "image_alt_text": "Acme", "created_at": AT, "acs_access_group_count": 3, "acs_user_count": 40,
        "errors": errors(), "warnings": warnings(),
    })
}

pub(super) fn acs_entrance() -> Value {
    json!({
        "acs_entrance_id": ID, "acs_system_id": OTHER, "connected_account_id": ID, "display_name": "Room 101",
        "created_at": AT, "can_belong_to_reservation": true, "can_unlock_with_card": true,
        "can_unlock_with_cloud_key": false, "can_unlock_with_code": true, "can_unlock_with_mobile_key": true,
        "is_locked": true, "space_ids": [ID], "errors": errors(), "warnings": warnings(),
    })
}

pub(super) fn acs_access_group() -> Value {
    json!({
        "acs_access_group_id": ID, "acs_system_id": OTHER, "connected_account_id": ID, "workspace_id": OTHER,
        "name": "Cleaners", "display_name": "Cleaners", "external_type": "acme_group",
        "external_type_display_name": "Acme group", "access_group_type": "acme_group",
        "access_group_type_display_name": "Acme group", "created_at": AT, "is_managed": true,
        "access_schedule": { "starts_at": START, "ends_at": null, "acme": 1 }, "schedule": weekly(),
        "errors": errors(), "warnings": warnings(), "pending_mutations": mutations(),
    })
}

pub(super) fn acs_user() -> Value {
    json!({
        "acs_user_id": ID, "acs_system_id": OTHER, "connected_account_id": ID, "workspace_id": OTHER,
        "display_name": "Jane Doe", "full_name": "Jane Doe", "email": "jane@example.com",
        "email_address": "jane@example.com", "phone_number": "+491701234567", "external_type": "acme_user",
        "external_type_display_name": "Acme user", "user_identity_id": ID, "user_identity_full_name": "Jane Doe",
        "user_identity_email_address": "jane@example.com", "user_identity_phone_number": "+491701234567",
        "created_at": AT, "is_managed": false, "is_suspended": false,
        "access_schedule": { "starts_at": START, "ends_at": END }, "last_successful_sync_at": AT, "errors": errors(),
        "warnings": warnings(), "pending_mutations": mutations(),
    })
}

pub(super) fn acs_credential() -> Value {
    json!({
        "acs_credential_id": ID, "acs_system_id": OTHER, "connected_account_id": ID, "workspace_id": OTHER,
        "display_name": "Card of Jane Doe", "access_method": "card", "acs_user_id": ID, "user_identity_id": OTHER,
        "external_type": "acme_card", "external_type_display_name": "Acme card", "card_number": "0042",
        "code": "2580", "created_at": AT, "starts_at": START, "ends_at": END, "is_managed": true, "is_issued": true,
        "issued_at": AT, "is_latest_desired_state_synced_with_provider": true,
        "latest_desired_state_synced_with_provider_at": AT, "is_multi_phone_sync_credential": false,
        "is_one_time_use": false, "parent_acs_credential_id": OTHER, "acs_credential_pool_id": OTHER,
        "residual_access": residual(), "errors": errors(), "warnings": warnings(),
    })
}

pub(super) fn acs_encoder() -> Value {
    json!({
        "acs_encoder_id": ID, "acs_system_id": OTHER, "connected_account_id": ID, "workspace_id": OTHER,
        "display_name": "Desk 1", "created_at": AT, "errors": errors(),
    })
}

pub(super) fn instant_key() -> Value {
    json!({
        "instant_key_id": ID, "workspace_id": OTHER, "instant_key_url": "https://keys.example/1",
        "client_session_id": ID, "user_identity_id": OTHER, "created_at": AT, "expires_at": END,
        "customization": { "logo_url": "https://example.com/l.png", "primary_color": "#fff", "acme": 1 },
        "customization_profile_id": ID,
    })
}

pub(super) fn connected_account() -> Value {
    json!({
        "connected_account_id": ID, "workspace_id": OTHER, "account_type": "acme",
        "account_type_display_name": "Acme", "display_name": "Acme of hotel 1",
        "user_identifier": {
            "api_url": "https://10.0.0.2", "email": "desk@example.com", "phone": "+491701234567",
            "username": "desk", "exclusive": true, "acme": 1,
        },
        "customer_key": "hotel-1", "custom_metadata": { "floor": "1", "live": true },
        "accepted_capabilities": ["access_control"], "automatically_manage_new_devices": true, "created_at": AT,
        "errors": errors(), "warnings": warnings(),
    })
}

pub(super) fn event() -> Value {
    json!({
        "event_id": ID, "event_type": "access_method.issued", "workspace_id": OTHER, "created_at": AT,
        "occurred_at": START, "event_description": "A PIN is ready.",
        "access_grant_ids": [ID, OTHER], "is_backup_code": false,
    })
}
