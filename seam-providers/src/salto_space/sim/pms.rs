//! The PMS interface of the fake.
use super::house::{Came, Content, GuestKey, House, SimCard, State};
use crate::net::sim::{Conversation, Wire};
use crate::salto_space::frame::{Frame, FrameCodec, Message};
use crate::salto_space::pms::Authorisation;
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::NaiveDateTime;
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
        if wire.write(&bytes(&Message::Ack)).await.is_err() {
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

impl House {
    async fn pms(&self, frame: &Frame) -> Vec<String> {
        let word = frame.command().trim_end_matches(|c: char| c.is_ascii_digit());
        match word {
            "CN" | "CC" | "CA" => self.key(frame, word).await,
            "LT" => self.read(frame).await,
            "CO" => self.check_out(frame),
            "MC" => self.modify(frame),
            _ => code("ES", frame.field(1)),
        }
    }

    async fn key(&self, frame: &Frame, word: &str) -> Vec<String> {
        let encoder = frame.field(1).to_owned();
        let rooms: Vec<String> = (3..7).map(|n| frame.field(n).to_owned()).filter(|r| !r.is_empty()).collect();
        let known = matches!(frame.field(2), "" | "E" | "R" | "T");
        let (Some(starts), Some(ends), true) = (time(frame.field(9)), time(frame.field(10)), known && !rooms.is_empty()) else {
            return code("ES", &encoder);
        };
        {
            let state = self.state();
            for name in &rooms {
                match state.rooms.get(name) {
                    None => return code("TD", &encoder),
                    Some(room) if room.out_of_service => return code("OS", &encoder),
                    Some(room) if word == "CC" && !room.occupied => return code("EA", &encoder),
                    Some(_) => {}
                }
            }
        }
        let write = |state: &mut State, card: SimCard| {
            let mut numbers = Vec::new();
            let mut copy = 0;
            for name in rooms {
                let Some(room) = state.rooms.get_mut(&name) else { continue };
                if word == "CN" {
                    (room.guest, room.copies, room.occupied) = (room.guest + 1, 0, true);
                } else {
                    room.copies += 1;
                }
                copy = copy.max(room.copies);
                numbers.push((name, room.guest));
            }
            let key = GuestKey {
                rooms: numbers,
                granted: frame.field(7).chars().filter_map(right).collect(),
                symbols: frame.field(7).to_owned(),
                starts,
                ends,
                copy,
                operator: frame.field(11).to_owned(),
                once: word == "CA",
            };
            let serial = card.serial();
            state.cards.insert(card.0, Content::Guest(key));
            serial
        };
        let about = encoder.clone();
        let wants_serial = matches!(frame.field(15), "1" | "2");
        let answer = |state: &mut State, came: Came| match came {
            Came::Not(why) => came_not(why, &about),
            Came::Card(_, Content::Foreign) => code("EF", &about),
            Came::Card(_, Content::Staff | Content::User(_)) => code("EV", &about),
            Came::Card(card, _) => {
                let serial = write(state, card);
                let mut fields = vec![frame.command().to_owned(), about.clone()];
                fields.extend(wants_serial.then_some(serial));
                fields
            }
        };
        self.at_encoder(&encoder, answer).await
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
