//! From the answers of the cloud to failures.
use super::wire::ErrorBody;
use crate::net::paused;
use seam_core::provider::{Failure, HttpResponse, Reason};

pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::refused(Reason::Invalid, message)
}

/// The answer, if it is no error. Codes as they were seen (1100 to 1102, 2202, 2203); a success may carry one, too.
pub(super) fn checked(answer: HttpResponse, changes: bool) -> Result<HttpResponse, Failure> {
    let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.code.as_deref().filter(|c| (1..=12).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric()));
    if answer.is_success() && code.is_none() {
        if answer.is_cut {
            let failure = "the answer is too long";
            return Err(if changes { Failure::unknown(Reason::Garbled, failure) } else { Failure::nothing(Reason::Garbled, failure) });
        }
        return Ok(answer);
    }
    let refused = Failure::refused;
    let failure = match (answer.status, code) {
        // Whoever stands before the cloud may say 503 of what the cloud has done.
        (503, _) if changes => {
            paused(Failure::unknown(Reason::RateLimited, "the cloud asks to wait, and does not say what it has done"), &answer)
        }
        (429 | 503, _) => paused(Failure::nothing(Reason::RateLimited, "the cloud asks to wait"), &answer),
        (401, _) => refused(Reason::Unauthenticated, "the cloud does not accept the login"),
        (500.., _) if changes => Failure::unknown(Reason::Other, "the cloud failed"),
        (500.., _) => Failure::nothing(Reason::Offline, "the cloud failed"),
        (_, Some("1100" | "1101" | "1102")) => refused(Reason::Invalid, "the cloud refuses a value"),
        (_, Some("2202")) | (404 | 410, _) => refused(Reason::NotThere, "there is no such thing in the cloud"),
        (_, Some("2203")) | (403, _) => refused(Reason::Forbidden, "the login may not do this"),
        (405, _) => refused(Reason::Unsupported, "the cloud does not do this"),
        (409, _) => refused(Reason::Clash, "something else has the place"),
        (400..=499, _) => refused(Reason::Other, "the cloud refuses the request"),
        // Something between us and the cloud answered, or a success with an error in it.
        _ if changes => Failure::unknown(Reason::Garbled, "the answer could not be understood"),
        _ => Failure::nothing(Reason::Garbled, "the answer could not be understood"),
    };
    let code = code.map_or_else(|| answer.status.to_string(), str::to_owned);
    Err(failure.with_vendor_code(code))
}
