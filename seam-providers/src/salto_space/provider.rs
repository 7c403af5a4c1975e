//! The provider: one account, up to two systems.
use super::config::{Settings, schema};
use super::error::invalid;
use super::guests::{self, Guests};
use super::users::{self, Users};
use crate::net::Deadline;
use async_trait::async_trait;
use seam_core::clock::Clock;
use seam_core::encoder::{CardSeen, JobControl};
use seam_core::provider::{
    AccessLog, AccessSystemProvider, Call, CredentialSpec, EncoderReport, EntranceReport, Failure, Finding, Found, GroupReport, Handle,
    HeldPage, Inventory, LogPage, ProviderEnv, ProviderFactory, Reason, Receipt, SystemRef, SystemReport, VendorEncoders, Want,
};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;

/// A Salto Space server: guests' cards by its PMS interface, users and doors by its SHIP interface.
#[derive(Debug)]
pub struct SpaceProvider {
    name: String,
    clock: Arc<dyn Clock>,
    guests: Option<Guests>,
    users: Option<Users>,
}

/// Which of the systems is meant.
enum Side<'a> {
    Guests(&'a Guests),
    Users(&'a Users),
}

impl SpaceProvider {
    pub(super) fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let zone = settings.check()?;
        let guests = settings.pms.map(|pms| Guests::new(&settings.name, zone, pms, Arc::clone(&clock)));
        let users = settings.ship.map(|ship| Users::new(&settings.name, zone, ship, &clock)).transpose()?;
        Ok(Self { name: settings.name, clock, guests, users })
    }

    fn side(&self, system: &SystemRef) -> Result<Side<'_>, Failure> {
        let side = match system.handle.as_text() {
            Some(guests::SYSTEM) => self.guests.as_ref().map(Side::Guests),
            Some(users::SYSTEM) => self.users.as_ref().map(Side::Users),
            _ => None,
        };
        side.ok_or_else(|| Failure::refused(Reason::NotThere, "the account has no such system"))
    }
}

impl fmt::Display for SpaceProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salto Space {}", self.name)
    }
}

#[async_trait]
impl AccessSystemProvider for SpaceProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        let guests = self.guests.iter().map(Guests::report);
        Ok(guests.chain(self.users.iter().map(Users::report)).collect())
    }

    async fn readiness(&self) -> Vec<Finding> {
        let deadline = Deadline::after(&self.clock, guests::READY_WITHIN);
        let mut findings = Vec::new();
        if let Some(guests) = &self.guests {
            findings.extend(guests.readiness(&deadline).await);
        }
        if let Some(users) = &self.users {
            findings.extend(users.readiness(&deadline).await);
        }
        findings
    }

    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        match self.side(call.system)? {
            Side::Guests(side) => side.put(want, had, call).await,
            Side::Users(side) => side.put(want, call).await,
        }
    }

    async fn remove(&self, last: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        match self.side(call.system)? {
            Side::Guests(side) => side.remove(last, call).await,
            Side::Users(side) => side.remove(last, had, call).await,
        }
    }

    async fn find(&self, want: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        match self.side(call.system)? {
            Side::Guests(side) => Ok(side.find()),
            Side::Users(side) => side.find(want, call).await,
        }
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
    fn encoders(&self) -> Option<&dyn VendorEncoders> {
        Some(self)
    }
    // No remote unlock: the system opens online doors, but for nobody in particular. Whose right it was could not be told afterwards.
    fn access_log(&self) -> Option<&dyn AccessLog> {
        self.users.is_some().then_some(self)
    }
}

#[async_trait]
impl Inventory for SpaceProvider {
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        match self.side(system)? {
            Side::Guests(side) => Ok(side.entrances()),
            Side::Users(side) => side.entrances().await,
        }
    }

    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        // Neither interface is known to list access levels.
        self.side(system).map(|_| Vec::new())
    }

    async fn held(&self, system: &SystemRef, cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        match self.side(system)? {
            Side::Guests(_) => Ok(None),
            Side::Users(side) => side.held(cursor).await.map(Some),
        }
    }
}

#[async_trait]
impl VendorEncoders for SpaceProvider {
    async fn list(&self, system: &SystemRef) -> Result<Vec<EncoderReport>, Failure> {
        Ok(match self.side(system)? {
            Side::Guests(side) => side.encoders(),
            Side::Users(side) => side.encoders(),
        })
    }

    async fn encode(
        &self,
        card: &CredentialSpec,
        had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        match self.side(call.system)? {
            Side::Guests(side) => side.encode(card, at, call, control).await,
            Side::Users(side) => side.encode(card, had, at, call, control).await,
        }
    }

    async fn read(&self, at: &Handle, call: &Call<'_>, control: &JobControl) -> Result<CardSeen, Failure> {
        match self.side(call.system)? {
            Side::Guests(side) => side.read(at, call, control).await,
            Side::Users(_) => Err(Failure::unsupported("what Encoder.ReadKey answers is not public")),
        }
    }
}

#[async_trait]
impl AccessLog for SpaceProvider {
    async fn entries(&self, system: &SystemRef, cursor: Option<&str>) -> Result<LogPage, Failure> {
        match self.side(system)? {
            Side::Guests(_) => Err(Failure::unsupported("the audit trail over the PMS interface has no year and no end to go on from")),
            Side::Users(side) => side.log(cursor).await,
        }
    }
}

/// Connects Salto Space servers. The kind is `salto_space`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SpaceFactory;

impl ProviderFactory for SpaceFactory {
    fn kind(&self) -> &'static str {
        "salto_space"
    }

    fn settings_schema(&self) -> serde_json::Value {
        schema()
    }

    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        // The message of the parser may quote the settings: it is not passed on.
        let settings: Settings =
            serde_json::from_str(settings.expose_secret()).map_err(|_| invalid("the settings do not fit the schema of salto_space"))?;
        Ok(Arc::new(SpaceProvider::open(settings, env.clock)?))
    }
}
