//! Access systems for the seam SDK, one folder and one feature each.
//!
//! What each of them can do, and which are not there yet, is listed in `docs/providers.md`.

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "open-lock")]
pub mod open_lock;
#[cfg(feature = "salto-ks")]
pub mod salto_ks;
#[cfg(feature = "salto-space")]
pub mod salto_space;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "test-kit")]
pub mod test_kit;
#[cfg(feature = "visionline")]
pub mod visionline;

/// The README's program, compiled and run with the documentation.
#[cfg(all(doctest, feature = "sandbox"))]
#[doc = include_str!("../../README.md")]
struct Readme;
/// The guide's test, compiled and run with the documentation.
#[cfg(all(doctest, feature = "test-kit"))]
#[doc = include_str!("../../docs/testing-your-app.md")]
struct TestingYourApp;
