//! A hotel in memory, to test the script and the oracle against each other. It is built like the real thing and unlike the
//! oracle: cards hold bytes, locks compare numbers, and nobody remembers a stay.
mod mistake;

pub use mistake::Mistake;

use crate::dice::Dice;
use crate::hotel::{Answer, Counts, Hotel, HotelError, Memo};
use crate::world::{CardMethod, CardNo, DoorNo, GrantNo, GrantWish, HotelPlan, Hours, Instant, Staff, StayNo, Token, Window, ZONE};
use chrono::{Datelike, Timelike};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What is written on a card, or lies in a phone.
#[derive(Clone, Debug)]
struct Key {
    doors: Vec<DoorNo>,
    from: i64,
    until: i64,
    /// None on staff's.
    number: Option<i64>,
    hours: Option<Hours>,
    grant: Option<GrantNo>,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    wish: GrantWish,
    window: Window,
    alive: bool,
    suspended: bool,
    pin: Option<u32>,
}

/// What the desk's computer knows about a room's numbers.
#[derive(Clone, Debug, Default)]
struct Numbers {
    by_stay: BTreeMap<StayNo, Given>,
}

#[derive(Clone, Copy, Debug)]
struct Given {
    number: i64,
    losses: i64,
    /// When keys with it may open.
    keys: Window,
    /// Some of them are cards, which nobody can take back.
    cards: bool,
}

/// The hotel.
#[derive(Debug)]
pub struct ModelHotel {
    mistake: Option<Mistake>,
    now: i64,
    plan: HotelPlan,
    grants: HashMap<GrantNo, Grant>,
    alive: HashMap<StayNo, u32>,
    numbers: HashMap<DoorNo, Numbers>,
    cards: HashMap<CardNo, Key>,
    phones: HashMap<GrantNo, Key>,
    /// PINs in the gym's lock.
    keypad: HashMap<u32, Vec<(GrantNo, i64, i64)>>,
    locks: Vec<i64>,
    done: HashSet<String>,
    counts: Counts,
    dice: Dice,
}

impl Default for ModelHotel {
    fn default() -> Self {
        Self::new(None)
    }
}

impl ModelHotel {
    /// A hotel that makes this mistake, or none.
    #[must_use]
    pub fn new(mistake: Option<Mistake>) -> Self {
        Self {
            mistake,
            now: i64::MIN,
            plan: HotelPlan::default(),
            grants: HashMap::new(),
            alive: HashMap::new(),
            numbers: HashMap::new(),
            cards: HashMap::new(),
            phones: HashMap::new(),
            keypad: HashMap::new(),
            locks: Vec::new(),
            done: HashSet::new(),
            counts: Counts::default(),
            dice: Dice::new(1, 1),
        }
    }

    fn errs(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Whether this operation is new. What was done once is not done again.
    fn first_time(&mut self, key: &str) -> bool {
        let new = self.done.insert(key.to_owned());
        self.counts.events += u64::from(new);
        new
    }

    fn grant(&mut self, grant: GrantNo) -> Result<&mut Grant, HotelError> {
        self.grants.get_mut(&grant).ok_or_else(|| format!("there is no grant {grant:?}").into())
    }

    /// The number of a stay at its room, given out when its first key is made: the start; but above those of all stays that began
    /// earlier, and of those that were given up and have cards for a time that this stay wants.
    fn number(&mut self, grant: &Grant, again: bool, card: bool) -> i64 {
        let stay = grant.wish.grant.stay;
        let window = grant.window;
        let from = if self.errs(Mistake::NumberedWhenMade) { self.now } else { window.from.timestamp() };
        let bound = !self.errs(Mistake::NumberedWhenMade) && !self.errs(Mistake::SameNumberForTheSameStart);
        let every = self.errs(Mistake::EveryCardOpens);
        let (alive, room) = (&self.alive, self.numbers.entry(grant.wish.room).or_default());
        let gone = |other: &StayNo| alive.get(other).is_none_or(|n| *n == 0);
        let before = |given: &Given, gone: bool| given.keys.from < window.from || (gone && given.cards && given.keys.overlaps(&window));
        let earlier = room.by_stay.iter().filter(|(other, given)| bound && **other != stay && before(given, gone(other)));
        let least = earlier.map(|(_, given)| given.number + given.losses + 1).max().unwrap_or(i64::MIN);
        let given = room.by_stay.entry(stay).or_insert(Given { number: from.max(least), losses: 0, keys: window, cards: card });
        given.losses += i64::from(again || every);
        given.keys = given.keys.hull(&window);
        given.cards |= card;
        given.number + given.losses
    }

    fn key(&mut self, grant: Grant, again: bool, card: bool) -> Key {
        let number = Some(self.number(&grant, again, card));
        if self.errs(Mistake::TakesOverWhenMade)
            && let (Some(lock), Some(number)) = (self.locks.get_mut(usize::from(grant.wish.room.0)), number)
        {
            *lock = (*lock).max(number);
        }
        let (from, until) = (grant.window.from.timestamp(), grant.window.until.timestamp());
        Key { doors: grant.wish.doors(), from, until, number, hours: None, grant: Some(grant.wish.grant) }
    }

    /// Brings the phone's key to what its grant says.
    fn phone_follows(&mut self, grant: GrantNo) {
        let Some(known) = self.grants.get(&grant).copied() else { return };
        let stays = known.suspended && !self.errs(Mistake::PhoneIgnoresSuspension);
        if !known.alive || stays || !known.wish.phone {
            self.phones.remove(&grant);
            return;
        }
        let key = self.key(known, false, false);
        self.phones.insert(grant, key);
    }

    /// Brings the gym's lock to what the grant says; draws a PIN when there is none or when somebody has it.
    fn pin_follows(&mut self, grant: GrantNo) {
        let Some(known) = self.grants.get(&grant).copied().filter(|g| g.wish.code) else { return };
        if let Some(pin) = known.pin
            && let Some(holders) = self.keypad.get_mut(&pin)
        {
            holders.retain(|(holder, _, _)| *holder != grant);
        }
        if !known.alive || known.suspended {
            return;
        }
        let (from, until) = (known.window.from.timestamp(), known.window.until.timestamp());
        let free =
            |lock: &Self, pin: u32| lock.keypad.get(&pin).is_none_or(|holders| holders.iter().all(|(_, a, b)| until <= *a || *b <= from));
        let range = if self.errs(Mistake::SharedPins) { 40 } else { 10_000 };
        let mut pin = known.pin.filter(|pin| free(self, *pin));
        while pin.is_none() {
            let drawn = u32::try_from(self.dice.below(range)).unwrap_or(0);
            pin = Some(drawn).filter(|pin| self.errs(Mistake::SharedPins) || free(self, *pin));
        }
        let pin = pin.unwrap_or_default();
        self.keypad.entry(pin).or_default().push((grant, from, until));
        if let Some(known) = self.grants.get_mut(&grant) {
            known.pin = Some(pin);
        }
    }

    fn opens(&mut self, door: DoorNo, key: &Key) -> (bool, &'static str) {
        let Some(it) = self.plan.door(door) else { return (false, "there is no such door") };
        let (room, keypad) = (it.room, it.keypad);
        let any = self.errs(Mistake::AnyRoom) && room && key.number.is_some();
        if !any && !key.doors.contains(&door) {
            return (false, "other door");
        }
        let start = key.from + i64::from(self.errs(Mistake::StartExcluded));
        let end = key.until + i64::from(self.errs(Mistake::EndIncluded));
        if self.now < start || self.now >= end {
            return (false, "not now");
        }
        if key.hours.is_some_and(|hours| !self.on_duty(hours)) {
            return (false, "not at this hour");
        }
        let number = key.number.or((self.errs(Mistake::StaffOverridden) && room).then_some(1));
        let taken = room || (self.errs(Mistake::CommonDoorsTakenOver) && !keypad);
        if let (Some(number), true, Some(lock)) = (number, taken, self.locks.get_mut(usize::from(door.0))) {
            if number < *lock {
                return (false, "overridden");
            }
            *lock = number;
        }
        (true, "")
    }

    /// By minutes since Monday 00:00.
    fn on_duty(&self, hours: Hours) -> bool {
        let Some(utc) = Instant::from_timestamp(self.now, 0) else { return false };
        let local = if self.errs(Mistake::HoursInUtc) { utc.naive_utc() } else { utc.with_timezone(&ZONE).naive_local() };
        let week = 7 * 1440;
        let minute = i64::from(local.weekday().num_days_from_monday()) * 1440 + i64::from(local.hour() * 60 + local.minute());
        let of = |time: chrono::NaiveTime| i64::from(time.hour() * 60 + time.minute());
        let (from, length) = (of(hours.from), (of(hours.to) - of(hours.from)).rem_euclid(1440));
        (0..7).zip(hours.days).any(|(day, works)| works && (minute - day * 1440 - from).rem_euclid(week) < length)
    }

    fn write(&mut self, method: CardMethod, onto: CardNo, again: bool) -> Result<(), HotelError> {
        let known = *self.grant(method.grant)?;
        if !known.alive {
            return Err(format!("grant {:?} is deleted", method.grant).into());
        }
        let key = self.key(known, again, true);
        if self.errs(Mistake::OldContentStays) {
            self.cards.entry(onto).or_insert(key);
        } else {
            self.cards.insert(onto, key);
        }
        self.counts.credentials += 1;
        Ok(())
    }
}

impl Hotel for ModelHotel {
    async fn open(&mut self, plan: &HotelPlan) -> Result<(), HotelError> {
        self.plan.clone_from(plan);
        self.locks.resize(plan.doors.len(), 0);
        Ok(())
    }

    async fn advance(&mut self, to: Instant) -> Result<(), HotelError> {
        if to.timestamp() < self.now {
            return Err("time runs backwards".into());
        }
        self.now = to.timestamp();
        Ok(())
    }

    fn now(&self) -> Instant {
        Instant::from_timestamp(self.now, 0).unwrap_or(Instant::MIN_UTC)
    }

    async fn hire(&mut self, key: &str, staff: &Staff) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            let (from, until) = (staff.window.from.timestamp(), staff.window.until.timestamp());
            let key = Key { doors: staff.doors.clone(), from, until, number: None, hours: staff.hours, grant: None };
            self.cards.insert(staff.card, key);
            self.counts.access_methods += 1;
            self.counts.credentials += 1;
        }
        Ok(None)
    }

    async fn book(&mut self, key: &str, wish: &GrantWish) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            let grant = Grant { wish: *wish, window: wish.window, alive: true, suspended: false, pin: None };
            self.grants.insert(wish.grant, grant);
            *self.alive.entry(wish.grant.stay).or_default() += 1;
            self.pin_follows(wish.grant);
            self.phone_follows(wish.grant);
            self.counts.access_methods += u64::from(wish.cards) + u64::from(wish.code) + u64::from(wish.phone);
            self.counts.credentials += u64::from(wish.code) + u64::from(wish.phone);
        }
        Ok(None)
    }

    async fn update(&mut self, key: &str, grant: GrantNo, window: Window) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.grant(grant)?.window = window;
            if self.errs(Mistake::PinChangesUnseen) {
                let known = self.grant(grant)?;
                known.pin = known.pin.map(|pin| pin + 10_000);
            } else {
                self.pin_follows(grant);
            }
            self.phone_follows(grant);
            if self.errs(Mistake::CardsKnowTheNewEnd) {
                for key in self.cards.values_mut().filter(|key| key.grant == Some(grant)) {
                    key.until = window.until.timestamp();
                }
            }
        }
        Ok(None)
    }

    async fn suspend(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.grant(grant)?.suspended = true;
            self.pin_follows(grant);
            self.phone_follows(grant);
        }
        Ok(None)
    }

    async fn delete(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.grant(grant)?.alive = false;
            if let Some(alive) = self.alive.get_mut(&grant.stay) {
                *alive = alive.saturating_sub(1);
            }
            if !self.errs(Mistake::PinOutlivesItsGrant) {
                self.pin_follows(grant);
            }
            self.phone_follows(grant);
            if self.errs(Mistake::CardsDieAtOnce) {
                self.cards.retain(|_, key| key.grant != Some(grant));
            }
        }
        Ok(None)
    }

    async fn add_card(&mut self, key: &str, method: CardMethod) -> Result<Memo, HotelError> {
        self.grant(method.grant)?;
        if self.first_time(key) {
            self.counts.access_methods += 1;
        }
        Ok(None)
    }

    async fn add_phone(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.grant(grant)?.wish.phone = true;
            self.phone_follows(grant);
            self.counts.access_methods += 1;
            self.counts.credentials += 1;
        }
        Ok(None)
    }

    async fn encode(&mut self, key: &str, method: CardMethod, onto: CardNo) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.write(method, onto, false)?;
        }
        Ok(None)
    }

    async fn replace_lost(&mut self, key: &str, _lost: CardMethod, new: CardMethod, onto: CardNo) -> Result<Memo, HotelError> {
        if self.first_time(key) {
            self.write(new, onto, !self.errs(Mistake::ReplacementJoins))?;
            self.counts.access_methods += 1;
            if !self.errs(Mistake::PhonesStayBehind) {
                let mut stay: Vec<GrantNo> = self.phones.keys().copied().filter(|grant| grant.stay == new.grant.stay).collect();
                stay.sort_unstable();
                for grant in stay {
                    self.phone_follows(grant);
                }
            }
        }
        Ok(None)
    }

    async fn pin(&mut self, grant: GrantNo) -> Result<Option<String>, HotelError> {
        Ok(self.grants.get(&grant).and_then(|known| known.pin).map(|pin| format!("{pin:04}")))
    }

    async fn try_door(&mut self, door: DoorNo, token: Token, typed: Option<&str>) -> Result<Answer, HotelError> {
        let (opened, why) = match token {
            Token::Card(card) => match self.cards.get(&card).cloned() {
                Some(key) => self.opens(door, &key),
                None => (false, "blank"),
            },
            Token::Phone(grant) => match self.phones.get(&grant).cloned() {
                Some(key) => self.opens(door, &key),
                None => (false, "no key"),
            },
            Token::Code(_) | Token::Guess(_) => {
                let now = self.now;
                let holders = typed.and_then(|typed| typed.parse::<u32>().ok()).and_then(|pin| self.keypad.get(&pin));
                let known = holders.into_iter().flatten().any(|(_, from, until)| *from <= now && now < *until);
                (known && self.plan.door(door).is_some_and(|door| door.keypad), "PIN")
            }
        };
        Ok(Answer { opened, why: why.to_owned() })
    }

    async fn counts(&mut self) -> Result<Counts, HotelError> {
        Ok(self.counts)
    }

    fn recall(&mut self, _at: Instant, _memo: &Memo) {}
}
