//! Authentication: both sides prove that they know a key, and a session begins.
use zeroize::Zeroizing;

use super::card::{Desfire, Messaging, Session};
use super::ev1::{self, Ev1};
use super::ev2;
use super::ins;
use super::version::Generation;
use crate::apdu::StatusWord;
use crate::error::CardError;
use crate::keys::{Key, KeyType};

impl Desfire {
    /// Authenticates with a key of the selected application in the newest way that the card has: EV2 with an AES key when
    /// [`version`](Self::version) said that the card is an EV2 or later, EV1 otherwise.
    ///
    /// # Errors
    /// [`CardError::AuthenticationRefused`] when the card holds another key there; [`CardError::NotGenuine`] when it does not know this one.
    pub async fn authenticate(&mut self, key_no: u8, key: &Key) -> Result<(), CardError> {
        let is_ev2 = self.generation.is_some_and(|generation| generation >= Generation::Ev2) && key.kind() == KeyType::Aes128;
        match &self.session {
            Some(Session { messaging: Messaging::Ev2(_), .. }) if is_ev2 => self.authenticate_ev2_following(key_no, key).await,
            _ if is_ev2 => self.authenticate_ev2_first(key_no, key).await,
            _ => self.authenticate_ev1(key_no, key).await,
        }
    }

    /// Authenticates as EV1: AuthenticateAES with an AES key, AuthenticateISO with DES keys. EV2 and EV3 cards have it as well.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn authenticate_ev1(&mut self, key_no: u8, key: &Key) -> Result<(), CardError> {
        self.session = None;
        let ins = if key.kind() == KeyType::Aes128 { ins::AUTHENTICATE_AES } else { ins::AUTHENTICATE_ISO };
        let enc_rnd_b = self.first_pass(ins, key_no, &[key_no]).await?;
        let mut rnd_a = Zeroizing::new([0; 16]);
        let rnd_a = &mut rnd_a[..ev1::random_length(key.kind())];
        self.random.fill(rnd_a)?;
        let (handshake, token) = ev1::Handshake::answer(key, rnd_a, &enc_rnd_b)?;
        let enc_rnd_a = self.last_pass(key_no, &token).await?;
        let (cipher, _) = handshake.finish(&enc_rnd_a).ok_or(CardError::NotGenuine { key_no })?;
        self.session = Some(Session { key_no, messaging: Messaging::Ev1(Ev1::new(cipher)) });
        Ok(())
    }

    /// Authenticates as EV2 (AuthenticateEV2First) with an AES key: a new transaction identifier, and the counter at 0.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); [`CardError::Unsupported`] with a key that is not AES.
    pub async fn authenticate_ev2_first(&mut self, key_no: u8, key: &Key) -> Result<(), CardError> {
        self.session = None;
        // No capabilities of ours to tell: length 0.
        let (handshake, token) = self.ev2_handshake(ins::AUTHENTICATE_EV2_FIRST, key_no, &[key_no, 0], key).await?;
        let answer = self.last_pass(key_no, &token[..]).await?;
        let session = handshake.finish_first(&answer).ok_or(CardError::NotGenuine { key_no })?;
        self.session = Some(Session { key_no, messaging: Messaging::Ev2(session) });
        Ok(())
    }

    /// Authenticates within an EV2 session (AuthenticateEV2NonFirst), usually with another key: identifier and counter go on.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); [`CardError::Invalid`] outside of an EV2 session, [`CardError::Unsupported`] with a key that is not
    /// AES.
    pub async fn authenticate_ev2_following(&mut self, key_no: u8, key: &Key) -> Result<(), CardError> {
        let Some(Session { messaging: Messaging::Ev2(before), .. }) = self.session.take() else {
            return Err(CardError::Invalid("this needs an EV2 session"));
        };
        let (handshake, token) = self.ev2_handshake(ins::AUTHENTICATE_EV2_NON_FIRST, key_no, &[key_no], key).await?;
        let answer = self.last_pass(key_no, &token[..]).await?;
        let session = handshake.finish_following(&answer, &before).ok_or(CardError::NotGenuine { key_no })?;
        self.session = Some(Session { key_no, messaging: Messaging::Ev2(session) });
        Ok(())
    }

    async fn ev2_handshake(
        &mut self,
        ins: u8,
        key_no: u8,
        params: &[u8],
        key: &Key,
    ) -> Result<(ev2::Handshake, Zeroizing<[u8; 32]>), CardError> {
        if key.kind() != KeyType::Aes128 {
            return Err(CardError::Unsupported("EV2 messaging with a key that is not AES"));
        }
        let enc_rnd_b = self.first_pass(ins, key_no, params).await?;
        let mut rnd_a = Zeroizing::new([0; 16]);
        self.random.fill(&mut rnd_a[..])?;
        ev2::Handshake::answer(key.cipher(), rnd_a, &enc_rnd_b)
    }

    async fn first_pass(&self, ins: u8, key_no: u8, params: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let response = self.frame(ins, params).await?;
        match response.status() {
            StatusWord::NATIVE_MORE => Ok(response.into_data()),
            status => Err(refused(key_no, status)),
        }
    }
    async fn last_pass(&self, key_no: u8, token: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let response = self.frame(ins::ADDITIONAL_FRAME, token).await?;
        match response.status() {
            StatusWord::NATIVE_OK => Ok(response.into_data()),
            status => Err(refused(key_no, status)),
        }
    }
}

/// "Authentication error" and "no such key" are about the key; all else is about the command.
fn refused(key_no: u8, status: StatusWord) -> CardError {
    match status.0 {
        0x91AE | 0x9140 => CardError::AuthenticationRefused { key_no, status },
        0x9100 | 0x91AF => CardError::Garbage("an authentication with another number of passes"),
        _ => CardError::Status(status),
    }
}
