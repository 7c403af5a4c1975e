//! The story ends as it is told, over every way to meet.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use phone_to_door::door::{Closed, Door};
use phone_to_door::meeting::{From, InMemory, Speak};
use phone_to_door::office::Office;
use phone_to_door::phone::Phone;
use phone_to_door::radio::{OnRadio, python};
use phone_to_door::story::{Step, play};
use phone_to_door::touch::{Phase, REMEMBERED};
use seam_ble::lock::{Claim, Refusal, Role, UnixTime};
use seam_ble::transport::memory;

/// What of a step is compared.
fn outcome(step: &Step) -> &'static str {
    match &step.outcome {
        Ok(Claim::Stay { role: Role::Override, .. }) => "override",
        Ok(Claim::Stay { role: Role::Joiner, .. }) => "joiner",
        Ok(_) => "other",
        Err(Closed::Refused(Refusal::TimeUnproven)) => "no time",
        Err(Closed::Refused(Refusal::Superseded)) => "superseded",
        Err(Closed::Refused(Refusal::Revoked)) => "revoked",
        Err(Closed::Refused(Refusal::Expired)) => "over",
        Err(Closed::NoGrant) => "no grant",
        Err(why) => panic!("{}: {why}", step.title),
    }
}

const EXPECTED: [&str; 13] = [
    "no time",
    "override",
    "override",
    "joiner",
    "override",
    "no grant",
    "override",
    "superseded",
    "superseded",
    "joiner",
    "revoked",
    "override",
    "over",
];

#[tokio::test]
async fn the_story_in_memory_by_pkoc() {
    let steps = play(InMemory, Speak::Pkoc, |_| {}).await.unwrap();
    assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
    for step in &steps {
        let senders: Vec<_> = step.messages.iter().map(|(from, _)| *from).collect();
        assert_eq!(senders, [From::Lock, From::Phone, From::Lock, From::Phone, From::Lock], "{}", step.title);
    }
}

/// Four phones come, and a stranger: the first visit of each is a standard phase, every later one is fast.
fn standard_then_fast(steps: &[Step]) {
    let standard: Vec<_> = (0..steps.len()).filter(|&at| steps[at].phase == Some(Phase::Standard)).collect();
    assert_eq!(standard, [0, 3, 5, 6, 9]);
}

#[tokio::test]
async fn the_story_in_memory_by_a_touch() {
    let steps = play(InMemory, Speak::Touch, |_| {}).await.unwrap();
    assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
    standard_then_fast(&steps);
    for step in &steps {
        // SELECT, AUTH0, [AUTH1,] the mailbox, the outcome: a command and an answer each.
        let commands = if step.phase == Some(Phase::Fast) { 4 } else { 5 };
        assert_eq!(step.messages.len(), 2 * commands, "{}", step.title);
    }
}

fn over_bluetooth(steps: &[Step]) {
    assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
    standard_then_fast(steps);
    for step in steps {
        // Initiate; AUTH0, [AUTH1,] the mailbox with their answers; completed, the request for the bolt, the outcome.
        let messages = if step.phase == Some(Phase::Fast) { 8 } else { 10 };
        assert_eq!(step.messages.len(), messages, "{}", step.title);
        assert_eq!((step.messages[0].0, step.messages[messages - 1].0), (From::Phone, From::Lock));
    }
}

#[tokio::test]
async fn the_story_in_memory_by_aliro() {
    over_bluetooth(&play(InMemory, Speak::Aliro, |_| {}).await.unwrap());
}

#[tokio::test]
async fn strangers_do_not_fill_the_locks_memory() {
    let office = Office::default();
    let mut door = Door::fit(&office, UnixTime(1_000)).unwrap();
    let lock = door.public_key();
    for _ in 0..REMEMBERED + 3 {
        let mut stranger = Phone::new(office.site(), office.issuer());
        let (mut at_lock, mut at_phone) = memory::pair(512);
        let ((outcome, _), opened) = tokio::join!(door.touched(&mut at_lock), stranger.touch(lock, &mut at_phone));
        assert!(outcome.is_err() && !opened.unwrap());
    }
    assert_eq!(door.remembers(), REMEMBERED);
}

/// Tells the story on a virtual radio; none where there is none, except in CI.
fn on_a_virtual_radio(speak: Speak) -> Option<Vec<Step>> {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "the virtual radio is missing, and CI is set: nothing may be skipped");
        println!("skipped: the story on a virtual radio needs bumble; get it with: cargo xtask test --only setup");
        return None;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = tokio::task::LocalSet::new().block_on(&runtime, async { play(OnRadio::start(&python).await.unwrap(), speak, |_| {}).await });
    Some(told.unwrap())
}

#[test]
fn the_story_on_a_virtual_radio_by_aliro() {
    if let Some(steps) = on_a_virtual_radio(Speak::Aliro) {
        over_bluetooth(&steps);
    }
}

#[test]
fn the_story_on_a_virtual_radio_by_pkoc() {
    if let Some(steps) = on_a_virtual_radio(Speak::Pkoc) {
        assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
    }
}
