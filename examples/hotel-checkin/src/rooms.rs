//! Hands out rooms: per type as few as the busiest night needs, so that most of them turn over on the same day.
//!
//! - Bookings whose guests came, or for whom a room was kept in vain, are placed by their windows: in order of their starts, each
//!   into the free room of its type that became free last (interval partitioning, which needs no more rooms than windows
//!   overlap at the worst instant). A departure at 11:00 and an arrival at 15:00 share a room; a day use from 09:00 to 18:00
//!   shares it with neither on that day.
//! - A cancelled booking holds its window only from booking to cancellation. It gets a room in which nobody else holds the same
//!   time at the same time; rooms are not added for it. When there is none, the hotel is overbooked, and it stands in a room
//!   where it has no right to be until it is cancelled; no key is made for it.
use crate::world::{Instant, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody's right to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The time in the room, with every change that it sees.
    pub window: Window,
    /// When it was booked.
    pub booked: Instant,
    /// When the right ended before its time.
    pub released: Option<Instant>,
}

impl Hold {
    /// Whether both are in force at one moment and want the room for a common time.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| a.released.is_some_and(|end| end <= b.booked);
        self.window.overlaps(&other.window) && !before(self, other) && !before(other, self)
    }
}

/// A room and who is in it.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its type.
    pub kind: String,
    /// The bookings that were placed in it, by their place in the list that was given, in order of their windows.
    pub stays: Vec<usize>,
    /// Rights to it: of those and of the cancelled ones.
    pub holds: Vec<Hold>,
}

/// The rooms of the house.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    /// All rooms, the types in alphabetical order.
    pub rooms: Vec<Room>,
    /// The room of each placed booking.
    pub of: BTreeMap<usize, usize>,
    by_kind: BTreeMap<String, Vec<usize>>,
}

/// Where a cancelled booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The room.
    pub room: usize,
    /// There was no room for it.
    pub overbooked: bool,
}

impl Rooms {
    /// Places stays: `(which, type, window)` each. Types that are only named (in `kinds`) get one room.
    #[must_use]
    pub fn place<'a>(stays: impl IntoIterator<Item = (usize, &'a str, Window)>, kinds: impl IntoIterator<Item = &'a str>) -> Self {
        let mut wanted: BTreeMap<&str, Vec<(Window, usize)>> = kinds.into_iter().map(|kind| (kind, Vec::new())).collect();
        for (which, kind, window) in stays {
            wanted.entry(kind).or_default().push((window, which));
        }
        let mut all = Self::default();
        for (kind, mut list) in wanted {
            list.sort_by_key(|(window, which)| (window.from, window.until, *which));
            // The rooms of this type by the instant at which they become free.
            let mut free: BTreeSet<(Instant, usize)> = BTreeSet::new();
            for (window, which) in list {
                let last = free.range(..=(window.from, usize::MAX)).next_back().copied();
                let room = match last {
                    Some(key) => {
                        free.remove(&key);
                        key.1
                    }
                    None => all.add(kind),
                };
                free.insert((window.until, room));
                if let Some(room) = all.rooms.get_mut(room) {
                    room.stays.push(which);
                }
                all.of.insert(which, room);
            }
            if !all.by_kind.contains_key(kind) {
                all.add(kind);
            }
        }
        all
    }

    fn add(&mut self, kind: &str) -> usize {
        let number = self.rooms.len();
        self.rooms.push(Room { kind: kind.to_owned(), stays: Vec::new(), holds: Vec::new() });
        self.by_kind.entry(kind.to_owned()).or_default().push(number);
        number
    }

    /// Writes down the right of a placed stay, changes included.
    pub fn note(&mut self, room: usize, hold: Hold) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.holds.push(hold);
        }
    }

    /// Finds a room for a booking that will be cancelled: one that somebody books anew after the cancellation, for the same
    /// start, else the first that nobody else holds, else the first of its type.
    pub fn hold(&mut self, kind: &str, hold: Hold) -> Option<Held> {
        let rooms = self.by_kind.get(kind)?;
        let fits = |room: &&usize| self.rooms.get(**room).is_some_and(|r| !r.holds.iter().any(|other| other.conflicts(&hold)));
        let resold = |room: &&usize| self.rooms.get(**room).is_some_and(|r| r.holds.iter().any(|other| resells(other, &hold)));
        let room = rooms.iter().filter(fits).find(resold).or_else(|| rooms.iter().find(fits));
        let held = Held { room: *room.or_else(|| rooms.first())?, overbooked: room.is_none() };
        self.note(held.room, hold);
        Some(held)
    }

    /// How many stays began on the day on which their room's last one ended.
    #[must_use]
    pub fn turnovers(&self, window: impl Fn(usize) -> Window) -> usize {
        let day = crate::world::date_of;
        let pairs = self.rooms.iter().flat_map(|room| room.stays.windows(2));
        pairs.filter(|pair| matches!(pair, [a, b] if day(window(*a).until) == day(window(*b).from))).count()
    }
}

/// Whether `other` was booked after `gone` was given up, for a time that `gone` had.
#[must_use]
pub fn resells(other: &Hold, gone: &Hold) -> bool {
    gone.released.is_some_and(|end| end <= other.booked) && other.window.overlaps(&gone.window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::world::clock;
    use chrono::{Days, NaiveDate, TimeDelta};

    fn window(day: u64, nights: u64) -> Window {
        let date = NaiveDate::from_ymd_opt(2015, 7, 1).unwrap() + Days::new(day);
        if nights == 0 {
            return Window { from: clock(date, 9, 0), until: clock(date, 18, 0) };
        }
        Window { from: clock(date, 15, 0), until: clock(date + Days::new(nights), 11, 0) }
    }

    #[test]
    fn a_departure_and_an_arrival_share_a_room_and_a_day_use_shares_it_with_neither() {
        let stays = [("A", window(0, 2)), ("A", window(2, 1)), ("A", window(2, 0)), ("B", window(2, 1))];
        let rooms = Rooms::place(stays.iter().enumerate().map(|(i, (kind, w))| (i, *kind, *w)), ["P"]);
        assert_eq!(rooms.rooms.len(), 4, "two of A, one of B, one of P");
        assert_eq!(rooms.of[&0], rooms.of[&1]);
        assert_ne!(rooms.of[&0], rooms.of[&2]);
        assert_eq!(rooms.turnovers(|i| stays[i].1), 1);
    }

    #[test]
    fn there_are_no_more_rooms_than_windows_overlap_and_no_two_windows_overlap_in_one() {
        for seed in 0..50 {
            let mut dice = Dice::new(seed, 0);
            let stays: Vec<_> = (0..200).map(|i| (i, "A", window(dice.below(60), dice.below(9)))).collect();
            let rooms = Rooms::place(stays.iter().copied(), []);
            let deepest = stays.iter().map(|(_, _, w)| stays.iter().filter(|(_, _, o)| o.contains(w.from)).count()).max().unwrap();
            assert_eq!(rooms.rooms.len(), deepest);
            for room in &rooms.rooms {
                assert!(room.stays.windows(2).all(|pair| stays[pair[0]].2.until <= stays[pair[1]].2.from));
            }
        }
    }

    #[test]
    fn a_cancelled_booking_holds_a_room_until_it_is_cancelled_and_no_longer() {
        let mut rooms = Rooms::place([(0, "A", window(10, 3))], []);
        let day = |d: u64| window(d, 1).from;
        rooms.note(0, Hold { window: window(10, 3), booked: day(5), released: None });
        let mut hold =
            |booked, released| rooms.hold("A", Hold { window: window(11, 1), booked: day(booked), released: Some(day(released)) }).unwrap();
        assert!(!hold(1, 5).overbooked, "cancelled before the stay was booked");
        assert!(hold(1, 6).overbooked);
        assert!(hold(4, 5).overbooked, "the first cancelled one holds it still");
        assert!(rooms.hold("Z", Hold { window: window(11, 1), booked: day(1), released: None }).is_none());
    }

    #[test]
    fn a_room_that_is_sold_again_is_preferred() {
        let mut rooms = Rooms::place([(0, "A", window(10, 1)), (1, "A", window(10, 1))], []);
        let noon = window(10, 1).from - TimeDelta::hours(3);
        rooms.note(0, Hold { window: window(10, 1), booked: window(1, 1).from, released: None });
        rooms.note(1, Hold { window: window(10, 1), booked: noon, released: None });
        let held = rooms.hold("A", Hold { window: window(10, 2), booked: window(2, 1).from, released: Some(noon) }).unwrap();
        assert_eq!(held, Held { room: 1, overbooked: false });
    }
}
