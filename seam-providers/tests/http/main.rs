//! The HTTP client on real sockets of this host: certainty, limits, where it connects to; and webhooks over it.
#![cfg(feature = "http")]
mod deliveries;
mod guarded;
mod receiver;
mod secure;
mod sending;
