//! Sealing: secrets are encrypted before they reach a store and decrypted after they leave it. A store sees only bytes.
use crate::error::{Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::state::{ClaimKey, RowId, Sealed};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand::Rng;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Gives the keys that secrets are sealed with. Implement it over a key management service, or use [`StaticKeys`].
pub trait KeyProvider: fmt::Debug + Send + Sync + 'static {
    /// The name of the key that new secrets are sealed with: 1 to 16 ASCII letters and digits.
    fn current(&self) -> String;
    /// A key by its name; `None` when it is unknown or was destroyed.
    fn key(&self, name: &str) -> Option<Zeroizing<[u8; 32]>>;
    /// The key of the keyed hashes (PIN index, contact look-ups). It must stay the same for the life of the store.
    fn index_key(&self) -> Zeroizing<[u8; 32]>;
}

/// Keys held in memory.
pub struct StaticKeys {
    current: String,
    keys: BTreeMap<String, SecretBox<[u8; 32]>>,
    index: SecretBox<[u8; 32]>,
}

impl StaticKeys {
    /// One master key; everything else is derived from it.
    #[must_use]
    pub fn new(master: [u8; 32]) -> Self {
        let master = Zeroizing::new(master);
        let index = SecretBox::new(Box::new(*derive(&master, b"seam index v1")));
        let seal = SecretBox::new(Box::new(*derive(&master, b"seam seal v1")));
        Self { current: "k1".to_owned(), keys: BTreeMap::from([("k1".to_owned(), seal)]), index }
    }
    /// Adds a key and seals with it from now on; earlier ones still open what they sealed. `name`: 1 to 16 ASCII letters and digits.
    #[must_use]
    pub fn rotated(mut self, name: impl Into<String>, key: [u8; 32]) -> Self {
        let name = name.into();
        self.keys.insert(name.clone(), SecretBox::new(Box::new(key)));
        self.current = name;
        self
    }
}

impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeys").field("current", &self.current).finish_non_exhaustive()
    }
}

impl KeyProvider for StaticKeys {
    fn current(&self) -> String {
        self.current.clone()
    }
    fn key(&self, name: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.keys.get(name).map(|k| Zeroizing::new(*k.expose_secret()))
    }
    fn index_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.index.expose_secret())
    }
}

fn derive(key: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac(key, &[label]))
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Seals and opens secrets, and makes the keyed hashes by which they can be found without being known.
///
/// XChaCha20-Poly1305; the associated data binds workspace, row and field, so a ciphertext that is moved to another row does not open.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn KeyProvider>,
    /// What was sealed for one change, if that is remembered.
    sealed: Option<Arc<Remembered>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault over these keys.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyProvider>) -> Self {
        Self { keys, sealed: None }
    }

    /// The same vault for one change. A decision is asked again from the start with more facts and the same random numbers, and then shown what it has
    /// written: what it sealed is sealed once, and what was sealed by it need not be opened.
    pub(crate) fn remembering(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), sealed: Some(Arc::default()) }
    }

    /// Seals a secret for one field of one row.
    ///
    /// # Errors
    /// `Internal` when the key provider does not know its own current key.
    pub fn seal(&self, workspace: WorkspaceId, row: RowId, field: &str, secret: &str, rng: &mut dyn Rng) -> Result<Sealed> {
        let name = self.keys.current();
        let key = self
            .keys
            .key(&name)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "sealing_key_missing", "the key provider does not have its current key"))?;
        Ok(Sealed(self.seal_with(&key, &name, &aad(workspace, row, field), secret, rng)?))
    }

    /// Opens what was sealed for the same field of the same row.
    ///
    /// # Errors
    /// `Corrupt` when the key is unknown or the secret does not authenticate.
    pub fn open(&self, workspace: WorkspaceId, row: RowId, field: &str, sealed: &Sealed) -> Result<SecretString> {
        let (name, rest) = sealed.0.split_once('.').ok_or_else(corrupt)?;
        let key = self.keys.key(name).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "sealing_key_unknown", "a stored secret was sealed with a key that is not known")
                .with_context("key", name)
        })?;
        open_with(self.sealed.as_deref(), &key, rest, &aad(workspace, row, field))
    }

    /// Makes a person's own key, sealed. What is sealed under it can be made unreadable by destroying it.
    ///
    /// # Errors
    /// `Internal` when the key provider does not know its own current key.
    pub fn new_own_key(&self, workspace: WorkspaceId, row: RowId, rng: &mut dyn Rng) -> Result<Sealed> {
        let mut key = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(&mut *key);
        self.seal(workspace, row, "own_key", &Zeroizing::new(hex(&*key)), rng)
    }

    /// Seals a secret under a person's own key.
    ///
    /// # Errors
    /// `Corrupt` when the own key does not open.
    pub fn seal_own(
        &self,
        own: &Sealed,
        workspace: WorkspaceId,
        row: RowId,
        field: &str,
        secret: &str,
        rng: &mut dyn Rng,
    ) -> Result<Sealed> {
        let key = self.own_key(own, workspace, row)?;
        Ok(Sealed(self.seal_with(&key, "own", &aad(workspace, row, field), secret, rng)?))
    }

    /// Opens a secret that was sealed under a person's own key.
    ///
    /// # Errors
    /// `Corrupt` when one of the two does not open.
    pub fn open_own(&self, own: &Sealed, workspace: WorkspaceId, row: RowId, field: &str, sealed: &Sealed) -> Result<SecretString> {
        self.own(own, workspace, row)?.open(field, sealed)
    }

    /// A person's own key, to open several secrets with.
    ///
    /// # Errors
    /// `Corrupt` when it does not open.
    pub(crate) fn own(&self, own: &Sealed, workspace: WorkspaceId, row: RowId) -> Result<OwnKey> {
        Ok(OwnKey { key: self.own_key(own, workspace, row)?, workspace, row, sealed: self.sealed.clone() })
    }

    fn own_key(&self, own: &Sealed, workspace: WorkspaceId, row: RowId) -> Result<Zeroizing<[u8; 32]>> {
        let text = self.open(workspace, row, "own_key", own)?;
        let bytes = Zeroizing::new(unhex(text.expose_secret()).ok_or_else(corrupt)?);
        let mut key = Zeroizing::new([0u8; 32]);
        if bytes.len() != key.len() {
            return Err(corrupt());
        }
        key.copy_from_slice(&bytes);
        Ok(key)
    }

    /// The key under which something secret is claimed: a PIN at a door, say. `domain` is the physical door or system.
    #[must_use]
    pub fn claim_key(&self, kind: &str, domain: &str, value: &str) -> ClaimKey {
        let full = mac(&self.keys.index_key(), &[b"claim", kind.as_bytes(), domain.as_bytes(), value.as_bytes()]);
        let mut short = [0u8; 16];
        short.copy_from_slice(&full[..16]);
        ClaimKey(Uuid::from_bytes(short))
    }

    /// The keyed hash by which a contact or a short code is found.
    #[must_use]
    pub fn tag(&self, workspace: WorkspaceId, kind: &str, value: &str) -> String {
        hex(&mac(&self.keys.index_key(), &[b"tag", workspace.uuid().as_bytes(), kind.as_bytes(), value.as_bytes()])[..16])
    }

    /// A key that nobody can guess who knows `random` but not the key provider's keys.
    pub(crate) fn derive(&self, workspace: WorkspaceId, kind: &str, row: RowId, random: &[u8]) -> Zeroizing<[u8; 32]> {
        let of = workspace.uuid();
        Zeroizing::new(mac(&self.keys.index_key(), &[b"key", of.as_bytes(), kind.as_bytes(), row.as_bytes(), random]))
    }
}

/// A person's own key.
pub(crate) struct OwnKey {
    key: Zeroizing<[u8; 32]>,
    workspace: WorkspaceId,
    row: RowId,
    sealed: Option<Arc<Remembered>>,
}

impl OwnKey {
    /// Opens a secret that was sealed under it.
    ///
    /// # Errors
    /// `Corrupt` when it does not open.
    pub(crate) fn open(&self, field: &str, sealed: &Sealed) -> Result<SecretString> {
        let rest = sealed.0.strip_prefix("own.").ok_or_else(corrupt)?;
        open_with(self.sealed.as_deref(), &self.key, rest, &aad(self.workspace, self.row, field))
    }
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Corrupt, "sealed_secret_corrupt", "a stored secret does not authenticate")
}

fn aad(workspace: WorkspaceId, row: RowId, field: &str) -> Vec<u8> {
    let mut aad = Vec::with_capacity(32 + field.len());
    aad.extend_from_slice(workspace.uuid().as_bytes());
    aad.extend_from_slice(row.as_bytes());
    aad.extend_from_slice(field.as_bytes());
    aad
}

/// What was sealed for one change. Wiped when the change is done.
#[derive(Default)]
struct Remembered(Mutex<Vec<Sealing>>);

/// How many secrets of a change are remembered.
const REMEMBERED: usize = 32;

struct Sealing {
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; 24],
    aad: Vec<u8>,
    secret: Zeroizing<String>,
    /// What came of it: the nonce and the ciphertext in hexadecimal.
    text: String,
}

impl Remembered {
    fn find<T>(&self, is_it: impl Fn(&Sealing) -> bool, take: impl FnOnce(&Sealing) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|sealing| is_it(sealing)).map(take)
    }
    fn add(&self, sealing: Sealing) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < REMEMBERED {
            all.push(sealing);
        }
    }
}

impl Vault {
    fn seal_with(&self, key: &[u8; 32], name: &str, aad: &[u8], secret: &str, rng: &mut dyn Rng) -> Result<String> {
        let mut nonce = [0u8; 24];
        rng.fill_bytes(&mut nonce);
        // Everything that the ciphertext depends on is compared.
        let is_it = |s: &Sealing| s.nonce == nonce && *s.key == *key && s.aad == aad && *s.secret == secret;
        if let Some(text) = self.sealed.as_ref().and_then(|sealed| sealed.find(is_it, |s| format!("{name}.{}", s.text))) {
            return Ok(text);
        }
        let cipher = XChaCha20Poly1305::new(&Key::from(*key));
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret.as_bytes(), aad })
            .map_err(|_| Error::new(ErrorKind::Internal, "sealing_failed", "a secret could not be sealed"))?;
        let text = hex(&nonce) + &hex(&sealed);
        let whole = format!("{name}.{text}");
        if let Some(remembered) = &self.sealed {
            let (key, secret) = (Zeroizing::new(*key), Zeroizing::new(secret.to_owned()));
            remembered.add(Sealing { key, nonce, aad: aad.to_vec(), secret, text });
        }
        Ok(whole)
    }
}

fn open_with(remembered: Option<&Remembered>, key: &[u8; 32], text: &str, aad: &[u8]) -> Result<SecretString> {
    let is_it = |s: &Sealing| s.text == text && *s.key == *key && s.aad == aad;
    if let Some(secret) = remembered.and_then(|r| r.find(is_it, |s| SecretString::from(s.secret.as_str()))) {
        return Ok(secret);
    }
    let bytes = unhex(text).ok_or_else(corrupt)?;
    if bytes.len() < 24 {
        return Err(corrupt());
    }
    let (nonce, sealed) = bytes.split_at(24);
    let mut n = [0u8; 24];
    n.copy_from_slice(nonce);
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let plain = cipher.decrypt(&XNonce::from(n), Payload { msg: sealed, aad }).map_err(|_| corrupt())?;
    let plain = Zeroizing::new(plain);
    std::str::from_utf8(&plain).map(|s| SecretString::from(s.to_owned())).map_err(|_| corrupt())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn what_a_change_seals_again_is_what_it_would_have_sealed_anew() {
        let plain = Vault::new(Arc::new(StaticKeys::new([7; 32])));
        let remembering = plain.remembering();
        let (ws, row) = (WorkspaceId::from_uuid(Uuid::from_u128(1)), Uuid::from_u128(2));
        let seal =
            |vault: &Vault, seed: u64, row, field, secret| vault.seal(ws, row, field, secret, &mut StdRng::seed_from_u64(seed)).unwrap();
        let first = seal(&remembering, 1, row, "pin", "4711");
        assert_eq!(first, seal(&plain, 1, row, "pin", "4711"));
        // Twice the same, and then each thing that is another: always what a vault seals that remembers nothing.
        let asked = [(1, row, "pin", "4711"), (2, row, "pin", "4711"), (1, ws.uuid(), "pin", "4711"), (1, row, "code", "4711")];
        for (seed, row, field, secret) in asked.into_iter().chain([(1, row, "pin", "0815")]) {
            assert_eq!(seal(&remembering, seed, row, field, secret), seal(&plain, seed, row, field, secret));
        }
        assert_eq!(remembering.open(ws, row, "pin", &first).unwrap().expose_secret(), "4711");
        // What is remembered opens where it was sealed for, and nowhere else.
        assert!(remembering.open(ws, row, "code", &first).is_err() && remembering.open(ws, ws.uuid(), "pin", &first).is_err());
        let other = Vault { keys: Arc::new(StaticKeys::new([8; 32])), ..remembering.clone() };
        assert!(other.open(ws, row, "pin", &first).is_err());
        let own = remembering.new_own_key(ws, row, &mut StdRng::seed_from_u64(3)).unwrap();
        let name = remembering.seal_own(&own, ws, row, "full_name", "Ada", &mut StdRng::seed_from_u64(4)).unwrap();
        assert_eq!(plain.open_own(&own, ws, row, "full_name", &name).unwrap().expose_secret(), "Ada");
        assert_eq!(remembering.open_own(&own, ws, row, "full_name", &name).unwrap().expose_secret(), "Ada");
        assert!(!format!("{remembering:?}").contains("4711"));
    }
}
