//! Says what every door has to answer, from what is known of the world alone: who was given what and when, what is written on
//! which card, and which key a room saw last.
//!
//! It shares nothing with whatever plans and makes credentials. It counts no issue numbers and knows no roles: a card belongs to
//! an *opening* of a stay (the first one, or a later one after a card was lost), and a room remembers the latest opening whose
//! key it saw. From that follow the rules of a house with offline locks:
//!
//! - A card opens the doors on it, inside the half-open window on it, as they were when it was written.
//! - At a room it also has to be of the opening that was seen there last, or of a later one, which then becomes the one. So keys
//!   of one stay live side by side, and the first use of a new stay's key ends those before it. Other doors are never taken over.
//! - Nobody can reach a card in a pocket: after a grant was shortened, suspended or deleted it opens as before. That is
//!   *residual* access, which ends with the window on the card, or when the room sees a later opening.
//! - Phones and PINs are reached at once: they do what the grant says now.
//! - Staff's cards stand beside all this.
mod verdict;

pub use verdict::Verdict;

use crate::script::Deed;
use crate::world::{BLANK, CardMethod, CardNo, DoorNo, GrantNo, GrantWish, HotelPlan, Hours, Instant, StayNo, Token, Window, ZONE};
use chrono::Timelike;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One opening of a stay: the first key, or the first one after a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Opening {
    stay: StayNo,
    after_losses: u32,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    wish: GrantWish,
    window: Window,
    suspended: bool,
    deleted: bool,
    phone: bool,
}

/// What is known of a stay.
#[derive(Clone, Copy, Debug)]
struct Stay {
    booked: Instant,
    begins: Instant,
    losses: u32,
    living: u32,
    /// When its last grant was deleted.
    gone: Option<Instant>,
}

/// What is written on a card.
#[derive(Clone, Debug)]
enum Content {
    Guest { grant: GrantNo, window: Window, opening: Opening, replaced: bool },
    Staff(u16),
}

/// The oracle.
#[derive(Clone, Debug)]
pub struct Oracle {
    plan: HotelPlan,
    grants: HashMap<GrantNo, Grant>,
    stays: HashMap<StayNo, Stay>,
    cards: HashMap<CardNo, Content>,
    /// On which plastic each card of a grant is: the cards of a lost one are found by it.
    plastic: HashMap<CardMethod, CardNo>,
    seen: BTreeMap<DoorNo, Opening>,
    pins: HashMap<GrantNo, String>,
    /// Guests for whom there was no seat when they asked for their PIN.
    without_seat: HashSet<GrantNo>,
    holders: HashMap<String, Vec<GrantNo>>,
}

impl Oracle {
    /// An oracle that knows the house and nobody in it.
    #[must_use]
    pub fn new(plan: HotelPlan) -> Self {
        Self {
            plan,
            grants: HashMap::new(),
            stays: HashMap::new(),
            cards: HashMap::new(),
            plastic: HashMap::new(),
            seen: BTreeMap::new(),
            pins: HashMap::new(),
            without_seat: HashSet::new(),
            holders: HashMap::new(),
        }
    }

    /// Learns what was done. For a door that was tried: what the right answer did to it.
    pub fn learn(&mut self, at: Instant, deed: &Deed, wishes: &[GrantWish]) {
        match *deed {
            Deed::Hire(staff) => {
                if let Some(card) = self.plan.staff.get(usize::from(staff)).map(|s| s.card) {
                    self.cards.insert(card, Content::Staff(staff));
                }
            }
            Deed::Book(place) => {
                let Some(wish) = usize::try_from(place).ok().and_then(|place| wishes.get(place)).copied() else { return };
                let grant = Grant { wish, window: wish.window, suspended: false, deleted: false, phone: wish.phone };
                self.grants.insert(wish.grant, grant);
                let first = Stay { booked: at, begins: wish.window.from, losses: 0, living: 0, gone: None };
                self.stays.entry(wish.grant.stay).or_insert(first).living += 1;
            }
            Deed::Update { grant, window } => {
                self.change(grant, |grant| grant.window = window);
                if let Some(stay) = self.stays.get_mut(&grant.stay) {
                    stay.begins = window.from;
                }
            }
            Deed::Suspend(grant) => self.change(grant, |grant| grant.suspended = true),
            Deed::Delete(grant) => {
                self.change(grant, |grant| grant.deleted = true);
                if let Some(stay) = self.stays.get_mut(&grant.stay) {
                    stay.living = stay.living.saturating_sub(1);
                    stay.gone = (stay.living == 0).then_some(at);
                }
            }
            Deed::AddCard(_) => {}
            Deed::AddPhone(grant) => self.change(grant, |grant| grant.phone = true),
            Deed::Encode { method, onto } => self.written(method, onto),
            Deed::ReplaceLost { lost, new, onto } => {
                if let Some(stay) = self.stays.get_mut(&new.grant.stay) {
                    stay.losses += 1;
                }
                if let Some(Content::Guest { replaced, .. }) = self.plastic.get(&lost).and_then(|card| self.cards.get_mut(card)) {
                    *replaced = true;
                }
                self.written(new, onto);
            }
            Deed::Try { door, token } => {
                if self.expect(at, door, token).opens() {
                    self.used(door, token);
                }
            }
        }
    }

    fn change(&mut self, grant: GrantNo, change: impl FnOnce(&mut Grant)) {
        if let Some(grant) = self.grants.get_mut(&grant) {
            change(grant);
        }
    }

    fn written(&mut self, method: CardMethod, onto: CardNo) {
        let (Some(grant), Some(stay)) = (self.grants.get(&method.grant), self.stays.get(&method.grant.stay)) else { return };
        let opening = Opening { stay: method.grant.stay, after_losses: stay.losses };
        self.cards.insert(onto, Content::Guest { grant: method.grant, window: grant.window, opening, replaced: false });
        self.plastic.insert(method, onto);
    }

    /// Learns the PIN that a guest is told; the oracle never chooses one. Answers with everybody else who has this PIN for a time
    /// that they share, which must be nobody.
    pub fn told(&mut self, grant: GrantNo, pin: &str) -> Vec<GrantNo> {
        if let Some(had) = self.pins.insert(grant, pin.to_owned())
            && let Some(holders) = self.holders.get_mut(&had)
        {
            holders.retain(|holder| *holder != grant);
        }
        let others = self.grants.get(&grant).map(|known| self.sharing(grant, pin, known.window)).unwrap_or_default();
        self.holders.entry(pin.to_owned()).or_default().push(grant);
        others
    }

    /// Who else was told this PIN, for a time that has to do with this window.
    #[must_use]
    pub fn sharing(&self, grant: GrantNo, pin: &str, window: Window) -> Vec<GrantNo> {
        let holders = self.holders.get(pin).into_iter().flatten().copied();
        let lives = |other: &GrantNo| self.grants.get(other).is_some_and(|g| !g.deleted && g.window.overlaps(&window));
        holders.filter(|other| *other != grant && lives(other)).collect()
    }

    /// The window of a grant now.
    #[must_use]
    pub fn window(&self, grant: GrantNo) -> Option<Window> {
        self.grants.get(&grant).map(|known| known.window)
    }

    /// The PIN that a guest was told last.
    #[must_use]
    pub fn pin(&self, grant: GrantNo) -> Option<&str> {
        self.pins.get(&grant).map(String::as_str)
    }

    /// Whether a grant was made and not deleted.
    #[must_use]
    pub fn lives(&self, grant: GrantNo) -> bool {
        self.grants.get(&grant).is_some_and(|grant| !grant.deleted)
    }

    /// What the door has to do now.
    #[must_use]
    pub fn expect(&self, at: Instant, door: DoorNo, token: Token) -> Verdict {
        match token {
            Token::Card(BLANK) => Verdict::Blank,
            Token::Card(card) => match self.cards.get(&card) {
                None => Verdict::Blank,
                Some(Content::Staff(staff)) => self.staff(at, door, *staff),
                Some(Content::Guest { grant, window, opening, replaced }) => self.card(at, door, *grant, *window, *opening, *replaced),
            },
            Token::Phone(grant) => self.phone(at, door, grant),
            Token::Code(grant) => match self.pins.get(&grant) {
                Some(pin) => self.code(at, door, pin),
                None => self.untold(at, door, grant),
            },
            Token::Guess(digits) => self.code(at, door, &guess(digits)),
        }
    }

    fn staff(&self, at: Instant, door: DoorNo, staff: u16) -> Verdict {
        let Some(staff) = self.plan.staff.get(usize::from(staff)) else { return Verdict::Blank };
        if !staff.doors.contains(&door) {
            return Verdict::OtherDoor;
        }
        match outside(staff.window, at) {
            Some(outside) => outside,
            None if staff.hours.is_none_or(|hours| works(hours, at)) => Verdict::Staff,
            None => Verdict::OutsideHours,
        }
    }

    fn card(&self, at: Instant, door: DoorNo, grant: GrantNo, window: Window, opening: Opening, replaced: bool) -> Verdict {
        let Some(grant) = self.grants.get(&grant) else { return Verdict::Blank };
        if !grant.wish.doors().contains(&door) {
            return Verdict::OtherDoor;
        }
        if let Some(outside) = outside(window, at) {
            return outside;
        }
        if let Some(overridden) = self.overridden(door, opening) {
            return overridden;
        }
        match grant {
            Grant { deleted: true, .. } => Verdict::ResidualDeleted,
            Grant { suspended: true, .. } => Verdict::ResidualSuspended,
            _ if replaced => Verdict::ResidualReplaced,
            Grant { window, .. } if !window.contains(at) => Verdict::ResidualOldWindow,
            _ => Verdict::Granted,
        }
    }

    fn phone(&self, at: Instant, door: DoorNo, grant: GrantNo) -> Verdict {
        let Some(known) = self.grants.get(&grant).filter(|known| known.phone) else { return Verdict::NoKey };
        if known.deleted {
            return Verdict::Deleted;
        }
        if known.suspended {
            return Verdict::Suspended;
        }
        if !known.wish.doors().contains(&door) {
            return Verdict::OtherDoor;
        }
        outside(known.window, at).or_else(|| self.overridden(door, self.now(grant.stay)?)).unwrap_or(Verdict::Granted)
    }

    fn code(&self, at: Instant, door: DoorNo, pin: &str) -> Verdict {
        if !self.plan.door(door).is_some_and(|door| door.keypad) {
            return Verdict::OtherDoor;
        }
        let holders = self.holders.get(pin).into_iter().flatten().filter_map(|holder| self.grants.get(holder));
        let mut why = Verdict::NobodysPin;
        for holder in holders {
            let verdict = match holder {
                Grant { deleted: true, .. } => Verdict::Deleted,
                Grant { suspended: true, .. } => Verdict::Suspended,
                _ if !holder.wish.doors().contains(&door) => Verdict::OtherDoor,
                _ => outside(holder.window, at).unwrap_or(Verdict::Granted),
            };
            if verdict.opens() {
                return verdict;
            }
            why = verdict;
        }
        why
    }

    /// What a door has to do for a guest who was never told a PIN: nothing, unless she should have been told one by now.
    fn untold(&self, at: Instant, door: DoorNo, grant: GrantNo) -> Verdict {
        let Some(known) = self.grants.get(&grant) else { return Verdict::NobodysPin };
        if known.deleted || known.suspended || !known.wish.code || !known.window.contains(at) || !known.wish.doors().contains(&door) {
            return Verdict::NobodysPin;
        }
        if self.without_seat.contains(&grant) { Verdict::NoSeat } else { Verdict::Granted }
    }

    /// Learns whether the access system had no seat left when a guest asked for the PIN that she had not got.
    pub fn seat(&mut self, grant: GrantNo, is_missing: bool) {
        if is_missing {
            self.without_seat.insert(grant);
        } else {
            self.without_seat.remove(&grant);
        }
    }

    /// The opening to which a phone belongs now: it follows at once.
    fn now(&self, stay: StayNo) -> Option<Opening> {
        self.stays.get(&stay).map(|known| Opening { stay, after_losses: known.losses })
    }

    /// Why a key of this opening is too old for the door.
    fn overridden(&self, door: DoorNo, opening: Opening) -> Option<Verdict> {
        let seen = self.seen.get(&door)?;
        if seen.stay == opening.stay {
            return (opening.after_losses < seen.after_losses).then_some(Verdict::Reopened);
        }
        self.follows(seen.stay, opening.stay).then_some(Verdict::LaterStay)
    }

    /// Whether stay `a` comes after stay `b` in a room: booked after that was given up, else beginning later.
    fn follows(&self, a: StayNo, b: StayNo) -> bool {
        let (Some(a), Some(b)) = (self.stays.get(&a), self.stays.get(&b)) else { return false };
        if b.gone.is_some_and(|gone| gone <= a.booked) {
            return true;
        }
        if a.gone.is_some_and(|gone| gone <= b.booked) {
            return false;
        }
        a.begins > b.begins
    }

    /// A key was used: the room belongs to its opening now.
    fn used(&mut self, door: DoorNo, token: Token) {
        if !self.plan.door(door).is_some_and(|door| door.room) {
            return;
        }
        let opening = match token {
            Token::Card(card) => match self.cards.get(&card) {
                Some(Content::Guest { opening, .. }) => Some(*opening),
                _ => None,
            },
            Token::Phone(grant) => self.now(grant.stay),
            Token::Code(_) | Token::Guess(_) => None,
        };
        if let Some(opening) = opening {
            self.seen.insert(door, opening);
        }
    }
}

/// The digits of a guess.
#[must_use]
pub fn guess(digits: u32) -> String {
    format!("{digits:04}")
}

fn outside(window: Window, at: Instant) -> Option<Verdict> {
    if at < window.from {
        Some(Verdict::NotYet)
    } else if at >= window.until {
        Some(Verdict::Ended)
    } else {
        None
    }
}

/// Whether the hotel's clocks show one of the hours.
fn works(hours: Hours, at: Instant) -> bool {
    let local = at.with_timezone(&ZONE);
    let (today, time) = (local.date_naive(), local.time().with_nanosecond(0).unwrap_or_default());
    if hours.from < hours.to {
        return hours.starts_on(today) && hours.from <= time && time < hours.to;
    }
    let yesterday = today.pred_opt().is_some_and(|day| hours.starts_on(day));
    (hours.starts_on(today) && hours.from <= time) || (yesterday && time < hours.to)
}
