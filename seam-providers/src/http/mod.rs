//! HTTP over reqwest and rustls: what providers and webhooks are sent with.
//!
//! [`HttpClient::for_webhooks`] connects to the public Internet only: the address of a webhook is a stranger's input, and must not reach what only this
//! host can reach. [`HttpClient::for_providers`] connects to wherever an administrator's settings lead. Neither follows redirects, keeps cookies or
//! obeys proxies of the environment.
mod client;
mod guard;
mod tls;

pub use client::HttpClient;
pub use guard::{Resolver, SystemResolver};

use std::sync::Arc;
use std::time::Duration;

/// Where a client connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To addresses of the public Internet only, by [`not_public`](seam_core::provider::not_public): judged after the name was resolved, and what was
    /// judged is what is connected to. When nothing of an answer is public, nothing is connected to.
    Public,
    /// To any address, private ones and loopback included.
    Anywhere,
}

/// Whose certificates are believed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Roots {
    /// The host's.
    System,
    /// Only these, in PEM: a vendor's own authority, or a server's own certificate.
    Only(Vec<u8>),
    /// Only certificates with one of these SHA-256 fingerprints, whatever name, age and issuer they have: for a server that made its own.
    Pinned(Vec<[u8; 32]>),
}

/// How a client works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// Where it connects to.
    pub reach: Reach,
    /// Whose certificates are believed.
    pub roots: Roots,
    /// Believe any certificate, of anybody. Whoever is on the way can then read and change everything, keys included: for a test bench only.
    pub danger_accept_any_certificate: bool,
    /// What it calls itself.
    pub user_agent: String,
    /// How long making a connection may take, within the limit of a request.
    pub connect_within: Duration,
    /// Requests at once, to all hosts together; others wait for their turn within their limit.
    pub at_once: usize,
    /// Connections that are kept for another request, per host.
    pub idle_per_host: usize,
    /// What turns names into addresses.
    pub resolver: Arc<dyn Resolver>,
}

impl HttpOptions {
    /// The options of a client with this reach: the host's roots and resolver, 10 s for a connection, 256 requests at once, 8 idle connections per host.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            roots: Roots::System,
            danger_accept_any_certificate: false,
            user_agent: concat!("seam-providers/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_within: Duration::from_secs(10),
            at_once: 256,
            idle_per_host: 8,
            resolver: Arc::new(SystemResolver),
        }
    }
}
