//! Action attempts and events.
use super::super::*;
use super::at;
use super::fixtures::{self, ID, OTHER};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn attempt(action: &str, status: &str, result: &Value, error: &Value) -> Value {
    json!({
        "action_attempt_id": ID, "action_type": action, "status": status, "result": result, "error": error, "acme": 1,
    })
}

fn read(json: &Value) -> ActionAttempt {
    let read: ActionAttempt = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), *json);
    read
}

#[test]
fn a_result_is_read_in_the_light_of_its_action() {
    let credential = fixtures::acs_credential();
    let unmanaged = {
        let mut credential = credential.clone();
        credential["is_managed"] = json!(false);
        credential["acme_metadata"] = json!({ "key": 1 });
        credential
    };
    for action in ["ENCODE_CREDENTIAL", "SCAN_TO_ASSIGN_CREDENTIAL"] {
        for result in [&credential, &unmanaged] {
            let attempt = read(&attempt(action, "success", result, &Value::Null));
            let Some(ActionResult::Credential(read)) = attempt.result else { panic!("{attempt:?}") };
            assert_eq!(json!(read.is_managed), result["is_managed"]);
        }
    }

    let scan = json!({
        "acs_credential_on_encoder": {
            "card_number": "0042", "created_at": null, "starts_at": "2026-03-28T14:00:00.000Z", "ends_at": null,
            "is_issued": true, "acme_metadata": { "cancelled": false },
        },
        "acs_credential_on_seam": unmanaged,
        "warnings": [{ "warning_code": "acs_credential_on_encoder_out_of_sync", "warning_message": "Differs." }],
    });
    let scanned = read(&attempt("SCAN_CREDENTIAL", "success", &scan, &Value::Null));
    assert!(matches!(scanned.result, Some(ActionResult::Scan(_))));
    let nothing = json!({ "acs_credential_on_encoder": null, "acs_credential_on_seam": null, "warnings": [] });
    read(&attempt("SCAN_CREDENTIAL", "success", &nothing, &Value::Null));

    let assigned = read(&attempt("ASSIGN_CREDENTIAL", "success", &fixtures::access_method(), &Value::Null));
    assert!(matches!(assigned.result, Some(ActionResult::AccessMethod(_))));

    for result in [json!({ "was_confirmed_by_device": false, "acme": [1] }), json!({})] {
        for action in ["UNLOCK_DOOR", "LOCK_DOOR"] {
            let opened = read(&attempt(action, "success", &result, &Value::Null));
            assert!(matches!(opened.result, Some(ActionResult::Unlock(_))));
        }
    }

    // Another action, and a shape that is not known, are kept as they are.
    for (action, result) in [
        ("RESET_SANDBOX_WORKSPACE", json!({})),
        ("MAKE_COFFEE", json!({ "cups": 2 })),
        ("ENCODE_CREDENTIAL", json!({ "credential": "new shape" })),
    ] {
        let other = read(&attempt(action, "success", &result, &Value::Null));
        assert!(matches!(other.result, Some(ActionResult::Other(_))), "{other:?}");
    }
    read(&attempt("SET_FAN_MODE", "paused", &Value::Null, &Value::Null));
}

#[test]
fn all_five_members_of_an_attempt_are_always_written() {
    let id = ID.parse().unwrap();
    let pending = ActionAttempt::pending(id, ActionType::UnlockDoor);
    let written = |attempt: &ActionAttempt| serde_json::to_value(attempt).unwrap();
    assert_eq!(
        written(&pending),
        json!({
            "action_attempt_id": ID, "action_type": "UNLOCK_DOOR", "status": "pending", "result": null, "error": null,
        })
    );
    let done = pending.clone().succeeded(ActionResult::Unlock(UnlockResult::new(true)));
    assert_eq!(
        written(&done),
        json!({
            "action_attempt_id": ID, "action_type": "UNLOCK_DOOR", "status": "success",
            "result": { "was_confirmed_by_device": true }, "error": null,
        })
    );
    let failed = pending.failed(ActionError::new(codes::action_error::ENCODER_NOT_ONLINE, "Plug it in."));
    assert_eq!(
        written(&failed),
        json!({
            "action_attempt_id": ID, "action_type": "UNLOCK_DOOR", "status": "error", "result": null,
            "error": { "type": "encoder_not_online", "message": "Plug it in." },
        })
    );
    // An attempt that leaves them out is read as pending ones are.
    let bare = json!({ "action_attempt_id": ID, "action_type": "UNLOCK_DOOR", "status": "pending" });
    let bare: ActionAttempt = serde_json::from_value(bare).unwrap();
    assert_eq!(bare, ActionAttempt::pending(id, ActionType::UnlockDoor));
}

#[test]
fn an_event_never_carries_a_pin_or_a_member_twice() {
    let body = EventBody::new(
        EventType::ACCESS_METHOD_ISSUED,
        Map::new().with("code", "2580").with("event_id", "forged").with("access_method_id", ID),
    );
    let smuggled = EventBody { payload: body.payload.clone().with("code", "2580"), ..body.clone() };
    let instant = at("2026-03-01T09:30:00Z");
    for body in [body.clone(), body.with("code", Some("2580")), smuggled] {
        let event = body.into_event(OTHER.parse().unwrap(), ID.parse().unwrap(), instant, instant);
        let text = serde_json::to_string(&event).unwrap();
        assert!(!text.contains("2580") && !text.contains("forged"), "{text}");
        assert_eq!(text.matches("event_id").count(), 1);
    }
}

#[test]
fn bodies_have_the_members_of_their_type() {
    let grant: AccessGrantId = ID.parse().unwrap();
    let door: AcsEntranceId = OTHER.parse().unwrap();
    let (system, account) = (ID.parse().unwrap(), OTHER.parse().unwrap());
    let window = Window::new(at("2026-03-28T14:00:00Z"), None).unwrap();
    let keys = |body: &EventBody| body.payload.keys().cloned().collect::<Vec<_>>().join(" ");
    for (body, expected) in [
        (EventBody::access_grant(EventType::ACCESS_GRANT_CREATED, grant), "access_grant_id"),
        (EventBody::access_grant_door(EventType::ACCESS_GRANT_ACCESS_TO_DOOR_LOST, grant, door), "access_grant_id acs_entrance_id"),
        (EventBody::access_times_changed(grant, None, &window), "access_grant_id starts_at"),
        (EventBody::access_times_changed(grant, Some("k"), &window), "access_grant_id access_grant_key starts_at"),
        (EventBody::could_not_create_requested_access_methods(grant, "no", &[]), "access_grant_id error_message"),
        (EventBody::could_not_create_requested_access_methods(grant, "no", &[door]), "access_grant_id error_message missing_device_ids"),
        (
            EventBody::access_method(EventType::ACCESS_METHOD_ISSUED, ID.parse().unwrap(), &[grant], &[]),
            "access_grant_ids access_method_id",
        ),
        (
            EventBody::access_method(EventType::ACCESS_METHOD_ISSUED, ID.parse().unwrap(), &[grant], &["k".to_owned()]),
            "access_grant_ids access_grant_keys access_method_id",
        ),
        (EventBody::acs_system(EventType::ACS_SYSTEM_ADDED, system, None), "acs_system_id"),
        (
            EventBody::acs_system_disconnected(system, Some(account), (&[], &[]), (&[], &[])),
            "acs_system_errors acs_system_id acs_system_warnings connected_account_errors connected_account_id \
             connected_account_warnings",
        ),
        (EventBody::acs_credential(EventType::ACS_CREDENTIAL_ISSUED, ID.parse().unwrap(), system, None), "acs_credential_id acs_system_id"),
        (
            EventBody::acs_user(EventType::ACS_USER_CREATED, ID.parse().unwrap(), system, Some(account)),
            "acs_system_id acs_user_id connected_account_id",
        ),
        (EventBody::acs_encoder(EventType::ACS_ENCODER_ADDED, ID.parse().unwrap(), system, None), "acs_encoder_id acs_system_id"),
        (EventBody::acs_access_group_deleted(ID.parse().unwrap(), system, None), "acs_access_group_id acs_system_id"),
        (EventBody::acs_entrance(EventType::ACS_ENTRANCE_REMOVED, door, system, None), "acs_entrance_id acs_system_id"),
        (
            EventBody::connected_account_failed(EventType::CONNECTED_ACCOUNT_DISCONNECTED, account, &[], &[]),
            "connected_account_errors connected_account_id connected_account_warnings",
        ),
        (
            EventBody::space(EventType::SPACE_CREATED, ID.parse().unwrap(), Some("k"), &[door], &[]),
            "acs_entrance_ids device_ids space_id space_key",
        ),
        (
            EventBody::lock(EventType::LOCK_UNLOCKED, door, system, account, None, Some(ID.parse().unwrap())).with("method", Some("card")),
            "acs_entrance_id acs_system_id connected_account_id device_id method user_identity_id",
        ),
        (
            EventBody::action_attempt(
                EventType::ACTION_ATTEMPT_UNLOCK_DOOR_FAILED,
                &ActionAttempt::pending(ID.parse().unwrap(), ActionType::UnlockDoor),
                Some(door),
            ),
            "action_attempt_id action_type device_id status",
        ),
    ] {
        assert_eq!(keys(&body), expected, "{}", body.event_type);
        let again: EventBody = serde_json::from_value(serde_json::to_value(&body).unwrap()).unwrap();
        assert_eq!(again, body);
    }
}

#[test]
fn event_types_are_distinct_and_open() {
    let texts: BTreeSet<_> = EventType::ALL.iter().map(EventType::as_str).collect();
    assert_eq!(texts.len(), EventType::ALL.len());
    assert!(texts.iter().all(|text| text.split('.').count() >= 2));
    let new: EventType = serde_json::from_str("\"coffee.made\"").unwrap();
    assert_eq!((new.as_str(), serde_json::to_string(&new).unwrap().as_str()), ("coffee.made", "\"coffee.made\""));
    assert_eq!(EventType::from("space.created"), EventType::SPACE_CREATED);
}
