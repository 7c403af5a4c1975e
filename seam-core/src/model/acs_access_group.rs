//! A group of users with the same permissions.
use super::{
    AccessSchedule, AcsAccessGroupId, AcsSystemId, ConnectedAccountId, Map, ObjectError, PendingMutation, Warning, Weekly, WorkspaceId,
    time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A group in an access system: its members may open its entrances.
///
/// Groups are read from the access system; their members and, where the system allows, their times can be changed.
/// `<kind>_metadata` members of the provider are in `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsAccessGroup {
    /// The id of the group.
    pub acs_access_group_id: AcsAccessGroupId,
    /// The system that keeps it.
    pub acs_system_id: AcsSystemId,
    /// The account through which the system is reached.
    pub connected_account_id: ConnectedAccountId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The name in the access system.
    pub name: String,
    /// A name for people. Never empty.
    pub display_name: String,
    /// The kind of group. Open: the provider names it.
    pub external_type: String,
    /// The kind, for people.
    pub external_type_display_name: String,
    /// Deprecated second name of `external_type`, always equal to it.
    pub access_group_type: String,
    /// Deprecated second name of `external_type_display_name`, always equal to it.
    pub access_group_type_display_name: String,
    /// When it was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// True for a group that is kept up to date from here, false for one that is only shown.
    pub is_managed: bool,
    /// From when until when its members may open anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_schedule: Option<AccessSchedule>,
    /// Additive: the weekly schedule of the group, in the time zone of the site. Absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What is decided and not yet in the access system.
    #[serde(default)]
    pub pending_mutations: Vec<PendingMutation>,
    /// Metadata of the provider, and members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
