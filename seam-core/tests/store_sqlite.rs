//! What only the SQLite store has: a file that others may have, damage, fill up, or open again.
#![cfg(all(feature = "conformance", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic with its line")]
use seam_core::clock::ManualClock;
use seam_core::conformance::store::{World, audit_of, event, held, space, target};
use seam_core::state::*;
use seam_core::store::{
    CanServe, CommitError, Committed, Conflict, Decision, SqliteOptions, SqliteStore, Step, Store, audit_genesis, verify_audit,
};
use seam_core::{Effect, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct File {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl File {
    fn new() -> Self {
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(start)) }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("seam.db")
    }
    fn open(&self) -> Result<SqliteStore, Error> {
        self.open_with(SqliteOptions::new())
    }
    fn open_with(&self, options: SqliteOptions) -> Result<SqliteStore, Error> {
        SqliteStore::open_with(self.path(), Arc::clone(&self.clock) as _, options)
    }
    fn world(&self) -> World {
        World::new(Arc::new(self.open().unwrap()), Arc::clone(&self.clock))
    }
    fn sql(&self, text: &str) {
        let conn = rusqlite::Connection::open(self.path()).unwrap();
        conn.execute_batch(text).unwrap();
    }
}

fn refused(result: Result<SqliteStore, Error>, kind: ErrorKind, code: &str) {
    let e = result.unwrap_err();
    assert_eq!((e.kind(), e.code(), e.effect()), (kind, code, Effect::Nothing), "{e}");
}

fn failed(result: Result<seam_core::store::Committed, CommitError>) -> Error {
    match result {
        Err(CommitError::Failed(e)) => e,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let file = File::new();
    let w = file.world();
    let key = ClaimKey(w.id());
    let claim = Claim { key, from: w.at(0), until: None, exclusive: true };
    let channel = Channel::new("sandbox", "door");
    let rows = vec![w.row(space(Some("gym"), &[w.id()])), w.row(held(w.id(), vec![claim])), w.row(target(&channel, Some(w.at(9)), true))];
    let set = w.set(rows);
    let committed = w.commit(set.clone()).await.unwrap();
    w.store.ack(w.ws, "bus", 1).await.unwrap();
    let (ws, ids) = (w.ws, set.put.iter().map(|r| r.id).collect::<Vec<_>>());
    let chain = w.store.audit(ws, 0, 10).await.unwrap();
    drop(w);
    let w = file.world();
    for (row, id) in set.put.iter().zip(ids) {
        assert_eq!(*w.get(ws, id).await.unwrap(), Row { version: 1, ..row.clone() });
    }
    assert_eq!(w.find(ws, &Key::new(Index::SpaceKey, "gym")).await, [set.put[0].id]);
    assert!(!w.is_free(key, (5, None), 0, uuid::Uuid::nil()).await);
    let can = CanServe { kinds: ["sandbox".to_owned()].into(), ..Default::default() };
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(9)));
    assert_eq!(w.store.outcome(ws, set.id).await.unwrap(), Some(committed));
    assert_eq!(w.store.cursor(ws, "bus").await.unwrap(), 1);
    assert_eq!(w.commit(w.set(Vec::new())).await.unwrap().last_event, 2);
    let longer = w.store.audit(ws, 0, 10).await.unwrap();
    assert_eq!(longer[..1], chain[..]);
    assert_eq!(verify_audit(&longer, &audit_genesis(ws)), Ok(()));
}

#[tokio::test]
async fn opening_again_voids_leases_and_never_gives_a_fence_twice() {
    let file = File::new();
    let can = CanServe { kinds: ["sandbox".to_owned()].into(), ..Default::default() };
    let mut last = 0;
    for round in 0..5 {
        let w = file.world();
        if round == 0 {
            w.put_one(w.row(target(&Channel::new("sandbox", "door"), Some(w.at(0)), true))).await;
        }
        let lease = w.store.claim(w.id().into(), &can, Duration::from_secs(3600)).await.unwrap().expect("an old lease is void");
        assert!(lease.fence > last);
        last = lease.fence;
        let stale = OnlyIf::Fence { channel: lease.channel.clone(), fence: last - 1 };
        assert!(w.commit(w.set_if(vec![stale], Vec::new())).await.is_err());
    }
}

#[tokio::test]
async fn one_process_and_one_opening_at_a_time() {
    let file = File::new();
    let store = file.open().unwrap();
    refused(file.open(), ErrorKind::InUse, "database_in_use");
    // Under another name too.
    let link = file.folder.path().join("link.db");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    let second = SqliteStore::open(&link, Arc::clone(&file.clock) as _);
    refused(second, ErrorKind::InUse, "database_in_use");
    store.close().await;
    let again = file.open().unwrap();
    let closed = store.read(uuid::Uuid::nil().into(), &ReadSet::default()).await.unwrap_err();
    assert_eq!(closed.code(), "store_closed");
    drop(again);
    file.open().unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let file = File::new();
    let w = file.world();
    let store = file.folder.path().join("other.db");
    let store = SqliteStore::open(store, Arc::clone(&file.clock) as _).unwrap();
    store.close().await;
    store.close().await;
    assert_eq!(failed(store.commit(w.set(Vec::new())).await).code(), "store_closed");
    assert_eq!(store.events(w.ws, 0, 1).await.unwrap_err().code(), "store_closed");
    assert_eq!(store.ack(w.ws, "bus", 1).await.unwrap_err().code(), "store_closed");
    assert_eq!(store.list(w.ws, &seam_core::store::ListQuery::all(RowKind::Space)).await.unwrap_err().code(), "store_closed");
}

#[test]
fn a_newer_database_is_left_alone() {
    let file = File::new();
    drop(file.open().unwrap());
    file.sql("PRAGMA user_version = 99");
    let before = std::fs::read(file.path()).unwrap();
    refused(file.open(), ErrorKind::NewerDatabase, "newer_database");
    assert!(std::fs::read(file.path()).unwrap() == before);
}

#[test]
fn another_programs_database_is_left_alone() {
    let file = File::new();
    file.sql("CREATE TABLE theirs (x)");
    let before = std::fs::read(file.path()).unwrap();
    refused(file.open(), ErrorKind::Store, "foreign_database");
    assert!(std::fs::read(file.path()).unwrap() == before);
    std::fs::write(file.path(), b"not a database, but a text of some length that nobody has asked for at all").unwrap();
    refused(file.open(), ErrorKind::Corrupt, "not_a_database");
}

#[test]
fn no_folder_and_no_file_name() {
    let file = File::new();
    for path in [Path::new("/nowhere/at/all/seam.db"), Path::new("/"), file.folder.path(), Path::new("")] {
        refused(SqliteStore::open(path, Arc::clone(&file.clock) as _), ErrorKind::Store, "database_cannot_open");
    }
}

#[test]
fn a_read_only_file() {
    use std::os::unix::fs::PermissionsExt;
    let file = File::new();
    drop(file.open().unwrap());
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(file.path()).is_ok() {
        // Root writes where it likes. Stand in for the file mode with SQLite's own.
        eprintln!("skipped: this user may write a read-only file; run as another user to see it refused");
        return;
    }
    refused(file.open(), ErrorKind::Store, "database_read_only");
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_what_was_written_stays() {
    let file = File::new();
    let store = file.open_with(SqliteOptions::new().max_pages(60)).unwrap();
    let w = World::new(Arc::new(store), Arc::clone(&file.clock));
    let mut stored = Vec::new();
    let error = loop {
        let row = w.row(space(Some(&format!("{}{:0>2000}", stored.len(), "")), &[]));
        match w.commit(w.set(vec![row.clone()])).await {
            Ok(_) => stored.push(row.id),
            Err(CommitError::Failed(e)) => break e,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!((error.kind(), error.code(), error.effect()), (ErrorKind::Store, "disk_full", Effect::Nothing));
    assert!(stored.len() > 3);
    let again = w.commit(w.set(vec![w.row(space(Some(&"y".repeat(2_000)), &[]))])).await;
    assert_eq!(failed(again).code(), "disk_full");
    let events = w.store.events(w.ws, 0, 1000).await.unwrap();
    assert_eq!(events.len(), stored.len());
    let ws = w.ws;
    drop(w);
    // With room again, everything goes on.
    let w = file.world();
    for id in &stored {
        assert!(w.get(ws, *id).await.is_some());
    }
    w.put_one(w.row(space(Some(&"y".repeat(2_000)), &[]))).await;
    let chain = w.store.audit(ws, 0, 1000).await.unwrap();
    assert_eq!(chain.len(), stored.len() + 1);
    assert_eq!(verify_audit(&chain, &audit_genesis(ws)), Ok(()));
}

#[tokio::test]
async fn a_database_locked_by_another_program() {
    let file = File::new();
    let store = file.open_with(SqliteOptions::new().busy_timeout(Duration::from_millis(50))).unwrap();
    let w = World::new(Arc::new(store), Arc::clone(&file.clock));
    let row = w.put_one(w.row(space(None, &[]))).await;
    let other = rusqlite::Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let e = failed(w.commit(w.set(vec![row.clone()])).await);
    assert_eq!((e.kind(), e.code(), e.effect()), (ErrorKind::Store, "database_locked", Effect::Nothing));
    assert!(e.retry_after().is_some());
    assert_eq!(w.get(w.ws, row.id).await.unwrap().version, 1, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    w.put_one(row).await;
}

#[tokio::test]
async fn what_another_program_writes_is_noticed() {
    let file = File::new();
    let w = file.world();
    let row = w.put_one(w.row(space(Some("gym"), &[]))).await;
    assert_eq!(w.find(w.ws, &Key::new(Index::SpaceKey, "gym")).await, [row.id]);
    let other = rusqlite::Connection::open(file.path()).unwrap();
    other.execute_batch("UPDATE row SET version = 7").unwrap();
    let stale = w.commit(w.set(vec![row.clone()])).await;
    assert!(matches!(stale, Err(CommitError::Conflict(seam_core::store::Conflict::Row(id))) if id == row.id));
    w.put_one(Row { version: 7, ..row }).await;
}

#[tokio::test]
async fn a_corrupted_row_is_told_and_hurts_nobody_else() {
    let file = File::new();
    let w = file.world();
    let rows = w.put(vec![w.row(space(Some("a"), &[])), w.row(space(Some("b"), &[]))]).await;
    let (ws, bad, good) = (w.ws, &rows[0], &rows[1]);
    drop(w);
    for damage in ["doc = x'7b22'", "doc = NULL || ''", "doc = '{\"no_such_kind\":{}}'", "version = 'x'", "version = -1"] {
        let Ok(()) = rusqlite::Connection::open(file.path()).unwrap().execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM row;
             UPDATE row SET {damage} WHERE id = (SELECT id FROM row ORDER BY id LIMIT 1)"
        )) else {
            continue;
        };
        let w = file.world();
        let what = ReadSet { rows: [bad.id].into(), ..ReadSet::default() };
        let e = w.store.read(ws, &what).await.unwrap_err();
        assert_eq!((e.kind(), e.code()), (ErrorKind::Corrupt, "stored_row_corrupt"), "{damage}");
        assert!(!e.to_string().contains("no_such_kind"), "an error holds no stored content");
        let write = failed(w.commit(w.set(vec![bad.clone()])).await);
        assert_eq!(write.kind(), ErrorKind::Corrupt, "{damage}");
        assert!(w.get(ws, good.id).await.is_some());
        w.put_one(w.row(space(None, &[]))).await;
        drop(w);
        file.sql(
            "UPDATE row SET (doc, version) = (SELECT doc, version FROM kept WHERE kept.id = row.id) WHERE id IN (SELECT id FROM kept)",
        );
    }
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let file = File::new();
    let w = file.world();
    for _ in 0..50 {
        w.put((0..10).map(|_| w.row(space(Some(&w.id().to_string()), &[]))).collect()).await;
    }
    let ws = w.ws;
    drop(w);
    let mut bytes = std::fs::read(file.path()).unwrap();
    for byte in bytes.iter_mut().skip(8_192) {
        *byte = 0xa5;
    }
    std::fs::write(file.path(), bytes).unwrap();
    let told = match file.open() {
        Err(e) => e,
        Ok(store) => store.list(ws, &seam_core::store::ListQuery::all(RowKind::Space)).await.unwrap_err(),
    };
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
}

#[tokio::test]
async fn rows_that_are_not_in_memory_are_found_before_they_are_written() {
    let file = File::new();
    let w = file.world();
    let row = w.put_one(w.row(space(Some("gym"), &[]))).await;
    drop(w);
    // Nothing is in memory now: the file's own constraints find both.
    let w = file.world();
    let (one, two) = (w.set(vec![Row { version: 0, ..row.clone() }]), w.set(vec![w.row(space(Some("gym"), &[]))]));
    let fresh = w.set(vec![Row { id: uuid::Uuid::max(), ..w.row(space(Some("new"), &[])) }]);
    let (one, two, fresh) = futures_util::future::join3(w.commit(one), w.commit(two), w.commit(fresh)).await;
    assert!(matches!(one, Err(CommitError::Conflict(seam_core::store::Conflict::Row(id))) if id == row.id), "{one:?}");
    assert!(matches!(two, Err(CommitError::Conflict(seam_core::store::Conflict::KeyTaken(_, id))) if id == row.id), "{two:?}");
    fresh.unwrap();
}

#[tokio::test]
async fn warm_reads_and_commits_do_not_touch_the_file() {
    let file = File::new();
    let store = Arc::new(file.open().unwrap());
    let w = World::new(Arc::clone(&store) as _, Arc::clone(&file.clock));
    let key = ClaimKey(w.id());
    let mut row = w.put_one(w.row(space(Some("gym"), &[]))).await;
    let near = Near { key, from: w.at(0), until: None };
    let what = ReadSet {
        rows: [row.id].into(),
        keys: [Key::new(Index::SpaceKey, "gym"), Key::new(Index::SpaceKey, "no")].into(),
        near: [near].into(),
    };
    store.read(w.ws, &what).await.unwrap();
    let before = store.stats();
    for _ in 0..100 {
        store.read(w.ws, &what).await.unwrap();
        row = w.put_one(row).await;
    }
    let after = store.stats();
    assert_eq!(after.file_reads, before.file_reads);
    assert_eq!((after.commits - before.commits, after.changesets - before.changesets, after.redone), (100, 100, 0));
}

#[tokio::test]
async fn a_panicking_decision_is_its_callers_alone() {
    struct Panics;
    impl seam_core::store::Decision for Panics {
        fn decide(&mut self, _: &Facts) -> Result<seam_core::store::Step, Error> {
            panic!("a bug of the caller")
        }
    }
    let file = File::new();
    let w = file.world();
    let put = w.set(vec![w.row(space(None, &[]))]);
    let (panicked, committed) = futures_util::future::join(w.store.transact(w.ws, Box::new(Panics)), w.commit(put)).await;
    assert!(matches!(panicked, Err(CommitError::Failed(e)) if e.code() == "decision_panicked"));
    committed.unwrap();
    w.put_one(w.row(space(None, &[]))).await;
}

#[tokio::test]
async fn a_decision_may_hold_the_last_handle() {
    struct Holds(#[expect(dead_code, reason = "held, not used")] Arc<SqliteStore>);
    impl seam_core::store::Decision for Holds {
        fn decide(&mut self, _: &Facts) -> Result<seam_core::store::Step, Error> {
            Ok(seam_core::store::Step::Nothing)
        }
    }
    let file = File::new();
    let store = Arc::new(file.open().unwrap());
    let (handle, task) = (Arc::clone(&store), Arc::clone(&store));
    let call = tokio::spawn(async move { task.transact(uuid::Uuid::nil().into(), Box::new(Holds(handle))).await.map(|_| ()) });
    drop(store);
    call.await.unwrap().unwrap();
    for _ in 0..200 {
        match file.open() {
            Ok(_) => return,
            Err(e) => assert_eq!(e.kind(), ErrorKind::InUse),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the file is still locked");
}

#[tokio::test]
async fn batches_share_a_transaction() {
    let file = File::new();
    let store = Arc::new(file.open().unwrap());
    let w = World::new(Arc::clone(&store) as _, Arc::clone(&file.clock));
    for _ in 0..10 {
        let sets: Vec<Changeset> = (0..64)
            .map(|_| {
                let id = w.id();
                Changeset { events: vec![event(id)], audit: audit_of(id), ..w.set(vec![w.row(space(None, &[]))]) }
            })
            .collect();
        for result in futures_util::future::join_all(sets.into_iter().map(|set| w.commit(set))).await {
            result.unwrap();
        }
    }
    let stats = store.stats();
    assert_eq!(stats.changesets, 640);
    assert!(stats.commits <= 60, "{stats:?}");
}

/// Holds the writer until it is let go: what is asked for meanwhile becomes one batch.
struct Gate(std::sync::mpsc::Receiver<()>);
impl Decision for Gate {
    fn decide(&mut self, _: &Facts) -> Result<Step, Error> {
        // Decided again when the batch is redone: by then nobody holds the other end.
        let _ = self.0.recv();
        Ok(Step::Nothing)
    }
}

/// Commits these in one transaction.
async fn together(w: &World, sets: Vec<Changeset>) -> Vec<Result<Committed, CommitError>> {
    let (go, gate) = std::sync::mpsc::channel();
    let commits = futures_util::future::join_all(sets.into_iter().map(|set| w.commit(set)));
    // Polled in this order, so that all have asked before it is let go.
    let held = w.store.transact(w.ws, Box::new(Gate(gate)));
    let (_, (answers, ())) = futures_util::future::join(held, futures_util::future::join(commits, async move { drop(go) })).await;
    answers
}

/// All that the file says of rows, keys, claims and commits, by ids.
fn tables(file: &File) -> Vec<(String, Vec<Vec<rusqlite::types::Value>>)> {
    let conn = rusqlite::Connection::open(file.path()).unwrap();
    let all = ["row", "uniq", "lookup", "claim", "log", "cursor", "workspace"].map(|table| {
        let mut select = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
        (table.to_owned(), rows.collect::<Result<Vec<_>, _>>().unwrap())
    });
    all.into()
}

#[tokio::test]
async fn a_conflict_that_only_the_file_finds_leaves_nothing_of_its_changeset_and_all_of_the_others() {
    let (file, alone) = (File::new(), File::new());
    let w = file.world();
    let gym = w.put_one(w.row(space(Some("gym"), &[]))).await;
    let old = w.put_one(w.row(space(None, &[]))).await;
    drop(w);
    std::fs::copy(file.path(), alone.path()).unwrap();
    // Nothing is in memory now.
    let store = Arc::new(file.open().unwrap());
    let w = World::new(Arc::clone(&store) as _, Arc::clone(&file.clock));
    let (door, key) = (w.id(), ClaimKey(w.id()));
    let claim = Claim { key, from: w.at(0), until: None, exclusive: true };
    let wished = |name: &str| vec![w.row(space(Some(name), &[w.id()])), w.row(held(w.id(), Vec::new()))];
    // What is wrong comes last, when the rest has been written.
    let taken = vec![w.row(space(Some("new"), &[door])), w.row(held(w.id(), vec![claim.clone()])), w.row(space(Some("gym"), &[door]))];
    let there = vec![w.row(space(Some("newer"), &[door])), w.row(held(w.id(), vec![claim])), Row { version: 0, ..old.clone() }];
    let sets = [wished("a"), taken, wished("b"), there, wished("c")].map(|put| w.set(put));
    let answers = together(&w, sets.to_vec()).await;
    for row in sets[1].put.iter().chain(&sets[3].put[..2]) {
        assert_eq!(w.get(w.ws, row.id).await, None);
    }
    assert!(w.find(w.ws, &Key::id(Index::SpacesWith, door)).await.is_empty());
    assert!(w.find(w.ws, &Key::new(Index::SpaceKey, "new")).await.is_empty());
    assert!(w.is_free(key, (5, None), 0, uuid::Uuid::nil()).await);
    assert!(matches!(&answers[1], Err(CommitError::Conflict(Conflict::KeyTaken(_, id))) if *id == gym.id), "{answers:?}");
    assert!(matches!(&answers[3], Err(CommitError::Conflict(Conflict::Row(id))) if *id == old.id), "{answers:?}");
    // The first four were written together, and the last by itself.
    assert_eq!(store.stats().redone, 1);
    assert_eq!([0, 2, 4].map(|n| answers[n].as_ref().unwrap().last_event), [3, 4, 5]);
    let asked = w.store.audit(w.ws, 5, 10).await.unwrap();
    drop((w, store));
    // The file is what it is when only the others are committed, one at a time, and then the question whether it is free.
    let w = alone.world();
    for n in [0, 2, 4] {
        w.commit(sets[n].clone()).await.unwrap();
    }
    let free = OnlyIf::Free { key, from: w.at(5), until: None, gap_seconds: 0, except: uuid::Uuid::nil() };
    let audit = asked[0].audit.clone();
    w.commit(Changeset { id: asked[0].changeset, events: Vec::new(), audit, ..w.set_if(vec![free], Vec::new()) }).await.unwrap();
    drop(w);
    assert_eq!(tables(&file), tables(&alone));
}

#[tokio::test]
async fn many_changesets_written_at_once_are_in_the_file_as_if_written_one_by_one() {
    let (file, alone) = (File::new(), File::new());
    let w = file.world();
    let gym = w.put_one(w.row(space(Some("gym"), &[]))).await;
    drop(w);
    std::fs::copy(file.path(), alone.path()).unwrap();
    let store = Arc::new(file.open().unwrap());
    let w = World::new(Arc::clone(&store) as _, Arc::clone(&file.clock));
    let (door, key) = (w.id(), ClaimKey(w.id()));
    let claim = |from| Claim { key, from: w.at(from), until: Some(w.at(from + 10)), exclusive: true };
    let fresh = |n: i64| vec![w.row(space(Some(&format!("new {n}")), &[door, w.id()])), w.row(held(w.id(), vec![claim(n * 100)]))];
    let mut puts: Vec<_> = (0..9).map(fresh).collect();
    // Rows that are new in the same batch are changed in it, and what they give up goes to others.
    let [first, holder] = [&puts[8][0], &puts[8][1]].map(Clone::clone);
    let taken = w.row(space(Some("new 8"), &[door]));
    puts.push(vec![Row { version: 1, body: space(None, &[]), ..first.clone() }]);
    puts.push(vec![taken.clone()]);
    puts.push(vec![Row { version: 1, body: held(w.id(), Vec::new()), ..holder }, w.row(held(w.id(), vec![claim(800)]))]);
    puts.push(vec![Row { body: space(None, &[door]), ..gym }]);
    puts.extend([vec![w.row(space(Some("gym"), &[]))], vec![Row { version: 2, body: space(Some("last"), &[door]), ..first }]]);
    let sets: Vec<_> = puts.into_iter().map(|put| w.set(put)).collect();
    for answer in together(&w, sets.clone()).await {
        answer.unwrap();
    }
    assert_eq!((store.stats().commits, store.stats().redone), (1, 0));
    assert_eq!(w.find(w.ws, &Key::new(Index::SpaceKey, "new 8")).await, [taken.id]);
    drop((w, store));
    let w = alone.world();
    for set in sets {
        w.commit(set).await.unwrap();
    }
    drop(w);
    assert_eq!(tables(&file), tables(&alone));
}

#[tokio::test]
async fn a_batch_that_fails_is_told_to_all_its_callers_and_nothing_of_it_is_seen() {
    let file = File::new();
    let w = file.world();
    let (door, key) = (w.id(), ClaimKey(w.id()));
    let [late, early] = [(1_000, 2_000), (0, 10)].map(|(from, until)| {
        let claim = Claim { key, from: w.at(from), until: Some(w.at(until)), exclusive: true };
        held(w.id(), vec![claim])
    });
    let old = w.put(vec![w.row(space(None, &[door])), w.row(late)]).await;
    drop(w);
    let before = tables(&file);
    let store = Arc::new(file.open_with(SqliteOptions::new().max_pages(90)).unwrap());
    let w = World::new(Arc::clone(&store) as _, Arc::clone(&file.clock));
    let writes = w.set(vec![w.row(space(Some("new"), &[door])), w.row(early), old[0].clone()]);
    let new = writes.put[0].id;
    // It makes the writer read what the first has written of the key and of the claims.
    let listed = OnlyIf::Listed { key: Key::id(Index::SpacesWith, door), rows: vec![old[0].id, new] };
    let free = OnlyIf::Free { key, from: w.at(20), until: Some(w.at(30)), gap_seconds: 0, except: uuid::Uuid::nil() };
    let reads = w.set_if(vec![listed, free], vec![w.row(space(Some("newer"), &[]))]);
    let huge = w.set((0..90).map(|n| w.row(space(Some(&format!("{n}{:0>2000}", "")), &[]))).collect());
    let ids: Vec<_> = [&writes, &reads, &huge].iter().flat_map(|set| set.put.iter().map(|row| row.id)).collect();
    for answer in together(&w, vec![writes.clone(), reads, huge]).await {
        let e = failed(answer);
        assert_eq!((e.code(), e.effect()), ("disk_full", Effect::Nothing));
    }
    assert_eq!((store.stats().commits, store.stats().changesets), (0, 0));
    for id in ids {
        assert_eq!(w.get(w.ws, id).await.map(|row| row.version), old.iter().find(|row| row.id == id).map(|row| row.version));
    }
    assert_eq!(w.find(w.ws, &Key::id(Index::SpacesWith, door)).await, [old[0].id]);
    assert!(w.find(w.ws, &Key::new(Index::SpaceKey, "new")).await.is_empty());
    let near = Near { key, from: w.at(0), until: None };
    let seen = w.store.read(w.ws, &ReadSet { near: [near.clone()].into(), ..ReadSet::default() }).await.unwrap();
    assert_eq!(seen.near[&near].iter().map(|c| c.row).collect::<Vec<_>>(), [old[1].id]);
    assert_eq!(w.store.outcome(w.ws, writes.id).await.unwrap(), None);
    assert_eq!(w.store.events(w.ws, 0, 10).await.unwrap().len(), 1);
    assert_eq!(w.store.audit(w.ws, 0, 10).await.unwrap().len(), 1);
    let same = tables(&file);
    assert!(before == same, "the file has changed: {:?}", same.iter().map(|(name, rows)| (name, rows.len())).collect::<Vec<_>>());
    // The window is free, and everything goes on.
    let free = OnlyIf::Free { key, from: w.at(0), until: Some(w.at(10)), gap_seconds: 0, except: uuid::Uuid::nil() };
    w.commit(w.set_if(vec![free], vec![old[0].clone()])).await.unwrap();
    let chain = w.store.audit(w.ws, 0, 10).await.unwrap();
    assert_eq!((chain.len(), verify_audit(&chain, &audit_genesis(w.ws))), (2, Ok(())));
}
