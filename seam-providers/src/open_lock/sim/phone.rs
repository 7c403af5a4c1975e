//! A virtual phone.
use super::super::{Applicant, Desk, Document, DocumentForm, Proof, proof_bytes};
use seam_ble::crypto::rustcrypto::SoftwareKey;
use seam_ble::crypto::{PublicKey, Secret, Signature, SigningKey as _};
use seam_ble::lock::{EntranceId, TIME_CHALLENGE_LEN};
use seam_core::provider::{Failure, Reason, Tag};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A key pair of a phone.
#[derive(Debug)]
pub(super) struct PhoneKey {
    credential: Tag,
    key: SoftwareKey,
}

impl PhoneKey {
    pub(super) fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }
    pub(super) fn key(&self) -> &SoftwareKey {
        &self.key
    }
    pub(super) fn prove(&self, challenge: &[u8; TIME_CHALLENGE_LEN]) -> ([u8; TIME_CHALLENGE_LEN], Option<Signature>) {
        (*challenge, self.key.sign(challenge).ok())
    }
}

/// A phone: several keys, what was handed out for them, and the newest list of revocations that it has seen.
#[derive(Debug)]
pub struct Phone {
    seed: u8,
    keys: Vec<(PhoneKey, Vec<Document>)>,
    revocations: Vec<u8>,
    form: DocumentForm,
    /// What doors have said of themselves, until there is a connection.
    receipts: Mutex<BTreeMap<[u8; 16], Vec<u8>>>,
}

impl Phone {
    /// A phone without keys. `seed`: what its keys are made of; two phones with the same one are clones.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self { seed, keys: Vec::new(), revocations: Vec::new(), form: DocumentForm::Compact, receipts: Mutex::default() }
    }
    /// Makes a key pair for a credential and proves it.
    ///
    /// # Errors
    /// Never: the seed makes a key.
    pub fn make_key(&mut self, applicant: &Applicant, nonce: &[u8; 32], credential: &Tag) -> Result<Proof, Failure> {
        let mut bytes = [self.seed; 32];
        // Each key of its own, and the curve's order is not reached.
        bytes[0] = 1;
        bytes[1] = u8::try_from(self.keys.len()).unwrap_or(u8::MAX);
        let no_key = |_| Failure::refused(Reason::Other, "the seed makes no key");
        let key = SoftwareKey::from_bytes(&Secret::new(bytes)).map_err(no_key)?;
        let public_key = key.public_key();
        let signature = key.sign(&proof_bytes(applicant, nonce, credential, &public_key)).map_err(no_key)?;
        self.keys.push((PhoneKey { credential: credential.clone(), key }, Vec::new()));
        Ok(Proof { credential: credential.clone(), public_key, signature })
    }
    /// Enrols a new key for a credential.
    ///
    /// # Errors
    /// What the desk reports.
    pub async fn enrol(&mut self, desk: &Desk, applicant: &Applicant, credential: &Tag) -> Result<(), Failure> {
        let challenge = desk.challenge(applicant).await?;
        let proof = self.make_key(applicant, &challenge.nonce, credential)?;
        desk.enrol(applicant, &challenge, &[proof]).await
    }
    /// Has a connection for a moment: hands in the doors' receipts, and fetches its documents and the list.
    ///
    /// # Errors
    /// What the desk reports; it then keeps what it had.
    pub async fn sync(&mut self, desk: &Desk) -> Result<(), Failure> {
        let receipts = std::mem::take(&mut *self.receipts.lock().unwrap_or_else(PoisonError::into_inner));
        for receipt in receipts.values() {
            match desk.heard(receipt).await {
                // Nobody has said which lock hangs there.
                Err(failure) if failure.reason == Reason::NotThere => {}
                heard => heard?,
            }
        }
        (self.revocations, self.form) = (desk.revocations().await?, desk.form());
        for (key, documents) in &mut self.keys {
            let wallet = desk.wallet(&key.public_key()).await?;
            // A phone keeps what it had: only the doors forget.
            if !wallet.documents.is_empty() {
                *documents = wallet.documents;
            }
        }
        Ok(())
    }
    /// The public key that it made for a credential last.
    #[must_use]
    pub fn public_key(&self, credential: &Tag) -> Option<PublicKey> {
        self.keys.iter().rev().find(|(key, _)| key.credential == *credential).map(|(key, _)| key.public_key())
    }
    pub(super) fn take_along(&self, door: EntranceId, receipt: &[u8]) {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner).insert(door.0, receipt.to_vec());
    }
    /// Carries this list instead of the one that it fetched.
    #[cfg(test)]
    pub(in super::super) fn carry(&mut self, list: Vec<u8>) {
        self.revocations = list;
    }
    /// Whether all of its documents are Aliro's.
    #[cfg(test)]
    pub(in super::super) fn shows_aliro(&self) -> bool {
        self.keys.iter().flat_map(|(_, documents)| documents).all(|document| document.form == DocumentForm::Aliro)
    }
    pub(super) fn keys(&self) -> &[(PhoneKey, Vec<Document>)] {
        &self.keys
    }
    pub(super) fn revocations(&self) -> &[u8] {
        &self.revocations
    }
    /// In what form its list is.
    pub(super) fn form(&self) -> DocumentForm {
        self.form
    }
}
