//! Grant people access to physical places.
//!
//! See the README of the repository for a first program, and `docs/concepts.md` for the way of one grant.

pub mod api;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod encoder;
pub mod engine;
pub mod error;
pub mod model;
pub mod plan;
pub mod provider;
pub mod state;
pub mod store;
pub mod view;

pub use error::{Effect, Error, ErrorKind, NextAction, Result};
