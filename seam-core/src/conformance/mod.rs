//! The suites that every implementation of a plug must pass.
pub mod provider;
