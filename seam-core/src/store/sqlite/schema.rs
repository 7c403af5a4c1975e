//! The tables, and how an older file becomes a newer one.
//!
//! Laid out for few B-tree pages per commit: one row per thing with its [document](super::document), one log row per changeset, ids that grow with
//! time, what is due marked in the row itself (a partial index holds only the due ones), look-ups and claims as small rows without rowid.
//! Instants are 12 bytes that sort like the instants; ids are 16 bytes. Of a claim, whose keyed hash lies anywhere in its table, each byte
//! counts: an instant is a number of seconds if it is a whole one, no end is empty, and its row is told by number.
use std::sync::LazyLock;

/// Marks a file as ours (`PRAGMA application_id`): "SEAM".
pub(super) const APPLICATION_ID: i64 = 0x5345_414d;

/// What makes each schema version of the one before it. The version of a file (`PRAGMA user_version`) is how many have run.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE workspace (no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE row (
    no INTEGER PRIMARY KEY, id BLOB NOT NULL, ws INTEGER NOT NULL, kind INTEGER NOT NULL, version INTEGER NOT NULL,
    due INTEGER, class INTEGER, at BLOB, channel TEXT, doc BLOB NOT NULL);
CREATE UNIQUE INDEX row_id ON row (id);
CREATE INDEX row_kind ON row (ws, kind, id);
CREATE INDEX row_due ON row (due) WHERE due IS NOT NULL;
CREATE TABLE uniq (idx INTEGER, ws INTEGER, key BLOB, row BLOB NOT NULL, PRIMARY KEY (idx, ws, key)) WITHOUT ROWID;
CREATE TABLE lookup (idx INTEGER, ws INTEGER, key BLOB, row BLOB, PRIMARY KEY (idx, ws, key, row)) WITHOUT ROWID;
CREATE TABLE claim (
    key BLOB, start, stop, row INTEGER, exclusive INTEGER,
    PRIMARY KEY (key, start, stop, row, exclusive)) WITHOUT ROWID;
CREATE TABLE log (
    no INTEGER PRIMARY KEY, last_event INTEGER NOT NULL, changeset BLOB NOT NULL, hash BLOB NOT NULL, told BLOB NOT NULL,
    wrote BLOB NOT NULL, audit BLOB NOT NULL, events BLOB NOT NULL);
CREATE TABLE cursor (ws INTEGER, name TEXT, seq INTEGER NOT NULL, PRIMARY KEY (ws, name)) WITHOUT ROWID;
"];

pub(super) const FIND_ROW: &str = "SELECT w.id, r.version, r.doc FROM row r JOIN workspace w ON w.no = r.ws WHERE r.id = ?1";
pub(super) const FIND_UNIQUE: &str = "SELECT row FROM uniq
    WHERE idx = ?1 AND ws = CASE WHEN ?2 IS NULL THEN 0 ELSE (SELECT no FROM workspace WHERE id = ?2) END AND key = ?3";
pub(super) const FIND_LOOKUP: &str = "SELECT row FROM lookup
    WHERE idx = ?1 AND ws = CASE WHEN ?2 IS NULL THEN 0 ELSE (SELECT no FROM workspace WHERE id = ?2) END AND key = ?3 ORDER BY row";
pub(super) const FIND_CLAIMS: &str = "SELECT c.start, c.stop, r.id, c.exclusive, w.id FROM claim c \
    JOIN row r ON r.no = c.row JOIN workspace w ON w.no = r.ws WHERE c.key = ?1";
pub(super) const UNIQUE_FROM: &str = "SELECT idx, ws, key FROM uniq WHERE (idx, ws, key) > (?1, ?2, ?3) ORDER BY idx, ws, key LIMIT ?4";
pub(super) const LOOKUP_FROM: &str =
    "SELECT DISTINCT idx, ws, key FROM lookup WHERE (idx, ws, key) > (?1, ?2, ?3) ORDER BY idx, ws, key LIMIT ?4";
pub(super) const CLAIMS_FROM: &str = "SELECT DISTINCT key FROM claim WHERE key > ?1 ORDER BY key LIMIT ?2";
pub(super) const LIST: &str = "SELECT r.id, r.version, r.doc FROM row r
    WHERE r.ws = (SELECT no FROM workspace WHERE id = ?1) AND r.kind = ?2 AND r.id > ?3 ORDER BY r.id LIMIT ?4";
/// The rows of a kind that a key finds. The join goes by the key's entries, in their order, as far as the page goes.
pub(super) const LIST_UNIQUE: &str = "SELECT r.id, r.version, r.doc FROM uniq k CROSS JOIN row r ON r.id = k.row
    WHERE k.idx = ?5 AND k.ws = CASE WHEN ?6 THEN 0 ELSE (SELECT no FROM workspace WHERE id = ?1) END AND k.key = ?7 AND k.row > ?3
    AND r.ws = (SELECT no FROM workspace WHERE id = ?1) AND r.kind = ?2 LIMIT ?4";
pub(super) const LIST_LOOKUP: &str = "SELECT r.id, r.version, r.doc FROM lookup k CROSS JOIN row r ON r.id = k.row
    WHERE k.idx = ?5 AND k.ws = CASE WHEN ?6 THEN 0 ELSE (SELECT no FROM workspace WHERE id = ?1) END AND k.key = ?7 AND k.row > ?3
    AND r.ws = (SELECT no FROM workspace WHERE id = ?1) AND r.kind = ?2 ORDER BY k.row LIMIT ?4";
/// The webhooks of all workspaces: what their index holds.
pub(super) const WEBHOOKS: &str =
    "SELECT w.id, r.id, r.version, r.doc FROM lookup k JOIN workspace w ON w.no = k.ws JOIN row r ON r.id = k.row
    WHERE k.idx = ?1 AND k.key = ?2 ORDER BY w.id, r.id";
pub(super) const DUE: &str = "SELECT id, class, at, channel FROM row INDEXED BY row_due WHERE due IS NOT NULL";
pub(super) const WORKSPACES: &str = "SELECT no, id FROM workspace";
pub(super) const LAST_LOG: &str = "SELECT no, last_event, hash FROM log WHERE no BETWEEN ?1 AND ?2 ORDER BY no DESC LIMIT 1";
pub(super) const LAST_EVENT: &str = "SELECT last_event FROM log WHERE no = ?1";
pub(super) const EVENTS: &str = "SELECT last_event, events FROM log WHERE no BETWEEN ?1 AND ?2 ORDER BY no";
pub(super) const AUDIT: &str =
    "SELECT no, last_event, changeset, hash, told, wrote, audit FROM log WHERE no BETWEEN ?1 AND ?2 ORDER BY no LIMIT ?3";
pub(super) const OUTCOMES: &str = "SELECT last_event, changeset FROM log WHERE no BETWEEN ?1 AND ?2 ORDER BY no DESC LIMIT ?3";
pub(super) const CURSORS: &str = "SELECT w.id, c.name, c.seq FROM cursor c JOIN workspace w ON w.no = c.ws";

/// Counts the times that the file was opened: fences of one opening are above all of the one before.
pub(super) const NEXT_OPENING: &str =
    "INSERT INTO meta (name, value) VALUES ('openings', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value";
pub(super) const ADD_WORKSPACE: &str = "INSERT INTO workspace (no, id) VALUES (?1, ?2)";
/// How many rows the statements of [`Added`] add, the most first. What SQLite does for every statement, whatever it adds, is a good part of
/// what adding one small row costs.
pub(super) const WIDTHS: [usize; 5] = [16, 8, 4, 2, 1];

/// Statements that add rows to a table, one for each of the [`WIDTHS`].
pub(super) type Added = LazyLock<[String; WIDTHS.len()]>;

fn adding(text: &str, columns: usize) -> [String; WIDTHS.len()] {
    let row = format!("({})", vec!["?"; columns].join(", "));
    WIDTHS.map(|rows| format!("{text} VALUES {}", vec![row.as_str(); rows].join(", ")))
}

// A constraint that fails ends the whole transaction, so no statement need be able to take back the rows before.
pub(super) static ADD_ROW: Added =
    LazyLock::new(|| adding("INSERT OR FAIL INTO row (id, ws, kind, version, due, class, at, channel, doc)", 9));
/// What is due has not changed: no index is touched.
pub(super) const SET_ROW: &str = "UPDATE row SET version = ?2, doc = ?3 WHERE id = ?1";
/// It is due at another time: no index is touched.
pub(super) const SET_ROW_AT: &str = "UPDATE row SET version = ?2, doc = ?3, class = ?4, at = ?5, channel = ?6 WHERE id = ?1";
pub(super) const SET_ROW_DUE: &str = "UPDATE row SET version = ?2, doc = ?3, class = ?4, at = ?5, channel = ?6, due = ?7 WHERE id = ?1";
pub(super) const SET_ROW_KIND: &str = "UPDATE row SET kind = ?2 WHERE id = ?1";
pub(super) const NUMBER_OF_ROW: &str = "SELECT no FROM row WHERE id = ?1";
pub(super) static ADD_UNIQUE: Added = LazyLock::new(|| adding("INSERT OR FAIL INTO uniq (idx, ws, key, row)", 4));
pub(super) const DROP_UNIQUE: &str = "DELETE FROM uniq WHERE idx = ?1 AND ws = ?2 AND key = ?3 AND row = ?4";
pub(super) static ADD_LOOKUP: Added = LazyLock::new(|| adding("INSERT OR IGNORE INTO lookup (idx, ws, key, row)", 4));
pub(super) const DROP_LOOKUP: &str = "DELETE FROM lookup WHERE idx = ?1 AND ws = ?2 AND key = ?3 AND row = ?4";
pub(super) static ADD_CLAIM: Added = LazyLock::new(|| adding("INSERT OR IGNORE INTO claim (key, start, stop, row, exclusive)", 5));
pub(super) const DROP_CLAIM: &str = "DELETE FROM claim WHERE key = ?1 AND start = ?2 AND stop = ?3 AND row = ?4 AND exclusive = ?5";
pub(super) static ADD_LOG: Added =
    LazyLock::new(|| adding("INSERT OR FAIL INTO log (no, last_event, changeset, hash, told, wrote, audit, events)", 8));
pub(super) const SET_CURSOR: &str =
    "INSERT INTO cursor (ws, name, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)";

/// The log rows of a workspace: its number above, the place in its audit chain below.
const LOG_BITS: u32 = 40;

/// The log row of a commit.
pub(super) fn log_no(ws: i64, seq: u64) -> i64 {
    (ws << LOG_BITS) | i64::try_from(seq).unwrap_or(i64::MAX).min((1 << LOG_BITS) - 1)
}

/// The place in the audit chain that a log row has.
pub(super) fn log_seq(no: i64) -> u64 {
    u64::try_from(no & ((1 << LOG_BITS) - 1)).unwrap_or(0)
}
