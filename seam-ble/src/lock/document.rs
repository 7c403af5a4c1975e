//! Aliro's documents as the lock's own words: an Access Document is a [`Grant`], a Revocation Document is a list of revoked keys.
//!
//! What Aliro has a field for stands there:
//!
//! | here | in the document |
//! | --- | --- |
//! | key | the device's key |
//! | entrance, site | the element's name: 32 hexadecimal digits |
//! | window | validity, from the first second to the last one |
//! | whether the time has to be proven | `timeVerificationRequired` |
//! | iteration | `validityIteration`; left out when it is 0 |
//! | rules and schedules | access rules and schedules |
//! | revoked keys | entries by the hash of the key, replacing those before |
//!
//! Aliro has no field for a stay's issue number, nor for the right by which a key opens. They stand in an extension of ours ([`STAY_VENDOR`],
//! [`STAY_EXTENSION`]), nine bytes: right (1 the key that opens a stay, 2 one that joins it, 3 staff) and issue number (8, big endian; 0 for staff). It is
//! critical: a reader of somebody else that does not know the rule between stays refuses the document, instead of opening for a guest who has
//! left. An element without it is anybody's key at a common entrance ([`Claim::Common`]), and any reader can take it.
//!
//! The lock judges more strictly than the standard where they differ: what one rule denies no other one allows.
use super::clock::UnixTime;
use super::grant::{Action, Allow, Authority, Claim, EntranceId, Grant, IssueNumber, KeyId, Role, Rule, SiteId, Window};
use super::recurrence;
use super::schedule::Schedule;
use super::state::{MAX_REVOKED, Revocations};
use super::token::key_id;
use crate::aliro::access_data::{AccessContent, AccessData, Extension, List, RULES_MAX, Rule as WrittenRule, SCHEDULES_MAX};
use crate::aliro::document::{DocType, Document, Verified};
use crate::aliro::issue::{Draft, ELEMENT_MAX};
use crate::aliro::revocation::{self, Entry, Mode, RevocationData};
use crate::aliro::{DocumentError, Instant};
use crate::bytes::{Bytes, Writer};
use crate::crypto::{Crypto, PublicKey, SigningKey};

/// The vendor's number of our extension. Ours, and assigned by nobody: the CSA keeps `FFF1` for tests, so no vendor's extension is taken for it.
pub const STAY_VENDOR: u64 = 0xFFF1;
/// The number of our extension: the right by which a key opens, and its stay.
pub const STAY_EXTENSION: u64 = 1;
const STAY_VERSION: u64 = 1;
/// Every action there is: what a rule speaks of that names none.
const ANYTHING: u8 = Action::Secure as u8 | Action::Unsecure as u8 | Action::Momentary as u8;

/// What an issuer adds to what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Now, in seconds since 1970.
    pub at: UnixTime,
    /// Random bytes that hide the element from whoever sees its digest only. New for each document.
    pub random: [u8; 16],
}

/// The name of an entrance's element in Access Documents, and of a site's in Revocation Documents: hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementName([u8; 32]);

impl ElementName {
    fn of(id: &[u8; 16]) -> Self {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        let mut name = [0; 32];
        for (pair, byte) in name.as_chunks_mut::<2>().0.iter_mut().zip(id) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        Self(name)
    }

    /// What a lock asks for in Access Documents.
    #[must_use]
    pub fn of_entrance(entrance: EntranceId) -> Self {
        Self::of(&entrance.0)
    }

    /// What a lock asks for in Revocation Documents.
    #[must_use]
    pub fn of_site(site: SiteId) -> Self {
        Self::of(&site.0)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits are text.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn instant(time: UnixTime) -> Result<Instant, DocumentError> {
    i64::try_from(time.0).map(Instant).map_err(|_| DocumentError::Time)
}

fn unix(instant: Instant) -> Result<UnixTime, DocumentError> {
    u64::try_from(instant.0).map(UnixTime).map_err(|_| DocumentError::Time)
}

fn bits(mask: u32) -> Result<u8, DocumentError> {
    u8::try_from(mask).map_err(|_| DocumentError::TooMany)
}

/// Signs a grant as an Access Document for this key.
///
/// # Errors
/// [`DocumentError::DeviceKey`] when the grant is another key's; [`DocumentError::Time`] for a window without an end or of less than two seconds;
/// [`DocumentError::TooMany`] above eight rules or schedules; [`DocumentError::Value`] for a grant without rules, which in a document would allow
/// everything; [`DocumentError::Signature`] when the issuer's key does not answer.
pub fn sign_access_document<C: Crypto>(
    crypto: &C,
    issuer: &impl SigningKey,
    holder: &PublicKey,
    grant: &Grant<'_>,
    issued: Issued,
    out: &mut Writer<'_>,
) -> Result<(), DocumentError> {
    if grant.key != key_id(crypto, holder) {
        return Err(DocumentError::DeviceKey);
    }
    if grant.rules.is_empty() {
        return Err(DocumentError::Value);
    }
    let mut rules = List::<WrittenRule, RULES_MAX>::default();
    for rule in grant.rules {
        let allow = match rule.allow {
            Allow::Always => None,
            Allow::During(mask) => Some(bits(mask)?),
        };
        let deny = if rule.deny == 0 { None } else { Some(bits(rule.deny)?) };
        rules.push(WrittenRule { capabilities: Some(rule.capabilities), allow, deny })?;
    }
    let mut schedules = List::<_, SCHEDULES_MAX>::default();
    for schedule in grant.schedules {
        schedules.push(recurrence::written(schedule)?)?;
    }
    let stay = stay_bytes(grant.claim);
    let extension =
        stay.as_ref().map(|data| Extension { vendor: STAY_VENDOR, id: STAY_EXTENSION, critical: true, version: STAY_VERSION, data });
    let content = AccessContent { rules: &rules, schedules: &schedules, extensions: extension.as_slice(), ..AccessContent::default() };
    let mut value = Bytes::<ELEMENT_MAX>::new();
    value.fill(|out| content.write(out))?;
    let name = ElementName::of_entrance(grant.entrance);
    let draft = Draft {
        credential: Some(holder),
        element: name.as_str(),
        value: &value,
        random: issued.random,
        signed: instant(issued.at)?,
        valid_from: instant(grant.window.starts)?,
        valid_until: instant(UnixTime(grant.window.ends.0.saturating_sub(1)))?,
        iteration: Some(grant.iteration).filter(|iteration| *iteration > 0),
        time_required: grant.time_required,
    };
    draft.sign(crypto, issuer, out)
}

/// The content of our extension; none for a key of common entrances.
fn stay_bytes(claim: Claim) -> Option<[u8; 9]> {
    let (right, issue) = match claim {
        Claim::Stay { issue, role: Role::Override } => (1, issue.0),
        Claim::Stay { issue, role: Role::Joiner } => (2, issue.0),
        Claim::Staff => (3, 0),
        Claim::Common => return None,
    };
    let mut bytes = [right; 9];
    bytes[1..].copy_from_slice(&issue.to_be_bytes());
    Some(bytes)
}

fn claim_of(extension: Option<Extension<'_>>) -> Result<Claim, DocumentError> {
    let Some(extension) = extension else { return Ok(Claim::Common) };
    if extension.version != STAY_VERSION {
        return Err(DocumentError::Version);
    }
    let [right, issue @ ..] = <[u8; 9]>::try_from(extension.data).map_err(|_| DocumentError::Value)?;
    let issue = IssueNumber(u64::from_be_bytes(issue));
    match (right, issue.0) {
        (1, _) => Ok(Claim::Stay { issue, role: Role::Override }),
        (2, _) => Ok(Claim::Stay { issue, role: Role::Joiner }),
        (3, 0) => Ok(Claim::Staff),
        _ => Err(DocumentError::Value),
    }
}

/// An Access Document that was verified for a key that the phone has proven, in the lock's words.
#[derive(Clone, Copy, Debug)]
pub struct AccessDocument {
    entrance: EntranceId,
    key: KeyId,
    claim: Claim,
    window: Window,
    authority: Authority,
    time_required: bool,
    iteration: u64,
    rules: [Rule; RULES_MAX],
    rule_count: usize,
    schedules: [Schedule; SCHEDULES_MAX],
    schedule_count: usize,
}

impl AccessDocument {
    /// Believes a document or not, and takes what it says of this entrance.
    ///
    /// # Errors
    /// [`DocumentError`]: as [`Document::verify`]; [`DocumentError::OtherElement`] when it says nothing of the entrance;
    /// [`DocumentError::CriticalExtension`]; [`DocumentError::Unsupported`] for what the lock cannot judge: recurrences of other kinds, and rules that a
    /// reader holds itself.
    pub fn verify<C: Crypto>(
        crypto: &C,
        document: &Document<'_>,
        issuers: &[(PublicKey, Authority)],
        proven: &PublicKey,
        entrance: EntranceId,
    ) -> Result<Self, DocumentError> {
        let (verified, authority) = by_any(crypto, document, issuers, proven)?;
        if verified.kind != DocType::Access {
            return Err(DocumentError::Type);
        }
        let element = verified.element(ElementName::of_entrance(entrance).as_str())?.ok_or(DocumentError::OtherElement)?;
        let data = AccessData::parse(element.value, &[(STAY_VENDOR, STAY_EXTENSION)])?;
        if !data.reader_rules.is_empty() {
            return Err(DocumentError::Unsupported("rules that the reader holds"));
        }
        let ends = unix(verified.valid_until)?.0.checked_add(1).ok_or(DocumentError::Time)?;
        let mut read = Self {
            entrance,
            key: key_id(crypto, proven),
            claim: claim_of(data.extension(STAY_VENDOR, STAY_EXTENSION))?,
            window: Window { starts: unix(verified.valid_from)?, ends: UnixTime(ends) },
            authority,
            time_required: verified.time_required,
            iteration: verified.iteration.unwrap_or(0),
            // Without rules nothing restricts.
            rules: [Rule { capabilities: ANYTHING, allow: Allow::Always, deny: 0 }; RULES_MAX],
            rule_count: data.rules.len().max(1),
            schedules: [Schedule::BLANK; SCHEDULES_MAX],
            schedule_count: data.schedules.len(),
        };
        for (rule, written) in read.rules.iter_mut().zip(data.rules.iter()) {
            *rule = Rule {
                capabilities: written.capabilities.unwrap_or(ANYTHING),
                allow: written.allow.map_or(Allow::Always, |mask| Allow::During(mask.into())),
                deny: written.deny.unwrap_or(0).into(),
            };
        }
        for (schedule, written) in read.schedules.iter_mut().zip(data.schedules.iter()) {
            *schedule = recurrence::read(written)?;
        }
        Ok(read)
    }

    /// For the lock's [decision](super::decide).
    #[must_use]
    pub fn grant(&self) -> Grant<'_> {
        let grant = Grant::new(self.entrance, self.key, self.claim, self.window).signed_by(self.authority).with_iteration(self.iteration);
        let rules = self.rules.get(..self.rule_count).unwrap_or(&[]);
        let grant = grant.with_rules(rules, self.schedules.get(..self.schedule_count).unwrap_or(&[]));
        if self.time_required { grant } else { grant.without_time_proof() }
    }
}

/// Verifies with the one of the issuers that the document names.
fn by_any<'a, C: Crypto>(
    crypto: &C,
    document: &Document<'a>,
    issuers: &[(PublicKey, Authority)],
    proven: &PublicKey,
) -> Result<(Verified<'a>, Authority), DocumentError> {
    for (issuer, authority) in issuers {
        match document.verify(crypto, core::slice::from_ref(issuer), proven) {
            Err(DocumentError::Issuer) => {}
            verified => return verified.map(|verified| (verified, *authority)),
        }
    }
    Err(DocumentError::Issuer)
}

/// Signs a site's list of revoked keys as a Revocation Document. `until` is its last second for readers that judge it; the lock here does not: a
/// revocation does not stop being true.
///
/// # Errors
/// [`DocumentError::Unsupported`] for a list with an oldest good iteration, for which the document has no place; [`DocumentError::Time`];
/// [`DocumentError::Signature`] when the issuer's key does not answer.
pub fn sign_revocation_document<C: Crypto>(
    crypto: &C,
    issuer: &impl SigningKey,
    site: SiteId,
    list: &Revocations,
    until: UnixTime,
    issued: Issued,
    out: &mut Writer<'_>,
) -> Result<(), DocumentError> {
    if list.oldest_iteration() != 0 {
        return Err(DocumentError::Unsupported("an oldest good iteration"));
    }
    let mut entries = [Entry { key_hash: None, id: None, expires: None }; MAX_REVOKED];
    for (entry, key) in entries.iter_mut().zip(list.keys()) {
        entry.key_hash = Some(key.0);
    }
    let mut value = Bytes::<ELEMENT_MAX>::new();
    value.fill(|out| revocation::write(Mode::Replace, entries.get(..list.keys().len()).unwrap_or(&[]), &[], out))?;
    let name = ElementName::of_site(site);
    let draft = Draft {
        credential: None,
        element: name.as_str(),
        value: &value,
        random: issued.random,
        signed: instant(issued.at)?,
        valid_from: instant(issued.at)?,
        valid_until: instant(until)?,
        iteration: Some(list.iteration()),
        time_required: false,
    };
    draft.sign(crypto, issuer, out)
}

/// Checks a Revocation Document of this site. Whether it is newer than the one in force is asked by
/// [`LockState::with_revocations`](super::LockState::with_revocations).
///
/// # Errors
/// [`DocumentError`]: as [`Document::verify`]; [`DocumentError::OtherElement`] for another site's; [`DocumentError::Iteration`] without one;
/// [`DocumentError::TooMany`] with more keys than a lock holds; [`DocumentError::Unsupported`] for one that changes an earlier list, because which one
/// that was cannot be known, and for entries by name, because a lock knows keys.
pub fn verify_revocation_document<C: Crypto>(
    crypto: &C,
    document: &Document<'_>,
    issuer: &PublicKey,
    site: SiteId,
) -> Result<Revocations, DocumentError> {
    // It is bound to no key: which one is passed makes no difference.
    let verified = document.verify(crypto, core::slice::from_ref(issuer), issuer)?;
    if verified.kind != DocType::Revocation {
        return Err(DocumentError::Type);
    }
    let element = verified.element(ElementName::of_site(site).as_str())?.ok_or(DocumentError::OtherElement)?;
    let data = RevocationData::parse(element.value)?;
    if data.mode != Mode::Replace {
        return Err(DocumentError::Unsupported("a change of an earlier list"));
    }
    let (mut keys, mut count) = ([KeyId([0; 32]); MAX_REVOKED], 0);
    data.entries(|entry| {
        let Entry { key_hash: Some(hash), id: None, .. } = entry else {
            return Err(DocumentError::Unsupported("a revocation by name"));
        };
        *keys.get_mut(count).ok_or(DocumentError::TooMany)? = KeyId(hash);
        count += 1;
        Ok(())
    })?;
    let iteration = verified.iteration.ok_or(DocumentError::Iteration)?;
    Revocations::new(iteration, 0, keys.get(..count).unwrap_or(&[])).map_err(|_| DocumentError::TooMany)
}
