//! What phones ask the issuer: to be enrolled, for their documents, for the time of a lock. The host carries these questions over her own interface.
use super::book::{Book, half_way, hex};
use super::documents::{self, Document, Writing, id_of};
use super::enrol::{Applicant, Challenge, Proof};
use super::ledger::{DocumentForm, Key, Phone, Revoked};
use super::records::Records;
use super::signer::DocumentSigner;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use seam_ble::crypto::PublicKey;
use seam_ble::lock::{TIME_CHALLENGE_LEN, TimeToken};
use seam_core::clock::Clock;
use seam_core::provider::{Failure, Reason, Tag};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// How long a challenge may be answered, in seconds.
const CHALLENGE_SECONDS: u64 = 300;
/// How old an enrolment is at least that is swept because its key does not have the phone, in seconds: longer than an enrolment takes.
const ENROLMENT_SECONDS: u64 = 3600;

/// Who issues: its records, its key, its clock. One for all sites of a host; the factory and the desks share it.
#[derive(Clone, Debug)]
pub struct Issuer {
    records: Arc<dyn Records>,
    signer: Arc<dyn DocumentSigner>,
    clock: Arc<dyn Clock>,
}

impl Issuer {
    /// An issuer made of its parts. `clock` is the one that the engine goes by.
    #[must_use]
    pub fn new(records: Arc<dyn Records>, signer: Arc<dyn DocumentSigner>, clock: Arc<dyn Clock>) -> Self {
        Self { records, signer, clock }
    }
    /// The key that the locks of its sites were fitted with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }
    /// Where phones of a site are served.
    #[must_use]
    pub fn desk(&self, site: Uuid) -> Desk {
        let form = DocumentForm::default();
        Desk { book: self.book(site), signer: Arc::clone(&self.signer), clock: Arc::clone(&self.clock), form }
    }
    pub(super) fn book(&self, site: Uuid) -> Book {
        Book::new(Arc::clone(&self.records), site)
    }
}

/// Where the phones of one site are served.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(super) book: Book,
    signer: Arc<dyn DocumentSigner>,
    clock: Arc<dyn Clock>,
    form: DocumentForm,
}

/// What a phone carries to the doors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wallet {
    /// A document per entrance; none while the key is suspended, and once it is over or taken back.
    pub documents: Vec<Document>,
    /// When they lapse.
    pub lapse_at: Option<DateTime<Utc>>,
    /// The site's signed list of revoked keys, in the form of the documents: every phone carries it to every lock.
    pub revocations: Vec<u8>,
}

/// A challenge, as it is kept until it is answered.
#[derive(Serialize, Deserialize)]
struct Asked {
    workspace: Uuid,
    person: Uuid,
    until: u64,
}

/// Which key a phone is enrolled for.
#[derive(Serialize, Deserialize)]
struct EnrolledFor {
    tag: String,
    /// When (seconds since 1970).
    #[serde(default)]
    at: u64,
}

pub(super) fn unix(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or(0)
}

pub(super) fn instant(at: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(at).ok()?, 0)
}

impl Desk {
    /// The same desk, at a site whose locks take lists in this form, where no key of the phone says so. As in the account's settings.
    #[must_use]
    pub fn in_form(self, form: DocumentForm) -> Self {
        Self { form, ..self }
    }

    /// In what form lists are.
    #[must_use]
    pub const fn form(&self) -> DocumentForm {
        self.form
    }

    pub(super) fn now(&self) -> u64 {
        unix(self.clock.now())
    }
    /// Whether there is such a key.
    pub(super) async fn has(&self, tag: &Tag) -> Result<bool, Failure> {
        Ok(self.book.living(tag).await?.is_some())
    }

    /// A challenge for a phone of a person. The host has to know who she is.
    ///
    /// # Errors
    /// `Nothing` when the records, or this host's generator of random numbers, do not answer.
    pub async fn challenge(&self, applicant: &Applicant) -> Result<Challenge, Failure> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|_| Failure::nothing(Reason::Other, "no random number could be drawn"))?;
        let asked = Asked { workspace: applicant.workspace.uuid(), person: applicant.person.uuid(), until: self.now() + CHALLENGE_SECONDS };
        let kept = self.book.swap(&self.nonce_name(&nonce), None, Some(&asked)).await?;
        if kept { Ok(Challenge { nonce }) } else { Err(Failure::nothing(Reason::Busy, "the nonce was drawn before")) }
    }

    /// Enrols phones' keys for credentials of a person, each once it was proven. All of them or, where one proof is wrong, none.
    ///
    /// The host has to know that the credentials are this person's; [`accept`](Self::accept) looks that up for an instant key.
    ///
    /// # Errors
    /// `Refused`: the challenge was answered already, is too old, or was another person's (`Unauthenticated`); a proof is wrong (`Unauthenticated`);
    /// there is no such key (`NotThere`); it has as many phones as it may have (`Full`); the phone's key is enrolled for another one or revoked
    /// (`Clash`). `Nothing` or `Unknown` when the records do not answer; after `Unknown` the phone asks for another challenge and tries again.
    pub async fn enrol(&self, applicant: &Applicant, challenge: &Challenge, proofs: &[Proof]) -> Result<(), Failure> {
        self.prove(applicant, challenge, proofs).await?;
        for proof in proofs {
            self.add(proof).await?;
        }
        Ok(())
    }

    /// Checks the proofs and uses up the challenge, also when a proof is wrong.
    pub(super) async fn prove(&self, applicant: &Applicant, challenge: &Challenge, proofs: &[Proof]) -> Result<(), Failure> {
        let wrong = || Failure::refused(Reason::Unauthenticated, "the challenge is unknown, too old, or was answered already");
        let name = self.nonce_name(&challenge.nonce);
        let (Some(version), Some(asked)) = self.book.load::<Asked>(&name).await? else { return Err(wrong()) };
        if !self.book.swap::<Asked>(&name, Some(version), None).await? {
            return Err(wrong());
        }
        if (asked.workspace, asked.person) != (applicant.workspace.uuid(), applicant.person.uuid()) || asked.until <= self.now() {
            return Err(wrong());
        }
        proofs.iter().try_for_each(|proof| proof.check(applicant, challenge))
    }

    /// Adds a phone's key that was proven. Adding it again changes nothing.
    pub(super) async fn add(&self, proof: &Proof) -> Result<(), Failure> {
        let not_there = || Failure::refused(Reason::NotThere, "there is no such key at this site");
        let clash = || Failure::refused(Reason::Clash, "the phone's key cannot be enrolled: it is, or was, another one's. Make a new one");
        let text = hex(proof.public_key.as_bytes());
        self.book.living(&proof.credential).await?.ok_or_else(not_there)?;
        if self.book.revoked().await?.names(&text) {
            return Err(clash());
        }
        let own = EnrolledFor { tag: proof.credential.0.clone(), at: self.now() };
        let name = self.book.phone_name(&id_of(&proof.public_key).0);
        if !self.book.swap(&name, None, Some(&own)).await? {
            let (_, known) = self.book.load::<EnrolledFor>(&name).await?;
            if known.is_none_or(|known| known.tag != own.tag) {
                return Err(clash());
            }
        }
        let add = |key: Option<Key>| {
            let mut key = key.filter(|key| !key.gone).ok_or_else(not_there)?;
            if key.phones.iter().any(|p| p.public_key == text) {
                return Ok(None);
            }
            if key.phones.len() >= usize::from(key.phones_allowed) {
                return Err(Failure::refused(Reason::Full, "the key has as many phones as it may have"));
            }
            key.phones.push(Phone { public_key: text.clone(), lapses: 0 });
            Ok(Some(key))
        };
        self.book.change(&self.book.key_name(&proof.credential)?, add).await?;
        // A sweep may have taken the one for left over before the other was written.
        if self.book.load::<EnrolledFor>(&name).await.map_err(half_way)?.1.is_none() {
            self.book.swap(&name, None, Some(&own)).await.map_err(half_way)?;
        }
        Ok(())
    }

    /// Takes one phone's key back, and leaves the others of the same credential as they are. Gives until when a door without a connection may still
    /// open for it; asked again, it says the same.
    ///
    /// # Errors
    /// `Nothing` or `Unknown` when the records do not answer; it may be repeated. After `Unknown` the phone may be on the list already; a key that
    /// is renewed meanwhile does not take it off again.
    pub async fn forget(&self, credential: &Tag, phone: &PublicKey) -> Result<Option<DateTime<Utc>>, Failure> {
        let text = hex(phone.as_bytes());
        let name = self.book.key_name(credential)?;
        let now = self.now();
        for _ in 0..20 {
            let (version, key) = self.book.load::<Key>(&name).await?;
            let Some(mut key) = key else { return Ok(None) };
            if key.phones.iter().any(|p| p.public_key == text) {
                let out: Vec<_> = key.outstanding(now, true).filter(|p| p.public_key == text).collect();
                // First on the list, then out of the key: stopped in between, it is revoked and still to be forgotten.
                self.book.revoke(|revoked| revoked.with(&out, now)).await?;
                key.former_lapse = out.iter().map(|p| p.lapses).fold(key.former_lapse, u64::max);
                key.phones.retain(|p| p.public_key != text);
                if !self.book.swap(&name, version, Some(&key)).await.map_err(half_way)? {
                    continue;
                }
            }
            self.drop_phone(credential, &text).await.map_err(half_way)?;
            let listed = self.book.revoked().await.map_err(half_way)?.lapse_of(&text);
            return Ok(listed.filter(|&lapse| lapse > now).and_then(instant));
        }
        Err(Failure::unknown(Reason::Busy, "others keep changing the same key"))
    }

    /// A phone's key is enrolled for this credential no more.
    pub(super) async fn drop_phone(&self, credential: &Tag, public_key: &str) -> Result<(), Failure> {
        let name = self.book.phone_name(&id_of(&documents::read_key(public_key)?).0);
        if let (Some(version), Some(enrolled)) = self.book.load::<EnrolledFor>(&name).await?
            && enrolled.tag == credential.0
        {
            self.book.swap::<EnrolledFor>(&name, Some(version), None).await?;
        }
        Ok(())
    }

    /// What a phone carries to the doors, for one of its keys. Whoever asks learns the doors and times of the key: let the phone log in first.
    ///
    /// # Errors
    /// `Nothing` or `Unknown` when records or signer do not answer; it may be repeated.
    pub async fn wallet(&self, phone: &PublicKey) -> Result<Wallet, Failure> {
        let revoked = self.book.revoked().await?;
        let (_, enrolled) = self.book.load::<EnrolledFor>(&self.book.phone_name(&id_of(phone).0)).await?;
        let Some(enrolled) = enrolled else { return self.bare_wallet(&revoked, self.form).await };
        let text = hex(phone.as_bytes());
        let now = self.now();
        // What is handed out is written down before: a removal then knows until when it may open.
        let (mut out, mut form) = (None, self.form);
        let name = self.book.key_name(&Tag(enrolled.tag))?;
        self.book
            .change(&name, |key: Option<Key>| {
                out = None;
                let Some(mut key) = key else { return Ok(None) };
                form = key.form;
                let Some(window) = key.document_window(now) else { return Ok(None) };
                let Some(mine) = key.phones.iter_mut().find(|p| p.public_key == text) else { return Ok(None) };
                let known = mine.lapses >= window.ends.0;
                mine.lapses = mine.lapses.max(window.ends.0);
                let known = known && key.own_lapse.is_none_or(|own| own >= window.ends.0);
                key.own_lapse = key.own_lapse.map(|own| own.max(window.ends.0));
                out = Some((key.clone(), window));
                Ok((!known).then_some(key))
            })
            .await?;
        let Some((key, window)) = out else { return self.bare_wallet(&revoked, form).await };
        let with = Writing { window, iteration: revoked.iteration, now, zone: key.zone.parse().unwrap_or(Tz::UTC) };
        let mut documents = Vec::with_capacity(key.doors.len());
        for opens in &key.doors {
            documents.push(documents::grant(&*self.signer, &key, opens, phone, &with).await?);
        }
        Ok(Wallet { documents, lapse_at: instant(window.ends.0), ..self.bare_wallet(&revoked, form).await? })
    }

    /// A wallet with nothing but the list.
    async fn bare_wallet(&self, revoked: &Revoked, form: DocumentForm) -> Result<Wallet, Failure> {
        let revocations = documents::revocations(&*self.signer, self.book.site(), revoked, self.now(), form).await?;
        Ok(Wallet { documents: Vec::new(), lapse_at: None, revocations })
    }

    /// The site's signed list of revoked keys: for locks with a connection, and for staff who carry it around.
    ///
    /// # Errors
    /// `Nothing` when records or signer do not answer.
    pub async fn revocations(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.bare_wallet(&self.book.revoked().await?, self.form).await?.revocations)
    }

    /// The time for a lock's challenge, which a phone brought along.
    ///
    /// # Errors
    /// What the signer reports.
    pub async fn time(&self, entrance: Uuid, challenge: [u8; TIME_CHALLENGE_LEN]) -> Result<TimeToken, Failure> {
        documents::time(&*self.signer, entrance, challenge, self.now()).await
    }

    /// Deletes what is over: challenges that nobody answered, keys that were taken back and whose documents have lapsed, enrolments of phones that no key
    /// has any more (also those that were broken off half-way), and what has lapsed on the list. Once a day is enough. Gives how many records it
    /// deleted.
    ///
    /// # Errors
    /// `Nothing` or `Unknown` when the records do not answer; it may be repeated.
    pub async fn sweep(&self) -> Result<usize, Failure> {
        let now = self.now();
        let mut swept = 0;
        for name in self.all(&self.book.nonces_prefix()).await? {
            let (version, asked) = self.book.load::<Asked>(&name).await?;
            swept += self.delete(&name, version, asked.is_some_and(|asked| asked.until <= now)).await?;
        }
        for name in self.all(&self.book.keys_prefix()).await? {
            let (version, key) = self.book.load::<Key>(&name).await?;
            swept += self.delete(&name, version, key.is_some_and(|key| key.gone && key.lapses(now).is_none())).await?;
        }
        for name in self.all(&self.book.phones_prefix()).await? {
            let (version, enrolled) = self.book.load::<EnrolledFor>(&name).await?;
            let Some(enrolled) = enrolled else { continue };
            let key = self.book.living(&Tag(enrolled.tag)).await?;
            let held = key.is_some_and(|key| key.phones.iter().any(|phone| self.is_named(phone, &name)));
            swept += self.delete(&name, version, !held && enrolled.at.saturating_add(ENROLMENT_SECONDS) <= now).await?;
        }
        self.book.revoke(|revoked| revoked.swept(now)).await?;
        Ok(swept)
    }

    /// Whether this is the record of that phone's enrolment.
    fn is_named(&self, phone: &Phone, name: &str) -> bool {
        documents::read_key(&phone.public_key).is_ok_and(|key| self.book.phone_name(&id_of(&key).0) == name)
    }

    async fn delete(&self, name: &str, version: Option<u64>, is_over: bool) -> Result<usize, Failure> {
        Ok(usize::from(is_over && self.book.swap::<Key>(name, version, None).await?))
    }

    /// The names of all records that begin so.
    async fn all(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let mut page = self.book.names(prefix, names.last().map(String::as_str), 500).await?;
            if page.is_empty() {
                return Ok(names);
            }
            names.append(&mut page);
        }
    }

    /// A phone's enrolment as it is kept: for tests of what is left half-way.
    #[cfg(test)]
    pub(super) async fn peek_phone(&self, phone: &PublicKey) -> (String, serde_json::Value) {
        let name = self.book.phone_name(&id_of(phone).0);
        let kept = self.book.load(&name).await.ok().and_then(|(_, kept)| kept);
        (name, kept.unwrap_or_default())
    }
    #[cfg(test)]
    pub(super) async fn restore_phone(&self, (name, kept): (String, serde_json::Value)) {
        assert!(self.book.swap(&name, None, Some(&kept)).await.is_ok_and(|done| done));
    }

    fn nonce_name(&self, nonce: &[u8; 32]) -> String {
        format!("{}{}", self.book.nonces_prefix(), hex(nonce))
    }
}
