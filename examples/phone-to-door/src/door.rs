//! The lock at a hotel room: everything that its firmware would hold, without the radio and the motor.
use crate::approach;
use crate::office::{Office, new_key, random};
use crate::touch::{self, Phase};
use seam_ble::aliro::reader::StoredPhone;
use seam_ble::aliro::{AliroError, ReaderId};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{Crypto, CryptoError, PublicKey, Secret, Signature, SigningKey};
use seam_ble::lock::Link as Carrier;
use seam_ble::lock::{
    Action, Authority, Claim, ClockError, ClockLimits, Distance, Entrance, EntranceId, EntranceKind, Evidence, GrantError, Journal,
    JournalError, LockClock, LockState, MAX_RECORD, Permit, ProximityRule, Refusal, RevocationError, SignedGrant, Slot, Storage,
    TIME_CHALLENGE_LEN, TimeToken, UnixTime, UserAct, Zone, decide, verify_revocations,
};
use seam_ble::pkoc::{LocationId, PkocError, Reader, Response};
use seam_ble::transport::aliro::Agreed;
use seam_ble::transport::{Link, SessionError, pkoc, within};
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// No transaction may take longer: a phone that stalls would keep the next guest outside.
const DEADLINE: Duration = Duration::from_secs(10);

/// Two places of flash.
#[derive(Clone, Debug)]
pub struct Flash([[u8; MAX_RECORD]; 2]);

impl Default for Flash {
    fn default() -> Self {
        Self([[0xFF; MAX_RECORD]; 2])
    }
}

impl Storage for Flash {
    type Error = Infallible;

    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, Infallible> {
        into.copy_from_slice(&self.0[slot as usize]);
        Ok(MAX_RECORD)
    }

    fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), Infallible> {
        self.0[slot as usize][..record.len()].copy_from_slice(record);
        Ok(())
    }
}

/// The motor. It takes a permit, so nothing can move it that was not decided and kept.
#[derive(Debug, Default)]
pub struct Bolt {
    openings: Vec<Claim>,
}

impl Bolt {
    fn turn(&mut self, permit: Permit) {
        self.openings.push(permit.claim());
    }

    /// By what right it was turned, each time.
    #[must_use]
    pub fn openings(&self) -> &[Claim] {
        &self.openings
    }
}

/// Why the door stayed closed.
#[derive(Debug)]
pub enum Closed {
    /// The phone did not prove a key.
    Session(SessionError<PkocError>),
    /// The phone did not prove a key by Aliro.
    Aliro(SessionError<AliroError>),
    /// It brought nothing along.
    NoGrant,
    /// What it brought along is not signed for this key.
    Grant(GrantError),
    /// It is, but does not open this door now.
    Refused(Refusal),
    /// The lock's memory failed.
    Memory(JournalError<Infallible>),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(e) => e.fmt(f),
            Self::Aliro(e) => e.fmt(f),
            Self::NoGrant => f.write_str("the phone carries no grant"),
            Self::Grant(e) => e.fmt(f),
            Self::Refused(e) => e.fmt(f),
            Self::Memory(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Closed {}

/// The lock of one room.
#[derive(Debug)]
pub struct Door {
    entrance: Entrance<'static>,
    reader: Reader<SoftwareKey>,
    issuer: PublicKey,
    time_authority: PublicKey,
    /// Phones that were here before, for Aliro's fast phase.
    stored: Vec<StoredPhone>,
    journal: Journal<Flash>,
    clock: LockClock,
    /// Seconds since the lock got its batteries. A lock has a counter for it; the story turns it.
    pub uptime: u64,
    /// The motor.
    pub bolt: Bolt,
}

impl Door {
    /// Fits a lock to a room.
    ///
    /// # Errors
    /// When the office does not certify its key.
    pub fn fit(office: &Office, fitted_at: UnixTime) -> Result<Self, CryptoError> {
        let (key, location) = (new_key(), LocationId(random()));
        let certificate = office.certify(location, &key.public_key())?;
        let entrance = Entrance {
            id: EntranceId(location.0),
            kind: EntranceKind::Reservation,
            largest_jump: 400 * 86_400,
            proximity: ProximityRule::HOTEL_ROOM,
            zone: Zone::UTC,
        };
        let journal = Journal::commission(Flash::default(), LockState::commissioned(fitted_at)).map_err(|_| CryptoError::Device)?;
        Ok(Self {
            entrance,
            reader: Reader::with_certificate(office.site(), location, key, certificate),
            issuer: office.issuer(),
            time_authority: office.time_authority(),
            stored: Vec::new(),
            journal,
            clock: LockClock::new(ClockLimits::default()),
            uptime: 0,
            bolt: Bolt::default(),
        })
    }

    /// Its name in grants.
    #[must_use]
    pub const fn entrance(&self) -> EntranceId {
        self.entrance.id
    }

    /// Asks for the time.
    pub fn ask_time(&mut self) -> [u8; TIME_CHALLENGE_LEN] {
        self.clock.challenge(random(), self.uptime)
    }

    /// Sets its clock by what a phone brought back.
    ///
    /// # Errors
    /// [`ClockError`]; the clock is as it was.
    pub fn set_time(&mut self, token: &TimeToken) -> Result<(), ClockError> {
        let authority = self.time_authority;
        let verify = |bytes: &[u8], signature: &[u8; 64]| RustCrypto.verify(&authority, bytes, &Signature::new(*signature)).is_ok();
        let passed = self.clock.accept(token, self.entrance.id, self.journal.state().floor(), self.uptime, verify)?;
        // A floor that could not be kept is not lost time: the clock runs, and the next token raises it again.
        let _ = self.journal.keep(self.journal.state().raise_floor(passed));
        Ok(())
    }

    /// Takes a revocation list that a phone brought along.
    ///
    /// # Errors
    /// Why the list before stays in force.
    pub fn take_revocations(&mut self, list: &[u8]) -> Result<(), RevocationRefused> {
        let list = verify_revocations(&RustCrypto, list, &self.issuer, seam_ble::lock::SiteId(self.reader.site.0))
            .map_err(RevocationRefused::Signed)?;
        let state = self.journal.state().with_revocations(list).map_err(RevocationRefused::Order)?;
        self.journal.keep(state).map_err(RevocationRefused::Memory)
    }

    /// Serves one phone: lets it prove its key, decides, keeps the decision, turns the bolt, answers.
    ///
    /// # Errors
    /// [`Closed`]: the bolt did not move.
    pub async fn serve<L: Link>(&mut self, link: &mut L) -> Result<Claim, Closed> {
        let fresh = Secret::new(random());
        let presented = within(DEADLINE, pkoc::serve(&RustCrypto, &self.reader, &fresh, link)).await.map_err(Closed::Session)?;
        let decided = self.open_for(&presented.extension, &presented.key, Carrier::Ble, UserAct::Gesture);
        let response = if decided.is_ok() { Response::GRANTED } else { Response::DENIED };
        // The bolt has moved or not; that the phone hears of it changes nothing.
        let _ = within(DEADLINE, pkoc::respond(&self.reader, response, link)).await;
        decided
    }

    /// How many phones it remembers for the fast phase.
    #[must_use]
    pub const fn remembers(&self) -> usize {
        self.stored.len()
    }

    /// The key that phones know this lock by.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.reader.key.public_key()
    }

    /// Its name in Aliro: the site is the group.
    #[must_use]
    pub fn reader_id(&self) -> ReaderId {
        let mut id = [0; 32];
        id[..16].copy_from_slice(&self.reader.site.0);
        id[16..].copy_from_slice(&self.reader.location.0);
        ReaderId::new(id)
    }

    /// The same by Aliro over Bluetooth. Beside the outcome: how the phone proved its key.
    pub async fn approached<L: Link>(&mut self, agreed: &Agreed, link: L) -> (Result<Claim, Closed>, Option<Phase>) {
        let key = self.reader.key.clone();
        let session = approach::serve(self.reader_id(), &key, &mut self.stored, agreed, link);
        let approached = match within(DEADLINE, session).await {
            Ok(approached) => approached,
            Err(error) => return (Err(Closed::Aliro(error)), None),
        };
        let decided = self.open_for(&approached.grant, &approached.key, Carrier::Ble, approached.user);
        let phase = approached.phase;
        let _ = within(DEADLINE, approached.respond(decided.is_ok())).await;
        (decided, Some(phase))
    }

    /// The same by Aliro, as at a touch. Beside the outcome: how the phone proved its key.
    pub async fn touched<L: Link>(&mut self, link: &mut L) -> (Result<Claim, Closed>, Option<Phase>) {
        let key = self.reader.key.clone();
        let session = touch::serve(self.reader_id(), &key, &mut self.stored, link);
        let touched = match within(DEADLINE, session).await {
            Ok(touched) => touched,
            Err(error) => return (Err(Closed::Aliro(error)), None),
        };
        let decided = self.open_for(&touched.grant, &touched.key, Carrier::Nfc, UserAct::None);
        let phase = touched.phase;
        let _ = within(DEADLINE, touched.respond(decided.is_ok(), link)).await;
        (decided, Some(phase))
    }

    fn open_for(&mut self, grant: &[u8], key: &PublicKey, over: Carrier, user: UserAct) -> Result<Claim, Closed> {
        // By PKOC nothing comes along; by Aliro the mailbox is read, and an empty one is all zeros.
        if grant.iter().all(|byte| *byte == 0) {
            return Err(Closed::NoGrant);
        }
        let issuers = [(self.issuer, Authority::Issuer)];
        let grant = SignedGrant::verify(&RustCrypto, grant, &issuers, key).map_err(Closed::Grant)?;
        // Over Bluetooth the app asks for a tap before it connects. Aliro has a message for it; PKOC has none, there it is the app's promise. Neither is
        // evidence against a relay. A touch speaks for itself.
        let evidence = Evidence { link: over, distance: Distance::Unknown, user };
        let now = self.clock.now(self.uptime);
        let opening = decide(self.journal.state(), &self.entrance, &grant, Action::Momentary, now, &evidence).map_err(Closed::Refused)?;
        let permit = self.journal.admit(opening).map_err(Closed::Memory)?;
        let claim = permit.claim();
        self.bolt.turn(permit);
        Ok(claim)
    }
}

/// Why a revocation list was refused.
#[derive(Debug)]
pub enum RevocationRefused {
    /// It is not the issuer's.
    Signed(GrantError),
    /// It is not newer.
    Order(RevocationError),
    /// The lock's memory failed.
    Memory(JournalError<Infallible>),
}
