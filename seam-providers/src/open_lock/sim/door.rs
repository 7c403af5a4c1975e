//! A virtual door.
use super::super::desk::unix;
use super::super::{Document, DocumentForm};
use super::aliro::{Pocket, touch};
use super::phone::{Phone, PhoneKey};
use super::wall::{clock_changes, wall_clock};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use seam_ble::aliro::document::{DocType, Document as Shown};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{Crypto as _, CryptoError, PublicKey, Secret, Signature, SigningKey as _};
use seam_ble::lock::{
    AccessDocument, Action, Authority, ClockLimits, Distance, Entrance, EntranceId, EntranceKind, Evidence, Grant, Journal, Link,
    LockClock, LockState, MAX_RECORD, OffsetChange, ProximityRule, RECEIPT_LEN, Receipt, Refusal, Revocations, SignedGrant, SiteId, Slot,
    Storage, TIME_CHALLENGE_LEN, TimeToken, TrustedTime, UnixTime, UserAct, decide, verify_revocation_document, verify_revocations,
};
use seam_core::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// What clock a door has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockOfDoor {
    /// One that is never wrong: a door on the mains with a source of time.
    Exact,
    /// The lock's own, which drifts, forgets the time with the power, and is set by signed tokens only.
    Own,
}

/// What came of holding a phone to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It opened.
    Opened,
    /// The phone has nothing for this door that the door believes.
    Nothing,
    /// The phone did not prove its key.
    Unproven,
    /// The decision was no.
    Refused(Refusal),
    /// The power went before the bolt moved.
    PowerCut,
}

/// Flash in memory. The next write may be cut off at a byte.
#[derive(Debug, Default)]
struct Flash {
    places: [Vec<u8>; 2],
    cut_after: Option<usize>,
}

/// The power is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoPower;

const fn place(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

impl Storage for Flash {
    type Error = NoPower;
    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, NoPower> {
        let bytes = &self.places[place(slot)];
        into[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
    fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), NoPower> {
        let there = &mut self.places[place(slot)];
        match self.cut_after.take() {
            None => {
                *there = record.to_vec();
                Ok(())
            }
            Some(bytes) => {
                let written = record.get(..bytes).unwrap_or(record);
                there.resize(there.len().max(written.len()), 0xFF);
                there[..written.len()].copy_from_slice(written);
                Err(NoPower)
            }
        }
    }
}

#[derive(Debug)]
struct Inside {
    journal: Journal<Flash>,
    own: LockClock,
    /// When it started last: its uptime counts from there.
    started: DateTime<Utc>,
    drawn: u128,
}

/// A virtual door. It knows what it was fitted with and what phones told it.
#[derive(Debug)]
pub struct Door {
    id: EntranceId,
    kind: EntranceKind,
    issuer: PublicKey,
    clock: Arc<dyn Clock>,
    clocks: ClockOfDoor,
    site: SiteId,
    /// The key by which it proves itself to phones.
    key: SoftwareKey,
    wall: (i32, Vec<OffsetChange>),
    inside: Mutex<Inside>,
}

/// What a door is fitted with.
pub(super) struct Fitting {
    pub(super) id: Uuid,
    pub(super) site: Uuid,
    pub(super) common: bool,
    pub(super) zone: Tz,
    pub(super) clocks: ClockOfDoor,
}

/// The issue number may jump by so many seconds: as the settings say by default.
const LARGEST_JUMP: u32 = 400 * 86_400;

/// The doors were fitted so long before the simulation begins: stays that began in between are good.
const FITTED_BEFORE: TimeDelta = TimeDelta::days(30);

impl Door {
    pub(super) fn fit(fitting: &Fitting, issuer: PublicKey, clock: Arc<dyn Clock>) -> Result<Self, CryptoError> {
        let now = clock.now();
        let state = LockState::commissioned(UnixTime(unix(now - FITTED_BEFORE)));
        let journal = Journal::commission(Flash::default(), state);
        // Memory that was just made takes two records.
        let journal = journal.unwrap_or_else(|_| unreachable!("flash in memory keeps what is written"));
        let inside = Inside { journal, own: LockClock::new(ClockLimits::default()), started: now, drawn: 0 };
        let kind = if fitting.common { EntranceKind::Common } else { EntranceKind::Reservation };
        let mut seed = [0x0D; 32];
        seed[16..].copy_from_slice(fitting.id.as_bytes());
        Ok(Self {
            id: EntranceId(*fitting.id.as_bytes()),
            kind,
            issuer,
            wall: clock_changes(fitting.zone, now),
            clock,
            clocks: fitting.clocks,
            site: SiteId(*fitting.site.as_bytes()),
            key: SoftwareKey::from_bytes(&Secret::new(seed))?,
            inside: Mutex::new(inside),
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uptime(&self, inside: &Inside) -> u64 {
        u64::try_from((self.clock.now() - inside.started).num_seconds()).unwrap_or(0)
    }

    fn now(&self, inside: &mut Inside) -> Option<TrustedTime> {
        let uptime = self.uptime(inside);
        match self.clocks {
            ClockOfDoor::Exact => Some(TrustedTime { value: UnixTime(unix(self.clock.now())), max_error: 0 }),
            ClockOfDoor::Own => inside.own.now(uptime),
        }
    }

    /// A challenge for the time.
    pub fn challenge(&self) -> [u8; TIME_CHALLENGE_LEN] {
        let mut inside = self.inside();
        inside.drawn += 1;
        let (random, uptime) = (inside.drawn.to_be_bytes(), self.uptime(&inside));
        inside.own.challenge(random, uptime)
    }

    /// Sets its clock by a token that a phone brought. Gives whether it was believed.
    pub fn set_time(&self, token: &TimeToken) -> bool {
        let mut inside = self.inside();
        let (uptime, floor) = (self.uptime(&inside), inside.journal.state().floor());
        let verify = |signed: &[u8], signature: &[u8; 64]| RustCrypto.verify(&self.issuer, signed, &Signature::new(*signature)).is_ok();
        let Ok(passed) = inside.own.accept(token, self.id, floor, uptime, verify) else { return false };
        let raised = inside.journal.state().raise_floor(passed);
        inside.journal.keep(raised).is_ok()
    }

    /// Takes a list of revoked keys in the compact form, if it is newer. Gives whether it was taken.
    pub fn take_revocations(&self, list: &[u8]) -> bool {
        verify_revocations(&RustCrypto, list, &self.issuer, self.site).is_ok_and(|list| self.take_list(list))
    }

    fn take_list(&self, list: Revocations) -> bool {
        let mut inside = self.inside();
        let Ok(newer) = inside.journal.state().with_revocations(list) else { return false };
        inside.journal.keep(newer).is_ok()
    }

    /// What it says of its memory: signed, for any phone to carry back.
    #[must_use]
    pub fn receipt(&self) -> Option<[u8; RECEIPT_LEN]> {
        Receipt::sign(&self.inside().journal, self.site, self.id, &self.key).ok()
    }

    /// The key by which phones, and the issuer, know it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// The number of the stay that the room is in.
    pub fn issue(&self) -> u64 {
        self.inside().journal.state().issue().0
    }

    /// The next write is cut off after so many bytes: the door loses its power there.
    pub fn cut_next_write_after(&self, bytes: usize) {
        let mut inside = self.inside();
        let state = *inside.journal.state();
        // The journal keeps its storage to itself: it is opened again, as after a start.
        let mut flash = take_flash(&mut inside, state);
        flash.cut_after = Some(bytes);
        reopen(&mut inside, flash, state);
    }

    /// The power comes back: what is in flash counts, and the clock knows nothing.
    pub fn restart(&self) {
        let mut inside = self.inside();
        let state = *inside.journal.state();
        let flash = take_flash(&mut inside, state);
        reopen(&mut inside, flash, state);
        inside.own = LockClock::new(ClockLimits::default());
        inside.started = self.clock.now();
    }

    /// Holds a phone to the door: it brings its list, proves each of its keys, and shows what it has for this door. It takes the door's
    /// receipt along, by Aliro in its mailbox.
    pub fn present(&self, phone: &Phone) -> Answer {
        if phone.form() == DocumentForm::Compact {
            self.take_revocations(phone.revocations());
        }
        let answer = self.tried(phone);
        if phone.form() == DocumentForm::Compact
            && let Some(receipt) = self.receipt()
        {
            phone.take_along(self.id, &receipt);
        }
        answer
    }

    fn tried(&self, phone: &Phone) -> Answer {
        let mut best = Answer::Nothing;
        for (key, documents) in phone.keys() {
            for document in documents.iter().filter(|d| *d.entrance.as_bytes() == self.id.0) {
                let answer = match document.form {
                    DocumentForm::Compact => self.try_key(&key.prove(&self.challenge()), &key.public_key(), &document.bytes),
                    DocumentForm::Aliro => self.touched(key, phone, document),
                };
                if answer == Answer::Opened {
                    return answer;
                }
                best = answer;
            }
        }
        best
    }

    /// By Aliro: standard phase, step-up phase, decision.
    fn touched(&self, key: &PhoneKey, phone: &Phone, document: &Document) -> Answer {
        let pocket = Pocket {
            key,
            list: phone.revocations(),
            document: &document.bytes,
            site: self.site,
            entrance: self.id,
            reader: self.key.public_key(),
        };
        let drawn = u128::from_be_bytes(self.challenge());
        let mut answer = Answer::Nothing;
        let see = |proven: &PublicKey, shown: &Shown<'_>| match shown.kind() {
            DocType::Revocation => {
                if let Ok(list) = verify_revocation_document(&RustCrypto, shown, &self.issuer, self.site) {
                    self.take_list(list);
                }
            }
            DocType::Access => {
                let issuers = [(self.issuer, Authority::Issuer)];
                if let Ok(read) = AccessDocument::verify(&RustCrypto, shown, &issuers, proven, self.id) {
                    answer = self.decided(&read.grant(), Link::Nfc, UserAct::None);
                }
            }
        };
        match touch(&self.key, &pocket, drawn, see, || self.receipt()) {
            Ok(left) => {
                if let Some(receipt) = left {
                    phone.take_along(self.id, &receipt);
                }
                answer
            }
            Err(_) => Answer::Unproven,
        }
    }

    fn try_key(&self, proof: &([u8; TIME_CHALLENGE_LEN], Option<Signature>), key: &PublicKey, grant: &[u8]) -> Answer {
        let (challenge, Some(signature)) = proof else { return Answer::Unproven };
        if RustCrypto.verify(key, challenge, signature).is_err() {
            return Answer::Unproven;
        }
        let issuers = [(self.issuer, Authority::Issuer)];
        let Ok(grant) = SignedGrant::verify(&RustCrypto, grant, &issuers, key) else { return Answer::Nothing };
        self.decided(&grant, Link::Ble, UserAct::Gesture)
    }

    fn decided(&self, grant: &Grant<'_>, link: Link, user: UserAct) -> Answer {
        let mut inside = self.inside();
        let now = self.now(&mut inside);
        let zone = wall_clock(&self.wall);
        let entrance = Entrance { id: self.id, kind: self.kind, largest_jump: LARGEST_JUMP, proximity: ProximityRule::HOTEL_ROOM, zone };
        let evidence = Evidence { link, distance: Distance::Unknown, user };
        match decide(inside.journal.state(), &entrance, grant, Action::Momentary, now, &evidence) {
            Err(refusal) => Answer::Refused(refusal),
            Ok(opening) => match inside.journal.admit(opening) {
                Ok(_permit) => Answer::Opened,
                Err(_) => Answer::PowerCut,
            },
        }
    }
}

/// Takes the flash out, and leaves an empty one in its place.
fn take_flash(inside: &mut Inside, state: LockState) -> Flash {
    let empty = Journal::commission(Flash::default(), state).unwrap_or_else(|_| unreachable!("flash in memory keeps what is written"));
    std::mem::replace(&mut inside.journal, empty).into_storage()
}

/// Reads the flash, as after a start.
fn reopen(inside: &mut Inside, flash: Flash, state: LockState) {
    inside.journal = Journal::open(flash).unwrap_or_else(|_| {
        // A lock that lost all of its memory is fitted again, by hand.
        Journal::commission(Flash::default(), state).unwrap_or_else(|_| unreachable!("flash in memory keeps what is written"))
    });
}
