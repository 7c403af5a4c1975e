//! Links that hand mobile keys to a phone.
use super::{Viewer, hidden, sealed};
use crate::model::{self, InstantKeyId, Map, Shown};
use crate::plan::Try;
use crate::state::{InstantKey, session_of};

/// An instant key. A deleted one is hidden.
pub(crate) fn instant_key(v: &Viewer<'_>, id: InstantKeyId) -> Try<model::InstantKey> {
    let row = v.get::<InstantKey>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<InstantKey, _>(id);
    }
    Ok(model::InstantKey {
        instant_key_id: id,
        workspace_id: v.workspace,
        instant_key_url: link(v, id, row)?,
        client_session_id: session_of(id, row),
        user_identity_id: row.identity,
        created_at: row.created_at,
        expires_at: row.expires_at,
        customization: None,
        customization_profile_id: None,
        extra: Map::new(),
    })
}

/// The link itself.
fn link(v: &Viewer<'_>, id: InstantKeyId, row: &InstantKey) -> Try<Shown> {
    let code = v.open(id, sealed::CODE, &row.code)?;
    Ok(Shown::new(format!("{}/{}", v.links.trim_end_matches('/'), code.expose())))
}

/// The link of a method, if it has one that was not deleted.
pub(super) fn link_of(v: &Viewer<'_>, id: Option<InstantKeyId>) -> Try<Option<Shown>> {
    let Some(id) = id else { return Ok(None) };
    match v.try_get::<InstantKey>(id)? {
        Some(row) if row.deleted_at.is_none() => Ok(Some(link(v, id, row)?)),
        _ => Ok(None),
    }
}
