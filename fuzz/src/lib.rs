//! The fuzz targets as functions. `seam-encoders` includes the same file in its tests and gives it bounded random input, so that they run with
//! a stable compiler and without libFuzzer too.
//!
//! `cargo +nightly fuzz run ndef -- -max_total_time=60` runs one of them (`cargo install cargo-fuzz` first).
pub mod targets;
