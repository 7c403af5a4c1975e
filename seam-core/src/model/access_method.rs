//! A PIN, card, mobile key or cloud key of a person.
use super::open::open_enum;
use super::{AccessMethodId, Map, ObjectError, PendingMutation, Shown, Warning, WorkspaceId, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

open_enum! {
    /// How access is delivered.
    pub enum AccessMethodMode {
        /// A PIN, typed at the door.
        Code = "code",
        /// A plastic card, or another tag that is written or assigned.
        Card = "card",
        /// A key on a phone, used over BLE or NFC.
        MobileKey = "mobile_key",
        /// A key that the access system keeps: the door is opened remotely in the name of the person.
        CloudKey = "cloud_key",
        /// A fingerprint, face or the like. Additive: an access system may report it, it cannot be asked for.
        Biometric = "biometric",
    }
}

/// One means of access: one PIN, one card, one mobile key or one cloud key of one person.
///
/// A grant has one or more of them, and one may serve several grants of the same person. A card method is one physical
/// card: for two cards make two methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessMethod {
    /// The id of the method.
    pub access_method_id: AccessMethodId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// A name for people, for example "PIN code". Never empty.
    pub display_name: String,
    /// One sentence on how it stands, for a screen. Its wording changes; do not branch on it.
    #[serde(default)]
    pub display_status: String,
    /// How access is delivered.
    pub mode: AccessMethodMode,
    /// When the method was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// Whether it can be used: as certain as an access system of this kind can be. For a card: it is written.
    pub is_issued: bool,
    /// When it was last issued; null before.
    #[serde(default, with = "time::option")]
    pub issued_at: Option<DateTime<Utc>>,
    /// The PIN, 4 to 9 digits as a rule. Only for mode code, and absent until it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Shown>,
    /// The token with which a phone loads its keys. Only for mode mobile_key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_session_token: Option<Shown>,
    /// The link that hands the key to a phone. Only for mode mobile_key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key_url: Option<Shown>,
    /// The look of the pages behind the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customization_profile_id: Option<Uuid>,
    /// Whether a card that exists already has to be bound to the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_assignment_required: Option<bool>,
    /// Whether a card has to be written, or written again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_encoding_required: Option<bool>,
    /// Whether a card can be bound now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_ready_for_assignment: Option<bool>,
    /// Whether a card can be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_ready_for_encoding: Option<bool>,
    /// Additive: the start of the credential's own window where it differs from the grant's (loaded ahead, arrival
    /// grace).
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Additive: the end of the credential's own window where it differs from the grant's (departure grace). Not part
    /// of it.
    #[serde(default, with = "time::option", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Additive: the method is suspended and opens nothing until it is let back. Absent when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_suspended: bool,
    /// What is wrong. Empty when all is well.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
    /// What is worth knowing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What is decided and not yet everywhere.
    #[serde(default)]
    pub pending_mutations: Vec<PendingMutation>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
