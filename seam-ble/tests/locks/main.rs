//! The protocols of locks, as a user of the crate sees them: published values, whole transactions, and everything that has to be refused.
#![cfg(all(feature = "rustcrypto", feature = "std"))]

mod pkoc_flow;
mod pkoc_nfc;
mod pkoc_refusals;
mod pkoc_setup;
mod pkoc_vectors;
mod support;
