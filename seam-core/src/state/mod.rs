//! The rows that are stored, and what a commit is made of.
//!
//! One [`Row`] per thing. Everything that a store keeps beside the rows (look-ups, claims, what is due) is derived from them by
//! [`Body::lookups`], [`Body::claims`] and [`Row::due`], so a store needs to know nothing of access.
mod access;
mod changeset;
mod places;
mod reads;
mod row;
mod sealed;
mod session;
mod webhook;
mod work;

pub use access::*;
pub use changeset::*;
pub use places::*;
pub use reads::*;
pub use row::*;
pub use sealed::*;
pub use session::*;
pub use webhook::*;
pub use work::*;
