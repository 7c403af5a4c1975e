//! A simulated MIFARE Classic in a reader with PC/SC storage commands: the reader speaks Crypto-1, so what is simulated is both of them together.
//!
//! From the MF1S50/70 data sheets and PC/SC part 3: the weakest of the simulated cards, as no real reader was compared.
use super::SimulatedCard;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the reader knows beside the card: the loaded key, and the sector to which a key was proven.
#[derive(Deserialize, Serialize)]
pub struct ClassicCard {
    uid: [u8; 4],
    blocks: Vec<[u8; 16]>,
    #[serde(skip)]
    slot: Option<[u8; 6]>,
    /// Sector and whether it was key B.
    #[serde(skip)]
    proven: Option<(usize, bool)>,
}

impl fmt::Debug for ClassicCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicCard").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl ClassicCard {
    /// A new card of 1 KiB.
    #[must_use]
    pub fn new_1k(uid: [u8; 4]) -> Self {
        Self::new(uid, 64)
    }
    /// A new card of 4 KiB.
    #[must_use]
    pub fn new_4k(uid: [u8; 4]) -> Self {
        Self::new(uid, 256)
    }

    fn new(uid: [u8; 4], count: usize) -> Self {
        let mut blocks = vec![[0; 16]; count];
        blocks[0][..4].copy_from_slice(&uid);
        blocks[0][4] = uid[0] ^ uid[1] ^ uid[2] ^ uid[3];
        for (number, block) in blocks.iter_mut().enumerate() {
            if trailer_of(number) == number {
                *block = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07, 0x80, 0x69, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
            }
        }
        Self { uid, blocks, slot: None, proven: None }
    }

    /// The card's memory, as nobody can read it: keys included.
    #[must_use]
    pub fn memory(&self) -> &[[u8; 16]] {
        &self.blocks
    }

    /// C1, C2 and C3 of a block, as three digits of a number; `None` where the trailer contradicts itself and the sector is dead.
    fn condition(&self, block: usize) -> Option<u8> {
        let trailer = trailer_of(block);
        let [_, _, _, _, _, _, x, y, z, ..] = self.blocks[trailer];
        let (c1, c2, c3) = (y / 16, z % 16, z / 16);
        if c1 + x % 16 != 15 || c2 + x / 16 != 15 || c3 + y % 16 != 15 {
            return None;
        }
        let group = if block == trailer {
            3
        } else if block < 128 {
            block % 4
        } else {
            block % 16 / 5
        };
        Some((c1 >> group & 1) * 100 + (c2 >> group & 1) * 10 + (c3 >> group & 1))
    }

    fn b_is_readable(&self, block: usize) -> bool {
        matches!(self.condition(trailer_of(block)), Some(0 | 1 | 10))
    }

    fn load(&mut self, data: &[u8]) -> Vec<u8> {
        match data.try_into() {
            Ok(key) => {
                self.slot = Some(key);
                vec![0x90, 0x00]
            }
            Err(_) => vec![0x67, 0x00],
        }
    }

    fn authenticate(&mut self, data: &[u8]) -> Vec<u8> {
        self.proven = None;
        let &[0x01, 0x00, block, kind @ (0x60 | 0x61), 0x00] = data else { return vec![0x6a, 0x86] };
        let (Some(key), Some(trailer)) = (self.slot, self.blocks.get(trailer_of(usize::from(block)))) else { return vec![0x63, 0x00] };
        let is_b = kind == 0x61;
        let held = if is_b { &trailer[10..] } else { &trailer[..6] };
        // A key B that can be read is data, and no key.
        if held != key || self.condition(usize::from(block)).is_none() || (is_b && self.b_is_readable(usize::from(block))) {
            return vec![0x63, 0x00];
        }
        self.proven = Some((trailer_of(usize::from(block)), is_b));
        vec![0x90, 0x00]
    }

    /// Whether a key was proven to the sector of a block, and which.
    fn holder(&self, block: usize) -> Option<bool> {
        self.proven.filter(|(trailer, _)| block < self.blocks.len() && *trailer == trailer_of(block)).map(|(_, is_b)| is_b)
    }

    fn read(&mut self, block: usize, le: Option<u8>) -> Vec<u8> {
        let Some(is_b) = self.holder(block) else { return vec![0x69, 0x82] };
        let Some(condition) = self.condition(block) else { return vec![0x63, 0x00] };
        if !matches!(le, Some(0 | 16)) {
            return vec![0x67, 0x00];
        }
        let mut out = self.blocks[block].to_vec();
        if block == trailer_of(block) {
            // Key A never; the conditions always (with A where only A may, which is where B is no key); key B where it is data.
            out[..6].fill(0);
            if !self.b_is_readable(block) {
                out[10..].fill(0);
            }
        } else if condition == 111 || (matches!(condition, 11 | 101) && !is_b) {
            self.proven = None;
            return vec![0x63, 0x00];
        }
        out.extend([0x90, 0x00]);
        out
    }

    fn write(&mut self, block: usize, data: &[u8]) -> Vec<u8> {
        let Some(is_b) = self.holder(block) else { return vec![0x69, 0x82] };
        let Ok(data) = <[u8; 16]>::try_from(data) else { return vec![0x67, 0x00] };
        let Some(condition) = self.condition(block) else { return vec![0x63, 0x00] };
        if block == trailer_of(block) {
            let (keys, conditions) = match condition {
                0 => (!is_b, false),
                1 => (!is_b, !is_b),
                100 => (is_b, false),
                11 => (is_b, is_b),
                101 => (false, is_b),
                _ => (false, false),
            };
            if !keys && !conditions {
                self.proven = None;
                return vec![0x63, 0x00];
            }
            if keys {
                self.blocks[block][..6].copy_from_slice(&data[..6]);
                self.blocks[block][10..].copy_from_slice(&data[10..]);
            }
            if conditions {
                self.blocks[block][6..10].copy_from_slice(&data[6..10]);
            }
            return vec![0x90, 0x00];
        }
        let allowed = block != 0 && (condition == 0 || (matches!(condition, 11 | 100 | 110) && is_b));
        if !allowed {
            self.proven = None;
            return vec![0x63, 0x00];
        }
        self.blocks[block] = data;
        vec![0x90, 0x00]
    }
}

/// The last block of the sector of a block.
fn trailer_of(block: usize) -> usize {
    if block < 128 { block | 3 } else { block | 15 }
}

impl SimulatedCard for ClassicCard {
    fn power_on(&mut self) -> Vec<u8> {
        self.proven = None;
        self.slot = None;
        // The name of the card as PC/SC gives it: 0001 for 1K, 0002 for 4K.
        let name = if self.blocks.len() == 64 { 0x01 } else { 0x02 };
        let mut atr =
            vec![0x3b, 0x8f, 0x80, 0x01, 0x80, 0x4f, 0x0c, 0xa0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, name, 0x00, 0x00, 0x00, 0x00];
        atr.push(atr[1..].iter().fold(0, |sum, byte| sum ^ byte));
        atr
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let Some((&[0xff, ins, p1, p2], body)) = command.split_first_chunk::<4>() else { return vec![0x6e, 0x00] };
        let (data, le) = match body {
            [] => (&[][..], None),
            [le] => (&[][..], Some(*le)),
            [lc, rest @ ..] if rest.len() == usize::from(*lc) => (rest, None),
            _ => return vec![0x67, 0x00],
        };
        match (ins, p1, p2) {
            (0xca, 0, 0) => [&self.uid[..], &[0x90, 0x00]].concat(),
            (0x82, 0, 0) => self.load(data),
            (0x86, 0, 0) => self.authenticate(data),
            (0xb0, 0, block) => self.read(usize::from(block), le),
            (0xd6, 0, block) => self.write(usize::from(block), data),
            (0xca | 0x82 | 0x86 | 0xb0 | 0xd6, ..) => vec![0x6a, 0x86],
            _ => vec![0x6d, 0x00],
        }
    }

    fn uid(&self) -> Vec<u8> {
        self.uid.to_vec()
    }
}
