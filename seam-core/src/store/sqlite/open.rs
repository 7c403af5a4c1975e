//! Opening: the lock, the file, its schema, and what is kept in memory from the start.
use super::codec;
use super::errors::{corrupt, typed};
use super::head::Head;
use super::{SqliteOptions, load, schema as sql};
use crate::error::{Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::state::{Channel, Class, Due, RowId};
use crate::store::logic::Agenda;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many fences one opening has: 2^40, more than can be given in a lifetime.
const FENCE_BITS: u32 = 40;

/// The file's own name, so that two names of one file are one.
pub(super) fn real_path(path: &Path) -> Result<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| cannot_open(path, "is not a file name"))?;
    Ok(folder.canonicalize().map_err(|e| cannot_open(path, "is in no folder").with_source(e))?.join(name))
}

fn cannot_open(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Store, "database_cannot_open", format!("the path of the database {why}")).with_context("path", path.display())
}

/// Takes the lock that keeps others out. The system frees it when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(|e| {
        let read_only = matches!(e.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem);
        let code = if read_only { "database_read_only" } else { "database_cannot_open" };
        Error::new(ErrorKind::Store, code, "the lock file beside the database cannot be written").with_source(e)
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = "the database is open already, here or in another process; an SQLite file serves one";
            Err(Error::new(ErrorKind::InUse, "database_in_use", message).with_context("path", path.display()))
        }
        Err(TryLockError::Error(e)) => Err(cannot_open(path, "cannot be locked").with_source(e)),
    }
}

/// Opens the file for the writer and brings it up to the present schema.
pub(super) fn open_writer(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(typed)?;
    settle(&conn, options)?;
    let version = inspect(&conn)?;
    if conn.is_readonly("main").map_err(typed)? {
        return Err(Error::new(ErrorKind::Store, "database_read_only", "the database cannot be written"));
    }
    if version == 0 {
        conn.pragma_update(None, "page_size", options.page_size).map_err(typed)?;
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(typed)?;
    if mode != "wal" {
        let message = "the file system of the database does not allow a write-ahead log";
        return Err(Error::new(ErrorKind::Store, "no_write_ahead_log", message).with_context("mode", mode));
    }
    conn.pragma_update(None, "synchronous", options.synchronous()).map_err(typed)?;
    conn.pragma_update(None, "wal_autocheckpoint", 0).map_err(typed)?;
    conn.pragma_update(None, "cache_size", -32_768).map_err(typed)?;
    if let Some(pages) = options.max_pages {
        conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).map_err(typed)?;
    }
    migrate(&conn)?;
    Ok(conn)
}

/// Opens the file for a reader.
pub(super) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(typed)?;
    settle(&conn, options)?;
    conn.pragma_update(None, "query_only", true).map_err(typed)?;
    conn.pragma_update(None, "cache_size", -8_192).map_err(typed)?;
    Ok(conn)
}

fn settle(conn: &Connection, options: &SqliteOptions) -> Result<()> {
    conn.busy_timeout(options.busy_timeout).map_err(typed)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.pragma_update(None, "trusted_schema", false).map_err(typed)?;
    // Plans do not depend on the values that are bound; else SQLite plans statements anew for every value.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(typed)?;
    conn.pragma_update(None, "cell_size_check", true).map_err(typed)?;
    // What is overwritten or deleted is overwritten with zeros: a destroyed key must not linger in the file.
    conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(())).map_err(typed)
}

/// The schema version of the file; 0 for an empty one. Changes nothing.
fn inspect(conn: &Connection) -> Result<usize> {
    let number = |text: &str| conn.query_row(text, [], |row| row.get::<_, i64>(0)).map_err(typed);
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let owner = number("PRAGMA application_id")?;
    if tables == 0 && version == 0 {
        return Ok(0);
    }
    if owner != sql::APPLICATION_ID {
        return Err(Error::new(ErrorKind::Store, "foreign_database", "the file is a database of another program"));
    }
    let known = sql::MIGRATIONS.len();
    usize::try_from(version).ok().filter(|v| *v <= known).ok_or_else(|| {
        let message = "the database was written by a newer version of this crate";
        Error::new(ErrorKind::NewerDatabase, "newer_database", message).with_context("version", version).with_context("known", known)
    })
}

fn migrate(conn: &Connection) -> Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE").map_err(typed)?;
    let migrated = inspect(conn).and_then(|version| {
        for text in &sql::MIGRATIONS[version..] {
            conn.execute_batch(text).map_err(typed)?;
        }
        if version < sql::MIGRATIONS.len() {
            conn.pragma_update(None, "application_id", sql::APPLICATION_ID).map_err(typed)?;
            conn.pragma_update(None, "user_version", sql::MIGRATIONS.len() as i64).map_err(typed)?;
        }
        conn.execute_batch("COMMIT").map_err(typed)
    });
    if migrated.is_err() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    migrated
}

/// Loads what is in memory from the start: what is due, where the streams end, where consumers stand. Old leases are void.
pub(super) fn load_head(conn: &Connection, options: &SqliteOptions) -> Result<Head> {
    let opening: i64 = conn.query_row(sql::NEXT_OPENING, [], |row| row.get(0)).map_err(typed)?;
    let last_fence = u64::try_from(opening).map_err(|_| corrupt("counter", "openings"))? << FENCE_BITS;
    let mut head = Head::new(Agenda::new(last_fence), options.rows_in_memory);
    fill(conn, &mut head)?;
    Ok(head)
}

/// Loads what is in memory from the start into an empty head.
pub(super) fn fill(conn: &Connection, head: &mut Head) -> Result<()> {
    let mut list = conn.prepare(sql::WORKSPACES).map_err(typed)?;
    let mut rows = list.query([]).map_err(typed)?;
    while let Some(row) = rows.next().map_err(typed)? {
        let no = row.get(0).map_err(typed)?;
        let workspace = WorkspaceId::from_uuid(codec::id(row.get_ref(1).map_err(typed)?.as_blob().map_err(|_| corrupt("workspace", no))?)?);
        head.workspaces.insert(workspace, (no, load::heads(conn, no, workspace)?));
    }
    let mut list = conn.prepare(sql::CURSORS).map_err(typed)?;
    let mut rows = list.query([]).map_err(typed)?;
    while let Some(row) = rows.next().map_err(typed)? {
        let bad = || corrupt("cursor", "of a consumer");
        let workspace = codec::id(row.get_ref(0).map_err(typed)?.as_blob().map_err(|_| bad())?)?;
        let seq: i64 = row.get(2).map_err(|_| bad())?;
        head.cursors.insert((workspace.into(), row.get(1).map_err(|_| bad())?), u64::try_from(seq).map_err(|_| bad())?);
    }
    let mut list = conn.prepare(sql::DUE).map_err(typed)?;
    let mut rows = list.query([]).map_err(typed)?;
    while let Some(row) = rows.next().map_err(typed)? {
        let id: RowId = codec::id(row.get_ref(0).map_err(typed)?.as_blob().map_err(|_| corrupt("row", "that is due"))?)?;
        let due = read_due(row).ok_or_else(|| corrupt("due mark", id))?;
        head.agenda().add(&due, id);
    }
    Ok(())
}

fn read_due(row: &rusqlite::Row<'_>) -> Option<Due> {
    let class = match row.get::<_, i64>(1).ok()? {
        0 => Class::Person,
        1 => Class::Revoke,
        2 => Class::Give,
        3 => Class::Scan,
        _ => return None,
    };
    let at = codec::read_instant(row.get_ref(2).ok()?.as_blob().ok()?)?;
    let channel = Channel::from(row.get_ref(3).ok()?.as_str().ok()?);
    Some(Due { channel, class, at })
}

/// How long a statement waits for a lock that another program holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
