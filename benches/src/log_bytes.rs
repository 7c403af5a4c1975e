//! Bytes of write-ahead log per grant, against the obvious schema with the same content.
use crate::commits::{CALLERS, commit_all};
use crate::desk::Template;
use crate::obvious;
use crate::record::decide;
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::store::SqliteOptions;
use std::path::{Path, PathBuf};

/// How many rounds' worth of grants are in both databases before the count begins: a nearly empty tree has few pages to touch.
const BEFORE: usize = 8;

pub(crate) async fn measure(folder: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let template = Template::new(folder).await?;
    let present = size.grants * BEFORE;
    let sets = decide(&template.open(&folder.join("decided.db"), SqliteOptions::new()).await?, present + size.grants).await?;
    let (earlier, counted) = sets.split_at(present);
    // Nothing is copied back while it is counted: the length of the log is what was written to it.
    let file = folder.join("ours.db");
    let desk = template.open(&file, SqliteOptions::new().checkpoint_bytes(u64::MAX)).await?;
    commit_all(&desk, CALLERS, earlier).await?;
    let before = log_of(&file)?;
    commit_all(&desk, CALLERS, counted).await?;
    let ours = (log_of(&file)? - before) as f64 / counted.len() as f64;
    desk.store.close().await;

    let file = folder.join("obvious.db");
    let mut obvious = obvious::Obvious::open(&file)?;
    obvious.write(earlier, CALLERS)?;
    let before = log_of(&file)?;
    obvious.write(counted, CALLERS)?;
    let theirs = (log_of(&file)? - before) as f64 / counted.len() as f64;
    let remark = format!("{ours:.0} bytes ÷ {theirs:.0} bytes, {present} grants present, {CALLERS} grants in each transaction");
    let what = "bytes of write-ahead log per grant ÷ the obvious schema, 64 callers";
    Ok(vec![Line::new(what, Goal::AtMost(0.3), Rounds::once(ours / theirs)).remark(remark)])
}

fn log_of(file: &Path) -> Result<u64, Failed> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    Ok(std::fs::metadata(PathBuf::from(name))?.len())
}
