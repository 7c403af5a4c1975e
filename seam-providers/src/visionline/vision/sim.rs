//! A fake of a Vision server: PMSif over TCP, on the cards, encoders and locks of Visionline's fake. It takes structs apart by itself.
use crate::net::sim::{Conversation, Misbehaviour, Server, ServerOptions, Wire};
use crate::visionline::sim::cards::{Cannot, Role, Wish};
use crate::visionline::sim::hotel::Hotel;
use crate::visionline::sim::{CardSeenAs, HotelPlan, Plastic, Tried};
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use seam_core::clock::Clock;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::codec::Decoder;

/// The licence that the fake takes.
pub const LICENCE: &str = "licence-of-the-fake";
/// The user type and the user group that are set up.
const GUESTS: (&str, &str) = ("Single Room", "Regular Guest");

/// A fake server. It ends when it is dropped.
#[derive(Debug)]
pub struct VisionSim {
    hotel: Arc<Hotel>,
    server: Server,
    spares_registrations: Arc<AtomicBool>,
}

impl VisionSim {
    /// Starts one that goes by this clock. The addresses of the plan's encoders are their numbers.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(plan: HotelPlan, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let hotel = Arc::new(Hotel::new(plan, Arc::clone(&clock)));
        let spares_registrations = Arc::new(AtomicBool::new(false));
        let pmsif = Pmsif { hotel: Arc::clone(&hotel), spares_registrations: Arc::clone(&spares_registrations) };
        let server = Server::start(Arc::new(pmsif), ServerOptions::new(clock)).await?;
        Ok(Self { hotel, server, spares_registrations })
    }
    /// Settings of an account at it.
    #[must_use]
    pub fn settings(&self) -> Value {
        let plan = self.hotel.plan();
        let encoders: Vec<Value> =
            plan.encoders.iter().map(|(name, number)| json!({"name": name, "number": number.parse::<u8>().unwrap_or_default()})).collect();
        let rooms: Vec<&str> = plan.doors.iter().filter(|d| d.category == "guest").map(|d| d.name.as_str()).collect();
        json!({
            "name": plan.name, "time_zone": plan.zone.name(), "host": "127.0.0.1", "port": self.server.address().port(), "licence": LICENCE,
            "user_type": GUESTS.0, "user_group": GUESTS.1, "encoders": encoders, "rooms": rooms, "card_wait_seconds": plan.card_wait.as_secs(),
        })
    }
    /// Misbehaves from now on; `None`: behaves.
    ///
    /// # Errors
    /// The port was taken by somebody else while it was offline.
    pub async fn misbehave(&self, how: Option<Misbehaviour>) -> io::Result<()> {
        self.spares_registrations.store(false, Ordering::SeqCst);
        self.server.misbehave(how).await
    }
    /// Misbehaves at jobs only from now on: whoever registers is answered, and not counted.
    ///
    /// # Errors
    /// As [`misbehave`](Self::misbehave).
    pub async fn misbehave_at_jobs(&self, how: Option<Misbehaviour>) -> io::Result<()> {
        self.spares_registrations.store(true, Ordering::SeqCst);
        self.server.misbehave(how).await
    }
    /// Sets its clock wrong: so much fast, or slow when negative. Its locks are right.
    pub fn set_clock_fast(&self, by: TimeDelta) {
        self.hotel.change(|state| state.fast = by);
    }
    /// Changes how it is set up, from now on.
    pub fn reconfigure(&self, change: impl FnOnce(&mut HotelPlan)) {
        self.hotel.change(|state| change(&mut state.plan));
    }
    /// A new card without anything on it.
    #[must_use]
    pub fn blank_card(&self) -> Plastic {
        self.hotel.change(|state| Plastic(state.new_serial()))
    }
    /// Lays these cards on an encoder, instead of all others; none: takes them away.
    pub fn lay(&self, encoder: &str, cards: &[Plastic]) {
        self.hotel.change(|state| *state.field(encoder) = cards.iter().map(|card| card.0.clone()).collect());
        self.hotel.moved.notify_waiters();
    }
    /// Makes a card at the desk, with Vision's own program: it overrides whoever is in the room.
    #[must_use]
    pub fn make_by_hand(&self, room: &str, until: TimeDelta) -> Plastic {
        let card = self.blank_card();
        let now = self.hotel.wall_clock();
        self.hotel.change(|state| state.make_by_hand(room, now, until, &card.0));
        card
    }
    /// How many requests have reached it.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.server.requests()
    }
    /// A new card without anything on it, laid on an encoder instead of all others.
    pub fn lay_blank(&self, encoder: &str) -> Plastic {
        let card = self.blank_card();
        self.lay(encoder, std::slice::from_ref(&card));
        card
    }
    /// Holds a card to a door.
    #[must_use]
    pub fn present(&self, door: &str, card: &Plastic) -> Tried {
        let now = self.hotel.wall_clock();
        self.hotel.change(|state| state.present(door, &card.0, now))
    }
    /// Cards in its list whose holder contains this text, in the order of making.
    #[must_use]
    pub fn cards_of(&self, text: &str) -> Vec<CardSeenAs> {
        self.hotel.change(|state| state.cards.iter().filter(|c| c.holder.contains(text)).map(CardSeenAs::of).collect())
    }
}

struct Pmsif {
    hotel: Arc<Hotel>,
    spares_registrations: Arc<AtomicBool>,
}

/// Cuts bytes into messages, by the size in the header.
struct Structs;

impl Decoder for Structs {
    type Item = Vec<u8>;
    type Error = io::Error;
    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
        if bytes.len() < 18 {
            return Ok(None);
        }
        let size = u32::from_le_bytes([bytes[14], bytes[15], bytes[16], bytes[17]]) as usize;
        if bytes[..8] != *b"\x55\x55\x55\x55\xaa\xaa\xaa\xaa" || bytes[8..10] != [1, 0] || size > 1024 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no message"));
        }
        Ok((bytes.len() >= 18 + size).then(|| bytes.split_to(18 + size).to_vec()))
    }
}

#[async_trait]
impl Conversation for Pmsif {
    async fn talk(&self, mut wire: Wire) {
        let mut registered = false;
        while let Ok(Some(mut message)) = wire.receive(&mut Structs).await {
            let spared = message[10] != 4 && self.spares_registrations.load(Ordering::SeqCst);
            if !spared {
                wire.asked().await;
            }
            match (message[10], message.len() - 18) {
                (1, 44) => {
                    registered = text(&message[18..38]) == LICENCE;
                    message[58..62].copy_from_slice(&i32::from(!registered).to_le_bytes());
                }
                (2, 4) => registered = false,
                (4, 565) if registered => self.job(&mut message).await,
                // Who has not registered, or asks for what is not known, is cut off. Our choice.
                _ => return,
            }
            let answered = if spared { wire.write(&message).await } else { wire.answer(&message).await };
            if answered.is_err() {
                return;
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect()
}

fn time(text: &str) -> Option<NaiveDateTime> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, number(4..6)?, number(6..8)?)?;
    Some(date.and_time(NaiveTime::from_hms_opt(number(8..10)?, number(10..12)?, 0)?))
}

impl Pmsif {
    async fn job(&self, message: &mut [u8]) {
        let data = text(&message[19..531]);
        let number = text(&message[531..534]);
        let (result, fields) = match self.make(message[18], &data, &number).await {
            Ok(serial) => (b'0', format!("{data}{serial}FF")),
            Err(letter) => (letter, data),
        };
        message[18] = result;
        message[19..531].fill(0);
        message[19..19 + fields.len()].copy_from_slice(fields.as_bytes());
    }

    /// Gives the serial number of the card, or the letter of what is wrong.
    async fn make(&self, command: u8, data: &str, number: &str) -> Result<String, u8> {
        let field = |letter: char| data.split('\u{1e}').find_map(|part| part.strip_prefix(letter)).unwrap_or_default();
        if (field('T'), field('U')) != GUESTS {
            return Err(if field('T') == GUESTS.0 { b'U' } else { b'T' });
        }
        let starts = time(field('D')).ok_or(b'D')?;
        let ends = time(field('O')).ok_or(b'O')?;
        let room = field('R').to_owned();
        let now = self.hotel.wall_clock() + self.hotel.change(|state| state.fast);
        let live = self.hotel.change(|state| state.cards.iter().any(|c| c.is_live(now) && c.key.rooms.contains_key(&room)));
        let role = match command {
            b'I' if starts.date() <= now.date() => Role::Override,
            b'G' if starts.date() > now.date() => Role::Override,
            b'H' if live => Role::AutoJoin,
            b'H' => return Err(b'9'),
            b'I' | b'G' => return Err(b'D'),
            _ => return Err(b'1'),
        };
        let wish = Wish { holder: format!("{} {}", field('F'), field('N')), starts, ends, doors: vec![room], role, endpoint: None };
        let encoder =
            self.hotel.change(|state| state.plan.encoders.iter().find(|(_, n)| format!("{n:0>2}") == number).map(|(name, _)| name.clone()));
        let made = self.hotel.encode(&encoder.ok_or(b'8')?, &wish, true).await;
        made.map(|(_, serial)| serial).map_err(|why| match why {
            Cannot::NoSuchDoor => b'R',
            Cannot::BadTime => b'O',
            Cannot::Busy => b'5',
            // What it says when no card comes is not known.
            _ => b'8',
        })
    }
}
