//! In which order events come: per person, else per resource, whatever fails.
use crate::support::*;
use chrono::Duration;
use proptest::prelude::*;
use seam_core::clock::Clock;
use seam_core::model::WebhookStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

#[tokio::test]
async fn later_events_of_a_key_wait_and_others_go_on() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.rule(|g| Do::Answer(if g.key() == 1 { 500 } else { 200 }));
    s.tell(&[1, 2, 1, 3]).await;
    s.round().await;
    s.tell(&[2, 1, 4]).await;
    s.round().await;
    let mut numbers = s.receiver.numbers();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 3, 4, 6]);
    let state = s.state(hook).await;
    assert_eq!((state.status, state.lines.len(), state.lines[0].from), (WebhookStatus::Retrying, 1, 1));
    assert_eq!(state.waiting_since, None, "the cursor has passed over what stands in the line");

    s.receiver.answers(200);
    s.pass(Duration::seconds(5)).await;
    assert_eq!(s.receiver.numbers(), [0, 2, 5]);
    assert_eq!(s.state(hook).await.status, WebhookStatus::UpToDate);
}

#[tokio::test]
async fn as_many_lines_as_there_may_be_stop_the_reading_and_lose_nothing() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    s.receiver.answers(503);
    let keys: Vec<u64> = (0..500).collect();
    s.tell(&keys).await;
    s.round().await;
    let tried: BTreeSet<u64> = s.receiver.numbers().into_iter().collect();
    assert!((32..40).contains(&tried.len()), "{}", tried.len());
    let state = s.state(hook).await;
    assert_eq!(state.lines.len(), tried.len());
    assert!(state.waiting_since.is_some());
    s.receiver.answers(200);
    s.pass(Duration::seconds(5)).await;
    let sent: BTreeSet<u64> = s.receiver.numbers().into_iter().collect();
    assert_eq!(sent.len(), 500);
    assert_eq!(s.state(hook).await.status, WebhookStatus::UpToDate);
}

#[tokio::test]
async fn a_hung_endpoint_delays_neither_another_nor_other_persons() {
    let s = stage().await;
    s.hook().await;
    let hung = s.ws.webhooks().create("https://hung.example/hook", None).await.unwrap().webhook_id;
    s.receiver.rule(|g| if g.url.contains("hung") && g.key() == 1 { Do::Hang } else { Do::Answer(200) });
    s.tell(&[1, 1, 2]).await;
    let (clock, engine) = (std::sync::Arc::clone(&s.clock), s.engine.clone());
    let running = tokio::spawn(async move { engine.round().await.unwrap() });
    let sent = |host: &str| s.receiver.got().iter().filter(|g| g.url.contains(host)).map(Got::n).collect::<BTreeSet<_>>();
    while sent("receiver").len() < 3 || sent("hung").len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(clock.now(), at("2026-03-02T08:00:00Z"), "no time has passed");
    assert_eq!(sent("hung"), [0, 2].into());
    // New events reach it too while the first still hangs.
    s.tell(&[3]).await;
    while !sent("hung").contains(&3) {
        tokio::task::yield_now().await;
    }
    s.clock.advance(Duration::seconds(15));
    running.await.unwrap();
    let failure = s.state(hung).await.last_failure.unwrap();
    assert_eq!((failure.http_status, failure.at), (None, at("2026-03-02T08:00:15Z")));
    assert!(failure.message.contains("no answer"));
}

#[tokio::test]
async fn a_transport_that_keeps_no_limit_is_given_up_too() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    // It answers never: the receiver waits for ever instead of for its limit.
    #[derive(Debug)]
    struct Never;
    #[async_trait::async_trait]
    impl seam_core::provider::HttpTransport for Never {
        async fn send(
            &self,
            _: seam_core::provider::HttpRequest,
        ) -> Result<seam_core::provider::HttpResponse, seam_core::provider::Failure> {
            std::future::pending().await
        }
    }
    let mut config = seam_core::EngineConfig::default();
    config.webhooks = Some(std::sync::Arc::new(Never));
    let engine = seam_core::Engine::new(std::sync::Arc::clone(&s.store), s.vault.clone(), Vec::new(), config);
    s.tell(&[1]).await;
    let running = tokio::spawn(async move { engine.round().await.unwrap() });
    while s.clock.next_wake().is_none() {
        tokio::task::yield_now().await;
    }
    s.clock.advance(Duration::seconds(20));
    running.await.unwrap();
    assert_eq!(s.state(hook).await.status, WebhookStatus::Retrying);
}

/// An oracle that knows nothing of lines and cursors: in what was answered with 200, the first time of each event, the numbers of a key rise without a
/// gap; and everything arrives in the end.
fn check(got: &[(u64, u64, bool)], told: &[u64]) {
    let mut next: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (n, key) in told.iter().enumerate() {
        next.entry(*key).or_default().push(n as u64);
    }
    let mut seen = BTreeSet::new();
    for (n, key, taken) in got {
        let wanted = next[key].iter().find(|n| !seen.contains(*n)).copied();
        if !seen.contains(n) {
            assert_eq!(Some(*n), wanted, "key {key}: an event was sent before the one ahead of it was taken");
        }
        if *taken {
            seen.insert(*n);
        }
    }
    assert_eq!(seen.len(), told.len(), "everything arrives");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_fails_the_order_of_a_key_holds_and_everything_arrives(
        batches in proptest::collection::vec(proptest::collection::vec(0u64..40, 1..60), 1..8),
        fails in proptest::collection::vec(any::<bool>(), 1..400),
        crashes in proptest::collection::vec(0u8..4, 8),
    ) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let s = stage().await;
            s.hook().await;
            // Each event fails three times at most: none is given up.
            let script = Mutex::new((fails.into_iter(), BTreeMap::<u64, u32>::new()));
            let taken = std::sync::Arc::new(Mutex::new(Vec::new()));
            let log = std::sync::Arc::clone(&taken);
            s.receiver.rule(move |g| {
                let mut script = script.lock().unwrap();
                let failed = *script.1.entry(g.n()).or_default();
                let fails = failed < 3 && script.0.next().unwrap_or(false);
                script.1.insert(g.n(), failed + u32::from(fails));
                log.lock().unwrap().push((g.n(), g.key(), !fails));
                Do::Answer(if fails { 500 } else { 200 })
            });
            let mut told = Vec::new();
            for (batch, crash) in batches.iter().zip(crashes) {
                s.tell(batch).await;
                told.extend(batch.iter().copied());
                if crash == 0 {
                    // The engine is gone in the middle of its work; another takes over when the lease has run out.
                    let dying = engine(&s.store, &s.vault, Some(&s.receiver), 9);
                    let mut round = Box::pin(dying.round());
                    for _ in 0..3 {
                        if futures_util::poll!(&mut round).is_ready() {
                            break;
                        }
                    }
                    drop(round);
                }
                s.pass(Duration::minutes(3)).await;
            }
            s.pass(Duration::hours(40)).await;
            check(&taken.lock().unwrap(), &told);
        });
    }
}
