//! Card technologies and encoder transports for the seam SDK: for cards that we write ourselves, instead of a vendor's server.
//!
//! # How a protocol is written
//! A card protocol is an `async fn` over a [`Card`](dialogue::Card) handle. It knows no transport, no clock and no runtime: each
//! [`transmit`](dialogue::Card::transmit) hands one command out and waits for its answer, and a [`Dialogue`](dialogue::Dialogue) turns the whole
//! into a value that is stepped from outside, by a reader, by a test or by a recording. Random numbers are passed in, so a recorded exchange
//! replays byte for byte.
//!
//! # What stands where
//! - [`apdu`]: commands and answers, [`error`]: what can go wrong, and what it says about the card.
//! - [`crypto`], [`keys`]: the few primitives that cards use, and keys with their diversification (AN10922).
//! - [`desfire`]: MIFARE DESFire EV1 to EV3. [`access_data`]: what is written to such a card, in a format that belongs to no vendor.
//! - [`transport`]: readers, through PC/SC (feature `pcsc`) or simulated; [`job`]: writing that cannot ruin a card, and the plug for the engine.
//! - [`pms`]: hotel encoders that make the card themselves and are told what by framed messages over TCP or a serial port (feature `serial`).
//! - `osdp` (feature `osdp`): readers on an OSDP bus, for enrolment.
//! - [`ntag424`], [`ultralight`], [`classic`], [`pkoc`]: card technologies, [`ndef`]: what phones read.
//! - `sim` (feature `sim`): simulated cards that check every MAC, and a field from which they can be pulled at any byte. They are written
//!   independently of the drivers, so that both sides do not share one misunderstanding.

#[macro_use]
mod wiped;

pub mod access_data;
pub mod apdu;
pub mod classic;
mod course;
pub mod crypto;
pub mod desfire;
pub mod dialogue;
pub mod error;
pub mod job;
pub mod keys;
pub mod ndef;
pub mod ntag424;
#[cfg(feature = "osdp")]
pub mod osdp;
pub mod pkoc;
pub mod pms;
#[cfg(feature = "sim")]
pub mod sim;
pub mod transport;
pub mod ultralight;
#[cfg(feature = "sim")]
pub mod vpcd;

pub use course::Course;
