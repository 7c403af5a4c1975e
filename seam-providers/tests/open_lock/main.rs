//! The whole engine on open locks: the memory store, the provider, the desk, virtual doors that are offline.
#![cfg(all(feature = "open-lock", feature = "sim"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod fewer;
mod heard;
mod house;
mod instant;
#[cfg(feature = "open-lock-sqlite")]
mod kept;
mod stays;
