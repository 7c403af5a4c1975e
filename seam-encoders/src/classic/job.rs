//! A whole card: some sectors of an application, and their entries in the directory.
//!
//! A write is not atomic for the card, and a trailer torn by a card that leaves is the one thing that no driver can mend. So there is one write of
//! each trailer, after the data of its sector was read back, and the directory comes last. Everything else may be repeated: a sector that holds its
//! new keys already is written with them.
use seam_core::encoder::Progress;
use zeroize::Zeroizing;

use super::access::{ClassicKey, Conditions, Trailer};
use super::driver::{self, KeyKind};
use super::mad::{Aid, Directory, Version};
use super::{ClassicError, Size};
use crate::Course;
use crate::dialogue::Card;
use crate::error::CardError;

/// The keys of a sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorKeys {
    /// Key A: what a lock reads with.
    pub a: ClassicKey,
    /// Key B: what an encoder writes with.
    pub b: ClassicKey,
}

/// What a sector shall hold.
#[derive(Clone)]
pub struct SectorOrder {
    /// Which sector: not 0, and not 16 where that holds a directory.
    pub sector: u8,
    /// Its blocks from the first on; blocks that are not named stay as they are.
    pub blocks: Vec<[u8; 16]>,
    /// Its keys afterwards.
    pub keys: SectorKeys,
}

impl std::fmt::Debug for SectorOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SectorOrder").field("sector", &self.sector).finish_non_exhaustive()
    }
}

/// What shall become of a card.
#[derive(Clone)]
pub struct Order {
    /// The serial number of the card that was presented; no other card is written.
    pub uid: Vec<u8>,
    /// How large it is.
    pub size: Size,
    /// Whose sectors they are.
    pub owner: Aid,
    /// The sectors.
    pub sectors: Vec<SectorOrder>,
    /// Key B of the directory afterwards. Its key A is the public one.
    pub directory: ClassicKey,
    /// Key A of sectors that are still free: that of the factory, if nothing else is known.
    pub free: ClassicKey,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the number of the card nor what stands on it.
        f.debug_struct("Order").field("size", &self.size).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Order {
    fn version(&self) -> Version {
        match self.size {
            Size::K1 => Version::One,
            Size::K4 => Version::Two,
        }
    }

    fn check(&self) -> Result<(), CardError> {
        let mut named = Vec::new();
        for order in &self.sectors {
            let blocks = self.size.data_blocks(order.sector)?;
            if order.sector == 0 || order.sector == 16 || named.contains(&order.sector) {
                return Err(CardError::Invalid("a sector of the directory, or one that is named twice"));
            }
            if order.blocks.len() > blocks.len() {
                return Err(CardError::TooLong { length: order.blocks.len() * 16, max: blocks.len() * 16 });
            }
            named.push(order.sector);
        }
        if named.is_empty() || self.owner.cluster == 0 {
            return Err(CardError::Invalid("a card without sectors, or for nobody"));
        }
        Ok(())
    }
}

/// Read with either key, everything else with key B, which cannot be read.
const CONDITIONS: Conditions = Conditions::READ_A_WRITE_B;
/// The general purpose byte of a sector without a directory (NXP data sheet: free for the user; as cards come).
const GENERAL: u8 = 0x69;

/// The card is not the one that the order is for.
pub(crate) const OTHER_CARD: CardError = CardError::Invalid("this is another card than the one that was presented");

/// Writes a card. What is proof of it is [`verify`].
///
/// # Errors
/// [`CardError::Invalid`]: an order that cannot be carried out, another card, or sectors that belong to somebody else; nothing was changed.
/// [`CardError::AuthenticationRefused`]: a sector has neither the old nor the new keys, or the directory is somebody else's. [`CardError::Garbage`]: a directory that is broken. After any
/// other error, repeat it.
pub async fn write(card: &Card, order: &Order, course: &dyn Course) -> Result<(), CardError> {
    order.check()?;
    same_card(card, order).await?;
    let mut directory = DirectoryOnCard::read(card, order).await?;
    for wanted in &order.sectors {
        match directory.content.owner(wanted.sector) {
            Some(owner) if owner == Aid::FREE || owner == order.owner => {}
            _ => return Err(CardError::Invalid("a sector that belongs to another application")),
        }
    }
    let is_free = |wanted: &SectorOrder| directory.content.owner(wanted.sector) == Some(Aid::FREE);
    if !directory.is_new && order.sectors.iter().any(is_free) {
        // Somebody else's directory could not be written in the end, when the sectors are: so its key is proven before anything is.
        driver::authenticate(card, order.size.trailer(0)?, KeyKind::B, &order.directory).await?;
    }
    let of = u32::try_from(order.sectors.len()).unwrap_or(u32::MAX).saturating_add(1);
    card.report(Progress::Writing { done: 0, of });
    for (done, wanted) in (1u32..).zip(&order.sectors) {
        write_sector(card, order, wanted, course).await?;
        card.report(Progress::Writing { done, of });
    }
    for wanted in &order.sectors {
        directory.content.assign(wanted.sector, order.owner)?;
    }
    directory.write(card, order).await?;
    card.report(Progress::Writing { done: of, of });
    Ok(())
}

/// Reads a card as a lock does, with keys A, and compares.
///
/// # Errors
/// [`CardError::NotAsWritten`]: it is not as ordered; [`CardError::Invalid`]: another card.
pub async fn verify(card: &Card, order: &Order) -> Result<(), CardError> {
    same_card(card, order).await?;
    for wanted in &order.sectors {
        let trailer = order.size.trailer(wanted.sector)?;
        driver::authenticate(card, trailer, KeyKind::A, &wanted.keys.a).await?;
        holds(card, order, wanted).await?;
        let conditions = Trailer::parse(&*driver::read(card, trailer).await?)?.conditions;
        if conditions != CONDITIONS {
            return Err(CardError::NotAsWritten);
        }
    }
    let directory = DirectoryOnCard::read(card, order).await?;
    let assigned = order.sectors.iter().all(|wanted| directory.content.owner(wanted.sector) == Some(order.owner));
    if directory.is_new || !assigned {
        return Err(CardError::NotAsWritten);
    }
    // There is no session that another card could not take over: so once more who it is.
    same_card(card, order).await
}

async fn same_card(card: &Card, order: &Order) -> Result<(), CardError> {
    if driver::uid(card).await? == order.uid { Ok(()) } else { Err(OTHER_CARD) }
}

/// Proves one of several keys to a sector, in this order.
async fn prove_any(card: &Card, block: u8, keys: &[(KeyKind, &ClassicKey)]) -> Result<usize, CardError> {
    let mut refused = CardError::Invalid("no key to prove");
    for (at, (kind, key)) in keys.iter().enumerate() {
        match driver::authenticate(card, block, *kind, key).await {
            Ok(()) => return Ok(at),
            Err(error @ CardError::AuthenticationRefused { .. }) => refused = error,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

async fn write_sector(card: &Card, order: &Order, wanted: &SectorOrder, course: &dyn Course) -> Result<(), CardError> {
    let trailer = order.size.trailer(wanted.sector)?;
    let keys = [(KeyKind::A, &order.free), (KeyKind::B, &wanted.keys.b)];
    let is_done = prove_any(card, trailer, &keys).await? == 1;
    // The key may have been proven to a card that was put there since: it could hold the same one.
    same_card(card, order).await?;
    course.begins();
    if is_done {
        // Locks have its keys already: they take what is written now.
        course.goes_live();
    }
    for (block, data) in order.size.data_blocks(wanted.sector)?.zip(&wanted.blocks) {
        driver::write(card, block, data).await?;
    }
    holds(card, order, wanted).await?;
    if is_done {
        return Ok(());
    }
    let block = Trailer { key_a: wanted.keys.a.clone(), conditions: CONDITIONS, general: GENERAL, key_b: wanted.keys.b.clone() }.to_block();
    course.goes_live();
    driver::write(card, trailer, &block).await
}

/// Whether the data of a sector, to which a key was proven, is as wanted.
async fn holds(card: &Card, order: &Order, wanted: &SectorOrder) -> Result<(), CardError> {
    for (block, data) in order.size.data_blocks(wanted.sector)?.zip(&wanted.blocks) {
        if *driver::read(card, block).await? != *data {
            return Err(CardError::NotAsWritten);
        }
    }
    Ok(())
}

/// The directory, and whether the card has none yet.
struct DirectoryOnCard {
    content: Directory,
    is_new: bool,
}

impl DirectoryOnCard {
    async fn read(card: &Card, order: &Order) -> Result<Self, CardError> {
        let trailer = order.size.trailer(0)?;
        let public = ClassicKey::directory();
        let is_new = prove_any(card, trailer, &[(KeyKind::A, &public), (KeyKind::A, &order.free)]).await? == 1;
        let general = Trailer::parse(&*driver::read(card, trailer).await?)?.general;
        match (is_new, Version::of(general)?) {
            (true, _) => return Ok(Self { content: Directory::new(order.version()), is_new }),
            (false, Some(version)) if version == order.version() => {}
            (false, _) => return Err(CardError::Garbage("a directory of another version than the card needs")),
        }
        let low = Zeroizing::new([*driver::read(card, 1).await?, *driver::read(card, 2).await?].concat());
        let high = if order.version() == Version::Two {
            driver::authenticate(card, order.size.trailer(16)?, KeyKind::A, &public).await?;
            let mut high = Vec::new();
            for block in order.size.data_blocks(16)? {
                high.extend_from_slice(&*driver::read(card, block).await?);
            }
            Some(high)
        } else {
            None
        };
        Ok(Self { content: parse_or_mend(&low, high.as_deref(), order)?, is_new })
    }

    /// Data first, then the trailer with the public key. The first block, which holds the checksum, is the last one of the data.
    async fn write(&self, card: &Card, order: &Order) -> Result<(), CardError> {
        let (low, high) = self.content.to_bytes();
        for (sector, bytes) in [(0, Some(&low[..])), (16, high.as_ref().map(|high| &high[..]))].into_iter().rev() {
            let Some(bytes) = bytes else { continue };
            let trailer = order.size.trailer(sector)?;
            let keys = [(KeyKind::A, &order.free), (KeyKind::B, &order.directory)];
            let is_done = prove_any(card, trailer, &keys).await? == 1;
            same_card(card, order).await?;
            let blocks: Vec<(u8, &[u8; 16])> = order.size.data_blocks(sector)?.zip(bytes.as_chunks::<16>().0).collect();
            for (block, data) in blocks.iter().rev() {
                driver::write(card, *block, data).await?;
            }
            for (block, data) in &blocks {
                if *driver::read(card, *block).await? != **data {
                    return Err(CardError::NotAsWritten);
                }
            }
            if !is_done {
                let (key_a, key_b) = (ClassicKey::directory(), order.directory.clone());
                // The byte has its meaning in sector 0 alone, and the same value in both (NXP AN10787 section 3.5).
                let trailer_block = Trailer { key_a, conditions: CONDITIONS, general: order.version().general(), key_b }.to_block();
                driver::write(card, trailer, &trailer_block).await?;
            }
        }
        Ok(())
    }
}

/// Reads a directory; one that a job like this one left half written is read as it was before.
///
/// The blocks are written from the last to the first, which holds the checksum. So where it does not hold, the entries of this job in some last
/// blocks are new and everything before them is old: with those entries free again, the old checksum holds.
fn parse_or_mend(low: &[u8], high: Option<&[u8]>, order: &Order) -> Result<Directory, CardError> {
    let mended_low = candidates(low, 1, order);
    let mended_high = high.map_or_else(|| vec![None], |high| candidates(high, 17, order).into_iter().map(Some).collect());
    let mut first_error = None;
    for high in &mended_high {
        for low in &mended_low {
            let low = low.as_slice().try_into().map_err(|_| CardError::Garbage("a directory of another length"))?;
            let high = high.as_ref().map(|high| high.as_slice().try_into()).transpose();
            match Directory::parse(low, high.map_err(|_| CardError::Garbage("a directory of another length"))?) {
                Ok(directory) => return Ok(directory),
                Err(error) => first_error.get_or_insert(error),
            };
        }
    }
    Err(first_error.unwrap_or(ClassicError::Directory("no bytes")).into())
}

/// The bytes as they are, then with the entries of this order set free from the last block, the last two ... on.
fn candidates(bytes: &[u8], first_sector: u8, order: &Order) -> Vec<Vec<u8>> {
    let mut out = vec![bytes.to_vec()];
    let mut mended = bytes.to_vec();
    for block in (1..bytes.len() / 16).rev() {
        for wanted in &order.sectors {
            let Some(at) = wanted.sector.checked_sub(first_sector).map(|entry| 2 + 2 * usize::from(entry)) else { continue };
            if at / 16 == block
                && let Some(entry) = mended.get_mut(at..at + 2)
            {
                entry.fill(0);
            }
        }
        out.push(mended.clone());
    }
    out
}
