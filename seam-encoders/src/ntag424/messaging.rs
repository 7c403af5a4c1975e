//! Secure messaging of an authenticated card: MACs, encryption and the counter that forbids replays (NT4H2421Gx sections 9.1 and 9.2).
use zeroize::Zeroizing;

use crate::crypto::lrp::Lrp;
use crate::crypto::{BlockCipher, MacKey, Vector, equal};
use crate::error::CardError;

/// Bytes of a MAC on the wire.
pub(super) const MAC: usize = 8;

/// Every second byte of a MAC, beginning with the second: what goes over the wire.
pub(super) fn truncated(mac: [u8; 16]) -> [u8; MAC] {
    std::array::from_fn(|at| mac[2 * at + 1])
}

/// The keys of a session.
pub(super) enum Keys {
    Aes {
        encryption: BlockCipher,
        mac: MacKey,
    },
    Lrp {
        encryption: Lrp,
        mac: Lrp,
        /// Blocks that were encrypted or decrypted in this session, both ways together (section 9.2.4).
        blocks: u32,
    },
}

impl Keys {
    /// From the key that was proven and both random numbers (section 9.1.7).
    pub(super) fn aes(key: &BlockCipher, rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Self {
        let base = MacKey::new(key.clone());
        let session = |label: [u8; 2]| {
            let context = mixed(rnd_a, rnd_b);
            BlockCipher::aes(&Zeroizing::new(base.cmac(&[&label, &[0x00, 0x01, 0x00, 0x80], &context[..]])))
        };
        Self::of_aes_session(session([0xa5, 0x5a]), session([0x5a, 0xa5]))
    }

    /// From the two session keys themselves, as a recording shows them.
    pub(super) fn of_aes_session(encryption: BlockCipher, mac: BlockCipher) -> Self {
        Self::Aes { encryption, mac: MacKey::new(mac) }
    }

    /// From the key that was proven and both random numbers (section 9.2.7).
    pub(super) fn lrp(key: &[u8; 16], rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Self {
        let context = mixed(rnd_a, rnd_b);
        let vector = [&[0x00, 0x01, 0x00, 0x80], &context[..], &[0x96, 0x69]].concat();
        let master = Zeroizing::new(Lrp::for_mac(key).cmac(&Zeroizing::new(vector)));
        Self::of_lrp_session(&master)
    }

    /// From the master key of the session, as a recording shows it.
    pub(super) fn of_lrp_session(master: &[u8; 16]) -> Self {
        Self::Lrp { encryption: Lrp::for_encryption(master), mac: Lrp::for_mac(master), blocks: 0 }
    }

    /// The whole MAC over the parts in a row.
    pub(super) fn whole_mac(&self, parts: &[&[u8]]) -> [u8; 16] {
        match self {
            Self::Aes { mac, .. } => mac.cmac(parts),
            Self::Lrp { mac, .. } => mac.cmac(&Zeroizing::new(parts.concat())),
        }
    }

    /// Decrypts the block of the second part of an LRP authentication, which has no counters but the count of blocks.
    pub(super) fn decrypt_counted(&mut self, data: &mut [u8]) {
        if let Self::Lrp { encryption, blocks, .. } = self {
            let mut counter = blocks.to_be_bytes();
            encryption.decrypt_blocks(&mut counter, data);
            *blocks = u32::from_be_bytes(counter);
        }
    }
}

/// The middle of the session vector: RndA[0..2], RndA[2..8] xor RndB[0..6], RndB[6..16], RndA[8..16].
fn mixed(rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Zeroizing<[u8; 26]> {
    let mut out = Zeroizing::new([0; 26]);
    out[..8].copy_from_slice(&rnd_a[..8]);
    for (mixed, b) in out[2..8].iter_mut().zip(rnd_b) {
        *mixed ^= b;
    }
    out[8..18].copy_from_slice(&rnd_b[6..]);
    out[18..].copy_from_slice(&rnd_a[8..]);
    out
}

/// Keys, transaction identifier and counter: everything of a session but the card.
pub(super) struct Channel {
    keys: Keys,
    transaction: [u8; 4],
    counter: u16,
}

impl Channel {
    pub(super) fn new(keys: Keys, transaction: [u8; 4]) -> Self {
        Self { keys, transaction, counter: 0 }
    }

    /// The same transaction with the keys of another authentication: identifier and counter go on (section 9.1.5).
    pub(super) fn with_keys(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// How many commands were carried out. The last value is not used: a counter that began again would allow a replay.
    pub(super) fn counter(&self) -> u16 {
        self.counter
    }

    #[cfg(test)]
    pub(super) fn at(mut self, counter: u16, blocks_so_far: u32) -> Self {
        self.counter = counter;
        if let Keys::Lrp { blocks, .. } = &mut self.keys {
            *blocks = blocks_so_far;
        }
        self
    }

    /// The MAC of a command over its instruction, header and (encrypted) data.
    pub(super) fn command_mac(&self, instruction: u8, parts: &[&[u8]]) -> [u8; MAC] {
        self.mac(instruction, self.counter, parts)
    }

    fn mac(&self, first: u8, counter: u16, parts: &[&[u8]]) -> [u8; MAC] {
        let head = [&[first][..], &counter.to_le_bytes(), &self.transaction].concat();
        let mut all = vec![head.as_slice()];
        all.extend_from_slice(parts);
        truncated(self.keys.whole_mac(&all))
    }

    /// Counts a command that the card carried out.
    pub(super) fn count(&mut self) -> Result<(), CardError> {
        self.counter = self.counter.checked_add(1).ok_or(CardError::Invalid("a session of 65536 commands"))?;
        Ok(())
    }

    /// Counts the command and takes the MAC off its answer.
    pub(super) fn verified<'a>(&mut self, answer: &'a [u8], status: u8) -> Result<&'a [u8], CardError> {
        self.count()?;
        let (data, mac) = answer.split_last_chunk::<MAC>().ok_or(CardError::Integrity("the answer has no MAC"))?;
        if !equal(&self.mac(status, self.counter, &[data]), mac) {
            return Err(CardError::Integrity("the MAC of the answer"));
        }
        Ok(data)
    }

    /// Pads (80, 00 ...) and encrypts the data of a command.
    pub(super) fn encrypt(&mut self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let padded = (data.len() / 16 + 1) * 16;
        let mut out = Zeroizing::new(Vec::with_capacity(padded));
        out.extend_from_slice(data);
        out.push(0x80);
        out.resize(padded, 0);
        match &mut self.keys {
            Keys::Aes { encryption, .. } => {
                let mut vector = start(encryption, [0xa5, 0x5a], self.transaction, self.counter);
                encryption.encrypt_cbc(&mut vector, &mut out)?;
            }
            Keys::Lrp { encryption, blocks, .. } => {
                let mut counter = blocks.to_be_bytes();
                encryption.encrypt_blocks(&mut counter, &mut out);
                *blocks = u32::from_be_bytes(counter);
            }
        }
        Ok(out)
    }

    /// Decrypts the data of an answer whose MAC was verified, and takes its padding off.
    pub(super) fn decrypt(&mut self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        if data.is_empty() || !data.len().is_multiple_of(16) {
            return Err(CardError::Integrity("encrypted data that is not whole blocks"));
        }
        let mut out = Zeroizing::new(data.to_vec());
        match &mut self.keys {
            Keys::Aes { encryption, .. } => {
                let mut vector = start(encryption, [0x5a, 0xa5], self.transaction, self.counter);
                encryption.decrypt_cbc(&mut vector, &mut out)?;
            }
            lrp @ Keys::Lrp { .. } => lrp.decrypt_counted(&mut out),
        }
        let end = out.iter().rposition(|&byte| byte != 0).filter(|&at| out[at] == 0x80);
        out.truncate(end.ok_or(CardError::Integrity("the padding of encrypted data"))?);
        Ok(out)
    }
}

/// The vector of one command or answer (section 9.1.4).
fn start(encryption: &BlockCipher, label: [u8; 2], [a, b, c, d]: [u8; 4], counter: u16) -> Vector {
    let [low, high] = counter.to_le_bytes();
    Vector(encryption.encrypted_block([label[0], label[1], a, b, c, d, low, high, 0, 0, 0, 0, 0, 0, 0, 0]))
}
