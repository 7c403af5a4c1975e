//! A workspace over the memory store, an engine and virtual sites, with a clock that moves when it is told to.
#![allow(dead_code, reason = "each test program uses a part of it")]
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::engine::CallObserver;
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AcsEntranceId, Engine, EngineConfig, Seam, Workspace};
use seam_providers::sandbox::{SandboxFactory, SiteConfig, World};
use std::sync::Arc;

pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) world: World,
    pub(crate) seam: Seam,
    pub(crate) ws: Workspace,
    pub(crate) engine: Engine,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Monday, 2 March 2026, 08:00 UTC.
pub(crate) const MORNING: &str = "2026-03-02T08:00:00Z";

/// A workspace that is connected to one site, and what watches its calls.
pub(crate) async fn stage(site: SiteConfig, observer: Option<Arc<dyn CallObserver>>) -> Stage {
    stage_from(MORNING, site, observer).await
}

/// The same, from another instant on.
pub(crate) async fn stage_from(begins: &str, site: SiteConfig, observer: Option<Arc<dyn CallObserver>>) -> Stage {
    stage_with(begins, site, |_, config| config.observer = observer).await
}

/// The same, with an engine that is set up by the test.
pub(crate) async fn stage_with(begins: &str, site: SiteConfig, set_up: impl FnOnce(&World, &mut EngineConfig)) -> Stage {
    stage_over(begins, site, |clock| Arc::new(MemoryStore::new(clock as Arc<dyn Clock>)), set_up).await
}

/// The same, over another store.
pub(crate) async fn stage_over(
    begins: &str,
    site: SiteConfig,
    store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Store>,
    set_up: impl FnOnce(&World, &mut EngineConfig),
) -> Stage {
    let clock = Arc::new(ManualClock::new(at(begins)));
    let world = World::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let name = site.name.clone();
    world.add(site);
    let store = store(Arc::clone(&clock));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let seam = Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.example", Some(1));
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    set_up(&world, &mut config);
    let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(SandboxFactory::new(world.clone()))];
    let engine = Engine::new(store, vault, factories, config);
    let ws = seam.create_workspace("Aurora", true).await.unwrap();
    let stage = Stage { clock, world, seam, ws, engine };
    stage.connect(&stage.ws, &name).await;
    stage
}

impl Stage {
    pub(crate) async fn connect(&self, ws: &Workspace, site: &str) {
        ws.connected_accounts().connect("sandbox", &serde_json::json!({ "site": site })).await.unwrap();
        self.engine.round().await.unwrap();
    }
    pub(crate) async fn door(&self, name: &str) -> AcsEntranceId {
        self.ws.acs().entrances().by_name(name).await.unwrap().acs_entrance_id
    }
    pub(crate) async fn doors(&self, names: &[&str]) -> Vec<AcsEntranceId> {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.door(name).await);
        }
        ids
    }
    /// Time passes; the engine works at every instant in between at which something is due.
    pub(crate) async fn pass(&self, time: Duration) {
        let until = self.clock.now() + time;
        while let Some(next) = self.engine.round().await.unwrap().filter(|next| *next <= until) {
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(until);
    }
}
