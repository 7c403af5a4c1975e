//! Visionline: a fake of its server on sockets of this host, with offline locks.
use super::system::{DESKS, Site};
use crate::hotel::{Answer, HotelError};
use crate::world::{HotelPlan, ZONE};
use seam_core::clock::Clock;
use seam_core::provider::Tag;
use seam_providers::visionline::sim::{self, DoorPlan, Plastic, VisionlineSim};
use serde_json::{Value, json};
use std::sync::Arc;

/// A fake server.
#[derive(Debug)]
pub(super) struct Visionline(VisionlineSim);

impl Visionline {
    /// Starts it with the doors of the plan.
    pub(super) async fn start(plan: &HotelPlan, clock: &Arc<dyn Clock>) -> Result<Self, HotelError> {
        let mut hotel = sim::HotelPlan::of(0, ZONE);
        hotel.doors = plan
            .doors
            .iter()
            .zip(1..)
            .map(|(door, n)| if door.room { DoorPlan::room(&door.name) } else { DoorPlan::common(&door.name, n) })
            .collect();
        hotel.encoders = DESKS.iter().zip(1..).map(|(desk, n): (_, u8)| ((*desk).to_owned(), n.to_string())).collect();
        Ok(Self(VisionlineSim::start(hotel, Arc::clone(clock)).await?))
    }
}

impl Site for Visionline {
    fn settings(&self) -> Value {
        let mut settings = self.0.settings();
        // A guest's card is written again after a change, and returned cards are used again.
        settings["overwrite_valid_cards"] = json!(true);
        settings
    }
    fn blank_card(&self) -> String {
        self.0.blank_card().serial().to_owned()
    }
    fn has_card(&self, _serial: &str) -> bool {
        true
    }
    fn lay(&self, desk: &str, serial: &str) {
        self.0.lay(desk, &Plastic::of_serial(serial));
    }
    fn take(&self, desk: &str) -> Option<String> {
        self.0.clear(desk).pop().map(|card| card.serial().to_owned())
    }
    fn show_card(&self, door: &str, serial: &str) -> Answer {
        let tried = self.0.present(door, &Plastic::of_serial(serial));
        Answer { opened: tried.opened, why: tried.why.to_string() }
    }
    fn show_phone(&self, _door: &str, _keys: &[Tag]) -> Answer {
        Answer { opened: false, why: "there are no mobile keys here".to_owned() }
    }
    fn type_pin(&self, _door: &str, _pin: &str) -> Answer {
        Answer { opened: false, why: "there is no keypad".to_owned() }
    }
}
