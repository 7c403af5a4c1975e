//! A page on which somebody connects an account.
use super::open::open_enum;
use super::{ConnectWebviewId, ConnectedAccountId, Map, Shown, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A page on which somebody who knows the login connects an account: the caller never sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectWebview {
    /// The id of the page.
    pub connect_webview_id: ConnectWebviewId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// Its address. Whoever has it may connect an account.
    pub url: Shown,
    /// Where it stands.
    pub status: WebviewStatus,
    /// Whether an account was connected and its login works.
    pub login_successful: bool,
    /// The account that was connected, once its login was seen to work.
    pub connected_account_id: Option<ConnectedAccountId>,
    /// When its login was seen to work.
    #[serde(with = "time::option")]
    pub authorized_at: Option<DateTime<Utc>>,
    /// The provider kind that was chosen.
    pub selected_provider: Option<String>,
    /// The provider kinds that may be connected; empty with `any_provider_allowed`.
    #[serde(default)]
    pub accepted_providers: Vec<String>,
    /// Any kind may be connected.
    pub any_provider_allowed: bool,
    /// Kept for older clients; nothing hangs on it.
    #[serde(default)]
    pub accepted_devices: Vec<String>,
    /// Kept for older clients; nothing hangs on it.
    pub any_device_allowed: bool,
    /// What accounts are connected for.
    #[serde(default)]
    pub accepted_capabilities: Vec<String>,
    /// Whether things that are discovered later are managed at once.
    pub automatically_manage_new_devices: bool,
    /// Whether single devices are chosen on the page: they are not.
    pub device_selection_mode: String,
    /// The page asks its visitor to wait until the account has been read.
    pub wait_for_device_creation: bool,
    /// Where the visitor goes after success.
    pub custom_redirect_url: Option<String>,
    /// Where she goes after a failure.
    pub custom_redirect_failure_url: Option<String>,
    /// Text or true/false by key, set by the caller; the account gets a copy.
    #[serde(default)]
    pub custom_metadata: Map,
    /// The customer whose account it is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// When the page was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

open_enum! {
    /// Where a connect webview stands.
    pub enum WebviewStatus {
        /// Nothing was connected yet, or its login is being tried.
        Pending = "pending",
        /// The login works.
        Authorized = "authorized",
        /// The login was refused; another may be tried.
        Failed = "failed",
    }
}
