//! Time, injected. Nothing else in this crate reads the wall clock.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::Notify;

/// Where the time comes from.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
    /// Returns at `at` or later; at once if it has passed. Cancel-safe.
    async fn sleep_until(&self, at: DateTime<Utc>);
}

/// The host's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(std::time::SystemTime::now())
    }
    async fn sleep_until(&self, at: DateTime<Utc>) {
        // In slices, so that a wall clock that is set forward is noticed.
        loop {
            let left = (at - self.now()).to_std().unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

/// A clock that moves only when it is told to: for tests, simulations and replays.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
    moved: Notify,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now: Mutex::new(now), moved: Notify::new() }
    }
    /// Moves to `at`. A clock is never moved back: an earlier instant changes nothing.
    pub fn set(&self, at: DateTime<Utc>) {
        {
            let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if at > *now {
                *now = at;
            }
        }
        self.moved.notify_waiters();
    }
    /// Moves forward by `by`.
    pub fn advance(&self, by: chrono::Duration) {
        self.set(self.now() + by);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    async fn sleep_until(&self, at: DateTime<Utc>) {
        loop {
            let moved = self.moved.notified();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}
