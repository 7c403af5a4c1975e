//! Pages on which somebody connects an account, and what stands between an account and its first grant.
use super::notes::map;
use super::{Viewer, hidden};
use crate::model::{self, ConnectWebviewId, ConnectedAccountId, Shown, WebviewStatus};
use crate::plan::{Try, WEBVIEW_TOKEN_FIELD};
use crate::provider::Finding;
use crate::state::{Account, ConnectWebview};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A page. A deleted one is hidden.
pub(crate) fn connect_webview(v: &Viewer<'_>, id: ConnectWebviewId) -> Try<model::ConnectWebview> {
    let row = v.get::<ConnectWebview>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<ConnectWebview, _>(id);
    }
    let account = row.account.map(|id| v.get::<Account>(id)).transpose()?;
    let status = match account {
        _ if row.authorized_at.is_some() => WebviewStatus::Authorized,
        Some(account) if account.is_refused() => WebviewStatus::Failed,
        _ => WebviewStatus::Pending,
    };
    let token = v.open(id, WEBVIEW_TOKEN_FIELD, &row.token)?;
    let works = status == WebviewStatus::Authorized;
    Ok(model::ConnectWebview {
        connect_webview_id: id,
        workspace_id: v.workspace,
        url: Shown::new(format!(
            "{}/connect_webviews/view?connect_webview_id={id}&auth_token={}",
            v.pages.trim_end_matches('/'),
            token.expose()
        )),
        login_successful: works,
        connected_account_id: row.account.filter(|_| works),
        authorized_at: row.authorized_at,
        selected_provider: account.map(|account| account.kind.clone()),
        any_provider_allowed: row.accepted.is_empty() && row.excluded.is_empty(),
        accepted_providers: row.accepted.clone(),
        accepted_devices: Vec::new(),
        any_device_allowed: true,
        accepted_capabilities: vec!["access_control".to_owned()],
        automatically_manage_new_devices: true,
        device_selection_mode: "none".to_owned(),
        wait_for_device_creation: row.waits,
        custom_redirect_url: row.redirect.clone(),
        custom_redirect_failure_url: row.failure_redirect.clone(),
        custom_metadata: map(&row.metadata),
        customer_key: row.customer.clone(),
        created_at: row.created_at,
        status,
        extra: model::Map::new(),
    })
}

/// What stands between an account and its first grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Readiness {
    /// When the account was last looked at with its present settings; `None`: not yet.
    #[serde(with = "model::time::option")]
    pub checked_at: Option<DateTime<Utc>>,
    /// It was looked at, and nothing that blocks was found.
    pub ready: bool,
    /// What was found, by the look and by what was read since.
    pub findings: Vec<Finding>,
}

/// The readiness of an account.
pub(crate) fn readiness(v: &Viewer<'_>, id: ConnectedAccountId) -> Try<Readiness> {
    let row = v.get::<Account>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Account, _>(id);
    }
    let seen = row.readiness.as_ref().filter(|seen| seen.rev == row.settings_rev);
    let mut findings: Vec<Finding> = row.errors.iter().map(|e| Finding::new(true, e.code.as_str(), e.message.as_str())).collect();
    for finding in seen.into_iter().flat_map(|seen| &seen.findings) {
        if !findings.iter().any(|f| f.code == finding.code) {
            findings.push(finding.clone());
        }
    }
    Ok(Readiness { checked_at: seen.map(|seen| seen.at), ready: seen.is_some() && !findings.iter().any(|f| f.blocking), findings })
}
