//! A simulated house: sites of all four shapes, two workspaces, instances over one store.
use crate::clock::SimClock;
use crate::disk::OnDisk;
use crate::exec::{Exec, at_once, give_way};
use crate::faults::{CLIENT, Eye, Faults, FaultyStore};
use crate::hooks::{self, Known, Post};
use crate::ledger::Ledger;
use crate::rng::Rng;
use crate::watch::Watch;
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::Clock;
use seam_core::engine::{Engine, EngineConfig};
use seam_core::error::ErrorKind;
use seam_core::model::{AcsEncoderId, AcsEntranceId, ConnectedAccountId};
use seam_core::plan::{Change, Outcome};
use seam_core::provider::{JoinBy, Kind, ProviderFactory, ReadBack};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{Seam, Workspace};
use seam_providers::sandbox::{SandboxFactory, SiteConfig, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) type Check = Result<(), String>;

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) instances: usize,
    /// Faults in a thousand: store, calls, crashes.
    pub(crate) rates: (u32, u32, u32),
    pub(crate) trace: bool,
    /// On SQLite, in a file that is opened anew after each crash; else in memory.
    pub(crate) disk: bool,
}

/// A door as the ledger names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DoorName {
    pub(crate) site: String,
    pub(crate) door: String,
}

/// A tenant and what is there.
pub(crate) struct Tenant {
    /// Through faults.
    pub(crate) asked: Workspace,
    /// Past them, to look.
    pub(crate) ws: Workspace,
    pub(crate) doors: BTreeMap<DoorName, AcsEntranceId>,
    pub(crate) encoders: Vec<(String, String, AcsEncoderId)>,
    pub(crate) accounts: Vec<ConnectedAccountId>,
    pub(crate) sites: Vec<&'static str>,
}

pub(crate) struct House {
    pub(crate) setup: Setup,
    pub(crate) rng: Rng,
    pub(crate) exec: Exec,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) faults: Faults,
    pub(crate) watch: Arc<Mutex<Watch>>,
    pub(crate) store: Arc<dyn Store>,
    /// The same, where it is in a file.
    disk: Option<Arc<OnDisk>>,
    pub(crate) world: World,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) ledger: Ledger,
    vault: Vault,
    pub(crate) hooks: Vec<Known>,
    pub(crate) made_hooks: u32,
    pub(crate) hook_rng: Rng,
    restarts: BTreeMap<usize, DateTime<Utc>>,
    lives: u64,
    keys: u64,
    /// A digest of everything that was seen from outside.
    pub(crate) seen: u64,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    match text.parse() {
        Ok(at) => at,
        Err(e) => panic!("{text}: {e}"),
    }
}

const SITES: [&[&str]; 2] = [&["hotel", "office", "slots", "mute"], &["inn"]];

fn world(clock: &Arc<SimClock>, rng: &mut Rng, seed: u64) -> World {
    let world = World::new(Arc::clone(clock) as Arc<dyn Clock>);
    let mut hotel = SiteConfig::hotel("hotel", 4);
    if rng.in_1000(300) {
        hotel.rule(Kind::MobileKey, |r| r.resolution_seconds = 60);
        hotel.rule(Kind::Card, |r| r.resolution_seconds = 60);
    }
    if rng.in_1000(300) {
        hotel.rule(Kind::Code, |r| r.load_ahead_seconds = 3600);
    }
    if has_lists_of_guests(seed) {
        keeps_guests(&mut hotel);
    }
    world.add(hotel);
    world.add(SiteConfig::office("office"));
    world.add(SiteConfig::slot_lock("slots", 5));
    world.add(SiteConfig::write_only_lock("mute"));
    let mut inn = SiteConfig::hotel("inn", 2);
    if has_lists_of_guests(seed) {
        keeps_guests(&mut inn);
    }
    world.add(inn);
    world
}

/// One seed in five has hotels that keep a list of their guests; the others draw as before.
fn has_lists_of_guests(seed: u64) -> bool {
    seed % 5 == 2
}

/// A site that keeps a list of the present guest of each room: a key joins whoever that is, and a check-out checks out whoever that is. Nobody can
/// read the list.
fn keeps_guests(site: &mut SiteConfig) {
    if let Some(rules) = &mut site.stay {
        rules.join = JoinBy::CurrentGuest;
    }
    site.rule(Kind::Stay, |r| r.read_back = ReadBack::None);
}

impl House {
    /// Builds the house and reads all its accounts once, without faults.
    pub(crate) fn new(setup: Setup) -> Result<Self, String> {
        let mut rng = Rng::new(setup.seed);
        let clock = SimClock::new(at("2026-03-01T08:00:00Z"));
        let world = world(&clock, &mut rng, setup.seed);
        let disk = if setup.disk { Some(Arc::new(OnDisk::new(Arc::clone(&clock) as Arc<dyn Clock>)?)) } else { None };
        let store: Arc<dyn Store> = match &disk {
            Some(disk) => Arc::clone(disk) as Arc<dyn Store>,
            None => Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>)),
        };
        let watch = Arc::new(Mutex::new(Watch { trace: setup.trace.then(Vec::new), ..Watch::default() }));
        let faults = Faults::new(rng.fork());
        let exec = Exec::new(Arc::clone(&clock), rng.fork());
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let mut house = Self {
            setup,
            exec,
            clock,
            faults,
            watch,
            store,
            disk,
            world,
            tenants: Vec::new(),
            ledger: Ledger::default(),
            vault,
            hooks: Vec::new(),
            made_hooks: 0,
            hook_rng: Rng::new(setup.seed ^ 0x0048_4f4f_4b53),
            restarts: BTreeMap::new(),
            lives: 0,
            keys: 0,
            seen: 0xcbf2_9ce4_8422_2325,
            rng,
        };
        house.furnish()?;
        Ok(house)
    }

    fn store_of(&self, who: usize) -> Arc<dyn Store> {
        Arc::new(FaultyStore {
            inner: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            who,
            faults: self.faults.clone(),
            watch: Arc::clone(&self.watch),
        })
    }

    fn furnish(&mut self) -> Check {
        let fail = |e: seam_core::Error| e.to_string();
        let links = "https://keys.example";
        // What looks must not draw from what asks.
        let asks = Seam::with_options(self.store_of(CLIENT), self.vault.clone(), links, Some(self.rng.next()));
        let looks = Seam::with_options(Arc::clone(&self.store), self.vault.clone(), links, Some(0));
        for sites in SITES {
            let asked = at_once(asks.create_workspace("Tenant", true)).map_err(fail)?;
            let ws = at_once(looks.workspace(asked.id())).map_err(fail)?;
            for site in sites {
                at_once(asked.connected_accounts().connect("sandbox", &serde_json::json!({ "site": site }))).map_err(fail)?;
            }
            let sites = sites.to_vec();
            self.tenants.push(Tenant { asked, ws, doors: BTreeMap::new(), encoders: Vec::new(), accounts: Vec::new(), sites });
        }
        for who in 1..=self.setup.instances {
            self.start(who);
        }
        self.run_for(Duration::seconds(5))?;
        for t in &mut self.tenants {
            let systems = at_once(t.ws.acs().systems().list(None, 100)).map_err(fail)?.items;
            if systems.len() != t.sites.len() {
                return Err("the accounts were not read".to_owned());
            }
            for s in systems {
                let site = s.name.clone();
                for e in at_once(t.ws.acs().entrances().list(Some(s.acs_system_id), None, None, 100)).map_err(fail)?.items {
                    t.doors.insert(DoorName { site: site.clone(), door: e.display_name.clone() }, e.acs_entrance_id);
                }
                for e in at_once(t.ws.acs().encoders().list(Some(s.acs_system_id), None, 100)).map_err(fail)?.items {
                    t.encoders.push((site.clone(), e.display_name.clone(), e.acs_encoder_id));
                }
            }
            t.accounts =
                at_once(t.ws.connected_accounts().list(None, 100)).map_err(fail)?.items.iter().map(|a| a.connected_account_id).collect();
        }
        Ok(())
    }

    /// Starts an instance. Each start is a new process: another instance id, nothing remembered.
    pub(crate) fn start(&mut self, who: usize) {
        self.faults.plan().dead.remove(&who);
        self.lives += 1;
        let (store, vault, clock) = (self.store_of(who), self.vault.clone(), Arc::clone(&self.clock));
        let factory: Arc<dyn ProviderFactory> = Arc::new(SandboxFactory::new(self.world.clone()));
        let mut config = EngineConfig::default();
        config.seed = Some(self.setup.seed ^ (self.lives << 20));
        config.observer =
            Some(Arc::new(Eye { who, clock: Arc::clone(&self.clock), faults: self.faults.clone(), watch: Arc::clone(&self.watch) }));
        if hooks::has_some(self.setup.seed) && !self.setup.disk {
            config.webhooks = Some(Arc::new(Post {
                who,
                clock: Arc::clone(&self.clock),
                faults: self.faults.clone(),
                watch: Arc::clone(&self.watch),
                rng: Mutex::new(self.hook_rng.fork()),
            }));
        }
        self.exec.start(who, async move {
            let engine = Engine::new(store, vault, vec![factory], config);
            loop {
                if engine.run(std::future::pending()).await.is_ok() {
                    return;
                }
                clock.sleep_until(clock.now() + Duration::seconds(1)).await;
            }
        });
    }

    /// Crashes an instance now; it comes back after a while.
    pub(crate) fn crash(&mut self, who: usize, back_after: Duration) {
        self.exec.kill(who);
        if let Some(disk) = &self.disk {
            let opened = disk.reopen();
            let mut watch = self.watch();
            watch.orphaned();
            watch.wrong.extend(opened.err().map(|e| format!("S13: the file cannot be opened after a crash: {e}")));
        }
        self.faults.plan().dead.remove(&who);
        self.restarts.insert(who, self.exec.now() + back_after);
    }

    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self, text: impl FnOnce() -> String) {
        let now = self.exec.now();
        self.watch().note(now, text);
    }

    /// Polls until nothing can go on at this instant.
    fn drain(&mut self, done: &mut dyn FnMut() -> bool) -> Check {
        loop {
            let more = self.exec.step()?;
            let dead: Vec<usize> = self.faults.plan().dead.iter().copied().collect();
            for who in dead {
                if self.exec.runs(who) {
                    self.log(|| format!("instance {who} crashes"));
                    let after = Duration::milliseconds(self.rng.between(500, 200_000));
                    self.crash(who, after);
                }
            }
            if let Some(wrong) = self.watch().wrong.first() {
                return Err(wrong.clone());
            }
            self.nobody_checked_out_by_another()?;
            if !more || done() {
                return Ok(());
            }
        }
    }

    /// S8: no request about a stay reaches the guest of another one who is still to stay.
    fn nobody_checked_out_by_another(&self) -> Check {
        for site in ["hotel", "inn"] {
            for (stay, guest) in self.world.site(site).take_wronged() {
                if self
                    .ledger
                    .grants
                    .iter()
                    .any(|g| !g.deleted && g.stay.as_ref() == Some(&guest) && g.until.is_none_or(|end| end > self.exec.now()))
                {
                    return Err(format!("S8: the guest {guest} of {site} was checked out or changed for the stay {stay}"));
                }
            }
        }
        Ok(())
    }

    fn restart_due(&mut self) {
        let now = self.exec.now();
        let due: Vec<usize> = self.restarts.iter().filter(|(_, at)| **at <= now).map(|(who, _)| *who).collect();
        for who in due {
            self.restarts.remove(&who);
            self.log(|| format!("instance {who} starts"));
            self.start(who);
        }
    }

    pub(crate) fn restart_all(&mut self) {
        let all: Vec<usize> = self.restarts.keys().copied().collect();
        for who in all {
            self.restarts.remove(&who);
            self.start(who);
        }
        self.exec.wake_all();
    }

    fn run_until(&mut self, until: DateTime<Utc>, done: &mut dyn FnMut() -> bool) -> Check {
        loop {
            self.restart_due();
            self.drain(done)?;
            if done() {
                return Ok(());
            }
            let stop = self.restarts.values().copied().min().map_or(until, |at| at.min(until));
            if !self.exec.next_instant(stop) && stop == until {
                self.restart_due();
                return self.drain(done);
            }
        }
    }

    /// Lets time run.
    pub(crate) fn run_for(&mut self, time: Duration) -> Check {
        let until = self.exec.now() + time;
        self.run_until(until, &mut || false)
    }

    /// A step of the wall clock: time that nobody had for working.
    pub(crate) fn jump_to(&mut self, at: DateTime<Utc>) -> Check {
        self.clock.go_to(at);
        self.run_for(Duration::zero())
    }

    /// Asks for a change, through faults, under a key of its own until it is answered.
    pub(crate) fn ask(&mut self, tenant: usize, change: &Change) -> Result<Result<Outcome, seam_core::Error>, String> {
        self.keys += 1;
        let key = format!("op-{}", self.keys);
        self.ask_under(tenant, &key, change)
    }

    pub(crate) fn ask_under(&mut self, tenant: usize, key: &str, change: &Change) -> Result<Result<Outcome, seam_core::Error>, String> {
        for tries in 0..12 {
            if tries == 8 {
                // Somebody who asks often enough gets an answer.
                self.faults.plan().on = false;
            }
            let ws = self.tenants[tenant].asked.once(key);
            let answer = Rc::new(RefCell::new(None));
            let (slot, change) = (Rc::clone(&answer), change.clone());
            self.exec.start(CLIENT, async move {
                give_way().await;
                let got = ws.apply(change).await;
                *slot.borrow_mut() = Some(got);
            });
            let until = self.exec.now() + Duration::minutes(10);
            let seen = Rc::clone(&answer);
            self.run_until(until, &mut || seen.borrow().is_some())?;
            let Some(got) = answer.borrow_mut().take() else { return Err("L1: a caller was not answered for ten minutes".to_owned()) };
            match got {
                Err(e) if matches!(e.kind(), ErrorKind::Busy | ErrorKind::Store) => {
                    self.run_for(Duration::seconds(1))?;
                }
                got => {
                    if tries >= 8 {
                        self.faults.plan().on = true;
                    }
                    return Ok(got);
                }
            }
        }
        Err("L1: a caller was told to ask again for ever".to_owned())
    }

    /// Mixes what was seen into the digest.
    pub(crate) fn mix(&mut self, text: &str) {
        for b in text.bytes() {
            self.seen = (self.seen ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
