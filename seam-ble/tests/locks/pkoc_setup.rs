//! A site, a reader and a phone, and a whole transaction between them.
use crate::support::{key, public, written};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{Crypto, PublicKey, Secret};
use seam_ble::pkoc::{
    Anchor, AwaitCredential, AwaitDevice, AwaitReaderProof, AwaitResponse, Certificate, Device, FirstAnswer, LocationId, PkocError,
    Presented, ProtocolVersion, Reader, ReadersOfSite, Response, Site, SiteId, Wire,
};

pub(crate) const SITE: SiteId = SiteId([0x10; 16]);
pub(crate) const LOCATION: LocationId = LocationId([0x30; 16]);
pub(crate) const NOW: u32 = 1_800_000_000;

/// The bytes of private keys, so that a test names who is who.
pub(crate) mod who {
    pub(crate) const READER_SESSION: u8 = 0x11;
    pub(crate) const DEVICE_SESSION: u8 = 0x22;
    pub(crate) const SITE: u8 = 0x33;
    pub(crate) const ISSUER: u8 = 0x44;
    pub(crate) const READER: u8 = 0x55;
    pub(crate) const PHONE: u8 = 0x66;
}

pub(crate) fn certificate() -> Certificate {
    Certificate::issue(&key(who::ISSUER), SITE, LOCATION, NOW - 10, NOW + 10, &public(who::READER)).unwrap()
}

/// One way to set both sides up.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) reader: Reader<SoftwareKey>,
    pub(crate) site: Site<'static>,
    pub(crate) phone: SoftwareKey,
    pub(crate) wire: Wire,
    pub(crate) now: Option<u32>,
}

impl Setup {
    /// 1.x with the key that all readers of the site share.
    pub(crate) fn site_key() -> Self {
        let anchor = Anchor::SiteKey(public(who::SITE));
        let site = Site { id: SITE, anchor, readers: ReadersOfSite::All, revoked: None };
        let reader = Reader::with_site_key(SITE, LOCATION, key(who::SITE));
        Self { reader, site, phone: key(who::PHONE), wire: Wire::V1, now: Some(NOW) }
    }

    /// 2.0.1 with a certificate.
    pub(crate) fn certified() -> Self {
        let anchor = Anchor::Issuer(public(who::ISSUER));
        let site = Site { id: SITE, anchor, readers: ReadersOfSite::Only(&[LOCATION]), revoked: None };
        let reader = Reader::with_certificate(SITE, LOCATION, key(who::READER), certificate());
        Self { reader, site, phone: key(who::PHONE), wire: Wire::V2, now: Some(NOW) }
    }

    pub(crate) fn all() -> [Self; 3] {
        let mut mixed = Self::site_key();
        (mixed.wire, mixed.reader.wire, mixed.reader.version) = (Wire::V2, Wire::V2, ProtocolVersion::psia(3));
        [Self::site_key(), mixed, Self::certified()]
    }

    pub(crate) fn device<'a>(&self, sites: &'a [Site<'a>]) -> Device<'a, SoftwareKey> {
        Device { key: self.phone.clone(), sites, last_update: NOW - 99, wire: self.wire }
    }

    pub(crate) fn begin(&self) -> (Vec<u8>, AwaitDevice<RustCrypto>) {
        self.begin_with(&RustCrypto)
    }

    pub(crate) fn begin_with<C: Crypto>(&self, crypto: &C) -> (Vec<u8>, AwaitDevice<C>) {
        written(|out| self.reader.begin(crypto, &Secret::new([who::READER_SESSION; 32]), out)).unwrap()
    }

    pub(crate) fn greet(&self, message: &[u8]) -> Result<(Vec<u8>, AwaitReaderProof), PkocError> {
        let sites = [self.site];
        written(|out| self.device(&sites).greet(&RustCrypto, message, &Secret::new([who::DEVICE_SESSION; 32]), self.now, out))
    }

    pub(crate) fn prove(&self, state: AwaitDevice<RustCrypto>, message: &[u8]) -> Result<(Vec<u8>, AwaitCredential), PkocError> {
        let (proof, next) = written(|out| state.receive(&RustCrypto, &self.reader, message, out))?;
        match next {
            FirstAnswer::Proof(next) => Ok((proof, next)),
            FirstAnswer::Presented(presented) => panic!("{presented:?}"),
        }
    }

    pub(crate) fn present(&self, state: AwaitReaderProof, message: &[u8], extension: &[u8]) -> Result<(Vec<u8>, AwaitResponse), PkocError> {
        let sites = [self.site];
        written(|out| state.receive(&RustCrypto, &self.device(&sites), message, extension, out))
    }

    pub(crate) fn finish(&self, state: AwaitCredential, message: &[u8]) -> Result<Presented, PkocError> {
        state.receive(&RustCrypto, &self.reader, message)
    }

    pub(crate) fn response(&self, state: AwaitResponse, message: &[u8]) -> Result<Response, PkocError> {
        state.receive(&self.device(&[]), message)
    }

    /// A whole transaction in which `meddle` may change each of the first four messages (numbered from 0).
    pub(crate) fn transaction(&self, mut meddle: impl FnMut(usize, Vec<u8>) -> Vec<u8>) -> Result<Presented, PkocError> {
        let (greeting, reader) = self.begin();
        let (answer, phone) = self.greet(&meddle(0, greeting))?;
        let (proof, reader) = self.prove(reader, &meddle(1, answer))?;
        let (credential, _) = self.present(phone, &meddle(2, proof), &[])?;
        self.finish(reader, &meddle(3, credential))
    }

    /// The five messages of an undisturbed transaction.
    pub(crate) fn transcript(&self) -> [Vec<u8>; 5] {
        let mut messages = Vec::new();
        self.transaction(|_, message| {
            messages.push(message.clone());
            message
        })
        .unwrap();
        messages.push(written(|out| self.reader.respond(Response::GRANTED, out)).unwrap().0);
        messages.try_into().unwrap()
    }
}

pub(crate) fn phone_key() -> PublicKey {
    public(who::PHONE)
}
