//! From the answers of Visionline to a failure.
use super::config::KnownError;
use super::wire::pms::Line;
use super::wire::web::ErrorShown;
use seam_core::provider::{Failure, HttpResponse, Reason};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an answer of the web interface says that is no success. `writes`: the request would have changed something.
///
/// The codes are not public. A status of 400 to 499 says that the request was declined; of 500 and more, nobody knows what was done.
pub(super) fn web(answer: &HttpResponse, writes: bool, known: &BTreeMap<String, KnownError>) -> Failure {
    let shown: ErrorShown = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = shown.code.as_ref().and_then(code_text);
    let failure = match code.as_ref().and_then(|code| known.get(code)) {
        Some(known) => meant(*known),
        None => by_status(answer, writes),
    };
    failure.with_vendor_code(code.unwrap_or_else(|| answer.status.to_string()))
}

fn code_text(code: &Value) -> Option<String> {
    match code {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if text.len() <= 32 && text.bytes().all(|b| b.is_ascii_graphic()) => Some(text.clone()),
        _ => None,
    }
}

fn by_status(answer: &HttpResponse, writes: bool) -> Failure {
    match answer.status {
        400 | 422 => Failure::refused(Reason::Invalid, "the server calls the request invalid"),
        401 => Failure::refused(Reason::Unauthenticated, "the server does not accept the login"),
        403 => Failure::refused(Reason::Forbidden, "the operator may not do this"),
        404 => Failure::refused(Reason::NotThere, "the server does not know a door, an encoder, an endpoint or a card of the request"),
        409 => Failure::refused(Reason::Clash, "the server says that something is in the way"),
        429 => crate::net::paused(Failure::nothing(Reason::RateLimited, "the server asks for a pause"), answer),
        400..=499 => Failure::refused(Reason::Other, "the server declines the request"),
        _ if writes => Failure::unknown(Reason::Other, "the server failed, and does not say what it has done"),
        _ => Failure::nothing(Reason::Other, "the server failed"),
    }
}

fn meant(known: KnownError) -> Failure {
    match known {
        KnownError::NoCard => Failure::nothing(Reason::NoCard, "no card came"),
        KnownError::WrongCard => Failure::nothing(Reason::BadCard, "the card cannot be used"),
        KnownError::ValidCard => Failure::nothing(Reason::BadCard, "the card is still a valid key"),
        KnownError::CardRemoved => Failure::nothing(Reason::Interrupted, "the card was taken away too early"),
        KnownError::EncoderOffline => Failure::nothing(Reason::EncoderOffline, "the encoder does not answer"),
        KnownError::EncoderBusy => Failure::nothing(Reason::Busy, "the encoder is busy"),
        KnownError::UnknownEncoder => Failure::refused(Reason::NotThere, "the server does not know the encoder"),
        KnownError::UnknownDoor => Failure::refused(Reason::NotThere, "the server does not know a door"),
        KnownError::UnknownEndpoint => Failure::refused(Reason::NotThere, "the server does not know the phone"),
        KnownError::NotPermitted => Failure::refused(Reason::Forbidden, "the operator may not do this"),
    }
}

/// What a result code of the PMS port says that is no success. Source: one product's documentation; the list is cut off after 128.
pub(super) fn pms(answer: &Line, writes: bool) -> Failure {
    let Some(code) = answer.result() else {
        let failure = Failure::unknown(Reason::Garbled, "the answer has no result");
        return if writes { failure } else { crate::net::only_asked(failure) };
    };
    let nothing = |reason, message: &str| Failure::nothing(reason, message);
    let failure = match code {
        3 | 7 | 40 | 78 => nothing(Reason::EncoderOffline, "the encoder does not answer"),
        42 => nothing(Reason::EncoderOffline, "the encoder needs a newer PROM"),
        4 => nothing(Reason::Busy, "the encoder is busy"),
        73 => nothing(Reason::Busy, "the server's database is locked"),
        17 | 43 | 70 => nothing(Reason::BadCard, "the card cannot be used"),
        18 => nothing(Reason::BadCard, "the card cannot be written"),
        38 => nothing(Reason::BadCard, "the card cannot be read"),
        39 => nothing(Reason::Cancelled, "somebody cancelled it at the encoder"),
        41 => nothing(Reason::NoCard, "no card came"),
        57 => Failure::refused(Reason::Forbidden, "the operator may not give so long a validity"),
        // It was written, or half of it.
        20 => Failure::unknown(Reason::BadCard, "what was written could not be verified"),
        // It waits its turn, and may still be done.
        85 => Failure::unknown(Reason::Busy, "the encoder has it in its queue"),
        _ => Failure::unknown(Reason::Other, "the server failed, and does not say what it has done"),
    };
    let failure = if writes { failure } else { crate::net::only_asked(failure) };
    failure.with_vendor_code(format!("RC{code}"))
}
