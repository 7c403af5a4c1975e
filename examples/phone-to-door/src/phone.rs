//! A guest's phone: an app with one key and what the office signed for it.
use crate::approach;
use crate::office::{new_key, random};
use crate::touch::{self, Pass};
use seam_ble::aliro::AliroError;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::lock::{SIGNED_GRANT_LEN, SignedGrant};
use seam_ble::pkoc::{Anchor, Device, PkocError, ReadersOfSite, Response, Site, SiteId, Wire};
use seam_ble::transport::aliro::Agreed;
use seam_ble::transport::{Link, SessionError, pkoc};

/// A phone with its key. In an app the key lies in the secure element and is used through [`SigningKey`].
#[derive(Debug)]
pub struct Phone {
    key: SoftwareKey,
    site: SiteId,
    issuer: PublicKey,
    grant: Option<SignedGrant>,
    /// What the last touch left behind at the lock, for the fast phase.
    persistent: Option<Secret<32>>,
}

impl Phone {
    /// A phone that has made its key and knows whose doors it opens.
    #[must_use]
    pub fn new(site: SiteId, issuer: PublicKey) -> Self {
        Self { key: new_key(), site, issuer, grant: None, persistent: None }
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

    /// Presents the key by Aliro over Bluetooth, its holder having pressed. `lock` is the lock's key, which came with the booking. Says whether the lock
    /// opened.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn approach<L: Link>(&mut self, lock: PublicKey, agreed: &Agreed, link: L) -> Result<bool, SessionError<AliroError>> {
        let grant = self.grant.as_ref().map_or([0; SIGNED_GRANT_LEN], |grant| *grant.as_bytes());
        let mut pass = Pass { key: &self.key, lock, persistent: self.persistent.take() };
        let opened = approach::present(&mut pass, &grant, agreed, link).await;
        self.persistent = pass.persistent;
        opened
    }

    /// Presents the key by Aliro, as at a touch. `lock` is the lock's key, which came with the booking. Says whether the lock opened.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn touch<L: Link>(&mut self, lock: PublicKey, link: &mut L) -> Result<bool, SessionError<AliroError>> {
        let grant = self.grant.as_ref().map_or([0; SIGNED_GRANT_LEN], |grant| *grant.as_bytes());
        let mut pass = Pass { key: &self.key, lock, persistent: self.persistent.take() };
        let opened = touch::present(&mut pass, &grant, link).await;
        self.persistent = pass.persistent;
        opened
    }
}
