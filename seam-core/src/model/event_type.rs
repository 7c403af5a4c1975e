//! The types of events.
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The type of an event: `resource.what_happened`. Open: there may be others than the constants here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventType(Cow<'static, str>);

impl EventType {
    /// A type that has no constant here.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// In a subscription: every type.
    pub const ANY: Self = Self::from_static("*");

    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for EventType {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl From<&str> for EventType {
    fn from(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $name: Self = Self::from_static($text);)*
            /// All types that have a constant.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

event_types! {
    /// A grant was made.
    ACCESS_GRANT_CREATED = "access_grant.created";
    /// A grant is gone.
    ACCESS_GRANT_DELETED = "access_grant.deleted";
    /// Every door of a grant opens.
    ACCESS_GRANT_ACCESS_GRANTED_TO_ALL_DOORS = "access_grant.access_granted_to_all_doors";
    /// One door of a grant opens.
    ACCESS_GRANT_ACCESS_GRANTED_TO_DOOR = "access_grant.access_granted_to_door";
    /// One door no longer opens for a grant.
    ACCESS_GRANT_ACCESS_TO_DOOR_LOST = "access_grant.access_to_door_lost";
    /// Start or end of a grant changed.
    ACCESS_GRANT_ACCESS_TIMES_CHANGED = "access_grant.access_times_changed";
    /// Requested methods of a grant could not be made, all or some.
    ACCESS_GRANT_COULD_NOT_CREATE_REQUESTED_ACCESS_METHODS =
        "access_grant.could_not_create_requested_access_methods";
    /// A method was made.
    ACCESS_METHOD_CREATED = "access_method.created";
    /// A method can be handed out.
    ACCESS_METHOD_ISSUED = "access_method.issued";
    /// A method does not work for the time being, because it is being changed.
    ACCESS_METHOD_REVOKED = "access_method.revoked";
    /// A method works again after a change.
    ACCESS_METHOD_REISSUED = "access_method.reissued";
    /// A card has to be written, for the first time or again.
    ACCESS_METHOD_CARD_ENCODING_REQUIRED = "access_method.card_encoding_required";
    /// Access starts soon and the method is not issued.
    ACCESS_METHOD_DELAY_IN_ISSUING = "access_method.delay_in_issuing";
    /// Access has started and the method is not issued.
    ACCESS_METHOD_FAILED_TO_ISSUE = "access_method.failed_to_issue";
    /// A method is gone.
    ACCESS_METHOD_DELETED = "access_method.deleted";
    /// A system can be reached.
    ACS_SYSTEM_CONNECTED = "acs_system.connected";
    /// A system was discovered.
    ACS_SYSTEM_ADDED = "acs_system.added";
    /// A system can no longer be reached.
    ACS_SYSTEM_DISCONNECTED = "acs_system.disconnected";
    /// A credential is gone.
    ACS_CREDENTIAL_DELETED = "acs_credential.deleted";
    /// A card was written or a key delivered.
    ACS_CREDENTIAL_ISSUED = "acs_credential.issued";
    /// A card was written again or a key delivered again.
    ACS_CREDENTIAL_REISSUED = "acs_credential.reissued";
    /// A card or key can no longer be used.
    ACS_CREDENTIAL_INVALIDATED = "acs_credential.invalidated";
    /// A user was made, or discovered.
    ACS_USER_CREATED = "acs_user.created";
    /// A user is gone.
    ACS_USER_DELETED = "acs_user.deleted";
    /// An encoder was discovered.
    ACS_ENCODER_ADDED = "acs_encoder.added";
    /// An encoder is gone.
    ACS_ENCODER_REMOVED = "acs_encoder.removed";
    /// A group is gone.
    ACS_ACCESS_GROUP_DELETED = "acs_access_group.deleted";
    /// An entrance was discovered.
    ACS_ENTRANCE_ADDED = "acs_entrance.added";
    /// An entrance is gone.
    ACS_ENTRANCE_REMOVED = "acs_entrance.removed";
    /// A client session is gone.
    CLIENT_SESSION_DELETED = "client_session.deleted";
    /// An account works: for the first time, or again.
    CONNECTED_ACCOUNT_CONNECTED = "connected_account.connected";
    /// An account was made.
    CONNECTED_ACCOUNT_CREATED = "connected_account.created";
    /// Deprecated: somebody logged in. Use `connected_account.connected`. Never told: nobody logs in through a page of ours.
    CONNECTED_ACCOUNT_SUCCESSFUL_LOGIN = "connected_account.successful_login";
    /// An account no longer works.
    CONNECTED_ACCOUNT_DISCONNECTED = "connected_account.disconnected";
    /// Everything that an account shows has been read once.
    CONNECTED_ACCOUNT_COMPLETED_FIRST_SYNC = "connected_account.completed_first_sync";
    /// Everything that an account shows has been read once since it works again.
    CONNECTED_ACCOUNT_COMPLETED_FIRST_SYNC_AFTER_RECONNECTION =
        "connected_account.completed_first_sync_after_reconnection";
    /// Somebody should log in again: the login no longer works.
    CONNECTED_ACCOUNT_REAUTHORIZATION_REQUESTED = "connected_account.reauthorization_requested";
    /// An account is gone.
    CONNECTED_ACCOUNT_DELETED = "connected_account.deleted";
    /// A door was locked. Never told: access logs tell who opened and who was refused.
    LOCK_LOCKED = "lock.locked";
    /// A door was opened.
    LOCK_UNLOCKED = "lock.unlocked";
    /// A door refused somebody.
    LOCK_ACCESS_DENIED = "lock.access_denied";
    /// A remote command to lock a door succeeded. Never told: doors lock by themselves, there is no such command.
    ACTION_ATTEMPT_LOCK_DOOR_SUCCEEDED = "action_attempt.lock_door.succeeded";
    /// A remote command to lock a door failed. Never told, as the one before.
    ACTION_ATTEMPT_LOCK_DOOR_FAILED = "action_attempt.lock_door.failed";
    /// A remote command to open a door succeeded.
    ACTION_ATTEMPT_UNLOCK_DOOR_SUCCEEDED = "action_attempt.unlock_door.succeeded";
    /// A remote command to open a door failed.
    ACTION_ATTEMPT_UNLOCK_DOOR_FAILED = "action_attempt.unlock_door.failed";
    /// The enrolment of a person's phones ended. Never told: phones enrol with their vendor.
    ENROLLMENT_AUTOMATION_DELETED = "enrollment_automation.deleted";
    /// A phone can no longer be used. Never told: access systems say nothing of phones but whether a key has reached one.
    PHONE_DEACTIVATED = "phone.deactivated";
    /// Entrances joined or left a space.
    SPACE_DEVICE_MEMBERSHIP_CHANGED = "space.device_membership_changed";
    /// A space was made.
    SPACE_CREATED = "space.created";
    /// A space is gone.
    SPACE_DELETED = "space.deleted";
}
