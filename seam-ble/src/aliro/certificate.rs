//! The reader's certificate, profile 0000: an X.509 certificate reduced to what differs from a template.
//!
//! It is verified by writing the certificate out again and checking the issuer's signature over it, so only one certificate fits a given
//! profile. Verified against the four worked examples of chapter 14.1 as quoted by `kormax/python-aliro-reader`.

use super::{AliroError, Instant};
use crate::bytes::{Bytes, Full, Writer};
use crate::crypto::{Crypto, PublicKey, Signature, SigningKey};
use crate::tlv::{self, Reader as TlvReader, TlvError};

/// The most bytes of a certificate in its reduced form: all fields given, each of the longest form.
pub const PROFILE_MAX: usize = 288;
/// The most bytes of the whole X.509 certificate.
pub const X509_MAX: usize = 448;

const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const EC_PUBLIC_KEY: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const ECDSA_SHA256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// What a certificate says, without its signature. Fields that equal the template's are left out of the reduced form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// 1 to 20 bytes, a number without leading zeros.
    pub serial: &'a [u8],
    /// 1 to 32 bytes of UTF-8.
    pub issuer: &'a [u8],
    /// As X.509 writes it: `yymmddhhmmssZ` or `yyyymmddhhmmssZ`.
    pub not_before: &'a [u8],
    /// The same form.
    pub not_after: &'a [u8],
    /// 1 to 32 bytes of UTF-8.
    pub subject: &'a [u8],
    /// The reader's key.
    pub key: PublicKey,
}

impl Content<'static> {
    /// A certificate for `key` whose other fields are the template's: valid from 2020 to 2049.
    pub const fn template(key: PublicKey) -> Self {
        Self { serial: &[1], issuer: b"issuer", not_before: b"200101000000Z", not_after: b"490101000000Z", subject: b"subject", key }
    }
}

impl<'a> Content<'a> {
    /// When it begins and ends to be valid.
    ///
    /// # Errors
    /// [`AliroError::Certificate`] when a time is none, or the end is not after the beginning.
    pub fn validity(&self) -> Result<(Instant, Instant), AliroError> {
        match (Instant::from_x509(self.not_before), Instant::from_x509(self.not_after)) {
            (Some(from), Some(until)) if from < until => Ok((from, until)),
            _ => Err(AliroError::Certificate),
        }
    }

    fn check(&self) -> Result<(), AliroError> {
        let name = |name: &[u8]| (1..=32).contains(&name.len()) && core::str::from_utf8(name).is_ok();
        let serial = (1..=20).contains(&self.serial.len()) && self.serial[0] != 0;
        if serial && name(self.issuer) && name(self.subject) { self.validity().map(|_| ()) } else { Err(AliroError::Certificate) }
    }

    /// The part of the X.509 certificate that is signed.
    fn signed_part<C: Crypto>(&self, crypto: &C, issuer: &PublicKey) -> Result<Bytes<X509_MAX>, Full> {
        sequence(0x30, |out| {
            out.put(&[0xA0, 3, 2, 1, 2])?; // version 3
            let sign = [0_u8; 1];
            tlv::put(out, 0x02, &[if self.serial[0] & 0x80 != 0 { &sign } else { &[] }, self.serial])?;
            out.put(&algorithm()?)?;
            out.put(&common_name(self.issuer)?)?;
            out.put(&sequence::<40>(0x30, |out| {
                [self.not_before, self.not_after]
                    .iter()
                    .try_for_each(|time| tlv::put(out, if time.len() == 13 { 0x17 } else { 0x18 }, &[time]))
            })?)?;
            out.put(&common_name(self.subject)?)?;
            out.put(&sequence::<96>(0x30, |out| {
                out.put(&sequence::<24>(0x30, |out| {
                    tlv::put(out, 0x06, &[&EC_PUBLIC_KEY])?;
                    tlv::put(out, 0x06, &[&P256])
                })?)?;
                tlv::put(out, 0x03, &[&[0], self.key.as_bytes()])
            })?)?;
            out.put(&sequence::<80>(0xA3, |out| out.put(&extensions(crypto, issuer)?))?)
        })
    }
}

fn sequence<const N: usize>(tag: u16, inner: impl FnOnce(&mut Writer<'_>) -> Result<(), Full>) -> Result<Bytes<N>, Full> {
    let mut content = Bytes::<N>::new();
    content.fill(inner)?;
    let mut whole = Bytes::new();
    whole.fill(|out| tlv::put(out, tag, &[&content]))?;
    Ok(whole)
}

fn algorithm() -> Result<Bytes<16>, Full> {
    sequence(0x30, |out| tlv::put(out, 0x06, &[&ECDSA_SHA256]))
}

fn common_name(name: &[u8]) -> Result<Bytes<64>, Full> {
    sequence(0x30, |out| {
        out.put(&sequence::<56>(0x31, |out| {
            out.put(&sequence::<48>(0x30, |out| {
                tlv::put(out, 0x06, &[&COMMON_NAME])?;
                tlv::put(out, 0x0C, &[name])
            })?)
        })?)
    })
}

/// The issuer's key identifier, "no authority", and "for signatures".
fn extensions<C: Crypto>(crypto: &C, issuer: &PublicKey) -> Result<Bytes<72>, Full> {
    sequence(0x30, |out| {
        out.put(&[0x30, 0x1F, 0x06, 0x03, 0x55, 0x1D, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14])?;
        out.put(&crypto.sha1(&[issuer.as_bytes()]))?;
        out.put(&[0x30, 0x0C, 0x06, 0x03, 0x55, 0x1D, 0x13, 0x01, 0x01, 0xFF, 0x04, 0x02, 0x30, 0x00])?;
        out.put(&[0x30, 0x0E, 0x06, 0x03, 0x55, 0x1D, 0x0F, 0x01, 0x01, 0xFF, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80])
    })
}

/// A certificate as it was read; not verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile0000<'a> {
    /// What it says.
    pub content: Content<'a>,
    signature: &'a [u8],
}

impl<'a> Profile0000<'a> {
    /// Reads the reduced form.
    ///
    /// # Errors
    /// [`AliroError::Tlv`] or [`AliroError::Certificate`]: fields in their order, none twice, none that equals the template's, none beyond
    /// its length.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AliroError> {
        let mut outer = TlvReader::new(bytes);
        let mut inner = TlvReader::new(outer.expect(0x30)?.value);
        outer.end()?;
        if inner.expect(0x04)?.value != [0, 0] {
            return Err(AliroError::Unsupported("a certificate profile other than 0000"));
        }
        let mut fields = TlvReader::new(inner.expect(0x30)?.value);
        inner.end()?;
        let mut found: [Option<&[u8]>; 7] = [None; 7];
        let mut least = 0x80;
        while let Some(field) = fields.next()? {
            if !(least..=0x86).contains(&field.tag) {
                return Err(TlvError::Unexpected(field.tag).into());
            }
            found[usize::from(field.tag - 0x80)] = Some(field.value);
            least = field.tag + 1;
        }
        let bits = |value: Option<&'a [u8]>, tag| match value.ok_or(TlvError::Missing(tag))? {
            [0, bits @ ..] => Ok(bits),
            _ => Err(TlvError::Value(tag)),
        };
        let template = Content::template(PublicKey::from_uncompressed(bits(found[5], 0x85)?)?);
        let field = |place: usize, default: &'static [u8]| match found[place] {
            Some(value) if value == default => Err(AliroError::Certificate),
            value => Ok(value.unwrap_or(default)),
        };
        let content = Content {
            serial: field(0, template.serial)?,
            issuer: field(1, template.issuer)?,
            not_before: field(2, template.not_before)?,
            not_after: field(3, template.not_after)?,
            subject: field(4, template.subject)?,
            key: template.key,
        };
        content.check()?;
        Ok(Self { content, signature: bits(found[6], 0x86)? })
    }

    /// Checks the issuer's signature and, when the time is known, the validity.
    ///
    /// # Errors
    /// [`AliroError::Certificate`].
    pub fn verify<C: Crypto>(&self, crypto: &C, issuer: &PublicKey, now: Option<Instant>) -> Result<PublicKey, AliroError> {
        let signed = self.content.signed_part(crypto, issuer)?;
        let signature = raw_signature(self.signature).ok_or(AliroError::Certificate)?;
        crypto.verify(issuer, &signed, &signature).map_err(|_| AliroError::Certificate)?;
        let (from, until) = self.content.validity()?;
        if now.is_some_and(|now| now < from || now > until) {
            return Err(AliroError::Certificate);
        }
        Ok(self.content.key)
    }

    /// The whole X.509 certificate in DER.
    ///
    /// # Errors
    /// [`AliroError::Full`], never for one that was read.
    pub fn to_x509<C: Crypto>(&self, crypto: &C, issuer: &PublicKey) -> Result<Bytes<X509_MAX>, AliroError> {
        let signed = self.content.signed_part(crypto, issuer)?;
        Ok(sequence(0x30, |out| {
            out.put(&signed)?;
            out.put(&algorithm()?)?;
            tlv::put(out, 0x03, &[&[0], self.signature])
        })?)
    }
}

/// Signs a certificate and writes its reduced form.
///
/// # Errors
/// [`AliroError::Certificate`] for fields that are too long or empty, [`AliroError::Crypto`] when the issuer's key does not answer.
pub fn issue<C: Crypto>(crypto: &C, issuer: &impl SigningKey, content: &Content<'_>) -> Result<Bytes<PROFILE_MAX>, AliroError> {
    content.check()?;
    let signature = issuer.sign(&content.signed_part(crypto, &issuer.public_key())?)?;
    let template = Content::template(content.key);
    let fields = [
        (content.serial, template.serial),
        (content.issuer, template.issuer),
        (content.not_before, template.not_before),
        (content.not_after, template.not_after),
        (content.subject, template.subject),
    ];
    let mut inner = Bytes::<PROFILE_MAX>::new();
    inner.fill(|out| {
        for (tag, (value, default)) in (0x80..).zip(fields) {
            if value != default {
                tlv::put(out, tag, &[value])?;
            }
        }
        tlv::put(out, 0x85, &[&[0], content.key.as_bytes()])?;
        tlv::put(out, 0x86, &[&[0], &der_signature(&signature)?])
    })?;
    Ok(sequence(0x30, |out| {
        out.put(&[0x04, 2, 0, 0])?;
        tlv::put(out, 0x30, &[&inner])
    })?)
}

/// `r ‖ s` out of DER: two positive integers in their shortest form.
fn raw_signature(der: &[u8]) -> Option<Signature> {
    let mut outer = TlvReader::new(der);
    let mut inner = TlvReader::new(outer.expect(0x30).ok()?.value);
    outer.end().ok()?;
    let mut raw = [0; 64];
    for half in raw.chunks_exact_mut(32) {
        let number = match inner.expect(0x02).ok()?.value {
            [0, rest @ ..] if rest.first().is_some_and(|first| *first > 0x7F) => rest,
            number @ [1..=0x7F, ..] => number,
            _ => return None,
        };
        half.get_mut(32_usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    }
    inner.end().ok()?;
    Some(Signature::new(raw))
}

fn der_signature(signature: &Signature) -> Result<Bytes<72>, Full> {
    sequence(0x30, |out| {
        signature.as_bytes().chunks_exact(32).try_for_each(|half| {
            let zeros = half.iter().take_while(|byte| **byte == 0).count().min(31);
            let number = &half[zeros..];
            tlv::put(out, 0x02, &[if number[0] & 0x80 != 0 { &[0] } else { &[] }, number])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_one_der_form() {
        let mut raw = [0x11; 64];
        raw[0] = 0x80; // needs a zero in front
        raw[32..40].fill(0); // needs none of its own
        let signature = Signature::new(raw);
        let der = der_signature(&signature).unwrap();
        assert_eq!(raw_signature(&der), Some(signature));
        for place in 0..4 {
            let mut changed = [0; 72];
            changed[..der.len()].copy_from_slice(&der);
            changed[place] ^= 1;
            assert_eq!(raw_signature(&changed[..der.len()]), None);
        }
        assert_eq!(raw_signature(&[0x30, 8, 2, 2, 0, 1, 2, 2, 0, 1]), None, "a zero too many");
        assert_eq!(raw_signature(&[0x30, 6, 2, 1, 0x80, 2, 1, 1]), None, "negative");
        assert_eq!(raw_signature(&[0x30, 6, 2, 1, 0, 2, 1, 1]), None, "zero");
    }
}
