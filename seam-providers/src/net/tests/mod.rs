//! The shared parts, on real sockets of this host.
mod certificates;
mod civil;
mod tcp;
