//! Opens accounts at Visionline servers.
use super::config::{Config, schema};
use super::provider::{MobileEndpoints, VisionlineProvider};
use seam_core::provider::{AccessSystemProvider, Failure, ProviderEnv, ProviderFactory};
use secrecy::SecretString;
use std::sync::Arc;

/// Makes providers of the kind `visionline`.
#[derive(Clone, Debug, Default)]
pub struct VisionlineFactory {
    endpoints: Option<Arc<dyn MobileEndpoints>>,
}

impl VisionlineFactory {
    /// Accounts whose guests get cards.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// With the endpoints of phones: accounts whose settings say so make mobile keys too.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: Arc<dyn MobileEndpoints>) -> Self {
        self.endpoints = Some(endpoints);
        self
    }

    pub(super) fn opened(&self, settings: &SecretString, env: &ProviderEnv) -> Result<VisionlineProvider, Failure> {
        VisionlineProvider::new(Config::read(settings)?, Arc::clone(&env.clock), self.endpoints.clone())
    }
}

impl ProviderFactory for VisionlineFactory {
    fn kind(&self) -> &'static str {
        "visionline"
    }
    fn settings_schema(&self) -> serde_json::Value {
        schema()
    }
    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        Ok(Arc::new(self.opened(&settings, &env)?))
    }
}
