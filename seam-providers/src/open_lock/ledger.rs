//! What the issuer remembers of a key and of a site, and what follows from it. Pure.
use seam_ble::lock::{MAX_REVOKED, UnixTime, Window as LockWindow};
use seam_core::model::Window;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// By what right a key opens a door. The lock's own words for it: [`seam_ble::lock::Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Right {
    /// A guest of the stay with this issue number.
    Stay {
        issue: u64,
        /// Whether the key was made as the one that opens the stay.
        opens: bool,
    },
    /// Staff, at a room.
    Staff,
    /// Anybody's key, at a common door.
    Common,
}

/// A door of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opens {
    pub(super) entrance: Uuid,
    pub(super) right: Right,
}

/// A key, by our tag of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) doors: Vec<Opens>,
    pub(super) window: Window,
    pub(super) suspended: bool,
    /// Taken back. It is kept until what was handed out has lapsed, so that a removal that is repeated says the same.
    pub(super) gone: bool,
    /// No document ends later than this (seconds since 1970): whoever renews the key moves it on.
    pub(super) leased_until: u64,
    /// When it was put last.
    pub(super) put_at: u64,
    /// Whether it had a phone when it was put last: until then the engine is told that one is missing.
    pub(super) had_phone: bool,
    pub(super) phones_allowed: u16,
    pub(super) phones: Vec<Phone>,
    /// When the last document lapses of phones that it had and has no more (seconds since 1970); 0: there were none.
    pub(super) former_lapse: u64,
}

/// A phone of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Phone {
    /// Its public key, uncompressed, in hexadecimal digits.
    pub(super) public_key: String,
    /// When the last of its documents lapses (seconds since 1970); 0: it got none.
    pub(super) lapses: u64,
}

/// The revocations of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Revoked {
    /// Grows with every change.
    pub(super) iteration: u64,
    /// Keys of phones whose documents have not lapsed: the one that lapses last comes first.
    pub(super) keys: Vec<RevokedKey>,
}

/// A revoked key of a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RevokedKey {
    pub(super) public_key: String,
    pub(super) lapses: u64,
    /// Taken back, not suspended: nothing takes it off the list but that its documents lapse.
    pub(super) for_good: bool,
}

/// How long after it was put a key that is looked for counts as just put, in seconds.
const FRESH: u64 = 60;

/// The window in whole seconds, rounded inwards; `None`: nothing is left of it.
pub(super) fn seconds(window: &Window) -> Option<(u64, u64)> {
    let up = |millis: i64| u64::try_from(millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0)).unwrap_or(0);
    let down = |millis: i64| u64::try_from(millis.div_euclid(1000)).unwrap_or(0);
    let starts = up(window.starts_at().timestamp_millis());
    let ends = window.ends_at().map_or(u64::MAX, |end| down(end.timestamp_millis()));
    (starts < ends).then_some((starts, ends))
}

/// Until when documents may be handed out for a window that was put at `now`: they hold for `document_seconds` from now, or from the start of the window.
pub(super) fn lease(window: &Window, now: u64, document_seconds: u64) -> u64 {
    seconds(window).map_or(0, |(starts, ends)| now.max(starts).saturating_add(document_seconds).min(ends))
}

impl Key {
    /// When the key has to be put again so that no document lapses before its window ends; `None`: never.
    pub(super) fn renew_at(&self, document_seconds: u64) -> Option<u64> {
        let (_, ends) = seconds(&self.window)?;
        (self.leased_until < ends && !self.suspended).then(|| self.leased_until.saturating_sub(document_seconds / 2))
    }

    /// Whether a look at `now` should lead to another put: a phone has come, or the key is to be renewed.
    ///
    /// A look at a key with a phone that comes early leads there too, because with it the time that was set for the renewal is forgotten. One at a key
    /// that waits for its phone forgets nothing: it is looked at again in any case.
    pub(super) fn is_due(&self, now: u64, document_seconds: u64) -> bool {
        let has_phone = !self.phones.is_empty();
        let renewal = self.renew_at(document_seconds);
        let early = has_phone && renewal.is_some() && now >= self.put_at.saturating_add(FRESH);
        has_phone != self.had_phone || early || renewal.is_some_and(|at| now >= at)
    }

    /// The window of documents that are handed out at `now`; `None`: there are none.
    pub(super) fn document_window(&self, now: u64) -> Option<LockWindow> {
        let (starts, ends) = seconds(&self.window)?;
        let ends = ends.min(self.leased_until);
        let holds = !self.gone && !self.suspended && starts < ends && now < ends;
        holds.then_some(LockWindow { starts: UnixTime(starts), ends: UnixTime(ends) })
    }

    /// The phones with documents that have not lapsed, as they are put on the list: for good when they are taken back.
    pub(super) fn outstanding(&self, now: u64, for_good: bool) -> impl Iterator<Item = RevokedKey> {
        let out = self.phones.iter().filter(move |p| p.lapses > now);
        out.map(move |p| RevokedKey { public_key: p.public_key.clone(), lapses: p.lapses, for_good })
    }

    /// When the last document lapses that was handed out, also to phones that the key has no more.
    pub(super) fn last_lapse(&self) -> u64 {
        self.phones.iter().map(|p| p.lapses).fold(self.former_lapse, u64::max)
    }

    /// The same, if it has not lapsed yet.
    pub(super) fn lapses(&self, now: u64) -> Option<u64> {
        Some(self.last_lapse()).filter(|&lapse| lapse > now)
    }
}

impl Revoked {
    /// With these keys too, and without those that have lapsed; `None`: that changes nothing for a lock.
    pub(super) fn with(&self, more: &[RevokedKey], now: u64) -> Option<Self> {
        let mut keys = self.keys.clone();
        for new in more {
            match keys.iter_mut().find(|k| k.public_key == new.public_key) {
                Some(known) => {
                    known.lapses = known.lapses.max(new.lapses);
                    known.for_good |= new.for_good;
                }
                None => keys.push(new.clone()),
            }
        }
        self.changed(keys, now)
    }

    /// Without these keys (their suspension is over; what was taken back stays), and without those that have lapsed; `None`: that changes nothing
    /// for a lock.
    pub(super) fn without(&self, less: &[String], now: u64) -> Option<Self> {
        let keys = self.keys.iter().filter(|k| k.for_good || !less.contains(&k.public_key)).cloned().collect();
        self.changed(keys, now)
    }

    fn changed(&self, mut keys: Vec<RevokedKey>, now: u64) -> Option<Self> {
        if keys == self.keys {
            return None;
        }
        keys.retain(|k| k.lapses > now);
        keys.sort_by(|a, b| b.lapses.cmp(&a.lapses).then_with(|| a.public_key.cmp(&b.public_key)));
        Some(Self { iteration: self.iteration + 1, keys })
    }

    /// The keys that a list for the locks has at `now`. A lock holds so many and no more: those that lapse first are left off, and lapse.
    pub(super) fn listed(&self, now: u64) -> impl Iterator<Item = &RevokedKey> {
        self.keys.iter().filter(move |k| k.lapses > now).take(MAX_REVOKED)
    }

    pub(super) fn names(&self, public_key: &str) -> bool {
        self.lapse_of(public_key).is_some()
    }

    /// When the last document of a phone's key on the list lapses.
    pub(super) fn lapse_of(&self, public_key: &str) -> Option<u64> {
        self.keys.iter().find(|k| k.public_key == public_key).map(|k| k.lapses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn window(from: i64, to: Option<i64>) -> Window {
        let at = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap_or_default();
        Window::new(at(from), to.map(at)).expect("a window")
    }

    fn revoked(name: &str, lapses: u64) -> RevokedKey {
        RevokedKey { public_key: name.to_owned(), lapses, for_good: false }
    }

    #[test]
    fn windows_are_rounded_inwards() {
        assert_eq!(seconds(&window(1_000, Some(5_000))), Some((1, 5)));
        assert_eq!(seconds(&window(1_001, Some(5_999))), Some((2, 5)));
        assert_eq!(seconds(&window(1_001, Some(1_999))), None);
        assert_eq!(seconds(&window(1_001, Some(2_999))), None, "from 2 to 2 is empty");
        assert_eq!(seconds(&window(1_000, None)), Some((1, u64::MAX)));
    }

    #[test]
    fn documents_hold_from_now_or_from_the_start_and_never_beyond_the_window() {
        let stay = window(1_000_000, Some(9_000_000));
        assert_eq!(lease(&stay, 100, 600), 1_600, "loaded ahead, it holds from the start on");
        assert_eq!(lease(&stay, 2_000, 600), 2_600);
        assert_eq!(lease(&stay, 8_800, 600), 9_000);
        let key = |leased_until, suspended| Key {
            doors: Vec::new(),
            window: stay,
            suspended,
            gone: false,
            leased_until,
            put_at: 1_000,
            had_phone: false,
            phones_allowed: 1,
            phones: Vec::new(),
            former_lapse: 0,
        };
        assert_eq!(key(1_600, false).renew_at(600), Some(1_300), "half of its time before it lapses");
        assert_eq!(key(9_000, false).renew_at(600), None, "it lapses with the window");
        assert_eq!(key(1_600, true).renew_at(600), None);
        assert!(!key(1_600, false).is_due(1_299, 600) && key(1_600, false).is_due(1_300, 600), "without a phone only when it is time");
        let mut with_phone = key(1_600, false);
        with_phone.phones.push(Phone { public_key: String::new(), lapses: 0 });
        assert!(with_phone.is_due(1_000, 600), "the phone has come");
        with_phone.had_phone = true;
        assert!(!with_phone.is_due(1_059, 600) && with_phone.is_due(1_060, 600));
        let mut short = key(9_000, false);
        short.phones = with_phone.phones;
        assert!(short.is_due(1_000, 600), "the phone has come, and nothing is to be renewed");
        short.had_phone = true;
        assert!(!short.is_due(8_999, 600));
        assert!(key(1_600, false).document_window(1_599).is_some() && key(1_600, false).document_window(1_600).is_none());
        assert!(key(1_600, true).document_window(1_100).is_none());
    }

    #[test]
    fn a_list_grows_in_iterations_and_forgets_what_has_lapsed() {
        let none = Revoked::default();
        let one = none.with(&[revoked("a", 50)], 10).expect("a change");
        assert_eq!((one.iteration, one.with(&[revoked("a", 50)], 10)), (1, None), "once");
        let two = one.with(&[revoked("b", 90)], 60).expect("a change");
        assert_eq!((two.iteration, two.keys.as_slice()), (2, &[revoked("b", 90)][..]));
        let back = two.without(&["b".to_owned()], 60).expect("a change");
        assert_eq!((back.iteration, back.keys.len()), (3, 0), "the number never falls");
        let lost = one.with(&[RevokedKey { for_good: true, ..revoked("a", 40) }], 10).expect("it stays from now on");
        assert_eq!(lost.without(&["a".to_owned()], 10), None, "what was taken back is not taken up again");
        assert_eq!(lost.with(&[revoked("a", 50)], 10), None, "nor by a suspension");
        let many: Vec<RevokedKey> = (0..40).map(|n| revoked(&format!("k{n}"), 100 + n)).collect();
        let full = none.with(&many, 10).expect("a change");
        let listed: Vec<u64> = full.listed(10).map(|k| k.lapses).collect();
        assert_eq!((listed.len(), listed.first(), listed.last()), (MAX_REVOKED, Some(&139), Some(&108)), "those that lapse last");
    }
}
