//! Pairing, by the client. Each state is used up by the message it gets, so an answer out of order ends the pairing.
use core::fmt;

use super::{COMPLETE, NukiError, command, message, public_key, shared_key, write_plain};
use crate::bytes::Writer;
use crate::crypto::{Crypto, Secret, equal};

/// Who pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// 0 an app, 1 a bridge, 2 a fob, 3 a keypad.
    pub kind: u8,
    /// The app's own number.
    pub id: u32,
    /// A name that the lock's owner sees; at most 32 bytes.
    pub name: &'a str,
}

/// Begins: asks for the lock's key. The lock answers only while it is in pairing mode. `private` is a new X25519 key (32 random bytes).
///
/// # Errors
/// [`NukiError::Full`].
pub fn begin(private: Secret<32>, out: &mut Writer<'_>) -> Result<AwaitLockKey, NukiError> {
    write_plain(out, command::REQUEST_DATA, &[&command::PUBLIC_KEY.to_le_bytes()])?;
    Ok(AwaitLockKey { private })
}

/// Waits for the lock's key.
pub struct AwaitLockKey {
    private: Secret<32>,
}

/// Both keys are known.
struct Common {
    key: Secret<32>,
    client: [u8; 32],
    lock: [u8; 32],
}

/// Waits for the first challenge.
pub struct AwaitFirstChallenge(Common);

/// Waits for the second challenge.
pub struct AwaitSecondChallenge {
    key: Secret<32>,
}

/// Waits for the authorization.
pub struct AwaitAuthorization {
    key: Secret<32>,
    nonce: [u8; 32],
}

/// Waits for the last word.
pub struct AwaitConfirmed(Paired);

/// An authorization at a lock: to be kept sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Paired {
    /// The user's number at the lock.
    pub authorization: u32,
    /// The lock's own identifier.
    pub lock_id: [u8; 16],
    /// The key of everything that follows.
    pub key: Secret<32>,
}

macro_rules! named_only {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            // Without the content: it is a key.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
named_only!(AwaitLockKey, AwaitFirstChallenge, AwaitSecondChallenge, AwaitAuthorization, AwaitConfirmed, Paired);

impl AwaitLockKey {
    /// Takes the lock's key and sends one's own.
    ///
    /// # Errors
    /// [`NukiError`]; the pairing is over.
    pub fn receive(self, incoming: &[u8], out: &mut Writer<'_>) -> Result<AwaitFirstChallenge, NukiError> {
        let lock: [u8; 32] = *message::expect(message::read(incoming)?, command::PUBLIC_KEY)?;
        let client = public_key(&self.private);
        // One's own key echoed would make the secret one that the echo cannot know, but also a lock that is none.
        if lock == client {
            return Err(NukiError::WeakKey);
        }
        let key = shared_key(&self.private, &lock)?;
        write_plain(out, command::PUBLIC_KEY, &[&client])?;
        Ok(AwaitFirstChallenge(Common { key, client, lock }))
    }
}

impl AwaitFirstChallenge {
    /// Takes the first challenge and proves the common secret.
    ///
    /// # Errors
    /// [`NukiError`]; the pairing is over.
    pub fn receive<C: Crypto>(self, crypto: &C, incoming: &[u8], out: &mut Writer<'_>) -> Result<AwaitSecondChallenge, NukiError> {
        let challenge: &[u8; 32] = message::expect(message::read(incoming)?, command::CHALLENGE)?;
        let Common { key, client, lock } = self.0;
        let proof = crypto.hmac_sha256(key.expose(), &[&client, &lock, challenge]);
        write_plain(out, command::AUTHENTICATOR, &[&proof])?;
        Ok(AwaitSecondChallenge { key })
    }
}

impl AwaitSecondChallenge {
    /// Takes the second challenge and says who pairs. `nonce` are 32 fresh random bytes.
    ///
    /// # Errors
    /// [`NukiError`]; the pairing is over. [`NukiError::Value`] for a name of more than 32 bytes.
    pub fn receive<C: Crypto>(
        self,
        crypto: &C,
        identity: &Identity<'_>,
        nonce: [u8; 32],
        incoming: &[u8],
        out: &mut Writer<'_>,
    ) -> Result<AwaitAuthorization, NukiError> {
        let challenge: &[u8; 32] = message::expect(message::read(incoming)?, command::CHALLENGE)?;
        let mut name = [0; 32];
        name.get_mut(..identity.name.len()).ok_or(NukiError::Value)?.copy_from_slice(identity.name.as_bytes());
        let (kind, id) = ([identity.kind], identity.id.to_le_bytes());
        let proof = crypto.hmac_sha256(self.key.expose(), &[&kind, &id, &name, &nonce, challenge]);
        write_plain(out, command::AUTHORIZATION_DATA, &[&proof, &kind, &id, &name, &nonce])?;
        Ok(AwaitAuthorization { key: self.key, nonce })
    }
}

impl AwaitAuthorization {
    /// Takes the authorization, which proves that the lock has the common secret too, and confirms it.
    ///
    /// # Errors
    /// [`NukiError`]; the pairing is over, and there is no authorization.
    pub fn receive<C: Crypto>(self, crypto: &C, incoming: &[u8], out: &mut Writer<'_>) -> Result<AwaitConfirmed, NukiError> {
        let payload: &[u8; 84] = message::expect(message::read(incoming)?, command::AUTHORIZATION_ID)?;
        let (proof, told) = payload.split_at(32);
        if !equal(proof, &crypto.hmac_sha256(self.key.expose(), &[told, &self.nonce])) {
            return Err(NukiError::Authenticator);
        }
        let (authorization, rest) = told.split_first_chunk::<4>().ok_or(NukiError::Length)?;
        let (lock_id, challenge) = rest.split_first_chunk::<16>().ok_or(NukiError::Length)?;
        let confirmation = crypto.hmac_sha256(self.key.expose(), &[authorization, challenge]);
        write_plain(out, command::CONFIRMATION, &[&confirmation, authorization])?;
        Ok(AwaitConfirmed(Paired { authorization: u32::from_le_bytes(*authorization), lock_id: *lock_id, key: self.key }))
    }
}

impl AwaitConfirmed {
    /// Takes the lock's last word.
    ///
    /// # Errors
    /// [`NukiError`]: whether the lock knows the user is not known then.
    pub fn receive(self, incoming: &[u8]) -> Result<Paired, NukiError> {
        match message::expect(message::read(incoming)?, command::STATUS)? {
            [COMPLETE] => Ok(self.0),
            _ => Err(NukiError::Value),
        }
    }
}
