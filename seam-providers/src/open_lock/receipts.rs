//! What locks have confirmed: receipts that phones bring back, and what is claimed because of them.
//!
//! An issuer's record says what was decided. Only the lock knows what it holds: a key counts as dead at a door before its documents have lapsed when the
//! lock there has signed that it holds a list with it, or that it is in a later stay.
use super::book::hex;
use super::desk::{Desk, instant};
use super::documents;
use super::ledger::{Heard, Key, Opens};
use chrono::{DateTime, Utc};
use seam_ble::crypto::PublicKey;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::lock::{GrantError, Receipt, SiteId};
use seam_core::provider::{Failure, Reason, Tag};
use uuid::Uuid;

/// A door at which a key that was taken back or suspended may still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StillOpens {
    /// The entrance.
    pub entrance: Uuid,
    /// Until when: then the last document has lapsed.
    pub until: DateTime<Utc>,
}

/// Until when a key may open what it is not to open any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Residue {
    /// When the last document lapses (seconds since 1970); `None`: nothing opens any more.
    pub(super) until: Option<u64>,
    /// Whether a receipt may end it earlier: all doors have locks that are known.
    pub(super) may_be_confirmed: bool,
}

impl Desk {
    /// Says which lock hangs at an entrance: by the key with which it proves itself to phones. From now on its receipts count. Said of another lock, what
    /// the one before had confirmed is forgotten: give the new one the site's newest list ([`revocations`](Self::revocations)) before it is fitted.
    ///
    /// # Errors
    /// `Nothing` or `Unknown` when the records do not answer; it may be repeated.
    pub async fn fitted(&self, entrance: Uuid, lock: &PublicKey) -> Result<(), Failure> {
        let lock = hex(lock.as_bytes());
        let fit = |old: Option<Heard>| Ok(old.is_none_or(|old| old.lock != lock).then(|| Heard { lock: lock.clone(), ..Heard::default() }));
        self.book.change(&self.book.heard_name(entrance), fit).await.map(drop)
    }

    /// Takes a receipt ([`Receipt`]) that any phone brought back, in any order. It says what the lock at one entrance holds; what that confirms is in
    /// force with the next look or removal, and in [`still_opens`](Self::still_opens).
    ///
    /// # Errors
    /// `Refused`: it is no receipt (`Invalid`), no lock is known at its entrance (`NotThere`), or that lock did not sign it for this site
    /// (`Unauthenticated`); nothing was changed. `Nothing` or `Unknown` when the records do not answer; it may be repeated.
    pub async fn heard(&self, receipt: &[u8]) -> Result<(), Failure> {
        let malformed = |_: GrantError| Failure::refused(Reason::Invalid, "this is no receipt of a lock");
        let not_there = || Failure::refused(Reason::NotThere, "no lock is known at the entrance of the receipt");
        let entrance = Uuid::from_bytes(Receipt::entrance_of(receipt).map_err(malformed)?.0);
        let name = self.book.heard_name(entrance);
        let known = self.book.load::<Heard>(&name).await?.1.ok_or_else(not_there)?;
        let site = SiteId(*self.book.site().as_bytes());
        let lock = documents::read_key(&known.lock)?;
        let said = Receipt::verify(&RustCrypto, receipt, site, &lock)
            .map_err(|_| Failure::refused(Reason::Unauthenticated, "the lock at the entrance did not sign the receipt for this site"))?;
        // First what it confirms keeps its place on the list, then it counts.
        self.book.revoke(|revoked| revoked.confirmed(said.iteration)).await?;
        let newer = |old: Option<Heard>| {
            let old = old.filter(|old| old.lock == known.lock).ok_or_else(not_there)?;
            let new = Heard { lock: old.lock.clone(), iteration: old.iteration.max(said.iteration), issue: old.issue.max(said.issue.0) };
            Ok((new != old).then_some(new))
        };
        self.book.change(&name, newer).await.map(drop)
    }

    /// At which doors a key that was taken back or suspended may still open. A door is left out when its lock has signed that it refuses the key.
    ///
    /// # Errors
    /// `Refused` (`Invalid`) for a key that is in force; `Nothing` when the records do not answer.
    pub async fn still_opens(&self, credential: &Tag) -> Result<Vec<StillOpens>, Failure> {
        let Some(key) = self.book.load::<Key>(&self.book.key_name(credential)?).await?.1 else { return Ok(Vec::new()) };
        if !key.gone && !key.suspended {
            return Err(Failure::refused(Reason::Invalid, "the key is in force"));
        }
        let now = self.now();
        let Some(until) = key.lapses(now).and_then(instant) else { return Ok(Vec::new()) };
        let mut open: Vec<StillOpens> =
            self.unconfirmed(&key, now).await?.0.iter().map(|door| StillOpens { entrance: door.entrance, until }).collect();
        open.sort_by_key(|door| door.entrance);
        open.dedup();
        Ok(open)
    }

    /// Until when a key may open what it is not to open any more.
    pub(super) async fn residue(&self, key: &Key, now: u64) -> Result<Residue, Failure> {
        let until = if key.gone { key.lapses(now) } else { key.beyond(now) };
        // The list names keys, not doors: fewer doors or hours are confirmed by no receipt.
        if until.is_none() || !(key.gone || key.suspended) {
            return Ok(Residue { until, may_be_confirmed: false });
        }
        let (open, all_known) = self.unconfirmed(key, now).await?;
        Ok(Residue { until: until.filter(|_| !open.is_empty()), may_be_confirmed: all_known })
    }

    /// The doors whose locks have not confirmed that a key is dead there, and whether the locks of all its doors are known.
    async fn unconfirmed(&self, key: &Key, now: u64) -> Result<(Vec<Opens>, bool), Failure> {
        let revoked = self.book.revoked().await?;
        let (mut open, mut all_known) = (Vec::new(), true);
        for door in key.doors_out(now) {
            let heard = self.book.load::<Heard>(&self.book.heard_name(door.entrance)).await?.1;
            all_known &= heard.is_some();
            if !heard.is_some_and(|heard| key.is_dead_at(&door, &heard, &revoked, now)) {
                open.push(door);
            }
        }
        Ok((open, all_known))
    }
}
