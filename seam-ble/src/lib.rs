//! Mobile-key protocols for the seam SDK, as state machines without I/O, to be used in phones, locks and backends.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod lock;
