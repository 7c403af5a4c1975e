//! The reader: it speaks first, and proves itself before it learns who is there.
use core::fmt;

use super::{
    Certificate, FIRST_COUNTER, Flow, LocationId, MAX_EXTENSION, MAX_MESSAGE, PkocError, ProtocolVersion, Response, SiteId, Wire, missing,
    nonce, signed_bytes, sized, tag, too_long,
};
use crate::bytes::{Bytes, Writer};
use crate::crypto::{Crypto, PublicKey, Secret, Signature, SigningKey, TAG, equal};
use crate::tlv::{self, TlvError};

/// What a reader is.
#[derive(Clone, Debug)]
pub struct Reader<K> {
    /// Its site.
    pub site: SiteId,
    /// Its own name.
    pub location: LocationId,
    /// The site's key, or the reader's own one that the certificate names.
    pub key: K,
    /// The certificate for the key; only with [`Wire::V2`].
    pub certificate: Option<Certificate>,
    /// How messages are written.
    pub wire: Wire,
    /// The version field to send.
    pub version: ProtocolVersion,
    /// Whether a phone may use the normal flow, in which nobody proves the reader and the phone's key is sent in clear.
    pub allow_normal_flow: bool,
}

impl<K: SigningKey> Reader<K> {
    /// A reader with the site's key, for 1.x.
    pub const fn with_site_key(site: SiteId, location: LocationId, key: K) -> Self {
        Self { site, location, key, certificate: None, wire: Wire::V1, version: ProtocolVersion::psia(3), allow_normal_flow: false }
    }

    /// A reader with a key of its own and the site issuer's certificate for it, for 2.0.1.
    pub const fn with_certificate(site: SiteId, location: LocationId, key: K, certificate: Certificate) -> Self {
        let version = ProtocolVersion::two_part(2, 0);
        Self { site, location, key, certificate: Some(certificate), wire: Wire::V2, version, allow_normal_flow: false }
    }

    /// Writes the first message: version, session key, location and site, and the certificate. `random` are 32 fresh bytes.
    ///
    /// # Errors
    /// [`PkocError::Crypto`] with `Scalar`: draw again. [`PkocError::Full`]; [`PkocError::CertificateUnexpected`].
    pub fn begin<C: Crypto>(&self, crypto: &C, random: &Secret<32>, out: &mut Writer<'_>) -> Result<AwaitDevice<C>, PkocError> {
        let (session, public) = crypto.agreement_key(random)?;
        let form = self.wire.form();
        tlv::put_with(out, form, tag::VERSION, &[self.version.as_bytes()])?;
        tlv::put_with(out, form, tag::READER_KEY, &[&public.compressed()])?;
        tlv::put_with(out, form, tag::LOCATION, &[&self.location.0])?;
        tlv::put_with(out, form, tag::SITE, &[&self.site.0])?;
        if let Some(certificate) = &self.certificate {
            if self.wire == Wire::V1 {
                return Err(PkocError::CertificateUnexpected);
            }
            tlv::put_with(out, form, tag::CERTIFICATE, &[certificate.as_bytes()])?;
        }
        Ok(AwaitDevice { session, public })
    }

    /// Writes the last message.
    ///
    /// # Errors
    /// [`PkocError::Full`].
    pub fn respond(&self, response: Response, out: &mut Writer<'_>) -> Result<(), PkocError> {
        Ok(tlv::put_with(out, self.wire.form(), tag::RESPONSE, &[&[response.0]])?)
    }
}

/// The reader has sent its first message.
pub struct AwaitDevice<C: Crypto> {
    session: C::AgreementKey,
    public: PublicKey,
}

impl<C: Crypto> fmt::Debug for AwaitDevice<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitDevice(..)")
    }
}

/// What the phone's first message led to.
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with, and it lives for one match")]
#[derive(Debug)]
pub enum FirstAnswer {
    /// The reader's proof was written; the phone's credential comes next.
    Proof(AwaitCredential),
    /// The phone used the normal flow: this is its key already.
    Presented(Presented),
}

impl<C: Crypto> AwaitDevice<C> {
    /// Takes the phone's first message. In the ECDHE flow it writes the reader's proof to `out`.
    ///
    /// # Errors
    /// [`PkocError`]; the transaction is over.
    pub fn receive<K: SigningKey>(
        self,
        crypto: &C,
        reader: &Reader<K>,
        message: &[u8],
        out: &mut Writer<'_>,
    ) -> Result<FirstAnswer, PkocError> {
        too_long(message)?;
        let form = reader.wire.form();
        let fields = tlv::Reader::with(message, form);
        let tags = [tag::DEVICE_KEY, tag::VERSION, tag::PUBLIC_KEY, tag::SIGNATURE, tag::LAST_UPDATE];
        let [device_key, version, public_key, signature, last_update] = tlv::pick(fields, tags)?;
        if version.ok_or(missing(tag::VERSION))? != reader.version.as_bytes() {
            return Err(PkocError::VersionChanged);
        }
        let Some(device_key) = device_key else {
            return self.normal_flow(crypto, reader, [public_key, signature, last_update]).map(FirstAnswer::Presented);
        };
        for (field, tag) in [(public_key, tag::PUBLIC_KEY), (signature, tag::SIGNATURE), (last_update, tag::LAST_UPDATE)] {
            if field.is_some() {
                return Err(PkocError::Tlv(TlvError::Unexpected(tag)));
            }
        }
        let device = PublicKey::from_uncompressed(device_key)?;
        // A key with the same x is this one or its negative; the common point would be known to whoever sent the first message back.
        if device.x() == self.public.x() {
            return Err(PkocError::Reflected);
        }
        let common = crypto.agree(&self.session, &device)?;
        let key = Secret::new(crypto.sha256(&[common.expose()]));
        let signed = signed_bytes(reader.site, reader.location, &device, &self.public);
        let proof = reader.key.sign(&signed)?;
        tlv::put_with(out, form, tag::SIGNATURE, &[proof.as_bytes()])?;
        Ok(FirstAnswer::Proof(AwaitCredential { key, signed }))
    }

    fn normal_flow<K: SigningKey>(
        &self,
        crypto: &C,
        reader: &Reader<K>,
        [public_key, signature, last_update]: [Option<&[u8]>; 3],
    ) -> Result<Presented, PkocError> {
        if !reader.allow_normal_flow {
            return Err(PkocError::NormalFlowOff);
        }
        let key = PublicKey::from_uncompressed(public_key.ok_or(missing(tag::PUBLIC_KEY))?)?;
        let signature = Signature::new(sized(signature, tag::SIGNATURE)?);
        let last_update = u32::from_be_bytes(sized(last_update, tag::LAST_UPDATE)?);
        crypto.verify(&key, &self.public.compressed(), &signature)?;
        Ok(Presented { key, last_update, flow: Flow::Normal, extension: Bytes::new() })
    }
}

/// The reader has proven itself.
pub struct AwaitCredential {
    key: Secret<32>,
    signed: [u8; 96],
}

impl fmt::Debug for AwaitCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitCredential(..)")
    }
}

impl AwaitCredential {
    /// Takes the encrypted message and gives the key that the phone has proven.
    ///
    /// # Errors
    /// [`PkocError`]; the transaction is over.
    pub fn receive<C: Crypto, K: SigningKey>(self, crypto: &C, reader: &Reader<K>, message: &[u8]) -> Result<Presented, PkocError> {
        too_long(message)?;
        let form = reader.wire.form();
        let mut fields = tlv::Reader::with(message, form);
        let sealed = fields.expect(tag::ENCRYPTED)?.value;
        fields.end()?;
        let (data, sealed_tag) = sealed.split_last_chunk::<TAG>().ok_or(TlvError::Value(tag::ENCRYPTED))?;
        let mut space = [0; MAX_MESSAGE];
        let mut plain = Writer::new(&mut space);
        plain.put(data)?;
        let opened = plain.finish();
        crypto.ccm_open(&self.key, &nonce(FIRST_COUNTER), &[], opened, sealed_tag)?;
        let tags = [tag::PUBLIC_KEY, tag::SIGNATURE, tag::LAST_UPDATE, tag::VERSION, tag::MANUFACTURER];
        let [public_key, signature, last_update, version, extension] = tlv::pick(tlv::Reader::with(opened, form), tags)?;
        let key = PublicKey::from_uncompressed(public_key.ok_or(missing(tag::PUBLIC_KEY))?)?;
        let signature = Signature::new(sized(signature, tag::SIGNATURE)?);
        let last_update = u32::from_be_bytes(sized(last_update, tag::LAST_UPDATE)?);
        // The first message travels in clear: this repetition, which nobody could change, is what makes a downgrade noticed.
        if !equal(version.ok_or(missing(tag::VERSION))?, reader.version.as_bytes()) {
            return Err(PkocError::VersionChanged);
        }
        // Both sides sign the same bytes, so the reader's own proof would pass as the proof of a phone with the reader's key.
        if key == reader.key.public_key() {
            return Err(PkocError::Reflected);
        }
        crypto.verify(&key, &self.signed, &signature)?;
        let extension = Bytes::from_slice(extension.unwrap_or(&[]))?;
        Ok(Presented { key, last_update, flow: Flow::Ecdhe, extension })
    }
}

/// A phone has proven that it holds this key, now and to this reader. Whether the key may open is another question.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// The proven key.
    pub key: PublicKey,
    /// When the phone's credential was last updated, by the phone's word, in seconds since 1970.
    pub last_update: u32,
    /// Which way it was proven.
    pub flow: Flow,
    /// The manufacturer's field of the encrypted message; empty when there was none.
    pub extension: Bytes<MAX_EXTENSION>,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, last_update, flow, extension } = self;
        write!(f, "Presented {{ key: {key:?}, last_update: {last_update}, flow: {flow:?}, extension: {} bytes }}", extension.len())
    }
}
