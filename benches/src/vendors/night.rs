//! The busiest night of the bookings through one line that takes one request at a time, on a clock that moves only to where somebody waits for it.
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::ActionStatus;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{Engine, EngineConfig, NewGrant, NewMethod, Seam, Who};
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SpaceSim, SpaceSimOptions};
use std::sync::Arc;
use std::time::Duration;

/// What a card takes, and how long the system waits for one that never comes.
const CARD: Duration = Duration::from_secs(4);
const WAIT: Duration = Duration::from_secs(20);
/// So long nothing has happened on the sockets before time passes. Where the machine is busy with something else an answer takes longer than that, and
/// time passes over it: then the night is gone through again, more patiently.
const QUIET: [Duration; 3] = [Duration::from_millis(8), Duration::from_millis(40), Duration::from_millis(200)];

/// Makespan against the sum of the card times and of the waits for those who do not come.
pub(super) async fn line(size: &Size) -> Result<Line, Failed> {
    let [quick, patient, most_patient] = QUIET;
    for quiet in [quick, patient] {
        if let Ok(line) = night(size, quiet).await {
            return Ok(line);
        }
    }
    night(size, most_patient).await
}

async fn night(size: &Size, quiet: Duration) -> Result<Line, Failed> {
    let (guests, absent) = if size.is_smoke() { (8, 1) } else { (160, 3) };
    let clock = Arc::new(ManualClock::new("2026-03-01T16:00:00Z".parse()?));
    let told = || Arc::clone(&clock) as Arc<dyn Clock>;
    let mut options = SpaceSimOptions::new(told(), chrono_tz::Europe::Madrid);
    (options.card_wait, options.rooms) = (WAIT, (0..guests).map(|n| (101 + n).to_string()).collect());
    let sim = SpaceSim::start(options).await?;
    sim.set_write_time(CARD);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(told()));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let ws = Seam::new(Arc::clone(&store), vault.clone()).create_workspace("Hotel", false).await?;
    let engine = Engine::new(store, vault, vec![Arc::new(SpaceFactory::default())], EngineConfig::default());
    ws.connected_accounts().connect("salto_space", &sim.pms_settings()).await?;
    engine.round().await?;
    let mut methods = Vec::new();
    for n in 0..guests {
        let room = ws.acs().entrances().by_name(&(101 + n).to_string()).await?.acs_entrance_id;
        let wish = NewGrant::builder().who(Who::named(format!("Guest {n}"))).entrances(vec![room]).starts_at(clock.now());
        let wish = wish.ends_at(clock.now() + chrono::TimeDelta::days(2)).methods(vec![NewMethod::card()]).reservation(format!("stay {n}"));
        let grant = ws.access_grants().create(wish.build()).await?;
        let method = ws.access_methods().of_grant(grant.access_grant_id).await?.into_iter().next().ok_or("the grant has no card")?;
        methods.push(method.access_method_id);
    }
    engine.round().await?;
    let desk = ws.acs().encoders().by_name("Desk 1").await?.acs_encoder_id;
    let (began, every) = (clock.now(), guests / (absent + 1));
    let (mut written, mut missing) = (0_u32, 0_u32);
    for (n, method) in methods.into_iter().enumerate() {
        sim.take("Desk 1");
        let comes = n % every != every / 2 || n / every >= absent;
        if comes {
            sim.lay("Desk 1", &sim.blank_card());
        }
        let asked = ws.access_methods().encode(method, desk).await?.action_attempt_id;
        let mut round = std::pin::pin!(engine.round());
        loop {
            match tokio::time::timeout(quiet, round.as_mut()).await {
                Ok(done) => {
                    done?;
                    break;
                }
                Err(_) => {
                    if let Some(next) = clock.next_wake() {
                        clock.set(next);
                    }
                }
            }
        }
        match ws.action_attempts().get(asked).await?.status {
            ActionStatus::Success if comes => written += 1,
            ActionStatus::Error if !comes => missing += 1,
            other => return Err(format!("guest {n}: {other:?}").into()),
        }
    }
    let sum = f64::from(written) * CARD.as_secs_f64() + f64::from(missing) * WAIT.as_secs_f64();
    let ratio = (clock.now() - began).as_seconds_f64() / sum;
    let what = format!("salto pms: {guests} cards through the one line, {absent} guests never come: makespan ÷ sum");
    let remark = format!("{written} cards of 4 s and {missing} waits of 20 s, virtual time");
    Ok(Line::new(what, Goal::AtMost(1.05), Rounds::once(ratio)).remark(remark))
}
