//! Changes that are decided and not yet everywhere.
use super::notice::{notice, texts};
use super::{AccessMethodId, AcsAccessGroupId, AcsCredentialId, AcsEntranceId, AcsUserId, Map, Window, codes, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A change that is decided and on its way to the access systems. The fields of the object show what is decided; this
/// shows from what to what, until every system has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingMutation {
    /// What is changing; see [`codes::mutation`]. Open.
    pub mutation_code: String,
    /// One sentence for a person. Its wording may change.
    pub message: String,
    /// When it was decided.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// `from` and `to`, and what else belongs to the code.
    #[serde(flatten)]
    pub details: Map,
}
notice!(PendingMutation, mutation_code);

/// Name and contacts of a user, as a mutation shows them; none is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profile {
    /// E-mail address.
    pub email_address: Option<String>,
    /// Full name.
    pub full_name: Option<String>,
    /// Phone number, E.164.
    pub phone_number: Option<String>,
}

impl Profile {
    /// A profile.
    #[must_use]
    pub fn new(full_name: Option<String>, email_address: Option<String>, phone_number: Option<String>) -> Self {
        Self { email_address, full_name, phone_number }
    }

    fn json(&self) -> Value {
        json!({
            "email_address": self.email_address, "full_name": self.full_name, "phone_number": self.phone_number,
        })
    }
}

/// Which way a deferred change of membership goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Variant {
    /// Into the group.
    Adding,
    /// Out of the group.
    Removing,
}

impl Variant {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adding => "adding",
            Self::Removing => "removing",
        }
    }
}

/// Start and end as a mutation shows them; without a window both are null.
fn times(window: Option<&Window>) -> Value {
    json!({
        "starts_at": window.map(|window| time::text(window.starts_at())),
        "ends_at": window.and_then(Window::ends_at).map(time::text),
    })
}

/// One id under its name, or null.
fn one(key: &str, id: Option<impl std::fmt::Display>) -> Value {
    Value::Object([(key.to_owned(), json!(id.map(|id| id.to_string())))].into_iter().collect())
}

fn devices(ids: &[AcsEntranceId]) -> Value {
    json!({ "device_ids": texts(ids) })
}

impl PendingMutation {
    fn change(self, from: Value, to: Value) -> Self {
        self.with("from", from).with("to", to)
    }

    /// On a grant: its doors change.
    #[must_use]
    pub fn updating_spaces(at: DateTime<Utc>, from: &[AcsEntranceId], to: &[AcsEntranceId]) -> Self {
        Self::new(codes::mutation::UPDATING_SPACES, "The doors of this grant are changing.", at)
            .change(devices(from), json!({ "common_code_key": null, "device_ids": texts(to) }))
    }

    /// On a grant: these methods are getting new times.
    #[must_use]
    pub fn updating_access_times(at: DateTime<Utc>, methods: &[AccessMethodId], from: &Window, to: &Window) -> Self {
        Self::method_updating_access_times(at, from, to).with("access_method_ids", texts(methods))
    }

    /// On a method: it is getting new times.
    #[must_use]
    pub fn method_updating_access_times(at: DateTime<Utc>, from: &Window, to: &Window) -> Self {
        Self::new(codes::mutation::UPDATING_ACCESS_TIMES, "The times are changing.", at).change(times(Some(from)), times(Some(to)))
    }

    /// On a method: doors are being added.
    #[must_use]
    pub fn provisioning_access(at: DateTime<Utc>, from: &[AcsEntranceId], to: &[AcsEntranceId]) -> Self {
        Self::new(codes::mutation::PROVISIONING_ACCESS, "Doors are being added.", at).change(devices(from), devices(to))
    }

    /// On a method: doors are being taken away.
    #[must_use]
    pub fn revoking_access(at: DateTime<Utc>, from: &[AcsEntranceId], to: &[AcsEntranceId]) -> Self {
        Self::new(codes::mutation::REVOKING_ACCESS, "Doors are being taken away.", at).change(devices(from), devices(to))
    }

    /// On a group or user: it is being made in the access system.
    #[must_use]
    pub fn creating(at: DateTime<Utc>) -> Self {
        Self::new(codes::mutation::CREATING, "This is being made in the access system.", at)
    }

    /// On a group or user: it is being deleted in the access system.
    #[must_use]
    pub fn deleting(at: DateTime<Utc>) -> Self {
        Self::new(codes::mutation::DELETING, "This is being deleted in the access system.", at)
    }

    /// On a group: it is deleted when its time is over.
    #[must_use]
    pub fn deferring_deletion(at: DateTime<Utc>) -> Self {
        Self::new(codes::mutation::DEFERRING_DELETION, "This is deleted when its time is over.", at)
    }

    /// On a user: she is made in the access system when she is needed, or at a set time.
    #[must_use]
    pub fn deferring_creation(at: DateTime<Utc>, scheduled_at: Option<DateTime<Utc>>) -> Self {
        let message = "The user is made in the access system when she is needed.";
        let mutation = Self::new(codes::mutation::DEFERRING_CREATION, message, at);
        match scheduled_at {
            Some(then) => mutation.with("scheduled_at", time::text(then)),
            None => mutation,
        }
    }

    /// On a group: its name changes.
    #[must_use]
    pub fn updating_group_information(at: DateTime<Utc>, from: Option<&str>, to: Option<&str>) -> Self {
        Self::new(codes::mutation::UPDATING_GROUP_INFORMATION, "The name is changing.", at).change(one("name", from), one("name", to))
    }

    /// On a group or user: its times change; none is no limit.
    #[must_use]
    pub fn updating_access_schedule(at: DateTime<Utc>, from: Option<&Window>, to: Option<&Window>) -> Self {
        Self::new(codes::mutation::UPDATING_ACCESS_SCHEDULE, "The times are changing.", at).change(times(from), times(to))
    }

    /// On a group: a user joins (`from` none) or leaves (`to` none).
    #[must_use]
    pub fn updating_user_membership(at: DateTime<Utc>, from: Option<AcsUserId>, to: Option<AcsUserId>) -> Self {
        Self::new(codes::mutation::UPDATING_USER_MEMBERSHIP, "The members are changing.", at)
            .change(one("acs_user_id", from), one("acs_user_id", to))
    }

    /// On a group: an entrance joins (`from` none) or leaves (`to` none).
    #[must_use]
    pub fn updating_entrance_membership(at: DateTime<Utc>, from: Option<AcsEntranceId>, to: Option<AcsEntranceId>) -> Self {
        Self::new(codes::mutation::UPDATING_ENTRANCE_MEMBERSHIP, "The entrances are changing.", at)
            .change(one("acs_entrance_id", from), one("acs_entrance_id", to))
    }

    /// On a group: a user joins or leaves later.
    #[must_use]
    pub fn deferring_user_membership_update(at: DateTime<Utc>, user: AcsUserId, variant: Variant) -> Self {
        Self::new(codes::mutation::DEFERRING_USER_MEMBERSHIP_UPDATE, "The members change at a later time.", at)
            .with("acs_user_id", user.to_string())
            .with("variant", variant.as_str())
    }

    /// On a user: name or contacts change. Its JSON and `Debug` show both profiles.
    #[must_use]
    pub fn updating_user_information(at: DateTime<Utc>, from: &Profile, to: &Profile) -> Self {
        Self::new(codes::mutation::UPDATING_USER_INFORMATION, "Name or contacts are changing.", at).change(from.json(), to.json())
    }

    /// On a user: she is being suspended, or let back.
    #[must_use]
    pub fn updating_suspension_state(at: DateTime<Utc>, to_suspended: bool) -> Self {
        Self::new(codes::mutation::UPDATING_SUSPENSION_STATE, "The suspension is changing.", at)
            .change(json!({ "is_suspended": !to_suspended }), json!({ "is_suspended": to_suspended }))
    }

    /// On a user: she joins a group (`from` none) or leaves it (`to` none).
    #[must_use]
    pub fn updating_group_membership(at: DateTime<Utc>, from: Option<AcsAccessGroupId>, to: Option<AcsAccessGroupId>) -> Self {
        Self::new(codes::mutation::UPDATING_GROUP_MEMBERSHIP, "The groups are changing.", at)
            .change(one("acs_access_group_id", from), one("acs_access_group_id", to))
    }

    /// On a user: she joins a group or leaves it later.
    #[must_use]
    pub fn deferring_group_membership_update(at: DateTime<Utc>, group: AcsAccessGroupId, variant: Variant) -> Self {
        Self::new(codes::mutation::DEFERRING_GROUP_MEMBERSHIP_UPDATE, "The groups change at a later time.", at)
            .with("acs_access_group_id", group.to_string())
            .with("variant", variant.as_str())
    }

    /// On a user: a credential is given to her (`from` none) or taken from her (`to` none).
    #[must_use]
    pub fn updating_credential_assignment(at: DateTime<Utc>, from: Option<AcsCredentialId>, to: Option<AcsCredentialId>) -> Self {
        Self::new(codes::mutation::UPDATING_CREDENTIAL_ASSIGNMENT, "The credentials are changing.", at)
            .change(one("acs_credential_id", from), one("acs_credential_id", to))
    }
}
