//! Something a person asked for that takes its time.
use super::open::open_enum;
use super::{AccessMethod, AcsCredential, ActionAttemptId, Map, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// What was asked for.
    pub enum ActionType {
        /// Write a card.
        EncodeCredential = "ENCODE_CREDENTIAL",
        /// Read a card.
        ScanCredential = "SCAN_CREDENTIAL",
        /// Read a card and give its credential to a person.
        ScanToAssignCredential = "SCAN_TO_ASSIGN_CREDENTIAL",
        /// Give the credential of a card number to a person.
        AssignCredential = "ASSIGN_CREDENTIAL",
        /// Open a door remotely.
        UnlockDoor = "UNLOCK_DOOR",
        /// Lock a door remotely.
        LockDoor = "LOCK_DOOR",
        /// Start a test workspace afresh.
        ResetSandboxWorkspace = "RESET_SANDBOX_WORKSPACE",
    }
}

open_enum! {
    /// How an action stands.
    pub enum ActionStatus {
        /// Not finished: neither result nor error.
        Pending = "pending",
        /// Done: there is a result.
        Success = "success",
        /// Failed: there is an error.
        Error = "error",
    }
}

/// An action that a person asked for. It is done at most once and is never repeated by itself.
///
/// `result` and `error` are always written: both null while it is pending, one of them after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Raw")]
#[non_exhaustive]
pub struct ActionAttempt {
    /// The id of the attempt.
    pub action_attempt_id: ActionAttemptId,
    /// What was asked for.
    pub action_type: ActionType,
    /// How it stands.
    pub status: ActionStatus,
    /// What came of it; null unless it succeeded.
    pub result: Option<ActionResult>,
    /// Why it failed; null unless it failed.
    pub error: Option<ActionError>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl ActionAttempt {
    /// An attempt that is not finished.
    #[must_use]
    pub const fn pending(action_attempt_id: ActionAttemptId, action_type: ActionType) -> Self {
        let status = ActionStatus::Pending;
        Self { action_attempt_id, action_type, status, result: None, error: None, extra: Map::new() }
    }

    /// The same, done.
    #[must_use]
    pub fn succeeded(self, result: ActionResult) -> Self {
        Self { status: ActionStatus::Success, result: Some(result), error: None, ..self }
    }

    /// The same, failed.
    #[must_use]
    pub fn failed(self, error: ActionError) -> Self {
        Self { status: ActionStatus::Error, result: None, error: Some(error), ..self }
    }
}

/// An attempt as it is read, before its result is understood.
#[derive(Deserialize)]
struct Raw {
    action_attempt_id: ActionAttemptId,
    action_type: ActionType,
    status: ActionStatus,
    #[serde(default)]
    result: Option<Map>,
    #[serde(default)]
    error: Option<ActionError>,
    #[serde(flatten)]
    extra: Map,
}

impl From<Raw> for ActionAttempt {
    fn from(raw: Raw) -> Self {
        let result = raw.result.map(|result| ActionResult::read(&raw.action_type, result));
        let Raw { action_attempt_id, action_type, status, error, extra, .. } = raw;
        Self { action_attempt_id, action_type, status, result, error, extra }
    }
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ActionResult {
    /// Of [`ActionType::EncodeCredential`] and [`ActionType::ScanToAssignCredential`]: the credential.
    Credential(Box<AcsCredential>),
    /// Of [`ActionType::ScanCredential`]: what was read.
    Scan(Box<ScanResult>),
    /// Of [`ActionType::AssignCredential`]: the method.
    AccessMethod(Box<AccessMethod>),
    /// Of [`ActionType::UnlockDoor`] and [`ActionType::LockDoor`].
    Unlock(UnlockResult),
    /// Of any other action, or a result that does not have the shape that is known.
    Other(Map),
}

impl ActionResult {
    /// Reads a result in the light of the action. What does not fit is kept as it is.
    fn read(action: &ActionType, result: Map) -> Self {
        fn parse<T: serde::de::DeserializeOwned>(result: &Map) -> Option<T> {
            serde_json::from_value(Value::Object(result.clone().into_iter().collect())).ok()
        }
        let known = match action {
            ActionType::EncodeCredential | ActionType::ScanToAssignCredential => parse(&result).map(|it| Self::Credential(Box::new(it))),
            ActionType::ScanCredential => parse(&result).map(|it| Self::Scan(Box::new(it))),
            ActionType::AssignCredential => parse(&result).map(|it| Self::AccessMethod(Box::new(it))),
            ActionType::UnlockDoor | ActionType::LockDoor => parse(&result).map(Self::Unlock),
            _ => None,
        };
        known.unwrap_or(Self::Other(result))
    }
}

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActionError {
    /// What kind of failure; see [`codes::action_error`](super::codes::action_error). Open.
    pub r#type: String,
    /// One sentence for a person. Its wording may change.
    pub message: String,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl ActionError {
    /// A failure.
    #[must_use]
    pub fn new(r#type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { r#type: r#type.into(), message: message.into(), extra: Map::new() }
    }
}

/// What a door said to a remote command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnlockResult {
    /// Whether the door itself confirmed it; false or absent when only the access system took the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_confirmed_by_device: Option<bool>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl UnlockResult {
    /// A result of which it is known whether the door confirmed it.
    #[must_use]
    pub const fn new(was_confirmed_by_device: bool) -> Self {
        Self { was_confirmed_by_device: Some(was_confirmed_by_device), extra: Map::new() }
    }
}

/// What reading a card brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScanResult {
    /// What stands on the card; null when it could not be read.
    #[serde(default)]
    pub acs_credential_on_encoder: Option<CredentialOnEncoder>,
    /// What is recorded for the card, made here or not; null when there is nothing.
    #[serde(default)]
    pub acs_credential_on_seam: Option<AcsCredential>,
    /// How the two differ.
    #[serde(default)]
    pub warnings: Vec<ScanWarning>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// What stands on a card. Each member is null when the card does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialOnEncoder {
    /// The number of the card.
    #[serde(default)]
    pub card_number: Option<String>,
    /// When it was written.
    #[serde(default, with = "time::option")]
    pub created_at: Option<DateTime<Utc>>,
    /// The first instant at which it opens.
    #[serde(default, with = "time::option")]
    pub starts_at: Option<DateTime<Utc>>,
    /// The first instant at which it no longer opens.
    #[serde(default, with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether it is written.
    #[serde(default)]
    pub is_issued: Option<bool>,
    /// Metadata of the provider, and members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

/// How a card differs from what is recorded. Unlike other warnings it has no instant, and its text is called
/// `warning_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScanWarning {
    /// What it is about; see [`codes::warning`](super::codes::warning).
    pub warning_code: String,
    /// One sentence for a person. Its wording may change.
    pub warning_message: String,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

impl ScanWarning {
    /// A warning.
    #[must_use]
    pub fn new(warning_code: impl Into<String>, warning_message: impl Into<String>) -> Self {
        Self { warning_code: warning_code.into(), warning_message: warning_message.into(), extra: Map::new() }
    }
}
