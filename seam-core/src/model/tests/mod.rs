//! Tests of the model.
mod actions;
mod civil;
mod fixtures;
mod notices;
mod objects;
mod secrets;
mod table;
mod weekly;
mod window;

use chrono::{DateTime, Utc};

/// An instant from its text.
fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
