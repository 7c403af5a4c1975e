//! A site of each vendor, with an engine at it.
use chrono::{DurationRound, TimeDelta};
use seam_bench::Failed;
use seam_core::clock::{Clock, SystemClock};
use seam_core::model::ActionStatus;
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodId, AccessMethodMode, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::http::HttpClient;
use seam_providers::net::sim::Misbehaviour;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_ks::sim::KsSim;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SpaceSim, SpaceSimOptions};
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::sim::{HotelPlan, VisionlineSim};
use seam_providers::visionline::vision::VisionFactory;
use seam_providers::visionline::vision::sim::VisionSim;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// An interface of a vendor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Vendor {
    VisionlineWeb,
    VisionlinePms,
    Vision,
    SaltoPms,
    SaltoShip,
    SaltoKs,
}

impl Vendor {
    pub(super) const ALL: [Self; 6] =
        [Self::VisionlineWeb, Self::VisionlinePms, Self::Vision, Self::SaltoPms, Self::SaltoShip, Self::SaltoKs];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::VisionlineWeb => "visionline web",
            Self::VisionlinePms => "visionline pms",
            Self::Vision => "vision",
            Self::SaltoPms => "salto pms",
            Self::SaltoShip => "salto ship",
            Self::SaltoKs => "salto ks",
        }
    }
    pub(super) fn mode(self) -> AccessMethodMode {
        if self == Self::SaltoKs { AccessMethodMode::Code } else { AccessMethodMode::Card }
    }
    pub(super) const fn encoders_are_independent(self) -> bool {
        matches!(self, Self::VisionlineWeb | Self::VisionlinePms | Self::SaltoShip)
    }
    /// The fewest requests that a check-in can take, and which those are.
    pub(super) const fn floor(self) -> (usize, &'static str) {
        match self {
            Self::VisionlineWeb => (1, "the card; the login is for all"),
            Self::VisionlinePms => (1, "the card"),
            Self::Vision => (3, "a registration, the card, a farewell: a connection for each card"),
            Self::SaltoPms => (1, "the card; before it one byte asks whether the line is ready"),
            // A permission in the user's own record would save one; but the record has one list, which each update replaces as a whole.
            Self::SaltoShip => (4, "the user, a permission that ends by itself, her key, a look for her card's number"),
            Self::SaltoKs => {
                (7, "a guest, a group, its times, its lock, its member, the right to a PIN, the PIN; her seat is told with the guest")
            }
        }
    }
}

enum Fake {
    Visionline(VisionlineSim),
    Vision(VisionSim),
    Space(Box<SpaceSim>),
    Ks(KsSim),
}

/// A connected site.
pub(super) struct Site {
    vendor: Vendor,
    fake: Fake,
    ws: Workspace,
    engine: Engine,
    clock: Arc<dyn Clock>,
}

impl Site {
    /// So many encoders, at which a card is there whenever one is asked for, and so many rooms.
    pub(super) async fn new(vendor: Vendor, encoders: usize, rooms: usize, writing: Duration) -> Result<Self, Failed> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut plan = HotelPlan::of(u16::try_from(rooms)?, chrono_tz::UTC);
        plan.encoders = (1..=encoders).map(|n| (format!("Desk{n}"), n.to_string())).collect();
        (plan.auto_card, plan.writing) = (true, writing);
        let without = |mut settings: Value, interface: &str| {
            settings[interface] = Value::Null;
            settings
        };
        let (fake, factory, settings): (Fake, Arc<dyn ProviderFactory>, Value) = match vendor {
            Vendor::VisionlineWeb | Vendor::VisionlinePms => {
                let sim = VisionlineSim::start(plan, Arc::clone(&clock)).await?;
                let settings = without(sim.settings(), if vendor == Vendor::VisionlineWeb { "pms" } else { "web" });
                (Fake::Visionline(sim), Arc::new(VisionlineFactory::new()), settings)
            }
            Vendor::Vision => {
                let sim = VisionSim::start(plan, Arc::clone(&clock)).await?;
                let settings = sim.settings();
                (Fake::Vision(sim), Arc::new(VisionFactory), settings)
            }
            Vendor::SaltoPms | Vendor::SaltoShip => {
                let mut options = SpaceSimOptions::new(Arc::clone(&clock), chrono_tz::UTC);
                options.rooms = (0..rooms).map(|n| (101 + n).to_string()).collect();
                options.encoders = (1..=encoders).map(|n| format!("Desk {n}")).collect();
                let sim = SpaceSim::start(options).await?;
                sim.lay_cards_always(true);
                sim.set_write_time(writing);
                let settings = if vendor == Vendor::SaltoPms { sim.pms_settings() } else { sim.ship_settings(false) };
                (Fake::Space(Box::new(sim)), Arc::new(SpaceFactory::default()), settings)
            }
            Vendor::SaltoKs => {
                let sim = KsSim::start(Arc::clone(&clock)).await?;
                let settings = sim.settings();
                (Fake::Ks(sim), Arc::new(KsFactory::new(Arc::new(HttpClient::for_providers()?))), settings)
            }
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let seam = Seam::new(Arc::clone(&store), vault.clone());
        let engine = Engine::new(store, vault, vec![Arc::clone(&factory)], EngineConfig::default());
        let ws = seam.create_workspace("Hotel", false).await?;
        ws.connected_accounts().connect(factory.kind(), &settings).await?;
        engine.round().await?;
        Ok(Self { vendor, fake, ws, engine, clock })
    }

    /// Requests that have reached the system, without logins: they serve everybody.
    pub(super) fn requests(&self) -> u64 {
        match &self.fake {
            Fake::Visionline(sim) => sim.requests() - sim.logins(),
            Fake::Vision(sim) => sim.requests(),
            Fake::Space(sim) => sim.pms.requests() + sim.ship.requests(),
            Fake::Ks(sim) => sim.server.requests() - sim.logins(),
        }
    }

    /// Each answer comes so much later.
    pub(super) async fn answer_slowly(&self, by: Duration) -> Result<(), Failed> {
        let slow = Some(Misbehaviour::Slow(by));
        match &self.fake {
            Fake::Visionline(sim) => sim.misbehave(slow).await?,
            Fake::Vision(sim) => sim.misbehave(slow).await?,
            Fake::Space(sim) => sim.ship.misbehave(slow).await?,
            Fake::Ks(sim) => sim.server.misbehave(slow).await?,
        }
        Ok(())
    }

    fn door(&self, n: usize) -> String {
        match self.vendor {
            Vendor::SaltoShip => "Store".to_owned(),
            Vendor::SaltoKs => "D\u{f6}r 0".to_owned(),
            _ => (101 + n).to_string(),
        }
    }

    /// Guests, each in a room of her own where there are rooms; their methods, once the engine is through with them.
    pub(super) async fn guests(&self, count: usize) -> Result<Vec<AccessMethodId>, Failed> {
        self.guests_from(0, count).await
    }

    pub(super) async fn guests_from(&self, first: usize, count: usize) -> Result<Vec<AccessMethodId>, Failed> {
        let mut methods = Vec::new();
        for n in first..first + count {
            let door = self.ws.acs().entrances().by_name(&self.door(n)).await?.acs_entrance_id;
            // Some systems keep whole minutes, rounded inwards, and a PIN without times of its own is not made before.
            let now = self.clock.now().duration_trunc(TimeDelta::minutes(1))?;
            let wish = NewGrant::builder()
                .who(Who::named(format!("Guest {n}")))
                .entrances(vec![door])
                .starts_at(now)
                .ends_at(now + TimeDelta::days(2))
                .methods(vec![NewMethod::new(self.vendor.mode())])
                .maybe_reservation((!matches!(self.vendor, Vendor::SaltoShip | Vendor::SaltoKs)).then(|| format!("stay-{n}")))
                .build();
            let grant = self.ws.access_grants().create(wish).await?;
            let method = self.ws.access_methods().of_grant(grant.access_grant_id).await?.into_iter().next();
            methods.push(method.ok_or("the grant has no method")?.access_method_id);
        }
        self.engine.round().await?;
        if self.vendor.mode() == AccessMethodMode::Code {
            for method in &methods {
                self.issued(*method).await?;
            }
        }
        Ok(methods)
    }

    /// Waits for a PIN: the system makes it, and is asked for it. Whether it is there still is looked at a second or two later, on purpose.
    async fn issued(&self, method: AccessMethodId) -> Result<(), Failed> {
        for _ in 0..100 {
            let seen = self.ws.access_methods().get(method).await?;
            if seen.code.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.engine.round().await?;
        }
        let seen = self.ws.access_methods().get(method).await?;
        Err(format!("a PIN was not made: {:?} {:?}", seen.warnings, seen.errors).into())
    }

    /// Writes cards, in turn at each encoder.
    pub(super) async fn cards(&self, methods: &[AccessMethodId]) -> Result<(), Failed> {
        let desks = self.ws.acs().encoders().list(None, None, 100).await?.items;
        let mut attempts = Vec::new();
        for (method, desk) in methods.iter().zip(desks.iter().cycle()) {
            attempts.push(self.ws.access_methods().encode(*method, desk.acs_encoder_id).await?.action_attempt_id);
        }
        self.engine.round().await?;
        for attempt in attempts {
            let attempt = self.ws.action_attempts().get(attempt).await?;
            if attempt.status != ActionStatus::Success {
                return Err(format!("a card was not made: {:?}", attempt.error).into());
            }
        }
        Ok(())
    }
}
