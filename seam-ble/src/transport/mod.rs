//! How messages get from one side to the other, and the few lines that drive the state machines over it.
//!
//! A [`Link`] carries whole messages in order. In memory it is two queues; over Bluetooth it is a characteristic that is written and one that
//! notifies, or a connection-oriented channel. The drivers here hold the only clocks of the crate that run: each transaction has one deadline,
//! so a peer that stalls or sends a byte a minute keeps nobody's lock busy.
use core::fmt;
use core::time::Duration;

pub mod aliro;
#[cfg(feature = "btleplug")]
pub mod desktop;
pub mod memory;
pub mod pkoc;
#[cfg(feature = "trouble")]
pub mod radio;

/// Why a link gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer is gone. What was sent last may or may not have arrived.
    Closed,
    /// The message is longer than the link carries, or than the buffer it was to be read into.
    TooLong,
    /// The radio refused; the text says what it was doing.
    Radio(&'static str),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is gone"),
            Self::TooLong => f.write_str("the message is too long for the link"),
            Self::Radio(doing) => write!(f, "the radio failed: {doing}"),
        }
    }
}

impl core::error::Error for LinkError {}

/// Carries whole messages, in order, each at most once.
///
/// Futures of embedded radios stay on the thread that polls them, so none of these need be `Send`.
#[expect(async_fn_in_trait, reason = "one radio, one task: nothing here crosses threads")]
pub trait Link {
    /// Sends a message.
    ///
    /// # Errors
    /// [`LinkError`]; after [`LinkError::Closed`] the link stays closed.
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError>;

    /// Waits for the next message and gives the part of `into` that it fills. Dropping the future loses no message.
    ///
    /// # Errors
    /// [`LinkError`]; after [`LinkError::Closed`] the link stays closed.
    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError>;
}

impl<L: Link> Link for &mut L {
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        (**self).send(message).await
    }

    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        (**self).receive(into).await
    }
}

/// Why a transaction came to no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError<E> {
    /// The link failed.
    Link(LinkError),
    /// The peer said something that it must not.
    Protocol(E),
    /// The deadline passed.
    Late,
}

impl<E: fmt::Display> fmt::Display for SessionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(e) => e.fmt(f),
            Self::Protocol(e) => e.fmt(f),
            Self::Late => f.write_str("the transaction took too long"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for SessionError<E> {}

impl<E> From<LinkError> for SessionError<E> {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// Runs a transaction, but no longer than this. What is half done is dropped with its keys.
///
/// # Errors
/// What the transaction says, or [`SessionError::Late`].
pub async fn within<T, E>(limit: Duration, transaction: impl Future<Output = Result<T, SessionError<E>>>) -> Result<T, SessionError<E>> {
    tokio::time::timeout(limit, transaction).await.unwrap_or(Err(SessionError::Late))
}
