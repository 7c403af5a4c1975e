//! Writing cards so that none is ruined: who lies there is asked before and after, what is not ours is not written without consent, data comes first
//! and keys last, what is begun is remembered, and what was written is read back with the door's key.
//!
//! [`Encoder`] does that with any [`Reader`](crate::transport::Reader) and any [`Profile`]; it is a
//! [`CardEncoder`](seam_core::encoder::CardEncoder) for the engine, and has [`Encoder::encode`] for a program of its own.
//!
//! # When a job fails
//! A [`JobFailure`] says why ([`Cause`]) and how the card was left ([`CardState`](seam_core::encoder::CardState)): *untouched*; *torn*, it opens
//! nothing new and the same job finishes it; *unknown*, what was sent may have made it live, and the same job finds out. Always the same job again with
//! the same card: no state needs another way out.
//!
//! | cause | the card | what to do |
//! | --- | --- | --- |
//! | [`NoCard`](Cause::NoCard), [`Busy`](Cause::Busy) | untouched | ask again |
//! | [`Removed`](Cause::Removed) | as it says | put it back and ask again, or give [`waits_for_return`](EncoderBuilder::waits_for_return) time for that |
//! | [`Changed`](Cause::Changed) | the first one as it says, the other one untouched | put the first one back |
//! | [`Cancelled`](Cause::Cancelled) | as it says | nothing, or ask again |
//! | [`TooLate`](Cause::TooLate) | as it says | lift the card; the reader is wedged until its driver returns |
//! | [`Technology`](Cause::Technology) | untouched | another card, or another profile |
//! | [`Write`](Cause::Write) of [`Foreign`](WriteError::Foreign) | untouched | another card, or a person's consent ([`may_share_cards`](EncoderBuilder::may_share_cards)) |
//! | [`Write`](Cause::Write) of [`NoKeyFits`](WriteError::NoKeyFits) | as it says | the keys of the version that the journal names are missing in the key source |
//! | [`Write`](Cause::Write) of [`Image`](WriteError::Image) | untouched | the content is not of this profile: mend it |
//! | [`Write`](Cause::Write) of [`Card`](WriteError::Card) | as it says | ask again once; then another card |
//! | [`Reader`](Cause::Reader), [`Journal`](Cause::Journal) | as it says | see to the reader, or to the disk |
mod classic;
mod desfire;
mod encoder;
mod failure;
mod journal;
mod ntag424;
mod profile;
mod ultralight;

pub use classic::{ClassicProfile, SectorKeySource};
pub use desfire::DesfireProfile;
pub use encoder::{Encoded, Encoder, EncoderBuilder};
pub use failure::{Cause, JobFailure};
pub use journal::{Entry, FileJournal, Journal, MemoryJournal};
pub use ntag424::Ntag424Profile;
pub use profile::{CardNumber, Profile, Stage, Task, WriteError};
pub(crate) use profile::{from_hex, to_hex};
pub use ultralight::UltralightImageProfile;
