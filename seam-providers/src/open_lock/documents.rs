//! What the locks believe, as the issuer writes it: the one place that knows the forms of the documents.
//!
//! Both forms say the same and are those of `seam_ble::lock`: for each phone and entrance what it may open, for each site the list of revoked keys, and
//! for each challenge the time. Aliro's has a place for hours of the week; the compact one fits into one message over Bluetooth.
use super::book::unhex;
use super::hours;
use super::ledger::{DocumentForm, Key, Opens, Revoked, Right};
use super::signer::{DocumentSigner, signed};
use chrono_tz::Tz;
use seam_ble::aliro::DocumentError;
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{CryptoError, PublicKey};
use seam_ble::lock::{
    Claim, EntranceId, Grant, IssueNumber, Issued, KeyId, MAX_REVOCATION_LIST, Revocations, Role, SignedGrant, SiteId, TIME_CHALLENGE_LEN,
    TimeToken, UnixTime, Window, key_id, sign_access_document, sign_revocation_document, sign_revocations, sign_time,
};
use seam_core::provider::{Failure, Reason};
use std::fmt;
use uuid::Uuid;

/// More than the longest document there is: 32 revoked keys in Aliro's form.
const LONGEST: usize = 4096;
/// How long a Revocation Document says that it is good, in seconds, for readers that judge it: a year.
const LIST_SECONDS: u64 = 366 * 24 * 3600;

/// A document that a phone carries to one entrance.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The entrance.
    pub entrance: Uuid,
    /// In what form.
    pub form: DocumentForm,
    /// As the lock takes it: a [`SignedGrant`], or an Access Document with the entrance's element
    /// ([`ElementName`](seam_ble::lock::ElementName)).
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it says is for the phone alone.
        f.debug_struct("Document").field("entrance", &self.entrance).field("form", &self.form).finish_non_exhaustive()
    }
}

/// The name of a phone's key in documents and lists.
pub(super) fn id_of(key: &PublicKey) -> KeyId {
    key_id(&RustCrypto, key)
}

/// Reads a public key that a record holds.
pub(super) fn read_key(text: &str) -> Result<PublicKey, Failure> {
    let bytes: Option<[u8; 65]> = unhex(text);
    let key = bytes.and_then(|bytes| PublicKey::from_uncompressed(&bytes).ok());
    key.ok_or_else(|| Failure::refused(Reason::Garbled, "a record of the issuer holds no public key"))
}

/// What is added to an Aliro document: the time, and fresh random bytes.
fn issued(now: u64) -> Result<Issued, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Failure::nothing(Reason::Other, "no random number could be drawn"))?;
    Ok(Issued { at: UnixTime(now), random })
}

/// What `write` writes with the signer's signature in it. It is asked twice.
async fn written(
    signer: &dyn DocumentSigner,
    write: impl Fn(&super::signer::Pass, &mut Writer<'_>) -> Result<(), DocumentError>,
) -> Result<Vec<u8>, Failure> {
    signed(signer, |key| {
        let mut bytes = [0; LONGEST];
        let mut out = Writer::new(&mut bytes);
        write(key, &mut out).map_err(|_| CryptoError::Device)?;
        Ok(out.as_slice().to_vec())
    })
    .await
}

/// What a document of a key is written with, beside the key itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    pub(super) window: Window,
    /// The number of the list that is in force.
    pub(super) iteration: u64,
    pub(super) now: u64,
    /// The zone of the site's clocks.
    pub(super) zone: Tz,
}

/// Signs what one phone may open at one entrance.
pub(super) async fn grant(
    signer: &dyn DocumentSigner,
    key: &Key,
    opens: &Opens,
    phone: &PublicKey,
    with: &Writing,
) -> Result<Document, Failure> {
    let claim = match opens.right {
        Right::Stay { issue, opens } => Claim::Stay { issue: IssueNumber(issue), role: if opens { Role::Override } else { Role::Joiner } },
        Right::Staff => Claim::Staff,
        Right::Common => Claim::Common,
    };
    let grant = Grant::new(EntranceId(*opens.entrance.as_bytes()), id_of(phone), claim, with.window);
    let week = key.hours.as_ref().map(|week| hours::of_week(week, &key.window, with.zone)).transpose()?;
    let rules = week.as_ref().map(|(_, rule)| [*rule]);
    let grant = match (&week, &rules) {
        (Some((schedules, _)), Some(rules)) => grant.with_rules(rules, schedules),
        _ => grant,
    };
    let bytes = match key.form {
        DocumentForm::Compact => {
            let grant = grant.with_iteration(with.iteration);
            signed(signer, |key| SignedGrant::issue(key, &grant).map_err(|_| CryptoError::Device)).await?.as_bytes().to_vec()
        }
        // Without an iteration: an Access Document that lags eight behind others is refused by Aliro's readers, and lists change more often.
        DocumentForm::Aliro => {
            let issued = issued(with.now)?;
            written(signer, |key, out| sign_access_document(&RustCrypto, key, phone, &grant, issued, out)).await?
        }
    };
    Ok(Document { entrance: opens.entrance, form: key.form, bytes })
}

/// Signs a site's list of revoked keys.
pub(super) async fn revocations(
    signer: &dyn DocumentSigner,
    site: Uuid,
    revoked: &Revoked,
    now: u64,
    form: DocumentForm,
) -> Result<Vec<u8>, Failure> {
    let mut keys = Vec::new();
    for key in revoked.listed(now) {
        keys.push(id_of(&read_key(&key.public_key)?));
    }
    let list = Revocations::new(revoked.iteration, 0, &keys).map_err(|_| Failure::refused(Reason::Full, "the list is too long"))?;
    let site = SiteId(*site.as_bytes());
    match form {
        DocumentForm::Compact => {
            signed(signer, |key| {
                let mut bytes = [0; MAX_REVOCATION_LIST];
                let mut out = Writer::new(&mut bytes);
                sign_revocations(&mut out, key, site, &list).map_err(|_| CryptoError::Device)?;
                Ok(out.as_slice().to_vec())
            })
            .await
        }
        DocumentForm::Aliro => {
            let (issued, until) = (issued(now)?, UnixTime(now.saturating_add(LIST_SECONDS)));
            written(signer, |key, out| sign_revocation_document(&RustCrypto, key, site, &list, until, issued, out)).await
        }
    }
}

/// Signs the time for a lock's challenge.
pub(super) async fn time(
    signer: &dyn DocumentSigner,
    entrance: Uuid,
    challenge: [u8; TIME_CHALLENGE_LEN],
    now: u64,
) -> Result<TimeToken, Failure> {
    signed(signer, |key| sign_time(key, EntranceId(*entrance.as_bytes()), challenge, UnixTime(now))).await
}
