//! A credential as an access system holds it.
use super::{
    AccessMethodMode, AcsCredentialId, AcsSystemId, AcsUserId, ConnectedAccountId, Map, ObjectError, ResidualAccess, Shown, UserIdentityId,
    Warning, WorkspaceId, time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A credential in one access system: what stands behind an [`AccessMethod`](super::AccessMethod), or something that
/// was found there (`is_managed` false).
///
/// `<kind>_metadata` members of the provider are in `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsCredential {
    /// The id of the credential.
    pub acs_credential_id: AcsCredentialId,
    /// The system that holds it.
    pub acs_system_id: AcsSystemId,
    /// The account through which the system is reached.
    pub connected_account_id: ConnectedAccountId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// How access is delivered.
    pub access_method: AccessMethodMode,
    /// The user who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_user_id: Option<AcsUserId>,
    /// The person who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_id: Option<UserIdentityId>,
    /// The kind of credential. Open: the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type: Option<String>,
    /// The kind, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_type_display_name: Option<String>,
    /// The number of the card, printed or serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_number: Option<String>,
    /// The PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Shown>,
    /// When the credential was made, or first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// The first instant at which it opens.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// The first instant at which it no longer opens; absent when it is ongoing.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// True for a credential that was made here, false for one that is only shown.
    pub is_managed: bool,
    /// Whether it is written on the card or delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_issued: Option<bool>,
    /// When it was last written or delivered.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<DateTime<Utc>>,
    /// Whether the access system has what is decided: true when that was verified, null when the system took it and
    /// offers no way to look, false while it is on its way.
    ///
    /// Always written, although the API lets it be absent: null says something here.
    #[serde(default)]
    pub is_latest_desired_state_synced_with_provider: Option<bool>,
    /// When the access system last had what is decided.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub latest_desired_state_synced_with_provider_at: Option<DateTime<Utc>>,
    /// Whether it is a template that each phone of the person gets a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_multi_phone_sync_credential: Option<bool>,
    /// Whether it dies with its first use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_one_time_use: Option<bool>,
    /// The template of which it is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_acs_credential_id: Option<AcsCredentialId>,
    /// The pool from which it was taken, in systems that have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_credential_pool_id: Option<Uuid>,
    /// Additive: doors that it may still open although access there was withdrawn. Absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residual_access: Vec<ResidualAccess>,
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
