//! Starting a test workspace afresh.
use super::{CredentialFilter, GrantFilter, IdentityFilter, SessionFilter, SpaceFilter, UserFilter, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ActionAttempt, ActionAttemptId, ActionResult, ActionType, Map};

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
        // What is being deleted is listed until it is gone: each thing is asked for once, page after page.
        let mut grants = GrantFilter::builder().limit(1000).build();
        loop {
            let page = self.access_grants().list(&grants).await?;
            for grant in page.items {
                gone(self.access_grants().delete(grant.access_grant_id).await)?;
            }
            grants.page_cursor = page.pagination.next_page_cursor;
            if grants.page_cursor.is_none() {
                break;
            }
        }
        let mut credentials = CredentialFilter::builder().limit(1000).build();
        loop {
            let page = self.acs().credentials().list(&credentials).await?;
            for credential in page.items {
                // Those of grants go with their grants.
                gone(self.acs().credentials().delete(credential.acs_credential_id).await.or_else(of_a_grant))?;
            }
            credentials.page_cursor = page.pagination.next_page_cursor;
            if credentials.page_cursor.is_none() {
                break;
            }
        }
        let mut people = IdentityFilter::builder().limit(1000).build();
        loop {
            let page = self.user_identities().list(&people).await?;
            for person in page.items {
                gone(self.user_identities().delete(person.user_identity_id).await)?;
            }
            people.page_cursor = page.pagination.next_page_cursor;
            if people.page_cursor.is_none() {
                break;
            }
        }
        let mut users = UserFilter::builder().limit(1000).build();
        loop {
            let page = self.acs().users().list(&users).await?;
            for user in page.items {
                gone(self.acs().users().delete(user.acs_user_id).await)?;
            }
            users.page_cursor = page.pagination.next_page_cursor;
            if users.page_cursor.is_none() {
                break;
            }
        }
        let mut spaces = SpaceFilter::builder().limit(1000).build();
        loop {
            let page = self.spaces().list(&spaces).await?;
            for space in page.items {
                gone(self.spaces().delete(space.space_id).await)?;
            }
            spaces.page_cursor = page.pagination.next_page_cursor;
            if spaces.page_cursor.is_none() {
                break;
            }
        }
        for session in self.client_sessions().list(&SessionFilter::default()).await? {
            gone(self.client_sessions().delete(session.client_session_id).await)?;
        }
        let id = ActionAttemptId::from_uuid(
            uuid::Builder::from_u128(u128::from(self.seam.seed()) << 64 | u128::from(self.seam.seed())).into_uuid(),
        );
        Ok(ActionAttempt::pending(id, ActionType::ResetSandboxWorkspace).succeeded(ActionResult::Other(Map::new())))
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
