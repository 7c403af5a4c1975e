//! The shared parts, on real sockets of this host.
mod certificates;
mod civil;
#[cfg(feature = "salto-ks")]
mod oauth;
mod tcp;
