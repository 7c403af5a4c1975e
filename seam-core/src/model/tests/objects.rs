//! Every object against its table of fields: what is always written, what is left out, what may be null, and that
//! nothing is lost on a round trip.
use super::super::*;
use super::fixtures as full;
use super::table::{Table, check, round};
use serde_json::json;

#[test]
fn access_grant() {
    check::<AccessGrant>(&Table {
        full: full::access_grant(),
        required: &[
            "access_grant_id",
            "access_method_ids",
            "created_at",
            "display_name",
            "display_status",
            "ends_at",
            "errors",
            "location_ids",
            "name",
            "pending_mutations",
            "requested_access_methods",
            "space_ids",
            "starts_at",
            "user_identity_id",
            "warnings",
            "workspace_id",
        ],
        null: &["ends_at", "name"],
        always: json!({}),
    });
}

#[test]
fn unmanaged_access_grant() {
    let mut full = full::access_grant();
    let members = full.as_object_mut().unwrap();
    for gone in [
        "access_grant_key",
        "client_session_token",
        "customization_profile_id",
        "display_status",
        "instant_key_url",
        "holder",
        "schedule",
        "is_suspended",
        "residual_access",
    ] {
        members.remove(gone).unwrap();
    }
    check::<UnmanagedAccessGrant>(&Table {
        full,
        required: &[
            "access_grant_id",
            "access_method_ids",
            "created_at",
            "display_name",
            "ends_at",
            "errors",
            "location_ids",
            "name",
            "pending_mutations",
            "requested_access_methods",
            "space_ids",
            "starts_at",
            "warnings",
            "workspace_id",
        ],
        null: &["ends_at", "name"],
        always: json!({}),
    });
}

#[test]
fn access_method() {
    check::<AccessMethod>(&Table { full: full::access_method(), required: METHOD, null: &["issued_at"], always: json!({}) });
}

#[test]
fn unmanaged_access_method() {
    let mut full = full::access_method();
    let members = full.as_object_mut().unwrap();
    for gone in ["client_session_token", "customization_profile_id", "instant_key_url", "starts_at", "ends_at", "is_suspended"] {
        members.remove(gone).unwrap();
    }
    check::<UnmanagedAccessMethod>(&Table { full, required: METHOD, null: &["issued_at"], always: json!({}) });
}

const METHOD: &[&str] = &[
    "access_method_id",
    "created_at",
    "display_name",
    "display_status",
    "errors",
    "is_issued",
    "issued_at",
    "mode",
    "pending_mutations",
    "warnings",
    "workspace_id",
];

#[test]
fn space() {
    check::<Space>(&Table {
        full: full::space(),
        required: &["acs_entrance_count", "created_at", "device_count", "display_name", "name", "space_id", "workspace_id"],
        null: &[],
        always: json!({}),
    });
}

const PERSON: &[&str] = &[
    "acs_user_ids",
    "created_at",
    "display_name",
    "email_address",
    "errors",
    "full_name",
    "merged_user_identity_ids",
    "merged_user_identity_keys",
    "phone_number",
    "user_identity_id",
    "warnings",
    "workspace_id",
    "user_identity_key",
];

#[test]
fn user_identity() {
    check::<UserIdentity>(&Table {
        full: full::user_identity(),
        required: PERSON,
        null: &["email_address", "full_name", "phone_number", "user_identity_key"],
        always: json!({}),
    });
}

#[test]
fn unmanaged_user_identity() {
    let mut full = full::user_identity();
    full.as_object_mut().unwrap().remove("user_identity_key").unwrap();
    check::<UnmanagedUserIdentity>(&Table {
        full,
        required: &PERSON[..PERSON.len() - 1],
        null: &["email_address", "full_name", "phone_number"],
        always: json!({}),
    });
}

#[test]
fn acs_system() {
    check::<AcsSystem>(&Table {
        full: full::acs_system(),
        required: &[
            "acs_system_id",
            "connected_account_id",
            "connected_account_ids",
            "created_at",
            "errors",
            "image_alt_text",
            "image_url",
            "is_credential_manager",
            "location",
            "name",
            "warnings",
            "workspace_id",
        ],
        null: &[],
        always: json!({}),
    });
    let nowhere = round::<AcsSystem>(&{
        let mut system = full::acs_system();
        system["location"] = json!({});
        system
    });
    assert_eq!(nowhere["location"], json!({ "time_zone": null }));
}

#[test]
fn acs_entrance() {
    check::<AcsEntrance>(&Table {
        full: full::acs_entrance(),
        required: &[
            "acs_entrance_id",
            "acs_system_id",
            "connected_account_id",
            "created_at",
            "display_name",
            "errors",
            "space_ids",
            "warnings",
        ],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn acs_access_group() {
    check::<AcsAccessGroup>(&Table {
        full: full::acs_access_group(),
        required: &[
            "access_group_type",
            "access_group_type_display_name",
            "acs_access_group_id",
            "acs_system_id",
            "connected_account_id",
            "created_at",
            "display_name",
            "errors",
            "external_type",
            "external_type_display_name",
            "is_managed",
            "name",
            "pending_mutations",
            "warnings",
            "workspace_id",
        ],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn acs_user() {
    check::<AcsUser>(&Table {
        full: full::acs_user(),
        required: &[
            "acs_system_id",
            "acs_user_id",
            "connected_account_id",
            "created_at",
            "display_name",
            "errors",
            "is_managed",
            "last_successful_sync_at",
            "warnings",
            "workspace_id",
        ],
        null: &["last_successful_sync_at"],
        always: json!({ "pending_mutations": [] }),
    });
}

#[test]
fn acs_credential() {
    check::<AcsCredential>(&Table {
        full: full::acs_credential(),
        required: &[
            "access_method",
            "acs_credential_id",
            "acs_system_id",
            "connected_account_id",
            "created_at",
            "display_name",
            "errors",
            "is_managed",
            "warnings",
            "workspace_id",
        ],
        null: &[],
        always: json!({ "is_latest_desired_state_synced_with_provider": null }),
    });
}

#[test]
fn acs_encoder() {
    check::<AcsEncoder>(&Table {
        full: full::acs_encoder(),
        required: &["acs_encoder_id", "acs_system_id", "connected_account_id", "created_at", "display_name", "errors", "workspace_id"],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn instant_key() {
    check::<InstantKey>(&Table {
        full: full::instant_key(),
        required: &[
            "client_session_id",
            "created_at",
            "expires_at",
            "instant_key_id",
            "instant_key_url",
            "user_identity_id",
            "workspace_id",
        ],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn connected_account() {
    check::<ConnectedAccount>(&Table {
        full: full::connected_account(),
        required: &[
            "connected_account_id",
            "workspace_id",
            "account_type_display_name",
            "display_name",
            "custom_metadata",
            "accepted_capabilities",
            "automatically_manage_new_devices",
            "created_at",
            "errors",
            "warnings",
        ],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn event() {
    check::<Event>(&Table {
        full: full::event(),
        required: &["event_id", "event_type", "workspace_id", "created_at", "occurred_at"],
        null: &[],
        always: json!({}),
    });
}

#[test]
fn what_the_additive_fields_say_when_there_is_nothing_to_say() {
    let mut grant = full::access_grant();
    grant["holder"] = json!("guest");
    grant["is_suspended"] = json!(false);
    grant["residual_access"] = json!([]);
    let written = round::<AccessGrant>(&grant);
    for absent in ["holder", "is_suspended", "residual_access"] {
        assert!(written.get(absent).is_none(), "{absent}");
    }
    grant["holder"] = json!("nobody");
    assert!(serde_json::from_value::<AccessGrant>(grant).is_err());
}

#[test]
fn modes_that_are_not_known_survive() {
    for (text, mode) in [
        ("code", AccessMethodMode::Code),
        ("card", AccessMethodMode::Card),
        ("mobile_key", AccessMethodMode::MobileKey),
        ("cloud_key", AccessMethodMode::CloudKey),
        ("biometric", AccessMethodMode::Biometric),
        ("telepathy", AccessMethodMode::Other("telepathy".to_owned())),
    ] {
        let mut method = full::access_method();
        method["mode"] = json!(text);
        let read: AccessMethod = serde_json::from_value(method.clone()).unwrap();
        assert_eq!((read.mode.clone(), read.mode.as_str()), (mode, text));
        assert_eq!(serde_json::to_value(&read).unwrap(), method);
    }
}

#[test]
fn instants_are_written_in_utc_with_milliseconds() {
    let mut encoder = full::acs_encoder();
    for (read, written) in [
        ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00.000Z"),
        ("2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00.000Z"),
        ("2026-05-01T12:00:00.123456789Z", "2026-05-01T12:00:00.123Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ] {
        encoder["created_at"] = json!(read);
        assert_eq!(round::<AcsEncoder>(&encoder)["created_at"], written);
    }
    for bad in [json!("2026-05-01"), json!("2026-05-01T12:00:00"), json!("tomorrow"), json!(""), json!(1), json!(null)] {
        encoder["created_at"] = bad.clone();
        assert!(serde_json::from_value::<AcsEncoder>(encoder.clone()).is_err(), "{bad}");
    }
}

#[test]
fn requests_of_methods() {
    let json = |request: &AccessMethodRequest| serde_json::to_value(request).unwrap();
    assert_eq!(json(&AccessMethodRequest::card()), json!({ "mode": "card" }));
    assert_eq!(json(&AccessMethodRequest::code_of("2580")), json!({ "mode": "code", "code": "2580" }));
    let key = AccessMethodRequest::mobile_key().max_uses(3);
    assert_eq!(json(&key), json!({ "mode": "mobile_key", "instant_key_max_use_count": 3 }));
    assert_eq!(serde_json::from_value::<AccessMethodRequest>(json(&key)).unwrap(), key);
    assert_eq!(json(&AccessMethodRequest::cloud_key()), json!({ "mode": "cloud_key" }));
}

#[test]
fn pages() {
    let page = Page::new(vec![1, 2], Some("next".to_owned())).map(|n| n * 10);
    assert_eq!(page.items, [10, 20]);
    let pagination = json!({ "has_next_page": true, "next_page_cursor": "next", "next_page_url": null });
    assert_eq!(serde_json::to_value(&page.pagination).unwrap(), pagination);
    let last = json!({ "has_next_page": false, "next_page_cursor": null, "next_page_url": null });
    assert_eq!(serde_json::to_value(Page::<u8>::new(vec![], None).pagination).unwrap(), last);
}
