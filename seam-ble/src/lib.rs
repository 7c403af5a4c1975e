//! Mobile-key protocols for the seam SDK, as state machines without I/O, for phones, locks, backends and firmware.
//!
//! The protocol code takes bytes and gives bytes. It opens no radio, reads no clock and draws no randomness: all three are passed in, so the
//! same code runs in a lock without an operating system, in an app, in a browser and in a test. It needs neither `std` nor an allocator; the
//! feature `std` (on by default) only lets the cryptography use what a host has.
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
