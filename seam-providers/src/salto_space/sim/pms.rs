//! The PMS interface of the fake.
use super::house::{Came, Content, GuestKey, House, SimCard, State};
use crate::net::sim::{Conversation, Wire};
use crate::salto_space::frame::{Frame, FrameCodec, Message};
use crate::salto_space::pms::Authorisation;
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::{NaiveDateTime, TimeDelta};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::codec::Encoder as _;

pub(super) struct PmsConversation {
    house: Arc<House>,
    /// The answer that is held back.
    held_back: Mutex<Option<Vec<u8>>>,
}

impl PmsConversation {
    pub(super) fn new(house: Arc<House>) -> Self {
        Self { house, held_back: Mutex::new(None) }
    }
}

fn bytes(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    match FrameCodec::default().encode(message, &mut out) {
        Ok(()) => out.to_vec(),
        Err(_) => Vec::new(),
    }
}

#[async_trait]
impl Conversation for PmsConversation {
    async fn talk(&self, mut wire: Wire) {
        let mut codec = FrameCodec::default();
        while let Ok(Some(message)) = wire.receive(&mut codec).await {
            let reply = match message {
                Message::Enq => {
                    let mut state = self.house.state();
                    let ready = state.faults.not_ready == 0;
                    state.faults.not_ready = state.faults.not_ready.saturating_sub(1);
                    if ready { Message::Ack } else { Message::Nak }
                }
                Message::Damaged => Message::Nak,
                // Some clients acknowledge answers.
                Message::Ack | Message::Nak => continue,
                Message::Frame(frame) => {
                    wire.asked().await;
                    if !self.frame(&mut wire, &frame).await {
                        return;
                    }
                    continue;
                }
            };
            if wire.write(&bytes(&reply)).await.is_err() {
                return;
            }
        }
    }
}

impl PmsConversation {
    /// Takes a frame and answers it. `false`: the connection is over.
    async fn frame(&self, wire: &mut Wire, frame: &Frame) -> bool {
        let refused = {
            let mut state = self.house.state();
            let refused = state.faults.refuses > 0;
            state.faults.refuses = state.faults.refuses.saturating_sub(1);
            if !refused {
                state.requests.push(frame.command().to_owned());
            }
            refused
        };
        if refused {
            return wire.write(&bytes(&Message::Nak)).await.is_ok();
        }
        if wire.take(&bytes(&Message::Ack)).await.is_err() {
            return false;
        }
        let fields = self.house.pms(frame).await;
        let faults = self.house.state().faults.clone();
        let fields = faults.answers.unwrap_or(fields);
        let mut answer = Frame::new(fields).map(|f| bytes(&Message::Frame(f))).unwrap_or_default();
        if faults.wrong_lrc
            && let Some(last) = answer.last_mut()
        {
            *last = if *last ^ 0x55 == 0x0D { 0x00 } else { *last ^ 0x55 };
        }
        if faults.late {
            let mut held = self.held_back.lock().unwrap_or_else(PoisonError::into_inner);
            match held.replace(answer) {
                Some(before) => answer = before,
                None => return true,
            }
        }
        wire.answer(&answer).await.is_ok()
    }
}

/// `HHMMDDMMYY`, read another way than by the provider.
fn time(text: &str) -> Option<NaiveDateTime> {
    let (clock, date) = text.split_at_checked(4)?;
    let (day_month, year) = date.split_at_checked(4)?;
    NaiveDateTime::parse_from_str(&format!("20{year}{}{}{clock}", day_month.get(2..)?, day_month.get(..2)?), "%Y%m%d%H%M").ok()
}

/// The symbols of authorisations, by the table, not by the provider's code.
fn right(symbol: char) -> Option<Authorisation> {
    let number = match symbol {
        '1'..='9' => u32::from(symbol) - u32::from('0'),
        'a'..='z' => u32::from(symbol) - u32::from('a') + 10,
        other => {
            let signs = "!#$%&()*+,-./:;<=>?@[\\]^_{}";
            36 + u32::try_from(signs.chars().position(|s| s == other)?).ok()?
        }
    };
    Authorisation::new(u8::try_from(number).ok()?)
}

fn code(code: &str, about: &str) -> Vec<String> {
    vec![code.to_owned(), about.to_owned()]
}

fn came_not(why: &str, encoder: &str) -> Vec<String> {
    match why {
        "offline" => code("NC", encoder),
        "busy" => code("OV", encoder),
        "no card" => code("ED", encoder),
        _ => vec!["EG".to_owned(), encoder.to_owned(), "Encoder is not configured".to_owned()],
    }
}

/// What a key is to say.
struct Asked {
    rooms: Vec<String>,
    symbols: String,
    starts: NaiveDateTime,
    ends: NaiveDateTime,
    operator: String,
}

impl Asked {
    /// From four rooms on: rights that are given, rights that are denied, start, end, operator.
    fn read(frame: &Frame, word: &str, rooms_from: usize) -> Option<Self> {
        let field = |n: usize| frame.field(rooms_from + n).to_owned();
        let rooms: Vec<String> = (0..4).map(field).filter(|r| !r.is_empty()).collect();
        let (starts, ends) = (time(&field(6))?, time(&field(7))?);
        let known = word.starts_with('C') && !rooms.is_empty();
        known.then(|| Self { rooms, symbols: field(4), starts, ends, operator: field(8) })
    }

    /// The code with which it is refused.
    fn refused(&self, state: &State, word: &str) -> Option<&'static str> {
        self.rooms.iter().find_map(|name| match state.rooms.get(name) {
            None => Some("TD"),
            Some(room) if room.out_of_service => Some("OS"),
            Some(room) if word.starts_with("CC") && !room.occupied => Some("EA"),
            Some(_) => None,
        })
    }

    /// Checks its rooms in, or counts a copy more; what the key says.
    fn make(&self, state: &mut State, word: &str) -> GuestKey {
        let mut numbers = Vec::new();
        let mut copy = 0;
        for name in &self.rooms {
            let Some(room) = state.rooms.get_mut(name) else { continue };
            if word.starts_with("CN") {
                (room.guest, room.copies, room.occupied) = (room.guest + 1, 0, true);
            } else {
                room.copies += 1;
            }
            copy = copy.max(room.copies);
            numbers.push((name.clone(), room.guest));
        }
        GuestKey {
            rooms: numbers,
            granted: self.symbols.chars().filter_map(right).collect(),
            symbols: self.symbols.clone(),
            starts: self.starts,
            ends: self.ends,
            copy,
            operator: self.operator.clone(),
            once: word == "CA",
        }
    }
}

impl House {
    /// A key that somebody makes with the system's own program, for a new guest.
    pub(super) fn by_hand(&self, room: &str, until: TimeDelta) -> SimCard {
        let (card, starts) = (self.new_card(), self.local());
        let asked = Asked { rooms: vec![room.to_owned()], symbols: String::new(), starts, ends: starts + until, operator: String::new() };
        let mut state = self.state();
        let key = asked.make(&mut state, "CN");
        state.cards.insert(card.0, Content::Guest(key));
        card
    }

    async fn pms(&self, frame: &Frame) -> Vec<String> {
        let word = frame.command().trim_end_matches(|c: char| c.is_ascii_digit());
        match word {
            "CN" | "CC" | "CA" => self.key(frame, word).await,
            "CNM" | "CCM" => self.key_on_phone(frame, word),
            "LT" => self.read(frame).await,
            "CO" => self.check_out(frame),
            "MC" => self.modify(frame),
            _ => code("ES", frame.field(1)),
        }
    }

    async fn key(&self, frame: &Frame, word: &str) -> Vec<String> {
        let encoder = frame.field(1).to_owned();
        let known = matches!(frame.field(2), "" | "E" | "R" | "T");
        let Some(asked) = Asked::read(frame, word, 3).filter(|_| known) else { return code("ES", &encoder) };
        if let Some(why_not) = asked.refused(&self.state(), word) {
            return code(why_not, &encoder);
        }
        let about = encoder.clone();
        let wants_serial = matches!(frame.field(15), "1" | "2");
        let answer = |state: &mut State, came: Came| match came {
            Came::Not(why) => came_not(why, &about),
            Came::Card(_, Content::Foreign) => code("EF", &about),
            Came::Card(_, Content::Staff | Content::User(_)) => code("EV", &about),
            Came::Card(card, _) => {
                let key = asked.make(state, word);
                let serial = card.serial();
                state.cards.insert(card.0, Content::Guest(key));
                state.keys_written += 1;
                let mut fields = vec![frame.command().to_owned(), about.clone()];
                fields.extend(wants_serial.then_some(serial));
                fields
            }
        };
        self.at_encoder(&encoder, answer).await
    }

    /// A key that is sent to a phone.
    fn key_on_phone(&self, frame: &Frame, word: &str) -> Vec<String> {
        let phone = frame.field(1).to_owned();
        let is_number = phone.len() > 7 && phone.strip_prefix('+').is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let Some(asked) = Asked::read(frame, word, 2).filter(|_| is_number) else { return code("ES", &phone) };
        let mut state = self.state();
        if let Some(why_not) = asked.refused(&state, word) {
            return code(why_not, &phone);
        }
        if state.without_app.contains(&phone) {
            return ["EG", &phone, "The app is not registered on this phone"].map(str::to_owned).into();
        }
        let key = asked.make(&mut state, word);
        state.phones.entry(phone.clone()).or_default().push(key);
        code(frame.command(), &phone)
    }

    async fn read(&self, frame: &Frame) -> Vec<String> {
        let encoder = frame.field(1).to_owned();
        let rooms: Vec<(String, u64, bool)> = self.state().rooms.iter().map(|(n, r)| (n.clone(), r.guest, r.occupied)).collect();
        let about = encoder.clone();
        let answer = move |_: &mut State, came: Came| match came {
            Came::Not(why) => came_not(why, &about),
            Came::Card(_, content) => {
                let mut fields = vec!["LT".to_owned(), about.clone()];
                fields.extend(seen(&content, &rooms));
                fields
            }
        };
        self.at_encoder(&encoder, answer).await
    }

    fn check_out(&self, frame: &Frame) -> Vec<String> {
        match self.state().rooms.get_mut(frame.field(2)) {
            None => code("TD", "0"),
            Some(room) => {
                room.occupied = false;
                ["CO", "0", frame.field(2)].map(str::to_owned).into()
            }
        }
    }

    fn modify(&self, frame: &Frame) -> Vec<String> {
        let mut state = self.state();
        match state.rooms.get_mut(frame.field(1)) {
            None => code("TD", frame.field(1)),
            Some(room) if !room.occupied => ["EG", frame.field(1), "Room is not occupied"].map(str::to_owned).into(),
            Some(_) => code("MC", frame.field(1)),
        }
    }
}

fn seen(content: &Content, rooms: &[(String, u64, bool)]) -> Vec<String> {
    let Content::Guest(key) = content else {
        let word = if matches!(content, Content::Staff | Content::User(_)) { "LM" } else { "LD" };
        return vec![word.to_owned()];
    };
    let main =
        key.rooms.first().and_then(|(name, number)| rooms.iter().find(|(n, ..)| n == name).map(|(_, guest, in_)| (*number, *guest, *in_)));
    let state = match main {
        Some((mine, guest, true)) if mine == guest => "CI",
        Some((mine, guest, false)) if mine == guest => "CO",
        _ => return vec!["LC".to_owned()],
    };
    let mut fields: Vec<String> = (0..4).map(|n| key.rooms.get(n).map(|(r, _)| r.clone()).unwrap_or_default()).collect();
    let copy = match key.copy {
        _ if key.once => "A",
        0 => "0",
        1 => "1",
        2 => "2",
        _ => "I",
    };
    let times = [key.starts, key.ends].map(|at| at.format("%H%M%d%m%y").to_string());
    fields.extend([state.to_owned(), copy.to_owned(), key.symbols.clone()]);
    fields.extend(times);
    fields.push(key.operator.clone());
    fields
}
