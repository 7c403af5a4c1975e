//! What `seam-core` reads: documents of its file, what callers send back, public objects and the plain data of the plug.
use crate::Target;
use crate::hex::texts;
use seam_core::fuzzing;
use seam_core::model::{self, Weekly};
use seam_core::provider;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::IpAddr;

pub(crate) const TARGETS: &[Target] = &[
    Target::new("document", 30_000, documents, fuzzing::document),
    Target::new("document_json", 10_000, objects, document_json),
    Target::new("page_cursor", 30_000, cursors, cursor),
    Target::new("tokens", 20_000, cursors, tokens),
    Target::new("webhook_address", 30_000, addresses, address),
    Target::new("webhook_delivery", 10_000, deliveries, delivery),
    Target::new("weekly", 20_000, schedules, weekly),
    Target::new("model_json", 7_500, objects, model_json),
    Target::new("plug_json", 10_000, plug, plug_json),
];

/// Rows as the store keeps them (their JSON), and values with all that a document has: ids, instants, texts of hexadecimal digits, numbers, depth.
fn values() -> Vec<Value> {
    let id = "01a2029f-25e6-7001-b333-f4009763ce68";
    vec![
        json!({"space": {"name": "Room 101", "space_key": "r101", "created_at": "2026-11-22T15:00:00Z", "deleted_at": null}}),
        json!([
            id,
            id,
            "01a2029f-25e6-7001-b333-f4009763ce69",
            "2026-11-22T15:16:02.120Z",
            "2026-11-22T15:16:02Z",
            "0123456789abcdef0123456789abcdef"
        ]),
        json!({"a": [1, -1, 14, 15, 300, u64::MAX, i64::MIN, 0.1, -0.0, true, false, null, "", "é", "x".repeat(40)]}),
        json!([[[[[[[[[[1]]]]]]]]]]),
        json!({"only": {"one": {"key": {}}}, "list": []}),
    ]
}

fn documents() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = values().iter().filter_map(fuzzing::document_of).collect();
    // A nest of lists without an end.
    seeds.push(vec![0x06; 140]);
    seeds
}

/// JSON that a caller sends: kept as a document it is the same.
fn document_json(input: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<Value>(input) {
        let _ = fuzzing::document_of(&value);
    }
}

fn cursors() -> Vec<Vec<u8>> {
    let id = uuid::Uuid::from_u128(0x01a2_029f_25e6_7001_b333_f400_9763_ce68);
    let hex = id.simple().to_string();
    let mut seeds = texts(&[
        &fuzzing::page_cursor_after(id),
        &format!("{hex}0123456789abcdef"),
        &format!("{hex}_{hex}"),
        &format!("seam_cst1{hex}_{hex}"),
        &format!("seam_cst_{hex}_{hex}"),
        "7K3M-9QXT-2BVD-H5RC",
        "7k3m 9qxt 2bvd h5rc",
        "é",
    ]);
    seeds.push(Vec::new());
    seeds
}

/// A cursor is only taken when it is the one that the list gave.
fn cursor(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(id) = fuzzing::page_cursor(text) {
        // Digits in capitals are the same id; nothing else is.
        assert!(fuzzing::page_cursor_after(id).eq_ignore_ascii_case(text), "{text}");
    }
}

/// Tokens and codes that strangers bring.
fn tokens(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (session, webview, _) = fuzzing::tokens(text);
    for workspace in [session, webview].into_iter().flatten() {
        assert!(text.contains(&workspace.uuid().simple().to_string()));
    }
}

fn addresses() -> Vec<Vec<u8>> {
    texts(&[
        "https://example.com/hooks?a=b&c=%20d",
        "HTTPS://Example.com:8443/x",
        "http://127.0.0.1:80/x",
        "http://[::1]:9/x",
        "http://[2001:db8::1]",
        "https://user:secret@example.com",
        "https://example.com\\@127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://1.2.3.4.5/",
        "https://xn--mnchen-3ya.example/hooks",
        "https://a_b.example.com/h~ooks/@me;v=1",
        "https://example.com:65536",
    ])
}

/// The address of a webhook: what is taken means the same to the reader of URLs that connects (WHATWG's), so what is judged is what is reached.
fn address(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if !fuzzing::is_webhook_address(text) {
        return;
    }
    let url = match url::Url::parse(text) {
        Ok(url) => url,
        // A name in `xn--` that encodes nothing: who connects refuses it too.
        Err(url::ParseError::IdnaError) if text.to_ascii_lowercase().contains("xn--") => return,
        Err(problem) => panic!("{text}: {problem}"),
    };
    assert!(matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let authority = text.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match url.host() {
        Some(url::Host::Domain(name)) => assert!(name.eq_ignore_ascii_case(host), "{text}: {name}"),
        Some(url::Host::Ipv4(address)) => assert_eq!(host.parse(), Ok(IpAddr::V4(address)), "{text}"),
        Some(url::Host::Ipv6(address)) => assert_eq!(host.parse(), Ok(IpAddr::V6(address)), "{text}"),
        None => panic!("{text}: without a host"),
    }
}

/// A secret, an id and a body, between strokes; and values of `Retry-After`. The first is the example that the specification of Standard
/// Webhooks prints.
fn deliveries() -> Vec<Vec<u8>> {
    texts(&[
        r#"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|msg_p5jXN8AQM9LWM0D4loKWxJek|{"test": 2432232314}"#,
        "whsec_|id|",
        "whsec_AA==|id.with.points|a.b",
        "120||",
        "Wed, 21 Oct 2015 07:28:00 GMT||",
        "31 Dec 262142 23:59:59 GMT||",
        "4294967296||",
    ])
}

/// Deliveries: another implementation makes the same signature, a header is one line, and no endpoint asks for more than a day.
fn delivery(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'|');
    let mut next = || parts.next().unwrap_or_default();
    let (secret, id, body) = (String::from_utf8_lossy(next()), String::from_utf8_lossy(next()), next());
    let now = chrono::DateTime::from_timestamp(1_614_265_330, 0).unwrap_or_default();
    if let Some(pause) = fuzzing::pause(&secret, now) {
        assert!(pause > chrono::TimeDelta::zero() && pause <= chrono::TimeDelta::days(1));
    }
    let Some(request) = fuzzing::delivery(&secret, &id, now, body) else { return };
    let header = |name: &str| request.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    for prefix in ["svix", "webhook"] {
        let signature = header(&format!("{prefix}-signature"));
        assert!(signature.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        // The other one takes bodies of text only.
        if let Ok(theirs) = standardwebhooks::Webhook::new(&secret).and_then(|judge| judge.sign(&id, now.timestamp(), body)) {
            assert_eq!(theirs, signature);
        }
    }
    assert_eq!(request.body, body);
}

fn schedules() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"spans":[{"days":["monday","tuesday"],"from":"08:00","to":"18:00"}]}"#,
        r#"{"spans":[{"days":["saturday","sunday"],"from":"22:00","to":"02:00"},{"days":["friday"],"from":"00:00","to":"24:00"}]}"#,
        r#"{"spans":[]}"#,
        r#"{"spans":[{"days":[],"from":"24:00","to":"24:00"}]}"#,
        r#"{"spans":[{"days":["someday"],"from":"8:00","to":"25:61"}]}"#,
    ])
}

/// Weekly schedules: what was read is written and read as the same, and it can be asked at any instant, in a zone with every oddity.
fn weekly(input: &[u8]) {
    let Ok(schedule) = serde_json::from_slice::<Weekly>(input) else { return };
    same(&schedule);
    for seconds in [i64::MIN / 2_000_000_000_000, 0, 1_774_747_800, 1_792_890_000, 8_210_266_876_799] {
        if let Some(at) = chrono::DateTime::from_timestamp(seconds, 0) {
            for zone in
                [chrono_tz::Tz::UTC, chrono_tz::Tz::Europe__Madrid, chrono_tz::Tz::Australia__Lord_Howe, chrono_tz::Tz::Pacific__Apia]
            {
                let _ = schedule.admits(at, zone);
            }
        }
    }
}

/// What was read is written, and what is read of that is written alike.
fn same<T: Serialize + DeserializeOwned>(value: &T) {
    let text = serde_json::to_string(value).expect("it was read");
    // The reader of JSON rounds the last bit of a fraction.
    if serde_json::from_str(&text).is_ok_and(|value| has_fraction(&value)) {
        return;
    }
    let again: T = serde_json::from_str(&text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    assert_eq!(serde_json::to_string(&again).expect("it was read"), text);
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

fn kept<T: Serialize + DeserializeOwned>(input: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(input) {
        same(&value);
    }
}

/// Public objects in the shape of Seam's documentation, and values of any kind.
fn objects() -> Vec<Vec<u8>> {
    let id = "01a2029f-25e6-7001-b333-f4009763ce68";
    let at = "2026-11-22T15:00:00.000Z";
    let objects = [
        json!({"starts_at": at, "ends_at": "2026-11-24T11:00:00.000Z"}),
        json!({"mode": "code", "requested_code": "1234", "display_name": "Door code", "created_access_method_ids": [id], "created_at": at}),
        json!({"space_id": id, "workspace_id": id, "name": "Room", "display_name": "Room", "space_key": "r", "created_at": at,
               "acs_entrance_count": 1, "device_count": 0, "customer_data": {"address": "x"}}),
        json!({"user_identity_id": id, "workspace_id": id, "user_identity_key": "k", "email_address": "a@b.c", "phone_number": "+34600000000",
               "full_name": "Ana", "display_name": "Ana", "created_at": at, "errors": [], "warnings": [], "acs_user_ids": [id]}),
        json!({"event_id": id, "workspace_id": id, "event_type": "access_grant.created", "access_grant_id": id, "created_at": at, "occurred_at": at}),
        json!({"action_attempt_id": id, "action_type": "UNLOCK_DOOR", "status": "success", "result": {}, "error": null}),
        json!({"warning_code": "unknown_word", "message": "m", "created_at": at, "more": {"a": [1]}}),
    ];
    objects.iter().chain(&values()).map(|value| value.to_string().into_bytes()).collect()
}

/// Public objects: what was read is written and read as the same, unknown values included.
fn model_json(input: &[u8]) {
    kept::<model::Window>(input);
    kept::<model::AccessMethodRequest>(input);
    kept::<model::RequestedAccessMethod>(input);
    kept::<model::AccessGrant>(input);
    kept::<model::AccessMethod>(input);
    kept::<model::Space>(input);
    kept::<model::UserIdentity>(input);
    kept::<model::Event>(input);
    kept::<model::EventType>(input);
    kept::<model::Warning>(input);
    kept::<model::ObjectError>(input);
    kept::<model::AcsCredential>(input);
    kept::<model::AcsEntrance>(input);
    kept::<model::AcsUser>(input);
    kept::<model::ConnectedAccount>(input);
}

/// What goes over a bridge to a provider and back: JSON, as the types write it.
fn plug() -> Vec<Vec<u8>> {
    let window = json!({"starts_at": "2026-11-22T15:00:00Z", "ends_at": "2026-11-24T11:00:00Z"});
    let door = json!({"id": "01a2029f-25e6-7001-b333-f4009763ce68", "handle": "101", "class": "guest_room"});
    let wants = [
        json!({"user": {"name": "Ana", "email": null, "phone": null, "window": null, "suspended": false}}),
        json!({"access": {"user": "u1", "doors": [door], "groups": [], "window": window, "schedule": null, "suspended": false}}),
        json!({"effect": "unknown", "reason": "timed_out", "message": "no answer in time", "retry_after": null, "vendor_code": null}),
        json!({"certainty": "verified", "handle": "h"}),
        json!(["a", 1, null]),
    ];
    wants.iter().map(|value| value.to_string().into_bytes()).collect()
}

fn plug_json(input: &[u8]) {
    kept::<provider::Want>(input);
    kept::<provider::Handle>(input);
    kept::<provider::Tag>(input);
    kept::<provider::Door>(input);
    kept::<provider::DoorClass>(input);
    kept::<provider::SystemRef>(input);
    kept::<provider::Receipt>(input);
    kept::<provider::SystemReport>(input);
    kept::<provider::EntranceReport>(input);
    kept::<provider::LogEntry>(input);
}
