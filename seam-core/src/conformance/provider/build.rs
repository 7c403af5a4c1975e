//! Things to put, with what they need before them.
use super::{Issued, Suite, Tried};
use crate::model::Window;
use crate::provider::{
    AccessSpec, Body, CardPath, CredentialSpec, Door, DoorClass, DoorLimit, EntranceReport, Failure, Groups, Handle, Kind, KindRules,
    Receipt, Role, StaySpec, Tag, UserSpec, Want,
};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

/// A thing that can be put.
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) want: Want,
    pub(super) tag: Tag,
    /// Its receipt, once it is in place.
    pub(super) receipt: Option<Receipt>,
    /// What it needs: put already.
    pub(super) needs: Vec<(Want, Tag, Option<Handle>)>,
    /// Where it should open.
    pub(super) doors: Vec<Door>,
    /// The PIN, ours or the system's.
    pub(super) pin: Option<SecretString>,
}

impl Piece {
    pub(super) fn issued(&self) -> Issued<'_> {
        Issued { want: &self.want, tag: &self.tag, receipt: self.receipt.as_ref(), pin: self.pin.as_ref() }
    }
    pub(super) fn handle(&self) -> Option<Handle> {
        self.receipt.as_ref().and_then(|r| r.handle.clone())
    }
    pub(super) fn credential(&mut self) -> Option<&mut CredentialSpec> {
        match &mut self.want {
            Want::Credential(c) => Some(c),
            _ => None,
        }
    }
}

pub(super) fn seconds(n: u64) -> TimeDelta {
    TimeDelta::try_seconds(i64::try_from(n).unwrap_or(i64::MAX)).unwrap_or(TimeDelta::MAX)
}

impl Suite<'_> {
    pub(super) fn tag(&mut self) -> Tag {
        self.made += 1;
        Tag(format!("conformance{:06}", self.made))
    }

    /// A window from `from` on, long enough for the kind.
    pub(super) fn window(&self, rules: &KindRules, from: DateTime<Utc>) -> Option<Window> {
        let wanted = 3600.max(4 * u64::from(rules.resolution_seconds));
        let length = rules.longest_seconds.map_or(wanted, |longest| wanted.min(longest));
        Window::new(from, Some(from + seconds(length))).ok()
    }

    /// A window in which it is now.
    pub(super) fn window_now(&self, rules: &KindRules) -> Option<Window> {
        let back = seconds(u64::from(rules.resolution_seconds).max(60));
        self.window(rules, self.judge.now() - back)
    }

    /// A PIN that nobody had yet, of so many digits.
    pub(super) fn pin(&mut self, digits: u8) -> SecretString {
        self.made += 1;
        let most = 10_u64.pow(u32::from(digits.min(18)));
        let most = self.report.pin.as_ref().and_then(|p| p.max).map_or(most, |max| most.min(max.saturating_add(1)));
        // Steps of a prime: no two alike, none with a zero in front where that can be helped.
        let n = (u64::from(self.made) * 7919 + most / 3) % most.max(1);
        let pin = SecretString::from(format!("{n:0width$}", width = usize::from(digits)));
        self.secrets.push(pin.clone());
        pin
    }

    fn phone_number(&mut self) -> SecretString {
        self.made += 1;
        let number = SecretString::from(format!("+493023125{:03}", self.made % 1000));
        self.secrets.push(number.clone());
        number
    }

    fn slot(&mut self) -> Option<u16> {
        let slots = self.report.pin.as_ref()?.slots?;
        self.made += 1;
        Some(u16::try_from(self.made % u32::from(slots.max(1))).unwrap_or_default() + 1)
    }

    /// A thing of this kind with this window; permissions that it needs have `access`'s window. `None`: it cannot be made here.
    pub(super) async fn piece(&mut self, kind: Kind, window: Window, access: Window) -> Option<Piece> {
        let tag = self.tag();
        let mut piece = Piece {
            kind,
            want: Want::User(UserSpec { name: tag.0.clone(), email: None, phone: None, window: None, suspended: false }),
            tag,
            receipt: None,
            needs: Vec::new(),
            doors: Vec::new(),
            pin: None,
        };
        match kind {
            Kind::User => {}
            Kind::Stay => {
                let doors = self.doors.iter().filter(|(d, _)| d.class == DoorClass::Guest).map(|(d, _)| d.clone());
                let doors = doors.take(1).collect();
                piece.want = Want::Stay(self.stay(doors, window, &piece.tag));
            }
            Kind::Access => {
                let user = self.user(&mut piece).await?;
                let (doors, groups) = self.permission(&|_| true)?;
                piece.doors.clone_from(&doors);
                let spec = AccessSpec { user: Some(user), doors, groups, window, schedule: None, suspended: false };
                piece.want = Want::Access(spec);
            }
            _ => piece.want = Want::Credential(self.credential_spec(kind, window, access, &mut piece).await?),
        }
        Some(piece)
    }

    fn stay(&self, doors: Vec<Door>, window: Window, tag: &Tag) -> StaySpec {
        let generation = u64::try_from(window.starts_at().timestamp()).unwrap_or(1).max(1) + u64::from(self.made);
        StaySpec { key: tag.0.clone(), generation, doors, window }
    }

    async fn user(&mut self, piece: &mut Piece) -> Option<Handle> {
        if !self.report.kinds.contains_key(&Kind::User) {
            return None;
        }
        let tag = self.tag();
        let want = Want::User(UserSpec { name: tag.0.clone(), email: None, phone: None, window: None, suspended: false });
        let handle = self.put_need(want, tag, piece).await?;
        if handle.is_none() {
            self.breach("users_have_handles", "a user was put and has no handle to be named by");
        }
        handle
    }

    async fn put_need(&mut self, want: Want, tag: Tag, piece: &mut Piece) -> Option<Option<Handle>> {
        match self.put(&want, None, &tag).await {
            Ok(receipt) => {
                piece.needs.push((want, tag, receipt.handle.clone()));
                Some(receipt.handle)
            }
            Err(failure) => {
                self.breach("what_is_right_is_taken", format!("a {:?} was refused: {failure}", want.kind()));
                None
            }
        }
    }

    /// Doors that one permission can cover exactly, and its groups.
    fn permission(&self, able: &dyn Fn(&EntranceReport) -> bool) -> Option<(Vec<Door>, Vec<Handle>)> {
        if self.report.groups != Groups::Fixed {
            let door = self.doors.iter().find(|(d, e)| d.class != DoorClass::Implicit && able(e))?;
            return Some((vec![door.0.clone()], Vec::new()));
        }
        self.groups.iter().find_map(|group| {
            let doors: Vec<_> = self.doors.iter().filter(|(d, _)| group.entrances.contains(&d.handle)).collect();
            let fits = doors.len() == group.entrances.len() && doors.iter().any(|(_, e)| able(e));
            fits.then(|| (doors.into_iter().map(|(d, _)| d.clone()).collect(), vec![group.handle.clone()]))
        })
    }

    async fn credential_spec(&mut self, kind: Kind, window: Window, access: Window, piece: &mut Piece) -> Option<CredentialSpec> {
        let rules = self.report.kinds.get(&kind)?.clone();
        let able = |door: &EntranceReport| match kind {
            Kind::Code => door.code,
            Kind::Card => door.card,
            Kind::MobileKey => door.mobile_key,
            Kind::CloudKey => door.cloud_key,
            _ => false,
        };
        let body = match kind {
            Kind::Code => {
                let pins = self.report.pin.clone()?;
                let pin = (!pins.made_by_vendor).then(|| self.pin(pins.longest));
                piece.pin.clone_from(&pin);
                Body::Code { pin, slot: self.slot() }
            }
            Kind::Card if rules.card == Some(CardPath::Preassigned) => {
                let Some(number) = self.judge.registered_card().await else {
                    self.skip("cards: there is no registered card to assign");
                    return None;
                };
                Body::Card { number: Some(number) }
            }
            Kind::Card => Body::Card { number: None },
            Kind::MobileKey => {
                // Every key has a phone of its own. The numbers are of a range that is kept for stories.
                let phone_number = rules.needs_phone_number.then(|| self.phone_number());
                Body::MobileKey { endpoint: None, phone_number }
            }
            Kind::CloudKey => Body::CloudKey,
            _ => return None,
        };
        let mut user = None;
        let doors = if rules.doors == DoorLimit::ByUser {
            let handle = self.user(piece).await?;
            let (doors, groups) = self.permission(&able)?;
            let spec =
                AccessSpec { user: Some(handle.clone()), doors: doors.clone(), groups, window: access, schedule: None, suspended: false };
            let tag = self.tag();
            self.put_need(Want::Access(spec), tag, piece).await?;
            user = Some(handle);
            piece.doors = doors.into_iter().filter(|d| self.doors.iter().any(|(o, e)| o.handle == d.handle && able(e))).collect();
            Vec::new()
        } else {
            let doors = self.some_doors(rules.doors, &able);
            piece.doors.clone_from(&doors);
            doors
        };
        if piece.doors.is_empty() {
            self.skip(format!("{kind:?}: no door takes it"));
            self.drop_needs(piece).await;
            return None;
        }
        let guest: Vec<Door> = doors.iter().filter(|d| d.class == DoorClass::Guest).cloned().collect();
        let stay = (self.report.stay.is_some() && !guest.is_empty()).then(|| (self.stay(guest, window, &piece.tag), Role::Open));
        Some(CredentialSpec { user, holder: piece.tag.0.clone(), doors, window, schedule: None, suspended: false, body, stay })
    }

    /// One door of each class, as far as they fit on one credential.
    fn some_doors(&self, limit: DoorLimit, able: &dyn Fn(&EntranceReport) -> bool) -> Vec<Door> {
        let of = |guest: bool| {
            let mut fitting =
                self.doors.iter().filter(move |(d, e)| d.class != DoorClass::Implicit && (d.class == DoorClass::Guest) == guest && able(e));
            fitting.next().map(|(d, _)| d.clone())
        };
        match limit {
            DoorLimit::One => of(true).or_else(|| of(false)).into_iter().collect(),
            DoorLimit::Many { guest, common } => {
                let guest = of(true).filter(|_| guest > 0);
                guest.into_iter().chain(of(false).filter(|_| common > 0)).collect()
            }
            DoorLimit::ByUser => Vec::new(),
        }
    }

    /// How a thing comes to open doors: it is put, or written on a card. `None`: not by this suite.
    pub(super) async fn issue(&mut self, piece: &mut Piece, had: Option<&Handle>) -> Option<Result<(), Failure>> {
        let path = self.report.kinds.get(&piece.kind).and_then(|r| r.card);
        let answer = match path.filter(|_| piece.kind == Kind::Card) {
            Some(CardPath::VendorEncoder) => self.encode(&piece.want, had, &piece.tag).await?,
            Some(CardPath::PushThenVendorEncoder) => match self.put(&piece.want, had, &piece.tag).await {
                Ok(pushed) => self.encode(&piece.want, pushed.handle.as_ref(), &piece.tag).await?,
                refused => refused,
            },
            Some(CardPath::OwnEncoder) => {
                self.skip("cards: our own encoder is needed");
                return None;
            }
            Some(CardPath::Preassigned) | None => self.put(&piece.want, had, &piece.tag).await,
        };
        Some(answer.map(|receipt| {
            if let Some(pin) = &receipt.made.pin {
                self.secrets.push(pin.clone());
                piece.pin = Some(pin.clone());
            }
            piece.receipt = Some(receipt);
        }))
    }

    /// Takes away the thing and all that it needed.
    pub(super) async fn clear(&mut self, piece: &mut Piece) {
        let handle = piece.handle();
        if let Err(failure) = self.remove(&piece.want, handle.as_ref(), &piece.tag).await {
            self.breach("what_was_put_can_be_removed", format!("{:?}: {failure}", piece.kind));
        }
        self.drop_needs(piece).await;
    }

    async fn drop_needs(&mut self, piece: &mut Piece) {
        for (want, tag, handle) in std::mem::take(&mut piece.needs).into_iter().rev() {
            if let Err(failure) = self.remove(&want, handle.as_ref(), &tag).await {
                self.breach("what_was_put_can_be_removed", format!("{:?}: {failure}", want.kind()));
            }
        }
    }

    /// Tries all doors of a thing: opened when all did, refused when none did.
    pub(super) async fn try_doors(&mut self, piece: &Piece) -> Tried {
        let mut all = Tried::Cannot;
        for door in &piece.doors {
            let tried = self.judge.try_door(&door.handle, &piece.issued()).await;
            match (all, tried) {
                (_, Tried::Cannot) => {}
                (Tried::Cannot, tried) => all = tried,
                (before, tried) if before != tried => {
                    self.breach("doors_agree", format!("{:?} opens some of its doors and not others", piece.kind));
                    return Tried::Cannot;
                }
                _ => {}
            }
        }
        all
    }

    pub(super) async fn expect(&mut self, rule: &'static str, piece: &Piece, expected: Tried, when: &str) {
        if matches!(piece.kind, Kind::User | Kind::Access | Kind::Stay) {
            // Only what a person carries can be tried.
            return;
        }
        match self.try_doors(piece).await {
            Tried::Cannot => self.skip(format!("{:?}: no door can be tried with it", piece.kind)),
            tried => self.must(rule, tried == expected, || format!("{:?} {when}: {tried:?}, not {expected:?}", piece.kind)),
        }
    }

    pub(super) async fn count(&mut self, rule: &'static str, piece: &Piece, expected: u32, when: &str) {
        match self.judge.holds(&piece.issued()).await {
            None => self.skip(format!("{:?}: nobody can count what is held", piece.kind)),
            Some(n) => self.must(rule, n == expected, || format!("{:?} {when}: {n} are held, not {expected}", piece.kind)),
        }
    }
}

/// The digits, for tests of the wire only.
pub(super) fn digits(pin: &SecretString) -> &str {
    pin.expose_secret()
}
