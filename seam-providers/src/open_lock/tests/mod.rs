//! The provider and the desk against virtual doors.
use super::sim::{Answer, ClockOfDoor, Phone, Site};
use super::*;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_ble::lock::Refusal;
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{AcsEntranceId, AcsSystemId, DaySet, UserIdentityId, Weekly, WeeklySpan, Window, WorkspaceId};
use seam_core::provider::*;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

mod conformance;
mod desk;
mod receipts;

const NOON: &str = "2026-03-02T12:00:00Z";

#[derive(Debug)]
struct NoMemo;

#[async_trait]
impl Memo for NoMemo {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        Ok((0, SecretString::default()))
    }
    async fn swap(&self, _: u64, _: SecretString) -> Result<bool, Failure> {
        Ok(true)
    }
}

#[derive(Debug)]
struct NoNotes;

#[async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _: &Handle) -> Result<(), Failure> {
        Ok(())
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

struct Stage {
    clock: Arc<ManualClock>,
    site: Site,
    provider: Arc<dyn AccessSystemProvider>,
    system: SystemRef,
}

fn stage(clocks: ClockOfDoor) -> Stage {
    stage_in(clocks, DocumentForm::Compact)
}

fn stage_in(clocks: ClockOfDoor, form: DocumentForm) -> Stage {
    let clock = Arc::new(ManualClock::new(at(NOON)));
    let site = Site::new(Arc::clone(&clock) as Arc<dyn Clock>, &["101", "102"], &["gym"], clocks).unwrap().in_form(form);
    let env = ProviderEnv::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(NoMemo));
    let provider = site.factory().open(SecretString::from(site.settings().to_string()), env).unwrap();
    let system = SystemRef { id: AcsSystemId::from_uuid(Uuid::from_u128(1)), handle: Handle::text("site") };
    Stage { clock, site, provider, system }
}

fn applicant() -> Applicant {
    Applicant { workspace: WorkspaceId::from_uuid(Uuid::from_u128(7)), person: UserIdentityId::from_uuid(Uuid::from_u128(8)) }
}

fn tag(n: u8) -> Tag {
    Tag(format!("{n:032x}"))
}

impl Stage {
    async fn door(&self, name: &str) -> Door {
        let all = self.provider.inventory().unwrap().entrances(&self.system).await.unwrap();
        let found = all.into_iter().find(|d| d.name == name).unwrap();
        Door { id: AcsEntranceId::from_uuid(Uuid::from_u128(9)), handle: found.handle, class: found.class }
    }
    /// A guest's key from `from` to `to` (hours from noon), of the stay with this number.
    async fn guest(&self, names: &[&str], from: i64, to: i64, number: u64) -> CredentialSpec {
        let mut doors = Vec::new();
        for name in names {
            doors.push(self.door(name).await);
        }
        let hour = |n| at(NOON) + TimeDelta::hours(n);
        let window = Window::new(hour(from), Some(hour(to))).unwrap();
        let rooms: Vec<Door> = doors.iter().filter(|d| d.class == DoorClass::Guest).cloned().collect();
        let stay = StaySpec { key: "stay".to_owned(), generation: number, doors: rooms, window };
        CredentialSpec {
            user: None,
            holder: "Anna Canary".to_owned(),
            doors,
            window,
            schedule: None,
            suspended: false,
            body: Body::mobile_key(),
            stay: Some((stay, Role::Open)),
        }
    }
    fn call(&self, tag: &Tag) -> Call<'_> {
        Call { system: &self.system, tag: tag.clone(), attempt: 1, within: Duration::from_secs(20), operator: None, notes: &NoNotes }
    }
    async fn put(&self, spec: &CredentialSpec, tag: &Tag) -> Receipt {
        self.provider.put(&Want::Credential(spec.clone()), None, &self.call(tag)).await.unwrap()
    }
    async fn remove(&self, spec: &CredentialSpec, tag: &Tag) -> Receipt {
        self.provider.remove(&Want::Credential(spec.clone()), None, &self.call(tag)).await.unwrap()
    }
    async fn phone(&self, seed: u8, tag: &Tag) -> Phone {
        let mut phone = Phone::new(seed);
        phone.enrol(&self.site.desk(), &applicant(), tag).await.unwrap();
        phone.sync(&self.site.desk()).await.unwrap();
        phone
    }
    fn present(&self, door: &str, phone: &Phone) -> Answer {
        self.site.door(door).unwrap().present(phone)
    }
    fn pass(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }
}

/// The number of a stay that starts so many hours from noon.
fn number(hours: i64) -> u64 {
    u64::try_from((at(NOON) + TimeDelta::hours(hours)).timestamp()).unwrap()
}
