//! What all stays have in common: guests, their cards, and the hands that write operations down.
use super::pen::Pen;
use super::{Deed, Note, Notes};
use crate::bookings::Booking;
use crate::dice::Dice;
use crate::rooms::Hold;
use crate::world::{
    Abilities, BLANK, CardMethod, CardNo, DoorNo, FIRST_ROOM, GYM, GrantNo, GrantWish, Instant, LOBBY, StayNo, Token, Window, clock,
    date_of,
};
use chrono::{NaiveDate, TimeDelta};

/// A stay while it is written.
pub(super) struct Life<'a> {
    pub(super) stay: StayNo,
    pub(super) booking: &'a Booking,
    pub(super) room: DoorNo,
    rooms: u16,
    pen: &'a mut Pen,
    wishes: &'a mut Vec<GrantWish>,
    pub(super) dice: Dice,
    /// What the access system can do.
    pub(super) can: Abilities,
    pub(super) guests: Vec<Guest>,
    /// The window as it is now.
    pub(super) window: Window,
    /// Every window that it had.
    pub(super) hull: Window,
}

/// A guest.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) grant: GrantNo,
    pub(super) cards: Vec<Card>,
    /// Cards that were asked for so far.
    pub(super) asked: u8,
    pub(super) code: bool,
    pub(super) phone: bool,
}

/// A card in a guest's hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    pub(super) method: CardMethod,
    pub(super) plastic: CardNo,
    /// The window that was written on it; none before that.
    pub(super) window: Option<Window>,
}

/// What a stay leaves behind.
#[derive(Debug)]
pub(super) struct Left {
    /// Its right to the room.
    pub(super) hold: Hold,
    /// Cards that nobody gave back.
    pub(super) cards: Vec<CardNo>,
    /// When the room was free.
    pub(super) free: Instant,
}

pub(super) fn minutes(n: i64) -> TimeDelta {
    TimeDelta::seconds(n * 60)
}

pub(super) fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

impl<'a> Life<'a> {
    pub(super) fn new(
        stay: StayNo,
        booking: &'a Booking,
        room: DoorNo,
        rooms: usize,
        pen: &'a mut Pen,
        wishes: &'a mut Vec<GrantWish>,
        (dice, can): (Dice, Abilities),
    ) -> Self {
        let window = booking.window();
        let rooms = u16::try_from(rooms).unwrap_or(u16::MAX);
        Self { stay, booking, room, rooms, pen, wishes, dice, can, guests: Vec::new(), window, hull: window }
    }

    pub(super) fn write(&mut self, at: Instant, deed: Deed) {
        self.noted(at, deed, Notes::default());
    }

    pub(super) fn noted(&mut self, at: Instant, deed: Deed, notes: impl Into<Notes>) {
        self.pen.write(at, Some(self.stay), deed, notes.into());
    }

    pub(super) fn show(&mut self, at: Instant, door: DoorNo, token: Token) {
        self.write(at, Deed::Try { door, token });
    }

    /// A whole second between two instants; the first when there is none.
    pub(super) fn moment(&mut self, from: Instant, until: Instant) -> Instant {
        from + seconds(self.dice.between(0, (until - from).num_seconds()))
    }

    pub(super) fn between_hours(&mut self, date: NaiveDate, from: u32, until: u32) -> Instant {
        self.moment(clock(date, from, 0), clock(date, until, 0))
    }

    /// When it was booked: in the daytime, and before it begins.
    pub(super) fn booked(booking: &Booking, dice: &mut Dice) -> Instant {
        let date = booking.booked_on();
        let (from, until) = match (booking.lead_time, booking.nights) {
            (0, 0) => (7, 8),
            (0, _) => (8, 14),
            _ => (8, 20),
        };
        let from = clock(date, from, 0);
        from + seconds(dice.between(0, (clock(date, until, 0) - from).num_seconds()))
    }

    /// Makes one grant per guest. Every guest gets a card, the first one of some families two, the first one the gym and its PIN.
    pub(super) fn book(&mut self, at: Instant, phones: bool, notes: Notes) {
        let party = self.booking.guests();
        for guest in 0..party {
            let grant = GrantNo { stay: self.stay, guest };
            let first = guest == 0;
            let cards = if first && self.booking.children > 0 && self.dice.chance(50) { 2 } else { 1 };
            let cards = if self.can.cards { cards } else { 0 };
            let phone = self.dice.chance(25) && phones && self.can.phones;
            let code = (first || !self.can.cards) && self.can.codes;
            let wish = GrantWish { grant, room: self.room, gym: first, window: self.window, cards, code, phone };
            let place = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
            self.wishes.push(wish);
            let notes = notes
                .with(Note::Booking, true)
                .with(Note::DayUse, self.booking.nights == 0)
                .with(Note::WithoutAdults, self.booking.adults == 0)
                .with(Note::Party, self.booking.adults >= 20);
            self.noted(at, Deed::Book(place), if first { notes } else { Notes::default() });
            let hand = (0..cards).map(|nth| Card { method: CardMethod { grant, nth }, plastic: self.pen.card(), window: None }).collect();
            self.guests.push(Guest { grant, cards: hand, asked: cards, code, phone });
        }
    }

    /// Writes a guest's card, for the first time or again.
    pub(super) fn encode(&mut self, at: Instant, guest: usize, card: usize, notes: Notes) {
        let window = self.window;
        let Some(card) = self.guests.get_mut(guest).and_then(|g| g.cards.get_mut(card)) else { return };
        let notes = notes.with(Note::ReEncode, card.window.is_some());
        card.window = Some(window);
        let (method, onto) = (card.method, card.plastic);
        self.noted(at, Deed::Encode { method, onto }, notes);
    }

    /// One more card for a guest, asked for but not written.
    pub(super) fn one_more(&mut self, guest: usize) -> Option<Card> {
        let plastic = self.pen.card();
        let guest = self.guests.get_mut(guest)?;
        let method = CardMethod { grant: guest.grant, nth: guest.asked };
        guest.asked += 1;
        let card = Card { method, plastic, window: None };
        guest.cards.push(card);
        Some(card)
    }

    pub(super) fn all(&mut self, at: Instant, notes: Notes, deed: impl Fn(GrantNo) -> Deed) {
        let grants: Vec<GrantNo> = self.guests.iter().map(|g| g.grant).collect();
        for (place, grant) in grants.into_iter().enumerate() {
            self.noted(at, deed(grant), if place == 0 { notes } else { Notes::default() });
        }
    }

    /// Changes the window of every grant of the stay.
    pub(super) fn rebook(&mut self, at: Instant, window: Window, notes: Notes) {
        self.window = window;
        self.hull = self.hull.hull(&window);
        self.all(at, notes, |grant| Deed::Update { grant, window });
    }

    pub(super) fn give_back(&mut self, at: Instant, card: CardNo) {
        self.pen.give_back(at, self.stay, card);
    }

    /// Every card of the stay that was written, with its guest and its place.
    pub(super) fn written(&self) -> Vec<(usize, usize, Card)> {
        let cards =
            self.guests.iter().enumerate().flat_map(|(g, guest)| guest.cards.iter().enumerate().map(move |(c, card)| (g, c, *card)));
        cards.filter(|(_, _, card)| card.window.is_some()).collect()
    }

    /// The first guest's PIN at the gym. Where PINs are all there is: everybody's, at every door that matters.
    pub(super) fn show_code(&mut self, at: Instant) {
        if !self.can.cards {
            for guest in 0..self.guests.len().min(2) {
                self.show_code_around(at, guest);
            }
        } else if let Some(guest) = self.guests.iter().find(|g| g.code) {
            let token = Token::Code(guest.grant);
            self.show(at, GYM, token);
        }
    }

    /// A guest's PIN at the house's doors, her own and another one.
    pub(super) fn show_code_around(&mut self, at: Instant, guest: usize) {
        let Some(token) = self.guests.get(guest).filter(|g| g.code).map(|g| Token::Code(g.grant)) else { return };
        let other = self.another_room();
        for door in [LOBBY, self.room, other, GYM] {
            self.show(at, door, token);
        }
    }

    /// When a grant is made of what was booked then.
    pub(super) fn granted(&self, booked: Instant) -> Instant {
        if self.can.long_ahead { booked } else { booked.max(self.window.from - TimeDelta::hours(20)) }
    }

    /// The instant, in the whole minutes that the system keeps.
    pub(super) fn kept(&self, at: Instant) -> Instant {
        let odd = if self.can.seconds { 0 } else { at.timestamp().rem_euclid(60) };
        if odd == 0 { at } else { at + seconds(60 - odd) }
    }

    /// The first phone of the stay at a door.
    pub(super) fn show_phone(&mut self, at: Instant, door: DoorNo) {
        if let Some(guest) = self.guests.iter().find(|g| g.phone) {
            let token = Token::Phone(guest.grant);
            self.show(at, door, token);
        }
    }

    /// A room that is not this stay's, when the house has another one.
    pub(super) fn another_room(&mut self) -> DoorNo {
        let others = u64::from(self.rooms.saturating_sub(1));
        let other = FIRST_ROOM + u16::try_from(self.dice.below(others)).unwrap_or(0);
        match (others, other < self.room.0) {
            (0, _) => LOBBY,
            (_, true) => DoorNo(other),
            (_, false) => DoorNo(other + 1),
        }
    }

    /// What strangers try.
    pub(super) fn strangers(&mut self, at: Instant) {
        match self.dice.below(3) {
            0 if self.can.cards => self.show(at, self.room, Token::Card(BLANK)),
            1 if self.can.cards => self.show(at, LOBBY, Token::Card(BLANK)),
            _ => {
                let digits = u32::try_from(self.dice.below(10_000)).unwrap_or(0);
                if self.can.codes {
                    self.show(at, GYM, Token::Guess(digits));
                }
            }
        }
    }

    /// Keys made while the previous guest was still in: from 18:00 on the day before.
    pub(super) fn make_keys_before(&mut self) -> Instant {
        let eve = date_of(self.window.from).pred_opt().unwrap_or_default();
        let at = self.between_hours(eve, 18, 22);
        let mut place = 0;
        for guest in 0..self.guests.len() {
            for card in 0..self.guests.get(guest).map_or(0, |g| g.cards.len()) {
                self.encode(at + seconds(40 * place), guest, card, Notes::default().with(Note::KeysMadeBefore, place == 0));
                place += 1;
            }
        }
        at + seconds(40 * place)
    }
}
