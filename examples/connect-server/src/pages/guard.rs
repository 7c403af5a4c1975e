//! What keeps the pages that need no key from being misused: codes are not guessed, and other sites' pages change nothing here.
use crate::http::problem::Problem;
use axum::http::{HeaderMap, StatusCode};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// From where a connection comes.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// So many questions by one address in a second, and a burst of as many as a full breakfast room asks. A code has 50 bits: at this pace, with 100,000
/// live links, an address needs some 70 years to hit one.
const BY_ADDRESS: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(5).unwrap(), NonZeroU32::new(100).unwrap());
/// So many changes for one link in a second, and in a burst.
const BY_LINK: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(1).unwrap(), NonZeroU32::new(10).unwrap());
/// After so many questions, those who have not asked for long are forgotten.
const SWEEP: u32 = 1024;

/// Counts questions that come without a key.
pub struct Guard {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    links: DefaultKeyedRateLimiter<Uuid>,
    asked: AtomicU32,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("addresses", &self.addresses.len()).field("links", &self.links.len()).finish()
    }
}

impl Default for Guard {
    fn default() -> Self {
        let quota = |(pace, burst)| Quota::per_second(pace).allow_burst(burst);
        Self { addresses: RateLimiter::keyed(quota(BY_ADDRESS)), links: RateLimiter::keyed(quota(BY_LINK)), asked: AtomicU32::new(0) }
    }
}

impl Guard {
    /// Counts a question against the address that it comes from.
    ///
    /// # Errors
    /// `rate_limited`, with when to ask again.
    pub fn address(&self, peer: Option<Peer>) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.addresses.retain_recent();
            self.links.retain_recent();
        }
        check(&self.addresses, &peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| site_of(address.ip())))
    }
    /// Counts a change against the link that it is made with.
    ///
    /// # Errors
    /// `rate_limited`, with when to ask again.
    pub fn link(&self, id: Uuid) -> Result<(), Problem> {
        check(&self.links, &id)
    }
}

fn check<K: Clone + Hash + Eq>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|early| {
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests; wait a little");
        problem.retry_after = Some(early.wait_time_from(DefaultClock::default().now()));
        problem
    })
}

/// An IPv4 address, or the network that one customer of a provider has with IPv6.
fn site_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

/// Whether a request that changes something is sent by a page of this server. A page of another site cannot set the header `seam-page` without asking
/// first, and is told no; what browsers say of themselves (`sec-fetch-site`, `origin`) must not contradict.
#[must_use]
pub fn is_own_page(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| super::text(headers, name);
    let origin_fits = match (headers.contains_key("origin"), text("origin")) {
        (false, _) => true,
        (true, None) => false,
        (true, Some(origin)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            origin == public_url || authority.is_some_and(|authority| text("host") == Some(authority))
        }
    };
    text("seam-page") == Some("1") && text("sec-fetch-site").is_none_or(|site| site == "same-origin") && origin_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().expect("a name"), v.parse().expect("a value"))).collect()
    }

    #[test]
    fn only_our_own_pages_change_something() {
        let ours = |pairs: &[_]| is_own_page(&headers(pairs), "https://keys.example");
        let (page, host) = (("seam-page", "1"), ("host", "127.0.0.1:4010"));
        assert!(ours(&[page, host]));
        assert!(ours(&[page, host, ("origin", "http://127.0.0.1:4010"), ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[page, host, ("origin", "https://keys.example")]));
        for wrong in [
            &[host][..],
            &[("seam-page", "0"), host],
            &[page, host, ("origin", "http://127.0.0.1:4011")],
            &[page, host, ("origin", "https://evil.example")],
            &[page, host, ("origin", "null")],
            &[page, host, ("sec-fetch-site", "cross-site")],
            &[page, host, ("sec-fetch-site", "same-site")],
            &[page, ("origin", "http://127.0.0.1:4010")],
        ] {
            assert!(!ours(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn who_asks_too_often_waits_and_nobody_else() {
        let guard = Guard::default();
        let peer = |text: &str| Some(Peer(text.parse().expect("an address")));
        let served = (0..200).filter(|_| guard.address(peer("10.0.0.1:1")).is_ok()).count();
        assert!((100..150).contains(&served), "{served}");
        let refused = guard.address(peer("10.0.0.1:2")).expect_err("another port is the same address");
        assert!(refused.status == 429 && refused.retry_after.is_some());
        guard.address(peer("10.0.0.2:1")).expect("another address");
        // Whoever has a whole network of IPv6 is one address all the same.
        let served = (0..200u32).filter(|n| guard.address(peer(&format!("[2001:db8::{n:x}]:1"))).is_ok()).count();
        assert!((100..150).contains(&served), "{served}");
        guard.address(peer("[2001:db8:0:1::1]:1")).expect("the next network");
    }
}
