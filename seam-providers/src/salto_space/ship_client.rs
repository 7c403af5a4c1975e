//! SHIP over HTTP or STP.
use super::config::{ShipEnd, ShipSettings};
use super::error::ship;
use super::ship::{KEY_HEADER, MEDIA_TYPE, Request, StpCodec};
use super::xml::Node;
use crate::http::{HttpClient, HttpOptions, Reach};
use crate::net::tcp::TcpEnd;
use crate::net::{Deadline, LONGEST_ANSWER, LONGEST_LIST, only_asked, paused};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seam_core::provider::{Failure, HttpMethod, HttpRequest, HttpResponse, HttpTransport, Reason};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::time::Duration;

/// How long making a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Who asks SHIP.
pub(super) struct ShipClient {
    way: Way,
    /// How many bytes the answers that make up one list may have together.
    pub(super) longest_list: usize,
}

enum Way {
    Http { url: String, login: Option<(&'static str, SecretString)>, http: HttpClient },
    Stp(TcpEnd),
}

impl fmt::Debug for ShipClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShipClient").finish_non_exhaustive()
    }
}

impl ShipClient {
    pub(super) fn new(settings: &ShipSettings) -> Result<Self, Failure> {
        let way = match settings.end()? {
            ShipEnd::Stp(end) => Way::Stp(end),
            ShipEnd::Http(url) => {
                let mut options = HttpOptions::new(Reach::Anywhere);
                settings.certificates.apply(&mut options)?;
                let login = match (&settings.user, &settings.password, &settings.key) {
                    (Some(user), Some(password), _) => {
                        let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
                        Some(("Authorization", SecretString::from(format!("Basic {pair}"))))
                    }
                    (_, _, Some(key)) => Some((KEY_HEADER, key.clone())),
                    _ => None,
                };
                Way::Http { url, login, http: HttpClient::new(&options)? }
            }
        };
        Ok(Self { way, longest_list: LONGEST_LIST })
    }

    /// Asks.
    ///
    /// # Errors
    /// What the system says; what may have happened where it says nothing. A request that only reads never leaves anything unknown.
    pub(super) async fn ask(&self, request: &Request, deadline: &Deadline) -> Result<Node, Failure> {
        self.ask_on(request, deadline, &mut 0).await
    }

    /// Asks for the next answer of several that belong together, and adds its bytes to those of the answers before it.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); and `Nothing` as soon as they have more than `longest_list` together. Only for requests that read.
    pub(super) async fn ask_on(&self, request: &Request, deadline: &Deadline, bytes: &mut usize) -> Result<Node, Failure> {
        let honest = |failure: Failure| if request.only_reads() { only_asked(failure) } else { failure };
        let document = match &self.way {
            Way::Stp(end) => stp(end, &request.document(), deadline).await,
            Way::Http { url, login, http } => {
                let mut asked = HttpRequest::new(HttpMethod::Post, url.as_str())
                    .with_header("Content-Type", MEDIA_TYPE)
                    .with_body(request.document())
                    .with_within(deadline.left())
                    .with_max_response(LONGEST_ANSWER);
                if let Some((name, value)) = login {
                    asked = asked.with_header(*name, value.expose_secret());
                }
                match deadline.bound(http.send(asked)).await {
                    Some(answer) => answer.and_then(|answer| body(&answer)),
                    None => Err(Failure::unknown(Reason::TimedOut, "no answer in time")),
                }
            }
        };
        let document = document.map_err(honest)?;
        *bytes = bytes.saturating_add(document.len());
        if *bytes > self.longest_list {
            return Err(Failure::nothing(Reason::Garbled, "the list is too long"));
        }
        request.answer(&document).map_err(|no| ship(&no, !request.only_reads()))
    }
}

async fn stp(end: &TcpEnd, document: &str, deadline: &Deadline) -> Result<String, Failure> {
    let mut connection = end.connect(StpCodec, CONNECT_WITHIN, deadline).await?;
    connection.send(document, deadline).await?;
    connection.receive(deadline).await
}

/// The document of an answer. Whether exceptions come with another status than 200 is not known: whatever is XML is read.
pub(super) fn body(answer: &HttpResponse) -> Result<String, Failure> {
    let text =
        std::str::from_utf8(&answer.body).ok().filter(|t| !answer.is_cut && t.trim_start_matches('\u{feff}').trim_start().starts_with('<'));
    let status = answer.status;
    let failure = match (status, text) {
        (401 | 403, _) => Failure::refused(Reason::Unauthenticated, "the login of the SHIP interface was refused"),
        (200..=299 | 400..=499, Some(text)) if text.contains("RequestResponse") => return Ok(text.to_owned()),
        (501, _) => Failure::refused(Reason::Unsupported, "SHIP over HTTP is not switched on at the server"),
        (415, _) => Failure::refused(Reason::Other, "the server does not take SHIP's media type: is it a SHIP server?"),
        (429, _) => paused(Failure::nothing(Reason::RateLimited, "the server asks to wait"), answer),
        (503, _) => paused(Failure::unknown(Reason::RateLimited, "the server asks to wait, and does not say what it has done"), answer),
        (300..=499, _) => Failure::refused(Reason::Other, "the server refuses the request: is it a SHIP server?"),
        (500.., _) => Failure::unknown(Reason::Other, "the server failed"),
        _ => Failure::unknown(Reason::Garbled, "the answer could not be understood"),
    };
    Err(failure.with_vendor_code(status.to_string()))
}
