//! Writing a batch: the net effect of its changesets, in the order of the B-trees.
use super::batch::{Batch, Put, changes};
use super::codec;
use super::schema as sql;
use crate::model::WorkspaceId;
use crate::store::logic::Place;
use rusqlite::{CachedStatement, Connection, Result, params};
use std::collections::BTreeMap;

/// Writes what a batch decided. `numbers` knows every workspace of the batch; those from `first_new` on are new.
pub(super) fn write(conn: &Connection, batch: &Batch<'_>, numbers: &BTreeMap<WorkspaceId, i64>, first_new: i64) -> Result<()> {
    let number = |workspace: &WorkspaceId| numbers.get(workspace).copied().unwrap_or(0);
    for (workspace, no) in numbers.iter().filter(|(_, no)| **no >= first_new) {
        conn.prepare_cached(sql::ADD_WORKSPACE)?.execute(params![no, workspace.uuid().as_bytes()])?;
    }
    let mut rows = Rows::new(conn)?;
    for put in batch.rows.values() {
        rows.put(put, number(&put.new.workspace))?;
    }
    let scope = |place: &Place| place.0.as_ref().map_or(0, number);
    for there in [false, true] {
        let (unique, lookup) = if there { (sql::ADD_UNIQUE, sql::ADD_LOOKUP) } else { (sql::DROP_UNIQUE, sql::DROP_LOOKUP) };
        let (mut unique, mut lookup) = (conn.prepare_cached(unique)?, conn.prepare_cached(lookup)?);
        for (place, row) in changes(&batch.places, there) {
            let values = params![place.1.index as u8, scope(place), codec::key(&place.1.key), row.as_bytes()];
            if place.1.index.is_unique() {
                unique.execute(values)?
            } else {
                lookup.execute(values)?
            };
        }
    }
    let (mut add, mut remove) = (conn.prepare_cached(sql::ADD_CLAIM)?, conn.prepare_cached(sql::DROP_CLAIM)?);
    for (key, touched) in &batch.claims {
        for (claimed, there) in &touched.changes {
            let (from, until) = (codec::instant(claimed.claim.from), codec::end(claimed.claim.until));
            let (key, row, exclusive) = (key.0.as_bytes(), claimed.row.as_bytes(), claimed.claim.exclusive);
            if *there {
                add.execute(params![key, from, until, row, exclusive, number(&claimed.workspace)])?;
            } else {
                remove.execute(params![key, from, until, row, exclusive])?;
            }
        }
    }
    let mut add_log = conn.prepare_cached(sql::ADD_LOG)?;
    for logged in &batch.log {
        let entry = &logged.entry;
        add_log.execute(params![
            sql::log_no(number(&logged.workspace), entry.seq),
            integer(entry.last_event),
            entry.changeset.uuid().as_bytes(),
            codec::unhex(&entry.hash),
            codec::unhex(&entry.told),
            codec::wrote(&entry.wrote),
            logged.audit,
            logged.events,
        ])?;
    }
    for ((workspace, name), seq) in &batch.cursors {
        conn.prepare_cached(sql::SET_CURSOR)?.execute(params![number(workspace), name, integer(*seq)])?;
    }
    Ok(())
}

/// The statements that write rows.
struct Rows<'c> {
    add: CachedStatement<'c>,
    set: CachedStatement<'c>,
    set_at: CachedStatement<'c>,
    set_due: CachedStatement<'c>,
    set_kind: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            add: conn.prepare_cached(sql::ADD_ROW)?,
            set: conn.prepare_cached(sql::SET_ROW)?,
            set_at: conn.prepare_cached(sql::SET_ROW_AT)?,
            set_due: conn.prepare_cached(sql::SET_ROW_DUE)?,
            set_kind: conn.prepare_cached(sql::SET_ROW_KIND)?,
        })
    }

    fn put(&mut self, put: &Put, ws: i64) -> Result<()> {
        let Put { old, new, document, due_before, due_after } = put;
        let (id, version) = (new.id.as_bytes(), integer(new.version));
        let class = due_after.as_ref().map(|d| d.class as u8);
        let at = due_after.as_ref().map(|d| codec::instant(d.at));
        let channel = due_after.as_ref().map(|d| d.channel.as_str());
        let flag = due_after.as_ref().map(|_| 1);
        let kind = new.body.kind() as u8;
        let Some(old) = old else {
            return self.add.execute(params![id, ws, kind, version, flag, class, at, channel, document]).map(drop);
        };
        let changed = if due_before == due_after {
            self.set.execute(params![id, version, document])?
        } else if due_before.is_some() == due_after.is_some() {
            self.set_at.execute(params![id, version, document, class, at, channel])?
        } else {
            self.set_due.execute(params![id, version, document, class, at, channel, flag])?
        };
        if changed != 1 {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
        if old.body.kind() as u8 != kind {
            self.set_kind.execute(params![id, kind])?;
        }
        Ok(())
    }
}

/// Versions and places in a stream stay far below what a column holds.
fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
