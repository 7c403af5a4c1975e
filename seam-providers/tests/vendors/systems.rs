//! The systems of the table: each a fake with its locks, and what is special about it.
use crate::stand::*;
use async_trait::async_trait;
use chrono::TimeDelta;
use seam_core::AccessMethodMode;
use seam_core::clock::Clock;
use seam_core::model::{ActionStatus, codes};
use seam_core::{AccessGrant, AccessMethodId};
use seam_providers::http::HttpClient;
use seam_providers::net::sim::Misbehaviour;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_ks::sim::{KsSim, LOCKS, SimLock};
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SimCard, SpaceSim, SpaceSimOptions};
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::sim::{HotelPlan, Plastic, Port, VisionlineSim};
use seam_providers::visionline::vision::VisionFactory;
use seam_providers::visionline::vision::sim::VisionSim;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What a guest has in hand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Plastic(Plastic),
    Card(SimCard),
    Pin(String),
}

/// A fake with its locks.
#[async_trait]
pub(crate) trait Vendor: Sync + Send {
    /// Names of two doors, as the system calls them.
    fn doors(&self) -> [&'static str; 2];
    /// The encoder at which cards are written; none: the system has none.
    fn encoder(&self) -> Option<&'static str>;
    fn blank(&self) -> Key {
        Key::Pin(String::new())
    }
    /// Lays a card on the encoder instead of all others; none: takes away what lies there.
    fn lay(&self, _: Option<&Key>) {}
    /// Which card a clerk takes to write a guest's key anew: a new one, or the one that she has.
    fn written_again(&self, before: &Key) -> Key {
        before.clone()
    }
    /// How long a card takes, once it lies there.
    fn take_so_long(&self, _: Duration) {}
    /// Holds a key to a door, or types it.
    fn opens(&self, door: usize, key: &Key) -> bool;
    /// A lock opens to what its key says, and to a later guest's key not to an earlier guest's: nothing but that ends a key before its time.
    fn override_at_the_lock(&self) -> bool;
    /// Nobody repeats by himself what has no answer: a person is asked.
    fn asks_a_person(&self) -> bool {
        self.override_at_the_lock()
    }
    /// What is told when nobody lays a card.
    fn says_no_card(&self) -> &'static str {
        codes::action_error::NO_CREDENTIAL_ON_ENCODER
    }
    async fn misbehave(&self, how: Option<Misbehaviour>);
    fn requests(&self) -> u64;
    /// Keys that the system was asked to write, and has written.
    fn made(&self) -> usize {
        0
    }
    /// What is told to open still is what opens still. Else more may be told: a key is the user's, and what of it opens is her permissions' affair.
    fn tells_exactly(&self) -> bool {
        true
    }
    /// A key that somebody makes with the vendor's own program.
    fn by_hand(&self, _door: usize) -> Option<Key> {
        None
    }
}

/// A system with an engine at it.
pub(crate) struct Ground {
    pub(crate) house: House,
    pub(crate) at: Arc<dyn Vendor>,
}

impl Ground {
    pub(crate) fn mode(&self) -> AccessMethodMode {
        if self.at.encoder().is_some() { AccessMethodMode::Card } else { AccessMethodMode::Code }
    }
    /// A guest at a door; where the locks override, of a stay.
    pub(crate) async fn guest(&self, who: &str, door: usize, stay: &str, from: &str, to: &str) -> AccessGrant {
        let stay = Some(stay).filter(|_| self.at.override_at_the_lock());
        self.house.grant(self.house.wish(who, &[self.at.doors()[door]], &[self.mode()], stay, from, to).await).await
    }
    pub(crate) async fn method(&self, grant: &AccessGrant) -> AccessMethodId {
        self.house.method(grant, &self.mode()).await.access_method_id
    }
    /// Writes a card, or waits until there is a PIN.
    pub(crate) async fn issue(&self, grant: &AccessGrant) -> Key {
        self.issue_on(grant, self.at.blank()).await
    }
    pub(crate) async fn issue_on(&self, grant: &AccessGrant, key: Key) -> Key {
        let Some(encoder) = self.at.encoder() else {
            self.house.later(10).await;
            let code = self.house.method(grant, &self.mode()).await.code.expect("there is a PIN");
            return Key::Pin(code.expose().to_owned());
        };
        self.at.lay(Some(&key));
        let done = self.house.encode_at(encoder, self.method(grant).await).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        self.at.lay(None);
        key
    }
    pub(crate) fn opens(&self, door: usize, key: &Key) -> bool {
        self.at.opens(door, key)
    }
}

const ENCODER: &str = "Desk1";

struct Visionline(VisionlineSim, Port);

#[async_trait]
impl Vendor for Visionline {
    fn doors(&self) -> [&'static str; 2] {
        ["101", "102"]
    }
    fn encoder(&self) -> Option<&'static str> {
        Some(ENCODER)
    }
    fn blank(&self) -> Key {
        Key::Plastic(self.0.blank_card())
    }
    fn lay(&self, key: Option<&Key>) {
        self.0.clear(ENCODER);
        if let Some(Key::Plastic(card)) = key {
            self.0.lay(ENCODER, card);
        }
    }
    /// It does not write over a card that is still valid.
    fn written_again(&self, _: &Key) -> Key {
        self.blank()
    }
    fn take_so_long(&self, time: Duration) {
        self.0.reconfigure(|plan| plan.writing = time);
    }
    fn opens(&self, door: usize, key: &Key) -> bool {
        matches!(key, Key::Plastic(card) if self.0.present(self.doors()[door], card).opened)
    }
    fn override_at_the_lock(&self) -> bool {
        true
    }
    async fn misbehave(&self, how: Option<Misbehaviour>) {
        self.0.server(self.1).misbehave(how).await.unwrap();
    }
    fn requests(&self) -> u64 {
        self.0.requests()
    }
    fn made(&self) -> usize {
        self.0.cards_of("").len()
    }
    fn by_hand(&self, door: usize) -> Option<Key> {
        Some(Key::Plastic(self.0.make_by_hand(self.doors()[door], TimeDelta::days(1))))
    }
}

async fn visionline(port: Port) -> Ground {
    let clock = clock();
    let sim = VisionlineSim::start(HotelPlan::of(3, chrono_tz::Europe::Berlin), Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    let mut settings = sim.settings();
    settings[if port == Port::Web { "pms" } else { "web" }] = Value::Null;
    let factories: Factories = Arc::new(|| vec![Arc::new(VisionlineFactory::new())]);
    let house = House::new(clock, factories, "visionline", &settings).await;
    Ground { house, at: Arc::new(Visionline(sim, port)) }
}

pub(crate) async fn visionline_web() -> Ground {
    visionline(Port::Web).await
}

pub(crate) async fn visionline_pms() -> Ground {
    visionline(Port::Pms).await
}

struct Vision(VisionSim);

#[async_trait]
impl Vendor for Vision {
    fn doors(&self) -> [&'static str; 2] {
        ["101", "102"]
    }
    fn encoder(&self) -> Option<&'static str> {
        Some(ENCODER)
    }
    fn blank(&self) -> Key {
        Key::Plastic(self.0.blank_card())
    }
    fn lay(&self, key: Option<&Key>) {
        let cards = match key {
            Some(Key::Plastic(card)) => vec![card.clone()],
            _ => Vec::new(),
        };
        self.0.lay(ENCODER, &cards);
    }
    fn take_so_long(&self, time: Duration) {
        self.0.reconfigure(|plan| plan.writing = time);
    }
    fn opens(&self, door: usize, key: &Key) -> bool {
        matches!(key, Key::Plastic(card) if self.0.present(self.doors()[door], card).opened)
    }
    fn override_at_the_lock(&self) -> bool {
        true
    }
    /// What it says then is not documented: only that its encoder gave no answer in time, which may mean anything.
    fn says_no_card(&self) -> &'static str {
        codes::action_error::ENCODER_COMMUNICATION_TIMEOUT
    }
    async fn misbehave(&self, how: Option<Misbehaviour>) {
        self.0.misbehave_at_jobs(how).await.unwrap();
    }
    fn requests(&self) -> u64 {
        self.0.requests()
    }
    fn made(&self) -> usize {
        self.0.cards_of("").len()
    }
    fn by_hand(&self, door: usize) -> Option<Key> {
        Some(Key::Plastic(self.0.make_by_hand(self.doors()[door], TimeDelta::days(1))))
    }
}

pub(crate) async fn vision_pmsif() -> Ground {
    let clock = clock();
    let sim = VisionSim::start(HotelPlan::of(3, chrono_tz::Europe::Berlin), Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    sim.misbehave_at_jobs(None).await.unwrap();
    let factories: Factories = Arc::new(|| vec![Arc::new(VisionFactory)]);
    let house = House::new(clock, factories, "vingcard_vision", &sim.settings()).await;
    Ground { house, at: Arc::new(Vision(sim)) }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Pms,
    Http,
    Stp,
}

pub(crate) struct Space(pub(crate) SpaceSim, Way);

#[async_trait]
impl Vendor for Space {
    fn doors(&self) -> [&'static str; 2] {
        if self.1 == Way::Pms { ["007", "101"] } else { ["Garage S\u{fc}d", "Store"] }
    }
    fn encoder(&self) -> Option<&'static str> {
        Some("Desk 1")
    }
    fn blank(&self) -> Key {
        Key::Card(self.0.blank_card())
    }
    fn lay(&self, key: Option<&Key>) {
        self.0.take("Desk 1");
        if let Some(Key::Card(card)) = key {
            self.0.lay("Desk 1", card);
        }
    }
    fn take_so_long(&self, time: Duration) {
        self.0.set_write_time(time);
    }
    fn opens(&self, door: usize, key: &Key) -> bool {
        let handles = if self.1 == Way::Pms { ["room/007", "room/101"] } else { ["gate", "store"] };
        matches!(key, Key::Card(card) if self.0.present(handles[door], card).is_open())
    }
    fn override_at_the_lock(&self) -> bool {
        self.1 == Way::Pms
    }
    async fn misbehave(&self, how: Option<Misbehaviour>) {
        let server = match self.1 {
            Way::Pms => &self.0.pms,
            Way::Http => &self.0.ship,
            Way::Stp => &self.0.stp,
        };
        server.misbehave(how).await.unwrap();
    }
    fn requests(&self) -> u64 {
        self.0.pms.requests() + self.0.ship.requests() + self.0.stp.requests()
    }
    fn made(&self) -> usize {
        self.0.keys_written()
    }
    fn tells_exactly(&self) -> bool {
        self.1 == Way::Pms
    }
    fn by_hand(&self, door: usize) -> Option<Key> {
        (self.1 == Way::Pms).then(|| Key::Card(self.0.make_by_hand(self.doors()[door], TimeDelta::days(1))))
    }
}

async fn space(way: Way) -> (Ground, Arc<Space>) {
    let clock = clock();
    let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, chrono_tz::Europe::Madrid);
    options.card_wait = Duration::from_secs(20);
    let sim = SpaceSim::start(options).await.unwrap();
    let settings = if way == Way::Pms { sim.pms_settings() } else { sim.ship_settings(way == Way::Stp) };
    let factories: Factories = Arc::new(|| vec![Arc::new(SpaceFactory::default())]);
    let house = House::new(clock, factories, "salto_space", &settings).await;
    let at = Arc::new(Space(sim, way));
    (Ground { house, at: Arc::clone(&at) as Arc<dyn Vendor> }, at)
}

pub(crate) async fn salto_pms() -> Ground {
    space(Way::Pms).await.0
}

pub(crate) async fn salto_ship_http() -> Ground {
    space(Way::Http).await.0
}

pub(crate) async fn salto_ship_stp() -> Ground {
    space(Way::Stp).await.0
}

/// With the fake itself, for what only somebody at the vendor's program can do.
pub(crate) async fn space_of(stp: bool) -> (Ground, Arc<Space>) {
    space(if stp { Way::Stp } else { Way::Http }).await
}

pub(crate) const DOORS: [&str; 2] = ["D\u{f6}r 0", "D\u{f6}r 1"];

pub(crate) struct Ks(pub(crate) KsSim);

#[async_trait]
impl Vendor for Ks {
    fn doors(&self) -> [&'static str; 2] {
        DOORS
    }
    fn encoder(&self) -> Option<&'static str> {
        None
    }
    fn opens(&self, door: usize, key: &Key) -> bool {
        matches!(key, Key::Pin(pin) if self.0.enter(LOCKS[door], pin))
    }
    fn override_at_the_lock(&self) -> bool {
        false
    }
    async fn misbehave(&self, how: Option<Misbehaviour>) {
        self.0.server.misbehave(how).await.unwrap();
    }
    fn requests(&self) -> u64 {
        self.0.server.requests()
    }
}

pub(crate) async fn ks_of() -> (Ground, Arc<Ks>) {
    let clock = clock();
    let lock = |(id, name): (&str, &str)| SimLock { id: id.to_owned(), name: name.to_owned(), keypad: true };
    let locks = [(LOCKS[0], DOORS[0]), (LOCKS[1], DOORS[1])].map(lock).into();
    let sim = KsSim::start_with(Arc::clone(&clock) as Arc<dyn Clock>, locks).await.unwrap();
    let factories: Factories = Arc::new(|| vec![Arc::new(KsFactory::new(Arc::new(HttpClient::for_providers().unwrap())))]);
    let mut settings = sim.settings();
    // Days pass, and each minute of them it would be asked for.
    settings["reads_log"] = false.into();
    let house = House::new(clock, factories, "salto_ks", &settings).await;
    let at = Arc::new(Ks(sim));
    (Ground { house, at: Arc::clone(&at) as Arc<dyn Vendor> }, at)
}

pub(crate) async fn salto_ks() -> Ground {
    ks_of().await.0
}
