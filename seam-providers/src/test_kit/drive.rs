//! Moves a manual clock beside an engine: everything happens at its own instant, nothing waits for real time.
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::{Engine, Result};
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// So long may a test wait for one thing, on its own clock: a wait without a deadline ends as a failed test instead of never.
const AT_MOST: TimeDelta = TimeDelta::days(366);

/// An engine that runs while somebody drives it, and the clock that it goes by.
pub(super) struct Driver {
    clock: Arc<ManualClock>,
    engine: Mutex<Running>,
}

type Running = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Driver {
    pub(super) fn new(clock: Arc<ManualClock>, engine: Engine) -> Self {
        let running: Running = Box::pin(async move { engine.run(pending()).await });
        Self { clock, engine: Mutex::new(running) }
    }

    pub(super) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Lets the engine work until it is idle at `until`, at each instant in between at which something is due.
    pub(super) async fn go(&self, until: DateTime<Utc>) {
        self.follow(pending::<()>(), Some(until)).await;
    }

    /// Lets the engine work until `awaited` is there; the time passes as far as that takes.
    pub(super) async fn wait<T>(&self, awaited: impl Future<Output = T>) -> T {
        match self.follow(awaited, None).await {
            Some(answer) => answer,
            None => panic!("what the test waits for has not come within {} days on its clock", AT_MOST.num_days()),
        }
    }

    async fn follow<T>(&self, awaited: impl Future<Output = T>, until: Option<DateTime<Utc>>) -> Option<T> {
        let mut awaited = pin!(awaited);
        let last = until.unwrap_or_else(|| self.clock.now() + AT_MOST);
        let noticed = Arc::new(Noticed::default());
        let waker = Waker::from(Arc::clone(&noticed));
        let mut quiet = false;
        poll_fn(move |outer| {
            noticed.pass_on_to(outer.waker());
            // Whatever woke this task before now is answered by this very poll.
            noticed.take();
            let mut inner = Context::from_waker(&waker);
            if let Poll::Ready(answer) = awaited.as_mut().poll(&mut inner) {
                return Poll::Ready(Some(answer));
            }
            self.poll_engine(&mut inner);
            if noticed.take() {
                // Somebody can go on, and the caller's task has been woken for it.
                quiet = false;
            } else if !quiet {
                // Before time passes, whatever runs beside this gets its turn.
                quiet = true;
                outer.waker().wake_by_ref();
            } else {
                quiet = false;
                match self.clock.next_wake() {
                    Some(next) if next <= last => self.clock.set(next),
                    _ if self.clock.now() < last => self.clock.set(last),
                    _ => return Poll::Ready(None),
                }
                outer.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }

    fn poll_engine(&self, context: &mut Context<'_>) {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        match engine.as_mut().poll(context) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => unreachable!("nobody stops this engine"),
            Poll::Ready(Err(e)) => panic!("the engine cannot go on: {e}"),
        }
    }
}

/// Notices that somebody can go on, and tells the task that drives.
#[derive(Debug, Default)]
struct Noticed {
    woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Noticed {
    fn pass_on_to(&self, outer: &Waker) {
        self.outer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| outer.clone()).clone_from(outer);
    }
    fn take(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Noticed {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if let Some(outer) = &*self.outer.lock().unwrap_or_else(PoisonError::into_inner) {
            outer.wake_by_ref();
        }
    }
}
