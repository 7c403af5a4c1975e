//! What is asked for of client sessions.
use crate::model::{ConnectWebviewId, ConnectedAccountId, UserIdentityId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A new client session. Without anything it reaches nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct NewClientSession {
    /// The caller's key of the user: one session that was not revoked has it at a time.
    #[serde(default)]
    pub user_identifier_key: Option<String>,
    /// The person whose it is.
    #[serde(default)]
    pub user_identity_id: Option<UserIdentityId>,
    /// The customer whose things it reaches.
    #[serde(default)]
    pub customer_key: Option<String>,
    /// The accounts that it reaches.
    #[serde(default)]
    #[builder(default, into)]
    pub connected_account_ids: Vec<ConnectedAccountId>,
    /// The connect webviews that it reaches, with the accounts that come of them.
    #[serde(default)]
    #[builder(default, into)]
    pub connect_webview_ids: Vec<ConnectWebviewId>,
    /// Until when its token works: in the future, at most 365 days ahead; 30 days if not set.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a client session is to reach from now on, beside what it reaches already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, bon::Builder)]
#[non_exhaustive]
pub struct SessionAccess {
    /// The person whose it is, in the place of another.
    #[serde(default)]
    pub user_identity_id: Option<UserIdentityId>,
    /// More accounts.
    #[serde(default)]
    #[builder(default, into)]
    pub connected_account_ids: Vec<ConnectedAccountId>,
    /// More connect webviews.
    #[serde(default)]
    #[builder(default, into)]
    pub connect_webview_ids: Vec<ConnectWebviewId>,
}
