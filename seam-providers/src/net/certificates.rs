//! Whose certificate a server on site may show: settings that providers over HTTPS have in common.
use crate::http::{HttpOptions, Roots};
use seam_core::provider::{Failure, Reason};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which certificates are believed. Servers on site mostly have one that they made themselves: copy it, or its fingerprint, into the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CertificateSettings {
    /// Only certificates that these, in PEM, vouch for; else those that the host believes. The name in the certificate has to be the server's.
    pub root_certificates: Option<String>,
    /// Only certificates with one of these SHA-256 fingerprints: 64 hexadecimal digits, with or without colons. The name does not matter then.
    pub pinned_sha256: Vec<String>,
    /// Believe anybody. Whoever is on the way reads and changes everything: for a test bench only.
    pub danger_accept_any_certificate: bool,
}

impl CertificateSettings {
    /// The JSON schema of these settings.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "description": "Which certificates of the server are believed; without it, those that this host believes.",
            "properties": {
                "root_certificates": {"type": ["string", "null"], "maxLength": 65536, "description": "Root certificates, or the server's own one, in PEM."},
                "pinned_sha256": {
                    "type": "array", "maxItems": 8, "items": {"type": "string", "minLength": 64, "maxLength": 95},
                    "description": "SHA-256 fingerprints of the server's certificate. The name in it does not matter then.",
                },
                "danger_accept_any_certificate": {"type": "boolean", "description": "Believe anybody. For a test bench only."},
            },
        })
    }

    /// Puts them into the options of a client.
    ///
    /// # Errors
    /// `Refused` for a fingerprint that is none, or for settings that contradict each other.
    pub fn apply(&self, options: &mut HttpOptions) -> Result<(), Failure> {
        let ways = usize::from(self.root_certificates.is_some())
            + usize::from(!self.pinned_sha256.is_empty())
            + usize::from(self.danger_accept_any_certificate);
        if ways > 1 {
            return Err(invalid("certificates: give roots, or fingerprints, or accept any, and not two of them"));
        }
        options.danger_accept_any_certificate = self.danger_accept_any_certificate;
        if let Some(pem) = &self.root_certificates {
            options.roots = Roots::Only(pem.clone().into_bytes());
        } else if !self.pinned_sha256.is_empty() {
            options.roots = Roots::Pinned(self.pinned_sha256.iter().map(|text| fingerprint(text)).collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

fn invalid(message: &str) -> Failure {
    Failure::refused(Reason::Invalid, message)
}

/// `"AB:CD:.."` or `"abcd.."`.
fn fingerprint(text: &str) -> Result<[u8; 32], Failure> {
    let digits: Vec<u8> = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).map_or(u8::MAX, |d| d as u8)).collect();
    if digits.len() != 64 || digits.contains(&u8::MAX) {
        return Err(invalid("certificates: a SHA-256 fingerprint has 64 hexadecimal digits"));
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Ok(bytes)
}
