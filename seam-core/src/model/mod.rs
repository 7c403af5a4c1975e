//! The public objects: plain data, JSON-compatible with the public Seam API. No I/O.
mod ids;
mod stub;
pub use ids::*;
pub use stub::*;
