//! Whose certificates are believed.
use super::{HttpOptions, Roots};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The settings of TLS: 1.2 and 1.3, without a default of the process.
pub(super) fn config(options: &HttpOptions) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    if options.danger_accept_any_certificate {
        return Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Seen { provider, only: None })).with_no_client_auth());
    }
    match &options.roots {
        Roots::System => Ok(builder.with_platform_verifier().map_err(|e| e.to_string())?.with_no_client_auth()),
        Roots::Only(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|e| format!("the roots are no PEM: {e}"))?;
                roots.add(certificate).map_err(|e| format!("a root is no certificate: {e}"))?;
            }
            if roots.is_empty() {
                return Err("the roots hold no certificate".to_owned());
            }
            Ok(builder.with_root_certificates(roots).with_no_client_auth())
        }
        Roots::Pinned(pins) if pins.is_empty() => Err("no certificate is pinned".to_owned()),
        Roots::Pinned(pins) => {
            let verifier = Seen { provider, only: Some(pins.clone()) };
            Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
        }
    }
}

/// Believes the certificates that are pinned; every one, where none is. The signatures of the handshake are checked all the same.
#[derive(Debug)]
struct Seen {
    provider: Arc<CryptoProvider>,
    only: Option<Vec<[u8; 32]>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let sha256: [u8; 32] = Sha256::digest(end_entity).into();
        match &self.only {
            Some(pins) if !pins.contains(&sha256) => {
                Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
