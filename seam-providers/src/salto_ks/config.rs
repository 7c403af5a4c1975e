//! The settings of an account.
use super::error::invalid;
use crate::net::is_plain_address;
use crate::net::oauth::{Grant, OAuthClient};
use seam_core::provider::Failure;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

/// How the account logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Login {
    RefreshToken,
    Password,
    ClientCredentials,
}

/// The settings. Addresses have no default: which are the production ones is not documented in public.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Without `/connect/token`.
    pub(super) identity_url: String,
    /// Without a version.
    pub(super) api_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    #[serde(default = "default_scope")]
    pub(super) scope: String,
    pub(super) login: Login,
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) password: Option<SecretString>,
    #[serde(default)]
    pub(super) refresh_token: Option<SecretString>,
    /// Only these sites; empty: all that the login sees.
    #[serde(default)]
    pub(super) sites: Vec<String>,
    /// Requests that may begin per second.
    #[serde(default)]
    pub(super) per_second: Option<f32>,
    /// Whether the log of refused openings is read.
    #[serde(default = "yes")]
    pub(super) reads_log: bool,
}

fn yes() -> bool {
    true
}

fn default_scope() -> String {
    "user_api.full_access offline_access".to_owned()
}

/// Whether an address in the clear stays on this host: the login, and what it is for, are sent to it.
fn is_of_this_host(url: &str) -> bool {
    let host = url.strip_prefix("http://").and_then(|rest| rest.split([':', '/']).next());
    matches!(host, Some("127.0.0.1" | "localhost"))
}

pub(super) fn schema() -> Value {
    let text = |description: &str, most: u32| json!({"type": "string", "minLength": 1, "maxLength": most, "description": description});
    let maybe = |description: &str| json!({"type": ["string", "null"], "maxLength": 4000, "description": description});
    json!({
        "type": "object",
        "required": ["identity_url", "api_url", "client_id", "client_secret", "login"],
        "additionalProperties": false,
        "properties": {
            "identity_url": text("The address of the identity server, as your contract with Salto names it.", 500),
            "api_url": text("The address of the Connect interface, as your contract with Salto names it.", 500),
            "client_id": text("The client's id.", 200),
            "client_secret": text("The client's secret.", 500),
            "scope": text("The scopes; at first user_api.full_access offline_access.", 500),
            "login": {"enum": ["refresh_token", "password", "client_credentials"], "description": "How the account logs in."},
            "user": maybe("With login password: the e-mail address of a user made for this."),
            "password": maybe("With login password."),
            "refresh_token": maybe("With login refresh_token: what a person's consent gave."),
            "sites": {"type": "array", "maxItems": 1000, "items": {"type": "string", "maxLength": 64}, "description": "Only these sites, by their ids."},
            "reads_log": {"type": "boolean", "description": "Whether the log is read, once a minute; at first it is."},
            "per_second": {"type": ["number", "null"], "minimum": 0.01, "maximum": 1000, "description": "Requests per second at most; Salto's limit is not public."},
        },
    })
}

impl Settings {
    /// Checks them, and makes the client of the token endpoint.
    pub(super) fn client(&self) -> Result<OAuthClient, Failure> {
        for (name, url) in [("identity_url", &self.identity_url), ("api_url", &self.api_url)] {
            if !(url.starts_with("https://") || is_of_this_host(url)) || url.ends_with('/') || !is_plain_address(url) {
                return Err(invalid(format!(
                    "{name}: an address that begins with https:// is expected, without a user, a query and a stroke at its end"
                )));
            }
        }
        if self.client_id.is_empty() {
            return Err(invalid("client_id: it is empty"));
        }
        if self.per_second.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err(invalid("per_second: it is no rate"));
        }
        let grant = match (self.login, &self.user, &self.password, &self.refresh_token) {
            (Login::Password, Some(user), Some(password), _) => Grant::Password { user: user.clone(), password: password.clone() },
            (Login::RefreshToken, _, _, Some(token)) => Grant::RefreshToken(token.clone()),
            (Login::ClientCredentials, ..) => Grant::ClientCredentials,
            (Login::Password, ..) => return Err(invalid("user and password are needed with login password")),
            (Login::RefreshToken, ..) => return Err(invalid("refresh_token is needed with login refresh_token")),
        };
        let token_url = format!("{}/connect/token", self.identity_url);
        Ok(OAuthClient::new(token_url, self.client_id.clone(), self.client_secret.clone(), self.scope.clone(), grant))
    }
}
