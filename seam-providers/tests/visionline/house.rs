//! A hotel at a fake Visionline server.
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{ActionAttempt, ActionStatus};
use seam_core::provider::{Failure, ProviderFactory, Tag};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{
    AccessGrant, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who,
    Workspace,
};
use seam_providers::visionline::sim::{HotelPlan, Plastic, VisionlineSim};
use seam_providers::visionline::{MobileEndpoints, VisionlineFactory};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const CARD: &[AccessMethodMode] = &[AccessMethodMode::Card];

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sim: Arc<VisionlineSim>,
    pub(crate) ws: Workspace,
    pub(crate) engine: Engine,
    store: Arc<dyn Store>,
}

/// One phone, which is enrolled.
#[derive(Debug)]
struct OnePhone;

pub(crate) const PHONE: &str = "the-phone";

#[async_trait]
impl MobileEndpoints for OnePhone {
    async fn endpoint(&self, _: &Tag, _: &str) -> Result<Option<String>, Failure> {
        Ok(Some(PHONE.to_owned()))
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn engine(store: &Arc<dyn Store>) -> Engine {
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(VisionlineFactory::new().with_endpoints(Arc::new(OnePhone)))];
    Engine::new(Arc::clone(store), Vault::new(Arc::new(StaticKeys::new([7; 32]))), factories, config)
}

pub(crate) async fn house(change: impl FnOnce(&mut serde_json::Value)) -> House {
    house_with(HotelPlan::of(3, chrono_tz::Europe::Berlin), change).await
}

pub(crate) async fn house_with(plan: HotelPlan, change: impl FnOnce(&mut serde_json::Value)) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-03-01T08:00:00Z")));
    let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let sim = Arc::new(VisionlineSim::start(plan, Arc::clone(&told)).await.unwrap());
    sim.enrol(PHONE);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(told));
    let seam = Seam::with_options(Arc::clone(&store), Vault::new(Arc::new(StaticKeys::new([7; 32]))), "https://keys.example", Some(1));
    let ws = seam.create_workspace("Grand", true).await.unwrap();
    let mut settings = sim.settings();
    change(&mut settings);
    ws.connected_accounts().connect("visionline", &settings).await.unwrap();
    let house = House { clock, sim, ws, engine: engine(&store), store };
    house.settle().await;
    house
}

impl House {
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
    pub(crate) async fn encoder(&self) -> AcsEncoderId {
        self.ws.acs().encoders().by_name("Desk1").await.unwrap().acs_encoder_id
    }
    pub(crate) async fn wish(&self, who: &str, doors: &[&str], modes: &[AccessMethodMode], stay: &str, from: &str, to: &str) -> NewGrant {
        let mut ids = Vec::new();
        for door in doors {
            ids.push(self.door(door).await);
        }
        NewGrant::builder()
            .who(Who::named(who))
            .entrances(ids)
            .starts_at(at(from))
            .ends_at(at(to))
            .methods(modes.iter().cloned().map(NewMethod::new).collect::<Vec<_>>())
            .reservation(stay)
            .build()
    }
    pub(crate) async fn grant(&self, new: NewGrant) -> AccessGrant {
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.settle().await;
        made
    }
    pub(crate) async fn method(&self, grant: &AccessGrant) -> AccessMethodId {
        let methods = self.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
        methods.iter().find(|m| m.mode == AccessMethodMode::Card).unwrap().access_method_id
    }
    /// Asks for a card to be written, and lets the engine work.
    pub(crate) async fn try_encode(&self, method: AccessMethodId, plastic: Option<&Plastic>) -> ActionAttempt {
        self.sim.clear("Desk1");
        if let Some(plastic) = plastic {
            self.sim.lay("Desk1", plastic);
        }
        let asked = self.ws.access_methods().encode(method, self.encoder().await).await.unwrap();
        self.settle().await;
        self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap()
    }
    pub(crate) async fn encode(&self, method: AccessMethodId) -> Plastic {
        let plastic = self.sim.blank_card();
        let done = self.try_encode(method, Some(&plastic)).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        plastic
    }
    pub(crate) fn opens(&self, door: &str, card: &Plastic) -> bool {
        self.sim.present(door, card).opened
    }
}
