//! The oracle's rules, one story each, told by hand.
use chrono::{NaiveDate, TimeDelta};
use hotel_checkin::oracle::{Oracle, Verdict};
use hotel_checkin::script::Deed;
use hotel_checkin::world::{
    BLANK, CardMethod, CardNo, Door, DoorNo, GYM, GrantNo, GrantWish, HotelPlan, Instant, LOBBY, StayNo, Token, Window, clock,
};

const ROOM: DoorNo = DoorNo(2);
const OTHER: DoorNo = DoorNo(3);

struct Story {
    oracle: Oracle,
    wishes: Vec<GrantWish>,
}

fn day(day: u32, hour: u32) -> Instant {
    clock(NaiveDate::from_ymd_opt(2015, 7, day).unwrap_or_default(), hour, 0)
}

fn grant(stay: u32, guest: u16) -> GrantNo {
    GrantNo { stay: StayNo(stay), guest }
}

impl Story {
    fn new() -> Self {
        let door = |name: &str, room, keypad| Door { name: name.to_owned(), room, keypad };
        let doors = vec![door("lobby", false, false), door("gym", false, true), door("A001", true, false), door("A002", true, false)];
        Self { oracle: Oracle::new(HotelPlan { doors, staff: Vec::new() }), wishes: Vec::new() }
    }

    fn learn(&mut self, at: Instant, deed: Deed) {
        self.oracle.learn(at, &deed, &self.wishes);
    }

    /// Two guests in the room, from 15:00 until 11:00; the first has a PIN, the second a phone.
    fn stay(&mut self, booked: Instant, stay: u32, from: u32, until: u32) {
        for guest in 0..2 {
            let window = Window { from: day(from, 15), until: day(until, 11) };
            let wish =
                GrantWish { grant: grant(stay, guest), room: ROOM, gym: guest == 0, window, cards: 1, code: guest == 0, phone: guest == 1 };
            let place = self.wishes.len() as u32;
            self.wishes.push(wish);
            self.learn(booked, Deed::Book(place));
        }
    }

    fn encode(&mut self, at: Instant, grant: GrantNo, card: u32) {
        self.learn(at, Deed::Encode { method: CardMethod { grant, nth: 0 }, onto: CardNo(card) });
    }

    fn shows(&mut self, at: Instant, door: DoorNo, token: Token) -> Verdict {
        let verdict = self.oracle.expect(at, door, token);
        self.learn(at, Deed::Try { door, token });
        verdict
    }

    fn card(&mut self, at: Instant, door: DoorNo, card: u32) -> Verdict {
        self.shows(at, door, Token::Card(CardNo(card)))
    }
}

#[test]
fn a_card_opens_its_doors_inside_its_half_open_window() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 5);
    story.encode(day(2, 20), grant(1, 0), 10);
    let second = TimeDelta::seconds(1);
    assert_eq!(story.card(day(3, 15) - second, ROOM, 10), Verdict::NotYet);
    assert_eq!(story.card(day(3, 15), ROOM, 10), Verdict::Granted);
    assert_eq!(story.card(day(3, 16), OTHER, 10), Verdict::OtherDoor);
    assert_eq!(story.card(day(3, 16), GYM, 10), Verdict::Granted);
    assert_eq!(story.shows(day(3, 16), LOBBY, Token::Card(BLANK)), Verdict::Blank);
    assert_eq!(story.card(day(5, 11) - second, LOBBY, 10), Verdict::Granted);
    assert_eq!(story.card(day(5, 11), LOBBY, 10), Verdict::Ended);
}

#[test]
fn guests_of_one_stay_live_side_by_side_and_the_first_use_of_the_next_stays_key_ends_them() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 5);
    story.encode(day(3, 15), grant(1, 0), 10);
    story.encode(day(3, 16), grant(1, 1), 11);
    assert_eq!(story.card(day(3, 17), ROOM, 10), Verdict::Granted);
    assert_eq!(story.card(day(3, 17), ROOM, 11), Verdict::Granted);
    assert_eq!(story.card(day(3, 17), ROOM, 10), Verdict::Granted);
    // Given up on the 4th, sold again that day.
    story.learn(day(4, 9), Deed::Delete(grant(1, 0)));
    story.learn(day(4, 9), Deed::Delete(grant(1, 1)));
    assert_eq!(story.card(day(4, 10), ROOM, 10), Verdict::ResidualDeleted);
    story.stay(day(4, 10), 2, 4, 6);
    story.encode(day(4, 15), grant(2, 0), 20);
    assert_eq!(story.card(day(4, 15), ROOM, 10), Verdict::ResidualDeleted, "a key that was made changes nothing at the door");
    assert_eq!(story.card(day(4, 15), ROOM, 20), Verdict::Granted);
    assert_eq!(story.card(day(4, 16), ROOM, 10), Verdict::LaterStay);
    assert_eq!(story.card(day(4, 16), LOBBY, 10), Verdict::ResidualDeleted, "common doors are nobody's");
}

#[test]
fn a_room_sold_again_for_the_same_start_belongs_to_who_booked_later() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 6);
    story.encode(day(2, 20), grant(1, 0), 10);
    story.learn(day(3, 9), Deed::Delete(grant(1, 0)));
    story.learn(day(3, 9), Deed::Delete(grant(1, 1)));
    story.stay(day(3, 12), 2, 3, 5);
    story.encode(day(3, 15), grant(2, 0), 20);
    assert_eq!(story.card(day(3, 15), ROOM, 10), Verdict::ResidualDeleted);
    assert_eq!(story.card(day(3, 16), ROOM, 20), Verdict::Granted);
    assert_eq!(story.card(day(3, 16), ROOM, 10), Verdict::LaterStay);
    assert_eq!(story.card(day(3, 17), ROOM, 20), Verdict::Granted);
}

#[test]
fn a_lost_card_opens_until_a_key_made_since_is_used_and_the_stays_phones_follow() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 6);
    story.encode(day(3, 15), grant(1, 0), 10);
    story.encode(day(3, 15), grant(1, 1), 11);
    assert_eq!(story.card(day(3, 16), ROOM, 10), Verdict::Granted);
    let lost = CardMethod { grant: grant(1, 0), nth: 0 };
    let new = CardMethod { grant: grant(1, 0), nth: 1 };
    story.learn(day(4, 9), Deed::ReplaceLost { lost, new, onto: CardNo(12) });
    assert_eq!(story.card(day(4, 10), ROOM, 10), Verdict::ResidualReplaced);
    assert_eq!(story.shows(day(4, 10), ROOM, Token::Phone(grant(1, 1))), Verdict::Granted);
    assert_eq!(story.card(day(4, 11), ROOM, 10), Verdict::Reopened);
    assert_eq!(story.card(day(4, 11), ROOM, 11), Verdict::Reopened);
    assert_eq!(story.card(day(4, 11), LOBBY, 10), Verdict::ResidualReplaced);
    assert_eq!(story.card(day(4, 12), ROOM, 12), Verdict::Granted);
    story.encode(day(4, 13), grant(1, 1), 11);
    assert_eq!(story.card(day(4, 13), ROOM, 11), Verdict::Granted, "written again");
}

#[test]
fn cards_keep_what_is_written_on_them_and_phones_and_pins_follow() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 6);
    assert_eq!(story.oracle.told(grant(1, 0), "1234"), []);
    story.encode(day(3, 15), grant(1, 0), 10);
    let code = Token::Code(grant(1, 0));
    let phone = Token::Phone(grant(1, 1));
    for guest in 0..2 {
        let window = Window { from: day(3, 15), until: day(5, 11) };
        story.learn(day(4, 9), Deed::Update { grant: grant(1, guest), window });
    }
    assert_eq!(story.shows(day(5, 10), GYM, code), Verdict::Granted);
    assert_eq!(story.shows(day(5, 11), GYM, code), Verdict::Ended);
    assert_eq!(story.shows(day(5, 11), ROOM, phone), Verdict::Ended);
    assert_eq!(story.card(day(5, 11), ROOM, 10), Verdict::ResidualOldWindow);
    story.learn(day(5, 12), Deed::Suspend(grant(1, 0)));
    assert_eq!(story.card(day(5, 12), ROOM, 10), Verdict::ResidualSuspended);
    assert_eq!(story.shows(day(4, 12), GYM, code), Verdict::Suspended);
    story.learn(day(5, 13), Deed::Delete(grant(1, 0)));
    assert_eq!(story.shows(day(4, 12), GYM, code), Verdict::Deleted);
    assert_eq!(story.card(day(6, 11), ROOM, 10), Verdict::Ended);
}

#[test]
fn a_pin_opens_for_whoever_has_it_now_and_two_people_never_share_one() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 5);
    story.stay(day(1, 9), 2, 5, 7);
    assert_eq!(story.oracle.told(grant(1, 0), "1234"), []);
    assert_eq!(story.oracle.told(grant(2, 0), "1234"), [], "at disjoint times they may");
    assert_eq!(story.shows(day(4, 9), GYM, Token::Guess(1234)), Verdict::Granted);
    assert_eq!(story.shows(day(5, 12), GYM, Token::Guess(1234)), Verdict::NotYet, "it waits for the next guest");
    assert_eq!(story.shows(day(5, 16), GYM, Token::Code(grant(1, 0))), Verdict::Granted, "it is somebody else's now");
    assert_eq!(story.shows(day(4, 9), GYM, Token::Guess(1235)), Verdict::NobodysPin);
    assert_eq!(story.shows(day(4, 9), ROOM, Token::Guess(1234)), Verdict::OtherDoor);
    let window = Window { from: day(3, 15), until: day(6, 11) };
    story.learn(day(4, 9), Deed::Update { grant: grant(1, 0), window });
    assert_eq!(story.oracle.told(grant(1, 0), "1234"), [grant(2, 0)]);
    assert_eq!(story.oracle.told(grant(2, 0), "4321"), []);
    assert_eq!(story.oracle.told(grant(1, 0), "1234"), []);
}

#[test]
fn plastic_that_was_another_guests_has_only_what_was_written_last() {
    let mut story = Story::new();
    story.stay(day(1, 9), 1, 3, 5);
    story.stay(day(1, 9), 2, 5, 7);
    story.encode(day(3, 15), grant(1, 0), 10);
    story.encode(day(5, 9), grant(2, 0), 10);
    assert_eq!(story.card(day(5, 10), ROOM, 10), Verdict::NotYet);
    assert_eq!(story.card(day(5, 15), ROOM, 10), Verdict::Granted);
}
