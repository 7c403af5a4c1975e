//! Opens accounts at Visionline servers.
use super::config::{Config, schema};
use super::provider::{MobileEndpoints, VisionlineProvider};
use async_trait::async_trait;
use seam_core::provider::{AccessSystemProvider, Failure, Finding, ProviderEnv, ProviderFactory, Reason, SystemRef};
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

#[async_trait]
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
    async fn readiness(&self, provider: &dyn AccessSystemProvider) -> Vec<Finding> {
        let mut findings = Vec::new();
        let systems = match provider.systems().await {
            Ok(systems) => systems,
            Err(failure) => return vec![unreachable(&failure)],
        };
        let (Some(inventory), Some(system)) = (provider.inventory(), systems.first()) else { return findings };
        // A provider goes by the handle; our id of the system is not known here.
        let Ok(id) = "00000000-0000-0000-0000-000000000000".parse() else { return findings };
        let system = SystemRef { id, handle: system.handle.clone() };
        match inventory.entrances(&system).await {
            Err(failure) => findings.push(unreachable(&failure)),
            Ok(doors) => {
                if !doors.iter().any(|d| d.reservation) {
                    findings.push(Finding::new(
                        true,
                        "no_guest_door",
                        "no guest room is known: check the operator's rights, or name the doors",
                    ));
                }
                let silent = doors.iter().filter(|d| !d.card && !d.mobile_key).count();
                if silent > 0 {
                    let message = format!(
                        "{silent} doors take nothing: common doors without common_doors_in_guest_list or a number, or of a kind that is not known"
                    );
                    findings.push(Finding::new(false, "doors_without_access", message));
                }
            }
        }
        if let Some(encoders) = provider.encoders()
            && encoders.list(&system).await.is_ok_and(|list| list.is_empty())
        {
            findings.push(Finding::new(true, "no_encoder", "no encoder is named in the settings; the server does not list them"));
        }
        findings
    }
}

fn unreachable(failure: &Failure) -> Finding {
    let code = match failure.reason {
        Reason::Unauthenticated | Reason::Forbidden => "login_refused",
        _ => "system_unreachable",
    };
    Finding::new(true, code, failure.message.clone())
}
