//! The suites that every store and every provider must pass.
//!
//! A failed case is a panic with its line. Nothing here is meant for a running service.
pub mod provider;
pub mod store;
