//! Who may go where, when and how.
use super::{
    AccessGrantId, AccessMethodId, AccessMethodMode, Map, ObjectError, PendingMutation, ResidualAccess, Shown, SpaceId, UserIdentityId,
    Warning, Weekly, WorkspaceId, time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// For whom a key is made at doors that keep stays apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Holder {
    /// A guest or resident: belongs to a stay, and a later stay ends her access.
    #[default]
    Guest,
    /// Staff: belongs to no stay, ends no stay and is ended by none. Has to be asked for; it is never inferred.
    Staff,
}

impl Holder {
    /// Whether it is a guest.
    #[must_use]
    pub const fn is_guest(&self) -> bool {
        matches!(self, Self::Guest)
    }
}

/// A grant: one person may open some doors for some time, by one or more methods.
///
/// The doors are not part of the object: list the entrances of the grant, or get what is related to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessGrant {
    /// The id of the grant.
    pub access_grant_id: AccessGrantId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The caller's own key, unique in the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_grant_key: Option<String>,
    /// The person.
    pub user_identity_id: UserIdentityId,
    /// The caller's name for the grant; null when there is none.
    #[serde(default)]
    pub name: Option<String>,
    /// A name for people: `name`, or one that is made up from what is known. Never empty.
    pub display_name: String,
    /// One sentence on how it stands, for a screen. Its wording changes; do not branch on it.
    #[serde(default)]
    pub display_status: String,
    /// The first instant of access.
    #[serde(with = "time::instant")]
    pub starts_at: DateTime<Utc>,
    /// The first instant after access; null when it is ongoing.
    #[serde(default, with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// When the grant was made.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// The spaces that are granted; the grant follows their membership.
    #[serde(default)]
    pub space_ids: Vec<SpaceId>,
    /// Deprecated second name of `space_ids`, always equal to it.
    #[serde(default)]
    pub location_ids: Vec<SpaceId>,
    /// The methods that exist for the grant.
    #[serde(default)]
    pub access_method_ids: Vec<AccessMethodId>,
    /// What was asked for, and which methods were made of it.
    #[serde(default)]
    pub requested_access_methods: Vec<RequestedAccessMethod>,
    /// The stay that the grant belongs to: grants with the same key are one party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_key: Option<String>,
    /// The token with which a phone loads its keys. Only with a mobile key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_session_token: Option<Shown>,
    /// The link that hands the key to a phone. Only with exactly one mobile key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key_url: Option<Shown>,
    /// The look of the pages behind the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customization_profile_id: Option<Uuid>,
    /// Additive: guest or staff. Absent for a guest.
    #[serde(default, skip_serializing_if = "Holder::is_guest")]
    pub holder: Holder,
    /// Additive: the weekly schedule that narrows the grant, in the time zone of each site. Absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// Additive: the grant is suspended and opens nothing until it is let back. Absent when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_suspended: bool,
    /// Additive: doors that may still open although access there was withdrawn. Absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residual_access: Vec<ResidualAccess>,
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

/// A method that a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessMethodRequest {
    /// How access shall be delivered.
    pub mode: AccessMethodMode,
    /// The wished PIN, 4 to 9 digits; only for mode code. A preference: read the PIN back from the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Shown>,
    /// How many phones may redeem the link, at least 1; only for mode mobile_key. Without it: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key_max_use_count: Option<u32>,
}

impl AccessMethodRequest {
    /// A method of this mode.
    #[must_use]
    pub const fn new(mode: AccessMethodMode) -> Self {
        Self { mode, code: None, instant_key_max_use_count: None }
    }

    /// A PIN that the planner picks.
    #[must_use]
    pub const fn code() -> Self {
        Self::new(AccessMethodMode::Code)
    }

    /// A PIN, if possible this one.
    #[must_use]
    pub fn code_of(pin: impl Into<Shown>) -> Self {
        Self { code: Some(pin.into()), ..Self::code() }
    }

    /// One card.
    #[must_use]
    pub const fn card() -> Self {
        Self::new(AccessMethodMode::Card)
    }

    /// A mobile key.
    #[must_use]
    pub const fn mobile_key() -> Self {
        Self::new(AccessMethodMode::MobileKey)
    }

    /// A cloud key.
    #[must_use]
    pub const fn cloud_key() -> Self {
        Self::new(AccessMethodMode::CloudKey)
    }

    /// The same, with the number of phones that may redeem the link of a mobile key.
    #[must_use]
    pub fn max_uses(self, count: u32) -> Self {
        Self { instant_key_max_use_count: Some(count), ..self }
    }
}

/// A method that was asked for, as the grant shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestedAccessMethod {
    /// How access shall be delivered.
    pub mode: AccessMethodMode,
    /// A name for people.
    pub display_name: String,
    /// When it was asked for.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// The methods that were made of it: none until they exist, several when one PIN for all doors was not possible.
    #[serde(default)]
    pub created_access_method_ids: Vec<AccessMethodId>,
    /// The PIN that was wished for. The PIN that works is that of the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Shown>,
    /// How many phones may redeem the link of a mobile key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key_max_use_count: Option<u32>,
    /// Members that have no field here.
    #[serde(flatten)]
    pub extra: Map,
}
