//! An encrypted channel: AES-256-GCM with a key, a nonce prefix and a counter per direction.

use super::keys::ChannelKeys;
use super::unsettled::{BLE_DEVICE_NONCE_PREFIX, COUNTER_LIMIT};
use super::{AliroError, Interface};
use crate::crypto::{Crypto, Secret, TAG};

/// The first eight bytes of the nonce for what the reader sends.
const READER_PREFIX: [u8; 8] = [0; 8];
/// The same for the device, in AUTH1, EXCHANGE and ENVELOPE.
const DEVICE_PREFIX: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

/// Whose end of the channel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The lock's.
    Reader,
    /// The phone's.
    Device,
}

#[derive(Debug)]
struct Direction {
    key: Secret<32>,
    prefix: [u8; 8],
    /// Of the next message; the first has 1.
    counter: u32,
}

impl Direction {
    fn nonce(&self) -> Result<[u8; 12], AliroError> {
        if self.counter >= COUNTER_LIMIT {
            return Err(AliroError::ChannelClosed);
        }
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&self.prefix);
        nonce[8..].copy_from_slice(&self.counter.to_be_bytes());
        Ok(nonce)
    }
}

/// One end. The first message that does not open closes it and erases its keys: an attacker has one try, and the two counters never part.
#[derive(Debug)]
pub struct Channel {
    directions: Option<(Direction, Direction)>,
}

impl Channel {
    /// The channel of AUTH1, EXCHANGE and ENVELOPE.
    pub fn new(side: Side, keys: ChannelKeys) -> Self {
        Self::with_prefix(side, keys, DEVICE_PREFIX)
    }

    /// The channel of BLE messages that are no commands.
    pub fn ble(side: Side, keys: ChannelKeys) -> Self {
        Self::with_prefix(side, keys, BLE_DEVICE_NONCE_PREFIX)
    }

    fn with_prefix(side: Side, keys: ChannelKeys, device_prefix: [u8; 8]) -> Self {
        let reader = Direction { key: keys.reader, prefix: READER_PREFIX, counter: 1 };
        let device = Direction { key: keys.device, prefix: device_prefix, counter: 1 };
        Self { directions: Some(if side == Side::Reader { (reader, device) } else { (device, reader) }) }
    }

    /// Whether it still carries messages.
    pub fn is_open(&self) -> bool {
        self.directions.is_some()
    }

    /// Ends it and erases its keys.
    pub fn close(&mut self) {
        self.directions = None;
    }

    /// Encrypts `data` in place and gives the tag to send behind it.
    ///
    /// # Errors
    /// [`AliroError::ChannelClosed`] after an error or 65 534 messages.
    pub fn seal<C: Crypto>(&mut self, crypto: &C, associated: &[u8], data: &mut [u8]) -> Result<[u8; TAG], AliroError> {
        let (out, _) = self.directions.as_mut().ok_or(AliroError::ChannelClosed)?;
        let sealed = out.nonce().and_then(|nonce| Ok(crypto.gcm_seal(&out.key, &nonce, associated, data)?));
        out.counter += 1;
        if sealed.is_err() {
            self.close();
        }
        sealed
    }

    /// Decrypts `sealed` (cipher text and tag) in place and gives the text.
    ///
    /// # Errors
    /// [`AliroError::Short`], [`AliroError::Crypto`] or [`AliroError::ChannelClosed`]; each closes the channel.
    pub fn open<'m, C: Crypto>(&mut self, crypto: &C, associated: &[u8], sealed: &'m mut [u8]) -> Result<&'m mut [u8], AliroError> {
        let opened = self.try_open(crypto, associated, sealed);
        if opened.is_err() {
            self.close();
        }
        opened
    }

    fn try_open<'m, C: Crypto>(&mut self, crypto: &C, associated: &[u8], sealed: &'m mut [u8]) -> Result<&'m mut [u8], AliroError> {
        let (_, incoming) = self.directions.as_mut().ok_or(AliroError::ChannelClosed)?;
        let (data, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or(AliroError::Short)?;
        crypto.gcm_open(&incoming.key, &incoming.nonce()?, associated, data, tag)?;
        incoming.counter += 1;
        Ok(data)
    }

    /// The counters of the next message out and in.
    #[doc(hidden)]
    pub fn counters_mut(&mut self) -> Option<[&mut u32; 2]> {
        self.directions.as_mut().map(|(out, incoming)| [&mut out.counter, &mut incoming.counter])
    }
}

/// What both phases leave behind: the channel for EXCHANGE and the keys for what may follow.
#[derive(Debug)]
pub struct SessionKeys {
    /// For EXCHANGE.
    pub exchange: Channel,
    /// For ENVELOPE; none after the fast phase.
    pub step_up: Option<Secret<32>>,
    /// For the BLE channel.
    pub ble: Secret<32>,
    /// For UWB.
    pub ranging: Secret<32>,
    /// What carried the transaction.
    pub interface: Interface,
}
