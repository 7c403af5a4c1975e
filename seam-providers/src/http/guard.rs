//! Names become addresses here, and nowhere else: what is judged is what is connected to.
use super::Reach;
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use seam_core::provider::not_public;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Turns names into addresses.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a host name, best first.
    ///
    /// # Errors
    /// The name has none, or nobody could say.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The host's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect())
    }
}

/// An address is not connected to.
#[derive(Debug)]
pub(super) struct Forbidden(pub(super) &'static str);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address is not of the public Internet ({})", self.0)
    }
}
impl StdError for Forbidden {}

/// Whether the host of an address, where it is a number and no name is resolved, may be connected to.
pub(super) fn literal(reach: Reach, host: &str) -> Result<(), Forbidden> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    match (reach, bare.parse::<IpAddr>()) {
        (Reach::Public, Ok(address)) => not_public(address).map_or(Ok(()), |why| Err(Forbidden(why))),
        _ => Ok(()),
    }
}

/// The resolver that reqwest is handed: only what may be connected to comes out of it.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) reach: Reach,
    pub(super) resolver: Arc<dyn Resolver>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, resolver) = (self.reach, Arc::clone(&self.resolver));
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            let addresses = allowed(reach, &found)?;
            Ok(Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// What may be connected to of an answer; an error when there is nothing.
fn allowed(reach: Reach, found: &[IpAddr]) -> Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>> {
    let mut refused = None;
    let mut kept = Vec::with_capacity(found.len());
    for address in found {
        match not_public(*address).filter(|_| reach == Reach::Public) {
            Some(why) => refused = Some(why),
            None => kept.push(*address),
        }
    }
    match (kept.is_empty(), refused) {
        (false, _) => Ok(kept),
        (true, Some(why)) => Err(Box::new(Forbidden(why))),
        (true, None) => Err(Box::new(io::Error::new(io::ErrorKind::NotFound, "the name has no address"))),
    }
}
