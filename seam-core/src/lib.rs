//! Grant people access to physical places.
//!
//! See the README of the repository for a first program, and `docs/concepts.md` for the way of one grant.
//!
//! What a first program needs is at the root: [`Seam`] opens a store and gives a [`Workspace`], whose handles take what is asked for ([`NewGrant`],
//! [`NewMethod`], ...) and give public objects ([`model`]); an [`Engine`] carries it to the access systems.

pub mod api;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod encoder;
pub mod engine;
pub mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod model;
pub mod plan;
#[doc(hidden)]
pub mod planted;
pub mod provider;
pub mod state;
pub mod store;
pub mod view;

pub use api::{Seam, Workspace};
pub use engine::{Engine, EngineConfig};
pub use error::{Effect, Error, ErrorKind, NextAction, Result};
pub use model::{AccessGrant, AccessGrantId, AccessMethod, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, Holder};
pub use plan::{Change, GrantUpdate, NewCredential, NewGrant, NewMethod, NewSpace, NewUser, Person, PersonUpdate, Who};
pub use state::Actor;
