//! The virtual hotel.
use super::builder::TestHotelBuilder;
use super::drive::Driver;
use super::guest::Guest;
use super::instant::Instant;
use crate::sandbox::{Card, Door, Encoder, Phone, SandboxFactory, Silence, Site, SiteConfig, World};
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::api::CredentialFilter;
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{AccessMethod, ActionStatus, UserIdentityId};
use seam_core::plan::tag_of;
use seam_core::provider::{DoorClass, ProviderFactory};
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{
    AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, Engine, EngineConfig, Error, ErrorKind, NewGrant, NewMethod, NextAction,
    Result, Seam, Who, Workspace,
};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The name of the hotel's site in its world.
pub(super) const HOTEL: &str = "hotel";
/// The encoder that the kit uses by itself.
const DESK: &str = "desk-1";
/// Longer than an encoder waits for a card.
const ENCODING: Duration = Duration::from_secs(120);
/// Longer than a system takes that answers.
const SOON: Duration = Duration::from_secs(600);

/// A virtual hotel: see the [module](super).
#[derive(Debug)]
pub struct TestHotel {
    world: World,
    seam: Seam,
    workspace: Workspace,
    driver: Driver,
    stays: AtomicU32,
}

impl TestHotel {
    /// A hotel of ten rooms, to be changed and [built](TestHotelBuilder::build).
    ///
    /// Its doors are `101` to `110`, `gym`, `lobby` and `pool`; its encoders are `desk-1` and `desk-2`. Cards and phones open all of its doors,
    /// PINs the three common ones.
    #[expect(clippy::new_ret_no_self, reason = "it reads as what it is for: a new hotel, of so many rooms")]
    pub fn new() -> TestHotelBuilder {
        TestHotelBuilder::new()
    }

    pub(super) async fn open(
        site: SiteConfig,
        starts: DateTime<Utc>,
        seed: u64,
        others: Vec<SiteConfig>,
        mut config: EngineConfig,
    ) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(starts));
        let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let world = World::new(Arc::clone(&told));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(told));
        let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let seam = Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.example", Some(seed));
        config.seed = Some(!seed);
        let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(SandboxFactory::new(world.clone()))];
        let driver = Driver::new(clock, Engine::new(store, vault, factories, config));
        let workspace = seam.create_workspace("Test hotel", true).await?;
        for site in std::iter::once(site).chain(others) {
            let name = site.name.clone();
            world.add(site);
            let account = workspace.connected_accounts().connect("sandbox", &serde_json::json!({ "site": name })).await?;
            driver.wait(workspace.connected_accounts().wait_until_synced(account.connected_account_id, SOON)).await?;
        }
        driver.go(driver.clock().now()).await;
        Ok(Self { world, seam, workspace, driver, stays: AtomicU32::new(0) })
    }

    /// The real API.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }
    /// The SDK that the workspace is of: for a second workspace, or for code of yours that takes it.
    #[must_use]
    pub fn seam(&self) -> &Seam {
        &self.seam
    }

    /// The clock. Moved by hand it leaves the engine behind, as an outage of your service does; [`at`](Self::at) and [`advance`](Self::advance) take
    /// the engine along.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        self.driver.clock()
    }
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }
    /// Lets the engine do what is due now. No time passes.
    pub async fn settle(&self) {
        self.driver.go(self.now()).await;
    }
    /// Moves on to an instant, through all that is due before. An instant that has passed changes nothing but [settles](Self::settle).
    ///
    /// # Panics
    /// The text is no instant.
    pub async fn at(&self, at: impl Instant) {
        self.driver.go(at.instant()).await;
    }
    /// Moves on by so much, through all that is due before.
    pub async fn advance(&self, by: TimeDelta) {
        self.driver.go(self.now() + by).await;
    }
    /// Lets the engine work, and time pass as far as needed, until a call of yours that waits has its answer.
    ///
    /// ```
    /// # use seam_providers::test_kit::TestHotel;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> seam_core::Result<()> {
    /// # let hotel = TestHotel::new().build().await;
    /// # let grant = hotel.check_in("Anna", "101", "2026-03-01 15:00", "2026-03-03 11:00").await?.access_grant_id;
    /// let grants = hotel.workspace().access_grants();
    /// hotel.wait(grants.wait_until_issued(grant, Duration::from_secs(60))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// It has no answer after a year on the clock.
    pub async fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.driver.wait(call).await
    }

    /// The world that the hotel is in: for blank cards and other sites.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
    /// The hotel itself: phones, logs, everything that may go wrong.
    #[must_use]
    pub fn site(&self) -> Site {
        self.world.site(HOTEL)
    }
    /// A door, to be tried.
    ///
    /// # Panics
    /// There is no such door.
    #[must_use]
    pub fn door(&self, name: &str) -> Door {
        self.site().door(name)
    }
    /// An encoder, to lay cards on.
    ///
    /// # Panics
    /// There is no such encoder.
    #[must_use]
    pub fn encoder(&self, name: &str) -> Encoder {
        self.site().encoder(name)
    }
    /// The hotel's system is down: connections are refused. Locks go on by themselves. Other ways to be silent are at [`Site::go_silent`].
    pub fn go_silent(&self) {
        self.site().go_silent(Silence::RefusesConnections);
    }
    /// The hotel's system answers again.
    pub fn speak(&self) {
        self.site().speak();
    }

    /// The id of an entrance, of any site.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn entrance(&self, name: &str) -> Result<AcsEntranceId> {
        Ok(self.workspace.acs().entrances().by_name(name).await?.acs_entrance_id)
    }
    /// The ids of entrances, of any site.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn entrances(&self, names: &[&str]) -> Result<Vec<AcsEntranceId>> {
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            ids.push(self.entrance(name).await?);
        }
        Ok(ids)
    }
    /// The id of an encoder, of any site.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn encoder_id(&self, name: &str) -> Result<AcsEncoderId> {
        Ok(self.workspace.acs().encoders().by_name(name).await?.acs_encoder_id)
    }

    /// Checks somebody in, in a stay of her own: a grant for a room and the common doors, a card that is made at once, a PIN.
    ///
    /// # Errors
    /// As [`AccessGrants::create`](seam_core::api::AccessGrants::create) and [`encode`](Self::encode).
    ///
    /// # Panics
    /// A text is no instant.
    pub async fn check_in(&self, who: &str, room: &str, from: impl Instant, to: impl Instant) -> Result<Guest> {
        let reservation_key = format!("stay-{}", self.stays.fetch_add(1, Ordering::Relaxed) + 1);
        let common = self.site().config().doors.into_iter().filter(|door| door.class == DoorClass::Common);
        let names: Vec<String> = common.map(|door| door.name).collect();
        let doors: Vec<&str> = std::iter::once(room).chain(names.iter().map(String::as_str)).collect();
        let grant = NewGrant::builder()
            .who(Who::named(who))
            .entrances(self.entrances(&doors).await?)
            .starts_at(from.instant())
            .ends_at(to.instant())
            .methods([NewMethod::card(), NewMethod::code()])
            .reservation(reservation_key.as_str())
            .build();
        let grant = self.workspace.access_grants().create(grant).await?;
        self.settle().await;
        let methods = self.workspace.access_methods().of_grant(grant.access_grant_id).await?;
        let card_method = of_mode(&methods, &AccessMethodMode::Card)?.access_method_id;
        let pin_method = of_mode(&methods, &AccessMethodMode::Code)?;
        let pin = pin_method.code.clone().ok_or_else(|| Error::new(ErrorKind::Failed, "no_code", "the site gives no PINs"))?;
        Ok(Guest {
            access_grant_id: grant.access_grant_id,
            user_identity_id: grant.user_identity_id,
            reservation_key,
            card: self.encode(card_method).await?,
            card_method_id: card_method,
            pin_method_id: pin_method.access_method_id,
            pin,
        })
    }

    /// Lays a blank card on the encoder at the desk, has the method written, and takes the card away.
    ///
    /// # Errors
    /// As [`AccessMethods::encode`](seam_core::api::AccessMethods::encode); `Failed` (`encode_failed`) when the encoder did not write it.
    pub async fn encode(&self, method: AccessMethodId) -> Result<Card> {
        let card = self.world.blank_card();
        self.encode_onto(&card, method).await?;
        Ok(card)
    }
    /// As [`encode`](Self::encode), with a card that is there: a guest's own, after her stay was extended.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub async fn encode_onto(&self, card: &Card, method: AccessMethodId) -> Result<()> {
        let encoder = self.encoder(DESK);
        let asked = self.workspace.access_methods().encode(method, self.encoder_id(DESK).await?).await?;
        encoder.put_card(card);
        let done = self.wait(self.workspace.action_attempts().wait(asked.action_attempt_id, ENCODING)).await;
        encoder.take_card();
        let done = done?;
        if done.status == ActionStatus::Success {
            return Ok(());
        }
        let why = done.error.map_or_else(String::new, |e| format!("{}: {}", e.r#type, e.message));
        let failed = Error::new(ErrorKind::Failed, "encode_failed", format!("the card was not written: {why}"));
        Err(failed.with_next_action(NextAction::AskPerson).with_operation("access_methods.encode"))
    }

    /// The phone with the latest mobile key of a person.
    ///
    /// # Errors
    /// `NotFound`: she has no mobile key.
    pub async fn phone(&self, of: UserIdentityId) -> Result<Phone> {
        let mut filter = CredentialFilter::builder().user_identity_id(of).limit(1000).build();
        let mut latest = None;
        loop {
            let page = self.workspace.acs().credentials().list(&filter).await?;
            let hers = page.items.iter().filter(|c| c.access_method == AccessMethodMode::MobileKey);
            latest = hers.map(|c| c.acs_credential_id).next_back().or(latest);
            filter.page_cursor = page.pagination.next_page_cursor;
            if filter.page_cursor.is_none() {
                let found = latest.ok_or_else(|| Error::new(ErrorKind::NotFound, "no_mobile_key", "this person has no mobile key"))?;
                return Ok(self.site().phone(&tag_of(found.uuid()).0));
            }
        }
    }
}

fn of_mode<'a>(methods: &'a [AccessMethod], mode: &AccessMethodMode) -> Result<&'a AccessMethod> {
    let found = methods.iter().find(|m| m.mode == *mode);
    found.ok_or_else(|| Error::new(ErrorKind::Failed, "method_not_made", format!("the grant has no method of the mode {mode:?}")))
}
