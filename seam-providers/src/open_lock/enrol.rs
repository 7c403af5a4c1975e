//! What a phone shows before a key is made for it: that it holds the key, here and now, for this person.
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Crypto as _, PublicKey, Signature};
use seam_core::model::{UserIdentityId, WorkspaceId};
use seam_core::provider::{Failure, Reason, Tag};

/// What separates this signature from everything else that the same key signs.
const DOMAIN: &[u8; 16] = b"seam-enrol-key01";

/// For whom a phone is enrolled: the host knows it by its own login, or by an instant key that was redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a proof is bound to exactly these")]
pub struct Applicant {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The person.
    pub person: UserIdentityId,
}

/// A nonce that one answer may be made to, once and within some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// Random.
    pub nonce: [u8; 32],
}

/// A phone's answer for one key: it signs with the key that it wants enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the phone's side makes it of these three")]
pub struct Proof {
    /// Which key of the person: our tag of it, the 32 hexadecimal digits of the credential's id.
    pub credential: Tag,
    /// The phone's public key. One of its own for each credential: it can then be revoked alone.
    pub public_key: PublicKey,
    /// Over [`proof_bytes`].
    pub signature: Signature,
}

/// What the phone signs (ECDSA, P-256, SHA-256): `"seam-enrol-key01" ‖ nonce (32) ‖ workspace (16) ‖ person (16) ‖ length of the tag (1) ‖ tag ‖
/// public key (65)`.
#[must_use]
pub fn proof_bytes(applicant: &Applicant, nonce: &[u8; 32], credential: &Tag, public_key: &PublicKey) -> Vec<u8> {
    let tag = credential.0.as_bytes();
    let length = [u8::try_from(tag.len()).unwrap_or(u8::MAX)];
    let workspace = applicant.workspace.uuid();
    let person = applicant.person.uuid();
    [&DOMAIN[..], nonce, workspace.as_bytes(), person.as_bytes(), &length, tag, public_key.as_bytes()].concat()
}

impl Proof {
    /// Checks that the phone holds the key.
    ///
    /// # Errors
    /// `Refused` (`Unauthenticated`): it does not say which part is wrong.
    pub(super) fn check(&self, applicant: &Applicant, challenge: &Challenge) -> Result<(), Failure> {
        let wrong = || Failure::refused(Reason::Unauthenticated, "the phone did not prove that it holds the key");
        if self.credential.0.len() > 32 {
            return Err(wrong());
        }
        let message = proof_bytes(applicant, &challenge.nonce, &self.credential, &self.public_key);
        RustCrypto.verify(&self.public_key, &message, &self.signature).map_err(|_| wrong())
    }
}
