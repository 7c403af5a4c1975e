//! What providers of servers on site share: [requests and answers over TCP](tcp), [`certificates`], [civil time](civil).
//!
//! Time limits go by the injected clock and are obeyed by closing the connection. Nothing is repeated here.
pub mod certificates;
pub mod civil;
mod deadline;
#[cfg(feature = "salto-ks")]
pub mod oauth;
#[cfg(feature = "sim")]
pub mod sim;
// Two attributes: clippy knows tests, which may unwrap, by one that says nothing else.
#[cfg(test)]
#[cfg(feature = "sim")]
pub(crate) mod stand;
pub mod tcp;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;

pub use deadline::Deadline;

use seam_core::provider::{Effect, Failure, HttpResponse};
use std::time::Duration;

/// The longest answer that is taken from a system, in bytes: a page of 500 users of SHIP has about one million, and clouds send some lists whole. Codecs whose
/// messages are short have a limit of their own far below it. Whoever sends more would fill the memory.
pub const LONGEST_ANSWER: usize = 16 << 20;

/// The longest list that is taken from a system, all its pages together, in bytes: 100,000 users with 600 bytes each are less. One that goes on for ever would
/// fill the memory, page by page.
pub const LONGEST_LIST: usize = 64 << 20;

/// The longest pause that a server is granted. Whoever asks for more is broken, and a revocation does not wait for that.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A failure of a request that changes nothing at the system, whatever became of it: what was unknown is nothing.
#[must_use]
pub fn only_asked(mut failure: Failure) -> Failure {
    if failure.effect == Effect::Unknown {
        failure.effect = Effect::Nothing;
    }
    failure
}

/// With the pause that the server asks for, in seconds (RFC 9110, 10.2.3), up to [`LONGEST_PAUSE`]; a date there is passed over.
#[must_use]
pub fn paused(failure: Failure, answer: &HttpResponse) -> Failure {
    match answer.header("retry-after").and_then(|text| text.trim().parse().ok()) {
        Some(seconds) => failure.with_retry_after(Duration::from_secs(seconds).min(LONGEST_PAUSE)),
        None => failure,
    }
}

/// Whether an address that a person has entered may be shown, as the name of a channel is: user information, a query and a fragment may hold secrets.
#[must_use]
pub fn is_plain_address(url: &str) -> bool {
    !url.contains(['@', '?', '#'])
}
