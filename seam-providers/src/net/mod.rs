//! What providers of servers on site share: [requests and answers over TCP](tcp), [certificates], [civil time](civil).
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
pub mod tcp;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;

pub use deadline::Deadline;

use seam_core::provider::{Effect, Failure};

/// A failure of a request that changes nothing at the system, whatever became of it: what was unknown is nothing.
#[must_use]
pub fn only_asked(mut failure: Failure) -> Failure {
    if failure.effect == Effect::Unknown {
        failure.effect = Effect::Nothing;
    }
    failure
}
