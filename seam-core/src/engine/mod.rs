//! The engine: claims channels, makes calls, settles what they came to. One future, no spawned tasks, no `if` about access.
mod call;
mod channel;
mod desk;
mod provider;
mod settler;
mod webhook;

pub use call::{CallObserver, Fault, Outcome};
use provider::Maker;

use crate::clock::Clock;
use crate::encoder::CardEncoder;
use crate::error::Result;
use crate::model::InstanceId;
use crate::plan::Env;
use crate::provider::{HttpTransport, ProviderFactory};
use crate::state::Channel;
use crate::store::{CanServe, Store, Vault};
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How an engine works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// For how long a channel is held without being renewed. Longer than any call but an encode; those renew it.
    pub lease: Duration,
    /// How often an account is read in full: entrances, groups, encoders, what is held.
    pub scan_every: Duration,
    /// Ends that only this machine has, as `local:usb:reader-3`.
    pub local: Vec<String>,
    /// Readers of our own, by their end, as `local:usb:reader-3`: their jobs are done here. An end names one physical reader.
    pub card_encoders: BTreeMap<String, Arc<dyn CardEncoder>>,
    /// What jitter, ids and PINs are drawn from; `None`: the operating system.
    pub seed: Option<u64>,
    /// Is told what every call came to, and may make it fail.
    pub observer: Option<Arc<dyn CallObserver>>,
    /// What webhooks are delivered with; `None`: this engine delivers none, and their events wait for one that does. Give it a transport that does
    /// not connect to private addresses: the addresses of webhooks are strangers' input.
    pub webhooks: Option<Arc<dyn HttpTransport>>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            scan_every: Duration::from_secs(900),
            local: Vec::new(),
            card_encoders: BTreeMap::new(),
            seed: None,
            observer: None,
            webhooks: None,
        }
    }
}

/// Carries what is wanted to the access systems. As many engines as there are instances may share one store.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) factories: BTreeMap<String, Arc<dyn ProviderFactory>>,
    pub(crate) me: InstanceId,
    pub(crate) can: CanServe,
    pub(crate) config: EngineConfig,
    pub(crate) providers: provider::Providers,
    pub(crate) settler: settler::Settler,
    paces: channel::Paces,
    looked: webhook::Looked,
    rng: Mutex<StdRng>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("instance", &self.0.me).field("serves", &self.0.can).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over a store, with the kinds of access system that it can serve.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, vault: Vault, factories: Vec<Arc<dyn ProviderFactory>>, config: EngineConfig) -> Self {
        let mut rng = match config.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::seed_from_u64(crate::store::os_seed()),
        };
        let clock = Arc::clone(store.clock());
        let mut bytes = [0u8; 16];
        rng.fill_bytes(&mut bytes);
        let me = InstanceId::from_uuid(uuid::Builder::from_random_bytes(bytes).into_uuid());
        let factories: BTreeMap<String, Arc<dyn ProviderFactory>> = factories.into_iter().map(|f| (f.kind().to_owned(), f)).collect();
        let can = CanServe {
            kinds: factories.keys().cloned().chain([Channel::TIMER.to_owned()]).collect(),
            local: config.local.iter().chain(config.card_encoders.keys()).cloned().collect(),
            ..CanServe::default()
        };
        Self(Arc::new(Inner {
            store,
            vault,
            clock,
            factories,
            me,
            can,
            config,
            providers: provider::Providers::default(),
            settler: settler::Settler::default(),
            paces: channel::Paces::default(),
            looked: webhook::Looked::default(),
            rng: Mutex::new(rng),
        }))
    }

    /// Works until `stop` is ready, then finishes the calls that are under way and gives its channels back.
    ///
    /// A store that is away for a moment (locked, full, a server that restarts) is asked again, after half a second at first and half a minute at
    /// most: access that is to be taken away is not left standing because a database was busy.
    ///
    /// # Errors
    /// The store cannot be used any more ([`Error::is_passing`](crate::error::Error::is_passing) is false): it was closed, has to be opened anew, is
    /// corrupt. What was begun is taken up again by the next run, or by another instance. Do not let this go unseen: nothing is revoked until then.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) -> Result<()> {
        let inner = &*self.0;
        inner.providers.go_on();
        let mut stop = pin!(stop);
        let mut active = FuturesUnordered::new();
        let mut failures = 0;
        let mut paused: Option<DateTime<Utc>> = None;
        let mut broken = loop {
            let resting = paused.filter(|until| *until > inner.clock.now());
            let step = async {
                let changed = inner.store.changed();
                let (next, changed) = if let Some(until) = resting {
                    // What is under way goes on; nothing new is looked for.
                    (Some(until), Either::Left(pending()))
                } else {
                    claim_all(inner, &mut active).await?;
                    let deliver = webhook::claim_all(inner, &mut active, true).await?;
                    (inner.store.next_due(&inner.can).await?.into_iter().chain(deliver).min(), Either::Right(changed))
                };
                let idle = pin!(idle(inner, next, changed));
                if active.is_empty() {
                    idle.await;
                    return Ok(());
                }
                match select(active.next(), idle).await {
                    Either::Left((Some(result), _)) => result,
                    Either::Left((None, _)) | Either::Right(_) => Ok(()),
                }
            };
            match select(stop.as_mut(), pin!(step)).await {
                Either::Left(_) => break None,
                Either::Right((Ok(()), _)) if resting.is_none() => (failures, paused) = (0, None),
                Either::Right((Ok(()), _)) => {}
                Either::Right((Err(e), _)) if e.is_passing() => {
                    tracing::error!(error = %e, "the store does not answer; it is asked again");
                    paused = Some(inner.clock.now() + patience(failures));
                    failures += 1;
                }
                Either::Right((Err(e), _)) => break Some(e),
            }
        };
        // What is under way is finished; nothing new is begun. A call that is dropped half-way would be an unknown outcome for nothing.
        inner.providers.stop();
        while let Some(result) = active.next().await {
            broken = broken.or(result.err().filter(|e| !e.is_passing()));
        }
        broken.map_or(Ok(()), Err)
    }

    /// Does everything that is due now, and gives the instant at which something is due next; `None` when nothing is.
    ///
    /// For schedulers, tests and replays: `run` is this in a loop.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn round(&self) -> Result<Option<DateTime<Utc>>> {
        let inner = &*self.0;
        inner.providers.go_on();
        let mut active = FuturesUnordered::new();
        loop {
            claim_all(inner, &mut active).await?;
            let deliver = webhook::claim_all(inner, &mut active, false).await?;
            match active.next().await {
                Some(result) => result?,
                None => return Ok(inner.store.next_due(&inner.can).await?.into_iter().chain(deliver).min()),
            }
        }
    }
}

/// Takes every channel that has something due.
async fn claim_all<'i>(inner: &'i Inner, active: &mut FuturesUnordered<Work<'i>>) -> Result<()> {
    while let Some(lease) = inner.store.claim(inner.me, &inner.can, inner.config.lease).await? {
        active.push(Box::pin(channel::work(inner, lease)));
    }
    Ok(())
}

/// The work on one channel.
type Work<'i> = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + 'i>>;

/// How long a store that does not answer is left alone.
fn patience(failures: u32) -> chrono::Duration {
    chrono::Duration::milliseconds(500 << failures.min(6))
}

/// Until the next instant at which something is due, or something was committed.
async fn idle(inner: &Inner, next: Option<DateTime<Utc>>, changed: impl Future<Output = ()>) {
    let changed = pin!(changed);
    match next {
        Some(at) => {
            let _ = select(changed, pin!(inner.clock.sleep_until(at))).await;
        }
        None => changed.await,
    }
}

impl Inner {
    /// The surroundings of one decision of the engine.
    pub(crate) fn env(&self, workspace: crate::model::WorkspaceId, seed: u64, attempt: u32) -> Env {
        self.maker().env(workspace, seed, attempt)
    }
    pub(crate) fn seed(&self) -> u64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
