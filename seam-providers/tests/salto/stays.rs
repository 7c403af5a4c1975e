//! Stays at Salto Space: the list of guests is told of changes (`MC`) and of departures (`CO`), and never of another guest's.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::model::{AccessGrant, ResidualReason};
use seam_core::{GrantUpdate, NewMethod};
use seam_providers::net::sim::Misbehaviour;
use seam_providers::salto_space::sim::PmsFaults;

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";
const LATER: &str = "2026-03-05T10:00:00Z";

/// A system that answers everything with this.
fn says(answers: Option<Vec<String>>) -> PmsFaults {
    let mut faults = PmsFaults::default();
    faults.answers = answers;
    faults
}

impl Hotel {
    async fn later(&self, minutes: i64) {
        self.go(self.clock.now() + TimeDelta::minutes(minutes)).await;
    }
    async fn leaves(&self, grant: &AccessGrant) {
        self.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    }
    async fn until(&self, grant: &AccessGrant, end: &str) {
        self.ws.access_grants().update(GrantUpdate::new(grant.access_grant_id).ends_at(at(end))).await.unwrap();
    }
}

#[tokio::test]
async fn the_last_of_a_party_checks_the_room_out_and_the_cards_open_until_their_end() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    let ben = h.guest("Ben", &["101"], "stay", FROM, TO).await;
    assert!(h.sim.take_requests().is_empty(), "nobody is told of a stay before its first key");
    let (card, bens) = (h.encode(h.card(&anna).await).await, h.encode(h.card(&ben).await).await);
    assert_eq!(h.sim.take_requests(), ["CN", "CC"]);
    h.leaves(&anna).await;
    h.later(5).await;
    assert!(h.sim.take_requests().is_empty() && h.sim.is_occupied("101"), "Ben stays");
    h.leaves(&ben).await;
    h.later(5).await;
    assert_eq!(h.sim.take_requests(), ["CO"]);
    assert!(!h.sim.is_occupied("101"));
    // What the vendor says of a check-out: it updates the list. No lock hears of it, and that is told.
    assert!(h.opens("room/101", &card) && h.opens("room/101", &bens));
    let residual = h.ws.history(ben.access_grant_id).await.unwrap().grant.residual_access;
    let [left] = &residual[..] else { panic!("{residual:?}") };
    assert_eq!((left.until, &left.why), (Some(at(TO)), &ResidualReason::NextOverride));
    h.go(at("2026-03-04T10:00:00Z")).await;
    assert!(h.sim.take_requests().is_empty(), "once");
}

#[tokio::test]
async fn a_stay_that_runs_out_is_checked_out_too() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101", "102"], "stay", FROM, TO).await;
    h.encode(h.card(&anna).await).await;
    h.sim.take_requests();
    h.go(at(TO)).await;
    assert_eq!(h.sim.take_requests(), ["CO", "CO"], "both rooms");
    assert!(!h.sim.is_occupied("101") && !h.sim.is_occupied("102"));
}

/// The system was away when the guest left, and the next one has come: a check-out names a room and nobody in it.
#[tokio::test]
async fn a_check_out_that_comes_late_does_not_reach_the_next_guest() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    h.encode(h.card(&anna).await).await;
    h.sim.pms.misbehave(Some(Misbehaviour::Offline)).await.unwrap();
    h.leaves(&anna).await;
    h.later(30).await;
    let ben = h.guest("Ben", &["101"], "next", FROM, LATER).await;
    h.sim.take_requests();
    h.sim.pms.misbehave(None).await.unwrap();
    // A person goes first.
    let card = h.encode(h.card(&ben).await).await;
    h.later(120).await;
    assert_eq!(h.sim.take_requests(), ["CN"], "nobody is checked out any more");
    assert!(h.sim.is_occupied("101") && h.opens("room/101", &card));
    h.ws.access_grants().request_access_methods(ben.access_grant_id, vec![NewMethod::new(CARD[0].clone())]).await.unwrap();
    h.settle().await;
    let second = h.methods(&ben).await.last().unwrap().access_method_id;
    let second = h.encode(second).await;
    assert_eq!(h.sim.take_requests(), ["CC"], "his stay is joined: he is the room's guest");
    assert!(h.opens("room/101", &second) && h.opens("room/101", &card));
    h.leaves(&ben).await;
    h.later(5).await;
    assert_eq!(h.sim.take_requests(), ["CO"]);
}

#[tokio::test]
async fn a_lost_answer_to_a_check_out_is_asked_for_again() {
    for lost in [Misbehaviour::LoseAnswers, Misbehaviour::LoseRequests] {
        let h = hotel(|_| {}).await;
        let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
        h.encode(h.card(&anna).await).await;
        h.sim.pms.misbehave(Some(lost.clone())).await.unwrap();
        h.leaves(&anna).await;
        h.settle().await;
        h.sim.pms.misbehave(None).await.unwrap();
        h.later(30).await;
        assert_eq!(h.sim.take_requests().last().unwrap(), "CO", "{lost:?}");
        assert!(!h.sim.is_occupied("101") && h.ws.questions().await.unwrap().is_empty(), "{lost:?}");
    }
}

/// Somebody has checked the room out with the system's own client: there is no stay to be changed, and nobody asks for ever.
#[tokio::test]
async fn a_change_that_the_system_refuses_in_its_own_words_is_not_asked_for_ever() {
    let h = hotel(|_| {}).await;
    let anna = h.guest("Anna", &["101"], "stay", FROM, TO).await;
    h.encode(h.card(&anna).await).await;
    h.sim.take_requests();
    let answers = Some(["EG", "101", "Room is not occupied"].map(str::to_owned).into());
    h.sim.set_pms_faults(says(answers));
    h.until(&anna, LATER).await;
    h.later(300).await;
    assert_eq!(h.sim.take_requests(), ["MC"], "once");
    assert!(h.ws.questions().await.unwrap().is_empty());
    h.sim.set_pms_faults(PmsFaults::default());
    h.until(&anna, "2026-03-06T10:00:00Z").await;
    h.later(5).await;
    assert_eq!(h.sim.take_requests(), ["MC"], "the next change is told");
    let answers = Some(["EG", "101", "Room is not occupied"].map(str::to_owned).into());
    h.sim.set_pms_faults(says(answers));
    h.leaves(&anna).await;
    h.later(300).await;
    assert_eq!(h.sim.take_requests(), ["CO"], "who is checked out already is checked out");
}
