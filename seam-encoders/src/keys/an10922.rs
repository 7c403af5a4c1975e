//! NXP AN10922: a key for one card from a master key. Source: AN10922 and AN10957 pages 13-14; numbers also in libfreefare and proxmark3.
use zeroize::Zeroizing;

use super::{Key, KeyError, KeyType};
use crate::crypto::{MacKey, Vector, xor};

/// The key of a card from its master key and the diversification input M: usually the UID, the application and a name of the system.
///
/// M has 1 to 31 bytes for AES, 1 to 15 for two-key and three-key triple DES. The version of a DES key is **not** in its parity bits then, as in
/// the application note; a card that keeps it there wants [`Key::with_version`]. An AES key takes over the version of its master.
///
/// The message is padded to two blocks always, also where plain CMAC would be content with one: naive code gets short inputs wrong
/// (libfreefare issue 91).
///
/// # Errors
/// [`KeyError::DiversificationInput`] when M is empty or longer.
pub fn diversify(master: &Key, m: &[u8]) -> Result<Key, KeyError> {
    let constants: &[u8] = match master.kind() {
        KeyType::Aes128 => &[0x01],
        KeyType::TwoKeyTripleDes => &[0x21, 0x22],
        KeyType::ThreeKeyTripleDes => &[0x31, 0x32, 0x33],
    };
    let mac = MacKey::new(master.cipher());
    let block = mac.cipher().block_size();
    let max = 2 * block - 1;
    if m.is_empty() || m.len() > max {
        return Err(KeyError::DiversificationInput(m.len(), max));
    }
    let mut key = Zeroizing::new([0_u8; 24]);
    for (constant, part) in constants.iter().zip(key.chunks_exact_mut(block)) {
        let mut message = Zeroizing::new([0_u8; 32]);
        let message = &mut message[..2 * block];
        message[0] = *constant;
        message[1..=m.len()].copy_from_slice(m);
        let (whole, padded) = mac.subkeys();
        if m.len() == max {
            xor(&mut message[block..], whole);
        } else {
            message[1 + m.len()] = 0x80;
            xor(&mut message[block..], padded);
        }
        // Whole blocks, so this cannot fail.
        mac.cipher().encrypt_cbc(&mut Vector::ZERO.clone(), message).map_err(|_| KeyError::DiversificationInput(m.len(), max))?;
        part.copy_from_slice(&message[block..]);
    }
    let key = Key::new(master.kind(), &key[..master.kind().length()])?;
    Ok(if master.kind() == KeyType::Aes128 { key.with_version(master.version()) } else { key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    const MASTER: [u8; 24] = hex!("00112233445566778899AABBCCDDEEFF0102030405060708");
    const M: [u8; 16] = hex!("04782E21801D803042F54E5850204162");

    fn diversified(kind: KeyType, master: &[u8], m: &[u8]) -> Key {
        diversify(&Key::new(kind, master).expect("a master key"), m).expect("an input that fits")
    }

    /// Source: NXP AN10922; proxmark3 `desfiretest.c`; libfreefare `test_mifare_key_deriver_an10922.c`.
    #[test]
    fn vectors_of_the_application_note() {
        let aes = diversified(KeyType::Aes128, &MASTER[..16], &hex!("04782E21801D803042F54E585020416275"));
        assert_eq!(aes.bytes(), hex!("A8DD63A3B89D54B37CA802473FDA9175"));
        let two = diversified(KeyType::TwoKeyTripleDes, &MASTER[..16], &M[..15]);
        assert_eq!(two.bytes(), hex!("16F8597C9E8910C86B9648D006107DD7"));
        let three = diversified(KeyType::ThreeKeyTripleDes, &MASTER, &M[..13]);
        assert_eq!(three.bytes(), hex!("2F0DD03675D3FB9A5705AB0BDA91CA0B55B8E07FCDBF10EC"));
        // As a card stores them, with the version of the master (55) in the parity bits.
        assert_eq!(two.with_version(0x55).bytes(), hex!("16F9587D9E8910C96B9649D007107DD6"));
        assert_eq!(three.with_version(0x55).bytes(), hex!("2E0DD03774D3FA9B5705AB0BDA91CA0B55B8E07FCDBF10EC"));
    }

    /// Source: NXP AN10957 pages 13-14. What plain CMAC gives is `721E2C01E81AF85D815633969CEA2607` (libfreefare issue 91).
    #[test]
    fn a_short_input_is_padded_to_two_blocks() {
        let key = diversified(KeyType::Aes128, &hex!("F3F9377698707B688EAF84ABE39E3791"), &hex!("04DEADBEEFFEED"));
        assert_eq!(key.bytes(), hex!("0BB408BAFF98B6EE9F2E1585777F6A51"));
        let naive = MacKey::new(crate::crypto::BlockCipher::aes(&hex!("F3F9377698707B688EAF84ABE39E3791")));
        assert_eq!(naive.cmac(&[&[1], &hex!("04DEADBEEFFEED")]), hex!("721E2C01E81AF85D815633969CEA2607"));
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let aes = Key::zero(KeyType::Aes128);
        assert_eq!(diversify(&aes, &[]), Err(KeyError::DiversificationInput(0, 31)));
        assert_eq!(diversify(&aes, &[0; 32]), Err(KeyError::DiversificationInput(32, 31)));
        assert!(diversify(&aes, &[0; 31]).is_ok());
        assert_eq!(diversify(&Key::zero(KeyType::TwoKeyTripleDes), &[0; 16]), Err(KeyError::DiversificationInput(16, 15)));
    }
}
