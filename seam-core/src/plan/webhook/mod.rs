//! Webhooks: made, changed, parked, taken up again; what is sent next, and what an answer means.
mod ask;
pub(crate) mod course;
pub(crate) mod message;
mod url;

pub use ask::{NewWebhook, WebhookChange};

/// Whether a text is taken for the address of a webhook.
#[cfg(feature = "fuzzing")]
pub(crate) fn is_address(text: &str) -> bool {
    url::check("url", text).is_ok()
}

/// The request that delivers a body, signed with this secret.
#[cfg(feature = "fuzzing")]
pub(crate) fn delivery(secret: &str, id: &str, at: chrono::DateTime<chrono::Utc>, body: &[u8]) -> Option<crate::provider::HttpRequest> {
    message::request("https://receiver.example/", &[&secrecy::SecretString::from(secret)], id, at, body.to_vec()).ok()
}

/// The pause that an endpoint asks for with this header.
#[cfg(feature = "fuzzing")]
pub(crate) fn pause(retry_after: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let answer = crate::provider::HttpResponse::new(503).with_header("retry-after", retry_after);
    match message::judge(&Ok(answer), now) {
        course::Answer::Failed { retry_after, .. } => retry_after,
        course::Answer::Delivered => None,
    }
}

use super::change::Outcome;
use super::draft::{Draft, Env};
use super::read::Try;
use super::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EventType, WebhookId};
use crate::state::*;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::Duration;
use rand::Rng;
use zeroize::Zeroizing;

/// The field under which a secret is sealed, the present one and those before it.
pub(crate) const SECRET: &str = "webhook_secret";
/// Types of one subscription.
const MAX_TYPES: usize = 200;
/// Webhooks of one workspace.
const MAX_WEBHOOKS: usize = 100;
/// Secrets that still sign beside the present one.
const MAX_OLD: usize = 4;
/// The longest time that an old secret signs.
const MAX_OVERLAP: Duration = Duration::days(30);

pub(super) fn change(d: &mut Draft<'_>, change: &WebhookChange) -> Try<Outcome> {
    match change {
        WebhookChange::Create(new) => create(d, new),
        WebhookChange::Update { webhook, event_types } => update(d, *webhook, event_types),
        WebhookChange::Delete { webhook } => delete(d, *webhook),
        WebhookChange::RotateSecret { webhook, overlap_seconds } => rotate(d, *webhook, *overlap_seconds),
        WebhookChange::Resume { webhook } => resume(d, *webhook),
        WebhookChange::Replay { webhook, after } => replay(d, *webhook, *after),
    }
}

/// Makes a webhook. It is told what is recorded from now on.
///
/// # Errors
/// `InvalidInput` for the address or the types (`invalid_event_types`); `Exhausted` when the workspace has as many as it may.
fn create(d: &mut Draft<'_>, new: &NewWebhook) -> Try<Outcome> {
    url::check("url", &new.url)?;
    let event_types = types(&new.event_types)?;
    if d.find(&webhooks_key())?.len() >= MAX_WEBHOOKS {
        let text = format!("a workspace has at most {MAX_WEBHOOKS} webhooks");
        return Err(Error::new(ErrorKind::Exhausted, "too_many_webhooks", text).into());
    }
    let id = WebhookId::from_uuid(d.env.mint());
    let webhook = Webhook {
        url: new.url.clone(),
        event_types,
        secret: new_secret(&mut d.env, id)?,
        old_secrets: Vec::new(),
        replays: 0,
        begins_after: new.after,
        touched: 0,
        lines: Vec::new(),
        parked: None,
        delivered_at: None,
        failure: None,
        created_at: d.now(),
        deleted_at: None,
    };
    d.set(id, webhook);
    Ok(Outcome::Webhook(id))
}

/// The types of a subscription, each once.
fn types(asked: &[EventType]) -> Result<Vec<EventType>> {
    let wrong = |message: String| Error::new(ErrorKind::InvalidInput, "invalid_event_types", message).with_field("event_types");
    validate::at_most("event_types", asked.len(), MAX_TYPES)?;
    if asked.is_empty() {
        return Err(wrong("name at least one type, or `*` for all".to_owned()));
    }
    let mut types: Vec<EventType> = Vec::with_capacity(asked.len());
    for (i, t) in asked.iter().enumerate() {
        if *t != EventType::ANY && !EventType::ALL.contains(t) {
            return Err(wrong("there is no event of this type".to_owned()).with_context("index", i).with_context("event_type", t));
        }
        if !types.contains(t) {
            types.push(t.clone());
        }
    }
    Ok(types)
}

/// 32 bytes as `whsec_` and base64, sealed. Derived from a random number by the store's own key, so that guessing the state of the generator that
/// ids are drawn from is of no use.
fn new_secret(env: &mut Env, id: WebhookId) -> Result<Sealed> {
    let mut random = Zeroizing::new([0u8; 32]);
    env.rng().fill_bytes(&mut *random);
    let key = env.vault.derive(env.workspace, "webhook", id.uuid(), &*random);
    let text = Zeroizing::new(format!("whsec_{}", BASE64_STANDARD.encode(*key)));
    env.seal(id.uuid(), SECRET, &text)
}

/// A webhook that was not deleted.
fn living(d: &Draft<'_>, id: WebhookId) -> Try<Webhook> {
    let webhook = d.get::<Webhook>(id)?;
    if webhook.deleted_at.is_some() {
        return Err(Error::not_found("webhook", id).into());
    }
    Ok(webhook)
}

/// Writes what a person changed, so that an engine at work notices.
fn write(d: &mut Draft<'_>, id: WebhookId, mut webhook: Webhook) -> Outcome {
    webhook.touched = webhook.touched.wrapping_add(1);
    d.set(id, webhook);
    Outcome::Webhook(id)
}

fn update(d: &mut Draft<'_>, id: WebhookId, event_types: &[EventType]) -> Try<Outcome> {
    let mut webhook = living(d, id)?;
    webhook.event_types = types(event_types)?;
    Ok(write(d, id, webhook))
}

fn delete(d: &mut Draft<'_>, id: WebhookId) -> Try<Outcome> {
    let mut webhook = living(d, id)?;
    webhook.deleted_at = Some(d.now());
    webhook.lines.clear();
    webhook.old_secrets.clear();
    write(d, id, webhook);
    Ok(Outcome::Done)
}

/// # Errors
/// `NotFound`; `InvalidInput` for the overlap; `Conflict` (`too_many_secrets`) when four old secrets still sign: dropping one would break whoever
/// verifies with it.
fn rotate(d: &mut Draft<'_>, id: WebhookId, overlap_seconds: u32) -> Try<Outcome> {
    let mut webhook = living(d, id)?;
    let overlap = Duration::seconds(i64::from(overlap_seconds));
    if overlap > MAX_OVERLAP {
        return Err(Error::invalid("overlap", "an old secret signs for 30 days at most").into());
    }
    let now = d.now();
    webhook.old_secrets.retain(|old| old.until > now);
    if webhook.old_secrets.len() >= MAX_OLD {
        let text = format!("{MAX_OLD} old secrets still sign; wait until one of them has ended");
        return Err(Error::new(ErrorKind::Conflict, "too_many_secrets", text).into());
    }
    let new = new_secret(&mut d.env, id)?;
    let old = std::mem::replace(&mut webhook.secret, new);
    if overlap > Duration::zero() {
        webhook.old_secrets.insert(0, OldSecret { secret: old, until: now + overlap });
    }
    Ok(write(d, id, webhook))
}

fn resume(d: &mut Draft<'_>, id: WebhookId) -> Try<Outcome> {
    let mut webhook = living(d, id)?;
    let now = d.now();
    let was_parked = webhook.parked.take().is_some();
    for line in webhook.lines.iter_mut().filter(|line| was_parked || line.due_at.is_none()) {
        line.attempts = 0;
        line.failed_at = now;
        line.due_at = Some(now);
    }
    Ok(write(d, id, webhook))
}

fn replay(d: &mut Draft<'_>, id: WebhookId, after: u64) -> Try<Outcome> {
    let mut webhook = living(d, id)?;
    webhook.replays = webhook.replays.wrapping_add(1);
    webhook.begins_after = Some(after);
    webhook.lines.clear();
    webhook.parked = None;
    Ok(write(d, id, webhook))
}

/// Writes how far an engine has come. `false`: the webhook was deleted or replayed meanwhile, and nothing is written.
pub(crate) fn settle(d: &mut Draft<'_>, id: RowId, progress: &course::Progress) -> Try<bool> {
    let mut webhook = d.get::<Webhook>(id)?;
    if webhook.deleted_at.is_some() || webhook.replays != progress.replays {
        return Ok(false);
    }
    webhook.lines = progress.lines(&webhook.lines);
    webhook.parked.clone_from(&progress.parked);
    webhook.delivered_at = progress.delivered_at.max(webhook.delivered_at);
    webhook.failure.clone_from(&progress.failure);
    d.set(id, webhook);
    Ok(true)
}
