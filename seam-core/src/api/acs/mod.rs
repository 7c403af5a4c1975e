//! What access systems hold.
mod access_groups;
mod credentials;
mod encoders;
mod entrances;
mod systems;
mod users;

pub use access_groups::AccessGroupFilter;
pub use credentials::CredentialFilter;
pub use encoders::EncoderFilter;
pub use entrances::EntranceFilter;
pub use systems::SystemFilter;
pub use users::UserFilter;

use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntrance, AcsEntranceId, ActionAttempt};
use crate::plan::{Change, Outcome, Try};
use crate::state::RowKind;
use crate::view::{self, Viewer};
use std::collections::BTreeSet;

/// What access systems hold.
#[derive(Clone, Copy, Debug)]
pub struct Acs<'a> {
    pub(super) ws: &'a Workspace,
}

impl<'a> Acs<'a> {
    /// Access systems.
    #[must_use]
    pub fn systems(&self) -> AcsSystems<'a> {
        AcsSystems { ws: self.ws }
    }
    /// Entrances.
    #[must_use]
    pub fn entrances(&self) -> AcsEntrances<'a> {
        AcsEntrances { ws: self.ws }
    }
    /// Groups of users with the same permissions.
    #[must_use]
    pub fn access_groups(&self) -> AcsAccessGroups<'a> {
        AcsAccessGroups { ws: self.ws }
    }
    /// Users.
    #[must_use]
    pub fn users(&self) -> AcsUsers<'a> {
        AcsUsers { ws: self.ws }
    }
    /// Credentials.
    #[must_use]
    pub fn credentials(&self) -> AcsCredentials<'a> {
        AcsCredentials { ws: self.ws }
    }
    /// Who opened what.
    #[must_use]
    pub fn access_log(&self) -> super::AccessLog<'a> {
        super::AccessLog { ws: self.ws }
    }
    /// Encoders.
    #[must_use]
    pub fn encoders(&self) -> AcsEncoders<'a> {
        AcsEncoders { ws: self.ws }
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            ws: &'a Workspace,
        }
    };
}
handle! {
    /// Access systems.
    AcsSystems
}
handle! {
    /// Entrances.
    AcsEntrances
}
handle! {
    /// Groups of users with the same permissions.
    AcsAccessGroups
}
handle! {
    /// Users of access systems.
    AcsUsers
}
handle! {
    /// Credentials at access systems.
    AcsCredentials
}
handle! {
    /// Encoders.
    AcsEncoders
}

fn unexpected() -> Error {
    Error::new(ErrorKind::Internal, "unexpected_outcome", "another outcome was expected")
}

impl Acs<'_> {
    /// The entrances that something is to open, in the order in which they were found.
    pub(super) async fn reached(self, by: impl Fn(&Viewer<'_>) -> Try<BTreeSet<AcsEntranceId>>) -> Result<Vec<AcsEntrance>> {
        let doors = self.ws.look(by).await?;
        let see = |v: &Viewer<'_>, row| view::acs_entrance(v, AcsEntranceId::from_uuid(row));
        self.ws.these(RowKind::Entrance, doors, see).await
    }
    async fn attempt(self, change: Change) -> Result<ActionAttempt> {
        match self.ws.apply(change).await? {
            Outcome::Attempt(id) => self.ws.action_attempts().get(id).await,
            _ => Err(unexpected()),
        }
    }
}
