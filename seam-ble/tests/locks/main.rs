//! The protocols of locks, as a user of the crate sees them: published values, whole transactions, and everything that has to be refused.
#![cfg(all(feature = "rustcrypto", feature = "std"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

mod grants;
#[cfg(all(feature = "nuki", feature = "sim"))]
mod nuki_refusals;
#[cfg(all(feature = "nuki", feature = "sim"))]
mod nuki_setup;
#[cfg(all(feature = "nuki", feature = "sim"))]
mod nuki_vectors;
mod pkoc_flow;
mod pkoc_nfc;
mod pkoc_refusals;
mod pkoc_setup;
#[cfg(feature = "transport")]
mod pkoc_transport;
mod pkoc_vectors;
mod support;
