//! What goes wrong in an Aliro transaction.

use core::fmt;

use crate::apdu::{ApduError, Status};
use crate::bytes::Full;
use crate::cbor::CborError;
use crate::crypto::CryptoError;
use crate::tlv::TlvError;

/// Why a transaction ended. None of them carries a secret, and none says which half of a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AliroError {
    /// A command or response is malformed.
    Apdu(ApduError),
    /// An object in a message is malformed, missing or has no place there.
    Tlv(TlvError),
    /// An item of a document is malformed, missing or has no place there.
    Cbor(CborError),
    /// A key, signature or tag is wrong. On a channel the session ends with it.
    Crypto(CryptoError),
    /// A message is longer than its buffer.
    Full,
    /// The other side answered with this status instead of what was asked for.
    Status(Status),
    /// The command is none that this side knows: class, instruction or parameters.
    UnknownCommand,
    /// The command does not belong into this state.
    OutOfOrder,
    /// The select names another application, or the answer speaks of another type.
    ApplicationType,
    /// No version is spoken by both.
    Version,
    /// A value that no version knows: policy, flags or status.
    Value,
    /// The other side sent our own ephemeral key back.
    OwnKey,
    /// A cryptogram that was not asked for, or none where one was.
    Cryptogram,
    /// The device knows no credential for this reader. It is told as a failed authentication.
    UnknownReader,
    /// The credential is none that the reader can look up by its key slot.
    UnknownCredential,
    /// The reader's certificate is malformed or not signed by the group's issuer.
    Certificate,
    /// The channel's counter is used up, or the channel was closed by an earlier error.
    ChannelClosed,
    /// A message of the channel is shorter than its tag or frame.
    Short,
    /// The phone answered the exchange with this status.
    Exchange(u16),
    /// A request to the mailbox reaches beyond its end.
    Mailbox,
    /// This is part of the standard, and not done here.
    Unsupported(&'static str),
}

impl fmt::Display for AliroError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apdu(error) => error.fmt(f),
            Self::Tlv(error) => error.fmt(f),
            Self::Cbor(error) => error.fmt(f),
            Self::Crypto(error) => error.fmt(f),
            Self::Full => Full.fmt(f),
            Self::Status(status) => write!(f, "the other side answered {status}"),
            Self::UnknownCommand => f.write_str("no such command"),
            Self::OutOfOrder => f.write_str("the command does not belong into this state"),
            Self::ApplicationType => f.write_str("another application"),
            Self::Version => f.write_str("no common version"),
            Self::Value => f.write_str("a value that no version knows"),
            Self::OwnKey => f.write_str("our own ephemeral key came back"),
            Self::Cryptogram => f.write_str("a cryptogram is missing or was not asked for"),
            Self::UnknownReader => f.write_str("no credential for this reader"),
            Self::UnknownCredential => f.write_str("no credential with this key slot"),
            Self::Certificate => f.write_str("the reader's certificate does not verify"),
            Self::ChannelClosed => f.write_str("the channel is closed"),
            Self::Short => f.write_str("the message is too short"),
            Self::Exchange(status) => write!(f, "the exchange was answered with {status:04X}"),
            Self::Mailbox => f.write_str("the request reaches beyond the mailbox"),
            Self::Unsupported(what) => write!(f, "not supported: {what}"),
        }
    }
}

impl core::error::Error for AliroError {}

impl From<Full> for AliroError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<ApduError> for AliroError {
    fn from(error: ApduError) -> Self {
        Self::Apdu(error)
    }
}

impl From<TlvError> for AliroError {
    fn from(error: TlvError) -> Self {
        Self::Tlv(error)
    }
}

impl From<CborError> for AliroError {
    fn from(error: CborError) -> Self {
        Self::Cbor(error)
    }
}

impl From<CryptoError> for AliroError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

/// Why a document is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is malformed.
    Cbor(CborError),
    /// It is longer than the buffer that its check needs.
    Full,
    /// It is of another type than asked for, or says two.
    Type,
    /// A version, digest or algorithm that is none of 1.0.
    Version,
    /// Its issuer is none of those trusted here.
    Issuer,
    /// Its issuer's signature does not verify.
    Signature,
    /// An element is not the one that was signed.
    Digest,
    /// It belongs to another device's key.
    DeviceKey,
    /// It says nothing of the entrance, or of the site, that was asked about.
    OtherElement,
    /// A time is none, or in a form that is not accepted.
    Time,
    /// Its iteration is behind what was seen of this issuer.
    Iteration,
    /// It has an extension that must be understood and is not.
    CriticalExtension,
    /// More rules, schedules or entries than this side holds.
    TooMany,
    /// A value that the standard does not allow.
    Value,
    /// This is part of the standard, and not done here.
    Unsupported(&'static str),
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cbor(error) => return error.fmt(f),
            Self::Unsupported(what) => return write!(f, "not supported: {what}"),
            Self::Full => "the document is too long",
            Self::Type => "the document is of another type",
            Self::Version => "the document is of another version",
            Self::Issuer => "the document's issuer is not trusted",
            Self::Signature => "the document's signature does not verify",
            Self::Digest => "an element of the document is not the one that was signed",
            Self::DeviceKey => "the document belongs to another key",
            Self::OtherElement => "the document says nothing of this entrance or site",
            Self::Time => "a time of the document is not readable",
            Self::Iteration => "the document is older than what was seen of its issuer",
            Self::CriticalExtension => "the document has an extension that must be understood",
            Self::TooMany => "the document has more entries than fit",
            Self::Value => "a value of the document is not allowed",
        })
    }
}

impl core::error::Error for DocumentError {}

impl From<CborError> for DocumentError {
    fn from(error: CborError) -> Self {
        Self::Cbor(error)
    }
}

impl From<Full> for DocumentError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}
