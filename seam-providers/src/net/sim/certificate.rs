//! A certificate that a server made itself.
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate with its key, made anew. `Debug` shows its fingerprint.
#[derive(Clone)]
pub struct SimCertificate {
    pub(super) config: Arc<ServerConfig>,
    pem: String,
    sha256: [u8; 32],
}

impl fmt::Debug for SimCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimCertificate").field("sha256", &self.sha256_hex()).finish_non_exhaustive()
    }
}

impl SimCertificate {
    /// One for these names and addresses.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate.
    pub fn new(names: &[&str]) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>()).map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .map_err(io::Error::other)?;
        Ok(Self { config: Arc::new(config), pem: made.cert.pem(), sha256: Sha256::digest(made.cert.der()).into() })
    }
    /// It, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
    /// Its fingerprint, in hexadecimal digits.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        self.sha256.iter().map(|b| format!("{b:02x}")).collect()
    }
}
