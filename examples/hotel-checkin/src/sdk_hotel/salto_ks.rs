//! Salto KS: a fake of the cloud on a socket of this host. Locks ask the cloud, guests have PINs that the cloud makes, and each guest takes a seat.
use super::system::Site;
use crate::hotel::{Answer, HotelError};
use crate::world::HotelPlan;
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::provider::Tag;
use seam_providers::salto_ks::sim::{KsSim, SimLock};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seats of the subscription where nobody says how many: more than the hotel ever has guests.
pub(super) const SEATS: usize = 5000;
/// So long after a seat was given back the guest who waits for it has her PIN: refused for want of a seat, it is tried again every quarter of an hour.
const WAITS: TimeDelta = TimeDelta::minutes(20);

/// A fake cloud.
#[derive(Debug)]
pub(super) struct SaltoKs {
    sim: KsSim,
    clock: Arc<dyn Clock>,
    locks: BTreeMap<String, String>,
    requests: Cell<u64>,
}

impl SaltoKs {
    /// Starts it with the doors of the plan.
    pub(super) async fn start(plan: &HotelPlan, clock: &Arc<dyn Clock>, seats: usize) -> Result<Self, HotelError> {
        let id = |n: usize| format!("5a0f1f36-1d0e-4c53-9d3a-{n:012}");
        let locks: BTreeMap<String, String> = plan.doors.iter().enumerate().map(|(n, door)| (door.name.clone(), id(n))).collect();
        let lock = |(name, id): (&String, &String)| SimLock { id: id.clone(), name: name.clone(), keypad: true };
        let sim = KsSim::start_with(Arc::clone(clock), locks.iter().map(lock).collect()).await?;
        sim.set_seats(seats);
        Ok(Self { sim, clock: Arc::clone(clock), locks, requests: Cell::new(0) })
    }
}

impl Site for SaltoKs {
    fn settings(&self) -> Value {
        let mut settings = self.sim.settings();
        // Years pass in minutes here, and nobody reads who was refused.
        settings["reads_log"] = json!(false);
        settings
    }
    fn blank_card(&self) -> String {
        "none".to_owned()
    }
    fn has_card(&self, _serial: &str) -> bool {
        true
    }
    fn lay(&self, _desk: &str, _serial: &str) {}
    fn take(&self, _desk: &str) -> Option<String> {
        None
    }
    fn show_card(&self, _door: &str, _serial: &str) -> Answer {
        Answer { opened: false, why: "there are no cards here".to_owned() }
    }
    fn show_phone(&self, _door: &str, _keys: &[Tag]) -> Answer {
        Answer { opened: false, why: "there are no mobile keys here".to_owned() }
    }
    fn type_pin(&self, door: &str, pin: &str) -> Answer {
        let Some(lock) = self.locks.get(door) else { return Answer { opened: false, why: "there is no such lock".to_owned() } };
        let opened = self.sim.enter(lock, pin);
        self.requests();
        Answer { opened, why: "the cloud's users and groups say so".to_owned() }
    }
    fn has_desks(&self) -> bool {
        false
    }
    fn is_full(&self) -> bool {
        self.sim.full_at().is_some_and(|at| at + WAITS >= self.clock.now())
    }
    fn seats(&self) -> u64 {
        self.sim.most_seats() as u64
    }
    fn requests(&self) -> u64 {
        self.requests.set(self.requests.get() + self.sim.take_requests().len() as u64);
        self.requests.get()
    }
}
