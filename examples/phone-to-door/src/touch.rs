//! Aliro over a link that carries commands and answers one by one, as NFC does: the lock drives, the phone answers.
//!
//! What the office signed for the phone lies in the phone's mailbox, where the lock reads it inside the encrypted channel.
use crate::office::random;
use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Event, Moment, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::exchange::{MailboxRequest, ReaderStatus, Request};
use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom, Session, StoredPhone};
use seam_ble::aliro::{AliroError, Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
use seam_ble::bytes::{Full, Writer};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret};
use seam_ble::lock::SIGNED_GRANT_LEN;
use seam_ble::transport::{Link, SessionError};

/// Longest command or answer here.
const MAX: usize = 512;
/// How many phones a lock remembers for the fast phase. Anybody with a key of her own making is remembered before it is known whether she may open; who
/// is forgotten runs the standard phase again.
pub const REMEMBERED: usize = 32;

type Failure = SessionError<AliroError>;

/// How the phone proved its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// With signatures on both sides.
    Standard,
    /// With what an earlier visit left behind: one round trip less, and no signature.
    Fast,
}

/// A phone that has proven its key, with what it carries; the session waits for the outcome.
#[derive(Debug)]
pub struct Touched<'k> {
    /// The proven key.
    pub key: PublicKey,
    /// The content of the mailbox.
    pub grant: Vec<u8>,
    /// How it was proven.
    pub phase: Phase,
    session: Session<'k, RustCrypto>,
}

fn protocol(error: impl Into<AliroError>) -> Failure {
    Failure::Protocol(error.into())
}

async fn ask<L: Link>(link: &mut L, command: &[u8]) -> Result<Vec<u8>, Failure> {
    link.send(command).await?;
    let mut space = [0; MAX];
    Ok(link.receive(&mut space).await?.to_vec())
}

fn write<T, E>(step: impl FnOnce(&mut Writer<'_>) -> Result<T, E>) -> Result<(Vec<u8>, T), E> {
    let mut space = [0; MAX];
    let mut out = Writer::new(&mut space);
    let next = step(&mut out)?;
    Ok((out.as_slice().to_vec(), next))
}

/// Remembers a phone that has proven its key by the standard phase.
pub(crate) fn remember(stored: &mut Vec<StoredPhone>, proven: StoredPhone) {
    stored.retain(|phone| phone.credential != proven.credential);
    // The one that proved itself longest ago goes.
    stored.drain(..(stored.len() + 1).saturating_sub(REMEMBERED));
    stored.push(proven);
}

/// The lock's side: tries the fast phase with all phones that were here before, else the standard one, and reads the mailbox.
///
/// # Errors
/// [`SessionError`]: nobody is proven.
pub async fn serve<'k, L: Link>(
    id: ReaderId,
    key: &'k SoftwareKey,
    stored: &mut Vec<StoredPhone>,
    link: &mut L,
) -> Result<Touched<'k>, Failure> {
    let reader = Reader::new(&RustCrypto, id, key);
    let (command, state) = write(|out| reader.select(out)).map_err(protocol)?;
    let state = state.on_response(&ask(link, &command).await?).map_err(protocol)?;
    let fresh = ReaderRandom { ephemeral: Secret::new(random()), transaction: TransactionId(random()) };
    let (command, state) = write(|out| state.auth0(&fresh, !stored.is_empty(), out)).map_err(protocol)?;
    let answer = ask(link, &command).await?;
    let (key, phase, session) = match state.on_response(&answer, stored.iter()).map_err(protocol)? {
        Auth0Outcome::Fast(found) => (found.credential, Phase::Fast, found.session),
        Auth0Outcome::Standard(state) => {
            let (command, state) = write(|out| state.auth1(out)).map_err(protocol)?;
            let mut answer = ask(link, &command).await?;
            let proven = state.on_response(&mut answer, |_| None).map_err(protocol)?;
            remember(stored, StoredPhone { credential: proven.credential, persistent: proven.persistent });
            (proven.credential, Phase::Standard, proven.session)
        }
    };
    let mailbox = [MailboxRequest::Read { offset: 0, length: u16::try_from(SIGNED_GRANT_LEN).unwrap_or(u16::MAX) }];
    let request = Request { mailbox: &mailbox, ..Request::default() };
    let (command, state) = write(|out| session.exchange(&request, out)).map_err(protocol)?;
    let mut answer = ask(link, &command).await?;
    let (session, pieces) = state.on_response(&mut answer).map_err(protocol)?;
    let grant = pieces.pieces().next().unwrap_or(&[]).to_vec();
    Ok(Touched { key, grant, phase, session })
}

impl Touched<'_> {
    /// Tells the phone what was decided.
    ///
    /// # Errors
    /// [`SessionError`]; what was decided stays decided.
    pub async fn respond<L: Link>(self, opens: bool, link: &mut L) -> Result<(), Failure> {
        let status = if opens { ReaderStatus::UNSECURED } else { ReaderStatus::NO_ACCESS };
        let request = Request { status: Some(status), ..Request::default() };
        let (command, state) = write(|out| self.session.exchange(&request, out)).map_err(protocol)?;
        let mut answer = ask(link, &command).await?;
        state.on_response(&mut answer).map(|_| ()).map_err(protocol)
    }
}

/// What a phone keeps for one lock.
#[derive(Debug)]
pub struct Pass<'a> {
    /// Its key.
    pub key: &'a SoftwareKey,
    /// The lock's key, which came with the booking.
    pub lock: PublicKey,
    /// What the last visit left behind.
    pub persistent: Option<Secret<32>>,
}

impl Wallet for Pass<'_> {
    type Key = SoftwareKey;

    fn credential(&self, _reader: &ReaderId, _policy: Policy) -> Option<Credential<'_, SoftwareKey>> {
        Some(Credential {
            key: self.key,
            trust: Trust::Key(self.lock),
            persistent: self.persistent.as_ref(),
            signaling: Signaling(0),
            credential_signed: None,
            revocation_signed: None,
        })
    }

    fn document(&self, _reader: &ReaderId, _kind: DocType, _element: &str) -> Option<&[u8]> {
        None
    }
}

/// The phone's side: answers until the lock says how it ended. What the visit leaves behind is kept in the pass.
///
/// # Errors
/// [`SessionError`].
pub async fn present<L: Link>(pass: &mut Pass<'_>, grant: &[u8; SIGNED_GRANT_LEN], link: &mut L) -> Result<bool, Failure> {
    let offers = Proprietary::new(&[Version::V1_0], None, None).map_err(protocol)?;
    let mut device = Device::nfc(&RustCrypto, offers);
    let (mut mailbox, mut space) = (*grant, [0; MAX]);
    loop {
        let mut command = link.receive(&mut space).await?.to_vec();
        let fresh = DeviceRandom { ephemeral: Secret::new(random()), filler: Secret::new(random()) };
        let moment = Moment { wallet: &*pass, random: &fresh, now: None, mailbox: &mut mailbox, scratch: &mut [] };
        let (answer, event) = write(|out| Ok::<_, Full>(device.handle(&mut command, moment, out))).map_err(protocol)?;
        link.send(&answer).await?;
        match event.map_err(protocol)? {
            Event::Proven(proven) => pass.persistent = Some(proven.persistent),
            Event::Exchanged { status: Some(status), .. } => return Ok(status.is_success()),
            Event::ReaderFailed { .. } => return Ok(false),
            _ => {}
        }
    }
}
