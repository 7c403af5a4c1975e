//! Images that an access system made for an Ultralight EV1, at an encoder: whose card it is, and a fault at every command.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, CardState, JobControl, Technology};
use seam_encoders::error::CardError;
use seam_encoders::job::{
    CardNumber, Cause, Encoded, Encoder, JobFailure, Journal, MemoryJournal, Profile, Task, UltralightImageProfile, WriteError,
};
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{Fault, FaultKind, Field, SimulatedCard};
use seam_encoders::transport::SimulatedReader;
use seam_encoders::ultralight::Reader;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use support::in_virtual_time;

const UID: [u8; 7] = [0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
const OTHER: [u8; 7] = [0x04, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44];

/// 48 bytes, as Visionline makes them for its format `rfid48`; here each one is another.
fn image(first: u8) -> Value {
    json!({ "first_page": 4, "hex": (first..first + 48).map(|byte| format!("{byte:02X}")).collect::<String>() })
}

struct Desk {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    journal: Arc<MemoryJournal>,
    card: Arc<Mutex<UltralightCard>>,
}

impl Desk {
    fn with(card: UltralightCard) -> Self {
        let card = Arc::new(Mutex::new(card));
        let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
        let desk = Self { clock, reader: SimulatedReader::new("desk"), journal: Arc::default(), card };
        desk.reader.put(Box::new(Arc::clone(&desk.card)));
        desk
    }
    async fn encode(&self, profile: UltralightImageProfile, content: Value) -> Result<Encoded, JobFailure> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let journal = Arc::clone(&self.journal) as Arc<dyn Journal>;
        let encoder = Encoder::at(self.reader.clone()).profile(profile).clock(clock).journal(journal).build();
        let control = self.control();
        let image = CardImage { technology: Technology("mifare_ultralight_ev1".to_owned()), content };
        in_virtual_time(&self.clock, &self.reader, encoder.encode(&image, &control)).await
    }
    fn control(&self) -> JobControl {
        let now = self.clock.now();
        JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1))
    }
    /// The image that stands there whole, by its first byte.
    fn stands(&self) -> Option<u8> {
        let bytes = self.card.lock().unwrap().memory()[4..16].concat();
        let first = bytes[0];
        bytes.iter().zip(first..).all(|(byte, wanted)| *byte == wanted).then_some(first)
    }
    fn lift(&self) {
        let card = self.reader.take().unwrap();
        self.reader.put(card);
    }
}

fn profile() -> UltralightImageProfile {
    UltralightImageProfile::new(Reader::Pn532)
}

#[tokio::test]
async fn an_image_stands_as_it_was_made_and_is_read_back() {
    for reader in [Reader::Pn532, Reader::StorageOnly] {
        for card in [UltralightCard::ev1_small(UID), UltralightCard::ev1_large(UID)] {
            let d = Desk::with(card);
            let before = d.card.lock().unwrap().memory()[..4].to_vec();
            let done = d.encode(UltralightImageProfile::new(reader), image(0x20)).await.unwrap();
            assert_eq!((done.card.number.as_deref(), d.stands()), (Some("04112233445566"), Some(0x20)));
            assert_eq!(d.card.lock().unwrap().memory()[..4], before, "the number, the lock bits and the one-time bits stay");
            assert!(d.journal.is_empty());
            d.lift();
            let encoder = Encoder::at(d.reader.clone()).profile(profile()).clock(Arc::clone(&d.clock) as Arc<dyn Clock>).build();
            let (_, content) = encoder.read(&d.control()).await.unwrap();
            assert_eq!(content, Some(image(0x20)));
            // The same image again changes nothing on the card.
            d.lift();
            let sent = d.encode(profile(), image(0x20)).await.unwrap().commands;
            assert!(sent < done.commands, "{sent}");
        }
    }
}

/// Whose image stands on a card it does not say: without the word for it, none is overwritten.
#[tokio::test]
async fn a_card_that_is_in_use_is_foreign_unless_it_may_be_overwritten() {
    let d = Desk::with(UltralightCard::ev1_small(UID));
    d.encode(profile(), image(0x20)).await.unwrap();
    d.lift();
    let e = d.encode(profile(), image(0x80)).await.unwrap_err();
    assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
    assert!(d.stands() == Some(0x20) && d.journal.is_empty());
    d.lift();
    d.encode(profile().overwrites(), image(0x80)).await.unwrap();
    assert_eq!(d.stands(), Some(0x80));
}

/// Nothing is written that could not be written whole.
#[tokio::test]
async fn what_cannot_be_written_is_refused_before_the_card_is_changed() {
    let long = json!({ "first_page": 4, "hex": "AA".repeat(52) });
    for (reader, content) in [
        (Reader::Pn532, long.clone()),
        (Reader::StorageOnly, long),
        (Reader::Pn532, json!({ "first_page": 3, "hex": "00000000" })),
        (Reader::Pn532, json!({ "first_page": 4, "hex": "0000" })),
        (Reader::Pn532, json!({ "first_page": 4, "hex": "" })),
        (Reader::Pn532, json!({ "first_page": 255, "hex": "0000000000000000" })),
        (Reader::Pn532, json!({ "data": "00000000" })),
    ] {
        let d = Desk::with(UltralightCard::ev1_small(UID));
        let before = d.card.lock().unwrap().memory().to_vec();
        let e = d.encode(UltralightImageProfile::new(reader), content).await.unwrap_err();
        assert!(matches!(e.cause, Cause::Write(WriteError::Image(_))) && e.card == CardState::Untouched, "{e:?}");
        assert_eq!(d.card.lock().unwrap().memory(), before);
    }
    // A large one has room for it, if the reader tells which it is.
    let long = || json!({ "first_page": 4, "hex": "AA".repeat(128) });
    let d = Desk::with(UltralightCard::ev1_large(UID));
    d.encode(profile(), long()).await.unwrap();
    assert_eq!(d.card.lock().unwrap().memory()[4..36], [[0xaa; 4]; 32]);
    // Pages that are locked for ever, and pages behind somebody's password.
    for (page, data) in [(2, [0, 0, 0x80, 0]), (2, [0, 0, 0, 0x01]), (0x10, [0, 0, 0, 0x0f])] {
        let d = Desk::with(UltralightCard::ev1_small(UID));
        let [a, b, c, e] = data;
        d.card.lock().unwrap().answer(&[0xff, 0xd6, 0, page, 4, a, b, c, e]);
        let before = d.card.lock().unwrap().memory().to_vec();
        let e = d.encode(profile(), image(0x20)).await.unwrap_err();
        let is_refused = matches!(e.cause, Cause::Write(WriteError::Foreign(_) | WriteError::Card(CardError::Unsupported(_))));
        assert!(is_refused && e.card == CardState::Untouched, "page {page}: {e:?}");
        assert_eq!(d.card.lock().unwrap().memory(), before);
    }
    // Kin of it, which the reader tells apart.
    for card in [UltralightCard::c(UID), UltralightCard::aes(UID)] {
        let e = Desk::with(card).encode(profile(), image(0x20)).await.unwrap_err();
        assert!(matches!(e.cause, Cause::Technology) && e.card == CardState::Untouched, "{e:?}");
    }
}

#[tokio::test]
async fn a_fault_at_every_command_leaves_a_card_that_a_repeat_finishes() {
    let kinds: [fn() -> FaultKind; 8] = [
        || FaultKind::PulledAfterBytes(0),
        || FaultKind::PulledAfterBytes(300),
        || FaultKind::PulledInAnswer(1),
        || FaultKind::Mute,
        || FaultKind::Garbage(vec![0x63, 0x00]),
        || FaultKind::Garbage(vec![1, 2, 3, 4, 5, 0x90, 0x00]),
        || FaultKind::Flipped(0, 3),
        || FaultKind::Replaced(Box::new(UltralightCard::ev1_small(OTHER))),
    ];
    let mut tried = 0;
    for is_rewritten in [false, true] {
        for kind in kinds {
            for at in 0.. {
                let d = Desk::with(UltralightCard::ev1_small(UID));
                if is_rewritten {
                    d.encode(profile(), image(0x80)).await.unwrap();
                    d.lift();
                }
                let profile = || if is_rewritten { profile().overwrites() } else { profile() };
                let before = d.reader.with_field(|f| f.sent());
                d.reader.with_field(|f| f.plan(Fault { at: before + at, kind: kind() }));
                let result = d.encode(profile(), image(0x20)).await;
                let what = format!("{:?} at {at}, {is_rewritten}: {result:?}", kind());
                if d.reader.with_field(|f| f.sent()) <= before + at {
                    result.unwrap();
                    break;
                }
                tried += 1;
                if let Err(e) = &result {
                    match e.card {
                        CardState::Untouched => assert_eq!(d.stands(), if is_rewritten { Some(0x80) } else { None }, "{what}"),
                        CardState::Torn => assert_ne!(d.stands(), Some(0x20), "{what}"),
                        CardState::Unknown => {}
                        CardState::Written => panic!("{what}"),
                    }
                }
                let other = d.reader.take();
                if !d.reader.put_back() {
                    d.reader.put(other.unwrap());
                }
                d.encode(profile(), image(0x20)).await.unwrap_or_else(|e| panic!("{what}, then {e:?}"));
                assert!(d.stands() == Some(0x20) && d.journal.is_empty(), "{what}");
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Pulled at every command, also while an old image is overwritten: a card that is called torn has neither the old image nor the new one.
#[tokio::test]
async fn a_torn_card_has_no_whole_image() {
    let mut torn = 0;
    for at in 0.. {
        let d = Desk::with(UltralightCard::ev1_small(UID));
        d.encode(profile(), image(0x80)).await.unwrap();
        d.lift();
        let before = d.reader.with_field(|f| f.sent());
        d.reader.with_field(|f| f.plan(Fault { at: before + at, kind: FaultKind::PulledAfterBytes(300) }));
        let Err(e) = d.encode(profile().overwrites(), image(0x20)).await else { break };
        if e.card == CardState::Torn {
            torn += 1;
            assert_eq!(d.stands(), None, "at {at}");
        }
    }
    assert!(torn > 20, "{torn}");
}

#[tokio::test]
async fn neither_another_image_nor_another_card_is_taken_for_what_was_written() {
    let d = Desk::with(UltralightCard::ev1_small(UID));
    d.encode(profile(), image(0x20)).await.unwrap();
    for (uid, first, wanted) in
        [(UID, 0x20, Ok(())), (UID, 0x21, Err(CardError::NotAsWritten.into())), (OTHER, 0x20, Err(WriteError::AnotherCard))]
    {
        let task = Task::new(CardNumber(uid.to_vec()), &[], image(first), false);
        assert_eq!(d.reader.with_field(|field| field.run(profile().verify(task))), wanted, "{first:x}");
    }
}

/// The simulated card keeps to its lock bits.
#[test]
fn the_simulated_card_refuses_a_page_that_is_locked() {
    let mut field = Field::with(UltralightCard::ev1_small(UID));
    let mut send = |command: &[u8]| field.transmit(command);
    let done = |reply| matches!(reply, seam_encoders::sim::Reply::Answer(answer, _) if answer == [0x90, 0x00]);
    assert!(done(send(&[0xff, 0xd6, 0, 9, 4, 1, 2, 3, 4])) && done(send(&[0xff, 0xd6, 0, 2, 4, 0, 0, 0, 0x02])));
    assert!(!done(send(&[0xff, 0xd6, 0, 9, 4, 5, 6, 7, 8])) && done(send(&[0xff, 0xd6, 0, 10, 4, 5, 6, 7, 8])));
}
