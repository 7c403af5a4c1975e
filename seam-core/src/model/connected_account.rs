//! The login through which access systems are reached.
use super::{ConnectedAccountId, Map, ObjectError, Warning, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A connected account: the login at a vendor, or the address of a server on site, through which one or more access
/// systems are reached. Its credentials are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectedAccount {
    /// The id of the account.
    pub connected_account_id: ConnectedAccountId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The kind of account. Open: the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_type: Option<String>,
    /// The kind, for people.
    #[serde(default)]
    pub account_type_display_name: String,
    /// A name for people. Never empty.
    pub display_name: String,
    /// Who is logged in, as far as it may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identifier: Option<UserIdentifier>,
    /// The customer to whom the account belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// Text or true/false by key, set by the caller.
    #[serde(default)]
    pub custom_metadata: Map,
    /// What the caller wants to use the account for, for example `access_control`.
    #[serde(default)]
    pub accepted_capabilities: Vec<String>,
    /// Whether things that are discovered later are managed at once.
    #[serde(default)]
    pub automatically_manage_new_devices: bool,
    /// When the account was connected.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
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

/// Who is logged in at a connected account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserIdentifier {
    /// The address of the server, for one on site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// The e-mail address of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The user name of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether the login may be connected only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
