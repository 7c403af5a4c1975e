//! Time, injected. Nothing else in this crate reads the wall clock.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    hands: Mutex<Hands>,
    moved: Notify,
}

#[derive(Debug)]
struct Hands {
    now: DateTime<Utc>,
    /// Until when somebody sleeps, and how many do.
    sleepers: BTreeMap<DateTime<Utc>, usize>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { hands: Mutex::new(Hands { now, sleepers: BTreeMap::new() }), moved: Notify::new() }
    }
    /// Moves to `at`. A clock is never moved back: an earlier instant changes nothing.
    pub fn set(&self, at: DateTime<Utc>) {
        {
            let mut hands = self.hands();
            hands.now = hands.now.max(at);
        }
        self.moved.notify_waiters();
    }
    /// Moves forward by `by`.
    pub fn advance(&self, by: chrono::Duration) {
        self.set(self.now() + by);
    }
    /// The earliest instant that somebody sleeps until, if anybody sleeps: the one to move to next, so that nobody is woken late.
    #[must_use]
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.hands().sleepers.keys().next().copied()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.hands().now
    }
    async fn sleep_until(&self, at: DateTime<Utc>) {
        let mut asleep = None;
        loop {
            let moved = self.moved.notified();
            if self.now() >= at {
                return;
            }
            asleep.get_or_insert_with(|| Asleep::new(self, at));
            moved.await;
        }
    }
}

/// Somebody sleeps; no longer when it is dropped.
struct Asleep<'a> {
    clock: &'a ManualClock,
    until: DateTime<Utc>,
}

impl<'a> Asleep<'a> {
    fn new(clock: &'a ManualClock, until: DateTime<Utc>) -> Self {
        *clock.hands().sleepers.entry(until).or_default() += 1;
        Self { clock, until }
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.clock.hands().sleepers.entry(self.until) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_clock_knows_who_sleeps_and_forgets_who_gave_up() {
        let clock = ManualClock::new(at(100));
        let mut now = Context::from_waker(Waker::noop());
        assert_eq!(clock.next_wake(), None);
        assert!(pin!(clock.sleep_until(at(100))).poll(&mut now).is_ready());
        {
            let mut late = clock.sleep_until(at(130));
            let mut soon = clock.sleep_until(at(110));
            let mut soon_too = clock.sleep_until(at(110));
            assert!(late.as_mut().poll(&mut now).is_pending());
            assert_eq!(clock.next_wake(), Some(at(130)));
            assert!(soon.as_mut().poll(&mut now).is_pending() && soon_too.as_mut().poll(&mut now).is_pending());
            assert_eq!(clock.next_wake(), Some(at(110)));
            clock.set(at(110));
            assert!(soon.as_mut().poll(&mut now).is_ready());
            drop(soon_too);
            assert!(late.as_mut().poll(&mut now).is_pending());
            assert_eq!(clock.next_wake(), Some(at(130)));
        }
        assert_eq!(clock.next_wake(), None);
        clock.set(at(50));
        assert_eq!(clock.now(), at(110), "a clock is never moved back");
    }
}
