//! Salto Space: a fake of its PMS interface on a socket of this host, with offline locks that know the number of the guest who came last.
use super::system::{DESKS, Site};
use crate::hotel::{Answer, HotelError};
use crate::world::{HotelPlan, ZONE};
use seam_core::clock::Clock;
use seam_core::provider::Tag;
use seam_providers::salto_space::sim::{SimCard, SpaceSim, SpaceSimOptions};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A fake server.
#[derive(Debug)]
pub(super) struct SaltoSpace {
    sim: SpaceSim,
    /// Common doors: authorisations with their numbers.
    common: BTreeMap<String, u8>,
    cards: RefCell<HashMap<String, SimCard>>,
    requests: Cell<u64>,
}

impl SaltoSpace {
    /// Starts it with the doors of the plan.
    pub(super) async fn start(plan: &HotelPlan, clock: &Arc<dyn Clock>) -> Result<Self, HotelError> {
        let mut options = SpaceSimOptions::new(Arc::clone(clock), ZONE);
        options.rooms = plan.doors.iter().filter(|door| door.room).map(|door| door.name.clone()).collect();
        let common: BTreeMap<String, u8> = plan.doors.iter().filter(|door| !door.room).map(|door| door.name.clone()).zip(1..).collect();
        options.authorisations = common.values().copied().collect();
        options.encoders = DESKS.map(str::to_owned).into();
        let sim = SpaceSim::start(options).await?;
        Ok(Self { sim, common, cards: RefCell::default(), requests: Cell::new(0) })
    }

    fn card(&self, serial: &str) -> Option<SimCard> {
        self.cards.borrow().get(serial).cloned()
    }
}

impl Site for SaltoSpace {
    fn settings(&self) -> Value {
        let mut settings = self.sim.pms_settings();
        settings["pms"]["authorisations"] = self.common.iter().map(|(name, number)| json!({ "number": number, "name": name })).collect();
        settings
    }
    fn blank_card(&self) -> String {
        let card = self.sim.blank_card();
        let serial = card.serial();
        self.cards.borrow_mut().insert(serial.clone(), card);
        serial
    }
    fn has_card(&self, serial: &str) -> bool {
        self.card(serial).is_some()
    }
    fn lay(&self, desk: &str, serial: &str) {
        if let Some(card) = self.card(serial) {
            self.sim.lay(desk, &card);
        }
    }
    fn take(&self, desk: &str) -> Option<String> {
        self.sim.take(desk).map(|card| card.serial())
    }
    fn show_card(&self, door: &str, serial: &str) -> Answer {
        let Some(card) = self.card(serial) else { return Answer { opened: false, why: "there is no such card".to_owned() } };
        let door = match self.common.get(door) {
            Some(number) => format!("authorisation/{number}"),
            None => format!("room/{door}"),
        };
        let tried = self.sim.present(&door, &card);
        self.requests();
        Answer { opened: tried.is_open(), why: format!("{tried:?}") }
    }
    fn show_phone(&self, _door: &str, _keys: &[Tag]) -> Answer {
        Answer { opened: false, why: "there are no mobile keys here".to_owned() }
    }
    fn type_pin(&self, _door: &str, _pin: &str) -> Answer {
        Answer { opened: false, why: "there is no keypad".to_owned() }
    }
    fn requests(&self) -> u64 {
        self.requests.set(self.requests.get() + self.sim.take_requests().len() as u64);
        self.requests.get()
    }
}
