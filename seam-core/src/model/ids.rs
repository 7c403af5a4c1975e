//! Typed ids. Every id is a UUID on the wire; the type says what it names, so that one cannot be passed for another.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(inline))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name such an object.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self { Self(id) }
            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { Uuid::parse_str(s).map(Self) }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }
    )*};
}

ids! {
    /// A tenant. Every row belongs to one, every handle is made from one.
    WorkspaceId;
    /// A connected account: the login through which one or more access systems are reached.
    ConnectedAccountId;
    /// An access system.
    AcsSystemId;
    /// An entrance: a door, gate, lift or locker. A `device_id` is the same id under its second name.
    AcsEntranceId;
    /// A group of users with the same permissions, kept by an access system.
    AcsAccessGroupId;
    /// A user as one access system knows her.
    AcsUserId;
    /// A credential as one access system holds it.
    AcsCredentialId;
    /// A card encoder.
    AcsEncoderId;
    /// A grouping of entrances.
    SpaceId;
    /// A person.
    UserIdentityId;
    /// An access grant.
    AccessGrantId;
    /// An access method: one PIN, one card, one mobile key or one cloud key of a person.
    AccessMethodId;
    /// A link that hands a mobile key to a phone.
    InstantKeyId;
    /// A client session: a token that reaches only what it was given.
    ClientSessionId;
    /// A page on which somebody connects an account.
    ConnectWebviewId;
    /// A phone.
    PhoneId;
    /// Something a person asked for that takes its time: encode, scan, unlock, assign.
    ActionAttemptId;
    /// A line of the event stream.
    EventId;
    /// A stay: one reservation at one system.
    StayId;
    /// An endpoint that is told what happens.
    WebhookId;
    /// One commit.
    ChangesetId;
    /// One running engine.
    InstanceId;
}
