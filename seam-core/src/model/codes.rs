//! The codes of warnings, errors, pending mutations and failed actions that this crate writes.
//!
//! The code fields are open strings: an access system may report others, and a reader must expect them.

/// Codes of [`Warning`](super::Warning): something is not as it was asked for, or soon will not be.
///
/// Those marked "for readers" have no cause in this crate: an access system in front of another server may have set them.
pub mod warning {
    /// The thing is being deleted.
    pub const BEING_DELETED: &str = "being_deleted";
    /// A grant opens fewer doors than it should; the missing ones are being added.
    pub const UNDERPROVISIONED_ACCESS: &str = "underprovisioned_access";
    /// A grant opens more doors than it should; the surplus is being taken away, or cannot be.
    pub const OVERPROVISIONED_ACCESS: &str = "overprovisioned_access";
    /// A new start or end is on its way to the access systems.
    pub const UPDATING_ACCESS_TIMES: &str = "updating_access_times";
    /// The PIN that was asked for was not free or not allowed; another was given.
    pub const REQUESTED_CODE_UNAVAILABLE: &str = "requested_code_unavailable";
    /// An entrance takes no PINs and was left out.
    pub const DEVICE_DOES_NOT_SUPPORT_ACCESS_CODES: &str = "device_does_not_support_access_codes";
    /// An entrance cannot be programmed with the times of the grant. For readers: such a grant is refused.
    pub const DEVICE_TIME_CONSTRAINTS_VIOLATED: &str = "device_time_constraints_violated";
    /// A spare PIN was given because the proper one could not be set in time. For readers.
    pub const PULLED_BACKUP_ACCESS_CODE: &str = "pulled_backup_access_code";
    /// The grant starts soon and the method is not issued. Goes away by itself.
    pub const DELAY_IN_ISSUING: &str = "delay_in_issuing";
    /// Name, e-mail or phone differ between the person and her user in an access system.
    pub const ACS_USER_PROFILE_DOES_NOT_MATCH_USER_IDENTITY: &str = "acs_user_profile_does_not_match_user_identity";
    /// The time zone of a system, or of some of its entrances, is doubtful.
    pub const TIME_ZONE_DOES_NOT_MATCH_LOCATION: &str = "time_zone_does_not_match_location";
    /// Something has to be set up at the vendor's side first. For readers.
    pub const SETUP_REQUIRED: &str = "setup_required";
    /// The system could not be read completely; it is tried again.
    pub const UNKNOWN_ISSUE_WITH_ACS_SYSTEM: &str = "unknown_issue_with_acs_system";
    /// The entrance cannot be granted alone, because others open with it. For readers: a grant of it is refused (`would_also_open`).
    pub const ENTRANCE_SHARES_ZONE: &str = "entrance_shares_zone";
    /// The entrance has to be set up at the vendor's side first. For readers.
    pub const ENTRANCE_SETUP_REQUIRED: &str = "entrance_setup_required";
    /// The entrance is in privacy mode: it refuses guests whatever they hold. For readers.
    pub const PRIVACY_MODE: &str = "privacy_mode";
    /// The group could not be brought up to date; it is tried again.
    pub const UNKNOWN_ISSUE_WITH_ACS_ACCESS_GROUP: &str = "unknown_issue_with_acs_access_group";
    /// The user exists and cannot open anything at present.
    pub const ACS_USER_INACTIVE: &str = "acs_user_inactive";
    /// The user could not be brought up to date; it is tried again.
    pub const UNKNOWN_ISSUE_WITH_ACS_USER: &str = "unknown_issue_with_acs_user";
    /// The credential exists and is not written or delivered yet.
    pub const WAITING_TO_BE_ISSUED: &str = "waiting_to_be_issued";
    /// The times of the credential were changed outside of this workspace. For readers.
    pub const SCHEDULE_EXTERNALLY_MODIFIED: &str = "schedule_externally_modified";
    /// The start was moved because it lay in the past. For readers.
    pub const SCHEDULE_MODIFIED: &str = "schedule_modified";
    /// The credential could not be brought up to date; it is tried again.
    pub const UNKNOWN_ISSUE_WITH_ACS_CREDENTIAL: &str = "unknown_issue_with_acs_credential";
    /// What the credential permits has changed: write the card again.
    pub const NEEDS_TO_BE_REISSUED: &str = "needs_to_be_reissued";
    /// In a scan: the card differs from what is recorded.
    pub const ACS_CREDENTIAL_ON_ENCODER_OUT_OF_SYNC: &str = "acs_credential_on_encoder_out_of_sync";
    /// In a scan: nothing is recorded for the card.
    pub const ACS_CREDENTIAL_ON_SEAM_NOT_FOUND: &str = "acs_credential_on_seam_not_found";
    /// Additive: a door may still open although access was withdrawn. See
    /// [`ResidualAccess`](super::super::ResidualAccess).
    pub const RESIDUAL_ACCESS: &str = "residual_access";
    /// Additive: the access system keeps no end time. Access ends only while an engine is running.
    pub const ENDS_BY_ENGINE: &str = "ends_by_engine";
    /// Additive: the access system keeps no weekly schedule, so that the method was not made there.
    pub const SCHEDULE_NOT_SUPPORTED: &str = "schedule_not_supported";
}

/// Codes of [`ObjectError`](super::ObjectError): something does not work.
pub mod error {
    /// One or more of the requested methods could not be made.
    pub const CANNOT_CREATE_REQUESTED_ACCESS_METHODS: &str = "cannot_create_requested_access_methods";
    /// The grant has started and the method is not issued. It is tried again, and goes away by itself.
    pub const FAILED_TO_ISSUE: &str = "failed_to_issue";
    /// A user of the person in an access system has a problem.
    pub const ISSUE_WITH_ACS_USER: &str = "issue_with_acs_user";
    /// The on-premises bridge cannot be reached.
    pub const BRIDGE_DISCONNECTED: &str = "bridge_disconnected";
    /// The integration's login lacks rights at the access system.
    pub const INSUFFICIENT_PERMISSIONS: &str = "insufficient_permissions";
    /// The access system cannot be reached.
    pub const ACS_SYSTEM_DISCONNECTED: &str = "acs_system_disconnected";
    /// The login of the connected account no longer works: connect it again.
    pub const ACCOUNT_DISCONNECTED: &str = "account_disconnected";
    /// The vendor's service is down; it is tried again.
    pub const PROVIDER_SERVICE_UNAVAILABLE: &str = "provider_service_unavailable";
    /// The thing could not be made in the access system.
    pub const FAILED_TO_CREATE_ON_ACS_SYSTEM: &str = "failed_to_create_on_acs_system";
    /// The thing could not be changed in the access system.
    pub const FAILED_TO_UPDATE_ON_ACS_SYSTEM: &str = "failed_to_update_on_acs_system";
    /// The thing could not be deleted in the access system.
    pub const FAILED_TO_DELETE_ON_ACS_SYSTEM: &str = "failed_to_delete_on_acs_system";
    /// The thing was deleted in the access system by somebody else.
    pub const DELETED_EXTERNALLY: &str = "deleted_externally";
    /// The encoder is gone.
    pub const ACS_ENCODER_REMOVED: &str = "acs_encoder_removed";
}

/// Codes of [`PendingMutation`](super::PendingMutation): a change that is decided and not yet everywhere.
///
/// Groups are the access system's and are never changed from here, so nothing is pending at a group; users and memberships are made at once, so
/// nothing is deferred: those codes are for readers of other servers' answers.
pub mod mutation {
    /// The set of doors of a grant is changing.
    pub const UPDATING_SPACES: &str = "updating_spaces";
    /// Start or end is changing.
    pub const UPDATING_ACCESS_TIMES: &str = "updating_access_times";
    /// Doors are being added to a method.
    pub const PROVISIONING_ACCESS: &str = "provisioning_access";
    /// Doors are being taken from a method.
    pub const REVOKING_ACCESS: &str = "revoking_access";
    /// The thing is being made in the access system.
    pub const CREATING: &str = "creating";
    /// The thing is being deleted in the access system.
    pub const DELETING: &str = "deleting";
    /// The thing is deleted when its time is over.
    pub const DEFERRING_DELETION: &str = "deferring_deletion";
    /// The user is made in the access system when she is needed there.
    pub const DEFERRING_CREATION: &str = "deferring_creation";
    /// The name of a group is changing.
    pub const UPDATING_GROUP_INFORMATION: &str = "updating_group_information";
    /// The times of a group or user are changing.
    pub const UPDATING_ACCESS_SCHEDULE: &str = "updating_access_schedule";
    /// A user is joining or leaving the group.
    pub const UPDATING_USER_MEMBERSHIP: &str = "updating_user_membership";
    /// An entrance is joining or leaving the group.
    pub const UPDATING_ENTRANCE_MEMBERSHIP: &str = "updating_entrance_membership";
    /// A user joins or leaves the group at a later time.
    pub const DEFERRING_USER_MEMBERSHIP_UPDATE: &str = "deferring_user_membership_update";
    /// Name, e-mail or phone of a user are changing.
    pub const UPDATING_USER_INFORMATION: &str = "updating_user_information";
    /// A user is being suspended or let back.
    pub const UPDATING_SUSPENSION_STATE: &str = "updating_suspension_state";
    /// The user is joining or leaving a group.
    pub const UPDATING_GROUP_MEMBERSHIP: &str = "updating_group_membership";
    /// The user joins or leaves a group at a later time.
    pub const DEFERRING_GROUP_MEMBERSHIP_UPDATE: &str = "deferring_group_membership_update";
    /// A credential is being given to the user or taken from her.
    pub const UPDATING_CREDENTIAL_ASSIGNMENT: &str = "updating_credential_assignment";
}

/// Types of the error of an [`ActionAttempt`](super::ActionAttempt).
pub mod action_error {
    /// None of the others; the message says what is known.
    pub const UNCATEGORIZED_ERROR: &str = "uncategorized_error";
    /// Nobody presented a card, or nothing answered, until the attempt ran out.
    pub const ACTION_ATTEMPT_EXPIRED: &str = "action_attempt_expired";
    /// No card was on the encoder.
    pub const NO_CREDENTIAL_ON_ENCODER: &str = "no_credential_on_encoder";
    /// The card is of a kind that the encoder or the system does not write.
    pub const INCOMPATIBLE_CARD_FORMAT: &str = "incompatible_card_format";
    /// The credential was written before and this system does not write it again.
    pub const CREDENTIAL_CANNOT_BE_REISSUED: &str = "credential_cannot_be_reissued";
    /// The encoder is not connected.
    pub const ENCODER_NOT_ONLINE: &str = "encoder_not_online";
    /// The encoder did not answer in time.
    pub const ENCODER_COMMUNICATION_TIMEOUT: &str = "encoder_communication_timeout";
    /// The on-premises bridge cannot be reached.
    pub const BRIDGE_DISCONNECTED: &str = "bridge_disconnected";
    /// The card was taken away, or the work was cancelled, while it was being written. Present the same card again.
    pub const ENCODING_INTERRUPTED: &str = "encoding_interrupted";
    /// The credential was deleted meanwhile.
    pub const CREDENTIAL_DELETED: &str = "credential_deleted";
    /// No credential belongs to the card number.
    pub const CREDENTIAL_NOT_FOUND: &str = "credential_not_found";
}
