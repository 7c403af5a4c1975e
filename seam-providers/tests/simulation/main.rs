//! The proof by simulation: a seed draws people, faults and the order of everything; the invariants hold after each step.
//!
//! `SEAM_SIM_SEEDS` says how many seeds are run, `SEAM_SIM_FROM` which is the first, and `SEAM_SIM_SEED` replays one and prints its trace. The
//! labels are those of CONTRIBUTING: S safety, L liveness, M model.
mod clock;
mod crash;
mod desk;
mod disk;
mod edges;
mod epilogue;
mod exec;
mod faults;
mod hooks;
mod house;
mod judge;
mod ledger;
mod planted;
mod rng;
mod run;
mod script;
mod settle;
mod trouble;
mod watch;

use run::{Ran, run, setup};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many seeds a whole check runs.
const MANY: u64 = 2000;

fn seeds() -> u64 {
    let asked = std::env::var("SEAM_SIM_SEEDS").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(if std::env::var_os("CI").is_some() { MANY } else { 200 })
}

fn first() -> u64 {
    std::env::var("SEAM_SIM_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn replayed() -> Option<u64> {
    std::env::var("SEAM_SIM_SEED").ok()?.parse().ok()
}

/// All seeds, on two threads, each with a world of its own.
#[test]
fn every_invariant_holds_for_every_seed() {
    if let Some(seed) = replayed() {
        let ran = run(setup(seed, true));
        ran.trace.iter().for_each(|line| println!("{line}"));
        assert!(ran.wrong.is_none(), "seed {seed}: {}", ran.wrong.unwrap_or_default());
        println!("{ran}");
        return;
    }
    let (all, next) = (first() + seeds(), AtomicU64::new(first()));
    let failed: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    let sum: Mutex<Ran> = Mutex::new(Ran::default());
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let many = failed.lock().unwrap_or_else(PoisonError::into_inner).len() >= 60;
                    if seed >= all || many {
                        return;
                    }
                    let ran = run(setup(seed, false));
                    if let Some(wrong) = &ran.wrong {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push((seed, wrong.clone()));
                    }
                    sum.lock().unwrap_or_else(PoisonError::into_inner).add(&ran);
                }
            });
        }
    });
    println!("{} seeds: {}", seeds(), sum.into_inner().unwrap_or_default());
    let mut failed = failed.into_inner().unwrap_or_default();
    failed.sort();
    for (seed, wrong) in &failed {
        println!("seed {seed}: {wrong}");
    }
    let first = failed.first().map(|(seed, _)| *seed).unwrap_or_default();
    assert!(failed.is_empty(), "replay with SEAM_SIM_SEED={first} cargo test -p seam-providers --all-features --test simulation");
}

/// S5: a crash before and after every call of the store and of providers, in every flow.
#[test]
fn a_crash_at_every_step_loses_doubles_and_leaves_nothing() {
    crash_at_every_step(false, 1);
}

/// The same on SQLite: whoever comes after the crash knows what is in the file, and nothing else. `SEAM_SIM_CRASHES_ON_DISK=all` takes every
/// step; otherwise one in three, so that it lasts less than a minute.
#[test]
fn a_crash_at_every_step_leaves_a_file_that_says_all() {
    let all = std::env::var("SEAM_SIM_CRASHES_ON_DISK").is_ok_and(|which| which == "all");
    crash_at_every_step(true, if all { 1 } else { 3 });
}

fn crash_at_every_step(disk: bool, one_in: usize) {
    if replayed().is_some() {
        return;
    }
    let failed: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let runs = AtomicU64::new(0);
    let each = |flow: crash::Flow, at: &[u64]| {
        runs.fetch_add(1, Ordering::SeqCst);
        if let Err(wrong) = crash::crash(flow, disk, at) {
            failed.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{flow:?} {at:?}: {wrong}"));
        }
    };
    let next = AtomicU64::new(0);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while let Some(flow) = crash::FLOWS.get(usize::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap_or(usize::MAX)) {
                    let points = match crash::crash(*flow, disk, &[]) {
                        Ok(points) => points,
                        Err(wrong) => {
                            failed.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{flow:?} without a crash: {wrong}"));
                            continue;
                        }
                    };
                    for point in (1..=points).step_by(one_in) {
                        each(*flow, &[point]);
                    }
                    println!("{flow:?}: {points} points");
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    println!("{} runs with a crash, {} failed", runs.into_inner(), failed.len());
    failed.iter().take(20).for_each(|f| println!("{f}"));
    assert!(failed.is_empty(), "{}", failed.first().cloned().unwrap_or_default());
}

/// M3: the same seed gives the same run, to the last byte of the audit chain and every door's answer.
#[test]
fn the_same_seed_gives_the_same_run() {
    if replayed().is_some() {
        return;
    }
    for seed in 0..seeds().min(20) {
        let (one, two) = (run(setup(seed, false)), run(setup(seed, false)));
        assert_eq!(one.seen, two.seen, "M3: seed {seed}");
        assert_eq!((one.commits, one.calls, one.faults, one.polls), (two.commits, two.calls, two.faults, two.polls), "M3: seed {seed}");
    }
}
