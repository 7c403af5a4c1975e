//! One grant for many doors, and a healthy system beside a hung one, in virtual time: exact on any machine.
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::clock::Clock;
use seam_core::provider::{ChannelReport, DoorClass};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessGrantId, AccessMethodMode, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::sandbox::{SandboxFactory, Silence, SiteConfig, World};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long a call takes at the access system.
const CALL: Duration = Duration::from_secs(1);
/// Calls that a cloud takes at once.
const AT_ONCE: u16 = 20;

pub(crate) fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let doors = if size.is_smoke() { 100 } else { 1_000 };
    let own = in_virtual_time(move || locks(doors, true))?;
    let shared = in_virtual_time(move || locks(doors, false))?;
    let ideal = CALL * u32::try_from(doors.div_ceil(usize::from(AT_ONCE)))?;
    let alone = in_virtual_time(|| beside(false))?;
    let hung = in_virtual_time(|| beside(true))?;
    let line = |what: String, goal, took: Duration, floor: Duration| {
        let ratio = Rounds::once(took.as_secs_f64() / floor.as_secs_f64());
        Line::new(what, Goal::AtMost(goal), ratio).remark(format!(
            "{:.2} s ÷ {:.2} s of virtual time",
            took.as_secs_f64(),
            floor.as_secs_f64()
        ))
    };
    Ok(vec![
        line(format!("fan-out of one grant to {doors} doors, each with a line of its own ÷ ideal"), 1.0, own, CALL),
        line(format!("fan-out of one grant to {doors} doors of one system that takes {AT_ONCE} calls at once ÷ ideal"), 1.0, shared, ideal),
        line("a healthy system beside one that hangs ÷ alone".to_owned(), 1.01, hung, alone),
    ])
}

/// Runs something on a thread of its own, where time stands still while anything can go on.
fn in_virtual_time<F: Future<Output = Result<Duration, Failed>>>(work: impl FnOnce() -> F + Send + 'static) -> Result<Duration, Failed> {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(work())
    };
    std::thread::Builder::new().name("virtual-time".to_owned()).spawn(run)?.join().map_err(|_| "the simulation panicked")?
}

/// tokio's clock as ours.
#[derive(Debug)]
struct Paused {
    base: DateTime<Utc>,
    origin: tokio::time::Instant,
}

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> DateTime<Utc> {
        let passed = tokio::time::Instant::now() - self.origin;
        self.base + TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX)
    }
    async fn sleep_until(&self, at: DateTime<Utc>) {
        if let Ok(left) = (at - self.now()).to_std() {
            tokio::time::sleep(left).await;
        }
    }
}

struct House {
    world: World,
    clock: Arc<dyn Clock>,
    ws: Workspace,
    engine: Engine,
}

impl House {
    async fn new(sites: Vec<SiteConfig>) -> Result<Self, Failed> {
        let base: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
        let clock: Arc<dyn Clock> = Arc::new(Paused { base, origin: tokio::time::Instant::now() });
        let world = World::new(Arc::clone(&clock));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let ws =
            Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.invalid", Some(1)).create_workspace("House", false).await?;
        let mut config = EngineConfig::default();
        (config.seed, config.scan_every) = (Some(2), Duration::from_secs(86_400));
        let engine = Engine::new(store, vault, vec![Arc::new(SandboxFactory::new(world.clone()))], config);
        for site in sites {
            let name = site.name.clone();
            world.add(site);
            ws.connected_accounts().connect("sandbox", &serde_json::json!({ "site": name })).await?;
        }
        engine.round().await?;
        Ok(Self { world, clock, ws, engine })
    }

    async fn doors(&self, of: &str) -> Result<Vec<AcsEntranceId>, Failed> {
        let mut ids = Vec::new();
        for door in self.world.site(of).config().doors {
            ids.push(self.ws.acs().entrances().by_name(&door.name).await?.acs_entrance_id);
        }
        Ok(ids)
    }

    async fn grant(&self, doors: Vec<AcsEntranceId>) -> Result<AccessGrantId, Failed> {
        let now = self.clock.now();
        let wish = NewGrant::builder()
            .who(Who::named("Ada"))
            .entrances(doors)
            .starts_at(now + TimeDelta::hours(12))
            .ends_at(now + TimeDelta::hours(36))
            .methods(vec![NewMethod::new(AccessMethodMode::Code)])
            .build();
        Ok(self.ws.access_grants().create(wish).await?.access_grant_id)
    }

    /// How long the engine takes from now until a grant is issued everywhere.
    async fn until_issued(&self, grant: AccessGrantId) -> Result<Duration, Failed> {
        let begun = self.clock.now();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let run = self.engine.run(async move {
            // An error means that nobody waits any more: that is a reason to stop too.
            let _ = stopped.await;
        });
        let wait = async {
            let issued = self.ws.access_grants().wait_until_issued(grant, Duration::from_secs(7_200)).await;
            let took = self.clock.now() - begun;
            drop(stop);
            issued.map(|_| took)
        };
        let (ran, took) = tokio::join!(run, wait);
        ran?;
        Ok(took?.to_std()?)
    }
}

/// A house with this many locks that take codes; `own`: each is reached by itself, else all through one cloud.
fn house(name: &str, doors: usize, own: bool) -> SiteConfig {
    let mut site = SiteConfig::write_only_lock(name);
    // A lock that answers: what it was told is read back.
    site.rule(seam_core::provider::Kind::Code, |rules| rules.read_back = seam_core::provider::ReadBack::Full);
    site.in_flight = AT_ONCE;
    for n in 1..doors {
        site = site.with_door(&format!("{name}-{n}"), DoorClass::Online);
    }
    if let Some(front) = site.doors.first_mut() {
        front.name = format!("{name}-front");
    }
    if own {
        for door in &mut site.doors {
            door.channel = Some(ChannelReport::new(format!("lock://{}", door.name), 1));
        }
    }
    site
}

async fn locks(doors: usize, own: bool) -> Result<Duration, Failed> {
    let house = House::new(vec![house("house", doors, own)]).await?;
    let ids = house.doors("house").await?;
    house.world.site("house").be_slow(CALL);
    let grant = house.grant(ids).await?;
    house.until_issued(grant).await
}

/// The time of a grant at a healthy system, with as much to do at one that hangs, or without.
async fn beside(hung: bool) -> Result<Duration, Failed> {
    let house = House::new(vec![house("healthy", 200, false), house("other", 200, false)]).await?;
    house.world.site("healthy").be_slow(CALL);
    if hung {
        house.world.site("other").go_silent(Silence::LosesRequests);
        house.grant(house.doors("other").await?).await?;
    }
    let grant = house.grant(house.doors("healthy").await?).await?;
    house.until_issued(grant).await
}
