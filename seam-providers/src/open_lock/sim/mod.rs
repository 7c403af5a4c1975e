//! A virtual site: doors that decide like a lock does, and phones that carry what they were given.
//!
//! The doors run `seam_ble::lock`: its decision, its memory, its clock. They are offline: they know what phones bring, and the time that a phone
//! fetched for them. The phone's proof of its key is a signature over a number that the door draws: what Aliro and PKOC do on the air around that is
//! tested in seam-ble.
mod aliro;
mod door;
mod phone;
mod wall;

pub use door::{Answer, ClockOfDoor, Door};
pub use phone::Phone;
#[cfg(test)]
pub(super) use wall::{clock_changes, wall_clock};

use super::{DocumentForm, Issuer, KeyInMemory, MemoryRecords, OpenLockFactory, Records};
use seam_core::clock::Clock;
use seam_core::provider::{Failure, Reason};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A site with virtual doors, an issuer with a key in memory, and its records.
#[derive(Debug)]
pub struct Site {
    /// The issuer's records.
    pub records: Arc<MemoryRecords>,
    /// The issuer.
    pub issuer: Issuer,
    /// The site's id.
    pub id: Uuid,
    clock: Arc<dyn Clock>,
    doors: BTreeMap<String, (Uuid, Door)>,
    common: Vec<String>,
    form: DocumentForm,
}

/// The site's id, and its zone.
const SITE: Uuid = Uuid::from_u128(0x517E);
const ZONE: chrono_tz::Tz = chrono_tz::Tz::Europe__Berlin;

fn issuer(records: Arc<dyn Records>, clock: &Arc<dyn Clock>) -> Result<Issuer, Failure> {
    Ok(Issuer::new(records, Arc::new(KeyInMemory::new([0x51; 32])?), Arc::clone(clock)))
}

impl Site {
    /// A site with rooms and common doors by these names, fitted a month ago. `clocks`: what clocks the doors have.
    ///
    /// # Errors
    /// `Refused` when the fixed key of the simulation is none: never.
    pub fn new(clock: Arc<dyn Clock>, rooms: &[&str], common: &[&str], clocks: ClockOfDoor) -> Result<Self, Failure> {
        let records = Arc::new(MemoryRecords::new());
        let issuer = issuer(Arc::clone(&records) as Arc<dyn Records>, &clock)?;
        let mut doors = BTreeMap::new();
        for (n, name) in (1_u128..).zip(rooms.iter().chain(common)) {
            let id = Uuid::from_u128(0xD00F << 64 | n);
            let fitting = door::Fitting { id, site: SITE, common: common.contains(name), zone: ZONE, clocks };
            let fitted = Door::fit(&fitting, issuer.public_key(), Arc::clone(&clock));
            let door = fitted.map_err(|_| Failure::refused(Reason::Other, "the fixed key of a door is none"))?;
            doors.insert((*name).to_owned(), (id, door));
        }
        let common = common.iter().map(|&name| name.to_owned()).collect();
        Ok(Self { records, issuer, id: SITE, clock, doors, common, form: DocumentForm::Compact })
    }
    /// The same site, with locks that take documents in this form.
    #[must_use]
    pub fn in_form(self, form: DocumentForm) -> Self {
        Self { form, ..self }
    }
    /// The same site, whose issuer keeps its records elsewhere: as after a start of the host, if others were there before.
    ///
    /// # Errors
    /// `Refused` when the fixed key of the simulation is none: never.
    pub fn keeping(self, records: Arc<dyn Records>) -> Result<Self, Failure> {
        Ok(Self { issuer: issuer(records, &self.clock)?, ..self })
    }
    /// Settings of an account at this site.
    #[must_use]
    pub fn settings(&self) -> Value {
        let class = |name: &String| if self.common.contains(name) { "common" } else { "guest" };
        let entrances: Vec<Value> =
            self.doors.iter().map(|(name, (id, _))| json!({ "id": id, "name": name, "class": class(name) })).collect();
        json!({ "name": "Virtual site", "site": self.id, "time_zone": ZONE.name(), "documents": self.form, "entrances": entrances })
    }
    /// A factory of accounts at this site.
    #[must_use]
    pub fn factory(&self) -> Arc<OpenLockFactory> {
        Arc::new(OpenLockFactory::new(self.issuer.clone()))
    }
    /// Where phones are served.
    #[must_use]
    pub fn desk(&self) -> super::Desk {
        self.issuer.desk(self.id).in_form(self.form)
    }
    /// A door by its name or its id.
    #[must_use]
    pub fn door(&self, name: &str) -> Option<&Door> {
        let by_id = || self.doors.values().find(|(id, _)| id.to_string() == name);
        self.doors.get(name).or_else(by_id).map(|(_, door)| door)
    }
    /// Somebody with a connection goes by every door whose clock is not set, and sets it.
    ///
    /// # Errors
    /// What the issuer reports.
    pub async fn set_clocks(&self) -> Result<(), Failure> {
        for (id, door) in self.doors.values() {
            let token = self.desk().time(*id, door.challenge()).await?;
            door.set_time(&token);
        }
        Ok(())
    }
    /// Whoever fitted the locks tells the issuer which one hangs where: from then on their receipts count.
    ///
    /// # Errors
    /// What the issuer reports.
    pub async fn tell_locks(&self) -> Result<(), Failure> {
        for (id, door) in self.doors.values() {
            self.desk().fitted(*id, &door.public_key()).await?;
        }
        Ok(())
    }
    /// The clock that all go by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}
