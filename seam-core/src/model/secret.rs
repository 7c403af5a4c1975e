//! Secrets that the API shows.
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A secret that the API shows to its owner: a PIN, a token, a link that hands over a key.
///
/// It is a plain string in JSON, because the caller asked for it in order to pass it on. In `Debug` output it is
/// `[redacted]`, there is no `Display`, comparing takes the same time wherever two secrets differ, and the memory is
/// overwritten on drop. Copies that a JSON reader or writer makes on the way are not covered by this.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself. Whoever calls this takes care where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
impl Eq for Shown {}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Shown {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for Shown {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}
