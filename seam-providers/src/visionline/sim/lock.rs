//! Locks that know only what a card or a phone told them.
use super::cards::{Content, Key};
use super::hotel::State;
use chrono::NaiveDateTime;
use std::fmt;

/// What a lock remembers: the highest number that it saw.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::visionline) struct LockState {
    guest: u64,
}

/// What came of holding something to a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// It opened.
    pub opened: bool,
    /// Why, or why not.
    pub why: Why,
}

/// Why a door opened or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The key is right.
    Opened,
    /// The key is right, and the first of a new guest.
    TookOver,
    /// Nothing that can be read, or no key at all.
    NotAKey,
    /// Not for this door.
    OtherDoor,
    /// Its time has not come.
    TooEarly,
    /// Its time is over.
    Expired,
    /// A later guest's key was used here.
    Overridden,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "opened",
            Self::TookOver => "opened, and ended earlier guests' keys",
            Self::NotAKey => "no key",
            Self::OtherDoor => "not for this door",
            Self::TooEarly => "not yet valid",
            Self::Expired => "expired",
            Self::Overridden => "a later guest's key was used here",
        })
    }
}

impl State {
    pub(in crate::visionline) fn present(&mut self, door: &str, serial: &str, now: NaiveDateTime) -> Tried {
        let key = match self.plastic.get(serial) {
            Some(Content::Key(key)) => Some(key.clone()),
            _ => None,
        };
        let why = key.map_or(Why::NotAKey, |key| self.decide(door, &key, now));
        Tried { opened: matches!(why, Why::Opened | Why::TookOver), why }
    }

    /// A phone shows all of its keys: the first that opens does.
    pub(in crate::visionline) fn present_phone(&mut self, door: &str, endpoint: &str, now: NaiveDateTime) -> Tried {
        let keys: Vec<Key> = self.cards.iter().rev().filter(|c| c.endpoint.as_deref() == Some(endpoint)).map(|c| c.key.clone()).collect();
        let mut last = Why::NotAKey;
        for key in keys {
            last = self.decide(door, &key, now);
            if matches!(last, Why::Opened | Why::TookOver) {
                return Tried { opened: true, why: last };
            }
        }
        Tried { opened: false, why: last }
    }

    fn decide(&mut self, door: &str, key: &Key, now: NaiveDateTime) -> Why {
        let category = self.door(door).map(|d| d.category);
        let number = key.rooms.get(door).copied();
        let fits = match category {
            Some("guest") => number.is_some(),
            // It opens for every guest of the rooms that it is set up for: all of them here.
            Some("entrance") => !key.rooms.is_empty(),
            Some(_) => key.common.iter().any(|c| c == door),
            None => false,
        };
        if !fits {
            return Why::OtherDoor;
        }
        if now < key.starts {
            return Why::TooEarly;
        }
        if now >= key.ends {
            return Why::Expired;
        }
        let Some(number) = number else { return Why::Opened };
        let lock = self.locks.entry(door.to_owned()).or_default();
        if number < lock.guest {
            return Why::Overridden;
        }
        let took_over = number > lock.guest;
        lock.guest = number;
        if took_over { Why::TookOver } else { Why::Opened }
    }
}
