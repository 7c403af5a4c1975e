//! Opens accounts at Vision servers.
use super::config::{Config, schema};
use super::provider::VisionProvider;
use async_trait::async_trait;
use seam_core::provider::{AccessSystemProvider, Failure, Finding, ProviderEnv, ProviderFactory, Reason};
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

#[async_trait]
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
    async fn readiness(&self, provider: &dyn AccessSystemProvider) -> Vec<Finding> {
        match provider.systems().await {
            Ok(_) => Vec::new(),
            Err(failure) => {
                let code = if failure.reason == Reason::Unauthenticated { "licence_refused" } else { "system_unreachable" };
                vec![Finding::new(true, code, failure.message)]
            }
        }
    }
}
