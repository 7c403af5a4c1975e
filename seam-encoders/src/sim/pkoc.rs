//! A simulated PKOC credential: a key pair, and a signature over what the reader asks.
use super::SimulatedCard;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use std::fmt;

/// The credential.
pub struct PkocCard {
    key: SigningKey,
    version: [u8; 2],
    selected: bool,
    /// Signs something else: what a relay with a key of its own would answer.
    lies: bool,
}

impl fmt::Debug for PkocCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PkocCard").field("lies", &self.lies).finish_non_exhaustive()
    }
}

impl PkocCard {
    /// A credential with this private key, unless it is zero or above the order of the curve.
    #[must_use]
    pub fn new(private: [u8; 32]) -> Option<Self> {
        let key = SigningKey::from_slice(&private).ok()?;
        Some(Self { key, version: [0x01, 0x00], selected: false, lies: false })
    }
    /// That speaks another version.
    #[must_use]
    pub fn with_version(mut self, version: [u8; 2]) -> Self {
        self.version = version;
        self
    }
    /// That cannot sign what it is asked.
    #[must_use]
    pub fn lying(mut self) -> Self {
        self.lies = true;
        self
    }
    /// Its public key: 04, X, Y.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    fn authenticate(&self, data: &[u8]) -> Vec<u8> {
        // Version, transaction and reader in exactly the order and lengths that the reference app expects.
        let (Some(&[0x5c, 2, a, b, 0x4c, 16]), Some(&[0x4d, 32])) =
            (data.first_chunk::<6>(), data.get(22..).and_then(|rest| rest.first_chunk::<2>()))
        else {
            return vec![0x6a, 0x80];
        };
        if data.len() != 56 || [a, b] != self.version {
            return vec![0x6a, 0x80];
        }
        let signed = if self.lies { &b"something else!!"[..] } else { &data[6..22] };
        let signature: Signature = self.key.sign(signed);
        let mut out = vec![0x5a, 65];
        out.extend(self.public());
        out.extend([0x9e, 64]);
        out.extend(signature.to_bytes());
        out.extend([0x90, 0x00]);
        out
    }
}

impl SimulatedCard for PkocCard {
    fn power_on(&mut self) -> Vec<u8> {
        self.selected = false;
        vec![0x3b, 0x80, 0x80, 0x01, 0x01]
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        match command {
            [0x00, 0xa4, 0x04, 0x00, 8, aid @ .., 0x00] => {
                self.selected = aid == [0xa0, 0x00, 0x00, 0x08, 0x98, 0x00, 0x00, 0x01];
                if self.selected { vec![0x5c, 2, self.version[0], self.version[1], 0x90, 0x00] } else { vec![0x6a, 0x82] }
            }
            [0x80, 0x80, 0x00, 0x01, lc, data @ .., 0x00] if self.selected && data.len() == usize::from(*lc) => self.authenticate(data),
            [0x80, 0x80, ..] => vec![0x69, 0x85],
            _ => vec![0x6d, 0x00],
        }
    }

    fn uid(&self) -> Vec<u8> {
        vec![0x08, 0x01, 0x02, 0x03]
    }
}
