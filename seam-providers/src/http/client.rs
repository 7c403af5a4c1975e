//! The client: every failure says what may have happened.
use super::guard::{Forbidden, Guarded, literal};
use super::{HttpOptions, Reach, tls};
use async_trait::async_trait;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use seam_core::provider::{Failure, HttpMethod, HttpRequest, HttpResponse, HttpTransport, Reason};
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// The longest part of an error that is repeated, in characters.
const REPEATED: usize = 160;

/// HTTP/1.1 over reqwest and rustls. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client,
    reach: Reach,
    turns: Arc<Semaphore>,
}

impl HttpClient {
    /// A client for webhooks: it connects to the public Internet only.
    ///
    /// # Errors
    /// `Refused` when the host has no root certificates.
    pub fn for_webhooks() -> Result<Self, Failure> {
        Self::new(&HttpOptions::new(Reach::Public))
    }
    /// A client for providers: it connects to wherever an administrator's settings lead.
    ///
    /// # Errors
    /// As [`for_webhooks`](Self::for_webhooks).
    pub fn for_providers() -> Result<Self, Failure> {
        Self::new(&HttpOptions::new(Reach::Anywhere))
    }
    /// A client with these options. No I/O but reading root certificates.
    ///
    /// # Errors
    /// `Refused` when the roots, or the name of the client, are none.
    pub fn new(options: &HttpOptions) -> Result<Self, Failure> {
        let config = tls::config(options).map_err(|e| Failure::refused(Reason::Invalid, e))?;
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .dns_resolver(Arc::new(Guarded { reach: options.reach, resolver: Arc::clone(&options.resolver) }))
            // A proxy would connect in our place, to where nobody has looked.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_within)
            .pool_max_idle_per_host(options.idle_per_host)
            .user_agent(options.user_agent.as_str())
            .build()
            .map_err(|e| Failure::refused(Reason::Invalid, format!("no HTTP client can be built: {}", root(&e))))?;
        Ok(Self { client, reach: options.reach, turns: Arc::new(Semaphore::new(options.at_once.max(1))) })
    }

    fn request(&self, request: &HttpRequest) -> Result<reqwest::RequestBuilder, Failure> {
        let invalid = |message: &str| Failure::refused(Reason::Invalid, message);
        let url = Url::parse(&request.url).map_err(|e| invalid(&format!("the address is none: {e}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("the address is neither http nor https, or contains user information"));
        }
        let host = url.host_str().ok_or_else(|| invalid("the address has no host"))?;
        literal(self.reach, host).map_err(|e| forbidden(&e))?;
        let method = match request.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Delete => Method::DELETE,
            _ => return Err(Failure::unsupported("this client does not know the method")),
        };
        let mut built = self.client.request(method, url);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("the name of a header is none"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| invalid("the value of a header is none"))?;
            // Not in anybody's debug output.
            value.set_sensitive(true);
            built = built.header(name, value);
        }
        Ok(built)
    }
}

#[async_trait]
impl HttpTransport for HttpClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let built = self.request(&request)?;
        let until = Instant::now() + request.within;
        let Ok(Ok(_turn)) = timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await else {
            return Err(Failure::nothing(Reason::TimedOut, "too many requests are under way"));
        };
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let mut response = built.body(request.body).timeout(left).send().await.map_err(|e| failed(&e))?;
        let mut answer = HttpResponse::new(response.status().as_u16());
        let texts = response.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        answer.headers = texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        while let Some(chunk) = response.chunk().await.map_err(|e| in_answer(&e))? {
            let room = request.max_response - answer.body.len();
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                answer.is_cut = true;
                break;
            }
        }
        Ok(answer)
    }
}

fn forbidden(e: &Forbidden) -> Failure {
    Failure::nothing(Reason::Forbidden, e.to_string())
}

/// The request was not answered. What is not surely before the first byte counts as written.
fn failed(e: &reqwest::Error) -> Failure {
    if let Some(refused) = cause::<Forbidden>(e) {
        return forbidden(refused);
    }
    if e.is_builder() {
        return Failure::refused(Reason::Invalid, "the request cannot be built");
    }
    if e.is_connect() {
        let reason = if e.is_timeout() { Reason::TimedOut } else { Reason::Offline };
        return Failure::nothing(reason, format!("no connection was made: {}", root(e)));
    }
    if e.is_timeout() {
        return Failure::unknown(Reason::TimedOut, "no answer in time");
    }
    Failure::unknown(Reason::Other, format!("the connection broke: {}", root(e)))
}

/// The answer had begun.
fn in_answer(e: &reqwest::Error) -> Failure {
    match e.is_timeout() {
        true => Failure::unknown(Reason::TimedOut, "the answer did not end in time"),
        false => Failure::unknown(Reason::Garbled, "the answer broke off"),
    }
}

/// The innermost cause in its own words: of the network or of TLS, never of the request.
fn root(e: &reqwest::Error) -> String {
    let mut last: Option<&(dyn StdError + 'static)> = e.source();
    while let Some(next) = last.and_then(StdError::source) {
        last = Some(next);
    }
    let text = last.map_or_else(|| "unknown".to_owned(), ToString::to_string);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REPEATED).collect()
}

fn cause<T: StdError + 'static>(e: &reqwest::Error) -> Option<&T> {
    let mut at: Option<&(dyn StdError + 'static)> = Some(e);
    while let Some(this) = at {
        if let Some(found) = this.downcast_ref::<T>() {
            return Some(found);
        }
        at = this.source();
    }
    None
}
