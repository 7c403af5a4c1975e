//! The settings of an account.
use super::wire::is_sendable;
use chrono_tz::Tz;
use seam_core::provider::{Failure, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a person enters. `Debug` shows no licence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) time_zone: String,
    #[serde(default)]
    pub(super) server_time_zone: Option<String>,
    pub(super) host: String,
    #[serde(default = "port")]
    pub(super) port: u16,
    /// The licence code that the maker issues.
    pub(super) licence: SecretString,
    /// A free name.
    #[serde(default = "application")]
    pub(super) application: String,
    /// The source address.
    #[serde(default = "source")]
    pub(super) source: String,
    /// User type and user group of guests; both have to be there in Vision.
    pub(super) user_type: String,
    pub(super) user_group: String,
    pub(super) encoders: Vec<EncoderSettings>,
    /// The rooms: Vision does not list them.
    pub(super) rooms: Vec<String>,
    #[serde(default = "card_wait")]
    pub(super) card_wait_seconds: u32,
}

/// An encoder, by its number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncoderSettings {
    pub(super) name: String,
    pub(super) number: u8,
}

const fn port() -> u16 {
    3015
}
fn application() -> String {
    "SEAM".to_owned()
}
fn source() -> String {
    "00".to_owned()
}
const fn card_wait() -> u32 {
    90
}

/// Settings that make sense.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) settings: Settings,
    pub(super) zone: Tz,
    pub(super) server_zone: Tz,
}

impl Config {
    /// Reads settings.
    ///
    /// # Errors
    /// `Refused` with one sentence that repeats nothing of them.
    pub(super) fn read(settings: &SecretString) -> Result<Self, Failure> {
        let invalid = |message: &str| Failure::refused(Reason::Invalid, message);
        let settings: Settings = serde_json::from_str(settings.expose_secret())
            .map_err(|_| invalid("the settings do not fit the schema of a Vision account"))?;
        let zone = |name: &str| name.parse::<Tz>().map_err(|_| invalid("time_zone is no IANA time zone"));
        let site = zone(&settings.time_zone)?;
        let server_zone = settings.server_time_zone.as_deref().map_or(Ok(site), zone)?;
        let short = |text: &str, longest: usize| !text.is_empty() && text.len() <= longest && is_sendable(text);
        if settings.name.trim().is_empty() || settings.host.is_empty() {
            return Err(invalid("name or host is empty"));
        }
        if !short(settings.licence.expose_secret(), 19) || !short(&settings.application, 19) || !short(&settings.source, 2) {
            return Err(invalid("licence, application or source does not fit into a message"));
        }
        if !short(&settings.user_type, 64) || !short(&settings.user_group, 64) {
            return Err(invalid("user_type and user_group have to be there in Vision"));
        }
        let names: BTreeSet<&str> = settings.encoders.iter().map(|e| e.name.as_str()).collect();
        if names.len() != settings.encoders.len() || names.contains("") || settings.encoders.iter().any(|e| e.number > 99) {
            return Err(invalid("encoders have names, each its own, and numbers up to 99"));
        }
        let rooms: BTreeSet<&str> = settings.rooms.iter().map(String::as_str).collect();
        if rooms.len() != settings.rooms.len() || rooms.contains("") {
            return Err(invalid("rooms have names, each its own"));
        }
        if !(1..=600).contains(&settings.card_wait_seconds) {
            return Err(invalid("card_wait_seconds is from 1 to 600"));
        }
        Ok(Self { settings, zone: site, server_zone })
    }

    /// The physical end.
    pub(super) fn end(&self) -> String {
        format!("{}:{}", self.settings.host.to_ascii_lowercase(), self.settings.port)
    }
}

/// The JSON schema of the settings.
pub(super) fn schema() -> Value {
    let text = |longest: u32, about: &str| json!({"type": "string", "minLength": 1, "maxLength": longest, "description": about});
    json!({
        "type": "object",
        "required": ["name", "time_zone", "host", "licence", "user_type", "user_group", "encoders", "rooms"],
        "additionalProperties": false,
        "properties": {
            "name": text(128, "The site's name."),
            "time_zone": text(64, "IANA time zone of the site, as Europe/Berlin."),
            "server_time_zone": {"type": ["string", "null"], "maxLength": 64, "description": "Time zone of the server's clock, where it is another one."},
            "host": text(253, "Name or address of the server."),
            "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "3015, if nothing else was set up."},
            "licence": {"type": "string", "minLength": 1, "maxLength": 19, "format": "password", "description": "The licence code of PMSif."},
            "application": text(19, "A free name under which it registers."),
            "source": text(2, "Source address."),
            "user_type": text(64, "User type of guests, as it is called in Vision."),
            "user_group": text(64, "User group of guests, as it is called in Vision."),
            "encoders": {
                "type": "array", "maxItems": 99, "description": "The encoders.",
                "items": {
                    "type": "object", "required": ["name", "number"], "additionalProperties": false,
                    "properties": {"name": text(64, "A name."), "number": {"type": "integer", "minimum": 0, "maximum": 99}},
                },
            },
            "rooms": {"type": "array", "maxItems": 20000, "items": text(64, "Name of a room in Vision, exactly."), "description": "The rooms."},
            "card_wait_seconds": {"type": "integer", "minimum": 1, "maximum": 600, "description": "How long Vision waits for a card."},
        },
    })
}
