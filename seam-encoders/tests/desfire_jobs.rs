//! Personalising a DESFire: what stands on it afterwards, foreign cards, rotation, and a fault at every command.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::TimeDelta;
use hex_literal::hex;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, CardProblem, CardState, JobControl, Technology};
use seam_encoders::access_data::GenericAccess;
use seam_encoders::desfire::{Aid, ApplicationSettings, ChangeKey, CommMode, Desfire, KeySettings};
use seam_encoders::dialogue::{Dialogue, SystemRandom};
use seam_encoders::error::CardError;
use seam_encoders::job::{
    CardNumber, Cause, DesfireProfile, Encoded, Encoder, JobFailure, Journal, MemoryJournal, Profile, Task, WriteError,
};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeyError, KeySource, KeyType};
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind, SimulatedCard};
use seam_encoders::transport::SimulatedReader;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::in_virtual_time;

const AID: u32 = 0x00F5_32F0;
const UID: [u8; 7] = [0x04, 1, 2, 3, 4, 5, 6];
const OTHER: [u8; 7] = [0x04, 9, 9, 9, 9, 9, 9];

/// A key per card, application, number and version.
fn keys() -> Arc<dyn KeySource> {
    let mut masters = FixedKeys::default();
    for version in 1..=3 {
        masters = masters.with(&[0, 0, 0], 0, Key::aes([0x90 + version; 16], version));
        for number in 0..3 {
            masters = masters.with(&[0xF5, 0x32, 0xF0], number, Key::aes([0x10 * (number + 1) + version; 16], version));
        }
    }
    Arc::new(Diversified::new(masters, b"seam"))
}

fn expected(aid: &[u8; 3], number: u8, version: u8) -> (Vec<u8>, u8) {
    (keys().derive(&UID, aid, number, version).unwrap().bytes().to_vec(), version)
}

fn new_card(model: DesfireModel, uid: [u8; 7]) -> Arc<Mutex<DesfireCard>> {
    Arc::new(Mutex::new(DesfireCard::new(model, uid)))
}

struct Desk {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    journal: Arc<MemoryJournal>,
    card: Arc<Mutex<DesfireCard>>,
}

impl Desk {
    fn with(model: DesfireModel) -> Self {
        Self::with_card(new_card(model, UID))
    }
    fn with_card(card: Arc<Mutex<DesfireCard>>) -> Self {
        let desk = Self {
            clock: Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap())),
            reader: SimulatedReader::new("desk"),
            journal: Arc::default(),
            card,
        };
        desk.reader.put(Box::new(Arc::clone(&desk.card)));
        desk
    }
    fn encoder(&self, version: u8) -> Encoder {
        self.profile(DesfireProfile::new(AID, 32, keys(), version).unwrap().takes_card())
    }
    fn profile(&self, profile: DesfireProfile) -> Encoder {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Encoder::at(self.reader.clone()).profile(profile).clock(clock).journal(Arc::clone(&self.journal) as Arc<dyn Journal>).build()
    }
    /// Encodes; virtual time passes whenever nothing else happens.
    async fn encode(&self, encoder: &Encoder, data: &str) -> Result<Encoded, JobFailure> {
        self.encode_content(encoder, json!({ "data": data })).await
    }
    async fn encode_content(&self, encoder: &Encoder, content: Value) -> Result<Encoded, JobFailure> {
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let image = CardImage { technology: Technology("desfire".to_owned()), content };
        in_virtual_time(&self.clock, &self.reader, encoder.encode(&image, &control)).await
    }
    /// What somebody does with the card who has a reader.
    fn at_card<T, F: Future<Output = Result<T, CardError>> + Send + 'static>(
        &self,
        what: impl FnOnce(Desfire) -> F,
    ) -> Result<T, CardError> {
        self.reader.with_field(|field| {
            field.reset();
            field.run(Dialogue::new(|card| what(Desfire::new(card, SystemRandom))))
        })
    }
    /// Takes the card away and lays it there again.
    fn lift(&self) {
        if let Some(card) = self.reader.take() {
            self.reader.put(card);
        }
    }
    fn stands(&self, data: &[u8]) -> bool {
        let mut content = data.to_vec();
        content.resize(32, 0);
        self.card.lock().unwrap().content(AID, 0) == Some(content)
    }
    fn keys_are(&self, version: u8) -> bool {
        let card = self.card.lock().unwrap();
        let application = [0xF5, 0x32, 0xF0];
        card.key(AID, 0) == Some(expected(&application, 0, version))
            && card.key(AID, 1) == Some(expected(&application, 1, version))
            && card.key(0, 0) == Some(expected(&[0; 3], 0, version))
    }
}

/// A chip that says what it is, and knows nothing else.
#[derive(Debug)]
struct Says {
    version: [u8; 28],
    asked: Arc<Mutex<Vec<u8>>>,
}

impl SimulatedCard for Says {
    fn power_on(&mut self) -> Vec<u8> {
        hex!("3B8180018080").to_vec()
    }
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(command[1]);
        let frame = |part: &[u8], status: u8| [part, &[0x91, status]].concat();
        match (command, asked.len()) {
            ([0x90, 0x60, ..], 1) => frame(&self.version[..7], 0xAF),
            ([0x90, 0xAF, ..], 2) => frame(&self.version[7..14], 0xAF),
            ([0x90, 0xAF, ..], 3) => frame(&self.version[14..], 0x00),
            _ => frame(&[], 0x1C),
        }
    }
    fn uid(&self) -> Vec<u8> {
        self.version[14..21].to_vec()
    }
}

/// Both are told by what they say of themselves, and nothing was asked of them but that. The version of a first DESFire is the one that libfreefare and
/// proxmark3 know it by: 0.x.
#[tokio::test]
async fn a_card_of_the_first_generation_is_unsupported_and_another_chip_is_not_ours() {
    let d40 = hex!("04010100021805 04010100061805 04010203040506 BA4519E320 05 07");
    let ntag = hex!("04040230001105 04040201021105 04010203040506 CF3954504A 01 19");
    for (version, is_d40) in [(d40, true), (ntag, false)] {
        let d = Desk::with(DesfireModel::Ev1);
        let asked = Arc::default();
        d.reader.put(Box::new(Says { version, asked: Arc::clone(&asked) }));
        let failure = d.encode(&d.encoder(1), "C0FFEE").await.unwrap_err();
        let as_said = match &failure.cause {
            Cause::Write(WriteError::Card(CardError::Unsupported(_))) => is_d40,
            Cause::Technology => !is_d40,
            _ => false,
        };
        assert!(as_said && failure.card == CardState::Untouched, "{failure:?}");
        assert_eq!(*asked.lock().unwrap(), [0x60, 0xAF, 0xAF]);
    }
}

#[tokio::test]
async fn a_new_card_gets_its_application_its_data_and_its_keys() {
    for model in [DesfireModel::Ev1, DesfireModel::Ev2, DesfireModel::Ev3] {
        let d = Desk::with(model);
        let encoder = d.encoder(1);
        let done = d.encode(&encoder, "C0FFEE").await.unwrap_or_else(|e| panic!("{model:?}: {e:?}"));
        assert_eq!(done.card.number.as_deref(), Some("04010203040506"));
        assert!(d.stands(&[0xC0, 0xFF, 0xEE]) && d.keys_are(1) && d.journal.is_empty(), "{model:?}");
        // The card was taken: nobody else puts an application on it.
        let settings = ApplicationSettings { keys: KeySettings::FACTORY, key_count: 1, key_type: KeyType::Aes128 };
        let added = d.at_card(move |mut card| async move { card.create_application(Aid::new(1)?, settings).await });
        assert!(matches!(added, Err(CardError::Status(_))) && d.card.lock().unwrap().applications() == [AID], "{model:?}: {added:?}");
        // Written again, and then with newer keys.
        d.lift();
        d.encode(&encoder, "BEEF").await.unwrap();
        assert!(d.stands(&[0xBE, 0xEF]) && d.keys_are(1));
        d.lift();
        d.encode(&d.encoder(3), "CAFE").await.unwrap();
        d.lift();
        let now = d.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let (_, content) = d.encoder(1).read(&control).await.unwrap();
        assert!(content.unwrap()["data"].as_str().unwrap().starts_with("CAFE00"));
        assert!(d.stands(&[0xCA, 0xFE]) && d.keys_are(3) && d.journal.is_empty());
    }
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let strange: Arc<dyn KeySource> = {
        let masters = FixedKeys::default().with(&[0, 0, 0], 0, Key::aes([7; 16], 9));
        Arc::new((0..2).fold(masters, |m, n| m.with(&[0xF5, 0x32, 0xF0], n, Key::aes([8 + n; 16], 9))))
    };
    let theirs = || DesfireProfile::new(AID, 32, Arc::clone(&strange), 9).unwrap();
    // Somebody else's keys on our number; somebody else's card; somebody else's application beside ours to be.
    for (profile, number) in [(theirs(), AID), (theirs().takes_card(), AID)] {
        let d = Desk::with(DesfireModel::Ev2);
        d.encode(&d.profile(profile), "AA").await.unwrap();
        d.lift();
        let before = d.card.lock().unwrap().content(number, 0);
        let e = d.encode(&d.encoder(1), "BB").await.unwrap_err();
        assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
        assert!(d.card.lock().unwrap().content(number, 0) == before && d.journal.is_empty());
    }
    let d = Desk::with(DesfireModel::Ev2);
    let beside = {
        let masters = FixedKeys::default().with(&[0, 0, 1], 0, Key::aes([7; 16], 9)).with(&[0, 0, 1], 1, Key::aes([8; 16], 9));
        DesfireProfile::new(1, 16, Arc::new(masters), 9).unwrap()
    };
    d.encode(&d.profile(beside), "AA").await.unwrap();
    d.lift();
    let e = d.encode(&d.encoder(1), "BB").await.unwrap_err();
    assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
    let shared = Encoder::at(d.reader.clone()).profile(DesfireProfile::new(AID, 32, keys(), 1).unwrap()).may_share_cards();
    let shared = shared.clock(Arc::clone(&d.clock) as Arc<dyn Clock>).build();
    d.encode(&shared, "BB").await.unwrap();
    assert!(d.stands(&[0xBB]));
    assert_eq!(d.card.lock().unwrap().content(1, 0).unwrap()[0], 0xAA);
}

/// The master key of the card is somebody else's, who lets everybody add applications, or does not.
#[tokio::test]
async fn a_card_that_cannot_become_ours_is_refused_before_it_is_written() {
    let theirs = Key::aes([7; 16], 9);
    for (takes_card, free_create_delete) in [(true, true), (true, false), (false, false), (false, true)] {
        let d = Desk::with(DesfireModel::Ev2);
        let key = theirs.clone();
        let set_up = d.at_card(move |mut card| async move {
            card.authenticate(0, &Key::zero(KeyType::TwoKeyTripleDes)).await?;
            card.change_key(ChangeKey { key_no: 0, new: &key, old: None }).await?;
            card.authenticate(0, &key).await?;
            card.change_key_settings(KeySettings { free_create_delete, ..KeySettings::FACTORY }).await
        });
        set_up.unwrap();
        let profile = DesfireProfile::new(AID, 32, keys(), 1).unwrap();
        let encoder = Encoder::at(d.reader.clone()).profile(if takes_card { profile.takes_card() } else { profile }).may_share_cards();
        let encoder = encoder.clock(Arc::clone(&d.clock) as Arc<dyn Clock>).journal(Arc::clone(&d.journal) as Arc<dyn Journal>).build();
        let result = d.encode(&encoder, "AA").await;
        if free_create_delete && !takes_card {
            result.unwrap();
            assert!(d.stands(&[0xAA]));
        } else {
            let e = result.unwrap_err();
            assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{takes_card}: {e:?}");
            assert!(d.card.lock().unwrap().applications().is_empty() && d.journal.is_empty());
        }
    }
}

/// Who answers is asked in the door's session: a card with the same keys and the same data, but another number, is another card.
#[tokio::test]
async fn neither_a_copy_nor_other_data_is_taken_for_what_was_written() {
    let aid = [0xF5, 0x32, 0xF0];
    let same_in_all = FixedKeys::default().with(&aid, 0, Key::aes([7; 16], 1)).with(&aid, 1, Key::aes([8; 16], 1));
    let profile = DesfireProfile::new(AID, 32, Arc::new(same_in_all), 1).unwrap();
    let d = Desk::with_card(new_card(DesfireModel::Ev3, OTHER));
    d.encode(&d.profile(profile.clone()), "AA").await.unwrap();
    let verify = |uid: [u8; 7], data: &str| {
        let task = Task::new(CardNumber(uid.to_vec()), &[], json!({ "data": data }), false);
        d.reader.with_field(|field| {
            field.reset();
            field.run(profile.verify(task))
        })
    };
    assert_eq!(verify(OTHER, "AA"), Ok(()));
    assert_eq!(verify(UID, "AA"), Err(WriteError::AnotherCard));
    assert_eq!(verify(OTHER, "AB"), Err(CardError::NotAsWritten.into()));
}

/// A source of keys that does not answer for an earlier version says nothing about the card.
#[tokio::test]
async fn a_source_of_keys_that_does_not_answer_makes_no_card_foreign() {
    #[derive(Debug)]
    struct Down(Arc<dyn KeySource>);
    impl KeySource for Down {
        fn derive(&self, uid: &[u8], aid: &[u8], key_no: u8, version: u8) -> Result<Key, KeyError> {
            if version == 1 { Err(KeyError::Unavailable) } else { self.0.derive(uid, aid, key_no, version) }
        }
    }
    let d = Desk::with(DesfireModel::Ev2);
    d.encode(&d.encoder(1), "AA").await.unwrap();
    d.lift();
    let encoder = d.profile(DesfireProfile::new(AID, 32, Arc::new(Down(keys())), 2).unwrap().takes_card());
    let e = d.encode(&encoder, "BB").await.unwrap_err();
    assert!(matches!(e.cause, Cause::Write(WriteError::Card(CardError::Key(KeyError::Unavailable)))), "{e:?}");
    let failure = e.to_card_failure();
    assert_eq!((failure.problem, failure.card), (CardProblem::Offline, CardState::Untouched));
    assert!(d.stands(&[0xAA]));
}

/// Reading a card obeys the deadline and the cancel of its job as writing does.
#[tokio::test]
async fn reading_ends_in_time_and_when_somebody_cancels() {
    for cancels in [false, true] {
        let d = Desk::with(DesfireModel::Ev2);
        d.encode(&d.encoder(1), "AA").await.unwrap();
        d.lift();
        let before = d.reader.with_field(|f| f.sent());
        let done_by = d.clock.now() + TimeDelta::seconds(1);
        let control = JobControl::new(done_by, done_by);
        if !cancels {
            d.reader.with_field(|f| f.plan(Fault { at: before + 5, kind: FaultKind::Mute }));
        }
        let encoder = d.encoder(1);
        let time = async {
            loop {
                let sent = d.reader.with_field(|f| f.sent());
                if cancels && sent == before + 5 {
                    control.cancel();
                }
                for _ in 0..if cancels { 1 } else { 20 } {
                    tokio::task::yield_now().await;
                }
                if let Some(next) = d.clock.next_wake().filter(|_| !cancels && d.reader.with_field(|f| f.sent()) == sent) {
                    d.clock.set(next);
                }
            }
        };
        let e = tokio::select! { biased; () = time => unreachable!(), done = encoder.read(&control) => done.unwrap_err() };
        assert!(if cancels { matches!(e.cause, Cause::Cancelled) } else { matches!(e.cause, Cause::TooLate) }, "{e:?}");
        assert!(d.clock.now() <= done_by && e.card == CardState::Untouched);
    }
}

/// A fault, made anew for each try.
type Make = fn() -> FaultKind;

fn faults() -> Vec<(&'static str, Make)> {
    vec![
        ("pulled before", || FaultKind::PulledAfterBytes(0)),
        ("pulled half-way", || FaultKind::PulledAfterBytes(6)),
        ("pulled after", || FaultKind::PulledAfterBytes(300)),
        ("pulled in the answer", || FaultKind::PulledInAnswer(1)),
        ("mute", || FaultKind::Mute),
        ("garbage", || FaultKind::Garbage(vec![0x6F, 0x00])),
        ("refused", || FaultKind::Garbage(vec![0x91, 0xAE])),
        ("nonsense", || FaultKind::Garbage(vec![1, 2, 3, 4, 5, 6, 7, 0x91, 0x00])),
        ("flipped", || FaultKind::Flipped(0, 3)),
        ("slow", || FaultKind::Slow(Duration::ZERO)),
        ("replaced", || FaultKind::Replaced(Box::new(new_card(DesfireModel::Ev2, OTHER)))),
    ]
}

/// For a new card, one that gets newer keys and one that has these keys already, at every command, whatever can happen there: the failure is typed and
/// true of the card, a card that it calls torn or untouched has no new data under a key that a door has, and a repeat finishes the job.
#[tokio::test]
async fn a_fault_at_every_command_leaves_a_card_that_a_repeat_finishes() {
    let mut tried = 0;
    for begins_at in 0..=2 {
        for (name, kind) in faults() {
            for at in 0.. {
                let d = Desk::with(DesfireModel::Ev2);
                if begins_at > 0 {
                    d.encode(&d.encoder(begins_at), "AA").await.unwrap();
                    d.lift();
                }
                let before = d.reader.with_field(|f| f.sent());
                d.reader.with_field(|f| f.plan(Fault { at: before + at, kind: kind() }));
                let encoder = d.encoder(2);
                let result = d.encode(&encoder, "BB").await;
                let what = format!("{name} at {at}, keys {begins_at}: {result:?}");
                if d.reader.with_field(|f| f.sent()) <= before + at {
                    result.unwrap();
                    break;
                }
                tried += 1;
                if let Err(e) = &result {
                    // Doors have the keys of both versions as long as they are being replaced.
                    let key = d.card.lock().unwrap().key(AID, 1);
                    let is_live = d.stands(&[0xBB]) && (1..=2).any(|version| key == Some(expected(&[0xF5, 0x32, 0xF0], 1, version)));
                    assert!(e.card != CardState::Written, "{what}");
                    assert!(e.card == CardState::Unknown || !is_live, "{what}");
                }
                // The first card comes back.
                let other = d.reader.take();
                if !d.reader.put_back() {
                    d.reader.put(other.unwrap());
                }
                d.encode(&encoder, "BB").await.unwrap_or_else(|e| panic!("{what}, then {e:?}"));
                assert!(d.stands(&[0xBB]) && d.keys_are(2), "{what}");
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

/// NXP's example of AN10957: the card, the key that vouches for the data, and what stands in the file (its source is at `GenericAccess`).
const EXAMPLE: [u8; 7] = hex!("04DEADBEEFFEED");
const EXAMPLE_FILE: [u8; 48] =
    hex!("0100 0000001122 0000000000065530 00 00000000 0011223344556677889900112233445566778899 8FB0EF8EB12AC1F3");

fn example() -> Value {
    json!({ "access": { "site": 0x1122, "credential": 0x0006_5530, "customer": "0011223344556677889900112233445566778899" } })
}

fn access(version: u8) -> DesfireProfile {
    let format = GenericAccess::new(Key::aes(hex!("F3F9377698707B688EAF84ABE39E3791"), 0)).unwrap();
    DesfireProfile::access(format, keys(), version).unwrap().takes_card()
}

/// The three keys of the application: of the master, the door and the writer.
fn three_keys_are(card: &DesfireCard, version: u8) -> bool {
    let key = |number| keys().derive(&EXAMPLE, &[0xF5, 0x32, 0xF0], number, version).unwrap().bytes().to_vec();
    (0..3).all(|number| card.key(AID, number) == Some((key(number), version)))
}

#[tokio::test]
async fn access_data_is_written_as_the_example_of_its_format_and_read_by_a_door() {
    for model in [DesfireModel::Ev1, DesfireModel::Ev3] {
        let d = Desk::with_card(new_card(model, EXAMPLE));
        let encoder = d.profile(access(1));
        d.encode_content(&encoder, example()).await.unwrap_or_else(|e| panic!("{model:?}: {e:?}"));
        assert_eq!(d.card.lock().unwrap().content(AID, 2).as_deref(), Some(&EXAMPLE_FILE[..]));
        assert!(three_keys_are(&d.card.lock().unwrap(), 1) && d.journal.is_empty());
        // A door has key 1, which reads and does not write.
        let door = keys().derive(&EXAMPLE, &[0xF5, 0x32, 0xF0], 1, 1).unwrap();
        let read = d.at_card(move |mut card| async move {
            card.select(Aid::new(AID)?).await?;
            card.authenticate_ev1(1, &door).await?;
            let read = card.read_data(2, 0, 48, CommMode::Full).await?;
            let written = card.write_data(2, 0, &[0], CommMode::Full).await;
            assert!(matches!(written, Err(CardError::Status(_))), "{written:?}");
            Ok(read)
        });
        assert_eq!(read.unwrap()[..], EXAMPLE_FILE);
        // Written again with a PIN, which is told to nobody who reads the card at the desk; then with newer keys.
        d.lift();
        let again = json!({ "access": { "site": 7, "credential": 8, "reissue": 1, "pin": "00001234" } });
        d.encode_content(&encoder, again).await.unwrap();
        assert_eq!(d.card.lock().unwrap().content(AID, 2).unwrap()[16..20], hex!("00001234"));
        d.lift();
        let now = d.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let (_, content) = d.profile(access(1)).read(&control).await.unwrap();
        assert_eq!(content, Some(json!({ "access": { "site": 7, "credential": 8, "reissue": 1, "customer": "00".repeat(20) } })));
        d.lift();
        d.encode_content(&d.profile(access(2)), example()).await.unwrap();
        assert_eq!(d.card.lock().unwrap().content(AID, 2).as_deref(), Some(&EXAMPLE_FILE[..]));
        assert!(three_keys_are(&d.card.lock().unwrap(), 2));
        // What is no access data is refused before the card is touched.
        d.lift();
        for wrong in
            [json!({ "data": "00" }), json!({ "access": { "site": 1_u64 << 40, "credential": 1 } }), json!({ "access": { "site": 1 } })]
        {
            let e = d.encode_content(&d.profile(access(2)), wrong).await.unwrap_err();
            assert!(matches!(e.cause, Cause::Write(WriteError::Image(_))) && e.card == CardState::Untouched, "{e:?}");
        }
    }
}

#[tokio::test]
async fn a_fault_at_every_command_leaves_a_card_with_access_data_that_a_repeat_finishes() {
    let mut tried = 0;
    for begins_at in 0..=1 {
        for (name, kind) in faults() {
            for at in 0.. {
                let d = Desk::with_card(new_card(DesfireModel::Ev2, EXAMPLE));
                if begins_at > 0 {
                    d.encode_content(&d.profile(access(1)), json!({ "access": { "site": 1, "credential": 1 } })).await.unwrap();
                    d.lift();
                }
                let before = d.reader.with_field(|f| f.sent());
                d.reader.with_field(|f| f.plan(Fault { at: before + at, kind: kind() }));
                let encoder = d.profile(access(2));
                let result = d.encode_content(&encoder, example()).await;
                let what = format!("{name} at {at}, keys {begins_at}: {result:?}");
                if d.reader.with_field(|f| f.sent()) <= before + at {
                    result.unwrap();
                    break;
                }
                tried += 1;
                let has_new = d.card.lock().unwrap().content(AID, 2).as_deref() == Some(&EXAMPLE_FILE[..]);
                if let Err(e) = &result {
                    let door = |version| keys().derive(&EXAMPLE, &[0xF5, 0x32, 0xF0], 1, version).unwrap().bytes().to_vec();
                    let key = d.card.lock().unwrap().key(AID, 1);
                    let is_live = has_new && (1..=2).any(|version| key == Some((door(version), version)));
                    assert!(e.card != CardState::Written && (e.card == CardState::Unknown || !is_live), "{what}");
                }
                let other = d.reader.take();
                if !d.reader.put_back() {
                    d.reader.put(other.unwrap());
                }
                d.encode_content(&encoder, example()).await.unwrap_or_else(|e| panic!("{what}, then {e:?}"));
                assert_eq!(d.card.lock().unwrap().content(AID, 2).as_deref(), Some(&EXAMPLE_FILE[..]), "{what}");
                assert!(three_keys_are(&d.card.lock().unwrap(), 2), "{what}");
            }
        }
    }
    assert!(tried > 400, "{tried}");
}
