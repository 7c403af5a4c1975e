//! Access tokens by OAuth 2.0 (RFC 6749), kept for all instances of a service.
//!
//! One refresh at a time in a process; among instances the record of the account decides: whoever finds it changed while refreshing takes what is there. A
//! refresh token that the server rotates is worth as much as the login, so it is written down before the access token that came with it is used.
use super::Deadline;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::Clock;
use seam_core::provider::{Effect, Failure, HttpMethod, HttpRequest, HttpResponse, HttpTransport, Memo, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A token is not used in its last seconds: on the way it would run out.
const SPARE: TimeDelta = TimeDelta::seconds(30);
/// How long a token is believed whose server does not say.
const UNSAID_SECONDS: u64 = 300;

/// How an account gets its first token.
#[non_exhaustive]
pub enum Grant {
    /// By a refresh token that a person's consent gave (authorization code).
    RefreshToken(SecretString),
    /// By user and password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// By the client's own right.
    ClientCredentials,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RefreshToken(_) => "RefreshToken",
            Self::Password { .. } => "Password",
            Self::ClientCredentials => "ClientCredentials",
        })
    }
}

/// A client of a token endpoint.
#[derive(Debug)]
#[non_exhaustive]
pub struct OAuthClient {
    /// The token endpoint.
    pub token_url: String,
    /// The client's id, sent with the secret as basic authentication (RFC 6749, 2.3.1).
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The scopes, with blanks between them.
    pub scope: String,
    /// How the first token is got.
    pub grant: Grant,
}

impl OAuthClient {
    /// A client.
    #[must_use]
    pub fn new(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretString,
        scope: impl Into<String>,
        grant: Grant,
    ) -> Self {
        Self { token_url: token_url.into(), client_id: client_id.into(), client_secret, scope: scope.into(), grant }
    }
}

/// What is kept in the account's record.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Record {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_at: i64,
    #[serde(default)]
    refresh_token: Option<String>,
    /// Which login it came from: other settings make another.
    #[serde(default)]
    login: String,
}

impl Record {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        !self.access_token.is_empty() && DateTime::from_timestamp(self.expires_at, 0).is_some_and(|at| at - SPARE > now)
    }
}

/// What a token endpoint answers (RFC 6749, 5.1 and 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    error: Option<String>,
}

/// Tokens of one account.
pub struct Tokens {
    client: OAuthClient,
    http: Arc<dyn HttpTransport>,
    memo: Arc<dyn Memo>,
    clock: Arc<dyn Clock>,
    /// Also the turn: who holds it refreshes.
    known: Mutex<Known>,
}

/// What this instance knows.
#[derive(Default)]
struct Known {
    record: Record,
    /// It is newer than this version of the account's record, where it could not be written.
    newer_than: Option<u64>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("grant", &self.client.grant).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens that are kept in this record. No I/O.
    #[must_use]
    pub fn new(client: OAuthClient, http: Arc<dyn HttpTransport>, memo: Arc<dyn Memo>, clock: Arc<dyn Clock>) -> Self {
        Self { client, http, memo, clock, known: Mutex::new(Known::default()) }
    }

    /// A token that is good for a while.
    ///
    /// # Errors
    /// `Nothing` when the endpoint or the record cannot be reached now, `Refused` ([`Unauthenticated`](Reason::Unauthenticated)) when the login no longer
    /// works. Never `Unknown`.
    pub async fn token(&self, deadline: &Deadline) -> Result<SecretString, Failure> {
        self.another(None, deadline).await
    }

    /// Another token than this one, which the server refused before its time.
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub async fn after_refusal(&self, refused: &SecretString, deadline: &Deadline) -> Result<SecretString, Failure> {
        self.another(Some(refused.expose_secret()), deadline).await
    }

    async fn another(&self, refused: Option<&str>, deadline: &Deadline) -> Result<SecretString, Failure> {
        // Bounded as a whole: who waits for the turn of somebody slow waits no longer than the call may take.
        match deadline.bound(self.get(refused, deadline)).await {
            Some(got) => got,
            None => Err(Failure::nothing(Reason::TimedOut, "no token was given in time")),
        }
    }

    async fn get(&self, refused: Option<&str>, deadline: &Deadline) -> Result<SecretString, Failure> {
        let mut known = self.known.lock().await;
        let is_good = |record: &Record| record.is_good(self.clock.now()) && Some(record.access_token.as_str()) != refused;
        if !is_good(&known.record) {
            let (version, record) = self.load().await?;
            if is_good(&record) {
                *known = Known { record, newer_than: None };
            } else {
                self.renew(version, record, &mut known, refused, deadline).await?;
            }
        }
        Ok(SecretString::from(known.record.access_token.clone()))
    }

    /// The record, if it belongs to this login.
    async fn load(&self) -> Result<(u64, Record), Failure> {
        let (version, text) = self.memo.load().await?;
        let record: Record = serde_json::from_str(text.expose_secret()).unwrap_or_default();
        let mine = record.login == self.login();
        Ok((version, if mine { record } else { Record::default() }))
    }

    /// Names a login without saying anything of its secrets.
    fn login(&self) -> String {
        let who = match &self.client.grant {
            Grant::Password { user, .. } => user.clone(),
            // Another consent may be another person's. The record is sealed, and a token cannot be guessed from its digest.
            Grant::RefreshToken(token) => Sha256::digest(token.expose_secret()).iter().map(|b| format!("{b:02x}")).collect(),
            Grant::ClientCredentials => String::new(),
        };
        format!("{} {} {who}", self.client.token_url, self.client.client_id)
    }

    /// Asks for a new token and writes it down.
    async fn renew(
        &self,
        version: u64,
        record: Record,
        known: &mut Known,
        refused: Option<&str>,
        deadline: &Deadline,
    ) -> Result<(), Failure> {
        // What is written is newer than what is known here, unless that could not be written: another instance may have used the token that is known here,
        // and a server to which it is shown once more may end the login.
        let refresh = if known.newer_than == Some(version) { known.record.refresh_token.clone() } else { record.refresh_token };
        let asked = match self.ask(refresh.as_deref(), deadline).await {
            Err(failure) if failure.effect == Effect::Refused => {
                // Another instance may have used the token that was written down here: what it wrote is taken.
                let (now, theirs) = self.load().await?;
                if now != version && theirs.is_good(self.clock.now()) && Some(theirs.access_token.as_str()) != refused {
                    *known = Known { record: theirs, newer_than: None };
                    return Ok(());
                }
                if refresh.is_none() {
                    return Err(failure);
                }
                self.ask(None, deadline).await?
            }
            asked => asked?,
        };
        let mut new = self.record(asked)?;
        new.refresh_token = new.refresh_token.or(refresh);
        let text = serde_json::to_string(&new).map_err(|_| Failure::nothing(Reason::Other, "the token cannot be written down"))?;
        // Known before it is written: whoever runs out of time while it is being written still has it.
        *known = Known { record: new, newer_than: Some(version) };
        match self.memo.swap(version, SecretString::from(text)).await {
            Ok(true) => known.newer_than = None,
            // Another instance was first: its token is as good, and what it wrote stays.
            Ok(false) => {
                let (now, theirs) = self.load().await?;
                if theirs.is_good(self.clock.now()) && Some(theirs.access_token.as_str()) != refused {
                    *known = Known { record: theirs, newer_than: None };
                } else {
                    known.newer_than = Some(now);
                }
            }
            // It may be written or not; it is known here, and written with the next one.
            Err(_) => {}
        }
        Ok(())
    }

    fn record(&self, answer: Answer) -> Result<Record, Failure> {
        let token = answer.access_token.filter(|t| !t.is_empty());
        let access_token = token.ok_or_else(|| Failure::nothing(Reason::Garbled, "the token endpoint gave no token"))?;
        let lasts = i64::try_from(answer.expires_in.unwrap_or(UNSAID_SECONDS).min(366 * 86_400)).unwrap_or(0);
        let expires_at = self.clock.now().timestamp() + lasts;
        Ok(Record { access_token, expires_at, refresh_token: answer.refresh_token, login: self.login() })
    }

    /// One request to the endpoint. `refresh`: the token that was kept; else the settings' own grant.
    async fn ask(&self, refresh: Option<&str>, deadline: &Deadline) -> Result<Answer, Failure> {
        use base64::Engine as _;
        let mut form: Vec<(&str, &str)> = match (&self.client.grant, refresh) {
            (_, Some(token)) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
            (Grant::RefreshToken(token), None) => vec![("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())],
            (Grant::Password { user, password }, None) => {
                vec![("grant_type", "password"), ("username", user), ("password", password.expose_secret())]
            }
            (Grant::ClientCredentials, None) => vec![("grant_type", "client_credentials")],
        };
        form.push(("scope", &self.client.scope));
        let body = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let pair = format!("{}:{}", encoded(&self.client.client_id), encoded(self.client.client_secret.expose_secret()));
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        let request = HttpRequest::new(HttpMethod::Post, self.client.token_url.as_str())
            .with_header("Content-Type", "application/x-www-form-urlencoded")
            .with_header("Accept", "application/json")
            .with_header("Authorization", format!("Basic {pair}"))
            .with_body(body)
            .with_within(deadline.left())
            .with_max_response(64 << 10);
        // A token that was made and not received opens nothing.
        let answer = self.http.send(request).await.map_err(super::only_asked)?;
        understood(&answer)
    }
}

fn understood(answer: &HttpResponse) -> Result<Answer, Failure> {
    let read: Answer = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return Ok(read);
    }
    Err(match answer.status {
        429 | 503 => super::paused(Failure::nothing(Reason::RateLimited, "the token endpoint asks to wait"), answer),
        400 | 401 | 403 => {
            // The words of RFC 6749, 5.2; others are not repeated.
            let words =
                ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"];
            let word = read.error.as_deref().and_then(|e| words.into_iter().find(|w| *w == e));
            let failure = Failure::refused(Reason::Unauthenticated, "the login was refused");
            word.map_or(failure.clone(), |word| failure.with_vendor_code(word))
        }
        404 | 405 => Failure::refused(Reason::Invalid, "there is no token endpoint at this address"),
        _ => Failure::nothing(Reason::Offline, "the token endpoint failed"),
    })
}

/// As a form takes it (`application/x-www-form-urlencoded`).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
