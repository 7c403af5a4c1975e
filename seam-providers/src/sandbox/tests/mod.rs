//! Tests of the sandbox.
mod conformance;
mod encoders;
mod faults;
mod hotel;
mod journal;
mod locks;
mod office;

use super::*;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::JobControl;
use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
use seam_core::provider::*;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A world, its clock, and one site of it.
struct Stage {
    clock: Arc<ManualClock>,
    world: World,
    site: Site,
    provider: SandboxProvider,
    system: SystemRef,
}

#[derive(Debug)]
struct NoNotes;

#[async_trait::async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _: &Handle) -> Result<(), Failure> {
        Ok(())
    }
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-05-{text}:00Z").parse().unwrap()
}

/// `"01T15:00".."03T11:00"` of May 2026.
fn window(from: &str, to: &str) -> Window {
    Window::new(at(from), Some(at(to))).unwrap()
}

fn tag(text: &str) -> Tag {
    Tag(text.to_owned())
}

fn pin(text: &str) -> SecretString {
    SecretString::from(text)
}

impl Stage {
    fn new(config: SiteConfig) -> Self {
        let clock = Arc::new(ManualClock::new(at("01T12:00")));
        let world = World::new(Arc::clone(&clock) as Arc<dyn Clock>);
        Self::on(clock, world, config)
    }

    fn on(clock: Arc<ManualClock>, world: World, config: SiteConfig) -> Self {
        let site = world.add(config);
        let system = SystemRef { id: AcsSystemId::from_uuid(Uuid::nil()), handle: Handle::text(site.name()) };
        Self { clock, provider: site.provider(), world, site, system }
    }

    fn hotel() -> Self {
        Self::new(SiteConfig::hotel("hotel", 4))
    }

    fn goto(&self, text: &str) {
        self.clock.set(at(text));
    }

    fn call(&self, tag: &Tag) -> Call<'_> {
        Call { system: &self.system, tag: tag.clone(), attempt: 1, within: Duration::from_secs(10), operator: None, notes: &NoNotes }
    }

    fn doors(&self, names: &[&str]) -> Vec<seam_core::provider::Door> {
        let config = self.site.config();
        let door = |name: &&str| {
            let class = config.doors.iter().find(|d| d.handle.as_text() == Some(*name)).map_or(DoorClass::Common, |d| d.class);
            seam_core::provider::Door { id: AcsEntranceId::from_uuid(Uuid::nil()), handle: Handle::text(*name), class }
        };
        names.iter().map(door).collect()
    }

    fn credential(&self, body: Body, doors: &[&str], window: Window) -> CredentialSpec {
        let doors = self.doors(doors);
        CredentialSpec { user: None, holder: "Ada".to_owned(), doors, window, schedule: None, suspended: false, body, stay: None }
    }

    fn code(&self, digits: &str, door: &str, window: Window) -> Want {
        Want::Credential(self.credential(Body::Code { pin: Some(pin(digits)), slot: None }, &[door], window))
    }

    /// A guest's credential: its stay has all its guest doors and starts with its window, a little later with each re-opening.
    fn guest(&self, body: Body, doors: &[&str], window: Window, role: Role, reopened: u64) -> CredentialSpec {
        let mut spec = self.credential(body, doors, window);
        let of_stay = spec.doors.iter().filter(|d| d.class == DoorClass::Guest).cloned().collect();
        let generation = u64::try_from(window.starts_at().timestamp()).unwrap() + reopened;
        spec.stay = Some((StaySpec { key: format!("stay {}", window.starts_at()), generation, doors: of_stay, window }, role));
        spec
    }

    async fn put(&self, want: &Want, had: Option<&Handle>, t: &str) -> Result<Receipt, Failure> {
        self.provider.put(want, had, &self.call(&tag(t))).await
    }

    async fn remove(&self, want: &Want, had: Option<&Handle>, t: &str) -> Result<Receipt, Failure> {
        self.provider.remove(want, had, &self.call(&tag(t))).await
    }

    async fn find(&self, want: &Want, t: &str) -> Found {
        self.provider.find(want, None, &self.call(&tag(t))).await.unwrap()
    }

    fn control(&self) -> JobControl {
        let now = self.world.now();
        JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::seconds(60))
    }

    async fn encode_at(&self, encoder: &str, spec: &CredentialSpec, t: &str) -> Result<Receipt, Failure> {
        let encoders = self.provider.encoders().unwrap();
        encoders.encode(spec, None, &Handle::text(encoder), &self.call(&tag(t)), &self.control()).await
    }

    /// Writes a card at the first desk and takes it.
    async fn card(&self, spec: &CredentialSpec, t: &str) -> Card {
        self.encode_at("desk-1", spec, t).await.unwrap();
        self.site.encoder("desk-1").take_written().pop().unwrap()
    }

    fn try_card(&self, door: &str, card: &Card) -> Why {
        self.site.door(door).present(card).why
    }
}

/// Runs a future to its end; it must not wait for time.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
