//! Documents that an issuer signed and a phone carries: how they are read and believed.
//!
//! They have the shape of ISO 18013-5 with one-letter names for most fields, and a COSE signature (ES256) by the credential issuer. Names and
//! checks: chapter 7 of the specification as the CSA's actuator and the public Java port implement it.

use super::unsettled::ACCESS_ITERATION_LAG;
use super::{DocumentError, Instant};
use crate::bytes::{Bytes, Full, Writer};
use crate::cbor::{self, CborError, Item, Reader as CborReader};
use crate::crypto::{Crypto, PublicKey, Signature, equal};

/// What a document is about; also the name of its only name space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocType {
    /// What its holder may do.
    Access,
    /// Whose keys are void.
    Revocation,
}

impl DocType {
    /// The name in documents and requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "aliro-a",
            Self::Revocation => "aliro-r",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Access, Self::Revocation].into_iter().find(|kind| kind.name() == name)
    }
}

/// The most bytes of the signed part: validity, and the digests of some dozen elements.
pub const SIGNED_MAX: usize = 1024;

/// The COSE header of every document: ES256.
pub(super) const PROTECTED: [u8; 3] = [0xA1, 0x01, 0x26];

/// The name of an issuer's key: the first eight bytes of SHA-256 over `key-identifier` and the uncompressed key.
pub fn key_id<C: Crypto>(crypto: &C, issuer: &PublicKey) -> [u8; 8] {
    *crypto.sha256(&[b"key-identifier", issuer.as_bytes()]).first_chunk().unwrap_or(&[0; 8])
}

/// What the issuer signs over.
pub(super) fn to_be_signed(payload: &[u8]) -> Result<Bytes<SIGNED_MAX>, Full> {
    let mut signed = Bytes::new();
    signed.fill(|out: &mut Writer<'_>| {
        cbor::put_array(out, 4)?;
        cbor::put_text(out, "Signature1")?;
        cbor::put_bytes(out, &PROTECTED)?;
        cbor::put_bytes(out, &[])?;
        cbor::put_bytes(out, payload)
    })?;
    Ok(signed)
}

/// Takes a DeviceResponse apart.
///
/// # Errors
/// [`DocumentError::Cbor`] for a malformed one, [`DocumentError::Version`], [`DocumentError::Value`] when the device reports a failure.
pub fn documents(response: &[u8]) -> Result<Documents<'_>, DocumentError> {
    let mut reader = CborReader::new(response);
    let [version, documents, status] = reader.text_map(["1", "2", "3"])?;
    reader.end()?;
    if version.ok_or(CborError::Missing)?.text()? != "1.0" {
        return Err(DocumentError::Version);
    }
    if status.ok_or(CborError::Missing)?.uint()? != 0 {
        return Err(DocumentError::Value);
    }
    let Some(mut reader) = documents else { return Ok(Documents { reader: CborReader::new(&[]), left: 0 }) };
    let left = reader.array()?;
    Ok(Documents { reader, left })
}

/// The documents of a response.
#[derive(Clone, Debug)]
pub struct Documents<'a> {
    reader: CborReader<'a>,
    left: usize,
}

impl<'a> Documents<'a> {
    /// The next one, or none at the end.
    ///
    /// # Errors
    /// As [`Document::parse`].
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would let a caller go on after an error")]
    pub fn next(&mut self) -> Result<Option<Document<'a>>, DocumentError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        Document::parse(self.reader.raw()?).map(Some)
    }
}

/// A document as it was read; not believed yet.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    kind: DocType,
    items: CborReader<'a>,
    key_id: [u8; 8],
    payload: &'a [u8],
    signature: Signature,
}

fn header<'a>(reader: &mut CborReader<'a>) -> Result<(Option<Item<'a>>, Option<&'a [u8]>), DocumentError> {
    let (mut algorithm, mut key_id) = (None, None);
    for _ in 0..reader.map()? {
        match reader.uint()? {
            1 if algorithm.is_none() => algorithm = Some(reader.item()?),
            4 if key_id.is_none() => key_id = Some(reader.bytes()?),
            1 | 4 => return Err(CborError::Duplicate.into()),
            33 => return Err(DocumentError::Unsupported("an issuer's X.509 chain")),
            _ => return Err(CborError::UnknownKey.into()),
        }
    }
    Ok((algorithm, key_id))
}

impl<'a> Document<'a> {
    /// Reads one document.
    ///
    /// # Errors
    /// [`DocumentError::Cbor`], [`DocumentError::Type`], [`DocumentError::Version`] for another algorithm, [`DocumentError::Issuer`] when it
    /// names none, [`DocumentError::Unsupported`] when it names it by a chain of certificates.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        let mut reader = CborReader::new(bytes);
        let [signed, kind] = reader.text_map(["1", "5"])?;
        reader.end()?;
        let kind = DocType::from_name(kind.ok_or(CborError::Missing)?.text()?).ok_or(DocumentError::Type)?;
        let [spaces, auth] = signed.ok_or(CborError::Missing)?.text_map(["1", "2"])?;
        let mut spaces = spaces.ok_or(CborError::Missing)?;
        if spaces.map()? != 1 || spaces.text()? != kind.name() {
            return Err(DocumentError::Type);
        }
        let mut auth = auth.ok_or(CborError::Missing)?;
        if auth.array()? != 4 {
            return Err(CborError::Type.into());
        }
        let protected = auth.bytes()?;
        let mut protected_reader = CborReader::new(protected);
        let (algorithm, signed_id) = header(&mut protected_reader)?;
        protected_reader.end()?;
        let (unprotected, id) = header(&mut auth)?;
        // Only this header: what is signed is then the same whoever wrote it.
        if protected != PROTECTED || algorithm.is_none() || unprotected.is_some() || signed_id.is_some() {
            return Err(DocumentError::Version);
        }
        Ok(Self {
            kind,
            items: spaces,
            key_id: id.ok_or(DocumentError::Issuer)?.try_into().map_err(|_| DocumentError::Issuer)?,
            payload: auth.bytes()?,
            signature: Signature::from_slice(auth.bytes()?).map_err(|_| DocumentError::Signature)?,
        })
    }

    /// What it says to be about.
    pub fn kind(&self) -> DocType {
        self.kind
    }

    /// Believes it or not: signed by one of `issuers`, all elements as signed, and, for an Access Document, made for `credential`. Times and
    /// iteration are given out, not judged: that is the lock's, which knows how far it may trust its clock.
    ///
    /// # Errors
    /// [`DocumentError`], by its first cause in the order issuer, signature, signed part, device key, elements.
    pub fn verify<C: Crypto>(&self, crypto: &C, issuers: &[PublicKey], credential: &PublicKey) -> Result<Verified<'a>, DocumentError> {
        let issuer = issuers.iter().find(|issuer| key_id(crypto, issuer) == self.key_id).ok_or(DocumentError::Issuer)?;
        crypto.verify(issuer, &to_be_signed(self.payload)?, &self.signature).map_err(|_| DocumentError::Signature)?;

        let mut payload = CborReader::new(self.payload);
        payload.tag(24)?;
        let mut signed = CborReader::new(payload.bytes()?);
        payload.end()?;
        let [version, algorithm, digests, device, kind, validity, time_required] = signed.text_map(["1", "2", "3", "4", "5", "6", "7"])?;
        signed.end()?;
        if version.ok_or(CborError::Missing)?.text()? != "1.0" || algorithm.ok_or(CborError::Missing)?.text()? != "SHA-256" {
            return Err(DocumentError::Version);
        }
        if kind.ok_or(CborError::Missing)?.text()? != self.kind.name() {
            return Err(DocumentError::Type);
        }
        match (self.kind, device) {
            (DocType::Access, Some(mut device)) => {
                let [key] = device.text_map(["1"])?;
                if device_key(&mut key.ok_or(CborError::Missing)?)? != *credential {
                    return Err(DocumentError::DeviceKey);
                }
            }
            (DocType::Access, None) => return Err(DocumentError::DeviceKey),
            // It binds nobody: any phone may carry it.
            (DocType::Revocation, None) => {}
            (DocType::Revocation, Some(_)) => return Err(DocumentError::Value),
        }
        self.check_digests(crypto, &mut digests.ok_or(CborError::Missing)?)?;

        let [signed, from, until, _update, iteration] = validity.ok_or(CborError::Missing)?.text_map(["1", "2", "3", "4", "5"])?;
        Ok(Verified {
            kind: self.kind,
            issuer: *issuer,
            signed: time(signed)?,
            valid_from: time(from)?,
            valid_until: time(until)?,
            iteration: iteration.map(|mut iteration| iteration.uint()).transpose()?,
            time_required: time_required.map(|mut required| required.bool()).transpose()?.unwrap_or(false),
            items: self.items.clone(),
        })
    }

    /// Every element must have the digest that was signed for its number.
    fn check_digests<C: Crypto>(&self, crypto: &C, digests: &mut CborReader<'_>) -> Result<(), DocumentError> {
        if digests.map()? != 1 || digests.text()? != self.kind.name() {
            return Err(DocumentError::Type);
        }
        let count = digests.map()?;
        let mut items = self.items.clone();
        for _ in 0..items.array()? {
            let raw = items.raw()?;
            let number = Element::parse(raw)?.number;
            let (mut search, mut signed) = (digests.clone(), None);
            for _ in 0..count {
                let (candidate, digest) = (search.uint()?, search.bytes()?);
                if candidate == number && signed.replace(digest).is_some() {
                    return Err(CborError::Duplicate.into());
                }
            }
            if !signed.is_some_and(|signed| equal(signed, &crypto.sha256(&[raw]))) {
                return Err(DocumentError::Digest);
            }
        }
        Ok(())
    }
}

fn time(field: Option<CborReader<'_>>) -> Result<Instant, DocumentError> {
    let mut field = field.ok_or(CborError::Missing)?;
    field.tag(0)?;
    Instant::from_rfc3339(field.text()?.as_bytes()).ok_or(DocumentError::Time)
}

/// A key in the form of COSE: type 2, curve 1, x and y of 32 bytes.
fn device_key(reader: &mut CborReader<'_>) -> Result<PublicKey, DocumentError> {
    let (mut kind, mut curve, mut x, mut y) = (None, None, None, None);
    for _ in 0..reader.map()? {
        let twice = match reader.item()? {
            Item::Uint(1) => kind.replace(reader.uint()?).is_some(),
            Item::Uint(3) if reader.item()? == Item::Negative(6) => false,
            Item::Negative(0) => curve.replace(reader.uint()?).is_some(),
            Item::Negative(1) => x.replace(reader.bytes()?).is_some(),
            Item::Negative(2) => y.replace(reader.bytes()?).is_some(),
            _ => return Err(CborError::UnknownKey.into()),
        };
        if twice {
            return Err(CborError::Duplicate.into());
        }
    }
    let (Some(2), Some(1), Some(x), Some(y)) = (kind, curve, x, y) else { return Err(DocumentError::DeviceKey) };
    let mut key = Bytes::<65>::from_slice(&[4])?;
    key.put(x)?;
    key.put(y)?;
    if x.len() != 32 {
        return Err(DocumentError::DeviceKey);
    }
    PublicKey::from_uncompressed(&key).map_err(|_| DocumentError::DeviceKey)
}

/// One signed element.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    number: u64,
    /// Its name, as `floor1`.
    pub name: &'a str,
    /// What it says: CBOR for [`super::access_data`] or [`super::revocation`].
    pub value: &'a [u8],
}

impl<'a> Element<'a> {
    fn parse(raw: &'a [u8]) -> Result<Self, DocumentError> {
        let mut outer = CborReader::new(raw);
        outer.tag(24)?;
        let mut inner = CborReader::new(outer.bytes()?);
        let [number, random, name, value] = inner.text_map(["1", "2", "3", "4"])?;
        inner.end()?;
        // Unguessable, so that a digest does not tell the value.
        if random.ok_or(CborError::Missing)?.bytes()?.len() < 8 {
            return Err(DocumentError::Value);
        }
        Ok(Self {
            number: number.ok_or(CborError::Missing)?.uint()?,
            name: name.ok_or(CborError::Missing)?.text()?,
            value: value.ok_or(CborError::Missing)?.rest(),
        })
    }
}

/// A document that is believed.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    /// What it is about.
    pub kind: DocType,
    /// Who signed it.
    pub issuer: PublicKey,
    /// When.
    pub signed: Instant,
    /// From when on it may be used, this second included.
    pub valid_from: Instant,
    /// Until when it may be used, this second included.
    pub valid_until: Instant,
    /// Grows with every withdrawal: see [`Iterations`].
    pub iteration: Option<u64>,
    /// Whether a lock without trusted time must refuse it.
    pub time_required: bool,
    items: CborReader<'a>,
}

impl<'a> Verified<'a> {
    /// The element with this name.
    ///
    /// # Errors
    /// [`DocumentError::Cbor`], never: all elements were read before.
    pub fn element(&self, name: &str) -> Result<Option<Element<'a>>, DocumentError> {
        let mut items = self.items.clone();
        for _ in 0..items.array()? {
            let element = Element::parse(items.raw()?)?;
            if element.name == name {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }
}

/// The highest iterations that a reader has seen of one issuer; it never forgets them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Iterations {
    /// Of Access Documents.
    pub access: u64,
    /// Of Revocation Documents.
    pub revocation: u64,
}

impl Iterations {
    /// Judges a document's iteration and gives what is to be stored. An Access Document may lag by seven, a Revocation Document not at all; one
    /// without an iteration is not judged (7.2.3).
    ///
    /// # Errors
    /// [`DocumentError::Iteration`].
    pub fn judge(self, kind: DocType, iteration: Option<u64>) -> Result<Self, DocumentError> {
        let Some(iteration) = iteration else { return Ok(self) };
        match kind {
            DocType::Access if self.access.saturating_sub(iteration) >= ACCESS_ITERATION_LAG => Err(DocumentError::Iteration),
            DocType::Revocation if iteration < self.revocation => Err(DocumentError::Iteration),
            DocType::Access => Ok(Self { access: self.access.max(iteration), ..self }),
            DocType::Revocation => Ok(Self { revocation: iteration, ..self }),
        }
    }
}
