//! What `Debug` must not show.
use super::super::*;
use super::at;
use super::fixtures;
use serde_json::json;

#[test]
fn a_shown_secret_is_in_the_json_and_not_in_debug() {
    let secret = Shown::from("2580");
    assert_eq!(serde_json::to_value(&secret).unwrap(), json!("2580"));
    assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("[redacted]", "2580"));
    assert_eq!(secret, Shown::new("2580"));
    assert_ne!(secret, Shown::new("2581"));
    assert_ne!(secret, Shown::new("25800"));
}

#[test]
fn no_object_shows_its_secrets_in_debug() {
    let mut grant = fixtures::access_grant();
    grant["acme_metadata"] = json!({ "list": [{ "pin": "2580" }], "new_code": "2580", "refresh_token": "seam_cst_1" });
    let grant: AccessGrant = serde_json::from_value(grant).unwrap();
    let method: AccessMethod = serde_json::from_value(fixtures::access_method()).unwrap();
    let credential: AcsCredential = serde_json::from_value(fixtures::acs_credential()).unwrap();
    let key: InstantKey = serde_json::from_value(fixtures::instant_key()).unwrap();
    let request = AccessMethodRequest::code_of("2580");
    let door = fixtures::ID.parse().unwrap();
    let warning = Warning::requested_code_unavailable(at("2026-03-01T09:30:00Z"), door, "2580", "2580");
    for text in [
        format!("{grant:#?}"),
        format!("{method:?}"),
        format!("{credential:?}"),
        format!("{key:?}"),
        format!("{request:?}"),
        format!("{warning:?}"),
    ] {
        for secret in ["2580", "seam_cst", "keys.example"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_map_shows_what_is_no_secret() {
    let map =
        Map::new().with("error_code", "torn").with("code", json!(null)).with("doors", json!([{ "name": "Lobby", "battery": 80 }, 1, null]));
    assert_eq!(format!("{map:?}"), r#"{"code": null, "doors": [{"battery": 80, "name": "Lobby"}, 1, null], "error_code": "torn"}"#);
}
