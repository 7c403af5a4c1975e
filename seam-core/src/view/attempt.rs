//! What a person asked for, and what came of it.
use super::{Viewer, access_method, acs_credential, sealed};
use crate::error::{Effect, ErrorKind};
use crate::model::codes;
use crate::model::{
    self, AcsCredentialId, ActionAttemptId, ActionError, ActionResult, ActionType, CredentialOnEncoder, Map, ScanResult, ScanWarning,
    UnlockResult,
};
use crate::plan::{Stop, Try};
use crate::state::{Action, Attempt, AttemptState, Sealed, Target};
use serde_json::Value;

/// An action attempt.
pub(crate) fn action_attempt(v: &Viewer<'_>, id: ActionAttemptId) -> Try<model::ActionAttempt> {
    let row = v.get::<Attempt>(id)?;
    let kind = match &row.action {
        Action::Encode { .. } => ActionType::EncodeCredential,
        Action::Scan { .. } => ActionType::ScanCredential,
        Action::ScanToAssign { .. } => ActionType::ScanToAssignCredential,
        Action::Assign { .. } => ActionType::AssignCredential,
        Action::Unlock { .. } => ActionType::UnlockDoor,
    };
    let pending = model::ActionAttempt::pending(id, kind);
    Ok(match &row.state {
        // Nobody began it in time, and nobody will: no engine may be running that has its encoder.
        AttemptState::Waiting if row.expires_at <= v.now() => {
            let message = "The attempt expired before it was begun.";
            let mut error = ActionError::new(codes::action_error::ACTION_ATTEMPT_EXPIRED, message);
            error.extra.insert("effect".to_owned(), serde_json::to_value(Effect::Nothing).unwrap_or_default());
            pending.failed(error)
        }
        AttemptState::Waiting | AttemptState::Begun { .. } => pending,
        AttemptState::Success { result: stored, .. } => pending.succeeded(result(v, id, row, stored)?),
        AttemptState::Error { kind, message, effect, .. } => {
            let mut error = ActionError::new(kind.clone(), message.clone());
            // What may have happened decides what the person at the device does next.
            error.extra.insert("effect".to_owned(), serde_json::to_value(effect).unwrap_or_default());
            pending.failed(error)
        }
    })
}

/// The result as an object where that still exists, else the ids that were stored.
fn result(v: &Viewer<'_>, id: ActionAttemptId, row: &Attempt, stored: &Value) -> Try<ActionResult> {
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
        Action::ScanToAssign { .. } => match stored.get("acs_credential_id").and_then(Value::as_str).and_then(|id| id.parse().ok()) {
            Some(id) => shown(acs_credential(v, id))?.map(|it| ActionResult::Credential(Box::new(it))),
            None => None,
        },
        Action::Scan { .. } => Some(ActionResult::Scan(Box::new(scan(v, id, stored)?))),
        Action::Unlock { .. } => {
            let confirmed = stored.get("was_confirmed_by_device").and_then(Value::as_bool).unwrap_or(false);
            Some(ActionResult::Unlock(UnlockResult::new(confirmed)))
        }
    };
    Ok(object.unwrap_or_else(|| ActionResult::Other(members(stored))))
}

/// What was read from a card: its number and whether it carries anything as they were read, the credential and how it differs as it is now.
fn scan(v: &Viewer<'_>, attempt: ActionAttemptId, stored: &Value) -> Try<ScanResult> {
    let number = stored.get("card_number").and_then(|sealed| serde_json::from_value::<Sealed>(sealed.clone()).ok());
    let mut number = v.open_some(attempt, sealed::CARD_NUMBER, number.as_ref())?.map(|number| number.expose().to_owned());
    let empty = stored.get("is_empty").and_then(Value::as_bool).unwrap_or(false);
    let id = stored.get("acs_credential_id").and_then(Value::as_str).and_then(|id| id.parse::<AcsCredentialId>().ok());
    let target = match id {
        Some(id) => v.try_get::<Target>(id)?,
        None => None,
    };
    let known = match id {
        Some(id) => shown(acs_credential(v, id))?,
        None => None,
    };
    if stored.get("is_its_card").and_then(Value::as_bool) == Some(true)
        && let (Some(id), Some(target)) = (id, target)
    {
        let kept = v.open_some(id, sealed::CARD_NUMBER, target.card_number.as_ref())?;
        number = kept.map(|number| number.expose().to_owned());
    }
    let made = target.and_then(|target| target.made.as_ref());
    let mut warnings = Vec::new();
    if known.is_none() && !empty {
        let message = "Nothing is recorded for this card.";
        warnings.push(ScanWarning::new(codes::warning::ACS_CREDENTIAL_ON_SEAM_NOT_FOUND, message));
    }
    let differs = stored.get("as_recorded").and_then(Value::as_bool) == Some(false);
    if known.is_some() && (differs || target.is_some_and(|target| !target.is_in_place())) {
        let message = "The card does not carry what is decided now. Encode it again.";
        warnings.push(ScanWarning::new(codes::warning::ACS_CREDENTIAL_ON_ENCODER_OUT_OF_SYNC, message));
    }
    let on_card = CredentialOnEncoder {
        card_number: number,
        created_at: made.map(|made| made.at),
        starts_at: made.map(|made| made.window.starts_at()),
        ends_at: made.and_then(|made| made.window.ends_at()),
        is_issued: Some(!empty),
        extra: Map::new(),
    };
    Ok(ScanResult { acs_credential_on_encoder: Some(on_card), acs_credential_on_seam: known, warnings, extra: Map::new() })
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
