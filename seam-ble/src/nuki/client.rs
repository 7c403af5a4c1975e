//! What a paired client asks: the states, and actions. An action needs a challenge of the lock, good for one command.
use core::fmt;

use super::{ACCEPTED, Action, COMPLETE, MAX_MESSAGE, NukiError, Paired, States, command, message};
use crate::bytes::Writer;

/// A paired client. It remembers the last nonce: a generator that repeats itself is noticed before it does harm.
pub struct Client {
    paired: Paired,
    last: Option<[u8; 24]>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client {{ authorization: {} }}", self.paired.authorization)
    }
}

/// Who asks for an action, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    /// The app's own number, for the lock's log.
    pub app: u32,
    /// Bits of the API document: 0 when a person asked, 1 when the phone did by itself (auto-unlock).
    pub flags: u8,
}

/// Waits for the states.
#[derive(Debug)]
pub struct AwaitStates(());

/// Waits for the lock's challenge.
#[derive(Debug)]
pub struct AwaitChallenge(());

/// Waits for what becomes of the action.
#[derive(Debug)]
pub struct AwaitAction(());

/// What the lock told while it acts.
#[derive(Debug)]
pub enum Progress {
    /// It will do it. From here on the bolt may move.
    Accepted(AwaitAction),
    /// It moves.
    Moving(States, AwaitAction),
    /// It is done.
    Done,
}

impl Client {
    /// A client with what pairing gave.
    #[must_use]
    pub const fn new(paired: Paired) -> Self {
        Self { paired, last: None }
    }

    fn seal(&mut self, nonce: [u8; 24], number: u16, payload: &[&[u8]], out: &mut Writer<'_>) -> Result<(), NukiError> {
        if self.last.replace(nonce) == Some(nonce) {
            return Err(NukiError::NonceRepeated);
        }
        message::seal(out, &self.paired.key, self.paired.authorization, &nonce, number, payload)
    }

    fn open<'a>(&self, incoming: &[u8], space: &'a mut [u8; MAX_MESSAGE]) -> Result<(u16, &'a [u8]), NukiError> {
        message::open(incoming, &self.paired.key, self.paired.authorization, space)
    }

    /// Asks for the states. `nonce` are 24 fresh random bytes, here and everywhere.
    ///
    /// # Errors
    /// [`NukiError::Full`], [`NukiError::NonceRepeated`].
    pub fn ask_states(&mut self, nonce: [u8; 24], out: &mut Writer<'_>) -> Result<AwaitStates, NukiError> {
        self.seal(nonce, command::REQUEST_DATA, &[&command::STATES.to_le_bytes()], out)?;
        Ok(AwaitStates(()))
    }

    /// Takes the states.
    ///
    /// # Errors
    /// [`NukiError`].
    pub fn states(&self, _asked: AwaitStates, incoming: &[u8]) -> Result<States, NukiError> {
        let mut space = [0; MAX_MESSAGE];
        match self.open(incoming, &mut space)? {
            (command::STATES, payload) => States::read(payload),
            (other, _) => Err(NukiError::Unexpected(other)),
        }
    }

    /// Asks for a challenge, which every action needs.
    ///
    /// # Errors
    /// [`NukiError::Full`], [`NukiError::NonceRepeated`].
    pub fn ask_challenge(&mut self, nonce: [u8; 24], out: &mut Writer<'_>) -> Result<AwaitChallenge, NukiError> {
        self.seal(nonce, command::REQUEST_DATA, &[&command::CHALLENGE.to_le_bytes()], out)?;
        Ok(AwaitChallenge(()))
    }

    /// Takes the challenge and sends the action.
    ///
    /// # Errors
    /// [`NukiError`]: the lock was not told to move.
    pub fn act(
        &mut self,
        _asked: AwaitChallenge,
        incoming: &[u8],
        action: Action,
        by: Actions,
        nonce: [u8; 24],
        out: &mut Writer<'_>,
    ) -> Result<AwaitAction, NukiError> {
        let mut space = [0; MAX_MESSAGE];
        let challenge: [u8; 32] = *message::expect(self.open(incoming, &mut space)?, command::CHALLENGE)?;
        self.seal(nonce, command::LOCK_ACTION, &[&[action as u8], &by.app.to_le_bytes(), &[by.flags], &challenge], out)?;
        Ok(AwaitAction(()))
    }

    /// Takes what the lock tells about the action.
    ///
    /// # Errors
    /// [`NukiError::Lock`] when it refused or failed. After any other error it is not known whether the bolt moved.
    pub fn progress(&self, waiting: AwaitAction, incoming: &[u8]) -> Result<Progress, NukiError> {
        let mut space = [0; MAX_MESSAGE];
        match self.open(incoming, &mut space)? {
            (command::STATUS, [ACCEPTED]) => Ok(Progress::Accepted(waiting)),
            (command::STATUS, [COMPLETE]) => Ok(Progress::Done),
            (command::STATUS, [_]) => Err(NukiError::Value),
            (command::STATUS, _) => Err(NukiError::Length),
            (command::STATES, payload) => Ok(Progress::Moving(States::read(payload)?, waiting)),
            (other, _) => Err(NukiError::Unexpected(other)),
        }
    }
}
