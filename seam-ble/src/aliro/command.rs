//! The commands that a reader sends: NFC carries them as they are, BLE within messages.
//!
//! What a command says is read strictly: every tag once, none that has no place. The CSA's actuator reads tags in any order, so order is
//! free.

use super::unsettled::LE_BYTE;
use super::{AliroError, Policy, ReaderId, TransactionId, VENDOR_MAX, Version};
use crate::apdu::{self, Status};
use crate::bytes::{Bytes, Full, Writer};
use crate::crypto::{PublicKey, Signature};
use crate::tlv::{self, Reader as TlvReader, TlvError};

/// Instruction bytes.
pub mod ins {
    /// SELECT.
    pub const SELECT: u8 = 0xA4;
    /// AUTH0.
    pub const AUTH0: u8 = 0x80;
    /// LOAD CERT.
    pub const LOAD_CERT: u8 = 0xD1;
    /// AUTH1.
    pub const AUTH1: u8 = 0x81;
    /// EXCHANGE.
    pub const EXCHANGE: u8 = 0xC9;
    /// CONTROL FLOW.
    pub const CONTROL_FLOW: u8 = 0x3C;
    /// ENVELOPE.
    pub const ENVELOPE: u8 = 0xC3;
    /// GET RESPONSE.
    pub const GET_RESPONSE: u8 = 0xC0;
}

/// The class of commands that are Aliro's own.
pub const CLA: u8 = 0x80;

/// The first command of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth0<'a> {
    /// Whether a cryptogram is wanted (tag 41, bit 0).
    pub fast: bool,
    /// Tag 42.
    pub policy: Policy,
    /// Tag 5C: the version that the reader chose among the device's.
    pub version: Version,
    /// Tag 87.
    pub reader_ephemeral: PublicKey,
    /// Tag 4C.
    pub transaction: TransactionId,
    /// Tag 4D.
    pub reader: ReaderId,
    /// Tag B1, at most 127 bytes.
    pub vendor: Option<&'a [u8]>,
}

fn vendor(value: Option<&[u8]>, tag: u16) -> Result<Option<&[u8]>, TlvError> {
    match value {
        Some(value) if value.len() > VENDOR_MAX => Err(TlvError::Value(tag)),
        value => Ok(value),
    }
}

fn value<const N: usize>(value: Option<&[u8]>, tag: u16) -> Result<&[u8; N], TlvError> {
    value.ok_or(TlvError::Missing(tag))?.try_into().map_err(|_| TlvError::Value(tag))
}

impl<'a> Auth0<'a> {
    /// Tags 41 and 42 as bytes, which enter the keys.
    pub const fn flags(&self) -> [u8; 2] {
        [self.fast as u8, self.policy.byte()]
    }

    fn parse(data: &'a [u8]) -> Result<Self, AliroError> {
        let found = tlv::pick(TlvReader::new(data), [0x41, 0x42, 0x5C, 0x87, 0x4C, 0x4D, 0xB1])?;
        let [flags, policy, version, reader_ephemeral, transaction, reader, own] = found;
        Ok(Self {
            fast: bit(value(flags, 0x41)?)?,
            policy: Policy::from_byte(value::<1>(policy, 0x42)?[0]).ok_or(AliroError::Value)?,
            version: Version(u16::from_be_bytes(*value(version, 0x5C)?)),
            reader_ephemeral: PublicKey::from_uncompressed(value::<65>(reader_ephemeral, 0x87)?)?,
            transaction: TransactionId(*value(transaction, 0x4C)?),
            reader: ReaderId::new(*value(reader, 0x4D)?),
            vendor: vendor(own, 0xB1)?,
        })
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        let [flags, policy] = self.flags();
        tlv::put(out, 0x41, &[&[flags]])?;
        tlv::put(out, 0x42, &[&[policy]])?;
        tlv::put(out, 0x5C, &[&self.version.bytes()])?;
        tlv::put(out, 0x87, &[self.reader_ephemeral.as_bytes()])?;
        tlv::put(out, 0x4C, &[&self.transaction.0])?;
        tlv::put(out, 0x4D, &[self.reader.as_bytes()])?;
        self.vendor.map_or(Ok(()), |vendor| tlv::put(out, 0xB1, &[vendor]))
    }
}

/// Bit 0 of a byte whose other bits no version uses.
fn bit(byte: &[u8; 1]) -> Result<bool, AliroError> {
    match byte[0] {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(AliroError::Value),
    }
}

/// The command that proves the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth1<'a> {
    /// Whether the device shall send its public key rather than its key slot (tag 41, bit 0).
    pub want_public_key: bool,
    /// Tag 9E.
    pub signature: Signature,
    /// Tag 90: the reader's certificate, when it was not loaded before.
    pub certificate: Option<&'a [u8]>,
}

impl<'a> Auth1<'a> {
    fn parse(data: &'a [u8]) -> Result<Self, AliroError> {
        let [flags, signature, certificate] = tlv::pick(TlvReader::new(data), [0x41, 0x9E, 0x90])?;
        let signature = Signature::new(*value(signature, 0x9E)?);
        Ok(Self { want_public_key: bit(value(flags, 0x41)?)?, signature, certificate })
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        tlv::put(out, 0x41, &[&[u8::from(self.want_public_key)]])?;
        tlv::put(out, 0x9E, &[self.signature.as_bytes()])?;
        self.certificate.map_or(Ok(()), |certificate| tlv::put(out, 0x90, &[certificate]))
    }
}

/// The reader ends the transaction with a failure, before there is a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlFlow<'a> {
    /// Tag 41: 0 is "finished with failure".
    pub outcome: u8,
    /// Tag 42: 0 nothing more to say, `27` no common version.
    pub reason: u8,
    /// Tag 43: data of the domain.
    pub domain: Option<&'a [u8]>,
}

impl<'a> ControlFlow<'a> {
    /// Finished with a failure, no reason told.
    pub const FAILURE: Self = Self { outcome: 0, reason: 0, domain: None };
    /// Finished: no common version.
    pub const NO_VERSION: Self = Self { outcome: 0, reason: 0x27, domain: None };

    fn parse(data: &'a [u8]) -> Result<Self, AliroError> {
        let [outcome, reason, domain] = tlv::pick(TlvReader::new(data), [0x41, 0x42, 0x43])?;
        Ok(Self { outcome: value::<1>(outcome, 0x41)?[0], reason: value::<1>(reason, 0x42)?[0], domain })
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        tlv::put(out, 0x41, &[&[self.outcome]])?;
        tlv::put(out, 0x42, &[&[self.reason]])?;
        self.domain.map_or(Ok(()), |domain| tlv::put(out, 0x43, &[domain]))
    }
}

/// Any command of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// SELECT of an application.
    Select(&'a [u8]),
    /// AUTH0.
    Auth0(Auth0<'a>),
    /// LOAD CERT with a certificate of profile 0000.
    LoadCert(&'a [u8]),
    /// AUTH1.
    Auth1(Auth1<'a>),
    /// EXCHANGE, encrypted.
    Exchange(&'a [u8]),
    /// CONTROL FLOW.
    ControlFlow(ControlFlow<'a>),
    /// ENVELOPE with encrypted session data.
    Envelope(&'a [u8]),
    /// GET RESPONSE, when an answer came in parts.
    GetResponse,
}

impl<'a> Command<'a> {
    /// Reads a whole command.
    ///
    /// # Errors
    /// [`AliroError::Apdu`] and [`AliroError::Tlv`] for malformed ones, [`AliroError::UnknownCommand`], [`AliroError::Value`],
    /// [`AliroError::Crypto`] for a key that is not in its form.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AliroError> {
        let command = apdu::Command::parse(bytes)?;
        let data = command.data;
        // With Le absent or 00 (256) in every command; what a short answer limit would mean is told nowhere.
        match (command.cla, command.ins, command.p1, command.p2) {
            (0x00, ins::SELECT, 0x04, 0x00) => Ok(Self::Select(data)),
            (CLA, ins::AUTH0, 0, 0) => Auth0::parse(data).map(Self::Auth0),
            (CLA, ins::LOAD_CERT, 0, 0) => Ok(Self::LoadCert(data)),
            (CLA, ins::AUTH1, 0, 0) => Auth1::parse(data).map(Self::Auth1),
            (CLA, ins::EXCHANGE, 0, 0) => Ok(Self::Exchange(data)),
            (CLA, ins::CONTROL_FLOW, 0, 0) => ControlFlow::parse(data).map(Self::ControlFlow),
            (0x00, ins::ENVELOPE, 0, 0) => Ok(Self::Envelope(data)),
            (0x00, ins::GET_RESPONSE, 0, 0) if data.is_empty() => Ok(Self::GetResponse),
            _ => Err(AliroError::UnknownCommand),
        }
    }

    /// Writes a whole command.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        // The longest fields that are written here are a certificate's 280 bytes and what the reader's own vendor adds.
        let mut space = Bytes::<640>::new();
        let (cla, ins, p1, data): (_, _, _, &[u8]) = match self {
            Self::Select(aid) => (0, ins::SELECT, 4, aid),
            Self::Auth0(auth0) => (CLA, ins::AUTH0, 0, space.fill(|out| auth0.put(out))?),
            Self::LoadCert(certificate) => (CLA, ins::LOAD_CERT, 0, certificate),
            Self::Auth1(auth1) => (CLA, ins::AUTH1, 0, space.fill(|out| auth1.put(out))?),
            Self::Exchange(sealed) => (CLA, ins::EXCHANGE, 0, sealed),
            Self::ControlFlow(flow) => (CLA, ins::CONTROL_FLOW, 0, space.fill(|out| flow.put(out))?),
            Self::Envelope(sealed) => (0, ins::ENVELOPE, 0, sealed),
            Self::GetResponse => (0, ins::GET_RESPONSE, 0, &[]),
        };
        let command = apdu::Command::new(cla, ins, p1, 0, data);
        // CONTROL FLOW expects no data; its vector has no Le.
        let le = LE_BYTE && !matches!(self, Self::ControlFlow(_));
        if le { command.write(out) } else { command.without_le().write(out) }
    }
}

/// The status with which a device answers a command that it could not read.
pub fn status_of(error: AliroError) -> Status {
    match error {
        AliroError::Apdu(_) => Status::WRONG_LENGTH,
        AliroError::UnknownCommand => Status::INSTRUCTION,
        AliroError::OutOfOrder | AliroError::ChannelClosed => Status::CONDITIONS,
        AliroError::ApplicationType => Status::NOT_FOUND,
        AliroError::Crypto(_) | AliroError::UnknownReader | AliroError::Certificate => Status::SECURITY,
        _ => Status::WRONG_DATA,
    }
}
