//! Keys at the card.
use zeroize::Zeroizing;

use super::card::{Desfire, Messaging, Protection, Session};
use super::ins;
use super::types::{Aid, ApplicationSettings, CommMode, KeySettings, key_type_wire};
use crate::crypto::{crc32, xor};
use crate::error::CardError;
use crate::keys::{Key, KeyType};

/// A key to change.
#[derive(Clone, Copy, Debug)]
pub struct ChangeKey<'a> {
    /// Its number.
    pub key_no: u8,
    /// What it is to be. An application's keys keep their type; the card's own key may get another.
    pub new: &'a Key,
    /// What it is now; not needed for the key of the session.
    pub old: Option<&'a Key>,
}

impl Desfire {
    /// Changes a key. Changing the key of the session ends the session.
    ///
    /// An error with [`Effect::Unknown`](crate::error::Effect::Unknown) leaves open which key the card holds now: try the new one first, then the
    /// old one.
    ///
    /// # Errors
    /// [`CardError::Invalid`] outside of a session or without the old key; [`CardError::Status`] 919D when this key may not be changed with the key
    /// of the session, 911E when the old key is not what the card holds.
    pub async fn change_key(&mut self, change: ChangeKey<'_>) -> Result<(), CardError> {
        let authenticated = self.authenticated().ok_or(CardError::Invalid("this needs an authentication"))?;
        let is_own = change.key_no == authenticated;
        // Only the card's own key may get another type, which its number then tells.
        let numbered = if self.selected() == Aid::PICC { change.key_no | key_type_wire(change.new.kind()) } else { change.key_no };
        let mut data = Zeroizing::new(Vec::with_capacity(24 + 1 + 4));
        data.extend_from_slice(change.new.bytes());
        if !is_own {
            let old = change.old.filter(|old| old.kind() == change.new.kind());
            let old = old.ok_or(CardError::Invalid("changing another key needs the old one of the same type"))?;
            xor(&mut data, old.bytes());
        }
        if change.new.kind() == KeyType::Aes128 {
            data.push(change.new.version());
        }
        // What the exclusive or hides from the CRC over the command is told by one over the new key.
        let sum = crc32(&[change.new.bytes()]);
        let second = if is_own { &[][..] } else { &sum };

        let Some(mut session) = self.session.take() else { return Err(CardError::Invalid("this needs an authentication")) };
        let sent = match &mut session.messaging {
            Messaging::Ev1(ev1) => ev1.encrypted(ins::CHANGE_KEY, &[numbered], &data, second)?,
            Messaging::Ev2(ev2) => {
                data.extend_from_slice(second);
                ev2.command(ins::CHANGE_KEY, &[numbered], &data, CommMode::Full)?
            }
        };
        let answer = self.frames(ins::CHANGE_KEY, &sent).await?;
        if is_own {
            // Nothing could secure the answer: the key of the session is gone.
            return if answer.is_empty() { Ok(()) } else { Err(CardError::Garbage("an answer where there is none")) };
        }
        let rest = match &mut session.messaging {
            Messaging::Ev1(ev1) => ev1.response(answer, CommMode::Mac, 0)?,
            Messaging::Ev2(ev2) => ev2.response(answer, CommMode::Mac)?,
        };
        empty(&rest)?;
        self.session = Some(Session { key_no: authenticated, ..session });
        Ok(())
    }

    /// The version of a key of the selected application, 0 to 255.
    ///
    /// # Errors
    /// [`CardError::Status`] 9140 when there is no such key.
    pub async fn key_version(&mut self, key_no: u8) -> Result<u8, CardError> {
        match self.exchange(ins::GET_KEY_VERSION, &[key_no], &[], Protection::Management).await?[..] {
            [version] => Ok(version),
            _ => Err(CardError::Garbage("a key version that is not one byte")),
        }
    }

    /// The settings of the selected application, or of the card.
    ///
    /// # Errors
    /// [`CardError::Status`] 91AE when they are not listed without authentication.
    pub async fn key_settings(&mut self) -> Result<ApplicationSettings, CardError> {
        match self.exchange(ins::GET_KEY_SETTINGS, &[], &[], Protection::Management).await?[..] {
            // EV2 tells more of applications with several key sets.
            [settings, keys, ..] => ApplicationSettings::from_wire([settings, keys]),
            _ => Err(CardError::Garbage("key settings that are too short")),
        }
    }

    /// Changes the settings of the selected application, or of the card; needs a session with its master key.
    ///
    /// # Errors
    /// [`CardError::Status`] 919D when they are frozen, or the session is of another key.
    pub async fn change_key_settings(&mut self, settings: KeySettings) -> Result<(), CardError> {
        let protection = Protection::Write(CommMode::Full);
        empty(&self.exchange(ins::CHANGE_KEY_SETTINGS, &[], &[settings.wire()?], protection).await?)
    }
}

/// That a card answered nothing but its status.
pub(super) fn empty(answer: &[u8]) -> Result<(), CardError> {
    if answer.is_empty() { Ok(()) } else { Err(CardError::Garbage("data where there are none")) }
}
