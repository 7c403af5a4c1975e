//! The lock's side of a transaction, a type per state.
//!
//! ```text
//! Reader --select--> AwaitSelect --> Selected --auth0--> AwaitAuth0 --+--> FastOutcome        (phone known, one round trip)
//!    `------------ble------------------^                              `--> Unproven --auth1--> AwaitAuth1 --> StandardOutcome
//!                                                                            `--load_certificate--> AwaitCertificate --^
//! ```
//!
//! Each step takes the state and gives the next, so none can be used twice or in another order. An error ends the transaction: over NFC
//! the reader then sends [`failure`], over BLE an event notification.

use super::channel::{Channel, SessionKeys, Side};
use super::command::{Auth0, Auth1, Command, ControlFlow};
use super::exchange::{Answer, Request};
use super::keys::{self, ChannelKeys, FastKeys, StandardKeys, Transcript, Trial, Usage};
use super::response::{self, CRYPTOGRAM, Cryptogram, Identity};
use super::{
    AliroError, EXPEDITED_AID, Interface, Policy, Proprietary, ReaderId, Signaling, Timestamp, TransactionId, VENDOR_MAX, Version,
};
use crate::bytes::{Bytes, Full, Writer};
use crate::crypto::{Crypto, PublicKey, Secret, SigningKey, TAG};
use crate::tlv;

/// A phone that was here before.
#[derive(Clone, Debug)]
pub struct StoredPhone {
    /// Its credential's key.
    pub credential: PublicKey,
    /// What its last standard phase left behind.
    pub persistent: Secret<32>,
}

/// What a reader draws for each transaction. Never to be used twice.
#[derive(Debug)]
pub struct ReaderRandom {
    /// For the ephemeral key.
    pub ephemeral: Secret<32>,
    /// Names the transaction.
    pub transaction: TransactionId,
}

/// A reader: its key, what it is called, and what it demands.
#[derive(Debug)]
pub struct Reader<'a, C, K> {
    crypto: &'a C,
    key: &'a K,
    id: ReaderId,
    policy: Policy,
    vendor: Option<&'a [u8]>,
    certificate: Option<(&'a [u8], PublicKey)>,
    want_public_key: bool,
}

impl<C, K> Clone for Reader<'_, C, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, K> Copy for Reader<'_, C, K> {}

impl<'a, C: Crypto, K: SigningKey> Reader<'a, C, K> {
    /// A reader whose key the phones of its group know, that leaves it to the phone's settings whether a gesture is needed, and asks for
    /// the credential's public key.
    pub fn new(crypto: &'a C, id: ReaderId, key: &'a K) -> Self {
        Self { crypto, key, id, policy: Policy::DeviceSetting, vendor: None, certificate: None, want_public_key: true }
    }

    /// Demands `policy` of the person at the phone.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Shows `certificate` (profile 0000, over this reader's key), because the phones know only `issuer`, their group's.
    #[must_use]
    pub fn with_certificate(self, certificate: &'a [u8], issuer: PublicKey) -> Self {
        Self { certificate: Some((certificate, issuer)), ..self }
    }

    /// Sends a vendor's own data along (tag B1).
    ///
    /// # Errors
    /// [`AliroError::Full`] above 127 bytes.
    pub fn with_vendor(self, vendor: &'a [u8]) -> Result<Self, AliroError> {
        if vendor.len() > VENDOR_MAX { Err(AliroError::Full) } else { Ok(Self { vendor: Some(vendor), ..self }) }
    }

    /// Asks for the key slot (eight bytes) rather than the whole public key; the reader then has to know its phones.
    #[must_use]
    pub fn with_key_slots(self) -> Self {
        Self { want_public_key: false, ..self }
    }

    /// Begins over NFC.
    ///
    /// # Errors
    /// [`AliroError::Full`] when the command does not fit.
    pub fn select(self, out: &mut Writer<'_>) -> Result<AwaitSelect<'a, C, K>, AliroError> {
        Command::Select(&EXPEDITED_AID).write(out)?;
        Ok(AwaitSelect { reader: self })
    }

    /// Begins over BLE, with what the phone said of itself in its first notification ([`super::ble::notification`]).
    ///
    /// # Errors
    /// [`AliroError::Version`] when the phone does not speak 1.0.
    pub fn ble(self, proprietary: Proprietary) -> Result<Selected<'a, C, K>, AliroError> {
        Selected::new(self, Interface::Ble, proprietary)
    }

    /// Its cryptography.
    pub const fn crypto(&self) -> &'a C {
        self.crypto
    }

    fn long_term_x(&self) -> [u8; 32] {
        *self.certificate.map_or_else(|| self.key.public_key(), |(_, issuer)| issuer).x()
    }
}

/// Writes the command with which a reader ends a transaction that failed before there was a channel.
///
/// # Errors
/// [`Full`] when it does not fit.
pub fn failure(error: AliroError, out: &mut Writer<'_>) -> Result<(), Full> {
    let flow = if error == AliroError::Version { ControlFlow::NO_VERSION } else { ControlFlow::FAILURE };
    Command::ControlFlow(flow).write(out)
}

/// SELECT is on its way.
#[derive(Debug)]
pub struct AwaitSelect<'a, C, K> {
    reader: Reader<'a, C, K>,
}

impl<'a, C: Crypto, K: SigningKey> AwaitSelect<'a, C, K> {
    /// Takes the answer.
    ///
    /// # Errors
    /// [`AliroError::Status`] when there is no Aliro on the phone, [`AliroError::Version`] when it does not speak 1.0, or why the answer is
    /// malformed.
    pub fn on_response(self, bytes: &[u8]) -> Result<Selected<'a, C, K>, AliroError> {
        let select = response::Select::parse(response::data(bytes)?)?;
        if select.aid != EXPEDITED_AID {
            return Err(AliroError::ApplicationType);
        }
        Selected::new(self.reader, Interface::Nfc, select.proprietary)
    }
}

/// The phone is there and speaks 1.0; nothing is proven.
#[derive(Debug)]
pub struct Selected<'a, C, K> {
    reader: Reader<'a, C, K>,
    interface: Interface,
    proprietary: Proprietary,
}

impl<'a, C: Crypto, K: SigningKey> Selected<'a, C, K> {
    fn new(reader: Reader<'a, C, K>, interface: Interface, proprietary: Proprietary) -> Result<Self, AliroError> {
        if proprietary.versions().all(|version| version != Version::V1_0) {
            return Err(AliroError::Version);
        }
        Ok(Self { reader, interface, proprietary })
    }

    /// What the phone says of itself.
    pub fn proprietary(&self) -> &Proprietary {
        &self.proprietary
    }

    /// Sends AUTH0, `fast` to be answered with a cryptogram.
    ///
    /// # Errors
    /// [`AliroError::Crypto`] with `Scalar` when the random bytes make no key (draw again), [`AliroError::Full`].
    pub fn auth0(self, random: &ReaderRandom, fast: bool, out: &mut Writer<'_>) -> Result<AwaitAuth0<'a, C, K>, AliroError> {
        let Self { reader, interface, proprietary } = self;
        let (key, reader_ephemeral) = reader.crypto.agreement_key(&random.ephemeral)?;
        let (policy, transaction) = (reader.policy, random.transaction);
        let auth0 = Auth0 { fast, policy, version: Version::V1_0, reader_ephemeral, transaction, reader: reader.id, vendor: reader.vendor };
        Command::Auth0(auth0).write(out)?;
        Ok(AwaitAuth0 { reader, interface, proprietary, key, reader_ephemeral, transaction, fast, flags: auth0.flags() })
    }
}

/// AUTH0 is on its way.
pub struct AwaitAuth0<'a, C: Crypto, K> {
    reader: Reader<'a, C, K>,
    interface: Interface,
    proprietary: Proprietary,
    key: C::AgreementKey,
    reader_ephemeral: PublicKey,
    transaction: TransactionId,
    fast: bool,
    flags: [u8; 2],
}

/// After AUTH0.
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box it with")]
pub enum Auth0Outcome<'a, C: Crypto, K> {
    /// The phone was here before and has proven it.
    Fast(FastOutcome<'a, C>),
    /// The standard phase has to follow.
    Standard(Unproven<'a, C, K>),
}

impl<'a, C: Crypto, K: SigningKey> AwaitAuth0<'a, C, K> {
    /// Takes the answer. When a cryptogram was asked for, it is tried with all `stored` phones; one that belongs to none leads to the standard
    /// phase, for the phone may simply be new here.
    ///
    /// # Errors
    /// [`AliroError::OwnKey`], [`AliroError::Cryptogram`] when one is missing or was not asked for, or why the answer is malformed.
    pub fn on_response<'s>(
        self,
        bytes: &[u8],
        stored: impl IntoIterator<Item = &'s StoredPhone>,
    ) -> Result<Auth0Outcome<'a, C, K>, AliroError> {
        let answer = response::Auth0::parse(response::data(bytes)?)?;
        // Mirrored, our own point has the same x.
        if answer.device_ephemeral.x() == self.reader_ephemeral.x() {
            return Err(AliroError::OwnKey);
        }
        if answer.cryptogram.is_some() != self.fast {
            return Err(AliroError::Cryptogram);
        }
        let transcript = Transcript {
            interface: self.interface,
            version: Version::V1_0,
            reader: self.reader.id,
            reader_key_x: self.reader.long_term_x(),
            transaction: self.transaction,
            reader_ephemeral: self.reader_ephemeral,
            device_ephemeral: answer.device_ephemeral,
            flags: self.flags,
            proprietary: self.proprietary,
            vendor: vendor_tlvs(self.reader.vendor, answer.vendor)?,
        };
        let found = match answer.cryptogram {
            Some(cryptogram) => search(self.reader.crypto, &transcript, cryptogram, stored)?,
            None => None,
        };
        if let Some(found) = found {
            return Ok(Auth0Outcome::Fast(found));
        }
        Ok(Auth0Outcome::Standard(Unproven { reader: self.reader, key: self.key, transcript }))
    }
}

pub(super) fn vendor_tlvs(command: Option<&[u8]>, answer: Option<&[u8]>) -> Result<Bytes<{ 2 * (VENDOR_MAX + 3) }>, Full> {
    let mut tlvs = Bytes::new();
    tlvs.fill(|out| {
        command.map_or(Ok(()), |value| tlv::put(out, 0xB1, &[value]))?;
        answer.map_or(Ok(()), |value| tlv::put(out, 0xB2, &[value]))
    })?;
    Ok(tlvs)
}

fn search<'a, 's, C: Crypto>(
    crypto: &'a C,
    transcript: &Transcript,
    cryptogram: &[u8; CRYPTOGRAM],
    stored: impl IntoIterator<Item = &'s StoredPhone>,
) -> Result<Option<FastOutcome<'a, C>>, AliroError> {
    let mut trial = Trial::new(transcript)?;
    let (cipher, tag) = cryptogram.split_last_chunk::<TAG>().ok_or(AliroError::Short)?;
    for (index, phone) in stored.into_iter().enumerate() {
        let key = trial.cryptogram_key(crypto, &phone.persistent, &phone.credential)?;
        let mut text: [u8; Cryptogram::LENGTH] = cipher.try_into().map_err(|_| AliroError::Short)?;
        if crypto.gcm_open(&key, &[0; 12], &[], &mut text, tag).is_err() {
            continue;
        }
        let told = Cryptogram::parse(&text)?;
        let keys = keys::fast(crypto, &phone.persistent, transcript, &phone.credential)?;
        let session = Session::fast(crypto, transcript.interface, keys);
        return Ok(Some(FastOutcome { index, credential: phone.credential, told, session }));
    }
    Ok(None)
}

/// The phone was found by its cryptogram. It has proven to hold the key of its last visit, not its credential's key.
#[derive(Debug)]
pub struct FastOutcome<'a, C> {
    /// Which of the stored phones it is.
    pub index: usize,
    /// Its credential's key.
    pub credential: PublicKey,
    /// What it says of its documents: when they are newer than what the reader has seen, the standard phase and step-up are due.
    pub told: Cryptogram,
    /// For EXCHANGE.
    pub session: Session<'a, C>,
}

/// Both ephemeral keys are known, nobody is proven.
pub struct Unproven<'a, C: Crypto, K> {
    reader: Reader<'a, C, K>,
    key: C::AgreementKey,
    transcript: Transcript,
}

impl<'a, C: Crypto, K: SigningKey> Unproven<'a, C, K> {
    /// Sends the certificate ahead, for readers whose AUTH1 would otherwise be too long.
    ///
    /// # Errors
    /// [`AliroError::OutOfOrder`] when the reader has none, [`AliroError::Full`].
    pub fn load_certificate(self, out: &mut Writer<'_>) -> Result<AwaitCertificate<'a, C, K>, AliroError> {
        let (certificate, _) = self.reader.certificate.ok_or(AliroError::OutOfOrder)?;
        Command::LoadCert(certificate).write(out)?;
        Ok(AwaitCertificate { unproven: self })
    }

    /// Sends AUTH1, with the certificate inside when the reader has one.
    ///
    /// # Errors
    /// [`AliroError::Crypto`] when the reader's key does not answer, [`AliroError::Full`].
    pub fn auth1(self, out: &mut Writer<'_>) -> Result<AwaitAuth1<'a, C, K>, AliroError> {
        let certificate = self.reader.certificate.map(|(certificate, _)| certificate);
        self.send(certificate, out)
    }

    fn send(self, certificate: Option<&[u8]>, out: &mut Writer<'_>) -> Result<AwaitAuth1<'a, C, K>, AliroError> {
        let signature = self.reader.key.sign(&self.transcript.authentication_data(Usage::Reader)?)?;
        Command::Auth1(Auth1 { want_public_key: self.reader.want_public_key, signature, certificate }).write(out)?;
        Ok(AwaitAuth1 { unproven: self })
    }
}

/// LOAD CERT is on its way.
pub struct AwaitCertificate<'a, C: Crypto, K> {
    unproven: Unproven<'a, C, K>,
}

impl<'a, C: Crypto, K: SigningKey> AwaitCertificate<'a, C, K> {
    /// Takes the answer and sends AUTH1 without the certificate.
    ///
    /// # Errors
    /// [`AliroError::Status`] when the phone refused the certificate; else as [`Unproven::auth1`].
    pub fn on_response(self, bytes: &[u8], out: &mut Writer<'_>) -> Result<AwaitAuth1<'a, C, K>, AliroError> {
        if !response::data(bytes)?.is_empty() {
            return Err(AliroError::Value);
        }
        self.unproven.send(None, out)
    }
}

/// AUTH1 is on its way.
pub struct AwaitAuth1<'a, C: Crypto, K> {
    unproven: Unproven<'a, C, K>,
}

/// The phone has proven its credential's key. Whether that key may open this door is another question, and not answered here.
#[derive(Debug)]
pub struct StandardOutcome<'a, C> {
    /// The credential's key.
    pub credential: PublicKey,
    /// To be stored for the fast phase, as a [`StoredPhone`].
    pub persistent: Secret<32>,
    /// What it offers.
    pub signaling: Signaling,
    /// When its Access Document was signed.
    pub credential_signed: Option<Timestamp>,
    /// When its Revocation Document was signed.
    pub revocation_signed: Option<Timestamp>,
    /// The part of the mailbox that it showed, at most 64 bytes.
    pub mailbox: Option<Bytes<64>>,
    /// For EXCHANGE and the step-up phase.
    pub session: Session<'a, C>,
}

impl<'a, C: Crypto, K: SigningKey> AwaitAuth1<'a, C, K> {
    /// Takes the answer, decrypted in place. `by_slot` finds a key by its slot, when slots were asked for.
    ///
    /// # Errors
    /// [`AliroError::Crypto`] when the agreement, the tag or the phone's signature is wrong, [`AliroError::UnknownCredential`],
    /// [`AliroError::Value`] when the phone names itself in the way that was not asked for, or why the answer is malformed. No key is given out
    /// in any of these cases.
    pub fn on_response(
        self,
        bytes: &mut [u8],
        by_slot: impl FnOnce(&[u8; 8]) -> Option<PublicKey>,
    ) -> Result<StandardOutcome<'a, C>, AliroError> {
        let Unproven { reader, key, transcript } = self.unproven;
        let (crypto, ours, theirs) = (reader.crypto, &transcript.reader_ephemeral, &transcript.device_ephemeral);
        let sealed = response::data_mut(bytes)?;
        let agreed = keys::agree(crypto, &key, ours, theirs, &transcript.transaction)?;
        let mut session = Session::standard(crypto, transcript.interface, keys::standard(crypto, &agreed, &transcript)?);
        let answer = response::Auth1::parse(session.keys.exchange.open(crypto, &[], sealed)?)?;
        let credential = match (answer.identity, reader.want_public_key) {
            (Identity::PublicKey(key), true) => key,
            (Identity::KeySlot(slot), false) => by_slot(&slot).ok_or(AliroError::UnknownCredential)?,
            _ => return Err(AliroError::Value),
        };
        crypto.verify(&credential, &transcript.authentication_data(Usage::Device)?, &answer.signature)?;
        Ok(StandardOutcome {
            persistent: keys::persistent(crypto, &agreed, &transcript, &credential)?,
            credential,
            signaling: answer.signaling,
            credential_signed: answer.credential_signed,
            revocation_signed: answer.revocation_signed,
            mailbox: answer.mailbox.map(Bytes::from_slice).transpose()?,
            session,
        })
    }
}

/// What follows either phase: EXCHANGE as often as needed, and documents after the standard phase.
#[derive(Debug)]
pub struct Session<'a, C> {
    crypto: &'a C,
    keys: SessionKeys,
}

impl<'a, C: Crypto> Session<'a, C> {
    fn standard(crypto: &'a C, interface: Interface, keys: StandardKeys) -> Self {
        let exchange = ChannelKeys { reader: keys.exchange_reader, device: keys.exchange_device };
        let exchange = Channel::new(Side::Reader, exchange);
        Self { crypto, keys: SessionKeys { exchange, step_up: Some(keys.step_up), ble: keys.ble, ranging: keys.ranging, interface } }
    }

    fn fast(crypto: &'a C, interface: Interface, keys: FastKeys) -> Self {
        let exchange = ChannelKeys { reader: keys.exchange_reader, device: keys.exchange_device };
        let exchange = Channel::new(Side::Reader, exchange);
        Self { crypto, keys: SessionKeys { exchange, step_up: None, ble: keys.ble, ranging: keys.ranging, interface } }
    }

    /// Sends EXCHANGE.
    ///
    /// # Errors
    /// [`AliroError::Full`]; [`AliroError::ChannelClosed`] after 65 534 of them.
    pub fn exchange(mut self, request: &Request<'_>, out: &mut Writer<'_>) -> Result<AwaitExchange<'a, C>, AliroError> {
        let mut space = Bytes::<1024>::new();
        space.fill(|out| request.write(out))?;
        let tag = self.keys.exchange.seal(self.crypto, &[], space.as_mut_slice())?;
        space.put(&tag)?;
        Command::Exchange(&space).write(out)?;
        let reads = request.mailbox.iter().filter(|request| matches!(request, super::exchange::MailboxRequest::Read { .. })).count();
        Ok(AwaitExchange { session: self, reads })
    }

    /// Turns to the documents; none after the fast phase, which leaves no key for it.
    pub fn step_up(&self) -> Option<Result<super::step_up::ReaderStepUp<'a, C>, AliroError>> {
        self.keys.step_up.as_ref().map(|key| super::step_up::ReaderStepUp::new(self.crypto, key))
    }

    /// The channel for BLE messages that are no commands, with the versions of the reader's GATT characteristic.
    ///
    /// # Errors
    /// [`AliroError::Full`] when there are more than sixteen versions.
    pub fn ble_channel(&self, supported: &[u8], selected: Version) -> Result<Channel, AliroError> {
        Ok(Channel::ble(Side::Reader, ChannelKeys::ble(self.crypto, &self.keys.ble, supported, selected)?))
    }

    /// The key for secure ranging.
    pub fn ranging_key(&self) -> &Secret<32> {
        &self.keys.ranging
    }
}

/// EXCHANGE is on its way.
#[derive(Debug)]
pub struct AwaitExchange<'a, C> {
    session: Session<'a, C>,
    reads: usize,
}

impl<'a, C: Crypto> AwaitExchange<'a, C> {
    /// Takes the answer, decrypted in place.
    ///
    /// # Errors
    /// [`AliroError::Exchange`] when the phone refused the request, [`AliroError::Crypto`] or why the answer is malformed.
    pub fn on_response<'m>(mut self, bytes: &'m mut [u8]) -> Result<(Session<'a, C>, Answer<'m>), AliroError> {
        let sealed = response::data_mut(bytes)?;
        let text = self.session.keys.exchange.open(self.session.crypto, &[], sealed)?;
        Ok((self.session, Answer::parse(text, self.reads)?))
    }
}

/// What a key is called where eight bytes have to do (tag 4E): the beginning of SHA-1 over its uncompressed form, as the CSA's actuator has it.
pub fn key_slot<C: Crypto>(crypto: &C, key: &PublicKey) -> [u8; 8] {
    *crypto.sha1(&[key.as_bytes()]).first_chunk().unwrap_or(&[0; 8])
}

macro_rules! opaque {
    ($($state:ident),*) => {$(
        impl<C: Crypto, K> core::fmt::Debug for $state<'_, C, K> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($state))
            }
        }
    )*};
}

// Their keys are of types that may not be printable.
opaque!(AwaitAuth0, Auth0Outcome, Unproven, AwaitCertificate, AwaitAuth1);
