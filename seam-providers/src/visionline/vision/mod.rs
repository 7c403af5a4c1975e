#![doc = include_str!("docs.md")]
mod client;
mod config;
mod factory;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod provider;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;
mod wire;

pub use factory::VisionFactory;
