//! The small hotel: one room, two stays, everything that a front desk meets in a week, told as a table.
use crate::hotel::HotelError;
use crate::replay::{Replay, Step};
use crate::script::{Deed, Notes, Op, Script};
use crate::sdk_hotel::SdkHotel;
use crate::world::{
    BLANK, CardMethod, CardNo, Door, DoorNo, GYM, GrantNo, GrantWish, HotelPlan, Instant, LOBBY, Staff, StayNo, Token, Window, ZONE, clock,
};
use chrono::NaiveDate;
use std::collections::BTreeMap;

const ROOM: DoorNo = DoorNo(2);
const NEXT_DOOR: DoorNo = DoorNo(3);
const MASTER: CardNo = CardNo(1);
/// How instants are printed.
const WHEN: &str = "%a %e %b %H:%M";
/// Above the table. The reasons come from a record that knows only what the desk did and what doors have answered, nothing of the planner.
const HEAD: &str = "when               who       with             door   opens? why, by an independent record of what the desk did";

/// A part of the story.
struct Chapter {
    title: &'static str,
    ops: Vec<Op>,
    /// Whose methods are shown at its end, or what is left of them.
    shows: Show,
}

/// What is shown after a chapter.
enum Show {
    Nothing,
    Methods(Vec<GrantNo>),
    Residual(GrantNo),
}

/// Who is who.
fn name(grant: GrantNo) -> &'static str {
    match (grant.stay.0, grant.guest) {
        (1, 0) => "Ada",
        (1, _) => "Ben",
        _ => "Cleo",
    }
}

const fn guest(stay: u32, guest: u16) -> GrantNo {
    GrantNo { stay: StayNo(stay), guest }
}

/// Writes chapters.
struct Pen {
    chapters: Vec<Chapter>,
    wishes: Vec<GrantWish>,
    nth: u32,
}

fn at(day: u32, hour: u32, minute: u32) -> Instant {
    clock(NaiveDate::from_ymd_opt(2026, 7, day).unwrap_or_default(), hour, minute)
}

impl Pen {
    fn chapter(&mut self, title: &'static str) {
        self.chapters.push(Chapter { title, ops: Vec::new(), shows: Show::Nothing });
    }

    fn write(&mut self, at: Instant, deed: Deed) {
        self.nth += 1;
        let op = Op { at, stay: None, nth: self.nth, deed, notes: Notes::default() };
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.ops.push(op);
        }
    }

    fn book(&mut self, when: Instant, grant: GrantNo, window: Window, first: bool) {
        let place = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
        self.wishes.push(GrantWish { grant, room: ROOM, gym: first, window, cards: 1, code: first, phone: first });
        self.write(when, Deed::Book(place));
    }

    fn encode(&mut self, when: Instant, grant: GrantNo, nth: u8, card: u32) {
        self.write(when, Deed::Encode { method: CardMethod { grant, nth }, onto: CardNo(card) });
    }

    fn show(&mut self, when: Instant, door: DoorNo, token: Token) {
        self.write(when, Deed::Try { door, token });
    }

    fn card(&mut self, when: Instant, door: DoorNo, card: u32) {
        self.show(when, door, Token::Card(CardNo(card)));
    }

    fn ends(&mut self, shows: Show) {
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.shows = shows;
        }
    }
}

/// The story. Cards: 1 is the master, 10 and 12 are Ada's, 11 is Ben's, 20 is Cleo's.
fn story() -> (HotelPlan, Pen) {
    let door = |name: &str, room, keypad| Door { name: name.to_owned(), room, keypad };
    let doors = vec![door("lobby", false, false), door("gym", false, true), door("101", true, false), door("102", true, false)];
    let year = Window { from: at(1, 0, 0), until: at(31, 0, 0) };
    let staff = Staff { name: "master", doors: vec![LOBBY, GYM, ROOM, NEXT_DOOR], window: year, hours: None, card: MASTER };
    let mut pen = Pen { chapters: Vec::new(), wishes: Vec::new(), nth: 0 };
    let (ada, ben, cleo) = (guest(1, 0), guest(1, 1), guest(2, 0));

    pen.chapter("Ada and Ben booked room 101 for three nights, Cleo the nights after. Ben is served first: his card opens the stay");
    pen.write(at(1, 8, 0), Deed::Hire(0));
    let stay = Window { from: at(6, 15, 0), until: at(9, 11, 0) };
    pen.book(at(1, 9, 0), ada, stay, true);
    pen.book(at(1, 9, 1), ben, stay, false);
    pen.book(at(1, 9, 2), cleo, Window { from: at(10, 15, 0), until: at(12, 11, 0) }, true);
    pen.encode(at(6, 14, 50), ben, 0, 11);
    pen.card(at(6, 14, 59), ROOM, 11);
    pen.card(at(6, 15, 0), ROOM, 11);
    pen.encode(at(6, 15, 20), ada, 0, 10);
    pen.card(at(6, 15, 25), ROOM, 10);
    pen.card(at(6, 15, 26), ROOM, 11);
    pen.card(at(6, 15, 27), NEXT_DOOR, 10);
    pen.show(at(6, 15, 30), LOBBY, Token::Phone(ada));
    pen.show(at(6, 15, 31), ROOM, Token::Phone(ada));
    pen.show(at(6, 18, 0), GYM, Token::Code(ada));
    pen.show(at(6, 18, 1), GYM, Token::Guess(1));
    pen.show(at(7, 10, 0), ROOM, Token::Card(MASTER));
    pen.ends(Show::Methods(vec![ada, ben]));

    pen.chapter("They stay a night longer: the PIN stays, the phone follows, the cards ask to be encoded again, and join");
    for grant in [ada, ben] {
        pen.write(at(8, 12, 0), Deed::Update { grant, window: Window { from: stay.from, until: at(10, 11, 0) } });
    }
    pen.encode(at(8, 12, 10), ada, 0, 10);
    pen.ends(Show::Methods(vec![ada, ben]));

    pen.chapter("The next day: Ada's card was encoded again, Ben's was not");
    pen.card(at(9, 11, 30), ROOM, 10);
    pen.card(at(9, 11, 31), ROOM, 11);
    pen.show(at(9, 11, 32), ROOM, Token::Phone(ada));
    pen.show(at(9, 11, 40), GYM, Token::Code(ada));
    pen.encode(at(9, 11, 50), ben, 0, 11);
    pen.card(at(9, 11, 55), ROOM, 11);

    pen.chapter("Ada loses her card. Until the new one is used, the lost one opens; then it and every card not encoded since are out");
    let method = |grant, nth| CardMethod { grant, nth };
    pen.write(at(9, 16, 0), Deed::ReplaceLost { lost: method(ada, 0), new: method(ada, 1), onto: CardNo(12) });
    pen.card(at(9, 16, 5), ROOM, 10);
    pen.card(at(9, 16, 10), ROOM, 12);
    pen.card(at(9, 16, 15), ROOM, 10);
    pen.card(at(9, 16, 16), LOBBY, 10);
    pen.card(at(9, 16, 17), ROOM, 11);
    pen.show(at(9, 16, 18), ROOM, Token::Phone(ada));
    pen.encode(at(9, 16, 30), ben, 0, 11);
    pen.card(at(9, 16, 35), ROOM, 11);
    pen.card(at(9, 16, 40), ROOM, 1);

    pen.chapter("Ben leaves early and keeps his card. His grant is deleted; the doors that do not know are told");
    pen.write(at(10, 8, 0), Deed::Delete(ben));
    pen.card(at(10, 8, 30), ROOM, 11);
    pen.card(at(10, 8, 31), LOBBY, 11);
    pen.ends(Show::Residual(ben));

    pen.chapter("Ada leaves too. Her PIN and her phone are off at once; her card is what an offline door cannot know");
    pen.write(at(10, 8, 40), Deed::Delete(ada));
    pen.show(at(10, 8, 45), GYM, Token::Code(ada));
    pen.show(at(10, 8, 46), ROOM, Token::Phone(ada));
    pen.card(at(10, 8, 47), ROOM, 12);
    pen.ends(Show::Residual(ada));

    pen.chapter("Cleo may come early. The first use of her card ends Ada's and Ben's");
    pen.write(at(10, 9, 0), Deed::Update { grant: cleo, window: Window { from: at(10, 9, 15), until: at(12, 11, 0) } });
    pen.encode(at(10, 9, 5), cleo, 0, 20);
    pen.card(at(10, 9, 10), ROOM, 20);
    pen.card(at(10, 9, 20), ROOM, 12);
    pen.card(at(10, 9, 30), ROOM, 20);
    pen.card(at(10, 9, 31), ROOM, 12);
    pen.card(at(10, 9, 32), ROOM, 11);
    pen.card(at(10, 9, 33), LOBBY, 11);
    pen.show(at(10, 9, 40), ROOM, Token::Card(BLANK));
    pen.show(at(10, 9, 45), ROOM, Token::Card(MASTER));
    pen.card(at(12, 11, 0), ROOM, 20);
    (HotelPlan { doors, staff: vec![staff] }, pen)
}

/// Where the demo's clock starts.
#[must_use]
pub fn start() -> Instant {
    at(1, 7, 0)
}

/// Tells the story in this hotel, line by line. Answers with the number of wrong answers.
///
/// # Errors
/// The hotel could not do something.
pub async fn tell(hotel: &mut SdkHotel, mut print: impl FnMut(String)) -> Result<u64, HotelError> {
    use crate::hotel::Hotel;
    let (plan, pen) = story();
    hotel.open(&plan).await?;
    let ops = pen.chapters.iter().flat_map(|chapter| chapter.ops.iter().copied()).collect();
    let script = Script { seed: 0, bookings: 2, plan, wishes: pen.wishes, ops, turnovers: 0 };
    let mut replay = Replay::new(&script);
    print(HEAD.to_owned());
    for chapter in &pen.chapters {
        print(format!("\n{}.\n", chapter.title));
        let until = replay.done() + chapter.ops.len();
        replay.run(hotel, until, |step| print(row(step, &script))).await?;
        match &chapter.shows {
            Show::Nothing => {}
            Show::Methods(grants) => {
                for grant in grants {
                    for line in hotel.methods_of(*grant).await? {
                        print(format!("      {:<5} {line}", name(*grant)));
                    }
                }
            }
            Show::Residual(grant) => {
                let mut left: BTreeMap<String, usize> = BTreeMap::new();
                for line in hotel.residual_of(*grant).await? {
                    *left.entry(line).or_default() += 1;
                }
                for (line, cards) in left {
                    let cards = if cards == 1 { "card".to_owned() } else { format!("{cards} cards") };
                    print(format!("      {}'s {cards} may still open {line}", name(*grant)));
                }
            }
        }
    }
    let tally = &replay.tally;
    print(format!("\n{} door attempts, {} answered otherwise than the record says.", tally.door_attempts, tally.wrong_answers));
    Ok(tally.wrong_answers)
}

/// One line of the table.
fn row(step: &Step<'_>, script: &Script) -> String {
    let when = step.op.at.with_timezone(&ZONE).format(WHEN);
    let Deed::Try { door, token } = step.op.deed else {
        return format!("{when}   {}", what(&step.op.deed, script));
    };
    let door = script.plan.door(door).map_or("", |door| door.name.as_str());
    let (who, with) = match token {
        Token::Card(MASTER) => ("staff", "the master card".to_owned()),
        Token::Card(BLANK) => ("somebody", "a blank card".to_owned()),
        Token::Card(card @ CardNo(10)) => ("Ada", format!("card {}", card.0)),
        Token::Card(card @ CardNo(11)) => ("Ben", format!("card {}", card.0)),
        Token::Card(card @ CardNo(12)) => ("Ada", format!("new card {}", card.0)),
        Token::Card(card) => ("Cleo", format!("card {}", card.0)),
        Token::Phone(grant) => (name(grant), "phone".to_owned()),
        Token::Code(grant) => (name(grant), "PIN".to_owned()),
        Token::Guess(_) => ("somebody", "a guessed PIN".to_owned()),
    };
    let opened = step.outcome.opened == Some(true);
    let answer = if opened { "opens" } else { "-" };
    let why = step.verdict.map(|verdict| verdict.to_string()).unwrap_or_default();
    let wrong = if step.verdict.is_some_and(|verdict| verdict.opens() != opened) { "  <- WRONG" } else { "" };
    format!("{when}   {who:<9} {with:<16} {door:<6} {answer:<6} {why}{wrong}")
}

/// What the desk does.
fn what(deed: &Deed, script: &Script) -> String {
    let wish = |place: u32| usize::try_from(place).ok().and_then(|place| script.wishes.get(place));
    match *deed {
        Deed::Hire(_) => "the desk  makes the master card".to_owned(),
        Deed::Book(place) => {
            let (who, more) =
                wish(place).map_or(("", ""), |w| (name(w.grant), if w.code { ", a PIN for the gym, a mobile key" } else { "" }));
            format!("the desk  grants {who} room 101: a card{more}")
        }
        Deed::Update { grant, window } => {
            let day = |at: Instant| at.with_timezone(&ZONE).format(WHEN);
            format!("the desk  changes {}'s grant: {} to {}", name(grant), day(window.from), day(window.until))
        }
        Deed::Suspend(grant) => format!("the desk  suspends {}'s grant", name(grant)),
        Deed::Delete(grant) => format!("the desk  deletes {}'s grant", name(grant)),
        Deed::AddCard(method) => format!("the desk  grants {} one more card", name(method.grant)),
        Deed::AddPhone(grant) => format!("the desk  grants {} a mobile key", name(grant)),
        Deed::Encode { method, onto } => format!("the desk  encodes card {} for {}", onto.0, name(method.grant)),
        Deed::ReplaceLost { new, onto, .. } => format!("the desk  replaces {}'s lost card by card {}", name(new.grant), onto.0),
        Deed::Try { .. } => String::new(),
    }
}
