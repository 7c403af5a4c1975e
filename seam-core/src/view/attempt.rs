//! What a person asked for, and what came of it.
use super::{Viewer, access_method, acs_credential};
use crate::error::ErrorKind;
use crate::model::{
    self, AcsCredentialId, ActionAttemptId, ActionError, ActionResult, ActionType, CredentialOnEncoder, Map, ScanResult, ScanWarning,
    UnlockResult,
};
use crate::plan::{Stop, Try};
use crate::state::{Action, Attempt, AttemptState};
use serde_json::Value;

/// An action attempt.
pub(crate) fn action_attempt(v: &Viewer<'_>, id: ActionAttemptId) -> Try<model::ActionAttempt> {
    let row = v.get::<Attempt>(id)?;
    let kind = match &row.action {
        Action::Encode { .. } => ActionType::EncodeCredential,
        Action::Scan { .. } => ActionType::ScanCredential,
        Action::Assign { .. } => ActionType::AssignCredential,
        Action::Unlock { .. } => ActionType::UnlockDoor,
    };
    let pending = model::ActionAttempt::pending(id, kind);
    Ok(match &row.state {
        AttemptState::Waiting | AttemptState::Begun { .. } => pending,
        AttemptState::Success { result: stored, .. } => pending.succeeded(result(v, row, stored)?),
        AttemptState::Error { kind, message, effect, .. } => {
            let mut error = ActionError::new(kind.clone(), message.clone());
            // What may have happened decides what the person at the device does next.
            error.extra.insert("effect".to_owned(), serde_json::to_value(effect).unwrap_or_default());
            pending.failed(error)
        }
    })
}

/// The result as an object where that still exists, else the ids that were stored.
fn result(v: &Viewer<'_>, row: &Attempt, stored: &Value) -> Try<ActionResult> {
    let object = match &row.action {
        Action::Encode { target, method, .. } => shown(acs_credential(v, AcsCredentialId::from_uuid(*target)))?.map(|mut credential| {
            if let Some(method) = method {
                credential.extra.insert("access_method_id".to_owned(), method.to_string().into());
            }
            ActionResult::Credential(Box::new(credential))
        }),
        Action::Assign { target, method, .. } => match method {
            Some(method) => shown(access_method(v, *method))?.map(|method| ActionResult::AccessMethod(Box::new(method))),
            None => shown(acs_credential(v, AcsCredentialId::from_uuid(*target)))?.map(|it| ActionResult::Credential(Box::new(it))),
        },
        Action::Scan { .. } => Some(ActionResult::Scan(Box::new(scan(v, stored)?))),
        Action::Unlock { .. } => {
            let confirmed = stored.get("was_confirmed_by_device").and_then(Value::as_bool).unwrap_or(false);
            Some(ActionResult::Unlock(UnlockResult::new(confirmed)))
        }
    };
    Ok(object.unwrap_or_else(|| ActionResult::Other(members(stored))))
}

/// What was read from a card: `acs_credential_on_encoder` and `warnings` as they were stored, the credential as it is now.
fn scan(v: &Viewer<'_>, stored: &Value) -> Try<ScanResult> {
    let read = |key: &str| stored.get(key).filter(|value| !value.is_null()).cloned();
    let on_card: Option<CredentialOnEncoder> = read("acs_credential_on_encoder").and_then(|it| serde_json::from_value(it).ok());
    let warnings: Vec<ScanWarning> = read("warnings").and_then(|it| serde_json::from_value(it).ok()).unwrap_or_default();
    let id = stored.get("acs_credential_id").and_then(Value::as_str).and_then(|id| id.parse::<AcsCredentialId>().ok());
    let known = match id {
        Some(id) => shown(acs_credential(v, id))?,
        None => None,
    };
    Ok(ScanResult { acs_credential_on_encoder: on_card, acs_credential_on_seam: known, warnings, extra: Map::new() })
}

/// An object, or nothing if it is hidden by now.
fn shown<T>(object: Try<T>) -> Try<Option<T>> {
    match object {
        Ok(object) => Ok(Some(object)),
        Err(Stop::Reject(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn members(stored: &Value) -> Map {
    stored.as_object().map(super::notes::map).unwrap_or_default()
}
