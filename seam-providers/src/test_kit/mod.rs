//! A virtual hotel for your own tests: doors to try, cards and encoders to hold, a clock to move, a system to silence.
//!
//! Everything is the real thing but the locks: the real API, planner, store and engine, and sandbox locks that know only what a card or a
//! synchronisation has told them. Nothing sleeps and nothing runs by itself: time passes when the test says so, and the engine works at
//! every instant in between at which something is due. The same seed gives the same ids, PINs and order of events.
//!
//! ```
//! use seam_providers::test_kit::TestHotel;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> seam_core::Result<()> {
//! let hotel = TestHotel::new().rooms(10).build().await;
//! let anna = hotel.check_in("Anna", "101", "2026-03-01 15:00", "2026-03-03 11:00").await?;
//! assert!(!hotel.door("101").present(&anna.card).opened, "it is the morning of the first of March");
//!
//! hotel.at("2026-03-01 15:00").await;
//! assert!(hotel.door("101").present(&anna.card).opened);
//! assert!(hotel.door("gym").enter_pin(anna.pin()).opened);
//!
//! hotel.workspace().access_grants().delete(anna.access_grant_id).await?;
//! hotel.settle().await;
//! assert!(!hotel.door("gym").enter_pin(anna.pin()).opened);
//! assert!(hotel.door("101").present(&anna.card).opened, "an offline lock learns of it from the next guest's card");
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//! [`TestHotel::settle`] lets the engine do what is due now; no time passes, so a call to a system that does not answer stays under way.
//! [`TestHotel::at`] and [`TestHotel::advance`] move on, instant by instant. [`TestHotel::wait`] is for calls that wait themselves, as
//! `wait_until_issued`: time passes as far as they need. Moving [`TestHotel::clock`] by hand is your service being down: when the engine works
//! again it is late.
//!
//! Drive a hotel from one task at a time. What runs beside it in the same task (`join!`) gets its turn before any time passes; tasks that were
//! spawned on other threads do not, and make a run depend on them.
mod builder;
mod drive;
mod guest;
mod hotel;
mod instant;

pub use builder::TestHotelBuilder;
pub use guest::Guest;
pub use hotel::TestHotel;
pub use instant::Instant;
