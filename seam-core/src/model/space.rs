//! A grouping of entrances.
use super::{Map, SpaceId, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A grouping of entrances under one name: a room, a floor, a flat, a building. Grants on a space follow its
/// membership, and an entrance may belong to many spaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Space {
    /// The id of the space.
    pub space_id: SpaceId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The caller's own key, unique in the workspace. It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space_key: Option<String>,
    /// The name that the caller gave.
    pub name: String,
    /// A name for people. Never empty.
    pub display_name: String,
    /// When the space was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// How many entrances it holds.
    #[serde(default)]
    pub acs_entrance_count: u64,
    /// How many devices it holds: entrances that are single locks.
    #[serde(default)]
    pub device_count: u64,
    /// What is usual for stays here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_data: Option<CustomerData>,
    /// The customer to whom the space belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geolocation: Option<Geolocation>,
    /// The space that holds this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_space_id: Option<SpaceId>,
    /// The key of the space that holds this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_space_key: Option<String>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// What is usual for stays in a space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerData {
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When stays begin, civil time `HH:MM` or `HH:MM:SS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_checkin_time: Option<String>,
    /// When stays end, civil time `HH:MM` or `HH:MM:SS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_checkout_time: Option<String>,
    /// IANA time zone, for example `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Other keys of the caller.
    #[serde(flatten)]
    pub extra: Map,
}

/// A place on the globe (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Geolocation {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

impl Geolocation {
    /// A place; the numbers are not checked.
    #[must_use]
    pub const fn new(latitude: f64, longitude: f64) -> Self {
        Self { latitude, longitude }
    }
}
