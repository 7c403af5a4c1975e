//! How many cards can be made beside each other, on the clock of the test: a card takes an encoder 50 ms, and nothing else takes time.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::model::ActionStatus;
use seam_providers::visionline::sim::HotelPlan;
use serde_json::Value;
use std::time::Duration;

const CARDS: usize = 16;
const WRITING: Duration = Duration::from_millis(50);

/// How long it takes until all cards are made, each in a room of its own, at so many encoders.
async fn makespan(encoders: usize, over_pms: bool) -> TimeDelta {
    let mut plan = HotelPlan::of(16, chrono_tz::Europe::Berlin);
    plan.encoders = (1..=encoders).map(|n| (format!("Desk{n}"), n.to_string())).collect();
    (plan.auto_card, plan.writing) = (true, WRITING);
    let h = house_with(plan, |s| {
        if over_pms {
            s["web"] = Value::Null;
        }
    })
    .await;
    let desks = h.ws.acs().encoders().list(None, None, 100).await.unwrap().items;
    let mut attempts = Vec::new();
    for n in 0..CARDS {
        let (room, stay) = ((101 + n).to_string(), format!("stay-{n}"));
        let wish = h.wish(&stay, &[&room], CARD, Some(&stay), "2026-03-01T08:00:00Z", "2026-03-03T10:00:00Z").await;
        let grant = h.ws.access_grants().create(wish).await.unwrap();
        let desk = desks[n % encoders].acs_encoder_id;
        attempts.push(h.ws.access_methods().encode(h.method(&grant).await, desk).await.unwrap().action_attempt_id);
    }
    let (began, asked) = (h.clock.now(), h.sim.requests());
    let mut round = std::pin::pin!(h.engine.round());
    let mut done = 0;
    while tokio::time::timeout(Duration::from_millis(1), round.as_mut()).await.is_err() {
        // Once every encoder that has work is at it, they all need the same time.
        let at_it = usize::try_from(h.sim.requests() - asked).unwrap();
        let next = (done + encoders).min(CARDS);
        if at_it >= next && h.clock.next_wake().is_some_and(|wake| wake <= h.clock.now() + TimeDelta::from_std(WRITING).unwrap()) {
            // The last of them may have arrived and not begun to write.
            tokio::time::sleep(Duration::from_millis(30)).await;
            h.clock.advance(TimeDelta::from_std(WRITING).unwrap());
            done = next;
        }
    }
    for attempt in attempts {
        let attempt = h.ws.action_attempts().get(attempt).await.unwrap();
        assert_eq!(attempt.status, ActionStatus::Success, "{:?}", attempt.error);
    }
    let logins = u64::from(!over_pms);
    assert!(h.sim.requests() - asked <= CARDS as u64 + logins, "one request per card");
    h.clock.now() - began
}

/// As many encoders, as many cards in the same time, over either interface.
#[tokio::test]
async fn encoders_work_beside_each_other() {
    for over_pms in [false, true] {
        for encoders in [1, 4, 16] {
            let ideal = TimeDelta::from_std(WRITING).unwrap() * i32::try_from(CARDS / encoders).unwrap();
            assert_eq!(makespan(encoders, over_pms).await, ideal, "{encoders} encoders, over the PMS port: {over_pms}");
        }
    }
}
