//! Mobile-key protocols for the seam SDK, as state machines without I/O, for phones, locks, backends and firmware.
//!
//! The protocol code takes bytes and gives bytes. It opens no radio, reads no clock and draws no randomness: all three are passed in, so the
//! same code runs in a lock without an operating system, in an app, in a browser and in a test. It needs neither `std` nor an allocator; the
//! feature `std` (on by default) only lets the cryptography use what a host has.
//!
//! | to speak | lock | phone |
//! | --- | --- | --- |
//! | Aliro 1.0, the messages | [`aliro::reader`] | [`aliro::device`] |
//! | Aliro over NFC, over Bluetooth | [`aliro::nfc`], [`aliro::ble`] | the same |
//! | Aliro's documents | [`aliro::document`] | [`aliro::issue`] (the backend's side) |
//! | PKOC over Bluetooth, over NFC | [`pkoc::Reader`], [`pkoc::nfc`] | [`pkoc::Device`], [`pkoc::nfc`] |
//! | Nuki | its own firmware; a simulated one with the feature `sim` | `nuki` |
//! | the decision of a lock, and its memory | [`lock`] | - |
//! | what an issuer signs for locks, and what a lock signs for it | [`lock::SignedGrant`], [`lock::Receipt`] | carries the bytes both ways |
//!
//! A lock and a phone, and Aliro's standard phase between them. Each state of the [reader](aliro::reader) is a type that offers what may come next; the
//! [device](aliro::device) takes any command and gives its answer. What carries the bytes is the caller's (here: a closure).
//!
#![cfg_attr(feature = "rustcrypto", doc = "```")]
#![cfg_attr(not(feature = "rustcrypto"), doc = "```ignore")]
//! use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Moment, Trust, Wallet};
//! use seam_ble::aliro::document::DocType;
//! use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom};
//! use seam_ble::aliro::{AliroError, Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
//! use seam_ble::bytes::Writer;
//! use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
//! use seam_ble::crypto::{PublicKey, Secret, SigningKey as _};
//!
//! /// A phone with one key and no documents. In an app the key stays in the secure element: [`crypto::SigningKey`](seam_ble::crypto::SigningKey).
//! struct Phone(SoftwareKey, PublicKey);
//!
//! impl Wallet for Phone {
//!     type Key = SoftwareKey;
//!     fn credential(&self, _: &ReaderId, _: Policy) -> Option<Credential<'_, SoftwareKey>> {
//!         let (key, trust, signaling) = (&self.0, Trust::Key(self.1), Signaling::default());
//!         Some(Credential { key, trust, signaling, persistent: None, credential_signed: None, revocation_signed: None })
//!     }
//!     fn document(&self, _: &ReaderId, _: DocType, _: &str) -> Option<&[u8]> {
//!         None
//!     }
//! }
//!
//! # fn main() -> Result<(), AliroError> {
//! // Random bytes come from the caller: these stand for a good source.
//! let fresh = |byte| Secret::new([byte; 32]);
//! let lock = SoftwareKey::from_bytes(&fresh(1))?;
//! let phone = Phone(SoftwareKey::from_bytes(&fresh(2))?, lock.public_key());
//! let random = DeviceRandom { ephemeral: fresh(3), filler: fresh(4) };
//! let mut device = Device::nfc(&RustCrypto, Proprietary::new(&[Version::V1_0], None, None)?);
//! let mut carry = |command: &Writer<'_>| {
//!     let (mut command, mut scratch, mut space) = (command.as_slice().to_vec(), [0; 512], [0; 512]);
//!     let mut answer = Writer::new(&mut space);
//!     let moment = Moment { wallet: &phone, random: &random, now: None, mailbox: &mut [], scratch: &mut scratch };
//!     // A refusal is in the answer too, as a status.
//!     let _event = device.handle(&mut command, moment, &mut answer);
//!     answer.as_slice().to_vec()
//! };
//!
//! let mut space = [0; 512];
//! let mut out = Writer::new(&mut space);
//! let state = Reader::new(&RustCrypto, ReaderId::new([0x5A; 32]), &lock).select(&mut out)?;
//! let state = state.on_response(&carry(&out))?;
//! let mut out = Writer::new(&mut space);
//! let random = ReaderRandom { ephemeral: fresh(5), transaction: TransactionId([6; 16]) };
//! let state = state.auth0(&random, false, &mut out)?;
//! let Auth0Outcome::Standard(state) = state.on_response(&carry(&out), [])? else { unreachable!("the fast phase was not asked for") };
//! let mut out = Writer::new(&mut space);
//! let state = state.auth1(&mut out)?;
//! let proven = state.on_response(&mut carry(&out), |_| None)?;
//! assert_eq!(proven.credential, phone.0.public_key());
//! // Whether that key may open this door is another question: see `lock::decide`.
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | what it brings | needs |
//! | --- | --- | --- |
//! | `std` (default) | tables of the cryptography that are made once per process | |
//! | `rustcrypto` (default) | the backend in plain Rust, for hosts, browsers and firmware | nothing: no `std`, no allocator |
//! | `precomputed-tables` | the same tables without `std` | a `critical-section` implementation |
//! | `aws-lc` | the backend for hosts, several times faster | `std` |
//! | `nuki` | the client for Nuki's locks | |
//! | `sim` | a simulated lock to try that client on (with `nuki`) | `std` |
//! | `transport` | links between the two sides, in memory, and what drives the state machines over them | `tokio` |
//! | `trouble` | a Bluetooth host over HCI, for both sides | a controller behind TCP |
//! | `btleplug` | the Bluetooth of the operating system, as central | BlueZ, Core Bluetooth or WinRT |
//!
//! What is verified, against which published values, and what public material leaves open is told in `docs/mobile-keys.md`. Nothing here is
//! certified by anybody.
#![no_std]
#![forbid(unsafe_code)]
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod aliro;
pub mod apdu;
pub mod bytes;
pub mod cbor;
pub mod crypto;
pub mod lock;
#[cfg(feature = "nuki")]
pub mod nuki;
pub mod pkoc;
pub mod tlv;
#[cfg(feature = "transport")]
pub mod transport;
