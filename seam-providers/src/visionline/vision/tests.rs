//! Vision against its fake, and its messages byte for byte.
use super::VisionFactory;
use super::client::result;
use super::provider::{VisionProvider, handle};
use super::sim::{LICENCE, VisionSim};
use super::wire::{Job, Message, PmsifCodec, data};
use crate::net::sim::Misbehaviour;
use crate::net::stand::{NoMemo, NoNotes, pass_while};
use crate::visionline::sim::{HotelPlan, Plastic};
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use seam_core::clock::{Clock, ManualClock};
use seam_core::conformance::provider::{Fault, Issued, Judge, SamePin, Tried, check};
use seam_core::encoder::JobControl;
use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
use seam_core::provider::*;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::codec::{Decoder, Encoder};
use uuid::Uuid;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn bytes_of(message: &Message) -> BytesMut {
    let mut bytes = BytesMut::new();
    PmsifCodec.encode(message, &mut bytes).unwrap();
    bytes
}

fn example() -> Job {
    let fields = [
        (b'R', "101"),
        (b'T', "Single Room"),
        (b'F', "ANN"),
        (b'N', "DOE"),
        (b'U', "Regular Guest"),
        (b'D', "202611221500"),
        (b'O', "202611251200"),
    ];
    let fields = fields.map(|(letter, value)| (letter, value.to_owned())).into();
    Job { command: b'I', fields, encoder: "01".to_owned(), source: "00".to_owned(), operator: Default::default() }
}

#[test]
fn the_messages_are_those_of_the_worked_examples() {
    let register = Message::Register { licence: "12345678".to_owned(), application: "SDKSIM".to_owned(), result: 0 };
    let bytes = bytes_of(&register);
    let mut expected = hex("55555555 aaaaaaaa 0100 01000000 2c000000 3132333435363738");
    expected.extend([0; 12]);
    expected.extend(hex("53444b53494d"));
    expected.extend([0; 14 + 4]);
    assert_eq!((bytes.len(), &bytes[..]), (62, &expected[..]));

    let bytes = bytes_of(&Message::Encode(example()));
    assert_eq!(bytes.len(), 583);
    let mut expected = hex("55555555 aaaaaaaa 0100 04000000 35020000 49");
    expected.extend(hex("1e52313031 1e5453696e676c6520526f6f6d 1e46414e4e 1e4e444f45 1e55526567756c6172204775657374"));
    expected.extend(hex("1e44323032363131323231353030 1e4f323032363131323531323030"));
    expected.resize(18 + 1 + 512, 0);
    expected.extend(hex("303100 303000"));
    expected.resize(583, 0);
    assert_eq!(&bytes[..], &expected[..]);
    // The same data over a serial line has this checksum: from dd on, through ETX.
    let text = [b"0100I".as_slice(), &data(&example().fields).unwrap(), b"\x03"].concat();
    assert_eq!(text.iter().fold(0, |sum, byte| sum ^ byte), 0x35);
}

#[test]
fn what_is_no_message_is_refused_and_what_does_not_fit_is_not_sent() {
    let good = bytes_of(&Message::Encode(example()));
    for (at, byte) in [(0, 0x54), (4, 0), (8, 2), (10, 9), (14, 0x36), (17, 0xff), (19, b'x')] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        assert!(PmsifCodec.decode(&mut bytes).is_err(), "byte {at}");
    }
    type Change = fn(&mut Job);
    let changes: [Change; 4] = [
        |j| j.fields[0].1 = "1\u{1e}N".to_owned(),
        |j| j.fields[0].1 = "ö".to_owned(),
        |j| j.encoder = "100".to_owned(),
        |j| j.fields = vec![(b'N', "x".repeat(60)); 9],
    ];
    for change in changes {
        let mut job = example();
        change(&mut job);
        assert!(PmsifCodec.encode(&Message::Encode(job), &mut BytesMut::new()).is_err());
    }
    let licence = Message::Register { licence: "canary-licence".to_owned(), application: String::new(), result: 0 };
    assert!(!format!("{licence:?}").contains("canary"));
}

proptest! {
    #[test]
    fn messages_survive_any_fragmentation(
        values in prop::collection::vec("[ -~]{0,20}", 0..6), command in any::<u8>(), cuts in prop::collection::vec(0_usize..1200, 0..8),
    ) {
        let fields = values.iter().zip(b'A'..).map(|(value, letter)| (letter, value.clone())).collect();
        let job = Job { command, fields, ..example() };
        let sent = [Message::Encode(job), Message::Unregister { result: -1 }, Message::Register { licence: "l".to_owned(), application: "a".to_owned(), result: 7 }];
        let all: Vec<u8> = sent.iter().flat_map(bytes_of).collect();
        let mut ends: Vec<usize> = cuts.iter().map(|c| c % all.len()).chain([0, all.len()]).collect();
        ends.sort_unstable();
        let (mut buffer, mut got) = (BytesMut::new(), Vec::new());
        for piece in ends.windows(2) {
            buffer.extend_from_slice(&all[piece[0]..piece[1]]);
            while let Some(message) = PmsifCodec.decode(&mut buffer).unwrap() {
                got.push(message);
            }
        }
        prop_assert_eq!(&got[..], &sent[..]);
    }

    #[test]
    fn the_decoder_takes_anything(mut bytes in prop::collection::vec(any::<u8>(), 0..700), real in any::<bool>()) {
        if real && bytes.len() >= 18 {
            bytes[..18].copy_from_slice(&hex("55555555 aaaaaaaa 0100 04000000 35020000"));
        }
        let _ = PmsifCodec.decode(&mut bytes.as_slice().into());
    }
}

struct Stage {
    clock: Arc<ManualClock>,
    sim: VisionSim,
    provider: VisionProvider,
    system: SystemRef,
}

const NOON: &str = "2026-03-01T12:00:00Z";

fn open(sim: &VisionSim, clock: &Arc<ManualClock>, licence: &str) -> Result<VisionProvider, Failure> {
    let mut settings = sim.settings();
    settings["licence"] = licence.into();
    assert_eq!(check_settings(&VisionFactory.settings_schema(), &settings), []);
    let env = ProviderEnv::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(NoMemo));
    VisionFactory::opened(&SecretString::from(settings.to_string()), &env)
}

async fn stage() -> Stage {
    let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
    let plan = HotelPlan::of(3, chrono_tz::Europe::Berlin);
    let sim = VisionSim::start(plan, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    let provider = open(&sim, &clock, LICENCE).unwrap();
    Stage { clock, sim, provider, system: SystemRef { id: AcsSystemId::from_uuid(Uuid::from_u128(1)), handle: handle() } }
}

fn card(hours: (i64, i64), role: Role) -> CredentialSpec {
    let noon: DateTime<Utc> = NOON.parse().unwrap();
    let window = Window::new(noon + TimeDelta::hours(hours.0), Some(noon + TimeDelta::hours(hours.1))).unwrap();
    let room = Door { id: AcsEntranceId::from_uuid(Uuid::from_u128(9)), handle: Handle::text("101"), class: DoorClass::Guest };
    let stay = StaySpec { key: "stay".to_owned(), generation: 1, doors: vec![room.clone()], window };
    let body = Body::Card { number: None };
    CredentialSpec {
        user: None,
        holder: "Doe".to_owned(),
        doors: vec![room],
        window,
        schedule: None,
        suspended: false,
        body,
        stay: Some((stay, role)),
    }
}

impl Stage {
    async fn encode(&self, name: &str, spec: &CredentialSpec) -> Result<Receipt, Failure> {
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(10), now + TimeDelta::seconds(15));
        let tag = Tag(format!("{name:0>20}"));
        let call = Call { system: &self.system, tag, attempt: 1, within: Duration::from_secs(20), operator: None, notes: &NoNotes };
        let desk = Handle::text("Desk1");
        let work = self.provider.encode(spec, None, &desk, &call, &control);
        pass_while(&self.clock, Duration::from_millis(10), work).await
    }
}

#[async_trait]
impl Judge for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
    async fn pass(&self, time: Duration) {
        tokio::time::sleep((time / 20).min(Duration::from_millis(25))).await;
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        let number = issued.receipt.and_then(|r| r.made.card_number.as_deref());
        let Some(serial) = number else { return Tried::Cannot };
        if self.sim.present(door.as_text().unwrap(), &Plastic::of_serial(serial)).opened { Tried::Opened } else { Tried::Refused }
    }
    async fn try_pin(&self, _: &Handle, _: &str) -> Tried {
        Tried::Cannot
    }
    async fn holds(&self, _: &Issued<'_>) -> Option<u32> {
        None
    }
    fn requests(&self) -> Option<u64> {
        Some(self.sim.requests())
    }
    async fn spoil(&self, _: Option<Fault>) -> bool {
        false
    }
    async fn lay_card(&self, encoder: &Handle) -> bool {
        self.sim.lay_blank(encoder.as_text().unwrap());
        true
    }
    async fn registered_card(&self) -> Option<String> {
        None
    }
    fn same_pin(&self) -> SamePin {
        SamePin::Taken
    }
}

#[tokio::test]
async fn all_rules_are_kept() {
    let s = stage().await;
    let findings = check(&s.provider, &s).await;
    findings.assert_clean();
    assert!(findings.tried > 40, "{findings}");
}

#[tokio::test]
async fn guests_check_in_join_come_later_and_are_overridden() {
    let s = stage().await;
    let join = || Role::Join { with: Vec::new() };
    let none = s.encode("alone", &card((0, 20), join())).await.unwrap_err();
    assert_eq!((none.effect, none.vendor_code.as_deref()), (Effect::Refused, Some("9")));
    let mut cards = Vec::new();
    for (name, hours, role) in [("anna", (0, 20), Role::Open), ("ben", (0, 20), join()), ("later", (30, 50), Role::Open)] {
        let plastic = s.sim.lay_blank("Desk1");
        let receipt = s.encode(name, &card(hours, role)).await.unwrap();
        assert_eq!(receipt.made.card_number.as_deref(), Some(plastic.serial()));
        cards.push(plastic);
    }
    let opens = |card: &Plastic| s.sim.present("101", card).opened;
    assert!(opens(&cards[0]) && opens(&cards[1]) && !opens(&cards[2]));
    assert_eq!(s.encode("more", &card((30, 50), join())).await.unwrap_err().reason, Reason::Unsupported);
    s.clock.advance(TimeDelta::hours(30));
    assert!(opens(&cards[2]) && !opens(&cards[0]));
    assert_eq!(s.sim.cards_of("anna").len(), 1);
}

#[tokio::test]
async fn everything_that_can_go_wrong_is_told_for_what_it_is() {
    let s = stage().await;
    s.sim.lay_blank("Desk1");
    let asked = bytes_of(&Message::Encode(example()));
    let other = bytes_of(&Message::Encode(Job { encoder: "02".to_owned(), ..example() }));
    // The first answer is that to the registration: garbage there is nothing that happened.
    for (how, effect) in [
        (Misbehaviour::Offline, Effect::Nothing),
        (Misbehaviour::HalfAnswer, Effect::Nothing),
        (Misbehaviour::LoseAnswers, Effect::Nothing),
        (Misbehaviour::Garbage(asked.to_vec()), Effect::Nothing),
        (Misbehaviour::Garbage(other.to_vec()), Effect::Nothing),
        (Misbehaviour::Garbage(vec![0; 700]), Effect::Nothing),
    ] {
        s.sim.misbehave(Some(how.clone())).await.unwrap();
        let failure = s.encode("anna", &card((0, 20), Role::Open)).await.unwrap_err();
        assert_eq!(failure.effect, effect, "{how:?}: {failure}");
        assert!(!format!("{failure:?} {:?} {}", s.provider, s.provider).contains(LICENCE));
    }
    s.sim.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
    s.encode("anna", &card((0, 20), Role::Open)).await.unwrap();
    s.sim.misbehave(None).await.unwrap();
    let strange = open(&s.sim, &s.clock, "another licence").unwrap();
    let findings = strange.readiness().await;
    assert_eq!(findings.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["licence_refused"]);
    assert_eq!(s.provider.readiness().await, []);
}

#[tokio::test]
async fn times_are_those_of_the_server_s_clock_and_names_are_kept_as_they_are() {
    for (zone, starts) in
        [("Europe/Berlin", "2026-03-01T13:00:00"), ("UTC", "2026-03-01T12:00:00"), ("Asia/Kolkata", "2026-03-01T17:30:00")]
    {
        let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
        let mut plan = HotelPlan::of(3, zone.parse().unwrap());
        plan.doors = ["0101", "101", "Süd 1"].map(crate::visionline::sim::DoorPlan::room).into();
        let sim = VisionSim::start(plan, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
        let mut settings = sim.settings();
        (settings["time_zone"], settings["server_time_zone"]) = ("Europe/Berlin".into(), zone.into());
        let env = ProviderEnv::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(NoMemo));
        let provider = VisionFactory::opened(&SecretString::from(settings.to_string()), &env).unwrap();
        let s = Stage { clock, sim, provider, system: SystemRef { id: AcsSystemId::from_uuid(Uuid::from_u128(1)), handle: handle() } };
        let of = |room: &str| {
            let mut spec = card((0, 20), Role::Open);
            spec.doors[0].handle = Handle::text(room);
            spec
        };
        let plastic = s.sim.lay_blank("Desk1");
        s.encode("anna", &of("0101")).await.unwrap();
        assert_eq!(s.sim.cards_of("anna")[0].starts, starts.parse().unwrap(), "{zone}");
        assert!(s.sim.present("0101", &plastic).opened && !s.sim.present("101", &plastic).opened);
        let before = s.sim.requests();
        let failure = s.encode("ben", &of("Süd 1")).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason, s.sim.requests()), (Effect::Refused, Reason::Unsupported, before));
    }
}

/// A port may change, and another system it is not.
#[tokio::test]
async fn the_identity_of_a_system_is_its_server() {
    let s = stage().await;
    let there = s.provider.systems().await.unwrap().remove(0);
    assert!(there.channel.key.contains(&s.sim.settings()["port"].to_string()));
    assert_eq!(there.fingerprint, "vision:127.0.0.1");
}

/// Whoever registers is answered; the answer to the job is another encoder's, or is lost.
#[tokio::test]
async fn what_goes_wrong_after_the_registration_is_in_doubt() {
    let s = stage().await;
    let other = bytes_of(&Message::Encode(Job { command: b'0', encoder: "02".to_owned(), ..example() }));
    for how in [
        Misbehaviour::LoseAnswers,
        Misbehaviour::LoseRequests,
        Misbehaviour::HalfAnswer,
        Misbehaviour::Garbage(other.to_vec()),
        Misbehaviour::Garbage(vec![0; 700]),
    ] {
        s.sim.lay_blank("Desk1");
        s.sim.misbehave_at_jobs(Some(how.clone())).await.unwrap();
        let failure = s.encode("anna", &card((0, 20), Role::Open)).await.unwrap_err();
        assert_eq!(failure.effect, Effect::Unknown, "{how:?}: {failure}");
    }
}

/// A server that believes it to be another day refuses a card for today, and says which field it does not like.
#[tokio::test]
async fn a_server_with_a_wrong_clock_refuses() {
    let s = stage().await;
    s.sim.lay_blank("Desk1");
    s.sim.set_clock_fast(TimeDelta::days(-1));
    let failure = s.encode("anna", &card((0, 20), Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason, failure.vendor_code.as_deref()), (Effect::Refused, Reason::WindowRefused, Some("D")));
    s.sim.set_clock_fast(TimeDelta::zero());
    s.encode("anna", &card((0, 20), Role::Open)).await.unwrap();
}

#[test]
fn every_documented_result_has_its_meaning_and_so_has_every_other() {
    use Effect::{Nothing, Refused, Unknown};
    let of = |command| {
        let failure = result(Job { command, ..example() }).unwrap_err();
        (failure.effect, failure.reason, failure.vendor_code.unwrap())
    };
    let table = [
        (b'1', Refused, Reason::Invalid),
        (b'2', Nothing, Reason::Offline),
        (b'5', Nothing, Reason::Busy),
        (b'6', Refused, Reason::Full),
        (b'8', Unknown, Reason::TimedOut),
        (b'9', Refused, Reason::Clash),
        (b'D', Refused, Reason::WindowRefused),
        (b'O', Refused, Reason::WindowRefused),
        (b'R', Refused, Reason::NotThere),
        // Nobody has documented these; the second is the command itself, as a server that does nothing would send it back.
        (b'3', Unknown, Reason::Other),
        (b'I', Unknown, Reason::Other),
        (b'd', Unknown, Reason::Other),
    ];
    for (letter, effect, reason) in table {
        assert_eq!(of(letter), (effect, reason, char::from(letter).to_string()));
    }
    assert_eq!(of(0).2, "0x00", "what cannot be printed is not");
    assert_eq!(result(Job { command: b'0', ..example() }).unwrap().encoder, "01");
}
