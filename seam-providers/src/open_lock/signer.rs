//! The key that signs for the locks of a site.
use async_trait::async_trait;
use seam_ble::crypto::rustcrypto::SoftwareKey;
use seam_ble::crypto::{CryptoError, PublicKey, Secret, Signature, SigningKey};
use seam_core::provider::{Failure, Reason};
use std::cell::RefCell;
use std::fmt;

/// Signs documents: ECDSA over P-256 and SHA-256. The place for a hardware security module or a signing service; the locks of a site believe its
/// public key.
///
/// `Debug` must show nothing of the private key.
#[async_trait]
pub trait DocumentSigner: fmt::Debug + Send + Sync + 'static {
    /// The public half, as the locks were fitted with it.
    fn public_key(&self) -> PublicKey;
    /// Signs.
    ///
    /// # Errors
    /// `Nothing` when the key's holder cannot be reached now, `Refused` when it declines.
    async fn sign(&self, message: &[u8]) -> Result<Signature, Failure>;
}

/// A signing key in this process's memory: for tests, and for sites without a module of their own.
pub struct KeyInMemory(SoftwareKey);

impl KeyInMemory {
    /// A key from its 32 bytes. They are erased when this returns; where they came from is the caller's to guard.
    ///
    /// # Errors
    /// `Refused` when they are no private key: zero, or not below the order of the curve.
    pub fn new(bytes: [u8; 32]) -> Result<Self, Failure> {
        let key = SoftwareKey::from_bytes(&Secret::new(bytes));
        key.map(Self).map_err(|_| Failure::refused(Reason::Invalid, "the bytes are no private key of P-256"))
    }
}

impl fmt::Debug for KeyInMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyInMemory").field(&self.0.public_key()).finish()
    }
}

#[async_trait]
impl DocumentSigner for KeyInMemory {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }
    async fn sign(&self, message: &[u8]) -> Result<Signature, Failure> {
        self.0.sign(message).map_err(|_| Failure::refused(Reason::Other, "the key in memory did not sign"))
    }
}

/// A signer as the protocol code takes it, which does not wait: the first pass learns what is to be signed, the second one has the signature.
pub(super) struct Pass {
    public: PublicKey,
    asked: RefCell<Vec<u8>>,
    answer: Option<Signature>,
}

impl SigningKey for Pass {
    fn public_key(&self) -> PublicKey {
        self.public
    }
    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        match &self.answer {
            None => {
                *self.asked.borrow_mut() = message.to_vec();
                Ok(Signature::new([0; 64]))
            }
            // What is written the second time is what was signed, or nothing at all.
            Some(signature) if *self.asked.borrow() == message => Ok(*signature),
            Some(_) => Err(CryptoError::Device),
        }
    }
}

/// Writes something with one signature in it. `write` is asked twice and has to write the same both times.
///
/// # Errors
/// What the signer reports; `Refused` for what cannot be written.
pub(super) async fn signed<T>(signer: &dyn DocumentSigner, write: impl Fn(&Pass) -> Result<T, CryptoError>) -> Result<T, Failure> {
    let not_written = |_: CryptoError| Failure::refused(Reason::Other, "the document could not be written");
    let public = signer.public_key();
    let message = {
        let first = Pass { public, asked: RefCell::default(), answer: None };
        write(&first).map_err(not_written)?;
        first.asked.into_inner()
    };
    let signature = signer.sign(&message).await?;
    write(&Pass { public, asked: RefCell::new(message), answer: Some(signature) }).map_err(not_written)
}
