//! The access system of the hotel: which one it is, and what stands for the world around it.
use super::salto_ks::{SEATS, SaltoKs};
use super::salto_space::SaltoSpace;
use super::sandbox::Sandbox;
use super::visionline::Visionline;
use crate::hotel::{Answer, HotelError};
use crate::world::{Abilities, HotelPlan};
use clap::ValueEnum;
use seam_core::clock::Clock;
use seam_core::provider::{ProviderFactory, Tag};
use seam_providers::http::HttpClient;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_space::SpaceFactory;
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
    /// Salto Space: a fake of its PMS interface, on a socket of this host.
    SaltoSpace,
    /// Salto KS: a fake of the cloud, on a socket of this host.
    SaltoKs,
}

impl System {
    /// The name under which it is connected.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Visionline => "visionline",
            Self::SaltoSpace => "salto_space",
            Self::SaltoKs => "salto_ks",
        }
    }

    /// What it can do.
    #[must_use]
    pub const fn abilities(self) -> Abilities {
        match self {
            Self::Sandbox => Abilities::ALL,
            // Its mobile keys cannot be taken back, staff's cards are not publicly documented, and a key would join the present guest.
            Self::Visionline => Abilities { codes: false, phones: false, staff: false, keys_before: false, ..Abilities::ALL },
            // The PMS interface makes guests' cards, in whole minutes; a key would join the present guest.
            Self::SaltoSpace => {
                Abilities { codes: false, phones: false, staff: false, keys_before: false, seconds: false, ..Abilities::ALL }
            }
            // PINs alone, in whole minutes. Whoever is there takes a seat, so nobody is there long before her time.
            Self::SaltoKs => {
                Abilities { cards: false, codes: true, phones: false, staff: false, keys_before: false, seconds: false, long_ahead: false }
            }
        }
    }

    /// What of a hotel's day happens at it, and what does not.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Sandbox => "Everything: cards, PINs, mobile keys and staff, keys made ahead.",
            Self::Visionline => {
                "Guests' cards: opened, joined, written again, replaced, taken over by the next stay. No PINs, no mobile keys (they cannot be taken \
                 back), no staff's cards (not publicly documented), no keys made ahead (they would join the present guest)."
            }
            Self::SaltoSpace => {
                "Guests' cards over the PMS interface: CN opens a stay, CC joins it, MC changes its end, CO checks it out; cards open until their own \
                 end or until the next guest's card was at the door. Lobby and gym are authorisations. Windows are in whole minutes. No PINs, no mobile \
                 keys, no staff's cards (those belong to users, over SHIP), no keys made ahead (they would join the present guest)."
            }
            Self::SaltoKs => {
                "Everybody has a PIN of the cloud's making for room, lobby and, the first guest, gym: a user with a seat, a group of her own for doors \
                 and times. It follows every change at once, and nobody overrides anybody. A guest is told the system 20 hours before her time at the \
                 earliest, and deleted when she has left, because she takes a seat; without one she has no PIN, is told so, and gets it when a seat is free. \
                 No cards, no lost cards, no mobile keys, no staff."
            }
        }
    }

    /// Whether its users take seats, so that a guest who has left is to be deleted.
    #[must_use]
    pub const fn has_seats(self) -> bool {
        matches!(self, Self::SaltoKs)
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
            Self::SaltoSpace => Ground::SaltoSpace(Arc::clone(clock)),
            Self::SaltoKs => Ground::SaltoKs(Arc::clone(clock), SEATS),
        })
    }
}

/// What there is before the doors are known.
#[derive(Debug)]
pub(super) enum Ground {
    Sandbox(World),
    Visionline(Arc<dyn Clock>),
    SaltoSpace(Arc<dyn Clock>),
    /// With so many seats.
    SaltoKs(Arc<dyn Clock>, usize),
}

impl Ground {
    /// Makes providers at it.
    pub(super) fn factory(&self) -> Result<Arc<dyn ProviderFactory>, HotelError> {
        Ok(match self {
            Self::Sandbox(world) => Arc::new(SandboxFactory::new(world.clone())),
            Self::Visionline(_) => Arc::new(VisionlineFactory::new()),
            Self::SaltoSpace(_) => Arc::new(SpaceFactory::default()),
            Self::SaltoKs(..) => Arc::new(KsFactory::new(Arc::new(HttpClient::for_providers()?))),
        })
    }

    /// Puts the doors of the plan up.
    pub(super) async fn build(&self, plan: &HotelPlan) -> Result<Box<dyn Site>, HotelError> {
        Ok(match self {
            Self::Sandbox(world) => Box::new(Sandbox::new(world, plan)),
            Self::Visionline(clock) => Box::new(Visionline::start(plan, clock).await?),
            Self::SaltoSpace(clock) => Box::new(SaltoSpace::start(plan, clock).await?),
            Self::SaltoKs(clock, seats) => Box::new(SaltoKs::start(plan, clock, *seats).await?),
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
    /// Whether it has encoders.
    fn has_desks(&self) -> bool {
        true
    }
    /// Whether it has, or had shortly ago, no seat for another guest.
    fn is_full(&self) -> bool {
        false
    }
    /// The most seats that were taken at a time.
    fn seats(&self) -> u64 {
        0
    }
    /// Requests that have reached it, where they are counted.
    fn requests(&self) -> u64 {
        0
    }
}
