//! What whole-engine tests of vendors stand on: a workspace over the memory store that is connected to a fake, an engine, and a clock that moves only when
//! it is told to, or while somebody waits.
#![allow(dead_code, reason = "each test program uses a part of it")]
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{ActionAttempt, ActionAttemptId, ConnectedAccountId};
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{
    AccessGrant, AccessMethod, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod,
    Seam, Who, Workspace,
};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const CARD: &[AccessMethodMode] = &[AccessMethodMode::Card];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The clock of all fakes: a Sunday morning in a week of a change of clocks nowhere.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at("2026-03-01T08:00:00Z")))
}

/// Makes the factories anew, as a process does that starts.
pub(crate) type Factories = Arc<dyn Fn() -> Vec<Arc<dyn ProviderFactory>> + Send + Sync>;

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ws: Workspace,
    pub(crate) engine: Engine,
    store: Arc<dyn Store>,
    factories: Factories,
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").finish_non_exhaustive()
    }
}

fn vault() -> Vault {
    Vault::new(Arc::new(StaticKeys::new([7; 32])))
}

fn engine(store: &Arc<dyn Store>, factories: &Factories) -> Engine {
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    Engine::new(Arc::clone(store), vault(), factories(), config)
}

impl House {
    pub(crate) async fn new(clock: Arc<ManualClock>, factories: Factories, kind: &str, settings: &serde_json::Value) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let seam = Seam::with_options(Arc::clone(&store), vault(), "https://keys.example", Some(1));
        let ws = seam.create_workspace("Grand", true).await.unwrap();
        ws.connected_accounts().connect(kind, settings).await.unwrap();
        let house = Self { clock, ws, engine: engine(&store, &factories), store, factories };
        house.settle().await;
        house
    }
    /// Lets the engine work. While it waits for somebody, time passes.
    pub(crate) async fn settle(&self) {
        let mut round = std::pin::pin!(self.engine.round());
        loop {
            match tokio::time::timeout(Duration::from_millis(30), round.as_mut()).await {
                Ok(done) => {
                    done.unwrap();
                    return;
                }
                Err(_) => self.clock.advance(TimeDelta::seconds(1)),
            }
        }
    }
    /// Time passes, and the engine works at every instant at which something is due.
    pub(crate) async fn go(&self, until: DateTime<Utc>) {
        while let Some(next) = self.engine.round().await.unwrap().filter(|next| *next <= until) {
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(until.max(self.clock.now()));
        self.settle().await;
    }
    pub(crate) async fn later(&self, minutes: i64) {
        self.go(self.clock.now() + TimeDelta::minutes(minutes)).await;
    }
    /// The engine works until a request has reached the server, and is killed then. Whatever comes of the request, nobody hears of it.
    pub(crate) async fn crash_after(&mut self, before: u64, requests: impl Fn() -> u64) {
        {
            let mut round = std::pin::pin!(self.engine.round());
            for _ in 0..400 {
                if tokio::time::timeout(Duration::from_millis(5), round.as_mut()).await.is_ok() || requests() > before {
                    break;
                }
            }
            assert!(requests() > before, "no request has arrived");
        }
        self.restart();
    }
    /// The engine works against a server whose answers wait for the clock, until that has moved so many times, and is killed once no request arrives any more.
    pub(crate) async fn crash_between(&mut self, moves: usize, arrived: impl Fn() -> u64) {
        {
            let mut round = std::pin::pin!(self.engine.round());
            until_quiet(&self.clock, moves, arrived, round.as_mut()).await;
        }
        self.restart();
    }
    /// The same, but it works on: what it waits for is cut off.
    pub(crate) async fn cut_off_between(&self, moves: usize, arrived: impl Fn() -> u64, cut: impl Future<Output = ()>) {
        let mut round = std::pin::pin!(self.engine.round());
        if until_quiet(&self.clock, moves, arrived, round.as_mut()).await {
            return cut.await;
        }
        cut.await;
        while tokio::time::timeout(Duration::from_millis(30), round.as_mut()).await.is_err() {
            self.clock.advance(TimeDelta::seconds(1));
        }
    }
    /// The process is killed and started again.
    pub(crate) fn restart(&mut self) {
        self.engine = engine(&self.store, &self.factories);
    }
    pub(crate) async fn door(&self, name: &str) -> AcsEntranceId {
        self.ws.acs().entrances().by_name(name).await.unwrap().acs_entrance_id
    }
    pub(crate) async fn encoder(&self, name: &str) -> AcsEncoderId {
        self.ws.acs().encoders().by_name(name).await.unwrap().acs_encoder_id
    }
    pub(crate) async fn account(&self) -> ConnectedAccountId {
        self.ws.connected_accounts().list(None, 1).await.unwrap().items[0].connected_account_id
    }
    /// Reads the account again, now.
    pub(crate) async fn rescan(&self) {
        self.ws.connected_accounts().rescan(self.account().await).await.unwrap();
        self.settle().await;
    }
    pub(crate) async fn wish(
        &self,
        who: &str,
        doors: &[&str],
        modes: &[AccessMethodMode],
        stay: Option<&str>,
        from: &str,
        to: &str,
    ) -> NewGrant {
        let mut ids = Vec::new();
        for door in doors {
            ids.push(self.door(door).await);
        }
        let methods: Vec<NewMethod> = modes.iter().cloned().map(NewMethod::new).collect();
        let new = NewGrant::builder().who(Who::named(who)).entrances(ids).starts_at(at(from)).ends_at(at(to)).methods(methods);
        match stay {
            Some(stay) => new.reservation(stay).build(),
            None => new.build(),
        }
    }
    pub(crate) async fn grant(&self, new: NewGrant) -> AccessGrant {
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.settle().await;
        made
    }
    pub(crate) async fn methods(&self, grant: &AccessGrant) -> Vec<AccessMethod> {
        self.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap()
    }
    pub(crate) async fn method(&self, grant: &AccessGrant, mode: &AccessMethodMode) -> AccessMethod {
        self.methods(grant).await.into_iter().find(|m| m.mode == *mode).unwrap()
    }
    pub(crate) async fn card(&self, grant: &AccessGrant) -> AccessMethodId {
        self.method(grant, &AccessMethodMode::Card).await.access_method_id
    }
    /// Asks for a card to be written at an encoder, and lets the engine work.
    pub(crate) async fn encode_at(&self, encoder: &str, method: AccessMethodId) -> ActionAttempt {
        let asked = self.ws.access_methods().encode(method, self.encoder(encoder).await).await.unwrap();
        self.settle().await;
        self.attempt(asked.action_attempt_id).await
    }
    /// Reads the card that lies on an encoder.
    pub(crate) async fn scan_at(&self, encoder: &str) -> ActionAttempt {
        let asked = self.ws.acs().encoders().scan_credential(self.encoder(encoder).await, Duration::from_secs(30)).await.unwrap();
        self.settle().await;
        self.attempt(asked.action_attempt_id).await
    }
    pub(crate) async fn attempt(&self, id: ActionAttemptId) -> ActionAttempt {
        self.ws.action_attempts().get(id).await.unwrap()
    }
    pub(crate) async fn questions(&self) -> usize {
        self.ws.questions().await.unwrap().len()
    }
}

/// Whether the round was over before the clock had moved so many times, and nobody had asked anything for a while: a server on this host answers long before.
async fn until_quiet(clock: &ManualClock, moves: usize, arrived: impl Fn() -> u64, mut round: Pin<&mut impl Future>) -> bool {
    let (mut moved, mut quiet, mut seen) = (0, 0, arrived());
    loop {
        if tokio::time::timeout(Duration::from_millis(5), round.as_mut()).await.is_ok() {
            return true;
        }
        quiet = if arrived() > seen { 0 } else { quiet + 1 };
        seen = arrived();
        match quiet < 8 {
            true => {}
            false if moved == moves => return false,
            false => {
                (moved, quiet) = (moved + 1, 0);
                clock.advance(TimeDelta::seconds(1));
            }
        }
    }
}
