//! The settings of an account, and what makes them valid.
use super::error::invalid;
use super::frame::Frame;
use super::pms::{Authorisation, LONGEST_ROOM, RESERVED_ROOMS};
use crate::net::certificates::CertificateSettings;
use crate::net::is_plain_address;
use crate::net::tcp::TcpEnd;
use chrono_tz::Tz;
use seam_core::provider::Failure;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The settings of an account: the interface for guests' cards, the interface for users and doors, or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The site's name for people.
    pub(super) name: String,
    /// IANA zone of the server: its interfaces speak in civil times.
    pub(super) time_zone: String,
    /// Guests' cards.
    #[serde(default)]
    pub(super) pms: Option<PmsSettings>,
    /// Users and doors.
    #[serde(default)]
    pub(super) ship: Option<ShipSettings>,
}

/// The PMS interface ("Industry Standard") over TCP.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PmsSettings {
    pub(super) host: String,
    pub(super) port: u16,
    /// Names of the encoders, as the system has them.
    pub(super) encoders: Vec<String>,
    /// Names of the rooms, as the system has them: the interface cannot list them.
    pub(super) rooms: Vec<String>,
    /// Rights beside the rooms.
    #[serde(default)]
    pub(super) authorisations: Vec<AuthorisationSettings>,
    /// How long the system waits for a card. It is not documented; measure it at the site.
    #[serde(default = "default_wait")]
    pub(super) card_wait_seconds: u32,
    /// Keys are sent to phones: the system has the option for it.
    #[serde(default)]
    pub(super) mobile_keys: bool,
    /// Send 0D in place of the check byte.
    #[serde(default)]
    pub(super) skip_lrc: bool,
}

/// A right that a card can have beside its rooms.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorisationSettings {
    /// Its number in the list of PMS authorisations, 1 to 62.
    pub(super) number: u8,
    /// Its name for people.
    pub(super) name: String,
}

/// The SHIP interface.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShipSettings {
    /// Over HTTP: the address. Over STP: `stp://host:port`.
    pub(super) address: String,
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) password: Option<SecretString>,
    /// The value of the header `Salto-SHIP-Key`.
    #[serde(default)]
    pub(super) key: Option<SecretString>,
    #[serde(default)]
    pub(super) certificates: CertificateSettings,
    /// External ids of the doors with a keypad: the interface does not tell.
    #[serde(default)]
    pub(super) keypads: Vec<String>,
    /// Ids of the encoders: the interface does not list them.
    #[serde(default)]
    pub(super) encoders: Vec<String>,
    /// How long an encoder of the system waits for a card. It is not documented; measure it at the site.
    #[serde(default = "default_wait")]
    pub(super) card_wait_seconds: u32,
}

const fn default_wait() -> u32 {
    60
}

/// Where SHIP is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShipEnd {
    /// By HTTP.
    Http(String),
    /// By the vendor's own framing over TCP.
    Stp(TcpEnd),
}

impl ShipSettings {
    /// The server, without what may change of its address: scheme, port and path.
    pub(super) fn host(&self) -> String {
        let rest = self.address.split_once("://").map_or(self.address.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        // The colons of an IPv6 address stand in brackets.
        let host =
            authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(authority, |(host, _)| host);
        host.to_ascii_lowercase()
    }
    /// Where it is reached.
    pub(super) fn end(&self) -> Result<ShipEnd, Failure> {
        if !is_plain_address(&self.address) {
            return Err(invalid("ship.address: it has a user, a query or a fragment; the login has settings of its own"));
        }
        if let Some(rest) = self.address.strip_prefix("stp://") {
            let (host, port) =
                rest.trim_end_matches('/').rsplit_once(':').ok_or_else(|| invalid("ship.address: stp://host:port is expected"))?;
            let port = port.parse().map_err(|_| invalid("ship.address: the port is no number from 1 to 65535"))?;
            if self.user.is_some() || self.password.is_some() || self.key.is_some() {
                return Err(invalid("ship: there is no login over STP"));
            }
            return Ok(ShipEnd::Stp(TcpEnd { host: host.to_owned(), port }));
        }
        if self.address.starts_with("http://") || self.address.starts_with("https://") {
            return Ok(ShipEnd::Http(self.address.clone()));
        }
        Err(invalid("ship.address: http://, https:// or stp:// is expected"))
    }
}

/// The JSON schema of the settings.
pub(super) fn schema() -> Value {
    let text = |description: &str, most: u32| json!({"type": "string", "minLength": 1, "maxLength": most, "description": description});
    let names = |description: &str, most: u32| json!({"type": "array", "maxItems": 10_000, "items": {"type": "string", "minLength": 1, "maxLength": most}, "description": description});
    json!({
        "type": "object",
        "required": ["name", "time_zone"],
        "additionalProperties": false,
        "properties": {
            "name": text("The name of the site.", 100),
            "time_zone": text("The IANA time zone of the server, as Europe/Madrid.", 64),
            "pms": {
                "type": ["object", "null"],
                "required": ["host", "port", "encoders", "rooms"],
                "additionalProperties": false,
                "description": "The PMS interface (Industry Standard, over TCP/IP) for guests' cards. It has neither login nor encryption: keep it on a network of its own.",
                "properties": {
                    "host": text("The server.", 253),
                    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "The port that was set in the PMS tab."},
                    "encoders": names("The Ethernet encoders, by their names in the system.", 60),
                    "rooms": names("The rooms, by their names in the system, leading zeros included.", 24),
                    "authorisations": {
                        "type": "array", "maxItems": 62, "description": "The PMS authorisations that guests' cards may have: zones and outputs.",
                        "items": {
                            "type": "object", "required": ["number", "name"], "additionalProperties": false,
                            "properties": {
                                "number": {"type": "integer", "minimum": 1, "maximum": 62, "description": "Its number in the system's list."},
                                "name": text("Its name.", 100),
                            },
                        },
                    },
                    "card_wait_seconds": {"type": "integer", "minimum": 5, "maximum": 600, "description": "How long the system waits for a card."},
                    "mobile_keys": {"type": "boolean", "description": "Send keys to phone numbers (JustIN). The system needs its option, and each phone the vendor's app."},
                    "skip_lrc": {"type": "boolean", "description": "Ask the system not to check requests."},
                },
            },
            "ship": {
                "type": ["object", "null"],
                "required": ["address"],
                "additionalProperties": false,
                "description": "The SHIP interface for users, access levels, doors and the audit trail. It needs a licence.",
                "properties": {
                    "address": text("https://host:8100/ or stp://host:port.", 500),
                    "user": {"type": ["string", "null"], "maxLength": 200, "description": "With basic authentication."},
                    "password": {"type": ["string", "null"], "maxLength": 200},
                    "key": {"type": ["string", "null"], "maxLength": 200, "description": "With custom authentication."},
                    "certificates": CertificateSettings::schema(),
                    "keypads": names("External ids of the doors with a keypad.", 32),
                    "encoders": names("Ids of the encoders.", 60),
                    "card_wait_seconds": {"type": "integer", "minimum": 5, "maximum": 600, "description": "How long the system waits for a card."},
                },
            },
        },
    })
}

impl Settings {
    /// Checks what a schema cannot say.
    ///
    /// # Errors
    /// `Refused`, with what has to be corrected and without its value.
    pub(super) fn check(&self) -> Result<Tz, Failure> {
        let zone = self.time_zone.parse::<Tz>().map_err(|_| invalid("time_zone: there is no such time zone"))?;
        if self.name.is_empty() {
            return Err(invalid("name: it is empty"));
        }
        if self.pms.is_none() && self.ship.is_none() {
            return Err(invalid("one of pms and ship is needed"));
        }
        if let Some(pms) = &self.pms {
            pms.check()?;
        }
        if let Some(ship) = &self.ship {
            ship.check()?;
        }
        Ok(zone)
    }
}

fn distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim() != name || name.is_empty() {
            return Err(invalid(format!("{what}: a name is empty, or begins or ends with a blank")));
        }
        if !seen.insert(name) {
            return Err(invalid(format!("{what}: a name is there twice")));
        }
    }
    Ok(())
}

impl PmsSettings {
    fn check(&self) -> Result<(), Failure> {
        if self.host.is_empty() || self.port == 0 || self.rooms.is_empty() {
            return Err(invalid("pms: host, port and at least one room are needed"));
        }
        distinct("pms.encoders", self.encoders.iter().map(String::as_str))?;
        distinct("pms.rooms", self.rooms.iter().map(String::as_str))?;
        for name in self.encoders.iter().chain(&self.rooms) {
            // Another spelling would be another door: nothing is transliterated.
            Frame::new([name.clone()]).map_err(|_| {
                invalid("pms: a room or encoder has a character that is not printable ASCII; the code page of the system is not known")
            })?;
        }
        if self.rooms.iter().any(|r| r.len() > LONGEST_ROOM || RESERVED_ROOMS.contains(&r.as_str())) {
            return Err(invalid("pms.rooms: names have at most 24 characters, and LM, LR, LC and LD are none"));
        }
        let mut numbers = BTreeSet::new();
        if !self.authorisations.iter().all(|a| Authorisation::new(a.number).is_some() && numbers.insert(a.number)) {
            return Err(invalid("pms.authorisations: numbers are from 1 to 62, each once"));
        }
        wait(self.card_wait_seconds)
    }
}

impl ShipSettings {
    fn check(&self) -> Result<(), Failure> {
        self.end()?;
        distinct("ship.keypads", self.keypads.iter().map(String::as_str))?;
        distinct("ship.encoders", self.encoders.iter().map(String::as_str))?;
        if self.user.is_some() != self.password.is_some() || self.user.is_some() && self.key.is_some() {
            return Err(invalid("ship: user and password go together, and a key without them"));
        }
        wait(self.card_wait_seconds)
    }
}

fn wait(seconds: u32) -> Result<(), Failure> {
    if (5..=600).contains(&seconds) { Ok(()) } else { Err(invalid("card_wait_seconds: 5 to 600 are possible")) }
}
