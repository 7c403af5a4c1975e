//! Personalising a MIFARE Classic: a fault at every command, and what is not ours.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, CardState, JobControl, Technology};
use seam_encoders::classic::access::ClassicKey;
use seam_encoders::classic::job::SectorKeys;
use seam_encoders::classic::mad::Aid;
use seam_encoders::error::CardError;
use seam_encoders::job::{CardNumber, Cause, ClassicProfile, Encoded, Encoder, JobFailure, Profile, Task, WriteError};
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::{Fault, FaultKind, Field, SimulatedCard};
use seam_encoders::transport::SimulatedReader;
use serde_json::json;
use std::sync::{Arc, Mutex};
use support::in_virtual_time;

const OURS: Aid = Aid { cluster: 0x38, application: 0x21 };

struct Desk {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    card: Arc<Mutex<ClassicCard>>,
    encoder: Encoder,
}

fn profile(owner: Aid, last: u8) -> ClassicProfile {
    profile_at(owner, last, 5, [7; 6])
}

fn profile_at(owner: Aid, last: u8, sector: u8, directory: [u8; 6]) -> ClassicProfile {
    let keys =
        move |uid: &[u8]| Ok(SectorKeys { a: ClassicKey::new([uid[3], 1, 2, 3, 4, last]), b: ClassicKey::new([uid[3], 9, 8, 7, 6, last]) });
    ClassicProfile::new(owner, sector, Arc::new(keys), ClassicKey::new(directory)).unwrap()
}

impl Desk {
    fn with(profile: ClassicProfile) -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
        let reader = SimulatedReader::new("desk");
        let card = Arc::new(Mutex::new(ClassicCard::new_1k([0xDE, 0xAD, 0xBE, 1])));
        reader.put(Box::new(Arc::clone(&card)));
        let encoder = Encoder::at(reader.clone()).profile(profile).clock(Arc::clone(&clock) as Arc<dyn Clock>).build();
        Self { clock, reader, card, encoder }
    }
    async fn encode(&self, encoder: &Encoder, data: &str) -> Result<Encoded, JobFailure> {
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let image = CardImage { technology: Technology("mifare_classic".to_owned()), content: json!({ "data": data }) };
        in_virtual_time(&self.clock, &self.reader, encoder.encode(&image, &control)).await
    }
    fn block(&self, n: usize) -> [u8; 16] {
        self.card.lock().unwrap().memory()[n]
    }
    /// The data and the door's key of the sector.
    fn is_live(&self, first: u8) -> bool {
        self.block(20)[0] == first && self.block(23)[..6] == [1, 1, 2, 3, 4, 0]
    }
    fn lift(&self) {
        let card = self.reader.take().unwrap();
        self.reader.put(card);
    }
}

#[tokio::test]
async fn a_fault_at_every_command_leaves_a_card_that_a_repeat_finishes() {
    let kinds: [fn() -> FaultKind; 5] = [
        || FaultKind::PulledAfterBytes(0),
        || FaultKind::PulledAfterBytes(300),
        || FaultKind::Mute,
        || FaultKind::Garbage(vec![0x63, 0x00]),
        || FaultKind::Replaced(Box::new(ClassicCard::new_1k([1, 2, 3, 4]))),
    ];
    let mut tried = 0;
    for is_rewritten in [false, true] {
        for kind in kinds {
            for at in 0.. {
                let d = Desk::with(profile(OURS, 0));
                if is_rewritten {
                    d.encode(&d.encoder, "AA").await.unwrap();
                    d.lift();
                }
                let before = d.reader.with_field(|f| f.sent());
                d.reader.with_field(|f| f.plan(Fault { at: before + at, kind: kind() }));
                let result = d.encode(&d.encoder, "BB").await;
                let what = format!("{:?} at {at}: {result:?}", kind());
                if d.reader.with_field(|f| f.sent()) <= before + at {
                    result.unwrap();
                    break;
                }
                tried += 1;
                if let Err(e) = &result {
                    assert!(e.card != CardState::Written && (e.card == CardState::Unknown || !d.is_live(0xBB)), "{what}");
                }
                let other = d.reader.take();
                if !d.reader.put_back() {
                    d.reader.put(other.unwrap());
                }
                d.encode(&d.encoder, "BB").await.unwrap_or_else(|e| panic!("{what}, then {e:?}"));
                assert!(d.is_live(0xBB), "{what}");
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[tokio::test]
async fn a_sector_of_somebody_else_is_left_alone() {
    // Under another owner, and under ours with other keys.
    for theirs in [profile(Aid { cluster: 0x48, application: 1 }, 0), profile(OURS, 9)] {
        let d = Desk::with(theirs);
        d.encode(&d.encoder, "AA").await.unwrap();
        d.lift();
        let before = d.card.lock().unwrap().memory().to_vec();
        let ours = Encoder::at(d.reader.clone()).profile(profile(OURS, 0)).clock(Arc::clone(&d.clock) as Arc<dyn Clock>).build();
        let e = d.encode(&ours, "BB").await.unwrap_err();
        assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
        assert_eq!(d.card.lock().unwrap().memory(), before);
    }
}

/// A free sector on a card whose directory is somebody else's: the directory comes last, so its key is proven first.
#[tokio::test]
async fn a_sector_that_the_directory_could_not_name_is_not_written() {
    for (directory, is_ours) in [([8; 6], false), ([7; 6], true)] {
        let d = Desk::with(profile_at(Aid { cluster: 0x48, application: 1 }, 0, 3, directory));
        d.encode(&d.encoder, "AA").await.unwrap();
        d.lift();
        let before = d.card.lock().unwrap().memory().to_vec();
        let ours = Encoder::at(d.reader.clone()).profile(profile(OURS, 0)).clock(Arc::clone(&d.clock) as Arc<dyn Clock>).build();
        let result = d.encode(&ours, "BB").await;
        if is_ours {
            result.unwrap();
            assert!(d.is_live(0xBB) && d.block(12)[0] == 0xAA);
        } else {
            let e = result.unwrap_err();
            assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
            assert_eq!(d.card.lock().unwrap().memory(), before);
        }
    }
}

#[test]
fn another_card_is_not_called_foreign() {
    let mut other = ClassicCard::new_1k([1, 2, 3, 4]);
    let atr = other.power_on();
    let task = Task::new(CardNumber(vec![0xDE, 0xAD, 0xBE, 1]), &atr, json!({ "data": "AA" }), false);
    let (profile, mut field) = (profile(OURS, 0), Field::with(other));
    assert_eq!(field.run(profile.write(task.clone())), Err(WriteError::AnotherCard));
    assert_eq!(field.run(profile.verify(task)), Err(WriteError::AnotherCard));
}

#[tokio::test]
async fn other_data_are_not_taken_for_what_was_written() {
    let d = Desk::with(profile(OURS, 0));
    d.encode(&d.encoder, "AA").await.unwrap();
    let atr = d.card.lock().unwrap().power_on();
    for (data, wanted) in [("AA", Ok(())), ("AB", Err(CardError::NotAsWritten.into()))] {
        let task = Task::new(CardNumber(vec![0xDE, 0xAD, 0xBE, 1]), &atr, json!({ "data": data }), false);
        assert_eq!(d.reader.with_field(|field| field.run(profile(OURS, 0).verify(task))), wanted, "{data}");
    }
}
