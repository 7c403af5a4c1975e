//! A fake of a Salto Space server and its locks, on sockets of this host: the PMS interface, and SHIP over HTTP and STP.
//!
//! What it assumes beyond what is known, with the confidence of its source (T: released clients, T-: unproven code, I: inferred):
//!
//! | assumption | |
//! | --- | --- |
//! | `CO` and `MC` are answered by an echo; `MC` and `CC` for a free room by `EG` and `EA` | I, T |
//! | `CN` for an occupied room is taken, and begins a new guest | I |
//! | a lock opens to a key from its start on until just before its end, by the civil time of the site | I |
//! | a lock forgets an older guest when a newer guest's key was used there, not at check-out | V |
//! | `CA` opens once | T |
//! | `CNM` and `CCM` are answered by word and number, and the key is on the phone at once; `EG` where the vendor's app is not registered there | T-, I |
//! | `UpdateCurrentKey` takes the user's own key only, and calls another card an unknown format (302) | I |
//! | fields that an `.Update` leaves out stay as they are; a list that it brings replaces the old one | I, T |
//! | an exception comes with status 200 | I |
//! | `Encoder.*` answers `ExtUserID` | I |
//! | an online door asks the server at each opening; an offline one believes what the card was told when it was written | I |
mod house;
mod pms;
mod ship;

pub use house::{SimCard, SimTry};

use crate::net::sim::{HttpConversation, Server, ServerOptions, SimCertificate};
use chrono::TimeDelta;
use chrono_tz::Tz;
use house::House;
use pms::PmsConversation;
use seam_core::clock::Clock;
use serde_json::{Value, json};
use ship::{ShipHttp, ShipStp};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How SHIP over HTTP asks who is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SimLogin {
    /// It does not.
    #[default]
    None,
    /// User and password.
    Basic(String, String),
    /// The value of the vendor's header.
    Key(String),
}

/// A door that is no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimDoor {
    /// Its external id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// It has a control unit on the network.
    pub online: bool,
}

/// How a server is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpaceSimOptions {
    /// Its clock, and that of the locks.
    pub clock: Arc<dyn Clock>,
    /// The time zone of the server.
    pub zone: Tz,
    /// The rooms.
    pub rooms: Vec<String>,
    /// The authorisations, by their numbers; each is a door of its own.
    pub authorisations: Vec<u8>,
    /// The encoders.
    pub encoders: Vec<String>,
    /// How long a card is waited for.
    pub card_wait: Duration,
    /// The option for keys on phones is there.
    pub mobile_keys: bool,
    /// Doors that SHIP knows.
    pub doors: Vec<SimDoor>,
    /// Who may speak SHIP.
    pub login: SimLogin,
    /// A page of a list begins after the id that was asked for; else with it.
    pub pages_begin_after: bool,
    /// The certificate of SHIP over HTTP; none: it is in the clear.
    pub certificate: Option<SimCertificate>,
}

impl SpaceSimOptions {
    /// Rooms `101` to `104` and `007`, authorisations 1 and 2, encoders `Desk 1` and `Desk 2`, a minute for a card; doors `gate` (online) and `store`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, zone: Tz) -> Self {
        let door = |id: &str, name: &str, online| SimDoor { id: id.to_owned(), name: name.to_owned(), online };
        Self {
            clock,
            zone,
            rooms: ["101", "102", "103", "104", "007"].map(str::to_owned).into(),
            authorisations: vec![1, 2],
            encoders: vec!["Desk 1".to_owned(), "Desk 2".to_owned()],
            card_wait: Duration::from_secs(60),
            mobile_keys: false,
            doors: vec![door("gate", "Garage S\u{fc}d", true), door("store", "Store", false)],
            login: SimLogin::None,
            pages_begin_after: false,
            certificate: None,
        }
    }
}

/// A server with its house.
pub struct SpaceSim {
    house: Arc<House>,
    options: SpaceSimOptions,
    /// The PMS interface.
    pub pms: Server,
    /// SHIP over HTTP.
    pub ship: Server,
    /// SHIP over STP.
    pub stp: Server,
}

impl fmt::Debug for SpaceSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpaceSim").field("pms", &self.pms).field("ship", &self.ship).field("stp", &self.stp).finish_non_exhaustive()
    }
}

/// What the PMS interface does wrong, beside what any [`Server`] can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PmsFaults {
    /// It is not ready so many times.
    pub not_ready: u32,
    /// It refuses so many frames as if their check byte were wrong.
    pub refuses: u32,
    /// Its answers have a wrong check byte.
    pub wrong_lrc: bool,
    /// It answers the request before this one.
    pub late: bool,
    /// It answers each request with these fields.
    pub answers: Option<Vec<String>>,
}

impl SpaceSim {
    /// Starts.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(options: SpaceSimOptions) -> io::Result<Self> {
        let house = Arc::new(House::new(&options));
        let plain = || ServerOptions::new(Arc::clone(&options.clock));
        let secured = match &options.certificate {
            Some(certificate) => plain().with_certificate(certificate.clone()),
            None => plain(),
        };
        let http = HttpConversation(ShipHttp { house: Arc::clone(&house), login: options.login.clone() });
        let pms = Server::start(Arc::new(PmsConversation::new(Arc::clone(&house))), plain()).await?;
        let ship = Server::start(Arc::new(http), secured).await?;
        let stp = Server::start(Arc::new(ShipStp { house: Arc::clone(&house) }), plain()).await?;
        Ok(Self { house, options, pms, ship, stp })
    }

    /// Settings of an account for the PMS interface.
    #[must_use]
    pub fn pms_settings(&self) -> Value {
        let right = |n: &u8| json!({"number": n, "name": format!("Right {n}")});
        json!({
            "name": "Aurora", "time_zone": self.options.zone.name(),
            "pms": {
                "host": "127.0.0.1", "port": self.pms.address().port(), "encoders": self.options.encoders, "rooms": self.options.rooms,
                "authorisations": self.options.authorisations.iter().map(right).collect::<Vec<_>>(),
                "card_wait_seconds": self.options.card_wait.as_secs(), "mobile_keys": self.options.mobile_keys,
            },
        })
    }

    /// Settings of an account for SHIP, over HTTP or STP.
    #[must_use]
    pub fn ship_settings(&self, stp: bool) -> Value {
        let scheme = if self.options.certificate.is_some() { "https" } else { "http" };
        let address = match stp {
            true => format!("stp://{}", self.stp.address()),
            false => format!("{scheme}://{}/", self.ship.address()),
        };
        let doors: Vec<&str> = self.options.doors.iter().filter(|d| d.online).map(|d| d.id.as_str()).collect();
        let mut ship = json!({
            "address": address, "keypads": doors, "encoders": self.options.encoders, "card_wait_seconds": self.options.card_wait.as_secs(),
        });
        match &self.options.login {
            _ if stp => {}
            SimLogin::None => {}
            SimLogin::Basic(user, password) => {
                ship["user"] = json!(user);
                ship["password"] = json!(password);
            }
            SimLogin::Key(key) => ship["key"] = json!(key),
        }
        json!({ "name": "Aurora", "time_zone": self.options.zone.name(), "ship": ship })
    }

    /// A card on which nothing is written.
    #[must_use]
    pub fn blank_card(&self) -> SimCard {
        self.house.new_card()
    }
    /// A card of another system.
    #[must_use]
    pub fn foreign_card(&self) -> SimCard {
        self.house.foreign_card()
    }
    /// A staff key of this site.
    #[must_use]
    pub fn staff_card(&self) -> SimCard {
        self.house.staff_card()
    }
    /// Lays a card on an encoder, in the place of what lay there.
    pub fn lay(&self, encoder: &str, card: &SimCard) {
        self.house.lay(encoder, Some(card));
    }
    /// Takes away what lies on an encoder.
    pub fn take(&self, encoder: &str) -> Option<SimCard> {
        self.house.lay(encoder, None)
    }
    /// A new card lies on each encoder from now on whenever one is asked for, and is kept after it was written.
    pub fn lay_cards_always(&self, always: bool) {
        self.house.lay_always(always);
    }
    /// Cards that were written when one was laid by itself, in their order.
    pub fn written(&self) -> Vec<SimCard> {
        self.house.take_written()
    }
    /// An encoder is cut off from the network, or back.
    pub fn set_offline(&self, encoder: &str, offline: bool) {
        self.house.set_offline(encoder, offline);
    }
    /// How long the exchange with a card takes, once it lies there.
    pub fn set_write_time(&self, takes: Duration) {
        self.house.set_write_time(takes);
    }
    /// Makes a key with the system's own program: its guest takes the place of whoever is in the room.
    #[must_use]
    pub fn make_by_hand(&self, room: &str, until: TimeDelta) -> SimCard {
        self.house.by_hand(room, until)
    }
    /// Asks SHIP as another program does that the site has.
    pub async fn ask_ship(&self, document: &str) -> String {
        self.house.ship(document).await
    }
    /// How many keys were written at encoders, each writing counted.
    #[must_use]
    pub fn keys_written(&self) -> usize {
        self.house.state().keys_written
    }
    /// The ids of all users.
    #[must_use]
    pub fn users(&self) -> Vec<String> {
        self.house.state().users.keys().cloned().collect()
    }
    /// Sets the server's clock wrong: so much fast, or slow when negative. Its locks are right.
    pub fn set_clock_fast(&self, by: TimeDelta) {
        self.house.state().fast = by;
        for server in [&self.pms, &self.ship, &self.stp] {
            server.set_clock_fast(by);
        }
    }
    /// The server cannot speak with the control unit of a door, or can again.
    pub fn set_door_cut_off(&self, door: &str, cut_off: bool) {
        let mut state = self.house.state();
        match cut_off {
            true => drop(state.cut_off.insert(door.to_owned())),
            false => drop(state.cut_off.remove(door)),
        }
    }
    /// A room is taken out of service, or back.
    pub fn set_out_of_service(&self, room: &str, out: bool) {
        self.house.set_out_of_service(room, out);
    }
    /// Whether somebody is checked in, by the list of guests.
    #[must_use]
    pub fn is_occupied(&self, room: &str) -> bool {
        self.house.is_occupied(room)
    }
    /// Holds a card to a door: `room/101`, `authorisation/1`, or the id of a door.
    #[must_use]
    pub fn present(&self, door: &str, card: &SimCard) -> SimTry {
        self.house.present(door, card)
    }
    /// Holds a phone, by its number, to a door: `room/101` or `authorisation/1`.
    #[must_use]
    pub fn present_phone(&self, door: &str, phone: &str) -> SimTry {
        self.house.present_phone(door, phone)
    }
    /// Whether the vendor's app is registered on a phone; at first it is on all.
    pub fn set_app(&self, phone: &str, registered: bool) {
        self.house.set_app(phone, registered);
    }
    /// Types digits at a door with a control unit.
    #[must_use]
    pub fn enter(&self, door: &str, pin: &str) -> SimTry {
        self.house.enter(door, pin)
    }
    /// The card that carries this mark in its operator field.
    #[must_use]
    pub fn card_marked(&self, mark: &str) -> Option<SimCard> {
        self.house.card_where(|operator| operator == mark)
    }
    /// The newest key of a user.
    #[must_use]
    pub fn card_of_user(&self, user: &str) -> Option<SimCard> {
        self.house.card_of_user(user)
    }
    /// How many users, access levels or PINs carry this id.
    #[must_use]
    pub fn count(&self, what: &str, id: &str) -> u32 {
        self.house.count(what, id)
    }
    /// What the PMS interface does wrong.
    pub fn set_pms_faults(&self, faults: PmsFaults) {
        self.house.set_faults(faults);
    }
    /// The command words that reached the PMS interface, and SHIP's request names, in their order; forgotten when told.
    pub fn take_requests(&self) -> Vec<String> {
        self.house.take_requests()
    }
}
