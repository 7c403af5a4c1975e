//! What is wanted, as calls of the cloud.
//!
//! A permission is an access group of its own, made in an order in which nothing opens before the last step: the group, its times, its locks, then the
//! person. What fails before that step has had no effect, and leaves a group without a person behind, which the next try removes.
use super::client::Client;
use super::error::invalid;
use super::provider::uuid_like;
use super::wire::{At, Made as MadeThing, SiteUser};
use crate::net::Deadline;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::model::Window;
use seam_core::provider::{
    AccessSpec, Body, Call, CredentialSpec, Effect, Failure, Found, Handle, Held, Kind, Made, Needs, Reason, Receipt, Seen, Tag, UserSpec,
    Want,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For about a minute after a user was made, PINs and groups do not know her.
const NOT_YET: Duration = Duration::from_secs(5);
/// So long after a seat was seen a PIN is made without another look at it: the same check-in. A guest who is given a seat with her booking and a PIN with her
/// arrival is looked at again.
const SEEN_FOR: TimeDelta = TimeDelta::minutes(2);
/// Times are kept in whole minutes: what ends at 23:59 comes back as 23:59:59.
pub(super) const MINUTE: i64 = 60;

/// What a permission's handle remembers: the cloud is not known to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Permission {
    /// The group that is in force.
    group: Option<String>,
    /// What it was made of.
    #[serde(default)]
    of: String,
    /// Groups to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    old: Vec<String>,
}

impl Permission {
    fn read(handle: Option<&Handle>) -> Self {
        handle.and_then(|h| serde_json::from_value(h.0.clone()).ok()).unwrap_or_default()
    }
    fn handle(&self) -> Handle {
        Handle(serde_json::to_value(self).unwrap_or_default())
    }
    fn all(&self) -> impl Iterator<Item = &String> {
        self.old.iter().chain(&self.group)
    }
}

/// A window in whole minutes, rounded inwards.
pub(super) fn minutes(window: &Window) -> Result<(DateTime<Utc>, DateTime<Utc>), Failure> {
    let refused = |why: &str| Failure::refused(Reason::WindowRefused, why);
    let end = window.ends_at().ok_or_else(|| refused("a permission needs an end"))?;
    let whole = |at: DateTime<Utc>, up: bool| {
        let millis = at.timestamp_millis() + if up { MINUTE * 1000 - 1 } else { 0 };
        DateTime::from_timestamp(millis.div_euclid(MINUTE * 1000) * MINUTE, 0)
    };
    match (whole(window.starts_at(), true), whole(end, false)) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        _ => Err(refused("nothing is left of the window in whole minutes")),
    }
}

pub(super) fn user_handle(user: &SiteUser) -> Handle {
    Handle(json!({ "site_user": user.id, "platform_user": user.platform() }))
}

/// When a user is to expire, in the whole seconds in which it is sent.
fn expiry(user: &UserSpec) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(user.window?.ends_at()?.timestamp(), 0)
}

fn part<'a>(handle: Option<&'a Handle>, name: &str) -> &'a str {
    handle.and_then(|h| h.0.get(name)?.as_str()).unwrap_or_default()
}

/// Whether an error says that there is no such thing: it is gone already.
fn gone(done: Result<impl Sized, Failure>) -> Result<(), Failure> {
    match done {
        Err(f) if f.effect == Effect::Refused && f.reason == Reason::NotThere => Ok(()),
        other => other.map(drop),
    }
}

/// What failed opened nothing: whatever became of it counts as nothing.
fn harmless(mut failure: Failure) -> Failure {
    if failure.effect == Effect::Unknown {
        failure.effect = Effect::Nothing;
    }
    failure
}

/// A group that is to go was not removed. That may be repeated whatever became of it, and has to be: it lets somebody pass, and waits for no person.
fn repeated(mut failure: Failure) -> Failure {
    failure.effect = Effect::Nothing;
    failure
}

/// A step before this one had its effect: the whole is in doubt.
fn doubtful(mut failure: Failure) -> Failure {
    failure.effect = Effect::Unknown;
    failure
}

/// Users who were just seen with a seat, and when. It saves a look and is lost with the process.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<BTreeMap<String, DateTime<Utc>>>);

impl Seats {
    fn saw(&self, user: &str, now: DateTime<Utc>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now < *at + SEEN_FOR);
        seen.insert(user.to_owned(), now);
    }
    /// Good for one PIN.
    fn take(&self, user: &str, now: DateTime<Utc>) -> bool {
        let at = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(user);
        at.is_some_and(|at| at <= now && now < at + SEEN_FOR)
    }
}

/// A call at one site.
pub(super) struct Job<'a> {
    pub(super) client: &'a Client,
    pub(super) seats: &'a Seats,
    pub(super) now: DateTime<Utc>,
    pub(super) at: At<'a>,
    pub(super) call: &'a Call<'a>,
    pub(super) deadline: Deadline,
}

impl Job<'_> {
    async fn users(&self) -> Result<Vec<SiteUser>, Failure> {
        self.client.list(&self.at.users(), &self.deadline, |_| false).await
    }

    /// Users that carry a tag at the end of their name.
    async fn tagged(&self, tag: &Tag) -> Result<Vec<SiteUser>, Failure> {
        let mine = |u: &SiteUser| u.alias.as_deref().is_some_and(|a| a.ends_with(&format!("#{tag}")));
        Ok(self.users().await?.into_iter().filter(mine).collect())
    }

    async fn user(&self, handle: Option<&Handle>) -> Result<SiteUser, Failure> {
        let id = part(handle, "site_user");
        let user = self.users().await?.into_iter().find(|u| u.id == id && !id.is_empty());
        user.ok_or_else(|| Failure::refused(Reason::NotThere, "there is no such user"))
    }

    /// Whether a user is there and has a seat.
    pub(super) async fn seat_of(&self, handle: Option<&Handle>) -> Result<(), Failure> {
        match self.user(handle).await?.has_seat() {
            true => Ok(()),
            false => Err(Failure::refused(Reason::Forbidden, "the user has no seat")),
        }
    }

    pub(super) async fn put(&self, want: &Want, had: Option<&Handle>) -> Result<Receipt, Failure> {
        match want {
            Want::User(user) => self.put_user(user, had).await,
            Want::Access(access) => self.put_access(access, had).await,
            Want::Credential(spec) => {
                supported(spec)?;
                match spec.body {
                    Body::Code { .. } => self.put_pin(spec, had).await,
                    _ => {
                        // A right to unlock is the user's permission, carried out by this service's own login.
                        let user = self.user(spec.user.as_ref()).await?;
                        Ok(Receipt::accepted().with_handle(Handle(json!({ "site_user": user.id, "has": "cloud_key" }))))
                    }
                }
            }
            _ => Err(Failure::unsupported("Salto KS has no stays: a new guest overrides nobody")),
        }
    }

    async fn put_user(&self, want: &UserSpec, had: Option<&Handle>) -> Result<Receipt, Failure> {
        let ends = expiry(want);
        let id = part(had, "site_user").to_owned();
        let there = if id.is_empty() { None } else { self.users().await?.into_iter().find(|u| u.id == id) };
        let Some(user) = there else { return self.add_user(want, ends).await };
        if user.expires() != ends {
            self.client.send(&self.at.expire(&user.id, ends), &self.deadline).await?;
        }
        if user.has_seat() == want.suspended {
            self.client.send(&self.at.seat(&user.id, !want.suspended), &self.deadline).await?;
        }
        Ok(Receipt::accepted().with_handle(user_handle(&user)))
    }

    async fn add_user(&self, want: &UserSpec, ends: Option<DateTime<Utc>>) -> Result<Receipt, Failure> {
        let alias = format!("{} #{}", want.name, self.call.tag);
        let user: SiteUser = self.client.read(&self.at.add_guest(&alias, ends), &self.deadline).await?;
        if !uuid_like(&user.id) {
            return Err(Failure::unknown(Reason::Garbled, "the user was made and not named"));
        }
        let handle = user_handle(&user);
        // She is there, whatever becomes of the note.
        self.call.notes.keep(&handle).await.map_err(|f| doubtful(f).with_left(handle.clone()))?;
        if !user.has_seat() && !want.suspended {
            // Made without a seat: it would open nothing and nobody would say so.
            let full = Failure::refused(Reason::Full, "all seats of the site's subscription are taken");
            return Err(match gone(self.client.send(&self.at.remove_user(&user.id), &self.deadline).await) {
                Ok(()) => full,
                Err(_) => Failure::unknown(Reason::Full, "all seats are taken, and a user without one was left behind").with_left(handle),
            });
        }
        if want.suspended && user.has_seat() {
            self.client.send(&self.at.seat(&user.id, false), &self.deadline).await.map_err(|f| f.with_left(handle.clone()))?;
        } else if !want.suspended {
            self.seats.saw(&user.id, self.now);
        }
        Ok(Receipt::accepted().with_handle(handle))
    }

    async fn put_access(&self, want: &AccessSpec, had: Option<&Handle>) -> Result<Receipt, Failure> {
        if want.schedule.is_some() {
            return Err(Failure::unsupported("weekly hours at Salto KS are not supported yet"));
        }
        if want.suspended {
            return Err(Failure::unsupported("a permission is taken away and given again; its user can be suspended"));
        }
        let (from, to) = minutes(&want.window)?;
        let person = part(want.user.as_ref(), "platform_user");
        if person.is_empty() {
            return Err(invalid("a permission belongs to a user"));
        }
        let mut doors: Vec<&str> = want.doors.iter().filter_map(|d| d.handle.as_text()).collect();
        doors.sort_unstable();
        let mut state = Permission::read(had);
        let of = format!("{from} {to} {person} {}", doors.join(" "));
        self.clear(&mut state.old).await.map_err(|f| repeated(f).with_left(state.handle()))?;
        if state.group.is_some() && state.of == of {
            return Ok(Receipt::accepted().with_handle(state.handle()));
        }
        let group: MadeThing = self.client.read(&self.at.add_group(&self.call.tag.0), &self.deadline).await.map_err(harmless)?;
        // Its id becomes part of paths: without one, the path would be that of all groups.
        if !uuid_like(&group.id) {
            return Err(Failure::nothing(Reason::Garbled, "a group was made and not named").with_left(state.handle()));
        }
        // The new one is thrown away with the next try, unless it comes into force.
        let mut thrown = state.clone();
        thrown.old.push(group.id.clone());
        self.call.notes.keep(&thrown.handle()).await.map_err(|f| f.with_left(thrown.handle()))?;
        let failed = |failure: Failure| failure.with_left(thrown.handle());
        let not_opened = |failure: Failure| failed(harmless(failure));
        self.client.send(&self.at.add_schedule(&group.id, from, to), &self.deadline).await.map_err(not_opened)?;
        for door in doors {
            self.client.send(&self.at.add_lock(&group.id, door), &self.deadline).await.map_err(not_opened)?;
        }
        let added = self.client.send(&self.at.add_member(&group.id, person), &self.deadline).await;
        self.not_yet(added, part(want.user.as_ref(), "site_user")).await.map_err(failed)?;
        state.old.extend(state.group.replace(group.id));
        state.of = of;
        // It is in force, whatever becomes of the note.
        self.call.notes.keep(&state.handle()).await.map_err(|f| doubtful(f).with_left(state.handle()))?;
        // What was in force before goes last: nobody stands before a closed door meanwhile.
        // What is not gone yet is noted. It is of a permission that was in force, so a revocation asks for its removal, too.
        self.clear(&mut state.old).await.map_err(|f| repeated(f).with_left(state.handle()))?;
        Ok(Receipt::accepted().with_handle(state.handle()))
    }

    async fn clear(&self, old: &mut Vec<String>) -> Result<(), Failure> {
        while let Some(group) = old.last() {
            gone(self.client.send(&self.at.remove_group(group), &self.deadline).await)?;
            old.pop();
        }
        Ok(())
    }

    /// A user who was just made is refused for a while: that is no reason to give up.
    async fn not_yet<T>(&self, done: Result<T, Failure>, user: &str) -> Result<T, Failure> {
        let failure = match done {
            Err(f) if f.effect == Effect::Refused && matches!(f.reason, Reason::NotThere | Reason::Forbidden) => f,
            other => return other,
        };
        let young = self.users().await?.into_iter().any(|u| u.id == user && u.roles.is_empty());
        Err(match young {
            true => Failure::nothing(Reason::Busy, "the cloud does not know the new user everywhere yet").with_retry_after(NOT_YET),
            false => failure,
        })
    }

    async fn put_pin(&self, spec: &CredentialSpec, had: Option<&Handle>) -> Result<Receipt, Failure> {
        let holder = part(spec.user.as_ref(), "site_user");
        let (user, uses_pin) = if had.is_none() && self.seats.take(holder, self.now) {
            (holder.to_owned(), false)
        } else {
            let user = self.user(spec.user.as_ref()).await?;
            if !user.has_seat() {
                return Err(Failure::refused(Reason::Full, "the user has no seat: a PIN would open nothing"));
            }
            (user.id, user.use_pin)
        };
        let handle = pin_handle(&user, true);
        if uses_pin && had == Some(&handle) {
            // Asking again would make another one.
            return Ok(Receipt::accepted().with_handle(handle));
        }
        // From here on she may have a PIN that nobody knows: whoever comes after a crash, or after an answer that was lost, must not take it for the guest's.
        self.call.notes.keep(&pin_handle(&user, false)).await?;
        if !uses_pin {
            let allowed = self.client.send(&self.at.allow_pin(&user, true), &self.deadline).await;
            self.not_yet(allowed, &user).await?;
        }
        let made = self.client.read::<String>(&self.at.make_pin(&user), &self.deadline).await;
        let pin = match self.not_yet(made, &user).await {
            Ok(pin) => pin,
            // She may use a PIN now, but has none that anybody knows.
            Err(f) => return Err(doubtful(f)),
        };
        if !(4..=10).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Failure::unknown(Reason::Garbled, "the PIN that was made is none"));
        }
        let mut made = Made::default();
        made.pin = Some(SecretString::from(pin));
        Ok(Receipt::accepted().with_handle(handle).with_made(made).with_needs(Needs::Nothing))
    }

    pub(super) async fn remove(&self, last: &Want, had: Option<&Handle>) -> Result<Receipt, Failure> {
        match last {
            Want::User(_) => {
                let mut ids: Vec<String> = self.tagged(&self.call.tag).await?.into_iter().map(|u| u.id).collect();
                let id = part(had, "site_user").to_owned();
                if !id.is_empty() && !ids.contains(&id) {
                    ids.push(id);
                }
                for id in ids {
                    gone(self.client.send(&self.at.remove_user(&id), &self.deadline).await)?;
                }
            }
            Want::Access(_) => {
                let mut groups: Vec<String> = Permission::read(had).all().cloned().collect();
                self.clear(&mut groups).await?;
            }
            Want::Credential(spec) if matches!(spec.body, Body::Code { .. }) => {
                let user = part(spec.user.as_ref(), "site_user");
                if !user.is_empty() {
                    gone(self.client.send(&self.at.allow_pin(user, false), &self.deadline).await)?;
                }
            }
            _ => {}
        }
        Ok(Receipt::accepted())
    }

    pub(super) async fn find(&self, want: &Want, had: Option<&Handle>) -> Result<Found, Failure> {
        match want {
            Want::User(user) => {
                let found = self.tagged(&self.call.tag).await?;
                let [one] = found.as_slice() else {
                    return Ok(if found.is_empty() {
                        Found::Absent
                    } else {
                        Found::Several(u32::try_from(found.len()).unwrap_or(u32::MAX))
                    });
                };
                let same = one.has_seat() != user.suspended && one.expires() == expiry(user);
                // Without a role yet she is on her way.
                let as_wanted = if one.roles.is_empty() && same { None } else { Some(same) };
                Ok(Found::Present(Seen::new(user_handle(one), as_wanted)))
            }
            Want::Credential(spec) if matches!(spec.body, Body::Code { .. }) => match self.user(spec.user.as_ref()).await {
                Ok(user) if user.use_pin => {
                    // Digits that were noted as to be made, and that nobody has told us, are of no use: that is not what is wanted, and they are made anew.
                    let unheard = pin_handle(&user.id, false);
                    Ok(Found::Present(match had {
                        Some(had) if *had == unheard => Seen::new(unheard, Some(false)),
                        Some(had) if *had == pin_handle(&user.id, true) => Seen::new(had.clone(), None),
                        _ => Seen::new(unheard, None),
                    }))
                }
                Ok(_) => Ok(Found::Absent),
                Err(f) if f.reason == Reason::NotThere => Ok(Found::Absent),
                Err(f) => Err(f),
            },
            _ => Ok(Found::CannotTell),
        }
    }
}

/// What the list of users shows: users, and who of them may use a PIN. Permissions are on no list.
pub(super) fn held(user: &SiteUser) -> impl Iterator<Item = Held> {
    let tag = user.alias.as_deref().and_then(|alias| alias.rsplit_once('#')).map(|(_, tag)| Tag(tag.to_owned()));
    let mut person = Held::new(Kind::User, user_handle(user), tag);
    person.name.clone_from(&user.alias);
    let pin = user.use_pin.then(|| Held::new(Kind::Code, pin_handle(&user.id, true), None));
    std::iter::once(person).chain(pin)
}

fn pin_handle(user: &str, known: bool) -> Handle {
    Handle(json!({ "site_user": user, "has": "pin", "known": known }))
}

/// Refused before anything is sent.
fn supported(spec: &CredentialSpec) -> Result<(), Failure> {
    if spec.suspended {
        return Err(Failure::unsupported("a PIN cannot be suspended; its user can"));
    }
    if spec.schedule.is_some() {
        return Err(Failure::unsupported("a PIN has no hours; permissions have"));
    }
    match &spec.body {
        Body::Code { pin: None, slot: None } | Body::CloudKey => Ok(()),
        Body::Code { .. } => Err(Failure::unsupported("Salto KS makes its PINs itself")),
        other => Err(Failure::unsupported(match other.kind() {
            Kind::Card => "tags are enrolled at a lock; how the Connect interface does that is not public",
            _ => "how the Connect interface gives mobile keys is not public",
        })),
    }
}
