//! Virtual time: it stands still while anything can go on, and then jumps to the next timer.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use seam_core::clock::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

type Instant = DateTime<Utc>;

#[derive(Debug)]
pub(crate) struct SimClock(Mutex<Timers>);

#[derive(Debug)]
struct Timers {
    now: Instant,
    next: u64,
    waiting: BTreeMap<(Instant, u64), Waker>,
}

impl SimClock {
    pub(crate) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timers { now, next: 0, waiting: BTreeMap::new() })))
    }
    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// When the next timer rings.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers().waiting.keys().next().map(|(at, _)| *at)
    }
    /// Goes to an instant, never back, and rings what has come due.
    pub(crate) fn go_to(&self, at: Instant) {
        let mut t = self.timers();
        t.now = t.now.max(at);
        let now = t.now;
        let later = t.waiting.split_off(&(now + chrono::Duration::nanoseconds(1), 0));
        let due = std::mem::replace(&mut t.waiting, later);
        drop(t);
        due.into_values().for_each(Waker::wake);
    }
}

struct Sleep<'a> {
    clock: &'a SimClock,
    at: Instant,
    id: u64,
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut t = self.clock.timers();
        if t.now >= self.at {
            return Poll::Ready(());
        }
        t.waiting.insert((self.at, self.id), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.timers().waiting.remove(&(self.at, self.id));
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Instant {
        self.timers().now
    }
    async fn sleep_until(&self, at: Instant) {
        let id = {
            let mut t = self.timers();
            t.next += 1;
            t.next
        };
        Sleep { clock: self, at, id }.await;
    }
}
