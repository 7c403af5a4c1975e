//! When a delivery is tried again, and when it is not any more.
use crate::support::*;
use chrono::Duration;
use seam_core::clock::Clock;
use seam_core::model::{ParkedReason, WebhookStatus};
use seam_core::provider::{Failure, Reason};
use std::collections::BTreeSet;

/// Seconds after the failure before it, as the public documentation lists them.
const DOCUMENTED: [i64; 8] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000];

fn gaps(got: &[Got], begin: chrono::DateTime<chrono::Utc>) -> Vec<i64> {
    let mut before = begin;
    got.iter().map(|g| std::mem::replace(&mut before, g.at)).zip(got).map(|(before, g)| (g.at - before).num_seconds()).collect()
}

#[tokio::test]
async fn a_dead_endpoint_is_tried_as_documented_then_parked_and_taken_up_again() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.answers(500);
    let begin = s.clock.now();
    s.tell(&[1]).await;
    s.pass(Duration::hours(27)).await;
    assert_eq!(s.state(hook).await.status, WebhookStatus::Retrying);
    s.pass(Duration::hours(1)).await;
    let got = s.receiver.take();
    assert_eq!(gaps(&got, begin), DOCUMENTED);
    let ids: BTreeSet<&str> = got.iter().map(Got::id).collect();
    assert_eq!(ids.len(), 1, "the id stays the same");
    assert!(got.iter().all(|g| g.headers["svix-timestamp"] == g.at.timestamp().to_string()), "the instant is that of the try");

    let state = s.state(hook).await;
    assert_eq!((state.status, state.parked_reason), (WebhookStatus::Parked, Some(ParkedReason::Exhausted)));
    assert_eq!(state.last_failure.unwrap().http_status, Some(500));
    // Nothing is sent to it any more, and nothing is lost.
    s.tell(&[2, 1]).await;
    s.pass(Duration::days(3)).await;
    assert_eq!(s.receiver.take(), []);
    assert_eq!(s.round().await, None, "nothing is due");

    s.receiver.answers(200);
    s.ws.webhooks().resume(hook).await.unwrap();
    s.round().await;
    let mut numbers = s.receiver.numbers();
    assert!(numbers.iter().position(|n| *n == 0) < numbers.iter().position(|n| *n == 2), "{numbers:?}");
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    let state = s.state(hook).await;
    assert_eq!((state.status, state.lines.len(), state.parked_at), (WebhookStatus::UpToDate, 0, None));
}

#[tokio::test]
async fn a_resumed_event_has_a_new_schedule() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.answers(500);
    s.tell(&[1]).await;
    s.pass(Duration::hours(28)).await;
    s.receiver.take();
    s.ws.webhooks().resume(hook).await.unwrap();
    let begin = s.clock.now();
    s.pass(Duration::hours(28)).await;
    assert_eq!(gaps(&s.receiver.take(), begin), DOCUMENTED);
    assert_eq!(s.state(hook).await.status, WebhookStatus::Parked);
}

#[tokio::test]
async fn one_event_that_always_fails_parks_its_own_line_only() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.rule(|g| Do::Answer(if g.n() == 0 { 400 } else { 200 }));
    s.tell(&[1, 1, 2]).await;
    for _ in 0..30 {
        s.tell(&[2]).await;
        s.pass(Duration::hours(1)).await;
    }
    let got = s.receiver.take();
    assert_eq!(got.iter().filter(|g| g.n() == 0).count(), DOCUMENTED.len());
    assert_eq!(got.iter().filter(|g| g.key() == 2).count(), 31);
    assert!(got.iter().all(|g| g.n() != 1), "what comes after it waits");
    let state = s.state(hook).await;
    assert_eq!((state.parked_at, state.lines.len(), state.lines[0].next_attempt_at), (None, 1, None));
    assert_eq!((state.lines[0].attempts, state.lines[0].from), (8, 1));

    s.receiver.answers(200);
    s.ws.webhooks().resume(hook).await.unwrap();
    s.pass(Duration::seconds(1)).await;
    assert_eq!(s.receiver.numbers(), [0, 1]);
    assert_eq!(s.state(hook).await.status, WebhookStatus::UpToDate);
}

#[tokio::test]
async fn retry_after_prolongs_and_never_shortens() {
    for (answer, wait) in [("600", 600), ("2", 5), ("Mon, 02 Mar 2026 08:10:00 GMT", 600), ("soon", 5)] {
        let s = stage().await;
        s.hook().await;
        s.receiver.rule(move |_| Do::RetryAfter(503, answer));
        s.tell(&[1]).await;
        let next = s.round().await.unwrap();
        assert_eq!((next - s.clock.now()).num_seconds(), wait, "{answer}");
    }
}

#[tokio::test]
async fn gone_parks_at_once() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.answers(410);
    s.tell(&[1, 1]).await;
    s.pass(Duration::days(2)).await;
    assert_eq!(s.receiver.numbers(), [0]);
    let state = s.state(hook).await;
    assert_eq!((state.status, state.parked_reason), (WebhookStatus::Parked, Some(ParkedReason::Gone)));
    s.receiver.answers(200);
    s.ws.webhooks().resume(hook).await.unwrap();
    s.round().await;
    assert_eq!(s.receiver.numbers(), [0, 1]);
}

#[tokio::test]
async fn a_lost_answer_and_a_refused_connection_are_tried_again() {
    for failure in [Failure::unknown(Reason::TimedOut, "no answer"), Failure::nothing(Reason::Offline, "refused")] {
        let s = stage().await;
        let hook = s.hook().await.webhook_id;
        s.receiver.rule(move |_| Do::Fail(failure.clone()));
        s.tell(&[1]).await;
        s.round().await;
        assert_eq!(s.state(hook).await.last_failure.unwrap().http_status, None);
        s.receiver.answers(201);
        s.pass(Duration::seconds(5)).await;
        let ids: BTreeSet<String> = s.receiver.got().iter().map(|g| g.id().to_owned()).collect();
        assert_eq!((s.receiver.numbers().len(), ids.len()), (2, 1));
    }
}
