//! Instant keys: links that hand a person's mobile keys to a phone.
use super::change::Outcome;
use super::draft::Draft;
use super::read::Try;
use super::{identity, session, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessMethodId, InstantKeyId, Shown, UserIdentityId, WorkspaceId};
use crate::state::*;
use crate::store::Vault;
use chrono::{DateTime, Duration, Utc};
use rand::RngExt;

/// For how long a link works that has no end of its own: that of a person, or of a grant without an end. Whoever has a link has the keys, so
/// it does not lie around for ever; once redeemed, the phone keeps the keys.
const LIFE: Duration = Duration::days(30);
/// The digits of a short code: no I, L, O, U, so that a code can be read out.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 50 bits: nobody hits one by trying.
const LENGTH: usize = 10;

/// Makes the instant key of a mobile-key method: it works until `expires`, or for 30 days.
///
/// # Errors
/// `InvalidInput` when it would never work: no redemptions, or expired already.
pub(super) fn for_method(
    d: &mut Draft<'_>,
    method: AccessMethodId,
    identity: UserIdentityId,
    max_use: u32,
    expires: Option<DateTime<Utc>>,
) -> Try<InstantKeyId> {
    make(d, identity, Some(method), max_use, expires)
}

/// Makes an instant key for all mobile keys of a person, those included that she is granted later. It works for 30 days.
///
/// # Errors
/// `NotFound` for the person, `InvalidInput` for the number of redemptions.
pub(super) fn create(d: &mut Draft<'_>, identity: UserIdentityId, max_use_count: u32) -> Try<Outcome> {
    let (identity, _) = identity::living(d, identity)?;
    Ok(Outcome::InstantKey(make(d, identity, None, max_use_count, None)?))
}

fn make(
    d: &mut Draft<'_>,
    identity: UserIdentityId,
    method: Option<AccessMethodId>,
    max_use: u32,
    expires: Option<DateTime<Utc>>,
) -> Try<InstantKeyId> {
    validate::max_uses("instant_key_max_use_count", max_use)?;
    let now = d.now();
    let expires_at = expires.unwrap_or(now + LIFE);
    if expires_at <= now {
        return Err(Error::invalid("expires_at", "the instant key would have expired already").into());
    }
    let id = InstantKeyId::from_uuid(d.env.mint());
    let code: String = (0..LENGTH).map(|_| char::from(DIGITS[d.env.rng().random_range(0..DIGITS.len())])).collect();
    let key = InstantKey {
        identity,
        method,
        code: d.env.seal(id.uuid(), "code", &code)?,
        code_tag: tag(&d.env.vault, d.env.workspace, &code),
        session: Some(session::for_link(d, id, identity, expires)?),
        max_use_count: max_use,
        used: 0,
        created_at: now,
        expires_at,
        deleted_at: None,
    };
    d.set(id, key);
    Ok(id)
}

fn tag(vault: &Vault, workspace: WorkspaceId, code: &str) -> String {
    vault.tag(workspace, "instant_key", code)
}

/// The method of an instant key ends at another time, or has no end any more.
pub(super) fn follow(d: &mut Draft<'_>, id: InstantKeyId, ends_at: Option<DateTime<Utc>>) -> Try<()> {
    let Some(mut key) = d.try_get::<InstantKey>(id)?.filter(|key| key.deleted_at.is_none()) else { return Ok(()) };
    key.expires_at = ends_at.unwrap_or(key.created_at + LIFE);
    if let Some(opened) = key.session {
        session::follow(d, opened, ends_at)?;
    }
    d.set(id, key);
    Ok(())
}

/// The time of an instant key's method has passed: the link is gone. The session that it opened ends by itself at that time.
pub(super) fn run_out(d: &mut Draft<'_>, id: InstantKeyId) -> Try<()> {
    let Some(mut key) = d.try_get::<InstantKey>(id)? else { return Ok(()) };
    key.deleted_at = key.deleted_at.or(Some(d.now()));
    d.set(id, key);
    Ok(())
}

/// An instant key is gone, and the session that it opened with it: whoever has redeemed it reaches nothing any more.
pub(super) fn end(d: &mut Draft<'_>, id: InstantKeyId) -> Try<()> {
    run_out(d, id)?;
    match d.try_get::<InstantKey>(id)?.and_then(|key| key.session) {
        Some(opened) => session::end(d, opened),
        None => Ok(()),
    }
}

/// The keyed hash that a link is found by, of its code as a person wrote it; `None` for what cannot be a code.
pub(crate) fn tag_of_code(vault: &Vault, workspace: WorkspaceId, code: &str) -> Option<String> {
    Some(tag(vault, workspace, &canonical(code)?))
}

/// Deletes an instant key. Deleted already is not found.
///
/// # Errors
/// `NotFound`.
pub(super) fn delete(d: &mut Draft<'_>, id: InstantKeyId) -> Try<Outcome> {
    if d.get::<InstantKey>(id)?.deleted_at.is_some() {
        return Err(Error::not_found("instant_key", id).into());
    }
    end(d, id)?;
    Ok(Outcome::Done)
}

/// Redeems an instant key once. The code may be written in small letters, with blanks or hyphens, with O for 0 and I or L for 1.
///
/// # Errors
/// `NotFound` for a code that is unknown or whose key, method or person is gone; `Conflict` when it has expired (`instant_key_expired`);
/// `Exhausted` when it was redeemed as often as it may be (`instant_key_used_up`).
pub(super) fn redeem(d: &mut Draft<'_>, code: &Shown) -> Try<Outcome> {
    // The code is a secret: no error repeats it.
    let unknown = || Error::new(ErrorKind::NotFound, "instant_key_not_found", "there is no instant key with this code in this workspace");
    let tag = tag_of_code(&d.env.vault, d.env.workspace, code.expose()).ok_or_else(unknown)?;
    let row = *d.find(&Key::new(Index::ShortCode, tag))?.first().ok_or_else(unknown)?;
    let mut key = d.get::<InstantKey>(row)?;
    let method = match key.method {
        Some(method) => d.try_get::<Method>(method)?,
        None => None,
    };
    let shut = match key.session {
        Some(session) => d.get::<ClientSession>(session)?.is_shut(),
        None => false,
    };
    if key.deleted_at.is_some() || shut || method.is_some_and(|m| m.deleted_at.is_some()) {
        return Err(unknown().into());
    }
    if d.now() >= key.expires_at {
        return Err(Error::new(ErrorKind::Conflict, "instant_key_expired", "the instant key has expired").into());
    }
    if key.used >= key.max_use_count {
        return Err(Error::new(ErrorKind::Exhausted, "instant_key_used_up", "the instant key was redeemed as often as it may be").into());
    }
    key.used += 1;
    d.set(row, key);
    Ok(Outcome::InstantKey(InstantKeyId::from_uuid(row)))
}

fn canonical(code: &str) -> Option<String> {
    let code: String = code
        .chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .take(LENGTH + 1)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    (code.len() == LENGTH && code.bytes().all(|b| DIGITS.contains(&b))).then_some(code)
}
