//! Until when a call may take, by the injected clock.
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use seam_core::clock::Clock;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// An instant until which something has to be over.
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    at: DateTime<Utc>,
}

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn after(clock: &Arc<dyn Clock>, within: Duration) -> Self {
        let within = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
        let at = clock.now().checked_add_signed(within).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { clock: Arc::clone(clock), at }
    }
    /// This one, or so long from now: whichever comes first.
    #[must_use]
    pub fn sooner(&self, within: Duration) -> Self {
        let other = Self::after(&self.clock, within);
        if other.at < self.at { other } else { self.clone() }
    }
    /// This one, or that instant: whichever comes first.
    #[must_use]
    pub fn not_after(&self, at: DateTime<Utc>) -> Self {
        Self { clock: Arc::clone(&self.clock), at: self.at.min(at) }
    }
    /// The instant.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }
    /// How long is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        (self.at - self.clock.now()).to_std().unwrap_or_default()
    }
    /// Works until then. `None`: it was not done in time, and was dropped, with the connections that it held.
    pub async fn bound<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.clock.sleep_until(self.at))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}
