//! A simulated NTAG 424 DNA, from the data sheet NT4H2421Gx: AES and LRP, its three files, mirrors with their counter, and every refusal.
//!
//! Not simulated: the delay after many failed authentications, tag tamper, and the configurations other than random numbers and LRP.
mod commands;
mod crypto;
mod mirror;

use super::SimulatedCard;
use crypto::{Block, SessionKeys};
use mirror::Mirrors;
use serde::{Deserialize, Serialize};
use std::fmt;

const OK: u8 = 0x00;
const MORE: u8 = 0xaf;
const ILLEGAL: u8 = 0x1c;
const INTEGRITY: u8 = 0x1e;
const NO_KEY: u8 = 0x40;
const LENGTH: u8 = 0x7e;
const DENIED: u8 = 0x9d;
const PARAMETER: u8 = 0x9e;
const AUTHENTICATION: u8 = 0xae;
const BOUNDARY: u8 = 0xbe;
const ABORTED: u8 = 0xca;
const NO_FILE: u8 = 0xf0;

#[derive(Clone, Deserialize, Serialize)]
struct SimFile {
    data: Vec<u8>,
    /// 0 plain, 1 MAC, 3 full.
    mode: u8,
    /// As on the wire: read-write and change, read and write.
    rights: [u8; 2],
    mirrors: Option<Mirrors>,
}

impl SimFile {
    fn read(&self) -> [u8; 2] {
        [self.rights[1] >> 4, self.rights[0] >> 4]
    }
    fn write(&self) -> [u8; 2] {
        [self.rights[1] & 15, self.rights[0] >> 4]
    }
    fn change(&self) -> u8 {
        self.rights[0] & 15
    }
}

struct Session {
    key_no: u8,
    ti: [u8; 4],
    counter: u16,
    keys: SessionKeys,
}

enum Pending {
    Authentication { first: bool, key_no: u8, b: Block },
    Version { frame: u8 },
}

/// The card. It holds keys of zeros and empty files until somebody writes it.
#[derive(Deserialize, Serialize)]
pub struct Ntag424Card {
    uid: [u8; 7],
    keys: [Block; 5],
    versions: [u8; 5],
    files: [SimFile; 3],
    lrp: bool,
    hides: bool,
    taps: u32,
    signature: Vec<u8>,
    draws: u64,
    // What it forgets without power.
    #[serde(skip)]
    selected: bool,
    #[serde(skip)]
    session: Option<Session>,
    #[serde(skip)]
    pending: Option<Pending>,
    /// Commands that are one tap together.
    #[serde(skip)]
    tapping: bool,
    /// The file that `ISOReadBinary` reads.
    #[serde(skip)]
    current: Option<usize>,
}

impl fmt::Debug for Ntag424Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntag424Card").field("lrp", &self.lrp).field("taps", &self.taps).finish_non_exhaustive()
    }
}

impl Ntag424Card {
    /// A new card with this serial number.
    #[must_use]
    pub fn new(uid: [u8; 7]) -> Self {
        let file = |size: usize, mode, rights| SimFile { data: vec![0; size], mode, rights, mirrors: None };
        // As a card comes (AN12196 section 4): the container and the NDEF file in clear, the third file with keys 2 and 3.
        let mut container = file(32, 0, [0x00, 0xe0]);
        container.data[..23].copy_from_slice(&[
            0x00, 0x17, 0x20, 0x01, 0x00, 0x00, 0xff, 0x04, 0x06, 0xe1, 0x04, 0x01, 0x00, 0x00, 0x00, 0x05, 0x06, 0xe1, 0x05, 0x00, 0x80,
            0x82, 0x83,
        ]);
        Self {
            uid,
            keys: [[0; 16]; 5],
            versions: [0; 5],
            files: [container, file(256, 0, [0xe0, 0xee]), file(128, 3, [0x30, 0x23])],
            lrp: false,
            hides: false,
            taps: 0,
            signature: vec![0; 56],
            draws: u64::from_be_bytes([0, uid[0], uid[1], uid[2], uid[3], uid[4], uid[5], uid[6]]),
            selected: false,
            session: None,
            pending: None,
            tapping: false,
            current: None,
        }
    }
    /// With the manufacturer's signature of its number.
    #[must_use]
    pub fn signed(mut self, signature: [u8; 56]) -> Self {
        self.signature = signature.to_vec();
        self
    }
    /// With LRP switched on.
    #[must_use]
    pub fn with_lrp(mut self) -> Self {
        self.lrp = true;
        self
    }
    /// With this key and version in a slot.
    ///
    /// # Panics
    /// When the slot is not 0 to 4.
    #[must_use]
    pub fn with_key(mut self, number: usize, key: [u8; 16], version: u8) -> Self {
        self.keys[number] = key;
        self.versions[number] = version;
        self
    }
    /// How often it was tapped.
    #[must_use]
    pub fn taps(&self) -> u32 {
        self.taps
    }

    /// Numbers that look random and are the same in every run.
    fn draw<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| {
            self.draws = self.draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.draws.to_be_bytes()[1]
        })
    }

    fn native(&mut self, ins: u8, data: &[u8]) -> Vec<u8> {
        if !self.selected && !matches!(ins, 0x60 | MORE) {
            return vec![0x91, if matches!(ins, 0x71 | 0x77) { NO_KEY } else { DENIED }];
        }
        if ins != 0xad {
            self.tapping = false;
        }
        let result = match (ins, self.pending.take()) {
            (MORE, Some(Pending::Authentication { first, key_no, b })) => self.authenticated(first, key_no, &b, data),
            (MORE, Some(Pending::Version { frame })) => self.version(frame, data),
            (_, Some(_)) => Err(ABORTED),
            (0x60, None) => self.version(0, data),
            (0x71 | 0x77, None) => self.challenge(ins == 0x71, data),
            (0x51, None) => self.checked(ins, data, 0).and_then(|_| self.full_answer(&self.uid.clone(), OK)),
            (0x64, None) => self.key_version(data),
            (0xf5, None) => self.settings(data),
            (0xf6, None) => self.tap_counter(data),
            (0x3c, None) => self.signature_of_uid(data),
            (0xad, None) => self.read_data(data),
            (0x8d, None) => self.write_data(data),
            (0x5f, None) => self.change_settings(data),
            (0xc4, None) => self.change_key(data),
            (0x5c, None) => self.configure(data),
            _ => Err(ILLEGAL),
        };
        match result {
            Ok((mut answer, status)) => {
                answer.extend([0x91, status]);
                answer
            }
            Err(status) => {
                // An error ends the session (NT4H2421Gx section 9.1.2).
                self.session = None;
                vec![0x91, status]
            }
        }
    }
}

impl SimulatedCard for Ntag424Card {
    fn power_on(&mut self) -> Vec<u8> {
        self.selected = false;
        self.session = None;
        self.pending = None;
        self.tapping = false;
        self.current = None;
        vec![0x3b, 0x81, 0x80, 0x01, 0x80, 0x80]
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let Some((&[class, ins, p1, p2], body)) = command.split_first_chunk::<4>() else { return vec![0x67, 0x00] };
        let (data, le) = match body {
            [] => (&[][..], None),
            [le] => (&[][..], Some(*le)),
            [lc, rest @ ..] if rest.len() == usize::from(*lc) => (rest, None),
            [lc, rest @ .., le] if rest.len() == usize::from(*lc) => (rest, Some(*le)),
            _ => return vec![0x67, 0x00],
        };
        match (class, ins) {
            (0x90, _) if (p1, p2) != (0, 0) || le != Some(0) => vec![0x91, LENGTH],
            (0x90, _) => self.native(ins, data),
            // What a reader answers for the card.
            (0xff, 0xca) if self.hides => [&self.draw::<4>()[..], &[0x90, 0x00]].concat(),
            (0xff, 0xca) => [&self.uid[..], &[0x90, 0x00]].concat(),
            (0x00, _) => self.iso(ins, p1, p2, data, le),
            _ => vec![0x6e, 0x00],
        }
    }

    fn uid(&self) -> Vec<u8> {
        if self.hides { vec![0x08, 0x11, 0x22, 0x33] } else { self.uid.to_vec() }
    }
}
