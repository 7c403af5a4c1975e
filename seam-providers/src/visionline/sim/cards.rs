//! Cards: the server's list of them, and what is written on plastic and kept on phones.
use super::hotel::{Hotel, State};
use chrono::{NaiveDateTime, TimeDelta};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// A piece of plastic, by its serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plastic(pub(in crate::visionline) String);

impl Plastic {
    /// Its serial number, hexadecimal.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.0
    }
    /// The piece with this serial number.
    #[must_use]
    pub fn of_serial(serial: &str) -> Self {
        Self(serial.to_owned())
    }
}

/// A card in the list of the server, as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CardSeenAs {
    /// Its number in the list.
    pub id: u64,
    /// Its holder.
    pub holder: String,
    /// First civil minute.
    pub starts: NaiveDateTime,
    /// First civil minute after it.
    pub ends: NaiveDateTime,
    /// Its doors.
    pub doors: Vec<String>,
    /// A later guest's card was made.
    pub overridden: bool,
    /// Something else was written over it.
    pub overwritten: bool,
    /// It overrode others when it was made.
    pub opened: bool,
    /// The phone that it is on.
    pub endpoint: Option<String>,
}

impl CardSeenAs {
    pub(in crate::visionline) fn of(card: &CardRecord) -> Self {
        Self {
            id: card.id,
            holder: card.holder.clone(),
            starts: card.starts,
            ends: card.ends,
            doors: card.doors.clone(),
            overridden: card.overridden,
            overwritten: card.overwritten,
            opened: card.opened,
            endpoint: card.endpoint.clone(),
        }
    }
}

/// A card in the list of the server.
#[derive(Clone, Debug)]
pub(in crate::visionline) struct CardRecord {
    pub(in crate::visionline) id: u64,
    pub(in crate::visionline) holder: String,
    pub(in crate::visionline) created: NaiveDateTime,
    pub(in crate::visionline) starts: NaiveDateTime,
    pub(in crate::visionline) ends: NaiveDateTime,
    pub(in crate::visionline) doors: Vec<String>,
    pub(in crate::visionline) endpoint: Option<String>,
    pub(in crate::visionline) serial: Option<String>,
    pub(in crate::visionline) overridden: bool,
    pub(in crate::visionline) overwritten: bool,
    pub(in crate::visionline) opened: bool,
    pub(in crate::visionline) key: Key,
}

impl CardRecord {
    pub(in crate::visionline) fn is_live(&self, now: NaiveDateTime) -> bool {
        !self.overridden && !self.overwritten && now < self.ends
    }
    pub(in crate::visionline) fn shown(&self, now: NaiveDateTime) -> Value {
        let time = |t: NaiveDateTime| t.format("%Y%m%dT%H%M").to_string();
        // Serial numbers come filled up.
        let serials: Vec<String> = self.serial.iter().map(|s| format!("{s}FF")).collect();
        json!({
            "id": self.id.to_string(), "uniqueRegistrationNumber": self.id, "credentialID": self.id, "cardHolder": self.holder,
            "created": time(self.created), "startTime": time(self.starts), "expireTime": time(self.ends), "format": "rfid48",
            "doorOperations": [{"operation": "guest", "doors": self.doors}], "endpointId": self.endpoint, "serialNumbers": serials,
            "numberOfIssuedCards": 1, "cancelled": false, "discarded": false, "expired": now >= self.ends, "notIssued": false,
            "overridden": self.overridden, "overwritten": self.overwritten, "pendingAutoUpdate": false,
        })
    }
}

/// What a lock learns from a card or a phone: no server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::visionline) struct Key {
    pub(in crate::visionline) card: u64,
    pub(in crate::visionline) starts: NaiveDateTime,
    pub(in crate::visionline) ends: NaiveDateTime,
    /// Guest rooms, each with the number of its guest.
    pub(in crate::visionline) rooms: BTreeMap<String, u64>,
    pub(in crate::visionline) common: Vec<String>,
}

/// What is on a piece of plastic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::visionline) enum Content {
    Key(Key),
    Foreign,
    Torn,
}

/// A wish for a card.
#[derive(Clone)]
pub(in crate::visionline) struct Wish {
    pub(in crate::visionline) holder: String,
    pub(in crate::visionline) starts: NaiveDateTime,
    pub(in crate::visionline) ends: NaiveDateTime,
    pub(in crate::visionline) doors: Vec<String>,
    pub(in crate::visionline) role: Role,
    pub(in crate::visionline) endpoint: Option<String>,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wish").field("doors", &self.doors).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What a new card does with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::visionline) enum Role {
    Override,
    /// A joiner where there are valid cards on its rooms, else an override.
    AutoJoin,
}

/// Why a card cannot be made. The web interface and the PMS port each have their own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::visionline) enum Cannot {
    NoSuchDoor,
    NoSuchEncoder,
    NoSuchEndpoint,
    BadTime,
    NoCard,
    Foreign,
    ValidCard,
    Removed,
    Offline,
    Busy,
}

impl State {
    /// Whether a card could be made so.
    pub(in crate::visionline) fn check(&self, wish: &Wish) -> Result<(), Cannot> {
        if wish.starts >= wish.ends {
            return Err(Cannot::BadTime);
        }
        let known = wish.doors.iter().all(|name| self.door(name).is_some_and(|d| d.category != "entrance"));
        if !known || wish.doors.is_empty() {
            return Err(Cannot::NoSuchDoor);
        }
        match &wish.endpoint {
            Some(endpoint) if !self.endpoints.contains(endpoint) => Err(Cannot::NoSuchEndpoint),
            _ => Ok(()),
        }
    }

    /// Puts a card into the list, and gives what its locks are to learn.
    pub(in crate::visionline) fn record(&mut self, wish: &Wish, serial: Option<&str>, now: NaiveDateTime) -> Key {
        let is_room = |state: &Self, name: &str| state.door(name).is_some_and(|d| d.category == "guest");
        let rooms: Vec<String> = wish.doors.iter().filter(|d| is_room(self, d)).cloned().collect();
        let common = wish.doors.iter().filter(|d| !is_room(self, d)).cloned().collect();
        let shares = |card: &CardRecord| card.key.rooms.keys().any(|room| rooms.contains(room));
        let joins = wish.role == Role::AutoJoin
            && rooms.iter().all(|room| {
                // Valid at the same time as the new one. Our choice.
                self.cards.iter().any(|c| c.is_live(now) && c.key.rooms.contains_key(room) && c.starts < wish.ends && wish.starts < c.ends)
            });
        if !joins {
            for card in self.cards.iter_mut().filter(|c| shares(c)) {
                card.overridden = true;
            }
            for room in &rooms {
                *self.rooms.entry(room.clone()).or_default() += 1;
            }
        }
        let id = self.cards.len() as u64 + 1;
        let numbers = rooms.iter().map(|room| (room.clone(), self.rooms.get(room).copied().unwrap_or_default())).collect();
        let key = Key { card: id, starts: wish.starts, ends: wish.ends, rooms: numbers, common };
        self.cards.push(CardRecord {
            id,
            holder: wish.holder.clone(),
            created: now,
            starts: wish.starts,
            ends: wish.ends,
            doors: wish.doors.clone(),
            endpoint: wish.endpoint.clone(),
            serial: serial.map(str::to_owned),
            overridden: false,
            overwritten: false,
            opened: !joins,
            key: key.clone(),
        });
        key
    }

    /// Writes on plastic what is in the list.
    fn write(&mut self, serial: &str, key: Key) {
        if let Some(Content::Key(before)) = self.plastic.insert(serial.to_owned(), Content::Key(key.clone()))
            && before.card != key.card
        {
            for card in self.cards.iter_mut().filter(|c| c.id == before.card) {
                card.overwritten = true;
            }
        }
        self.last_written = Some(serial.to_owned());
    }

    pub(in crate::visionline) fn make_by_hand(&mut self, room: &str, now: NaiveDateTime, until: TimeDelta, serial: &str) {
        let wish = Wish {
            holder: "by hand".to_owned(),
            starts: now,
            ends: now + until,
            doors: vec![room.to_owned()],
            role: Role::Override,
            endpoint: None,
        };
        let key = self.record(&wish, Some(serial), now);
        self.write(serial, key);
    }

    fn usable(&self, serial: &str, over_valid: bool, now: NaiveDateTime) -> Result<(), Cannot> {
        match self.plastic.get(serial) {
            Some(Content::Foreign) => Err(Cannot::Foreign),
            Some(Content::Key(key)) if !over_valid => {
                let live = self.cards.iter().any(|c| c.id == key.card && c.is_live(now));
                if live { Err(Cannot::ValidCard) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}

/// An encoder is busy until this is dropped.
struct Turn<'a> {
    hotel: &'a Hotel,
    encoder: &'a str,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.hotel.change(|state| state.busy.remove(self.encoder));
    }
}

impl Hotel {
    /// Waits until a card lies on an encoder.
    async fn card_at<'a>(&'a self, encoder: &'a str) -> Result<(Turn<'a>, String), Cannot> {
        self.change(|state| {
            if !state.plan.encoders.iter().any(|(name, _)| name == encoder) {
                return Err(Cannot::NoSuchEncoder);
            }
            if state.offline.contains(encoder) {
                return Err(Cannot::Offline);
            }
            if state.busy.insert(encoder.to_owned()) { Ok(()) } else { Err(Cannot::Busy) }
        })?;
        let turn = Turn { hotel: self, encoder };
        let until = self.clock.now() + TimeDelta::from_std(self.plan().card_wait).unwrap_or_default();
        loop {
            let moved = self.moved.notified();
            let found = self.change(|state| match state.field(encoder).first().cloned() {
                None if state.plan.auto_card => Some(state.new_serial()),
                laid => laid,
            });
            if let Some(serial) = found {
                return Ok((turn, serial));
            }
            if self.clock.now() >= until {
                return Err(Cannot::NoCard);
            }
            futures_util::future::select(std::pin::pin!(moved), self.clock.sleep_until(until)).await;
        }
    }

    /// Makes a card at an encoder.
    pub(in crate::visionline) async fn encode(&self, encoder: &str, wish: &Wish, over_valid: bool) -> Result<(u64, String), Cannot> {
        self.change(|state| state.check(wish))?;
        let (_turn, serial) = self.card_at(encoder).await?;
        let now = self.wall_clock();
        self.change(|state| state.usable(&serial, over_valid, now))?;
        let writing = self.plan().writing;
        if !writing.is_zero() {
            self.clock.sleep_until(self.clock.now() + TimeDelta::from_std(writing).unwrap_or_default()).await;
        }
        self.change(|state| {
            let removed = !state.plan.auto_card && !state.field(encoder).contains(&serial);
            if removed {
                state.plastic.insert(serial.clone(), Content::Torn);
                return Err(Cannot::Removed);
            }
            let key = state.record(wish, Some(&serial), now);
            let id = key.card;
            state.write(&serial, key);
            Ok((id, serial.clone()))
        })
    }

    /// Makes a card without an encoder: for a phone, or for a chip that somebody else writes.
    pub(in crate::visionline) fn make(&self, wish: &Wish, serial: Option<&str>) -> Result<Value, Cannot> {
        let now = self.wall_clock();
        self.change(|state| {
            state.check(wish)?;
            state.record(wish, serial, now);
            Ok(state.cards.last().map(|c| c.shown(now)).unwrap_or_default())
        })
    }

    /// Reads the card that lies on an encoder: its serial number, and what the list has of it.
    pub(in crate::visionline) async fn read(&self, encoder: &str) -> Result<(String, Option<CardRecord>), Cannot> {
        let (_turn, serial) = self.card_at(encoder).await?;
        self.change(|state| match state.plastic.get(&serial) {
            Some(Content::Foreign | Content::Torn) => Err(Cannot::Foreign),
            Some(Content::Key(key)) => {
                let id = key.card;
                Ok((serial.clone(), state.cards.iter().find(|c| c.id == id).cloned()))
            }
            None => Ok((serial.clone(), None)),
        })
    }
}
