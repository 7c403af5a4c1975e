//! The provider: from what is wanted to the issuer's records.
use super::book::{Book, half_way};
use super::check::{Checked, check};
use super::config::Settings;
use super::desk::{Desk, Issuer, instant, unix};
use super::ledger::{Key, Opens, Right, lease};
use super::receipts::Residue;
use super::report;
use async_trait::async_trait;
use chrono::TimeDelta;
use futures_util::future::{Either, select};
use seam_core::clock::Clock;
use seam_core::provider::{
    AccessSystemProvider, Call, Effect, EntranceReport, Failure, Finding, Found, GroupReport, Handle, Held, HeldPage, Inventory, Kind,
    Needs, Reason, Receipt, Seen, SystemRef, SystemReport, Tag, Want,
};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// When a key without a phone is looked at for the first time; later looks come ever more rarely.
const FIRST_LOOK: TimeDelta = TimeDelta::minutes(1);
/// How often a suspended key is looked at whose end the locks may still confirm.
const RECEIPT_LOOK: TimeDelta = TimeDelta::minutes(30);
/// Keys per page of what is held.
const PAGE: usize = 100;

/// An account: one site of an issuer.
pub(super) struct OpenLockProvider {
    pub(super) settings: Settings,
    book: Book,
    desk: Desk,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for OpenLockProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenLockProvider").field("site", &self.settings.site).finish_non_exhaustive()
    }
}

impl fmt::Display for OpenLockProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "open locks of {}", self.settings.site)
    }
}

/// The key after it was put: what is asked for now, with the phones that it had.
fn after_put(before: Option<Key>, wanted: &Checked, now: u64, settings: &Settings) -> Key {
    // Phones of a key that was taken back are revoked; they are enrolled anew, with new keys.
    let former_lapse = before.as_ref().map_or(0, |key| if key.gone { key.last_lapse() } else { key.former_lapse });
    let phones = before.as_ref().filter(|key| !key.gone).map(|key| key.phones.clone()).unwrap_or_default();
    let key = Key {
        doors: wanted.doors.clone(),
        window: wanted.window,
        hours: wanted.hours.clone(),
        zone: settings.time_zone.clone(),
        form: settings.documents,
        suspended: wanted.suspended,
        gone: false,
        leased_until: lease(&wanted.window, now, settings.document_seconds()),
        put_at: now,
        had_phone: !phones.is_empty(),
        phones_allowed: settings.phones_per_key,
        phones,
        former_lapse,
        own_lapse: Some(0),
        earlier: Vec::new(),
    };
    match before {
        Some(before) => key.after(&before, now),
        None => key,
    }
}

/// Whether a key is what is wanted. Whether it opens its stay or joins it makes no difference at the lock; who has no stay in hand does not compare it.
fn is_as_wanted(key: &Key, wanted: &Checked, settings: &Settings, compare_stay: bool) -> bool {
    let doors = |doors: &[Opens]| -> Vec<(uuid::Uuid, Option<Right>)> {
        let right = |right: Right| match right {
            Right::Stay { issue, .. } => Some(Right::Stay { issue, opens: true }),
            other => Some(other),
        };
        doors.iter().map(|d| (d.entrance, if compare_stay { right(d.right) } else { None })).collect()
    };
    let as_hours = key.window == wanted.window && key.hours == wanted.hours && key.suspended == wanted.suspended;
    as_hours && key.form == settings.documents && doors(&key.doors) == doors(&wanted.doors)
}

impl OpenLockProvider {
    pub(super) fn new(settings: Settings, issuer: &Issuer, clock: Arc<dyn Clock>) -> Self {
        let (book, desk) = (issuer.book(settings.site), issuer.desk(settings.site));
        Self { settings, book, desk, clock }
    }

    fn now(&self) -> u64 {
        unix(self.clock.now())
    }

    fn right_system(&self, system: &SystemRef) -> Result<(), Failure> {
        if system.handle == report::handle() { Ok(()) } else { Err(Failure::refused(Reason::NotThere, "the account has no such system")) }
    }

    /// Runs a call until its time is up. Dropping it closes what the records' owner holds open.
    async fn within<T>(&self, limit: Duration, act: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let limit = TimeDelta::from_std(limit).unwrap_or(TimeDelta::hours(1));
        let end = self.clock.sleep_until(self.clock.now() + limit);
        match select(pin!(act), end).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Failure::unknown(Reason::TimedOut, "the issuer's records did not answer in time")),
        }
    }

    async fn put_key(&self, wanted: &Checked, tag: &Tag) -> Result<Receipt, Failure> {
        let now = self.now();
        let name = self.book.key_name(tag)?;
        let mut kept = None;
        self.book
            .change(&name, |before| {
                let key = after_put(before, wanted, now, &self.settings);
                kept = Some(key.clone());
                Ok(Some(key))
            })
            .await?;
        let Some(key) = kept else { return Err(Failure::unknown(Reason::Other, "the key was not kept")) };
        // From here on no document is handed out that the key does not allow; what phones carry already is put on the list, or taken off it.
        let listed = if key.suspended {
            let out: Vec<_> = key.outstanding(now, false).collect();
            self.book.revoke(|revoked| revoked.with(&out, now)).await
        } else {
            let phones: Vec<_> = key.phones.iter().map(|p| p.public_key.clone()).collect();
            self.book.revoke(|revoked| revoked.without(&phones, now)).await
        };
        listed.map_err(half_way)?;
        let residue = self.desk.residue(&key, now).await.map_err(half_way)?;
        Ok(self.receipt(&key, tag, residue))
    }

    fn receipt(&self, key: &Key, tag: &Tag, residue: Residue) -> Receipt {
        // Whoever holds the key can have documents for all that is wanted. What was handed out before and said more opens until it lapses, unless the
        // locks have confirmed otherwise.
        let beyond = residue.until.and_then(instant);
        let receipt = match beyond {
            Some(until) => Receipt::accepted().with_may_open_until(until),
            None => Receipt::verified(),
        };
        let receipt = receipt.with_handle(Handle::text(&tag.0));
        let confirmed = beyond.filter(|_| residue.may_be_confirmed).map(|_| self.clock.now() + RECEIPT_LOOK);
        let renew = key.renew_at(self.settings.document_seconds()).and_then(instant);
        let renew = renew.into_iter().chain(beyond).chain(confirmed).min();
        if key.phones.is_empty() {
            let look = self.clock.now() + FIRST_LOOK;
            return receipt.with_needs(Needs::Phone).with_again_at(renew.map_or(look, |at| at.min(look)));
        }
        match renew {
            Some(at) => receipt.with_again_at(at.max(self.clock.now() + TimeDelta::seconds(1))),
            None => receipt,
        }
    }

    async fn remove_key(&self, tag: &Tag) -> Result<Receipt, Failure> {
        let now = self.now();
        let name = self.book.key_name(tag)?;
        let mut last: Option<Key> = None;
        // First no more documents, then the list: whoever comes in between with a phone of this key gets none.
        self.book
            .change(&name, |before: Option<Key>| {
                last.clone_from(&before);
                Ok(before.filter(|key| !key.gone).map(|key| Key { gone: true, ..key }))
            })
            .await?;
        let Some(key) = last else { return Ok(Receipt::verified()) };
        let out: Vec<_> = key.outstanding(now, true).collect();
        self.book.revoke(|revoked| revoked.with(&out, now)).await.map_err(half_way)?;
        for phone in &key.phones {
            self.desk.drop_phone(tag, &phone.public_key).await.map_err(half_way)?;
        }
        let receipt = Receipt::verified();
        let residue = self.desk.residue(&Key { gone: true, ..key }, now).await.map_err(half_way)?;
        Ok(match residue.until.and_then(instant) {
            // A door that no phone brings the list to opens until then, and so may one that has not confirmed it.
            Some(until) => receipt.with_may_open_until(until),
            None => receipt,
        })
    }

    async fn look(&self, want: &Want, tag: &Tag) -> Result<Found, Failure> {
        let Some(key) = self.book.living(tag).await? else { return Ok(Found::Absent) };
        let compare_stay = matches!(want, Want::Credential(c) if c.stay.is_some());
        let same = check(&self.settings, want).is_ok_and(|wanted| is_as_wanted(&key, &wanted, &self.settings, compare_stay));
        let now = self.now();
        let residue = self.desk.residue(&key, now).await?;
        let as_wanted = match () {
            () if !same => Some(false),
            // It is there, and no phone has come for it; or phones have documents that say more.
            () if key.phones.is_empty() || residue.until.is_some() => None,
            () => Some(true),
        };
        let mut seen = Seen::new(Handle::text(&tag.0), as_wanted);
        // Without another put nobody would look before the documents lapse.
        let asked_again = residue.until.is_some() && residue.may_be_confirmed;
        seen.renew = same && (asked_again || key.is_due(now, self.settings.document_seconds()));
        seen.window = Some(key.window);
        Ok(Found::Present(seen))
    }

    async fn held_page(&self, cursor: Option<&str>) -> Result<HeldPage, Failure> {
        let prefix = self.book.keys_prefix();
        if cursor.is_some_and(|cursor| !cursor.starts_with(&prefix)) {
            return Err(Failure::refused(Reason::Invalid, "this is no cursor of this list"));
        }
        let names = self.book.names(&prefix, cursor, PAGE).await?;
        let next = if names.len() < PAGE { None } else { names.last().cloned() };
        let mut things = Vec::with_capacity(names.len());
        for name in names {
            let Some(tag) = name.strip_prefix(&prefix).map(|tag| Tag(tag.to_owned())) else { continue };
            let Some(key) = self.book.living(&tag).await? else { continue };
            let mut held = Held::new(Kind::MobileKey, Handle::text(&tag.0), Some(tag));
            held.doors = key.doors.iter().map(|d| Handle::text(d.entrance.hyphenated().to_string())).collect();
            held.window = Some(key.window);
            things.push(held);
        }
        Ok(HeldPage::new(things, next))
    }
}

/// Reading changes nothing.
fn unread(mut failure: Failure) -> Failure {
    if failure.effect == Effect::Unknown {
        failure.effect = Effect::Nothing;
    }
    failure
}

/// The time limit of calls that bring none.
const USUAL_LIMIT: Duration = Duration::from_secs(15);

#[async_trait]
impl AccessSystemProvider for OpenLockProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        Ok(vec![report::system(&self.settings)])
    }
    async fn put(&self, want: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(call.system)?;
        let wanted = check(&self.settings, want)?;
        self.within(call.within, self.put_key(&wanted, &call.tag)).await
    }
    async fn remove(&self, _last: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(call.system)?;
        self.within(call.within, self.remove_key(&call.tag)).await
    }
    async fn find(&self, want: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        self.right_system(call.system)?;
        self.within(call.within, self.look(want, &call.tag)).await.map_err(unread)
    }
    async fn readiness(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let doors = report::entrances(&self.settings);
        if doors.is_empty() {
            findings.push(Finding::new(true, "no_entrance", "the map of the site has no entrance"));
        } else if !doors.iter().any(|d| d.reservation) {
            findings.push(Finding::new(false, "no_guest_door", "the map has common doors only: no stay can be made here"));
        }
        if let Err(failure) = self.within(USUAL_LIMIT, self.held_page(None)).await {
            findings.push(Finding::new(true, "records_unreachable", failure.message));
        }
        // What the signer says now, it says without a document that anybody could use: the time for an entrance that does not exist.
        if let Err(failure) = self.desk.time(uuid::Uuid::nil(), [0; 16]).await {
            findings.push(Finding::new(true, "signer_unreachable", failure.message));
        }
        findings
    }
    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
}

#[async_trait]
impl Inventory for OpenLockProvider {
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        self.right_system(system)?;
        Ok(report::entrances(&self.settings))
    }
    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        self.right_system(system)?;
        Ok(Vec::new())
    }
    async fn held(&self, system: &SystemRef, cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        self.right_system(system)?;
        self.within(USUAL_LIMIT, self.held_page(cursor)).await.map(Some).map_err(unread)
    }
}
