//! Client sessions: tokens that reach only what they were given.
use super::change::{NewClientSession, Outcome, SessionAccess};
use super::draft::Draft;
use super::read::Try;
use super::{identity, instant_key, token, validate};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClientSessionId, ConnectWebviewId, ConnectedAccountId, EventType, InstantKeyId, UserIdentityId, WorkspaceId};
use crate::state::*;
use crate::store::Vault;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// For how long a session lasts if nothing else is said.
const LIFE: Duration = Duration::days(30);
/// For how long it lasts at most.
const LONGEST: Duration = Duration::days(365);
/// The most accounts or webviews that it reaches.
const MOST: usize = 200;
/// How every token begins. The official clients tell tokens apart by it.
const PREFIX: &str = "seam_cst1";
/// The field under which a token is sealed.
pub(crate) const TOKEN: &str = "token";

/// Makes a session.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound` for the person, an account or a webview; `Conflict` (`client_session_token_already_exists`) when an open
/// session has the `user_identifier_key`.
pub(super) fn create(d: &mut Draft<'_>, new: &NewClientSession) -> Try<Outcome> {
    let scope = checked(d, new)?;
    if let Some(id) = holder(d, new.user_identifier_key.as_deref())? {
        if d.get::<ClientSession>(id)?.is_open(d.now()) {
            let message = "an open client session has this user_identifier_key: get it, or revoke it first";
            let e = Error::new(ErrorKind::Conflict, "client_session_token_already_exists", message);
            return Err(e.with_field("user_identifier_key").into());
        }
        end(d, id)?;
    }
    Ok(Outcome::ClientSession(make(d, new, scope, None)?))
}

/// Gives the open session that has the `user_identifier_key`, as it is, or makes one. Without a key it makes one.
///
/// # Errors
/// As [`create`], but for the conflict.
pub(super) fn get_or_create(d: &mut Draft<'_>, new: &NewClientSession) -> Try<Outcome> {
    let scope = checked(d, new)?;
    if let Some(id) = holder(d, new.user_identifier_key.as_deref())? {
        if d.get::<ClientSession>(id)?.is_open(d.now()) {
            d.depend_on(id);
            return Ok(Outcome::ClientSession(id));
        }
        end(d, id)?;
    }
    Ok(Outcome::ClientSession(make(d, new, scope, None)?))
}

/// The session that has a key.
fn holder(d: &Draft<'_>, key: Option<&str>) -> Try<Option<ClientSessionId>> {
    let Some(key) = key else { return Ok(None) };
    Ok(d.find(&Key::new(Index::SessionFor, key))?.first().copied().map(ClientSessionId::from_uuid))
}

/// Until when, and whose.
struct Scope {
    expires_at: DateTime<Utc>,
    identity: Option<UserIdentityId>,
}

fn checked(d: &Draft<'_>, new: &NewClientSession) -> Try<Scope> {
    if let Some(key) = &new.user_identifier_key {
        validate::key("user_identifier_key", key)?;
    }
    if let Some(key) = &new.customer_key {
        validate::key("customer_key", key)?;
    }
    let expires_at = expiry(new.expires_at, d.now())?;
    there(d, &new.connected_account_ids, &new.connect_webview_ids)?;
    let identity = new.user_identity_id.map(|id| identity::living(d, id)).transpose()?.map(|(id, _)| id);
    Ok(Scope { expires_at, identity })
}

fn expiry(wanted: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let at = wanted.unwrap_or(now + LIFE);
    if at <= now {
        return Err(Error::invalid("expires_at", "the session would have expired already"));
    }
    if at > now + LONGEST {
        return Err(Error::invalid("expires_at", format!("a session lasts at most {} days", LONGEST.num_days())));
    }
    Ok(at)
}

/// Refuses accounts and webviews that are not there.
fn there(d: &Draft<'_>, accounts: &[ConnectedAccountId], webviews: &[ConnectWebviewId]) -> Try<()> {
    validate::at_most("connected_account_ids", accounts.len(), MOST)?;
    validate::at_most("connect_webview_ids", webviews.len(), MOST)?;
    d.hint(accounts.iter().map(|id| id.uuid()));
    d.hint(webviews.iter().map(|id| id.uuid()));
    d.gather()?;
    for id in accounts {
        if d.try_get::<Account>(*id)?.is_none_or(|account| account.deleted_at.is_some()) {
            return Err(Error::not_found("connected_account", id).with_field("connected_account_ids").into());
        }
    }
    for id in webviews {
        if d.try_get::<ConnectWebview>(*id)?.is_none_or(|webview| webview.deleted_at.is_some()) {
            return Err(Error::not_found("connect_webview", id).with_field("connect_webview_ids").into());
        }
    }
    Ok(())
}

fn make(d: &mut Draft<'_>, new: &NewClientSession, scope: Scope, link: Option<InstantKeyId>) -> Try<ClientSessionId> {
    let id = ClientSessionId::from_uuid(d.env.mint());
    let token = format!("{PREFIX}{}", token::mint(d, "client_session_secret", id));
    let session = ClientSession {
        token: d.env.seal(id.uuid(), TOKEN, &token)?,
        token_tag: tag_of(&d.env.vault, d.env.workspace, &token),
        identifier: new.user_identifier_key.clone(),
        identity: scope.identity,
        customer: new.customer_key.clone(),
        accounts: each_once(&new.connected_account_ids),
        webviews: each_once(&new.connect_webview_ids),
        link,
        created_at: d.now(),
        expires_at: scope.expires_at,
        revoked_at: None,
        deleted_at: None,
    };
    d.set(id, session);
    Ok(id)
}

fn each_once<I: Ord + Copy>(ids: &[I]) -> Vec<I> {
    ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The workspace that a token says it belongs to; `None` for what is no token of ours.
pub(crate) fn parse(token: &str) -> Option<WorkspaceId> {
    token::workspace_of(token.strip_prefix(PREFIX)?)
}

/// The keyed hash by which a token is found.
pub(crate) fn tag_of(vault: &Vault, workspace: WorkspaceId, token: &str) -> String {
    vault.tag(workspace, "client_session", token)
}

/// The session that an instant key opens: her person's, until `ends_at`, at most for a year.
pub(super) fn for_link(
    d: &mut Draft<'_>,
    link: InstantKeyId,
    identity: UserIdentityId,
    ends_at: Option<DateTime<Utc>>,
) -> Try<ClientSessionId> {
    let expires_at = until(d.now(), ends_at);
    make(d, &NewClientSession::default(), Scope { expires_at, identity: Some(identity) }, Some(link))
}

fn until(made: DateTime<Utc>, ends_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let longest = made + LONGEST;
    ends_at.map_or(longest, |end| end.min(longest))
}

/// The method of an instant key ends at another time: so does the session that the key opens.
pub(super) fn follow(d: &mut Draft<'_>, id: ClientSessionId, ends_at: Option<DateTime<Utc>>) -> Try<()> {
    let Some(mut session) = d.try_get::<ClientSession>(id)?.filter(|s| s.deleted_at.is_none()) else { return Ok(()) };
    session.expires_at = until(session.created_at, ends_at);
    d.set(id, session);
    Ok(())
}

/// A session that is there, revoked and expired ones included.
fn living(d: &Draft<'_>, id: ClientSessionId) -> Try<ClientSession> {
    let session = d.get::<ClientSession>(id)?;
    if session.deleted_at.is_some() {
        return Err(Error::not_found("client_session", id).into());
    }
    Ok(session)
}

/// Lets a session reach more. What it reaches already stays, but for the person: a session is one person's.
///
/// # Errors
/// `InvalidInput` when nothing is asked for; `NotFound`; `Conflict` (`client_session_revoked`, `client_session_expired`).
pub(super) fn grant_access(d: &mut Draft<'_>, id: ClientSessionId, access: &SessionAccess) -> Try<Outcome> {
    if *access == SessionAccess::default() {
        return Err(Error::invalid("connected_account_ids", "say what the session is to reach").into());
    }
    let mut session = living(d, id)?;
    if session.revoked_at.is_some() {
        return Err(Error::new(ErrorKind::Conflict, "client_session_revoked", "the session was revoked").into());
    }
    if d.now() >= session.expires_at {
        return Err(Error::new(ErrorKind::Conflict, "client_session_expired", "the session has expired").into());
    }
    there(d, &access.connected_account_ids, &access.connect_webview_ids)?;
    if let Some(person) = access.user_identity_id {
        let (person, _) = identity::living(d, person)?;
        if session.link.is_some() && session.identity != Some(person) {
            let message = "the session of an instant key belongs to the key's person";
            return Err(Error::new(ErrorKind::Conflict, "client_session_of_instant_key", message).with_field("user_identity_id").into());
        }
        session.identity = Some(person);
    }
    session.accounts.extend(&access.connected_account_ids);
    session.accounts = each_once(&session.accounts);
    session.webviews.extend(&access.connect_webview_ids);
    session.webviews = each_once(&session.webviews);
    validate::at_most("connected_account_ids", session.accounts.len(), MOST)?;
    validate::at_most("connect_webview_ids", session.webviews.len(), MOST)?;
    d.set(id, session);
    Ok(Outcome::ClientSession(id))
}

/// Refuses a session's token from now on. Revoked already is fine.
///
/// # Errors
/// `NotFound`.
pub(super) fn revoke(d: &mut Draft<'_>, id: ClientSessionId) -> Try<Outcome> {
    let mut session = living(d, id)?;
    session.revoked_at = session.revoked_at.or(Some(d.now()));
    let link = session.link;
    d.set(id, session);
    link_ends(d, link)?;
    Ok(Outcome::ClientSession(id))
}

/// Deletes a session. Deleted already is not found.
///
/// # Errors
/// `NotFound`.
pub(super) fn delete(d: &mut Draft<'_>, id: ClientSessionId) -> Try<Outcome> {
    let link = living(d, id)?.link;
    end(d, id)?;
    link_ends(d, link)?;
    Ok(Outcome::Done)
}

/// A link that would open nothing any more is gone.
fn link_ends(d: &mut Draft<'_>, link: Option<InstantKeyId>) -> Try<()> {
    link.map_or(Ok(()), |link| instant_key::run_out(d, link))
}

/// Deletes a session if it is there, and tells it. The caller's key of its user goes with it: it may name somebody.
pub(super) fn end(d: &mut Draft<'_>, id: ClientSessionId) -> Try<()> {
    let Some(mut session) = d.try_get::<ClientSession>(id)?.filter(|s| s.deleted_at.is_none()) else { return Ok(()) };
    session.deleted_at = Some(d.now());
    session.identifier = None;
    let order = session.identity.map_or(id.uuid(), |person| person.uuid());
    d.set(id, session);
    d.event(EventType::CLIENT_SESSION_DELETED.as_str(), order, json!({ "client_session_id": id }));
    Ok(())
}

/// Deletes the sessions of a person.
pub(super) fn end_all_of(d: &mut Draft<'_>, person: UserIdentityId) -> Try<()> {
    for id in d.find_exactly(&Key::id(Index::SessionsOf, person))? {
        end(d, ClientSessionId::from_uuid(id))?;
    }
    Ok(())
}

/// Makes the sessions of a person another's.
pub(super) fn move_all(d: &mut Draft<'_>, to: UserIdentityId, from: UserIdentityId) -> Try<()> {
    for id in d.find_exactly(&Key::id(Index::SessionsOf, from))? {
        let mut session = d.get::<ClientSession>(id)?;
        session.identity = Some(to);
        d.set(id, session);
    }
    Ok(())
}
