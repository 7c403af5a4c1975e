//! A tenant.
use super::{Map, WorkspaceId};
use serde::{Deserialize, Serialize};

/// A workspace, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceInfo {
    /// The id of the workspace.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The name that people who connect a system read: the workspace's own.
    pub company_name: String,
    /// Deprecated twin of `company_name`.
    #[serde(default)]
    pub connect_partner_name: Option<String>,
    /// The look of the pages on which systems are connected.
    #[serde(default)]
    pub connect_webview_customization: Map,
    /// Whether it is for trying things out: simulate calls are allowed.
    pub is_sandbox: bool,
    /// Whether it is closed for the time being. Never, here.
    #[serde(default)]
    pub is_suspended: bool,
    /// Whether keys may stand in pages for everybody to read. Never, here.
    #[serde(default)]
    pub is_publishable_key_auth_enabled: bool,
}

impl WorkspaceInfo {
    /// A workspace of this name.
    #[must_use]
    pub fn new(workspace_id: WorkspaceId, name: impl Into<String>, is_sandbox: bool) -> Self {
        let name = name.into();
        Self {
            workspace_id,
            company_name: name.clone(),
            connect_partner_name: Some(name.clone()),
            name,
            connect_webview_customization: Map::new(),
            is_sandbox,
            is_suspended: false,
            is_publishable_key_auth_enabled: false,
        }
    }
}
