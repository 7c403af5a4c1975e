//! The card's side of the cryptography, written from the data sheet a second time: nothing of it is the driver's.
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};

pub(super) type Block = [u8; 16];

pub(super) fn aes_encrypt(key: &Block, block: Block) -> Block {
    let mut out = Array::from(block);
    Aes128::new(&Array::from(*key)).encrypt_block(&mut out);
    out.into()
}

pub(super) fn aes_decrypt(key: &Block, block: Block) -> Block {
    let mut out = Array::from(block);
    Aes128::new(&Array::from(*key)).decrypt_block(&mut out);
    out.into()
}

fn added(a: Block, b: Block) -> Block {
    (u128::from_ne_bytes(a) ^ u128::from_ne_bytes(b)).to_ne_bytes()
}

/// CBC over whole blocks.
pub(super) fn cbc_encrypt(key: &Block, start: Block, data: &[u8]) -> Vec<u8> {
    let mut last = start;
    let mut out = Vec::new();
    for block in data.chunks_exact(16) {
        last = aes_encrypt(key, added(last, block.try_into().unwrap_or_default()));
        out.extend(last);
    }
    out
}

pub(super) fn cbc_decrypt(key: &Block, start: Block, data: &[u8]) -> Vec<u8> {
    let mut last = start;
    let mut out = Vec::new();
    for block in data.chunks_exact(16) {
        let block: Block = block.try_into().unwrap_or_default();
        out.extend(added(aes_decrypt(key, block), last));
        last = block;
    }
    out
}

pub(super) fn aes_cmac(key: &Block, message: &[u8]) -> Block {
    let mut mac = Cmac::<Aes128>::new(&Array::from(*key));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The leakage resilient primitive: the sixteen plaintexts and one updated key, as lists of chained encryptions.
#[derive(Clone)]
pub(super) struct LrpKey {
    table: Vec<Block>,
    updated: Block,
}

impl LrpKey {
    pub(super) fn new(key: &Block, which: usize) -> Self {
        let chain = |first: u8, steps: usize| {
            // Each value of the list is the chain encrypting AA; the chain itself goes on by encrypting 55.
            let mut links = vec![aes_encrypt(key, [first; 16])];
            while links.len() < steps {
                let last = links[links.len() - 1];
                links.push(aes_encrypt(&last, [0x55; 16]));
            }
            links.iter().map(|link| aes_encrypt(link, [0xaa; 16])).collect::<Vec<_>>()
        };
        Self { table: chain(0x55, 16), updated: chain(0xaa, which + 1)[which] }
    }

    fn value(&self, input: &[u8]) -> Block {
        let nibbles = input.iter().flat_map(|byte| [usize::from(*byte) / 16, usize::from(*byte) % 16]);
        let walked = nibbles.fold(self.updated, |key, nibble| aes_encrypt(&key, self.table[nibble]));
        aes_encrypt(&walked, [0; 16])
    }

    pub(super) fn cmac(&self, message: &[u8]) -> Block {
        let twice = |block: Block| {
            let mut out = [0; 16];
            for at in 0..16 {
                out[at] = block[at] << 1 | block.get(at + 1).map_or(0, |next| next >> 7);
            }
            if block[0] >= 0x80 {
                out[15] ^= 0x87;
            }
            out
        };
        let whole_key = twice(self.value(&[0; 16]));
        let mut blocks: Vec<Block> = Vec::new();
        let mut pieces = message.chunks(16).peekable();
        if pieces.peek().is_none() {
            let mut padded = [0; 16];
            padded[0] = 0x80;
            blocks.push(added(padded, twice(whole_key)));
        }
        while let Some(piece) = pieces.next() {
            let mut block = [0; 16];
            block[..piece.len()].copy_from_slice(piece);
            if pieces.peek().is_none() {
                block = if piece.len() == 16 {
                    added(block, whole_key)
                } else {
                    block[piece.len()] = 0x80;
                    added(block, twice(whole_key))
                };
            }
            blocks.push(block);
        }
        blocks.into_iter().fold([0; 16], |state, block| self.value(&added(state, block)))
    }

    /// Encrypts or decrypts whole blocks, each under the value of the counter, which goes on.
    pub(super) fn crypt(&self, counter: &mut [u8], data: &[u8], encrypt: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for block in data.chunks_exact(16) {
            let block = block.try_into().unwrap_or_default();
            let key = self.value(counter);
            out.extend(if encrypt { aes_encrypt(&key, block) } else { aes_decrypt(&key, block) });
            let mut at = counter.len();
            while at > 0 {
                at -= 1;
                counter[at] = counter[at].wrapping_add(1);
                if counter[at] != 0 {
                    break;
                }
            }
        }
        out
    }
}

/// What an authentication leaves on the card.
#[derive(Clone)]
pub(super) enum SessionKeys {
    Aes { encryption: Block, mac: Block },
    Lrp { encryption: Box<LrpKey>, mac: Box<LrpKey>, blocks: [u8; 4] },
}

impl SessionKeys {
    pub(super) fn new(lrp: bool, key: &Block, a: &Block, b: &Block) -> Self {
        let mut context = Vec::new();
        context.extend(&a[0..2]);
        context.extend(a[2..8].iter().zip(&b[0..6]).map(|(a, b)| a ^ b));
        context.extend(&b[6..16]);
        context.extend(&a[8..16]);
        if lrp {
            let mut vector = vec![0x00, 0x01, 0x00, 0x80];
            vector.extend(&context);
            vector.extend([0x96, 0x69]);
            let master = LrpKey::new(key, 0).cmac(&vector);
            Self::Lrp { encryption: Box::new(LrpKey::new(&master, 1)), mac: Box::new(LrpKey::new(&master, 0)), blocks: [0; 4] }
        } else {
            let derive = |label: [u8; 2]| {
                let mut vector = label.to_vec();
                vector.extend([0x00, 0x01, 0x00, 0x80]);
                vector.extend(&context);
                aes_cmac(key, &vector)
            };
            Self::Aes { encryption: derive([0xa5, 0x5a]), mac: derive([0x5a, 0xa5]) }
        }
    }

    pub(super) fn mac(&self, message: &[u8]) -> Block {
        match self {
            Self::Aes { mac, .. } => aes_cmac(mac, message),
            Self::Lrp { mac, .. } => mac.cmac(message),
        }
    }

    /// Encrypts an answer or decrypts a command.
    pub(super) fn crypt(&mut self, data: &[u8], ti: [u8; 4], counter: u16, answer: bool) -> Vec<u8> {
        match self {
            Self::Aes { encryption, .. } => {
                let mut start = [0; 16];
                start[..2].copy_from_slice(if answer { &[0x5a, 0xa5] } else { &[0xa5, 0x5a] });
                start[2..6].copy_from_slice(&ti);
                start[6..8].copy_from_slice(&counter.to_le_bytes());
                let start = aes_encrypt(encryption, start);
                if answer { cbc_encrypt(encryption, start, data) } else { cbc_decrypt(encryption, start, data) }
            }
            Self::Lrp { encryption, blocks, .. } => encryption.crypt(blocks, data, answer),
        }
    }
}

pub(super) fn short_mac(mac: Block) -> [u8; 8] {
    [mac[1], mac[3], mac[5], mac[7], mac[9], mac[11], mac[13], mac[15]]
}

pub(super) fn pad(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    while !out.len().is_multiple_of(16) {
        out.push(0);
    }
    out
}

pub(super) fn unpad(mut data: Vec<u8>) -> Option<Vec<u8>> {
    while data.last() == Some(&0) {
        data.pop();
    }
    (data.pop() == Some(0x80)).then_some(data)
}

/// The CRC that goes with a new key: IEEE 802.3 without the last inversion, low byte first.
pub(super) fn crc(data: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in data {
        for bit in 0..8 {
            let feedback = (crc ^ u32::from(byte >> bit)) & 1;
            crc = crc >> 1 ^ if feedback == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    crc.to_le_bytes()
}
