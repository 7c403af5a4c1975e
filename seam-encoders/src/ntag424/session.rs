//! Commands under secure messaging.
use std::fmt;
use zeroize::Zeroizing;

use super::originality::SIGNATURE;
use super::settings::{CommMode, FileSettings, KeyNo, Rights};
use super::{File, Suite, auth, native, part};
use crate::apdu::StatusWord;
use crate::crypto::{crc32, xor};
use crate::desfire::ev2::Ev2;
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// Bytes of a file that go into one command: 255 less the header of 7 and the MAC of 8, and with encryption at least one byte of padding.
const WRITE: usize = 239;
/// Bytes of a file that one answer brings: 256 less the MAC, whole blocks, less the padding.
const READ: usize = 239;

/// A card to which a key was proven. After any error it is over: the card has forgotten it, or cannot be believed.
pub struct Session {
    card: Card,
    suite: Suite,
    key_no: KeyNo,
    /// `None` once it is over.
    channel: Option<Ev2>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("suite", &self.suite).field("key_no", &self.key_no).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(card: Card, suite: Suite, key_no: KeyNo, channel: Ev2) -> Self {
        Self { card, suite, key_no, channel: Some(channel) }
    }

    /// The key that was proven last.
    #[must_use]
    pub fn key_no(&self) -> KeyNo {
        self.key_no
    }

    /// Sends a command with this header and data, and gives the data of the answer. A failure on any way out leaves no channel behind.
    async fn exchange(
        &mut self,
        instruction: u8,
        mode: CommMode,
        header: &[u8],
        data: &[u8],
        done: &[StatusWord],
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let mut channel = self.channel.take().ok_or(CardError::Misused("a session after its end"))?;
        let sent = channel.command(instruction, header, data, mode)?;
        let answer = native(&self.card, instruction, &[&sent]).await?;
        let Some(native) = answer.status().native().filter(|_| done.contains(&answer.status())) else {
            return Err(CardError::Status(answer.status()));
        };
        let out = channel.response_with(native, answer.into_data(), mode)?;
        self.channel = Some(channel);
        Ok(out)
    }

    async fn ask(&mut self, instruction: u8, mode: CommMode, header: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.exchange(instruction, mode, header, data, &[StatusWord::NATIVE_OK]).await
    }

    /// A command whose answer has no data.
    async fn tell(&mut self, instruction: u8, mode: CommMode, header: &[u8], data: &[u8]) -> Result<(), CardError> {
        let answer = self.ask(instruction, mode, header, data).await?;
        if answer.is_empty() { Ok(()) } else { Err(CardError::Garbage("data in an answer that has none")) }
    }

    /// Proves another key in the same transaction.
    ///
    /// # Errors
    /// As [`Ntag424::authenticate`](super::Ntag424::authenticate); the session is then over.
    pub async fn prove(&mut self, key_no: KeyNo, key: &Key, random: &mut dyn Random) -> Result<(), CardError> {
        let before = self.channel.take().ok_or(CardError::Misused("a session after its end"))?;
        self.channel = Some(auth::next(&self.card, self.suite, &before, key_no, key, random).await?);
        self.key_no = key_no;
        Ok(())
    }

    /// The true serial number, also of a card that gives random ones.
    ///
    /// # Errors
    /// [`CardError`]: the session is over.
    pub async fn uid(&mut self) -> Result<[u8; 7], CardError> {
        let uid = self.ask(0x51, CommMode::Full, &[], &[]).await?;
        uid.as_slice().try_into().map_err(|_| CardError::Garbage("a serial number of another length"))
    }

    /// The version of a key: 0 to 255.
    ///
    /// # Errors
    /// [`CardError`]: the session is over.
    pub async fn key_version(&mut self, key_no: KeyNo) -> Result<u8, CardError> {
        match self.ask(0x64, CommMode::Mac, &[key_no.number()], &[]).await?.as_slice() {
            [version] => Ok(*version),
            _ => Err(CardError::Garbage("a key version of another length")),
        }
    }

    /// The settings of a file.
    ///
    /// # Errors
    /// [`CardError`]: the session is over. [`CardError::Unsupported`]: settings that are not known here; the session goes on.
    pub async fn settings(&mut self, file: File) -> Result<FileSettings, CardError> {
        let answer = self.ask(0xf5, CommMode::Mac, &[file.number()], &[]).await?;
        let (settings, size) = FileSettings::parse(&answer)?;
        if size as usize == file.size() { Ok(settings) } else { Err(CardError::NotThisTechnology { expected: "an NTAG 424 DNA" }) }
    }

    /// Changes the settings of a file; the key with the right to must have been proven.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: mirrors that the card would refuse, nothing was sent. [`CardError::Status`]: not allowed.
    pub async fn change_settings(&mut self, file: File, settings: &FileSettings) -> Result<(), CardError> {
        if settings.sdm.is_some() && file != File::Ndef {
            return Err(CardError::Invalid("only the NDEF file has mirrors"));
        }
        self.tell(0x5f, CommMode::Full, &[file.number()], &settings.to_bytes()?).await
    }

    /// How often the NDEF file was tapped.
    ///
    /// # Errors
    /// [`CardError::Status`]: not allowed with this key, or no counter is mirrored.
    pub async fn taps(&mut self) -> Result<u32, CardError> {
        // With the right of a key the answer is encrypted, with that of everybody only authenticated (NT4H2421Gx section 10.7.3).
        let settings = self.settings(File::Ndef).await?;
        let by_key = settings.sdm.is_some_and(|sdm| sdm.counter_read == super::settings::Access::Key(self.key_no));
        let mode = if by_key { CommMode::Full } else { CommMode::Mac };
        match self.ask(0xf6, mode, &[File::Ndef.number()], &[]).await?.as_slice() {
            [a, b, c, _, _] => Ok(u32::from_le_bytes([*a, *b, *c, 0])),
            _ => Err(CardError::Garbage("a counter of another length")),
        }
    }

    /// The manufacturer's signature of the serial number.
    ///
    /// # Errors
    /// [`CardError`]: the session is over.
    pub async fn signature(&mut self) -> Result<[u8; SIGNATURE], CardError> {
        let done = [StatusWord::NATIVE_OK, StatusWord(0x9190)];
        let signature = self.exchange(0x3c, CommMode::Full, &[0x00], &[], &done).await?;
        signature.as_slice().try_into().map_err(|_| CardError::Garbage("a signature of another length"))
    }

    /// Reads a part of a file, as it stands there: nothing is mirrored into it, and no tap is counted.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: its settings (given here as they are on the card) do not allow this key to read. Nothing was sent.
    pub async fn read(
        &mut self,
        file: File,
        settings: &FileSettings,
        offset: usize,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        file.holds(offset, length)?;
        let mode = self.mode(settings, |rights| rights.read, "the key that was proven may not read this file")?;
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        while out.len() < length {
            let wanted = (length - out.len()).min(READ);
            let read = self.ask(0xad, mode, &part(file, offset + out.len(), wanted)?, &[]).await?;
            if read.len() != wanted {
                return Err(CardError::Garbage("another number of bytes than asked for"));
            }
            out.extend_from_slice(&read);
        }
        Ok(out)
    }

    /// Writes a part of a file. More than 239 bytes go in several commands, each whole by itself.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: its settings (given here as they are on the card) do not allow this key to write. Nothing was sent.
    pub async fn write(&mut self, file: File, settings: &FileSettings, offset: usize, data: &[u8]) -> Result<(), CardError> {
        file.holds(offset, data.len())?;
        let mode = self.mode(settings, |rights| rights.write, "the key that was proven may not write this file")?;
        let mut at = offset;
        for piece in data.chunks(WRITE) {
            self.tell(0x8d, mode, &part(file, at, piece.len())?, piece).await?;
            at += piece.len();
        }
        Ok(())
    }

    fn mode(
        &self,
        settings: &FileSettings,
        right: fn(&Rights) -> super::settings::Access,
        refusal: &'static str,
    ) -> Result<CommMode, CardError> {
        match Rights::reached_by(Some(self.key_no), right(&settings.rights), settings.rights.read_write) {
            Some(true) => Ok(settings.mode),
            Some(false) => Ok(CommMode::Plain),
            None => Err(CardError::Invalid(refusal)),
        }
    }

    /// Changes a key other than the master key, which must have been proven. Without an answer the card may hold either key.
    ///
    /// # Errors
    /// [`CardError::Status`] 911E: `old` is not the key that stands there. [`CardError::Invalid`]: not that of another key, or not AES.
    pub async fn change_key(&mut self, key_no: KeyNo, old: &Key, new: &Key) -> Result<(), CardError> {
        if key_no == KeyNo::MASTER || self.key_no != KeyNo::MASTER {
            return Err(CardError::Invalid("the master key changes the other keys, and only them"));
        }
        let (new_bytes, mut data) = (sixteen(new)?, Zeroizing::new(sixteen(new)?.to_vec()));
        xor(&mut data, sixteen(old)?);
        data.push(new.version());
        data.extend_from_slice(&crc32(&[new_bytes]));
        self.tell(0xc4, CommMode::Full, &[key_no.number()], &data).await
    }

    /// Changes the master key, which must have been proven, and ends the session. Without an answer the card may hold either key.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: another key was proven, or not AES.
    pub async fn change_master(mut self, new: &Key) -> Result<super::Ntag424, CardError> {
        if self.key_no != KeyNo::MASTER {
            return Err(CardError::Invalid("the master key changes itself"));
        }
        let mut data = Zeroizing::new(sixteen(new)?.to_vec());
        data.push(new.version());
        self.last(0xc4, &[KeyNo::MASTER.number()], &data).await?;
        Ok(super::Ntag424 { card: self.card })
    }

    /// A command after which the card knows the session no more: its answer has no MAC. The application stays selected.
    async fn last(&mut self, instruction: u8, header: &[u8], data: &[u8]) -> Result<(), CardError> {
        let mut channel = self.channel.take().ok_or(CardError::Misused("a session after its end"))?;
        let sent = channel.command(instruction, header, data, CommMode::Full)?;
        let answer = native(&self.card, instruction, &[&sent]).await?;
        match answer.status() {
            StatusWord::NATIVE_OK if answer.data().is_empty() => Ok(()),
            StatusWord::NATIVE_OK => Err(CardError::Garbage("data in an answer that has none")),
            status => Err(CardError::Status(status)),
        }
    }

    /// Lets the card give a random serial number to everybody without a key. **For ever.**
    ///
    /// # Errors
    /// [`CardError::Status`]: the master key was not proven.
    pub async fn hide_uid(&mut self) -> Result<(), CardError> {
        self.tell(0x5c, CommMode::Full, &[0x00], &[0x02]).await
    }

    /// Switches the card from AES to LRP. **For ever.** The session ends.
    ///
    /// # Errors
    /// [`CardError::Status`]: the master key was not proven.
    pub async fn switch_to_lrp(mut self) -> Result<super::Ntag424, CardError> {
        // Bit 1 of the fifth byte is that of the capabilities (AN12321 table 3).
        self.last(0x5c, &[0x05], &[0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0]).await?;
        Ok(super::Ntag424 { card: self.card })
    }
}

fn sixteen(key: &Key) -> Result<&[u8; 16], CardError> {
    let bytes = (key.kind() == KeyType::Aes128).then(|| key.bytes().first_chunk()).flatten();
    bytes.ok_or(CardError::Invalid("an NTAG 424 has AES-128 keys"))
}
