//! Rows of phones.
use super::*;
use crate::model::UserIdentityId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A phone of a sandbox: a record that somebody has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Whose it is.
    pub identity: UserIdentityId,
    /// `ios` or `android`.
    pub system: String,
    /// The version of that.
    pub system_version: String,
    /// Who made it.
    pub manufacturer: String,
    /// What it is called.
    pub model: String,
    /// The caller's name of the app's installation: one phone has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<DateTime<Utc>>,
}

impl Phone {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deactivated_at.is_some() {
            return Vec::new();
        }
        vec![Key::id(Index::PhonesOf, self.identity)]
    }
}
