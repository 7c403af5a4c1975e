//! Deliveries of webhooks: one more consumer of the outbox. Who has the channel of an endpoint sends to it; what is sent next and what an answer means
//! is decided in [`plan::webhook`].
use super::{Inner, Work};
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::plan::webhook::course::{AT_ONCE, Answer, Course, Sending, due};
use crate::plan::webhook::{SECRET, message, settle};
use crate::plan::{self, Stop};
use crate::provider::{Failure, HttpTransport, Reason};
use crate::state::*;
use crate::store::perform::{Performed, perform};
use crate::store::{CanServe, Lease, Step, stream};
use crate::view;
use chrono::{DateTime, Duration, Utc};
use futures_util::future::{Either, FusedFuture, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Instrument;

/// Under load the endpoints are looked at so often.
const PAUSE: Duration = Duration::milliseconds(100);
/// For how long an endpoint is left alone that cannot be worked on: its row does not decode, its secret does not open.
const REST: Duration = Duration::minutes(1);
/// Events that are read at once.
const CHUNK: usize = 128;
/// So many deliveries move the cursor once.
const ACK: u64 = 32;

/// When the endpoints were looked at, and which are left alone for a while.
#[derive(Debug, Default)]
pub(super) struct Looked(Mutex<Looks>);

/// The last look, and until when which are left alone.
#[derive(Debug, Default)]
struct Looks {
    last: Option<DateTime<Utc>>,
    rest: BTreeMap<RowId, DateTime<Utc>>,
}

impl Looked {
    /// Says that they are looked at now; or else, when they are to be.
    fn begin(&self, now: DateTime<Utc>) -> std::result::Result<(), DateTime<Utc>> {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match looked.last.map(|at| at + PAUSE) {
            Some(again) if again > now => Err(again),
            _ => {
                looked.last = Some(now);
                looked.rest.retain(|_, until| *until > now);
                Ok(())
            }
        }
    }
    fn rests_until(&self, id: RowId) -> Option<DateTime<Utc>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rest.get(&id).copied()
    }
    fn rest(&self, id: RowId, until: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rest.insert(id, until);
    }
}

/// Takes every endpoint that has something to be sent, and says when to look again if nothing is committed before. `patiently`: not more often than
/// every tenth of a second.
pub(super) async fn claim_all<'i>(
    inner: &'i Inner,
    active: &mut FuturesUnordered<Work<'i>>,
    patiently: bool,
) -> Result<Option<DateTime<Utc>>> {
    let Some(transport) = &inner.config.webhooks else { return Ok(None) };
    let now = inner.clock.now();
    match inner.looked.begin(now) {
        Err(again) if patiently => return Ok(Some(again)),
        _ => {}
    }
    let mut next: Option<DateTime<Utc>> = None;
    let mut held = Vec::new();
    for row in inner.store.webhooks().await? {
        let Body::Webhook(webhook) = &row.body else { continue };
        let workspace = row.workspace;
        let behind = webhook.is_active() && {
            let place = stream::of_webhook(&*inner.store, workspace, row.id, webhook).await?;
            !inner.store.events(workspace, place, 1).await?.is_empty()
        };
        let rests = inner.looked.rests_until(row.id);
        let Some(at) = due(webhook, behind, now).map(|at| rests.map_or(at, |until| until.max(at))) else { continue };
        if at > now {
            next = Some(next.map_or(at, |next| next.min(at)));
            continue;
        }
        let channel = Channel::webhook(row.id);
        match inner.store.claim(inner.me, &CanServe::only([channel.clone()]), inner.config.lease).await? {
            Some(lease) => active.push(Box::pin(work(inner, transport, lease, workspace, row.id))),
            None => held.push(channel),
        }
    }
    if !held.is_empty() {
        // Whoever has it goes on with it; if that is the end of it, its lease runs out.
        let freed = inner.store.next_due(&CanServe::only(held)).await?;
        next = next.into_iter().chain(freed).min();
    }
    Ok(next)
}

/// Sends what is to be sent to one endpoint, then gives it back.
async fn work(inner: &Inner, transport: &Arc<dyn HttpTransport>, lease: Lease, workspace: WorkspaceId, id: RowId) -> Result<()> {
    let span = tracing::info_span!("seam.webhook", workspace = %workspace, webhook = %id);
    match (Endpoint { inner, transport, lease: &lease, workspace, id }).serve().instrument(span.clone()).await {
        Ok(()) => {}
        Err(e) if e.is_passing() => return Err(e),
        Err(e) => {
            span.in_scope(|| tracing::error!(error = %e, "the endpoint cannot be served; it is left alone for a minute"));
            inner.looked.rest(id, inner.clock.now() + REST);
        }
    }
    inner.store.release(&lease).await
}

struct Endpoint<'a> {
    inner: &'a Inner,
    transport: &'a Arc<dyn HttpTransport>,
    lease: &'a Lease,
    workspace: WorkspaceId,
    id: RowId,
}

/// Where events are sent, and what they are signed with.
struct Wire {
    url: String,
    secret: SecretString,
    /// Secrets that sign beside it, each until an instant.
    old: Vec<(SecretString, DateTime<Utc>)>,
}

impl Endpoint<'_> {
    async fn serve(&self) -> Result<()> {
        let (inner, store) = (self.inner, &*self.inner.store);
        let mut changed = store.changed().fuse();
        let Some(mut row) = self.row().await? else { return Ok(()) };
        let mut wire = Arc::new(self.wire(&row)?);
        let place = stream::of_webhook(store, self.workspace, self.id, &row).await?;
        let mut course = Course::new(&row, place);
        let third = Duration::from_std(inner.config.lease / 3).unwrap_or(Duration::seconds(20));
        let mut renew_at = inner.clock.now() + third;
        let mut active = FuturesUnordered::new();
        let mut over = false;
        loop {
            if changed.is_terminated() || (&mut changed).now_or_never().is_some() {
                changed = store.changed().fuse();
                match self.row().await? {
                    Some(now) if now.touched != row.touched => {
                        over |= !course.follow(&now);
                        if !over {
                            (wire, row) = (Arc::new(self.wire(&now)?), now);
                        }
                    }
                    Some(_) => {}
                    None => over = true,
                }
            }
            if inner.clock.now() >= renew_at {
                if store.due(self.lease, inner.config.lease, 1).await?.is_none() {
                    while active.next().await.is_some() {}
                    return Ok(());
                }
                renew_at = inner.clock.now() + third;
            }
            if !over && !inner.providers.stopping() {
                self.fill(&mut course).await?;
                while active.len() < AT_ONCE
                    && let Some(sending) = course.begin(inner.clock.now())
                {
                    active.push(self.deliver(Arc::clone(&wire), sending));
                }
            }
            let idle = active.is_empty();
            let keep = course.must_write() || course.unacked() >= ACK || (idle && (course.unacked() > 0 || course.differs()));
            if keep && !self.keep(&mut course).await? {
                // It was deleted or replayed, or somebody else has it: what is under way ends, and is not counted.
                while active.next().await.is_some() {}
                return Ok(());
            }
            if idle {
                return Ok(());
            }
            let room = active.len() < AT_ONCE && !over && course.reads_after().is_some() && !inner.providers.stopping();
            let news = pin!(async {
                if room {
                    (&mut changed).await;
                } else {
                    pending::<()>().await;
                }
            });
            if let Either::Left((Some((sent, answer)), _)) =
                select(active.next(), select(news, pin!(inner.clock.sleep_until(renew_at)))).await
            {
                course.ended(&sent, answer, inner.clock.now());
            }
        }
    }

    /// The row, while there is something to be sent.
    async fn row(&self) -> Result<Option<Webhook>> {
        let reads = ReadSet { rows: BTreeSet::from([self.id]), ..ReadSet::default() };
        let facts = self.inner.store.read(self.workspace, &reads).await?;
        Ok(match facts.rows.get(&self.id).and_then(Option::as_ref).map(|row| &row.body) {
            Some(Body::Webhook(webhook)) if webhook.is_active() => Some(webhook.clone()),
            _ => None,
        })
    }

    fn wire(&self, row: &Webhook) -> Result<Wire> {
        let open = |sealed: &Sealed| self.inner.vault.open(self.workspace, self.id, SECRET, sealed);
        let old = row.old_secrets.iter().map(|old| Ok((open(&old.secret)?, old.until))).collect::<Result<_>>()?;
        Ok(Wire { url: row.url.clone(), secret: open(&row.secret)?, old })
    }

    /// Reads what may be sent next.
    async fn fill(&self, course: &mut Course) -> Result<()> {
        let store = &*self.inner.store;
        while let Some(after) = course.reads_after() {
            let events = store.events(self.workspace, after, CHUNK).await?;
            let is_end = events.len() < CHUNK;
            course.take_in(events);
            if is_end {
                break;
            }
        }
        while let Some((key, after)) = course.seeks(self.inner.clock.now()) {
            course.found(key, store.events(self.workspace, after, CHUNK).await?);
        }
        Ok(())
    }

    /// Sends one event.
    async fn deliver(&self, wire: Arc<Wire>, sending: Sending) -> (Sending, Answer) {
        let stored = &*sending.event;
        let span =
            tracing::info_span!("seam.delivery", event = %stored.event.id, attempt = sending.attempt, status = tracing::field::Empty);
        let answer = self.sent(&wire, stored).instrument(span.clone()).await;
        let _in = span.enter();
        match &answer {
            Answer::Delivered => tracing::debug!("delivered"),
            Answer::Failed { status, message, .. } => {
                span.record("status", status);
                tracing::info!(message = %message, "not delivered");
            }
        }
        drop(_in);
        (sending, answer)
    }

    async fn sent(&self, wire: &Wire, stored: &StoredEvent) -> Answer {
        let clock = &self.inner.clock;
        let now = clock.now();
        let old = wire.old.iter().filter(|(_, until)| *until > now).map(|(secret, _)| secret);
        let secrets: Vec<&SecretString> = std::iter::once(&wire.secret).chain(old).collect();
        let id = stored.event.id.to_string();
        let built = serde_json::to_vec(&view::event_in(self.workspace, stored)).map_err(|e| e.to_string());
        let built = built.and_then(|body| message::request(&wire.url, &secrets, &id, now, body).map_err(|e| e.to_string()));
        let answer = match built {
            Ok(request) => {
                // The transport keeps the limit by closing the connection; this is for one that does not.
                let late = now + Duration::from_std(message::WITHIN).unwrap_or_default() + Duration::seconds(5);
                match select(self.transport.send(request), pin!(clock.sleep_until(late))).await {
                    Either::Left((answer, _)) => answer,
                    Either::Right(_) => Err(Failure::unknown(Reason::TimedOut, "the endpoint did not answer in time")),
                }
            }
            Err(e) => Err(Failure::refused(Reason::Invalid, e)),
        };
        message::judge(&answer, clock.now())
    }

    /// Writes how far it has come: what stands in lines first, then the cursor that passes over it. `false`: it is somebody else's by now.
    async fn keep(&self, course: &mut Course) -> Result<bool> {
        let (inner, store) = (self.inner, &*self.inner.store);
        if course.differs() {
            let (id, channel, fence) = (self.id, self.lease.channel.clone(), self.lease.fence);
            let progress = course.progress();
            let (maker, workspace, seed, write) = (inner.maker(), self.workspace, inner.seed(), progress.clone());
            let done = perform(store, workspace, move |facts, attempt| {
                let mut d = plan::Draft::new(maker.env(workspace, seed, attempt), facts);
                match settle(&mut d, id, &write) {
                    Ok(true) => {
                        let mut changeset = d.finish("engine.webhook", Some(id));
                        changeset.only_if.push(OnlyIf::Fence { channel: channel.clone(), fence });
                        Ok((Step::Done(Box::new(changeset)), Some(true)))
                    }
                    Ok(false) => Ok((Step::Nothing, Some(false))),
                    Err(Stop::Need(reads)) => Ok((Step::Need(*reads), None)),
                    Err(Stop::Reject(e)) => Err(e),
                }
            })
            .await?;
            match done {
                Performed::Done(true) => course.written(progress),
                Performed::Done(false) | Performed::FenceLost => return Ok(false),
            }
        }
        if course.unacked() > 0 {
            // A cursor knows no fence: it is moved only by whoever surely has the channel for a while.
            if store.due(self.lease, inner.config.lease, 1).await?.is_none() {
                return Ok(false);
            }
            let upto = course.done();
            store.ack(self.workspace, &course.consumer(self.id), upto).await?;
            course.acked(upto);
        }
        Ok(true)
    }
}
