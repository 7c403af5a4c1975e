//! Grant lives per second of one thread: made, carried, opened, over, taken away; memory store and virtual doors, no faults.
use chrono::{DateTime, TimeDelta, Utc};
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::clock::{Clock, ManualClock};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodMode, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who};
use seam_providers::sandbox::{SandboxFactory, World};
use std::sync::Arc;
use std::time::Instant;

/// Rooms, each with one guest in every wave.
const ROOMS: u32 = 50;

pub(crate) async fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let waves = if size.is_smoke() { 1 } else { 4 };
    let mut rounds = Vec::new();
    for _ in 0..size.rounds {
        let begun = Instant::now();
        let lives = live(waves).await?;
        rounds.push(f64::from(lives) / begun.elapsed().as_secs_f64());
    }
    let remark = "a mobile key and a PIN at three doors each, from `create` until nothing is left at any door; one thread, memory store";
    Ok(vec![Line::new("simulated grant lives per second", Goal::None, Rounds::of(rounds)).digits(0).remark(remark)])
}

/// Lets waves of guests come and go; gives how many.
async fn live(waves: i64) -> Result<u32, Failed> {
    let base: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
    let manual = Arc::new(ManualClock::new(base));
    let clock = Arc::clone(&manual) as Arc<dyn Clock>;
    let world = World::hotel(Arc::clone(&clock), ROOMS);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let ws =
        Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.invalid", Some(1)).create_workspace("Hotel", false).await?;
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    let engine = Engine::new(store, vault, vec![Arc::new(SandboxFactory::new(world.clone()))], config);
    ws.connected_accounts().connect("sandbox", &serde_json::json!({"site": "hotel"})).await?;
    engine.round().await?;
    let mut doors = Vec::new();
    for name in (0..ROOMS).map(|room| (room + 101).to_string()).chain(["gym".to_owned(), "lobby".to_owned()]) {
        doors.push(ws.acs().entrances().by_name(&name).await?.acs_entrance_id);
    }
    let common = doors.split_off(ROOMS as usize);
    let mut lives = 0;
    for wave in 0..waves {
        let from = base + TimeDelta::hours(4 * wave + 1);
        let mut grants = Vec::new();
        for (room, door) in doors.iter().enumerate() {
            let wish = NewGrant::builder()
                .who(Who::named("Guest"))
                .entrances([&[*door], common.as_slice()].concat())
                .starts_at(from)
                .ends_at(from + TimeDelta::hours(2))
                .methods([AccessMethodMode::MobileKey, AccessMethodMode::Code].map(NewMethod::new).to_vec())
                .reservation(format!("stay-{wave}-{room}"))
                .build();
            grants.push(ws.access_grants().create(wish).await?);
        }
        engine.round().await?;
        manual.set(from + TimeDelta::minutes(1));
        engine.round().await?;
        for grant in &grants {
            let methods = ws.access_grants().get(grant.access_grant_id).await?.access_method_ids;
            for id in &methods {
                let method = ws.access_methods().get(*id).await?;
                if !method.is_issued {
                    return Err(format!("a method was not issued: {method:?}").into());
                }
                if let Some(code) = &method.code
                    && !world.site("hotel").door("gym").enter_pin(code.expose()).opened
                {
                    return Err("a PIN does not open".into());
                }
            }
            lives += 1;
        }
        manual.set(from + TimeDelta::hours(3));
        engine.round().await?;
    }
    Ok(lives)
}
