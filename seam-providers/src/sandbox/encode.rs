//! Jobs at an encoder: a card is waited for, written or read.
use super::check::Checked;
use super::effect;
use super::encoder::JobOutcome;
use super::provider::SandboxProvider;
use super::report;
use super::serve::{Trip, USUAL_LIMIT, after, no_site};
use super::simulate::ScanScenario;
use super::state::{Content, SiteState, Thing};
use super::stays;
use super::world::{State, World};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::select;
use seam_core::encoder::{CardSeen, JobControl, Technology};
use seam_core::provider::{
    Call, CardPath, CredentialSpec, EncoderReport, Failure, Handle, Kind, Reason, Receipt, SystemRef, Tag, VendorEncoders, Want,
};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::Notify;

/// A job at an encoder: it is busy until the job is dropped.
struct Job<'a> {
    world: &'a World,
    site: &'a str,
    name: &'a str,
    moved: Arc<Notify>,
    outcome: JobOutcome,
    finds: Option<ScanScenario>,
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.world.change(|state, _| {
            if let Some(e) = state.sites.get_mut(self.site).and_then(|s| s.encoders.get_mut(self.name)) {
                e.busy = false;
            }
        });
    }
}

/// A card that lies on the encoder.
struct Laid {
    uid: String,
    /// It was there by itself.
    auto: bool,
}

impl<'a> Job<'a> {
    /// `writes`: our mark of the credential that is written; `None` for a scan.
    fn begin(world: &'a World, site: &'a str, name: &'a str, writes: Option<&Tag>) -> Result<Self, Failure> {
        world.change(|state, _| {
            let encoder = state.sites.get_mut(site).ok_or_else(|| no_site(site))?.encoder(name);
            let encoder = encoder.ok_or_else(|| Failure::refused(Reason::NotThere, format!("there is no encoder {name:?}")))?;
            if encoder.busy {
                return Err(Failure::nothing(Reason::Busy, "another job is at the encoder"));
            }
            encoder.busy = true;
            let queue = if writes.is_some() { &mut encoder.next_encode } else { &mut encoder.next_scan };
            let mine = queue.iter().position(|told| told.only.is_none() || told.only.as_ref() == writes);
            let told = mine.and_then(|i| queue.remove(i)).unwrap_or_else(|| JobOutcome::Success.into());
            Ok(Self { world, site, name, moved: Arc::clone(&encoder.moved), outcome: told.outcome, finds: told.finds })
        })
    }

    /// Waits until a card lies there.
    async fn card(&self, by: DateTime<Utc>, control: &JobControl) -> Result<Laid, Failure> {
        if matches!(self.outcome, JobOutcome::NoCard | JobOutcome::AttemptExpired) {
            told(self.outcome)?;
        }
        loop {
            let moved = self.moved.notified();
            if control.is_cancelled() {
                return Err(Failure::nothing(Reason::Cancelled, "the job was cancelled before a card came"));
            }
            let laid = self.world.change(|state, _| self.look(state));
            if let Some(laid) = laid? {
                return Ok(laid);
            }
            if self.world.now() >= by {
                return Err(Failure::nothing(Reason::NoCard, "no card came"));
            }
            let cancelled = control.cancelled();
            let late = self.world.clock().sleep_until(by);
            select(pin!(cancelled), select(pin!(moved), pin!(late))).await;
        }
    }

    fn look(&self, state: &mut State) -> Result<Option<Laid>, Failure> {
        let site = state.sites.get_mut(self.site).ok_or_else(|| no_site(self.site))?;
        let auto = site.config.auto_card;
        let field = site.encoders.get(self.name).map(|e| e.field.clone()).unwrap_or_default();
        match field.as_slice() {
            [] if auto => Ok(Some(Laid { uid: state.new_card(), auto: true })),
            [] => Ok(None),
            [uid] => Ok(Some(Laid { uid: uid.clone(), auto: false })),
            _ => Err(Failure::nothing(Reason::Interrupted, "more than one card lies on the encoder")),
        }
    }
}

/// How a job ends that was told to fail.
fn told(outcome: JobOutcome) -> Result<(), Failure> {
    match outcome {
        JobOutcome::Success | JobOutcome::ExpiredAfterWriting => Ok(()),
        JobOutcome::NoCard => Err(Failure::nothing(Reason::NoCard, "no card lies on the encoder")),
        JobOutcome::AttemptExpired => Err(Failure::nothing(Reason::Cancelled, "the attempt expired while a card was waited for")),
        JobOutcome::Interrupted => Err(Failure::nothing(Reason::Interrupted, "the card was taken away")),
        JobOutcome::Uncategorized => Err(Failure::refused(Reason::Other, "the encoder failed")),
        JobOutcome::Expired => Err(Failure::unknown(Reason::TimedOut, "the encoder did not answer in time")),
    }
}

#[async_trait]
impl VendorEncoders for SandboxProvider {
    async fn list(&self, system: &SystemRef) -> Result<Vec<EncoderReport>, Failure> {
        self.right_system(&system.handle)?;
        let trip = Trip::begin(&self.world, &self.site, "encoders", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| Ok(report::encoders(&site.config)));
        trip.end(answer).await
    }

    async fn encode(
        &self,
        card: &CredentialSpec,
        had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        let want = Want::Credential(card.clone());
        let checked = self.check(&want, call)?;
        if card.body.kind() != Kind::Card || checked.rules.card != Some(CardPath::VendorEncoder) {
            return Err(Failure::unsupported("the encoders of this site do not write such a thing"));
        }
        let name = at.as_text().unwrap_or_default();
        let by = control.card_by.min(after(self.world.now(), call.within));
        let trip = Trip::begin(&self.world, &self.site, "encode", call.within).await?;
        if trip.lies() {
            return trip.end(Ok(Receipt::verified().with_handle(Handle::text("card-of-nobody")))).await;
        }
        let work = async {
            let job = Job::begin(&self.world, &self.site, name, Some(&call.tag))?;
            let laid = job.card(by, control).await?;
            trip.act_all(|state, now| {
                if job.outcome == JobOutcome::Interrupted {
                    state.set_card(&laid.uid, Content::Torn, now);
                }
                told(job.outcome)?;
                let receipt = write(state, &self.site, &checked, card, had, &call.tag, &laid.uid, now)?;
                if laid.auto
                    && let Some(encoder) = state.sites.get_mut(&self.site).and_then(|s| s.encoder(name))
                {
                    encoder.tray.push(laid.uid.clone());
                }
                match job.outcome {
                    JobOutcome::ExpiredAfterWriting => Err(Failure::unknown(Reason::TimedOut, "the encoder did not answer in time")),
                    _ => Ok(receipt),
                }
            })
        };
        let answer = work.await;
        trip.end(answer).await
    }

    async fn read(&self, at: &Handle, call: &Call<'_>, control: &JobControl) -> Result<CardSeen, Failure> {
        self.right_system(&call.system.handle)?;
        let name = at.as_text().unwrap_or_default();
        let by = control.card_by.min(after(self.world.now(), call.within));
        let trip = Trip::begin(&self.world, &self.site, "read", call.within).await?;
        let work = async {
            let job = Job::begin(&self.world, &self.site, name, None)?;
            if let Some(finds) = job.finds {
                return trip.act_all(|state, _| staged(state, &self.site, finds));
            }
            let laid = job.card(by, control).await?;
            trip.act_all(|state, _| {
                told(job.outcome)?;
                let seen = seen(state, &self.site, &laid.uid);
                let encoder = state.sites.get_mut(&self.site).and_then(|s| s.encoder(name));
                let queue = encoder.map(|e| &mut e.next_scan);
                if let Some(queue) = queue
                    && let Some(mine) = queue.iter().position(|told| told.only.is_some() && told.only == seen.tag)
                {
                    told(queue.remove(mine).map_or(JobOutcome::Success, |told| told.outcome))?;
                }
                Ok(seen)
            })
        };
        let answer = work.await;
        trip.end(answer).await
    }
}

/// A scan of a card that lies nowhere, as it was told to go.
fn staged(state: &mut State, site: &str, finds: ScanScenario) -> Result<CardSeen, Failure> {
    let things = &state.sites.get(site).ok_or_else(|| no_site(site))?.things;
    let tag = finds.tag().or_else(|| {
        let cards = things.iter().filter(|(_, t)| t.kind == Kind::Card);
        cards.filter_map(|(id, t)| t.tag.clone().map(|tag| (id.clone(), tag))).max().map(|(_, tag)| tag)
    });
    let ours = tag.map(|tag| {
        let id = things.tagged(Kind::Card, &tag).into_iter().next();
        let number = id.as_ref().and_then(|id| things.get(id)).and_then(|t| t.number.clone());
        (tag, id, number)
    });
    let blank = |state: &mut State| CardSeen::new(Some(state.new_card()));
    Ok(match (finds, ours) {
        (ScanScenario::CredentialOnEncoderIsEmpty, _) => blank(state),
        (ScanScenario::CredentialExistsOnSeam(_) | ScanScenario::CredentialOnEncoderNeedsUpdate(_), Some((tag, id, number))) => {
            let mut seen = match number {
                Some(number) => CardSeen::new(Some(number)),
                None => blank(state),
            };
            seen.carries = Some(Handle::text(id.unwrap_or_else(|| tag.0.clone())));
            seen.tag = Some(tag);
            seen.as_recorded = Some(matches!(finds, ScanScenario::CredentialExistsOnSeam(_)));
            seen
        }
        _ => {
            let mut seen = blank(state);
            seen.carries = Some(Handle::text("key-of-nobody"));
            seen
        }
    })
}

fn seen(state: &State, site: &str, uid: &str) -> CardSeen {
    let mut seen = CardSeen::new(Some(uid.to_owned()));
    seen.technology = Some(Technology("sandbox".to_owned()));
    match state.cards.get(uid).map(|c| &c.content) {
        Some(Content::Key(key)) if key.site == site => {
            seen.carries = Some(Handle::text(&key.id));
            seen.tag.clone_from(&key.tag);
        }
        Some(Content::Key(_) | Content::Foreign | Content::Cancels { .. }) => seen.carries = Some(Handle::text("foreign")),
        _ => {}
    }
    if let Some(site) = state.sites.get(site)
        && let Some((id, thing)) = site.things.numbered(uid).find(|(_, t)| t.tag.is_some())
    {
        seen.carries = Some(Handle::text(id));
        seen.tag.clone_from(&thing.tag);
    }
    seen
}

/// Writes the card and puts it on record.
#[expect(clippy::too_many_arguments, reason = "a card is made of all of these")]
fn write(
    state: &mut State,
    name: &str,
    checked: &Checked,
    credential: &CredentialSpec,
    had: Option<&Handle>,
    tag: &Tag,
    uid: &str,
    now: DateTime<Utc>,
) -> Result<Receipt, Failure> {
    let content = state.cards.get(uid).map(|c| c.content.clone()).unwrap_or_default();
    let site = state.sites.get_mut(name).ok_or_else(|| no_site(name))?;
    usable(site, &content, tag, now)?;
    let id = record(site, checked, credential, had, tag, uid)?;
    if let Some(key) = site.key(&id) {
        state.set_card(uid, Content::Key(key), now);
    }
    let mut receipt = Receipt::verified().with_handle(Handle::text(id));
    receipt.made.card_number = Some(uid.to_owned());
    Ok(receipt)
}

/// Puts a card on record: what it was, and what this credential was on another card, is off the record now.
pub(super) fn record(
    site: &mut SiteState,
    checked: &Checked,
    credential: &CredentialSpec,
    had: Option<&Handle>,
    tag: &Tag,
    uid: &str,
) -> Result<String, Failure> {
    let before = effect::ids(site, Kind::Card, had, tag);
    let old = before.first().and_then(|id| site.things.get(id)).cloned();
    let (stay, numbers) = stays::numbers(site, credential, old.as_ref())?;
    let was: Vec<String> = site.things.numbered(uid).map(|(id, _)| id.clone()).chain(before).collect();
    was.iter().for_each(|id| site.set_thing(id, None));
    let id = effect::new_id(site, Kind::Card);
    let mut thing = Thing::new(Kind::Card, Some(tag.clone()), credential.holder.clone());
    (thing.window, thing.stay, thing.numbers, thing.number) = (checked.window, stay, numbers, Some(uid.to_owned()));
    thing.doors.clone_from(&checked.doors);
    thing.schedule.clone_from(&credential.schedule);
    site.set_thing(&id, Some(thing));
    Ok(id)
}

/// Staff keys and other makers' cards are never overwritten; a guest's key that is valid still only where the site lets it.
fn usable(site: &SiteState, content: &Content, tag: &Tag, now: DateTime<Utc>) -> Result<(), Failure> {
    let bad = |why: &str| Err(Failure::nothing(Reason::BadCard, why));
    match content {
        Content::Foreign => bad("the card is not of this maker"),
        Content::Key(key) if key.site == site.config.name && key.tag.as_ref() != Some(tag) && !key.window.is_over(now) => {
            if key.numbers.is_empty() {
                bad("the card is a valid staff key")
            } else if site.config.protects_cards {
                bad("the card is a valid key of somebody else")
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}
