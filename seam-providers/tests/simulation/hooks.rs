//! Endpoints of webhooks: what is told reaches them (L5), in the order of each person, and not once they are deleted.
//!
//! The network loses, refuses, delays and takes without saying so; instances die in the middle of a request. The endpoint knows nothing of cursors and
//! lines: it only keeps what it took, and judges every request by that.
use crate::clock::SimClock;
use crate::exec::at_once;
use crate::faults::Faults;
use crate::house::{Check, House};
use crate::rng::Rng;
use crate::script::refusal;
use crate::watch::Watch;
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use seam_core::clock::Clock;
use seam_core::model::{EventId, WebhookId, WorkspaceId};
use seam_core::plan::{Change, NewWebhook, Outcome, WebhookChange};
use seam_core::provider::{Failure, HttpRequest, HttpResponse, HttpTransport, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Instant = DateTime<Utc>;

/// For how long an engine may not have heard that an endpoint was deleted: a lease, and the slowest answer of the store.
const UNHEARD: Duration = Duration::seconds(90);
/// Longer than any time between two tries.
const TRIED_AGAIN: Duration = Duration::hours(11);

/// One seed in four has endpoints.
pub(crate) fn has_some(seed: u64) -> bool {
    seed % 4 == 3
}

/// An endpoint, by its address.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    workspace: WorkspaceId,
    /// How many events there were before the first that it is to be told.
    begins: usize,
    deleted: Option<Instant>,
    /// What it took.
    taken: BTreeSet<EventId>,
}

/// What endpoints know.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    pub(crate) by_url: BTreeMap<String, Hook>,
    /// The place of each event in its stream.
    places: BTreeMap<EventId, usize>,
    /// Requests.
    pub(crate) sent: u64,
}

impl Hooks {
    /// Something was told.
    pub(crate) fn told(&mut self, id: EventId, place: usize) {
        self.places.insert(id, place);
    }
}

impl Watch {
    /// A request begins: what is wrong with it.
    fn is_posted(&mut self, request: &HttpRequest, now: Instant) -> Result<(String, EventId), String> {
        let body: serde_json::Value = serde_json::from_slice(&request.body).map_err(|e| format!("L5: a webhook without JSON: {e}"))?;
        let id = body["event_id"].as_str().and_then(|id| id.parse::<EventId>().ok()).ok_or("L5: a webhook without an event")?;
        let text = String::from_utf8_lossy(&request.body);
        if let Some(word) = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| self.canaries.contains(*word)) {
            return Err(format!("S14: the PIN {word} was sent to an endpoint"));
        }
        if !["svix-id", "svix-signature"]
            .iter()
            .all(|name| request.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && !v.is_empty()))
        {
            return Err("L5: a webhook is not signed".to_owned());
        }
        self.hooks.sent += 1;
        let hook = self.hooks.by_url.get(&request.url).ok_or_else(|| format!("S10: {} is nobody's address", request.url))?;
        let told = self.told.get(&hook.workspace).map(Vec::as_slice).unwrap_or_default();
        let place = *self.hooks.places.get(&id).ok_or_else(|| format!("L5: event {id} was sent and never told"))?;
        let Some(event) = told.get(place).filter(|event| event.id == id) else {
            return Err(format!("S10: event {id} was sent to another tenant"));
        };
        if place < hook.begins {
            return Err(format!("L5: event {id} is older than the endpoint"));
        }
        if hook.deleted.is_some_and(|at| now > at + UNHEARD) {
            return Err(format!("L5: event {id} was sent to an endpoint that was deleted long before"));
        }
        if !hook.taken.contains(&id)
            && let Some(before) = told[hook.begins..place].iter().find(|e| e.order_key == event.order_key && !hook.taken.contains(&e.id))
        {
            return Err(format!("L5: event {id} overtook {} of the same person", before.id));
        }
        Ok((request.url.clone(), id))
    }

    fn takes(&mut self, url: &str, id: EventId) {
        if let Some(hook) = self.hooks.by_url.get_mut(url) {
            hook.taken.insert(id);
        }
    }
}

/// The network, as one instance reaches it.
pub(crate) struct Post {
    pub(crate) who: usize,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) faults: Faults,
    pub(crate) watch: Arc<Mutex<Watch>>,
    pub(crate) rng: Mutex<Rng>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("who", &self.who).finish_non_exhaustive()
    }
}

enum Way {
    Arrives,
    Late(i64),
    /// It arrives, and the answer does not.
    Unanswered,
    Lost,
    Refused(u16),
    Unreachable,
    /// The instance dies before it arrives, or after.
    Dies(bool),
}

impl Post {
    fn way(&self) -> Way {
        let (on, call, crash) = {
            let p = self.faults.plan();
            if p.dead.contains(&self.who) {
                return Way::Dies(false);
            }
            (p.on, p.call, p.crash)
        };
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        if on && rng.in_1000(crash) {
            return Way::Dies(rng.below(2) == 0);
        }
        if !on || !rng.in_1000(call) {
            return if rng.in_1000(100) { Way::Late(rng.between(1, 9000)) } else { Way::Arrives };
        }
        match rng.below(8) {
            0 | 1 => Way::Unanswered,
            2 => Way::Lost,
            3 => Way::Unreachable,
            4 => Way::Refused(410),
            5 => Way::Refused(429),
            _ => Way::Refused(503),
        }
    }

    async fn wait(&self, time: Duration) {
        self.clock.sleep_until(self.clock.now() + time).await;
    }
}

#[async_trait]
impl HttpTransport for Post {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let way = self.way();
        let (url, id) = {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            match watch.is_posted(&request, now) {
                Ok(which) => which,
                Err(wrong) => {
                    watch.wrong.push(wrong);
                    return Ok(HttpResponse::new(500));
                }
            }
        };
        let takes = || self.watch.lock().unwrap_or_else(PoisonError::into_inner).takes(&url, id);
        if !matches!(way, Way::Arrives | Way::Late(_)) {
            self.faults.plan().count += 1;
        }
        let within = Duration::from_std(request.within).unwrap_or_default();
        match way {
            Way::Arrives => {}
            Way::Late(millis) => self.wait(Duration::milliseconds(millis)).await,
            Way::Unanswered => {
                takes();
                self.wait(within).await;
                return Err(Failure::unknown(Reason::TimedOut, "no answer in time"));
            }
            Way::Lost => {
                self.wait(within).await;
                return Err(Failure::unknown(Reason::TimedOut, "no answer in time"));
            }
            Way::Refused(429) => return Ok(HttpResponse::new(429).with_header("retry-after", "40")),
            Way::Refused(status) => return Ok(HttpResponse::new(status)),
            Way::Unreachable => return Err(Failure::nothing(Reason::Offline, "connection refused")),
            Way::Dies(arrives) => {
                if arrives {
                    takes();
                }
                self.faults.plan().dead.insert(self.who);
                std::future::pending::<()>().await;
            }
        }
        takes();
        Ok(HttpResponse::new(200))
    }
}

/// An endpoint as the script knows it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    tenant: usize,
    id: WebhookId,
    url: String,
}

impl House {
    /// Somebody wants to be told, or no more, or again.
    pub(crate) fn hook(&mut self) -> Check {
        if !has_some(self.setup.seed) || self.setup.disk {
            return Ok(());
        }
        let living = self.hooks.len();
        match self.hook_rng.below(12) {
            _ if living == 0 => self.make_hook(),
            0 if living < 4 => self.make_hook(),
            1 => {
                let i = self.hook_rng.below(living);
                let known = self.hooks.remove(i);
                let change = WebhookChange::Delete { webhook: known.id };
                let gone = self.ask_hook(known.tenant, change)?;
                let now = self.exec.now();
                if gone.is_some()
                    && let Some(hook) = self.watch().hooks.by_url.get_mut(&known.url)
                {
                    hook.deleted = Some(now);
                }
                Ok(())
            }
            2 => self.each_hook(|webhook| WebhookChange::Resume { webhook }),
            3 => self.each_hook(|webhook| WebhookChange::RotateSecret { webhook, overlap_seconds: 60 }),
            4 => {
                // Everything that it was ever to be told, once more.
                let i = self.hook_rng.below(living);
                let known = self.hooks[i].clone();
                let begins = self.watch().hooks.by_url.get(&known.url).map_or(0, |hook| hook.begins);
                self.ask_hook(known.tenant, WebhookChange::Replay { webhook: known.id, after: begins as u64 }).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn make_hook(&mut self) -> Check {
        let tenant = self.hook_rng.below(self.tenants.len());
        let workspace = self.tenants[tenant].ws.id();
        self.made_hooks += 1;
        let url = format!("https://endpoint.example/{}", self.made_hooks);
        let begins = self.watch().told.get(&workspace).map_or(0, Vec::len);
        // Known before it is answered: the first event may come before the answer.
        let hook = Hook { workspace, begins, deleted: None, taken: BTreeSet::new() };
        self.watch().hooks.by_url.insert(url.clone(), hook);
        let new = NewWebhook::builder().url(url.as_str()).after(begins as u64).build();
        match self.ask_hook(tenant, WebhookChange::Create(new))? {
            Some(Outcome::Webhook(id)) => self.hooks.push(Known { tenant, id, url }),
            got => return Err(format!("M1: a webhook was not made: {got:?}")),
        }
        Ok(())
    }

    fn each_hook(&mut self, change: impl Fn(WebhookId) -> WebhookChange) -> Check {
        for known in self.hooks.clone() {
            self.ask_hook(known.tenant, change(known.id))?;
        }
        Ok(())
    }

    fn ask_hook(&mut self, tenant: usize, change: WebhookChange) -> Result<Option<Outcome>, String> {
        let change = Change::Webhook(change);
        let got = self.ask(tenant, &change)?;
        self.log(|| format!("{}: {:?}", change.name(), got.as_ref().err()));
        match got {
            Ok(outcome) => Ok(Some(outcome)),
            Err(e) => refusal(&e).map(|()| None),
        }
    }

    /// L5: once the network works and what was parked is taken up, everything has arrived.
    pub(crate) fn all_arrived(&mut self) -> Check {
        if self.hooks.is_empty() {
            return Ok(());
        }
        self.each_hook(|webhook| WebhookChange::Resume { webhook })?;
        self.run_for(TRIED_AGAIN)?;
        for known in &self.hooks {
            let watch = self.watch();
            let Some(hook) = watch.hooks.by_url.get(&known.url) else { continue };
            let told = watch.told.get(&hook.workspace).map(Vec::as_slice).unwrap_or_default();
            let missing: Vec<_> = told.iter().skip(hook.begins).filter(|event| !hook.taken.contains(&event.id)).collect();
            let Some(first) = missing.first() else { continue };
            let (count, text) = (missing.len(), format!("{} {}", first.event_type, first.id));
            drop(watch);
            let state = at_once(self.tenants[known.tenant].ws.webhooks().state(known.id)).map_err(|e| e.to_string())?;
            return Err(format!("L5: {count} events never reached {}, the first is {text}: {state:?}", known.url));
        }
        Ok(())
    }
}
