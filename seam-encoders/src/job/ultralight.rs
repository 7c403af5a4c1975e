//! MIFARE Ultralight EV1 with an image that an access system made: pages as they come.
use super::profile::{CardNumber, Profile, Task, WriteError, from_hex, storage_card, to_hex};
use crate::dialogue::{Card, Dialogue};
use crate::error::CardError;
use crate::ultralight::{self, FIRST, Kind, PAGE, Reader};
use seam_core::encoder::{Progress, Technology};
use serde_json::{Value, json};

/// What a reader calls the whole family.
const ULTRALIGHT: [u8; 2] = [0x00, 0x03];
/// The page with the lock bits.
const LOCKS: u8 = 2;
/// What stands in one page of the image while the others are written.
const EMPTY: [u8; PAGE] = [0; PAGE];

/// Images of pages, as Visionline makes them for a card with a given serial number: `{"first_page": 4, "hex": "<whole pages, hexadecimal>"}`.
///
/// What stands in an image, and whose it is, only the access system knows: it is written as it comes. So this profile cannot tell a card that a system
/// of ours wrote before from one of somebody else: cards whose pages are in use are foreign, unless it [`overwrites`](Self::overwrites) them. The
/// first page that is not zeros is emptied first and written last: once it is empty, a torn card has no whole image, neither the old one nor the new.
///
/// Sources: that the image goes there as it is, one public client of Visionline; pages, lock bits and password, NXP MF0ULX1 sections 8.5 and 8.8.
#[derive(Clone, Debug)]
pub struct UltralightImageProfile {
    technology: Technology,
    reader: Reader,
    overwrites: bool,
}

impl UltralightImageProfile {
    /// At a reader that passes raw commands in this way. One that passes none ([`Reader::StorageOnly`]) cannot tell an EV1 from its kin; there, images
    /// are written that fit the smallest of them (48 bytes).
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self { technology: Technology("mifare_ultralight_ev1".to_owned()), reader, overwrites: false }
    }
    /// Overwrites cards that something stands on already, as the cards of earlier guests.
    #[must_use]
    pub fn overwrites(mut self) -> Self {
        self.overwrites = true;
        self
    }
    /// Under another name of the technology than `mifare_ultralight_ev1`.
    #[must_use]
    pub fn named(mut self, technology: &str) -> Self {
        self.technology = Technology(technology.to_owned());
        self
    }

    /// The chip, if the reader can tell; `Ok(None)`: it cannot. An error: it is another one.
    async fn kind(&self, card: &Card) -> Result<Option<Kind>, CardError> {
        if self.reader == Reader::StorageOnly {
            return Ok(None);
        }
        match ultralight::identify(card, self.reader).await? {
            kind @ (Kind::Ev1Small | Kind::Ev1Large) => Ok(Some(kind)),
            _ => Err(CardError::NotThisTechnology { expected: "a MIFARE Ultralight EV1" }),
        }
    }

    async fn write_card(&self, card: &Card, task: &Task) -> Result<(), WriteError> {
        let kind = self.kind(card).await?;
        let pages = pages(&task.content, kind)?;
        same_card(card, task).await?;
        let held = self.held(card, task, kind, &pages).await?;
        if pages.iter().map(|(_, data)| data).eq(&held) {
            return Ok(());
        }
        let mut rest = pages;
        let (key_page, key_data) = rest.remove(rest.iter().position(|(_, data)| *data != EMPTY).unwrap_or(0));
        let of = u32::try_from(rest.len() + 1).unwrap_or(u32::MAX);
        card.report(Progress::Writing { done: 0, of });
        task.begins();
        ultralight::write(card, key_page, EMPTY).await?;
        for (done, (page, data)) in (1u32..).zip(&rest) {
            ultralight::write(card, *page, *data).await?;
            card.report(Progress::Writing { done, of });
        }
        ultralight::written(card, &rest).await?;
        same_card(card, task).await?;
        task.goes_live();
        Ok(ultralight::write(card, key_page, key_data).await?)
    }

    /// What stands where the image goes, on a card that may be written.
    async fn held(&self, card: &Card, task: &Task, kind: Option<Kind>, pages: &[(u8, [u8; PAGE])]) -> Result<Vec<[u8; PAGE]>, WriteError> {
        // A bit for each of the pages 4 to 7 in the upper half of the third byte, and for 8 to 15 in the fourth.
        let [_, _, low, high] = ultralight::read(card, LOCKS).await?;
        if low & 0xf0 != 0 || high != 0 {
            return Err(CardError::Unsupported("a card whose pages are locked for ever").into());
        }
        if let Some(page) = kind.and_then(Kind::password_pages) {
            // The last byte says from which page on a password is asked for.
            let asks_from = ultralight::read(card, page).await?[3];
            if pages.iter().any(|(page, _)| *page >= asks_from) {
                return Err(WriteError::Foreign("its pages are behind a password"));
            }
        }
        let mut held = Vec::with_capacity(pages.len());
        for (page, _) in pages {
            held.push(ultralight::read(card, *page).await?);
        }
        let is_blank = held.iter().all(|data| *data == [0; PAGE]) || held.iter().all(|data| *data == [0xff; PAGE]);
        let is_same = pages.iter().map(|(_, data)| data).eq(&held);
        if is_blank || is_same || self.overwrites || task.interrupted.is_some() {
            return Ok(held);
        }
        Err(WriteError::Foreign("something stands on it already"))
    }
}

/// The pages of an image, with their numbers.
fn pages(content: &Value, kind: Option<Kind>) -> Result<Vec<(u8, [u8; PAGE])>, WriteError> {
    let first = content.get("first_page").and_then(Value::as_u64).and_then(|first| u8::try_from(first).ok());
    let first = first.filter(|first| *first >= FIRST).ok_or(WriteError::Image("its \"first_page\" is none of 4 and more"))?;
    let text = content.get("hex").and_then(Value::as_str).ok_or(WriteError::Image("there is no \"hex\""))?;
    let bytes = from_hex(text).ok_or(WriteError::Image("its pages are not hexadecimal"))?;
    let (pages, []) = bytes.as_chunks::<PAGE>() else { return Err(WriteError::Image("its pages are not whole")) };
    let end = usize::from(first) + pages.len();
    if pages.is_empty() || end > usize::from(kind.unwrap_or(Kind::Ev1Small).end()) {
        return Err(WriteError::Image("its pages are none, or more than the card has"));
    }
    Ok((first..).zip(pages.iter().copied()).collect())
}

async fn same_card(card: &Card, task: &Task) -> Result<(), WriteError> {
    if ultralight::uid(card).await?[..] == task.card.0 { Ok(()) } else { Err(WriteError::AnotherCard) }
}

impl Profile for UltralightImageProfile {
    fn technology(&self) -> &Technology {
        &self.technology
    }
    fn key_version(&self) -> u8 {
        0
    }
    fn identify(&self, atr: &[u8]) -> Dialogue<Option<CardNumber>> {
        let (profile, is_ultralight) = (self.clone(), storage_card(atr) == Some(ULTRALIGHT));
        Dialogue::new(move |card| async move {
            if !is_ultralight {
                return Ok(None);
            }
            profile.kind(&card).await?;
            Ok(Some(CardNumber(ultralight::uid(&card).await?.to_vec())))
        })
    }
    fn write(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move { profile.write_card(&card, &task).await })
    }
    fn verify(&self, task: Task) -> Dialogue<(), WriteError> {
        Dialogue::new(move |card| async move {
            // How large the chip is was found out before its pages were written.
            ultralight::written(&card, &pages(&task.content, Some(Kind::Ev1Large))?).await?;
            same_card(&card, &task).await
        })
    }
    /// The pages from 4 to 15, whoever wrote them; `None` on a card that nothing stands on.
    fn read(&self, _: &CardNumber) -> Option<Dialogue<Option<Value>, WriteError>> {
        Some(Dialogue::new(|card| async move {
            let mut bytes = Vec::new();
            for page in FIRST..Kind::Ev1Small.end() {
                bytes.extend(ultralight::read(&card, page).await?);
            }
            let is_blank = bytes.iter().all(|byte| *byte == 0);
            Ok((!is_blank).then(|| json!({ "first_page": FIRST, "hex": to_hex(&bytes) })))
        }))
    }
}
