//! HTTP as the official clients speak it. Nothing here knows what the routes are about.
pub mod answer;
pub mod auth;
pub mod decode;
pub mod metrics;
pub mod problem;
pub mod route;
pub mod serve;
pub mod service;
