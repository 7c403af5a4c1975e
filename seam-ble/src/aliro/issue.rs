//! How an issuer writes and signs a document.

use super::document::{DocType, PROTECTED, SIGNED_MAX, key_id, to_be_signed};
use super::{DocumentError, Instant};
use crate::bytes::{Bytes, Writer};
use crate::cbor;
use crate::crypto::{Crypto, PublicKey, SigningKey};

/// The most bytes of one element with its wrapping: a list of 32 revoked keys and more.
pub const ELEMENT_MAX: usize = 2048;

/// A document to be signed, with one element.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Access Document: the credential's key. Revocation Document: none.
    pub credential: Option<&'a PublicKey>,
    /// The element's name.
    pub element: &'a str,
    /// The element's value: [`super::access_data::AccessContent::write`] or [`super::revocation::write`].
    pub value: &'a [u8],
    /// Random bytes that hide the value from whoever sees its digest only.
    pub random: [u8; 16],
    /// Now.
    pub signed: Instant,
    /// From when on it may be used.
    pub valid_from: Instant,
    /// The last second in which it may be used.
    pub valid_until: Instant,
    /// See [`super::document::Iterations`].
    pub iteration: Option<u64>,
    /// Whether a lock without trusted time must refuse it.
    pub time_required: bool,
}

impl Draft<'_> {
    fn kind(&self) -> DocType {
        if self.credential.is_some() { DocType::Access } else { DocType::Revocation }
    }

    /// Signs it and writes the whole document.
    ///
    /// # Errors
    /// [`DocumentError::Full`], [`DocumentError::Time`] for a time that cannot be written or an end that is not after the beginning,
    /// [`DocumentError::Signature`] when the issuer's key does not answer.
    pub fn sign<C: Crypto>(&self, crypto: &C, issuer: &impl SigningKey, out: &mut Writer<'_>) -> Result<(), DocumentError> {
        if self.valid_until <= self.valid_from {
            return Err(DocumentError::Time);
        }
        let mut item = Bytes::<ELEMENT_MAX>::new();
        item.fill(|out| self.put_item(out))?;
        let mut payload = Bytes::<SIGNED_MAX>::new();
        payload.fill(|out| self.put_payload(&crypto.sha256(&[&item]), out))?;
        let signature = issuer.sign(&to_be_signed(&payload)?).map_err(|_| DocumentError::Signature)?;

        cbor::put_map(out, 2)?;
        cbor::put_text(out, "1")?;
        cbor::put_map(out, 2)?;
        cbor::put_text(out, "1")?;
        cbor::put_map(out, 1)?;
        cbor::put_text(out, self.kind().name())?;
        cbor::put_array(out, 1)?;
        out.put(&item)?;
        cbor::put_text(out, "2")?;
        cbor::put_array(out, 4)?;
        cbor::put_bytes(out, &PROTECTED)?;
        cbor::put_map(out, 1)?;
        cbor::put_uint(out, 4)?;
        cbor::put_bytes(out, &key_id(crypto, &issuer.public_key()))?;
        cbor::put_bytes(out, &payload)?;
        cbor::put_bytes(out, signature.as_bytes())?;
        cbor::put_text(out, "5")?;
        Ok(cbor::put_text(out, self.kind().name())?)
    }

    fn put_item(&self, out: &mut Writer<'_>) -> Result<(), DocumentError> {
        let mut inner = Bytes::<{ ELEMENT_MAX - 8 }>::new();
        inner.fill(|out: &mut Writer<'_>| {
            cbor::put_map(out, 4)?;
            cbor::put_text(out, "1")?;
            cbor::put_uint(out, 1)?;
            cbor::put_text(out, "2")?;
            cbor::put_bytes(out, &self.random)?;
            cbor::put_text(out, "3")?;
            cbor::put_text(out, self.element)?;
            cbor::put_text(out, "4")?;
            out.put(self.value)
        })?;
        cbor::put_tag(out, 24)?;
        Ok(cbor::put_bytes(out, &inner)?)
    }

    fn put_payload(&self, digest: &[u8; 32], out: &mut Writer<'_>) -> Result<(), DocumentError> {
        let mut inner = Bytes::<{ SIGNED_MAX - 8 }>::new();
        inner.fill(|out| self.put_signed(digest, out))?;
        cbor::put_tag(out, 24)?;
        Ok(cbor::put_bytes(out, &inner)?)
    }

    fn put_signed(&self, digest: &[u8; 32], out: &mut Writer<'_>) -> Result<(), DocumentError> {
        cbor::put_map(out, 6 + usize::from(self.credential.is_some()))?;
        cbor::put_text(out, "1")?;
        cbor::put_text(out, "1.0")?;
        cbor::put_text(out, "2")?;
        cbor::put_text(out, "SHA-256")?;
        cbor::put_text(out, "3")?;
        cbor::put_map(out, 1)?;
        cbor::put_text(out, self.kind().name())?;
        cbor::put_map(out, 1)?;
        cbor::put_uint(out, 1)?;
        cbor::put_bytes(out, digest)?;
        if let Some(credential) = self.credential {
            let (_, point) = credential.as_bytes().split_at(1);
            let (x, y) = point.split_at(32);
            cbor::put_text(out, "4")?;
            cbor::put_map(out, 1)?;
            cbor::put_text(out, "1")?;
            cbor::put_map(out, 4)?;
            cbor::put_uint(out, 1)?;
            cbor::put_uint(out, 2)?;
            cbor::put_int(out, -1)?;
            cbor::put_uint(out, 1)?;
            cbor::put_int(out, -2)?;
            cbor::put_bytes(out, x)?;
            cbor::put_int(out, -3)?;
            cbor::put_bytes(out, y)?;
        }
        cbor::put_text(out, "5")?;
        cbor::put_text(out, self.kind().name())?;
        cbor::put_text(out, "6")?;
        cbor::put_map(out, 3 + usize::from(self.iteration.is_some()))?;
        for (name, time) in [("1", self.signed), ("2", self.valid_from), ("3", self.valid_until)] {
            let text = time.to_rfc3339().ok_or(DocumentError::Time)?;
            cbor::put_text(out, name)?;
            cbor::put_tag(out, 0)?;
            cbor::put_text(out, core::str::from_utf8(&text).map_err(|_| DocumentError::Time)?)?;
        }
        if let Some(iteration) = self.iteration {
            cbor::put_text(out, "5")?;
            cbor::put_uint(out, iteration)?;
        }
        cbor::put_text(out, "7")?;
        Ok(cbor::put_bool(out, self.time_required)?)
    }
}
