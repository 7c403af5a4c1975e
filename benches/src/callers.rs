//! Many callers at once, each with one request under way.
use seam_bench::Failed;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Of all threads of this process: what other programs do on the machine is not in it. Zero where the system does not tell.
    pub(crate) cpu: Duration,
}

/// What this process has used so far, where Linux tells it: in hundredths of a second, so it is for sums over many rounds.
pub(crate) fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may hold blanks; it ends with the last bracket. User and system time are the 14th and 15th field.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

/// `callers` tasks do `work` for every number below `count`, each the next when it has done one.
pub(crate) async fn all<F>(callers: usize, count: usize, work: impl Fn(usize) -> F + Send + Sync + 'static) -> Result<Took, Failed>
where
    F: Future<Output = Result<(), Failed>> + Send,
{
    let (next, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(work));
    let mut tasks = JoinSet::new();
    let (begun, cpu) = (Instant::now(), processor_time());
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
    Ok(Took { wall: begun.elapsed(), cpu: processor_time().saturating_sub(cpu) })
}
