//! HTTP, as plain data: what providers over HTTP and webhooks are sent with. seam-core brings no client; `seam-providers` has one (feature `http`).
use super::Failure;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// Sends HTTP requests.
///
/// # Contract
/// - **Certainty.** `Ok` is any answer, of whatever status. `Err` says what may have happened, by the place that knows it: the connection was not made
///   (no address, refused, a certificate that does not verify, an address that the transport does not connect to) is `Nothing`; a request that cannot
///   be built is `Refused`; once any of it may have been written and no whole answer came, it is `Unknown`.
/// - **Once.** A request is written at most once. A connection that turns out to be closed before anything was written may be replaced.
/// - **Time limit.** [`HttpRequest::within`] is for the whole exchange, the body of the answer included, and is obeyed by closing the connection.
/// - **No redirects** are followed, and no cookies kept.
/// - **Secrets.** Neither failures nor `Debug` nor logs hold a header, a body, or what comes after the host in an address.
/// - **Cancellation.** A dropped future closes the connection, or leaves it to a pool if nothing was written.
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// `Refused` ([`Invalid`](super::Reason::Invalid)) for a request that cannot be built; `Nothing` when no connection was made
    /// ([`Offline`](super::Reason::Offline), [`TimedOut`](super::Reason::TimedOut)) or is made to such an address
    /// ([`Forbidden`](super::Reason::Forbidden)); `Unknown` ([`TimedOut`](super::Reason::TimedOut), [`Garbled`](super::Reason::Garbled),
    /// [`Other`](super::Reason::Other)) once it may have been written.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure>;
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl HttpMethod {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request. `Debug` shows the method, the size of the body and the names of the headers: an address may hold a token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The address, absolute, `http` or `https`.
    pub url: String,
    /// The headers. `Host` and `Content-Length` are the transport's.
    pub headers: Vec<(String, String)>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// How long the whole exchange may take.
    pub within: Duration,
    /// How many bytes of the answer's body are read at most. What is longer is cut, and says so.
    pub max_response: usize,
}

impl HttpRequest {
    /// A request without headers and body, that may take 20 seconds and be answered by a megabyte.
    #[must_use]
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new(), within: Duration::from_secs(20), max_response: 1 << 20 }
    }
    /// With one header more.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
    /// With another time limit.
    #[must_use]
    pub fn with_within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }
    /// With another limit of the answer's body, in bytes.
    #[must_use]
    pub fn with_max_response(mut self, max_response: usize) -> Self {
        self.max_response = max_response;
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method.as_str())
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

/// An answer. `Debug` shows its status, the size of the body and the names of the headers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, in the order in which they came; names in small letters. Values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// The body was longer than [`HttpRequest::max_response`].
    pub is_cut: bool,
}

impl HttpResponse {
    /// An answer without headers and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), is_cut: false }
    }
    /// With one header more. The name is in small letters.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    /// With a body; whether it was cut.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>, is_cut: bool) -> Self {
        (self.body, self.is_cut) = (body.into(), is_cut);
        self
    }
    /// The first header of a name (in small letters).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .field("is_cut", &self.is_cut)
            .finish()
    }
}
