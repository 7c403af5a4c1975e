//! Starting a test workspace afresh.
use super::{SessionFilter, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccessGrantId, AcsCredentialId, AcsUserId, ActionAttempt, ActionAttemptId, ActionResult, ActionType, Map};
use crate::model::{SpaceId, UserIdentityId};
use crate::plan::Try;
use crate::state::{RowId, RowKind};
use crate::view::{self, Viewer};

impl Workspace {
    /// Takes everything away that was made in a test workspace: grants, people, spaces, client sessions, users and credentials. What is connected
    /// stays, and so do webhooks. The answer says that it is decided; what hangs on access systems goes from there as after any deletion.
    ///
    /// It is a row of deletions, each with its own commit, and may be asked again when it was interrupted. The attempt that is answered is not kept.
    ///
    /// # Errors
    /// `InvalidInput` (`workspace_not_sandbox`): this is no test workspace; nothing was changed. `Busy`, `Store` (may be retried).
    pub async fn reset_sandbox(&self) -> Result<ActionAttempt> {
        if !self.about().await?.is_sandbox {
            return Err(Error::new(ErrorKind::InvalidInput, "workspace_not_sandbox", "only a test workspace can be started afresh"));
        }
        for id in self.shown(RowKind::Grant, |v, row| view::access_grant(v, AccessGrantId::from_uuid(row))).await? {
            gone(self.access_grants().delete(AccessGrantId::from_uuid(id)).await)?;
        }
        for id in self.shown(RowKind::Target, |v, row| view::acs_credential(v, AcsCredentialId::from_uuid(row))).await? {
            // Those of grants go with their grants.
            gone(self.acs().credentials().delete(AcsCredentialId::from_uuid(id)).await.or_else(of_a_grant))?;
        }
        for id in self.shown(RowKind::Identity, |v, row| view::user_identity(v, UserIdentityId::from_uuid(row))).await? {
            gone(self.user_identities().delete(UserIdentityId::from_uuid(id)).await)?;
        }
        for id in self.shown(RowKind::User, |v, row| view::acs_user(v, AcsUserId::from_uuid(row))).await? {
            gone(self.acs().users().delete(AcsUserId::from_uuid(id)).await)?;
        }
        for id in self.shown(RowKind::Space, |v, row| view::space(v, SpaceId::from_uuid(row))).await? {
            gone(self.spaces().delete(SpaceId::from_uuid(id)).await)?;
        }
        for session in self.client_sessions().list(&SessionFilter::default()).await? {
            gone(self.client_sessions().delete(session.client_session_id).await)?;
        }
        let id = ActionAttemptId::from_uuid(
            uuid::Builder::from_u128(u128::from(self.seam.seed()) << 64 | u128::from(self.seam.seed())).into_uuid(),
        );
        Ok(ActionAttempt::pending(id, ActionType::ResetSandboxWorkspace).succeeded(ActionResult::Other(Map::new())))
    }

    /// The rows of a kind that a view shows.
    async fn shown<T>(&self, kind: RowKind, see: impl Fn(&Viewer<'_>, RowId) -> Try<T>) -> Result<Vec<RowId>> {
        self.every(kind, None, |_| true, |v, row| see(v, row).map(|_| row)).await
    }
}

/// What is gone already is gone.
fn gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A credential of a grant cannot be deleted by itself.
fn of_a_grant(e: Error) -> Result<()> {
    match e.kind() {
        ErrorKind::Conflict | ErrorKind::Unsupported | ErrorKind::InvalidInput => Ok(()),
        _ => Err(e),
    }
}
