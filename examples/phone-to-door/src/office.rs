//! The back office: the keys that sign. In a product they lie in a key service; the phone and the lock only ever see what was signed.
use rand::TryRng;
use rand::rngs::SysRng;
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{CryptoError, PublicKey, Secret, SigningKey};
use seam_ble::lock::{
    Claim, EntranceId, Grant, IssueError, KeyId, MAX_REVOCATION_LIST, Revocations, SignedGrant, TIME_CHALLENGE_LEN, TimeToken, UnixTime,
    Window, key_id, sign_revocations, sign_time,
};
use seam_ble::pkoc::{Certificate, LocationId, NO_END, SiteId};

/// Fresh bytes of the operating system.
///
/// # Panics
/// When the operating system has none: nothing here may go on then.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "a key without randomness is worse than none")]
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A new key.
#[must_use]
pub fn new_key() -> SoftwareKey {
    loop {
        // Once in four billion the bytes are not below the order of the curve.
        if let Ok(key) = SoftwareKey::from_bytes(&Secret::new(random())) {
            return key;
        }
    }
}

/// The keys that sign, and what they signed last.
#[derive(Debug)]
pub struct Office {
    site: SiteId,
    issuer: SoftwareKey,
    time: SoftwareKey,
    resolving: Secret<16>,
    revoked: Vec<KeyId>,
    iteration: u64,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            site: SiteId(random()),
            issuer: new_key(),
            time: new_key(),
            resolving: Secret::new(random()),
            revoked: Vec::new(),
            iteration: 0,
        }
    }
}

impl Office {
    /// The site that readers and phones know it by.
    #[must_use]
    pub const fn site(&self) -> SiteId {
        self.site
    }

    /// The key by which the site's phones tell the site's locks from others before they connect.
    #[must_use]
    pub const fn resolving_key(&self) -> &Secret<16> {
        &self.resolving
    }

    /// The key that phones and locks are given to check signatures with.
    #[must_use]
    pub fn issuer(&self) -> PublicKey {
        self.issuer.public_key()
    }

    /// The key that a lock checks time tokens with.
    #[must_use]
    pub fn time_authority(&self) -> PublicKey {
        self.time.public_key()
    }

    /// A certificate for a reader's key.
    ///
    /// # Errors
    /// When the key service does not answer.
    pub fn certify(&self, location: LocationId, reader: &PublicKey) -> Result<Certificate, CryptoError> {
        Certificate::issue(&self.issuer, self.site, location, 0, NO_END, reader)
    }

    /// A grant for a phone's key.
    ///
    /// # Errors
    /// When the key service does not answer.
    pub fn grant(&self, entrance: EntranceId, phone: &PublicKey, claim: Claim, window: Window) -> Result<SignedGrant, IssueError> {
        SignedGrant::issue(&self.issuer, &Grant::new(entrance, key_id(&RustCrypto, phone), claim, window))
    }

    /// Takes a key back: the signed list for the lock, for any phone to carry there.
    ///
    /// # Errors
    /// When the list is full or the key service does not answer.
    pub fn revoke(&mut self, phone: &PublicKey) -> Result<Vec<u8>, CryptoError> {
        self.revoked.push(key_id(&RustCrypto, phone));
        self.iteration += 1;
        let list = Revocations::new(self.iteration, 0, &self.revoked).map_err(|_| CryptoError::Length)?;
        let mut space = [0; MAX_REVOCATION_LIST];
        let mut out = Writer::new(&mut space);
        sign_revocations(&mut out, &self.issuer, seam_ble::lock::SiteId(self.site.0), &list).map_err(|_| CryptoError::Device)?;
        Ok(out.as_slice().to_vec())
    }

    /// The answer to a lock that asks for the time.
    ///
    /// # Errors
    /// When the key service does not answer.
    pub fn tell_time(&self, entrance: EntranceId, challenge: [u8; TIME_CHALLENGE_LEN], now: UnixTime) -> Result<TimeToken, CryptoError> {
        sign_time(&self.time, entrance, challenge, now)
    }
}
