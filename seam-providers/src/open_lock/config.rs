//! The settings of an account: a site, and the map of its entrances. They hold no secret: the signing key is the host's.
use super::ledger::DocumentForm;
use chrono_tz::Tz;
use seam_core::provider::{DoorClass, Failure, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a person enters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The site's name for people.
    pub(super) name: String,
    /// The site's id: its records and its fingerprint go by it.
    pub(super) site: Uuid,
    /// IANA time zone of the site.
    pub(super) time_zone: String,
    /// The map of the site.
    pub(super) entrances: Vec<EntranceSettings>,
    /// How long a document holds, in hours. So long may a phone be without a connection, and so long may a door without one open after a revocation.
    #[serde(default = "document_hours")]
    pub(super) document_hours: u32,
    /// In what form documents are written: as the locks were fitted.
    #[serde(default)]
    pub(super) documents: DocumentForm,
    /// How many phones one key may have.
    #[serde(default = "phones_per_key")]
    pub(super) phones_per_key: u16,
    /// By how much the locks let an issue number jump at once, in days: as they were fitted.
    #[serde(default = "longest_jump_days")]
    pub(super) longest_jump_days: u32,
}

const fn document_hours() -> u32 {
    24
}
const fn phones_per_key() -> u16 {
    4
}
const fn longest_jump_days() -> u32 {
    400
}

/// One entrance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntranceSettings {
    /// The id that the lock was fitted with.
    pub(super) id: Uuid,
    /// Its name for people.
    pub(super) name: String,
    /// Whose door it is.
    #[serde(default)]
    pub(super) class: EntranceClass,
}

/// Whose door it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EntranceClass {
    /// A room or flat: one stay after the other.
    #[default]
    Guest,
    /// A door that many use at once.
    Common,
}

impl EntranceClass {
    pub(super) const fn class(self) -> DoorClass {
        match self {
            Self::Guest => DoorClass::Guest,
            Self::Common => DoorClass::Common,
        }
    }
}

impl Settings {
    /// Reads and checks settings.
    ///
    /// # Errors
    /// `Refused` (`Invalid`), naming the member and never its content.
    pub(super) fn read(text: &SecretString) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::refused(Reason::Invalid, format!("settings of the open lock: {what}"));
        // The parser's own message may repeat what was entered.
        let read: Self = serde_json::from_str(text.expose_secret()).map_err(|_| wrong("they do not fit the schema"))?;
        if read.name.trim().is_empty() || read.name.chars().any(char::is_control) || read.name.chars().count() > 200 {
            return Err(wrong("name has 1 to 200 characters"));
        }
        if read.time_zone.parse::<Tz>().is_err() {
            return Err(wrong("time_zone is no IANA time zone"));
        }
        if read.entrances.len() > 10_000 {
            return Err(wrong("a site has at most 10,000 entrances"));
        }
        let ids: BTreeSet<Uuid> = read.entrances.iter().map(|e| e.id).collect();
        if ids.len() != read.entrances.len() {
            return Err(wrong("two entrances have the same id"));
        }
        if read.entrances.iter().any(|e| e.name.trim().is_empty() || e.name.chars().any(char::is_control)) {
            return Err(wrong("an entrance has no name"));
        }
        if !(1..=24 * 31).contains(&read.document_hours) {
            return Err(wrong("document_hours is 1 to 744"));
        }
        if !(1..=50).contains(&read.phones_per_key) {
            return Err(wrong("phones_per_key is 1 to 50"));
        }
        if !(1..=3660).contains(&read.longest_jump_days) {
            return Err(wrong("longest_jump_days is 1 to 3660"));
        }
        Ok(read)
    }

    /// How long a document holds, in seconds.
    pub(super) fn document_seconds(&self) -> u64 {
        u64::from(self.document_hours) * 3600
    }

    pub(super) fn entrance(&self, id: Uuid) -> Option<&EntranceSettings> {
        self.entrances.iter().find(|e| e.id == id)
    }
}

/// The JSON schema of the settings.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A site with locks that decide by signed documents",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "site", "time_zone", "entrances"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200, "title": "Name of the site" },
            "site": { "type": "string", "minLength": 32, "maxLength": 36, "title": "Id of the site (UUID)" },
            "time_zone": { "type": "string", "minLength": 1, "title": "Time zone (IANA)" },
            "entrances": {
                "type": "array", "maxItems": 10000, "title": "Entrances",
                "items": {
                    "type": "object", "additionalProperties": false, "required": ["id", "name"],
                    "properties": {
                        "id": { "type": "string", "minLength": 32, "maxLength": 36, "title": "Id that the lock was fitted with (UUID)" },
                        "name": { "type": "string", "minLength": 1, "title": "Name" },
                        "class": { "enum": ["guest", "common"], "default": "guest", "title": "Room, or door that many use" },
                    },
                },
            },
            "document_hours": {
                "type": "integer", "minimum": 1, "maximum": 744, "default": 24, "title": "Hours that a document holds",
                "description": "So long may a phone be offline, and so long may an offline door open after a revocation.",
            },
            "documents": {
                "enum": ["compact", "aliro"], "default": "compact", "title": "Form of the documents",
                "description": "As the locks were fitted. Hours of the week need Aliro's documents.",
            },
            "phones_per_key": { "type": "integer", "minimum": 1, "maximum": 50, "default": 4, "title": "Phones per key" },
            "longest_jump_days": {
                "type": "integer", "minimum": 1, "maximum": 3660, "default": 400,
                "title": "Days by which the locks let an issue number jump",
            },
        },
    })
}
