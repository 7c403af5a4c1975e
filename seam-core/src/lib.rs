//! Grant people access to physical places.
pub mod model;
