//! The whole engine on Salto Space and Salto KS, where they differ from the others: the memory store, the providers, real sockets of this host, fakes with
//! offline and cloud locks. What is asked of every vendor is in the test program `vendors`.
#![cfg(all(feature = "salto-space", feature = "salto-ks", feature = "sim"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod cloud;
mod guests;
mod house;
mod phones;
#[path = "../stand/mod.rs"]
mod stand;
mod stays;
