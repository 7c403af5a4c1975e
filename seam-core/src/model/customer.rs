//! What belongs to a customer of the caller.
use serde::{Deserialize, Serialize};

/// What of a customer is meant by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CustomerThing {
    /// A person.
    UserIdentity,
    /// A space.
    Space,
    /// A reservation (or booking).
    Reservation,
    /// An access grant.
    AccessGrant,
    /// A client session.
    ClientSession,
}
