//! Signatures, checked by another implementation; secrets, and where they are not.
use crate::support::*;
use chrono::Duration;
use seam_core::ErrorKind;
use seam_core::provider::{Failure, Reason};
use standardwebhooks::Webhook as Verifier;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration as StdDuration;

/// Whether one of the secrets verifies what was sent; the instant is checked by hand, because the clock of the test is not that of the host.
fn verifies(secret: &str, got: &Got, prefix: &str) -> bool {
    let id = &got.headers[&format!("{prefix}-id")];
    let at: i64 = got.headers[&format!("{prefix}-timestamp")].parse().unwrap();
    assert_eq!(at, got.at.timestamp());
    let signature = Verifier::new(secret).unwrap().sign(id, at, &got.body).unwrap();
    got.headers[&format!("{prefix}-signature")].split(' ').any(|one| one == signature)
}

#[tokio::test]
async fn another_implementation_verifies_both_sets_of_headers() {
    let s = stage().await;
    let hook = s.hook().await;
    let secret = hook.secret.unwrap();
    s.tell(&[1]).await;
    s.round().await;
    let got = s.receiver.take().remove(0);
    for prefix in ["svix", "webhook"] {
        assert!(verifies(secret.expose(), &got, prefix));
        assert!(!verifies("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &got, prefix));
    }
    let mut forged = got.clone();
    forged.body[5] ^= 1;
    assert!(!verifies(secret.expose(), &forged, "svix"));
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_while() {
    let s = stage().await;
    let hook = s.hook().await;
    let old = hook.secret.clone().unwrap();
    let new = s.ws.webhooks().rotate_secret(hook.webhook_id, StdDuration::from_secs(3600)).await.unwrap().secret.unwrap();
    assert_ne!(old, new);
    assert_eq!(s.ws.webhooks().get(hook.webhook_id).await.unwrap().secret, Some(new.clone()));
    let last = async |wait: Duration| {
        s.pass(wait).await;
        s.tell(&[1]).await;
        s.round().await;
        s.receiver.take().remove(0)
    };
    let during = last(Duration::seconds(3599)).await;
    assert_eq!(during.headers["svix-signature"].split(' ').count(), 2);
    assert!(verifies(new.expose(), &during, "svix") && verifies(old.expose(), &during, "webhook"));
    let after = last(Duration::seconds(1)).await;
    assert!(verifies(new.expose(), &after, "svix") && !verifies(old.expose(), &after, "svix"));

    // Without an overlap, the old one signs nothing more.
    let newest = s.ws.webhooks().rotate_secret(hook.webhook_id, StdDuration::ZERO).await.unwrap().secret.unwrap();
    let after = last(Duration::seconds(1)).await;
    assert!(verifies(newest.expose(), &after, "svix") && !verifies(new.expose(), &after, "svix"));
}

#[tokio::test]
async fn no_secret_that_still_signs_is_dropped() {
    let s = stage().await;
    let hook = s.hook().await.webhook_id;
    let rotate = async |days: u64| s.ws.webhooks().rotate_secret(hook, StdDuration::from_secs(days * 86_400)).await;
    for _ in 0..4 {
        rotate(1).await.unwrap();
    }
    let e = rotate(1).await.unwrap_err();
    assert_eq!((e.kind(), e.code()), (ErrorKind::Conflict, "too_many_secrets"));
    assert_eq!(rotate(31).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    s.clock.advance(Duration::days(1));
    rotate(30).await.unwrap();
}

/// A secret is looked for in everything that a database, a log or an error may hold, plain and in base64 of a few kinds.
#[tokio::test]
async fn no_secret_in_rows_audit_events_or_debug() {
    let s = stage().await;
    let hook = s.hook().await;
    let first = hook.secret.clone().unwrap();
    let rotated = s.ws.webhooks().rotate_secret(hook.webhook_id, StdDuration::from_secs(60)).await.unwrap();
    let second = rotated.secret.clone().unwrap();
    s.receiver.answers(500);
    s.tell(&[1]).await;
    s.round().await;
    let rows = s.store.list(s.ws.id(), &seam_core::store::ListQuery::all(seam_core::state::RowKind::Webhook)).await.unwrap();
    let audit = s.store.audit(s.ws.id(), 0, 100).await.unwrap();
    let events = s.store.events(s.ws.id(), 0, 100).await.unwrap();
    let state = s.state(hook.webhook_id).await;
    let texts = [
        format!("{rows:?} {audit:?} {events:?} {hook:?} {rotated:?} {state:?} {:?}", s.engine),
        serde_json::to_string(&(&rows, &audit, &events, &state)).unwrap(),
    ];
    for secret in [first.expose(), second.expose()] {
        let bare = secret.strip_prefix("whsec_").unwrap();
        assert!(texts.iter().all(|text| !text.contains(&bare[..16])), "a secret is plain to see");
    }
    assert_eq!(rows.len(), 1);
}

/// What is logged down to the finest level, while all goes well and while nothing does: no secret of a webhook, no signature, no token that
/// is part of its address, and nothing of the event.
#[tokio::test]
async fn no_secret_in_the_log() {
    const TOKEN: &str = "canary-in-the-path";
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .finish();
    let listening = tracing::subscriber::set_default(subscriber);
    // With one listener alone, a place in the code that another test's thread comes by first would be silent for ever.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());

    let s = stage().await;
    let hook = s.ws.webhooks().create(&format!("https://receiver.example/{TOKEN}"), None).await.unwrap();
    let rotated = s.ws.webhooks().rotate_secret(hook.webhook_id, StdDuration::from_secs(3600)).await.unwrap();
    let told_by_receiver = Failure::nothing(Reason::Offline, "nobody listens");
    s.tell_as(&[1, 2], "canary.event_type").await;
    s.round().await;
    s.receiver.rule(|_| Do::RetryAfter(503, "7"));
    s.tell(&[3]).await;
    s.pass(Duration::minutes(10)).await;
    s.receiver.rule(move |_| Do::Fail(told_by_receiver.clone()));
    s.pass(Duration::days(3)).await;
    let bad = s.ws.webhooks().create(&format!("https://user:{TOKEN}@receiver.example/"), None).await.unwrap_err();
    let unknown =
        s.ws.webhooks().rotate_secret(seam_core::model::WebhookId::from_uuid(uuid::Uuid::nil()), StdDuration::ZERO).await.unwrap_err();
    drop(listening);

    let sent = s.receiver.take();
    let signatures: Vec<String> = sent.iter().map(|got| got.headers["svix-signature"].clone()).collect();
    assert!(signatures.len() > 3, "some were delivered, some tried again and again");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for what in ["seam.delivery", "delivered", "not delivered", "seam.webhook"] {
        assert!(log.contains(what), "no {what} in\n{log}");
    }
    let texts = [log, format!("{bad} {bad:?} {unknown} {unknown:?} {:?} {:?}", s.engine, s.receiver)];
    let secrets =
        [hook.secret.unwrap(), rotated.secret.unwrap()].map(|secret| secret.expose().strip_prefix("whsec_").unwrap()[..16].to_owned());
    let signatures = signatures.iter().flat_map(|all| all.split(' ')).map(|one| one.trim_start_matches("v1,").to_owned());
    for secret in signatures.chain(secrets).chain([TOKEN.to_owned(), "\"key\":1".to_owned()]) {
        for text in &texts {
            assert!(!text.contains(&secret), "{secret} is in\n{text}");
        }
    }
}

/// Where a log is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn no_secret_in_the_database_file() {
    use seam_core::clock::{Clock, ManualClock};
    use seam_core::store::{SqliteStore, Store};
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(at("2026-03-02T08:00:00Z")));
    let file = folder.path().join("seam.db");
    let store = Arc::new(SqliteStore::open(&file, Arc::clone(&clock) as Arc<dyn Clock>).unwrap());
    let s = on(clock, Arc::clone(&store) as Arc<dyn Store>).await;
    let hook = s.ws.webhooks().create("https://receiver.example/canary-in-the-path", None).await.unwrap();
    let secret = s.ws.webhooks().rotate_secret(hook.webhook_id, StdDuration::from_secs(60)).await.unwrap().secret.unwrap();
    s.tell(&[1, 2, 1]).await;
    s.receiver.rule(|g| Do::Answer(if g.key() == 1 { 500 } else { 200 }));
    s.round().await;
    assert_eq!(s.receiver.take().len(), 2);
    store.close().await;
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(has("canary-in-the-path"), "the search finds what is there");
    for secret in [hook.secret.unwrap(), secret] {
        let bare = secret.expose().strip_prefix("whsec_").unwrap();
        assert!(!has(&bare[..12]), "a secret is plain to see");
    }
}
