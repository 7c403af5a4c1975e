//! PINs of Salto KS.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::{AccessMethodMode, GrantUpdate};
use seam_providers::net::sim::Misbehaviour;
use seam_providers::salto_ks::sim::{KsSim, LOCKS};
use std::sync::Arc;

const CODE: &[AccessMethodMode] = &[AccessMethodMode::Code];
const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";

async fn cloud() -> (House, KsSim) {
    let clock = clock();
    let sim = KsSim::start(Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    sim.set_role_delay(TimeDelta::seconds(5));
    let house = House::new(clock, factories(), "salto_ks", &sim.settings()).await;
    (house, sim)
}

#[tokio::test]
async fn a_guest_gets_a_pin_keeps_it_when_she_stays_on_and_loses_it() {
    let (h, sim) = cloud().await;
    let anna = h.grant(h.wish("Anna", &["D\u{f6}r 0"], CODE, None, FROM, TO).await).await;
    h.later(10).await;
    let code = h.methods(&anna).await[0].code.clone();
    let pin = code.expect("the cloud made a PIN").expose().to_owned();
    assert!(sim.enter(LOCKS[0], &pin), "the cloud waits until it knows the new user");
    h.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at("2026-03-05T10:00:00Z"))).await.unwrap();
    h.later(10).await;
    h.go(at("2026-03-04T10:00:00Z")).await;
    assert!(sim.enter(LOCKS[0], &pin), "extended, and the same PIN");
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.later(10).await;
    assert!(!sim.enter(LOCKS[0], &pin));
    assert_eq!(sim.groups(), 0);
}

/// A PIN there cannot be suspended, so it is taken away. The one that the cloud made is not asked for again: it makes another one.
#[tokio::test]
async fn a_guest_who_was_suspended_gets_another_pin() {
    let (h, sim) = cloud().await;
    let anna = h.grant(h.wish("Anna", &["D\u{f6}r 0"], CODE, None, FROM, TO).await).await;
    let pin = async || {
        h.later(10).await;
        h.methods(&anna).await[0].code.clone().expect("the cloud made a PIN").expose().to_owned()
    };
    let first = pin().await;
    h.ws.access_grants().suspend(anna.access_grant_id).await.unwrap();
    h.later(10).await;
    assert!(!sim.enter(LOCKS[0], &first));
    h.ws.access_grants().resume(anna.access_grant_id).await.unwrap();
    let second = pin().await;
    assert!(sim.enter(LOCKS[0], &second) && first != second);
}

#[tokio::test]
async fn a_seat_is_waited_for() {
    let (h, sim) = cloud().await;
    sim.set_seats(1);
    let _anna = h.grant(h.wish("Anna", &["D\u{f6}r 0"], CODE, None, FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["D\u{f6}r 0"], CODE, None, FROM, TO).await).await;
    h.later(10).await;
    assert!(!h.methods(&ben).await[0].is_issued);
    sim.set_seats(2);
    h.later(40).await;
    let code = h.methods(&ben).await[0].code.clone().expect("a seat was free at last").expose().to_owned();
    assert!(sim.enter(LOCKS[0], &code));
}

#[tokio::test]
async fn lost_answers_end_in_one_user() {
    let (h, sim) = cloud().await;
    sim.server.misbehave(Some(Misbehaviour::HalfAnswer)).await.unwrap();
    let anna = h.grant(h.wish("Anna", &["D\u{f6}r 0"], CODE, None, FROM, TO).await).await;
    sim.server.misbehave(None).await.unwrap();
    h.later(60).await;
    let code = h.methods(&anna).await[0].code.clone().expect("in the end there is a PIN").expose().to_owned();
    assert!(sim.enter(LOCKS[0], &code));
}
