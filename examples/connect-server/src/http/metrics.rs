//! What is counted, for Prometheus.
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Which requests are counted together.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Served {
    route: &'static str,
    status: u16,
}

/// Which durations are counted together.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    route: &'static str,
}

/// The counters of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Served, Counter>,
    seconds: Family<Of, Histogram>,
    /// Connections that are open.
    pub connections: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("connect");
        let requests = Family::default();
        let seconds = Family::<Of, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 16)));
        let connections = Gauge::default();
        registry.register("requests", "Requests, by route and status", requests.clone());
        registry.register("request_seconds", "Time until the answer was made, in seconds, by route", seconds.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        Self { registry, requests, seconds, connections }
    }
}

impl Metrics {
    /// Counts a request.
    pub fn served(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Served { route, status }).inc();
        self.seconds.get_or_create(&Of { route }).observe(took.as_secs_f64());
    }
    /// All of it, in the text format of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String does not fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
