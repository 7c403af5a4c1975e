//! From the answers of the system to failures.
use super::frame::FrameError;
use super::pms::NoAnswer;
use seam_core::provider::{Failure, Reason};

/// The longest free text of the system that is repeated, in characters.
const REPEATED: usize = 120;

pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::refused(Reason::Invalid, message)
}

pub(super) fn unsendable(e: &FrameError) -> Failure {
    invalid(format!("the request cannot be sent: {e}"))
}

/// What the system said, without what could break a log.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REPEATED).collect()
}

/// An answer of the PMS interface that is none. `changes`: the command may have changed something.
///
/// Codes by released clients; what each says of the effect is ours: the words of the two clients describe them all as reasons why a key was not made,
/// but for `EG`, which may be anything.
pub(super) fn pms(no: &NoAnswer, changes: bool) -> Failure {
    let doubt = |reason: Reason, message: &str| match changes {
        true => Failure::unknown(reason, message),
        false => Failure::nothing(reason, message),
    };
    let (code, text) = match no {
        NoAnswer::Code { code, text } => (code.as_str(), text.as_str()),
        // Somebody else's answer says nothing of ours.
        NoAnswer::Stranger => return doubt(Reason::Garbled, "the system answered another request"),
        NoAnswer::Garbled => return doubt(Reason::Garbled, "the answer could not be understood"),
    };
    let failure = match code {
        "ES" => Failure::refused(Reason::Invalid, "the system does not understand the request"),
        "NC" => Failure::nothing(Reason::EncoderOffline, "the encoder does not answer"),
        "NF" => Failure::nothing(Reason::Other, "the system's database is missing or damaged"),
        "OV" => Failure::nothing(Reason::Busy, "the encoder is busy"),
        "EP" => Failure::nothing(Reason::NoCard, "there is no card on the encoder, or it lies badly"),
        "EF" => Failure::nothing(Reason::BadCard, "the card is of another system, or damaged"),
        "TD" => Failure::refused(Reason::NotThere, "there is no such room"),
        "ED" => Failure::nothing(Reason::NoCard, "no card came"),
        "EA" => Failure::refused(Reason::Clash, "a copy was asked for, but nobody is checked in"),
        "OS" => Failure::refused(Reason::Clash, "the room is out of service"),
        "EO" => Failure::nothing(Reason::Busy, "a key of that guest is being made at another encoder"),
        "EV" => Failure::nothing(Reason::BadCard, "the card is a valid staff key"),
        "WE" => Failure::refused(Reason::Other, "the audit trail cannot be read"),
        "EG" => doubt(Reason::Other, &format!("the system says: {}", plain(text))),
        // Nobody has documented it.
        _ => doubt(Reason::Other, "the system answered with a code that is not known"),
    };
    failure.with_vendor_code(code)
}

/// An answer of SHIP that is none. `changes`: the request may have changed something.
///
/// Codes by the table in a driver; what each says of the effect is ours. Codes that speak of a failure inside (1, 4, 5, 404) leave it open. The system's
/// own text is not repeated: it may quote the request, and with it a PIN.
pub(super) fn ship(no: &super::ship::NoAnswer, changes: bool) -> Failure {
    use super::ship::NoAnswer as No;
    let doubt = |reason: Reason, message: String| match changes {
        true => Failure::unknown(reason, message),
        false => Failure::nothing(reason, message),
    };
    let code = match no {
        No::Exception { code, .. } => *code,
        No::Stranger => return doubt(Reason::Garbled, "the system answered another request".to_owned()),
        No::Strange => return doubt(Reason::Garbled, "the answer could not be understood".to_owned()),
        No::Xml(e) => return doubt(Reason::Garbled, format!("the answer could not be understood: {e}")),
    };
    let refused = Failure::refused;
    let nothing = Failure::nothing;
    let failure = match code {
        7 | 12 | 500..=503 | 600 | 601 => refused(Reason::Invalid, "the system calls the request invalid"),
        305 => refused(Reason::Clash, "the user has a key already"),
        10 | 102 | 202 | 203 | 205 => refused(Reason::Clash, "something else has the place"),
        11 | 100 | 200 | 300 | 400 => refused(Reason::NotThere, "there is no such user, level, door, key or encoder"),
        13 => refused(Reason::Unsupported, "the licence of the system does not cover it"),
        14 | 301 => refused(Reason::Full, "the licence, or the numbers of keys, are used up"),
        101 | 201 | 402 => nothing(Reason::Busy, "somebody else is at it"),
        204 => refused(Reason::Forbidden, "the user may not have this access level"),
        206 => refused(Reason::WindowRefused, "a key may not last so long"),
        302 | 304 | 306 => nothing(Reason::BadCard, "the card cannot be used"),
        303 | 403 => nothing(Reason::NoCard, "no card came, or it lies badly"),
        401 | 406 | 407 => nothing(Reason::EncoderOffline, "the encoder does not answer"),
        405 => nothing(Reason::Cancelled, "somebody cancelled it"),
        _ => doubt(Reason::Other, "the system failed, or with a code that is not known".to_owned()),
    };
    failure.with_vendor_code(code.to_string())
}
