//! Writing changesets, each as soon as it is decided: while the next callers still prepare theirs, the rows of the first are written.
use super::batch::Unwritten;
use super::codec;
use super::ready::Ready;
use super::schema as sql;
use crate::model::WorkspaceId;
use crate::store::logic::{Diff, Place, Written};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
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
    add_unique: Adding<'c>,
    drop_unique: CachedStatement<'c>,
    add_lookup: Adding<'c>,
    drop_lookup: CachedStatement<'c>,
    add_claim: Adding<'c>,
    drop_claim: CachedStatement<'c>,
    add_log: Adding<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            rows: Rows::new(conn)?,
            add_unique: Adding::new(conn, &sql::ADD_UNIQUE),
            drop_unique: conn.prepare_cached(sql::DROP_UNIQUE)?,
            add_lookup: Adding::new(conn, &sql::ADD_LOOKUP),
            drop_lookup: conn.prepare_cached(sql::DROP_LOOKUP)?,
            add_claim: Adding::new(conn, &sql::ADD_CLAIM),
            drop_claim: conn.prepare_cached(sql::DROP_CLAIM)?,
            add_log: Adding::new(conn, &sql::ADD_LOG),
        })
    }

    /// Writes changesets: one, or several that only add rows. What one gives up goes first: a unique key may pass from one row to another.
    pub(super) fn write(&mut self, all: &[Entry<'_>]) -> Result<()> {
        let rows: Vec<_> = all.iter().flat_map(Entry::rows).collect();
        let numbers = self.rows.put(&rows)?;
        let scope = |place: &Place, ws: i64| if place.0.is_some() { ws } else { 0 };
        for ((Written { new, diff: Diff { keys_gone, claims_gone, .. }, .. }, _, ws), no) in rows.iter().zip(&numbers) {
            for place in keys_gone {
                let statement = if place.1.index.is_unique() { &mut self.drop_unique } else { &mut self.drop_lookup };
                statement.execute(params![place.1.index as u8, scope(place, *ws), codec::key(&place.1.key), new.id.as_bytes()])?;
            }
            for claim in claims_gone {
                let (from, until) = (codec::moment(claim.from), codec::end(claim.until));
                self.drop_claim.execute(params![claim.key.0.as_bytes(), from, until, no, claim.exclusive])?;
            }
        }
        let (mut unique, mut lookups, mut claims) = (Vec::new(), Vec::new(), Vec::new());
        for ((Written { new, diff: Diff { keys_new, claims_new, .. }, .. }, _, ws), no) in rows.iter().zip(&numbers) {
            for place in keys_new {
                let (index, key) = (place.1.index as u8, codec::key(&place.1.key));
                let entry: [ToSqlOutput<'_>; 4] = [index.into(), scope(place, *ws).into(), key.into(), blob(new.id.as_bytes())];
                if place.1.index.is_unique() { unique.push(entry) } else { lookups.push(entry) }
            }
            for claim in claims_new {
                let [from, until, no] = [codec::moment(claim.from), codec::end(claim.until), number(*no)].map(ToSqlOutput::Owned);
                claims.push([blob(claim.key.0.as_bytes()), from, until, no, claim.exclusive.into()]);
            }
        }
        self.add_unique.execute(&unique)?;
        self.add_lookup.execute(&lookups)?;
        self.add_claim.execute(&claims)?;
        let ids: Vec<_> = all.iter().map(|entry| entry.set.id.uuid()).collect();
        let logs: Vec<[ToSqlOutput<'_>; 8]> = all
            .iter()
            .zip(&ids)
            .map(|(Entry { set, unwritten, ws }, id)| {
                let heads = &unwritten.heads;
                let told = set.told.as_ref().map_or(&[][..], |hash| &hash[..]);
                [
                    sql::log_no(*ws, heads.last_audit).into(),
                    integer(heads.last_event).into(),
                    blob(id.as_bytes()),
                    blob(&heads.hash),
                    blob(told),
                    blob(&set.wrote),
                    blob(&set.audit),
                    blob(&set.events),
                ]
            })
            .collect();
        self.add_log.execute(&logs)
    }
}

/// A changeset that was taken in: what it is, what it changes, and the number of its workspace.
pub(super) struct Entry<'a> {
    pub(super) set: &'a Ready,
    pub(super) unwritten: &'a Unwritten,
    pub(super) ws: i64,
}

/// A row, its document, and the number of its workspace.
type EntryRow<'a> = (&'a Written, &'a [u8], i64);

impl<'a> Entry<'a> {
    fn rows(&self) -> impl Iterator<Item = EntryRow<'a>> + use<'a> {
        let ws = self.ws;
        self.unwritten.rows.iter().zip(self.set.documents()).map(move |(written, document)| (written, document, ws))
    }
}

/// What adds rows to a table, many with one statement.
struct Adding<'c> {
    conn: &'c Connection,
    texts: &'static [String; sql::WIDTHS.len()],
    /// Those that this transaction has needed.
    statements: [Option<CachedStatement<'c>>; sql::WIDTHS.len()],
}

impl<'c> Adding<'c> {
    fn new(conn: &'c Connection, texts: &'static sql::Added) -> Self {
        Self { conn, texts, statements: Default::default() }
    }

    fn execute<const COLUMNS: usize>(&mut self, mut rows: &[[ToSqlOutput<'_>; COLUMNS]]) -> Result<()> {
        for ((width, text), statement) in sql::WIDTHS.iter().zip(self.texts).zip(&mut self.statements) {
            while let Some((now, later)) = rows.split_at_checked(*width) {
                let statement = match statement {
                    Some(statement) => statement,
                    None => statement.insert(self.conn.prepare_cached(text)?),
                };
                for (n, value) in (1usize..).zip(now.iter().flatten()) {
                    statement.raw_bind_parameter(n, value)?;
                }
                statement.raw_execute()?;
                rows = later;
            }
        }
        Ok(())
    }
}

fn number(n: Option<i64>) -> Value {
    n.map_or(Value::Null, Value::Integer)
}

fn blob(bytes: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Blob(bytes))
}

/// The statements that write rows.
struct Rows<'c> {
    conn: &'c Connection,
    add: Adding<'c>,
    set: CachedStatement<'c>,
    set_at: CachedStatement<'c>,
    set_due: CachedStatement<'c>,
    set_kind: CachedStatement<'c>,
    number: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            conn,
            add: Adding::new(conn, &sql::ADD_ROW),
            set: conn.prepare_cached(sql::SET_ROW)?,
            set_at: conn.prepare_cached(sql::SET_ROW_AT)?,
            set_due: conn.prepare_cached(sql::SET_ROW_DUE)?,
            set_kind: conn.prepare_cached(sql::SET_ROW_KIND)?,
            number: conn.prepare_cached(sql::NUMBER_OF_ROW)?,
        })
    }

    /// Gives the numbers of those rows that are new or whose claims change.
    fn put(&mut self, rows: &[EntryRow<'_>]) -> Result<Vec<Option<i64>>> {
        let (mut numbers, mut new) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let ats: Vec<_> = rows.iter().map(|(w, ..)| w.diff.due_after.as_ref().map(|due| codec::instant(due.at))).collect();
        for ((written, document, ws), at) in rows.iter().zip(&ats) {
            if written.old.is_some() {
                numbers.push(self.set(written, document)?);
                continue;
            }
            let due = written.diff.due_after.as_ref();
            new.push([
                blob(written.new.id.as_bytes()),
                (*ws).into(),
                (written.new.body.kind() as u8).into(),
                integer(written.new.version).into(),
                ToSqlOutput::Owned(number(due.map(|_| 1))),
                ToSqlOutput::Owned(number(due.map(|d| (d.class as u8).into()))),
                at.as_ref().map_or(ToSqlOutput::Owned(Value::Null), |at| blob(at)),
                due.map_or(ToSqlOutput::Owned(Value::Null), |d| ToSqlOutput::from(d.channel.as_str())),
                blob(document),
            ]);
            numbers.push(None);
        }
        if new.is_empty() {
            return Ok(numbers);
        }
        self.add.execute(&new)?;
        // Each new row has the number above all that are there.
        let last = self.conn.last_insert_rowid();
        let first = last - i64::try_from(new.len()).unwrap_or(i64::MAX) + 1;
        let added = rows.iter().zip(&mut numbers).filter(|((written, ..), _)| written.old.is_none());
        added.zip(first..).for_each(|((_, number), no)| *number = Some(no));
        Ok(numbers)
    }

    /// Writes the next version of a row. Gives the row's number, if its claims change.
    fn set(&mut self, Written { old, new, diff }: &Written, document: &[u8]) -> Result<Option<i64>> {
        let Diff { due_before, due_after, claims_new, claims_gone, .. } = diff;
        let (id, version) = (new.id.as_bytes(), integer(new.version));
        let class = due_after.as_ref().map(|d| d.class as u8);
        let at = due_after.as_ref().map(|d| codec::instant(d.at));
        let channel = due_after.as_ref().map(|d| d.channel.as_str());
        let flag = due_after.as_ref().map(|_| 1);
        let kind = new.body.kind() as u8;
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
        if old.as_ref().is_some_and(|old| old.body.kind() as u8 != kind) {
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
