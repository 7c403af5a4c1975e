//! Decisions. Pure: no clock, no I/O, no randomness but what is passed in.
//!
//! A decision reads through a [`Reader`]; what it does not find there stops it with a list of what to read, and it is asked again from the
//! start. So a decision is straight code, and the same decision serves the deed, the preview and the simulation.
mod change;
mod draft;
mod grant;
mod read;

pub use change::*;
pub use draft::{Draft, Env};
pub use read::{Kept, Reader, Stop, Try};
