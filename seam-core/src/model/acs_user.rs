//! A person as one access system knows her.
use super::{
    AcsSystemId, AcsUserId, ConnectedAccountId, Map, ObjectError, PendingMutation, UserIdentityId, Warning, Window, WorkspaceId, time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A user in an access system. Linked to a [`UserIdentity`](super::UserIdentity), at most one per system.
///
/// Name and contacts are absent when they are not known, never null. `<kind>_metadata` members of the provider are in
/// `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsUser {
    /// The id of the user.
    pub acs_user_id: AcsUserId,
    /// The system that keeps the user.
    pub acs_system_id: AcsSystemId,
    /// The account through which the system is reached.
    pub connected_account_id: ConnectedAccountId,
    /// The workspace that the user belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// Full name in the access system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// Deprecated second name of `email_address`, always equal to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E-mail address in the access system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// Phone number in the access system, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The kind of user. Open: the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type: Option<String>,
    /// The kind, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type_display_name: Option<String>,
    /// The person, when the user is linked to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_id: Option<UserIdentityId>,
    /// The full name of the linked person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_full_name: Option<String>,
    /// The e-mail address of the linked person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_email_address: Option<String>,
    /// The phone number of the linked person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_phone_number: Option<String>,
    /// When the user was made, or first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// True for a user that is kept up to date from here, false for one that is only shown.
    pub is_managed: bool,
    /// Whether the user is suspended. Not the same as inactive, which is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_suspended: Option<bool>,
    /// From when until when the user may open anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_schedule: Option<AccessSchedule>,
    /// When the access system last had everything that is decided; null when never.
    #[serde(default, with = "time::option")]
    pub last_successful_sync_at: Option<DateTime<Utc>>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What is decided and not yet in the access system. Always written, although the API lets it be absent.
    #[serde(default)]
    pub pending_mutations: Vec<PendingMutation>,
    /// Metadata of the provider, and members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// From when until when a user or group may open anything, as the access system reports it. Half-open; unlike a
/// [`Window`] it is not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessSchedule {
    /// The first instant.
    #[serde(with = "time::instant")]
    pub starts_at: DateTime<Utc>,
    /// The first instant after it; null when it is ongoing.
    #[serde(default, with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl From<Window> for AccessSchedule {
    fn from(window: Window) -> Self {
        Self { starts_at: window.starts_at(), ends_at: window.ends_at(), extra: Map::new() }
    }
}
