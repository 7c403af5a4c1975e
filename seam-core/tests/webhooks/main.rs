//! Webhooks over the memory store, with a clock that moves when it is told to and a receiver that answers as it is told to.
mod handles;
mod order;
mod schedule;
mod secrets;
mod sharing;
mod support;
