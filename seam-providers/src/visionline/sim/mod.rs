//! A fake of a Visionline server, on real sockets of this host: the web interface over HTTPS, and the PMS port; with offline locks, cards, encoders and
//! phones.
//!
//! It checks signatures and checksums, keeps cards, overrides and joins, and its doors know only what a card told them. What is not public and had to be
//! chosen is said at the place, as `our choice`: the error codes, how long a session lives, how long an encoder waits, what an answer to an encode holds,
//! and that common doors stand in the list of the guest's doors.
pub(super) mod cards;
pub(super) mod hotel;
mod lock;
mod pms;
mod web;

pub use cards::{CardSeenAs, Plastic};
pub use hotel::{DoorPlan, EncodeAnswer, HotelPlan};
pub use lock::{Tried, Why};

use crate::net::sim::{HttpConversation, Misbehaviour, Server, ServerOptions, SimCertificate};
use chrono::TimeDelta;
use hotel::Hotel;
use seam_core::clock::Clock;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The operator that the fake knows, and its password.
pub const LOGIN: (&str, &str) = ("integration", "a-password-of-the-fake");

/// A fake server. It ends when it is dropped.
#[derive(Debug)]
pub struct VisionlineSim {
    hotel: Arc<Hotel>,
    web: Server,
    pms: Server,
    certificate: SimCertificate,
}

/// One of the two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The web interface.
    Web,
    /// The PMS port.
    Pms,
}

impl VisionlineSim {
    /// Starts one that goes by this clock.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(plan: HotelPlan, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let certificate = SimCertificate::new(&["127.0.0.1", "localhost"])?;
        let hotel = Arc::new(Hotel::new(plan, Arc::clone(&clock)));
        let options = ServerOptions::new(Arc::clone(&clock)).with_certificate(certificate.clone());
        let web = Server::start(Arc::new(HttpConversation(web::Web(Arc::clone(&hotel)))), options).await?;
        let pms = Server::start(Arc::new(pms::Pms(Arc::clone(&hotel))), ServerOptions::new(clock)).await?;
        Ok(Self { hotel, web, pms, certificate })
    }

    /// Settings of an account at it: over both interfaces, with its certificate pinned, with its doors' numbers and its error codes.
    #[must_use]
    pub fn settings(&self) -> Value {
        let plan = self.hotel.plan();
        let encoders: Vec<Value> = plan.encoders.iter().map(|(name, address)| json!({"name": name, "pms_address": address})).collect();
        let doors: Vec<Value> = plan.doors.iter().map(DoorPlan::settings).collect();
        let codes: serde_json::Map<String, Value> = web::CODES.iter().map(|(code, meaning)| (code.to_string(), json!(meaning))).collect();
        json!({
            "name": plan.name,
            "time_zone": plan.zone.name(),
            "web": {
                "host": "127.0.0.1", "port": self.web.address().port(), "username": LOGIN.0, "password": LOGIN.1,
                "certificates": {"pinned_sha256": [self.certificate.sha256_hex()]},
            },
            "pms": {"host": "127.0.0.1", "port": self.pms.address().port()},
            "encoders": encoders,
            "doors": doors,
            "common_doors_in_guest_list": true,
            "card_wait_seconds": plan.card_wait.as_secs(),
            "error_codes": codes,
        })
    }

    /// The server behind one of the interfaces: for its certificate, its clock, and what it does wrong.
    #[must_use]
    pub const fn server(&self, port: Port) -> &Server {
        match port {
            Port::Web => &self.web,
            Port::Pms => &self.pms,
        }
    }
    /// Its certificate.
    #[must_use]
    pub const fn certificate(&self) -> &SimCertificate {
        &self.certificate
    }
    /// Misbehaves at both interfaces from now on; `None`: behaves.
    ///
    /// # Errors
    /// A port was taken by somebody else while it was offline.
    pub async fn misbehave(&self, how: Option<Misbehaviour>) -> io::Result<()> {
        self.web.misbehave(how.clone()).await?;
        self.pms.misbehave(how).await
    }
    /// How many requests have reached it.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.web.requests() + self.pms.requests()
    }
    /// How many of them were logins.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.hotel.change(|state| state.logins)
    }
    /// Sets the clock of the web interface wrong: so much fast, or slow when negative.
    pub fn set_clock_fast(&self, by: TimeDelta) {
        self.hotel.change(|state| state.fast = by);
        self.web.set_clock_fast(by);
    }
    /// Forgets all sessions.
    pub fn forget_sessions(&self) {
        self.hotel.change(|state| state.sessions.clear());
    }
    /// Changes how it is set up, from now on.
    pub fn reconfigure(&self, change: impl FnOnce(&mut HotelPlan)) {
        self.hotel.change(|state| change(&mut state.plan));
    }
    /// The next requests to the web interface are answered with these statuses, before anything is done. With a header: its name and value.
    pub fn answer_with(&self, status: u16, header: Option<(&str, &str)>, times: u32) {
        let header = header.map(|(n, v)| (n.to_owned(), v.to_owned()));
        self.hotel.change(|state| state.refusals = (times, status, header));
    }

    /// A new card without anything on it.
    #[must_use]
    pub fn blank_card(&self) -> Plastic {
        self.hotel.change(|state| Plastic(state.new_serial()))
    }
    /// A card of another maker.
    #[must_use]
    pub fn foreign_card(&self) -> Plastic {
        let card = self.blank_card();
        self.hotel.change(|state| state.plastic.insert(card.0.clone(), cards::Content::Foreign));
        card
    }
    /// Lays a card on an encoder.
    pub fn lay(&self, encoder: &str, card: &Plastic) {
        self.hotel.change(|state| state.field(encoder).push(card.0.clone()));
        self.hotel.moved.notify_waiters();
    }
    /// Takes all cards off an encoder.
    pub fn clear(&self, encoder: &str) -> Vec<Plastic> {
        self.hotel.change(|state| std::mem::take(state.field(encoder))).into_iter().map(Plastic).collect()
    }
    /// Takes an encoder off the network, or puts it back.
    pub fn set_offline(&self, encoder: &str, offline: bool) {
        self.hotel.change(|state| if offline { state.offline.insert(encoder.to_owned()) } else { state.offline.remove(encoder) });
    }
    /// The serial number of the card that was written last.
    #[must_use]
    pub fn last_written(&self) -> Option<Plastic> {
        self.hotel.change(|state| state.last_written.clone()).map(Plastic)
    }
    /// Holds a card to a door.
    #[must_use]
    pub fn present(&self, door: &str, card: &Plastic) -> Tried {
        let now = self.hotel.wall_clock();
        self.hotel.change(|state| state.present(door, &card.0, now))
    }
    /// Holds a phone to a door.
    #[must_use]
    pub fn present_phone(&self, door: &str, endpoint: &str) -> Tried {
        let now = self.hotel.wall_clock();
        self.hotel.change(|state| state.present_phone(door, endpoint, now))
    }
    /// Enrols a phone.
    pub fn enrol(&self, endpoint: &str) {
        self.hotel.change(|state| state.endpoints.insert(endpoint.to_owned()));
    }
    /// Cards in its list whose holder contains this text, in the order of making.
    #[must_use]
    pub fn cards_of(&self, text: &str) -> Vec<CardSeenAs> {
        self.hotel.change(|state| state.cards.iter().filter(|c| c.holder.contains(text)).map(CardSeenAs::of).collect())
    }
    /// Makes a card at the desk, with Visionline's own program: it overrides whoever is in the room.
    #[must_use]
    pub fn make_by_hand(&self, room: &str, until: TimeDelta) -> Plastic {
        let card = self.blank_card();
        let now = self.hotel.wall_clock();
        self.hotel.change(|state| state.make_by_hand(room, now, until, &card.0));
        card
    }
    /// How long an encoder waits for a card.
    pub fn set_card_wait(&self, wait: Duration) {
        self.reconfigure(|plan| plan.card_wait = wait);
    }
}
