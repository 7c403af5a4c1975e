//! DESFire: the driver and the simulated card against known numbers, recordings and another implementation, and against each other.
mod card;
mod judge;
mod known;
mod recorded;
mod refusals;
mod support;
#[expect(dead_code, reason = "names and sources are told by Debug when a number differs")]
mod vectors;
