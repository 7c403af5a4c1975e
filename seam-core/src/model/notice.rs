//! Warnings and errors that an object carries.
use super::open::open_enum;
use super::{AccessMethodId, AcsEntranceId, AcsSystemId, AcsUserId, Map, ResidualAccess, codes, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The common part of [`Warning`], [`ObjectError`] and [`super::PendingMutation`].
macro_rules! notice {
    ($name:ident, $code:ident) => {
        impl $name {
            /// One with this code, without details.
            #[must_use]
            pub fn new(code: impl Into<String>, message: impl Into<String>, created_at: DateTime<Utc>) -> Self {
                Self { $code: code.into(), message: message.into(), created_at, details: Map::new() }
            }

            /// The same with one detail more; an earlier one of that name is replaced.
            #[must_use]
            pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
                self.details.insert(key.to_owned(), value.into());
                self
            }
        }
    };
}
pub(super) use notice;

/// Something is not, or soon will not be, as it was asked for; access as such works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// What it is about; see [`codes::warning`]. Open: an access system may report others.
    pub warning_code: String,
    /// One sentence for a person. Its wording may change.
    pub message: String,
    /// Since when.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// What else is known, by the code.
    #[serde(flatten)]
    pub details: Map,
}
notice!(Warning, warning_code);

/// Something does not work. Called `ObjectError` because it is the state of an object, not the outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObjectError {
    /// What it is about; see [`codes::error`]. Open: an access system may report others.
    pub error_code: String,
    /// One sentence for a person. Its wording may change.
    pub message: String,
    /// Since when.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// What else is known, by the code.
    #[serde(flatten)]
    pub details: Map,
}
notice!(ObjectError, error_code);

open_enum! {
    /// Why an entrance cannot be programmed with the times of a grant.
    pub enum TimeConstraint {
        /// The grant is longer than the entrance allows.
        DurationExceedsMax = "duration_exceeds_max",
        /// Start and end are not among the times that the entrance knows.
        TimesDoNotMatchSlots = "times_do_not_match_slots",
        /// The entrance needs an end, and the grant has none.
        OngoingNotSupported = "ongoing_not_supported",
    }
}

/// An entrance from which a PIN could not be taken, in the warning `overprovisioned_access`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedDevice {
    /// The entrance.
    pub device_id: AcsEntranceId,
    /// Why, for example `offline_access_code_not_revocable`. Open.
    pub error_code: String,
    /// One sentence for a person.
    pub message: String,
}

impl FailedDevice {
    /// An entrance with the reason.
    #[must_use]
    pub fn new(device_id: AcsEntranceId, error_code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { device_id, error_code: error_code.into(), message: message.into() }
    }
}

/// Ids, or other things that print as text, as a JSON array.
pub(super) fn texts<T: std::fmt::Display>(items: &[T]) -> Value {
    items.iter().map(ToString::to_string).collect()
}

impl Warning {
    /// The thing is being deleted.
    #[must_use]
    pub fn being_deleted(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::BEING_DELETED, "This is being deleted.", at)
    }

    /// On a grant: doors are missing and being added.
    #[must_use]
    pub fn underprovisioned_access(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::UNDERPROVISIONED_ACCESS, "Some doors do not open yet. They are being added.", at)
    }

    /// On a grant: doors are being taken away; `failed` are those where that is not possible.
    #[must_use]
    pub fn overprovisioned_access(at: DateTime<Utc>, failed: &[FailedDevice]) -> Self {
        let message = "Some doors still open that no longer belong to this grant.";
        let warning = Self::new(codes::warning::OVERPROVISIONED_ACCESS, message, at);
        if failed.is_empty() {
            return warning;
        }
        let failed: Value = failed
            .iter()
            .map(|one| {
                json!({
                    "device_id": one.device_id.to_string(), "error_code": one.error_code, "message": one.message,
                })
            })
            .collect();
        warning.with("failed_devices", failed)
    }

    /// On a grant: these methods are getting new times.
    #[must_use]
    pub fn updating_access_times(at: DateTime<Utc>, methods: &[AccessMethodId]) -> Self {
        Self::method_updating_access_times(at).with("access_method_ids", texts(methods))
    }

    /// On a method: it is getting new times.
    #[must_use]
    pub fn method_updating_access_times(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::UPDATING_ACCESS_TIMES, "The new times are being sent to the access systems.", at)
    }

    /// On a grant: the PIN that was asked for is not used at this entrance; another is.
    ///
    /// `Debug` of the warning hides both PINs; its JSON shows them.
    #[must_use]
    pub fn requested_code_unavailable(at: DateTime<Utc>, device: AcsEntranceId, original: &str, new: &str) -> Self {
        Self::credential_requested_code_unavailable(at, original, new).with("device_id", device.to_string())
    }

    /// On a credential: the PIN that was asked for is not used; another is.
    #[must_use]
    pub fn credential_requested_code_unavailable(at: DateTime<Utc>, original: &str, new: &str) -> Self {
        let message = "The requested PIN is not available. Another one was assigned.";
        Self::new(codes::warning::REQUESTED_CODE_UNAVAILABLE, message, at).with("original_code", original).with("new_code", new)
    }

    /// On a grant: this entrance takes no PINs.
    #[must_use]
    pub fn device_does_not_support_access_codes(at: DateTime<Utc>, device: AcsEntranceId) -> Self {
        let message = "This entrance takes no PINs and was left out.";
        Self::new(codes::warning::DEVICE_DOES_NOT_SUPPORT_ACCESS_CODES, message, at).with("device_id", device.to_string())
    }

    /// On a grant: this entrance cannot be programmed with its times.
    #[must_use]
    pub fn device_time_constraints_violated(at: DateTime<Utc>, device: AcsEntranceId, why: &TimeConstraint) -> Self {
        let message = "This entrance cannot be programmed with the times of the grant.";
        Self::new(codes::warning::DEVICE_TIME_CONSTRAINTS_VIOLATED, message, at)
            .with("device_id", device.to_string())
            .with("reason", why.as_str())
    }

    /// On a method: a spare PIN was given in place of the method named here.
    #[must_use]
    pub fn pulled_backup_access_code(at: DateTime<Utc>, original: Option<AccessMethodId>) -> Self {
        let message = "The PIN could not be set in time. A spare one is used.";
        let warning = Self::new(codes::warning::PULLED_BACKUP_ACCESS_CODE, message, at);
        match original {
            Some(id) => warning.with("original_access_method_id", id.to_string()),
            None => warning,
        }
    }

    /// On a method: the grant starts soon and the method is not issued.
    #[must_use]
    pub fn delay_in_issuing(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::DELAY_IN_ISSUING, "Access starts soon and this is not issued yet.", at)
    }

    /// On a credential: it is not written or delivered yet.
    #[must_use]
    pub fn waiting_to_be_issued(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::WAITING_TO_BE_ISSUED, "This is not issued yet.", at)
    }

    /// On a credential: the card has to be written again.
    #[must_use]
    pub fn needs_to_be_reissued(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::NEEDS_TO_BE_REISSUED, "What this opens has changed. Encode the card again.", at)
    }

    /// On a credential: its start was moved because it lay in the past.
    #[must_use]
    pub fn schedule_modified(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::SCHEDULE_MODIFIED, "The start lay in the past and was moved.", at)
    }

    /// On a credential: somebody else changed its times in the access system.
    #[must_use]
    pub fn schedule_externally_modified(at: DateTime<Utc>) -> Self {
        let message = "The times were changed in the access system.";
        Self::new(codes::warning::SCHEDULE_EXTERNALLY_MODIFIED, message, at)
    }

    /// On a user: she exists in the access system and cannot open anything at present.
    #[must_use]
    pub fn acs_user_inactive(at: DateTime<Utc>) -> Self {
        Self::new(codes::warning::ACS_USER_INACTIVE, "The user cannot open any door at present.", at)
    }

    /// On a user identity: a linked user has another name, e-mail or phone.
    #[must_use]
    pub fn profile_does_not_match(at: DateTime<Utc>) -> Self {
        let message = "A linked user in an access system has another name, e-mail or phone number.";
        Self::new(codes::warning::ACS_USER_PROFILE_DOES_NOT_MATCH_USER_IDENTITY, message, at)
    }

    /// On a grant: a door may still open although access was withdrawn. The same code as for doors that are being taken away, because the list of
    /// codes is closed; `why` and `until` tell it from those, and the grant's `residual_access` has them all.
    #[must_use]
    pub fn residual_access(at: DateTime<Utc>, left: &ResidualAccess) -> Self {
        Self::new(codes::warning::OVERPROVISIONED_ACCESS, "A door may still open although access was withdrawn.", at)
            .with("acs_entrance_id", left.acs_entrance_id.to_string())
            .with("until", left.until.map(time::text))
            .with("why", left.why.as_str())
    }

    /// Additive, on a grant, method or credential: the access system keeps no end time.
    #[must_use]
    pub fn ends_by_engine(at: DateTime<Utc>, system: AcsSystemId) -> Self {
        let message = "The access system keeps no end time. Access ends only while an engine is running.";
        Self::new(codes::warning::ENDS_BY_ENGINE, message, at).with("acs_system_id", system.to_string())
    }

    /// Additive, on a grant: the access system keeps no weekly schedule.
    #[must_use]
    pub fn schedule_not_supported(at: DateTime<Utc>, system: AcsSystemId) -> Self {
        let message = "The access system keeps no weekly schedule.";
        Self::new(codes::warning::SCHEDULE_NOT_SUPPORTED, message, at).with("acs_system_id", system.to_string())
    }
}

impl ObjectError {
    /// On a grant: requested methods could not be made, at these entrances if it is about entrances.
    #[must_use]
    pub fn cannot_create_requested_access_methods(at: DateTime<Utc>, message: impl Into<String>, missing: &[AcsEntranceId]) -> Self {
        let error = Self::new(codes::error::CANNOT_CREATE_REQUESTED_ACCESS_METHODS, message, at);
        if missing.is_empty() { error } else { error.with("missing_device_ids", texts(missing)) }
    }

    /// On a method: the grant has started and the method is not issued.
    #[must_use]
    pub fn failed_to_issue(at: DateTime<Utc>) -> Self {
        Self::new(codes::error::FAILED_TO_ISSUE, "Access has started and this is not issued.", at)
    }

    /// On a user identity: a linked user has a problem.
    #[must_use]
    pub fn issue_with_acs_user(at: DateTime<Utc>, system: AcsSystemId, user: AcsUserId) -> Self {
        Self::new(codes::error::ISSUE_WITH_ACS_USER, "A linked user in an access system has a problem.", at)
            .with("acs_system_id", system.to_string())
            .with("acs_user_id", user.to_string())
    }

    /// On a system or account: it cannot be reached.
    #[must_use]
    pub fn acs_system_disconnected(at: DateTime<Utc>) -> Self {
        Self::new(codes::error::ACS_SYSTEM_DISCONNECTED, "The access system cannot be reached.", at)
    }

    /// On an account: its login no longer works.
    #[must_use]
    pub fn account_disconnected(at: DateTime<Utc>) -> Self {
        Self::new(codes::error::ACCOUNT_DISCONNECTED, "The login no longer works. Connect the account again.", at)
    }

    /// On an encoder: it is gone.
    #[must_use]
    pub fn acs_encoder_removed(at: DateTime<Utc>) -> Self {
        Self::new(codes::error::ACS_ENCODER_REMOVED, "The encoder is no longer there.", at)
    }
}
