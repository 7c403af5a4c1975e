//! Reader certificates and their revocation list, of version 2.0.1 (PKOC BLE Transport Profile 2.0.1, 7.1 and 7.3, as the fork implements them).
use core::fmt;

use super::{LocationId, SiteId};
use crate::bytes::{Full, Writer};
use crate::crypto::{Crypto, CryptoError, PublicKey, Signature, SigningKey};

/// Length of a certificate in bytes.
pub const CERTIFICATE_LEN: usize = 138;
/// Length of an entry of a revocation list in bytes.
pub const REVOCATION_ENTRY_LEN: usize = 20;
/// The end of a certificate that has none.
pub const NO_END: u32 = u32::MAX;

const VERSION: u8 = 1;
const SIGNED: usize = 74;
const LIST_HEAD: usize = 1 + 16 + 4 + 2;

/// Why a reader's certificate is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// It has another length or another version than 1.
    Format,
    /// It is for another reader than the message says.
    Subject,
    /// It is of another site than the message says.
    Issuer,
    /// It has not begun.
    NotYet,
    /// It is over.
    Expired,
    /// It has a beginning or an end, and the phone does not know the time.
    TimeUnknown,
    /// The site's issuer did not sign it, or its key is none.
    Signature,
    /// The reader is on the site's revocation list.
    Revoked,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "the reader's certificate is malformed",
            Self::Subject => "the certificate is for another reader",
            Self::Issuer => "the certificate is of another site",
            Self::NotYet => "the reader's certificate has not begun",
            Self::Expired => "the reader's certificate is over",
            Self::TimeUnknown => "the time of the reader's certificate cannot be checked",
            Self::Signature => "the signature of the reader's certificate does not verify",
            Self::Revoked => "the reader was revoked",
        })
    }
}

impl core::error::Error for CertificateError {}

/// A reader's certificate: version 1 ‖ location 16 ‖ site 16 ‖ not before 4 ‖ not after 4 ‖ compressed key 33 ‖ signature 64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Certificate([u8; CERTIFICATE_LEN]);

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [not_before, not_after] = [33, 37].map(|at| self.u32(at));
        write!(f, "Certificate {{ not_before: {not_before}, not_after: {not_after}, .. }}")
    }
}

impl Certificate {
    /// Takes the bytes; they are checked by [`Certificate::verify`].
    ///
    /// # Errors
    /// [`CertificateError::Format`] for another length or version.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CertificateError> {
        let bytes: [u8; CERTIFICATE_LEN] = bytes.try_into().map_err(|_| CertificateError::Format)?;
        if bytes[0] == VERSION { Ok(Self(bytes)) } else { Err(CertificateError::Format) }
    }

    /// Signs a certificate with the site issuer's key. Times are seconds since 1970, both inclusive; 0 and [`NO_END`] leave a side open.
    ///
    /// # Errors
    /// [`CryptoError::Device`] when the issuer's key does not answer.
    pub fn issue(
        issuer: &impl SigningKey,
        site: SiteId,
        location: LocationId,
        not_before: u32,
        not_after: u32,
        reader: &PublicKey,
    ) -> Result<Self, CryptoError> {
        let mut bytes = [0; CERTIFICATE_LEN];
        bytes[0] = VERSION;
        bytes[1..17].copy_from_slice(&location.0);
        bytes[17..33].copy_from_slice(&site.0);
        bytes[33..37].copy_from_slice(&not_before.to_be_bytes());
        bytes[37..41].copy_from_slice(&not_after.to_be_bytes());
        bytes[41..SIGNED].copy_from_slice(&reader.compressed());
        let signature = issuer.sign(&bytes[..SIGNED])?;
        bytes[SIGNED..].copy_from_slice(signature.as_bytes());
        Ok(Self(bytes))
    }

    /// As it is on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CERTIFICATE_LEN] {
        &self.0
    }

    fn u32(&self, at: usize) -> u32 {
        self.0[at..at + 4].iter().fold(0, |sum, &byte| (sum << 8) | u32::from(byte))
    }

    /// Checks everything but revocation and gives the reader's key. `now` is the phone's time in seconds since 1970: it protects the phone, so
    /// the phone's own clock is good enough here.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify<C: Crypto>(
        &self,
        crypto: &C,
        issuer: &PublicKey,
        site: SiteId,
        location: LocationId,
        now: Option<u32>,
    ) -> Result<PublicKey, CertificateError> {
        if self.0[1..17] != location.0 {
            return Err(CertificateError::Subject);
        }
        if self.0[17..33] != site.0 {
            return Err(CertificateError::Issuer);
        }
        let (not_before, not_after) = (self.u32(33), self.u32(37));
        match now {
            None if not_before != 0 || not_after != NO_END => return Err(CertificateError::TimeUnknown),
            Some(now) if now < not_before => return Err(CertificateError::NotYet),
            Some(now) if now > not_after => return Err(CertificateError::Expired),
            _ => {}
        }
        let signature = Signature::from_slice(&self.0[SIGNED..]).map_err(|_| CertificateError::Signature)?;
        crypto.verify(issuer, &self.0[..SIGNED], &signature).map_err(|_| CertificateError::Signature)?;
        let compressed = self.0[41..SIGNED].try_into().map_err(|_| CertificateError::Format)?;
        crypto.decompress(&compressed).map_err(|_| CertificateError::Signature)
    }
}

/// Why a revocation list was refused. The one before stays in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationError {
    /// Another version than 1, or a length that does not fit its count.
    Format,
    /// It is of another site.
    Issuer,
    /// The site's issuer did not sign it.
    Signature,
    /// It was not issued after the one in force.
    NotNewer,
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "the revocation list is malformed",
            Self::Issuer => "the revocation list is of another site",
            Self::Signature => "the signature of the revocation list does not verify",
            Self::NotNewer => "the revocation list is not newer than the one in force",
        })
    }
}

impl core::error::Error for RevocationError {}

/// A verified revocation list: version 1 ‖ site 16 ‖ issued 4 ‖ count 2 ‖ count x (location 16, revoked at 4) ‖ signature 64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RevocationList<'a> {
    issued: u32,
    entries: &'a [[u8; REVOCATION_ENTRY_LEN]],
}

impl fmt::Debug for RevocationList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationList {{ issued: {}, readers: {} }}", self.issued, self.entries.len())
    }
}

impl<'a> RevocationList<'a> {
    /// Reads and checks a list. `in_force` is when the list that the phone has was issued; the new one has to be later.
    ///
    /// # Errors
    /// [`RevocationError`].
    pub fn accept<C: Crypto>(
        crypto: &C,
        bytes: &'a [u8],
        issuer: &PublicKey,
        site: SiteId,
        in_force: Option<u32>,
    ) -> Result<Self, RevocationError> {
        let (signed, signature) = bytes.split_last_chunk::<64>().ok_or(RevocationError::Format)?;
        let (head, entries) = signed.split_first_chunk::<LIST_HEAD>().ok_or(RevocationError::Format)?;
        let (entries, odd) = entries.as_chunks::<REVOCATION_ENTRY_LEN>();
        let [version, of_site @ .., t0, t1, t2, t3, c0, c1] = head;
        if *version != VERSION || !odd.is_empty() || usize::from(u16::from_be_bytes([*c0, *c1])) != entries.len() {
            return Err(RevocationError::Format);
        }
        if *of_site != site.0 {
            return Err(RevocationError::Issuer);
        }
        crypto.verify(issuer, signed, &Signature::new(*signature)).map_err(|_| RevocationError::Signature)?;
        let issued = u32::from_be_bytes([*t0, *t1, *t2, *t3]);
        if in_force.is_some_and(|in_force| issued <= in_force) {
            return Err(RevocationError::NotNewer);
        }
        Ok(Self { issued, entries })
    }

    /// Writes and signs a list. Each entry is a reader and when it was revoked, in seconds since 1970.
    ///
    /// # Errors
    /// [`Full`] when `out` is too small, there are more than 65 535 entries, or the issuer's key does not answer.
    pub fn issue(
        out: &mut Writer<'_>,
        issuer: &impl SigningKey,
        site: SiteId,
        issued: u32,
        revoked: &[(LocationId, u32)],
    ) -> Result<(), Full> {
        let start = out.len();
        out.byte(VERSION)?;
        out.put(&site.0)?;
        out.put(&issued.to_be_bytes())?;
        out.put(&u16::try_from(revoked.len()).map_err(|_| Full)?.to_be_bytes())?;
        for (location, at) in revoked {
            out.put(&location.0)?;
            out.put(&at.to_be_bytes())?;
        }
        let signature = issuer.sign(&out.as_slice()[start..]).map_err(|_| Full)?;
        out.put(signature.as_bytes())
    }

    /// When it was issued, in seconds since 1970; to be kept for the next list.
    #[must_use]
    pub const fn issued(&self) -> u32 {
        self.issued
    }

    /// Whether the reader is on it. When it was revoked makes no difference.
    #[must_use]
    pub fn names(&self, location: LocationId) -> bool {
        self.entries.iter().any(|entry| entry[..16] == location.0)
    }
}
