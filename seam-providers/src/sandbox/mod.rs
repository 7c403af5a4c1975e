//! The sandbox: virtual sites whose doors decide like real locks do.
//!
//! A [`World`] holds sites of several shapes ([`SiteConfig`]). Their locks, cards and phones know only what a credential or a sync has told
//! them, and remember it, in a file if asked. [`SandboxFactory`] connects them like any access system; [`Site`] is the other side, where
//! tests and demonstrations hold cards to doors, lay them on encoders and make things go wrong.
//!
//! | made by | doors decide | what it holds |
//! | --- | --- | --- |
//! | [`SiteConfig::hotel`] | offline: by the key, the lock's clock and its issue number | cards written by its encoders, mobile keys, codes at common doors |
//! | [`SiteConfig::office`] | online: by the cloud's users, permissions and credentials | users, permissions by groups, a PIN per user, registered cards, cloud keys |
//! | [`SiteConfig::slot_lock`] | by what is in a slot, whatever the time | codes in numbered slots; the lock keeps no window |
//! | [`SiteConfig::write_only_lock`] | by the codes that it was told | codes with a window; it never answers, so nothing is ever verified |
//!
//! Each is changed field by field: a site behaves as the rules in its configuration say, and reports those rules. Below, a guest gets a PIN:
//!
//! ```
//! use chrono::{DateTime, TimeDelta, Utc};
//! use seam_core::clock::ManualClock;
//! use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
//! use seam_core::provider::*;
//! use seam_providers::sandbox::{Why, World};
//! use std::sync::Arc;
//! # use std::time::Duration;
//! # #[derive(Debug)]
//! # struct NoNotes;
//! # #[async_trait::async_trait]
//! # impl Notes for NoNotes {
//! #     async fn keep(&self, _: &Handle) -> Result<(), Failure> { Ok(()) }
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let now: DateTime<Utc> = "2026-05-01T12:00:00Z".parse()?;
//! let world = World::hotel(Arc::new(ManualClock::new(now)), 3);
//! let hotel = world.site("hotel");
//! let gym = Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text("gym"), class: DoorClass::Common };
//! let code = Want::Credential(CredentialSpec {
//!     user: None,
//!     holder: "Ada".to_owned(),
//!     doors: vec![gym],
//!     window: Window::new(now, Some(now + TimeDelta::hours(2)))?,
//!     schedule: None,
//!     suspended: false,
//!     body: Body::Code { pin: Some("0815".into()), slot: None },
//!     stay: None,
//! });
//! # let system = SystemRef { id: AcsSystemId::from_uuid(uuid::Uuid::nil()), handle: Handle::text("hotel") };
//! # let call = Call { system: &system, tag: Tag("t1".to_owned()), attempt: 1, within: Duration::from_secs(5), operator: None, notes: &NoNotes };
//! let receipt = hotel.provider().put(&code, None, &call).await?;
//! assert_eq!(receipt.certainty, Certainty::Verified);
//! assert_eq!(hotel.door("gym").enter_pin("0815").why, Why::Opened);
//! assert_eq!(hotel.door("gym").enter_pin("815").why, Why::UnknownCode);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(example())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod check;
mod config;
mod decide;
mod door;
mod drift;
mod effect;
mod encode;
mod encoder;
mod facets;
mod factory;
mod faults;
mod journal;
mod provider;
mod put;
mod reader;
mod report;
mod serve;
mod simulate;
mod site;
mod state;
mod stays;
mod things;
mod token;
mod world;

pub use config::{Resembles, Shape, SiteConfig};
pub use door::{Attempt, Door, Why};
pub use drift::HandEdit;
pub use encoder::{Encoder, JobOutcome};
pub use factory::SandboxFactory;
pub use faults::{Silence, When};
pub use provider::SandboxProvider;
pub use reader::Reader;
pub use simulate::{EncodeFailure, ScanFailure, ScanScenario};
pub use site::Site;
pub use token::{Card, Phone, Presented};
pub use world::World;

#[cfg(test)]
mod tests;
