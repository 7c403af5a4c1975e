//! DESFire EV1 to EV3: one application with one file, which a door reads with a key of its own: bytes as they come, or access data in a format.
use super::profile::{CardNumber, Profile, Task, WriteError, data, to_hex};
use crate::access_data::{AccessData, AccessFormat, FileContent};
use crate::apdu::StatusWord;
use crate::desfire::{
    AccessRights, Aid, ApplicationSettings, ChangeKey, CommMode, Desfire, FileKind, FileSettings, Generation, KeyChange, KeySettings, Right,
};
use crate::dialogue::{Card, Dialogue, SystemRandom};
use crate::error::CardError;
use crate::keys::{Key, KeyError, KeySource, KeyType};
use seam_core::encoder::{Progress, Technology};
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The key that changes keys, and writes the file where no other one does.
const MASTER: u8 = 0;
/// The key that a door reads the file with.
const READER: u8 = 1;
/// What a card or an application comes with.
const FACTORY: u8 = 0;
/// What a writer does, for progress: application, file, data, master key, door's key.
const STEPS: u32 = 5;

/// One application with two AES keys, 0 to write and 1 to read, and one backup file, whose content travels encrypted. A format of
/// [access data](DesfireProfile::access) may have a third key, to write.
///
/// The content of an image is `{"data": "<hexadecimal>"}`, at most as long as the file; the rest of it is filled with zeros. That of a profile of
/// access data is `{"access": {"site": 1, "credential": 2, "reissue": 0, "pin": "<8 hexadecimal digits>", "customer": "<at most 40>"}}`, of which the
/// last three may be left out.
///
/// A card whose application has the number but neither keys of ours nor those of the factory is foreign, and so is one with applications of others
/// unless it may be shared. A backup file takes its new content as a whole or not at all, so a card that is written again keeps opening as before
/// until it opens as wanted.
#[derive(Clone, Debug)]
pub struct DesfireProfile {
    technology: Technology,
    aid: Aid,
    file: u8,
    size: u32,
    /// The rights of the file, and with them the key that writes it.
    rights: AccessRights,
    writer: u8,
    /// How access data stands in the file; `None`: what stands there are bytes as they come.
    format: Option<Arc<dyn AccessFormat>>,
    keys: Arc<dyn KeySource>,
    version: u8,
    takes_card: bool,
}

impl DesfireProfile {
    /// The application `aid` with the file 0 of `size` bytes (1 to 8192), and keys of `version` (1 to 255; 0 is how the factory's keys are told).
    ///
    /// The [`KeySource`] is asked for the keys 0 and 1 of the application, of `version`, and of every version that is found on a card.
    ///
    /// # Errors
    /// [`CardError::Invalid`] for a number, size or version outside of these.
    pub fn new(aid: u32, size: u32, keys: Arc<dyn KeySource>, version: u8) -> Result<Self, CardError> {
        let rights = AccessRights {
            read: Right::Key(READER),
            write: Right::Key(MASTER),
            read_write: Right::Key(MASTER),
            change: Right::Key(MASTER),
        };
        Self::of(Aid::new(aid)?, 0, size, (rights, MASTER), keys, version)
    }

    /// Access data in this format, as [`GenericAccess`](crate::access_data::GenericAccess), with keys of `version`.
    ///
    /// The [`KeySource`] is asked for the keys 0, 1 and the one that writes. What vouches for the data is the format's own.
    ///
    /// # Errors
    /// [`CardError::Unsupported`] for a format that is not one encrypted backup file, read with key 1, whose rights key 0 changes;
    /// [`CardError::Invalid`] as [`new`](Self::new).
    pub fn access(format: impl AccessFormat + 'static, keys: Arc<dyn KeySource>, version: u8) -> Result<Self, CardError> {
        let (file, size, rights, writer) = match format.files()[..] {
            [(file, FileSettings { mode: CommMode::Full, rights, kind: FileKind::Backup { size } })] => match rights {
                AccessRights { read: Right::Key(READER), write: Right::Key(writer), change: Right::Key(MASTER), .. }
                    if writer != READER =>
                {
                    (file, size, rights, writer)
                }
                _ => return Err(CardError::Unsupported("a format with other rights")),
            },
            _ => return Err(CardError::Unsupported("a format with other files")),
        };
        let profile = Self::of(format.aid(), file, size, (rights, writer), keys, version)?;
        Ok(Self { format: Some(Arc::new(format)), ..profile })
    }

    fn of(
        aid: Aid,
        file: u8,
        size: u32,
        (rights, writer): (AccessRights, u8),
        keys: Arc<dyn KeySource>,
        version: u8,
    ) -> Result<Self, CardError> {
        if aid == Aid::PICC || !(1..=8192).contains(&size) || version == FACTORY {
            return Err(CardError::Invalid("an application of a card, a file of 1 to 8192 bytes, keys of a version from 1 on"));
        }
        let technology = Technology("desfire".to_owned());
        Ok(Self { technology, aid, file, size, rights, writer, format: None, keys, version, takes_card: false })
    }
    /// Takes the card for ourselves as well: its own master key becomes ours (key 0 of the application 000000), and from then on only it adds and
    /// deletes applications. A card whose master key is neither ours nor the factory's is foreign then, whether it may be shared or not.
    #[must_use]
    pub fn takes_card(mut self) -> Self {
        self.takes_card = true;
        self
    }
    /// Under another name of the technology than `desfire`.
    #[must_use]
    pub fn named(mut self, technology: &str) -> Self {
        self.technology = Technology(technology.to_owned());
        self
    }

    fn content(&self, task: &Task) -> Result<Zeroizing<Vec<u8>>, WriteError> {
        if let Some(format) = &self.format {
            let data = task.content.get("access").and_then(AccessData::from_json).ok_or(WriteError::Image("there is no \"access\""))?;
            let mut contents = format.encode(&task.card.0, &data)?.into_iter();
            let content = contents.find(|content| content.file == self.file && content.bytes.len() == self.size as usize);
            return content.map(|content| content.bytes).ok_or(WriteError::Image("its format does not fill the file"));
        }
        data(&task.content, self.size as usize)
    }

    fn file_settings(&self) -> FileSettings {
        FileSettings { mode: CommMode::Full, rights: self.rights, kind: FileKind::Backup { size: self.size } }
    }

    fn key(&self, uid: &[u8], aid: Aid, key_no: u8, version: u8) -> Result<Key, CardError> {
        if version == FACTORY {
            return Ok(Key::zero(KeyType::Aes128));
        }
        Ok(self.keys.derive(uid, &aid.bytes(), key_no, version)?.with_version(version))
    }

    /// A key that a card may have; `None`: of a version that the source does not know, so not ours. A source that does not answer says nothing
    /// about the card.
    fn known_key(&self, uid: &[u8], aid: Aid, key_no: u8, version: u8) -> Result<Option<Key>, CardError> {
        match self.key(uid, aid, key_no, version) {
            Err(CardError::Key(KeyError::None { .. })) => Ok(None),
            key => key.map(Some),
        }
    }
}

impl Profile for DesfireProfile {
    fn technology(&self) -> &Technology {
        &self.technology
    }
    fn key_version(&self) -> u8 {
        self.version
    }
    fn identify(&self, _: &[u8]) -> Dialogue<Option<CardNumber>> {
        Dialogue::new(|card| async move {
            let version = Desfire::new(card, SystemRandom).version().await?;
            if version.generation() == Some(Generation::D40) {
                return Err(CardError::Unsupported("a DESFire of the first generation, which has no AES"));
            }
            if version.uid == [0; 7] {
                return Err(CardError::Unsupported("a card that shows random numbers"));
            }
            Ok(Some(CardNumber(version.uid.to_vec())))
        })
    }
    fn write(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move { Writer::new(&profile, &task, card).write().await })
    }
    fn read(&self, number: &CardNumber) -> Option<Dialogue<Option<Value>, WriteError>> {
        let (profile, number) = (self.clone(), number.clone());
        Some(Dialogue::new(move |card| async move { read(&profile, &number, card).await }))
    }
    fn verify(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move {
            let content = profile.content(&task)?;
            let key = profile.key(&task.card.0, profile.aid, READER, profile.version)?;
            let mut card = Desfire::new(card, SystemRandom);
            card.select(profile.aid).await?;
            // As the oldest reader at a door would do it; every generation understands it.
            card.authenticate_ev1(READER, &key).await?;
            let read = card.read_data(profile.file, 0, profile.size, CommMode::Full).await?;
            if *read != *content {
                return Err(CardError::NotAsWritten.into());
            }
            // In the session of the door's key: who answers here holds it.
            if card.card_uid().await?[..] == task.card.0 { Ok(()) } else { Err(WriteError::AnotherCard) }
        })
    }
}

/// What stands in the file, read with the door's key of the version that the card has.
async fn read(profile: &DesfireProfile, number: &CardNumber, card: Card) -> Result<Option<Value>, WriteError> {
    let mut card = Desfire::new(card, SystemRandom);
    match card.select(profile.aid).await {
        Err(CardError::Status(StatusWord(0x91A0))) => return Ok(None),
        selected => selected?,
    }
    let version = card.key_version(READER).await?;
    if version == FACTORY {
        // Half written: no door reads it yet.
        return Ok(None);
    }
    let Some(key) = profile.known_key(&number.0, profile.aid, READER, version)? else { return Ok(None) };
    match card.authenticate_ev1(READER, &key).await {
        Err(CardError::AuthenticationRefused { .. }) => return Ok(None),
        authenticated => authenticated?,
    }
    match card.read_data(profile.file, 0, profile.size, CommMode::Full).await {
        // Half written: the application is there, and its file is not.
        Err(CardError::Status(StatusWord(0x91F0))) => Ok(None),
        read => {
            let bytes = read?;
            Ok(Some(match &profile.format {
                Some(format) => json!({ "access": format.decode(&number.0, &[FileContent { file: profile.file, bytes }])?.to_json() }),
                None => json!({ "data": to_hex(&bytes) }),
            }))
        }
    }
}

/// Writes one card.
struct Writer<'w> {
    profile: &'w DesfireProfile,
    task: &'w Task,
    handle: Card,
    card: Desfire,
}

impl<'w> Writer<'w> {
    fn new(profile: &'w DesfireProfile, task: &'w Task, card: Card) -> Self {
        Self { profile, task, handle: card.clone(), card: Desfire::new(card, SystemRandom) }
    }

    async fn write(mut self) -> Result<(), WriteError> {
        let (profile, task) = (self.profile, self.task);
        let content = profile.content(task)?;
        let wanted = |aid, key_no| profile.key(&task.card.0, aid, key_no, profile.version);
        // Asked before anything is written: a source that does not answer must not stop a job in the middle.
        let (master, reader) = (wanted(profile.aid, MASTER)?, wanted(profile.aid, READER)?);
        let writer = if profile.writer == MASTER { None } else { Some(wanted(profile.aid, profile.writer)?) };
        let own = if profile.takes_card { Some(wanted(Aid::PICC, MASTER)?) } else { None };
        // Proves also that it is this card: its number decides the keys.
        if self.card.version().await?.uid[..] != task.card.0 {
            return Err(WriteError::AnotherCard);
        }
        self.application().await?;
        let version = self.open(&master).await?;
        self.file().await?;
        if let Some(writer) = &writer {
            self.become_writer(writer, &master).await?;
        }
        let reader_on_card = self.card.key_version(READER).await?;
        self.step(2);
        task.begins();
        self.card.write_data(profile.file, 0, &content, CommMode::Full).await?;
        if reader_on_card != FACTORY {
            // Doors know this card already: with its new content they take it as new. Also with a key of an earlier version, which doors have as long
            // as keys are being replaced.
            task.goes_live();
        }
        self.card.commit().await?;
        self.step(3);
        if writer.is_some() {
            self.open(&master).await?;
        }
        if version != profile.version {
            self.card.change_key(ChangeKey { key_no: MASTER, new: &master, old: None }).await?;
            self.card.authenticate(MASTER, &master).await?;
        }
        if let Some(own) = own {
            self.take_card(&own).await?;
            self.card.select(profile.aid).await?;
            self.card.authenticate(MASTER, &master).await?;
        }
        self.step(4);
        if reader_on_card != profile.version {
            // The last step: from here on a door reads the card.
            task.goes_live();
            self.change_key(READER, reader_on_card, &reader, &master).await?;
        }
        Ok(())
    }

    fn step(&self, done: u32) {
        self.handle.report(Progress::Writing { done, of: STEPS });
    }

    /// Sees to it that the application is there, and selects it.
    async fn application(&mut self) -> Result<(), WriteError> {
        let aid = self.profile.aid;
        let mut is_open = false;
        let listed = match self.card.applications().await {
            Err(e) if is_forbidden(&e) => {
                is_open = self.open_card().await?;
                self.card.applications().await
            }
            listed => listed,
        };
        let applications = listed.map_err(foreign_if_forbidden)?;
        self.step(0);
        // Asked before anything is written: a card that cannot become ours must not be left half written.
        if self.profile.takes_card && !is_open {
            is_open = self.open_card().await?;
            if !is_open {
                return Err(WriteError::Foreign("its master key is not ours"));
            }
        }
        if !applications.contains(&aid) {
            if !applications.is_empty() && !self.task.may_share {
                return Err(WriteError::Foreign("others have applications on it"));
            }
            // On somebody else's card only as far as its settings let everybody.
            if !is_open
                && !self.open_card().await?
                && !self.card.key_settings().await.map_err(foreign_if_forbidden)?.keys.free_create_delete
            {
                return Err(WriteError::Foreign("its master key is not ours"));
            }
            let keys = KeySettings { change_key: KeyChange::Key(MASTER), free_create_delete: false, ..KeySettings::FACTORY };
            let settings = ApplicationSettings { keys, key_count: READER.max(self.profile.writer) + 1, key_type: KeyType::Aes128 };
            self.task.begins();
            self.card.create_application(aid, settings).await.map_err(foreign_if_forbidden)?;
        }
        Ok(self.card.select(aid).await?)
    }

    /// Authenticates with the card's own master key: ours, or the factory's. `false`: it is somebody else's, who may still let us do what we want.
    async fn open_card(&mut self) -> Result<bool, WriteError> {
        let version = self.card.key_version(MASTER).await.unwrap_or(FACTORY);
        let mut keys = Vec::new();
        for version in self.versions(version) {
            if version == FACTORY {
                keys.extend([Key::zero(KeyType::TwoKeyTripleDes), Key::zero(KeyType::Aes128)]);
            } else {
                keys.extend(self.profile.known_key(&self.task.card.0, Aid::PICC, MASTER, version)?);
            }
        }
        for key in keys {
            match self.card.authenticate(MASTER, &key).await {
                Ok(()) => return Ok(true),
                Err(CardError::AuthenticationRefused { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        if self.task.may_share { Ok(false) } else { Err(WriteError::Foreign("its master key is not ours")) }
    }

    /// Makes the card's own master key ours, and lets nobody else add and delete applications.
    async fn take_card(&mut self, own: &Key) -> Result<(), WriteError> {
        self.card.select(Aid::PICC).await?;
        if self.card.key_version(MASTER).await? != own.version() || self.card.authenticate(MASTER, own).await.is_err() {
            self.open_card().await?;
            self.card.change_key(ChangeKey { key_no: MASTER, new: own, old: None }).await?;
            self.card.authenticate(MASTER, own).await?;
        }
        let settings = self.card.key_settings().await?.keys;
        if settings.free_create_delete && settings.settings_changeable {
            self.card.change_key_settings(KeySettings { free_create_delete: false, ..settings }).await?;
        }
        Ok(())
    }

    /// Which versions a key may have, likeliest first: what the card says, what an interrupted job was about to write, the factory's.
    fn versions(&self, on_card: u8) -> Vec<u8> {
        let interrupted = self.task.interrupted.iter().flat_map(|entry| std::iter::once(entry.to).chain(entry.or.iter().copied()));
        let mut versions = vec![on_card];
        for version in std::iter::once(self.profile.version).chain(interrupted).chain([FACTORY]) {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        versions
    }

    /// Authenticates with the master key of the application as it is now, and gives its version.
    async fn open(&mut self, wanted: &Key) -> Result<u8, WriteError> {
        let on_card = self.card.key_version(MASTER).await?;
        for version in self.versions(on_card) {
            let key = match version == wanted.version() {
                true => wanted.clone(),
                false => match self.profile.known_key(&self.task.card.0, self.profile.aid, MASTER, version)? {
                    Some(key) => key,
                    None => continue,
                },
            };
            match self.card.authenticate(MASTER, &key).await {
                Ok(()) => return Ok(version),
                Err(CardError::AuthenticationRefused { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        let known = self.task.interrupted.is_some();
        Err(if known { WriteError::NoKeyFits } else { WriteError::Foreign("its application has keys of somebody else") })
    }

    /// Sees to it that the file is there as it must be.
    async fn file(&mut self) -> Result<(), WriteError> {
        let wanted = self.profile.file_settings();
        self.step(1);
        if self.card.file_ids().await?.contains(&self.profile.file) {
            return if self.card.file_settings(self.profile.file).await? == wanted {
                Ok(())
            } else {
                Err(WriteError::Image("the file on the card has another layout"))
            };
        }
        self.task.begins();
        Ok(self.card.create_file(self.profile.file, &wanted).await?)
    }

    /// Authenticates with the key that writes the file, which becomes ours first. No door has it.
    async fn become_writer(&mut self, writer: &Key, master: &Key) -> Result<(), WriteError> {
        let key_no = self.profile.writer;
        let on_card = self.card.key_version(key_no).await?;
        if on_card != writer.version() {
            self.task.begins();
            self.change_key(key_no, on_card, writer, master).await?;
        }
        self.card.authenticate(key_no, writer).await.map_err(|e| match e {
            CardError::AuthenticationRefused { .. } if self.task.interrupted.is_some() => WriteError::NoKeyFits,
            CardError::AuthenticationRefused { .. } => WriteError::Foreign("its application has keys of somebody else"),
            e => e.into(),
        })
    }

    /// Changes a key other than the master key, with the master key.
    async fn change_key(&mut self, key_no: u8, on_card: u8, new: &Key, master: &Key) -> Result<(), WriteError> {
        let mut refused = WriteError::NoKeyFits;
        for version in self.versions(on_card) {
            let Some(old) = self.profile.known_key(&self.task.card.0, self.profile.aid, key_no, version)? else { continue };
            if self.card.authenticated().is_none() {
                self.open(master).await?;
            }
            match self.card.change_key(ChangeKey { key_no, new, old: Some(&old) }).await {
                Ok(()) => return Ok(()),
                // The old key is another one.
                Err(e @ CardError::Status(StatusWord(0x911E))) => refused = e.into(),
                Err(e) => return Err(e.into()),
            }
        }
        Err(refused)
    }
}

fn is_forbidden(e: &CardError) -> bool {
    matches!(e, CardError::Status(StatusWord(0x919D | 0x91AE)))
}

fn foreign_if_forbidden(e: CardError) -> WriteError {
    if is_forbidden(&e) { WriteError::Foreign("its master key is not ours") } else { e.into() }
}
