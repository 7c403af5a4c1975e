//! Things that exist in an access system and were not made here. They are shown and never changed.
use super::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsUserId, Map, ObjectError, PendingMutation, RequestedAccessMethod, Shown, SpaceId,
    UserIdentityId, Warning, WorkspaceId, time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A grant that was found in an access system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnmanagedAccessGrant {
    /// The id of the grant.
    pub access_grant_id: AccessGrantId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The person, when she is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_id: Option<UserIdentityId>,
    /// The name in the access system; null when it has none.
    #[serde(default)]
    pub name: Option<String>,
    /// A name for people. Never empty.
    pub display_name: String,
    /// The first instant of access.
    #[serde(with = "time::instant")]
    pub starts_at: DateTime<Utc>,
    /// The first instant after access; null when it is ongoing.
    #[serde(default, with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// The spaces that it covers.
    #[serde(default)]
    pub space_ids: Vec<SpaceId>,
    /// Deprecated second name of `space_ids`, always equal to it.
    #[serde(default)]
    pub location_ids: Vec<SpaceId>,
    /// The methods that were found for it.
    #[serde(default)]
    pub access_method_ids: Vec<AccessMethodId>,
    /// The methods in the form in which they would have been asked for.
    #[serde(default)]
    pub requested_access_methods: Vec<RequestedAccessMethod>,
    /// The stay that it belongs to, when the access system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_key: Option<String>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Always empty as long as the grant is not taken over.
    #[serde(default)]
    pub pending_mutations: Vec<PendingMutation>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// A method that was found in an access system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnmanagedAccessMethod {
    /// The id of the method.
    pub access_method_id: AccessMethodId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// One sentence on how it stands, for a screen. Its wording changes; do not branch on it.
    #[serde(default)]
    pub display_status: String,
    /// How access is delivered.
    pub mode: AccessMethodMode,
    /// When it was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Whether it can be used.
    pub is_issued: bool,
    /// When it was issued; null when that is not known.
    #[serde(default, with = "time::option")]
    pub issued_at: Option<DateTime<Utc>>,
    /// The PIN, when the access system shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Shown>,
    /// Whether a card that exists already has to be bound to the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_assignment_required: Option<bool>,
    /// Whether a card has to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_encoding_required: Option<bool>,
    /// Whether a card can be bound now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_ready_for_assignment: Option<bool>,
    /// Whether a card can be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_ready_for_encoding: Option<bool>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Always empty as long as the method is not taken over.
    #[serde(default)]
    pub pending_mutations: Vec<PendingMutation>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// A person who was found in an access system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnmanagedUserIdentity {
    /// The id of the person.
    pub user_identity_id: UserIdentityId,
    /// The workspace that she belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// Full name; null when it is not known.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address; null when it is not known.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number, E.164; null when it is not known.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// When she was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Her users in access systems.
    #[serde(default)]
    pub acs_user_ids: Vec<AcsUserId>,
    /// Ids of persons that were merged into her.
    #[serde(default)]
    pub merged_user_identity_ids: Vec<UserIdentityId>,
    /// Keys of persons that were merged into her.
    #[serde(default)]
    pub merged_user_identity_keys: Vec<String>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
