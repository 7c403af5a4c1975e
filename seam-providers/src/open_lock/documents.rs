//! What the locks believe, as the issuer writes it: the one place that knows the form of the documents.
//!
//! The form is that of `seam_ble::lock`: one signed grant per phone and entrance, one signed list of revoked keys per site, one signed time per
//! challenge. Aliro's Access and Revocation Documents carry the same facts; they would be written here.
use super::book::unhex;
use super::ledger::{Opens, Revoked, Right};
use super::signer::{DocumentSigner, signed};
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{CryptoError, PublicKey};
use seam_ble::lock::{
    Claim, EntranceId, Grant, IssueNumber, KeyId, MAX_REVOCATION_LIST, Revocations, Role, SignedGrant, TIME_CHALLENGE_LEN, TimeToken,
    UnixTime, Window, key_id, sign_revocations, sign_time,
};
use seam_core::provider::{Failure, Reason};
use uuid::Uuid;

/// A document that a phone carries to one entrance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The entrance.
    pub entrance: Uuid,
    /// As the lock takes it.
    pub grant: SignedGrant,
}

/// The name of a phone's key in documents and lists.
pub(super) fn id_of(key: &PublicKey) -> KeyId {
    key_id(&RustCrypto, key)
}

/// Reads a public key that a record holds.
pub(super) fn read_key(text: &str) -> Result<PublicKey, Failure> {
    let bytes: Option<[u8; 65]> = unhex(text);
    let key = bytes.and_then(|bytes| PublicKey::from_uncompressed(&bytes).ok());
    key.ok_or_else(|| Failure::refused(Reason::Garbled, "a record of the issuer holds no public key"))
}

/// Signs a grant for one phone and one entrance.
pub(super) async fn grant(
    signer: &dyn DocumentSigner,
    opens: &Opens,
    phone: &PublicKey,
    window: Window,
    iteration: u64,
) -> Result<Document, Failure> {
    let claim = match opens.right {
        Right::Stay { issue, opens } => Claim::Stay { issue: IssueNumber(issue), role: if opens { Role::Override } else { Role::Joiner } },
        Right::Staff => Claim::Staff,
        Right::Common => Claim::Common,
    };
    let grant = Grant::new(EntranceId(*opens.entrance.as_bytes()), id_of(phone), claim, window).with_iteration(iteration);
    let grant = signed(signer, |key| SignedGrant::issue(key, &grant).map_err(|_| CryptoError::Device)).await?;
    Ok(Document { entrance: opens.entrance, grant })
}

/// Signs the site's list of revoked keys.
pub(super) async fn revocations(signer: &dyn DocumentSigner, revoked: &Revoked, now: u64) -> Result<Vec<u8>, Failure> {
    let mut keys = Vec::new();
    for key in revoked.listed(now) {
        keys.push(id_of(&read_key(&key.public_key)?));
    }
    let list = Revocations::new(revoked.iteration, 0, &keys).map_err(|_| Failure::refused(Reason::Full, "the list is too long"))?;
    signed(signer, |key| {
        let mut bytes = [0; MAX_REVOCATION_LIST];
        let mut out = Writer::new(&mut bytes);
        sign_revocations(&mut out, key, &list).map_err(|_| CryptoError::Device)?;
        Ok(out.as_slice().to_vec())
    })
    .await
}

/// Signs the time for a lock's challenge.
pub(super) async fn time(
    signer: &dyn DocumentSigner,
    entrance: Uuid,
    challenge: [u8; TIME_CHALLENGE_LEN],
    now: u64,
) -> Result<TimeToken, Failure> {
    signed(signer, |key| sign_time(key, EntranceId(*entrance.as_bytes()), challenge, UnixTime(now))).await
}
