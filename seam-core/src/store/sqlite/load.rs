//! What is read from the file, by statement. Every function looks at the connection's present snapshot.
use super::codec;
use super::errors::{corrupt, typed};
use super::ids::Ids;
use super::schema as sql;
use crate::error::Result;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::*;
use crate::store::logic::{ClaimSet, Heads, Place};
use crate::store::vault::hex;
use crate::store::{Committed, ListQuery};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// The most log rows that are looked through for a commit that is no longer remembered.
const OUTCOMES: i64 = 100_000;

pub(super) fn row(conn: &Connection, id: RowId) -> Result<Option<Arc<Row>>> {
    let mut find = conn.prepare_cached(sql::FIND_ROW).map_err(typed)?;
    let mut rows = find.query([id.as_bytes()]).map_err(typed)?;
    let Some(found) = rows.next().map_err(typed)? else { return Ok(None) };
    let read = |e| if is_mistyped(&e) { corrupt("row", id).with_source(e) } else { typed(e) };
    let workspace = codec::id(found.get_ref(0).map_err(typed)?.as_blob().map_err(|_| corrupt("row", id))?)?;
    let document = found.get_ref(2).map_err(typed)?;
    let document = document.as_bytes().map_err(|_| corrupt("row", id))?;
    codec::row(id, workspace.into(), found.get(1).map_err(read)?, document).map(Some)
}

fn is_mistyped(e: &rusqlite::Error) -> bool {
    matches!(e, rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..))
}

pub(super) fn ids(conn: &Connection, place: &Place) -> Result<Ids> {
    let (workspace, key) = place;
    let text = if key.index.is_unique() { sql::FIND_UNIQUE } else { sql::FIND_LOOKUP };
    let mut find = conn.prepare_cached(text).map_err(typed)?;
    let workspace = workspace.map(|w| *w.uuid().as_bytes());
    let mut rows = find.query(params![key.index as u8, workspace, codec::key(&key.key)]).map_err(typed)?;
    let mut ids = Ids::NONE;
    while let Some(row) = rows.next().map_err(typed)? {
        ids.apply([(codec::id(row.get_ref(0).map_err(typed)?.as_blob().map_err(|_| corrupt("look-up", &key.key))?)?, true)]);
    }
    Ok(ids)
}

pub(super) fn claims(conn: &Connection, key: ClaimKey) -> Result<ClaimSet> {
    let mut find = conn.prepare_cached(sql::FIND_CLAIMS).map_err(typed)?;
    let mut rows = find.query([key.0.as_bytes()]).map_err(typed)?;
    let mut set = ClaimSet::default();
    let bad = || corrupt("claim", key.0);
    while let Some(row) = rows.next().map_err(typed)? {
        let blob = |n| row.get_ref(n).ok().and_then(|v| v.as_blob().ok()).ok_or_else(bad);
        let from = row.get_ref(0).ok().and_then(codec::read_moment).ok_or_else(bad)?;
        let until = row.get_ref(1).ok().and_then(codec::read_end).ok_or_else(bad)?;
        let exclusive = row.get(3).map_err(|_| bad())?;
        set.insert(&Claim { key, from, until, exclusive }, codec::id(blob(2)?)?, codec::id(blob(4)?)?.into());
    }
    Ok(set)
}

/// Lists rows. `known` may give a row that need not be decoded.
pub(super) fn list(
    conn: &Connection,
    workspace: WorkspaceId,
    query: &ListQuery,
    known: impl Fn(RowId, i64) -> Option<Arc<Row>>,
) -> Result<Vec<Arc<Row>>> {
    // Every id is greater than an empty blob.
    let after = query.after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let (ws, kind) = (*workspace.uuid().as_bytes(), query.kind as u8);
    let text = query.key.as_ref().map_or(sql::LIST, |key| if key.index.is_unique() { sql::LIST_UNIQUE } else { sql::LIST_LOOKUP });
    let mut list = conn.prepare_cached(text).map_err(typed)?;
    let rows = match &query.key {
        Some(key) => {
            let everywhere = crate::store::logic::place(workspace, key).0.is_none();
            list.query(params![ws, kind, after, limit, key.index as u8, everywhere, codec::key(&key.key)])
        }
        None => list.query(params![ws, kind, after, limit]),
    };
    let mut rows = rows.map_err(typed)?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next().map_err(typed)? {
        let id = codec::id(row.get_ref(0).map_err(typed)?.as_blob().map_err(|_| corrupt("row", "of a list"))?)?;
        let version = row.get(1).map_err(|_| corrupt("row", id))?;
        listed.push(match known(id, version) {
            Some(row) => row,
            None => codec::row(id, workspace, version, row.get_ref(2).map_err(typed)?.as_bytes().map_err(|_| corrupt("row", id))?)?,
        });
    }
    Ok(listed)
}

/// The webhooks of all workspaces.
pub(super) fn webhooks(conn: &Connection) -> Result<Vec<Arc<Row>>> {
    let key = webhooks_key();
    let mut find = conn.prepare_cached(sql::WEBHOOKS).map_err(typed)?;
    let mut rows = find.query(params![key.index as u8, codec::key(&key.key)]).map_err(typed)?;
    let mut webhooks = Vec::new();
    while let Some(row) = rows.next().map_err(typed)? {
        let id = |n| codec::id(row.get_ref(n).map_err(typed)?.as_blob().map_err(|_| corrupt("row", "of a webhook"))?);
        let (workspace, id) = (id(0)?, id(1)?);
        let version = row.get(2).map_err(|_| corrupt("row", id))?;
        let document = row.get_ref(3).map_err(typed)?;
        webhooks.push(codec::row(id, workspace.into(), version, document.as_bytes().map_err(|_| corrupt("row", id))?)?);
    }
    Ok(webhooks)
}

/// Where a workspace's streams end.
pub(super) fn heads(conn: &Connection, ws: i64, workspace: WorkspaceId) -> Result<Heads> {
    let mut last = conn.prepare_cached(sql::LAST_LOG).map_err(typed)?;
    let found = last
        .query_row(params![sql::log_no(ws, 0), sql::log_no(ws, u64::MAX)], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, [u8; 32]>(2)?))
        })
        .optional()
        .map_err(typed)?;
    Ok(match found {
        Some((no, last_event, hash)) => Heads { last_event: count(last_event), last_audit: sql::log_seq(no), hash },
        None => Heads::new(workspace),
    })
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(super) fn events(conn: &Connection, ws: i64, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>> {
    let heads = heads(conn, ws, workspace)?;
    let mut events = Vec::new();
    if at_most == 0 || heads.last_event <= after {
        return Ok(events);
    }
    let first = first_commit_past(conn, ws, &heads, after)?;
    let mut list = conn.prepare_cached(sql::EVENTS).map_err(typed)?;
    let mut rows = list.query(params![sql::log_no(ws, first), sql::log_no(ws, u64::MAX)]).map_err(typed)?;
    while let Some(row) = rows.next().map_err(typed)? {
        let last = count(row.get(0).map_err(typed)?);
        let text = row.get_ref(1).map_err(typed)?;
        let told: Vec<EventDraft> = text
            .as_bytes()
            .ok()
            .filter(|b| !b.is_empty())
            .map_or_else(|| Ok(Vec::new()), |told| codec::read_document(told, || corrupt("event", last)))?;
        let before = last.checked_sub(told.len() as u64).ok_or_else(|| corrupt("event", last))?;
        for (event, seq) in told.into_iter().zip(before + 1..) {
            if seq > after {
                events.push(StoredEvent { seq, event });
            }
            if events.len() == at_most {
                return Ok(events);
            }
        }
    }
    Ok(events)
}

/// The first commit that told an event past `after`.
///
/// Commits tell about as many events each, so the place is guessed from how many there are between two that are known: a few looks, however long the
/// stream is. Where that misses too often, by halving.
fn first_commit_past(conn: &Connection, ws: i64, heads: &Heads, after: u64) -> Result<u64> {
    let mut find = conn.prepare_cached(sql::LAST_EVENT).map_err(typed)?;
    let mut told = |seq: u64| -> Result<u64> { Ok(count(find.query_row([sql::log_no(ws, seq)], |r| r.get(0)).map_err(typed)?)) };
    // Each a commit and the last event that it told. Commit 0 is not past, the last one is.
    let (mut not, mut past) = ((0, 0), (heads.last_audit, heads.last_event));
    let mut misses = 0;
    while past.0 - not.0 > 1 {
        let between = past.0 - not.0;
        let step = if misses < 3 { share(after + 1 - not.1, between, past.1 - not.1) } else { between / 2 };
        let next = not.0 + step.clamp(1, between - 1);
        let at = (next, told(next)?);
        if at.1 > after {
            past = at
        } else {
            not = at
        }
        misses = if past.0 - not.0 > between / 2 { misses + 1 } else { 0 };
    }
    Ok(past.0)
}

/// `part` of `of`, out of `all`, rounded up.
fn share(part: u64, of: u64, all: u64) -> u64 {
    let exact = (u128::from(part) * u128::from(of)).div_ceil(u128::from(all.max(1)));
    u64::try_from(exact).unwrap_or(of)
}

pub(super) fn audit(conn: &Connection, ws: i64, after: u64, at_most: usize) -> Result<Vec<AuditEntry>> {
    let mut list = conn.prepare_cached(sql::AUDIT).map_err(typed)?;
    let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
    let range = params![sql::log_no(ws, after.saturating_add(1)), sql::log_no(ws, u64::MAX), limit];
    let mut rows = list.query(range).map_err(typed)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(typed)? {
        let seq = sql::log_seq(row.get(0).map_err(typed)?);
        let bad = || corrupt("audit entry", seq);
        let blob = |n| row.get_ref(n).ok().and_then(|v| v.as_bytes().ok()).ok_or_else(bad);
        entries.push(AuditEntry {
            seq,
            changeset: ChangesetId::from_uuid(codec::id(blob(2)?)?),
            audit: codec::read_document(blob(6)?, bad)?,
            wrote: codec::read_wrote(blob(5)?).ok_or_else(bad)?,
            last_event: count(row.get(1).map_err(|_| bad())?),
            told: hex(blob(4)?),
            hash: hex(blob(3)?),
        });
    }
    Ok(entries)
}

/// Looks for a commit among the latest.
pub(super) fn outcome(conn: &Connection, ws: i64, id: ChangesetId) -> Result<Option<Committed>> {
    let mut list = conn.prepare_cached(sql::OUTCOMES).map_err(typed)?;
    let mut rows = list.query(params![sql::log_no(ws, 0), sql::log_no(ws, u64::MAX), OUTCOMES]).map_err(typed)?;
    while let Some(row) = rows.next().map_err(typed)? {
        if row.get_ref(1).map_err(typed)?.as_blob().is_ok_and(|b| b == id.uuid().as_bytes()) {
            return Ok(Some(Committed { last_event: count(row.get(0).map_err(typed)?) }));
        }
    }
    Ok(None)
}
