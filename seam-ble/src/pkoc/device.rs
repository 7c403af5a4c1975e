//! The phone: it answers readers of sites that it knows, after they proved themselves.
use core::fmt;

use super::{
    Certificate, CertificateError, FIRST_COUNTER, LocationId, MAX_EXTENSION, MAX_MESSAGE, PkocError, ProtocolVersion, Response,
    RevocationList, SiteId, Wire, missing, nonce, signed_bytes, sized, tag, too_long,
};
use crate::bytes::Writer;
use crate::crypto::{Crypto, PublicKey, Secret, Signature, SigningKey};
use crate::tlv;

/// How a site's readers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// By one key that all readers of the site share.
    SiteKey(PublicKey),
    /// By certificates of the site's issuer. A reader without one is refused.
    Issuer(PublicKey),
}

/// Which readers of a site the phone answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadersOfSite<'a> {
    /// Every one that proves itself.
    All,
    /// These.
    Only(&'a [LocationId]),
}

/// A site that the phone has a credential for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site<'a> {
    /// Which.
    pub id: SiteId,
    /// How its readers are known.
    pub anchor: Anchor,
    /// Which of them are answered.
    pub readers: ReadersOfSite<'a>,
    /// The list of revoked readers in force.
    pub revoked: Option<RevocationList<'a>>,
}

/// A phone with one credential.
#[derive(Clone, Debug)]
pub struct Device<'a, K> {
    /// The credential's key.
    pub key: K,
    /// The sites it answers.
    pub sites: &'a [Site<'a>],
    /// When the credential was last updated, in seconds since 1970.
    pub last_update: u32,
    /// How messages are written.
    pub wire: Wire,
}

/// What the reader's first message says.
struct Greeting {
    version: ProtocolVersion,
    compressed: [u8; 33],
    location: LocationId,
    site: SiteId,
    certificate: Option<Certificate>,
}

impl Greeting {
    fn read(wire: Wire, message: &[u8]) -> Result<Self, PkocError> {
        too_long(message)?;
        let fields = tlv::Reader::with(message, wire.form());
        let tags = [tag::VERSION, tag::READER_KEY, tag::LOCATION, tag::SITE, tag::CERTIFICATE];
        let [version, key, location, site, certificate] = tlv::pick(fields, tags)?;
        if certificate.is_some() && wire == Wire::V1 {
            return Err(PkocError::CertificateUnexpected);
        }
        Ok(Self {
            version: ProtocolVersion::read(version.ok_or(missing(tag::VERSION))?)?,
            compressed: sized(key, tag::READER_KEY)?,
            location: LocationId(sized(location, tag::LOCATION)?),
            site: SiteId(sized(site, tag::SITE)?),
            certificate: certificate.map(Certificate::from_slice).transpose()?,
        })
    }
}

impl<K: SigningKey> Device<'_, K> {
    /// Takes the reader's first message and writes the answer of the ECDHE flow: a session key, which says nothing about the phone.
    ///
    /// `random` are 32 fresh bytes, `now` is the phone's time in seconds since 1970, for the window of the reader's certificate.
    ///
    /// # Errors
    /// [`PkocError`]; the transaction is over, and nothing was written.
    pub fn greet<C: Crypto>(
        &self,
        crypto: &C,
        message: &[u8],
        random: &Secret<32>,
        now: Option<u32>,
        out: &mut Writer<'_>,
    ) -> Result<AwaitReaderProof, PkocError> {
        let greeting = Greeting::read(self.wire, message)?;
        let reader_key = self.key_of(crypto, &greeting, now)?;
        // See `AwaitCredential::receive`: with one key on both sides a proof could be turned around.
        if reader_key == self.key.public_key() {
            return Err(PkocError::Reflected);
        }
        let reader_session = crypto.decompress(&greeting.compressed)?;
        let (session, public) = crypto.agreement_key(random)?;
        if public.x() == reader_session.x() {
            return Err(PkocError::Reflected);
        }
        let common = crypto.agree(&session, &reader_session)?;
        let key = Secret::new(crypto.sha256(&[common.expose()]));
        let form = self.wire.form();
        tlv::put_with(out, form, tag::DEVICE_KEY, &[public.as_bytes()])?;
        tlv::put_with(out, form, tag::VERSION, &[greeting.version.as_bytes()])?;
        let signed = signed_bytes(greeting.site, greeting.location, &public, &reader_session);
        Ok(AwaitReaderProof { key, signed, reader_key, version: greeting.version })
    }

    /// Takes the reader's first message and writes the only answer of the normal flow: public key and signature in clear, to whoever asked.
    /// It exists for readers that know nothing else; with it a phone can be followed from reader to reader.
    ///
    /// # Errors
    /// [`PkocError`]; nothing was written.
    pub fn answer_normal_flow<C: Crypto>(&self, crypto: &C, message: &[u8], out: &mut Writer<'_>) -> Result<AwaitResponse, PkocError> {
        let greeting = Greeting::read(self.wire, message)?;
        // Signing whatever came would make the phone sign for anybody; a point of the curve is at least a session key.
        crypto.decompress(&greeting.compressed)?;
        let signature = self.key.sign(&greeting.compressed)?;
        self.write_credential(&signature, greeting.version, out)?;
        Ok(AwaitResponse(()))
    }

    /// The key that the reader's proof has to be made with.
    fn key_of<C: Crypto>(&self, crypto: &C, greeting: &Greeting, now: Option<u32>) -> Result<PublicKey, PkocError> {
        let site = self.sites.iter().find(|site| site.id == greeting.site).ok_or(PkocError::UnknownReader)?;
        if let ReadersOfSite::Only(readers) = site.readers
            && !readers.contains(&greeting.location)
        {
            return Err(PkocError::UnknownReader);
        }
        if site.revoked.is_some_and(|list| list.names(greeting.location)) {
            return Err(CertificateError::Revoked.into());
        }
        match (site.anchor, &greeting.certificate) {
            (Anchor::SiteKey(key), _) => Ok(key),
            (Anchor::Issuer(issuer), Some(certificate)) => Ok(certificate.verify(crypto, &issuer, site.id, greeting.location, now)?),
            (Anchor::Issuer(_), None) => Err(PkocError::CertificateMissing),
        }
    }

    fn write_credential(&self, signature: &Signature, version: ProtocolVersion, out: &mut Writer<'_>) -> Result<(), PkocError> {
        let form = self.wire.form();
        tlv::put_with(out, form, tag::PUBLIC_KEY, &[self.key.public_key().as_bytes()])?;
        tlv::put_with(out, form, tag::SIGNATURE, &[signature.as_bytes()])?;
        tlv::put_with(out, form, tag::LAST_UPDATE, &[&self.last_update.to_be_bytes()])?;
        Ok(tlv::put_with(out, form, tag::VERSION, &[version.as_bytes()])?)
    }
}

/// The phone has sent its session key.
pub struct AwaitReaderProof {
    key: Secret<32>,
    signed: [u8; 96],
    reader_key: PublicKey,
    version: ProtocolVersion,
}

impl fmt::Debug for AwaitReaderProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitReaderProof(..)")
    }
}

impl AwaitReaderProof {
    /// Takes the reader's proof and writes the encrypted credential. `extension` goes into the manufacturer's field, which is left out when
    /// empty: at most [`MAX_EXTENSION`] bytes, with 1.x [`MAX_EXTENSION_V1`](super::MAX_EXTENSION_V1).
    ///
    /// # Errors
    /// [`PkocError`]; the transaction is over, and nothing about the phone was written.
    pub fn receive<C: Crypto, K: SigningKey>(
        self,
        crypto: &C,
        device: &Device<'_, K>,
        message: &[u8],
        extension: &[u8],
        out: &mut Writer<'_>,
    ) -> Result<AwaitResponse, PkocError> {
        too_long(message)?;
        let form = device.wire.form();
        let mut fields = tlv::Reader::with(message, form);
        let proof = Signature::new(fields.expect(tag::SIGNATURE)?.exactly().copied()?);
        fields.end()?;
        crypto.verify(&self.reader_key, &self.signed, &proof)?;
        if extension.len() > MAX_EXTENSION {
            return Err(PkocError::Full);
        }
        let signature = device.key.sign(&self.signed)?;
        let mut space = [0; MAX_MESSAGE];
        let mut plain = Writer::new(&mut space);
        device.write_credential(&signature, self.version, &mut plain)?;
        if !extension.is_empty() {
            tlv::put_with(&mut plain, form, tag::MANUFACTURER, &[extension])?;
        }
        let sealed = plain.finish();
        let sealed_tag = crypto.ccm_seal(&self.key, &nonce(FIRST_COUNTER), &[], sealed)?;
        tlv::put_with(out, form, tag::ENCRYPTED, &[sealed, &sealed_tag])?;
        Ok(AwaitResponse(()))
    }
}

/// The phone has proven its key.
#[derive(Debug)]
pub struct AwaitResponse(());

impl AwaitResponse {
    /// Takes the reader's last message.
    ///
    /// # Errors
    /// [`PkocError::Tlv`].
    pub fn receive<K>(self, device: &Device<'_, K>, message: &[u8]) -> Result<Response, PkocError> {
        let mut fields = tlv::Reader::with(message, device.wire.form());
        let [code] = *fields.expect(tag::RESPONSE)?.exactly()?;
        fields.end()?;
        Ok(Response(code))
    }
}
