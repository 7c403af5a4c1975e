//! The GATT service of a lock: where its L2CAP channel is, and which versions it speaks.

use crate::aliro::{AliroError, Version};
use crate::bytes::{Full, Writer};

/// The service, a 16-bit UUID.
pub const SERVICE: u16 = 0xFFF2;
/// Read by the phone: channel, versions and features. As the bytes of `D3B5A130-9E23-4B3A-8BE4-6B1EE5F980A3`.
pub const READER_CHARACTERISTIC: u128 = 0xD3B5_A130_9E23_4B3A_8BE4_6B1E_E5F9_80A3;
/// Written by the phone: its version and features. As the bytes of `BD4B9502-3F54-11EC-B919-0242AC120005`.
pub const DEVICE_CHARACTERISTIC: u128 = 0xBD4B_9502_3F54_11EC_B919_0242_AC12_0005;

/// What a lock tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderInfo<'a> {
    /// Where the channel is (simplified protocol/service multiplexer), `0x0080` to `0x00FF` for a dynamic one.
    pub spsm: u16,
    versions: &'a [u8],
    /// Features by bit, none when the field is absent.
    pub features: Option<&'a [u8]>,
}

impl<'a> ReaderInfo<'a> {
    /// `versions` are two bytes each, as they will stand in the salt of the BLE keys.
    ///
    /// # Errors
    /// [`AliroError::Value`] for none, a half one, or more than sixteen.
    pub fn new(spsm: u16, versions: &'a [u8], features: Option<&'a [u8]>) -> Result<Self, AliroError> {
        if versions.is_empty() || !versions.len().is_multiple_of(2) || versions.len() > 32 {
            return Err(AliroError::Value);
        }
        Ok(Self { spsm, versions, features })
    }

    /// Reads the characteristic.
    ///
    /// # Errors
    /// [`AliroError::Short`] when it is cut or something trails, [`AliroError::Value`] as [`ReaderInfo::new`].
    pub fn parse(value: &'a [u8]) -> Result<Self, AliroError> {
        let (spsm, rest) = value.split_first_chunk().ok_or(AliroError::Short)?;
        let (versions, rest) = counted(rest)?;
        Self::new(u16::from_be_bytes(*spsm), versions, features(rest)?)
    }

    /// Writes the characteristic.
    ///
    /// # Errors
    /// [`Full`].
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(&self.spsm.to_be_bytes())?;
        put_counted(out, self.versions)?;
        self.features.map_or(Ok(()), |features| put_counted(out, features))
    }

    /// The versions as they stand in the salt of the BLE keys.
    pub fn version_bytes(&self) -> &'a [u8] {
        self.versions
    }

    /// Whether the lock speaks this version.
    pub fn speaks(&self, version: Version) -> bool {
        self.versions.chunks_exact(2).any(|pair| pair == version.bytes())
    }
}

/// What a phone writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceInfo<'a> {
    /// One of the lock's versions.
    pub version: Version,
    /// Features by bit, none when the field is absent.
    pub features: Option<&'a [u8]>,
}

impl<'a> DeviceInfo<'a> {
    /// Reads the characteristic.
    ///
    /// # Errors
    /// [`AliroError::Short`] when it is cut or something trails.
    pub fn parse(value: &'a [u8]) -> Result<Self, AliroError> {
        let (version, rest) = value.split_first_chunk().ok_or(AliroError::Short)?;
        Ok(Self { version: Version(u16::from_be_bytes(*version)), features: features(rest)? })
    }

    /// Writes the characteristic.
    ///
    /// # Errors
    /// [`Full`].
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(&self.version.bytes())?;
        self.features.map_or(Ok(()), |features| put_counted(out, features))
    }
}

fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), AliroError> {
    let (length, rest) = bytes.split_first().ok_or(AliroError::Short)?;
    rest.split_at_checked(usize::from(*length)).ok_or(AliroError::Short)
}

fn features(rest: &[u8]) -> Result<Option<&[u8]>, AliroError> {
    if rest.is_empty() {
        return Ok(None);
    }
    match counted(rest)? {
        (features, []) => Ok(Some(features)),
        _ => Err(AliroError::Short),
    }
}

fn put_counted(out: &mut Writer<'_>, value: &[u8]) -> Result<(), Full> {
    out.byte(u8::try_from(value.len()).map_err(|_| Full)?)?;
    out.put(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characteristics_read_back() {
        let mut space = [0; 16];
        for features in [None, Some(&[1, 2][..])] {
            let info = ReaderInfo::new(0x0080, &[1, 0, 0, 9], features).unwrap();
            let mut out = Writer::new(&mut space);
            info.write(&mut out).unwrap();
            assert_eq!(ReaderInfo::parse(out.as_slice()), Ok(info));
            assert!(info.speaks(Version::V1_0) && !info.speaks(Version(2)));
            let info = DeviceInfo { version: Version::V1_0, features };
            let mut out = Writer::new(&mut space);
            info.write(&mut out).unwrap();
            assert_eq!(DeviceInfo::parse(out.as_slice()), Ok(info));
        }
        for bad in [&[0][..], &[0, 0x80], &[0, 0x80, 2, 1], &[0, 0x80, 2, 1, 0, 1], &[0, 0x80, 2, 1, 0, 0, 0]] {
            assert_eq!(ReaderInfo::parse(bad), Err(AliroError::Short), "{bad:?}");
        }
        assert_eq!(ReaderInfo::parse(&[0, 0x80, 1, 1]), Err(AliroError::Value));
        assert_eq!(ReaderInfo::parse(&[0, 0x80, 0]), Err(AliroError::Value));
        assert_eq!(DeviceInfo::parse(&[1, 0, 1]), Err(AliroError::Short));
    }
}
