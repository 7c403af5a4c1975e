//! Access systems for the seam SDK, one folder and one feature each.
//!
//! What each of them can do, and which are not there yet, is listed in `docs/providers.md`.

#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "test-kit")]
pub mod test_kit;
