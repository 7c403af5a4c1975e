//! What can go wrong in a dialogue with a card, and what each says about the card.
use crate::apdu::StatusWord;

/// A dialogue with a card that failed. It never holds keys or data of the card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// No answer: the card left the field, or the reader gave up waiting. The last command may have been carried out.
    #[error("the card does not answer")]
    Lost,
    /// The card refused the last command with this status word, and carried nothing of it out.
    #[error("the card answered {0}")]
    Status(StatusWord),
    /// The card refuses our proof of the key: it holds another key there, or none.
    #[error("the card refused the authentication with key {key_no} ({status})")]
    AuthenticationRefused {
        /// The number of the key at the card.
        key_no: u8,
        /// How it said so.
        status: StatusWord,
    },
    /// The card could not prove that it knows the key: a copy, or another card that answers in its place.
    #[error("the card did not prove that it knows key {key_no}")]
    NotGenuine {
        /// The number of the key at the card.
        key_no: u8,
    },
    /// A MAC, CRC or counter of an answer is wrong: it was changed on the way or is not from this session. The last command may have been
    /// carried out.
    #[error("an answer of the card fails its integrity check ({0})")]
    Integrity(&'static str),
    /// The card answered something that the protocol does not have there. The last command may have been carried out.
    #[error("the card answered nonsense: {0}")]
    Garbage(&'static str),
    /// The card is of another technology.
    #[error("the card is not {expected}")]
    NotThisTechnology {
        /// What was expected, in words.
        expected: &'static str,
    },
    /// The card has no room left.
    #[error("the card is full")]
    Full,
    /// What was read back is not what was written.
    #[error("what stands on the card is not what was written")]
    NotAsWritten,
    /// More bytes than fit; refused before the card saw anything of it.
    #[error("{length} bytes, where at most {max} fit")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many fit.
        max: usize,
    },
    /// Asked for something that makes no sense; refused before the card saw anything of it.
    #[error("{0}")]
    Invalid(&'static str),
    /// This card, or this driver, cannot do that; refused before the card saw anything of it.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// The source of random numbers failed; the card saw nothing of it.
    #[error("no random numbers")]
    NoRandom,
    /// There is no such key; the card saw nothing of it.
    #[error(transparent)]
    Key(#[from] crate::keys::KeyError),
    /// The dialogue was stepped in a way that it is not made for: a bug of the caller.
    #[error("a dialogue was misused: {0}")]
    Misused(&'static str),
}

/// What a failure says about the command at which it happened. What stood on the card before is known to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was not carried out.
    Nothing,
    /// It may have been carried out, as a whole or in part.
    Unknown,
}

impl CardError {
    /// What it says about the command at which it happened.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Status(status) => effect_of(*status),
            Self::Lost | Self::Integrity(_) | Self::Garbage(_) | Self::NotAsWritten | Self::Misused(_) => Effect::Unknown,
            Self::AuthenticationRefused { .. }
            | Self::NotGenuine { .. }
            | Self::NotThisTechnology { .. }
            | Self::Full
            | Self::TooLong { .. }
            | Self::Invalid(_)
            | Self::Unsupported(_)
            | Self::NoRandom
            | Self::Key(_) => Effect::Nothing,
        }
    }
}

/// A card that says that its memory failed does not say what stands in it now.
fn effect_of(status: StatusWord) -> Effect {
    match status.0 {
        0x6581 | 0x91A1 | 0x91C1 | 0x91EE | 0x91F1 => Effect::Unknown,
        _ => Effect::Nothing,
    }
}
