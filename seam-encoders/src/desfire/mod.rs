//! MIFARE DESFire EV1, EV2 and EV3.
//!
//! [`Desfire`] speaks to one card: native commands wrapped in ISO 7816 (`90 INS 00 00 ..`), long ones in chains of frames (`AF`), and the two
//! generations of secure messaging:
//! - **EV1** ([`ev1`]): AES, 3K3DES and 2K3DES (with which new cards come), a CMAC whose vector runs through the session, CRC32 inside what is
//!   encrypted;
//! - **EV2** ([`ev2`]): AES, a transaction identifier and a command counter in every MAC, plain, MAC or full mode.
//!
//! What is sent is computed by pure functions on a session ([`Ev1`](ev1::Ev1), [`Ev2`](ev2::Ev2)), so each known number can be tested by itself.
//!
//! # What was proven, and what not
//! EV1 messaging reproduces the recording of a real EV3 card (crate `desox` 0.5.4) and the log of a real EV1 card (Elmü) byte for byte. EV2
//! messaging reproduces the numbers of NXP's public notes for DESFire Light and NTAG 424 DNA, which share it; no recording of EV2 messaging
//! with a full DESFire is public. Leakage-resilient messaging (LRP) exists in DESFire Light and NTAG 424 DNA only, not in EV1 to EV3.
//!
//! Sources, as marked at each item: NXP MF2DL(H)x0 and AN12343 (DESFire Light), AN12196 (NTAG 424 DNA), AN10922, and the public
//! implementations libfreefare, proxmark3 and desox.
mod authenticate;
mod card;
mod commands;
pub mod ev1;
pub mod ev2;
mod file;
mod keys;
mod transaction;
mod types;
mod version;

pub use card::Desfire;
pub use file::{FileKind, FileSettings, ValueLimits};
pub use keys::ChangeKey;
pub use transaction::{Transacted, TransactionMac, TransactionMacKey, transaction_key_bytes};
pub use types::{AccessRights, Aid, ApplicationSettings, CommMode, KeyChange, KeySettings, Right};
pub use version::{Generation, Part, Version};

/// The instruction bytes of native commands. Source: libfreefare and proxmark3, the same in both.
pub mod ins {
    #![allow(missing_docs, reason = "each is the command of its name")]
    pub const AUTHENTICATE_ISO: u8 = 0x1A;
    pub const AUTHENTICATE_AES: u8 = 0xAA;
    pub const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
    pub const AUTHENTICATE_EV2_NON_FIRST: u8 = 0x77;
    pub const ADDITIONAL_FRAME: u8 = 0xAF;
    pub const CHANGE_KEY_SETTINGS: u8 = 0x54;
    pub const SET_CONFIGURATION: u8 = 0x5C;
    pub const CHANGE_KEY: u8 = 0xC4;
    pub const GET_KEY_VERSION: u8 = 0x64;
    pub const GET_KEY_SETTINGS: u8 = 0x45;
    pub const CREATE_APPLICATION: u8 = 0xCA;
    pub const DELETE_APPLICATION: u8 = 0xDA;
    pub const GET_APPLICATION_IDS: u8 = 0x6A;
    pub const SELECT_APPLICATION: u8 = 0x5A;
    pub const FORMAT_CARD: u8 = 0xFC;
    pub const GET_VERSION: u8 = 0x60;
    pub const GET_FREE_MEMORY: u8 = 0x6E;
    pub const GET_CARD_UID: u8 = 0x51;
    pub const GET_FILE_IDS: u8 = 0x6F;
    pub const GET_FILE_SETTINGS: u8 = 0xF5;
    pub const CHANGE_FILE_SETTINGS: u8 = 0x5F;
    pub const CREATE_STANDARD_FILE: u8 = 0xCD;
    pub const CREATE_BACKUP_FILE: u8 = 0xCB;
    pub const CREATE_VALUE_FILE: u8 = 0xCC;
    pub const CREATE_LINEAR_RECORD_FILE: u8 = 0xC1;
    pub const CREATE_CYCLIC_RECORD_FILE: u8 = 0xC0;
    pub const CREATE_TRANSACTION_MAC_FILE: u8 = 0xCE;
    pub const DELETE_FILE: u8 = 0xDF;
    pub const READ_DATA: u8 = 0xBD;
    pub const WRITE_DATA: u8 = 0x3D;
    pub const GET_VALUE: u8 = 0x6C;
    pub const CREDIT: u8 = 0x0C;
    pub const DEBIT: u8 = 0xDC;
    pub const LIMITED_CREDIT: u8 = 0x1C;
    pub const WRITE_RECORD: u8 = 0x3B;
    pub const READ_RECORDS: u8 = 0xBB;
    pub const CLEAR_RECORD_FILE: u8 = 0xEB;
    pub const COMMIT_TRANSACTION: u8 = 0xC7;
    pub const ABORT_TRANSACTION: u8 = 0xA7;
}
