//! Access tokens of several instances, at an endpoint whose refresh tokens work once.
use crate::net::oauth::{Grant, OAuthClient, Tokens};
use crate::net::{Deadline, LONGEST_PAUSE};
use async_trait::async_trait;
use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::provider::{Effect, Failure, HttpRequest, HttpResponse, HttpTransport, Memo, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A token endpoint. Whoever shows a refresh token a second time is taken for a thief: nothing works any more.
#[derive(Debug, Default)]
struct Endpoint(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    refresh: Vec<(String, bool)>,
    is_over: bool,
    pause: Option<&'static str>,
}

impl Endpoint {
    fn consents_to(&self, token: &str) {
        self.0.lock().unwrap().refresh.push((token.to_owned(), false));
    }
}

#[async_trait]
impl HttpTransport for Endpoint {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let mut issued = self.0.lock().unwrap();
        if let Some(pause) = issued.pause {
            return Ok(HttpResponse::new(429).with_header("retry-after", pause));
        }
        let body = String::from_utf8(request.body).unwrap();
        let shown = body.split('&').find_map(|part| part.strip_prefix("refresh_token=")).unwrap().to_owned();
        let known = issued.refresh.iter_mut().find(|(token, _)| *token == shown);
        let is_good = known.is_some_and(|(_, used)| !std::mem::replace(used, true));
        issued.is_over |= !is_good;
        if issued.is_over {
            return Ok(HttpResponse::new(400).with_body(json!({"error": "invalid_grant"}).to_string(), false));
        }
        let next = format!("{shown}.");
        issued.refresh.push((next.clone(), false));
        let answer = json!({"access_token": format!("access {next}"), "expires_in": 3600, "refresh_token": next});
        Ok(HttpResponse::new(200).with_body(answer.to_string(), false))
    }
}

#[derive(Debug, Default)]
struct Record {
    kept: Mutex<(u64, String)>,
    is_down: AtomicBool,
}

#[async_trait]
impl Memo for Record {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        let (version, text) = self.kept.lock().unwrap().clone();
        Ok((version, SecretString::from(text)))
    }
    async fn swap(&self, version: u64, new: SecretString) -> Result<bool, Failure> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Failure::nothing(Reason::Offline, "the store does not answer"));
        }
        let mut kept = self.kept.lock().unwrap();
        let first = kept.0 == version;
        if first {
            *kept = (version + 1, new.expose_secret().to_owned());
        }
        Ok(first)
    }
}

struct Stage {
    clock: Arc<ManualClock>,
    endpoint: Arc<Endpoint>,
    record: Arc<Record>,
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-05-04T10:00:00Z".parse().unwrap()));
        Self { clock, endpoint: Arc::default(), record: Arc::default() }
    }
    fn instance(&self, consent: &str) -> Tokens {
        let grant = Grant::RefreshToken(SecretString::from(consent));
        let client = OAuthClient::new("https://identity.example/token", "client", SecretString::from("secret"), "scope", grant);
        Tokens::new(client, Arc::clone(&self.endpoint) as _, Arc::clone(&self.record) as _, Arc::clone(&self.clock) as _)
    }
    async fn ask(&self, tokens: &Tokens) -> Result<String, Failure> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let deadline = Deadline::after(&clock, Duration::from_secs(20));
        tokens.token(&deadline).await.map(|token| token.expose_secret().to_owned())
    }
    fn later(&self) {
        self.clock.advance(TimeDelta::hours(2));
    }
}

/// An instance that had nothing to do for a while knows an old refresh token. It has been used since.
#[tokio::test]
async fn a_refresh_token_that_another_instance_has_used_is_never_shown_again() {
    let s = Stage::new();
    s.endpoint.consents_to("a");
    let (busy, idle) = (s.instance("a"), s.instance("a"));
    assert_eq!(s.ask(&busy).await.unwrap(), "access a.");
    assert_eq!(s.ask(&idle).await.unwrap(), "access a.");
    s.later();
    assert_eq!(s.ask(&busy).await.unwrap(), "access a..");
    s.later();
    assert_eq!(s.ask(&idle).await.unwrap(), "access a...");
    s.later();
    assert_eq!(s.ask(&busy).await.unwrap(), "access a....");
}

#[tokio::test]
async fn a_refresh_token_that_could_not_be_written_down_is_used_by_whoever_has_it() {
    let s = Stage::new();
    s.endpoint.consents_to("a");
    let tokens = s.instance("a");
    s.ask(&tokens).await.unwrap();
    s.later();
    s.record.is_down.store(true, Ordering::SeqCst);
    assert_eq!(s.ask(&tokens).await.unwrap(), "access a..");
    s.later();
    assert_eq!(s.ask(&tokens).await.unwrap(), "access a...");
    s.record.is_down.store(false, Ordering::SeqCst);
    s.later();
    assert_eq!(s.ask(&tokens).await.unwrap(), "access a....");
    s.later();
    assert_eq!(s.ask(&s.instance("a")).await.unwrap(), "access a.....", "and now it is written down");
}

#[tokio::test]
async fn another_consent_is_another_login() {
    let s = Stage::new();
    s.endpoint.consents_to("a");
    s.endpoint.consents_to("b");
    assert_eq!(s.ask(&s.instance("a")).await.unwrap(), "access a.");
    assert_eq!(s.ask(&s.instance("b")).await.unwrap(), "access b.", "not with what the first person has consented to");
    assert!(!s.record.kept.lock().unwrap().1.contains("\"b\""), "the settings' token itself is not written down");
}

/// What a server asks for is added to an instant.
#[tokio::test]
async fn no_server_is_granted_a_pause_without_an_end() {
    for (asked, granted) in [
        ("17", Some(Duration::from_secs(17))),
        ("99999999999999", Some(LONGEST_PAUSE)),
        ("18446744073709551615", Some(LONGEST_PAUSE)),
        ("-1", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        let s = Stage::new();
        s.endpoint.0.lock().unwrap().pause = Some(asked);
        let failure = s.ask(&s.instance("a")).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason, failure.retry_after), (Effect::Nothing, Reason::RateLimited, granted), "{asked}");
    }
}
