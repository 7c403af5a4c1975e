//! The HTTP client on real sockets of this host: certainty, limits, where it connects to; and webhooks over it.
#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod deliveries;
mod guarded;
mod receiver;
mod secure;
mod sending;
