//! Visionline against its fake, on real sockets of this host.
mod conformance;
mod encoders;
mod web;
mod wire;

use super::VisionlineFactory;
use super::provider::{MobileEndpoints, VisionlineProvider};
use super::sim::{HotelPlan, VisionlineSim};
use crate::net::stand::{NoMemo, NoNotes, at, misbehaviour, pass_while};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::JobControl;
use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
use seam_core::provider::*;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Sunday, 1 March 2026, 13:00 in Berlin.
const NOON: &str = "2026-03-01T12:00:00Z";
const ZONE: chrono_tz::Tz = chrono_tz::Europe::Berlin;

/// A fake, its clock, and a provider at it.
struct Stage {
    clock: Arc<ManualClock>,
    sim: Arc<VisionlineSim>,
    provider: VisionlineProvider,
    system: SystemRef,
}

/// Every key has a phone of its own, which is enrolled when it is asked for.
#[derive(Debug)]
struct Phones(Arc<VisionlineSim>);

#[async_trait]
impl MobileEndpoints for Phones {
    async fn endpoint(&self, key: &Tag, _holder: &str) -> Result<Option<String>, Failure> {
        let endpoint = phone_of(key);
        self.0.enrol(&endpoint);
        Ok(Some(endpoint))
    }
}

fn phone_of(key: &Tag) -> String {
    format!("phone-{key}")
}

fn tag(text: &str) -> Tag {
    Tag(format!("{text:0>20}"))
}

async fn stage(plan: impl FnOnce(&mut HotelPlan), settings: impl FnOnce(&mut Value)) -> Stage {
    let clock = Arc::new(ManualClock::new(at(NOON)));
    let mut hotel = HotelPlan::of(3, ZONE);
    plan(&mut hotel);
    let sim = Arc::new(VisionlineSim::start(hotel, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap());
    let provider = provider_at(&sim, &clock, settings).unwrap();
    let system = SystemRef { id: AcsSystemId::from_uuid(Uuid::from_u128(1)), handle: super::report::handle() };
    Stage { clock, sim, provider, system }
}

fn provider_at(sim: &Arc<VisionlineSim>, clock: &Arc<ManualClock>, change: impl FnOnce(&mut Value)) -> Result<VisionlineProvider, Failure> {
    let mut settings = sim.settings();
    change(&mut settings);
    let factory = VisionlineFactory::new().with_endpoints(Arc::new(Phones(Arc::clone(sim))));
    assert_eq!(check_settings(&factory.settings_schema(), &settings), []);
    let env = ProviderEnv::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(NoMemo));
    factory.opened(&SecretString::from(settings.to_string()), &env)
}

impl Stage {
    fn call(&self, tag: &Tag) -> Call<'_> {
        Call { system: &self.system, tag: tag.clone(), attempt: 1, within: Duration::from_secs(20), operator: None, notes: &NoNotes }
    }
    fn control(&self) -> JobControl {
        let now = self.clock.now();
        JobControl::new(now + TimeDelta::seconds(10), now + TimeDelta::seconds(15))
    }
    /// Time passes while something is waited for: half a second at a time.
    async fn pass<T>(&self, work: impl Future<Output = T>) -> T {
        pass_while(&self.clock, Duration::from_millis(10), work).await
    }
    async fn encode(&self, key: &Tag, spec: &CredentialSpec) -> Result<Receipt, Failure> {
        let (call, control) = (self.call(key), self.control());
        let encoders = self.provider.encoders().unwrap();
        self.pass(encoders.encode(spec, None, &Handle::text("Desk1"), &call, &control)).await
    }
}

fn door(name: &str, class: DoorClass) -> Door {
    Door { id: AcsEntranceId::from_uuid(Uuid::from_u128(9)), handle: Handle::text(name), class }
}

/// A card for a room, from noon for so many hours.
fn card(room: &str, hours: i64, role: Role) -> CredentialSpec {
    let window = Window::new(at(NOON), Some(at(NOON) + TimeDelta::hours(hours))).unwrap();
    let room = door(room, DoorClass::Guest);
    let stay = StaySpec { key: "stay".to_owned(), generation: 1, doors: vec![room.clone()], window };
    CredentialSpec {
        user: None,
        holder: "Doe".to_owned(),
        doors: vec![room],
        window,
        schedule: None,
        suspended: false,
        body: Body::Card { number: None },
        stay: Some((stay, role)),
    }
}
