//! A hotel to be.
use super::hotel::{HOTEL, TestHotel};
use super::instant::Instant;
use crate::sandbox::SiteConfig;
use chrono::{DateTime, Utc};
use seam_core::EngineConfig;
use std::fmt;

type Change = Box<dyn FnOnce(&mut SiteConfig) + Send>;

/// A hotel to be: [`TestHotel::new`].
#[must_use = "nothing is there before it is built"]
pub struct TestHotelBuilder {
    rooms: u32,
    starts: DateTime<Utc>,
    seed: u64,
    changes: Vec<Change>,
    others: Vec<SiteConfig>,
    engine: EngineConfig,
}

impl TestHotelBuilder {
    pub(super) fn new() -> Self {
        let starts = "2026-03-01 08:00".instant();
        Self { rooms: 10, starts, seed: 1, changes: Vec::new(), others: Vec::new(), engine: EngineConfig::default() }
    }
    /// It has so many rooms: `101` and up. 10 if nothing is said.
    pub fn rooms(mut self, rooms: u32) -> Self {
        self.rooms = rooms;
        self
    }
    /// It is this instant when the test begins: 2026-03-01 08:00 UTC if nothing is said.
    ///
    /// # Panics
    /// The text is no instant.
    pub fn starting(mut self, at: impl Instant) -> Self {
        self.starts = at.instant();
        self
    }
    /// Ids, PINs and jitter are drawn from this.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
    /// Changes what the hotel's system has and is able to do.
    ///
    /// ```
    /// use seam_core::provider::JoinBy;
    /// use seam_providers::test_kit::TestHotel;
    ///
    /// // Locks at which a card joins whoever is the guest.
    /// let hotel = TestHotel::new().site(|site| {
    ///     if let Some(stay) = &mut site.stay {
    ///         stay.join = JoinBy::CurrentGuest;
    ///     }
    /// });
    /// ```
    pub fn site(mut self, change: impl FnOnce(&mut SiteConfig) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }
    /// There is another site beside it, in an account of its own: an office, a lock at the garden gate.
    pub fn with(mut self, site: SiteConfig) -> Self {
        self.others.push(site);
        self
    }
    /// The engine works like this. Its seed is the hotel's.
    pub fn engine(mut self, config: EngineConfig) -> Self {
        self.engine = config;
        self
    }
    /// Builds it: connected, read in full, at rest.
    ///
    /// # Panics
    /// The site was configured so that it cannot be connected.
    pub async fn build(mut self) -> TestHotel {
        let mut site = SiteConfig::hotel(HOTEL, self.rooms);
        for change in std::mem::take(&mut self.changes) {
            change(&mut site);
        }
        match TestHotel::open(site, self.starts, self.seed, self.others, self.engine).await {
            Ok(hotel) => hotel,
            Err(e) => panic!("the hotel cannot be built: {e}"),
        }
    }
}

impl fmt::Debug for TestHotelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHotelBuilder").field("rooms", &self.rooms).field("starts", &self.starts).finish_non_exhaustive()
    }
}
