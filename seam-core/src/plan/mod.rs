//! Decisions. Pure: no clock, no I/O, no randomness but what is passed in.
//!
//! A decision reads through a [`Reader`]; what it does not find there stops it with a list of what to read, and it is asked again from the
//! start. So a decision is straight code, and the same decision serves the deed, the preview and the simulation.
mod access_log;
mod account;
mod adopt;
mod ask;
mod ask_session;
mod assign;
mod attempt;
pub mod begin;
mod card;
mod change;
mod claims;
mod clash;
mod cover;
mod credential;
mod decide;
mod discover;
mod doors;
mod double;
mod draft;
mod drift;
mod foreign;
mod grant;
mod identity;
mod instant_key;
mod link;
mod member;
mod merge;
mod method;
pub mod next;
mod order;
mod own_encoder;
mod pin;
mod places;
mod read;
mod rebind;
mod refresh;
pub mod residual;
mod reweave;
mod scan_assign;
mod session;
pub mod settle;
mod space;
mod span;
mod spec;
mod stay;
#[cfg(test)]
mod tests;
mod timer;
mod user;
mod validate;
pub mod webhook;

pub use change::*;
pub use decide::{Begun, Decided, begin as begin_work, decide, new_workspace, settle as settle_work};
pub use draft::{Draft, Env};
pub(crate) use instant_key::tag_of_code as instant_key_tag;
pub use read::{Kept, Reader, Stop, Try};
pub(crate) use session::{TOKEN as SESSION_TOKEN_FIELD, parse as parse_session_token, tag_of as session_token_tag};
pub use spec::{row_of, tag_of};
pub(crate) use validate::consumer as consumer_name;
