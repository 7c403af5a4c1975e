//! What is asked for of connected accounts and the pages on which they are connected.
use super::double;
use crate::model::ConnectedAccountId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A new page on which somebody connects an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct NewConnectWebview {
    /// The provider kinds that may be connected; empty: all.
    #[serde(default)]
    #[builder(default, into)]
    pub accepted_providers: Vec<String>,
    /// Those that may not.
    #[serde(default)]
    #[builder(default, into)]
    pub excluded_providers: Vec<String>,
    /// Text or true/false by key: at most 50, each text at most 500 characters. The account gets a copy.
    #[serde(default)]
    #[builder(default)]
    pub custom_metadata: Map<String, Value>,
    /// The customer whose account it is to be.
    #[serde(default)]
    pub customer_key: Option<String>,
    /// Where the visitor goes after success.
    #[serde(default)]
    pub custom_redirect_url: Option<String>,
    /// Where she goes after a failure.
    #[serde(default)]
    pub custom_redirect_failure_url: Option<String>,
    /// The page asks its visitor to wait until the account has been read.
    #[serde(default)]
    #[builder(default)]
    pub wait_for_device_creation: bool,
}

/// What changes of an account, beside its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct AccountUpdate {
    /// The account.
    pub account: ConnectedAccountId,
    /// Its name; inner `None`: as its systems are called.
    #[serde(default, with = "double")]
    pub display_name: Option<Option<String>>,
    /// The customer whose it is. Only of an account that is nobody's.
    #[serde(default)]
    pub customer_key: Option<String>,
    /// Text or true/false by key, in the place of all that it had; `null` is left out.
    #[serde(default)]
    pub custom_metadata: Option<Map<String, Value>>,
}
