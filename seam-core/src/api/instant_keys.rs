//! Instant keys.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, ActionAttempt, ClientSession, InstantKey, InstantKeyId, Shown, UserIdentityId};
use crate::plan::{Change, Outcome, Stop, Try};
use crate::state::{Index, Key, RowKind};
use crate::view::{self, KeyContents, RemoteUnlock, Viewer};

/// Instant keys: links that hand a person's mobile keys to a phone.
#[derive(Clone, Copy, Debug)]
pub struct InstantKeys<'a> {
    pub(super) ws: &'a Workspace,
}

/// What came of a redeemed link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedeemedKey {
    /// The link.
    pub instant_key: InstantKey,
    /// The session that it opens: the phone acts with its token.
    pub client_session: ClientSession,
}

impl InstantKeys<'_> {
    /// Makes a link for all mobile keys of a person. It can be redeemed `max_use_count` times, from 1.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn generate(self, identity: UserIdentityId, max_use_count: u32) -> Result<InstantKey> {
        self.made(Change::CreateInstantKey { identity, max_use_count }).await
    }
    /// A link.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: InstantKeyId) -> Result<InstantKey> {
        self.ws.look(|v| view::instant_key(v, id)).await
    }
    /// A link by its short code, without redeeming it. The code may be written as people write it: in small letters, with blanks or hyphens.
    ///
    /// # Errors
    /// `NotFound`, which does not repeat the code; `Store` (may be retried).
    pub async fn get_by_code(self, code: &str) -> Result<InstantKey> {
        self.ws.look(|v| view::instant_key(v, by_code(v, code)?).map_err(hide)).await
    }
    /// What a link hands over, by its short code: whose keys, which doors and when, which of them open from afar. Looking redeems nothing. A link
    /// that is used up, has expired or was deleted says so.
    ///
    /// # Errors
    /// `NotFound`, which does not repeat the code; `Store` (may be retried).
    pub async fn contents(self, code: &str) -> Result<KeyContents> {
        self.ws.look(|v| view::key_contents(v, by_code(v, code)?).map_err(hide)).await
    }
    /// Opens a door from afar for somebody who has redeemed a link and shows the token that came of it.
    ///
    /// # Errors
    /// `NotFound` for the code; `Unauthenticated`: the token is refused (as in [`Seam::authenticate`](super::Seam::authenticate)) or belongs to
    /// something else (`invalid_client_session_token`); `InvalidInput`: the door is none of the link's; `Conflict` (`door_not_unlockable`): it does not
    /// open from afar, or not now; `Busy`, `Store` (may be retried). What happens at the door is in the attempt.
    pub async fn unlock(self, code: &str, token: &str, entrance: AcsEntranceId) -> Result<ActionAttempt> {
        let contents = self.contents(code).await?;
        let session = self.ws.client_sessions().authenticate(token).await?;
        if session.client_session_id != contents.client_session_id {
            return Err(super::client_sessions::unknown());
        }
        let Some(door) = contents.doors.iter().find(|door| door.acs_entrance_id == entrance) else {
            return Err(Error::invalid("acs_entrance_id", "the instant key does not open this entrance"));
        };
        let why = match door.remote {
            RemoteUnlock::Ready { access_method_id } => return self.ws.access_methods().unlock_door(access_method_id, entrance).await,
            RemoteUnlock::NotIssued => "the key is not at the access system yet",
            RemoteUnlock::NotYet => "the key is not valid yet",
            RemoteUnlock::Over => "the key is not valid any more",
            RemoteUnlock::Suspended => "the key is suspended",
            RemoteUnlock::Never => "this door opens with the phone's key, held to the lock",
        };
        Err(Error::new(ErrorKind::Conflict, "door_not_unlockable", why).with_field("acs_entrance_id"))
    }
    /// A link by its URL, without redeeming it.
    ///
    /// # Errors
    /// `NotFound`, also for a URL under another address than this SDK's; `Store` (may be retried).
    pub async fn get_by_url(self, url: &str) -> Result<InstantKey> {
        let code =
            url.strip_prefix(self.ws.seam.0.links.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        self.get_by_code(code).await
    }
    /// The links of a person.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list(self, identity: UserIdentityId) -> Result<Vec<InstantKey>> {
        self.ws
            .look(|v| {
                let rows = v.reader.find(&Key::id(Index::InstantKeysOf, identity))?;
                v.reader.hint(rows.iter().copied());
                v.reader.gather()?;
                rows.iter().map(|row| view::instant_key(v, InstantKeyId::from_uuid(*row))).collect()
            })
            .await
    }
    /// All links of the workspace, in the order in which they were made.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn list_all(self) -> Result<Vec<InstantKey>> {
        self.ws.every(RowKind::InstantKey, None, |_| true, |v, row| view::instant_key(v, InstantKeyId::from_uuid(row))).await
    }
    /// Deletes a link, and the session that it opens: a phone that has redeemed it reaches nothing any more.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, id: InstantKeyId) -> Result<()> {
        self.ws.apply(Change::DeleteInstantKey { instant_key: id }).await.map(drop)
    }
    /// Redeems a link once, by its short code: gives the session that it opens, with the token for the phone.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` (`instant_key_expired`) when it has expired; `Exhausted` (`instant_key_used_up`) when it was redeemed as often as it may
    /// be; `Busy`, `Store` (may be retried).
    pub async fn redeem(self, code: &str) -> Result<RedeemedKey> {
        let instant_key = self.made(Change::RedeemInstantKey { code: Shown::new(code) }).await?;
        let client_session = self.ws.client_sessions().get(instant_key.client_session_id).await?;
        Ok(RedeemedKey { instant_key, client_session })
    }
    async fn made(self, change: Change) -> Result<InstantKey> {
        match self.ws.apply(change).await? {
            Outcome::InstantKey(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "an instant key was expected")),
        }
    }
}

/// The link with a short code, as a person wrote it; deleted ones too.
fn by_code(v: &Viewer<'_>, code: &str) -> Try<InstantKeyId> {
    let tag = crate::plan::instant_key_tag(v.vault, v.workspace, code).ok_or_else(unknown)?;
    let row = v.reader.find(&Key::new(Index::ShortCode, tag))?.first().copied();
    Ok(InstantKeyId::from_uuid(row.ok_or_else(unknown)?))
}

/// To somebody with a code, one that leads to nothing more is one that never was.
fn hide(stop: Stop) -> Stop {
    match stop {
        Stop::Reject(e) if e.kind() == ErrorKind::NotFound => unknown().into(),
        stop => stop,
    }
}

/// The code is a secret: no error repeats it.
fn unknown() -> Error {
    Error::new(ErrorKind::NotFound, "instant_key_not_found", "there is no instant key with this code in this workspace")
}
