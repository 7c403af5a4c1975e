//! Writing cards so that none is ruined: who lies there is asked before and after, what is not ours is not written without consent, data comes first
//! and keys last, what is begun is remembered, and what was written is read back with the door's key.
//!
//! [`Encoder`] does that with any [`Reader`](crate::transport::Reader) and any [`Profile`]; it is a
//! [`CardEncoder`](seam_core::encoder::CardEncoder) for the engine, and has [`Encoder::encode`] for a program of its own.
mod classic;
mod desfire;
mod encoder;
mod failure;
mod journal;
mod ntag424;
mod profile;

pub use classic::{ClassicProfile, SectorKeySource};
pub use desfire::DesfireProfile;
pub use encoder::{Encoded, Encoder, EncoderBuilder};
pub use failure::{Cause, JobFailure};
pub use journal::{Entry, FileJournal, Journal, MemoryJournal};
pub use ntag424::Ntag424Profile;
pub use profile::{CardNumber, Profile, Stage, Task, WriteError};
pub(crate) use profile::{from_hex, to_hex};
