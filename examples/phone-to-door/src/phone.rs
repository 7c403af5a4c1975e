//! A guest's phone: an app with one key and what the office signed for it.
use crate::office::{new_key, random};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::lock::SignedGrant;
use seam_ble::pkoc::{Anchor, Device, PkocError, ReadersOfSite, Response, Site, SiteId, Wire};
use seam_ble::transport::{Link, SessionError, pkoc};

/// A phone with its key. In an app the key lies in the secure element and is used through [`SigningKey`].
#[derive(Debug)]
pub struct Phone {
    key: SoftwareKey,
    site: SiteId,
    issuer: PublicKey,
    grant: Option<SignedGrant>,
}

impl Phone {
    /// A phone that has made its key and knows whose doors it opens.
    #[must_use]
    pub fn new(site: SiteId, issuer: PublicKey) -> Self {
        Self { key: new_key(), site, issuer, grant: None }
    }

    /// The key to be granted to.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Takes what the office signed.
    pub const fn take(&mut self, grant: SignedGrant) {
        self.grant = Some(grant);
    }

    /// Presents the key at a door. The answer is what the lock says, for the screen.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn present<L: Link>(&self, now: u32, link: &mut L) -> Result<Response, SessionError<PkocError>> {
        let sites = [Site { id: self.site, anchor: Anchor::Issuer(self.issuer), readers: ReadersOfSite::All, revoked: None }];
        let device = Device { key: &self.key, sites: &sites, last_update: now, wire: Wire::V2 };
        let grant = self.grant.as_ref().map_or(&[][..], |grant| grant.as_bytes());
        pkoc::present(&RustCrypto, &device, &Secret::new(random()), Some(now), grant, link).await
    }
}
