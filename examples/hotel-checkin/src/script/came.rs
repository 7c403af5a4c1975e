//! Stays whose guests came.
use super::life::{Left, Life, minutes, seconds};
use super::staff::{HOUSEKEEPING, MASTER};
use super::{Deed, Note, Notes};
use crate::rooms::Hold;
use crate::world::{CardNo, GYM, Instant, LOBBY, Token, Window, clock, date_of};
use chrono::{Days, TimeDelta};

impl Life<'_> {
    /// From booking to departure. `before`: the stay that had the room last; `next`: when the next one begins.
    pub(super) fn guests_come(&mut self, before: Option<&Left>, next: Option<Instant>) -> Left {
        let booked = Self::booked(self.booking, &mut self.dice);
        let granted = self.granted(booked);
        self.book(granted, true, Notes::default());
        let mut changes = self.booking.changes;
        let left_early = self.booking.nights > 0 && self.booking.status_date < date_of(self.window.until);
        if left_early {
            changes = 0;
        }
        changes = self.change_before(granted, changes, next);
        let before_hand = self.booking.nights > 0 && self.booking.lead_time > 1 && self.dice.chance(28) && self.can.keys_before;
        let made = before_hand.then(|| self.make_keys_before());
        if let Some(made) = made {
            self.try_new_keys(made + minutes(10), before);
        }
        let early = self.arrive_early(granted, before);
        let settled = self.check_in(made.is_some(), early, before);
        let quiet = if left_early { settled } else { self.live(settled, changes, next) };
        self.visits(settled);
        let released = self.leave(quiet, left_early);
        let cards = self.keep_or_give_back();
        Left { hold: Hold { window: self.hull, booked, released }, cards, free: released.unwrap_or(self.window.until) }
    }

    /// Changes before arrival, by telephone. Returns how many are left for the stay itself.
    fn change_before(&mut self, booked: Instant, changes: u32, next: Option<Instant>) -> u32 {
        let mut left = changes;
        let mut now = booked + minutes(60);
        for _ in 0..changes {
            let last = self.window.from - minutes(36 * 60);
            if now >= last || !self.dice.chance(50) {
                continue;
            }
            let at = self.moment(now, now + (last - now) / 2);
            if self.change(at, false, next) {
                left -= 1;
                now = at + minutes(60);
            }
        }
        left
    }

    /// Guests arrive before the hour, and the room is free: the start moves. Returns whether it did.
    fn arrive_early(&mut self, booked: Instant, before: Option<&Left>) -> bool {
        let opens = clock(date_of(self.window.from), 6, 30).max(booked + minutes(20));
        let from = before.map_or(opens, |left| opens.max(left.free + minutes(10)));
        let until = self.window.from - minutes(45);
        if from >= until || !self.dice.chance(20) {
            return false;
        }
        // Soon after the room is free: cards of the previous stay may have time left on them.
        let soon = if self.dice.chance(60) { until.min(from + minutes(90)) } else { until };
        let start = self.moment(from, soon);
        let start = self.kept(start);
        self.rebook(start - minutes(5), Window { from: start, ..self.window }, Note::EarlyArrival.into());
        true
    }

    /// New keys that must not open yet, and old ones that still do.
    fn try_new_keys(&mut self, at: Instant, before: Option<&Left>) {
        if let Some((_, _, card)) = self.written().first() {
            self.show(at, self.room, Token::Card(card.plastic));
            self.show(at, LOBBY, Token::Card(card.plastic));
        }
        self.previous(at + seconds(30), before);
    }

    /// The previous guest's cards at the room.
    fn previous(&mut self, at: Instant, before: Option<&Left>) {
        for card in before.iter().flat_map(|left| left.cards.iter().take(2)) {
            self.show(at, self.room, Token::Card(*card));
        }
    }

    /// The guests come to the desk, in any order. Returns when the last one was served.
    fn check_in(&mut self, made: bool, early: bool, before: Option<&Left>) -> Instant {
        let start = self.window.from;
        self.show_code(start - seconds(1));
        self.show_code(start);
        self.show_phone(start - seconds(1), self.room);
        if let Some((_, _, card)) = self.written().first() {
            self.show(start - seconds(1), self.room, Token::Card(card.plastic));
            self.show(start - seconds(1), LOBBY, Token::Card(card.plastic));
            self.show(start, self.room, Token::Card(card.plastic));
            self.show(start, LOBBY, Token::Card(card.plastic));
        }
        if self.dice.chance(50) {
            self.show_phone(start, self.room);
        }
        let latest = (self.window.until - minutes(150)).min(start + minutes(360));
        let mut at = if early { start + minutes(2) } else { self.moment(start + minutes(2), latest) };
        let mut order: Vec<usize> = (0..self.guests.len()).collect();
        self.dice.shuffle(&mut order);
        for (place, guest) in order.into_iter().enumerate() {
            if place > 0 {
                let pause = if self.dice.chance(80) { self.dice.between(1, 10) } else { self.dice.between(60, 300) };
                at = (at + minutes(pause)).min(self.window.until - minutes(130)).max(at);
            }
            at = self.serve(at, guest, place == 0, made && !early, before);
        }
        at
    }

    /// One guest at the desk, then at the doors.
    fn serve(&mut self, mut at: Instant, guest: usize, first: bool, done: bool, before: Option<&Left>) -> Instant {
        for card in 0..self.guests.get(guest).map_or(0, |g| g.cards.len()) {
            if !done {
                self.encode(at, guest, card, Notes::default());
            }
            let Some(card) = self.guests.get(guest).and_then(|g| g.cards.get(card)).copied() else { continue };
            let token = Token::Card(card.plastic);
            if first {
                self.previous(at + seconds(20), before);
            }
            self.show(at + seconds(60), LOBBY, token);
            let other = self.another_room();
            self.show(at + seconds(70), other, token);
            self.show(at + seconds(90), self.room, token);
            self.show(at + seconds(95), GYM, token);
            if first {
                self.previous(at + seconds(100), before);
                self.strangers(at + seconds(110));
            } else if let Some((_, _, earlier)) = self.written().first() {
                self.show(at + seconds(100), self.room, Token::Card(earlier.plastic));
            }
            at += seconds(120);
        }
        if first && self.can.cards {
            self.show_code(at);
            self.show_phone(at, self.room);
        } else if !self.can.cards {
            self.show_code_around(at, guest);
            self.strangers(at + seconds(110));
            at += seconds(120);
        }
        at
    }

    /// Every day somebody comes home, and staff comes by.
    fn visits(&mut self, settled: Instant) {
        let mut day = date_of(settled);
        for _ in 0..5 {
            let at = self.between_hours(day, 7, 23);
            day = day + Days::new(1);
            if at <= settled || at >= self.window.until {
                continue;
            }
            if !self.can.cards {
                let guest = usize::try_from(self.dice.below(self.guests.len() as u64)).unwrap_or(0);
                self.show_code_around(at, guest);
            }
            let cards = self.written();
            if let Some((_, _, card)) = usize::try_from(self.dice.below(cards.len() as u64)).ok().and_then(|i| cards.get(i)) {
                self.show(at, self.room, Token::Card(card.plastic));
            }
            let staff = if self.dice.chance(70) { HOUSEKEEPING } else { MASTER };
            if self.can.staff {
                self.show(at + minutes(5), self.room, Token::Card(staff));
            }
            self.show_phone(at + minutes(6), LOBBY);
            self.strangers(at + minutes(7));
        }
    }

    /// Departure: most stays end by themselves, some are ended at the desk. Returns when they were.
    fn leave(&mut self, quiet: Instant, left_early: bool) -> Option<Instant> {
        let until = self.window.until;
        let behind: Vec<_> = self.written().into_iter().filter(|(_, _, card)| card.window.is_some_and(|w| w.until < until)).collect();
        let released = if left_early {
            let day = self.booking.status_date;
            Some(self.between_hours(day, 7, 11).max(quiet + minutes(30)))
        } else if behind.is_empty() && self.dice.chance(35) {
            Some(self.moment((until - minutes(240)).max(quiet), until - minutes(10)))
        } else {
            None
        };
        let released = released.filter(|at| *at < until);
        // Cards that were not written again end when they always did.
        for (guest, place, card) in behind {
            let Some(old) = card.window.map(|w| w.until).filter(|old| *old > quiet) else { continue };
            self.show(old - seconds(1), self.room, Token::Card(card.plastic));
            self.show(old, self.room, Token::Card(card.plastic));
            if old + minutes(30) < until && self.dice.chance(60) {
                self.encode(old + minutes(10), guest, place, Notes::default());
                self.show(old + minutes(11), self.room, Token::Card(card.plastic));
            }
        }
        let cards: Vec<CardNo> = self.written().into_iter().map(|(_, _, card)| card.plastic).collect();
        if let Some(at) = released {
            self.all(at, Notes::from(Note::CheckedOut).with(Note::LeftEarly, left_early), Deed::Delete);
            self.try_all(at + minutes(5), &cards);
        }
        for at in [until - seconds(1), until, until + minutes(45)] {
            self.try_all(at, &cards);
        }
        released
    }

    fn try_all(&mut self, at: Instant, cards: &[CardNo]) {
        for card in cards.iter().take(2) {
            self.show(at, self.room, Token::Card(*card));
            self.show(at, LOBBY, Token::Card(*card));
        }
        self.show_code(at);
        self.show_phone(at, self.room);
    }

    /// Half of the cards go back to the desk; the others are tried at both edges of what is written on them, and carried home.
    fn keep_or_give_back(&mut self) -> Vec<CardNo> {
        let mut kept = Vec::new();
        let last = self.window.until + minutes(45);
        for (_, _, card) in self.written() {
            let end = card.window.map_or(last, |w| w.until);
            if end > last {
                self.show(end - seconds(1), self.room, Token::Card(card.plastic));
                self.show(end, self.room, Token::Card(card.plastic));
                self.show(end - seconds(1), LOBBY, Token::Card(card.plastic));
                self.show(end, LOBBY, Token::Card(card.plastic));
            }
            if self.dice.chance(45) {
                self.give_back(end.max(last) + TimeDelta::hours(1), card.plastic);
            } else {
                kept.push(card.plastic);
            }
        }
        kept
    }
}
