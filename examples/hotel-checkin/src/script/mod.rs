//! Everything that happens in the hotel, in order: what guests and clerks do, and every door that somebody tries.
//!
//! A [`Script`] is made of bookings and a seed, before anything runs. It knows the future (who will extend, which card will be
//! lost) but judges nothing: whether a door opens is the [`oracle`](crate::oracle)'s business. The same bookings and the same seed
//! make the same script, operation by operation, so that a replay can be taken up at any operation.
mod came;
mod events;
mod gone;
mod life;
mod note;
mod pen;
mod staff;

pub use note::{Note, Notes};

use crate::bookings::{Booking, Status};
use crate::dice::Dice;
use crate::rooms::{Hold, Rooms, resells};
use crate::world::{
    Abilities, CardMethod, CardNo, Door, DoorNo, FIRST_ROOM, GrantNo, GrantWish, HotelPlan, Instant, StayNo, Token, Window,
};
use life::{Left, Life};
use pen::Pen;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A member of staff gets her card: her place in the plan.
    Hire(u16),
    /// A guest's grant is made: the place of its wish in [`Script::wishes`].
    Book(u32),
    /// A grant's window changes.
    Update {
        /// The grant.
        grant: GrantNo,
        /// Its new window.
        window: Window,
    },
    /// A grant is suspended.
    Suspend(GrantNo),
    /// A grant is deleted.
    Delete(GrantNo),
    /// One more card is asked for.
    AddCard(CardMethod),
    /// A mobile key is asked for.
    AddPhone(GrantNo),
    /// A card is written.
    Encode {
        /// The method.
        method: CardMethod,
        /// The plastic.
        onto: CardNo,
    },
    /// A lost card is replaced.
    ReplaceLost {
        /// The method whose card is lost.
        lost: CardMethod,
        /// The method that takes its place.
        new: CardMethod,
        /// The new plastic.
        onto: CardNo,
    },
    /// Something is shown to a door.
    Try {
        /// The door.
        door: DoorNo,
        /// What is shown.
        token: Token,
    },
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// When.
    pub at: Instant,
    /// Whose stay it belongs to; none for what belongs to the house.
    pub stay: Option<StayNo>,
    /// Its number within that stay.
    pub nth: u32,
    /// What is done.
    pub deed: Deed,
    /// Why it is worth counting.
    pub notes: Notes,
}

impl Op {
    /// Its key: stable, and no other operation of this replay has it.
    #[must_use]
    pub fn key(&self) -> String {
        match self.stay {
            Some(stay) => format!("stay-{}-op-{}", stay.0, self.nth),
            None => format!("house-op-{}", self.nth),
        }
    }
}

/// The operations of a replay, and the hotel in which they happen.
#[derive(Clone, Debug)]
pub struct Script {
    /// The seed.
    pub seed: u64,
    /// How many bookings it was made of.
    pub bookings: usize,
    /// The hotel.
    pub plan: HotelPlan,
    /// What is asked for at booking.
    pub wishes: Vec<GrantWish>,
    /// Operations in order of time; the index of each is stable.
    pub ops: Vec<Op>,
    /// Stays that began on the day on which their room's last one ended.
    pub turnovers: usize,
}

impl Script {
    /// Writes the script for these bookings, in a hotel whose access system can do everything.
    #[must_use]
    pub fn new(bookings: &[Booking], seed: u64) -> Self {
        Self::with(bookings, seed, Abilities::ALL)
    }

    /// Writes the script for these bookings, in a hotel whose access system can do this.
    #[must_use]
    pub fn with(bookings: &[Booking], seed: u64, can: Abilities) -> Self {
        let kept = bookings.iter().enumerate().filter(|(_, b)| b.status != Status::Cancelled);
        let mut rooms =
            Rooms::place(kept.map(|(i, b)| (i, b.room_type.as_str(), b.window())), bookings.iter().map(|b| b.room_type.as_str()));
        let mut pen = Pen::default();
        let mut wishes = Vec::new();
        let doors = rooms.rooms.len();
        for number in 0..doors {
            let stays = rooms.rooms.get(number).map(|room| room.stays.clone()).unwrap_or_default();
            let mut before: Option<Left> = None;
            for (place, which) in stays.iter().enumerate() {
                let Some(booking) = bookings.get(*which) else { continue };
                let next = stays.get(place + 1).and_then(|next| bookings.get(*next)).map(|next| next.window().from);
                let dice = Dice::new(seed, *which as u64 + 1);
                let mut life = Life::new(stay(*which), booking, room(number), doors, &mut pen, &mut wishes, (dice, can));
                let left = match booking.status {
                    Status::NoShow => life.nobody_comes(),
                    _ => life.guests_come(before.as_ref(), next),
                };
                rooms.note(number, left.hold);
                before = Some(left);
            }
        }
        for (which, booking) in bookings.iter().enumerate().filter(|(_, b)| b.status == Status::Cancelled) {
            let mut dice = Dice::new(seed, which as u64 + 1);
            let times = gone::Times::of(booking, &mut dice);
            let hold = Hold { window: booking.window(), booked: times.booked, released: Some(times.cancelled) };
            let Some(held) = rooms.hold(&booking.room_type, hold) else { continue };
            let again = rooms.rooms.get(held.room).is_some_and(|room| room.holds.iter().any(|other| resells(other, &hold)));
            let mut life = Life::new(stay(which), booking, room(held.room), doors, &mut pen, &mut wishes, (dice, can));
            life.is_cancelled(&times, held.overbooked, again);
        }
        let mut plan = HotelPlan { doors: doors_of(&rooms, can), staff: Vec::new() };
        if can.staff {
            staff::hire(&mut plan, bookings, &mut pen, Dice::new(seed, 0));
        }
        let turnovers = rooms
            .turnovers(|which| bookings.get(which).map_or(Window { from: Instant::MIN_UTC, until: Instant::MIN_UTC }, Booking::window));
        Self { seed, bookings: bookings.len(), ops: pen.finish(plan.staff.len()), plan, wishes, turnovers }
    }

    /// A number that is the same only for the same script.
    #[must_use]
    pub fn digest(&self) -> u64 {
        use std::hash::{Hash, Hasher};
        // FNV-1a over what decides: small, and the same in every version of the language.
        struct Fnv(u64);
        impl Hasher for Fnv {
            fn finish(&self) -> u64 {
                self.0
            }
            fn write(&mut self, bytes: &[u8]) {
                for byte in bytes {
                    self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        for op in &self.ops {
            op.at.timestamp().to_le_bytes().hash(&mut hasher);
            hasher.write(format!("{:?}", op.deed).as_bytes());
        }
        hasher.finish()
    }
}

fn stay(which: usize) -> StayNo {
    StayNo(u32::try_from(which).unwrap_or(u32::MAX))
}

fn room(number: usize) -> DoorNo {
    DoorNo(u16::try_from(number).unwrap_or(u16::MAX).saturating_add(FIRST_ROOM))
}

fn doors_of(rooms: &Rooms, can: Abilities) -> Vec<Door> {
    let keypads = !can.cards;
    let mut doors =
        vec![Door { name: "lobby".to_owned(), room: false, keypad: keypads }, Door { name: "gym".to_owned(), room: false, keypad: true }];
    let mut last = ("", 0);
    for room in &rooms.rooms {
        last = if last.0 == room.kind { (last.0, last.1 + 1) } else { (room.kind.as_str(), 1) };
        doors.push(Door { name: format!("{}{:03}", last.0, last.1), room: true, keypad: keypads });
    }
    doors
}
