//! What an integrator calls.
use crate::support::*;
use chrono::Duration;
use seam_core::ErrorKind;
use seam_core::clock::Clock;
use seam_core::model::{EventType, WebhookStatus};
use serde_json::json;

#[tokio::test]
async fn a_webhook_is_made_read_changed_listed_and_deleted() {
    let s = stage().await;
    let hooks = s.ws.webhooks();
    let made = s.hook().await;
    assert_eq!(made.event_types, Some(vec![EventType::ANY]));
    let text = serde_json::to_value(&made).unwrap();
    assert_eq!(text["event_types"], json!(["*"]));
    assert_eq!(text["url"], "https://receiver.example/hook");
    assert!(text["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(text.as_object().unwrap().len(), 4);
    assert_eq!(hooks.get(made.webhook_id).await.unwrap(), made);

    s.clock.advance(Duration::seconds(1));
    let other = hooks.create("http://127.0.0.1:9/x", Some(vec![EventType::SPACE_CREATED, EventType::SPACE_CREATED])).await.unwrap();
    assert_eq!(other.event_types, Some(vec![EventType::SPACE_CREATED]));
    assert_ne!(other.secret, made.secret);
    assert_eq!(hooks.list().await.unwrap(), [made.clone(), other.clone()]);
    hooks.update(other.webhook_id, vec![EventType::SPACE_DELETED, EventType::ANY]).await.unwrap();
    assert_eq!(hooks.get(other.webhook_id).await.unwrap().event_types.unwrap().len(), 2);

    hooks.delete(made.webhook_id).await.unwrap();
    assert_eq!(hooks.list().await.unwrap().len(), 1);
    for gone in [hooks.get(made.webhook_id).await.map(drop), hooks.delete(made.webhook_id).await, hooks.resume(made.webhook_id).await] {
        assert_eq!(gone.unwrap_err().code(), "webhook_not_found");
    }
    // Another workspace does not see it.
    let seam = seam_core::Seam::new(std::sync::Arc::clone(&s.store), s.vault.clone());
    let foreign = seam.create_workspace("Other", false).await.unwrap();
    assert_eq!(foreign.webhooks().get(other.webhook_id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(foreign.webhooks().delete(other.webhook_id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(foreign.webhooks().list().await.unwrap().is_empty());
}

#[tokio::test]
async fn types_that_do_not_exist_are_refused() {
    let s = stage().await;
    let hook = s.hook().await;
    for bad in [vec![], vec![EventType::from("space.exploded")], vec![EventType::ANY, EventType::from("")]] {
        let e = s.ws.webhooks().create("https://a.example", Some(bad.clone())).await.unwrap_err();
        assert_eq!((e.code(), e.field()), ("invalid_event_types", Some("event_types")));
        let e = s.ws.webhooks().update(hook.webhook_id, bad).await.unwrap_err();
        assert_eq!(e.code(), "invalid_event_types");
    }
    assert_eq!(s.ws.webhooks().create("https://user:pw@a.example", None).await.unwrap_err().field(), Some("url"));
    assert_eq!(s.ws.webhooks().list().await.unwrap(), [hook]);
}

#[tokio::test]
async fn only_what_is_subscribed_to_is_sent_and_only_from_now_on() {
    let s = stage().await;
    s.tell(&[1]).await;
    let hook = s.ws.webhooks().create("https://a.example", Some(vec![EventType::SPACE_DELETED])).await.unwrap();
    s.tell(&[2]).await;
    s.tell_as(&[3], "space.deleted").await;
    s.round().await;
    let got = s.receiver.take();
    assert_eq!(got.iter().map(Got::n).collect::<Vec<_>>(), [2]);
    // The body is the event as the event stream gives it.
    let stream = s.ws.events().list(0, 100).await.unwrap();
    let event = stream.iter().find(|(_, e)| e.event_type == EventType::SPACE_DELETED).unwrap();
    assert_eq!(got[0].json(), serde_json::to_value(&event.1).unwrap());
    assert_eq!(got[0].id(), event.1.event_id.to_string());
    assert_eq!(got[0].headers["content-type"], "application/json");
    s.ws.webhooks().update(hook.webhook_id, vec![EventType::ANY]).await.unwrap();
    s.tell(&[4]).await;
    s.round().await;
    assert_eq!(s.receiver.numbers(), [3]);
}

#[tokio::test]
async fn without_a_transport_events_wait_and_that_is_seen() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    let deaf = engine(&s.store, &s.vault, None, 3);
    s.tell(&[1, 2]).await;
    assert_eq!(deaf.round().await.unwrap(), None);
    let state = s.state(hook).await;
    assert_eq!((state.status, state.waiting_since, state.last_delivered_at), (WebhookStatus::Pending, Some(s.clock.now()), None));
    s.clock.advance(Duration::days(1));
    s.round().await;
    assert_eq!(s.receiver.numbers(), [0, 1]);
    let state = s.state(hook).await;
    assert_eq!((state.status, state.last_delivered_at), (WebhookStatus::UpToDate, Some(s.clock.now())));
}

#[tokio::test]
async fn a_deleted_webhook_is_sent_nothing_more() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.answers(500);
    s.tell(&[1, 2]).await;
    s.round().await;
    assert_eq!(s.receiver.numbers().len(), 2);
    s.ws.webhooks().delete(hook).await.unwrap();
    s.tell(&[3]).await;
    s.pass(Duration::days(2)).await;
    assert_eq!(s.receiver.take(), []);
    assert_eq!(s.round().await, None);
}

#[tokio::test]
async fn replay_begins_where_it_is_told_with_the_same_ids() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.tell(&[1, 2, 3]).await;
    s.round().await;
    let before = s.receiver.take();
    s.clock.advance(Duration::hours(1));
    let noon = s.clock.now();
    s.tell(&[1, 2]).await;
    s.receiver.answers(500);
    s.pass(Duration::days(2)).await;
    assert_eq!(s.state(hook).await.status, WebhookStatus::Parked);
    s.receiver.take();
    s.receiver.answers(200);

    s.ws.webhooks().replay(hook, 1).await.unwrap();
    s.round().await;
    let again = s.receiver.take();
    assert_eq!(again.iter().map(Got::n).collect::<std::collections::BTreeSet<_>>(), [1, 2, 3, 4].into());
    let id = |all: &[Got], n| all.iter().find(|g| g.n() == n).map(|g| g.id().to_owned());
    assert_eq!(id(&again, 1), id(&before, 1));
    s.ws.webhooks().replay_since(hook, noon).await.unwrap();
    s.round().await;
    assert_eq!(s.receiver.numbers().len(), 2);
    assert_eq!(s.state(hook).await.status, WebhookStatus::UpToDate);
    let e = s.ws.webhooks().replay(hook, 1_000_000).await.unwrap_err();
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidInput, Some("after")));
    s.ws.webhooks().replay(hook, 0).await.unwrap();
    s.round().await;
    assert_eq!(s.receiver.numbers().len(), 5);
}

#[tokio::test]
async fn the_same_request_under_a_key_is_the_same_webhook() {
    let s = stage().await;
    let first = s.ws.once("k1").webhooks().create("https://a.example", None).await.unwrap();
    s.tell(&[1]).await;
    let second = s.ws.once("k1").webhooks().create("https://a.example", None).await.unwrap();
    assert_eq!(first, second);
    let e = s.ws.once("k1").webhooks().create("https://b.example", None).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::IdempotencyConflict);
    assert_eq!(s.ws.webhooks().list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_else_moves_the_cursor_of_a_webhook() {
    let s = stage().await;
    let e = s.ws.events().ack("webhook:0193f3a400007000800000000000000a:0", 5).await.unwrap_err();
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidInput, Some("consumer")));
}
