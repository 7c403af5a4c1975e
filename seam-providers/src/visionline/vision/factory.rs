//! Opens accounts at Vision servers.
use super::config::{Config, schema};
use super::provider::VisionProvider;
use seam_core::provider::{AccessSystemProvider, Failure, ProviderEnv, ProviderFactory};
use secrecy::SecretString;
use std::sync::Arc;

/// Makes providers of the kind `vingcard_vision`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VisionFactory;

impl VisionFactory {
    pub(super) fn opened(settings: &SecretString, env: &ProviderEnv) -> Result<VisionProvider, Failure> {
        Ok(VisionProvider::new(Config::read(settings)?, Arc::clone(&env.clock)))
    }
}

impl ProviderFactory for VisionFactory {
    fn kind(&self) -> &'static str {
        "vingcard_vision"
    }
    fn settings_schema(&self) -> serde_json::Value {
        schema()
    }
    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        Ok(Arc::new(Self::opened(&settings, &env)?))
    }
}
