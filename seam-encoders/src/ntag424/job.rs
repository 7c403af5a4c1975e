//! A whole card, from what is known of it to what a guest gets.
//!
//! The order is what keeps a card from being ruined: data first, then the settings that protect it, then keys 1 to 4, and the master key last.
//! Every step may be taken again. So a job that was interrupted anywhere, also without an answer, is finished by running it again with the same
//! [`Order`]: the master key is the old or the new one, and the version of every other key says which it is.
use seam_core::encoder::Progress;

use super::sdm::SdmUrl;
use super::settings::{Access, CommMode, FileSettings, KeyNo, Rights};
use super::{File, Ntag424, Session, Suite};
use crate::Course;
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::Key;
use crate::ndef;

/// What a file shall hold, and how it shall be protected.
#[derive(Clone)]
pub struct FileOrder {
    /// From its first byte on; what follows stays as it is.
    pub content: Vec<u8>,
    /// How it shall be protected. The right to change them must be the master key's, or the job could not be repeated.
    pub settings: FileSettings,
}

impl std::fmt::Debug for FileOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileOrder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What shall become of a card.
#[derive(Clone)]
pub struct Order {
    /// The serial number of the card that was presented; no other card is written.
    pub uid: [u8; 7],
    /// Which cipher it uses.
    pub suite: Suite,
    /// The keys that it may hold, by number, likeliest first. Those of a new card are zeros of version 0. Which of them each of the keys 1 to 4 is
    /// is told by its version.
    pub old: Vec<[Key; 5]>,
    /// The keys that it shall hold, by number. Each differs from the old ones in its version, or is the same key.
    pub new: [Key; 5],
    /// The NDEF file.
    pub ndef: FileOrder,
    /// The address that the NDEF file is a template of, to prove it with a tap.
    pub url: Option<SdmUrl>,
    /// The file of the issuer, if it is to be written.
    pub proprietary: Option<FileOrder>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the number of the card nor what stands on it.
        f.debug_struct("Order").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Order {
    fn files(&self) -> impl Iterator<Item = (File, &FileOrder)> {
        std::iter::once((File::Ndef, &self.ndef)).chain(self.proprietary.iter().map(|order| (File::Proprietary, order)))
    }

    /// Refuses what could not be repeated or proven.
    fn check(&self) -> Result<(), CardError> {
        for (file, order) in self.files() {
            file.holds(0, order.content.len())?;
            if order.settings.rights.change != Access::Key(KeyNo::MASTER) {
                return Err(CardError::Invalid("only the master key may change settings, or a card could not be written again"));
            }
            if Rights::reached_by(Some(KeyNo::MASTER), order.settings.rights.read, order.settings.rights.read_write).is_none() {
                return Err(CardError::Invalid("the master key must be able to read what it has written"));
            }
            order.settings.to_bytes()?;
        }
        for (old, new) in self.old.iter().flat_map(|set| set.iter().zip(&self.new)) {
            if old != new && old.version() == new.version() {
                return Err(CardError::Invalid("a new key needs another version than the old one"));
            }
        }
        Ok(())
    }

    fn steps(&self) -> u32 {
        u32::try_from(2 * self.files().count() + self.new.len()).unwrap_or(u32::MAX)
    }
}

/// The version of the keys that a card comes with.
const FACTORY: u8 = 0;

/// Writes a card. What is proof of it is [`verify`].
///
/// # Errors
/// [`CardError::AuthenticationRefused`]: the card holds neither an old nor the new master key. [`CardError::Invalid`]: an order that cannot be
/// carried out, or another card; nothing was changed. After any other error, repeat it.
pub async fn write(card: &Card, order: &Order, course: &dyn Course, random: &mut dyn Random) -> Result<(), CardError> {
    order.check()?;
    let (of, mut done) = (order.steps(), 0);
    let mut step = || {
        done += 1;
        card.report(Progress::Writing { done, of });
    };
    let (mut session, master) = open(card, order, random).await?;
    if session.uid().await? != order.uid {
        return Err(OTHER_CARD);
    }
    // Which keys were changed by a job before this one; versions are told only to whom the master key was proven.
    let mut versions = [master; 5];
    for number in 1..=4u8 {
        versions[usize::from(number)] = session.key_version(KeyNo::new(number)?).await?;
    }
    card.report(Progress::Writing { done: 0, of });
    course.begins();
    if versions[1..].iter().any(|version| *version != FACTORY) {
        // Keys were changed before, by a job that was finished or one that was not: a backend that has them takes what is written now.
        course.goes_live();
    }
    for (file, wanted) in order.files() {
        let mut settings = session.settings(file).await?;
        if Rights::reached_by(Some(KeyNo::MASTER), settings.rights.write, settings.rights.read_write).is_none() {
            // Finished before, and closed to writing: opened for the master key alone until the settings below close it again.
            settings = FileSettings { mode: CommMode::Full, rights: Rights::MASTER, sdm: None };
            session.change_settings(file, &settings).await?;
        }
        session.write(file, &settings, 0, &wanted.content).await?;
        step();
        session.change_settings(file, &wanted.settings).await?;
        step();
    }
    for number in 1..=4u8 {
        let (new, version) = (&order.new[usize::from(number)], versions[usize::from(number)]);
        if version != new.version() {
            let old = order.old.iter().map(|set| &set[usize::from(number)]).find(|old| old.version() == version);
            course.goes_live();
            session.change_key(KeyNo::new(number)?, old.ok_or(CardError::Invalid("a key of a version that is not known"))?, new).await?;
        }
        step();
    }
    if master != order.new[0].version() {
        course.goes_live();
        session.change_master(&order.new[0]).await?;
    }
    step();
    Ok(())
}

/// The card is not the one that the order is for.
pub(crate) const OTHER_CARD: CardError = CardError::Invalid("this is another card than the one that was presented");

/// A session with the master key that the card holds, and its version: an old one, or the new one when an interrupted job already changed it.
async fn open(card: &Card, order: &Order, random: &mut dyn Random) -> Result<(Session, u8), CardError> {
    let mut refused = CardError::Invalid("no key to prove");
    let mut tried: Vec<&Key> = Vec::new();
    for key in order.old.iter().chain([&order.new]).map(|set| &set[0]) {
        if tried.contains(&key) {
            continue;
        }
        tried.push(key);
        let tag = Ntag424::select(card.clone()).await?;
        match tag.authenticate(order.suite, KeyNo::MASTER, key, random).await {
            Ok(session) => return Ok((session, key.version())),
            Err(error @ CardError::AuthenticationRefused { .. }) => refused = error,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

/// Proves that a card is as ordered: with a tap as a phone and the backend see it, then file by file and key by key.
///
/// # Errors
/// [`CardError::NotAsWritten`]: it is not; [`CardError::AuthenticationRefused`]: not even the master key.
pub async fn verify(card: &Card, order: &Order, random: &mut dyn Random) -> Result<(), CardError> {
    let tag = Ntag424::select(card.clone()).await?;
    if let (Some(url), Some(sdm)) = (&order.url, order.ndef.settings.sdm) {
        let file = tag.read(File::Ndef, 0, order.ndef.content.len()).await?;
        tap_is_ours(url, sdm, &file, order)?;
    }
    let mut session = tag.authenticate(order.suite, KeyNo::MASTER, &order.new[0], random).await?;
    if session.uid().await? != order.uid {
        return Err(OTHER_CARD);
    }
    for (file, wanted) in order.files() {
        let settings = session.settings(file).await?;
        let content = session.read(file, &settings, 0, wanted.content.len()).await?;
        if settings != wanted.settings || content.as_slice() != wanted.content {
            return Err(CardError::NotAsWritten);
        }
    }
    for number in 1..=4u8 {
        // A version can be told without the key; proving the key is the proof.
        let key = &order.new[usize::from(number)];
        session.prove(KeyNo::new(number)?, key, random).await?;
    }
    Ok(())
}

/// Whether the backend would believe this tap.
fn tap_is_ours(url: &SdmUrl, sdm: super::sdm::Sdm, file: &[u8], order: &Order) -> Result<(), CardError> {
    let message = ndef::file::message(file).ok().flatten().ok_or(CardError::NotAsWritten)?;
    let address = message.records().first().and_then(|record| record.as_uri().ok().flatten()).ok_or(CardError::NotAsWritten)?;
    let key = |key_no: KeyNo| &order.new[usize::from(key_no.number())];
    let meta = match sdm.identity {
        super::sdm::Identity::Encrypted(encrypted) => key(encrypted.key),
        _ => key(KeyNo::MASTER),
    };
    let file_key = key(sdm.mirror.map_or(KeyNo::MASTER, |mirror| mirror.key));
    let tap = url.tap(&address).and_then(|tap| tap.verify(meta, file_key, None)).map_err(|_| CardError::NotAsWritten)?;
    if tap.uid == Some(order.uid) { Ok(()) } else { Err(CardError::NotAsWritten) }
}
