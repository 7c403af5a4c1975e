#![doc = include_str!("docs.md")]
mod client;
mod config;
mod error;
mod provider;
mod put;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
#[cfg(test)]
mod tests;
pub mod wire;

pub use provider::{KsFactory, KsProvider, OneTimeCodes};
