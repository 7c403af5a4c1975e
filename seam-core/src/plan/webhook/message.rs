//! A delivery on the wire: the event itself as the body, signed as Standard Webhooks have it.
//!
//! Source: the specification "Standard Webhooks" (standardwebhooks.com), which is Svix' scheme under another set of header names; both sets are sent.
use super::course::Answer;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Failure, HttpMethod, HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long an endpoint may take to answer.
pub(crate) const WITHIN: Duration = Duration::from_secs(15);
/// How much of an answer is read. Nobody looks at it; a connection whose answer was read can be used again.
const MAX_ANSWER: usize = 16 * 1024;
/// The longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: chrono::Duration = chrono::Duration::hours(24);
/// The longest text of a failure that is kept, in characters.
const MAX_MESSAGE: usize = 200;

/// The request that delivers an event. `id` stays the same over retries, `at` is the instant of this try.
///
/// # Errors
/// `Corrupt` when a secret is none.
pub(crate) fn request(url: &str, secrets: &[&SecretString], id: &str, at: DateTime<Utc>, body: Vec<u8>) -> Result<HttpRequest> {
    let timestamp = at.timestamp().to_string();
    let mut signatures = String::new();
    for secret in secrets {
        if !signatures.is_empty() {
            signatures.push(' ');
        }
        signatures.push_str(&signature(secret.expose_secret(), id, &timestamp, &body)?);
    }
    let mut request = HttpRequest::new(HttpMethod::Post, url)
        .with_header("content-type", "application/json")
        .with_within(WITHIN)
        .with_max_response(MAX_ANSWER);
    for prefix in ["svix", "webhook"] {
        request = request
            .with_header(format!("{prefix}-id"), id)
            .with_header(format!("{prefix}-timestamp"), timestamp.as_str())
            .with_header(format!("{prefix}-signature"), signatures.as_str());
    }
    Ok(request.with_body(body))
}

/// `v1,` and the base64 of an HMAC-SHA256 over `id.timestamp.body`.
fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Result<String> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "webhook_secret_corrupt", "a stored webhook secret is not `whsec_` and base64");
    let key = secret.strip_prefix("whsec_").and_then(|text| BASE64_STANDARD.decode(text).ok()).map(Zeroizing::new).ok_or_else(corrupt)?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|_| corrupt())?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

/// What an answer means. Any 2xx is a delivery; a redirect is a failure, because what is at its end was never checked.
pub(crate) fn judge(answer: &Result<HttpResponse, Failure>, now: DateTime<Utc>) -> Answer {
    match answer {
        Ok(response) if response.is_success() => Answer::Delivered,
        Ok(response) => Answer::Failed {
            status: Some(response.status),
            message: match response.status {
                300..=399 => format!("the endpoint answered {}; redirects are not followed", response.status),
                status => format!("the endpoint answered {status}"),
            },
            retry_after: response.header("retry-after").and_then(|text| retry_after(text, now)),
        },
        Err(failure) => Answer::Failed {
            status: None,
            message: failure.message.chars().take(MAX_MESSAGE).collect(),
            retry_after: failure
                .retry_after
                .and_then(|after| chrono::Duration::from_std(after).ok())
                .map(|after| after.min(MAX_RETRY_AFTER)),
        },
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or an instant; a day at most.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<chrono::Duration> {
    let text = text.trim();
    let after = match text.parse::<u32>() {
        Ok(seconds) => chrono::Duration::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now,
    };
    (after > chrono::Duration::zero()).then(|| after.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The example that the specification and Svix' documentation print.
    #[test]
    fn the_published_example_is_signed_alike() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#.to_vec();
        let request = request("https://example.com", &[&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), body.clone()).unwrap();
        let header = |name: &str| request.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        for prefix in ["svix", "webhook"] {
            assert_eq!(header(&format!("{prefix}-id")), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
            assert_eq!(header(&format!("{prefix}-timestamp")), Some("1614265330"));
            assert_eq!(header(&format!("{prefix}-signature")), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        }
        assert_eq!(request.body, body);
        assert!(!format!("{request:?}").contains("g0hM9"), "no signature in a log");
    }

    #[test]
    fn a_secret_that_is_none_signs_nothing() {
        for bad in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            let e = request("https://example.com", &[&SecretString::from(bad)], "id", at(0), Vec::new()).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_an_instant() {
        let now = at(1_445_412_480 - 90); // 90 s before Wed, 21 Oct 2015 07:28:00 GMT
        let seconds = |text: &str| retry_after(text, now).map(|d| d.num_seconds());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 7 "), Some(7));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), Some(90));
        assert_eq!(seconds("4294967295"), Some(86_400));
        for none in ["0", "-5", "soon", "", "Wed, 21 Oct 2015 07:20:00 GMT", "1e3", "99999999999999999999"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }

    #[test]
    fn only_2xx_is_a_delivery() {
        let now = at(0);
        for ok in [200, 201, 204, 299] {
            assert_eq!(judge(&Ok(HttpResponse::new(ok)), now), Answer::Delivered);
        }
        for bad in [100, 199, 300, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503] {
            let Answer::Failed { status, .. } = judge(&Ok(HttpResponse::new(bad)), now) else { panic!("{bad}") };
            assert_eq!(status, Some(bad));
        }
        let busy = Ok(HttpResponse::new(503).with_header("retry-after", "600"));
        let Answer::Failed { retry_after, .. } = judge(&busy, now) else { panic!() };
        assert_eq!(retry_after, Some(chrono::Duration::minutes(10)));
    }
}
