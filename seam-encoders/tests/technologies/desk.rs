//! NTAG 424 cards at the encoder of a desk: its journal, its stages, consent, and a card that is pulled away at every command.
use super::ntag424_card::UID;
use super::support::in_virtual_time;
use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, CardState, JobControl, Technology};
use seam_encoders::dialogue::Dialogue;
use seam_encoders::error::CardError;
use seam_encoders::job::{Cause, Encoder, JobFailure, Journal, MemoryJournal, Ntag424Profile, WriteError};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeySource};
use seam_encoders::ntag424::sdm::SdmUrl;
use seam_encoders::ntag424::{APPLICATION, File, Ntag424, Suite};
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::{Fault, FaultKind};
use seam_encoders::transport::SimulatedReader;
use std::sync::Arc;

const URL: &str = "https://door.example/t?p={picc}&m={mac}";

fn keys() -> Arc<dyn KeySource> {
    let mut masters = FixedKeys::default();
    for version in 1..=2 {
        for number in 0..5 {
            masters = masters.with(&APPLICATION, number, Key::aes([0x10 * version + number; 16], version));
        }
    }
    Arc::new(Diversified::new(masters, b"seam"))
}

struct Desk {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    journal: Arc<MemoryJournal>,
}

impl Desk {
    fn with(card: Ntag424Card) -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
        let desk = Self { clock, reader: SimulatedReader::new("desk"), journal: Arc::default() };
        desk.reader.put(Box::new(card));
        desk
    }

    async fn encode(&self, profile: Ntag424Profile) -> Result<(), JobFailure> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let journal = Arc::clone(&self.journal) as Arc<dyn Journal>;
        let encoder = Encoder::at(self.reader.clone()).profile(profile).clock(clock).journal(journal).build();
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1));
        let image = CardImage { technology: Technology("ntag424".to_owned()), content: serde_json::json!({ "url": URL }) };
        in_virtual_time(&self.clock, &self.reader, encoder.encode(&image, &control)).await.map(drop)
    }

    /// Takes the card away and lays it there again.
    fn lift(&self) {
        if let Some(card) = self.reader.take() {
            self.reader.put(card);
        }
    }

    /// Whether a backend with the keys of this version believes a tap: it learns from the tap which card it is.
    fn is_believed(&self, version: u8) -> bool {
        let url = SdmUrl::new(Suite::Aes, URL).unwrap();
        let length = URL.len() - "https://{picc}{mac}".len() + 32 + 16 + 7;
        let dialogue =
            Dialogue::<_, CardError>::new(move |card| async move { Ntag424::select(card).await?.read(File::Ndef, 0, length).await });
        let file = self.reader.with_field(|field| {
            field.reset();
            field.run(dialogue).unwrap()
        });
        // Not an address of ours, or none at all, on a card that is not finished.
        let Ok(Some(message)) = seam_encoders::ndef::file::message(&file) else { return false };
        let Some(tap) = message.records()[0].as_uri().unwrap().and_then(|address| url.tap(&address).ok()) else { return false };
        let who = keys().derive(&[], &APPLICATION, 1, version).unwrap();
        let Some(uid) = tap.identify(&who).ok().and_then(|identity| identity.uid) else { return false };
        let proof = keys().derive(&uid, &APPLICATION, 2, version).unwrap();
        tap.verify(&who, &proof, None).is_ok_and(|tap| tap.uid == Some(UID))
    }
}

fn profile(version: u8) -> Ntag424Profile {
    Ntag424Profile::new(Suite::Aes, keys(), version).unwrap()
}

#[tokio::test]
async fn a_card_is_written_rewritten_and_gets_newer_keys() {
    let d = Desk::with(Ntag424Card::new(UID));
    d.encode(profile(1)).await.unwrap();
    assert!(d.is_believed(1) && d.journal.is_empty());
    d.lift();
    d.encode(profile(1)).await.unwrap();
    d.lift();
    d.encode(profile(2).formerly(1)).await.unwrap();
    assert!(d.is_believed(2) && !d.is_believed(1) && d.journal.is_empty());
}

#[tokio::test]
async fn a_card_of_somebody_else_is_foreign_and_untouched() {
    for (card, version) in [(Ntag424Card::new(UID).with_key(0, [0x77; 16], 3), 1), (Ntag424Card::new(UID).with_lrp(), 1)] {
        let d = Desk::with(card);
        let failure = d.encode(profile(version)).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Write(WriteError::Foreign(_))), "{failure:?}");
        assert!(failure.card == CardState::Untouched && d.journal.is_empty());
    }
    assert!(Ntag424Profile::new(Suite::Aes, keys(), 0).is_err());
}

#[tokio::test]
async fn a_card_that_leaves_at_any_command_is_finished_when_it_comes_again() {
    let mut commands = 0;
    'job: for at in 0.. {
        for received in [0, usize::MAX] {
            let d = Desk::with(Ntag424Card::new(UID));
            d.reader.with_field(|field| field.plan(Fault { at, kind: FaultKind::PulledAfterBytes(received) }));
            // A card that leaves while it is looked at is waited for until the time is over.
            let Err(failure) = d.encode(profile(1)).await else { break 'job };
            assert!(matches!(failure.cause, Cause::Removed | Cause::NoCard), "at {at}: {failure:?}");
            let is_noted = failure.card != CardState::Untouched;
            assert_eq!(is_noted, !d.journal.is_empty(), "what was begun is remembered, at {at}: {failure:?}");
            assert!(d.reader.put_back());
            d.encode(profile(1)).await.unwrap_or_else(|failure| panic!("the repeat at {at}: {failure:?}"));
            assert!(d.is_believed(1) && d.journal.is_empty());
        }
        commands = at + 1;
    }
    assert!(commands > 30, "every command of a job: {commands}");
}

/// Mute, garbage, a wrong bit, another card: a card that is called torn or untouched is not believed, and a repeat finishes it.
#[tokio::test]
async fn a_fault_at_any_command_leaves_a_card_that_a_repeat_finishes() {
    let kinds: [fn() -> FaultKind; 6] = [
        || FaultKind::PulledInAnswer(1),
        || FaultKind::Mute,
        || FaultKind::Garbage(vec![0x6F, 0x00]),
        || FaultKind::Garbage(vec![1, 2, 3, 4, 5, 6, 7, 0x91, 0x00]),
        || FaultKind::Flipped(usize::MAX, 3),
        || FaultKind::Replaced(Box::new(Ntag424Card::new([0x04, 9, 9, 9, 9, 9, 9]))),
    ];
    let mut tried = 0;
    for kind in kinds {
        for at in 0.. {
            let d = Desk::with(Ntag424Card::new(UID));
            d.reader.with_field(|field| field.plan(Fault { at, kind: kind() }));
            let result = d.encode(profile(1)).await;
            if d.reader.with_field(|field| field.sent()) <= at {
                result.unwrap();
                break;
            }
            tried += 1;
            let other = d.reader.take();
            if !d.reader.put_back() {
                d.reader.put(other.unwrap());
            }
            let what = format!("{:?} at {at}: {result:?}", kind());
            if let Err(failure) = &result {
                assert!(failure.card != CardState::Written, "{what}");
                assert!(failure.card == CardState::Unknown || !d.is_believed(1), "{what}");
            }
            d.encode(profile(1)).await.unwrap_or_else(|failure| panic!("{what}, then {failure:?}"));
            assert!(d.is_believed(1) && d.journal.is_empty(), "{what}");
        }
    }
    assert!(tried > 150, "{tried}");
}

/// The job that finishes an interrupted card may be interrupted too. A card that a backend believes by then is not called torn, which would say that
/// it opens nothing.
#[tokio::test]
async fn a_card_that_is_believed_is_never_called_torn() {
    let pull = |d: &Desk, at| {
        d.reader.with_field(|field| field.plan(Fault { at: field.sent() + at, kind: FaultKind::PulledAfterBytes(usize::MAX) }))
    };
    let mut met = 0;
    for first in 0.. {
        let d = Desk::with(Ntag424Card::new(UID));
        pull(&d, first);
        if d.encode(profile(1)).await.is_ok() {
            break;
        }
        assert!(d.reader.put_back());
        for later in 0.. {
            let was_believed = d.is_believed(1);
            pull(&d, later);
            let Err(failure) = d.encode(profile(1)).await else { break };
            assert!(d.reader.put_back());
            met += usize::from(was_believed);
            assert!(!was_believed || failure.card != CardState::Torn, "{first}, {later}: {failure:?}");
        }
    }
    assert!(met > 50, "{met}");
}

/// A rotation that was interrupted, and then one to a still newer version: the journal says which keys may stand on the card.
#[tokio::test]
async fn a_rotation_that_was_interrupted_goes_on_to_newer_keys() {
    for at in 0.. {
        let d = Desk::with(Ntag424Card::new(UID));
        d.reader.with_field(|field| field.plan(Fault { at, kind: FaultKind::PulledAfterBytes(usize::MAX) }));
        if d.encode(profile(1)).await.is_ok() {
            break;
        }
        assert!(d.reader.put_back());
        // Whoever writes version 2 was not told of version 1; the journal was.
        d.encode(profile(2)).await.unwrap_or_else(|failure| panic!("version 2 after a fault at {at}: {failure:?}"));
        assert!(d.is_believed(2) && d.journal.is_empty(), "at {at}");
    }
}
