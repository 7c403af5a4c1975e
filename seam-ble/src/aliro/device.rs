//! The phone's side of a transaction: it takes any command in any state and answers.
//!
//! A command that is malformed or does not belong into the state is refused and changes nothing. A check that fails (a signature, a tag, a
//! certificate) ends the session: its keys are erased, and the reader has to begin again. What the phone is called, and that it knows the
//! reader at all, is told only after the reader has proven itself.

use super::certificate::Profile0000;
use super::channel::{Channel, SessionKeys, Side};
use super::command::{self, Auth0, Auth1, Command, ControlFlow};
use super::document::DocType;
use super::exchange::{ReaderStatus, Received, Waiting, put_status};
use super::keys::{self, ChannelKeys, Transcript, Usage};
use super::reader::{key_slot, vendor_tlvs};
use super::response::{self, CRYPTOGRAM, Cryptogram, Identity};
use super::step_up::{DeviceStepUp, read_request};
use super::{
    AliroError, EXPEDITED_AID, Instant, Interface, Policy, Proprietary, ReaderId, STEP_UP_AID, Signaling, Timestamp, VENDOR_MAX, Version,
};
use crate::apdu::{self, Response, Status};
use crate::bytes::{Bytes, Writer};
use crate::cbor;
use crate::crypto::{Crypto, PublicKey, Secret, SigningKey};

/// How a phone knows that a reader is one of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The group has one reader, or all share a key.
    Key(PublicKey),
    /// Each reader has a certificate by this issuer.
    Issuer(PublicKey),
}

impl Trust {
    fn long_term(&self) -> &PublicKey {
        match self {
            Self::Key(key) | Self::Issuer(key) => key,
        }
    }
}

/// What a phone holds for a reader group.
#[derive(Debug)]
pub struct Credential<'a, K: ?Sized> {
    /// Its key, or a reference to it in the phone's secure element.
    pub key: &'a K,
    /// Whom it trusts.
    pub trust: Trust,
    /// What the last standard phase at this reader left behind.
    pub persistent: Option<&'a Secret<32>>,
    /// What it offers.
    pub signaling: Signaling,
    /// When its Access Document was signed.
    pub credential_signed: Option<Timestamp>,
    /// When its Revocation Document was signed.
    pub revocation_signed: Option<Timestamp>,
}

/// What the phone's app keeps.
pub trait Wallet {
    /// The kind of its keys.
    type Key: SigningKey + ?Sized;

    /// The credential for this reader's group, if there is one and its holder agrees to what `policy` demands. None looks to the reader like a
    /// phone that does not know it.
    fn credential(&self, reader: &ReaderId, policy: Policy) -> Option<Credential<'_, Self::Key>>;

    /// A document with this element, as its issuer signed it.
    fn document(&self, reader: &ReaderId, kind: DocType, element: &str) -> Option<&[u8]>;
}

/// What a phone draws for each AUTH0. Never to be used twice.
#[derive(Debug)]
pub struct DeviceRandom {
    /// For the ephemeral key.
    pub ephemeral: Secret<32>,
    /// Stands in for what the phone does not hold, so that readers cannot tell.
    pub filler: Secret<32>,
}

/// What the phone gives for one command.
#[derive(Debug)]
pub struct Moment<'a, W> {
    /// Its credentials.
    pub wallet: &'a W,
    /// Fresh for each command.
    pub random: &'a DeviceRandom,
    /// To judge the reader's certificate by; none leaves its validity open.
    pub now: Option<Instant>,
    /// The mailbox of the reader's group; empty for none.
    pub mailbox: &'a mut [u8],
    /// Space for the documents of an answer.
    pub scratch: &'a mut [u8],
}

/// What a command brought about.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The application was selected.
    Selected,
    /// A transaction began; nothing is proven.
    Started(ReaderId),
    /// The reader's certificate is right.
    CertificateLoaded,
    /// The reader has proven itself, and this phone to it.
    Proven(Proven),
    /// An EXCHANGE was carried out. After the fast phase it is the reader's first proof.
    Exchanged {
        /// Which reader.
        reader: ReaderId,
        /// What the reader says of the outcome.
        status: Option<ReaderStatus>,
        /// What it has for the app.
        notify: Option<Bytes<128>>,
    },
    /// Documents were shown.
    DocumentsShown,
    /// The reader ended the transaction with a failure.
    ReaderFailed {
        /// See [`ControlFlow`].
        reason: u8,
    },
}

/// After the standard phase.
#[derive(Debug)]
pub struct Proven {
    /// The reader.
    pub reader: ReaderId,
    /// To be stored for this reader, for the fast phase.
    pub persistent: Secret<32>,
}

#[expect(clippy::large_enum_variant, reason = "there is no allocator to box it with")]
enum State<C: Crypto> {
    Idle,
    Selected,
    Keyed(Keyed<C>),
    Session { reader: ReaderId, keys: SessionKeys },
    StepUp { reader: ReaderId, keys: SessionKeys, step_up: DeviceStepUp },
}

/// After AUTH0.
struct Keyed<C: Crypto> {
    transcript: Transcript,
    policy: Policy,
    key: C::AgreementKey,
    fast: Option<SessionKeys>,
    certified: Option<PublicKey>,
}

/// A phone within one connection.
pub struct Device<'a, C: Crypto> {
    crypto: &'a C,
    interface: Interface,
    proprietary: Proprietary,
    vendor: Option<&'a [u8]>,
    state: State<C>,
    /// What EXCHANGEs of this session have written that are not the last.
    waiting: Waiting,
}

impl<C: Crypto> core::fmt::Debug for Device<'_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Device").field("interface", &self.interface).field("state", &self.state_name()).finish_non_exhaustive()
    }
}

impl<'a, C: Crypto> Device<'a, C> {
    /// A phone at an NFC field: SELECT comes first.
    pub fn nfc(crypto: &'a C, proprietary: Proprietary) -> Self {
        Self { crypto, interface: Interface::Nfc, proprietary, vendor: None, state: State::Idle, waiting: Waiting::default() }
    }

    /// A phone on a BLE channel that has sent its first notification with `proprietary`: AUTH0 comes first.
    pub fn ble(crypto: &'a C, proprietary: Proprietary) -> Self {
        Self { crypto, interface: Interface::Ble, proprietary, vendor: None, state: State::Selected, waiting: Waiting::default() }
    }

    /// Sends a vendor's own data along (tag B2).
    ///
    /// # Errors
    /// [`AliroError::Full`] above 127 bytes.
    pub fn with_vendor(self, vendor: &'a [u8]) -> Result<Self, AliroError> {
        if vendor.len() > VENDOR_MAX { Err(AliroError::Full) } else { Ok(Self { vendor: Some(vendor), ..self }) }
    }

    /// Where the session stands, for a log.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            State::Idle => "idle",
            State::Selected => "selected",
            State::Keyed(_) => "keyed",
            State::Session { .. } => "session",
            State::StepUp { .. } => "step-up",
        }
    }

    /// The channel for BLE messages that are no commands, once there are keys for it.
    ///
    /// # Errors
    /// [`AliroError::OutOfOrder`] before, [`AliroError::Full`] when there are more than sixteen versions.
    pub fn ble_channel(&self, supported: &[u8], selected: Version) -> Result<Channel, AliroError> {
        let keys = match &self.state {
            State::Session { keys, .. } | State::StepUp { keys, .. } => keys,
            State::Keyed(Keyed { fast: Some(keys), .. }) => keys,
            _ => return Err(AliroError::OutOfOrder),
        };
        Ok(Channel::ble(Side::Device, ChannelKeys::ble(self.crypto, &keys.ble, supported, selected)?))
    }

    /// The key for secure ranging, once the reader has proven itself.
    pub fn ranging_key(&self) -> Option<&Secret<32>> {
        match &self.state {
            State::Session { keys, .. } | State::StepUp { keys, .. } => Some(&keys.ranging),
            _ => None,
        }
    }

    /// Takes a whole command, decrypted in place, and writes the whole answer, also for an error.
    ///
    /// # Errors
    /// Why the command was refused; the answer then holds only a status. After [`AliroError::Crypto`], [`AliroError::Short`],
    /// [`AliroError::Certificate`] and [`AliroError::UnknownReader`] the session is closed; after any other the state is as it was.
    pub fn handle<W: Wallet>(&mut self, bytes: &mut [u8], moment: Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        let start = out.len();
        let done = self.dispatch(bytes, moment, out).and_then(|event| Ok((out.put(&Status::OK.0.to_be_bytes())?, event).1));
        if let Err(error) = done {
            use AliroError::{Certificate, ChannelClosed, Crypto, Short, UnknownReader};
            // Short: a message on the channel without room for a tag, which has closed it.
            if matches!(error, Crypto(_) | Certificate | UnknownReader | ChannelClosed | Short) {
                self.state = State::Idle;
            }
            out.truncate(start);
            Response { data: &[], status: command::status_of(error) }.write(out)?;
        }
        done
    }

    fn dispatch<W: Wallet>(&mut self, bytes: &mut [u8], moment: Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        match Command::parse(bytes)? {
            Command::Select(aid) => self.select(aid, out),
            Command::Auth0(auth0) => self.auth0(&auth0, &moment, out),
            Command::LoadCert(certificate) => self.load_certificate(certificate, &moment),
            Command::Auth1(auth1) => self.auth1(&auth1, &moment, out),
            Command::ControlFlow(flow) => self.control_flow(flow),
            Command::Exchange(_) => self.exchange(apdu::data_mut(bytes)?, moment, out),
            Command::Envelope(_) => self.envelope(apdu::data_mut(bytes)?, moment, out),
            // Parts of an answer are handed out by the NFC layer.
            Command::GetResponse => Err(AliroError::OutOfOrder),
        }
    }

    fn select(&mut self, aid: &[u8], out: &mut Writer<'_>) -> Result<Event, AliroError> {
        if self.interface != Interface::Nfc {
            return Err(AliroError::OutOfOrder);
        }
        if aid == EXPEDITED_AID {
            response::Select { aid, proprietary: self.proprietary.clone() }.write(out)?;
            // A new transaction: whatever was, is over.
            self.state = State::Selected;
            return Ok(Event::Selected);
        }
        if aid != STEP_UP_AID {
            return Err(AliroError::ApplicationType);
        }
        let step_up = self.begin_step_up()?;
        response::Select { aid, proprietary: self.proprietary.clone() }.write(out)?;
        self.enter_step_up(step_up);
        Ok(Event::Selected)
    }

    fn begin_step_up(&self) -> Result<DeviceStepUp, AliroError> {
        match &self.state {
            State::Session { keys: SessionKeys { step_up: Some(key), .. }, .. } => DeviceStepUp::new(self.crypto, key),
            _ => Err(AliroError::OutOfOrder),
        }
    }

    fn enter_step_up(&mut self, step_up: DeviceStepUp) {
        if let State::Session { reader, keys } = core::mem::replace(&mut self.state, State::Idle) {
            self.state = State::StepUp { reader, keys, step_up };
        }
    }

    fn auth0<W: Wallet>(&mut self, auth0: &Auth0<'_>, moment: &Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        if !matches!(self.state, State::Selected) {
            return Err(AliroError::OutOfOrder);
        }
        // What an earlier session left half done is not done.
        self.waiting.forget();
        if auth0.version != Version::V1_0 || self.proprietary.versions().all(|version| version != auth0.version) {
            return Err(AliroError::Version);
        }
        let random = moment.random;
        let (key, device_ephemeral) = self.crypto.agreement_key(&random.ephemeral)?;
        if device_ephemeral.x() == auth0.reader_ephemeral.x() {
            return Err(AliroError::OwnKey);
        }
        let credential = moment.wallet.credential(&auth0.reader, auth0.policy);
        // A phone that does not know the reader goes the same way, with keys that nobody has.
        let long_term = credential.as_ref().map_or(device_ephemeral, |credential| *credential.trust.long_term());
        let transcript = Transcript {
            interface: self.interface,
            version: auth0.version,
            reader: auth0.reader,
            reader_key_x: *long_term.x(),
            transaction: auth0.transaction,
            reader_ephemeral: auth0.reader_ephemeral,
            device_ephemeral,
            flags: auth0.flags(),
            proprietary: self.proprietary.clone(),
            vendor: vendor_tlvs(auth0.vendor, self.vendor)?,
        };
        let mut cryptogram = [0; CRYPTOGRAM];
        let fast = if auth0.fast {
            let persistent = credential.as_ref().and_then(|credential| credential.persistent).unwrap_or(&random.filler);
            let public = credential.as_ref().map_or(device_ephemeral, |credential| credential.key.public_key());
            let keys = keys::fast(self.crypto, persistent, &transcript, &public)?;
            let told = Cryptogram {
                signaling: credential.as_ref().map_or(Signaling(0), |credential| credential.signaling),
                credential_signed: credential.as_ref().and_then(|credential| credential.credential_signed).unwrap_or(Timestamp::NONE),
                revocation_signed: credential.as_ref().and_then(|credential| credential.revocation_signed).unwrap_or(Timestamp::NONE),
            };
            let (text, tag) = cryptogram.split_at_mut(Cryptogram::LENGTH);
            told.write(&mut Writer::new(text))?;
            tag.copy_from_slice(&self.crypto.gcm_seal(&keys.cryptogram, &[0; 12], &[], text)?);
            let exchange = Channel::new(Side::Device, ChannelKeys { reader: keys.exchange_reader, device: keys.exchange_device });
            Some(SessionKeys { exchange, step_up: None, ble: keys.ble, ranging: keys.ranging, interface: self.interface })
        } else {
            None
        };
        response::Auth0 { device_ephemeral, cryptogram: fast.is_some().then_some(&cryptogram), vendor: self.vendor }.write(out)?;
        self.state = State::Keyed(Keyed { transcript, policy: auth0.policy, key, fast, certified: None });
        Ok(Event::Started(auth0.reader))
    }

    fn load_certificate<W: Wallet>(&mut self, certificate: &[u8], moment: &Moment<'_, W>) -> Result<Event, AliroError> {
        let State::Keyed(keyed) = &mut self.state else { return Err(AliroError::OutOfOrder) };
        if keyed.certified.is_some() {
            return Err(AliroError::OutOfOrder);
        }
        let certificate = Profile0000::parse(certificate)?;
        let credential = moment.wallet.credential(&keyed.transcript.reader, keyed.policy);
        // Without a credential the certificate is checked all the same, against a key that has signed nothing.
        let trust = credential.map_or(Trust::Issuer(keyed.transcript.device_ephemeral), |credential| credential.trust);
        let Trust::Issuer(issuer) = trust else { return Err(AliroError::Certificate) };
        keyed.certified = Some(certificate.verify(self.crypto, &issuer, moment.now)?);
        Ok(Event::CertificateLoaded)
    }

    fn auth1<W: Wallet>(&mut self, auth1: &Auth1<'_>, moment: &Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        let State::Keyed(keyed) = &self.state else { return Err(AliroError::OutOfOrder) };
        let (crypto, transcript) = (self.crypto, &keyed.transcript);
        let credential = moment.wallet.credential(&transcript.reader, keyed.policy);
        // Without a credential the signature is checked all the same, against a key that has signed nothing.
        let nobody = if auth1.certificate.is_some() { Trust::Issuer } else { Trust::Key };
        let trust = credential.as_ref().map_or(nobody(transcript.device_ephemeral), |credential| credential.trust);
        let reader_key = match (trust, auth1.certificate, keyed.certified) {
            (Trust::Key(key), None, None) => key,
            (Trust::Issuer(_), None, Some(key)) => key,
            (Trust::Issuer(issuer), Some(certificate), None) => Profile0000::parse(certificate)?.verify(crypto, &issuer, moment.now)?,
            _ => return Err(AliroError::Certificate),
        };
        crypto.verify(&reader_key, &transcript.authentication_data(Usage::Reader)?, &auth1.signature)?;
        let credential = credential.ok_or(AliroError::UnknownReader)?;

        let (own, peer) = (&transcript.device_ephemeral, &transcript.reader_ephemeral);
        let agreed = keys::agree(crypto, &keyed.key, own, peer, &transcript.transaction)?;
        let standard = keys::standard(crypto, &agreed, transcript)?;
        let public = credential.key.public_key();
        let persistent = keys::persistent(crypto, &agreed, transcript, &public)?;
        let mut exchange = Channel::new(Side::Device, ChannelKeys { reader: standard.exchange_reader, device: standard.exchange_device });
        let answer = response::Auth1 {
            identity: if auth1.want_public_key { Identity::PublicKey(public) } else { Identity::KeySlot(key_slot(crypto, &public)) },
            signature: credential.key.sign(&transcript.authentication_data(Usage::Device)?)?,
            mailbox: None,
            signaling: credential.signaling,
            credential_signed: credential.credential_signed,
            revocation_signed: credential.revocation_signed,
        };
        seal_into(&mut exchange, crypto, out, |out| Ok(answer.write(out)?))?;
        let reader = transcript.reader;
        let keys = SessionKeys {
            exchange,
            step_up: Some(standard.step_up),
            ble: standard.ble,
            ranging: standard.ranging,
            interface: self.interface,
        };
        self.state = State::Session { reader, keys };
        Ok(Event::Proven(Proven { reader, persistent }))
    }

    fn control_flow(&mut self, flow: ControlFlow<'_>) -> Result<Event, AliroError> {
        if matches!(self.state, State::Idle) {
            return Err(AliroError::OutOfOrder);
        }
        if flow.outcome != 0 {
            return Err(AliroError::Value);
        }
        self.state = State::Idle;
        Ok(Event::ReaderFailed { reason: flow.reason })
    }

    fn exchange<W: Wallet>(&mut self, sealed: &mut [u8], moment: Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        let waiting = &mut self.waiting;
        let (reader, keys) = match &mut self.state {
            State::Session { reader, keys } | State::StepUp { reader, keys, .. } => (*reader, keys),
            State::Keyed(Keyed { transcript, fast: Some(keys), .. }) => (transcript.reader, keys),
            _ => return Err(AliroError::OutOfOrder),
        };
        let text = keys.exchange.open(self.crypto, &[], sealed)?;
        let parsed = Received::parse(text);
        // The reader is proven now, whatever it asks for: the answer, also a refusal, goes through the channel.
        let mut told = (None, None);
        seal_into(&mut keys.exchange, self.crypto, out, |out| {
            let start = out.len();
            let applied = parsed.and_then(|received| {
                told = (received.status, received.notify.and_then(|notify| Bytes::from_slice(notify).ok()));
                received.apply(waiting, moment.mailbox, out)
            });
            if applied.is_err() {
                told = (None, None);
                out.truncate(start);
                put_status(out, Status::WRONG_DATA.0)?;
            }
            Ok(())
        })?;
        // The fast phase becomes a session with the first EXCHANGE that opens.
        self.state = match core::mem::replace(&mut self.state, State::Idle) {
            State::Keyed(Keyed { fast: Some(keys), .. }) => State::Session { reader, keys },
            state => state,
        };
        Ok(Event::Exchanged { reader, status: told.0, notify: told.1 })
    }

    fn envelope<W: Wallet>(&mut self, message: &mut [u8], moment: Moment<'_, W>, out: &mut Writer<'_>) -> Result<Event, AliroError> {
        // Over BLE there is no SELECT: the first ENVELOPE begins the phase. Over NFC the phone asks for one in its signaling.
        if matches!(self.state, State::Session { .. }) {
            let step_up = self.begin_step_up()?;
            self.enter_step_up(step_up);
        }
        let State::StepUp { reader, step_up, .. } = &mut self.state else { return Err(AliroError::OutOfOrder) };
        let (reader, wallet) = (*reader, moment.wallet);
        step_up.answer(self.crypto, message, moment.scratch, out, |request, out| {
            let (mut count, mut length) = (0, 0);
            read_request(request, |wanted| {
                if let Some(document) = wallet.document(&reader, wanted.kind, wanted.element) {
                    count += 1;
                    length += document.len();
                }
                Ok(())
            })?;
            if length + 32 > out.remaining() {
                return Err(AliroError::Full);
            }
            cbor::put_map(out, 3)?;
            cbor::put_text(out, "1")?;
            cbor::put_text(out, "1.0")?;
            cbor::put_text(out, "2")?;
            cbor::put_array(out, count)?;
            read_request(request, |wanted| {
                Ok(wallet.document(&reader, wanted.kind, wanted.element).map_or(Ok(()), |document| out.put(document))?)
            })?;
            cbor::put_text(out, "3")?;
            Ok(cbor::put_uint(out, 0)?)
        })?;
        Ok(Event::DocumentsShown)
    }
}

/// Lets `write` write a text into `out`, encrypts it there and puts the tag behind it.
fn seal_into<C: Crypto>(
    channel: &mut Channel,
    crypto: &C,
    out: &mut Writer<'_>,
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), AliroError>,
) -> Result<(), AliroError> {
    let start = out.len();
    write(out)?;
    let tag = channel.seal(crypto, &[], &mut out.as_mut_slice()[start..])?;
    Ok(out.put(&tag)?)
}
