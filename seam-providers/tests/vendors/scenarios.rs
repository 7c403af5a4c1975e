//! What is asked of every system.
use crate::stand::at;
use crate::systems::{Ground, Key};
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::model::{ActionStatus, codes};
use seam_core::{AccessGrant, GrantUpdate};
use seam_providers::net::sim::Misbehaviour;
use std::sync::Arc;
use std::time::Duration;

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";
const LATER: &str = "2026-03-05T10:00:00Z";

/// A guest gets a key that opens her door, no other, and not after her time.
pub(crate) async fn create(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let key = g.issue(&anna).await;
    // What a system has only taken is looked at soon after.
    g.house.later(1).await;
    assert!(g.house.method(&anna, &g.mode()).await.is_issued);
    assert!(g.opens(0, &key) && !g.opens(1, &key));
    g.house.go(at("2026-03-03T09:59:00Z")).await;
    assert!(g.opens(0, &key));
    g.house.go(at("2026-03-03T10:05:00Z")).await;
    assert!(!g.opens(0, &key));
}

/// A second guest of the stay, or of the house, takes nothing from the first.
pub(crate) async fn join(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let ben = g.guest("Ben", 0, "stay", FROM, TO).await;
    let (one, other) = (g.issue(&anna).await, g.issue(&ben).await);
    assert_ne!(one, other);
    for key in [&one, &other, &one] {
        assert!(g.opens(0, key));
    }
}

/// A longer stay: what was made opens longer, or is made anew. The other guest is left alone.
pub(crate) async fn extend(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let ben = g.guest("Ben", 0, "stay", FROM, TO).await;
    let (first, other) = (g.issue(&anna).await, g.issue(&ben).await);
    g.house.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at(LATER))).await.unwrap();
    g.house.settle().await;
    g.house.go(at("2026-03-02T10:00:00Z")).await;
    let longer = g.issue_on(&anna, g.at.written_again(&first)).await;
    assert!(g.opens(0, &longer) && g.opens(0, &other));
    g.house.go(at("2026-03-04T10:00:00Z")).await;
    assert!(g.opens(0, &longer) && !g.opens(0, &other));
    g.house.go(at("2026-03-05T10:05:00Z")).await;
    assert!(!g.opens(0, &longer));
}

async fn leave(g: &Ground, grant: &AccessGrant) {
    g.house.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    g.house.later(5).await;
}

/// What a key of a deleted grant opens still is told, and what is told opens.
async fn is_told(g: &Ground, grant: &AccessGrant, key: &Key) -> bool {
    let door = g.house.door(g.at.doors()[0]).await;
    let kept = g.house.ws.history(grant.access_grant_id).await.unwrap();
    let told = kept.grant.residual_access.iter().any(|left| left.acs_entrance_id == door);
    let opens = g.opens(0, key);
    if g.at.tells_exactly() { told == opens } else { told || !opens }
}

/// Another room: the new key opens that and not the first. What is left at the first is told.
pub(crate) async fn change_rooms(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let first = g.issue(&anna).await;
    leave(&g, &anna).await;
    let moved = g.guest("Anna", 1, "stay in the other room", FROM, TO).await;
    let second = g.issue(&moved).await;
    assert!(g.opens(1, &second) && !g.opens(0, &second));
    assert!(is_told(&g, &anna, &first).await);
}

/// Taken away: at once where the system decides, else until the end that is told. Nobody else loses anything.
pub(crate) async fn revoke(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let ben = g.guest("Ben", 0, "stay", FROM, TO).await;
    let (key, other) = (g.issue(&anna).await, g.issue(&ben).await);
    leave(&g, &anna).await;
    let opens = g.opens(0, &key);
    assert_eq!(opens, g.at.override_at_the_lock(), "what no request reaches opens still");
    assert!(is_told(&g, &anna, &key).await);
    assert!(g.opens(0, &other));
    g.house.go(at("2026-03-03T10:05:00Z")).await;
    assert!(!g.opens(0, &key) && !g.opens(0, &other));
}

/// The next stay's key ends what is left of the one before, once it is used.
pub(crate) async fn replace(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let key = g.issue(&anna).await;
    assert!(g.opens(0, &key));
    leave(&g, &anna).await;
    let carla = g.guest("Carla", 0, "next", FROM, TO).await;
    let next = g.issue(&carla).await;
    assert!(g.opens(0, &key), "until then the lock knows nothing of it");
    assert!(g.opens(0, &next) && !g.opens(0, &key) && g.opens(0, &next));
}

/// No card is no card, and the next try succeeds.
pub(crate) async fn encode(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let (encoder, method) = (g.at.encoder().unwrap(), g.method(&anna).await);
    let none = g.house.encode_at(encoder, method).await;
    let says = none.error.map(|e| e.r#type).unwrap();
    assert_eq!(says, g.at.says_no_card());
    assert_eq!(g.house.questions().await, usize::from(says != codes::action_error::NO_CREDENTIAL_ON_ENCODER));
    g.house.later(2).await;
    let key = g.issue(&anna).await;
    assert!(g.opens(0, &key));
}

/// There is nothing to write a card with, and that is said before anything is sent.
pub(crate) async fn no_encoder(g: Ground) {
    assert!(g.house.ws.acs().encoders().list(None, None, 10).await.unwrap().items.is_empty());
    let before = g.at.requests();
    let wish = g.house.wish("Anna", &[g.at.doors()[0]], crate::stand::CARD, None, FROM, TO).await;
    assert_eq!(g.house.ws.access_grants().create(wish).await.unwrap_err().code(), "access_methods_not_supported");
    assert_eq!(g.at.requests(), before);
}

pub(crate) async fn lost_answers(g: Ground) {
    no_answer(g, Misbehaviour::LoseAnswers).await;
}

pub(crate) async fn lost_requests(g: Ground) {
    no_answer(g, Misbehaviour::LoseRequests).await;
}

pub(crate) async fn half_answers(g: Ground) {
    no_answer(g, Misbehaviour::HalfAnswer).await;
}

/// Answers that come late, or in pieces, are answers: one key is made, and nobody is asked anything.
async fn hardly_an_answer(g: Ground, how: Misbehaviour) {
    g.at.misbehave(Some(how)).await;
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    if g.at.encoder().is_none() {
        // What is left to be done is done at its time, and nobody lets time pass while it waits.
        g.at.misbehave(None).await;
    }
    let key = g.issue(&anna).await;
    g.at.misbehave(None).await;
    assert!(g.opens(0, &key) && !g.opens(1, &key));
    assert_eq!(g.house.questions().await, 0);
    assert_eq!(g.at.made(), usize::from(g.at.encoder().is_some()));
}

pub(crate) async fn slow_answers(g: Ground) {
    hardly_an_answer(g, Misbehaviour::Slow(Duration::from_secs(3))).await;
}

pub(crate) async fn dripping_answers(g: Ground) {
    hardly_an_answer(g, Misbehaviour::Drip).await;
}

/// A request without an answer. At an encoder nothing is written again by itself: a person is asked where the system cannot tell, and writing the same key
/// again is an answer. Elsewhere it is looked at and repeated, and ends in one key.
async fn no_answer(g: Ground, how: Misbehaviour) {
    let Some(encoder) = g.at.encoder() else {
        g.at.misbehave(Some(how)).await;
        let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
        g.at.misbehave(None).await;
        g.house.later(60).await;
        let key = g.issue(&anna).await;
        assert!(g.opens(0, &key));
        leave(&g, &anna).await;
        assert!(!g.opens(0, &key), "there was one, and it is gone");
        return;
    };
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let method = g.method(&anna).await;
    let doubtful = g.at.blank();
    g.at.misbehave(Some(how.clone())).await;
    g.at.lay(Some(&doubtful));
    let attempt = g.house.encode_at(encoder, method).await;
    g.at.misbehave(None).await;
    assert_eq!(attempt.status, ActionStatus::Error);
    assert_eq!(g.house.questions().await, usize::from(g.at.asks_a_person()));
    let written = g.opens(0, &doubtful);
    assert_eq!(written, how != Misbehaviour::LoseRequests);
    let before = g.at.made();
    g.house.later(5).await;
    assert_eq!(g.at.made(), before, "nothing is written by itself");
    let key = again(&g, &anna, &doubtful).await;
    assert!(g.opens(0, &key));
    assert_eq!(g.house.questions().await, 0);
}

/// The clerk writes the card anew that is in doubt; where the encoder does not write over a valid key, another one.
async fn again(g: &Ground, grant: &AccessGrant, doubtful: &Key) -> Key {
    g.at.lay(Some(doubtful));
    let done = g.house.encode_at(g.at.encoder().unwrap(), g.method(grant).await).await;
    if done.status == ActionStatus::Success {
        return doubtful.clone();
    }
    g.issue(grant).await
}

/// The process is killed between a request and its answer.
pub(crate) async fn crash(mut g: Ground) {
    let Some(encoder) = g.at.encoder() else {
        // The answer to the first request waits for the clock. What becomes of a crash at the others is tested in `each_request`.
        g.at.misbehave(Some(Misbehaviour::Slow(Duration::from_secs(3)))).await;
        let wish = g.house.wish("Anna", &[g.at.doors()[0]], &[g.mode()], None, FROM, TO).await;
        let anna = g.house.ws.access_grants().create(wish).await.unwrap();
        let (at, before) = (Arc::clone(&g.at), g.at.requests());
        g.house.crash_after(before, || at.requests()).await;
        g.at.misbehave(None).await;
        g.house.later(30).await;
        let key = g.issue(&anna).await;
        assert!(g.opens(0, &key));
        assert_eq!(g.house.questions().await, 0);
        leave(&g, &anna).await;
        assert!(!g.opens(0, &key), "there was one, and it is gone");
        return;
    };
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let method = g.method(&anna).await;
    g.at.take_so_long(Duration::from_secs(3));
    let doubtful = g.at.blank();
    g.at.lay(Some(&doubtful));
    let asked = g.house.ws.access_methods().encode(method, g.house.encoder(encoder).await).await.unwrap();
    let (at, before) = (Arc::clone(&g.at), g.at.requests());
    g.house.crash_after(before, || at.requests()).await;
    g.house.go(g.house.clock.now() + TimeDelta::minutes(10)).await;
    assert_eq!(g.house.attempt(asked.action_attempt_id).await.status, ActionStatus::Error);
    assert_eq!(g.house.questions().await, usize::from(g.at.asks_a_person()));
    g.house.later(5).await;
    // The system may go on with what it was asked to do. Nobody asks it again.
    assert!(g.at.made() <= 1, "nothing is written twice by itself");
    g.at.take_so_long(Duration::ZERO);
    let key = again(&g, &anna, &doubtful).await;
    assert!(g.opens(0, &key));
    assert_eq!(g.house.questions().await, 0);
}

/// Somebody makes a key with the vendor's own program: the locks follow that. Nothing of it is changed, and nothing is written because of it.
pub(crate) async fn made_by_hand(g: Ground) {
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let key = g.issue(&anna).await;
    assert!(g.opens(0, &key));
    let stranger = g.at.by_hand(0).unwrap();
    assert!(g.opens(0, &stranger) && !g.opens(0, &key));
    g.house.rescan().await;
    g.house.later(30).await;
    assert!(g.opens(0, &stranger), "what is not ours is left alone");
    assert!(g.house.ws.access_grants().get(anna.access_grant_id).await.is_ok());
    // The clerk writes the guest's key anew. Whether it joins the room's present guest or takes the room over is the lock's to show; it opens.
    let again = g.issue_on(&anna, g.at.written_again(&key)).await;
    assert!(g.opens(0, &again));
}
