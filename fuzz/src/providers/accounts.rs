//! Whole accounts behind a transport that answers what the input says, and the settings of all of them.
use crate::encoders::run;
use crate::hex::texts;
use async_trait::async_trait;
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
use seam_core::provider::{
    AccessSpec, AccessSystemProvider, Body, Call, CredentialSpec, Door, DoorClass, Failure, Handle, HttpRequest, HttpResponse,
    HttpTransport, Memo, Notes, ProviderEnv, ProviderFactory, Reason, SystemRef, Tag, UserSpec, Want,
};
use seam_providers::fuzzing::visionline as fuzzing;
use seam_providers::net::Deadline;
use seam_providers::net::oauth::{Grant, OAuthClient, Tokens};
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::vision::VisionFactory;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between two answers of an input. No text has this byte.
const NEXT: u8 = 0xFF;
/// What is secret in all settings here.
const SECRET: &str = "canary-7f3a";
const STATUS: [u16; 14] = [200, 201, 204, 400, 401, 403, 404, 409, 422, 429, 302, 500, 503, 101];

/// Answers one after the other: a byte for the status, up to two lines `@name: value`, the body. Then nobody answers.
#[derive(Debug)]
struct Script(Arc<ManualClock>, Mutex<VecDeque<HttpResponse>>);

impl Script {
    fn new(input: &[u8], clock: &Arc<ManualClock>) -> Arc<Self> {
        let answers = input.split(|byte| *byte == NEXT).take(12).map(|part| {
            let (status, mut rest) = part.split_first().map_or((0, part), |(first, rest)| (usize::from(*first), rest));
            let mut answer = HttpResponse::new(STATUS.get(status % STATUS.len()).copied().unwrap_or(200));
            for _ in 0..2 {
                let Some(line) = rest.strip_prefix(b"@").and_then(|rest| rest.split(|b| *b == b'\n').next()) else { break };
                if let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(": ")) {
                    answer = answer.with_header(name, value);
                }
                rest = rest.get(line.len() + 2..).unwrap_or_default();
            }
            answer.with_body(rest, false)
        });
        Arc::new(Self(Arc::clone(clock), Mutex::new(answers.collect())))
    }
}

#[async_trait]
impl HttpTransport for Script {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Failure> {
        // Time goes on while they talk.
        self.0.advance(chrono::TimeDelta::seconds(2));
        let next = self.1.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.ok_or_else(|| Failure::nothing(Reason::Offline, "nobody answers"))
    }
}

/// A record that is what it is made of.
#[derive(Debug, Default)]
struct Record(Mutex<(u64, String)>);

#[async_trait]
impl Memo for Record {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        let (version, text) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((version, SecretString::from(text)))
    }
    async fn swap(&self, version: u64, new: SecretString) -> Result<bool, Failure> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.0 == version;
        if first {
            *kept = (version + 1, new.expose_secret().to_owned());
        }
        Ok(first)
    }
}

#[derive(Debug)]
struct NoNotes;

#[async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _: &Handle) -> Result<(), Failure> {
        Ok(())
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-22T15:00:00Z".parse().unwrap_or_default()))
}

fn env(clock: Arc<ManualClock>, record: &str) -> ProviderEnv {
    ProviderEnv::new(clock, Arc::new(Record(Mutex::new((1, record.to_owned())))))
}

/// What is shown of a failure never holds what is secret in the settings.
fn shown<T>(result: Result<T, Failure>) -> Option<T> {
    result
        .inspect_err(|failure| {
            let text = format!("{failure:?} {failure}");
            assert!(!text.contains(SECRET), "{text}");
        })
        .ok()
}

/// One question to an account, which the input chooses; the rest of it are the answers.
async fn ask(which: u8, provider: &dyn AccessSystemProvider, system: Handle, door: Handle, handles: [Handle; 3]) {
    let system = SystemRef { id: AcsSystemId::from_uuid(uuid::Uuid::from_u128(1)), handle: system };
    let [user, access, credential] = handles;
    let window = Window::new("2026-11-22T15:00:00Z".parse().unwrap_or_default(), "2026-11-24T11:00:00Z".parse().ok());
    let window = window.expect("a window");
    let doors = vec![Door { id: AcsEntranceId::from_uuid(uuid::Uuid::from_u128(2)), handle: door, class: DoorClass::Online }];
    let wants = [
        (Want::User(UserSpec { name: "Ana Sanz".to_owned(), email: None, phone: None, window: None, suspended: false }), user.clone()),
        (
            Want::Access(AccessSpec {
                user: Some(user.clone()),
                doors: doors.clone(),
                groups: vec![],
                window,
                schedule: None,
                suspended: false,
            }),
            access,
        ),
        (
            Want::Credential(CredentialSpec {
                user: Some(user),
                holder: "Ana".to_owned(),
                doors,
                window,
                schedule: None,
                suspended: false,
                body: Body::Code { pin: None, slot: None },
                stay: None,
            }),
            credential,
        ),
    ];
    let call = || Call {
        system: &system,
        tag: Tag("0123456789abcdef0123456789abcdef".to_owned()),
        attempt: 1,
        within: Duration::from_secs(1),
        operator: None,
        notes: &NoNotes,
    };
    let (want, had) = &wants[usize::from(which / 8) % wants.len()];
    match which % 8 {
        0 => drop(shown(provider.systems().await)),
        1 => drop(shown(provider.find(want, Some(had), &call()).await)),
        2 => drop(shown(provider.put(want, Some(had), &call()).await)),
        3 => drop(shown(provider.put(want, None, &call()).await)),
        4 => drop(shown(provider.remove(want, Some(had), &call()).await)),
        5 => {
            if let Some(inventory) = provider.inventory() {
                shown(inventory.entrances(&system).await);
                shown(inventory.groups(&system).await);
            }
        }
        6 => {
            if let Some(inventory) = provider.inventory() {
                shown(inventory.held(&system, None).await);
            }
        }
        _ => {
            if let Some(log) = provider.access_log() {
                shown(log.entries(&system, None).await);
            }
        }
    }
}

/// A conversation: which question, then answers with their status (a place in [`STATUS`]).
fn conversation(which: u8, answers: &[(u8, &str)]) -> Vec<u8> {
    let mut input = vec![which];
    for (place, (status, body)) in answers.iter().enumerate() {
        if place > 0 {
            input.push(NEXT);
        }
        input.push(*status);
        input.extend_from_slice(body.as_bytes());
    }
    input
}

/// Sources: a vendor's sample and four clients (sessions, doors, cards); errors as a maker of a fake writes them.
pub(super) fn visionline_seeds() -> Vec<Vec<u8>> {
    let session = r#"{"id":"4f1c2d01","accessKey":"key-of-session"}"#;
    let doors =
        r#"[{"id":"101","doorName":"101","doorCategory":"guest"},{"id":"gym","localName":"Gym","doorCategory":"common","doorGroup":"g"}]"#;
    let cards = r#"[{"id":7,"credentialID":"7","cardHolder":"Ana","startTime":"20261122T1500","expireTime":"20261124T1100","doorOperations":[{"operation":"guest","doors":["101"]}],"serialNumbers":["04A1B2C3"],"cancelled":false,"overridden":true}]"#;
    vec![
        conversation(5, &[(1, session), (0, doors)]),
        conversation(6, &[(1, session), (0, cards)]),
        conversation(1, &[(1, session), (0, cards)]),
        conversation(5, &[(1, "@date: Sun, 22 Nov 2026 17:00:00 GMT\n{\"id\":\"4f1c2d01\",\"accessKey\":\"k\"}"), (0, doors)]),
        conversation(5, &[(1, "@date: 31 Dec 262142 23:59:59 GMT\n{\"id\":\"4f1c2d01\",\"accessKey\":\"k\"}"), (0, doors)]),
        conversation(5, &[(1, session), (4, r#"{"status":401,"code":40101,"message":"no such session"}"#), (1, session), (0, doors)]),
        conversation(5, &[(1, session), (9, "@retry-after: 17\n{}")]),
        conversation(5, &[(3, r#"{"status":400,"code":"40001","message":"m"}"#)]),
    ]
}

/// Visionline's web interface.
pub(super) fn visionline(input: &[u8]) {
    let Some((which, answers)) = input.split_first() else { return };
    let settings = json!({
        "name": "Hotel", "time_zone": "Europe/Madrid",
        "web": {"host": "127.0.0.1", "username": "sym", "password": SECRET, "certificates": {"danger_accept_any_certificate": true}},
        "encoders": [{"name": "Desk"}],
    });
    let settings = SecretString::from(settings.to_string());
    let clock = clock();
    let account = fuzzing::account(&settings, Arc::clone(&clock) as Arc<dyn Clock>, Script::new(answers, &clock)).expect("good settings");
    let key = json!({"card": "7", "room": "101", "starts": "20261122T1500"});
    let handles = [Handle::text("u"), Handle::text("a"), Handle(key)];
    run(ask(*which, &*account, Handle::text("site"), Handle::text("101"), handles));
}

/// Sources: notes of what a tenant of the vendor's test environment answered (fields and shapes).
pub(super) fn ks_seeds() -> Vec<Vec<u8>> {
    let token = r#"{"access_token":"t","expires_in":3600,"refresh_token":"r","token_type":"Bearer"}"#;
    let id = "11111111-2222-3333-4444-555555555555";
    let sites = format!(r#"[{{"id":"{id}","customer_reference":"Office","time_zone":"Europe/Madrid","pin_enabled":true}}]"#);
    let locks = format!(
        r#"{{"items":[{{"id":"{id}","customer_reference":"Door","lock_type":"escutcheon_pin","online":true,"locked_state":"locked","battery_level":"fresh","iq":{{"otp_enabled":true}}}}],"next_page_link":"https://api.example/v1.2/sites/x/locks?page=2"}}"#
    );
    let users = format!(
        r#"[{{"id":"{id}","user":{{"id":"{id}"}},"alias":"Ana Sanz [0123456789abcdef0123456789abcdef]","subscription_state":"subscribed","use_pin":true,"expires_at":"2026-11-24T11:00:00Z","roles":[{{"id":"x"}}]}}]"#
    );
    let entries = format!(
        r#"{{"items":[{{"id":"{id}","event_category":"lock_rejected","event_detail":"no_access","utc_date_time":"2026-11-22T15:00:00","lock_id":"{id}"}}]}}"#
    );
    let made = format!(r#"{{"id":"{id}"}}"#);
    vec![
        conversation(0, &[(0, token), (0, &sites)]),
        conversation(5, &[(0, token), (0, &locks), (0, "[]"), (0, "[]")]),
        conversation(6, &[(0, token), (0, &users), (0, "[]")]),
        conversation(7, &[(0, token), (0, &entries)]),
        conversation(1, &[(0, token), (0, &users)]),
        conversation(3, &[(0, token), (1, &made), (0, &users)]),
        conversation(11, &[(0, token), (1, &made), (1, "{}"), (1, "{}"), (1, "{}")]),
        conversation(19, &[(0, token), (0, &users), (0, "{}"), (0, "\"123456\"")]),
        conversation(4, &[(0, token), (2, "")]),
        conversation(0, &[(0, token), (4, ""), (0, token), (0, &sites)]),
        conversation(3, &[(0, token), (3, r#"{"ErrorCode":"2202","Message":"m"}"#)]),
        conversation(3, &[(0, token), (9, "@retry-after: 99999999999999999999\n{}")]),
        conversation(0, &[(3, r#"{"error":"invalid_grant"}"#)]),
        conversation(6, &[(0, token), (0, &users.replace("2026-11-24T11:00:00Z", "+262142-12-31T23:59:59")), (0, "[]")]),
        conversation(1, &[(0, token), (0, &users.replace("2026-11-24T11:00:00Z", "-262143-01-01T00:00:00"))]),
    ]
}

fn ks_settings() -> serde_json::Value {
    json!({
        "identity_url": "https://id.example", "api_url": "https://api.example", "client_id": "c", "client_secret": SECRET,
        "login": "password", "user": "u", "password": SECRET,
    })
}

/// Salto KS, from the login on.
pub(super) fn ks(input: &[u8]) {
    let Some((which, answers)) = input.split_first() else { return };
    let clock = clock();
    let factory = KsFactory::new(Script::new(answers, &clock));
    let account = factory.open(SecretString::from(ks_settings().to_string()), env(clock, "")).expect("good settings");
    let id = "11111111-2222-3333-4444-555555555555";
    let handles = [
        Handle(json!({"site_user": id, "user": id})),
        Handle(json!({"group": id, "starts": "2026-11-22T15:00:00Z", "ends": "2026-11-24T11:00:00Z"})),
        Handle(json!({"site_user": id, "known": true})),
    ];
    run(ask(*which, &*account, Handle::text(id), Handle::text(id), handles));
}

/// RFC 6749, 5.1 and 5.2, and records as they are kept.
pub(super) fn oauth_seeds() -> Vec<Vec<u8>> {
    vec![
        conversation(b'{', &[(0, r#"{"access_token":"t","expires_in":3600,"refresh_token":"r"}"#)]),
        conversation(0, &[(0, r#"{"access_token":"t","expires_in":18446744073709551615}"#), (0, r#"{"access_token":"u"}"#)]),
        conversation(0, &[(3, r#"{"error":"invalid_grant","error_description":"x"}"#), (0, r#"{"access_token":"t"}"#)]),
        conversation(0, &[(9, "@retry-after: 7\n")]),
        conversation(
            1,
            &[
                (0, r#"{"access_token":"a","expires_at":9223372036854775807,"refresh_token":"r","login":"x"}"#),
                (0, r#"{"access_token":"t"}"#),
            ],
        ),
        conversation(1, &[(0, r#"{"access_token":"a","expires_at":-9223372036854775808,"refresh_token":"r","login":"x"}"#)]),
        conversation(1, &[(0, r#"{"access_token":"a","expires_at":-8334601228800,"login":"x"}"#)]),
    ]
}

/// A token endpoint, and a record that somebody else wrote (the first answer, when the input says so): a token, or a failure that never
/// says `Unknown`.
pub(super) fn oauth(input: &[u8]) {
    let Some((first, answers)) = input.split_first() else { return };
    let (record, answers) = match first % 2 {
        1 => {
            let end = answers.iter().position(|byte| *byte == NEXT).unwrap_or(answers.len());
            (answers.get(1..end).unwrap_or_default(), answers.get(end + 1..).unwrap_or_default())
        }
        _ => (&[][..], answers),
    };
    let grant = Grant::Password { user: "u".to_owned(), password: SecretString::from(SECRET) };
    let client = OAuthClient::new("https://id.example/connect/token", "c", SecretString::from(SECRET), "s", grant);
    let manual = clock();
    let clock: Arc<dyn Clock> = Arc::clone(&manual) as _;
    let memo = Arc::new(Record(Mutex::new((1, String::from_utf8_lossy(record).into_owned()))));
    let tokens = Tokens::new(client, Script::new(answers, &manual), memo, Arc::clone(&clock));
    run(async {
        let deadline = Deadline::after(&clock, Duration::from_secs(1));
        let token = tokens.token(&deadline).await;
        if let Err(failure) = &token {
            assert_ne!(failure.effect, seam_core::provider::Effect::Unknown);
        }
        if let Some(token) = shown(token) {
            assert!(!token.expose_secret().is_empty());
            shown(tokens.after_refusal(&token, &deadline).await);
        }
    });
}

/// Settings of each kind of account, as a person enters them.
pub(super) fn settings_seeds() -> Vec<Vec<u8>> {
    let visionline = json!({
        "name": "Hotel", "time_zone": "Europe/Madrid", "server_time_zone": "UTC",
        "web": {"host": "10.0.0.5", "port": 443, "username": "sym", "password": SECRET, "certificates": {"pinned_sha256": ["AB".repeat(32)]}},
        "pms": {"host": "10.0.0.5", "port": 4000, "operator": "op", "operator_password": SECRET, "terminal": "1", "user_group": "front"},
        "encoders": [{"name": "Desk", "pms_address": "1"}],
        "doors": [{"name": "101", "class": "guest_room"}],
        "error_codes": {"40901": "no_card"},
    });
    let vision = json!({
        "name": "Hotel", "time_zone": "Europe/Madrid", "host": "10.0.0.6", "licence": SECRET, "user_type": "Guest", "user_group": "Guests",
        "encoders": [{"name": "Desk", "number": 1}], "rooms": ["101"],
    });
    let space = json!({
        "name": "Hotel", "time_zone": "Europe/Madrid",
        "pms": {"host": "10.0.0.7", "port": 8090, "encoders": ["Desk 1"], "rooms": ["101"], "authorisations": [{"number": 1, "name": "Pool"}]},
        "ship": {"address": "https://10.0.0.7:8100", "user": "u", "password": SECRET},
    });
    let mut seeds: Vec<_> = [visionline, vision, space, ks_settings()].iter().map(|value| value.to_string().into_bytes()).collect();
    seeds.extend(texts(&["{}", "[]", "null", "\"\u{0}\""]));
    seeds
}

/// Settings: an account or a refusal, which repeats nothing that is secret.
pub(super) fn settings(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let clock = clock();
    let factories: [Box<dyn ProviderFactory>; 4] = [
        Box::new(VisionlineFactory::new()),
        Box::new(VisionFactory),
        Box::new(SpaceFactory::default()),
        Box::new(KsFactory::new(Script::new(&[], &clock))),
    ];
    for factory in factories {
        if let Some(account) = shown(factory.open(SecretString::from(text), env(Arc::clone(&clock), ""))) {
            let shown = format!("{account:?}");
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}
