//! A person.
use super::{AcsUserId, Map, ObjectError, UserIdentityId, Warning, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A person, once in a workspace, however many access systems know her.
///
/// Key, e-mail address and phone number are each unique in the workspace. After a merge the old ids and keys still
/// lead here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserIdentity {
    /// The id of the person.
    pub user_identity_id: UserIdentityId,
    /// The workspace that she belongs to.
    pub workspace_id: WorkspaceId,
    /// The caller's own key; null when there is none.
    #[serde(default)]
    pub user_identity_key: Option<String>,
    /// A name for people, made up from what is known. Never empty.
    pub display_name: String,
    /// Full name; null when it is not known.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address; null when it is not known.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number, E.164 (`+491701234567`); null when it is not known.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// When she was made known.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Her users in access systems, at most one per system.
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
