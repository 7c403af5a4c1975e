//! The house: rooms, locks, cards, encoders, and what the server has on record.
use super::{PmsFaults, SimDoor, SpaceSimOptions};
use crate::salto_space::pms::Authorisation;
use crate::salto_space::ship::time;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::future::select;
use seam_core::clock::Clock;
use seam_core::model::civil;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A piece of plastic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimCard(pub(super) u64);

impl SimCard {
    /// Its serial number in hexadecimal.
    #[must_use]
    pub fn serial(&self) -> String {
        format!("04{:012X}", self.0)
    }
}

/// What a door did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimTry {
    /// It opened.
    Opened,
    /// The key is an older guest's.
    OldGuest,
    /// The key is not for this door.
    NotForThisDoor,
    /// Its time has not begun, or is over.
    OutOfTime,
    /// Nothing is known of it.
    Unknown,
    /// There is no such door.
    NoDoor,
}

impl SimTry {
    /// Whether it opened.
    #[must_use]
    pub fn is_open(self) -> bool {
        self == Self::Opened
    }
}

#[derive(Clone, Debug)]
pub(super) struct GuestKey {
    /// Rooms with the guest's number there.
    pub(super) rooms: Vec<(String, u64)>,
    pub(super) granted: Vec<Authorisation>,
    pub(super) symbols: String,
    pub(super) starts: NaiveDateTime,
    pub(super) ends: NaiveDateTime,
    pub(super) copy: u32,
    pub(super) operator: String,
    pub(super) once: bool,
}

#[derive(Clone, Debug)]
pub(super) struct UserKey {
    pub(super) user: String,
    /// What the card was told of offline doors.
    pub(super) permits: Vec<Permit>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Blank,
    Foreign,
    Staff,
    Guest(GuestKey),
    User(UserKey),
}

#[derive(Clone, Debug)]
pub(super) struct Permit {
    pub(super) door: String,
    pub(super) starts: NaiveDateTime,
    pub(super) ends: NaiveDateTime,
}

#[derive(Debug, Default)]
pub(super) struct Room {
    /// The number of the guest who was checked in last.
    pub(super) guest: u64,
    pub(super) occupied: bool,
    pub(super) copies: u32,
    pub(super) out_of_service: bool,
    /// The number of the guest whose key was used last: the lock's own memory.
    lock: u64,
}

#[derive(Debug, Default)]
struct Encoder {
    card: Option<SimCard>,
    offline: bool,
    busy: bool,
}

#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) doors: Vec<Permit>,
    pub(super) members: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: DateTime<Utc>,
    pub(super) operation: u32,
    pub(super) door: String,
    pub(super) subject: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) cards: BTreeMap<u64, Content>,
    encoders: BTreeMap<String, Encoder>,
    always: bool,
    written: Vec<SimCard>,
    write_time: Duration,
    pub(super) users: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) levels: BTreeMap<String, Level>,
    pub(super) log: Vec<Event>,
    pub(super) faults: PmsFaults,
    pub(super) requests: Vec<String>,
    /// Keys that were sent to phones, by number.
    pub(super) phones: BTreeMap<String, Vec<GuestKey>>,
    pub(super) without_app: BTreeSet<String>,
    pub(super) keys_written: usize,
    /// How much the server's clock is fast; its locks are right.
    pub(super) fast: TimeDelta,
    /// Doors whose control unit is not spoken with.
    pub(super) cut_off: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct House {
    state: Mutex<State>,
    moved: Notify,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) zone: Tz,
    pub(super) doors: Vec<SimDoor>,
    authorisations: Vec<u8>,
    card_wait: Duration,
    pub(super) pages_begin_after: bool,
}

/// A card that came to an encoder.
pub(super) enum Came {
    Card(SimCard, Content),
    /// The encoder is offline, or somebody else waits there; or nobody came.
    Not(&'static str),
}

/// An encoder is busy until this is dropped.
struct Busy<'a>(&'a House, &'a str);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(e) = self.0.state().encoders.get_mut(self.1) {
            e.busy = false;
        }
    }
}

impl House {
    pub(super) fn new(options: &SpaceSimOptions) -> Self {
        let mut state = State::default();
        state.rooms.extend(options.rooms.iter().map(|r| (r.clone(), Room::default())));
        state.encoders.extend(options.encoders.iter().map(|e| (e.clone(), Encoder::default())));
        Self {
            state: Mutex::new(state),
            moved: Notify::new(),
            clock: Arc::clone(&options.clock),
            zone: options.zone,
            doors: options.doors.clone(),
            authorisations: options.authorisations.clone(),
            card_wait: options.card_wait,
            pages_begin_after: options.pages_begin_after,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn local(&self) -> NaiveDateTime {
        civil::clock(self.clock.now(), self.zone)
    }

    fn add_card(&self, content: Content) -> SimCard {
        let mut state = self.state();
        let number = state.cards.keys().next_back().map_or(1, |n| n + 1);
        state.cards.insert(number, content);
        SimCard(number)
    }
    pub(super) fn new_card(&self) -> SimCard {
        self.add_card(Content::Blank)
    }
    pub(super) fn foreign_card(&self) -> SimCard {
        self.add_card(Content::Foreign)
    }
    pub(super) fn staff_card(&self) -> SimCard {
        self.add_card(Content::Staff)
    }
    pub(super) fn lay(&self, encoder: &str, card: Option<&SimCard>) -> Option<SimCard> {
        let before = self.state().encoders.get_mut(encoder).and_then(|e| std::mem::replace(&mut e.card, card.cloned()));
        self.moved.notify_waiters();
        before
    }
    pub(super) fn lay_always(&self, always: bool) {
        self.state().always = always;
        self.moved.notify_waiters();
    }
    pub(super) fn take_written(&self) -> Vec<SimCard> {
        std::mem::take(&mut self.state().written)
    }
    pub(super) fn set_offline(&self, encoder: &str, offline: bool) {
        if let Some(e) = self.state().encoders.get_mut(encoder) {
            e.offline = offline;
        }
    }
    pub(super) fn set_write_time(&self, takes: Duration) {
        self.state().write_time = takes;
    }
    pub(super) fn set_out_of_service(&self, room: &str, out: bool) {
        if let Some(r) = self.state().rooms.get_mut(room) {
            r.out_of_service = out;
        }
    }
    pub(super) fn is_occupied(&self, room: &str) -> bool {
        self.state().rooms.get(room).is_some_and(|r| r.occupied)
    }
    pub(super) fn set_faults(&self, faults: PmsFaults) {
        self.state().faults = faults;
    }
    pub(super) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Waits until a card lies on an encoder, and changes it. The change is made in the moment in which the card is there, and says what to answer.
    pub(super) async fn at_encoder<T>(&self, name: &str, act: impl FnOnce(&mut State, Came) -> T) -> T {
        match self.state().encoders.get_mut(name) {
            None => return act(&mut State::default(), Came::Not("none")),
            Some(e) if e.offline => return act(&mut State::default(), Came::Not("offline")),
            Some(e) if e.busy => return act(&mut State::default(), Came::Not("busy")),
            Some(e) => e.busy = true,
        }
        let _busy = Busy(self, name);
        let until = self.clock.now() + TimeDelta::from_std(self.card_wait).unwrap_or_default();
        let card = loop {
            let moved = self.moved.notified();
            if let Some(card) = self.card_at(name) {
                break card;
            }
            if self.clock.now() >= until {
                return act(&mut State::default(), Came::Not("no card"));
            }
            let _ = select(pin!(moved), pin!(self.clock.sleep_until(until))).await;
        };
        let takes = self.state().write_time;
        if !takes.is_zero() {
            self.clock.sleep_until(self.clock.now() + TimeDelta::from_std(takes).unwrap_or_default()).await;
        }
        let mut state = self.state();
        let content = state.cards.get(&card.0).cloned().unwrap_or(Content::Foreign);
        act(&mut state, Came::Card(card, content))
    }

    fn card_at(&self, name: &str) -> Option<SimCard> {
        let laid = self.state().encoders.get(name).and_then(|e| e.card.clone());
        if laid.is_some() || !self.state().always {
            return laid;
        }
        let card = self.new_card();
        self.state().written.push(card.clone());
        Some(card)
    }

    pub(super) fn present(&self, door: &str, card: &SimCard) -> SimTry {
        let local = self.local();
        let mut state = self.state();
        let content = state.cards.get(&card.0).cloned().unwrap_or(Content::Blank);
        match content {
            Content::Guest(key) if is_hotel(door) => {
                let tried = self.by_guest(&mut state, door, &key, local);
                if tried.is_open() && key.once {
                    state.cards.insert(card.0, Content::Blank);
                }
                tried
            }
            Content::User(key) => self.by_user(&mut state, door, &key, local),
            _ => SimTry::Unknown,
        }
    }

    /// A phone shows all of its keys: the first that opens does.
    pub(super) fn present_phone(&self, door: &str, phone: &str) -> SimTry {
        let local = self.local();
        let mut state = self.state();
        let keys = state.phones.get(phone).cloned().unwrap_or_default();
        let mut tried = SimTry::Unknown;
        for key in keys.iter().rev().filter(|_| is_hotel(door)) {
            tried = self.by_guest(&mut state, door, key, local);
            if tried.is_open() {
                break;
            }
        }
        tried
    }

    pub(super) fn set_app(&self, phone: &str, registered: bool) {
        let mut state = self.state();
        match registered {
            true => drop(state.without_app.remove(phone)),
            false => drop(state.without_app.insert(phone.to_owned())),
        }
    }

    fn by_guest(&self, state: &mut State, door: &str, key: &GuestKey, local: NaiveDateTime) -> SimTry {
        let in_time = key.starts <= local && local < key.ends;
        let Some(name) = door.strip_prefix("room/") else {
            let right = door.strip_prefix("authorisation/").and_then(|n| n.parse::<u8>().ok());
            let Some(right) = right.filter(|n| self.authorisations.contains(n)) else { return SimTry::NoDoor };
            let has = key.granted.iter().any(|g| g.number() == right);
            return match (has, in_time) {
                (true, true) => SimTry::Opened,
                (true, false) => SimTry::OutOfTime,
                _ => SimTry::NotForThisDoor,
            };
        };
        let Some(lock) = state.rooms.get_mut(name) else { return SimTry::NoDoor };
        let Some((_, number)) = key.rooms.iter().find(|(r, _)| r == name) else { return SimTry::NotForThisDoor };
        if *number < lock.lock {
            return SimTry::OldGuest;
        }
        if !in_time {
            return SimTry::OutOfTime;
        }
        lock.lock = *number;
        SimTry::Opened
    }

    fn by_user(&self, state: &mut State, door: &str, key: &UserKey, local: NaiveDateTime) -> SimTry {
        let Some(known) = self.doors.iter().find(|d| d.id == door) else { return SimTry::NoDoor };
        let permits = if known.online { permits(state, &key.user, local) } else { key.permits.clone() };
        let tried = judge(&permits, door, local);
        let operation = if tried.is_open() { 17 } else { 84 };
        let subject = Some(key.user.clone());
        state.log.push(Event { at: self.clock.now(), operation, door: door.to_owned(), subject });
        tried
    }

    pub(super) fn enter(&self, door: &str, pin: &str) -> SimTry {
        let local = self.local();
        let mut state = self.state();
        if !self.doors.iter().any(|d| d.id == door && d.online) {
            return SimTry::NoDoor;
        }
        let has = |fields: &BTreeMap<String, String>| {
            fields.get("PINEnabled").is_some_and(|e| e == "1") && fields.get("PINCode").is_some_and(|p| p == pin && !p.is_empty())
        };
        let users: Vec<String> = state.users.iter().filter(|(_, f)| has(f)).map(|(id, _)| id.clone()).collect();
        let mut tried = (SimTry::Unknown, None);
        for user in users {
            let this = judge(&permits(&state, &user, local), door, local);
            if !tried.0.is_open() {
                tried = (this, Some(user));
            }
        }
        let operation = if tried.0.is_open() { 26 } else { 93 };
        state.log.push(Event { at: self.clock.now(), operation, door: door.to_owned(), subject: tried.1 });
        tried.0
    }

    pub(super) fn card_where(&self, is: impl Fn(&str) -> bool) -> Option<SimCard> {
        let state = self.state();
        let mine = state.cards.iter().rev().find(|(_, c)| matches!(c, Content::Guest(k) if is(&k.operator)));
        mine.map(|(n, _)| SimCard(*n))
    }
    pub(super) fn card_of_user(&self, user: &str) -> Option<SimCard> {
        let state = self.state();
        let mine = state.cards.iter().rev().find(|(_, c)| matches!(c, Content::User(k) if k.user == user));
        mine.map(|(n, _)| SimCard(*n))
    }
    pub(super) fn count(&self, what: &str, id: &str) -> u32 {
        let state = self.state();
        u32::from(match what {
            "user" => state.users.contains_key(id),
            "level" => state.levels.contains_key(id),
            _ => state.users.get(id).and_then(|u| u.get("PINCode")).is_some_and(|p| !p.is_empty()),
        })
    }
}

/// Whether a door is one of the hotel's part: a room or an authorisation.
fn is_hotel(door: &str) -> bool {
    door.starts_with("room/") || door.starts_with("authorisation/")
}

/// What a user may pass now: nothing when she is banned, not yet there, or gone.
pub(super) fn permits(state: &State, user: &str, local: NaiveDateTime) -> Vec<Permit> {
    let Some(fields) = state.users.get(user) else { return Vec::new() };
    let says = |name: &str| fields.get(name).map_or("", String::as_str);
    let not_yet = time(says("UserActivation")).is_some_and(|at| local < at);
    let over = says("UserExpiration.Enabled") == "1" && time(says("UserExpiration")).is_some_and(|at| at <= local);
    if says("IsBanned") == "1" || not_yet || over {
        return Vec::new();
    }
    state.levels.values().filter(|l| l.members.contains(user)).flat_map(|l| l.doors.clone()).collect()
}

fn judge(permits: &[Permit], door: &str, local: NaiveDateTime) -> SimTry {
    let mine: Vec<&Permit> = permits.iter().filter(|p| p.door == door).collect();
    match mine.iter().any(|p| p.starts <= local && local < p.ends) {
        true => SimTry::Opened,
        false if mine.is_empty() => SimTry::NotForThisDoor,
        false => SimTry::OutOfTime,
    }
}
