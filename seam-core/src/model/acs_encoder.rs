//! A card encoder.
use super::{AcsEncoderId, AcsSystemId, ConnectedAccountId, Map, ObjectError, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A device at a desk that writes and reads cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcsEncoder {
    /// The id of the encoder.
    pub acs_encoder_id: AcsEncoderId,
    /// The system for which it writes cards.
    pub acs_system_id: AcsSystemId,
    /// The account through which the system is reached.
    pub connected_account_id: ConnectedAccountId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people. Never empty.
    pub display_name: String,
    /// When it was first seen.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Additive: what came of the last job here is not known, and the encoder is not used until then: that job has surely ended by that time.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub quarantined_until: Option<DateTime<Utc>>,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// Metadata of the provider, and members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
