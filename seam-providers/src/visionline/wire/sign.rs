//! Signatures of the web interface: an early form of S3's, HMAC-SHA1 over five lines. Source: vendor sample, 4 clients.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Digest;

/// The content type that is sent and signed. The server signs over what it receives (inferred from clients that write it differently).
pub(in crate::visionline) const CONTENT_TYPE: &str = "application/json;charset=utf-8";

/// RFC 1123 in GMT. Source: vendor sample, 2 clients.
pub(in crate::visionline) fn date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// MD5 of the exact bytes of the body, in Base64.
pub(in crate::visionline) fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

/// What is signed. Without a body the second and the third line are empty, and the headers are not sent.
#[derive(Clone, Copy, Debug)]
pub(in crate::visionline) struct ToSign<'a> {
    /// In capitals.
    pub(in crate::visionline) method: &'a str,
    pub(in crate::visionline) content_md5: &'a str,
    pub(in crate::visionline) content_type: &'a str,
    /// The value of `Date`; or `X-Aah-Date:` and the value of that, where that header is sent instead.
    pub(in crate::visionline) date: &'a str,
    /// Path and query as they go out, from `/api/v1` on.
    pub(in crate::visionline) target: &'a str,
}

/// The value of `Authorization`. The key is used as text, it is not decoded.
pub(in crate::visionline) fn authorization(session: &str, key: &SecretString, to_sign: ToSign<'_>) -> String {
    let ToSign { method, content_md5, content_type, date, target } = to_sign;
    let text = [method, content_md5, content_type, date, target].join("\n");
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.expose_secret().as_bytes()) else {
        unreachable!("a key of any length does for an HMAC")
    };
    mac.update(text.as_bytes());
    format!("AWS {session}:{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Path and query: the parameters sorted and percent-encoded as they are signed. That they are to be sorted, and encoded before they are signed, is
/// inferred: one client sorts them, those of the others are in order by themselves.
pub(in crate::visionline) fn target(path: &str, query: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    pairs.sort();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", pairs.join("&")),
    }
}

/// Percent-encoding of all that RFC 3986 does not call unreserved.
pub(in crate::visionline) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
