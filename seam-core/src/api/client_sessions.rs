//! Client sessions.
use super::paging::body;
use super::{Seam, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClientSession, ClientSessionId, ConnectWebviewId, UserIdentityId};
use crate::plan::{self, Change, NewClientSession, Outcome, SessionAccess};
use crate::state::{self, Index, Key, Row, RowKind};
use crate::view::{self, Viewer};

/// Client sessions: tokens with which a browser or a phone acts for one person, within what it was given.
#[derive(Clone, Copy, Debug)]
pub struct ClientSessions<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which sessions are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct SessionFilter {
    /// This one.
    pub client_session_id: Option<ClientSessionId>,
    /// That reaches this connect webview.
    pub connect_webview_id: Option<ConnectWebviewId>,
    /// With this key of the caller's.
    pub user_identifier_key: Option<String>,
    /// Of this person.
    pub user_identity_id: Option<UserIdentityId>,
    /// Without a key of the caller's.
    #[builder(default)]
    pub without_user_identifier_key: bool,
}

impl Seam {
    /// The session of a token, and the workspace that it acts in. What it may reach is told by the session.
    ///
    /// # Errors
    /// `Unauthenticated`: the token is unknown or deleted (`invalid_client_session_token`), revoked (`client_session_revoked`) or expired
    /// (`client_session_expired`); no error repeats it. `Store` (may be retried).
    pub async fn authenticate(&self, token: &str) -> Result<(Workspace, ClientSession)> {
        let workspace = plan::parse_session_token(token).ok_or_else(unknown)?;
        let workspace = Workspace::new(self.clone(), workspace);
        let session = workspace.client_sessions().authenticate(token).await?;
        Ok((workspace, session))
    }
}

impl ClientSessions<'_> {
    /// Makes a session. Its `token` is shown here, and whenever the session is looked at with an API key.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound` (the person, an account, a webview), `Conflict` (`client_session_token_already_exists`: an open session has the
    /// `user_identifier_key`); `Busy`, `Store` (may be retried).
    pub async fn create(self, new: NewClientSession) -> Result<ClientSession> {
        self.made(Change::CreateClientSession(new)).await
    }
    /// The open session that has the `user_identifier_key`, as it is; else a new one.
    ///
    /// # Errors
    /// As [`ClientSessions::create`], but for the conflict.
    pub async fn get_or_create(self, new: NewClientSession) -> Result<ClientSession> {
        self.made(Change::GetOrCreateClientSession(new)).await
    }
    /// A session, also one that was revoked or has expired.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: ClientSessionId) -> Result<ClientSession> {
        self.ws.look(|v| view::client_session(v, id)).await
    }
    /// A session that was not revoked, by the caller's key of its user.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get_by_key(self, user_identifier_key: &str) -> Result<ClientSession> {
        self.ws
            .look(|v| match v.reader.find(&Key::new(Index::SessionFor, user_identifier_key))?.first() {
                Some(row) => view::client_session(v, ClientSessionId::from_uuid(*row)),
                None => Err(Error::not_found("client_session", user_identifier_key).into()),
            })
            .await
    }
    /// The sessions, in the order in which they were made, those of instant keys included.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, filter: &SessionFilter) -> Result<Vec<ClientSession>> {
        let mut among = super::paging::Among::from(match &filter.user_identifier_key {
            Some(key) => Some(Key::new(Index::SessionFor, key.as_str())),
            None => filter.user_identity_id.map(|id| Key::id(Index::SessionsOf, id)),
        });
        if let Some(id) = filter.client_session_id {
            among = among.only([id]);
        }
        let keep = |row: &Row| {
            body::<state::ClientSession>(row).is_some_and(|s| {
                filter.user_identifier_key.as_ref().is_none_or(|k| s.identifier.as_ref() == Some(k))
                    && filter.user_identity_id.is_none_or(|id| s.identity == Some(id))
                    && filter.connect_webview_id.is_none_or(|id| s.webviews.contains(&id))
                    && !(filter.without_user_identifier_key && s.identifier.is_some())
            })
        };
        let see = |v: &Viewer<'_>, row| view::client_session(v, ClientSessionId::from_uuid(row));
        self.ws.every(RowKind::ClientSession, among, keep, see).await
    }
    /// Lets a session reach more: accounts and webviews are added to what it has, a person takes the place of another.
    ///
    /// # Errors
    /// `InvalidInput` when nothing is asked for; `NotFound`; `Conflict`: the session was revoked (`client_session_revoked`) or has expired
    /// (`client_session_expired`), or belongs to another's instant key (`client_session_of_instant_key`); `Busy`, `Store` (may be retried).
    pub async fn grant_access(self, session: ClientSessionId, access: SessionAccess) -> Result<ClientSession> {
        self.made(Change::GrantSessionAccess { session, access }).await
    }
    /// Refuses a session's token from now on; the link of an instant key that opens it is gone too. The session is still shown. Revoked already is fine.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn revoke(self, session: ClientSessionId) -> Result<()> {
        self.ws.apply(Change::RevokeClientSession { session }).await.map(drop)
    }
    /// Deletes a session, and the link of an instant key that opens it.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, session: ClientSessionId) -> Result<()> {
        self.ws.apply(Change::DeleteClientSession { session }).await.map(drop)
    }
    /// The session of a token of this workspace. See [`Seam::authenticate`] for a token whose workspace is not known yet.
    ///
    /// # Errors
    /// As [`Seam::authenticate`].
    pub async fn authenticate(self, token: &str) -> Result<ClientSession> {
        let ours = plan::parse_session_token(token) == Some(self.ws.id());
        let tag = plan::session_token_tag(&self.ws.seam.0.vault, self.ws.id(), token);
        let now = self.ws.seam.clock().now();
        self.ws
            .look(|v| {
                let row = if ours { v.reader.find(&Key::new(Index::SessionToken, tag.as_str()))?.first() } else { None };
                let id = ClientSessionId::from_uuid(*row.ok_or_else(unknown)?);
                let session = v.reader.get::<state::ClientSession>(id)?;
                if session.revoked_at.is_some() {
                    return Err(refused("client_session_revoked", "the client session was revoked").into());
                }
                if now >= session.expires_at {
                    return Err(refused("client_session_expired", "the client session has expired").into());
                }
                view::client_session(v, id)
            })
            .await
    }
    async fn made(self, change: Change) -> Result<ClientSession> {
        match self.ws.apply(change).await? {
            Outcome::ClientSession(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a client session was expected")),
        }
    }
}

/// A token is a secret: no error repeats it.
pub(super) fn unknown() -> Error {
    refused("invalid_client_session_token", "there is no client session with this token")
}
fn refused(code: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, code, message).with_field("client_session_token")
}
