//! Client sessions.
use super::{Viewer, hidden, reach};
use crate::model::{self, AcsEntranceId, ClientSessionId, ConnectedAccountId, Map, Shown};
use crate::plan::{SESSION_TOKEN_FIELD, Try};
use crate::state::{Account, ClientSession, Entrance, Index, InstantKey, Key, RowId};
use std::collections::BTreeSet;

/// A client session, also one that was revoked or has expired. A deleted one is hidden.
pub(crate) fn client_session(v: &Viewer<'_>, id: ClientSessionId) -> Try<model::ClientSession> {
    let row = v.get::<ClientSession>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<ClientSession, _>(id);
    }
    let person = row.identity.map(|person| super::staying_id(v, person)).transpose()?;
    let accounts = accounts(v, row)?;
    let devices = devices(v, &accounts, person)?;
    Ok(model::ClientSession {
        client_session_id: id,
        workspace_id: v.workspace,
        token: v.open(id, SESSION_TOKEN_FIELD, &row.token)?,
        user_identifier_key: row.identifier.clone(),
        user_identity_id: person,
        user_identity_ids: person.into_iter().collect(),
        customer_key: row.customer.clone(),
        connected_account_ids: accounts,
        connect_webview_ids: row.webviews.clone(),
        device_count: devices as u64,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        extra: Map::new(),
    })
}

/// The accounts that a session reaches, those left out that were disconnected.
fn accounts(v: &Viewer<'_>, row: &ClientSession) -> Try<Vec<ConnectedAccountId>> {
    let mut ids = BTreeSet::new();
    for (id, account) in v.all::<Account, _>(&row.accounts)? {
        if account.deleted_at.is_none() {
            ids.insert(id);
        }
    }
    Ok(ids.into_iter().collect())
}

/// How many single locks belong to accounts or open for a person.
fn devices(v: &Viewer<'_>, accounts: &[ConnectedAccountId], person: Option<model::UserIdentityId>) -> Try<usize> {
    let mut places: BTreeSet<RowId> = BTreeSet::new();
    v.reader.hint_keys(accounts.iter().map(|id| Key::id(Index::SystemsOf, *id)));
    v.reader.gather()?;
    let mut systems: Vec<RowId> = Vec::new();
    for account in accounts {
        systems.extend(v.reader.find(&Key::id(Index::SystemsOf, *account))?);
    }
    v.reader.hint_keys(systems.iter().map(|id| Key::id(Index::PlacesOf, *id)));
    v.reader.gather()?;
    for system in &systems {
        places.extend(v.reader.find(&Key::id(Index::PlacesOf, *system))?);
    }
    if let Some(person) = person {
        places.extend(reach::of_person(v, person)?.into_iter().map(AcsEntranceId::uuid));
    }
    let places: Vec<RowId> = places.into_iter().collect();
    Ok(v.all::<Entrance, RowId>(&places)?.iter().filter(|(_, door)| door.report.channel.is_some() && door.missing_since.is_none()).count())
}

/// The token of the session that an instant key opens, while both are there.
pub(super) fn token_of_link(v: &Viewer<'_>, id: Option<model::InstantKeyId>) -> Try<Option<Shown>> {
    let Some(id) = id else { return Ok(None) };
    let Some(opened) = v.try_get::<InstantKey>(id)?.filter(|key| key.deleted_at.is_none()).and_then(|key| key.session) else {
        return Ok(None);
    };
    match v.try_get::<ClientSession>(opened)? {
        Some(row) if !row.is_shut() => Ok(Some(v.open(opened, SESSION_TOKEN_FIELD, &row.token)?)),
        _ => Ok(None),
    }
}
