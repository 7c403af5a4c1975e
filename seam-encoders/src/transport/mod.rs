//! Readers: what brings commands to a card.
//!
//! A [`Reader`] waits for cards and connects to the one in its field; a [`Link`] is one connection. Neither has a clock: **dropping a future is how
//! a wait is cancelled and how a deadline is enforced**. A wait may be dropped at any time. An exchange that is dropped leaves the card in an
//! unknown state and the link useless: it must be dropped too.
#[cfg(feature = "pcsc")]
pub mod pcsc;
#[cfg(feature = "sim")]
mod simulated;

#[cfg(feature = "sim")]
pub use simulated::SimulatedReader;

use crate::apdu::{Command, Response};
use async_trait::async_trait;
use std::fmt;

/// A reader with a field in which cards are laid.
#[async_trait]
pub trait Reader: fmt::Debug + Send + Sync + 'static {
    /// Its name, as the system lists it.
    fn name(&self) -> &str;
    /// Returns once the field is as asked; at once when it is so already. Drop it to stop waiting.
    ///
    /// # Errors
    /// [`ReaderError::Offline`], [`ReaderError::Wedged`].
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError>;
    /// Takes the card in the field for itself alone: nobody else may use the reader until the link is dropped.
    ///
    /// # Errors
    /// [`ReaderError::NoCard`], [`ReaderError::Mute`], [`ReaderError::Busy`] while somebody else has it, [`ReaderError::Offline`],
    /// [`ReaderError::Wedged`].
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError>;
}

#[async_trait]
impl<R: Reader + ?Sized> Reader for std::sync::Arc<R> {
    fn name(&self) -> &str {
        (**self).name()
    }
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError> {
        (**self).wait(field).await
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        (**self).connect().await
    }
}

/// A connection to a card. Dropping it takes power from the card, so that nobody goes on in our session.
#[async_trait]
pub trait Link: fmt::Debug + Send {
    /// What the card said when it got power.
    fn atr(&self) -> &[u8];
    /// Which laying of a card this is: two links with the same number saw the same card, which was not taken away in between.
    fn presence(&self) -> u64;
    /// Sends a command and gives the answer, whatever its status word.
    ///
    /// # Errors
    /// [`ReaderError::Gone`] when the card left or was reset by somebody; the command may have been carried out.
    async fn transmit(&mut self, command: &Command) -> Result<Response, ReaderError>;
}

/// How a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldState {
    /// A card lies in it.
    Card,
    /// It is empty.
    Empty,
}

/// What is wrong at a reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// No card lies in the field.
    #[error("no card lies on the reader")]
    NoCard,
    /// A card lies there, and does not answer.
    #[error("the card on the reader does not answer")]
    Mute,
    /// The card left, or lost its session. The last command may have been carried out.
    #[error("the card is gone")]
    Gone,
    /// Another program uses the reader.
    #[error("another program uses the reader")]
    Busy,
    /// The reader is not there, or its service is not.
    #[error("the reader is not there: {0}")]
    Offline(String),
    /// An exchange that was given up still hangs in the reader's driver. It becomes usable again when that returns, or is unplugged.
    #[error("the reader hangs in an exchange that was given up")]
    Wedged,
}
