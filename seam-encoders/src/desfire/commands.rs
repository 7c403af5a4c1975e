//! The card, its applications and its files.
use zeroize::Zeroizing;

use super::card::{Desfire, Protection};
use super::file::FileSettings;
use super::ins;
use super::keys::empty;
use super::types::{AccessRights, Aid, ApplicationSettings, CommMode, three_bytes};
use super::version::Version;
use crate::error::CardError;

impl Desfire {
    /// What the card says of itself; tells also how to [`authenticate`](Self::authenticate) from now on.
    ///
    /// # Errors
    /// [`CardError::NotThisTechnology`] when it does not know the command.
    pub async fn version(&mut self) -> Result<Version, CardError> {
        let answer = self.exchange(ins::GET_VERSION, &[], &[], Protection::Management).await.map_err(not_desfire)?;
        let version = Version::parse(&answer)?;
        self.generation = version.generation();
        if self.generation.is_none() { Err(CardError::NotThisTechnology { expected: "a MIFARE DESFire" }) } else { Ok(version) }
    }

    /// The serial number, also of a card that shows random ones; needs a session.
    ///
    /// # Errors
    /// [`CardError::Invalid`] outside of a session.
    pub async fn card_uid(&mut self) -> Result<[u8; 7], CardError> {
        let uid = self.exchange(ins::GET_CARD_UID, &[], &[], Protection::Read(CommMode::Full, 7)).await?;
        uid[..].try_into().map_err(|_| CardError::Garbage("a serial number that does not have 7 bytes"))
    }

    /// Free memory in bytes.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when the answer is not one.
    pub async fn free_memory(&mut self) -> Result<u32, CardError> {
        match self.exchange(ins::GET_FREE_MEMORY, &[], &[], Protection::Management).await?[..] {
            [a, b, c] => Ok(u32::from_le_bytes([a, b, c, 0])),
            _ => Err(CardError::Garbage("free memory that is not three bytes")),
        }
    }

    /// Deletes all applications and files; needs a session with the card's master key. The keys of the card stay.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D without the right.
    pub async fn format(&mut self) -> Result<(), CardError> {
        empty(&self.exchange(ins::FORMAT_CARD, &[], &[], Protection::Management).await?)
    }

    /// Makes the card show random serial numbers from now on. **It cannot be undone.** Source: NXP AN12196 6.2 (option 0), libfreefare.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D without a session with the card's master key.
    pub async fn enable_random_uid(&mut self) -> Result<(), CardError> {
        empty(&self.exchange(ins::SET_CONFIGURATION, &[0x00], &[0x02], Protection::Write(CommMode::Full)).await?)
    }

    /// The applications of the card.
    ///
    /// # Errors
    /// [`CardError::Status`] 91AE when they are not listed without authentication.
    pub async fn applications(&mut self) -> Result<Vec<Aid>, CardError> {
        let answer = self.exchange(ins::GET_APPLICATION_IDS, &[], &[], Protection::Management).await?;
        let (aids, []) = answer.as_chunks::<3>() else {
            return Err(CardError::Garbage("application numbers that are not three bytes each"));
        };
        Ok(aids.iter().map(|aid| Aid::from_wire(*aid)).collect())
    }

    /// Makes an application, with keys of zeros.
    ///
    /// # Errors
    /// [`CardError::Status`] 91DE when there is one of this number, [`CardError::Full`] when there is no room.
    pub async fn create_application(&mut self, aid: Aid, settings: ApplicationSettings) -> Result<(), CardError> {
        let data = [&aid.wire()[..], &settings.wire()?].concat();
        empty(&self.exchange(ins::CREATE_APPLICATION, &data, &[], Protection::Management).await?)
    }

    /// Deletes an application with all that is in it. Its memory comes back when the card is formatted.
    ///
    /// # Errors
    /// [`CardError::Status`] 91A0 when there is none of this number, 919D without the right.
    pub async fn delete_application(&mut self, aid: Aid) -> Result<(), CardError> {
        let deleted = self.exchange(ins::DELETE_APPLICATION, &aid.wire(), &[], Protection::Management).await?;
        empty(&deleted)
    }

    /// The numbers of the files of the selected application.
    ///
    /// # Errors
    /// [`CardError::Status`] 91AE when they are not listed without authentication.
    pub async fn file_ids(&mut self) -> Result<Vec<u8>, CardError> {
        Ok(self.exchange(ins::GET_FILE_IDS, &[], &[], Protection::Management).await?.to_vec())
    }

    /// The settings of a file.
    ///
    /// # Errors
    /// [`CardError::Status`] 91F0 when there is no such file.
    pub async fn file_settings(&mut self, file: u8) -> Result<FileSettings, CardError> {
        FileSettings::parse(&self.exchange(ins::GET_FILE_SETTINGS, &[file], &[], Protection::Management).await?)
    }

    /// Makes a file (0 to 31).
    ///
    /// # Errors
    /// [`CardError::Status`] 91DE when there is one of this number, 919E when the settings contradict each other; [`CardError::Full`] when there is
    /// no room.
    pub async fn create_file(&mut self, file: u8, settings: &FileSettings) -> Result<(), CardError> {
        let (ins, data) = settings.creation()?;
        empty(&self.exchange(ins, &[&[file][..], &data].concat(), &[], Protection::Management).await?)
    }

    /// Deletes a file. Its memory comes back when the card is formatted.
    ///
    /// # Errors
    /// [`CardError::Status`] 91F0 when there is none, 919D without the right.
    pub async fn delete_file(&mut self, file: u8) -> Result<(), CardError> {
        empty(&self.exchange(ins::DELETE_FILE, &[file], &[], Protection::Management).await?)
    }

    /// Changes how a file's content travels, and who may do what. Encrypted inside of a session; outside, which needs a right that is free, plain.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D without the right to change.
    pub async fn change_file_settings(&mut self, file: u8, mode: CommMode, rights: AccessRights) -> Result<(), CardError> {
        let travels = if self.authenticated().is_some() { CommMode::Full } else { CommMode::Plain };
        let data = [&[mode.wire()][..], &rights.wire()?].concat();
        empty(&self.exchange(ins::CHANGE_FILE_SETTINGS, &[file], &data, Protection::Write(travels)).await?)
    }

    /// Reads so many bytes of a standard or backup file. `mode` is that of the file
    /// ([`FileSettings::mode_for`]).
    ///
    /// # Errors
    /// [`CardError::Invalid`] for no bytes; [`CardError::Status`] 91BE beyond the end, 919D or 91AE without the right.
    pub async fn read_data(&mut self, file: u8, offset: u32, length: u32, mode: CommMode) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.read(ins::READ_DATA, file, offset, length, length as usize, mode).await
    }

    /// Writes to a standard file, or to a backup file until the transaction is committed.
    ///
    /// # Errors
    /// [`CardError::Invalid`] for no bytes; [`CardError::Status`] 91BE beyond the end, 919D or 91AE without the right.
    pub async fn write_data(&mut self, file: u8, offset: u32, data: &[u8], mode: CommMode) -> Result<(), CardError> {
        self.write(ins::WRITE_DATA, file, offset, data, mode).await
    }

    /// Appends a record, or a part of it, until the transaction is committed.
    ///
    /// # Errors
    /// As [`write_data`](Self::write_data); [`CardError::Status`] 91BE when a linear file is full.
    pub async fn write_record(&mut self, file: u8, offset: u32, data: &[u8], mode: CommMode) -> Result<(), CardError> {
        self.write(ins::WRITE_RECORD, file, offset, data, mode).await
    }

    /// Reads `count` records of `size` bytes, oldest first, the last of which is `from` records before the newest.
    ///
    /// # Errors
    /// As [`read_data`](Self::read_data); [`CardError::Status`] 91BE when there are not so many.
    pub async fn read_records(
        &mut self,
        file: u8,
        from: u32,
        count: u32,
        size: u32,
        mode: CommMode,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let expected = count.checked_mul(size).ok_or(CardError::Invalid("more records than a card holds"))?;
        self.read(ins::READ_RECORDS, file, from, count, expected as usize, mode).await
    }

    /// Empties a file of records when the transaction is committed.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D or 91AE without the right.
    pub async fn clear_records(&mut self, file: u8) -> Result<(), CardError> {
        empty(&self.exchange(ins::CLEAR_RECORD_FILE, &[file], &[], Protection::Management).await?)
    }

    /// The number in a value file.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D or 91AE without the right.
    pub async fn value(&mut self, file: u8, mode: CommMode) -> Result<i32, CardError> {
        let answer = self.exchange(ins::GET_VALUE, &[file], &[], Protection::Read(mode, 4)).await?;
        Ok(i32::from_le_bytes(answer[..].try_into().map_err(|_| CardError::Garbage("a value that is not four bytes"))?))
    }

    /// Adds to a value when the transaction is committed; `amount` is not negative.
    ///
    /// # Errors
    /// [`CardError::Status`] 91BE above the limit, 919D or 91AE without the right.
    pub async fn credit(&mut self, file: u8, amount: i32, mode: CommMode) -> Result<(), CardError> {
        self.change_value(ins::CREDIT, file, amount, mode).await
    }

    /// Takes from a value when the transaction is committed; `amount` is not negative.
    ///
    /// # Errors
    /// [`CardError::Status`] 91BE below the limit, 919D or 91AE without the right.
    pub async fn debit(&mut self, file: u8, amount: i32, mode: CommMode) -> Result<(), CardError> {
        self.change_value(ins::DEBIT, file, amount, mode).await
    }

    /// Gives back to a value what was taken in the last transaction, or less.
    ///
    /// # Errors
    /// [`CardError::Status`] 91BE above what was taken, 919D or 91AE without the right.
    pub async fn limited_credit(&mut self, file: u8, amount: i32, mode: CommMode) -> Result<(), CardError> {
        self.change_value(ins::LIMITED_CREDIT, file, amount, mode).await
    }

    async fn change_value(&mut self, ins: u8, file: u8, amount: i32, mode: CommMode) -> Result<(), CardError> {
        if amount < 0 {
            return Err(CardError::Invalid("an amount is not negative"));
        }
        empty(&self.exchange(ins, &[file], &amount.to_le_bytes(), Protection::Write(mode)).await?)
    }

    async fn read(
        &mut self,
        ins: u8,
        file: u8,
        from: u32,
        count: u32,
        expected: usize,
        mode: CommMode,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        // The card takes 0 for "all there is", but then nobody knows where encrypted data end.
        if expected == 0 {
            return Err(CardError::Invalid("reading nothing"));
        }
        let answer = self.exchange(ins, &place(file, from, count)?, &[], Protection::Read(mode, expected)).await?;
        if answer.len() == expected { Ok(answer) } else { Err(CardError::Garbage("another length than was asked for")) }
    }

    async fn write(&mut self, ins: u8, file: u8, offset: u32, data: &[u8], mode: CommMode) -> Result<(), CardError> {
        let length = u32::try_from(data.len()).map_err(|_| CardError::Invalid("more than a file holds"))?;
        if length == 0 {
            return Err(CardError::Invalid("writing nothing"));
        }
        empty(&self.exchange(ins, &place(file, offset, length)?, data, Protection::Write(mode)).await?)
    }
}

/// File, offset and length, as reads and writes have them.
fn place(file: u8, offset: u32, length: u32) -> Result<[u8; 7], CardError> {
    let ([a, b, c], [d, e, f]) = (three_bytes(offset)?, three_bytes(length)?);
    Ok([file, a, b, c, d, e, f])
}

/// A card that does not know GetVersion is not a DESFire.
fn not_desfire(error: CardError) -> CardError {
    match error {
        CardError::Status(status) if matches!(status.0, 0x6D00 | 0x6E00 | 0x6700 | 0x6982 | 0x6A81 | 0x911C) => {
            CardError::NotThisTechnology { expected: "a MIFARE DESFire" }
        }
        other => other,
    }
}
