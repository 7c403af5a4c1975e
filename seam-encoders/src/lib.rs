//! Card technologies and encoder transports for the seam SDK: for cards that we write ourselves, instead of a vendor's server.
//!
//! An [`Encoder`](job::Encoder) is one reader with the technologies that it writes. It waits for a card, writes it so that nothing can ruin it, and
//! proves with the door's key that it stands there:
//!
#![cfg_attr(feature = "sim", doc = "```")]
#![cfg_attr(not(feature = "sim"), doc = "```ignore")]
//! use chrono::TimeDelta;
//! use seam_core::clock::{Clock, SystemClock};
//! use seam_core::encoder::{CardImage, JobControl, Technology};
//! use seam_encoders::job::{DesfireProfile, Encoder};
//! use seam_encoders::keys::{Diversified, FixedKeys, Key};
//! use seam_encoders::sim::{DesfireCard, DesfireModel};
//! use seam_encoders::transport::SimulatedReader;
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The masters of keys 0 (writes) and 1 (the doors'), version 1. Every card gets keys of its own from them.
//! let (app, version) = (0xF532F0, 1);
//! let masters = FixedKeys::default().with(&[0xF5, 0x32, 0xF0], 0, Key::aes([1; 16], 1)).with(&[0xF5, 0x32, 0xF0], 1, Key::aes([2; 16], 1));
//! let profile = DesfireProfile::new(app, 64, Arc::new(Diversified::new(masters, b"my hotel")), version)?;
//!
//! let reader = SimulatedReader::new("desk"); // with hardware: PcscReader::new("ACS ACR1252 00 00")
//! reader.put(Box::new(DesfireCard::new(DesfireModel::Ev3, [4, 1, 2, 3, 4, 5, 6])));
//! let encoder = Encoder::at(reader).profile(profile).build();
//!
//! let now = SystemClock.now();
//! let control = JobControl::new(now + TimeDelta::seconds(30), now + TimeDelta::minutes(1)); // for the card, for all of it
//! let image = CardImage { technology: Technology("desfire".into()), content: serde_json::json!({ "data": "C0FFEE" }) };
//! let done = encoder.encode(&image, &control).await?; // control.progress() tells how far it is, control.cancel() ends it
//! assert_eq!(done.card.number.as_deref(), Some("04010203040506"));
//! # Ok(())
//! # }
//! ```
//!
//! [`Encoder::read`](job::Encoder::read) says what of ours stands on a card, and [`look`](job::Encoder::look) only which it is. The engine uses the same
//! encoder through the plug [`CardEncoder`](seam_core::encoder::CardEncoder). What can go wrong, how the card was left and what to do then:
//! [`job`](job#when-a-job-fails).
//!
//! The example `card-desk` does all that from the command line, without hardware too. Nothing here has touched a real reader or a real card:
//! `docs/encoders.md` says line by line what was proven by what else, and what was not.
//!
//! # Which reader needs which feature
//! | at hand | feature | type |
//! | --- | --- | --- |
//! | a reader of the machine through PC/SC (USB, most desk readers) | `pcsc`; Linux: `libpcsclite-dev` to build, `pcscd` to run | `transport::pcsc::PcscReader` |
//! | none: tests, trying it out | `sim` | `transport::SimulatedReader`, cards in `sim` |
//! | pcscd without hardware, for tests of a whole machine | `sim` | `vpcd::VirtualSlot` |
//! | a reader on an OSDP bus: reads cards and keys to enrol them, does not write | `osdp` | `osdp::Panel` |
//! | a hotel encoder that makes the card itself and is told what by messages | - (TCP), `serial` (a cable) | [`pms`] |
//! | another one | - | implement [`transport::Reader`] |
//!
//! # Which card has which profile
//! | card | profile | content of an image |
//! | --- | --- | --- |
//! | MIFARE DESFire EV1 to EV3 (the first one has no AES: `Unsupported`) | [`DesfireProfile`](job::DesfireProfile) | `{"data": "<hex>"}`, or `{"access": {..}}` in a format ([`access_data`]) |
//! | NTAG 424 DNA | [`Ntag424Profile`](job::Ntag424Profile) | `{"url": "https://door.example/t?p={picc}&m={mac}"}` |
//! | MIFARE Ultralight EV1, with an image of its access system | [`UltralightImageProfile`](job::UltralightImageProfile) | `{"first_page": 4, "hex": ".."}` |
//! | MIFARE Classic (legacy: can be copied) | [`ClassicProfile`](job::ClassicProfile) | `{"data": "<hex>"}` |
//! | Ultralight C and AES, NTAG 21x, PKOC | none: drivers and jobs in [`ultralight`], [`pkoc`] | - |
//! | your own layout | implement [`Profile`](job::Profile) | yours |
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
