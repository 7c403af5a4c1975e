//! A whole card: a message that phones read, and who may change it.
//!
//! A page is written whole or not at all, but a message and a key are several pages. So a card is first opened (with the proof it asks for), then gets
//! its message and its password or key, and is closed by the one page that says from where on they are asked for. An interrupted job leaves an open
//! card, and repeating it finishes. The first page, which says how long the message is, says "none" while the others are written (NFC Forum, Type 2
//! Tag: the length last), so a card that is torn before that page is read as empty.
use seam_core::encoder::Progress;
use zeroize::Zeroizing;

use super::{
    AesKeyNo, CAPABILITY, FIRST, Kind, PAGE, Password, Reader, authenticate, authenticate_aes, prove_password, read, uid, write, written,
};
use crate::Course;
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::{Key, KeyType};
use crate::ndef::{Message, tlv};

/// Who may change a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Anybody.
    Open,
    /// Who knows a password (EV1 and NTAG 21x).
    Password {
        /// The password.
        password: Password,
        /// Whether reading asks for it too. Phones then read nothing.
        reading_too: bool,
    },
    /// Who knows a key (C and AES).
    Key {
        /// Two DES keys for C, an AES key for AES.
        key: Key,
        /// Whether reading asks for it too. Phones then read nothing.
        reading_too: bool,
    },
}

/// What shall become of a card.
#[derive(Clone)]
pub struct Order {
    /// The serial number of the card that was presented; no other card is written.
    pub uid: [u8; 7],
    /// Which card it is.
    pub kind: Kind,
    /// How the reader passes raw commands.
    pub reader: Reader,
    /// What phones read.
    pub message: Message,
    /// Who may change it now.
    pub old: Protection,
    /// Who may change it afterwards.
    pub new: Protection,
}

/// The first data page of a card without a message: a block of no bytes, and the end.
const EMPTY: [u8; PAGE] = [tlv::NDEF, 0, tlv::TERMINATOR, 0];
const OPEN_C: u8 = 0x30;
const OPEN_PASSWORD: u8 = 0xff;
/// After the last page of an AES card.
const OPEN_AES: u8 = 0x3c;
/// Where an AES card says from which page on it asks for a proof (`AUTH0`, byte 3) and whether it wants MACs (`SEC_MSG_ACT`, byte 0).
const AES_SETTINGS: u8 = 0x29;
/// Bit of the first byte there.
const AES_WANTS_MACS: u8 = 0x02;
/// Where it says whether reading asks for it too (`PROT`, the highest bit of byte 0).
const AES_ACCESS: u8 = 0x2a;
/// Its data protection key, four pages.
const AES_KEY: u8 = 0x30;

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the number of the card nor what stands on it.
        f.debug_struct("Order").field("kind", &self.kind).field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Order {
    /// The data pages, and where they end.
    fn pages(&self) -> Result<Vec<(u8, [u8; PAGE])>, CardError> {
        let block = tlv::Block { kind: tlv::NDEF, value: self.message.to_bytes() };
        let mut bytes = tlv::to_bytes(&[block]).map_err(|_| CardError::Invalid("a message that is too long"))?;
        if bytes.len() > self.kind.room() {
            return Err(CardError::TooLong { length: bytes.len(), max: self.kind.room() });
        }
        bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
        Ok((FIRST..).zip(bytes.as_chunks::<PAGE>().0.iter().copied()).collect())
    }

    fn check(&self) -> Result<(), CardError> {
        for protection in [&self.old, &self.new] {
            let fits = match (protection, self.kind) {
                (Protection::Open, _) => continue,
                (Protection::Password { .. }, kind) => kind.password_pages().is_some(),
                (Protection::Key { key, .. }, Kind::C) => key.kind() == KeyType::TwoKeyTripleDes,
                (Protection::Key { key, .. }, Kind::Aes) => key.kind() == KeyType::Aes128,
                (Protection::Key { .. }, _) => false,
            };
            if !fits {
                return Err(CardError::Invalid("a protection that this card does not have"));
            }
            if self.reader == Reader::StorageOnly {
                return Err(CardError::Unsupported("this reader passes no raw commands to a card"));
            }
        }
        Ok(())
    }

    /// The capability container (NFC Forum, Type 2 Tag): version 1.0, size in units of eight bytes.
    fn capability(&self) -> [u8; PAGE] {
        [0xe1, 0x10, u8::try_from(self.kind.room() / 8).unwrap_or(u8::MAX), 0x00]
    }
}

/// Writes a card. What is proof of it is [`verify`].
///
/// The container of a card that has none is written into one-time bits: **for ever**.
///
/// # Errors
/// [`CardError::Invalid`] or [`CardError::Unsupported`]: nothing was changed. [`CardError::AuthenticationRefused`]: the card asks for a password or
/// key that is neither the old nor the new one. After any other error, repeat it.
pub async fn write_card(card: &Card, order: &Order, course: &dyn Course, random: &mut dyn Random) -> Result<(), CardError> {
    order.check()?;
    let pages = order.pages()?;
    same_card(card, order).await?;
    // To open it changes a page already.
    course.begins();
    open(card, order, random).await?;
    let held = read(card, CAPABILITY).await?;
    if held == [0; PAGE] {
        write(card, CAPABILITY, order.capability()).await?;
    } else if held[0] != 0xe1 {
        return Err(CardError::Invalid("the one-time bits of the card are used for something else"));
    }
    let of = u32::try_from(pages.len()).unwrap_or(u32::MAX).saturating_add(1);
    let Some(((first, length), rest)) = pages.split_first() else { return Err(CardError::Invalid("a message of no pages")) };
    card.report(Progress::Writing { done: 0, of });
    write(card, *first, EMPTY).await?;
    for (done, (page, data)) in (1u32..).zip(rest) {
        write(card, *page, *data).await?;
        card.report(Progress::Writing { done, of });
    }
    written(card, rest).await?;
    // Whoever needs no proof to read takes the card from here on. Where a proof is needed, it is the new one from `close` on.
    course.goes_live();
    write(card, *first, *length).await?;
    written(card, &pages[..1]).await?;
    same_card(card, order).await?;
    close(card, order).await?;
    card.report(Progress::Writing { done: of, of });
    Ok(())
}

async fn same_card(card: &Card, order: &Order) -> Result<(), CardError> {
    if uid(card).await? == order.uid { Ok(()) } else { Err(CardError::Invalid("this is another card than the one that was presented")) }
}

/// Where a card says from which page on it asks for a proof, and with what it says "from none".
fn gate(kind: Kind) -> Option<(u8, usize, u8)> {
    match kind {
        Kind::C => Some((42, 0, OPEN_C)),
        Kind::Aes => Some((AES_SETTINGS, 3, OPEN_AES)),
        _ => kind.password_pages().map(|first| (first, 3, OPEN_PASSWORD)),
    }
}

/// Proves what the card asks for, and lets it ask for nothing until [`close`].
async fn open(card: &Card, order: &Order, random: &mut dyn Random) -> Result<(), CardError> {
    let Some((page, byte, free)) = gate(order.kind) else { return Ok(()) };
    // An AES card keeps its settings and key behind the data, where they may be protected alone.
    let enough = if order.kind == Kind::Aes { free } else { free.min(order.kind.end()) };
    let mut settings = match read(card, page).await {
        Ok(settings) if order.kind == Kind::Aes && settings[0] & AES_WANTS_MACS != 0 => {
            return Err(CardError::Unsupported("a card that wants a MAC on every command"));
        }
        Ok(settings) if settings[byte] >= enough => return Ok(()),
        Ok(settings) => Some(settings),
        // Not even readable without a proof.
        Err(CardError::Status(_)) => None,
        Err(other) => return Err(other),
    };
    match prove(card, order, &order.old, random).await {
        Err(CardError::AuthenticationRefused { .. } | CardError::NotGenuine { .. }) if order.old != order.new => {
            prove(card, order, &order.new, random).await?;
        }
        other => other?,
    }
    let mut opened = match settings.take() {
        Some(settings) => settings,
        None => read(card, page).await?,
    };
    opened[byte] = free;
    write(card, page, opened).await
}

async fn prove(card: &Card, order: &Order, protection: &Protection, random: &mut dyn Random) -> Result<(), CardError> {
    match protection {
        Protection::Open => Err(CardError::AuthenticationRefused { key_no: 0, status: crate::apdu::StatusWord(0x6982) }),
        Protection::Password { password, .. } => prove_password(card, order.reader, password).await,
        Protection::Key { key, .. } if order.kind == Kind::Aes => {
            authenticate_aes(card, order.reader, AesKeyNo::Data, key, random).await.map(drop)
        }
        Protection::Key { key, .. } => authenticate(card, order.reader, key, random).await,
    }
}

/// Writes password or key, then the page that asks for it.
async fn close(card: &Card, order: &Order) -> Result<(), CardError> {
    match (&order.new, order.kind.password_pages()) {
        (Protection::Password { password, reading_too }, Some(first)) => {
            write(card, first + 2, *password.password).await?;
            write(card, first + 3, [password.answer[0], password.answer[1], 0, 0]).await?;
            let mut access = read(card, first + 1).await?;
            access[0] = access[0] & 0x7f | u8::from(*reading_too) << 7;
            write(card, first + 1, access).await?;
            let mut gate = read(card, first).await?;
            gate[3] = FIRST;
            write(card, first, gate).await
        }
        (Protection::Key { key, reading_too }, _) if order.kind == Kind::Aes => {
            let mut reversed = Zeroizing::new(key.bytes().to_vec());
            reversed.reverse();
            for (page, data) in (AES_KEY..).zip(reversed.as_chunks::<PAGE>().0) {
                write(card, page, *data).await?;
            }
            let mut access = read(card, AES_ACCESS).await?;
            access[0] = access[0] & 0x7f | u8::from(*reading_too) << 7;
            write(card, AES_ACCESS, access).await?;
            let mut gate = read(card, AES_SETTINGS).await?;
            gate[3] = FIRST;
            write(card, AES_SETTINGS, gate).await
        }
        (Protection::Key { key, reading_too }, _) => {
            let mut halves: [u8; 16] = key.bytes().try_into().map_err(|_| CardError::Invalid("a key of another length"))?;
            halves[..8].reverse();
            halves[8..].reverse();
            for (page, data) in (44..).zip(halves.as_chunks::<PAGE>().0) {
                write(card, page, *data).await?;
            }
            zeroize::Zeroize::zeroize(&mut halves);
            write(card, 43, [u8::from(!*reading_too), 0, 0, 0]).await?;
            write(card, 42, [FIRST, 0, 0, 0]).await
        }
        _ => Ok(()),
    }
}

/// Proves the password or key, reads the card and compares.
///
/// # Errors
/// [`CardError::NotAsWritten`]: it is not as ordered; [`CardError::AuthenticationRefused`]: another password or key.
pub async fn verify(card: &Card, order: &Order, random: &mut dyn Random) -> Result<(), CardError> {
    order.check()?;
    let pages = order.pages()?;
    if order.new != Protection::Open {
        prove(card, order, &order.new, random).await?;
        let Some((page, byte, _)) = gate(order.kind) else { return Err(CardError::NotAsWritten) };
        if read(card, page).await?[byte] != FIRST {
            return Err(CardError::NotAsWritten);
        }
    }
    if read(card, CAPABILITY).await?[0] != 0xe1 {
        return Err(CardError::NotAsWritten);
    }
    written(card, &pages).await?;
    same_card(card, order).await
}
