//! Guests' cards over Salto Space's PMS interface.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::GrantUpdate;
use seam_core::clock::Clock;
use seam_core::model::{ActionStatus, codes};
use seam_providers::net::sim::Misbehaviour;
use std::time::Duration;

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";
const LATER: &str = "2026-03-05T10:00:00Z";

#[tokio::test]
async fn a_stay_is_opened_once_joined_extended_and_overridden_by_the_next() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["007", "Right 1"], "stay", FROM, TO).await;
    let ben = h.guest("Ben", &["007"], "stay", FROM, TO).await;
    h.sim.take_requests();
    let anna_card = h.encode(h.card(&anna).await).await;
    let ben_card = h.encode(h.card(&ben).await).await;
    assert_eq!(h.sim.take_requests(), ["CN", "CC"], "one request for each card, and one override for the stay");
    assert!(h.opens("room/007", &anna_card) && h.opens("room/007", &ben_card) && h.opens("room/007", &anna_card));
    assert!(h.opens("authorisation/1", &anna_card) && !h.opens("authorisation/1", &ben_card) && !h.opens("room/101", &anna_card));
    // Extended: the card is written once more, and joins.
    h.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at(LATER))).await.unwrap();
    h.settle().await;
    assert_eq!(h.sim.take_requests(), ["MC"], "the list of guests is told at once");
    assert!(h.try_encode(h.card(&anna).await, Some(&anna_card)).await.status == ActionStatus::Success);
    assert_eq!(h.sim.take_requests(), ["CC"]);
    h.go(at("2026-03-04T10:00:00Z")).await;
    assert!(h.opens("room/007", &anna_card) && !h.opens("room/007", &ben_card), "each card says when it ends");
    h.go(at("2026-03-05T10:30:00Z")).await;
    assert!(!h.opens("room/007", &anna_card));
    let carla = h.guest("Carla", &["007"], "next", "2026-03-05T13:00:00Z", "2026-03-07T10:00:00Z").await;
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.ws.access_grants().delete(ben.access_grant_id).await.unwrap();
    h.go(at("2026-03-05T13:00:00Z")).await;
    let card = h.encode(h.card(&carla).await).await;
    assert_eq!(h.sim.take_requests().last().unwrap(), "CN", "the next stay overrides");
    assert!(h.opens("room/007", &card));
}

/// What is revoked opens until the next guest's card was at the door, and that is told.
#[tokio::test]
async fn a_revoked_card_is_told_as_residual_until_the_next_guest() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    let card = h.encode(h.card(&anna).await).await;
    assert!(h.opens("room/101", &card));
    h.sim.take_requests();
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.settle().await;
    assert_eq!(h.sim.take_requests(), ["CO"], "the room is checked out, and nothing on this interface reaches a card");
    assert!(h.opens("room/101", &card), "so it opens still");
    let ben = h.guest("Ben", &["101"], "next", FROM, TO).await;
    let next = h.encode(h.card(&ben).await).await;
    assert!(h.opens("room/101", &next) && !h.opens("room/101", &card));
}

#[tokio::test]
async fn no_card_is_no_card_and_the_next_try_succeeds() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    let method = h.card(&anna).await;
    let none = h.try_encode(method, None).await;
    assert_eq!(none.error.unwrap().r#type, codes::action_error::NO_CREDENTIAL_ON_ENCODER);
    assert!(h.ws.questions().await.unwrap().is_empty());
    let staff = h.try_encode(method, Some(&h.sim.staff_card())).await;
    assert_eq!(staff.error.unwrap().r#type, codes::action_error::INCOMPATIBLE_CARD_FORMAT);
    let card = h.encode(method).await;
    assert!(h.opens("room/101", &card));
}

/// A lost answer leaves a question. Nothing is sent by itself; reading the card, or writing it again, is the answer.
#[tokio::test]
async fn a_lost_answer_is_a_question_that_the_card_itself_answers() {
    for lost in [Misbehaviour::LoseAnswers, Misbehaviour::LoseRequests, Misbehaviour::HalfAnswer] {
        let h = hotel(|_| {}).await;
        let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
        let method = h.card(&anna).await;
        h.sim.pms.misbehave(Some(lost.clone())).await.unwrap();
        let card = h.sim.blank_card();
        let attempt = h.try_encode(method, Some(&card)).await;
        assert_eq!(attempt.status, ActionStatus::Error, "{lost:?}");
        assert_eq!(h.ws.questions().await.unwrap().len(), 1, "{lost:?}");
        h.sim.pms.misbehave(None).await.unwrap();
        let written = h.opens("room/101", &card);
        assert_eq!(written, lost != Misbehaviour::LoseRequests);
        h.sim.take_requests();
        h.go(h.clock.now() + TimeDelta::minutes(5)).await;
        assert!(h.sim.take_requests().is_empty(), "nothing is written twice by itself");
        if written {
            let scan = h.scan_at("Desk 1").await;
            assert_eq!(scan.status, ActionStatus::Success, "{:?}", scan.error);
            assert!(h.methods(&anna).await[0].is_issued, "{lost:?}");
        } else {
            let card = h.encode(method).await;
            assert!(h.opens("room/101", &card));
        }
        assert!(h.ws.questions().await.unwrap().is_empty(), "{lost:?}");
    }
}

/// The process is killed while a card is being written: nothing is repeated by itself.
#[tokio::test]
async fn a_crash_while_a_card_is_written_is_a_question() {
    let mut h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    let method = h.card(&anna).await;
    h.sim.set_write_time(Duration::from_secs(3));
    h.sim.lay("Desk 1", &h.sim.blank_card());
    let asked = h.ws.access_methods().encode(method, h.encoder("Desk 1").await).await.unwrap();
    let before = h.sim.pms.requests();
    h.house.crash_after(before, || h.sim.pms.requests()).await;
    h.go(h.clock.now() + TimeDelta::minutes(10)).await;
    let attempt = h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
    assert_eq!(attempt.status, ActionStatus::Error);
    assert_eq!(h.ws.questions().await.unwrap().len(), 1);
    h.sim.set_write_time(Duration::ZERO);
    let again = h.encode(method).await;
    assert!(h.opens("room/101", &again));
    assert!(h.ws.questions().await.unwrap().is_empty());
}

/// The busiest night: 160 cards through the one channel, three guests who never come. Each of those holds the line for the system's whole card wait, and
/// nothing else is lost: the night takes the sum of the card times and of those waits.
#[tokio::test]
async fn a_night_takes_the_sum_of_its_card_times() {
    let rooms: Vec<String> = (1..=160).map(|n| format!("{n:03}")).collect();
    let h = hotel(|o| o.rooms = rooms.clone()).await;
    let takes = Duration::from_secs(4);
    h.sim.set_write_time(takes);
    let mut methods = Vec::new();
    for (n, room) in rooms.iter().enumerate() {
        let anna = h.ws.access_grants().create(h.wish("Guest", &[room], CARD, Some(&format!("stay {n}")), FROM, TO).await).await.unwrap();
        methods.push(anna);
    }
    h.settle().await;
    let desk = h.encoder("Desk 1").await;
    let began = h.clock.now();
    let (mut written, mut missing) = (0, 0);
    for (n, grant) in methods.iter().enumerate() {
        let comes = n % 60 != 30;
        h.sim.take("Desk 1");
        if comes {
            h.sim.lay("Desk 1", &h.sim.blank_card());
        }
        let asked = h.ws.access_methods().encode(h.card(grant).await, desk).await.unwrap();
        let mut round = std::pin::pin!(h.engine.round());
        loop {
            // Time moves only to where somebody waits for it.
            match tokio::time::timeout(Duration::from_millis(4), round.as_mut()).await {
                Ok(done) => {
                    done.unwrap();
                    break;
                }
                Err(_) => h.clock.advance(TimeDelta::milliseconds(500)),
            }
        }
        let done = h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
        written += u32::from(done.status == ActionStatus::Success);
        missing += u32::from(done.status == ActionStatus::Error);
        assert_eq!(done.status == ActionStatus::Success, comes, "{:?}", done.error);
    }
    assert_eq!((written, missing), (157, 3));
    let makespan = (h.clock.now() - began).as_seconds_f64();
    let sum = f64::from(written) * takes.as_secs_f64() + f64::from(missing) * 20.0;
    println!("makespan {makespan} s, sum of card times and waits {sum} s: {:.3}", makespan / sum);
    assert!(makespan >= sum && makespan < sum * 1.35, "{makespan} s against {sum} s");
}
