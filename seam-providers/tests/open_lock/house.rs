//! A hotel with open locks.
use chrono::{DateTime, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::provider::{ProviderFactory, Tag};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{
    AccessGrant, AccessMethod, AccessMethodMode, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace,
};
use seam_providers::open_lock::sim::{Answer, ClockOfDoor, Phone, Site};
use seam_providers::open_lock::{Applicant, Desk, Records};
use std::sync::Arc;

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) site: Site,
    pub(crate) ws: Workspace,
    pub(crate) engine: Engine,
    store: Arc<dyn Store>,
    seeds: std::sync::atomic::AtomicU8,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn engine(store: &Arc<dyn Store>, site: &Site) -> Engine {
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    let factories: Vec<Arc<dyn ProviderFactory>> = vec![site.factory()];
    Engine::new(Arc::clone(store), Vault::new(Arc::new(StaticKeys::new([7; 32]))), factories, config)
}

pub(crate) async fn house() -> House {
    house_of(|site| site).await
}

/// With a site as `fit` makes it.
pub(crate) async fn house_of(fit: impl FnOnce(Site) -> Site) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-03-01T08:00:00Z")));
    let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let site = Site::new(Arc::clone(&told), &["101", "102"], &["gym"], ClockOfDoor::Own).unwrap();
    let site = fit(site);
    site.set_clocks().await.unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(told));
    let seam = Seam::with_options(Arc::clone(&store), Vault::new(Arc::new(StaticKeys::new([7; 32]))), "https://keys.example", Some(1));
    let ws = seam.create_workspace("Grand", true).await.unwrap();
    ws.connected_accounts().connect("open_lock", &site.settings()).await.unwrap();
    let engine = engine(&store, &site);
    let house = House { clock, site, ws, engine, store, seeds: 0.into() };
    house.settle().await;
    house
}

impl House {
    pub(crate) async fn settle(&self) {
        self.engine.round().await.unwrap();
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
        self.engine = engine(&self.store, &self.site);
    }
    /// The process is killed and started again, and the issuer's records are opened anew.
    pub(crate) fn restart_with(self, records: Arc<dyn Records>) -> Self {
        let site = self.site.keeping(records).unwrap();
        Self { engine: engine(&self.store, &site), site, ..self }
    }
    /// A second process at the same store, with its own handle on the issuer's records.
    pub(crate) fn beside(&self, records: Arc<dyn Records>) -> (Engine, Desk) {
        let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let site = Site::new(told, &["101", "102"], &["gym"], ClockOfDoor::Own).unwrap().keeping(records).unwrap();
        (engine(&self.store, &site), site.desk())
    }
    /// What was told of a method, by type, since the house was built.
    pub(crate) async fn told(&self, type_begins: &str) -> Vec<String> {
        let all = self.ws.events().list(0, 1000).await.unwrap();
        all.into_iter().map(|(_, event)| event.event_type.to_string()).filter(|name| name.starts_with(type_begins)).collect()
    }
    /// What is said to be left of withdrawn access: by door, until when.
    pub(crate) async fn left(&self, grant: &AccessGrant) -> Vec<(AcsEntranceId, Option<DateTime<Utc>>)> {
        let kept = self.ws.history(grant.access_grant_id).await.unwrap();
        kept.grant.residual_access.iter().map(|one| (one.acs_entrance_id, one.until)).collect()
    }
    pub(crate) fn desk(&self) -> Desk {
        self.site.desk()
    }
    pub(crate) async fn door(&self, name: &str) -> AcsEntranceId {
        self.ws.acs().entrances().by_name(name).await.unwrap().acs_entrance_id
    }
    pub(crate) async fn wish(&self, who: &str, doors: &[&str], stay: &str, from: &str, to: &str) -> NewGrant {
        let mut ids = Vec::new();
        for door in doors {
            ids.push(self.door(door).await);
        }
        NewGrant::builder()
            .who(Who::named(who))
            .entrances(ids)
            .starts_at(at(from))
            .ends_at(at(to))
            .methods(vec![NewMethod::mobile_key()])
            .reservation(stay)
            .build()
    }
    pub(crate) async fn grant(&self, new: NewGrant) -> AccessGrant {
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.settle().await;
        made
    }
    /// The mobile key of a grant as it is now.
    pub(crate) async fn method(&self, grant: &AccessGrant) -> AccessMethod {
        let methods = self.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
        methods.into_iter().find(|m| m.mode == AccessMethodMode::MobileKey).unwrap()
    }
    /// The credential of a method, as it is shown.
    pub(crate) async fn credential(&self, method: &AccessMethod) -> seam_core::model::AcsCredential {
        let mut filter = seam_core::api::CredentialFilter::default();
        filter.access_method_id = Some(method.access_method_id);
        self.ws.acs().credentials().list(&filter).await.unwrap().items.remove(0)
    }
    /// The tag under which the issuer knows a method's credential.
    pub(crate) async fn tag(&self, method: &AccessMethod) -> Tag {
        let mut filter = seam_core::api::CredentialFilter::default();
        filter.access_method_id = Some(method.access_method_id);
        let page = self.ws.acs().credentials().list(&filter).await.unwrap();
        Tag(page.items.first().unwrap().acs_credential_id.uuid().simple().to_string())
    }
    pub(crate) fn applicant(&self, grant: &AccessGrant) -> Applicant {
        Applicant { workspace: grant.workspace_id, person: grant.user_identity_id }
    }
    /// Somebody's phone, enrolled for the grant's key, with its documents.
    pub(crate) async fn phone(&self, grant: &AccessGrant) -> Phone {
        let seed = self.seeds.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let mut phone = Phone::new(seed);
        let tag = self.tag(&self.method(grant).await).await;
        phone.enrol(&self.desk(), &self.applicant(grant), &tag).await.unwrap();
        phone.sync(&self.desk()).await.unwrap();
        phone
    }
    pub(crate) fn opens(&self, door: &str, phone: &Phone) -> bool {
        self.try_door(door, phone) == Answer::Opened
    }
    pub(crate) fn try_door(&self, door: &str, phone: &Phone) -> Answer {
        self.site.door(door).unwrap().present(phone)
    }
}
