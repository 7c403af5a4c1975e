//! What can happen between booking and departure: changes, losses, further keys.
use super::life::{Life, minutes, seconds};
use super::{Deed, Note, Notes};
use crate::world::{Instant, LOBBY, Token, Window, clock, date_of};
use chrono::Days;

/// What can happen during a stay.
#[derive(Clone, Copy)]
enum Event {
    Change,
    LateCheckOut,
    Lost,
    OneMoreCard,
    Phone,
}

impl Life<'_> {
    /// What happens during the stay. Returns when it was last quiet.
    pub(super) fn live(&mut self, settled: Instant, changes: u32, next: Option<Instant>) -> Instant {
        let mut events = vec![Event::Change; usize::try_from(changes).unwrap_or(0)];
        for (event, percent) in [(Event::LateCheckOut, 14), (Event::Lost, 8), (Event::OneMoreCard, 9), (Event::Phone, 14)] {
            if self.dice.chance(percent) {
                events.push(event);
            }
        }
        self.dice.shuffle(&mut events);
        let mut quiet = settled + minutes(30);
        let count = events.len();
        for (place, event) in events.into_iter().enumerate() {
            let room = self.window.until - minutes(150) - quiet;
            if room < minutes(60) {
                break;
            }
            let share = i32::try_from(count - place).unwrap_or(1);
            let at = self.moment(quiet, quiet + room / share);
            match event {
                Event::Change => self.change_in_house(at, next),
                Event::LateCheckOut => self.late(at, next),
                Event::Lost => self.lose(at),
                Event::OneMoreCard => self.fourth(at),
                Event::Phone => self.phone(at),
            }
            quiet = at + minutes(40);
        }
        quiet
    }

    fn change_in_house(&mut self, at: Instant, next: Option<Instant>) {
        let had = self.window.until;
        if self.change(at, true, next) {
            self.follow(at, self.window.until > had);
        }
    }

    fn late(&mut self, at: Instant, next: Option<Instant>) {
        let day = date_of(self.window.until);
        let until = clock(day, 12, 0) + minutes(self.dice.between(0, 170));
        if self.booking.nights == 0 || until <= self.window.until || next.is_some_and(|next| until > next - minutes(30)) {
            return;
        }
        let into = next.is_some_and(|next| date_of(next) == day);
        self.rebook(at, Window { until, ..self.window }, Notes::from(Note::Extension).with(Note::IntoNextStaysDay, into));
        self.follow(at, true);
    }

    /// After a change: PIN and phone are right at once, and most guests of a longer stay bring their cards to the desk.
    fn follow(&mut self, at: Instant, longer: bool) {
        self.show_code(at + minutes(2));
        self.show_phone(at + minutes(2), self.room);
        for (guest, card, it) in self.written() {
            self.show(at + minutes(3), self.room, Token::Card(it.plastic));
            if self.dice.chance(if longer { 65 } else { 15 }) {
                self.encode(at + minutes(10), guest, card, Notes::default());
                self.show(at + minutes(11), self.room, Token::Card(it.plastic));
            }
        }
    }

    /// A card is lost, and missed.
    fn lose(&mut self, at: Instant) {
        let cards = self.written();
        let Some(pick) = usize::try_from(self.dice.below(cards.len() as u64)).ok().and_then(|i| cards.get(i)).copied() else { return };
        let (guest, place, lost) = pick;
        let Some(new) = self.one_more(guest) else { return };
        let found = Token::Card(lost.plastic);
        self.show(at, self.room, found);
        self.noted(at + minutes(5), Deed::ReplaceLost { lost: lost.method, new: new.method, onto: new.plastic }, Note::LostCard);
        let window = self.window;
        if let Some(guest) = self.guests.get_mut(guest) {
            guest.cards.remove(place);
            if let Some(card) = guest.cards.last_mut() {
                card.window = Some(window);
            }
        }
        self.show(at + minutes(6), self.room, found);
        self.show(at + minutes(7), self.room, Token::Card(new.plastic));
        self.show(at + minutes(8), self.room, found);
        self.show(at + minutes(8), LOBBY, found);
        self.show_phone(at + minutes(9), self.room);
        for (guest, card, it) in self.written().into_iter().filter(|(_, _, it)| it.method != new.method) {
            self.show(at + minutes(10), self.room, Token::Card(it.plastic));
            if self.dice.chance(85) {
                self.encode(at + minutes(12), guest, card, Notes::default());
                self.show(at + minutes(13), self.room, Token::Card(it.plastic));
            }
        }
        self.show(at + minutes(20), self.room, found);
        self.show(self.window.until - seconds(1), LOBBY, found);
    }

    fn any_guest(&mut self) -> usize {
        usize::try_from(self.dice.below(self.guests.len() as u64)).unwrap_or(0)
    }

    fn fourth(&mut self, at: Instant) {
        let guest = self.any_guest();
        if !self.can.cards {
            return;
        }
        let Some(card) = self.one_more(guest) else { return };
        self.noted(at, Deed::AddCard(card.method), Note::FourthCard);
        let place = self.guests.get(guest).map_or(0, |g| g.cards.len().saturating_sub(1));
        self.encode(at + minutes(1), guest, place, Notes::default());
        for (_, _, card) in self.written() {
            self.show(at + minutes(2), self.room, Token::Card(card.plastic));
        }
        self.show(at + minutes(3), LOBBY, Token::Card(card.plastic));
    }

    fn phone(&mut self, at: Instant) {
        let (guest, can) = (self.any_guest(), self.can.phones);
        let Some(guest) = self.guests.get_mut(guest).filter(|g| can && !g.phone) else { return };
        guest.phone = true;
        let grant = guest.grant;
        self.noted(at, Deed::AddPhone(grant), Note::Phone);
        self.show(at + minutes(1), self.room, Token::Phone(grant));
        self.show(at + minutes(2), LOBBY, Token::Phone(grant));
        if let Some((_, _, card)) = self.written().first() {
            self.show(at + minutes(3), self.room, Token::Card(card.plastic));
        }
    }

    /// One change of the window that the room allows: false when there is none.
    pub(super) fn change(&mut self, at: Instant, in_house: bool, next: Option<Instant>) -> bool {
        let w = self.window;
        let latest = next.map(|next| next - minutes(30));
        let longer = |until: Instant| (until > w.until && latest.is_none_or(|latest| until <= latest)).then_some(Window { until, ..w });
        let departure = date_of(w.until);
        let nights = (departure - date_of(w.from.max(at))).num_days();
        let hours = if self.booking.nights == 0 {
            w.until + minutes(self.dice.between(30, 180))
        } else {
            clock(departure, 12, 0) + minutes(self.dice.between(0, 170))
        };
        let night = || longer(clock(departure + Days::new(1), 11, 0));
        let shorter = || Some(Window { until: clock(departure - Days::new(1), 11, 0), ..w });
        let (window, note) = match self.dice.below(4) {
            0 if self.booking.nights > 0 => (night(), Note::Extension),
            1 if nights >= 2 => (shorter(), Note::Shortening),
            2 if nights >= 3 && !in_house => (Some(Window { from: clock(date_of(w.from) + Days::new(1), 15, 0), ..w }), Note::LaterArrival),
            _ => (longer(hours), Note::Extension),
        };
        let Some(window) = window else { return false };
        let into = note == Note::Extension && next.is_some_and(|next| date_of(next) == date_of(window.until));
        self.rebook(at, window, Notes::from(note).with(Note::IntoNextStaysDay, into));
        true
    }
}
