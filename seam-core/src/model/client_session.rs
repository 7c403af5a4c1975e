//! A token that reaches only what it was given.
use super::{ClientSessionId, ConnectWebviewId, ConnectedAccountId, Map, Shown, UserIdentityId, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A client session: with its token a browser or a phone acts for one person, within what the session was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientSession {
    /// The id of the session.
    pub client_session_id: ClientSessionId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The token. Whoever has it, acts in the session.
    pub token: Shown,
    /// The caller's own key of the user; `None` when there is none.
    pub user_identifier_key: Option<String>,
    /// The person whose session it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_id: Option<UserIdentityId>,
    /// The same as a list of none or one. The API keeps it for older clients.
    #[serde(default)]
    pub user_identity_ids: Vec<UserIdentityId>,
    /// The customer whose things it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// The accounts that it reaches: those that it was given, and those that its connect webviews have connected.
    #[serde(default)]
    pub connected_account_ids: Vec<ConnectedAccountId>,
    /// The connect webviews that it reaches.
    #[serde(default)]
    pub connect_webview_ids: Vec<ConnectWebviewId>,
    /// How many devices it reaches: entrances that are single locks, of its accounts and of its person.
    #[serde(default)]
    pub device_count: u64,
    /// When it was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// From when its token is refused.
    #[serde(with = "time::instant")]
    pub expires_at: DateTime<Utc>,
    /// When it was revoked. Not part of the public API.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl ClientSession {
    /// Whether the session reaches what belongs to an account.
    #[must_use]
    pub fn reaches_account(&self, id: ConnectedAccountId) -> bool {
        self.connected_account_ids.contains(&id)
    }
    /// Whether the session is this person's. A session without a person is nobody's.
    #[must_use]
    pub fn is_of(&self, person: UserIdentityId) -> bool {
        self.user_identity_id == Some(person)
    }
    /// Whether the session reaches what belongs to a customer. One without a customer reaches no customer's.
    #[must_use]
    pub fn reaches_customer(&self, customer_key: &str) -> bool {
        self.customer_key.as_deref() == Some(customer_key)
    }
    /// Whether the session reaches a connect webview.
    #[must_use]
    pub fn reaches_webview(&self, id: ConnectWebviewId) -> bool {
        self.connect_webview_ids.contains(&id)
    }
}
