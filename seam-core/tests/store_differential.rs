//! Random changesets against both stores: equal answers, equal state, also when the SQLite file is closed and opened in between.
#![cfg(all(feature = "conformance", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic with its line")]
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::ManualClock;
use seam_core::conformance::store::{Random, World, event, held, space, system, target};
use seam_core::model::WorkspaceId;
use seam_core::state::*;
use seam_core::store::{CanServe, CommitError, ListQuery, MemoryStore, SqliteOptions, SqliteStore, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const KINDS: [RowKind; 4] = [RowKind::Space, RowKind::System, RowKind::Unmanaged, RowKind::Target];

/// The rows as the script knows them, perhaps not up to date, so that some of its changesets conflict.
struct Script {
    random: Random,
    known: BTreeMap<RowId, Row>,
    start: DateTime<Utc>,
}

fn key(n: u64) -> ClaimKey {
    ClaimKey(Uuid::from_u128(0xc1a1_0000 + u128::from(n)))
}

fn door(n: u64) -> Uuid {
    Uuid::from_u128(0xd00d_0000_0000_0000 + u128::from(n))
}

impl Script {
    fn at(&mut self, below: i64) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds(self.random.between(0, below * 1000))
    }

    fn body(&mut self, like: Option<&Body>) -> Body {
        match like.map_or(self.random.below(4), |b| KINDS.iter().position(|k| *k == b.kind()).unwrap_or(0) as u64) {
            0 => {
                let name = format!("k{}", self.random.below(12));
                let doors: Vec<Uuid> = (0..self.random.below(3)).map(|_| door(self.random.below(4))).collect();
                space((!self.random.one_in(3)).then_some(name.as_str()), &doors)
            }
            1 => system(&format!("f{}", self.random.below(6)), door(9)),
            2 => {
                let claims = (0..self.random.below(4)).map(|_| {
                    let from = self.at(500);
                    let until = (!self.random.one_in(6)).then(|| from + TimeDelta::seconds(self.random.between(-1, 60)));
                    Claim { key: key(self.random.below(3)), from, until, exclusive: self.random.one_in(2) }
                });
                let claims = claims.collect();
                held(door(self.random.draw()), claims)
            }
            _ => {
                let due = (!self.random.one_in(3)).then(|| self.at(400));
                let name = format!("c{}", self.random.below(4));
                target(&Channel::new("sandbox", &name), due, self.random.one_in(3))
            }
        }
    }

    fn condition(&mut self) -> OnlyIf {
        let known: Vec<(RowId, u64)> = self.known.values().map(|r| (r.id, r.version)).collect();
        match self.random.below(3) {
            0 if !known.is_empty() => {
                let (row, version) = known[self.random.below(known.len() as u64) as usize];
                OnlyIf::Unchanged { row, version: if self.random.one_in(8) { version + 1 } else { version } }
            }
            1 => {
                let key = Key::id(Index::SpacesWith, door(self.random.below(4)));
                let mut rows: Vec<RowId> =
                    self.known.values().filter(|r| r.body.lookups().contains(&key) && r.workspace == ws(0)).map(|r| r.id).collect();
                if self.random.one_in(6) {
                    rows.pop();
                }
                OnlyIf::Listed { key, rows }
            }
            _ => {
                let from = self.at(500);
                let until = (!self.random.one_in(8)).then(|| from + TimeDelta::seconds(self.random.between(0, 30)));
                let except = known.first().map_or(Uuid::nil(), |k| k.0);
                OnlyIf::Free { key: key(self.random.below(3)), from, until, gap_seconds: self.random.between(0, 9), except }
            }
        }
    }

    fn changeset(&mut self, w: &World) -> Changeset {
        let workspace = ws(self.random.below(4).saturating_sub(2));
        let mut put = Vec::new();
        for _ in 0..self.random.below(4) {
            let old = (!self.known.is_empty() && !self.random.one_in(3)).then(|| {
                let n = self.random.below(self.known.len() as u64) as usize;
                self.known.values().nth(n).cloned().unwrap()
            });
            let body = self.body(old.as_ref().map(|r| &r.body));
            let mut row = old.unwrap_or_else(|| Row { workspace, ..w.row(body.clone()) });
            row.body = body;
            if self.random.one_in(20) {
                row.version = self.random.below(3);
            }
            if row.workspace == workspace && put.iter().all(|r: &Row| r.id != row.id) {
                put.push(row);
            }
        }
        let only_if = (0..self.random.below(3)).map(|_| self.condition()).collect();
        let mut set = w.set_if(only_if, put);
        set.events = (0..self.random.below(3)).map(|_| event(w.id())).collect();
        set.workspace = workspace;
        set
    }
}

fn ws(n: u64) -> WorkspaceId {
    Uuid::from_u128(0xa + u128::from(n)).into()
}

fn plain(result: Result<seam_core::store::Committed, CommitError>) -> String {
    match result {
        Ok(committed) => format!("{committed:?}"),
        Err(CommitError::Conflict(conflict)) => format!("{conflict:?}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// All that can be seen of a store.
async fn all(store: &dyn Store, start: DateTime<Utc>) -> Vec<String> {
    let mut seen = vec![format!("{:?}", store.workspaces().await.unwrap())];
    for workspace in [ws(0), ws(1)] {
        for kind in KINDS {
            let rows = store.list(workspace, &ListQuery { limit: 100_000, ..ListQuery::all(kind) }).await.unwrap();
            seen.extend(rows.iter().map(|row| format!("{row:?}")));
        }
        seen.extend(store.events(workspace, 0, 100_000).await.unwrap().iter().map(|e| format!("{e:?}")));
        seen.extend(store.audit(workspace, 0, 100_000).await.unwrap().iter().map(|e| format!("{e:?}")));
        let keys = (0..12).map(|n| Key::new(Index::SpaceKey, format!("k{n}")));
        let doors = (0..4).map(|n| Key::id(Index::SpacesWith, door(n)));
        let prints = (0..6).map(|n| Key::new(Index::Fingerprint, format!("f{n}")));
        let near = (0..30).map(|n| {
            let from = start + TimeDelta::seconds(n * 17);
            Near { key: key(n as u64 % 3), from, until: (n % 5 != 0).then(|| from + TimeDelta::seconds(n * 3)) }
        });
        let what = ReadSet { rows: [].into(), keys: keys.chain(doors).chain(prints).collect(), near: near.collect() };
        seen.push(format!("{:?}", store.read(workspace, &what).await.unwrap()));
    }
    let can = CanServe { kinds: ["sandbox".to_owned()].into(), ..Default::default() };
    seen.push(format!("{:?}", store.next_due(&can).await.unwrap()));
    seen
}

fn open(path: &Path, clock: &Arc<ManualClock>, rows: usize) -> SqliteStore {
    SqliteStore::open_with(path, Arc::clone(clock) as _, SqliteOptions::new().rows_in_memory(rows)).unwrap()
}

async fn compare(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seam.db");
    let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let rows = if seed.is_multiple_of(2) { 16 } else { 10_000 };
    let mut sqlite = open(&path, &clock, rows);
    let w = World::new(Arc::clone(&memory), Arc::clone(&clock));
    let mut script = Script { random: Random(seed), known: BTreeMap::new(), start };
    let mut applied = 0;
    for step in 0..150 {
        let together: Vec<Changeset> = (0..script.random.between(1, 6)).map(|_| script.changeset(&w)).collect();
        let in_memory = futures_util::future::join_all(together.iter().map(|set| memory.commit(set.clone()))).await;
        let in_file = futures_util::future::join_all(together.iter().map(|set| sqlite.commit(set.clone()))).await;
        for ((set, a), b) in together.into_iter().zip(in_memory).zip(in_file) {
            let ok = a.is_ok();
            assert_eq!(plain(a), plain(b), "seed {seed}, step {step}: {set:?}");
            if ok {
                applied += 1;
                // Now and then the script misses what happened.
                if !script.random.one_in(10) {
                    script.known.extend(set.put.into_iter().map(|row| (row.id, Row { version: row.version + 1, ..row })));
                }
            }
        }
        if step % 50 == 25 {
            let before = all(&sqlite, start).await;
            assert_eq!(before, all(&*memory, start).await, "seed {seed}, step {step}");
            drop(sqlite);
            sqlite = open(&path, &clock, rows);
            assert_eq!(before, all(&sqlite, start).await, "seed {seed}, step {step}, opened again");
        }
    }
    assert_eq!(all(&sqlite, start).await, all(&*memory, start).await, "seed {seed}");
    assert!(applied > 60, "seed {seed}: only {applied} changesets fit");
}

#[tokio::test]
async fn both_stores_answer_alike() {
    let seeds = std::env::var("SEAM_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(12);
    for seed in 0..seeds {
        compare(seed).await;
    }
}
