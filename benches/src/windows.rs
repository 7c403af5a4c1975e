//! Conflict and PIN checks at a door with 10,000 windows, against a door with 100.
use chrono::{DateTime, TimeDelta, Utc};
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{Window, WorkspaceId};
use seam_core::state::*;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodMode, AcsEntranceId, Change, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::sandbox::{SandboxFactory, World};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const FEW: i64 = 100;
const MANY: i64 = 10_000;
/// Checks in each round, on each side.
const CHECKS: u32 = 400;

pub(crate) async fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let many = if size.is_smoke() { 1_000 } else { MANY };
    let doors = Doors::new(many).await?;
    let (mut checks, mut decisions) = (Vec::new(), Vec::new());
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for round in 0..size.rounds {
        let random = u64::try_from(round).unwrap_or(0) + 1;
        let few = doors.check(FEW, random).await?;
        let many_took = doors.check(many, random).await?;
        checks.push(many_took.as_secs_f64() / few.as_secs_f64());
        bare.push(many_took.as_secs_f64() / f64::from(CHECKS) * 1e6);
        let few = doors.decide(FEW, random).await?;
        let many_took = doors.decide(many, random).await?;
        decisions.push(many_took.as_secs_f64() / few.as_secs_f64());
        whole.push(many_took.as_secs_f64() / f64::from(CHECKS / 10) * 1e6);
    }
    let (bare, whole) = (Rounds::of(bare).median, Rounds::of(whole).median);
    Ok(vec![
        Line::new(
            format!("window and PIN check with {many} windows of one PIN at one door ÷ with {FEW}"),
            Goal::AtMost(1.3),
            Rounds::of(checks),
        )
        .remark(format!("{bare:.1} µs: claims near a window read, and a commit that demands that it is free")),
        Line::new(
            format!("whole decision about a stay with a PIN at a door with {many} stays ÷ with {FEW}"),
            Goal::AtMost(1.3),
            Rounds::of(decisions),
        )
        .remark(format!("{whole:.0} µs: the preview of a grant")),
    ])
}

struct Doors {
    store: Arc<dyn Store>,
    ws: Workspace,
    from: DateTime<Utc>,
    /// Room and common door, with the number of guests that they have.
    doors: Vec<(i64, [AcsEntranceId; 2])>,
}

/// The windows of a door lie one after the other, two hours from start to start, each one hour long.
fn window(from: DateTime<Utc>, n: i64) -> (DateTime<Utc>, DateTime<Utc>) {
    let start = from + TimeDelta::hours(24 + 2 * n);
    (start, start + TimeDelta::hours(1))
}

/// What a PIN's claims are kept under, at the door with so many windows.
fn key(windows: i64) -> ClaimKey {
    ClaimKey(Uuid::from_u128(windows.unsigned_abs().into()))
}

impl Doors {
    async fn new(many: i64) -> Result<Self, Failed> {
        let from: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(from));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let ws =
            Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.invalid", Some(1)).create_workspace("Hotel", false).await?;
        let factory = Arc::new(SandboxFactory::new(World::hotel(clock, 2)));
        let engine = Engine::new(Arc::clone(&store), vault, vec![factory], EngineConfig::default());
        ws.connected_accounts().connect("sandbox", &serde_json::json!({"site": "hotel"})).await?;
        engine.round().await?;
        let mut doors = Vec::new();
        for (windows, room, common) in [(FEW, "101", "gym"), (many, "102", "pool")] {
            let room = ws.acs().entrances().by_name(room).await?.acs_entrance_id;
            let common = ws.acs().entrances().by_name(common).await?.acs_entrance_id;
            doors.push((windows, [room, common]));
        }
        let this = Self { store, ws, from, doors };
        for (windows, _) in &this.doors {
            for n in 0..*windows {
                this.ws.access_grants().create(this.wish(*windows, 2 * n)).await?;
                this.claim(*windows, n).await?;
            }
        }
        Ok(this)
    }

    /// A guest in the `half`-th half of the time: the even ones are taken, the odd ones are free.
    fn wish(&self, windows: i64, half: i64) -> NewGrant {
        let (start, end) = window(self.from, half / 2);
        let (start, end) = if half % 2 == 0 { (start, end) } else { (end, end + TimeDelta::hours(1)) };
        let doors = self.doors.iter().find(|(n, _)| *n == windows).map_or([].as_slice(), |(_, doors)| doors);
        NewGrant::builder()
            .who(Who::named("Guest"))
            .entrances(doors.to_vec())
            .starts_at(start)
            .ends_at(end)
            .methods([AccessMethodMode::MobileKey, AccessMethodMode::Code].map(NewMethod::new).to_vec())
            .reservation(format!("stay-{windows}-{half}"))
            .build()
    }

    /// Puts the `n`-th window of one PIN at a door.
    async fn claim(&self, windows: i64, n: i64) -> Result<(), Failed> {
        let (from, until) = window(self.from, n);
        let claim = Claim { key: key(windows), from, until: Some(until), exclusive: true };
        let own = Uuid::from_u128((u128::from(windows.unsigned_abs()) << 64) | u128::from(n.unsigned_abs()));
        let row = seam_core::conformance::store::held(own, vec![claim]);
        let put = vec![Row { id: own, workspace: self.ws.id(), version: 0, body: row }];
        self.store.commit(set(self.ws.id(), own, Vec::new(), put)).await.map(drop).map_err(|e| format!("{e:?}").into())
    }

    /// Reads the claims near a free window and commits that it is free, many times.
    async fn check(&self, windows: i64, random: u64) -> Result<Duration, Failed> {
        let begun = Instant::now();
        for n in 0..CHECKS {
            // Anywhere, the same on both sides as far as there are windows.
            let at = (random * 7_919 + u64::from(n) * 104_729) % windows.unsigned_abs();
            let (_, from) = window(self.from, i64::try_from(at)?);
            let asked = Window::new(from, Some(from + TimeDelta::minutes(30)))?;
            let near = Near::new(key(windows), &asked);
            let found = self.store.read(self.ws.id(), &ReadSet { near: [near].into(), ..ReadSet::default() }).await?;
            if found
                .near
                .values()
                .any(|claims| claims.iter().any(|c| c.claim.meets(asked.starts_at(), asked.ends_at(), 60) && c.claim.from > from))
            {
                return Err("the window was thought free".into());
            }
            let free = OnlyIf::Free { key: key(windows), from, until: asked.ends_at(), gap_seconds: 0, except: Uuid::nil() };
            self.store
                .commit(set(self.ws.id(), Uuid::from_u128(u128::from(random << 32 | u64::from(n))), vec![free], Vec::new()))
                .await
                .map_err(|e| format!("{e:?}"))?;
        }
        Ok(begun.elapsed())
    }

    /// Decides about a guest between two others, many times.
    async fn decide(&self, windows: i64, random: u64) -> Result<Duration, Failed> {
        let begun = Instant::now();
        for n in 0..CHECKS / 10 {
            let at = (random * 7_919 + u64::from(n) * 104_729) % windows.unsigned_abs();
            let wish = self.wish(windows, 2 * i64::try_from(at)? + 1);
            self.ws.preview(&Change::CreateGrant(Box::new(wish))).await?;
        }
        Ok(begun.elapsed())
    }
}

fn set(workspace: WorkspaceId, id: Uuid, only_if: Vec<OnlyIf>, put: Vec<Row>) -> Changeset {
    let audit = Audit { actor: Actor::Engine, reason: None, what: "bench".to_owned(), subject: None, at: DateTime::UNIX_EPOCH };
    Changeset { id: id.into(), workspace, only_if, put, events: Vec::new(), audit }
}
