//! Access systems for the seam SDK, one folder and one feature each.

#[cfg(feature = "sandbox")]
pub mod sandbox;
