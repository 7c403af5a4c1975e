//! The scheduler: one thread, tasks polled in an order that the seed draws, time moved by hand.
use crate::clock::SimClock;
use crate::rng::Rng;
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::Clock as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// So many polls at one instant are a livelock.
const POLLS_AT_ONE_INSTANT: u64 = 200_000;

#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    id: usize,
    work: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    waker: Waker,
    not_before: Option<DateTime<Utc>>,
}

/// Runs tasks.
pub(crate) struct Exec {
    pub(crate) clock: Arc<SimClock>,
    tasks: Vec<Task>,
    rng: Rng,
    pub(crate) polls: u64,
    at_instant: (DateTime<Utc>, u64),
}

impl Exec {
    pub(crate) fn new(clock: Arc<SimClock>, rng: Rng) -> Self {
        let now = clock.now();
        Self { clock, tasks: Vec::new(), rng, polls: 0, at_instant: (now, 0) }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn start(&mut self, id: usize, work: impl Future<Output = ()> + 'static) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        self.tasks.push(Task { id, work: Box::pin(work), woken, waker, not_before: None });
    }

    /// Drops a task in the middle of whatever it does: a crash.
    pub(crate) fn kill(&mut self, id: usize) {
        self.tasks.retain(|t| t.id != id);
    }

    /// Leaves a task alone for a while, as a machine does that hangs.
    pub(crate) fn pause(&mut self, id: usize, until: DateTime<Utc>) {
        if let Some(t) = self.tasks.iter_mut().find(|t| t.id == id) {
            t.not_before = Some(until);
        }
    }

    pub(crate) fn wake_all(&mut self) {
        self.tasks.iter_mut().for_each(|t| t.not_before = None);
    }

    pub(crate) fn runs(&self, id: usize) -> bool {
        self.tasks.iter().any(|t| t.id == id)
    }

    /// Polls one task that can go on. `Ok(false)`: none can.
    pub(crate) fn step(&mut self) -> Result<bool, String> {
        let now = self.now();
        let able = |t: &Task| t.woken.0.load(Ordering::SeqCst) && t.not_before.is_none_or(|at| at <= now);
        let ready: Vec<usize> = self.tasks.iter().enumerate().filter(|(_, t)| able(t)).map(|(i, _)| i).collect();
        let Some(i) = self.rng.of(&ready).copied() else { return Ok(false) };
        self.polls += 1;
        self.at_instant = if self.at_instant.0 == now { (now, self.at_instant.1 + 1) } else { (now, 1) };
        if self.at_instant.1 > POLLS_AT_ONE_INSTANT {
            return Err("L4: livelock, the engine goes round at one instant".to_owned());
        }
        let task = &mut self.tasks[i];
        task.woken.0.store(false, Ordering::SeqCst);
        let mut cx = Context::from_waker(&task.waker);
        if let Poll::Ready(()) = task.work.as_mut().poll(&mut cx) {
            self.tasks.remove(i);
        }
        Ok(true)
    }

    /// Moves time to whatever comes next, at most to `until`. `false`: nothing comes before it, and it is `until` now.
    pub(crate) fn next_instant(&mut self, until: DateTime<Utc>) -> bool {
        let resumed = self.tasks.iter().filter_map(|t| t.not_before).filter(|at| *at > self.now()).min();
        let next = self.clock.next_timer().into_iter().chain(resumed).min().filter(|at| *at <= until);
        self.clock.go_to(next.unwrap_or(until));
        next.is_some()
    }
}

/// Gives way once, so that somebody else may come in between.
pub(crate) async fn give_way() {
    let mut done = false;
    std::future::poll_fn(|cx| {
        if done {
            return Poll::Ready(());
        }
        done = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A future that needs nobody else: the memory store's without faults.
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    match futures_util::FutureExt::now_or_never(work) {
        Some(done) => done,
        None => unreachable!("the memory store never waits"),
    }
}

/// Minutes.
pub(crate) fn minutes(n: i64) -> Duration {
    Duration::minutes(n)
}
