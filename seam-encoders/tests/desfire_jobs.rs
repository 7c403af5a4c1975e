//! Personalising a DESFire: what stands on it afterwards, foreign cards, rotation, and a fault at every command.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, CardState, JobControl, Technology};
use seam_encoders::job::{Cause, DesfireProfile, Encoded, Encoder, JobFailure, Journal, MemoryJournal, WriteError};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeySource};
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind};
use seam_encoders::transport::SimulatedReader;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const AID: u32 = 0x00F5_32F0;
const UID: [u8; 7] = [0x04, 1, 2, 3, 4, 5, 6];
const OTHER: [u8; 7] = [0x04, 9, 9, 9, 9, 9, 9];

/// A key per card, application, number and version.
fn keys() -> Arc<dyn KeySource> {
    let mut masters = FixedKeys::default();
    for version in 1..=3 {
        masters = masters.with(&[0, 0, 0], 0, Key::aes([0x90 + version; 16], version));
        for number in 0..2 {
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
        let desk = Self {
            clock: Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap())),
            reader: SimulatedReader::new("desk"),
            journal: Arc::default(),
            card: new_card(model, UID),
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
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let image = CardImage { technology: Technology("desfire".to_owned()), content: json!({ "data": data }) };
        let time = async {
            loop {
                let sent = self.reader.with_field(|f| f.sent());
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                let is_idle = self.reader.with_field(|f| f.sent()) == sent;
                if let Some(next) = self.clock.next_wake().filter(|_| is_idle) {
                    self.clock.set(next);
                }
            }
        };
        tokio::select! { done = encoder.encode(&image, &control) => done, () = time => unreachable!() }
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

#[tokio::test]
async fn a_new_card_gets_its_application_its_data_and_its_keys() {
    for model in [DesfireModel::Ev1, DesfireModel::Ev2, DesfireModel::Ev3] {
        let d = Desk::with(model);
        let encoder = d.encoder(1);
        let done = d.encode(&encoder, "C0FFEE").await.unwrap_or_else(|e| panic!("{model:?}: {e:?}"));
        assert_eq!(done.card.number.as_deref(), Some("04010203040506"));
        assert!(d.stands(&[0xC0, 0xFF, 0xEE]) && d.keys_are(1) && d.journal.is_empty(), "{model:?}");
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

/// For a new card, one that gets newer keys and one that has these keys already, at every command, whatever can happen there: the failure is typed and true of the card, a card
/// that it calls torn or untouched has none of the door's new keys with new data, and a repeat finishes the job.
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
                    let is_live = d.stands(&[0xBB]) && d.card.lock().unwrap().key(AID, 1) == Some(expected(&[0xF5, 0x32, 0xF0], 1, 2));
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
