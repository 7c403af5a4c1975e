//! A phone.
use super::open::open_enum;
use super::{Map, ObjectError, PhoneId, Warning, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A phone of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Phone {
    /// The id of the phone.
    pub device_id: PhoneId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// What it runs.
    pub device_type: PhoneType,
    /// A name for people. Never empty.
    pub display_name: String,
    /// A label that was given to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Text or true/false by key, set by the caller.
    #[serde(default)]
    pub custom_metadata: Map,
    /// What access systems know of it.
    #[serde(default)]
    pub properties: Map,
    /// When it was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

open_enum! {
    /// What a phone runs.
    pub enum PhoneType {
        /// iOS.
        Ios = "ios_phone",
        /// Android.
        Android = "android_phone",
    }
}
