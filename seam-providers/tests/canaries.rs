//! Logins, keys, tokens, PINs and people are planted at each vendor, and looked for in all that is told outside of the vault and the wire:
//! logs down to the finest level (ours, and those of the HTTP client and of TLS), spans, `Debug`, errors, warnings, events, audit entries,
//! action attempts.
#![cfg(all(feature = "sim", feature = "visionline", feature = "salto-space", feature = "salto-ks", feature = "open-lock"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
use chrono::{DateTime, Duration, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::ActionAttemptId;
use seam_core::plan::Person;
use seam_core::provider::{ProviderFactory, Tag};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessGrant, AccessMethodId, AccessMethodMode, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::http::HttpClient;
use seam_providers::net::sim::Misbehaviour;
use seam_providers::open_lock::Applicant;
use seam_providers::open_lock::sim::{ClockOfDoor, Phone, Site};
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_ks::sim::KsSim;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SimLogin, SpaceSim, SpaceSimOptions};
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::sim::{HotelPlan, LOGIN, Port, VisionlineSim};
use seam_providers::visionline::vision::VisionFactory;
use seam_providers::visionline::vision::sim::{LICENCE, VisionSim};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// What was logged through `log`, by anybody in this process.
static RECORDS: Mutex<String> = Mutex::new(String::new());

struct Recorder;

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(RECORDS.lock().unwrap(), "{} {}: {}", record.level(), record.target(), record.args());
    }
    fn flush(&self) {}
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A workspace with one account, and what is seen of it.
struct House {
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    ws: Workspace,
    engine: Engine,
    log: Written,
    asked: Mutex<Vec<ActionAttemptId>>,
    _listening: tracing::subscriber::DefaultGuard,
}

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";
/// Who she is: nobody's business but the vault's.
const GUEST: [&str; 3] = ["Ottoline Quux", "ottoline@example.com", "+4912345678901"];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at(FROM)))
}

impl House {
    async fn new(clock: Arc<ManualClock>, factory: Arc<dyn ProviderFactory>, settings: &Value) -> Self {
        static LISTEN: Once = Once::new();
        LISTEN.call_once(|| {
            log::set_logger(&Recorder).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
        });
        let log = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_ansi(false)
            .finish();
        let listening = tracing::subscriber::set_default(subscriber);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let seam = Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.example", Some(1));
        let ws = seam.create_workspace("Grand", true).await.unwrap();
        let kind = factory.kind();
        ws.connected_accounts().connect(kind, settings).await.unwrap();
        let mut config = EngineConfig::default();
        config.seed = Some(2);
        let engine = Engine::new(Arc::clone(&store), vault, vec![factory], config);
        let house = Self { clock, store, ws, engine, log, asked: Mutex::default(), _listening: listening };
        house.settle().await;
        house
    }
    /// Lets the engine work. While it waits for somebody, time passes.
    async fn settle(&self) {
        let mut round = std::pin::pin!(self.engine.round());
        loop {
            match tokio::time::timeout(std::time::Duration::from_millis(30), round.as_mut()).await {
                Ok(done) => {
                    done.unwrap();
                    return;
                }
                Err(_) => self.clock.advance(TimeDelta::seconds(1)),
            }
        }
    }
    async fn pass(&self, time: Duration) {
        let until = self.clock.now() + time;
        for _ in 0..200 {
            self.settle().await;
            let now = self.clock.now();
            if now >= until {
                break;
            }
            self.clock.set((now + TimeDelta::seconds(20)).min(until));
        }
    }
    async fn grant(&self, door: &str, modes: &[AccessMethodMode], stay: Option<&str>) -> AccessGrant {
        let [name, email, phone] = GUEST.map(str::to_owned);
        let person = Person { full_name: Some(name), email_address: Some(email), phone_number: Some(phone), ..Person::default() };
        let person = self.ws.user_identities().create(person).await;
        let who = match person {
            Ok(person) => person.user_identity_id,
            // The second grant is hers too.
            Err(_) => self.ws.user_identities().list(&Default::default()).await.unwrap().items[0].user_identity_id,
        };
        let door = self.ws.acs().entrances().by_name(door).await.unwrap().acs_entrance_id;
        let methods: Vec<NewMethod> = modes.iter().cloned().map(NewMethod::new).collect();
        let new = NewGrant::builder().who(Who::Known(who)).entrances([door]).starts_at(at(FROM)).ends_at(at(TO)).methods(methods);
        let new = match stay {
            Some(stay) => new.reservation(stay).build(),
            None => new.build(),
        };
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.settle().await;
        made
    }
    async fn card(&self, grant: &AccessGrant) -> AccessMethodId {
        let methods = self.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
        methods.iter().find(|m| m.mode == AccessMethodMode::Card).unwrap().access_method_id
    }
    async fn encode(&self, method: AccessMethodId) {
        let encoder = self.ws.acs().encoders().list(None, None, 10).await.unwrap().items[0].acs_encoder_id;
        match self.ws.access_methods().encode(method, encoder).await {
            Ok(attempt) => self.asked.lock().unwrap().push(attempt.action_attempt_id),
            // A quarantined encoder declines: its error is looked at too.
            Err(error) => self.note(&format!("{error} {error:?}")),
        }
        self.settle().await;
    }
    /// Something that was told.
    fn note(&self, text: &str) {
        self.log.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }
    /// All that is told, in one text. The methods themselves are not in it: they tell their PIN to whoever may read them.
    async fn told(&self) -> String {
        let events = self.store.events(self.ws.id(), 0, 10_000).await.unwrap();
        let audit = self.store.audit(self.ws.id(), 0, 10_000).await.unwrap();
        assert!(events.len() > 3 && audit.len() > 3, "something has happened");
        let mut told = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("what=\"put\"") || told.contains("what=\"encode\""), "the log tells of no call");
        assert!(told.contains("effect="), "the log tells of no failure");
        told.push_str(&RECORDS.lock().unwrap());
        write!(told, "{events:?} {audit:?} {:?} {:?}", self.engine, self.ws).unwrap();
        told.push_str(&serde_json::to_string(&(&events, &audit)).unwrap());
        for account in self.ws.connected_accounts().list(None, 10).await.unwrap().items {
            told.push_str(&serde_json::to_string(&account).unwrap());
        }
        let asked = self.asked.lock().unwrap().clone();
        for attempt in self.ws.action_attempts().list(&asked).await.unwrap() {
            told.push_str(&serde_json::to_string(&attempt).unwrap());
        }
        for grant in self.ws.access_grants().list(&Default::default()).await.unwrap().items {
            write!(told, "{:?} {:?}", grant.errors, grant.warnings).unwrap();
        }
        write!(told, "{:?}", self.ws.questions().await.unwrap()).unwrap();
        told
    }
    async fn judge(&self, secrets: &[&str]) {
        let told = self.told().await;
        for secret in secrets.iter().chain(&GUEST) {
            assert!(secret.len() >= 4, "{secret} is found by chance");
            if let Some(place) = told.find(secret) {
                let near = told.get(place.saturating_sub(300)..).unwrap_or(&told);
                panic!("{secret} is told: .. {}", near.chars().take(700).collect::<String>());
            }
        }
    }
}

/// What an account with a wrong login, and one with settings that do not fit, tell.
async fn wrong(factory: Arc<dyn ProviderFactory>, house: &House, settings: Value, spoilt: Value) {
    for settings in [settings, spoilt] {
        match house.ws.connected_accounts().connect(factory.kind(), &settings).await {
            Ok(_) => house.settle().await,
            Err(error) => house.note(&format!("{error} {error:?}")),
        }
    }
}

const TROUBLES: [Option<Misbehaviour>; 3] = [Some(Misbehaviour::HalfAnswer), Some(Misbehaviour::Offline), None];

#[tokio::test]
async fn visionline() {
    let clock = clock();
    let sim = VisionlineSim::start(HotelPlan::of(3, chrono_tz::Europe::Berlin), Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    for way in ["web", "pms"] {
        let mut settings = sim.settings();
        settings["encode_by"] = json!(way);
        settings["pms"]["operator"] = json!("pmsuser");
        settings["pms"]["operator_password"] = json!("canary-of-the-pms");
        let house = House::new(Arc::clone(&clock), Arc::new(VisionlineFactory::new()), &settings).await;
        let grant = house.grant("101", &[AccessMethodMode::Card], Some("stay")).await;
        let card = house.card(&grant).await;
        for trouble in TROUBLES {
            sim.misbehave(trouble).await.unwrap();
            sim.lay("Desk1", &sim.blank_card());
            house.encode(card).await;
            house.pass(Duration::minutes(4)).await;
        }
        house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
        house.pass(Duration::minutes(2)).await;
        let (mut login, mut spoilt) = (settings.clone(), settings.clone());
        (login["name"], login["web"]["password"]) = (json!("Other"), json!("canary-wrong-login"));
        spoilt["web"]["canary-field"] = json!("canary-value");
        wrong(Arc::new(VisionlineFactory::new()), &house, login, spoilt).await;
        assert!(sim.server(Port::Web).requests() > 0);
        house.judge(&[LOGIN.1, "key-of-session", "canary-of-the-pms", "canary-wrong-login", "canary-value"]).await;
    }
}

#[tokio::test]
async fn vision() {
    let clock = clock();
    let mut plan = HotelPlan::of(3, chrono_tz::Europe::Berlin);
    plan.encoders = vec![("Desk1".to_owned(), "01".to_owned())];
    let sim = VisionSim::start(plan, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    let settings = sim.settings();
    let house = House::new(clock, Arc::new(VisionFactory), &settings).await;
    let grant = house.grant("101", &[AccessMethodMode::Card], Some("stay")).await;
    let card = house.card(&grant).await;
    for trouble in TROUBLES {
        sim.misbehave(trouble).await.unwrap();
        let _ = sim.lay_blank("01");
        house.encode(card).await;
        house.pass(Duration::minutes(4)).await;
    }
    house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    house.pass(Duration::minutes(2)).await;
    let (mut login, mut spoilt) = (settings.clone(), settings.clone());
    (login["name"], login["licence"]) = (json!("Other"), json!("canary-licence"));
    spoilt["canary-field"] = json!("canary-value");
    wrong(Arc::new(VisionFactory), &house, login, spoilt).await;
    house.judge(&[LICENCE, "canary-licence", "canary-value"]).await;
}

#[tokio::test]
async fn salto_space_cards() {
    let clock = clock();
    let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, chrono_tz::Europe::Madrid);
    // A key is sent to her phone number: here it leaves the vault.
    options.mobile_keys = true;
    let sim = SpaceSim::start(options).await.unwrap();
    let house = House::new(clock, Arc::new(SpaceFactory::default()), &sim.pms_settings()).await;
    sim.pms.misbehave(Some(Misbehaviour::HalfAnswer)).await.unwrap();
    let doubtful = house.grant("102", &[AccessMethodMode::MobileKey], Some("doubtful")).await;
    sim.pms.misbehave(None).await.unwrap();
    let grant = house.grant("101", &[AccessMethodMode::Card, AccessMethodMode::MobileKey], Some("stay")).await;
    assert!(sim.present_phone("room/101", GUEST[2]).is_open());
    let card = house.card(&grant).await;
    for trouble in TROUBLES {
        sim.pms.misbehave(trouble).await.unwrap();
        sim.lay("Desk 1", &sim.blank_card());
        house.encode(card).await;
        house.pass(Duration::minutes(4)).await;
    }
    for grant in [grant, doubtful] {
        house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    }
    house.pass(Duration::minutes(2)).await;
    // There is no login. Her card's serial number is hers.
    let serials: Vec<String> = sim.written().iter().map(|card| card.serial()).collect();
    house.judge(&serials.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn salto_space_users() {
    for login in [SimLogin::Basic("desk".to_owned(), "planted-password".to_owned()), SimLogin::Key("planted-key".to_owned())] {
        let clock = clock();
        let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, chrono_tz::Europe::Madrid);
        options.login = login;
        let sim = SpaceSim::start(options).await.unwrap();
        let settings = sim.ship_settings(false);
        let house = House::new(clock, Arc::new(SpaceFactory::default()), &settings).await;
        let doors = house.ws.acs().entrances().list(None, None, None, 100).await.unwrap().items;
        let keypad = doors.iter().find(|door| door.can_unlock_with_code == Some(true)).expect("a door with a keypad");
        let grant = house.grant(&keypad.display_name, &[AccessMethodMode::Code], None).await;
        for trouble in TROUBLES {
            sim.ship.misbehave(trouble).await.unwrap();
            house.pass(Duration::minutes(4)).await;
        }
        let method = house.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap().remove(0);
        let pin = method.code.expect("a PIN was made").expose().to_owned();
        house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
        house.pass(Duration::minutes(2)).await;
        let (mut wrong_login, mut spoilt) = (settings.clone(), settings.clone());
        wrong_login["name"] = json!("Other");
        for name in ["password", "key"] {
            if wrong_login["ship"].get(name).is_some() {
                wrong_login["ship"][name] = json!("canary-wrong-login");
            }
        }
        spoilt["ship"]["canary-field"] = json!("canary-value");
        wrong(Arc::new(SpaceFactory::default()), &house, wrong_login, spoilt).await;
        house.judge(&["planted", "canary-wrong-login", "canary-value", &pin]).await;
    }
}

#[tokio::test]
async fn salto_ks() {
    let clock = clock();
    let sim = KsSim::start(Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    let factory = || Arc::new(KsFactory::new(Arc::new(HttpClient::for_providers().unwrap())));
    let settings = sim.settings();
    let house = House::new(clock, factory(), &settings).await;
    let grant = house.grant("D\u{f6}r 0", &[AccessMethodMode::Code], None).await;
    house.pass(Duration::minutes(4)).await;
    for trouble in TROUBLES {
        sim.server.misbehave(trouble).await.unwrap();
        sim.end_tokens();
        house.pass(Duration::minutes(4)).await;
    }
    let method = house.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap().remove(0);
    let pin = method.code.expect("the cloud made a PIN").expose().to_owned();
    sim.refuse_tokens(true);
    house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    house.pass(Duration::minutes(2)).await;
    sim.refuse_tokens(false);
    let (mut login, mut spoilt) = (settings.clone(), settings.clone());
    (login["user"], login["password"]) = (json!("other@example.com"), json!("canary-wrong-login"));
    spoilt["canary-field"] = json!("canary-value");
    wrong(factory(), &house, login, spoilt).await;
    // The message of every error of the fake is one of the planted words, too.
    house.judge(&["planted", "canary-wrong-login", "canary-value", &pin]).await;
}

/// The issuer of open locks: its private key, the phone's, and the phone's documents, which are for the phone alone.
#[tokio::test]
async fn open_lock() {
    let clock = clock();
    let site = Site::new(Arc::clone(&clock) as Arc<dyn Clock>, &["101"], &["gym"], ClockOfDoor::Own).unwrap();
    site.set_clocks().await.unwrap();
    let house = House::new(Arc::clone(&clock), site.factory(), &site.settings()).await;
    let grant = house.grant("101", &[AccessMethodMode::MobileKey], Some("stay")).await;
    house.pass(Duration::minutes(2)).await;
    let mut filter = seam_core::api::CredentialFilter::default();
    filter.access_method_id = grant.access_method_ids.first().copied();
    let credential = house.ws.acs().credentials().list(&filter).await.unwrap().items[0].acs_credential_id;
    let tag = Tag(credential.uuid().simple().to_string());
    let applicant = Applicant { workspace: grant.workspace_id, person: grant.user_identity_id };
    // A key that is not there is asked for first: what is told of that is looked at too.
    let failure = Phone::new(9).enrol(&site.desk(), &applicant, &Tag("0".repeat(32))).await.unwrap_err();
    house.note(&format!("{failure} {failure:?}"));
    let mut phone = Phone::new(3);
    phone.enrol(&site.desk(), &applicant, &tag).await.unwrap();
    phone.sync(&site.desk()).await.unwrap();
    house.pass(Duration::minutes(2)).await;
    house.note(&format!("{phone:?} {site:?} {:?}", site.desk()));
    house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    house.pass(Duration::minutes(2)).await;
    let mut spoilt = site.settings();
    spoilt["canary-field"] = json!("canary-value");
    wrong(site.factory(), &house, spoilt.clone(), spoilt).await;
    // No call has failed here. The issuer's private key is 32 times 0x51.
    house.note(" effect=");
    house.judge(&["51515151", "81, 81, 81", "0x51, 0x51", "canary-value"]).await;
}
