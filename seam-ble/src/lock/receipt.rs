//! What a lock says of its memory: the receipt for a revocation list and for the stay that it is in.
//!
//! A lock is offline, and what an issuer signs says nothing about what a lock has heard. So a lock may write a receipt into the mailbox of a phone
//! (EXCHANGE), which any phone carries back. It is signed with the key by which the lock proves itself to phones: the issuer knows that key from
//! fitting the lock, and another lock at the same door has another one. What it says never falls, so an old receipt that is shown again says less than
//! the newest one, and never something wrong. Aliro has no such thing in public: the content is ours, the way that it takes is Aliro's.
use super::grant::{EntranceId, IssueNumber, SiteId};
use super::journal::{Journal, Storage};
use super::token::{Fields, GrantError};
use crate::bytes::{Full, Writer};
use crate::crypto::{Crypto, CryptoError, PublicKey, Signature, SigningKey};

/// Length of a receipt in bytes: kind 16, site 16, entrance 16, iteration of the list 8, issue number 8, signature 64.
pub const RECEIPT_LEN: usize = SIGNED + 64;

const KIND: &[u8; 16] = b"seam-lock-heard1";
// Neither as long as what a reader signs in Aliro (126 bytes) nor as in PKOC (96): with one key, one is never the other.
const SIGNED: usize = 16 + 16 + 16 + 8 + 8;

/// What a lock has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// At which entrance.
    pub entrance: EntranceId,
    /// The number of the revocation list in force there; 0 before the first one.
    pub iteration: u64,
    /// The number of the stay that the entrance is in: keys of earlier ones do not open it any more.
    pub issue: IssueNumber,
}

impl Receipt {
    /// Signs what the lock's memory holds. It is asked of the [`Journal`] because what could still be lost with the power confirms nothing.
    ///
    /// # Errors
    /// [`CryptoError::Device`] when the lock's key does not answer.
    pub fn sign<S: Storage>(
        journal: &Journal<S>,
        site: SiteId,
        entrance: EntranceId,
        lock: &impl SigningKey,
    ) -> Result<[u8; RECEIPT_LEN], CryptoError> {
        let state = journal.state();
        let mut bytes = [0; RECEIPT_LEN];
        let mut out = Writer::new(&mut bytes);
        let written = (|| {
            out.put(KIND)?;
            out.put(&site.0)?;
            out.put(&entrance.0)?;
            out.put(&state.revocations().iteration().to_be_bytes())?;
            out.put(&state.issue().0.to_be_bytes())
        })();
        written.map_err(|Full| CryptoError::Length)?;
        let signature = lock.sign(&bytes[..SIGNED])?;
        bytes[SIGNED..].copy_from_slice(signature.as_bytes());
        Ok(bytes)
    }

    /// For which entrance a receipt is, before it is believed: to know whose key has to have signed it.
    ///
    /// # Errors
    /// [`GrantError::Format`].
    pub fn entrance_of(bytes: &[u8]) -> Result<EntranceId, GrantError> {
        Ok(read(bytes)?.1.entrance)
    }

    /// Checks a receipt that a phone brought back, of a lock of this site with this key.
    ///
    /// # Errors
    /// [`GrantError::Format`], [`GrantError::Signature`], [`GrantError::OtherSite`].
    pub fn verify<C: Crypto>(crypto: &C, bytes: &[u8], site: SiteId, lock: &PublicKey) -> Result<Self, GrantError> {
        let (of, receipt) = read(bytes)?;
        let (signed, signature) = bytes.split_at_checked(SIGNED).ok_or(GrantError::Format)?;
        let signature = Signature::from_slice(signature).map_err(|_| GrantError::Format)?;
        crypto.verify(lock, signed, &signature).map_err(|_| GrantError::Signature)?;
        if of == site { Ok(receipt) } else { Err(GrantError::OtherSite) }
    }
}

fn read(bytes: &[u8]) -> Result<(SiteId, Receipt), GrantError> {
    let bytes: &[u8; RECEIPT_LEN] = bytes.try_into().map_err(|_| GrantError::Format)?;
    let mut fields = Fields(bytes);
    if fields.take()? != *KIND {
        return Err(GrantError::Format);
    }
    let (site, entrance) = (SiteId(fields.take()?), EntranceId(fields.take()?));
    Ok((site, Receipt { entrance, iteration: fields.number()?, issue: IssueNumber(fields.number()?) }))
}
