//! Aliro over a link that carries the frames of its Bluetooth channel: both sides, from the phone's first notification to the outcome.
//!
//! ```text
//! phone                                         lock
//! initiate (pressed or not), in the clear   ->
//!                                           <-  AUTH0 [, AUTH1]: framed commands, and their answers        `meet`
//!                                           <-  EXCHANGE, ENVELOPE: the mailbox and documents              `Conversation`
//! not pressed:                              <-  completed, with the new state of the bolt                  `opened`
//! pressed:                                  <-  completed, the bolt as it was                              `requested`
//! request for the bolt, encrypted           ->
//!                                           <-  status changed                                             `opened`
//! either:                                   <-  EXCHANGE with the reason, or an error                      `refused`
//! ```
//!
//! A message may come in several pieces and several in one: the link need not keep them apart.
use std::vec::Vec;

use super::{Link, SessionError};
use crate::aliro::ble::message::{HEADER, Inbox, Message, Protocol, access_protocol};
use crate::aliro::ble::notification::{BoltAction, BoltState, Notification, Reporting, id};
use crate::aliro::channel::Channel;
use crate::aliro::device::{Device, DeviceRandom, Event, Moment, Wallet};
use crate::aliro::exchange::{ReaderStatus, Request};
use crate::aliro::reader::{Auth0Outcome, FastOutcome, Reader, ReaderRandom, Session, StandardOutcome, StoredPhone};
use crate::aliro::step_up::{ReaderStepUp, Wanted};
use crate::aliro::{AliroError, Instant, Proprietary, Signaling, Timestamp, Version};
use crate::bytes::Writer;
use crate::crypto::{Crypto, PublicKey, Secret, SigningKey};

/// The longest message with its header: a command or an answer with documents.
pub const MAX_MESSAGE: usize = 4_096;

/// The versions of a lock as its characteristic has them: 1.0.
pub const VERSIONS: [u8; 2] = Version::V1_0.bytes();

type Failure = SessionError<AliroError>;

impl From<AliroError> for SessionError<AliroError> {
    fn from(error: AliroError) -> Self {
        Self::Protocol(error)
    }
}

/// What was agreed before the channel was open: it enters the keys of the Bluetooth channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The lock's versions as its characteristic has them.
    pub offered: Vec<u8>,
    /// The one that the phone chose.
    pub selected: Version,
}

impl Default for Agreed {
    fn default() -> Self {
        Self { offered: VERSIONS.to_vec(), selected: Version::V1_0 }
    }
}

/// Whole messages over a link.
pub struct Frames<L> {
    link: L,
    inbox: std::boxed::Box<Inbox<MAX_MESSAGE>>,
}

impl<L> core::fmt::Debug for Frames<L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Frames(..)")
    }
}

impl<L: Link> Frames<L> {
    /// Over this link.
    pub fn new(link: L) -> Self {
        Self { link, inbox: std::boxed::Box::default() }
    }

    async fn send(&mut self, write: impl FnOnce(&mut Writer<'_>) -> Result<(), AliroError>) -> Result<(), Failure> {
        let mut space = std::vec![0; MAX_MESSAGE];
        let mut out = Writer::new(&mut space);
        write(&mut out)?;
        Ok(self.link.send(out.as_slice()).await?)
    }

    /// The next message.
    ///
    /// # Errors
    /// [`SessionError`]; whoever sends what is no message shall be disconnected.
    pub async fn next(&mut self) -> Result<Vec<u8>, Failure> {
        let mut piece = std::vec![0; MAX_MESSAGE];
        loop {
            if let Some(message) = self.inbox.next()? {
                return Ok(message.to_vec());
            }
            let piece = self.link.receive(&mut piece).await?;
            self.inbox.push(piece)?;
        }
    }

    /// Sends a command and waits for its answer. A phone that is busy may say so: in the clear while there are no keys (`channel` is none), encrypted
    /// from then on. Anything else has no place here.
    async fn ask<C: Crypto>(&mut self, command: &[u8], mut channel: Option<(&mut Channel, &C)>) -> Result<Vec<u8>, Failure> {
        self.send(|out| Ok(Message::request(command).write(out)?)).await?;
        loop {
            let mut bytes = self.next().await?;
            let message = Message::parse(&bytes)?;
            if message.protocol == Protocol::AccessProtocol {
                return Ok(message.expect(Protocol::AccessProtocol, access_protocol::RESPONSE)?.to_vec());
            }
            let notification = match &mut channel {
                None => Notification::parse(&message)?,
                Some((channel, crypto)) => Notification::parse(&Message::open(&mut bytes, channel, *crypto)?)?,
            };
            if notification != Notification::Busy {
                return Err(AliroError::OutOfOrder.into());
            }
        }
    }
}

fn command<T>(step: impl FnOnce(&mut Writer<'_>) -> Result<T, AliroError>) -> Result<(Vec<u8>, T), AliroError> {
    let mut space = std::vec![0; MAX_MESSAGE - HEADER];
    let mut out = Writer::new(&mut space);
    let next = step(&mut out)?;
    Ok((out.as_slice().to_vec(), next))
}

/// A phone has proven that it holds a credential's key. Whether that key may open this door is another question, and not answered here.
#[derive(Debug)]
pub struct Proof {
    /// The credential's key.
    pub credential: PublicKey,
    /// By the standard phase: what to store for the fast one. None when it was the fast phase.
    pub persistent: Option<Secret<32>>,
    /// What it offers.
    pub signaling: Signaling,
    /// When its Access Document was signed.
    pub credential_signed: Option<Timestamp>,
    /// When its Revocation Document was signed.
    pub revocation_signed: Option<Timestamp>,
}

/// What follows the proof at the lock.
pub struct Conversation<'a, C, L> {
    crypto: &'a C,
    frames: Frames<L>,
    /// None after an error.
    session: Option<Session<'a, C>>,
    step_up: Option<ReaderStepUp<'a, C>>,
    channel: Channel,
    pressed: bool,
    requested: bool,
}

impl<C, L> core::fmt::Debug for Conversation<'_, C, L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Conversation").field("pressed", &self.pressed).field("requested", &self.requested).finish_non_exhaustive()
    }
}

/// The lock's side, up to the point where the phone has proven its key: by the fast phase if it is one of `stored`, else by the standard phase.
/// To be run [`within`](super::within) a deadline. `fresh` is drawn for this transaction alone.
///
/// # Errors
/// [`SessionError`]; nobody is proven. A phone that broke the protocol is told that the transaction failed.
pub async fn meet<'a, C: Crypto, K: SigningKey, L: Link>(
    reader: Reader<'a, C, K>,
    fresh: &ReaderRandom,
    stored: &[StoredPhone],
    agreed: &Agreed,
    link: L,
) -> Result<(Proof, Conversation<'a, C, L>), Failure> {
    let mut frames = Frames::new(link);
    match prove(reader, fresh, stored, &mut frames).await {
        Ok((proof, session, pressed)) => {
            let channel = session.ble_channel(&agreed.offered, agreed.selected)?;
            let crypto = reader.crypto();
            Ok((proof, Conversation { crypto, frames, session: Some(session), step_up: None, channel, pressed, requested: false }))
        }
        Err(error) => {
            if let SessionError::Protocol(_) = error {
                // The phone may be gone already; the first error is what counts.
                let _ = frames.send(|out| FAILED.send(|message| Ok(message.write(out)?))).await;
            }
            Err(error)
        }
    }
}

/// No reason is told: what exactly was wrong helps an attacker only.
const FAILED: Notification = Notification::Error(0);

async fn prove<'a, C: Crypto, K: SigningKey, L: Link>(
    reader: Reader<'a, C, K>,
    fresh: &ReaderRandom,
    stored: &[StoredPhone],
    frames: &mut Frames<L>,
) -> Result<(Proof, Session<'a, C>, bool), Failure> {
    let hello = frames.next().await?;
    let Notification::Initiate { proprietary, pressed } = Notification::parse(&Message::parse(&hello)?)? else {
        return Err(AliroError::OutOfOrder.into());
    };
    let state = reader.ble(proprietary)?;
    let (bytes, state) = command(|out| state.auth0(fresh, !stored.is_empty(), out))?;
    let answer = frames.ask::<C>(&bytes, None).await?;
    match state.on_response(&answer, stored)? {
        Auth0Outcome::Fast(FastOutcome { credential, told, session, .. }) => {
            let (credential_signed, revocation_signed) = (Some(told.credential_signed), Some(told.revocation_signed));
            let proof = Proof { credential, persistent: None, signaling: told.signaling, credential_signed, revocation_signed };
            Ok((proof, session, pressed))
        }
        Auth0Outcome::Standard(state) => {
            let (bytes, state) = command(|out| state.auth1(out))?;
            let mut answer = frames.ask::<C>(&bytes, None).await?;
            let StandardOutcome { credential, persistent, signaling, credential_signed, revocation_signed, session, .. } =
                state.on_response(&mut answer, |_| None)?;
            let proof = Proof { credential, persistent: Some(persistent), signaling, credential_signed, revocation_signed };
            Ok((proof, session, pressed))
        }
    }
}

impl<C: Crypto, L: Link> Conversation<'_, C, L> {
    /// Whether the phone said at first that its holder pressed. It said so in the clear: only [`Conversation::requested`] is evidence.
    pub const fn pressed(&self) -> bool {
        self.pressed
    }

    /// Sends one EXCHANGE and gives what was read from the mailbox, one piece per read.
    ///
    /// # Errors
    /// [`SessionError`]; the conversation is over then.
    pub async fn exchange(&mut self, request: &Request<'_>) -> Result<Vec<Vec<u8>>, Failure> {
        let session = self.session.take().ok_or(AliroError::ChannelClosed)?;
        let (bytes, state) = command(|out| session.exchange(request, out))?;
        let mut answer = self.frames.ask(&bytes, Some((&mut self.channel, self.crypto))).await?;
        let (session, answer) = state.on_response(&mut answer)?;
        self.session = Some(session);
        Ok(answer.pieces().map(<[u8]>::to_vec).collect())
    }

    /// Asks for documents and gives the DeviceResponse for [`documents`](crate::aliro::document::documents).
    ///
    /// # Errors
    /// [`SessionError`]; [`AliroError::OutOfOrder`] after the fast phase, which leaves no key for it.
    pub async fn documents(&mut self, wanted: &[Wanted<'_>]) -> Result<Vec<u8>, Failure> {
        let step_up = match self.step_up.take() {
            Some(step_up) => step_up,
            None => self.session.as_ref().and_then(Session::step_up).ok_or(AliroError::OutOfOrder)??,
        };
        let (bytes, state) = command(|out| step_up.request(wanted, out))?;
        let mut answer = self.frames.ask(&bytes, Some((&mut self.channel, self.crypto))).await?;
        let (step_up, response) = state.on_response(&mut answer)?;
        self.step_up = Some(step_up);
        Ok(response.to_vec())
    }

    async fn tell(&mut self, notification: &Notification) -> Result<(), Failure> {
        let (channel, crypto) = (&mut self.channel, self.crypto);
        self.frames.send(|out| notification.send(|message| message.write_sealed(channel, crypto, out))).await
    }

    /// Waits for what the phone's holder wants of the bolt. Only for a phone that [`pressed`](Conversation::pressed): another one asks for nothing.
    ///
    /// # Errors
    /// [`SessionError`], [`AliroError::OutOfOrder`] for a second time or a phone that did not press.
    pub async fn requested(&mut self, bolt: BoltState) -> Result<BoltAction, Failure> {
        if !self.pressed || self.requested {
            return Err(AliroError::OutOfOrder.into());
        }
        self.tell(&Notification::Completed { reporting: Reporting::ThisPhone, state: bolt }).await?;
        self.requested = true;
        loop {
            let mut message = self.frames.next().await?;
            match Notification::parse(&Message::open(&mut message, &mut self.channel, self.crypto)?)? {
                Notification::Request(action) => return Ok(action),
                Notification::Busy => {}
                _ => return Err(AliroError::OutOfOrder.into()),
            }
        }
    }

    /// Tells the phone that it was granted, and what the bolt is now.
    ///
    /// # Errors
    /// [`SessionError`]; what was decided stays decided.
    pub async fn opened(mut self, bolt: BoltState) -> Result<(), Failure> {
        if self.requested {
            self.tell(&Notification::StatusChanged { source: BY_PHONE, state: bolt }).await
        } else {
            self.tell(&Notification::Completed { reporting: Reporting::Never, state: bolt }).await
        }
    }

    /// Tells the phone that it was not. After a request there is no place for the reason.
    ///
    /// # Errors
    /// [`SessionError`]; what was decided stays decided.
    pub async fn refused(mut self, why: ReaderStatus) -> Result<(), Failure> {
        if self.requested {
            return self.tell(&FAILED).await;
        }
        self.exchange(&Request { status: Some(why), ..Request::default() }).await.map(|_| ())
    }
}

/// What the actuator's example says as the source of a change.
const BY_PHONE: u8 = 1;

/// How it ended, for the phone's screen. It is the lock's own word, encrypted, except for [`Shown::Failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Granted; what the bolt is now.
    Bolt(BoltState),
    /// Refused.
    Refused(ReaderStatus),
    /// The lock ended the transaction. Before there are keys anybody can say so.
    Failed,
}

/// What a phone brings to a visit.
#[derive(Debug)]
pub struct Visitor<'a, C, W> {
    /// Its cryptography.
    pub crypto: &'a C,
    /// Its credentials.
    pub wallet: &'a W,
    /// What it speaks.
    pub offers: Proprietary,
    /// Whether its holder pressed.
    pub pressed: bool,
    /// To judge the reader's certificate by; none leaves its validity open.
    pub now: Option<Instant>,
}

/// The phone's side. `random` is drawn once for each command; `mailbox` is that of the reader's group. `noted` hears of each command that was
/// carried out, as it is: [`Event::Proven`] has what to keep for the fast phase, also when the link is lost right afterwards.
///
/// # Errors
/// [`SessionError`]. A lock that has not proven itself learnt nothing about the phone.
pub async fn visit<C: Crypto, W: Wallet, L: Link>(
    visitor: &Visitor<'_, C, W>,
    agreed: &Agreed,
    mailbox: &mut [u8],
    mut random: impl FnMut() -> DeviceRandom,
    mut noted: impl FnMut(Event),
    link: L,
) -> Result<Shown, Failure> {
    let crypto = visitor.crypto;
    let (mut frames, mut device) = (Frames::new(link), Device::ble(crypto, visitor.offers.clone()));
    let hello = Notification::Initiate { proprietary: visitor.offers.clone(), pressed: visitor.pressed };
    frames.send(|out| hello.send(|message| Ok(message.write(out)?))).await?;
    let (mut channel, mut asked) = (None, false);
    let (mut scratch, mut space) = (std::vec![0; MAX_MESSAGE], std::vec![0; MAX_MESSAGE - HEADER]);
    loop {
        let mut bytes = frames.next().await?;
        let message = Message::parse(&bytes)?;
        if message.protocol == Protocol::AccessProtocol {
            // With the channel of notifications in use the commands are over.
            if channel.is_some() {
                return Err(AliroError::OutOfOrder.into());
            }
            let mut command = message.expect(Protocol::AccessProtocol, access_protocol::REQUEST)?.to_vec();
            let fresh = random();
            let moment = Moment { wallet: visitor.wallet, random: &fresh, now: visitor.now, mailbox, scratch: &mut scratch };
            let mut out = Writer::new(&mut space);
            let outcome = device.handle(&mut command, moment, &mut out);
            frames.send(|frame| Ok(Message::response(out.as_slice()).write(frame)?)).await?;
            let event = outcome?;
            let ended = match &event {
                Event::Exchanged { status: Some(status), .. } if !status.is_success() => Some(Shown::Refused(*status)),
                Event::ReaderFailed { .. } => Some(Shown::Failed),
                _ => None,
            };
            noted(event);
            if let Some(shown) = ended {
                return Ok(shown);
            }
            continue;
        }
        // Until the lock is proven it has no keys either: it can only say that it is busy or has failed.
        if channel.is_none() && device.state_name() != "session" && device.state_name() != "step-up" && message.id == id::EVENT {
            match Notification::parse(&message) {
                Ok(Notification::Busy) => continue,
                Ok(Notification::Error(_)) => return Ok(Shown::Failed),
                // After the fast phase it may be encrypted.
                _ => {}
            }
        }
        let open = match &mut channel {
            Some(channel) => channel,
            none => none.insert(device.ble_channel(&agreed.offered, agreed.selected)?),
        };
        match Notification::parse(&Message::open(&mut bytes, open, crypto)?)? {
            Notification::Busy => {}
            Notification::Error(_) => return Ok(Shown::Failed),
            Notification::Completed { .. } if visitor.pressed && !asked => {
                asked = true;
                let request = Notification::Request(BoltAction::Unsecure);
                frames.send(|out| request.send(|message| message.write_sealed(open, crypto, out))).await?;
            }
            Notification::Completed { state, .. } if !visitor.pressed => return Ok(Shown::Bolt(state)),
            Notification::StatusChanged { state, .. } if asked => return Ok(Shown::Bolt(state)),
            _ => return Err(AliroError::OutOfOrder.into()),
        }
    }
}
