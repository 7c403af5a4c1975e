//! What is not known: lost answers, crashes, cards that nobody saw; and a server that changes behind our back.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::model::{ActionStatus, codes};
use seam_providers::net::sim::Misbehaviour;
use seam_providers::visionline::sim::DoorPlan;
use std::time::Duration;

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";

#[tokio::test]
async fn no_card_is_no_card_and_the_next_try_succeeds() {
    let h = house(|_| {}).await;
    let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
    let method = h.method(&anna).await;
    let none = h.try_encode(method, None).await;
    assert_eq!(none.error.unwrap().r#type, codes::action_error::NO_CREDENTIAL_ON_ENCODER);
    assert!(h.ws.questions().await.unwrap().is_empty());
    let card = h.encode(method).await;
    assert!(h.opens("101", &card));
    assert!(h.sim.cards_of("")[0].opened);
}

/// A lost answer leaves a question, and the encoder is left alone. Writing the same card again is an answer: it opens the stay, for it was never known
/// to be open; and there is one card that works.
#[tokio::test]
async fn a_lost_answer_is_a_question_and_encoding_again_answers_it() {
    for lost in [Misbehaviour::LoseAnswers, Misbehaviour::LoseRequests] {
        let h = house(|_| {}).await;
        let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
        let ben = h.grant(h.wish("Ben", &["101"], CARD, Some("stay"), FROM, TO).await).await;
        let (anna_card, ben_card) = (h.method(&anna).await, h.method(&ben).await);
        h.sim.misbehave(Some(lost.clone())).await.unwrap();
        let doubtful = h.sim.blank_card();
        let attempt = h.try_encode(anna_card, Some(&doubtful)).await;
        assert_eq!(attempt.status, ActionStatus::Error, "{lost:?}");
        assert_eq!(h.ws.questions().await.unwrap().len(), 1, "{lost:?}");
        h.sim.misbehave(None).await.unwrap();
        let opened = h.opens("101", &doubtful);
        assert_eq!(opened, lost == Misbehaviour::LoseAnswers);
        // Ben would join nobody knows what.
        h.go(h.clock.now() + TimeDelta::minutes(5)).await;
        let waits = h.try_encode(ben_card, Some(&h.sim.blank_card())).await;
        assert_eq!(waits.status, ActionStatus::Error);
        assert!(h.sim.cards_of("Ben").is_empty());
        let again = h.try_encode(anna_card, Some(&doubtful)).await;
        // The card on the encoder is a valid key, if the first try wrote it: the clerk takes another one then.
        let card = if again.status == ActionStatus::Success { doubtful } else { h.encode(anna_card).await };
        assert!(h.ws.questions().await.unwrap().is_empty());
        let ben_has = h.encode(ben_card).await;
        assert!(h.opens("101", &card) && h.opens("101", &ben_has) && h.opens("101", &card));
        let live: Vec<_> = h.sim.cards_of("Anna").into_iter().filter(|c| !c.overridden && !c.overwritten).collect();
        assert_eq!(live.len(), 1, "{lost:?}");
        assert!(live[0].opened);
    }
}

/// Reading the card answers the question, too: it says whose it is.
#[tokio::test]
async fn a_scan_of_the_card_answers_the_question() {
    let h = house(|_| {}).await;
    let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
    let method = h.method(&anna).await;
    h.sim.misbehave(Some(Misbehaviour::LoseAnswers)).await.unwrap();
    let card = h.sim.blank_card();
    h.try_encode(method, Some(&card)).await;
    h.sim.misbehave(None).await.unwrap();
    assert_eq!(h.ws.questions().await.unwrap().len(), 1);
    h.go(h.clock.now() + TimeDelta::minutes(5)).await;
    let scan = h.scan_at("Desk1").await;
    assert_eq!(scan.status, ActionStatus::Success, "{:?}", scan.error);
    assert!(h.ws.questions().await.unwrap().is_empty());
    let methods = h.ws.access_methods().of_grant(anna.access_grant_id).await.unwrap();
    assert!(methods[0].is_issued);
    assert!(h.opens("101", &card));
}

/// The process is killed while the card is being written: nothing is repeated by itself.
#[tokio::test]
async fn a_crash_while_a_card_is_written_is_a_question() {
    let mut h = house(|_| {}).await;
    let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
    let method = h.method(&anna).await;
    h.sim.reconfigure(|p| p.writing = Duration::from_secs(3));
    let card = h.sim.blank_card();
    h.sim.lay("Desk1", &card);
    let asked = h.ws.access_methods().encode(method, h.encoder("Desk1").await).await.unwrap();
    let before = h.sim.requests();
    h.house.crash_after(before, || h.sim.requests()).await;
    // The server goes on with what it was asked to do.
    h.go(h.clock.now() + TimeDelta::minutes(10)).await;
    let attempt = h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
    assert_eq!(attempt.status, ActionStatus::Error);
    assert_eq!(h.ws.questions().await.unwrap().len(), 1);
    assert!(h.sim.cards_of("Anna").len() <= 1, "nothing is written twice by itself");
    let again = h.encode(method).await;
    assert!(h.opens("101", &again));
    assert!(h.ws.questions().await.unwrap().is_empty());
}

/// Somebody changes doors at the server. Nothing is taken away because a list got shorter, and new doors are found.
#[tokio::test]
async fn doors_that_are_renamed_are_missing_and_revoke_nothing() {
    let h = house(|s| s["doors"] = serde_json::json!([])).await;
    let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
    let card = h.encode(h.method(&anna).await).await;
    h.sim.reconfigure(|p| {
        p.doors.retain(|d| d.name != "103");
        p.doors.push(DoorPlan::room("103 A"));
    });
    h.rescan().await;
    assert_eq!(h.door("103 A").await, h.door("103 A").await);
    assert!(h.ws.access_grants().get(anna.access_grant_id).await.is_ok());
    assert!(h.opens("101", &card));
    // At the desk, somebody makes a card with Visionline's own program: the room has another guest from then on.
    let stranger = h.sim.make_by_hand("101", TimeDelta::days(1));
    assert!(h.opens("101", &stranger) && !h.opens("101", &card));
}
