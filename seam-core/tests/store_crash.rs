//! The SQLite store under SIGKILL and under power failure: whatever was acknowledged is there.
#![cfg(all(feature = "conformance", feature = "sqlite", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic with its line")]
mod support;

use seam_core::conformance::store::Random;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use support::disk::{Disk, Kept, Op, Recorded};
use support::{Acked, Checked, acked, check, in_ci, integrity, new_child, number, run_child};

/// Not a test of its own: what a child process does.
#[test]
fn child() {
    let to_file = std::env::var_os("SEAM_CHILD_ACKS").map(|path| std::fs::File::create(path).unwrap());
    run_child(move |line| match &to_file {
        Some(file) => (&*file).write_all(line.as_bytes()).unwrap(),
        None => std::io::stdout().lock().write_all(line.as_bytes()).unwrap(),
    });
}

/// Runs a child on the file, kills it at a random moment, and gives what it had been told is durable.
fn kill_one(file: &Path, random: &mut Random) -> Vec<Acked> {
    let mut process = new_child(file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = process.stdout.take().unwrap();
    let mut said = Vec::new();
    // Most are killed under load, some while they open the file.
    if !random.one_in(8) {
        let mut first = [0; 4096];
        let n = out.read(&mut first).unwrap();
        said.extend_from_slice(&first[..n]);
    }
    let reader = std::thread::spawn(move || {
        let _ = out.read_to_end(&mut said);
        said
    });
    std::thread::sleep(Duration::from_micros(random.below(40_000)));
    process.kill().unwrap();
    process.wait().unwrap();
    acked(&String::from_utf8_lossy(&reader.join().unwrap()))
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let kills = number("SEAM_KILLS", if in_ci() { 200 } else { 25 });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seam.db");
    let mut random = Random(number("SEAM_SEED", 1));
    let (mut checked, mut total) = (Checked::default(), 0);
    for round in 0..kills {
        let told = kill_one(&file, &mut random);
        total += told.len();
        checked = match check(&file, &told, &[], &checked).await {
            Ok(checked) => checked,
            Err(e) => panic!("kill {round}: {e}"),
        };
    }
    integrity(&file).unwrap();
    eprintln!("{kills} kills, {total} commits acknowledged, 0 lost");
    assert!(total as u64 > kills);
}

/// The recorder. `None` where there is no C compiler.
fn recorder(folder: &Path) -> Option<PathBuf> {
    let Some(library) = support::disk::recorder(folder) else {
        assert!(!in_ci(), "there is no C compiler for the recorder");
        eprintln!("skipped: no C compiler (install one, as `apt-get install gcc libc6-dev`)");
        return None;
    };
    Some(library)
}

/// Records a child's whole life: what it wrote, and where its files are.
fn record(library: &Path, folder: &Path, environment: &[(&str, &str)]) -> (Vec<Recorded>, PathBuf) {
    let files = folder.join("files");
    std::fs::create_dir_all(&files).unwrap();
    let log = folder.join("log");
    let status = new_child(&files.join("seam.db"))
        .envs(environment.iter().copied())
        .env("SEAM_CHILD_ACKS", files.join("acks"))
        .env("SEAM_RECORD_FOLDER", &files)
        .env("SEAM_RECORD_LOG", &log)
        .env("LD_PRELOAD", library)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    (support::disk::read(&log), files)
}

/// What came of the power failures.
#[derive(Debug, Default)]
struct Failures {
    cuts: usize,
    wrong: Vec<String>,
}

/// Fails the power at many places of a record, keeping different parts of what was not synced, and checks each time what is found.
async fn fail_power(folder: &Path, record: &[Recorded], cuts: u64) -> Failures {
    let mut random = Random(number("SEAM_SEED", 2));
    let mut places: Vec<usize> = (0..cuts).map(|_| random.below(record.len() as u64) as usize).collect();
    // Also right before and right after syncs, where it matters most.
    let syncs: Vec<usize> = record.iter().enumerate().filter(|(_, r)| matches!(r.op, Op::Sync)).map(|(n, _)| n).collect();
    places.extend((0..cuts / 2).filter_map(|n| Some(syncs.get(random.below(syncs.len() as u64) as usize)? + (n % 2) as usize)));
    places.sort_unstable();
    let (mut disk, mut said, mut next) = (Disk::default(), String::new(), 0);
    let mut failures = Failures::default();
    for place in places {
        while next < place.min(record.len()) {
            match &record[next] {
                Recorded { file, op: Op::Write { data, .. } } if file == "acks" => said.push_str(std::str::from_utf8(data).unwrap()),
                Recorded { file, .. } if file == "acks" => {}
                recorded => disk.play(recorded),
            }
            next += 1;
        }
        let told = acked(&said);
        let kept = [Kept::Nothing, Kept::Prefix, Kept::Some, Kept::All][random.below(4) as usize];
        let found = folder.join(format!("found-{}", failures.cuts));
        std::fs::create_dir(&found).unwrap();
        disk.fail(kept, &mut random, &found);
        let file = found.join("seam.db");
        let result = match check(&file, &told, &[], &Checked::default()).await {
            Ok(_) => integrity(&file),
            Err(e) => Err(e),
        };
        failures.cuts += 1;
        if let Err(e) = result {
            failures.wrong.push(format!("cut at {place} of {}, kept {kept:?}: {e}", record.len()));
        }
        std::fs::remove_dir_all(&found).unwrap();
    }
    failures
}

/// How many cuts, and what the child is told: short logs, so that there are many checkpoints.
fn power() -> (u64, [(&'static str, &'static str); 3]) {
    let cuts = number("SEAM_CUTS", if in_ci() { 400 } else { 100 });
    // What a reader was shown must be durable as well as what was acknowledged.
    (cuts, [("SEAM_CHILD_COMMITS", "700"), ("SEAM_CHILD_CHECKPOINT", "300000"), ("SEAM_CHILD_WATCH", "1")])
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_power_fails() {
    let (cuts, environment) = power();
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = recorder(folder.path()) else { return };
    let (record, _) = record(&library, folder.path(), &environment);
    let syncs = |file: &str| record.iter().filter(|r| r.file == file && matches!(r.op, Op::Sync)).count();
    assert!(syncs("seam.db-wal") > 20 && syncs("seam.db") > 3, "the record has syncs of the log and of the file");
    let failures = fail_power(folder.path(), &record, cuts).await;
    assert!(failures.wrong.is_empty(), "{} of {} cuts:\n{}", failures.wrong.len(), failures.cuts, failures.wrong.join("\n"));
    eprintln!("{} power failures, 0 commits lost, 0 files damaged", failures.cuts);
}

/// The net has no hole: a store that does not wait for the disk loses commits, and the test above would see it.
#[tokio::test]
async fn a_store_that_does_not_sync_is_caught() {
    let (cuts, environment) = power();
    let folder = tempfile::tempdir().unwrap();
    let environment = [&environment[..], &[("SEAM_CHILD_UNSYNCED", "1")]].concat();
    let Some(library) = recorder(folder.path()) else { return };
    let (record, _) = record(&library, folder.path(), &environment);
    let failures = fail_power(folder.path(), &record, cuts / 4).await;
    assert!(failures.wrong.len() > failures.cuts / 4, "only {} of {} cuts were noticed", failures.wrong.len(), failures.cuts);
    let lost = failures.wrong.iter().filter(|w| w.contains("are lost")).count();
    eprintln!("without syncs {} of {} power failures were noticed, {lost} by lost commits", failures.wrong.len(), failures.cuts);
}

/// Every write and every sync in turn fails, as a broken disk does, as a full one, and as a full one on which somebody makes room: a caller
/// is told that nothing was written only if nothing was and nothing of it is seen, and what was acknowledged, before and after, is there
/// when the file is opened again.
#[tokio::test]
async fn a_disk_that_fails_at_any_call() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = recorder(folder.path()) else { return };
    let mut random = Random(number("SEAM_SEED", 4));
    let (mut doubts, mut failed) = (0, 0);
    for round in 0..number("SEAM_FAILS", if in_ci() { 150 } else { 60 }) {
        let kinds = [("SEAM_FAIL_SYNC", 60), ("SEAM_FAIL_WRITE", 700), ("SEAM_FULL_WRITE", 700), ("SEAM_FULL_ONCE", 700)];
        let (kind, calls) = kinds[(round % 4) as usize];
        // The first calls are those of opening.
        let call = if round % 8 < 4 { 1 + round / 8 } else { 1 + random.below(calls) };
        let place = folder.path().join(round.to_string());
        let environment = [("SEAM_CHILD_COMMITS", "120"), ("SEAM_CHILD_CHECKPOINT", "100000"), (kind, &*call.to_string())];
        let (_, files) = record(&library, &place, &environment);
        let said = std::fs::read_to_string(files.join("acks")).unwrap();
        let of = format!("{kind} {call}: {said}");
        assert!(!said.contains("conflict"), "{of}");
        assert!(!said.contains("seen"), "what was not written is seen: {of}");
        let never = support::failed(&said);
        doubts += said.lines().filter(|line| line.starts_with("doubt")).count();
        failed += never.len();
        if let Err(e) = check(&files.join("seam.db"), &acked(&said), &never, &Checked::default()).await {
            panic!("{e} after {of}");
        }
        integrity(&files.join("seam.db")).unwrap();
        std::fs::remove_dir_all(&place).unwrap();
    }
    eprintln!("{failed} commits failed, {doubts} were in doubt, 0 acknowledged commits lost");
    assert!(doubts > 0 && failed > 0);
}

/// The writer's reads fail, one in each run, of a file of which nothing is in memory: SQLite then takes back the transaction in which it decides, and nothing may be
/// written outside of one.
#[tokio::test]
async fn a_disk_that_fails_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = recorder(folder.path()) else { return };
    let first = folder.path().join("first");
    let (_, files) = record(&library, &first, &[("SEAM_CHILD_COMMITS", "150")]);
    let made = acked(&std::fs::read_to_string(files.join("acks")).unwrap());
    let mut failed = 0;
    for round in 0..number("SEAM_FAILS", 60).min(60) {
        let (kind, call) = (["SEAM_GONE_READ", "SEAM_FAIL_READ"][(round % 2) as usize], 1 + round / 2);
        let place = folder.path().join(round.to_string());
        std::fs::create_dir_all(place.join("files")).unwrap();
        std::fs::copy(files.join("seam.db"), place.join("files/seam.db")).unwrap();
        let again = [("SEAM_CHILD_COMMITS", "60"), ("SEAM_CHILD_AGAIN", "1"), (kind, &*call.to_string())];
        let (_, files) = record(&library, &place, &again);
        let said = std::fs::read_to_string(files.join("acks")).unwrap();
        let never = support::failed(&said);
        failed += never.len();
        assert!(!said.contains("conflict"), "{said}");
        assert!(!said.contains("seen"), "what was not written is seen after {kind} {call}: {said}");
        let told = [&made[..], &acked(&said)].concat();
        if let Err(e) = check(&files.join("seam.db"), &told, &never, &Checked::default()).await {
            panic!("{e} after {kind} {call}: {said}");
        }
        integrity(&files.join("seam.db")).unwrap();
        std::fs::remove_dir_all(&place).unwrap();
    }
    eprintln!("{failed} commits failed");
    assert!(failed > 0);
}
