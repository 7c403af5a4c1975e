//! Questions for a person: where the engine stands still rather than guess.
use super::Viewer;
use super::status::mode_name;
use super::target::mode;
use crate::model::{AccessMethodId, AccessMethodMode, AcsCredentialId, AcsEntranceId, AcsSystemId, UserIdentityId, time};
use crate::plan::Try;
use crate::provider::{Kind, Reason};
use crate::state::{Index, Key, QuestionKind, RowId, Target, TargetOf};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenQuestion {
    /// What it is about, and what is named when it is answered.
    pub acs_credential_id: AcsCredentialId,
    /// The method that waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method_id: Option<AccessMethodId>,
    /// The person who waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity_id: Option<UserIdentityId>,
    /// The system.
    pub acs_system_id: AcsSystemId,
    /// The doors.
    pub acs_entrance_ids: Vec<AcsEntranceId>,
    /// How access is delivered; absent where it is about a user, a permission or a stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<AccessMethodMode>,
    /// What is asked.
    pub kind: QuestionKind,
    /// Since when.
    #[serde(with = "time::instant")]
    pub since: DateTime<Utc>,
    /// Why it is asked: what the last call came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The question, one sentence. Its wording may change.
    pub question: String,
    /// What the person does best, one sentence. Its wording may change.
    pub next_action: String,
}

/// The open questions of the workspace, in the order of the ids of what they are about.
pub(crate) fn questions(v: &Viewer<'_>) -> Try<Vec<OpenQuestion>> {
    let rows = v.all::<Target, RowId>(v.reader.find(&Key::new(Index::Questions, "open"))?)?;
    Ok(rows.into_iter().filter_map(|(id, target)| open(id, target)).collect())
}

/// The open question of a target.
pub(super) fn open(id: RowId, target: &Target) -> Option<OpenQuestion> {
    let asks = target.work.asks.as_ref()?;
    let credential = target.credential();
    let (question, next_action) = words(target, asks.kind);
    Some(OpenQuestion {
        acs_credential_id: AcsCredentialId::from_uuid(id),
        access_method_id: match target.of {
            TargetOf::Method(method) => Some(method),
            _ => None,
        },
        user_identity_id: credential.and_then(|c| c.identity),
        acs_system_id: target.system,
        acs_entrance_ids: credential.map(|c| c.doors.clone()).unwrap_or_default(),
        mode: mode(target.kind()),
        kind: asks.kind,
        since: asks.at,
        reason: target.work.failure.as_ref().map(|failed| failed.reason),
        question,
        next_action: next_action.to_owned(),
    })
}

fn words(target: &Target, kind: QuestionKind) -> (String, &'static str) {
    let what = match (mode(target.kind()), target.kind()) {
        (Some(mode), _) => mode_name(&mode).to_lowercase().replace("pin", "PIN"),
        (None, Kind::User) => "user".to_owned(),
        (None, Kind::Access) => "permission".to_owned(),
        (None, _) => "stay".to_owned(),
    };
    match kind {
        QuestionKind::WasTheCardWritten => (
            "Was the card written? The encoder did not say.".to_owned(),
            "Present the same card at the encoder to be read, or encode the method again; or say what happened.",
        ),
        QuestionKind::DidItHappen => (
            format!("Did the access system take the {what}? It did not answer, and doing it twice would be wrong."),
            "Look in the access system, then say that it happened, that it did not, or to do it again.",
        ),
        QuestionKind::WhichOne => (
            format!("More than one {what} in the access system carries our mark. Which one is right?"),
            "Delete the wrong ones in the access system, then say that it happened, or to do it again.",
        ),
    }
}
