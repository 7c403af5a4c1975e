//! A server with its house, a clock that is moved, and an account at it.
use crate::net::stand::{NoMemo, misbehaviour};
pub(super) use crate::net::stand::{at, call};
use crate::salto_space::SpaceFactory;
use crate::salto_space::guests::mark;
use crate::salto_space::sim::{SpaceSim, SpaceSimOptions};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use seam_core::clock::{Clock, ManualClock};
use seam_core::conformance::provider::{Fault, Issued, Judge, SamePin, Tried};
use seam_core::model::AcsSystemId;
use seam_core::provider::*;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) const ZONE: Tz = chrono_tz::Europe::Madrid;

pub(super) struct Stage {
    pub(super) clock: Arc<ManualClock>,
    pub(super) sim: SpaceSim,
    pub(super) provider: Arc<dyn AccessSystemProvider>,
    /// Time passes while calls wait: something is held up on purpose.
    pub(super) waits: AtomicBool,
    pub(super) stp: bool,
}

/// Which interface an account uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Pms,
    Http,
    Stp,
}

impl Stage {
    pub(super) async fn new(way: Way, change: impl FnOnce(&mut SpaceSimOptions)) -> Self {
        let clock = Arc::new(ManualClock::new(at("2026-05-04T10:00:00Z")));
        let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, ZONE);
        change(&mut options);
        let sim = SpaceSim::start(options).await.unwrap();
        let settings = if way == Way::Pms { sim.pms_settings() } else { sim.ship_settings(way == Way::Stp) };
        assert_eq!(check_settings(&SpaceFactory::default().settings_schema(), &settings), []);
        let provider = Self::open(&clock, &settings).unwrap();
        Self { clock, sim, provider, waits: AtomicBool::new(false), stp: way == Way::Stp }
    }

    pub(super) fn open(clock: &Arc<ManualClock>, settings: &serde_json::Value) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        let env = ProviderEnv::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(NoMemo));
        SpaceFactory::default().open(SecretString::from(settings.to_string()), env)
    }

    pub(super) fn system(&self) -> SystemRef {
        let handle = if self.sim.pms_settings()["pms"].is_null() || self.is_ship() { "users" } else { "guests" };
        SystemRef { id: AcsSystemId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(handle) }
    }

    fn is_ship(&self) -> bool {
        self.provider.access_log().is_some()
    }

    fn server(&self) -> &crate::net::sim::Server {
        match (self.is_ship(), self.stp) {
            (false, _) => &self.sim.pms,
            (true, false) => &self.sim.ship,
            (true, true) => &self.sim.stp,
        }
    }

    /// Runs a call while time passes.
    pub(super) async fn pass_while<T>(&self, call: impl Future<Output = T>) -> T {
        crate::net::stand::pass_while(&self.clock, Duration::from_millis(3), call).await
    }
}

#[async_trait]
impl Judge for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
    async fn pass(&self, time: Duration) {
        if time <= Duration::from_millis(500) {
            // Something is on its way over a socket. Time passes only where somebody has to wait for it.
            tokio::time::sleep(Duration::from_millis(3)).await;
            if !self.waits.load(Ordering::SeqCst) {
                return;
            }
        }
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        let door = door.as_text().unwrap();
        let user = match issued.want {
            Want::Credential(c) => c.user.as_ref().and_then(Handle::as_text),
            _ => None,
        };
        let tried = match (issued.want.kind(), user) {
            (Kind::Code, _) => issued.pin.map(|pin| self.sim.enter(door, pin.expose_secret())),
            (Kind::Card, Some(user)) => self.sim.card_of_user(user).map(|card| self.sim.present(door, &card)),
            (Kind::MobileKey, _) => match issued.want {
                Want::Credential(CredentialSpec { body: Body::MobileKey { phone_number: Some(number), .. }, .. }) => {
                    Some(self.sim.present_phone(door, number.expose_secret()))
                }
                _ => None,
            },
            (Kind::Card, None) => self.sim.card_marked(&mark(issued.tag).unwrap()).map(|card| self.sim.present(door, &card)),
            _ => None,
        };
        match tried {
            None => Tried::Cannot,
            Some(tried) if tried.is_open() => Tried::Opened,
            Some(_) => Tried::Refused,
        }
    }
    async fn try_pin(&self, door: &Handle, pin: &str) -> Tried {
        if self.sim.enter(door.as_text().unwrap(), pin).is_open() { Tried::Opened } else { Tried::Refused }
    }
    async fn holds(&self, issued: &Issued<'_>) -> Option<u32> {
        if !self.is_ship() {
            // The server keeps a list of guests, and no list of keys.
            return None;
        }
        match issued.want {
            Want::User(_) => Some(self.sim.count("user", &issued.tag.0)),
            Want::Access(_) => Some(self.sim.count("level", &issued.tag.0)),
            Want::Credential(c) if c.body.kind() == Kind::Code => Some(self.sim.count("pin", c.user.as_ref()?.as_text()?)),
            _ => None,
        }
    }
    fn requests(&self) -> Option<u64> {
        Some(self.server().requests())
    }
    async fn spoil(&self, fault: Option<Fault>) -> bool {
        let Ok(how) = misbehaviour(fault) else { return false };
        self.waits.store(how.is_some(), Ordering::SeqCst);
        self.server().misbehave(how).await.unwrap();
        true
    }
    async fn lay_card(&self, encoder: &Handle) -> bool {
        self.waits.store(false, Ordering::SeqCst);
        let card = self.sim.blank_card();
        self.sim.lay(encoder.as_text().unwrap(), &card);
        true
    }
    async fn clear_encoder(&self, encoder: &Handle) -> bool {
        self.waits.store(true, Ordering::SeqCst);
        self.sim.take(encoder.as_text().unwrap());
        true
    }
    async fn registered_card(&self) -> Option<String> {
        None
    }
    fn same_pin(&self) -> SamePin {
        SamePin::Taken
    }
}
