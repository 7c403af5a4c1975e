//! What the issuer remembers of a key and of a site, and what follows from it. Pure.
use seam_ble::lock::{MAX_REVOKED, UnixTime, Window as LockWindow};
use seam_core::model::{Weekly, Window};
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

/// In what form documents are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentForm {
    /// The shortest signed forms of `seam_ble::lock`: they fit into one message over Bluetooth, and have no place for hours of the week.
    #[default]
    Compact,
    /// Aliro's Access and Revocation Documents, which a lock asks for in the step-up phase.
    Aliro,
}

/// What documents said that were handed out before a key was put otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given {
    doors: Vec<Opens>,
    window: Window,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<Weekly>,
    /// When the last of them lapses (seconds since 1970).
    until: u64,
}

/// A key, by our tag of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) doors: Vec<Opens>,
    pub(super) window: Window,
    /// At which hours of the week, by the clocks of the site; none: at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hours: Option<Weekly>,
    /// The zone of the site's clocks, by which hours of the week go (IANA).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) zone: String,
    #[serde(default)]
    pub(super) form: DocumentForm,
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
    /// When the last document lapses that was handed out since it was put in its present form (seconds since 1970); none: it is not known, so any that
    /// lapses last.
    #[serde(default)]
    pub(super) own_lapse: Option<u64>,
    /// What was handed out before it was put as it is now, and has not lapsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) earlier: Vec<Given>,
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
    /// Since which number of the list it has been on every one; none: there was no place for it.
    #[serde(default = "unconfirmed")]
    pub(super) listed_since: Option<u64>,
    /// A lock has said that it holds a list with it: it keeps its place, so that what was told of it stays true.
    #[serde(default)]
    pub(super) confirmed: bool,
}

/// A key of a record that does not know since when: it is on the list, and no receipt is enough.
const fn unconfirmed() -> Option<u64> {
    Some(u64::MAX)
}

/// What a lock has said of itself: a receipt that some phone brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// The key of the lock that hangs there, in hexadecimal digits.
    pub(super) lock: String,
    /// The number of the list that it holds.
    pub(super) iteration: u64,
    /// The number of the stay that it is in.
    pub(super) issue: u64,
}

/// So many earlier forms of a key are told apart; beyond that the oldest two count as one that says what either does.
const EARLIER: usize = 8;

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
        out.map(move |p| RevokedKey { public_key: p.public_key.clone(), lapses: p.lapses, for_good, listed_since: None, confirmed: false })
    }

    /// The doors for which documents are out, and by what right; all of the key's where that is not known.
    pub(super) fn doors_out(&self, now: u64) -> Vec<Opens> {
        let own: &[Opens] = if self.own_lapse() > now { &self.doors } else { &[] };
        let earlier = self.earlier.iter().filter(|given| given.until > now).flat_map(|given| &given.doors);
        let mut doors: Vec<Opens> = Vec::new();
        for door in earlier.chain(own) {
            if !doors.contains(door) {
                doors.push(*door);
            }
        }
        if doors.is_empty() && self.last_lapse() > now { self.doors.clone() } else { doors }
    }

    /// Whether no phone opens this door any more with what was handed out for the key, as the lock there has signed: it holds a list with all of its phones,
    /// or it is in a later stay. Asked of a key that was taken back or suspended.
    pub(super) fn is_dead_at(&self, door: &Opens, heard: &Heard, revoked: &Revoked, now: u64) -> bool {
        let superseded = matches!(door.right, Right::Stay { issue, .. } if heard.issue > issue);
        let listed = |phone: &Phone| revoked.listed_since(&phone.public_key).is_some_and(|since| since <= heard.iteration);
        // Phones that the key has no more are not known by name.
        superseded || (self.former_lapse <= now && self.phones.iter().filter(|p| p.lapses > now).all(listed))
    }

    /// When the last document lapses that was handed out, also to phones that the key has no more.
    pub(super) fn last_lapse(&self) -> u64 {
        self.phones.iter().map(|p| p.lapses).fold(self.former_lapse, u64::max)
    }

    /// The same key, put in this form after the other.
    pub(super) fn after(mut self, before: &Self, now: u64) -> Self {
        let same = (&self.doors, &self.window, &self.hours) == (&before.doors, &before.window, &before.hours);
        self.own_lapse = if same { before.own_lapse } else { Some(0) };
        self.earlier = before.given(now);
        self
    }

    fn own_lapse(&self) -> u64 {
        self.own_lapse.unwrap_or_else(|| self.last_lapse())
    }

    /// What was handed out in its present form and in earlier ones, as far as it has not lapsed: what the next form has to be compared with.
    fn given(&self, now: u64) -> Vec<Given> {
        let mut given = self.earlier.clone();
        given.push(Given { doors: self.doors.clone(), window: self.window, hours: self.hours.clone(), until: self.own_lapse() });
        given.retain(|form| form.until > now);
        let mut merged: Vec<Given> = Vec::with_capacity(given.len());
        for form in given {
            match merged.iter_mut().find(|m| (&m.doors, &m.window, &m.hours) == (&form.doors, &form.window, &form.hours)) {
                Some(same) => same.until = same.until.max(form.until),
                None => merged.push(form),
            }
        }
        while merged.len() > EARLIER {
            let oldest = merged.remove(0);
            if let Some(next) = merged.first_mut() {
                next.doors.extend(oldest.doors);
                next.window = next.window.hull(&oldest.window);
                next.hours = next.hours.take().filter(|hours| oldest.hours.as_ref() == Some(hours));
                next.until = next.until.max(oldest.until);
            }
        }
        merged
    }

    /// Until when documents open what the key is not to open any more (seconds since 1970), because its doors, its window or its hours became fewer,
    /// or because it is suspended; `None`: none of them does.
    pub(super) fn beyond(&self, now: u64) -> Option<u64> {
        let own = self.suspended.then(|| self.own_lapse());
        self.earlier.iter().filter_map(|given| self.exceeded_by(given)).chain(own).filter(|until| *until > now).max()
    }

    /// Until when this says more than the key does.
    fn exceeded_by(&self, given: &Given) -> Option<u64> {
        // The number of a stay is the lock's own matter: a lower one is refused where a higher one was used.
        let same = |a: Opens, b: Opens| {
            let stays = matches!((a.right, b.right), (Right::Stay { .. }, Right::Stay { .. }));
            a.entrance == b.entrance && (stays || a.right == b.right)
        };
        let doors = given.doors.iter().all(|had| self.doors.iter().any(|has| same(*had, *has)));
        let hours = self.hours.is_none() || self.hours == given.hours;
        let (Some((starts, ends)), Some((began, _))) = (seconds(&self.window), seconds(&given.window)) else { return Some(given.until) };
        if self.suspended || !doors || !hours || given.until > ends {
            return Some(given.until);
        }
        (began < starts).then(|| given.until.min(starts))
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

    /// Without those that have lapsed, under the same number: no lock is told anything else than before, unless one that waited gets the place. `None`:
    /// there are none.
    pub(super) fn swept(&self, now: u64) -> Option<Self> {
        let keys: Vec<_> = self.keys.iter().filter(|k| k.lapses > now).cloned().collect();
        if keys.len() < self.keys.len() && keys.iter().any(|k| k.listed_since.is_none()) {
            return self.changed(keys, now);
        }
        (keys.len() < self.keys.len()).then_some(Self { iteration: self.iteration, keys })
    }

    fn changed(&self, mut keys: Vec<RevokedKey>, now: u64) -> Option<Self> {
        if keys == self.keys {
            return None;
        }
        let iteration = self.iteration + 1;
        keys.retain(|k| k.lapses > now);
        keys.sort_by(|a, b| (b.confirmed, b.lapses).cmp(&(a.confirmed, a.lapses)).then_with(|| a.public_key.cmp(&b.public_key)));
        for (place, key) in keys.iter_mut().enumerate() {
            key.listed_since = if place < MAX_REVOKED { key.listed_since.or(Some(iteration)) } else { None };
        }
        Some(Self { iteration, keys })
    }

    /// The keys that a list for the locks has at `now`. A lock holds so many and no more: what locks have confirmed keeps its place, and of the others
    /// those that lapse first are left off, and lapse.
    pub(super) fn listed(&self, now: u64) -> impl Iterator<Item = &RevokedKey> {
        self.keys.iter().filter(move |k| k.lapses > now && k.listed_since.is_some()).take(MAX_REVOKED)
    }

    /// The same list, after a lock has said that it holds the one with this number. `None`: nothing on it was unconfirmed.
    pub(super) fn confirmed(&self, iteration: u64) -> Option<Self> {
        let mut new = self.clone();
        new.keys.iter_mut().filter(|k| k.listed_since.is_some_and(|since| since <= iteration)).for_each(|k| k.confirmed = true);
        (new != *self).then_some(new)
    }

    /// Since which number a phone's key has been on every list; none: it is on none, or was left off.
    pub(super) fn listed_since(&self, public_key: &str) -> Option<u64> {
        self.keys.iter().find(|k| k.public_key == public_key).and_then(|k| k.listed_since)
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
        RevokedKey { public_key: name.to_owned(), lapses, for_good: false, listed_since: None, confirmed: false }
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
            hours: None,
            zone: String::new(),
            form: DocumentForm::Compact,
            put_at: 1_000,
            had_phone: false,
            phones_allowed: 1,
            phones: Vec::new(),
            former_lapse: 0,
            own_lapse: Some(0),
            earlier: Vec::new(),
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
        assert_eq!((two.iteration, two.keys.as_slice()), (2, &[RevokedKey { listed_since: Some(2), ..revoked("b", 90) }][..]));
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

    // A lock that has said that it refuses a key must not hear of a list without it before the key lapses: it would open again.
    #[test]
    fn what_a_lock_has_confirmed_keeps_its_place_on_the_list() {
        let since = |list: &Revoked, name: &str| list.listed_since(name);
        let first = Revoked::default().with(&[revoked("early", 50), revoked("told", 60)], 10).expect("a change");
        assert_eq!((since(&first, "early"), since(&first, "told")), (Some(1), Some(1)));
        assert_eq!(first.confirmed(0), None, "a lock without a list");
        let unheard = first.without(&["early".to_owned()], 10).expect("a change").with(&[revoked("early", 50)], 10).expect("a change");
        assert_eq!((since(&unheard, "early"), since(&unheard, "told")), (Some(3), Some(1)), "taken off and put back, it counts anew");
        let heard = unheard.confirmed(2).expect("of the one key");
        assert_eq!((heard.iteration, heard.confirmed(2)), (3, None), "no lock is told anything new by that");
        let many: Vec<RevokedKey> = (0..32).map(|n| revoked(&format!("k{n}"), 100 + n)).collect();
        let full = heard.with(&many, 10).expect("a change");
        let names: Vec<&str> = full.listed(10).map(|k| k.public_key.as_str()).collect();
        assert!(names.len() == MAX_REVOKED && names.contains(&"told") && !names.contains(&"early") && !names.contains(&"k0"), "{names:?}");
        assert_eq!((since(&full, "early"), since(&full, "k0"), since(&full, "told")), (None, None, Some(1)));
        // A place that comes free is filled under a new number, never under the one that locks hold already.
        assert_eq!(full.listed(60).count(), MAX_REVOKED - 1, "the place of the one that lapsed");
        let filled = full.swept(60).expect("a change");
        assert_eq!((filled.iteration, since(&filled, "k0"), filled.listed(60).count()), (5, Some(5), MAX_REVOKED));
        // A record of an earlier version: on the list, and confirmed by nothing.
        let old: Revoked =
            serde_json::from_str(r#"{"iteration":7,"keys":[{"public_key":"a","lapses":90,"for_good":true}]}"#).expect("a record");
        assert_eq!((old.listed(10).count(), old.confirmed(1_000)), (1, None));
    }

    #[test]
    fn a_key_is_dead_where_the_lock_holds_a_list_with_all_its_phones_or_is_in_a_later_stay() {
        let phone = |name: &str, lapses| Phone { public_key: name.to_owned(), lapses };
        let mut key = Key { suspended: true, ..handed_out() };
        key.phones = vec![phone("a", 600), phone("b", 500), phone("idle", 0)];
        let list = Revoked::default().with(&[revoked("a", 600)], 200).expect("a change").with(&[revoked("b", 500)], 200).expect("a change");
        let heard = |iteration, issue| Heard { lock: String::new(), iteration, issue };
        let dead = |key: &Key, heard: &Heard, now| key.is_dead_at(&opens(1), heard, &list, now);
        assert!(dead(&key, &heard(2, 1), 200) && !dead(&key, &heard(1, 1), 200), "the second phone came to the list later");
        assert!(dead(&key, &heard(1, 1), 500), "that one has lapsed");
        assert!(dead(&key, &heard(0, 2), 200) && !dead(&key, &heard(0, 1), 200), "a later stay, and the same one");
        let common = Opens { right: Right::Common, ..opens(1) };
        assert!(!key.is_dead_at(&common, &heard(0, 2), &list, 200), "stays do not end each other there");
        key.former_lapse = 300;
        assert!(!dead(&key, &heard(2, 1), 299) && dead(&key, &heard(2, 1), 300), "phones of which the name is not known");
        // Doors of documents that were handed out before count as well, until those have lapsed.
        let fewer = Key { doors: vec![opens(1)], ..key.clone() }.after(&key, 200);
        assert_eq!((fewer.doors_out(200), fewer.doors_out(600)), (vec![opens(1), opens(2)], vec![]));
    }

    fn opens(n: u128) -> Opens {
        Opens { entrance: Uuid::from_u128(n), right: Right::Stay { issue: 1, opens: true } }
    }

    /// A key of doors 1 and 2 that was put at 100, and whose phone has documents until 600.
    fn handed_out() -> Key {
        Key {
            doors: vec![opens(1), opens(2)],
            window: window(50_000, Some(1_000_000)),
            hours: None,
            zone: String::new(),
            form: DocumentForm::Compact,
            suspended: false,
            gone: false,
            leased_until: 600,
            put_at: 100,
            had_phone: true,
            phones_allowed: 1,
            phones: vec![Phone { public_key: "a".to_owned(), lapses: 600 }],
            former_lapse: 0,
            own_lapse: Some(600),
            earlier: Vec::new(),
        }
    }

    // What phones can open is asked of the documents themselves: of each one that was handed out and has not lapsed.
    #[test]
    fn fewer_rights_are_beyond_until_the_documents_lapse() {
        let had = handed_out();
        let put = |change: &dyn Fn(&mut Key)| {
            let mut key = had.clone();
            change(&mut key);
            key.after(&had, 200)
        };
        assert_eq!(put(&|_| {}).beyond(200), None, "a renewal takes nothing away");
        assert_eq!(put(&|k| k.doors.push(opens(3))).beyond(200), None, "nor do more doors");
        assert_eq!(put(&|k| k.doors[0].right = Right::Stay { issue: 2, opens: false }).beyond(200), None, "nor does a re-opened stay");
        assert_eq!(put(&|k| k.window = window(40_000, Some(2_000_000))).beyond(200), None);
        assert_eq!(put(&|k| k.window = window(50_000, Some(700_000))).beyond(200), None, "they lapse before the new end");
        for (what, fewer) in [
            ("a door less", &(|k: &mut Key| k.doors.truncate(1)) as &dyn Fn(&mut Key)),
            ("another right", &|k| k.doors[0].right = Right::Common),
            ("an earlier end", &|k| k.window = window(50_000, Some(599_999))),
            ("suspended", &|k| k.suspended = true),
            ("hours", &|k| {
                let all_day = seam_core::model::WeeklySpan::new(
                    seam_core::model::DaySet::EVERY_DAY,
                    "00:00".parse().expect("a time"),
                    "24:00".parse().expect("a time"),
                );
                k.hours = Weekly::new([all_day]).ok();
            }),
        ] {
            let key = put(fewer);
            assert_eq!((key.beyond(200), key.beyond(599), key.beyond(600)), (Some(600), Some(600), None), "{what}");
            // Put once more, it is the same; put back, it is over.
            let again = key.clone().after(&key, 300);
            assert_eq!(again.beyond(300), Some(600), "{what}, again");
            assert_eq!(had.clone().after(&again, 300).beyond(300), None, "{what}, and back");
            // Whatever was handed out in between counts for itself.
            let mut handed = again.clone();
            handed.own_lapse = Some(900);
            handed.phones[0].lapses = 900;
            let back = had.clone().after(&handed, 300).beyond(300);
            assert_eq!(back, (what == "another right").then_some(900), "{what}, handed out, and back");
        }
        assert_eq!(put(&|k| k.window = window(400_000, Some(1_000_000))).beyond(200), Some(400), "only its beginning was earlier");
        let old = Key { own_lapse: None, ..had.clone() };
        let unknown = Key { doors: vec![opens(1)], ..old.clone() }.after(&old, 200);
        assert_eq!(unknown.beyond(200), Some(600), "a record of which it is not known");
    }

    #[test]
    fn many_forms_of_a_key_are_counted_together_and_never_as_less() {
        let mut key = handed_out();
        for n in 0..20_u128 {
            key = Key { doors: vec![opens(n)], ..key.clone() }.after(&key, 200);
            key.own_lapse = Some(600 + u64::try_from(n).expect("a number"));
            assert!(key.earlier.len() <= EARLIER);
        }
        for door in 0..19 {
            let without = Key { doors: (0..20).filter(|n| *n != door).map(opens).collect(), ..key.clone() }.after(&key, 200);
            assert!(without.beyond(200).is_some_and(|until| until >= 600), "door {door} was forgotten");
        }
    }
}
