//! Secrets as they are stored: ciphertext only.
use serde::{Deserialize, Serialize};
use std::fmt;

/// An encrypted secret: key name, nonce, ciphertext. The default is none: nothing opens it. Opened only by the [`Vault`](crate::store::Vault) with the row and field it belongs to.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub(crate) String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}
