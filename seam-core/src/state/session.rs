//! Rows of what people connect with: client sessions.
use super::*;
use crate::model::{ClientSessionId, ConnectWebviewId, ConnectedAccountId, InstantKeyId, UserIdentityId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A client session: a token that reaches only what it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientSession {
    /// The token, sealed: the API shows it to the caller, who hands it on.
    pub token: Sealed,
    /// Keyed hash of it, to find it by.
    pub token_tag: String,
    /// The caller's key of the user. Taken by one session at a time, until that is revoked or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The person whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<UserIdentityId>,
    /// The customer whose things it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The accounts that it reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<ConnectedAccountId>,
    /// The connect webviews that it reaches, with the accounts that come of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webviews: Vec<ConnectWebviewId>,
    /// The instant key that opens it; `None` for one that was made by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<InstantKeyId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when its token is refused.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked. It is still shown, but its token is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

impl ClientSession {
    /// Whether its token opens anything at an instant.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        !self.is_shut() && now < self.expires_at
    }
    /// Whether somebody has ended it.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.deleted_at.is_some() || self.revoked_at.is_some()
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() {
            return Vec::new();
        }
        // A revoked token is still known, so that it can be told from one that never was.
        let mut keys = vec![Key::new(Index::SessionToken, self.token_tag.as_str())];
        keys.extend(self.identity.map(|id| Key::id(Index::SessionsOf, id)));
        if self.revoked_at.is_none() {
            keys.extend(self.identifier.as_ref().map(|k| Key::new(Index::SessionFor, k.as_str())));
        }
        keys
    }
}

/// The id of the session of an instant key. Those that were made before sessions were kept have none: nothing was opened with them.
#[must_use]
pub fn session_of(id: InstantKeyId, key: &InstantKey) -> ClientSessionId {
    key.session.unwrap_or_else(|| ClientSessionId::from_uuid(id.uuid()))
}
