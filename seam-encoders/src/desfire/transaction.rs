//! Transactions: what is committed together, and the MAC that a card gives over it.
//!
//! Source: MF2DL(H)x0 section 10.3 (DESFire Light), as restated by proxmark3 and the notes of public readers. The session keys reproduce
//! proxmark3's numbers; no public number covers a whole transaction of a full DESFire.
use std::fmt;
use zeroize::Zeroizing;

use super::card::{Desfire, Protection};
use super::ins;
use super::keys::empty;
use super::types::{AccessRights, CommMode};
use crate::crypto::{BlockCipher, MacKey, equal, truncated};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// What a card says of a transaction that it committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transacted {
    /// How many transactions the application has seen, this one included.
    pub counter: u32,
    /// The MAC over all that was read and written.
    pub value: [u8; 8],
}

impl Desfire {
    /// Makes all changes since the last commit final: those of backup files, values and records.
    ///
    /// # Errors
    /// [`CardError::Status`] 910C when there is nothing to commit.
    pub async fn commit(&mut self) -> Result<(), CardError> {
        empty(&self.exchange(ins::COMMIT_TRANSACTION, &[], &[], Protection::Management).await?)
    }

    /// As [`commit`](Self::commit), in an application with a file for transaction MACs.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); an error of the card when the application has no such file.
    pub async fn commit_with_mac(&mut self) -> Result<Transacted, CardError> {
        let answer = self.exchange(ins::COMMIT_TRANSACTION, &[0x01], &[], Protection::Management).await?;
        match answer[..] {
            [a, b, c, d, ref value @ ..] => Ok(Transacted {
                counter: u32::from_le_bytes([a, b, c, d]),
                value: value.try_into().map_err(|_| CardError::Garbage("a transaction MAC that is not 8 bytes"))?,
            }),
            _ => Err(CardError::Garbage("a transaction MAC that is too short")),
        }
    }

    /// Drops all changes since the last commit.
    ///
    /// # Errors
    /// [`CardError::Status`] 910C when there is nothing to drop.
    pub async fn abort(&mut self) -> Result<(), CardError> {
        empty(&self.exchange(ins::ABORT_TRANSACTION, &[], &[], Protection::Management).await?)
    }

    /// Makes the file that keeps the counter and MAC of transactions (EV2 and later); needs a session. `rights.read` is who may read it.
    ///
    /// # Errors
    /// [`CardError::Unsupported`] with a key that is not AES; [`CardError::Status`] 91DE when there is one.
    pub async fn create_transaction_mac_file(
        &mut self,
        file: u8,
        mode: CommMode,
        rights: AccessRights,
        key: &Key,
    ) -> Result<(), CardError> {
        if key.kind() != KeyType::Aes128 {
            return Err(CardError::Unsupported("a transaction MAC with a key that is not AES"));
        }
        let [low, high] = rights.wire()?;
        // 02: the key is AES.
        let header = [file, mode.wire(), low, high, 0x02];
        let mut data = Zeroizing::new(Vec::with_capacity(17));
        data.extend_from_slice(key.bytes());
        data.push(key.version());
        empty(&self.exchange(ins::CREATE_TRANSACTION_MAC_FILE, &header, &data, Protection::Write(CommMode::Full)).await?)
    }
}

/// The key of one transaction, for the backend that checks its MAC.
#[derive(Clone, Debug)]
pub struct TransactionMacKey(MacKey);

impl TransactionMacKey {
    /// From the application's transaction MAC key, the serial number and the counter **with** this transaction, as the commit told it.
    ///
    /// # Errors
    /// [`CardError::Unsupported`] with a key that is not AES.
    pub fn derive(key: &Key, uid: &[u8; 7], counter: u32) -> Result<Self, CardError> {
        let [mac, _] = transaction_key_bytes(key, uid, counter)?;
        Ok(Self(MacKey::new(BlockCipher::aes(&mac))))
    }

    /// Whether this is the MAC over this transaction, in constant time.
    #[must_use]
    pub fn verify(&self, transaction: &TransactionMac, value: &[u8; 8]) -> bool {
        equal(&truncated(self.0.cmac(&[&transaction.input])), value)
    }
}

/// The bytes of the keys for the MAC of one transaction, and for the number of the reader that may be part of it.
///
/// # Errors
/// [`CardError::Unsupported`] with a key that is not AES.
pub fn transaction_key_bytes(key: &Key, uid: &[u8; 7], counter: u32) -> Result<[Zeroizing<[u8; 16]>; 2], CardError> {
    if key.kind() != KeyType::Aes128 {
        return Err(CardError::Unsupported("a transaction MAC with a key that is not AES"));
    }
    let derivation = MacKey::new(key.cipher());
    Ok([0x5A, 0xA5].map(|label| Zeroizing::new(derivation.cmac(&[&[label, 0x00, 0x01, 0x00, 0x80], &counter.to_le_bytes(), uid]))))
}

/// What a transaction MAC is over: each command of the transaction in its order, with its data in the clear, in blocks of 16 bytes.
/// `Debug` shows how many bytes that is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TransactionMac {
    input: Vec<u8>,
}

impl fmt::Debug for TransactionMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionMac({} bytes)", self.input.len())
    }
}

impl TransactionMac {
    /// Data or records were read or written: the command ([`ins`]), the file, from where, how many, and what.
    #[must_use]
    pub fn data(mut self, ins: u8, file: u8, [a, b, c]: [u8; 3], [d, e, f]: [u8; 3], data: &[u8]) -> Self {
        self.push(&[ins, file, a, b, c, d, e, f]);
        self.push(data);
        self
    }
    /// A value was read or changed: the command, the file and the number.
    #[must_use]
    pub fn value(mut self, ins: u8, file: u8, number: i32) -> Self {
        let [a, b, c, d] = number.to_le_bytes();
        self.push(&[ins, file, a, b, c, d]);
        self
    }
    /// Records were cleared.
    #[must_use]
    pub fn clear(mut self, file: u8) -> Self {
        self.push(&[ins::CLEAR_RECORD_FILE, file]);
        self
    }
    fn push(&mut self, part: &[u8]) {
        self.input.extend_from_slice(part);
        self.input.resize(self.input.len().next_multiple_of(16), 0);
    }
}
