#![doc = include_str!("docs.md")]
mod check;
mod client;
mod config;
mod encoders;
mod error;
mod factory;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod port;
mod provider;
mod report;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;
pub mod vision;
mod wire;

pub use factory::VisionlineFactory;
pub use provider::MobileEndpoints;
