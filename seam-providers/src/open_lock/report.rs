//! What the account reports of its one system. Pure.
use super::config::{EntranceClass, Settings};
use super::ledger::DocumentForm;
use seam_core::provider::{ChannelReport, EntranceReport, Handle, JoinBy, Kind, KindRules, StayRules, SystemReport};
use serde_json::{Map, Value, json};

/// How long before its start a key may be put: its documents hold from the start on, so early ones cost nothing but their renewal.
const LOAD_AHEAD_SECONDS: u64 = 30 * 24 * 3600;
/// Requests of the issuer at once. They go to the host's own records.
const IN_FLIGHT: u16 = 8;

/// The handle of the account's one system.
pub(super) fn handle() -> Handle {
    Handle::text("site")
}

pub(super) fn system(settings: &Settings) -> SystemReport {
    let site = settings.site.hyphenated();
    let channel = ChannelReport::new(format!("open-lock://{site}"), IN_FLIGHT);
    let mut report = SystemReport::new(handle(), settings.name.trim(), format!("open_lock:{site}"), channel);
    report.external_type = "open_lock_site".to_owned();
    report.external_type_display_name = "Site of open locks".to_owned();
    report.time_zone = Some(settings.time_zone.clone());
    report.stay = Some(StayRules {
        join: JoinBy::Generation,
        role_per_door: true,
        required: true,
        longest_jump_seconds: Some(u64::from(settings.longest_jump_days) * 24 * 3600),
    });
    // The record is the key: it is overwritten by name, and read back in full. The lock keeps the window, to the second.
    let mut rules = KindRules::full();
    rules.load_ahead_seconds = LOAD_AHEAD_SECONDS;
    rules.schedule = settings.documents == DocumentForm::Aliro;
    report.kinds.insert(Kind::MobileKey, rules);
    report.external_types.insert(Kind::MobileKey, "open_lock_mobile_key".to_owned());
    report
}

/// The map of the site, as the settings have it.
pub(super) fn entrances(settings: &Settings) -> Vec<EntranceReport> {
    settings
        .entrances
        .iter()
        .map(|entrance| {
            let id = entrance.id.hyphenated().to_string();
            let mut report = EntranceReport::new(Handle::text(&id), entrance.name.trim(), entrance.class.class());
            report.mobile_key = true;
            report.reservation = entrance.class == EntranceClass::Guest;
            let facts: Map<String, Value> = Map::from_iter([("entrance_id".to_owned(), json!(id))]);
            report.metadata.insert("open_lock_metadata".to_owned(), Value::Object(facts));
            report
        })
        .collect()
}
