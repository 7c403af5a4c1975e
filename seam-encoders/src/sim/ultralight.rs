//! A simulated Ultralight EV1, C or AES, or NTAG 21x, in a reader with storage commands and a PN532 behind them.
use super::SimulatedCard;
use super::ultralight_aes::{self, Secured};
use des::TdesEde2;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Serialize)]
enum Chip {
    Ev1 {
        large: bool,
    },
    C,
    Aes,
    /// With what its answer to `GET_VERSION` says of its size.
    Ntag(u8),
}

/// The card, and what its reader passes on.
#[derive(Deserialize, Serialize)]
pub struct UltralightCard {
    uid: [u8; 7],
    chip: Chip,
    pages: Vec<[u8; 4]>,
    #[serde(skip)]
    proven: bool,
    /// The number that an authentication under way goes on with, and the last encrypted block.
    #[serde(skip)]
    pending: Option<([u8; 8], [u8; 8])>,
    /// The same of an AES card: which key, and its number.
    #[serde(skip)]
    pending_aes: Option<(u8, u128)>,
    /// The session of an AES card that wants MACs.
    #[serde(skip)]
    secured: Option<Secured>,
    draws: u8,
}

impl fmt::Debug for UltralightCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UltralightCard").field("pages", &self.pages.len()).field("proven", &self.proven).finish_non_exhaustive()
    }
}

impl UltralightCard {
    /// An EV1 with 48 bytes.
    #[must_use]
    pub fn ev1_small(uid: [u8; 7]) -> Self {
        let mut card = Self::new(uid, Chip::Ev1 { large: false }, 20);
        card.pages[16] = [0, 0, 0, 0xff];
        card.pages[18] = [0xff; 4];
        card
    }
    /// An EV1 with 128 bytes.
    #[must_use]
    pub fn ev1_large(uid: [u8; 7]) -> Self {
        let mut card = Self::new(uid, Chip::Ev1 { large: true }, 41);
        card.pages[37] = [0, 0, 0, 0xff];
        card.pages[39] = [0xff; 4];
        card
    }
    /// A C with its key from the factory, "IEMKAERB!NACUOYF".
    #[must_use]
    pub fn c(uid: [u8; 7]) -> Self {
        let mut card = Self::new(uid, Chip::C, 48);
        card.pages[42] = [0x30, 0, 0, 0];
        for (page, text) in (44..48).zip([b"BREA", b"KMEI", b"FYOU", b"CAN!"]) {
            card.pages[page] = *text;
        }
        card
    }
    /// An AES card, with a key of zeros.
    #[must_use]
    pub fn aes(uid: [u8; 7]) -> Self {
        let mut card = Self::new(uid, Chip::Aes, 60);
        card.pages[0x29] = [0, 0, 0, 0x3c];
        card.pages[0x2a] = [0x80, 0x05, 0, 0];
        card
    }
    /// An NTAG 213, with 144 bytes.
    #[must_use]
    pub fn ntag213(uid: [u8; 7]) -> Self {
        Self::ntag(uid, 45, 0x12, 0x0f)
    }
    /// An NTAG 215, with 504 bytes.
    #[must_use]
    pub fn ntag215(uid: [u8; 7]) -> Self {
        Self::ntag(uid, 135, 0x3e, 0x11)
    }
    /// An NTAG 216, with 888 bytes.
    #[must_use]
    pub fn ntag216(uid: [u8; 7]) -> Self {
        Self::ntag(uid, 231, 0x6d, 0x13)
    }
    /// As it comes: with a capability container and an empty message (NTAG213/215/216 section 8.5.6).
    fn ntag(uid: [u8; 7], pages: usize, room: u8, size: u8) -> Self {
        let mut card = Self::new(uid, Chip::Ntag(size), pages);
        card.pages[3] = [0xe1, 0x10, room, 0];
        card.pages[4] = [0x03, 0x00, 0xfe, 0x00];
        card.pages[pages - 4] = [0x04, 0, 0, 0xff];
        card.pages[pages - 2] = [0xff; 4];
        card
    }
    /// Lets an AES card want a MAC on every command after an authentication.
    #[must_use]
    pub fn that_wants_macs(mut self) -> Self {
        self.pages[0x29][0] |= 0x02;
        self
    }

    fn new(uid: [u8; 7], chip: Chip, count: usize) -> Self {
        let mut pages = vec![[0; 4]; count];
        let [a, b, c, d, e, f, g] = uid;
        pages[0] = [a, b, c, 0x88 ^ a ^ b ^ c];
        pages[1] = [d, e, f, g];
        pages[2] = [d ^ e ^ f ^ g, 0x48, 0, 0];
        Self { uid, chip, pages, proven: false, pending: None, pending_aes: None, secured: None, draws: uid[6] }
    }

    /// Its memory, as nobody can read it.
    #[must_use]
    pub fn memory(&self) -> &[[u8; 4]] {
        &self.pages
    }

    fn configuration(&self) -> usize {
        self.pages.len() - 4
    }

    /// From which page on a proof is asked for, and whether for reading too.
    fn gate(&self) -> (usize, bool) {
        match self.chip {
            Chip::Ev1 { .. } | Chip::Ntag(_) => {
                (usize::from(self.pages[self.configuration()][3]), self.pages[self.configuration() + 1][0] & 0x80 != 0)
            }
            Chip::C => (usize::from(self.pages[42][0]), self.pages[43][0] & 1 == 0),
            Chip::Aes => (usize::from(self.pages[0x29][3]), self.pages[0x2a][0] & 0x80 != 0),
        }
    }

    fn is_secret(&self, page: usize) -> bool {
        match self.chip {
            Chip::Ev1 { .. } | Chip::Ntag(_) => page >= self.configuration() + 2,
            Chip::C => page >= 44,
            Chip::Aes => page >= 0x30,
        }
    }

    fn read(&self, page: usize) -> Option<[u8; 4]> {
        let (from, reading_too) = self.gate();
        if page >= self.pages.len() || (reading_too && page >= from && !self.proven) {
            return None;
        }
        match self.chip {
            Chip::C if self.is_secret(page) => None,
            _ if self.is_secret(page) => Some([0; 4]),
            _ => Some(self.pages[page]),
        }
    }

    fn write(&mut self, page: usize, data: [u8; 4]) -> bool {
        let (from, _) = self.gate();
        if !(2..self.pages.len()).contains(&page) || (page >= from && !self.proven) || (self.chip == Chip::Aes && page >= 0x38) {
            return false;
        }
        // Lock bits: page 3 to 7 in the third byte of page 2, 8 to 15 in the fourth.
        let [_, _, low, high] = self.pages[2];
        if (3..16).contains(&page) && (u16::from_be_bytes([high, low]) >> page) & 1 != 0 {
            return false;
        }
        if page == 2 || page == 3 {
            // One-time bits: they are only ever set.
            for (held, new) in self.pages[page].iter_mut().zip(data) {
                *held |= new;
            }
        } else {
            self.pages[page] = data;
        }
        true
    }

    fn aes_key(&self, number: u8) -> Option<[u8; 16]> {
        let first = 0x30 + 4 * usize::from(number);
        let mut key: [u8; 16] = self.pages.get(first..first + 4).filter(|_| number < 2)?.concat().try_into().ok()?;
        key.reverse();
        Some(key)
    }

    /// The commands that an AES card understands under a MAC, without it.
    fn plain(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        match command {
            [0x30, page] => {
                let pages: Option<Vec<_>> = (0..4).map(|more| self.read(usize::from(*page) + more)).collect();
                Some(pages?.concat())
            }
            [0xa2, page, a, b, c, d] => self.write(usize::from(*page), [*a, *b, *c, *d]).then(Vec::new),
            _ => None,
        }
    }

    fn key(&self) -> [u8; 16] {
        let mut key = [0; 16];
        for (at, byte) in self.pages[44..48].concat().into_iter().enumerate() {
            // Each half lies the other way round.
            key[at / 8 * 8 + 7 - at % 8] = byte;
        }
        key
    }

    /// What the chip answers to a raw command; `None`: it refuses, and forgets what was proven.
    fn raw(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let pending = self.pending.take();
        let pending_aes = self.pending_aes.take();
        if let Some(mut secured) = self.secured.take() {
            let said = secured.command(command).map(<[u8]>::to_vec);
            let Some(data) = said.and_then(|command| self.plain(&command)) else {
                self.proven = false;
                return None;
            };
            let answer = secured.answer(&data);
            self.secured = Some(secured);
            return Some(answer);
        }
        match (self.chip, command) {
            (Chip::Aes, [0x60]) => Some(vec![0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0f, 0x03]),
            (Chip::Aes, [0x1a, number]) => {
                let key = self.aes_key(*number)?;
                let b = u128::from_be_bytes(std::array::from_fn(|_| {
                    self.draws = self.draws.wrapping_mul(53).wrapping_add(29);
                    self.draws
                }));
                self.pending_aes = Some((*number, b));
                Some([&[0xaf][..], &ultralight_aes::question(&key, b)].concat())
            }
            (Chip::Aes, [0xaf, reply @ ..]) => {
                let (number, b) = pending_aes?;
                self.proven = false;
                let (proof, secured) = ultralight_aes::answer(&self.aes_key(number)?, b, reply.try_into().ok()?)?;
                // Only the data protection key opens pages.
                self.proven = number == 0;
                self.secured = Some(secured).filter(|_| self.pages[0x29][0] & 0x02 != 0);
                Some([&[0x00][..], &proof].concat())
            }
            (Chip::Ev1 { large }, [0x60]) => Some(vec![0x00, 0x04, 0x03, 0x01, 0x01, 0x00, if large { 0x0e } else { 0x0b }, 0x03]),
            (Chip::Ntag(size), [0x60]) => Some(vec![0x00, 0x04, 0x04, 0x02, 0x01, 0x00, size, 0x03]),
            (Chip::Ev1 { .. } | Chip::Ntag(_), [0x1b, password @ ..]) if password == self.pages[self.configuration() + 2] => {
                self.proven = true;
                Some(self.pages[self.configuration() + 3][..2].to_vec())
            }
            (Chip::C, [0x1a, 0x00]) => {
                let b: [u8; 8] = std::array::from_fn(|_| {
                    self.draws = self.draws.wrapping_mul(53).wrapping_add(29);
                    self.draws
                });
                let encrypted = crypt(self.key(), b, true);
                self.pending = Some((b, encrypted));
                Some([&[0xaf][..], &encrypted].concat())
            }
            (Chip::C, [0xaf, reply @ ..]) if reply.len() == 16 => {
                let (b, last) = pending?;
                let first: [u8; 8] = reply[..8].try_into().ok()?;
                let second: [u8; 8] = reply[8..].try_into().ok()?;
                let a = mixed(crypt(self.key(), first, false), last);
                let turned = mixed(crypt(self.key(), second, false), first);
                if turned[..7] != b[1..] || turned[7] != b[0] {
                    self.proven = false;
                    return None;
                }
                self.proven = true;
                let back = [a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[0]];
                Some([&[0x00][..], &crypt(self.key(), mixed(back, second), true)].concat())
            }
            _ => {
                self.proven = false;
                None
            }
        }
    }
}

fn mixed(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b)).to_ne_bytes()
}

fn crypt(key: [u8; 16], block: [u8; 8], encrypt: bool) -> [u8; 8] {
    let cipher = TdesEde2::new(&Array::from(key));
    let mut out = Array::from(block);
    if encrypt {
        cipher.encrypt_block(&mut out)
    } else {
        cipher.decrypt_block(&mut out)
    }
    out.into()
}

impl SimulatedCard for UltralightCard {
    fn power_on(&mut self) -> Vec<u8> {
        self.proven = false;
        self.pending = None;
        self.pending_aes = None;
        self.secured = None;
        let mut atr =
            vec![0x3b, 0x8f, 0x80, 0x01, 0x80, 0x4f, 0x0c, 0xa0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00];
        atr.push(atr[1..].iter().fold(0, |sum, byte| sum ^ byte));
        atr
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        match command {
            [0xff, 0xca, 0, 0, 0] => [&self.uid[..], &[0x90, 0x00]].concat(),
            // A reader sends the plain commands, and a card that was promised MACs ends the session.
            [0xff, 0xb0 | 0xd6, 0, _, 4, ..] if self.secured.take().is_some() => {
                self.proven = false;
                vec![0x63, 0x00]
            }
            [0xff, 0xb0, 0, page, 4] => match self.read(usize::from(*page)) {
                Some(data) => [&data[..], &[0x90, 0x00]].concat(),
                None => vec![0x63, 0x00],
            },
            [0xff, 0xd6, 0, page, 4, a, b, c, d] => {
                if self.write(usize::from(*page), [*a, *b, *c, *d]) {
                    vec![0x90, 0x00]
                } else {
                    vec![0x63, 0x00]
                }
            }
            [0xff, 0, 0, 0, lc, 0xd4, 0x42, raw @ ..] if raw.len() + 2 == usize::from(*lc) => match self.raw(raw) {
                Some(data) => [&[0xd5, 0x43, 0x00][..], &data, &[0x90, 0x00]].concat(),
                None => vec![0xd5, 0x43, 0x01, 0x90, 0x00],
            },
            [0xff, ..] => vec![0x6a, 0x81],
            _ => vec![0x6e, 0x00],
        }
    }

    fn uid(&self) -> Vec<u8> {
        self.uid.to_vec()
    }
}
