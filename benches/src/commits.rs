//! Durable commits, and whole creates, against the loop that writes the same rows.
use crate::callers::{self, Took};
use crate::desk::{Desk, Template};
use crate::floor::Floor;
use crate::record::{Record, Rows};
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::state::Changeset;
use seam_core::store::{SqliteOptions, Store};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The callers of the measurements that are about throughput.
pub(crate) const CALLERS: usize = 64;

/// One table line for each.
pub(crate) async fn measure(folder: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let template = Template::new(folder).await?;
    let scratch = folder.join("scratch.db");
    let record = Record::new(&template.open(&scratch, SqliteOptions::new()).await?, &scratch, size.grants).await?;
    let rows = Arc::new(record.rows);
    let (mut ready, mut whole, mut per_second) = (Vec::new(), Vec::new(), Vec::new());
    let mut cpu = [Duration::ZERO; 3];
    for round in 0..size.rounds {
        // In turn first: whoever runs first in a round may find a calmer disk.
        let (floor, commits, creates);
        if round % 2 == 0 {
            floor = run_floor(folder, &template, &rows, size.grants).await?;
            commits = run_commits(folder, &template, &record.sets).await?;
            creates = run_creates(folder, &template, size.grants).await?;
        } else {
            creates = run_creates(folder, &template, size.grants).await?;
            commits = run_commits(folder, &template, &record.sets).await?;
            floor = run_floor(folder, &template, &rows, size.grants).await?;
        }
        ready.push(floor.wall.as_secs_f64() / commits.wall.as_secs_f64());
        whole.push(floor.wall.as_secs_f64() / creates.wall.as_secs_f64());
        per_second.push(size.grants as f64 / floor.wall.as_secs_f64());
        for (sum, run) in cpu.iter_mut().zip([floor, commits, creates]) {
            *sum += run.cpu;
        }
    }
    let cpu = cpu.map(|sum| sum.as_secs_f64() * 1e6 / (size.rounds * size.grants) as f64);
    let entries = rows.iter().map(Vec::len).sum::<usize>() as f64 / rows.len() as f64;
    let floor = Rounds::of(per_second).median;
    let remark = format!(
        "the loop: {floor:.0} grants/s of {entries:.0} table rows each; processor time of a grant {:.0} µs, of the loop {:.0} µs",
        cpu[1], cpu[0]
    );
    Ok(vec![
        Line::new("durable commits of ready changesets ÷ hand-written loop, 64 callers", Goal::AtLeast(0.9), Rounds::of(ready))
            .remark(remark),
        Line::new("whole creates (reads, decision, answer) ÷ the same loop, 64 callers", Goal::AtLeast(0.6), Rounds::of(whole))
            .remark(format!("processor time of a grant {:.0} µs", cpu[2])),
    ])
}

async fn run_floor(folder: &Path, template: &Template, rows: &Arc<Rows>, count: usize) -> Result<Took, Failed> {
    let file = folder.join("floor.db");
    template.copy(&file)?;
    let floor = Arc::new(Floor::open(&file, Arc::clone(rows))?);
    let shared = Arc::clone(&floor);
    let took = callers::all(CALLERS, count, move |n| {
        let floor = Arc::clone(&shared);
        async move { floor.write(n).await }
    })
    .await?;
    Arc::into_inner(floor).ok_or("somebody still writes")?.close()?;
    Ok(took)
}

async fn run_commits(folder: &Path, template: &Template, sets: &[Changeset]) -> Result<Took, Failed> {
    let desk = template.open(&folder.join("commits.db"), SqliteOptions::new()).await?;
    let took = commit_all(&desk, CALLERS, sets).await?;
    desk.store.close().await;
    Ok(took)
}

/// Commits ready changesets.
pub(crate) async fn commit_all(desk: &Desk, callers: usize, sets: &[Changeset]) -> Result<Took, Failed> {
    let ready: Arc<Vec<Mutex<Option<Changeset>>>> = Arc::new(sets.iter().map(|set| Mutex::new(Some(set.clone()))).collect());
    let store = Arc::clone(&desk.store);
    callers::all(callers, sets.len(), move |n| {
        let (store, ready) = (Arc::clone(&store), Arc::clone(&ready));
        async move {
            let set = ready[n].lock().unwrap_or_else(PoisonError::into_inner).take().ok_or("a changeset is committed once")?;
            store.commit(set).await.map(drop).map_err(|e| format!("{e:?}").into())
        }
    })
    .await
}

async fn run_creates(folder: &Path, template: &Template, count: usize) -> Result<Took, Failed> {
    let desk = Arc::new(template.open(&folder.join("creates.db"), SqliteOptions::new()).await?);
    let took = creates(&desk, CALLERS, 0, count).await?;
    desk.store.close().await;
    Ok(took)
}

/// Creates grants `from..from + count` as a front desk would.
pub(crate) async fn creates(desk: &Arc<Desk>, callers: usize, from: usize, count: usize) -> Result<Took, Failed> {
    let desk = Arc::clone(desk);
    callers::all(callers, count, move |n| {
        let desk = Arc::clone(&desk);
        async move { Ok(desk.ws.access_grants().create(desk.wish(from + n)).await.map(drop)?) }
    })
    .await
}
