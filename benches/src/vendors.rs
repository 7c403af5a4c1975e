//! Access systems over a network: how many requests a check-in takes, and how near the engine comes to the encoders' own pace. The servers are fakes on
//! sockets of this host, whose encoders take a while for a card.
use crate::measure::Rounds;
use crate::table::{Goal, Line};
use crate::{Failed, Size};
use chrono::TimeDelta;
use seam_core::clock::{Clock, SystemClock};
use seam_core::model::{ActionAttemptId, ActionStatus};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodMode, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::sim::{HotelPlan, VisionlineSim};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a card takes an encoder.
const WRITING: Duration = Duration::from_millis(50);
/// What a card takes an encoder whose pace is compared with that of one card.
const SLOWLY: Duration = Duration::from_millis(500);

pub(crate) async fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let mut lines = Vec::new();
    for encoders in [1, 4, 16] {
        let cards = encoders * if size.is_smoke() { 2 } else { 20 };
        let run = run(encoders, cards, WRITING).await?;
        let ideal = WRITING.as_secs_f64() * (cards / encoders) as f64;
        if encoders == 1 {
            let requests = Rounds::once(run.requests as f64 / cards as f64);
            lines.push(
                Line::new("visionline: requests per card ÷ the least", Goal::AtMost(1.0), requests).remark("a login for all beside them"),
            );
        }
        let what = format!("visionline: cards per second at {encoders} encoders of 50 ms ÷ ideal");
        let pace = Rounds::once(ideal / run.took.as_secs_f64());
        lines.push(Line::new(what, Goal::AtLeast(0.9), pace).remark(format!("{cards} cards")));
    }
    let one = run(1, if size.is_smoke() { 1 } else { 10 }, SLOWLY).await?;
    let ratio = one.took.as_secs_f64() / (SLOWLY.as_secs_f64() * one.cards as f64);
    lines.push(Line::new("visionline: from asked to issued ÷ the encoder's own time", Goal::AtMost(1.05), Rounds::once(ratio)));
    Ok(lines)
}

struct Run {
    cards: usize,
    took: Duration,
    requests: u64,
}

/// Makes cards, each for a room of its own, at so many encoders.
async fn run(encoders: usize, cards: usize, writing: Duration) -> Result<Run, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut plan = HotelPlan::of(u16::try_from(cards)?, chrono_tz::UTC);
    plan.encoders = (1..=encoders).map(|n| (format!("Desk{n}"), n.to_string())).collect();
    (plan.auto_card, plan.writing) = (true, writing);
    let sim = VisionlineSim::start(plan, Arc::clone(&clock)).await?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let seam = Seam::new(Arc::clone(&store), vault.clone());
    let engine = Engine::new(store, vault, vec![Arc::new(VisionlineFactory::new())], EngineConfig::default());
    let ws = seam.create_workspace("Hotel", false).await?;
    ws.connected_accounts().connect("visionline", &sim.settings()).await?;
    engine.round().await?;
    let desks = ws.acs().encoders().list(None, None, 100).await?.items;
    let mut methods = Vec::new();
    for n in 0..cards {
        methods.push(guest(&ws, n, clock.now()).await?);
    }
    engine.round().await?;
    let (began, before, logins) = (Instant::now(), sim.requests(), sim.logins());
    let mut attempts: Vec<ActionAttemptId> = Vec::new();
    for (n, method) in methods.into_iter().enumerate() {
        let desk = desks.get(n % encoders).ok_or("the system shows no encoder")?;
        attempts.push(ws.access_methods().encode(method, desk.acs_encoder_id).await?.action_attempt_id);
    }
    engine.round().await?;
    let took = began.elapsed();
    for attempt in attempts {
        if ws.action_attempts().get(attempt).await?.status != ActionStatus::Success {
            return Err("a card was not made".into());
        }
    }
    Ok(Run { cards, took, requests: sim.requests() - before - (sim.logins() - logins) })
}

/// A guest in a room of her own; gives her card.
async fn guest(ws: &Workspace, n: usize, now: chrono::DateTime<chrono::Utc>) -> Result<seam_core::AccessMethodId, Failed> {
    let room = ws.acs().entrances().by_name(&(101 + n).to_string()).await?.acs_entrance_id;
    let wish = NewGrant::builder()
        .who(Who::named(format!("Guest {n}")))
        .entrances(vec![room])
        .starts_at(now)
        .ends_at(now + TimeDelta::days(2))
        .methods(vec![NewMethod::new(AccessMethodMode::Card)])
        .reservation(format!("stay-{n}"))
        .build();
    let grant = ws.access_grants().create(wish).await?;
    let method = ws.access_methods().of_grant(grant.access_grant_id).await?.into_iter().next();
    Ok(method.ok_or("the grant has no card")?.access_method_id)
}
