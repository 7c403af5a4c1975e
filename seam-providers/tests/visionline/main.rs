//! The whole engine on Visionline: the memory store, the provider, real sockets of this host, a fake server with offline locks.
#![cfg(all(feature = "visionline", feature = "sim"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod doubts;
mod house;
#[path = "../stand/mod.rs"]
mod stand;
mod stays;
mod throughput;
