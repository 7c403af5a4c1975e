//! Ready changesets, and the rows that each of them is in the file, byte for byte.
use crate::desk::Desk;
use rusqlite::Connection;
use rusqlite::types::Value;
use seam_bench::Failed;
use seam_core::Change;
use seam_core::state::Changeset;
use seam_core::store::Store;
use std::collections::HashMap;
use std::path::Path;

/// The tables, with the columns of the row that wrote an entry.
const TABLES: [(&str, &str, &str); 5] = [
    ("row", "id, ws, kind, version, due, class, at, channel, doc", "id"),
    ("uniq", "idx, ws, key, row", "row"),
    ("lookup", "idx, ws, key, row", "row"),
    ("claim", "key, start, stop, row, exclusive", "(SELECT r.id FROM row r WHERE r.no = claim.row)"),
    ("log", "no, last_event, changeset, hash, told, wrote, audit, events", "changeset"),
];

/// Grants that are decided and only have to be written.
pub(crate) struct Record {
    pub(crate) sets: Vec<Changeset>,
    /// By changeset: the rows as they are in the file, each with the number of its table.
    pub(crate) rows: Rows,
}

/// By grant: rows, each with the number of its table.
pub(crate) type Rows = Vec<Vec<(usize, Vec<Value>)>>;

/// The statement that writes a row of a table.
pub(crate) fn insert(table: usize) -> String {
    let (name, columns, _) = TABLES[table];
    let marks = vec!["?"; columns.split(", ").count()].join(", ");
    format!("INSERT INTO {name} ({columns}) VALUES ({marks})")
}

/// How many tables there are.
pub(crate) const fn tables() -> usize {
    TABLES.len()
}

impl Record {
    /// Decides `grants` grants and sees what rows they become in the file.
    pub(crate) async fn new(desk: &Desk, file: &Path, grants: usize) -> Result<Self, Failed> {
        let sets = decide(desk, grants).await?;
        let rows = read(&sets, file)?;
        Ok(Self { sets, rows })
    }
}

/// Decides grants one on the other, commits them at this desk, and closes it.
pub(crate) async fn decide(desk: &Desk, grants: usize) -> Result<Vec<Changeset>, Failed> {
    let mut sets = Vec::with_capacity(grants);
    for n in 0..grants {
        let set = desk.ws.preview(&Change::CreateGrant(Box::new(desk.wish(n)))).await?.changeset;
        if let Some(row) = set.put.iter().find(|row| row.version != 0) {
            return Err(format!("a new guest's grant changes a row that is there: {row:?}").into());
        }
        desk.store.commit(set.clone()).await.map_err(|e| format!("{e:?}"))?;
        sets.push(set);
    }
    desk.store.close().await;
    Ok(sets)
}

/// Finds the rows of each changeset.
fn read(sets: &[Changeset], file: &Path) -> Result<Rows, Failed> {
    let mut by_id: HashMap<[u8; 16], usize> = HashMap::new();
    for (n, set) in sets.iter().enumerate() {
        by_id.insert(*set.id.uuid().as_bytes(), n);
        by_id.extend(set.put.iter().map(|row| (*row.id.as_bytes(), n)));
    }
    let conn = Connection::open(file)?;
    let mut all = vec![Vec::new(); sets.len()];
    for (table, (name, columns, id)) in TABLES.iter().enumerate() {
        let mut list = conn.prepare(&format!("SELECT {id}, {columns} FROM {name}"))?;
        let count = list.column_count();
        let mut rows = list.query([])?;
        while let Some(row) = rows.next()? {
            let Some(set) = row.get_ref(0)?.as_blob().ok().and_then(|b| by_id.get(b)).copied() else { continue };
            let values: Result<Vec<Value>, _> = (1..count).map(|n| row.get(n)).collect();
            all[set].push((table, values?));
        }
    }
    Ok(all)
}
