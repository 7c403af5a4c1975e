//! A workspace that is connected to a fake.
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{AccessMethod, ActionAttempt, ActionStatus};
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{
    AccessGrant, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who,
    Workspace,
};
use seam_providers::http::HttpClient;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SimCard, SpaceSim, SpaceSimOptions};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const CARD: &[AccessMethodMode] = &[AccessMethodMode::Card];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ws: Workspace,
    pub(crate) engine: Engine,
    store: Arc<dyn Store>,
}

fn engine(store: &Arc<dyn Store>) -> Engine {
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    let http = Arc::new(HttpClient::for_providers().unwrap());
    let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(SpaceFactory::default()), Arc::new(KsFactory::new(http))];
    Engine::new(Arc::clone(store), Vault::new(Arc::new(StaticKeys::new([7; 32]))), factories, config)
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at("2026-03-01T08:00:00Z")))
}

impl House {
    pub(crate) async fn new(clock: Arc<ManualClock>, kind: &str, settings: &serde_json::Value) -> Self {
        let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(told));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let seam = Seam::with_options(Arc::clone(&store), vault, "https://keys.example", Some(1));
        let ws = seam.create_workspace("Grand", true).await.unwrap();
        ws.connected_accounts().connect(kind, settings).await.unwrap();
        let house = Self { clock, ws, engine: engine(&store), store };
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
            self.clock.set(next);
        }
        self.clock.set(until);
        self.settle().await;
    }
    /// The process is killed and started again.
    pub(crate) fn restart(&mut self) {
        self.engine = engine(&self.store);
    }
    pub(crate) async fn door(&self, name: &str) -> AcsEntranceId {
        self.ws.acs().entrances().by_name(name).await.unwrap().acs_entrance_id
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
    pub(crate) async fn card(&self, grant: &AccessGrant) -> AccessMethodId {
        self.methods(grant).await.iter().find(|m| m.mode == AccessMethodMode::Card).unwrap().access_method_id
    }
    pub(crate) async fn encoder(&self, name: &str) -> AcsEncoderId {
        self.ws.acs().encoders().by_name(name).await.unwrap().acs_encoder_id
    }
}

/// A hotel with the PMS interface.
pub(crate) struct Hotel {
    pub(crate) house: House,
    pub(crate) sim: SpaceSim,
}

impl std::ops::Deref for Hotel {
    type Target = House;
    fn deref(&self) -> &House {
        &self.house
    }
}

pub(crate) async fn hotel(change: impl FnOnce(&mut SpaceSimOptions)) -> Hotel {
    let clock = clock();
    let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, chrono_tz::Europe::Madrid);
    options.card_wait = Duration::from_secs(20);
    change(&mut options);
    let sim = SpaceSim::start(options).await.unwrap();
    let house = House::new(clock, "salto_space", &sim.pms_settings()).await;
    Hotel { house, sim }
}

impl Hotel {
    pub(crate) async fn guest(&self, who: &str, doors: &[&str], stay: &str, from: &str, to: &str) -> AccessGrant {
        self.grant(self.wish(who, doors, CARD, Some(stay), from, to).await).await
    }
    /// Asks for a card to be written, and lets the engine work.
    pub(crate) async fn try_encode(&self, method: AccessMethodId, plastic: Option<&SimCard>) -> ActionAttempt {
        self.sim.take("Desk 1");
        if let Some(plastic) = plastic {
            self.sim.lay("Desk 1", plastic);
        }
        let asked = self.ws.access_methods().encode(method, self.encoder("Desk 1").await).await.unwrap();
        self.settle().await;
        self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap()
    }
    pub(crate) async fn encode(&self, method: AccessMethodId) -> SimCard {
        let plastic = self.sim.blank_card();
        let done = self.try_encode(method, Some(&plastic)).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        plastic
    }
    pub(crate) fn opens(&self, door: &str, card: &SimCard) -> bool {
        self.sim.present(door, card).is_open()
    }
}
