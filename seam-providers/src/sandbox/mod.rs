//! The sandbox: virtual sites whose doors decide like real locks do.
//!
//! A [`World`] holds sites of several shapes ([`SiteConfig`]). Their locks, cards and phones know only what a credential or a sync has told
//! them, and remember it, in a file if asked. [`SandboxFactory`] connects them like any access system; [`Site`] is the other side, where
//! tests and demonstrations hold cards to doors, lay them on encoders and make things go wrong.
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
mod report;
mod serve;
mod site;
mod state;
mod stays;
mod things;
mod token;
mod world;

pub use config::{Shape, SiteConfig};
pub use door::{Attempt, Door, Why};
pub use drift::HandEdit;
pub use encoder::{Encoder, JobOutcome};
pub use factory::SandboxFactory;
pub use faults::{Silence, When};
pub use provider::SandboxProvider;
pub use site::Site;
pub use token::{Card, Phone, Presented};
pub use world::World;

#[cfg(test)]
mod tests;
