//! Rows of pages on which somebody connects an account.
use super::*;
use crate::model::ConnectedAccountId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A page on which somebody connects an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectWebview {
    /// The token in the page's address, sealed: who has it may connect an account here.
    pub token: Sealed,
    /// Keyed hash of it.
    pub token_tag: String,
    /// The provider kinds that may be connected; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// Those that may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// What the caller keeps with it; the account gets a copy.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The customer whose account it is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Where the visitor goes after success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Where she goes after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_redirect: Option<String>,
    /// The page asks its visitor to wait until the account has been read.
    #[serde(default)]
    pub waits: bool,
    /// The account that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ConnectedAccountId>,
    /// When the account's login was seen to work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

impl ConnectWebview {
    /// Whether accounts of a provider kind may be connected here.
    #[must_use]
    pub fn accepts(&self, kind: &str) -> bool {
        (self.accepted.is_empty() || self.accepted.iter().any(|k| k == kind)) && !self.excluded.iter().any(|k| k == kind)
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() {
            return Vec::new();
        }
        self.customer.iter().map(|c| Key::new(Index::OfCustomer, c.as_str())).collect()
    }
}

/// What stood between an account and its first grant when it was last looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadinessSeen {
    /// The revision of the settings that were looked at; 0: it is to be looked at again.
    pub rev: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<crate::provider::Finding>,
}
