//! Opens accounts at virtual sites.
use super::provider::SandboxProvider;
use super::world::World;
use seam_core::provider::{AccessSystemProvider, Failure, ProviderEnv, ProviderFactory, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;

/// Makes providers of the kind `sandbox`: `{"site": "hotel"}`.
#[derive(Clone, Debug)]
pub struct SandboxFactory {
    world: World,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    site: String,
}

impl SandboxFactory {
    /// Accounts at the sites of this world.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl ProviderFactory for SandboxFactory {
    fn kind(&self) -> &'static str {
        "sandbox"
    }

    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "required": ["site"],
            "additionalProperties": false,
            "properties": {"site": {"type": "string", "minLength": 1, "description": "The name of the virtual site."}},
        })
    }

    fn open(&self, settings: SecretString, _env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        // The message of the parser may quote the settings: it is not passed on.
        let settings: Settings = serde_json::from_str(settings.expose_secret())
            .map_err(|_| Failure::refused(Reason::Invalid, r#"the settings of a sandbox account are {"site": "<name>"}"#))?;
        if settings.site.is_empty() {
            return Err(Failure::refused(Reason::Invalid, "the name of the site is empty"));
        }
        Ok(Arc::new(SandboxProvider::new(self.world.clone(), settings.site)))
    }
}
