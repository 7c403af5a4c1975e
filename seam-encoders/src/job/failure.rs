//! Why a job failed, and how the card was left.
use super::profile::{Stage, WriteError};
use crate::error::CardError;
use crate::keys::KeyError;
use crate::transport::ReaderError;
use seam_core::encoder::{CardFailure, CardProblem, CardState};
use std::fmt;
use std::io;

/// A job that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct JobFailure {
    /// Why.
    pub cause: Cause,
    /// How the card was left. A torn card opens nothing new, and a repeat finishes it; one that was in use before may still open what it opened.
    pub card: CardState,
}

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// No card came in time.
    #[error("no card came in time")]
    NoCard,
    /// The card was taken away.
    #[error("the card was taken away")]
    Removed,
    /// Another card lies there now.
    #[error("another card lies on the reader now")]
    Changed,
    /// The card is of no technology that this encoder has a profile for.
    #[error("the card is of a technology that this encoder does not write")]
    Technology,
    /// The job was cancelled.
    #[error("the job was cancelled")]
    Cancelled,
    /// The exchange took longer than it may.
    #[error("the card or the reader did not answer in time")]
    TooLate,
    /// Another job is at this encoder.
    #[error("another job is at this encoder")]
    Busy,
    /// The reader.
    #[error(transparent)]
    Reader(ReaderError),
    /// The card, or what was to be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The journal of interrupted jobs cannot be read or written.
    #[error("the journal of cards cannot be used")]
    Journal(#[source] io::Error),
}

impl From<CardError> for Cause {
    fn from(e: CardError) -> Self {
        Self::Write(e.into())
    }
}

impl JobFailure {
    pub(super) fn untouched(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), card: CardState::Untouched }
    }
    pub(super) fn at(stage: Stage, cause: impl Into<Cause>) -> Self {
        let card = match stage {
            Stage::Looking => CardState::Untouched,
            Stage::Begun => CardState::Torn,
            Stage::Live => CardState::Unknown,
        };
        Self { cause: cause.into(), card }
    }
    /// The same in the words of the plug for encoders.
    #[must_use]
    pub fn to_card_failure(&self) -> CardFailure {
        let problem = match &self.cause {
            Cause::NoCard => CardProblem::None,
            Cause::Removed => CardProblem::Removed,
            Cause::Changed => CardProblem::Changed,
            Cause::Cancelled => CardProblem::Cancelled,
            Cause::TooLate | Cause::Journal(_) => CardProblem::Offline,
            // Not the card's fault: another card would fare no better.
            Cause::Write(WriteError::Card(CardError::Key(KeyError::Unavailable) | CardError::NoRandom)) => CardProblem::Offline,
            Cause::Busy => CardProblem::Busy,
            Cause::Reader(e) => match e {
                ReaderError::NoCard | ReaderError::Gone => CardProblem::Removed,
                ReaderError::Mute => CardProblem::NotWritable,
                ReaderError::Busy => CardProblem::Busy,
                ReaderError::Wedged | ReaderError::Offline(_) => CardProblem::Offline,
            },
            Cause::Write(WriteError::AnotherCard) => CardProblem::Changed,
            Cause::Write(WriteError::Foreign(_)) => CardProblem::Foreign,
            Cause::Technology | Cause::Write(_) => CardProblem::NotWritable,
        };
        CardFailure::new(problem, self.card)
    }
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let card = match self.card {
            CardState::Untouched => "the card is as it came",
            CardState::Torn => "the card is half written and opens nothing new: put it back to finish it",
            CardState::Written => "the card is written",
            CardState::Unknown => "it is not known whether the card is written: put it back to find out",
        };
        write!(f, "{}; {card}", self.cause)
    }
}

impl std::error::Error for JobFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}
