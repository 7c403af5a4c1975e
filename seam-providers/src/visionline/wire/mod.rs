//! The messages of Visionline, byte for byte. No I/O.
//!
//! Where a fact comes from is said with it: `vendor sample` is a program that the vendor published, `n clients` are working programs of others that agree,
//! `inferred` is a conclusion of ours. What nobody shows is not here.
pub(super) mod pms;
pub(super) mod serial;
pub(super) mod sign;
pub(super) mod web;

use chrono::NaiveDateTime;
use seam_core::provider::{Failure, Reason};

/// A time in the web interface: local time of the server, whole minutes, no zone. Source: vendor sample, 4 clients.
pub(super) fn web_time(time: NaiveDateTime) -> String {
    time.format("%Y%m%dT%H%M").to_string()
}

/// A time at the PMS port: local time of the server, whole minutes. Source: 1 client.
pub(super) fn pms_time(time: NaiveDateTime) -> String {
    time.format("%Y%m%d%H%M").to_string()
}

/// Reads a time of the web interface.
pub(super) fn read_web_time(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('T').filter(|(date, _)| date.len() == 8)?;
    read_pms_time(&format!("{date}{time}"))
}

/// Reads a time of the PMS port.
pub(super) fn read_pms_time(text: &str) -> Option<NaiveDateTime> {
    let is_whole = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    is_whole.then(|| NaiveDateTime::parse_from_str(&format!("{text}00"), "%Y%m%d%H%M%S").ok())?
}

/// A serial number of a card: hexadecimal, in capitals, without the `FF` that it is filled up with. Source: 2 clients strip it; that it is filler is
/// inferred.
pub(super) fn read_serial(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    if upper.is_empty() || upper.len() > 32 || !upper.len().is_multiple_of(2) || !upper.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut kept = upper.as_str();
    // The shortest serial number has four bytes.
    while kept.len() > 8 && kept.ends_with("FF") {
        kept = &kept[..kept.len() - 2];
    }
    Some(kept.to_owned())
}

/// A text that cannot stand in a message.
pub(super) fn unsendable(what: &str) -> Failure {
    Failure::refused(Reason::Invalid, format!("{what} cannot stand in a message of this interface"))
}
