//! Writing changesets, each as soon as it is decided: while the next callers still prepare theirs, the rows of the first are written.
use super::batch::{Packed, Unwritten};
use super::codec;
use super::schema as sql;
use crate::model::WorkspaceId;
use crate::store::logic::{Diff, Place, Written};
use rusqlite::{CachedStatement, Connection, Result, params};

/// Gives a workspace its number in the file.
pub(super) fn workspace(conn: &Connection, workspace: WorkspaceId, no: i64) -> Result<()> {
    conn.prepare_cached(sql::ADD_WORKSPACE)?.execute(params![no, workspace.uuid().as_bytes()]).map(drop)
}

/// Moves a consumer of a workspace with this number forward.
pub(super) fn cursor(conn: &Connection, ws: i64, name: &str, seq: u64) -> Result<()> {
    conn.prepare_cached(sql::SET_CURSOR)?.execute(params![ws, name, integer(seq)]).map(drop)
}

/// The statements of a transaction.
pub(super) struct Statements<'c> {
    rows: Rows<'c>,
    add_unique: CachedStatement<'c>,
    drop_unique: CachedStatement<'c>,
    add_lookup: CachedStatement<'c>,
    drop_lookup: CachedStatement<'c>,
    add_claim: CachedStatement<'c>,
    drop_claim: CachedStatement<'c>,
    add_log: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            rows: Rows::new(conn)?,
            add_unique: conn.prepare_cached(sql::ADD_UNIQUE)?,
            drop_unique: conn.prepare_cached(sql::DROP_UNIQUE)?,
            add_lookup: conn.prepare_cached(sql::ADD_LOOKUP)?,
            drop_lookup: conn.prepare_cached(sql::DROP_LOOKUP)?,
            add_claim: conn.prepare_cached(sql::ADD_CLAIM)?,
            drop_claim: conn.prepare_cached(sql::DROP_CLAIM)?,
            add_log: conn.prepare_cached(sql::ADD_LOG)?,
        })
    }

    /// Writes a changeset of the workspace with this number. What is given up goes first: a unique key may pass from one row to another.
    pub(super) fn write(&mut self, set: &Unwritten, ws: i64) -> Result<()> {
        let mut numbers = Vec::with_capacity(set.rows.len());
        for (written, document) in &set.rows {
            numbers.push(self.rows.put(written, document, ws)?);
        }
        let scope = |place: &Place| if place.0.is_some() { ws } else { 0 };
        for ((Written { new, diff: Diff { keys_gone, claims_gone, .. }, .. }, _), no) in set.rows.iter().zip(&numbers) {
            for place in keys_gone {
                let statement = if place.1.index.is_unique() { &mut self.drop_unique } else { &mut self.drop_lookup };
                statement.execute(params![place.1.index as u8, scope(place), codec::key(&place.1.key), new.id.as_bytes()])?;
            }
            for claim in claims_gone {
                let (from, until) = (codec::moment(claim.from), codec::end(claim.until));
                self.drop_claim.execute(params![claim.key.0.as_bytes(), from, until, no, claim.exclusive])?;
            }
        }
        for ((Written { new, diff: Diff { keys_new, claims_new, .. }, .. }, _), no) in set.rows.iter().zip(&numbers) {
            for place in keys_new {
                let statement = if place.1.index.is_unique() { &mut self.add_unique } else { &mut self.add_lookup };
                statement.execute(params![place.1.index as u8, scope(place), codec::key(&place.1.key), new.id.as_bytes()])?;
            }
            for claim in claims_new {
                let (from, until) = (codec::moment(claim.from), codec::end(claim.until));
                self.add_claim.execute(params![claim.key.0.as_bytes(), from, until, no, claim.exclusive])?;
            }
        }
        let Packed { audit, events, told, wrote, .. } = &set.packed;
        self.add_log.execute(params![
            sql::log_no(ws, set.heads.last_audit),
            integer(set.heads.last_event),
            set.changeset.uuid().as_bytes(),
            set.heads.hash,
            told.as_ref().map_or(&[][..], |hash| &hash[..]),
            wrote,
            audit,
            events,
        ])?;
        Ok(())
    }
}

/// The statements that write rows.
struct Rows<'c> {
    add: CachedStatement<'c>,
    set: CachedStatement<'c>,
    set_at: CachedStatement<'c>,
    set_due: CachedStatement<'c>,
    set_kind: CachedStatement<'c>,
    number: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            add: conn.prepare_cached(sql::ADD_ROW)?,
            set: conn.prepare_cached(sql::SET_ROW)?,
            set_at: conn.prepare_cached(sql::SET_ROW_AT)?,
            set_due: conn.prepare_cached(sql::SET_ROW_DUE)?,
            set_kind: conn.prepare_cached(sql::SET_ROW_KIND)?,
            number: conn.prepare_cached(sql::NUMBER_OF_ROW)?,
        })
    }

    /// Gives the row's number, if the row is new or its claims change.
    fn put(&mut self, Written { old, new, diff }: &Written, document: &[u8], ws: i64) -> Result<Option<i64>> {
        let Diff { due_before, due_after, claims_new, claims_gone, .. } = diff;
        let (id, version) = (new.id.as_bytes(), integer(new.version));
        let class = due_after.as_ref().map(|d| d.class as u8);
        let at = due_after.as_ref().map(|d| codec::instant(d.at));
        let channel = due_after.as_ref().map(|d| d.channel.as_str());
        let flag = due_after.as_ref().map(|_| 1);
        let kind = new.body.kind() as u8;
        let Some(old) = old else {
            return self.add.insert(params![id, ws, kind, version, flag, class, at, channel, document]).map(Some);
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
        if claims_new.is_empty() && claims_gone.is_empty() {
            return Ok(None);
        }
        self.number.query_row([id], |row| row.get(0)).map(Some)
    }
}

/// Versions and places in a stream stay far below what a column holds.
fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
