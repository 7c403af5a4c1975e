//! A link that hands a mobile key to a phone.
use super::{ClientSessionId, InstantKeyId, Map, Shown, UserIdentityId, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A link that loads the mobile keys of a person to a phone, without an app of the vendor. It follows what the person
/// is granted later, until it expires or is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstantKey {
    /// The id of the instant key.
    pub instant_key_id: InstantKeyId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The link. Whoever has it, has the keys.
    pub instant_key_url: Shown,
    /// The session that the link opens.
    pub client_session_id: ClientSessionId,
    /// The person whose keys they are.
    pub user_identity_id: UserIdentityId,
    /// When the link was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// From when the link no longer works.
    #[serde(with = "time::instant")]
    pub expires_at: DateTime<Utc>,
    /// The look of the pages behind the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customization: Option<InstantKeyCustomization>,
    /// The profile from which the look was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customization_profile_id: Option<Uuid>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// The look of the pages behind a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstantKeyCustomization {
    /// A picture to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// A CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_color: Option<String>,
    /// A CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_color: Option<String>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
