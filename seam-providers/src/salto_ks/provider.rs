//! The provider: one account, a system for each site.
use super::client::Client;
use super::config::{Settings, schema};
use super::error::invalid;
use super::put::{Job, Seats, held};
use super::wire::{At, Entry, Lock, Site, SiteUser, Subscription, instant, sites};
use crate::net::Deadline;
use crate::net::oauth::Tokens;
use async_trait::async_trait;
use seam_core::clock::Clock;
use seam_core::provider::{
    AccessLog, AccessSystemProvider, Call, ChannelReport, CredentialSpec, Denial, Door, DoorClass, DoorLimit, EndsBy, EntranceReport,
    Failure, Finding, Found, GroupReport, Groups, Handle, HeldPage, HttpTransport, Inventory, Kind, KindRules, LogEntry, LogPage, PinRules,
    ProviderEnv, ProviderFactory, ReadBack, Reason, Receipt, RemoteUnlock, Repeat, SystemRef, SystemReport, Want,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Calls that read, where nobody says for how long.
const USUAL: Duration = Duration::from_secs(30);
/// Entries of a page of the log.
const ENTRIES: usize = 200;
/// How often the log is read, in seconds.
const LOG_SECONDS: u32 = 60;

/// Gives the one-time code for a remote unlock. A person reads it in the vendor's app; how it is computed is not public.
#[async_trait]
pub trait OneTimeCodes: fmt::Debug + Send + Sync + 'static {
    /// The code for this lock now; `None` when nobody has entered one. It is good for three minutes, and wrong ones block the user.
    async fn code(&self, lock: &str) -> Option<SecretString>;
}

/// An account at Salto KS.
#[derive(Debug)]
pub struct KsProvider {
    client: Client,
    seats: Seats,
    clock: Arc<dyn Clock>,
    codes: Option<Arc<dyn OneTimeCodes>>,
    only: BTreeSet<String>,
    channel: ChannelReport,
    reads_log: bool,
}

impl fmt::Display for KsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salto KS")
    }
}

fn site_of(system: &SystemRef) -> Result<&str, Failure> {
    // It becomes part of a path.
    let id = system.handle.as_text().filter(|id| uuid_like(id));
    id.ok_or_else(|| Failure::refused(Reason::NotThere, "the account has no such site"))
}

pub(super) fn uuid_like(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl KsProvider {
    fn usual(&self) -> Deadline {
        Deadline::after(&self.clock, USUAL)
    }

    fn job<'a>(&'a self, call: &'a Call<'a>) -> Result<Job<'a>, Failure> {
        let at = At(site_of(call.system)?);
        let deadline = Deadline::after(&self.clock, call.within);
        Ok(Job { client: &self.client, seats: &self.seats, now: self.clock.now(), at, call, deadline })
    }

    /// Doors of a permission become parts of paths and bodies.
    fn doors(want: &Want) -> Result<(), Failure> {
        let doors = match want {
            Want::Access(access) => &access.doors,
            Want::Credential(spec) => &spec.doors,
            _ => return Ok(()),
        };
        match doors.iter().all(|d| d.handle.as_text().is_some_and(uuid_like)) {
            true => Ok(()),
            false => Err(Failure::refused(Reason::NotThere, "there is no such lock")),
        }
    }

    /// The sites of the account, each in full.
    async fn sites(&self, deadline: &Deadline) -> Result<Vec<Site>, Failure> {
        let mut all = Vec::new();
        for site in self.client.list::<Site>(&sites(), deadline, |_| false).await? {
            if uuid_like(&site.id) && (self.only.is_empty() || self.only.contains(&site.id)) {
                all.push(self.client.read(&At(&site.id).site(), deadline).await?);
            }
        }
        Ok(all)
    }

    fn report(&self, site: &Site) -> SystemReport {
        let mut report = SystemReport::new(Handle::text(&site.id), site.name(), format!("salto-ks {}", site.id), self.channel.clone());
        "salto_ks_site".clone_into(&mut report.external_type);
        "Salto KS site".clone_into(&mut report.external_type_display_name);
        report.time_zone = site.time_zone.clone().filter(|z| z.parse::<chrono_tz::Tz>().is_ok());
        report.groups = Groups::Own;
        let mut user = KindRules::full();
        // Two guests of one name are two guests: they are looked for first.
        user.repeat = Repeat::AfterFind;
        let mut access = KindRules::full();
        // No route that lists groups is public, so a group whose naming was lost is not found again.
        (access.repeat, access.read_back, access.end_required, access.resolution_seconds) = (Repeat::Never, ReadBack::None, true, 60);
        // Suspended is taken away: which groups there are cannot be asked.
        access.suspend = false;
        let mut code = KindRules::full();
        // A PIN has no start, and each request makes another one.
        (code.repeat, code.read_back, code.ends) = (Repeat::AfterFind, ReadBack::Existence, EndsBy::Engine);
        (code.doors, code.suspend, code.load_ahead_seconds) = (DoorLimit::ByUser, false, 0);
        report.kinds = [(Kind::User, user), (Kind::Access, access)].into();
        if site.pin_enabled {
            let mut pin = PinRules::digits(6, 6);
            (pin.made_by_vendor, pin.per_user) = (true, true);
            report.pin = Some(pin);
            report.kinds.insert(Kind::Code, code);
        }
        if self.codes.is_some() {
            let mut key = KindRules::full();
            (key.repeat, key.read_back, key.ends) = (Repeat::Safe, ReadBack::None, EndsBy::Engine);
            (key.doors, key.suspend, key.load_ahead_seconds) = (DoorLimit::ByUser, false, 0);
            report.kinds.insert(Kind::CloudKey, key);
        }
        report.external_types = [
            (Kind::User, "salto_site_user".to_owned()),
            (Kind::Access, "salto_ks_access_group".to_owned()),
            (Kind::Code, "salto_ks_credential".to_owned()),
            (Kind::CloudKey, "salto_ks_credential".to_owned()),
        ]
        .into();
        report.access_log_seconds = self.reads_log.then_some(LOG_SECONDS);
        report
    }

    fn entrance(&self, lock: Lock, pins: bool) -> EntranceReport {
        let name = lock.customer_reference.clone().unwrap_or_else(|| lock.id.clone());
        let mut door = EntranceReport::new(Handle::text(&lock.id), name.clone(), DoorClass::Online);
        door.code = pins && lock.has_keypad();
        door.cloud_key = self.codes.is_some() && lock.iq.is_some();
        let facts = [
            ("door_name", json!(name)),
            ("lock_type", json!(lock.lock_type)),
            ("online", json!(lock.online)),
            ("locked_state", json!(lock.locked_state)),
            ("battery_level", json!(lock.battery_level)),
        ];
        door.metadata.extend(facts.into_iter().filter(|(_, v)| !v.is_null()).map(|(n, v)| (n.to_owned(), v)));
        door
    }
}

#[async_trait]
impl AccessSystemProvider for KsProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        Ok(self.sites(&self.usual()).await?.iter().map(|site| self.report(site)).collect())
    }

    async fn readiness(&self) -> Vec<Finding> {
        let deadline = self.usual();
        let sites = match self.sites(&deadline).await {
            Err(failure) => return vec![Finding::unreachable(&failure)],
            Ok(sites) if sites.is_empty() => return vec![Finding::new(true, "no_site", "The login sees none of the sites.")],
            Ok(sites) => sites,
        };
        let (mut findings, mut full) = (Vec::new(), Vec::new());
        for site in &sites {
            let name = site.name();
            if !site.pin_enabled {
                findings.push(Finding::new(false, "pins_are_off", format!("PINs are switched off at {name}.")));
            }
            // A guest may be made without a seat, and nobody says so. What the subscription does not tell is not held against it.
            let seats = self.client.read::<Subscription>(&At(&site.id).subscription(), &deadline).await.ok().and_then(|s| s.user_amount);
            if let Some((seats, taken)) = seats.zip(site.subscribed_user_amount).filter(|(seats, taken)| taken >= seats) {
                full.push(format!("No seat is free at {name}: {taken} of {seats} are taken. Nobody new gets in before one is."));
            }
        }
        // Where other sites have seats, the account is of use.
        let blocking = full.len() == sites.len();
        findings.extend(full.into_iter().map(|message| Finding::new(blocking, "no_seat_is_free", message)));
        findings
    }

    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        Self::doors(want)?;
        self.job(call)?.put(want, had).await
    }
    async fn remove(&self, last: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.job(call)?.remove(last, had).await
    }
    async fn find(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        self.job(call)?.find(want, had).await
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
    fn unlock(&self) -> Option<&dyn RemoteUnlock> {
        self.codes.is_some().then_some(self)
    }
    fn access_log(&self) -> Option<&dyn AccessLog> {
        if self.reads_log { Some(self) } else { None }
    }
}

#[async_trait]
impl Inventory for KsProvider {
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        let (at, deadline) = (At(site_of(system)?), self.usual());
        let site: Site = self.client.read(&at.site(), &deadline).await?;
        let locks: Vec<Lock> = self.client.list(&at.locks(), &deadline, |_| false).await?;
        Ok(locks.into_iter().filter(|l| uuid_like(&l.id)).map(|l| self.entrance(l, site.pin_enabled)).collect())
    }
    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        site_of(system).map(|_| Vec::new())
    }
    async fn held(&self, system: &SystemRef, _cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        // Permissions are on no list, and have no read-back: that they are not on this one means nothing.
        let users: Vec<SiteUser> = self.client.list(&At(site_of(system)?).users(), &self.usual(), |_| false).await?;
        Ok(Some(HeldPage::new(users.iter().filter(|u| uuid_like(&u.id)).flat_map(held).collect(), None)))
    }
}

#[async_trait]
impl RemoteUnlock for KsProvider {
    async fn unlock(&self, credential: &CredentialSpec, _had: Option<&Handle>, door: &Door, call: &Call<'_>) -> Result<Receipt, Failure> {
        let job = self.job(call)?;
        let refused = |reason, why: &str| Failure::refused(reason, why);
        let lock = door.handle.as_text().filter(|id| uuid_like(id)).ok_or_else(|| refused(Reason::NotThere, "there is no such lock"))?;
        // The lock is opened by this service's own login: the holder has to be there, with a seat.
        job.seat_of(credential.user.as_ref()).await?;
        let Some(code) = (match &self.codes {
            Some(codes) => codes.code(lock).await,
            None => None,
        }) else {
            return Err(refused(Reason::Forbidden, "a one-time code from the Salto KS app is needed"));
        };
        self.client.send(&job.at.unlock(lock, code.expose_secret()), &job.deadline).await?;
        Ok(Receipt::accepted())
    }
}

#[async_trait]
impl AccessLog for KsProvider {
    /// Entries come newest first, and go back to what was told before. Only refusals are told: which categories mean that a door opened is not public.
    async fn entries(&self, system: &SystemRef, cursor: Option<&str>) -> Result<LogPage, Failure> {
        let at = At(site_of(system)?);
        let after = match cursor.map(|c| c.split_once(' ')) {
            None => None,
            Some(Some((at, id))) => Some((instant(at).ok_or_else(|| invalid("such a cursor was never given"))?, id.to_owned())),
            Some(None) => return Err(invalid("such a cursor was never given")),
        };
        let key = |e: &Entry| e.utc_date_time.as_deref().and_then(instant).map(|t| (t, e.id.clone()));
        let reached = |all: &[Entry]| after.is_none() || all.last().and_then(key).is_some_and(|k| Some(k) <= after);
        let all: Vec<Entry> = self.client.list(&at.entries(ENTRIES), &self.usual(), reached).await?;
        let mut new: Vec<_> = all.into_iter().filter_map(|e| key(&e).map(|k| (k, e))).filter(|(k, _)| Some(k) > after.as_ref()).collect();
        new.sort_by(|(one, _), (other, _)| one.cmp(other));
        let next = new.last().map(|((at, id), _)| format!("{} {id}", at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
        let entry = |((at, _), e): ((_, String), Entry)| {
            let lock = e.lock_id.filter(|l| !l.is_empty() && e.event_category.as_deref() == Some("lock_rejected"))?;
            let mut line = LogEntry::new(at, Handle::text(lock), false);
            line.denied = Some(Denial::CredentialError);
            Some(line)
        };
        Ok(LogPage::new(new.into_iter().filter_map(entry).collect(), next.or_else(|| cursor.map(str::to_owned))))
    }
}

/// Connects Salto KS accounts. The kind is `salto_ks`.
#[derive(Clone, Debug)]
pub struct KsFactory {
    http: Arc<dyn HttpTransport>,
    codes: Option<Arc<dyn OneTimeCodes>>,
}

impl KsFactory {
    /// Accounts that are reached by this transport.
    #[must_use]
    pub fn new(http: Arc<dyn HttpTransport>) -> Self {
        Self { http, codes: None }
    }
    /// With remote unlock, by codes that a person enters.
    #[must_use]
    pub fn with_codes(mut self, codes: Arc<dyn OneTimeCodes>) -> Self {
        self.codes = Some(codes);
        self
    }
}

impl ProviderFactory for KsFactory {
    fn kind(&self) -> &'static str {
        "salto_ks"
    }
    fn settings_schema(&self) -> serde_json::Value {
        schema()
    }

    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        // The message of the parser may quote the settings: it is not passed on.
        let settings: Settings =
            serde_json::from_str(settings.expose_secret()).map_err(|_| invalid("the settings do not fit the schema of salto_ks"))?;
        let tokens = Tokens::new(settings.client()?, Arc::clone(&self.http), env.memo, Arc::clone(&env.clock));
        let who = settings.user.as_deref().unwrap_or(&settings.client_id);
        // Its limits are not public: a few at once.
        let mut channel = ChannelReport::new(format!("{}#{who}", settings.api_url), 2);
        channel.per_second = settings.per_second;
        let reads_log = settings.reads_log;
        let client = Client { api_url: settings.api_url, http: Arc::clone(&self.http), tokens };
        let only = settings.sites.into_iter().collect();
        Ok(Arc::new(KsProvider { client, seats: Seats::default(), clock: env.clock, codes: self.codes.clone(), only, channel, reads_log }))
    }
}
