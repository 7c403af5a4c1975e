//! The schema that one would draw first: a table per kind of thing, a column for what is searched, an index on each such column, a table for
//! each many-to-many relation, a row per event. The same content under the same time-ordered ids; SQLite's own page size.
use rusqlite::{Connection, params};
use seam_bench::Failed;
use seam_core::state::{Body, Changeset, Row, TargetOf, Wanted};
use std::path::Path;
use uuid::Uuid;

const SCHEMA: &str = "
CREATE TABLE user_identity (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX user_identity_workspace ON user_identity (workspace_id);
CREATE TABLE access_grant (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, user_identity_id BLOB NOT NULL,
    reservation_key TEXT, starts_at TEXT NOT NULL, ends_at TEXT, document TEXT NOT NULL);
CREATE INDEX access_grant_workspace ON access_grant (workspace_id);
CREATE INDEX access_grant_identity ON access_grant (user_identity_id);
CREATE INDEX access_grant_reservation ON access_grant (workspace_id, reservation_key);
CREATE TABLE access_grant_entrance (access_grant_id BLOB NOT NULL, acs_entrance_id BLOB NOT NULL,
    PRIMARY KEY (access_grant_id, acs_entrance_id));
CREATE INDEX access_grant_entrance_entrance ON access_grant_entrance (acs_entrance_id);
CREATE TABLE access_method (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, user_identity_id BLOB NOT NULL,
    access_grant_id BLOB NOT NULL, document TEXT NOT NULL);
CREATE INDEX access_method_workspace ON access_method (workspace_id);
CREATE INDEX access_method_identity ON access_method (user_identity_id);
CREATE INDEX access_method_grant ON access_method (access_grant_id);
CREATE TABLE stay (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, acs_system_id BLOB NOT NULL,
    reservation_key TEXT NOT NULL, document TEXT NOT NULL);
CREATE UNIQUE INDEX stay_reservation ON stay (workspace_id, reservation_key, acs_system_id);
CREATE TABLE credential (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, acs_system_id BLOB NOT NULL,
    access_method_id BLOB, channel TEXT, due_at TEXT, document TEXT NOT NULL);
CREATE INDEX credential_workspace ON credential (workspace_id);
CREATE INDEX credential_system ON credential (acs_system_id);
CREATE INDEX credential_method ON credential (access_method_id);
CREATE INDEX credential_due ON credential (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE credential_entrance (credential_id BLOB NOT NULL, acs_entrance_id BLOB NOT NULL, PRIMARY KEY (credential_id, acs_entrance_id));
CREATE INDEX credential_entrance_entrance ON credential_entrance (acs_entrance_id);
CREATE TABLE occupied (id INTEGER PRIMARY KEY, what BLOB NOT NULL, starts_at TEXT NOT NULL, ends_at TEXT, owner_id BLOB NOT NULL);
CREATE INDEX occupied_what ON occupied (what, starts_at, ends_at);
CREATE INDEX occupied_owner ON occupied (owner_id);
CREATE TABLE other (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE event (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, seq INTEGER NOT NULL, event_type TEXT NOT NULL,
    occurred_at TEXT NOT NULL, order_key BLOB NOT NULL, payload TEXT NOT NULL);
CREATE UNIQUE INDEX event_seq ON event (workspace_id, seq);
CREATE INDEX event_order ON event (order_key);
CREATE TABLE audit (id BLOB PRIMARY KEY, workspace_id BLOB NOT NULL, seq INTEGER NOT NULL, document TEXT NOT NULL, wrote BLOB NOT NULL,
    hash BLOB NOT NULL);
CREATE UNIQUE INDEX audit_seq ON audit (workspace_id, seq);
";

/// A database of that schema.
pub(crate) struct Obvious {
    conn: Connection,
    events: i64,
    commits: i64,
}

impl Obvious {
    pub(crate) fn open(file: &Path) -> Result<Self, Failed> {
        let conn = Connection::open(file)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "cache_size", -32_768)?;
        conn.execute_batch(SCHEMA)?;
        conn.set_prepared_statement_cache_capacity(32);
        Ok(Self { conn, events: 0, commits: 0 })
    }

    /// Writes changesets, so many in each transaction.
    pub(crate) fn write(&mut self, sets: &[Changeset], in_each: usize) -> Result<(), Failed> {
        for batch in sets.chunks(in_each) {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
            for set in batch {
                self.put(set)?;
            }
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    fn put(&mut self, set: &Changeset) -> Result<(), Failed> {
        let ws = id(set.workspace.uuid());
        for row in &set.put {
            self.put_row(row)?;
        }
        for event in &set.events {
            self.events += 1;
            let (own, order) = (id(event.id.uuid()), id(event.order_key));
            let payload = serde_json::to_string(&event.payload)?;
            let values = params![own, ws, self.events, event.event_type, event.at.to_rfc3339(), order, payload];
            self.insert("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", values)?;
        }
        self.commits += 1;
        let wrote: Vec<u8> = set.put.iter().flat_map(|row| row.id.into_bytes()).collect();
        let (own, audit) = (id(set.id.uuid()), serde_json::to_string(&set.audit)?);
        self.insert("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", params![own, ws, self.commits, audit, wrote, [7u8; 32]])
    }

    fn put_row(&self, row: &Row) -> Result<(), Failed> {
        let (own, ws, version) = (id(row.id), id(row.workspace.uuid()), 1);
        let document = serde_json::to_string(&row.body)?;
        match &row.body {
            Body::Identity(_) => self.insert("INSERT INTO user_identity VALUES (?, ?, ?, ?)", params![own, ws, version, document])?,
            Body::Grant(g) => {
                let (from, until) = (g.window.starts_at().to_rfc3339(), g.window.ends_at().map(|at| at.to_rfc3339()));
                let values = params![own, ws, version, id(g.identity.uuid()), g.reservation, from, until, document];
                self.insert("INSERT INTO access_grant VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)?;
                for door in &g.doors {
                    self.insert("INSERT INTO access_grant_entrance VALUES (?, ?)", params![own, id(door.uuid())])?;
                }
            }
            Body::Method(m) => {
                let grant = m.grants.first().map(|g| id(g.uuid()));
                let values = params![own, ws, version, id(m.identity.uuid()), grant, document];
                self.insert("INSERT INTO access_method VALUES (?, ?, ?, ?, ?, ?)", values)?;
            }
            Body::Stay(s) => {
                let values = params![own, ws, version, id(s.system.uuid()), s.key, document];
                self.insert("INSERT INTO stay VALUES (?, ?, ?, ?, ?, ?)", values)?;
            }
            Body::Target(t) => {
                let method = if let TargetOf::Method(m) = &t.of { Some(id(m.uuid())) } else { None };
                let due = row.due().map(|due| due.at.to_rfc3339());
                let values = params![own, ws, version, id(t.system.uuid()), method, t.channel.as_str(), due, document];
                self.insert("INSERT INTO credential VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)?;
                if let Wanted::Credential(c) = &t.want {
                    for door in &c.doors {
                        self.insert("INSERT INTO credential_entrance VALUES (?, ?)", params![own, id(door.uuid())])?;
                    }
                }
            }
            _ => self.insert("INSERT INTO other VALUES (?, ?, ?, ?)", params![own, ws, version, document])?,
        }
        for claim in row.body.claims() {
            let (from, until) = (claim.from.to_rfc3339(), claim.until.map(|at| at.to_rfc3339()));
            let text = "INSERT INTO occupied (what, starts_at, ends_at, owner_id) VALUES (?, ?, ?, ?)";
            self.insert(text, params![id(claim.key.0), from, until, own])?;
        }
        Ok(())
    }

    fn insert(&self, text: &str, values: &[&dyn rusqlite::ToSql]) -> Result<(), Failed> {
        self.conn.prepare_cached(text)?.execute(values)?;
        Ok(())
    }
}

fn id(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}
