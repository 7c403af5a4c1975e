//! What the replay speaks about: doors, stays, grants, tokens, windows. Plain data that names no part of the SDK, so that the
//! script and the oracle cannot lean on it.
use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant. Whole seconds throughout the replay.
pub type Instant = DateTime<Utc>;

/// The hotel of the data stands in the Algarve.
pub const ZONE: Tz = chrono_tz::Europe::Lisbon;

/// The instant at which the hotel's clocks show this. What a clock skips becomes the first instant after the gap, what it
/// shows twice the first time.
#[must_use]
pub fn civil(date: NaiveDate, time: NaiveTime) -> Instant {
    let local = date.and_time(time);
    match ZONE.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        // Gaps are one hour, and no zone of ours skips a second hour after it.
        LocalResult::None => {
            ZONE.from_local_datetime(&(local + TimeDelta::hours(1))).earliest().map_or(Utc.from_utc_datetime(&local), |at| at.to_utc())
        }
    }
}

/// The instant at which the hotel's clocks show this hour and minute.
#[must_use]
pub fn clock(date: NaiveDate, hour: u32, minute: u32) -> Instant {
    civil(date, NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default())
}

/// The date on the hotel's calendar.
#[must_use]
pub fn date_of(at: Instant) -> NaiveDate {
    at.with_timezone(&ZONE).date_naive()
}

/// A half-open stretch of time: the start belongs to it, the end does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
}

impl Window {
    /// Whether the instant lies in it.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether the two have an instant in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// The shortest window that holds both.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self { from: self.from.min(other.from), until: self.until.max(other.until) }
    }
}

/// A stay: the place of its booking in the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StayNo(pub u32);

/// One guest's grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GrantNo {
    /// The stay.
    pub stay: StayNo,
    /// Which of its guests, from 0.
    pub guest: u16,
}

/// One card of a grant, as an access method (not the plastic): the first, the second.. that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardMethod {
    /// The grant.
    pub grant: GrantNo,
    /// Which of its cards, from 0, in the order in which they were asked for.
    pub nth: u8,
}

/// A door: its place in [`HotelPlan::doors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DoorNo(pub u16);

/// A piece of plastic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardNo(pub u32);

/// The card on which nothing was ever written.
pub const BLANK: CardNo = CardNo(0);
/// The house's entrance, open to every guest of the house.
pub const LOBBY: DoorNo = DoorNo(0);
/// The gym: opens to a PIN too.
pub const GYM: DoorNo = DoorNo(1);
/// The first room.
pub const FIRST_ROOM: u16 = 2;

/// What somebody shows to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Token {
    /// A piece of plastic, with whatever is on it.
    Card(CardNo),
    /// The phone of this guest, with whatever keys are in it.
    Phone(GrantNo),
    /// The PIN that this guest was told last.
    Code(GrantNo),
    /// Any digits: a guess.
    Guess(u32),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(BLANK) => f.write_str("a blank card"),
            Self::Card(card) => write!(f, "card {}", card.0),
            Self::Phone(g) => write!(f, "phone of guest {} of stay {}", g.guest, g.stay.0),
            Self::Code(g) => write!(f, "PIN of guest {} of stay {}", g.guest, g.stay.0),
            Self::Guess(_) => f.write_str("a guessed PIN"),
        }
    }
}

/// A door of the hotel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What stands on it.
    pub name: String,
    /// A guest room: it belongs to the stay whose key was used last. Else a common door, which no key of a later guest changes.
    pub room: bool,
    /// It has a keypad. Every door takes cards and phones, where the access system has any.
    pub keypad: bool,
}

/// Hours of each week, by the hotel's clocks. When `to` is not after `from` they end on the following day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The days on which they start, Monday first.
    pub days: [bool; 7],
    /// The first minute.
    pub from: NaiveTime,
    /// The first minute after.
    pub to: NaiveTime,
}

impl Hours {
    /// Whether a span starts on this date.
    #[must_use]
    pub fn starts_on(&self, date: NaiveDate) -> bool {
        usize::try_from(date.weekday().num_days_from_monday()).ok().and_then(|day| self.days.get(day)).copied().unwrap_or(false)
    }
}

/// What the access system of the hotel can do. What it cannot is not asked of it, and does not happen in the hotel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Cards, and with them stays that are opened, joined and taken over. Without cards everybody has a PIN for every door.
    pub cards: bool,
    /// PINs at common doors.
    pub codes: bool,
    /// Mobile keys that follow every change.
    pub phones: bool,
    /// Cards of staff, with their hours.
    pub staff: bool,
    /// Keys of a stay can be made while the stay before it is still in the room.
    pub keys_before: bool,
    /// Windows to the second; else in whole minutes.
    pub seconds: bool,
    /// Grants are made when they are booked; else shortly before they begin, because each occupies a seat until it is deleted.
    pub long_ahead: bool,
}

impl Abilities {
    /// All of it.
    pub const ALL: Self = Self { cards: true, codes: true, phones: true, staff: true, keys_before: true, seconds: true, long_ahead: true };
}

/// A member of staff. Her card is no guest's: it opens nothing for a stay and no stay overrides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// What she does; also the key of her grant.
    pub name: &'static str,
    /// The doors.
    pub doors: Vec<DoorNo>,
    /// From when until when.
    pub window: Window,
    /// During these hours only.
    pub hours: Option<Hours>,
    /// Her card.
    pub card: CardNo,
}

/// The hotel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HotelPlan {
    /// The doors: lobby, gym, then the rooms.
    pub doors: Vec<Door>,
    /// The staff.
    pub staff: Vec<Staff>,
}

impl HotelPlan {
    /// The door, when there is one of that number.
    #[must_use]
    pub fn door(&self, door: DoorNo) -> Option<&Door> {
        self.doors.get(usize::from(door.0))
    }
}

/// What is asked for one guest at booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantWish {
    /// The grant; its stay is the reservation.
    pub grant: GrantNo,
    /// The room.
    pub room: DoorNo,
    /// Whether the gym is in it.
    pub gym: bool,
    /// From when until when.
    pub window: Window,
    /// How many cards; none where the system has none.
    pub cards: u8,
    /// Whether a PIN, for the doors with a keypad.
    pub code: bool,
    /// Whether a mobile key.
    pub phone: bool,
}

impl GrantWish {
    /// The doors: the room, the lobby, perhaps the gym.
    #[must_use]
    pub fn doors(&self) -> Vec<DoorNo> {
        let mut doors = vec![self.room, LOBBY];
        doors.extend(self.gym.then_some(GYM));
        doors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_those_of_the_hotel() {
        let day = |m, d| NaiveDate::from_ymd_opt(2015, m, d).unwrap();
        assert_eq!(clock(day(7, 1), 15, 0).to_rfc3339(), "2015-07-01T14:00:00+00:00");
        assert_eq!(clock(day(12, 1), 15, 0).to_rfc3339(), "2015-12-01T15:00:00+00:00");
        assert_eq!(clock(day(3, 29), 1, 30).to_rfc3339(), "2015-03-29T01:30:00+00:00", "what a clock skips is the hour after");
        assert_eq!(date_of(clock(day(7, 1), 0, 10)), day(7, 1));
    }

    #[test]
    fn windows_are_half_open() {
        let at = |h| clock(NaiveDate::from_ymd_opt(2015, 7, 1).unwrap(), h, 0);
        let w = Window { from: at(9), until: at(18) };
        assert!(w.contains(at(9)) && !w.contains(at(18)));
        assert!(!w.overlaps(&Window { from: at(18), until: at(19) }));
        assert!(w.overlaps(&Window { from: at(17), until: at(19) }));
    }
}
