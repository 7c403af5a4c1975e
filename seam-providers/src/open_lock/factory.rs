//! Opens accounts at sites of open locks.
use super::config::{Settings, schema};
use super::desk::Issuer;
use super::provider::OpenLockProvider;
use seam_core::provider::{AccessSystemProvider, Failure, ProviderEnv, ProviderFactory};
use secrecy::SecretString;
use std::sync::Arc;

/// Makes providers of the kind `open_lock`: each account is one site of the host's [`Issuer`].
#[derive(Clone, Debug)]
pub struct OpenLockFactory {
    issuer: Issuer,
}

impl OpenLockFactory {
    /// Accounts whose documents this issuer signs.
    #[must_use]
    pub fn new(issuer: Issuer) -> Self {
        Self { issuer }
    }
}

impl ProviderFactory for OpenLockFactory {
    fn kind(&self) -> &'static str {
        "open_lock"
    }
    fn settings_schema(&self) -> serde_json::Value {
        schema()
    }
    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        Ok(Arc::new(OpenLockProvider::new(Settings::read(&settings)?, &self.issuer, env.clock)))
    }
}
