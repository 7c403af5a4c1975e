//! Many callers at once, each with one request under way.
use crate::Failed;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// `callers` tasks do `work` for every number below `count`, each the next when it has done one. Gives the time that all took.
pub(crate) async fn all<F>(callers: usize, count: usize, work: impl Fn(usize) -> F + Send + Sync + 'static) -> Result<Duration, Failed>
where
    F: Future<Output = Result<(), Failed>> + Send,
{
    let (next, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(work));
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..callers {
        let (next, work) = (Arc::clone(&next), Arc::clone(&work));
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= count {
                    return Ok(());
                }
                work(n).await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        let ended: Result<(), Failed> = ended?;
        ended?;
    }
    Ok(begun.elapsed())
}
