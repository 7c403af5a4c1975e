//! Writing a batch: the net effect of its changesets, in the order of the B-trees.
use super::batch::{Batch, Put, changes};
use super::codec;
use super::schema as sql;
use crate::model::WorkspaceId;
use crate::store::logic::Place;
use rusqlite::{Connection, Result, params};
use std::collections::BTreeMap;

/// Writes what a batch decided. `numbers` knows every workspace of the batch; those from `first_new` on are new.
pub(super) fn write(conn: &Connection, batch: &Batch<'_>, numbers: &BTreeMap<WorkspaceId, i64>, first_new: i64) -> Result<()> {
    let number = |workspace: &WorkspaceId| numbers.get(workspace).copied().unwrap_or(0);
    for (workspace, no) in numbers.iter().filter(|(_, no)| **no >= first_new) {
        conn.prepare_cached(sql::ADD_WORKSPACE)?.execute(params![no, workspace.uuid().as_bytes()])?;
    }
    for put in batch.rows.values() {
        put_row(conn, put, number(&put.new.workspace))?;
    }
    let scope = |place: &Place| place.0.as_ref().map_or(0, number);
    for there in [false, true] {
        for (place, row) in changes(&batch.places, there) {
            let text = match (place.1.index.is_unique(), there) {
                (true, true) => sql::ADD_UNIQUE,
                (true, false) => sql::DROP_UNIQUE,
                (false, true) => sql::ADD_LOOKUP,
                (false, false) => sql::DROP_LOOKUP,
            };
            let values = params![place.1.index as u8, scope(place), codec::key(&place.1.key), row.as_bytes()];
            conn.prepare_cached(text)?.execute(values)?;
        }
    }
    for (key, touched) in &batch.claims {
        for (claimed, there) in &touched.changes {
            let (from, until) = (codec::instant(claimed.claim.from), codec::end(claimed.claim.until));
            let (key, row, exclusive) = (key.0.as_bytes(), claimed.row.as_bytes(), claimed.claim.exclusive);
            if *there {
                let ws = number(&claimed.workspace);
                conn.prepare_cached(sql::ADD_CLAIM)?.execute(params![key, from, until, row, exclusive, ws])?;
            } else {
                conn.prepare_cached(sql::DROP_CLAIM)?.execute(params![key, from, until, row, exclusive])?;
            }
        }
    }
    let mut add_log = conn.prepare_cached(sql::ADD_LOG)?;
    for logged in &batch.log {
        let entry = &logged.entry;
        let audit = serde_json::to_vec(&entry.audit).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        add_log.execute(params![
            sql::log_no(number(&logged.workspace), entry.seq),
            integer(entry.last_event),
            entry.changeset.uuid().as_bytes(),
            codec::unhex(&entry.hash),
            codec::unhex(&entry.told),
            codec::wrote(&entry.wrote),
            audit,
            logged.events,
        ])?;
    }
    for ((workspace, name), seq) in &batch.cursors {
        conn.prepare_cached(sql::SET_CURSOR)?.execute(params![number(workspace), name, integer(*seq)])?;
    }
    Ok(())
}

fn put_row(conn: &Connection, put: &Put, ws: i64) -> Result<()> {
    let Put { old, new, document } = put;
    let (id, version) = (new.id.as_bytes(), integer(new.version));
    let due = new.due();
    let class = due.as_ref().map(|d| d.class as u8);
    let at = due.as_ref().map(|d| codec::instant(d.at));
    let channel = due.as_ref().map(|d| d.channel.as_str());
    let flag = due.as_ref().map(|_| 1);
    let kind = new.body.kind() as u8;
    let Some(old) = old else {
        return conn.prepare_cached(sql::ADD_ROW)?.execute(params![id, ws, kind, version, flag, class, at, channel, document]).map(drop);
    };
    let before = old.due();
    let changed = if before == due {
        conn.prepare_cached(sql::SET_ROW)?.execute(params![id, version, document])?
    } else if before.is_some() == due.is_some() {
        conn.prepare_cached(sql::SET_ROW_AT)?.execute(params![id, version, document, class, at, channel])?
    } else {
        conn.prepare_cached(sql::SET_ROW_DUE)?.execute(params![id, version, document, class, at, channel, flag])?
    };
    if changed != 1 {
        return Err(rusqlite::Error::StatementChangedRows(changed));
    }
    if old.body.kind() as u8 != kind {
        conn.prepare_cached(sql::SET_ROW_KIND)?.execute(params![id, kind])?;
    }
    Ok(())
}

/// Versions and places in a stream stay far below what a column holds.
fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
