//! HTTP/1.1 for fakes of servers: as much of it as clients of today send.
use super::{Conversation, Wire};
use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use std::fmt::Write;
use std::io;
use tokio_util::codec::Decoder;

/// The most headers of a request.
const MOST_HEADERS: usize = 64;
/// The longest head and the longest body of a request, in bytes.
const LONGEST: usize = 1 << 20;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAsked {
    /// The method, in capitals.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The headers, with their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAsked {
    /// The first header of a name (in small letters).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }
    /// The query, as it was sent; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The headers, beside `Date` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// An answer without a body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
    /// An answer in JSON.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status).with_header("Content-Type", "application/json").with_body(body.to_string())
    }
    /// With a header more.
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
}

/// Answers requests.
#[async_trait]
pub trait HttpService: Send + Sync + 'static {
    /// Answers one. Dropped when the connection is lost.
    async fn serve(&self, asked: HttpAsked) -> HttpAnswer;
}

/// HTTP as a conversation.
#[derive(Debug)]
pub struct HttpConversation<S>(pub S);

#[async_trait]
impl<S: HttpService> Conversation for HttpConversation<S> {
    async fn talk(&self, mut wire: Wire) {
        while let Ok(Some(asked)) = wire.receive(&mut Requests).await {
            wire.asked().await;
            let answer = self.0.serve(asked).await;
            let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
            let date = wire.now().format("%a, %d %b %Y %H:%M:%S GMT");
            let _ = write!(head, "Date: {date}\r\n");
            for (name, value) in &answer.headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            head.push_str("\r\n");
            let mut bytes = head.into_bytes();
            bytes.extend_from_slice(&answer.body);
            if wire.answer(&bytes).await.is_err() {
                return;
            }
        }
    }
}

/// Cuts bytes into requests.
struct Requests;

impl Decoder for Requests {
    type Item = HttpAsked;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<HttpAsked>, io::Error> {
        let bad = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() <= LONGEST => return Ok(None),
            Ok(httparse::Status::Partial) => return bad("the head has no end"),
            Err(e) => return Err(io::Error::new(io::ErrorKind::InvalidData, e)),
        };
        let texts = request.headers.iter().map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()));
        let mut asked = HttpAsked {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: texts.collect(),
            body: Vec::new(),
        };
        if asked.header("transfer-encoding").is_some() {
            return bad("bodies in chunks are not read here");
        }
        let Ok(body) = asked.header("content-length").unwrap_or("0").trim().parse::<usize>() else { return bad("no length") };
        if body > LONGEST {
            return bad("the body is too long");
        }
        if bytes.len() < length + body {
            return Ok(None);
        }
        bytes.advance(length);
        asked.body = bytes.split_to(body).to_vec();
        Ok(Some(asked))
    }
}
