//! The story ends as it is told, over every way to meet.
use phone_to_door::door::Closed;
use phone_to_door::meeting::{From, InMemory};
use phone_to_door::radio::{OnRadio, python};
use phone_to_door::story::{Step, play};
use seam_ble::lock::{Claim, GrantError, Refusal, Role};

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
        Err(Closed::Grant(GrantError::Format)) => "no grant",
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
async fn the_story_in_memory() {
    let steps = play(InMemory, |_| {}).await.unwrap();
    assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
    for step in &steps {
        let senders: Vec<_> = step.messages.iter().map(|(from, _)| *from).collect();
        assert_eq!(senders, [From::Lock, From::Phone, From::Lock, From::Phone, From::Lock], "{}", step.title);
    }
}

#[test]
fn the_story_on_a_virtual_radio() {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "the virtual radio is missing, and CI is set: nothing may be skipped");
        println!("skipped: the story on a virtual radio needs bumble; get it with: cargo xtask test --only setup");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let steps =
        tokio::task::LocalSet::new().block_on(&runtime, async { play(OnRadio::start(&python).await.unwrap(), |_| {}).await }).unwrap();
    assert_eq!(steps.iter().map(outcome).collect::<Vec<_>>(), EXPECTED);
}
