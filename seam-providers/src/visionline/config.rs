//! The settings of an account.
use super::wire::pms::is_sendable;
use crate::net::certificates::CertificateSettings;
use chrono_tz::Tz;
use seam_core::provider::{DoorClass, Failure, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a person enters. `Debug` shows no password.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The site's name for people.
    pub(super) name: String,
    /// IANA time zone of the site.
    pub(super) time_zone: String,
    /// Zone of the server's clock, in which it reads and writes times. The site's, where it is not given.
    #[serde(default)]
    pub(super) server_time_zone: Option<String>,
    #[serde(default)]
    pub(super) web: Option<WebSettings>,
    #[serde(default)]
    pub(super) pms: Option<PmsSettings>,
    /// By which of the two cards are written at encoders. The web interface, where it is not given and there is one.
    #[serde(default)]
    pub(super) encode_by: Option<Way>,
    /// Who writes cards.
    #[serde(default)]
    pub(super) cards: Cards,
    #[serde(default)]
    pub(super) encoders: Vec<EncoderSettings>,
    /// What is known of doors that the server does not tell, or tells otherwise. All doors, where there is no web interface.
    #[serde(default)]
    pub(super) doors: Vec<DoorSettings>,
    /// Common doors go into the list of the guest's doors. Nothing public says so for sure: try it at your site before you say yes.
    #[serde(default)]
    pub(super) common_doors_in_guest_list: bool,
    /// Mobile keys are made. The server needs its option, and the host has to supply endpoints.
    #[serde(default)]
    pub(super) mobile_keys: bool,
    /// How long the server waits for a card at an encoder, in seconds. So long is an encoder left alone after an unknown outcome.
    #[serde(default = "card_wait")]
    pub(super) card_wait_seconds: u32,
    /// A card that is still valid may be written over.
    #[serde(default)]
    pub(super) overwrite_valid_cards: bool,
    /// What error codes of the web interface mean, for those who have the vendor's list: it is not public.
    #[serde(default)]
    pub(super) error_codes: BTreeMap<String, KnownError>,
}

const fn card_wait() -> u32 {
    90
}

/// The web interface.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebSettings {
    pub(super) host: String,
    #[serde(default = "https")]
    pub(super) port: u16,
    pub(super) username: String,
    pub(super) password: SecretString,
    #[serde(default)]
    pub(super) certificates: CertificateSettings,
    /// `X-Aah-Date` instead of `Date`, for a relay on the way that sets `Date` itself.
    #[serde(default)]
    pub(super) x_aah_date: bool,
}

const fn https() -> u16 {
    443
}

/// The PMS port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PmsSettings {
    pub(super) host: String,
    #[serde(default = "pms_port")]
    pub(super) port: u16,
    /// Source address (`TA`).
    #[serde(default)]
    pub(super) terminal: Option<String>,
    /// Operator (`IO`) and password (`OP`).
    #[serde(default)]
    pub(super) operator: Option<String>,
    #[serde(default)]
    pub(super) operator_password: Option<SecretString>,
    /// User group (`UG`); it has to be there in Visionline.
    #[serde(default)]
    pub(super) user_group: Option<String>,
    /// Frames with a checksum, as on the serial line: behind a converter from serial to TCP.
    #[serde(default)]
    pub(super) serial_frames: bool,
}

const fn pms_port() -> u16 {
    4000
}

/// One of the two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    Web,
    Pms,
}

/// Who writes cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cards {
    /// Visionline's encoders.
    #[default]
    Encoder,
    /// A reader of ours, with images that the server computes.
    OwnReader,
}

/// An encoder. The server does not list them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncoderSettings {
    /// Its device name in Visionline.
    pub(super) name: String,
    /// Its PMS address in Visionline, for the PMS port.
    #[serde(default)]
    pub(super) pms_address: Option<String>,
}

/// A door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorSettings {
    /// Its name in Visionline, exactly.
    pub(super) name: String,
    pub(super) class: DoorKind,
    /// The number of a common door, for the PMS port.
    #[serde(default)]
    pub(super) number: Option<u16>,
}

/// What a door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DoorKind {
    /// A guest room.
    Guest,
    /// A common door, which has to be granted.
    Common,
    /// An entrance or a lift that opens for every guest by itself.
    Entrance,
}

impl DoorKind {
    pub(super) const fn class(self) -> DoorClass {
        match self {
            Self::Guest => DoorClass::Guest,
            Self::Common => DoorClass::Common,
            Self::Entrance => DoorClass::Implicit,
        }
    }
}

/// What an error code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KnownError {
    NoCard,
    WrongCard,
    ValidCard,
    CardRemoved,
    EncoderOffline,
    EncoderBusy,
    UnknownEncoder,
    UnknownDoor,
    UnknownEndpoint,
    NotPermitted,
}

/// Settings that make sense, with what they come to.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) settings: Settings,
    pub(super) zone: Tz,
    pub(super) server_zone: Tz,
    pub(super) encode_by: Way,
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::refused(Reason::Invalid, message)
}

impl Config {
    /// Reads settings.
    ///
    /// # Errors
    /// `Refused` with one sentence that repeats nothing of them.
    pub(super) fn read(settings: &SecretString) -> Result<Self, Failure> {
        let settings: Settings = serde_json::from_str(settings.expose_secret())
            .map_err(|_| invalid("the settings do not fit the schema of a Visionline account"))?;
        Self::new(settings)
    }

    pub(super) fn new(settings: Settings) -> Result<Self, Failure> {
        let zone = |name: &str| name.parse::<Tz>().map_err(|_| invalid("time_zone is no IANA time zone"));
        let site = zone(&settings.time_zone)?;
        let server_zone = settings.server_time_zone.as_deref().map_or(Ok(site), zone)?;
        if settings.name.trim().is_empty() {
            return Err(invalid("the site has no name"));
        }
        let encode_by = match (settings.encode_by, &settings.web, &settings.pms) {
            (Some(Way::Web) | None, Some(_), _) => Way::Web,
            (Some(Way::Pms) | None, _, Some(_)) => Way::Pms,
            (None, None, None) => return Err(invalid("neither the web interface nor the PMS port is set up")),
            _ => return Err(invalid("encode_by names an interface that is not set up")),
        };
        if let Some(web) = &settings.web {
            host(&web.host)?;
            if web.username.is_empty() || web.password.expose_secret().is_empty() {
                return Err(invalid("web: the login is empty"));
            }
            // What the maker ships is known to everybody.
            if web.username.eq_ignore_ascii_case("sym") && web.password.expose_secret() == "sym" {
                return Err(invalid("web: the factory's login is known to everybody; make an operator of its own"));
            }
        }
        if let Some(pms) = &settings.pms {
            host(&pms.host)?;
            let texts = [&pms.terminal, &pms.operator, &pms.user_group];
            let password = pms.operator_password.as_ref().map(|p| p.expose_secret());
            let mut texts = texts.into_iter().flatten().map(String::as_str).chain(password);
            if texts.any(|text| !is_sendable(text)) {
                return Err(invalid("pms: a value cannot stand in a message"));
            }
        } else if settings.web.is_none() || encode_by == Way::Pms {
            return Err(invalid("the PMS port is not set up"));
        }
        let needs_web = settings.mobile_keys || settings.cards == Cards::OwnReader;
        if needs_web && settings.web.is_none() {
            return Err(invalid("mobile keys and card images need the web interface"));
        }
        names(&settings, encode_by)?;
        if !(1..=600).contains(&settings.card_wait_seconds) {
            return Err(invalid("card_wait_seconds is from 1 to 600"));
        }
        Ok(Self { settings, zone: site, server_zone, encode_by })
    }

    pub(super) fn encoder(&self, name: &str) -> Option<&EncoderSettings> {
        self.settings.encoders.iter().find(|e| e.name == name)
    }
    pub(super) fn door(&self, name: &str) -> Option<&DoorSettings> {
        self.settings.doors.iter().find(|d| d.name == name)
    }
    /// What names the installation: the host does, however many logins it has, and whatever port it is reached at.
    pub(super) fn installation(&self) -> String {
        let host = self.settings.web.as_ref().map(|web| &web.host).or(self.settings.pms.as_ref().map(|pms| &pms.host));
        host.map(|host| host.to_ascii_lowercase()).unwrap_or_default()
    }
    /// The physical end of the site.
    pub(super) fn end(&self) -> String {
        let (host, port) = match (&self.settings.web, &self.settings.pms) {
            (Some(web), _) => (&web.host, web.port),
            (None, Some(pms)) => (&pms.host, pms.port),
            (None, None) => return String::new(),
        };
        format!("{}:{port}", host.to_ascii_lowercase())
    }
}

fn host(host: &str) -> Result<(), Failure> {
    let fits = !host.is_empty() && host.len() <= 253 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    if fits { Ok(()) } else { Err(invalid("host is a name or an address, without a scheme and without a path")) }
}

fn names(settings: &Settings, encode_by: Way) -> Result<(), Failure> {
    let all: BTreeSet<&str> = settings.encoders.iter().map(|e| e.name.as_str()).collect();
    if all.len() != settings.encoders.len() || all.contains("") {
        return Err(invalid("encoders have names, each its own"));
    }
    for encoder in &settings.encoders {
        let address = encoder.pms_address.as_deref();
        if address.is_some_and(|a| a.is_empty() || !is_sendable(a)) {
            return Err(invalid("a pms_address cannot stand in a message"));
        }
        if encode_by == Way::Pms && settings.cards == Cards::Encoder && address.is_none() {
            return Err(invalid("an encoder that is used over the PMS port has its pms_address"));
        }
    }
    let doors: BTreeSet<&str> = settings.doors.iter().map(|d| d.name.as_str()).collect();
    if doors.len() != settings.doors.len() || doors.contains("") {
        return Err(invalid("doors have names, each its own"));
    }
    Ok(())
}

/// The JSON schema of the settings.
pub(super) fn schema() -> Value {
    let text = |about: &str| json!({"type": "string", "minLength": 1, "maxLength": 253, "description": about});
    let maybe = |about: &str| json!({"type": ["string", "null"], "maxLength": 128, "description": about});
    let port = |about: &str| json!({"type": "integer", "minimum": 1, "maximum": 65535, "description": about});
    let yes = |about: &str| json!({"type": "boolean", "description": about});
    json!({
        "type": "object",
        "required": ["name", "time_zone"],
        "additionalProperties": false,
        "properties": {
            "name": text("The site's name."),
            "time_zone": text("IANA time zone of the site, as Europe/Berlin."),
            "server_time_zone": maybe("Time zone of the server's clock, where it is another one."),
            "web": {
                "type": ["object", "null"],
                "required": ["host", "username", "password"],
                "additionalProperties": false,
                "description": "The web interface.",
                "properties": {
                    "host": text("Name or address of the server: one that no other server of yours has, at whatever port."),
                    "port": port("443, if nothing else was set up."),
                    "username": text("An operator of Visionline, of its own for this."),
                    "password": {"type": "string", "minLength": 1, "maxLength": 256, "format": "password", "description": "The operator's password."},
                    "certificates": CertificateSettings::schema(),
                    "x_aah_date": yes("Send X-Aah-Date instead of Date: only behind a relay that sets Date itself."),
                },
            },
            "pms": {
                "type": ["object", "null"],
                "required": ["host"],
                "additionalProperties": false,
                "description": "The PMS port. Visionline has to allow this host's address.",
                "properties": {
                    "host": text("Name or address of the server."),
                    "port": port("4000, if nothing else was set up."),
                    "terminal": maybe("Source address (TA)."),
                    "operator": maybe("Operator (IO)."),
                    "operator_password": {"type": ["string", "null"], "maxLength": 128, "format": "password", "description": "Operator's password (OP)."},
                    "user_group": maybe("User group (UG)."),
                    "serial_frames": yes("Frames with a checksum: behind a converter from a serial line."),
                },
            },
            "encode_by": {"enum": ["web", "pms", null], "description": "By which interface cards are written at encoders."},
            "cards": {"enum": ["encoder", "own_reader"], "description": "Who writes cards: Visionline's encoders, or a reader of ours."},
            "encoders": {
                "type": "array", "maxItems": 200, "description": "The encoders: the server does not list them.",
                "items": {
                    "type": "object", "required": ["name"], "additionalProperties": false,
                    "properties": {"name": text("Device name in Visionline."), "pms_address": maybe("PMS address in Visionline.")},
                },
            },
            "doors": {
                "type": "array", "maxItems": 20000, "description": "Doors that the server does not tell, or their numbers for the PMS port.",
                "items": {
                    "type": "object", "required": ["name", "class"], "additionalProperties": false,
                    "properties": {
                        "name": text("Name in Visionline, exactly."),
                        "class": {"enum": ["guest", "common", "entrance"]},
                        "number": {"type": ["integer", "null"], "minimum": 1, "maximum": 9999, "description": "Number of a common door (CR)."},
                    },
                },
            },
            "common_doors_in_guest_list": yes("Common doors are granted in the list of the guest's doors. Try it at your site first: it is not documented."),
            "mobile_keys": yes("Mobile keys are made. The host supplies the endpoints of phones."),
            "card_wait_seconds": {"type": "integer", "minimum": 1, "maximum": 600, "description": "How long the server waits for a card."},
            "overwrite_valid_cards": yes("A card that is still valid may be written over."),
            "error_codes": {"type": "object", "description": "Meaning of error codes of the web interface, by code: no_card, wrong_card, valid_card, card_removed, encoder_offline, encoder_busy, unknown_encoder, unknown_door, unknown_endpoint, not_permitted."},
        },
    })
}
