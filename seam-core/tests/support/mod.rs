//! A child process that commits under load, and what its parent checks afterwards.
#![allow(dead_code, reason = "each test binary uses a part")]
pub(crate) mod disk;

use seam_core::Effect;
use seam_core::clock::{Clock, SystemClock};
use seam_core::conformance::store::{Random, audit_of, event, held, space, target};
use seam_core::model::WorkspaceId;
use seam_core::state::*;
use seam_core::store::{
    CommitError, Decision, ListQuery, SqliteOptions, SqliteStore, Step, Store, audit_genesis, verify_audit, verify_told,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use uuid::Uuid;

/// Whether a missing part fails the run instead of being skipped.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|v| !v.is_empty())
}

/// A number from the environment.
pub(crate) fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(or)
}

pub(crate) fn workspace() -> WorkspaceId {
    Uuid::from_u128(0xa).into()
}

const HOT: Uuid = Uuid::from_u128(0x4074);

/// This test binary again, as a child that runs only the test `child`.
pub(crate) fn new_child(file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1", "--quiet"]).env("SEAM_CHILD_FILE", file);
    command
}

/// What the child does, if this process is one: commits from many callers at once, and says after each commit what it was.
pub(crate) fn run_child(say: impl Fn(&str) + Send + Sync + 'static) {
    let Some(file) = std::env::var_os("SEAM_CHILD_FILE") else { return };
    let callers = number("SEAM_CHILD_CALLERS", 16);
    let commits = number("SEAM_CHILD_COMMITS", u64::MAX);
    let mut options = SqliteOptions::new().checkpoint_bytes(number("SEAM_CHILD_CHECKPOINT", 32 << 20));
    if number("SEAM_CHILD_UNSYNCED", 0) == 1 {
        options = options.unsynced();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let say = Arc::new(say);
    runtime.block_on(async move {
        let store = match SqliteStore::open_with(file, Arc::new(SystemClock), options) {
            Ok(store) => Arc::new(store),
            Err(e) => return say(&format!("not opened: {} {:?}\n", e.code(), e.effect())),
        };
        if number("SEAM_CHILD_AGAIN", 0) == 0 {
            let hot = Row { id: HOT, workspace: workspace(), version: 0, body: space(None, &[]) };
            match store.commit(set(Uuid::from_u128(1), vec![hot], 0)).await {
                Ok(_) | Err(CommitError::Conflict(_)) => {}
                Err(e) => say(&failure(Uuid::from_u128(1), &e)),
            }
        }
        let left = Arc::new(AtomicU64::new(commits));
        let found = if number("SEAM_CHILD_AGAIN", 0) == 1 { found(&store).await } else { Vec::new() };
        let mut tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let known = found.iter().skip(caller as usize).step_by(callers as usize).cloned().collect();
                tokio::spawn(call(Arc::clone(&store), caller, known, Arc::clone(&left), Arc::clone(&say)))
            })
            .collect();
        if number("SEAM_CHILD_WATCH", 0) == 1 {
            tasks.push(tokio::spawn(watch(Arc::clone(&store), Arc::clone(&left), Arc::clone(&say))));
        }
        for task in tasks {
            task.await.unwrap();
        }
        say(&format!("stats {:?}\n", store.stats()));
        store.close().await;
    });
}

/// How a failed commit is told.
fn failure(name: Uuid, e: &CommitError) -> String {
    match e {
        CommitError::Failed(e) if e.effect() == Effect::Nothing => format!("failed {name} {}\n", e.code()),
        CommitError::Failed(e) => format!("doubt {name} {}\n", e.code()),
        CommitError::InDoubt(id) => format!("doubt {}\n", id.uuid()),
        CommitError::Conflict(conflict) => format!("conflict {name} {conflict:?}\n"),
    }
}

fn set(id: Uuid, put: Vec<Row>, events: u64) -> Changeset {
    let events = (0..events).map(|n| event(Uuid::from_u128(id.as_u128() + 1 + u128::from(n)))).collect();
    Changeset { id: id.into(), workspace: workspace(), only_if: Vec::new(), put, events, audit: audit_of(id) }
}

/// The rows that an earlier child wrote, but for the one that everybody writes.
async fn found(store: &SqliteStore) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [RowKind::Space, RowKind::Unmanaged, RowKind::Target] {
        rows.extend(store.list(workspace(), &ListQuery::all(kind)).await.unwrap_or_default());
    }
    rows.iter().filter(|row| row.id != HOT).map(|row| Row::clone(row)).collect()
}

/// Says, as soon as a reader can see it, in which version the row is that everybody writes.
async fn watch(store: Arc<SqliteStore>, left: Arc<AtomicU64>, say: Arc<impl Fn(&str) + Send + Sync + 'static>) {
    let what = ReadSet { rows: [HOT].into(), ..ReadSet::default() };
    let mut last = 0;
    while left.load(Relaxed) > 0 {
        let Ok(facts) = store.read(workspace(), &what).await else { return };
        let version = facts.rows[&HOT].as_ref().map_or(0, |row| row.version);
        if version != last {
            say(&format!("saw {HOT} {version}\n"));
            last = version;
        }
        tokio::task::yield_now().await;
    }
}

/// Whether the caller of a failed commit goes on: nothing was written, and nothing of it may be seen.
async fn goes_on(store: &SqliteStore, name: Uuid, put: &[Row], e: &CommitError, say: &impl Fn(&str)) -> bool {
    say(&failure(name, e));
    let nothing_written = matches!(e, CommitError::Failed(e) if e.effect() == Effect::Nothing);
    if nothing_written {
        let what = ReadSet { rows: put.iter().map(|row| row.id).collect(), ..ReadSet::default() };
        // A disk that fails may fail here too.
        if let Ok(facts) = store.read(workspace(), &what).await
            && put.iter().any(|row| facts.rows[&row.id].as_ref().map_or(0, |stored| stored.version) != row.version)
        {
            say(&format!("seen {name}\n"));
        }
        if let Ok(Some(_)) = store.outcome(workspace(), name.into()).await {
            say(&format!("seen {name}\n"));
        }
    }
    nothing_written
}

/// Commits changesets, of rows that nobody else writes: those that are `known`, and new ones.
async fn call(
    store: Arc<SqliteStore>,
    caller: u64,
    mut known: Vec<Row>,
    left: Arc<AtomicU64>,
    say: Arc<impl Fn(&str) + Send + Sync + 'static>,
) {
    let start = SystemClock.now();
    let base = start.timestamp_micros().unsigned_abs();
    let mut random = Random(base ^ (caller << 32));
    let mut count = 0;
    let mut id = || {
        count += 1;
        Uuid::from_u128((u128::from(base + count) << 80) | 0x7000_8000_0000_0000_0000 | u128::from(caller << 16))
    };
    while left.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)).is_ok() {
        let name = id();
        if random.one_in(16) {
            let decision = Box::new(Join { set: set(name, Vec::new(), 1), version: 0 });
            match store.transact(workspace(), decision).await {
                Ok(_) => say(&format!("ack {name} {HOT} 0\n")),
                Err(e) if goes_on(&store, name, &[], &e, &*say).await => {}
                Err(_) => return,
            }
            continue;
        }
        let mut put = Vec::new();
        if !known.is_empty() && random.one_in(2) {
            put.push(known[random.below(known.len() as u64) as usize].clone());
        }
        for _ in 0..random.below(3) {
            let row = id();
            let key = ClaimKey(Uuid::from_u128(u128::from(random.below(50))));
            let body = match random.below(3) {
                0 => space(Some(&row.to_string()), &[Uuid::from_u128(7)]),
                1 => held(row, vec![Claim { key, from: start, until: None, exclusive: false }]),
                _ => target(&Channel::new("sandbox", &format!("c{}", random.below(9))), Some(start), false),
            };
            put.push(Row { id: row, workspace: workspace(), version: 0, body });
        }
        let mut set = set(name, put.clone(), random.below(4));
        set.only_if.push(OnlyIf::Unchanged { row: id(), version: 0 });
        match store.commit(set).await {
            Ok(_) => {}
            Err(e) if goes_on(&store, name, &put, &e, &*say).await => continue,
            Err(_) => return,
        }
        say(&format!("ack {name}{}\n", put.iter().map(|r| format!(" {} {}", r.id, r.version + 1)).collect::<String>()));
        for row in put {
            known.retain(|k| k.id != row.id);
            known.push(Row { version: row.version + 1, ..row });
        }
    }
}

/// Adds a member to the one row that everybody writes.
struct Join {
    set: Changeset,
    version: u64,
}

impl Decision for Join {
    fn decide(&mut self, facts: &Facts) -> seam_core::Result<Step> {
        let Some(row) = facts.rows.get(&HOT) else {
            return Ok(Step::Need(ReadSet { rows: [HOT].into(), ..ReadSet::default() }));
        };
        let mut row = Row::clone(row.as_ref().unwrap());
        self.version = row.version + 1;
        if let Body::Space(space) = &mut row.body {
            space.entrances.truncate(20);
            space.entrances.push(self.set.id.uuid().into());
        }
        Ok(Step::Done(Box::new(Changeset { put: vec![row], ..self.set.clone() })))
    }
}

/// A commit that the child was told is durable, or what it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Acked {
    /// `None` for what was shown.
    pub(crate) changeset: Option<Uuid>,
    pub(crate) rows: Vec<(RowId, u64)>,
}

/// The commits in what the child said, and what it was shown. A last line that was cut off was not said.
pub(crate) fn acked(said: &str) -> Vec<Acked> {
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    let lines = whole.lines().filter_map(|line| line.split_once(' ')).filter(|(what, _)| matches!(*what, "ack" | "saw"));
    lines
        .map(|(what, line)| {
            let mut words = line.split(' ');
            let changeset = (what == "ack").then(|| words.next().unwrap().parse().unwrap());
            let mut rows = Vec::new();
            while let Some(row) = words.next() {
                rows.push((row.parse().unwrap(), words.next().unwrap().parse().unwrap()));
            }
            Acked { changeset, rows }
        })
        .collect()
}

/// The commits of which the child was told that nothing was written.
pub(crate) fn failed(said: &str) -> Vec<Uuid> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("failed "));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// Up to where a file was checked before.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) seq: u64,
    pub(crate) hash: String,
    pub(crate) event: u64,
}

impl Default for Checked {
    fn default() -> Self {
        Self { seq: 0, hash: audit_genesis(workspace()), event: 0 }
    }
}

/// What was lost, or how the file is broken.
pub(crate) async fn check(file: &Path, acked: &[Acked], never: &[Uuid], from: &Checked) -> Result<Checked, String> {
    let store = SqliteStore::open(file, Arc::new(SystemClock)).map_err(|e| format!("does not open: {e}"))?;
    let ws = workspace();
    let failed = |e: seam_core::Error| format!("cannot be read: {e}");
    let chain = store.audit(ws, from.seq, usize::MAX).await.map_err(failed)?;
    if chain.first().is_some_and(|first| first.seq != from.seq + 1) {
        return Err(format!("the audit chain goes on at {} after {}", chain[0].seq, from.seq));
    }
    verify_audit(&chain, &from.hash).map_err(|seq| format!("the audit chain does not verify at {seq}"))?;
    let events = store.events(ws, from.event, usize::MAX).await.map_err(failed)?;
    if !events.iter().zip(from.event + 1..).all(|(e, seq)| e.seq == seq) {
        return Err("the events have a gap".to_owned());
    }
    let mut told = from.event;
    let mut wrote = BTreeMap::new();
    for entry in &chain {
        let (a, b) = ((told - from.event) as usize, (entry.last_event - from.event) as usize);
        if !events.get(a..b).is_some_and(|events| verify_told(entry, events)) {
            return Err(format!("commit {} did not tell these events", entry.seq));
        }
        told = entry.last_event;
        wrote.insert(entry.changeset.uuid(), entry);
    }
    let lost = acked.iter().filter(|a| a.changeset.is_some_and(|id| !wrote.contains_key(&id))).count();
    if lost > 0 {
        return Err(format!("{lost} of {} acknowledged commits are lost", acked.len()));
    }
    if let Some(id) = never.iter().find(|id| wrote.contains_key(*id)) {
        return Err(format!("commit {id} was written although its caller was told that nothing was"));
    }
    let rows: BTreeMap<RowId, u64> = acked.iter().flat_map(|a| a.rows.iter().copied()).fold(BTreeMap::new(), |mut rows, (id, version)| {
        let known = rows.entry(id).or_insert(0);
        *known = version.max(*known);
        rows
    });
    let what = ReadSet { rows: rows.keys().copied().collect(), ..ReadSet::default() };
    let facts = store.read(ws, &what).await.map_err(failed)?;
    for (id, version) in rows {
        let stored = facts.rows[&id].as_ref().map_or(0, |row| row.version);
        if stored < version.max(1) {
            return Err(format!("row {id} is in version {stored}, not {version}"));
        }
    }
    let head = chain.last().map_or_else(|| from.clone(), |e| Checked { seq: e.seq, hash: e.hash.clone(), event: e.last_event });
    store.close().await;
    Ok(head)
}

/// SQLite's own opinion of the file.
pub(crate) fn integrity(file: &Path) -> Result<(), String> {
    let conn = rusqlite::Connection::open(file).map_err(|e| e.to_string())?;
    let answer: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|e| e.to_string())?;
    if answer == "ok" { Ok(()) } else { Err(answer) }
}
