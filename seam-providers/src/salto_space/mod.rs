#![doc = include_str!("docs.md")]
mod config;
mod error;
pub mod frame;
mod guests;
mod line;
mod lists;
pub mod pms;
mod provider;
pub mod ship;
mod ship_client;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
#[cfg(test)]
mod tests;
mod users;
pub mod xml;

pub use provider::{SpaceFactory, SpaceProvider};
