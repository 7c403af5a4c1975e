//! An access system.
use super::{AcsSystemId, ConnectedAccountId, Map, ObjectError, Warning, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An access system: what manages the doors of a site, or credentials for other systems.
///
/// `<kind>_metadata` members of its provider are in `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsSystem {
    /// The id of the system.
    pub acs_system_id: AcsSystemId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The account through which it is reached.
    pub connected_account_id: ConnectedAccountId,
    /// Deprecated: the same account, as a list.
    #[serde(default)]
    pub connected_account_ids: Vec<ConnectedAccountId>,
    /// The name of the system, as its provider reports it.
    pub name: String,
    /// The kind of system. Open: the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type: Option<String>,
    /// The kind, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type_display_name: Option<String>,
    /// Deprecated second name of `external_type`, always equal to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_type: Option<String>,
    /// Deprecated second name of `external_type_display_name`, always equal to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_type_display_name: Option<String>,
    /// Whether the system only makes mobile credentials for other systems and has no doors.
    pub is_credential_manager: bool,
    /// The system that makes mobile credentials for this one, unless another is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_credential_manager_acs_system_id: Option<AcsSystemId>,
    /// Where the system is.
    #[serde(default)]
    pub location: SystemLocation,
    /// A picture of the kind of system; may be empty.
    #[serde(default)]
    pub image_url: String,
    /// What the picture shows; may be empty.
    #[serde(default)]
    pub image_alt_text: String,
    /// When the system was connected.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// How many groups it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_access_group_count: Option<u64>,
    /// How many users it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_user_count: Option<u64>,
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

/// Where a system is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SystemLocation {
    /// The IANA time zone of its doors, for example `Europe/Berlin`; null when it is not known.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl SystemLocation {
    /// A place of which the time zone is known, or nothing.
    #[must_use]
    pub const fn new(time_zone: Option<String>) -> Self {
        Self { time_zone, extra: Map::new() }
    }
}
