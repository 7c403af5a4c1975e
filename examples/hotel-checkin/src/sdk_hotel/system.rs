//! The access system of the hotel: which one it is, and what stands for the world around it.
use super::sandbox::Sandbox;
use super::visionline::Visionline;
use crate::hotel::{Answer, HotelError};
use crate::world::{Abilities, HotelPlan};
use clap::ValueEnum;
use seam_core::clock::Clock;
use seam_core::provider::{ProviderFactory, Tag};
use seam_providers::sandbox::{SandboxFactory, World};
use seam_providers::visionline::VisionlineFactory;
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The encoders. One that ended in doubt stands still for a while; the next one is used then.
pub(super) const DESKS: [&str; 4] = ["desk-1", "desk-2", "desk-3", "desk-4"];

/// The access system of the hotel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// Virtual offline locks in this process.
    #[default]
    Sandbox,
    /// ASSA ABLOY Visionline: a fake of its server, on sockets of this host.
    Visionline,
}

impl System {
    /// The name under which it is connected.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Visionline => "visionline",
        }
    }

    /// What it can do.
    #[must_use]
    pub const fn abilities(self) -> Abilities {
        match self {
            Self::Sandbox => Abilities::ALL,
            // Its mobile keys cannot be taken back, staff's cards are not publicly documented, and a key would join the present guest.
            Self::Visionline => Abilities { codes: false, phones: false, staff: false, keys_before: false },
        }
    }

    /// Whether what its locks and cards know is kept beside the database, so that a replay can be taken up.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Sandbox)
    }

    /// Opens what there is before the doors are known.
    pub(super) fn open(self, beside: &Path, clock: &Arc<dyn Clock>) -> Result<Ground, HotelError> {
        Ok(match self {
            Self::Sandbox => {
                let world = World::open(beside, Arc::clone(clock));
                Ground::Sandbox(world.map_err(|e| format!("the virtual world cannot be kept in {}: {e}", beside.display()))?)
            }
            Self::Visionline => Ground::Visionline(Arc::clone(clock)),
        })
    }
}

/// What there is before the doors are known.
#[derive(Debug)]
pub(super) enum Ground {
    Sandbox(World),
    Visionline(Arc<dyn Clock>),
}

impl Ground {
    /// Makes providers at it.
    pub(super) fn factory(&self) -> Arc<dyn ProviderFactory> {
        match self {
            Self::Sandbox(world) => Arc::new(SandboxFactory::new(world.clone())),
            Self::Visionline(_) => Arc::new(VisionlineFactory::new()),
        }
    }

    /// Puts the doors of the plan up.
    pub(super) async fn build(&self, plan: &HotelPlan) -> Result<Box<dyn Site>, HotelError> {
        Ok(match self {
            Self::Sandbox(world) => Box::new(Sandbox::new(world, plan)),
            Self::Visionline(clock) => Box::new(Visionline::start(plan, clock).await?),
        })
    }
}

/// What stands for the world at an access system: doors, cards, encoders.
pub(super) trait Site: fmt::Debug {
    /// What a person would enter to connect it.
    fn settings(&self) -> Value;
    /// The serial number of a new card.
    fn blank_card(&self) -> String;
    /// Whether there is such a card.
    fn has_card(&self, serial: &str) -> bool;
    /// Lays a card on an encoder.
    fn lay(&self, desk: &str, serial: &str);
    /// Takes a card off an encoder.
    fn take(&self, desk: &str) -> Option<String>;
    /// Holds a card to a door.
    fn show_card(&self, door: &str, serial: &str) -> Answer;
    /// Holds a phone with these keys to a door.
    fn show_phone(&self, door: &str, keys: &[Tag]) -> Answer;
    /// Types digits at a door.
    fn type_pin(&self, door: &str, pin: &str) -> Answer;
}
