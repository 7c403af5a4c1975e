//! Several engines, and engines that end in the middle of something.
use crate::support::*;
use chrono::Duration;
use seam_core::clock::Clock;
use seam_core::model::WebhookStatus;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::oneshot;

#[tokio::test]
async fn two_engines_send_each_event_once_when_nothing_fails() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    let engines = [s.engine.clone(), engine(&s.store, &s.vault, Some(&s.receiver), 5)];
    let mut stops = Vec::new();
    let mut running = Vec::new();
    for engine in engines {
        let (stop, stopped) = oneshot::channel::<()>();
        stops.push(stop);
        running.push(tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await }));
    }
    for i in 0..200u64 {
        s.tell(&[i % 7, i % 11]).await;
        for _ in 0..i % 5 {
            tokio::task::yield_now().await;
        }
        if i % 10 == 0 {
            s.clock.advance(Duration::milliseconds(150));
        }
    }
    while s.receiver.got().len() < 400 {
        s.clock.advance(Duration::milliseconds(20));
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    drop(stops);
    for r in running {
        r.await.unwrap().unwrap();
    }
    let got = s.receiver.take();
    let once: BTreeSet<&str> = got.iter().map(Got::id).collect();
    assert_eq!((got.len(), once.len()), (400, 400));
    assert_eq!(s.state(hook).await.status, WebhookStatus::UpToDate);
}

#[tokio::test]
async fn a_crash_between_send_and_ack_sends_again_with_the_same_id() {
    let s = stage().await;
    s.hook().await;
    s.tell(&[1]).await;
    // The receiver has the event; the engine never hears of it.
    s.receiver.rule(|_| Do::Hang);
    {
        let dying = engine(&s.store, &s.vault, Some(&s.receiver), 5);
        let mut round = Box::pin(dying.round());
        while s.receiver.got().is_empty() {
            assert!(futures_util::poll!(&mut round).is_pending());
        }
    }
    s.receiver.answers(200);
    // The other engine waits for the lease, and takes over by itself.
    let next = s.round().await.unwrap();
    assert_eq!((next - s.clock.now()).num_seconds(), 60);
    assert_eq!(s.receiver.got().len(), 1);
    s.pass(Duration::seconds(60)).await;
    let got = s.receiver.take();
    assert_eq!(got.len(), 2);
    assert_eq!((got[0].id(), &got[0].body), (got[1].id(), &got[1].body));
}

#[tokio::test]
async fn an_engine_that_stops_finishes_what_it_sends_and_begins_nothing() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.rule(|_| Do::Hang);
    s.tell(&[1, 1]).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let engine = s.engine.clone();
    let running = tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await });
    while s.receiver.got().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(stop);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished());
    s.clock.advance(Duration::seconds(15));
    running.await.unwrap().unwrap();
    assert_eq!(s.receiver.numbers(), [0]);
    assert_eq!(s.state(hook).await.lines[0].attempts, 1, "what came of it is written down");
}

#[tokio::test]
async fn a_rotation_and_a_deletion_reach_an_engine_at_work() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.rule(|g| if g.n() == 0 { Do::Hang } else { Do::Answer(200) });
    s.tell(&[1]).await;
    let engine = s.engine.clone();
    let running = tokio::spawn(async move { engine.round().await.unwrap() });
    let until = async |n: usize| {
        while s.receiver.got().len() < n {
            tokio::task::yield_now().await;
        }
    };
    until(1).await;
    s.ws.webhooks().rotate_secret(hook, std::time::Duration::from_secs(60)).await.unwrap();
    s.tell(&[2]).await;
    until(2).await;
    assert_eq!(s.receiver.got()[1].headers["svix-signature"].split(' ').count(), 2);
    s.ws.webhooks().delete(hook).await.unwrap();
    s.tell(&[3]).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    s.clock.advance(Duration::seconds(15));
    running.await.unwrap();
    assert_eq!(s.receiver.take().len(), 2);
}

/// The engine's own work goes on beside an endpoint that hangs.
#[tokio::test]
async fn a_webhook_of_another_workspace_is_served_too() {
    let s = stage().await;
    s.hook().await;
    let seam = seam_core::Seam::new(Arc::clone(&s.store), s.vault.clone());
    let other = seam.create_workspace("Other", false).await.unwrap();
    other.webhooks().create("https://other.example", None).await.unwrap();
    other.spaces().create(seam_core::NewSpace::builder().name("Hall").build()).await.unwrap();
    s.tell(&[1]).await;
    s.round().await;
    let urls: BTreeSet<String> = s.receiver.take().into_iter().map(|g| format!("{} {}", g.url, g.json()["workspace_id"])).collect();
    let wanted = [format!("https://other.example \"{}\"", other.id()), format!("https://receiver.example/hook \"{}\"", s.ws.id())];
    assert_eq!(urls, wanted.into());
}
