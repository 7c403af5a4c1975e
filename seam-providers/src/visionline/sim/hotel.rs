//! What the server of the fake knows.
use super::cards::{CardRecord, Content};
use super::lock::LockState;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use seam_core::clock::Clock;
use seam_core::model::civil;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A door of the fake.
#[derive(Clone, Debug)]
pub struct DoorPlan {
    /// Its name.
    pub name: String,
    /// Its category, in Visionline's words.
    pub category: &'static str,
    /// Its number, for the PMS port.
    pub number: Option<u16>,
}

impl DoorPlan {
    /// A guest room.
    #[must_use]
    pub fn room(name: impl Into<String>) -> Self {
        Self { name: name.into(), category: "guest", number: None }
    }
    /// A common door.
    #[must_use]
    pub fn common(name: impl Into<String>, number: u16) -> Self {
        Self { name: name.into(), category: "common", number: Some(number) }
    }
    /// An entrance, which opens for every guest.
    #[must_use]
    pub fn entrance(name: impl Into<String>) -> Self {
        Self { name: name.into(), category: "entrance", number: None }
    }
    pub(in crate::visionline) fn settings(&self) -> Value {
        let class = if self.category == "guest" || self.category == "entrance" { self.category } else { "common" };
        json!({"name": self.name, "class": class, "number": self.number})
    }
}

/// What an answer to an encode holds: it is not public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncodeAnswer {
    /// Nothing.
    #[default]
    Empty,
    /// The card, with its id and the serial number.
    Card,
}

/// How the fake is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HotelPlan {
    /// The name of the site.
    pub name: String,
    /// The zone of its clock.
    pub zone: Tz,
    /// Its doors.
    pub doors: Vec<DoorPlan>,
    /// Its encoders: device name, PMS address.
    pub encoders: Vec<(String, String)>,
    /// How long an encoder waits for a card. Our choice.
    pub card_wait: Duration,
    /// How long writing a card takes.
    pub writing: Duration,
    /// How long a session lives without being used. Our choice.
    pub session_life: TimeDelta,
    /// By how much the date of a request may differ. Our choice.
    pub date_tolerance: TimeDelta,
    /// What an answer to an encode holds.
    pub encode_answer: EncodeAnswer,
    /// Answers of the PMS port end with CR LF. Where they do not, nothing ends them.
    pub pms_lines_end: bool,
    /// The PMS port allows this host's address.
    pub pms_allowed: bool,
    /// The PMS port speaks in frames with checksums.
    pub pms_serial: bool,
    /// So many frames are not taken before one is: for a noisy line.
    pub pms_naks: u32,
    /// A blank card lies on an encoder whenever nobody laid one there.
    pub auto_card: bool,
}

impl HotelPlan {
    /// So many rooms from 101 on, a gym (1), a pool (2) and an entrance, two encoders.
    #[must_use]
    pub fn of(rooms: u16, zone: Tz) -> Self {
        let rooms = (1..=rooms).map(|n| DoorPlan::room((100 + n).to_string()));
        let others = [DoorPlan::common("gym", 1), DoorPlan::common("pool", 2), DoorPlan::entrance("lobby")];
        Self {
            name: "Grand".to_owned(),
            zone,
            doors: rooms.chain(others).collect(),
            encoders: vec![("Desk1".to_owned(), "1".to_owned()), ("Desk2".to_owned(), "2".to_owned())],
            card_wait: Duration::from_secs(4),
            writing: Duration::ZERO,
            session_life: TimeDelta::minutes(30),
            date_tolerance: TimeDelta::minutes(15),
            encode_answer: EncodeAnswer::Empty,
            pms_lines_end: true,
            pms_allowed: true,
            pms_serial: false,
            pms_naks: 0,
            auto_card: false,
        }
    }
}

/// A session of the web interface.
#[derive(Debug)]
pub(in crate::visionline) struct SessionState {
    pub(in crate::visionline) key: String,
    pub(in crate::visionline) used: DateTime<Utc>,
}

/// All that the fake remembers.
#[derive(Debug)]
pub(in crate::visionline) struct State {
    pub(in crate::visionline) plan: HotelPlan,
    pub(in crate::visionline) sessions: BTreeMap<String, SessionState>,
    pub(in crate::visionline) logins: u64,
    pub(in crate::visionline) refusals: (u32, u16, Option<(String, String)>),
    pub(in crate::visionline) cards: Vec<CardRecord>,
    /// The number of each room's present guest.
    pub(in crate::visionline) rooms: BTreeMap<String, u64>,
    pub(in crate::visionline) locks: BTreeMap<String, LockState>,
    pub(in crate::visionline) plastic: BTreeMap<String, Content>,
    pub(in crate::visionline) fields: BTreeMap<String, Vec<String>>,
    pub(in crate::visionline) busy: BTreeSet<String>,
    pub(in crate::visionline) offline: BTreeSet<String>,
    pub(in crate::visionline) endpoints: BTreeSet<String>,
    pub(in crate::visionline) last_written: Option<String>,
    pub(in crate::visionline) serials: u64,
    /// How much the server's clock is fast; its locks are right.
    pub(in crate::visionline) fast: TimeDelta,
}

impl State {
    pub(in crate::visionline) fn door(&self, name: &str) -> Option<&DoorPlan> {
        self.plan.doors.iter().find(|d| d.name == name)
    }
    pub(in crate::visionline) fn field(&mut self, encoder: &str) -> &mut Vec<String> {
        self.fields.entry(encoder.to_owned()).or_default()
    }
    /// A chip of seven bytes.
    pub(in crate::visionline) fn new_serial(&mut self) -> String {
        self.serials += 1;
        format!("04{:012X}", 0x00a1_b2c3_d400_u64 + self.serials)
    }
}

/// The server of the fake.
pub(in crate::visionline) struct Hotel {
    state: Mutex<State>,
    pub(in crate::visionline) clock: Arc<dyn Clock>,
    /// A card was laid on an encoder.
    pub(in crate::visionline) moved: Notify,
}

impl fmt::Debug for Hotel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hotel").finish_non_exhaustive()
    }
}

impl Hotel {
    pub(in crate::visionline) fn new(plan: HotelPlan, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            plan,
            sessions: BTreeMap::new(),
            logins: 0,
            refusals: (0, 0, None),
            cards: Vec::new(),
            rooms: BTreeMap::new(),
            locks: BTreeMap::new(),
            plastic: BTreeMap::new(),
            fields: BTreeMap::new(),
            busy: BTreeSet::new(),
            offline: BTreeSet::new(),
            endpoints: BTreeSet::new(),
            last_written: None,
            serials: 0,
            fast: TimeDelta::zero(),
        };
        Self { state: Mutex::new(state), clock, moved: Notify::new() }
    }
    pub(in crate::visionline) fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
    pub(in crate::visionline) fn plan(&self) -> HotelPlan {
        self.change(|state| state.plan.clone())
    }
    /// What the clocks of the server and of the locks show.
    pub(in crate::visionline) fn wall_clock(&self) -> NaiveDateTime {
        let zone = self.change(|state| state.plan.zone);
        civil::clock(self.clock.now(), zone)
    }
}
