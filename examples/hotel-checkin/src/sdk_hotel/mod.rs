//! A hotel on the SDK: an SQLite store, the engine, and an [access system](System) whose locks, cards and phones stand for the real ones.
//!
//! What a service would do is in the calls to the workspace: create, update, suspend, delete, encode, replace. The rest stands for
//! the world around it: the clock, plastic that is laid on encoders, phones and cards held to doors.
mod hours;
mod salto_ks;
mod salto_space;
mod sandbox;
mod system;
mod visionline;

pub use system::System;

use crate::hotel::{Answer, Counts, Hotel, HotelError, Memo};
use crate::world::{BLANK, CardMethod, CardNo, DoorNo, GrantNo, GrantWish, HotelPlan, Instant, Staff, Token, Window, ZONE};
use seam_core::ErrorKind;
use seam_core::api::{Seam, Workspace};
use seam_core::clock::{Clock, ManualClock};
use seam_core::engine::{Engine, EngineConfig};
use seam_core::model::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, ActionAttempt, ActionAttemptId, ActionStatus, Holder,
    ResidualReason, UserIdentityId,
};
use seam_core::plan::{GrantUpdate, NewGrant, NewMethod, Person, Who};
use seam_core::provider::Tag;
use seam_core::state::{Body, ReadSet, RowKind};
use seam_core::store::{ListQuery, SqliteStore, StaticKeys, Store, Vault};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use system::{DESKS, Ground, Site};

/// A service would take its key from where it keeps its secrets. Nothing in this hotel is secret.
const KEY: [u8; 32] = *b"the key of a hotel of nobody's..";

/// The hotel.
#[derive(Debug)]
pub struct SdkHotel {
    clock: Arc<ManualClock>,
    system: System,
    ground: Ground,
    seam: Seam,
    engine: Engine,
    house: Option<House>,
    grants: HashMap<GrantNo, Known>,
    /// Serial numbers of plastic.
    cards: HashMap<CardNo, String>,
    /// The instant at which the engine has something to do next.
    due: Option<Instant>,
    /// Something was changed that the engine has not been asked to carry out.
    changed: bool,
    /// The encoder that is used next.
    desk: usize,
    /// Grants that were made, and how long that took.
    granted: (u64, Duration),
    /// Where guests take seats: who leaves when.
    leaving: BTreeSet<(Instant, UserIdentityId)>,
    people: HashMap<GrantNo, (Instant, UserIdentityId)>,
}

/// What is known once the doors are.
#[derive(Debug)]
struct House {
    workspace: Workspace,
    site: Box<dyn Site>,
    entrances: Vec<AcsEntranceId>,
    names: Vec<String>,
    encoders: Vec<AcsEncoderId>,
}

/// The SDK's ids of a grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    id: AccessGrantId,
    /// In the order in which they were asked for.
    cards: Vec<AccessMethodId>,
    code: Option<AccessMethodId>,
    phone: Option<AccessMethodId>,
}

/// What the journal keeps for this hotel.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Reminder {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<(GrantNo, Known)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plastic: Option<(CardNo, String)>,
}

impl SdkHotel {
    /// A hotel at the sandbox whose state is in this SQLite file, and whose locks and cards are in the file beside it (`.world`); both are made when
    /// they are not there. Its clock stands at `now`.
    ///
    /// # Errors
    /// One of the files cannot be used.
    pub fn at(path: &Path, now: Instant) -> Result<Self, HotelError> {
        Self::with(System::Sandbox, path, now)
    }

    /// The same, at any access system. Only what [is kept](System::is_kept) can be taken up again.
    ///
    /// # Errors
    /// One of the files cannot be used.
    pub fn with(system: System, path: &Path, now: Instant) -> Result<Self, HotelError> {
        let clock = Arc::new(ManualClock::new(now));
        let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let mut beside = path.as_os_str().to_owned();
        beside.push(".world");
        let ground = system.open(Path::new(&beside), &shared)?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path, shared)?);
        let vault = Vault::new(Arc::new(StaticKeys::new(KEY)));
        let seam = Seam::new(Arc::clone(&store), vault.clone());
        let mut config = EngineConfig::default();
        // Years pass in minutes here; nobody else writes to these locks.
        config.scan_every = Duration::from_secs(90 * 86_400);
        let engine = Engine::new(store, vault, vec![ground.factory()?], config);
        Ok(Self {
            clock,
            system,
            ground,
            seam,
            engine,
            house: None,
            grants: HashMap::new(),
            cards: HashMap::new(),
            due: None,
            changed: true,
            desk: 0,
            granted: (0, Duration::ZERO),
            leaving: BTreeSet::new(),
            people: HashMap::new(),
        })
    }

    /// So many seats instead of more than enough, where guests take seats. Before the hotel is opened.
    #[must_use]
    pub fn with_seats(mut self, seats: usize) -> Self {
        if let Ground::SaltoKs(_, has) = &mut self.ground {
            *has = seats;
        }
        self
    }

    fn house(&self) -> Result<&House, HotelError> {
        self.house.as_ref().ok_or_else(|| "the hotel is not open".into())
    }

    /// The workspace, once the hotel is open.
    ///
    /// # Errors
    /// It is not.
    pub fn workspace(&self) -> Result<&Workspace, HotelError> {
        Ok(&self.house()?.workspace)
    }

    /// The workspace for a change that happens once.
    fn once(&self, key: &str) -> Result<Workspace, HotelError> {
        Ok(self.workspace()?.once(key))
    }

    fn known(&self, grant: GrantNo) -> Result<&Known, HotelError> {
        self.grants.get(&grant).ok_or_else(|| format!("grant {grant:?} was not made").into())
    }

    fn card_method(&self, method: CardMethod) -> Result<AccessMethodId, HotelError> {
        let cards = &self.known(method.grant)?.cards;
        cards.get(usize::from(method.nth)).copied().ok_or_else(|| format!("{method:?} was not asked for").into())
    }

    /// Lets the engine do what is due now. In a service it runs beside the calls; here it is asked before the clock moves on and
    /// before a door is tried, so that what a party changes at one moment is carried out together.
    async fn settle(&mut self) -> Result<(), HotelError> {
        self.due = self.engine.round().await?;
        self.changed = false;
        Ok(())
    }

    /// Finds the methods of a grant, those that were known before first.
    async fn methods(&self, id: AccessGrantId, before: Option<&Known>) -> Result<Known, HotelError> {
        let mut known = before.cloned().unwrap_or(Known { id, cards: Vec::new(), code: None, phone: None });
        for method in self.workspace()?.access_methods().of_grant(id).await? {
            match method.mode {
                AccessMethodMode::Card if !known.cards.contains(&method.access_method_id) => known.cards.push(method.access_method_id),
                AccessMethodMode::Code => known.code = Some(method.access_method_id),
                AccessMethodMode::MobileKey => known.phone = Some(method.access_method_id),
                _ => {}
            }
        }
        Ok(known)
    }

    fn remember(&mut self, grant: GrantNo, known: Known) -> Result<Memo, HotelError> {
        self.grants.insert(grant, known.clone());
        Ok(Some(serde_json::to_string(&Reminder { grant: Some((grant, known)), plastic: None })?))
    }

    /// The plastic of this number. A new one is taken from the box, or from the encoder on which a killed process left it.
    fn plastic(&mut self, number: CardNo) -> Result<String, HotelError> {
        let mut left = None;
        for desk in DESKS {
            while let Some(card) = self.house()?.site.take(desk) {
                left = Some(card);
            }
        }
        if let Some(card) = self.cards.get(&number) {
            return Ok(card.clone());
        }
        let new = left.filter(|card| !self.cards.values().any(|known| known == card));
        let card = match new {
            Some(card) => card,
            None => self.house()?.site.blank_card(),
        };
        self.cards.insert(number, card.clone());
        Ok(card)
    }

    /// Lays a card on an encoder and has a method written on it; on the next encoder when one will not.
    async fn write(&mut self, key: &str, method: AccessMethodId, number: CardNo) -> Result<Memo, HotelError> {
        let card = self.plastic(number)?;
        let mut why = String::new();
        for _ in DESKS {
            let desk = self.desk % DESKS.len();
            let house = self.house()?;
            let (name, encoder) = DESKS.get(desk).zip(house.encoders.get(desk).copied()).ok_or("an encoder is missing")?;
            house.site.lay(name, &card);
            let attempt = house.workspace.once(format!("{key}-at-{name}")).access_methods().encode(method, encoder).await?;
            let attempt = self.wait_for(attempt.action_attempt_id).await?;
            if attempt.status == ActionStatus::Success {
                // The card stays where it is until the next one comes: whoever is killed now finds it there.
                return Ok(Some(serde_json::to_string(&Reminder { grant: None, plastic: Some((number, card)) })?));
            }
            why = attempt.error.map_or_else(|| "nobody says how it ended".to_owned(), |e| format!("{}: {}", e.r#type, e.message));
            self.house()?.site.take(name);
            self.desk += 1;
        }
        Err(format!("no encoder writes the card ({why})").into())
    }

    /// Waits for an attempt as a clerk does: the clock runs on. It ends at once, but for one that a killed process had begun: that
    /// one is over only when the encoder has surely stopped waiting for a card.
    async fn wait_for(&mut self, id: ActionAttemptId) -> Result<ActionAttempt, HotelError> {
        self.settle().await?;
        let patience = self.clock.now() + chrono::TimeDelta::minutes(10);
        loop {
            let attempt = self.workspace()?.action_attempts().get(id).await?;
            let Some(due) = self.due.filter(|due| attempt.status == ActionStatus::Pending && *due <= patience) else { return Ok(attempt) };
            self.clock.set(due);
            self.settle().await?;
        }
    }

    fn entrances(&self, doors: &[DoorNo]) -> Result<Vec<AcsEntranceId>, HotelError> {
        let all = &self.house()?.entrances;
        doors
            .iter()
            .map(|door| all.get(usize::from(door.0)).copied().ok_or_else(|| format!("there is no door {}", door.0).into()))
            .collect()
    }

    /// The tags under which a method's keys are at the access system: what a phone would know of itself.
    async fn tags(&self, method: AccessMethodId) -> Result<Vec<Tag>, HotelError> {
        let reads = ReadSet { rows: BTreeSet::from([method.uuid()]), ..ReadSet::default() };
        let facts = self.seam.store().read(self.workspace()?.id(), &reads).await?;
        let Some(Some(row)) = facts.rows.get(&method.uuid()) else { return Ok(Vec::new()) };
        let Body::Method(method) = &row.body else { return Ok(Vec::new()) };
        Ok(method.targets.iter().map(|target| Tag(target.simple().to_string())).collect())
    }

    /// Where guests take seats: when this one leaves. Half an hour after her time somebody deletes her.
    fn leaves(&mut self, grant: GrantNo, until: Instant, person: Option<UserIdentityId>) {
        let before = self.people.get(&grant).copied();
        let Some(person) = person.or(before.map(|(_, person)| person)).filter(|_| self.system.has_seats()) else { return };
        if let Some(before) = before {
            self.leaving.remove(&before);
        }
        let at = until + chrono::TimeDelta::minutes(30);
        self.people.insert(grant, (at, person));
        self.leaving.insert((at, person));
    }

    /// Deletes a guest who has left.
    async fn let_go(&mut self, key: &str, person: UserIdentityId) -> Result<(), HotelError> {
        match self.once(key)?.user_identities().delete(person).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn build(&mut self, plan: &HotelPlan) -> Result<(), HotelError> {
        let site = self.ground.build(plan).await?;
        let workspace = match self.seam.workspaces().await?.into_iter().next() {
            Some(workspace) => workspace,
            None => self.seam.create_workspace("hotel", true).await?,
        };
        if workspace.connected_accounts().list(None, 1).await?.items.is_empty() {
            workspace.once("connect").connected_accounts().connect(self.system.kind(), &site.settings()).await?;
        }
        let mut ids = all_entrances(&workspace).await?;
        if ids.len() < plan.doors.len() {
            self.settle().await?;
            ids = all_entrances(&workspace).await?;
        }
        let names: Vec<String> = plan.doors.iter().map(|door| door.name.clone()).collect();
        let entrances = names.iter().map(|name| ids.get(name).copied().ok_or_else(|| format!("the system shows no door {name}").into()));
        let entrances = entrances.collect::<Result<Vec<_>, HotelError>>()?;
        let shown = workspace.acs().encoders().list(None, None, 100).await?.items;
        let encoder = |name: &str| shown.iter().find(|e| e.display_name == name).map(|e| e.acs_encoder_id);
        let desks = if site.has_desks() { &DESKS[..] } else { &[] };
        let encoders = desks.iter().map(|name| encoder(name).ok_or_else(|| format!("the system shows no encoder {name}").into()));
        let encoders = encoders.collect::<Result<Vec<_>, HotelError>>()?;
        self.cards.insert(BLANK, site.blank_card());
        self.house = Some(House { workspace, site, entrances, names, encoders });
        Ok(())
    }
}

async fn all_entrances(workspace: &Workspace) -> Result<BTreeMap<String, AcsEntranceId>, HotelError> {
    let mut found = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = workspace.acs().entrances().list(None, None, cursor.as_deref(), 1000).await?;
        found.extend(page.items.into_iter().map(|e| (e.display_name, e.acs_entrance_id)));
        cursor = page.pagination.next_page_cursor;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

impl Hotel for SdkHotel {
    async fn open(&mut self, plan: &HotelPlan) -> Result<(), HotelError> {
        self.build(plan).await
    }

    async fn advance(&mut self, to: Instant) -> Result<(), HotelError> {
        if self.changed && to > self.clock.now() {
            self.settle().await?;
        }
        loop {
            let leaves = self.leaving.first().filter(|(at, _)| *at <= to).copied();
            if let Some((at, person)) = leaves.filter(|(at, _)| self.due.is_none_or(|due| *at < due)) {
                // Nobody needs the record of a guest who has left, and somebody may need her seat.
                self.leaving.pop_first();
                self.clock.set(at.max(self.clock.now()));
                self.let_go(&format!("left-{person}"), person).await?;
                self.settle().await?;
                continue;
            }
            let Some(due) = self.due.filter(|due| *due <= to) else { break };
            self.clock.set(due);
            self.settle().await?;
            if self.due.is_some_and(|next| next <= due) {
                return Err(format!("the engine has work at {due} that it does not do").into());
            }
        }
        self.clock.set(to);
        Ok(())
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn hire(&mut self, key: &str, staff: &Staff) -> Result<Memo, HotelError> {
        let grant = NewGrant {
            who: Who::Inline(Person { key: Some(staff.name.to_owned()), ..Person::default() }),
            entrances: self.entrances(&staff.doors)?,
            spaces: Vec::new(),
            space_keys: Vec::new(),
            starts_at: Some(staff.window.from),
            ends_at: Some(staff.window.until),
            schedule: staff.hours.map(hours::weekly).transpose()?,
            methods: vec![NewMethod::new(AccessMethodMode::Card)],
            holder: Holder::Staff,
            reservation: None,
            party_entrances: Vec::new(),
            key: Some(staff.name.to_owned()),
            name: None,
        };
        let grant = self.once(key)?.access_grants().create(grant).await?;
        let known = self.methods(grant.access_grant_id, None).await?;
        let card = *known.cards.first().ok_or("no card was made for staff")?;
        self.write(&format!("{key}-encode"), card, staff.card).await
    }

    async fn book(&mut self, key: &str, wish: &GrantWish) -> Result<Memo, HotelError> {
        let GrantNo { stay, guest } = wish.grant;
        let name = format!("stay-{}-guest-{guest}", stay.0);
        let mut methods = vec![NewMethod::new(AccessMethodMode::Card); usize::from(wish.cards)];
        methods.extend(wish.code.then(|| NewMethod::new(AccessMethodMode::Code)));
        methods.extend(wish.phone.then(|| NewMethod::new(AccessMethodMode::MobileKey)));
        let grant = NewGrant {
            who: Who::Inline(Person { key: Some(name.clone()), ..Person::default() }),
            entrances: self.entrances(&wish.doors())?,
            spaces: Vec::new(),
            space_keys: Vec::new(),
            starts_at: Some(wish.window.from),
            ends_at: Some(wish.window.until),
            schedule: None,
            methods,
            holder: Holder::Guest,
            // Where nothing is overridden there is nothing to reserve.
            reservation: self.system.abilities().cards.then(|| format!("stay-{}", stay.0)),
            party_entrances: Vec::new(),
            key: Some(name),
            name: None,
        };
        let started = std::time::Instant::now();
        let grant = self.once(key)?.access_grants().create(grant).await?;
        self.granted = (self.granted.0 + 1, self.granted.1 + started.elapsed());
        self.changed = true;
        let known = self.methods(grant.access_grant_id, None).await?;
        self.leaves(wish.grant, wish.window.until, Some(grant.user_identity_id));
        self.remember(wish.grant, known)
    }

    async fn update(&mut self, key: &str, grant: GrantNo, window: Window) -> Result<Memo, HotelError> {
        let mut update = GrantUpdate::new(self.known(grant)?.id);
        update.starts_at = Some(window.from);
        update.ends_at = Some(Some(window.until));
        self.once(key)?.access_grants().update(update).await?;
        self.leaves(grant, window.until, None);
        self.changed = true;
        Ok(None)
    }

    async fn suspend(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        self.once(key)?.access_grants().suspend(self.known(grant)?.id).await?;
        self.changed = true;
        Ok(None)
    }

    async fn delete(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        self.once(key)?.access_grants().delete(self.known(grant)?.id).await?;
        if let Some((at, person)) = self.people.remove(&grant) {
            self.leaving.remove(&(at, person));
            self.let_go(&format!("{key}-person"), person).await?;
        }
        self.changed = true;
        Ok(None)
    }

    async fn add_card(&mut self, key: &str, method: CardMethod) -> Result<Memo, HotelError> {
        self.ask_for(key, method.grant, AccessMethodMode::Card).await
    }

    async fn add_phone(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        self.ask_for(key, grant, AccessMethodMode::MobileKey).await
    }

    async fn encode(&mut self, key: &str, method: CardMethod, onto: CardNo) -> Result<Memo, HotelError> {
        let method = self.card_method(method)?;
        self.write(key, method, onto).await
    }

    async fn replace_lost(&mut self, key: &str, lost: CardMethod, new: CardMethod, onto: CardNo) -> Result<Memo, HotelError> {
        let method = self.card_method(lost)?;
        let replacement = self.once(key)?.access_methods().replace_lost(method).await?.access_method_id;
        let mut known = self.known(new.grant)?.clone();
        known.cards.push(replacement);
        self.grants.insert(new.grant, known.clone());
        self.write(&format!("{key}-encode"), replacement, onto).await?;
        let uid = self.cards.get(&onto).map(|card| (onto, card.clone()));
        Ok(Some(serde_json::to_string(&Reminder { grant: Some((new.grant, known)), plastic: uid })?))
    }

    async fn pin(&mut self, grant: GrantNo) -> Result<Option<String>, HotelError> {
        let Some(code) = self.known(grant)?.code else { return Ok(None) };
        match self.workspace()?.access_methods().get(code).await {
            Ok(method) => Ok(method.code.map(|code| code.expose().to_owned())),
            Err(gone) if gone.kind() == ErrorKind::NotFound => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    async fn try_door(&mut self, door: DoorNo, token: Token, typed: Option<&str>) -> Result<Answer, HotelError> {
        if self.changed {
            self.settle().await?;
        }
        let house = self.house()?;
        let name = house.names.get(usize::from(door.0)).ok_or("there is no such door")?;
        let answer = match token {
            Token::Card(number) => {
                let card = self.cards.get(&number).or_else(|| self.cards.get(&BLANK)).ok_or("there is no card")?;
                house.site.show_card(name, card)
            }
            Token::Phone(grant) => {
                let tags = match self.known(grant)?.phone {
                    Some(method) => self.tags(method).await?,
                    None => Vec::new(),
                };
                house.site.show_phone(name, &tags)
            }
            Token::Code(_) | Token::Guess(_) => match typed {
                Some(pin) => house.site.type_pin(name, pin),
                None => Answer { opened: false, why: "the guest was told no PIN".to_owned() },
            },
        };
        Ok(answer)
    }

    fn is_full(&self) -> bool {
        self.house.as_ref().is_some_and(|house| house.site.is_full())
    }

    async fn counts(&mut self) -> Result<Counts, HotelError> {
        let workspace = self.workspace()?;
        let mut counts = Counts { granted: self.granted.0, granting: self.granted.1, ..Counts::default() };
        let site = &self.house()?.site;
        (counts.seats, counts.requests) = (site.seats(), site.requests());
        while let Some((last, _)) = workspace.events().list(counts.events, 1000).await?.last() {
            counts.events = *last;
        }
        for kind in [RowKind::Method, RowKind::Target] {
            let mut query = ListQuery::all(kind);
            loop {
                let rows = self.seam.store().list(workspace.id(), &query).await?;
                counts.access_methods += rows.iter().filter(|row| matches!(row.body, Body::Method(_))).count() as u64;
                let credential = |body: &Body| matches!(body, Body::Target(target) if target.credential().is_some());
                counts.credentials += rows.iter().filter(|row| credential(&row.body)).count() as u64;
                if rows.len() < query.limit {
                    break;
                }
                query.after = rows.last().map(|row| row.id);
            }
        }
        Ok(counts)
    }

    fn recall(&mut self, at: Instant, memo: &Memo) {
        self.clock.set(at);
        let Some(reminder) = memo.as_deref().and_then(|memo| serde_json::from_str::<Reminder>(memo).ok()) else { return };
        if let Some((grant, known)) = reminder.grant {
            self.grants.insert(grant, known);
        }
        if let Some((number, card)) = reminder.plastic.filter(|(_, serial)| self.house().is_ok_and(|house| house.site.has_card(serial))) {
            self.cards.insert(number, card);
        }
    }
}

impl SdkHotel {
    /// The methods of a guest's grant, one line each.
    ///
    /// # Errors
    /// The grant is unknown or deleted.
    pub async fn methods_of(&self, grant: GrantNo) -> Result<Vec<String>, HotelError> {
        let methods = self.workspace()?.access_methods().of_grant(self.known(grant)?.id).await?;
        let line = |method: seam_core::model::AccessMethod| {
            let code = method.code.map(|code| format!(" {}", code.expose())).unwrap_or_default();
            format!("{}{code}: {}", method.display_name, method.display_status)
        };
        Ok(methods.into_iter().map(line).collect())
    }

    /// Which doors a guest's cards may still open after access was withdrawn, one line each.
    ///
    /// # Errors
    /// The grant is unknown.
    pub async fn residual_of(&self, grant: GrantNo) -> Result<Vec<String>, HotelError> {
        let house = self.house()?;
        let history = house.workspace.history(self.known(grant)?.id).await?;
        let line = |residual: &seam_core::model::ResidualAccess| {
            let door = house.entrances.iter().position(|id| *id == residual.acs_entrance_id).and_then(|i| house.names.get(i));
            let until = residual.until.map(|at| format!(" until {}", at.with_timezone(&ZONE).format("%a %e %b %H:%M"))).unwrap_or_default();
            let why = match residual.why {
                ResidualReason::CommonDoor => "a common door is not told of it",
                ResidualReason::NextOverride => "or until the next guest's card is used there",
                _ => "it cannot be told of it",
            };
            format!("{}{until}: {why}", door.map_or("a door", String::as_str))
        };
        Ok(history.grant.residual_access.iter().map(line).collect())
    }

    async fn ask_for(&mut self, key: &str, grant: GrantNo, mode: AccessMethodMode) -> Result<Memo, HotelError> {
        let before = self.known(grant)?.clone();
        self.once(key)?.access_grants().request_access_methods(before.id, vec![NewMethod::new(mode)]).await?;
        self.changed = true;
        let known = self.methods(before.id, Some(&before)).await?;
        self.remember(grant, known)
    }
}
