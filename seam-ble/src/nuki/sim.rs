//! A Nuki lock that exists only here: it answers as the API document says, and refuses what a lock has to refuse.
use std::vec::Vec;

use super::{ACCEPTED, Action, COMPLETE, LockState, MAX_MESSAGE, NukiError, command, message, public_key, shared_key};
use crate::bytes::Writer;
use crate::crypto::{Crypto, Secret, equal};

/// Where its random numbers come from.
pub type Random = fn() -> [u8; 32];

#[derive(Clone)]
struct User {
    authorization: u32,
    key: Secret<32>,
}

/// How far a pairing has come.
enum Pairing {
    Idle,
    KeySent { private: Secret<32> },
    Challenged { common: Common, challenge: [u8; 32] },
    Proven { common: Common, challenge: [u8; 32] },
    Authorized { user: User, nonce: [u8; 32] },
}

#[derive(Clone)]
struct Common {
    key: Secret<32>,
    client: [u8; 32],
    lock: [u8; 32],
}

/// The lock.
pub struct SimLock<C> {
    crypto: C,
    random: Random,
    /// Somebody holds its button: it lets one client pair.
    pub pairing_mode: bool,
    lock: LockState,
    pairing: Pairing,
    users: Vec<User>,
    challenge: Option<(u32, [u8; 32])>,
    seen: Vec<[u8; 24]>,
    actions: Vec<Action>,
}

impl<C> core::fmt::Debug for SimLock<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SimLock {{ lock: {:?}, users: {} }}", self.lock, self.users.len())
    }
}

const NOT_PAIRING: u8 = 0x10;
const BAD_AUTHENTICATOR: u8 = 0x11;
const NOT_AUTHORIZED: u8 = 0x20;
const BAD_NONCE: u8 = 0x22;
const BAD_PARAMETER: u8 = 0x23;
const BAD_CHECKSUM: u8 = 0xFD;
const BAD_LENGTH: u8 = 0xFE;
const UNKNOWN: u8 = 0xFF;

impl<C: Crypto> SimLock<C> {
    /// A locked lock without users, not in pairing mode.
    pub const fn new(crypto: C, random: Random) -> Self {
        Self {
            crypto,
            random,
            pairing_mode: false,
            lock: LockState::Locked,
            pairing: Pairing::Idle,
            users: Vec::new(),
            challenge: None,
            seen: Vec::new(),
            actions: Vec::new(),
        }
    }

    /// Where the bolt is.
    #[must_use]
    pub const fn lock_state(&self) -> LockState {
        self.lock
    }

    /// What it did.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Takes a user's authorization away, as its owner would in the app.
    pub fn remove(&mut self, authorization: u32) {
        self.users.retain(|user| user.authorization != authorization);
    }

    /// The connection ended: nothing half done survives.
    pub fn disconnect(&mut self) {
        self.pairing = Pairing::Idle;
        self.challenge = None;
    }

    /// What was written to the pairing characteristic; gives the answer.
    pub fn pairing_data(&mut self, incoming: &[u8]) -> Vec<u8> {
        let answer = match message::read(incoming) {
            Ok((number, payload)) => self.pair(number, payload).map_err(|code| (code, number)),
            Err(NukiError::Checksum) => Err((BAD_CHECKSUM, 0)),
            Err(_) => Err((BAD_LENGTH, 0)),
        };
        let (number, payload) = answer.unwrap_or_else(|(code, number)| {
            self.pairing = Pairing::Idle;
            (command::ERROR, [&[code], number.to_le_bytes().as_slice()].concat())
        });
        plain(number, &payload)
    }

    fn pair(&mut self, number: u16, payload: &[u8]) -> Result<(u16, Vec<u8>), u8> {
        if !self.pairing_mode {
            return Err(NOT_PAIRING);
        }
        match (core::mem::replace(&mut self.pairing, Pairing::Idle), number) {
            (_, command::REQUEST_DATA) => {
                if payload != command::PUBLIC_KEY.to_le_bytes() {
                    return Err(BAD_PARAMETER);
                }
                let private = Secret::new((self.random)());
                let public = public_key(&private);
                self.pairing = Pairing::KeySent { private };
                Ok((command::PUBLIC_KEY, public.to_vec()))
            }
            (Pairing::KeySent { private }, command::PUBLIC_KEY) => {
                let client: [u8; 32] = payload.try_into().map_err(|_| BAD_LENGTH)?;
                let key = shared_key(&private, &client).map_err(|_| BAD_PARAMETER)?;
                let common = Common { key, client, lock: public_key(&private) };
                let challenge = (self.random)();
                self.pairing = Pairing::Challenged { common, challenge };
                Ok((command::CHALLENGE, challenge.to_vec()))
            }
            (Pairing::Challenged { common, challenge }, command::AUTHENTICATOR) => {
                let expected = self.crypto.hmac_sha256(common.key.expose(), &[&common.client, &common.lock, &challenge]);
                if !equal(payload, &expected) {
                    return Err(BAD_AUTHENTICATOR);
                }
                let challenge = (self.random)();
                self.pairing = Pairing::Proven { common, challenge };
                Ok((command::CHALLENGE, challenge.to_vec()))
            }
            (Pairing::Proven { common, challenge }, command::AUTHORIZATION_DATA) => self.authorize(common, &challenge, payload),
            (Pairing::Authorized { user, nonce }, command::CONFIRMATION) => {
                let authorization = user.authorization.to_le_bytes();
                let expected = self.crypto.hmac_sha256(user.key.expose(), &[&authorization, &nonce]);
                if !equal(payload, &[expected.as_slice(), &authorization].concat()) {
                    return Err(BAD_AUTHENTICATOR);
                }
                self.users.push(user);
                self.pairing_mode = false;
                Ok((command::STATUS, [COMPLETE].to_vec()))
            }
            _ => Err(BAD_PARAMETER),
        }
    }

    fn authorize(&mut self, common: Common, challenge: &[u8; 32], payload: &[u8]) -> Result<(u16, Vec<u8>), u8> {
        let (proof, told) = payload.split_first_chunk::<32>().ok_or(BAD_LENGTH)?;
        if told.len() != 1 + 4 + 32 + 32 {
            return Err(BAD_LENGTH);
        }
        if !equal(proof, &self.crypto.hmac_sha256(common.key.expose(), &[told, challenge])) {
            return Err(BAD_AUTHENTICATOR);
        }
        let authorization = u32::try_from(self.users.len()).unwrap_or(u32::MAX - 1) + 1;
        let nonce = (self.random)();
        let mut answer = [&authorization.to_le_bytes()[..], &[0x5A; 16], &nonce].concat();
        let theirs = told.last_chunk::<32>().ok_or(BAD_LENGTH)?;
        let proof = self.crypto.hmac_sha256(common.key.expose(), &[&answer, theirs]);
        answer.splice(0..0, proof);
        self.pairing = Pairing::Authorized { user: User { authorization, key: common.key }, nonce };
        Ok((command::AUTHORIZATION_ID, answer))
    }

    /// What was written to the user's characteristic; gives the answers in order. Without a user's key nothing can be answered.
    pub fn user_data(&mut self, incoming: &[u8]) -> Vec<Vec<u8>> {
        let claimed = incoming.get(24..28).and_then(|id| id.first_chunk()).map(|id| u32::from_le_bytes(*id));
        let Some(user) = self.users.iter().find(|user| Some(user.authorization) == claimed).cloned() else {
            return Vec::from([plain(command::ERROR, &[NOT_AUTHORIZED, 0, 0])]);
        };
        let mut space = [0; MAX_MESSAGE];
        let answers = match message::open(incoming, &user.key, user.authorization, &mut space) {
            Ok((number, payload)) => {
                // A message that comes again is refused even before its challenge would be.
                let fresh = incoming.first_chunk::<24>().is_some_and(|nonce| {
                    let fresh = !self.seen.contains(nonce);
                    self.seen.push(*nonce);
                    fresh
                });
                let done = if fresh { self.perform(user.authorization, number, payload) } else { Err(BAD_NONCE) };
                done.unwrap_or_else(|code| Vec::from([(command::ERROR, [&[code], number.to_le_bytes().as_slice()].concat())]))
            }
            // Whoever cannot encrypt is told nothing that a user would be told.
            Err(NukiError::Checksum) => Vec::from([(command::ERROR, Vec::from([BAD_CHECKSUM, 0, 0]))]),
            Err(_) => return Vec::from([plain(command::ERROR, &[NOT_AUTHORIZED, 0, 0])]),
        };
        answers.iter().map(|(number, payload)| self.sealed(&user, *number, payload)).collect()
    }

    fn perform(&mut self, authorization: u32, number: u16, payload: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, u8> {
        // A challenge is good for the very next command.
        let challenge = self.challenge.take();
        match (number, payload) {
            (command::REQUEST_DATA, &[0x0C, 0]) => Ok(Vec::from([(command::STATES, self.states())])),
            (command::REQUEST_DATA, &[0x04, 0]) => {
                let challenge = (self.random)();
                self.challenge = Some((authorization, challenge));
                Ok(Vec::from([(command::CHALLENGE, challenge.to_vec())]))
            }
            (command::LOCK_ACTION, [action, _, _, _, _, _, nonce @ ..]) if nonce.len() == 32 => {
                let action = Action::from_byte(*action).ok_or(BAD_PARAMETER)?;
                let known = challenge.is_some_and(|(user, challenge)| user == authorization && equal(&challenge, nonce));
                if !known {
                    return Err(BAD_NONCE);
                }
                let moving = if matches!(action, Action::Lock | Action::FullLock) { LockState::Locking } else { LockState::Unlocking };
                self.lock = moving;
                let on_the_way = self.states();
                self.lock = match action {
                    Action::Lock | Action::FullLock => LockState::Locked,
                    Action::Unlatch | Action::LockNGoUnlatch => LockState::Unlatched,
                    Action::Unlock => LockState::Unlocked,
                    Action::LockNGo => LockState::UnlockedLockNGo,
                };
                self.actions.push(action);
                Ok(Vec::from([
                    (command::STATUS, [ACCEPTED].to_vec()),
                    (command::STATES, on_the_way),
                    (command::STATES, self.states()),
                    (command::STATUS, [COMPLETE].to_vec()),
                ]))
            }
            (command::LOCK_ACTION, _) => Err(BAD_LENGTH),
            (command::REQUEST_DATA, _) => Err(BAD_PARAMETER),
            _ => Err(UNKNOWN),
        }
    }

    fn states(&self) -> Vec<u8> {
        let lock = match self.lock {
            LockState::Locked => 1,
            LockState::Unlocking => 2,
            LockState::Unlocked => 3,
            LockState::Locking => 4,
            LockState::Unlatched => 5,
            LockState::UnlockedLockNGo => 6,
            _ => 0xFF,
        };
        Vec::from([2, lock, 0, 0xEB, 0x07, 3, 1, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2])
    }

    fn sealed(&self, user: &User, number: u16, payload: &[u8]) -> Vec<u8> {
        let mut space = [0; MAX_MESSAGE];
        let mut out = Writer::new(&mut space);
        let [nonce @ .., _, _, _, _, _, _, _, _] = (self.random)();
        // Every message of this file is shorter than the buffer.
        let _ = message::seal(&mut out, &user.key, user.authorization, &nonce, number, &[payload]);
        out.as_slice().to_vec()
    }
}

fn plain(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut space = [0; MAX_MESSAGE];
    let mut out = Writer::new(&mut space);
    let _ = message::write(&mut out, number, &[payload]);
    out.as_slice().to_vec()
}
