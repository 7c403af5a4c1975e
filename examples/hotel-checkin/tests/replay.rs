//! The script and the oracle against a hotel in memory.
#[cfg(test)]
mod common;

use hotel_checkin::bookings::Booking;
use hotel_checkin::hotel::Hotel;
use hotel_checkin::journal::JournalError;
use hotel_checkin::model_hotel::{Mistake, ModelHotel};
use hotel_checkin::replay::{Replay, Tally};
use hotel_checkin::script::{Note, Script};
use hotel_checkin::summary::Summary;
use std::io::Write;
use std::time::Duration;

#[expect(clippy::unwrap_used, reason = "a test without a runtime is a failed test")]
fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[expect(clippy::unwrap_used, reason = "a failed call is a failed test")]
fn run(script: &Script, mistake: Option<Mistake>) -> (Tally, ModelHotel) {
    let mut hotel = ModelHotel::new(mistake);
    let mut replay = Replay::new(script);
    block(async {
        hotel.open(&script.plan).await.unwrap();
        replay.run(&mut hotel, usize::MAX, |_| {}).await.unwrap();
    });
    (replay.tally, hotel)
}

fn script(seed: u64) -> Script {
    Script::new(&common::bookings(700, seed), seed)
}

#[test]
fn a_hotel_without_mistakes_gives_no_wrong_answer() {
    for seed in 0..12 {
        let (tally, _) = run(&script(seed), None);
        assert_eq!(tally.wrong_answers, 0, "seed {seed}: {:#?}", tally.wrong);
        for note in Note::ALL.into_iter().filter(|note| *note != Note::Party) {
            assert!(tally.notes.get(&note).is_some_and(|n| *n > 0) || seed > 0, "no {}", note.name());
        }
    }
}

#[test]
fn every_planted_mistake_gives_wrong_answers() {
    for mistake in Mistake::ALL {
        let (tally, _) = run(&script(0), Some(mistake));
        println!("{mistake:?}: {} wrong, first: {}", tally.wrong_answers, tally.wrong.first().map_or("", |w| w.what.as_str()));
        assert!(tally.wrong_answers > 0, "{mistake:?} is not noticed");
    }
}

#[test]
fn the_same_seed_writes_the_same_script_and_another_one_another() {
    let bookings = common::bookings(200, 3);
    let (one, same, other) = (Script::new(&bookings, 1), Script::new(&bookings, 1), Script::new(&bookings, 2));
    assert_eq!(one.ops, same.ops);
    assert_eq!(one.digest(), same.digest());
    assert_ne!(one.digest(), other.digest());
    assert!(one.ops.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let mut keys: Vec<String> = one.ops.iter().map(hotel_checkin::script::Op::key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), one.ops.len(), "keys are unique");
}

#[test]
fn no_bookings_are_an_empty_replay() {
    let none: [Booking; 0] = [];
    assert_eq!(run(&Script::new(&none, 1), None).0.operations, 0);
}

#[test]
fn a_killed_replay_goes_on_where_it_was_and_ends_the_same() {
    let script = script(5);
    let (whole, _) = run(&script, None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.replay");
    let mut hotel = ModelHotel::default();
    block(hotel.open(&script.plan)).unwrap();
    let mut until = 0;
    let tally = loop {
        let mut replay = Replay::resume(&script, &path, &mut hotel).unwrap();
        until += 1 + script.ops.len() / 7;
        block(replay.run(&mut hotel, until, |_| {})).unwrap();
        if replay.done() == script.ops.len() {
            break replay.tally;
        }
        drop(replay);
        // The process dies when the hotel has done the last operation and the journal does not say so: a torn line.
        let text = std::fs::read_to_string(&path).unwrap();
        let torn = text.trim_end().rfind('\n').unwrap() + 4;
        std::fs::write(&path, &text[..torn]).unwrap();
    };
    assert_eq!(tally.wrong_answers, 0, "{:#?}", tally.wrong);
    assert_eq!((tally.operations, tally.door_attempts, tally.grants), (whole.operations, whole.door_attempts, whole.grants));
    assert_eq!((tally.verdicts, tally.notes), (whole.verdicts, whole.notes));
}

#[test]
fn a_journal_of_something_else_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.replay");
    let bookings = common::bookings(20, 1);
    let (one, other) = (Script::new(&bookings, 1), Script::new(&bookings, 2));
    let mut hotel = ModelHotel::default();
    drop(Replay::resume(&one, &path, &mut hotel).unwrap());
    assert!(matches!(Replay::resume(&other, &path, &mut hotel), Err(JournalError::Other)));
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"nonsense\n").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Replay::resume(&one, &path, &mut hotel), Err(JournalError::Line(2))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn the_summary_has_the_promised_keys() {
    let script = script(1);
    let (tally, mut hotel) = run(&script, None);
    let summary = Summary::new(&script, &tally, block(hotel.counts()).unwrap(), Duration::from_secs(1));
    let json = serde_json::to_value(&summary).unwrap();
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let promised = [
        "access_methods",
        "bookings",
        "counts",
        "credentials",
        "door_attempts",
        "durable_grants_per_second",
        "events",
        "grants",
        "peak_memory_bytes",
        "seconds",
        "wrong_answers",
    ];
    assert_eq!(keys, promised);
    assert_eq!(json["bookings"], 700);
}

#[test]
fn the_real_bookings_give_no_wrong_answer() {
    let Some(bookings) = common::real() else { return };
    let script = Script::new(&bookings, 1);
    let (tally, _) = run(&script, None);
    assert_eq!(tally.wrong_answers, 0, "{:#?}", tally.wrong);
    assert!(tally.door_attempts >= 200_000, "{}", tally.door_attempts);
    assert_eq!(tally.notes[&Note::Booking], 14_938);
    assert_eq!(tally.grants, 28_398);
    assert_eq!(tally.notes[&Note::Party], 12);
    assert!(script.turnovers > 3_000, "{}", script.turnovers);
    for note in Note::ALL {
        assert!(tally.notes.contains_key(&note), "no {}", note.name());
    }
}
