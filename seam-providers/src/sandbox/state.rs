//! What the virtual world remembers, as real servers, locks, cards and phones would.
use super::config::SiteConfig;
use super::door::Why;
use super::encoder::EncoderState;
use super::faults::Faults;
use super::things::Things;
use chrono::{DateTime, Utc};
use seam_core::model::{Weekly, Window};
use seam_core::provider::{Kind, Role, Tag};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Digits that never show in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Pin(pub(super) String);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Something that the site's system holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) tag: Option<Tag>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) doors: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    pub(super) window: Option<Window>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Weekly>,
    #[serde(default)]
    pub(super) suspended: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<Pin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slot: Option<u16>,
    /// The card's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<String>,
    /// The phone that a mobile key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stay: Option<StayMark>,
    /// Issue numbers by guest door.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) numbers: BTreeMap<String, u64>,
}

impl Thing {
    pub(super) fn new(kind: Kind, tag: Option<Tag>, name: impl Into<String>) -> Self {
        Self {
            kind,
            tag,
            name: name.into(),
            user: None,
            doors: Vec::new(),
            groups: Vec::new(),
            window: None,
            schedule: None,
            suspended: false,
            pin: None,
            slot: None,
            number: None,
            phone: None,
            stay: None,
            numbers: BTreeMap::new(),
        }
    }
}

/// The stay that a credential was made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StayMark {
    pub(super) key: String,
    pub(super) generation: u64,
    pub(super) role: Role,
}

/// What a card or a phone says to an offline lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) site: String,
    pub(super) id: String,
    pub(super) tag: Option<Tag>,
    pub(super) doors: Vec<String>,
    pub(super) window: Window,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Weekly>,
    #[serde(default)]
    pub(super) suspended: bool,
    /// Issue numbers by guest door; none on a staff key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) numbers: BTreeMap<String, u64>,
}

/// What lies in an offline lock's memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LockMemory {
    /// The current issue number; 0 in a lock that no guest has used.
    pub(super) generation: u64,
    /// Keys that a cancelling card has named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) blocked: BTreeSet<String>,
    /// By how many seconds the lock's clock is fast.
    #[serde(default)]
    pub(super) fast_seconds: i64,
}

/// What the server believes about a guest room, where it gives the issue numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Room {
    /// The number of the current guest.
    pub(super) number: u64,
    /// The stay of the current guest, if there is one.
    pub(super) guest: Option<String>,
    /// Numbers by stay, the latest few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) stays: BTreeMap<String, u64>,
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PhoneState {
    pub(super) online: bool,
    pub(super) enrolled: bool,
    pub(super) keys: BTreeMap<String, Key>,
}

/// A physical card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CardState {
    pub(super) content: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changed_at: Option<DateTime<Utc>>,
}

/// What is written on a card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// Nothing.
    #[default]
    Blank,
    /// Half of something: no lock takes it.
    Torn,
    /// A key.
    Key(Key),
    /// Names a key that locks are to refuse from now on.
    Cancels { site: String, id: String },
    /// Something of another maker.
    Foreign,
}

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LogLine {
    pub(super) at: DateTime<Utc>,
    pub(super) door: String,
    pub(super) id: Option<String>,
    pub(super) tag: Option<Tag>,
    /// What was shown or typed.
    pub(super) by: Kind,
    pub(super) why: Why,
}

/// Which row of a site was changed by the present call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    Config,
    Sequence,
    Thing(String),
    Lock(String),
    Room(String),
    Phone(String),
    Encoder(String),
    Log(u64),
    Pending(u64),
}

/// A site.
#[derive(Debug)]
pub(super) struct SiteState {
    pub(super) config: SiteConfig,
    /// Counts ids and log lines.
    pub(super) sequence: u64,
    pub(super) things: Things,
    pub(super) locks: BTreeMap<String, LockMemory>,
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) phones: BTreeMap<String, PhoneState>,
    pub(super) encoders: BTreeMap<String, EncoderState>,
    /// What the system shows of the log.
    pub(super) log: BTreeMap<u64, LogLine>,
    /// What still lies in offline locks.
    pub(super) pending: BTreeMap<u64, LogLine>,
    /// Whose request about a stay has reached whose guest, where they are not the same.
    pub(super) wronged: Vec<(String, String)>,
    pub(super) faults: Faults,
    pub(super) journaled: bool,
    pub(super) touched: BTreeSet<Row>,
}

impl SiteState {
    pub(super) fn new(config: SiteConfig, journaled: bool) -> Self {
        Self {
            config,
            sequence: 0,
            things: Things::default(),
            locks: BTreeMap::new(),
            rooms: BTreeMap::new(),
            phones: BTreeMap::new(),
            encoders: BTreeMap::new(),
            log: BTreeMap::new(),
            pending: BTreeMap::new(),
            wronged: Vec::new(),
            faults: Faults::default(),
            journaled,
            touched: BTreeSet::new(),
        }
    }

    /// Says that a row was changed, so that it is written down before the answer.
    pub(super) fn touch(&mut self, row: Row) {
        if self.journaled {
            self.touched.insert(row);
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.touch(Row::Sequence);
        self.sequence
    }

    pub(super) fn set_thing(&mut self, id: &str, thing: Option<Thing>) {
        self.things.set(id, thing);
        self.touch(Row::Thing(id.to_owned()));
    }

    pub(super) fn lock(&mut self, door: &str) -> &mut LockMemory {
        self.touch(Row::Lock(door.to_owned()));
        self.locks.entry(door.to_owned()).or_default()
    }

    pub(super) fn room(&mut self, door: &str) -> &mut Room {
        self.touch(Row::Room(door.to_owned()));
        self.rooms.entry(door.to_owned()).or_default()
    }

    pub(super) fn phone(&mut self, name: &str) -> &mut PhoneState {
        self.touch(Row::Phone(name.to_owned()));
        let enrolled = !self.config.phones_enrol;
        self.phones.entry(name.to_owned()).or_insert_with(|| PhoneState { online: true, enrolled, keys: BTreeMap::new() })
    }

    pub(super) fn encoder(&mut self, name: &str) -> Option<&mut EncoderState> {
        if !self.config.encoders.iter().any(|e| e == name) {
            return None;
        }
        self.touch(Row::Encoder(name.to_owned()));
        Some(self.encoders.entry(name.to_owned()).or_default())
    }

    /// Makes a phone's keys those that the system holds for it, if it can be reached.
    pub(super) fn sync_phone(&mut self, name: &str) {
        let phone = self.phone(name);
        if !phone.online || !phone.enrolled {
            return;
        }
        let keys = self.things.on_phone(name).filter_map(|id| Some((id.clone(), self.key(id)?))).collect();
        self.phone(name).keys = keys;
    }

    /// The key that a card or phone carries for this thing.
    pub(super) fn key(&self, id: &str) -> Option<Key> {
        let thing = self.things.get(id)?;
        Some(Key {
            site: self.config.name.clone(),
            id: id.to_owned(),
            tag: thing.tag.clone(),
            doors: thing.doors.clone(),
            window: thing.window?,
            schedule: thing.schedule.clone(),
            suspended: thing.suspended,
            numbers: thing.numbers.clone(),
        })
    }

    /// Writes a line: into the lock's own memory when it is offline, else where the system shows it.
    pub(super) fn write_log(&mut self, line: LogLine, offline: bool) {
        let n = self.next();
        let capacity = self.config.log_capacity as usize;
        if offline && !self.config.logs_at_once {
            self.pending.insert(n, line);
            self.touch(Row::Pending(n));
            while self.pending.len() > capacity
                && let Some((n, _)) = self.pending.pop_first()
            {
                self.touch(Row::Pending(n));
            }
        } else {
            self.log.insert(n, line);
            self.touch(Row::Log(n));
            while self.log.len() > capacity
                && let Some((n, _)) = self.log.pop_first()
            {
                self.touch(Row::Log(n));
            }
        }
    }

    /// Carries the lines of offline locks to where the system shows them.
    pub(super) fn collect(&mut self, door: Option<&str>) {
        let all = std::mem::take(&mut self.pending);
        for (n, line) in all {
            if door.is_none_or(|d| d == line.door) {
                self.touch(Row::Pending(n));
                self.write_collected(line);
            } else {
                self.pending.insert(n, line);
            }
        }
    }

    fn write_collected(&mut self, line: LogLine) {
        let at_once = std::mem::replace(&mut self.config.logs_at_once, true);
        self.write_log(line, true);
        self.config.logs_at_once = at_once;
    }
}
