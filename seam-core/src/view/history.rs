//! What is kept of a grant after its end.
use super::Viewer;
use super::grant::{Whole, hint_surroundings, render};
use crate::model::{self, AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, time};
use crate::plan::Try;
use crate::state::{Grant, GrantPhase};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A grant with its whole life: shown also after it has ended or was deleted. Without PINs once it is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantHistory {
    /// The grant as it was last. `residual_access` says what may still open.
    pub grant: model::AccessGrant,
    /// Where its life stands.
    pub phase: HistoryPhase,
    /// When it ended or was deleted; null while it is live.
    #[serde(default, with = "time::option")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Every door that it had last.
    pub acs_entrance_ids: Vec<AcsEntranceId>,
    /// Every method that was ever made for it.
    pub methods: Vec<KeptMethod>,
}

/// Where the life of a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HistoryPhase {
    /// It holds, now or later.
    Live,
    /// Its end has passed.
    Ended,
    /// It was deleted.
    Deleted,
}

/// What is kept of a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeptMethod {
    /// The method.
    pub access_method_id: AccessMethodId,
    /// How access was delivered.
    pub mode: AccessMethodMode,
    /// When it was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// When it was last issued; null when never.
    #[serde(default, with = "time::option")]
    pub issued_at: Option<DateTime<Utc>>,
    /// When it ended or was deleted; null while it is in use.
    #[serde(default, with = "time::option")]
    pub ended_at: Option<DateTime<Utc>>,
    /// It was a card that was reported lost.
    pub is_lost: bool,
}

/// A grant whatever became of it.
pub(crate) fn grant(v: &Viewer<'_>, id: AccessGrantId) -> Try<GrantHistory> {
    let row = v.get::<Grant>(id)?;
    hint_surroundings(v, row);
    let whole = Whole::read(v, id, row)?;
    let mut grant = render(v, &whole)?;
    let (phase, ended_at) = match row.phase {
        GrantPhase::Live => (HistoryPhase::Live, None),
        GrantPhase::Ended { at } => (HistoryPhase::Ended, Some(row.window.ends_at().map_or(at, |end| end.min(at)))),
        GrantPhase::Deleted { at } => (HistoryPhase::Deleted, Some(at)),
    };
    if phase != HistoryPhase::Live {
        for asked in &mut grant.requested_access_methods {
            asked.code = None;
        }
        for warning in &mut grant.warnings {
            warning.details.retain(|key, _| key != "original_code" && key != "new_code");
        }
    }
    let methods = whole.methods.iter().map(|parts| KeptMethod {
        access_method_id: parts.id,
        mode: parts.row.mode.clone(),
        created_at: parts.row.created_at,
        issued_at: parts.row.issued_at,
        ended_at: parts.row.ended_at.or(parts.row.deleted_at),
        is_lost: parts.row.lost,
    });
    Ok(GrantHistory { grant, phase, ended_at, acs_entrance_ids: row.doors.clone(), methods: methods.collect() })
}
