//! A workspace, engines, and a receiver in place of the network.
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{EventType, Webhook, WebhookId, WorkspaceId};
use seam_core::provider::{Failure, HttpRequest, HttpResponse, HttpTransport, Reason};
use seam_core::state::{Actor, Audit, Changeset, EventDraft};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{Engine, EngineConfig, Seam, Workspace};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// What a receiver was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Got {
    pub(crate) url: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    /// The number that the test gave the event.
    pub(crate) fn n(&self) -> u64 {
        self.json()["n"].as_u64().unwrap()
    }
    pub(crate) fn key(&self) -> u64 {
        self.json()["key"].as_u64().unwrap()
    }
    pub(crate) fn id(&self) -> &str {
        &self.headers["svix-id"]
    }
}

/// What a receiver does.
pub(crate) enum Do {
    Answer(u16),
    RetryAfter(u16, &'static str),
    Fail(Failure),
    /// It never answers.
    Hang,
}

type Rule = Box<dyn Fn(&Got) -> Do + Send + Sync>;

pub(crate) struct Receiver {
    clock: Arc<ManualClock>,
    rule: Mutex<Rule>,
    got: Mutex<Vec<Got>>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl Receiver {
    pub(crate) fn rule(&self, rule: impl Fn(&Got) -> Do + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }
    pub(crate) fn answers(&self, status: u16) {
        self.rule(move |_| Do::Answer(status));
    }
    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
    /// What was sent since the last call.
    pub(crate) fn take(&self) -> Vec<Got> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.take().iter().map(Got::n).collect()
    }
}

#[async_trait]
impl HttpTransport for Receiver {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        assert_eq!(request.method.as_str(), "POST");
        let headers = request.headers.iter().cloned().collect();
        let got = Got { url: request.url.clone(), at: self.clock.now(), headers, body: request.body.clone() };
        let action = (self.rule.lock().unwrap())(&got);
        self.got.lock().unwrap().push(got);
        match action {
            Do::Answer(status) => Ok(HttpResponse::new(status)),
            Do::RetryAfter(status, after) => Ok(HttpResponse::new(status).with_header("retry-after", after)),
            Do::Fail(failure) => Err(failure),
            Do::Hang => {
                self.clock.sleep_until(self.clock.now() + Duration::from_std(request.within).unwrap()).await;
                Err(Failure::unknown(Reason::TimedOut, "no answer in time"))
            }
        }
    }
}

pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Vault,
    pub(crate) ws: Workspace,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) engine: Engine,
    next: AtomicU64,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) async fn stage() -> Stage {
    let clock = Arc::new(ManualClock::new(at("2026-03-02T08:00:00Z")));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
    on(clock, store).await
}

pub(crate) async fn on(clock: Arc<ManualClock>, store: Arc<dyn Store>) -> Stage {
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let seam = Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.example", Some(1));
    let ws = seam.create_workspace("Aurora", true).await.unwrap();
    let receiver = Arc::new(Receiver { clock: Arc::clone(&clock), rule: Mutex::new(Box::new(|_| Do::Answer(204))), got: Mutex::default() });
    let engine = engine(&store, &vault, Some(&receiver), 2);
    Stage { clock, store, vault, ws, receiver, engine, next: AtomicU64::new(0) }
}

pub(crate) fn engine(store: &Arc<dyn Store>, vault: &Vault, receiver: Option<&Arc<Receiver>>, seed: u64) -> Engine {
    let mut config = EngineConfig::default();
    config.seed = Some(seed);
    config.webhooks = receiver.map(|r| Arc::clone(r) as Arc<dyn HttpTransport>);
    Engine::new(Arc::clone(store), vault.clone(), Vec::new(), config)
}

impl Stage {
    pub(crate) async fn hook(&self) -> Webhook {
        self.ws.webhooks().create("https://receiver.example/hook", None).await.unwrap()
    }
    /// Tells events of these keys, numbered on, in one commit.
    pub(crate) async fn tell(&self, keys: &[u64]) {
        self.tell_as(keys, EventType::SPACE_CREATED.as_str()).await;
    }
    pub(crate) async fn tell_as(&self, keys: &[u64], event_type: &str) {
        tell(&*self.store, self.ws.id(), self.clock.now(), &self.next, keys, event_type).await;
    }
    /// Everything that is due now is done.
    pub(crate) async fn round(&self) -> Option<DateTime<Utc>> {
        self.engine.round().await.unwrap()
    }
    /// Time passes; the engine works at every instant in between at which something is due.
    pub(crate) async fn pass(&self, time: Duration) {
        let until = self.clock.now() + time;
        while let Some(next) = self.round().await.filter(|next| *next <= until) {
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(until);
        self.round().await;
    }
    pub(crate) async fn state(&self, id: WebhookId) -> seam_core::model::WebhookState {
        self.ws.webhooks().state(id).await.unwrap()
    }
}

pub(crate) async fn tell(store: &dyn Store, ws: WorkspaceId, now: DateTime<Utc>, next: &AtomicU64, keys: &[u64], event_type: &str) {
    let mut ids = (0..).map(|i: u64| {
        let n = next.load(SeqCst) * 1000 + i;
        uuid::Builder::from_unix_timestamp_millis(
            now.timestamp_millis().unsigned_abs(),
            &[&n.to_be_bytes()[..], &[1, 2]].concat().try_into().unwrap(),
        )
        .into_uuid()
    });
    let events = keys.iter().map(|key| {
        let Value::Object(payload) = json!({ "key": key, "n": next.fetch_add(1, SeqCst) }) else { unreachable!() };
        let order_key = Uuid::from_u128(u128::from(*key) + 1);
        EventDraft { id: ids.next().unwrap().into(), event_type: event_type.to_owned(), at: now, order_key, payload }
    });
    let events: Vec<EventDraft> = events.collect();
    let audit = Audit { actor: Actor::Engine, reason: None, what: "test".to_owned(), subject: None, at: now };
    let set = Changeset { id: ids.next().unwrap().into(), workspace: ws, only_if: Vec::new(), put: Vec::new(), events, audit };
    store.commit(set).await.unwrap();
}
