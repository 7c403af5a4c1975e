//! MIFARE Classic: one sector of an application. Legacy: see [`LEGACY`](crate::classic::LEGACY).
use super::profile::{CardNumber, Profile, Task, WriteError, data, storage_card, to_hex};
use crate::classic::access::ClassicKey;
use crate::classic::driver::KeyKind;
use crate::classic::job::{self, Order, SectorKeys, SectorOrder};
use crate::classic::mad::Aid;
use crate::classic::{Size, driver};
use crate::dialogue::Dialogue;
use crate::error::CardError;
use seam_core::encoder::Technology;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Gives the keys of the sector of one card, by its serial number.
pub type SectorKeySource = Arc<dyn Fn(&[u8]) -> Result<SectorKeys, CardError> + Send + Sync>;

/// One sector of cards of 1 KiB or 4 KiB, with the card's directory.
///
/// The content of an image is `{"data": "<hexadecimal>"}`, as long as the sector's data blocks at most; the rest is filled with zeros. A sector that
/// the directory gives to another application, or that has other keys than ours and the factory's, is foreign.
#[derive(Clone)]
pub struct ClassicProfile {
    technology: Technology,
    owner: Aid,
    sector: u8,
    keys: SectorKeySource,
    directory: ClassicKey,
}

impl fmt::Debug for ClassicProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicProfile").field("owner", &self.owner).field("sector", &self.sector).finish_non_exhaustive()
    }
}

impl ClassicProfile {
    /// The sector (1 to 15) of the application `owner`, with these keys; `directory` becomes key B of the card's directory.
    ///
    /// # Errors
    /// [`CardError::Invalid`] for another sector.
    pub fn new(owner: Aid, sector: u8, keys: SectorKeySource, directory: ClassicKey) -> Result<Self, CardError> {
        if !(1..=15).contains(&sector) || owner.cluster == 0 {
            return Err(CardError::Invalid("a sector from 1 to 15 of an application"));
        }
        Ok(Self { technology: Technology("mifare_classic".to_owned()), owner, sector, keys, directory })
    }

    /// A card of 1 KiB has all that is used of one of 4 KiB but for the second directory.
    fn order(&self, task: &Task, size: Size) -> Result<Order, WriteError> {
        let room = size.data_blocks(self.sector).map_err(CardError::from)?.len() * 16;
        let data = data(&task.content, room)?;
        let sector = SectorOrder { sector: self.sector, blocks: data.as_chunks::<16>().0.to_vec(), keys: (self.keys)(&task.card.0)? };
        Ok(Order {
            uid: task.card.0.clone(),
            size,
            owner: self.owner,
            sectors: vec![sector],
            directory: self.directory.clone(),
            free: ClassicKey::factory(),
        })
    }
}

/// The size that a reader tells in the ATR.
fn size(atr: &[u8]) -> Option<Size> {
    match storage_card(atr)? {
        [0x00, 0x01] => Some(Size::K1),
        [0x00, 0x02] => Some(Size::K4),
        _ => None,
    }
}

impl Profile for ClassicProfile {
    fn technology(&self) -> &Technology {
        &self.technology
    }
    fn key_version(&self) -> u8 {
        0
    }
    fn identify(&self, atr: &[u8]) -> Dialogue<Option<CardNumber>> {
        let is_classic = size(atr).is_some();
        Dialogue::new(move |card| async move { if is_classic { Ok(Some(CardNumber(driver::uid(&card).await?))) } else { Ok(None) } })
    }
    /// The data of the sector, read with the door's key; `None` on a card whose sector has another one.
    fn read(&self, number: &CardNumber) -> Option<Dialogue<Option<Value>, WriteError>> {
        let (profile, number) = (self.clone(), number.clone());
        Some(Dialogue::new(move |card| async move {
            let keys = (profile.keys)(&number.0)?;
            // Sectors up to 15 lie in the same place on cards of either size.
            let trailer = Size::K1.trailer(profile.sector).map_err(CardError::from)?;
            match driver::authenticate(&card, trailer, KeyKind::A, &keys.a).await {
                Err(CardError::AuthenticationRefused { .. }) => return Ok(None),
                proven => proven?,
            }
            let mut data = Zeroizing::new(Vec::new());
            for block in Size::K1.data_blocks(profile.sector).map_err(CardError::from)? {
                data.extend_from_slice(&*driver::read(&card, block).await?);
            }
            Ok(Some(json!({ "data": to_hex(&data) })))
        }))
    }
    fn write(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move {
            let size = size(&task.atr).ok_or(CardError::NotThisTechnology { expected: "a MIFARE Classic" })?;
            let order = profile.order(&task, size)?;
            job::write(&card, &order, &task).await.map_err(|e| match e {
                job::OTHER_CARD => WriteError::AnotherCard,
                CardError::AuthenticationRefused { .. } => WriteError::Foreign("its sectors have keys of somebody else"),
                CardError::Invalid(what) => WriteError::Foreign(what),
                e => e.into(),
            })
        })
    }
    fn verify(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move {
            let size = size(&task.atr).ok_or(CardError::NotThisTechnology { expected: "a MIFARE Classic" })?;
            job::verify(&card, &profile.order(&task, size)?).await.map_err(|e| match e {
                job::OTHER_CARD => WriteError::AnotherCard,
                e => e.into(),
            })
        })
    }
}
