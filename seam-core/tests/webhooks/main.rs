//! Webhooks over the memory store, with a clock that moves when it is told to and a receiver that answers as it is told to.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod handles;
mod order;
mod schedule;
mod secrets;
mod sharing;
mod support;
