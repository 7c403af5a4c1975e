//! The web interface: login, signatures, requests. Knows no access grant.
use super::config::{Config, KnownError, WebSettings};
use super::error;
use super::wire::sign::{self, ToSign, authorization, content_md5};
use super::wire::web::{CardShown, CardWanted, DoorShown, SessionMade};
use crate::http::{HttpClient, HttpOptions, Reach};
use crate::net::{Deadline, LONGEST_ANSWER, only_asked};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use seam_core::clock::Clock;
use seam_core::provider::{Failure, HttpMethod, HttpRequest, HttpResponse, HttpTransport, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A server's clock that differs by less is right: the header has whole seconds, and the answer was on its way.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Requests to one server, under one login.
pub(super) struct WebClient {
    http: Arc<dyn HttpTransport>,
    origin: String,
    username: String,
    password: SecretString,
    x_aah_date: bool,
    clock: Arc<dyn Clock>,
    errors: BTreeMap<String, KnownError>,
    session: Mutex<Option<Arc<Session>>>,
}

/// A session. `Debug` shows neither its id nor its key.
struct Session {
    id: String,
    key: SecretString,
    /// How much the server's clock is ahead of ours.
    ahead: TimeDelta,
}

impl fmt::Debug for WebClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebClient").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A request without its signature.
struct Ask<'a> {
    method: HttpMethod,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<Vec<u8>>,
}

impl WebClient {
    pub(super) fn new(web: &WebSettings, config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let mut options = HttpOptions::new(Reach::Anywhere);
        web.certificates.apply(&mut options)?;
        let http = Arc::new(HttpClient::new(&options)?);
        let host = if web.host.contains(':') && !web.host.starts_with('[') { format!("[{}]", web.host) } else { web.host.clone() };
        Ok(Self {
            http,
            origin: format!("https://{host}:{}", web.port),
            username: web.username.clone(),
            password: web.password.clone(),
            x_aah_date: web.x_aah_date,
            clock,
            errors: config.settings.error_codes.clone(),
            session: Mutex::new(None),
        })
    }

    /// By another transport.
    #[cfg(feature = "fuzzing")]
    pub(super) fn over(self, http: Arc<dyn HttpTransport>) -> Self {
        Self { http, ..self }
    }

    /// How much the server's clock is ahead of ours; logs in, where nobody is.
    pub(super) async fn clock_ahead(&self, deadline: &Deadline) -> Result<TimeDelta, Failure> {
        Ok(self.session(None, deadline).await?.ahead)
    }

    /// All doors with their details.
    pub(super) async fn doors(&self, deadline: &Deadline) -> Result<Vec<DoorShown>, Failure> {
        let ask = Ask { method: HttpMethod::Get, path: "/api/v1/doors", query: &[("details", "true")], body: None };
        self.read(ask, deadline).await
    }

    /// The cards that are valid at a guest door at a time, those that were overridden or overwritten included.
    pub(super) async fn cards_at(&self, door: &str, time: &str, deadline: &Deadline) -> Result<Vec<CardShown>, Failure> {
        let ask = Ask { method: HttpMethod::Get, path: "/api/v1/cards", query: &[("guestDoor", door), ("validTime", time)], body: None };
        self.read(ask, deadline).await
    }

    /// The cards of a chip.
    pub(super) async fn cards_of_serial(&self, serial: &str, deadline: &Deadline) -> Result<Vec<CardShown>, Failure> {
        let ask = Ask { method: HttpMethod::Get, path: "/api/v1/cards", query: &[("serialNumber", serial)], body: None };
        self.read(ask, deadline).await
    }

    /// Makes a card. What the server tells of it may be nothing.
    ///
    /// # Errors
    /// `Unknown` once it may have been made.
    pub(super) async fn make(&self, query: &[(&str, &str)], card: &CardWanted, deadline: &Deadline) -> Result<CardShown, Failure> {
        let body = serde_json::to_vec(card).map_err(|e| Failure::refused(Reason::Invalid, e.to_string()))?;
        let ask = Ask { method: HttpMethod::Post, path: "/api/v1/cards", query, body: Some(body) };
        let answer = self.signed(ask, deadline).await?;
        // It was made, whatever the rest says.
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    async fn read<T: DeserializeOwned>(&self, ask: Ask<'_>, deadline: &Deadline) -> Result<T, Failure> {
        let answer = self.signed(ask, deadline).await.map_err(only_asked)?;
        if answer.is_cut {
            return Err(Failure::nothing(Reason::Garbled, "the answer is too long"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failure::nothing(Reason::Garbled, "the answer could not be understood"))
    }

    /// Sends a request under a session. One that the server does not know any more is replaced, once.
    async fn signed(&self, ask: Ask<'_>, deadline: &Deadline) -> Result<HttpResponse, Failure> {
        let session = self.session(None, deadline).await?;
        let mut answer = self.once(&session, &ask, deadline).await?;
        if matches!(answer.status, 401 | 403) {
            // Nothing was done: who asks was not even known.
            let session = self.session(Some(&session), deadline).await?;
            answer = self.once(&session, &ask, deadline).await?;
            // Whoever holds the session is making another one.
            if answer.status == 401
                && let Ok(mut known) = self.session.try_lock()
            {
                *known = None;
            }
        }
        if answer.is_success() { Ok(answer) } else { Err(error::web(&answer, ask.method != HttpMethod::Get, &self.errors)) }
    }

    async fn once(&self, session: &Session, ask: &Ask<'_>, deadline: &Deadline) -> Result<HttpResponse, Failure> {
        let target = sign::target(ask.path, ask.query);
        let date = sign::date(self.clock.now() + session.ahead);
        let line = if self.x_aah_date { format!("X-Aah-Date:{date}") } else { date.clone() };
        let md5 = ask.body.as_deref().map(content_md5).unwrap_or_default();
        let content_type = if ask.body.is_some() { sign::CONTENT_TYPE } else { "" };
        let to_sign = ToSign { method: ask.method.as_str(), content_md5: &md5, content_type, date: &line, target: &target };
        let signature = authorization(&session.id, &session.key, to_sign);
        let mut request = self.request(ask.method, &target, &date).with_header("Authorization", signature);
        if let Some(body) = &ask.body {
            request = request.with_header("Content-Type", content_type).with_header("Content-MD5", md5).with_body(body.clone());
        }
        self.send(request, deadline).await
    }

    fn request(&self, method: HttpMethod, target: &str, date: &str) -> HttpRequest {
        let header = if self.x_aah_date { "X-Aah-Date" } else { "Date" };
        HttpRequest::new(method, format!("{}{target}", self.origin)).with_header(header, date).with_max_response(LONGEST_ANSWER)
    }

    async fn send(&self, request: HttpRequest, deadline: &Deadline) -> Result<HttpResponse, Failure> {
        let left = deadline.left();
        if left.is_zero() {
            return Err(Failure::nothing(Reason::TimedOut, "the time was over before anything was sent"));
        }
        match deadline.bound(self.http.send(request.with_within(left))).await {
            Some(answer) => answer,
            None => Err(Failure::unknown(Reason::TimedOut, "no answer in time")),
        }
    }

    /// The session, or a new one: where there is none, or where it is still the one that the server refused.
    async fn session(&self, refused: Option<&Arc<Session>>, deadline: &Deadline) -> Result<Arc<Session>, Failure> {
        let Some(mut session) = deadline.bound(self.session.lock()).await else {
            return Err(Failure::nothing(Reason::TimedOut, "somebody else is logging in"));
        };
        if let Some(known) = &*session
            && refused.is_none_or(|refused| !Arc::ptr_eq(known, refused))
        {
            return Ok(Arc::clone(known));
        }
        *session = None;
        let made = Arc::new(self.log_in(deadline).await.map_err(only_asked)?);
        *session = Some(Arc::clone(&made));
        Ok(made)
    }

    async fn log_in(&self, deadline: &Deadline) -> Result<Session, Failure> {
        let login = serde_json::json!({"username": self.username, "password": self.password.expose_secret()});
        let body = login.to_string().into_bytes();
        let sent = self.clock.now();
        let request = self
            .request(HttpMethod::Post, "/api/v1/sessions", &sign::date(sent))
            .with_header("Content-Type", sign::CONTENT_TYPE)
            .with_header("Content-MD5", content_md5(&body))
            .with_body(body);
        let answer = self.send(request, deadline).await?;
        if !answer.is_success() {
            return Err(error::web(&answer, false, &self.errors));
        }
        let made: SessionMade = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::nothing(Reason::Garbled, "the answer to the login could not be understood"))?;
        let id_fits = !made.id.is_empty() && made.id.len() <= 256 && made.id.bytes().all(|b| b.is_ascii_graphic());
        if !id_fits {
            return Err(Failure::nothing(Reason::Garbled, "the answer to the login could not be understood"));
        }
        // The signature carries the time. A server whose clock is wrong is told its own time: our choice, nobody has tried it.
        let ahead = answer.header("date").and_then(instant).map(|at| at - sent).filter(|by| by.abs() > CLOCK_TOLERANCE).unwrap_or_default();
        Ok(Session { id: made.id, key: made.access_key, ahead })
    }
}

/// The instant of a header. A year that does not have four digits is no header's: with it, times that are counted on from it would leave the calendar.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
    (1970..=9998).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_at_the_end_of_the_calendar_is_not_believed() {
        assert_eq!(instant("Sun, 22 Nov 2026 17:00:00 GMT").map(|at| at.timestamp()), Some(1_795_366_800));
        for bad in ["31 Dec 262142 23:59:59 GMT", "31 Dec 9999 23:59:59 GMT", "1 Jan 1969 00:00:00 GMT", "soon"] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
