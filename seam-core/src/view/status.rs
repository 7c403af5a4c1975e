//! Names and sentences for a screen. Their wording may change; nothing branches on them.
use crate::model::AccessMethodMode;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// What a method of this mode is called.
pub(super) fn mode_name(mode: &AccessMethodMode) -> &'static str {
    match mode {
        AccessMethodMode::Code => "PIN code",
        AccessMethodMode::Card => "Key card",
        AccessMethodMode::MobileKey => "Mobile key",
        AccessMethodMode::CloudKey => "Cloud key",
        AccessMethodMode::Biometric => "Biometric credential",
        AccessMethodMode::Other(_) => "Access method",
    }
}

/// An instant as the clock on the wall of a site shows it, with its zone.
pub(super) fn at(instant: DateTime<Utc>, zone: Option<Tz>) -> String {
    match zone {
        Some(zone) => format!("{} ({zone})", instant.with_timezone(&zone).format("%Y-%m-%d %H:%M")),
        None => format!("{} UTC", instant.format("%Y-%m-%d %H:%M")),
    }
}

/// How a method stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, turned into one sentence")]
pub(super) struct MethodFacts {
    pub(super) deleted: bool,
    pub(super) ended: bool,
    pub(super) suspended: bool,
    pub(super) issued: bool,
    pub(super) asks: bool,
    pub(super) encoding: bool,
    pub(super) again: bool,
    pub(super) assignment: bool,
    pub(super) phone: bool,
    pub(super) changing: bool,
    pub(super) failed: bool,
}

/// One sentence on a method.
pub(super) fn method(f: MethodFacts) -> &'static str {
    match f {
        MethodFacts { deleted: true, .. } => "Being deleted.",
        MethodFacts { ended: true, .. } => "Ended.",
        MethodFacts { suspended: true, .. } => "Suspended.",
        MethodFacts { asks: true, .. } => "Waiting for a person to say whether the last step happened.",
        MethodFacts { encoding: true, again: true, .. } => "Encode the card again: what it opens has changed.",
        MethodFacts { encoding: true, .. } => "Waiting for the card to be encoded.",
        MethodFacts { assignment: true, .. } => "Waiting for a card to be assigned.",
        MethodFacts { phone: true, .. } => "Waiting for the person to enrol a phone.",
        MethodFacts { issued: true, .. } => "Issued.",
        MethodFacts { failed: true, .. } => "Not issued yet, although access should have started. It is being tried again.",
        MethodFacts { changing: true, .. } => "Being changed.",
        MethodFacts { .. } => "Being issued.",
    }
}
