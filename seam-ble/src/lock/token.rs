//! What the issuer signs for a lock, in its shortest form: a grant, a revocation list, the time.
//!
//! Aliro has documents for the first two, in CBOR and of some hundred bytes. They do not fit into the one Bluetooth message that PKOC has for
//! them, and a browser's key needs no more than this: which key, which entrance, which stay, from when to when. All numbers are big endian; each
//! kind begins with sixteen bytes of its own, so that a signature for one is never one for another.
use core::fmt;

use super::clock::{TIME_CHALLENGE_LEN, TimeToken, UnixTime};
use super::grant::{Authority, Claim, EntranceId, Grant, IssueNumber, KeyId, Role, SiteId, Window};
use super::state::{MAX_REVOKED, Revocations};
use crate::bytes::{Full, Writer};
use crate::crypto::{Crypto, CryptoError, PublicKey, Signature, SigningKey};

/// Length of a signed grant: kind 16, entrance 16, key 32, claim 1, issue number 8, start 8, end 8, flags 1, iteration 8, signature 64.
pub const SIGNED_GRANT_LEN: usize = SIGNED + 64;
/// Longest signed revocation list in bytes.
pub const MAX_REVOCATION_LIST: usize = LIST_HEAD + MAX_REVOKED * 32 + 64;

const GRANT: &[u8; 16] = b"seam-open-grant1";
const LIST: &[u8; 16] = b"seam-revocation2";
const SIGNED: usize = 16 + 16 + 32 + 1 + 8 + 8 + 8 + 1 + 8;
const LIST_HEAD: usize = 16 + 16 + 8 + 8 + 1;
/// The lock may open without knowing the time.
const WITHOUT_TIME: u8 = 1;

/// Why something signed was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantError {
    /// Another length, another kind, or a value that has no meaning.
    Format,
    /// None of the lock's issuers signed it.
    Signature,
    /// It was granted to another key than the phone has proven.
    OtherKey,
    /// It is another site's list. The same issuer may have several sites, and each counts its lists for itself.
    OtherSite,
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "what the phone carries is malformed",
            Self::Signature => "what the phone carries was signed by nobody that the lock knows",
            Self::OtherKey => "the grant belongs to another key",
            Self::OtherSite => "the revocation list is another site's",
        })
    }
}

impl core::error::Error for GrantError {}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// The grant has rules or schedules, for which the shortest form has no place. Without them it would open for more than was granted.
    Rules,
    /// The issuer's key does not answer.
    Key(CryptoError),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules => f.write_str("a signed grant has no place for rules and schedules"),
            Self::Key(e) => e.fmt(f),
        }
    }
}

impl core::error::Error for IssueError {}

impl From<CryptoError> for IssueError {
    fn from(error: CryptoError) -> Self {
        Self::Key(error)
    }
}

/// The name of a key in grants and revocation lists.
#[must_use]
pub fn key_id<C: Crypto>(crypto: &C, key: &PublicKey) -> KeyId {
    KeyId(crypto.sha256(&[key.as_bytes()]))
}

/// A grant with the issuer's signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignedGrant([u8; SIGNED_GRANT_LEN]);

impl fmt::Debug for SignedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedGrant(..)")
    }
}

impl SignedGrant {
    /// Signs a grant to open for one passage at any time within its window. Rules and schedules have no place in this form: a grant with them
    /// travels as an Aliro document.
    ///
    /// # Errors
    /// [`IssueError::Rules`] for a grant with rules or schedules of its own, [`IssueError::Key`] when the issuer's key does not answer.
    pub fn issue(issuer: &impl SigningKey, grant: &Grant<'_>) -> Result<Self, IssueError> {
        if !grant.is_plain() {
            return Err(IssueError::Rules);
        }
        let mut bytes = [0; SIGNED_GRANT_LEN];
        let (claim, issue) = match grant.claim {
            Claim::Stay { issue, role: Role::Override } => (1, issue.0),
            Claim::Stay { issue, role: Role::Joiner } => (2, issue.0),
            Claim::Staff => (3, 0),
            Claim::Common => (4, 0),
        };
        let flags = if grant.time_required { 0 } else { WITHOUT_TIME };
        let mut out = Writer::new(&mut bytes);
        let written = (|| {
            out.put(GRANT)?;
            out.put(&grant.entrance.0)?;
            out.put(&grant.key.0)?;
            out.byte(claim)?;
            out.put(&issue.to_be_bytes())?;
            out.put(&grant.window.starts.0.to_be_bytes())?;
            out.put(&grant.window.ends.0.to_be_bytes())?;
            out.byte(flags)?;
            out.put(&grant.iteration.to_be_bytes())
        })();
        written.map_err(|Full| CryptoError::Length)?;
        let signature = issuer.sign(&bytes[..SIGNED])?;
        bytes[SIGNED..].copy_from_slice(signature.as_bytes());
        Ok(Self(bytes))
    }

    /// As it travels.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SIGNED_GRANT_LEN] {
        &self.0
    }

    /// Checks a grant that a phone brought along, against the key that the phone has proven.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn verify<C: Crypto>(
        crypto: &C,
        bytes: &[u8],
        issuers: &[(PublicKey, Authority)],
        proven: &PublicKey,
    ) -> Result<Grant<'static>, GrantError> {
        let bytes: &[u8; SIGNED_GRANT_LEN] = bytes.try_into().map_err(|_| GrantError::Format)?;
        let (signed, signature) = bytes.split_at(SIGNED);
        let signature = Signature::from_slice(signature).map_err(|_| GrantError::Format)?;
        let mut fields = Fields(signed);
        if fields.take()? != *GRANT {
            return Err(GrantError::Format);
        }
        let (entrance, key) = (EntranceId(fields.take()?), KeyId(fields.take()?));
        let ([claim], issue) = (fields.take()?, IssueNumber(fields.number()?));
        let window = Window { starts: UnixTime(fields.number()?), ends: UnixTime(fields.number()?) };
        let ([flags], iteration) = (fields.take()?, fields.number()?);
        let claim = match (claim, issue.0) {
            (1, _) => Claim::Stay { issue, role: Role::Override },
            (2, _) => Claim::Stay { issue, role: Role::Joiner },
            (3, 0) => Claim::Staff,
            (4, 0) => Claim::Common,
            _ => return Err(GrantError::Format),
        };
        if flags & !WITHOUT_TIME != 0 {
            return Err(GrantError::Format);
        }
        let authority =
            issuers.iter().find(|(issuer, _)| crypto.verify(issuer, signed, &signature).is_ok()).map(|(_, authority)| *authority);
        let authority = authority.ok_or(GrantError::Signature)?;
        if key != key_id(crypto, proven) {
            return Err(GrantError::OtherKey);
        }
        let grant = Grant::new(entrance, key, claim, window).signed_by(authority).with_iteration(iteration);
        Ok(if flags & WITHOUT_TIME == 0 { grant } else { grant.without_time_proof() })
    }
}

/// Reads fields of a fixed length.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], GrantError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(GrantError::Format)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn number(&mut self) -> Result<u64, GrantError> {
        self.take().map(u64::from_be_bytes)
    }
}

/// Writes and signs a site's revocation list: kind 16, site 16, iteration 8, oldest good iteration of a grant 8, count 1, keys 32 each, signature 64.
///
/// The site is part of it because the number is: the list of a site with more revocations would put that of another one out of force.
///
/// # Errors
/// [`Full`] when `out` is too small (see [`MAX_REVOCATION_LIST`]) or the issuer's key does not answer.
pub fn sign_revocations(out: &mut Writer<'_>, issuer: &impl SigningKey, site: SiteId, list: &Revocations) -> Result<(), Full> {
    let start = out.len();
    out.put(LIST)?;
    out.put(&site.0)?;
    out.put(&list.iteration().to_be_bytes())?;
    out.put(&list.oldest_iteration().to_be_bytes())?;
    out.byte(u8::try_from(list.keys().len()).map_err(|_| Full)?)?;
    list.keys().iter().try_for_each(|key| out.put(&key.0))?;
    let signature = issuer.sign(&out.as_slice()[start..]).map_err(|_| Full)?;
    out.put(signature.as_bytes())
}

/// Checks a revocation list of this site. Whether it is newer than the one in force is asked by
/// [`LockState::with_revocations`](super::LockState::with_revocations).
///
/// # Errors
/// [`GrantError::Format`], [`GrantError::Signature`], [`GrantError::OtherSite`].
pub fn verify_revocations<C: Crypto>(crypto: &C, bytes: &[u8], issuer: &PublicKey, site: SiteId) -> Result<Revocations, GrantError> {
    let (signed, signature) = bytes.split_last_chunk::<64>().ok_or(GrantError::Format)?;
    let mut fields = Fields(signed);
    if fields.take()? != *LIST {
        return Err(GrantError::Format);
    }
    let (listed_for, iteration, oldest, [count]) = (SiteId(fields.take()?), fields.number()?, fields.number()?, fields.take()?);
    let (listed, odd) = fields.0.as_chunks::<32>();
    if !odd.is_empty() || listed.len() != usize::from(count) || listed.len() > MAX_REVOKED {
        return Err(GrantError::Format);
    }
    crypto.verify(issuer, signed, &Signature::new(*signature)).map_err(|_| GrantError::Signature)?;
    if listed_for != site {
        return Err(GrantError::OtherSite);
    }
    let mut keys = [KeyId([0; 32]); MAX_REVOKED];
    keys.iter_mut().zip(listed).for_each(|(key, bytes)| *key = KeyId(*bytes));
    Revocations::new(iteration, oldest, keys.get(..listed.len()).ok_or(GrantError::Format)?).map_err(|_| GrantError::Format)
}

/// Answers a lock's time challenge with the backend's time.
///
/// # Errors
/// [`CryptoError::Device`] when the key does not answer.
pub fn sign_time(
    authority: &impl SigningKey,
    entrance: EntranceId,
    challenge: [u8; TIME_CHALLENGE_LEN],
    time: UnixTime,
) -> Result<TimeToken, CryptoError> {
    let signature = authority.sign(&TimeToken::signed_bytes(entrance, &challenge, time))?;
    Ok(TimeToken { challenge, time, signature: *signature.as_bytes() })
}
