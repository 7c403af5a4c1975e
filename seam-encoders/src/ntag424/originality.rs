//! The signature with which NXP says that a chip is its own (AN12196 section 7.2). A copy on another chip with the same number carries the same
//! signature: this is proof of where a chip comes from, not of who holds it.
use p224::ecdsa::signature::hazmat::PrehashVerifier;
use p224::ecdsa::{Signature, VerifyingKey};

/// NXP's key for NTAG 424 DNA, a point on secp224r1 (AN12196 section 7.2, table 30).
const NXP: [u8; 57] = [
    0x04, 0x8a, 0x9b, 0x38, 0x0a, 0xf2, 0xee, 0x1b, 0x98, 0xdc, 0x41, 0x7f, 0xec, 0xc2, 0x63, 0xf8, 0x44, 0x9c, 0x76, 0x25, 0xce, 0xce,
    0x82, 0xd9, 0xb9, 0x16, 0xc9, 0x92, 0xda, 0x20, 0x9d, 0x68, 0x42, 0x2b, 0x81, 0xec, 0x20, 0xb6, 0x5a, 0x66, 0xb5, 0x10, 0x2a, 0x61,
    0x59, 0x6a, 0xf3, 0x37, 0x92, 0x00, 0x59, 0x93, 0x16, 0xa0, 0x0a, 0x14, 0x10,
];

/// Bytes of a signature.
pub const SIGNATURE: usize = 56;

/// Whether NXP signed this serial number.
#[must_use]
pub fn is_original(uid: &[u8; 7], signature: &[u8; SIGNATURE]) -> bool {
    // The number itself is signed, without a hash: as an integer, zeros in front.
    let mut message = [0; 28];
    message[21..].copy_from_slice(uid);
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(&NXP), Signature::from_slice(signature)) else { return false };
    key.verify_prehash(&message, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// Source: NXP AN12196 section 7.2, table 30.
    #[test]
    fn the_signature_of_the_application_note_holds_for_its_chip_alone() {
        let signature =
            hex!("D1940D17CFEDA4BFF80359AB975F9F6514313E8F90C1D3CAAF5941AD744A1CDF9A83F883CAFE0FE95D1939B1B7E47113993324473B785D21");
        assert!(is_original(&hex!("04518DFAA96180"), &signature));
        assert!(!is_original(&hex!("04518DFAA96181"), &signature));
        let mut changed = signature;
        changed[55] ^= 1;
        assert!(!is_original(&hex!("04518DFAA96180"), &changed));
    }
}
