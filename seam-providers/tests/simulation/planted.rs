//! The check of the net itself: for each safety rule a bug is planted that breaks it, and the simulation must find it.
//!
//! Which seed finds which bug, and by which invariant, is said in `docs/planted-bugs.md`. `SEAM_SIM_PLANT=write` looks for the seeds anew, among
//! the first 2,000, and writes that table; `SEAM_SIM_PLANT=SettledForLatest` does so for one bug and prints what was found.
use crate::run::{run, setup};
use seam_core::planted::{Bug, plant};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/planted-bugs.md");
/// The rows of the table follow this line.
const HEAD: &str = "| bug | what is wrong | seed | found by |\n| --- | --- | --- | --- |\n";

/// Where a bug is found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    seed: u64,
    /// The label of the invariant that it breaks.
    by: String,
}

/// Plants a bug on this thread, for as long as this lives. A simulated house lives on one thread.
struct Planted;

impl Planted {
    fn new(bug: Bug) -> Self {
        plant(Some(bug));
        Self
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        plant(None);
    }
}

/// The label of the invariant that a seed breaks, and how; `None` when all hold.
fn broken(seed: u64, bug: Option<Bug>) -> Option<(String, String)> {
    let _planted = bug.map(Planted::new);
    let wrong = run(setup(seed, false)).wrong?;
    Some((wrong.split(':').next().unwrap_or_default().to_owned(), wrong))
}

fn search(bug: Bug, seeds: u64) -> Option<Found> {
    (crate::first()..seeds).find_map(|seed| {
        let (by, wrong) = broken(seed, Some(bug))?;
        let short: String = wrong.chars().take(300).collect();
        println!("{bug:?}: seed {seed}: {short}");
        Some(Found { seed, by })
    })
}

/// Does something for all bugs, on two threads.
fn for_all<T: Send>(work: impl Fn(Bug) -> T + Sync) -> Vec<(Bug, T)> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(Bug, T)>> = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let result = work(*bug);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*bug, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(bug, _)| *bug);
    done
}

/// The rows of the table by the name of the bug: what is wrong, and where it is found.
fn rows() -> BTreeMap<String, (String, Found)> {
    let text = std::fs::read_to_string(TABLE).unwrap_or_default();
    let (_, rows) = text.split_once(HEAD).unwrap_or_default();
    let cells = rows.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let row = |line: &str| {
        let [bug, what, seed, by] = line.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let found = Found { seed: str::parse(seed).ok()?, by: str::to_owned(by) };
        Some((str::to_owned(bug).trim_matches('`').to_owned(), (str::to_owned(what), found)))
    };
    cells.filter_map(row).collect()
}

fn write() {
    let found = for_all(|bug| search(bug, 2000));
    let mut table = HEAD.to_owned();
    for (bug, found) in &found {
        let (seed, by) = found.as_ref().map_or(("none".to_owned(), "nothing"), |f| (f.seed.to_string(), f.by.as_str()));
        let _ = writeln!(table, "| `{bug:?}` | {} | {seed} | {by} |", bug.what());
    }
    let text = std::fs::read_to_string(TABLE).unwrap_or_default();
    let before = text.split_once(HEAD).map_or(text.as_str(), |(before, _)| before);
    if let Err(e) = std::fs::write(TABLE, format!("{before}{table}")) {
        panic!("{TABLE}: {e}");
    }
    let not: Vec<Bug> = found.iter().filter(|(_, f)| f.is_none()).map(|(bug, _)| *bug).collect();
    assert!(not.is_empty(), "no seed finds {not:?}");
}

/// What is wrong with a bug's row; `None` when the bug is found as the row says, and only when it is planted.
fn amiss(bug: Bug, row: Option<&(String, Found)>) -> Option<String> {
    let Some((what, found)) = row else { return Some("it has no row in the table".to_owned()) };
    if what != bug.what() {
        return Some(format!("the table says that {what:?}, the code {:?}", bug.what()));
    }
    match broken(found.seed, Some(bug)) {
        None => return Some(format!("seed {} does not find it any more", found.seed)),
        Some((by, wrong)) if by != found.by => return Some(format!("seed {} finds it by {by}, not by {}: {wrong}", found.seed, found.by)),
        Some(_) => {}
    }
    let (by, wrong) = broken(found.seed, None)?;
    Some(format!("seed {} breaks {by} without it: {wrong}", found.seed))
}

#[test]
fn every_planted_bug_is_found_by_the_invariant_that_its_row_names() {
    match std::env::var("SEAM_SIM_PLANT").ok().as_deref() {
        None => {}
        Some("write") => return write(),
        Some(name) => {
            for bug in Bug::ALL.iter().filter(|bug| format!("{bug:?}") == name) {
                println!("{bug:?}: {:?}", search(*bug, 2000));
            }
            return;
        }
    }
    let rows = rows();
    let amiss = for_all(|bug| amiss(bug, rows.get(&format!("{bug:?}"))));
    let amiss: Vec<String> = amiss.into_iter().filter_map(|(bug, amiss)| Some(format!("{bug:?}: {}", amiss?))).collect();
    assert!(amiss.is_empty(), "SEAM_SIM_PLANT=write looks for the seeds anew\n{}", amiss.join("\n"));
    let known: Vec<String> = Bug::ALL.iter().map(|bug| format!("{bug:?}")).collect();
    let unknown: Vec<&String> = rows.keys().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "the table names bugs that are not there: {unknown:?}");
    assert!(Bug::ALL.len() >= 20);
}
