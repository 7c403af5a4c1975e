//! The CRCs of DESFire cards. Source: ISO/IEC 14443-3 annex B (CRC_A); the 32 bit one as in libfreefare and the recordings of real cards.
use crc::{CRC_16_ISO_IEC_14443_3_A, CRC_32_JAMCRC, Crc};

const CRC_A: Crc<u16> = Crc::<u16>::new(&CRC_16_ISO_IEC_14443_3_A);
const JAM: Crc<u32> = Crc::<u32>::new(&CRC_32_JAMCRC);

/// The CRC of ISO/IEC 14443-3 type A, low byte first, as the legacy DESFire messaging uses it.
#[must_use]
pub fn crc16(data: &[u8]) -> [u8; 2] {
    CRC_A.checksum(data).to_le_bytes()
}

/// The CRC-32 of DESFire EV1: that of Ethernet **without** its last inversion (JAMCRC), low byte first, over all parts in a row.
#[must_use]
pub fn crc32(parts: &[&[u8]]) -> [u8; 4] {
    let mut digest = JAM.digest();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// Source: proxmark3 `desfiretest.c` (TestCRC16, TestCRC32) and the tests of the crate `desfire` 0.2.0-alpha3.
    #[test]
    fn known_sums() {
        assert_eq!(crc16(&hex!("04440F32763180")), hex!("2798"));
        assert_eq!(crc32(&[&hex!("04440F32763180"), &[0]]), hex!("99CE1AD4"));
        assert_eq!(crc32(&[&hex!("C40045EEB8338AE8F49A032E85BB1114353010")]), hex!("95C3894B"));
    }
}
