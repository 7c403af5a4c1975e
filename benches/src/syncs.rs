//! Syncs per acknowledged grant, counted by the kernel's caller (`strace`) and by the store itself.
use crate::commits::{commit_all, creates};
use crate::desk::{Desk, Template};
use crate::record::decide;
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::store::{SqliteOptions, SqliteStats};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Callers at once, and the most syncs that each of their grants may cost.
pub(crate) const GOALS: [(usize, f64); 4] = [(1, 1.03), (16, 0.065), (64, 0.017), (256, 0.005)];

/// What the counted process says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    ready: Count,
    whole: Count,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Count {
    grants: u64,
    commits: u64,
    checkpoints: u64,
    file_reads: u64,
}

/// A line for each number of callers, for grants that are ready and for whole creates.
pub(crate) fn measure(folder: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let (mut ready, mut whole) = (Vec::new(), Vec::new());
    for (callers, goal) in GOALS {
        let grants = match callers {
            1 => size.grants / 4,
            256 => (size.grants * 2).max(1024),
            _ => size.grants * 2,
        };
        let scratch = tempfile::tempdir_in(folder)?;
        let log = scratch.path().join("syncs");
        let exe = std::env::current_exe()?;
        let traced = Command::new("strace")
            .args(["-f", "--seccomp-bpf", "-y", "-qq", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&log)
            .arg(&exe)
            .args(child_args(callers, grants))
            .current_dir(scratch.path())
            .stderr(Stdio::null())
            .output();
        let (said, traced) = match traced {
            Ok(output) if output.status.success() => (said(&output.stdout)?, Some(count(&std::fs::read_to_string(&log)?)?)),
            // Not installed, or not allowed to trace: what the store says of itself is all there is.
            _ => {
                let output = Command::new(&exe).args(child_args(callers, grants)).current_dir(scratch.path()).output()?;
                if !output.status.success() {
                    return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
                }
                (said(&output.stdout)?, None)
            }
        };
        let who = format!("{callers} caller{}", if callers == 1 { "" } else { "s" });
        ready.push(line(&format!("syncs per acknowledged grant, {who}"), Goal::AtMost(goal), said.ready, traced.map(|t| t[0])));
        whole.push(line(
            &format!("the same, with reads, decision and answer in the callers' way, {who}"),
            Goal::None,
            said.whole,
            traced.map(|t| t[1]),
        ));
    }
    ready.append(&mut whole);
    Ok(ready)
}

fn line(what: &str, goal: Goal, said: Count, traced: Option<u64>) -> Line {
    let Count { grants, commits, checkpoints, file_reads } = said;
    // A checkpoint syncs the log and the file; the log that starts over syncs its head.
    let syncs = traced.unwrap_or(commits + 3 * checkpoints);
    let by = if traced.is_some() { "counted by strace" } else { "as the store says; strace is missing" };
    let reads = if file_reads == 0 { String::new() } else { format!(", {file_reads} reads of the file") };
    let remark = format!("{syncs} syncs {by}; the store counts {commits} commits and {checkpoints} checkpoints{reads} for {grants} grants");
    Line::new(what, goal, Rounds::once(syncs as f64 / grants as f64)).digits(4).remark(remark)
}

fn child_args(callers: usize, grants: usize) -> [String; 4] {
    ["--sync-child".to_owned(), callers.to_string(), "--grants".to_owned(), grants.to_string()]
}

fn said(output: &[u8]) -> Result<Said, Failed> {
    Ok(serde_json::from_slice(output)?)
}

/// Syncs between the marks, which are syncs themselves: before the first and the second, and the second and the third.
fn count(log: &str) -> Result<[u64; 2], Failed> {
    let (mut marks, mut syncs) = (0, [0; 2]);
    for line in log.lines().filter(|line| line.contains("sync(") && !line.contains("resumed>")) {
        if line.contains(MARK) {
            marks += 1;
        } else if let Some(syncs) = usize::checked_sub(marks, 1).and_then(|n| syncs.get_mut(n)) {
            *syncs += 1;
        }
    }
    if marks == 3 { Ok(syncs) } else { Err(format!("{marks} marks are in the trace").into()) }
}

/// The name of the file whose sync is a mark.
const MARK: &str = "sync-mark";

/// The counted process: opens a hotel in the current folder, warms it up, and makes grants between marks: first ready ones, then whole ones.
pub(crate) async fn child(callers: usize, grants: usize) -> Result<(), Failed> {
    let here = Path::new(".");
    let template = Template::new(here).await?;
    let warm = callers * 4;
    let sets = decide(&template.open(&here.join("decided.db"), SqliteOptions::new()).await?, warm + grants).await?;
    let desk = Arc::new(template.open(&here.join("grants.db"), SqliteOptions::new()).await?);
    commit_all(&desk, callers, &sets[..warm]).await?;
    let before = mark(&desk).await?;
    commit_all(&desk, callers, &sets[warm..]).await?;
    let between = mark(&desk).await?;
    creates(&desk, callers, warm + grants, grants).await?;
    let after = mark(&desk).await?;
    let said = Said { ready: since(before, between, grants), whole: since(between, after, grants) };
    println!("{}", serde_json::to_string(&said)?);
    desk.store.close().await;
    Ok(())
}

async fn mark(desk: &Desk) -> Result<SqliteStats, Failed> {
    settle().await;
    File::create(MARK)?.sync_all()?;
    Ok(desk.store.stats())
}

fn since(before: SqliteStats, after: SqliteStats, grants: usize) -> Count {
    Count {
        grants: grants as u64,
        commits: after.commits - before.commits,
        checkpoints: after.checkpoints - before.checkpoints,
        file_reads: after.file_reads - before.file_reads,
    }
}

/// A checkpoint comes after the answers of its commit.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn only_syncs_between_the_marks_count_and_each_once() {
        let log = "1 fsync(3</t/a-wal>) = 0\n1 fsync(4</t/sync-mark>) = 0\n2 fsync(3</t/a-wal> <unfinished ...>\n\
                   2 <... fsync resumed>) = 0\n2 fdatasync(3</t/a>) = 0\n1 fsync(4</t/sync-mark>) = 0\n2 fsync(3</t/a>) = 0\n";
        assert!(count(log).is_err());
        assert_eq!(count(&format!("{log}1 fsync(4</t/sync-mark>) = 0\n1 fsync(3</t/a>) = 0\n")).unwrap(), [2, 1]);
    }
}
