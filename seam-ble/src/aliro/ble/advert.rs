//! The advertisement of a lock: which group it is of, seen by its phones only.
//!
//! Eight bytes of the group and two of the reader say whom it may concern; a tag made with the group's resolving key, the address and a time
//! says that it really is one, until its address changes. Verified against the three published tags.

use crate::aliro::unsettled::ADVERTISED_BLE_ONLY;
use crate::aliro::{AliroError, ReaderId};
use crate::bytes::{Full, Writer};
use crate::crypto::{Crypto, Secret, equal};

/// Bytes of the service data after the UUID.
pub const SERVICE_DATA: usize = 24;
/// Bytes of the whole advertisement: flags, and the service data of [`super::gatt::SERVICE`].
pub const ADVERTISEMENT: usize = 31;

/// The expiry of a reader without a clock.
pub const NO_CLOCK: u32 = 0xFFFF_FFFF;

/// A lock's address on the air, the most significant byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub [u8; 6]);

/// The seven bytes that only the group can make: AES-128 of zeros, address and expiry under the group's resolving key.
pub fn dynamic_tag<C: Crypto>(crypto: &C, key: &Secret<16>, address: Address, expiry: u32) -> [u8; 7] {
    let mut block = [0; 16];
    block[6..12].copy_from_slice(&address.0);
    block[12..].copy_from_slice(&expiry.to_be_bytes());
    crypto.aes128_block(key, &mut block);
    *block.first_chunk().unwrap_or(&[0; 7])
}

/// What a lock advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// See [`ADVERTISED_BLE_ONLY`].
    pub flags: u8,
    /// Transmission power in dBm at the antenna.
    pub tx_power: i8,
    /// The first eight bytes of the group.
    pub group: [u8; 8],
    /// The first two bytes of the reader within it.
    pub sub: [u8; 2],
    /// Until when the tag is good, in seconds since 1970; [`NO_CLOCK`] when the lock has none.
    pub expiry: u32,
    /// [`dynamic_tag`].
    pub tag: [u8; 7],
}

impl Advertisement {
    /// What a lock without UWB advertises under this address.
    pub fn new<C: Crypto>(crypto: &C, reader: &ReaderId, key: &Secret<16>, address: Address, expiry: u32, tx_power: i8) -> Self {
        Self {
            flags: ADVERTISED_BLE_ONLY,
            tx_power,
            group: *reader.group().first_chunk().unwrap_or(&[0; 8]),
            sub: *reader.sub().first_chunk().unwrap_or(&[0; 2]),
            expiry,
            tag: dynamic_tag(crypto, key, address, expiry),
        }
    }

    /// Reads the service data.
    ///
    /// # Errors
    /// [`AliroError::Short`] for any other length.
    pub fn parse(service_data: &[u8]) -> Result<Self, AliroError> {
        let data: &[u8; SERVICE_DATA] = service_data.try_into().map_err(|_| AliroError::Short)?;
        let [flags, tx_power, rest @ ..] = data;
        let (group, rest) = rest.split_first_chunk().ok_or(AliroError::Short)?;
        let (sub, rest) = rest.split_first_chunk().ok_or(AliroError::Short)?;
        let (expiry, rest) = rest.split_first_chunk().ok_or(AliroError::Short)?;
        // One byte is for later use.
        let tag = rest.last_chunk().ok_or(AliroError::Short)?;
        let (tx_power, expiry) = (tx_power.cast_signed(), u32::from_be_bytes(*expiry));
        Ok(Self { flags: *flags, tx_power, group: *group, sub: *sub, expiry, tag: *tag })
    }

    /// Writes the service data.
    ///
    /// # Errors
    /// [`Full`].
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(&[self.flags, self.tx_power.cast_unsigned()])?;
        out.put(&self.group)?;
        out.put(&self.sub)?;
        out.put(&self.expiry.to_be_bytes())?;
        out.byte(0)?;
        out.put(&self.tag)
    }

    /// Writes the whole advertisement.
    ///
    /// # Errors
    /// [`Full`].
    pub fn write_whole(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        let [high, low] = super::gatt::SERVICE.to_be_bytes();
        // General discoverable, no classic Bluetooth; then service data with a 16-bit UUID, least significant byte first.
        out.put(&[2, 0x01, 0x06, 27, 0x16, low, high])?;
        self.write(out)
    }

    /// Whether it is a lock of this phone's group, as far as can be told before connecting: the identifiers match, the tag is the group's
    /// for this address, and it is not over. `now` none leaves the expiry open.
    pub fn is_of<C: Crypto>(&self, crypto: &C, group: &[u8; 16], key: &Secret<16>, address: Address, now: Option<u32>) -> bool {
        let fresh = self.expiry == NO_CLOCK || now.is_none_or(|now| now <= self.expiry);
        group.starts_with(&self.group) && fresh && equal(&self.tag, &dynamic_tag(crypto, key, address, self.expiry))
    }
}
