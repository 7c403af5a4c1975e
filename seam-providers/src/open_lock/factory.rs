//! Opens accounts at sites of open locks.
use super::config::{Settings, schema};
use super::desk::Issuer;
use super::provider::OpenLockProvider;
use super::report;
use async_trait::async_trait;
use seam_core::provider::{AccessSystemProvider, Failure, Finding, ProviderEnv, ProviderFactory, SystemRef};
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

#[async_trait]
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
    async fn readiness(&self, provider: &dyn AccessSystemProvider) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(inventory) = provider.inventory() else { return findings };
        // A provider goes by the handle; our id of the system is not known here.
        let Ok(id) = "00000000-0000-0000-0000-000000000000".parse() else { return findings };
        let system = SystemRef { id, handle: report::handle() };
        match inventory.entrances(&system).await {
            Ok(doors) if doors.is_empty() => findings.push(Finding::new(true, "no_entrance", "the map of the site has no entrance")),
            Ok(doors) if !doors.iter().any(|d| d.reservation) => {
                findings.push(Finding::new(false, "no_guest_door", "the map has common doors only: no stay can be made here"));
            }
            Ok(_) => {}
            Err(failure) => findings.push(Finding::new(true, "system_unreachable", failure.message)),
        }
        if let Err(failure) = inventory.held(&system, None).await {
            findings.push(Finding::new(true, "records_unreachable", failure.message));
        }
        // What the signer says now, it says without a document that anybody could use: the time for an entrance that does not exist.
        if let Err(failure) = self.issuer.desk(uuid::Uuid::nil()).time(uuid::Uuid::nil(), [0; 16]).await {
            findings.push(Finding::new(true, "signer_unreachable", failure.message));
        }
        findings
    }
}
