//! A door, gate, lift or locker.
use super::{AcsEntranceId, AcsSystemId, ConnectedAccountId, Map, ObjectError, SpaceId, Warning, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An entrance: what a grant opens.
///
/// What can be done there is said by five flags, each of which is absent when it is not known; read absence as "no".
/// `<kind>_metadata` members of the provider are in `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsEntrance {
    /// The id of the entrance. Where the API asks for a device, this is its id as well.
    pub acs_entrance_id: AcsEntranceId,
    /// The system that manages it.
    pub acs_system_id: AcsSystemId,
    /// The account through which the system is reached.
    pub connected_account_id: ConnectedAccountId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// When it was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Whether stays are kept apart here: the key of a new stay ends the access of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_belong_to_reservation: Option<bool>,
    /// Whether a card opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_unlock_with_card: Option<bool>,
    /// Whether it can be opened remotely in the name of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_unlock_with_cloud_key: Option<bool>,
    /// Whether a PIN opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_unlock_with_code: Option<bool>,
    /// Whether a phone opens it over BLE or NFC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_unlock_with_mobile_key: Option<bool>,
    /// Whether it is locked now, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_locked: Option<bool>,
    /// The spaces that hold it.
    #[serde(default)]
    pub space_ids: Vec<SpaceId>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Metadata of the provider, and members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
