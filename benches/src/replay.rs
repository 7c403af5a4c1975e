//! The replay of real bookings: memory, time, grants per second. A program of its own, so that its memory is its own.
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the example says at its end.
#[derive(Debug, Deserialize)]
struct Summary {
    bookings: u64,
    grants: u64,
    door_attempts: u64,
    wrong_answers: u64,
    durable_grants_per_second: f64,
    peak_memory_bytes: u64,
    seconds: f64,
}

const WHAT: &str = "replay of real bookings";

pub(crate) fn measure(bookings: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let skipped = |why: String| Ok(vec![Line::skipped(WHAT, Goal::None, why)]);
    if !bookings.is_file() {
        return skipped(format!("not run: there is no {}; `--bookings` names the file", bookings.display()));
    }
    let example = std::env::current_exe()?.with_file_name("hotel-checkin");
    if !example.is_file() {
        return skipped("not run: `cargo build --release -p hotel-checkin` makes the program".to_owned());
    }
    let (folder, place) = match memory_disk() {
        Some(disk) => (tempfile::tempdir_in(&disk)?, format!("database on a memory disk ({})", disk.display())),
        None => (tempfile::tempdir()?, "database on the disk: there is no memory disk".to_owned()),
    };
    let mut command = Command::new(example);
    command.arg("--bookings").arg(bookings).arg("--json").arg("--database").arg(folder.path().join("hotel.db"));
    if size.is_smoke() {
        command.args(["--limit", "50"]);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let s: Summary = serde_json::from_slice(&output.stdout).map_err(|e| format!("the replay ended without a summary: {e}"))?;
    let line = |what: &str, value: f64, digits| Line::new(format!("{WHAT}: {what}"), Goal::None, Rounds::once(value)).digits(digits);
    let mut wrong = line("wrong answers of doors", s.wrong_answers as f64, 0);
    wrong.goal = Goal::AtMost(0.0);
    Ok(vec![
        wrong.remark(format!("of {} asked; {} bookings, {} grants", s.door_attempts, s.bookings, s.grants)),
        line("grants per second of the `create` calls, one after another", s.durable_grants_per_second, 0).remark(place),
        line("peak memory, MB", s.peak_memory_bytes as f64 / 1e6, 0).remark("`VmHWM` of the whole process"),
        line("seconds", s.seconds, 0),
    ])
}

/// A folder in memory, where this system has one.
fn memory_disk() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let mounted = mounts.lines().any(|line| line.split(' ').nth(1) == Some("/dev/shm") && line.split(' ').nth(2) == Some("tmpfs"));
    mounted.then(|| PathBuf::from("/dev/shm"))
}
