//! Access that is withdrawn and may still work.
use super::open::open_enum;
use super::{AccessMethodId, AcsEntranceId, Map, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A door that may still open although access was withdrawn (deleted, moved, shortened, suspended): what is decided
/// here is not yet known at the door. Additive to the Seam API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResidualAccess {
    /// The door.
    pub acs_entrance_id: AcsEntranceId,
    /// The method that may still open it; absent where a credential belongs to no method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method_id: Option<AccessMethodId>,
    /// The last instant at which it may open; null when nothing ends it by itself.
    #[serde(default, with = "time::option")]
    pub until: Option<DateTime<Utc>>,
    /// What the door is waiting for.
    pub why: ResidualReason,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}

open_enum! {
    /// Why a withdrawn credential may still open a door: what it takes for the door to learn of it.
    pub enum ResidualReason {
        /// The withdrawal is on its way to the access system.
        Revoking = "revoking",
        /// The door learns of it at its next synchronisation.
        NextSync = "next_sync",
        /// The door learns of it when the key of a later stay is used there.
        NextOverride = "next_override",
        /// The door is offline; the credential dies at its own end.
        OwnEnd = "own_end",
        /// The door is a common one, which no later key overrides; the credential dies at its own end.
        CommonDoor = "common_door",
        /// The access system cannot withdraw such a credential at all.
        NotRevocable = "not_revocable",
        /// The access system did not say whether it withdrew the credential; it is asked again.
        OutcomeUnknown = "outcome_unknown",
    }
}
