//! The sandbox: a virtual site with offline locks, in this process.
use super::system::Site;
use crate::hotel::Answer;
use crate::world::{HotelPlan, ZONE};
use seam_core::provider::{DoorClass, Handle, Tag};
use seam_providers::sandbox::{self, SiteConfig, World};
use serde_json::{Value, json};

/// The site's name.
const SITE: &str = "hotel";

/// A site of a virtual world.
#[derive(Debug)]
pub(super) struct Sandbox {
    world: World,
    site: sandbox::Site,
}

impl Sandbox {
    /// The site with the doors of the plan.
    pub(super) fn new(world: &World, plan: &HotelPlan) -> Self {
        Self { world: world.clone(), site: world.add(config(plan)) }
    }
}

impl Site for Sandbox {
    fn settings(&self) -> Value {
        json!({ "site": SITE })
    }
    fn blank_card(&self) -> String {
        self.world.blank_card().uid().to_owned()
    }
    fn has_card(&self, serial: &str) -> bool {
        self.world.card(serial).is_some()
    }
    fn lay(&self, desk: &str, serial: &str) {
        if let Some(card) = self.world.card(serial) {
            self.site.encoder(desk).put_card(&card);
        }
    }
    fn take(&self, desk: &str) -> Option<String> {
        self.site.encoder(desk).take_card().map(|card| card.uid().to_owned())
    }
    fn show_card(&self, door: &str, serial: &str) -> Answer {
        match self.world.card(serial) {
            Some(card) => answer(&self.site.door(door).present(&card)),
            None => Answer { opened: false, why: "there is no such card".to_owned() },
        }
    }
    fn show_phone(&self, door: &str, keys: &[Tag]) -> Answer {
        let phone = self.site.phone(keys.last().map_or("nobody's", |tag| &tag.0));
        answer(&self.site.door(door).present(&phone))
    }
    fn type_pin(&self, door: &str, pin: &str) -> Answer {
        answer(&self.site.door(door).enter_pin(pin))
    }
}

fn answer(attempt: &sandbox::Attempt) -> Answer {
    Answer { opened: attempt.opened, why: attempt.why.to_string() }
}

/// The site with the doors of the plan.
fn config(plan: &HotelPlan) -> SiteConfig {
    let mut site = SiteConfig::hotel(SITE, 1).in_zone(ZONE);
    let like = |class| site.doors.iter().find(|door| door.class == class).cloned();
    let (room, common) = (like(DoorClass::Guest), like(DoorClass::Common));
    let doors = plan.doors.iter().filter_map(|door| {
        let mut new = if door.room { room.clone() } else { common.clone() }?;
        new.handle = Handle::text(door.name.as_str());
        new.name.clone_from(&door.name);
        new.code = door.keypad;
        Some(new)
    });
    let doors = doors.collect();
    site.doors = doors;
    site.encoders = super::system::DESKS.map(str::to_owned).into();
    // The replay lays the cards that it means on the encoders.
    site.auto_card = false;
    site.log_capacity = 100;
    site
}
