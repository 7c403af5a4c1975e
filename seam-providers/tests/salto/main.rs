//! The whole engine on Salto Space and Salto KS: the memory store, the providers, real sockets of this host, fakes with offline and cloud locks.
#![cfg(all(feature = "salto-space", feature = "salto-ks", feature = "sim"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod cloud;
mod guests;
mod house;
mod stays;
