//! Bookings whose guests never came: cancelled, or simply not there.
use super::life::{Left, Life, minutes, seconds};
use super::{Deed, Note, Notes};
use crate::bookings::Booking;
use crate::dice::Dice;
use crate::rooms::Hold;
use crate::world::{Instant, LOBBY, Token, clock, date_of};

/// When a cancelled booking was made and given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) booked: Instant,
    pub(super) cancelled: Instant,
}

impl Times {
    /// A cancellation on the day of arrival comes in the morning, so that the room can be sold again that day.
    pub(super) fn of(booking: &Booking, dice: &mut Dice) -> Self {
        let booked = Life::booked(booking, dice);
        let (from, until) = if booking.status_date == booking.arrival { (8, 11) } else { (9, 21) };
        let from = clock(booking.status_date, from, 30).max(booked + minutes(10));
        let until = clock(booking.status_date, until, 0);
        Self { booked, cancelled: from + seconds(dice.between(0, (until - from).num_seconds())) }
    }
}

impl Life<'_> {
    /// Booked and cancelled. When keys were made already, they stay good where no later key was used.
    pub(super) fn is_cancelled(&mut self, times: &Times, overbooked: bool, sold_again: bool) {
        let granted = self.granted(times.booked);
        if granted >= times.cancelled {
            // It was cancelled before anything was asked of the access system.
            return;
        }
        self.book(granted, !overbooked, Notes::default().with(Note::Overbooked, overbooked));
        let same_day = self.booking.status_date == self.booking.arrival && self.booking.nights > 0;
        let made = same_day && self.booking.lead_time > 1 && !overbooked && (sold_again || self.dice.chance(60)) && self.can.keys_before;
        if made {
            self.make_keys_before();
        }
        self.all(times.cancelled, Notes::from(Note::Cancelled).with(Note::SoldAgain, made && sold_again), Deed::Delete);
        let after = times.cancelled + minutes(5);
        self.show_code(after);
        let hour = self.window.from + minutes(60);
        self.show_code(hour);
        self.show_phone(hour, self.room);
        for (_, _, card) in self.written() {
            self.old_card(card.plastic, after);
        }
    }

    /// Tries a card that should be gone: before its window, at the start of it, later, and at both sides of its end.
    fn old_card(&mut self, card: crate::world::CardNo, after: Instant) {
        let (from, until) = (self.window.from, self.window.until);
        let token = Token::Card(card);
        self.show(after, self.room, token);
        for at in [from - seconds(1), from, from + minutes(300), until - seconds(1), until] {
            if at > after {
                self.show(at, self.room, token);
                self.show(at, LOBBY, token);
            }
        }
    }

    /// Nobody comes: suspended in the evening, deleted on the next day at noon (or before the end, when that is earlier).
    pub(super) fn nobody_comes(&mut self) -> Left {
        let booked = Self::booked(self.booking, &mut self.dice);
        self.book(self.granted(booked), true, Notes::default());
        if self.booking.nights > 0 && self.booking.lead_time > 1 && self.dice.chance(60) && self.can.keys_before {
            let made = self.make_keys_before();
            if let Some((_, _, card)) = self.written().first() {
                self.show(made + minutes(10), self.room, Token::Card(card.plastic));
            }
        }
        let day = date_of(self.window.from);
        let (evening, noon) = if self.booking.nights == 0 {
            (clock(day, 16, 0), clock(day, 17, 30))
        } else {
            let next = day.succ_opt().unwrap_or(day);
            (clock(day, 22, 0), clock(next, 12, 0).min(self.window.until - minutes(30)))
        };
        let evening = self.moment(evening, evening + minutes(59));
        self.show_code(evening - minutes(1));
        self.all(evening, Note::NoShow.into(), Deed::Suspend);
        let found = evening + minutes(10);
        self.show_code(found);
        self.show_phone(found, self.room);
        self.all(noon, Notes::default(), Deed::Delete);
        self.show_code(noon + minutes(5));
        self.show_phone(noon + minutes(5), LOBBY);
        let mut cards = Vec::new();
        for (_, _, card) in self.written() {
            self.show(found, self.room, Token::Card(card.plastic));
            self.old_card(card.plastic, noon + minutes(5));
            cards.push(card.plastic);
        }
        Left { hold: Hold { window: self.hull, booked, released: Some(noon) }, cards, free: noon }
    }
}
