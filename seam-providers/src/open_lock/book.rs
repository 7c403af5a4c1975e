//! The records of one site, typed.
use super::ledger::{Key, Revoked};
use super::records::Records;
use seam_core::provider::{Effect, Failure, Reason, Tag};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// How often a change is tried again because somebody else was first.
const TRIES: usize = 20;

/// The records of one site.
#[derive(Clone, Debug)]
pub(super) struct Book {
    records: Arc<dyn Records>,
    site: Uuid,
}

/// A record with its version.
pub(super) type Versioned<T> = (Option<u64>, Option<T>);

impl Book {
    pub(super) fn new(records: Arc<dyn Records>, site: Uuid) -> Self {
        Self { records, site }
    }
    pub(super) fn key_name(&self, tag: &Tag) -> Result<String, Failure> {
        let fits = !tag.0.is_empty() && tag.0.len() <= 32 && tag.0.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits {
            Ok(format!("{}{}", self.keys_prefix(), tag.0))
        } else {
            Err(Failure::refused(Reason::Invalid, "this is no tag of a key"))
        }
    }
    pub(super) fn keys_prefix(&self) -> String {
        format!("{}/key/", self.site.simple())
    }
    /// Which key a phone's public key is enrolled for. By its hash: a name is short.
    pub(super) fn phone_name(&self, key_id: &[u8; 32]) -> String {
        format!("{}{}", self.phones_prefix(), hex(key_id))
    }
    pub(super) fn phones_prefix(&self) -> String {
        format!("{}/phone/", self.site.simple())
    }
    pub(super) const fn site(&self) -> Uuid {
        self.site
    }
    pub(super) fn nonces_prefix(&self) -> String {
        format!("{}/nonce/", self.site.simple())
    }
    /// What the lock at an entrance has said of itself.
    pub(super) fn heard_name(&self, entrance: Uuid) -> String {
        format!("{}/heard/{}", self.site.simple(), entrance.simple())
    }
    pub(super) fn revoked_name(&self) -> String {
        format!("{}/revoked", self.site.simple())
    }

    pub(super) async fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Versioned<T>, Failure> {
        let Some(record) = self.records.load(name).await? else { return Ok((None, None)) };
        let read = serde_json::from_slice(&record.content);
        // Nothing is changed by what cannot be read: an operator has to look.
        let read = read.map_err(|_| Failure::refused(Reason::Garbled, "a record of the issuer cannot be read"))?;
        Ok((Some(record.version), Some(read)))
    }
    pub(super) async fn swap<T: Serialize>(&self, name: &str, version: Option<u64>, new: Option<&T>) -> Result<bool, Failure> {
        let written = new.map(serde_json::to_vec).transpose();
        let written = written.map_err(|_| Failure::refused(Reason::Other, "a record of the issuer cannot be written"))?;
        self.records.swap(name, version, written).await
    }
    pub(super) async fn names(&self, prefix: &str, after: Option<&str>, at_most: usize) -> Result<Vec<String>, Failure> {
        self.records.names(prefix, after, at_most).await
    }

    /// Changes a record: `how` makes the new one of the old one, and is asked again when somebody else was first. `None` leaves it as it is.
    /// Gives what was made of it and whether it was written.
    pub(super) async fn change<T: DeserializeOwned + Serialize>(
        &self,
        name: &str,
        mut how: impl FnMut(Option<T>) -> Result<Option<T>, Failure>,
    ) -> Result<bool, Failure> {
        for _ in 0..TRIES {
            let (version, old) = self.load::<T>(name).await?;
            let Some(new) = how(old)? else { return Ok(false) };
            if self.swap(name, version, Some(&new)).await? {
                return Ok(true);
            }
        }
        Err(Failure::nothing(Reason::Busy, "others keep changing the same record"))
    }

    /// The key of a tag, if it was put and not taken back.
    pub(super) async fn living(&self, tag: &Tag) -> Result<Option<Key>, Failure> {
        let (_, key) = self.load::<Key>(&self.key_name(tag)?).await?;
        Ok(key.filter(|key| !key.gone))
    }

    /// Changes the site's revocations.
    pub(super) async fn revoke(&self, how: impl Fn(&Revoked) -> Option<Revoked>) -> Result<(), Failure> {
        self.change(&self.revoked_name(), |old: Option<Revoked>| Ok(how(&old.unwrap_or_default()))).await.map(drop)
    }
    /// The site's revocations.
    pub(super) async fn revoked(&self) -> Result<Revoked, Failure> {
        Ok(self.load(&self.revoked_name()).await?.1.unwrap_or_default())
    }
}

/// A failure after something was changed already: what came of the whole is not known, and it is safe to ask for it again.
pub(super) fn half_way(mut failure: Failure) -> Failure {
    failure.effect = Effect::Unknown;
    failure
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(bytes)
}
