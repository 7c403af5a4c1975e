//! Opened providers, by account and revision of its settings; what a provider may keep.
use super::Inner;
use crate::error::{Error, Result};
use crate::model::{ConnectedAccountId, WorkspaceId};
use crate::plan::Env;
use crate::provider::{AccessSystemProvider, Failure, Handle, Memo, Notes, ProviderEnv, Reason};
use crate::state::*;
use crate::store::perform::{Performed, perform};
use crate::store::{Step, Store, Vault};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

type Opened = (u64, Arc<dyn AccessSystemProvider>);

/// Providers that are open.
#[derive(Default)]
pub(crate) struct Providers {
    open: Mutex<BTreeMap<ConnectedAccountId, Opened>>,
    stopping: AtomicBool,
}

impl Providers {
    pub(super) fn go_on(&self) {
        self.stopping.store(false, Ordering::SeqCst);
    }
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The provider of an account, opened anew when its settings have changed. Opening makes no call.
    pub(super) async fn get(
        &self,
        inner: &Inner,
        workspace: WorkspaceId,
        id: ConnectedAccountId,
    ) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
        let gone = |m: &str| Failure::nothing(Reason::Other, m);
        let reads = ReadSet { rows: BTreeSet::from([id.uuid()]), ..ReadSet::default() };
        let facts = inner.store.read(workspace, &reads).await.map_err(|e| gone(&e.to_string()))?;
        let Some(Some(row)) = facts.rows.get(&id.uuid()) else { return Err(gone("the account is gone")) };
        let Body::Account(account) = &row.body else { return Err(gone("the account is gone")) };
        if let Some((rev, provider)) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&id)
            && *rev == account.settings_rev
        {
            return Ok(Arc::clone(provider));
        }
        let factory = inner.factories.get(&account.kind).ok_or_else(|| gone("this instance does not serve the account's kind"))?;
        let settings = inner
            .vault
            .open(workspace, id.uuid(), "settings", &account.settings)
            .map_err(|e| Failure::refused(Reason::Invalid, e.to_string()))?;
        let memo = AccountMemo { store: Arc::clone(&inner.store), vault: inner.vault.clone(), workspace, account: id, seed: inner.seed() };
        let env = ProviderEnv::new(Arc::clone(&inner.clock), Arc::new(memo));
        let provider = factory.open(settings, env)?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (account.settings_rev, Arc::clone(&provider)));
        Ok(provider)
    }
}

/// What makes the surroundings of decisions, without the rest of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    now: chrono::DateTime<chrono::Utc>,
    vault: Vault,
    scan_every: chrono::Duration,
}

impl Maker {
    pub(crate) fn env(&self, workspace: WorkspaceId, seed: u64, attempt: u32) -> Env {
        let mut env = Env::new(workspace, self.now, Actor::Engine, self.vault.clone(), seed);
        env.attempt = attempt;
        env.scan_every = self.scan_every;
        env
    }
}

impl Inner {
    pub(crate) fn maker(&self) -> Maker {
        Maker {
            now: self.clock.now(),
            vault: self.vault.clone(),
            scan_every: chrono::Duration::from_std(self.config.scan_every).unwrap_or(chrono::Duration::minutes(15)),
        }
    }
}

/// A provider's own record, in its account's row.
struct AccountMemo {
    store: Arc<dyn Store>,
    vault: Vault,
    workspace: WorkspaceId,
    account: ConnectedAccountId,
    seed: u64,
}

impl fmt::Debug for AccountMemo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountMemo").field("account", &self.account).finish_non_exhaustive()
    }
}

fn store_failure(e: &Error) -> Failure {
    Failure::nothing(Reason::Other, e.to_string())
}

#[async_trait]
impl Memo for AccountMemo {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        let reads = ReadSet { rows: BTreeSet::from([self.account.uuid()]), ..ReadSet::default() };
        let facts = self.store.read(self.workspace, &reads).await.map_err(|e| store_failure(&e))?;
        let Some(Some(row)) = facts.rows.get(&self.account.uuid()) else { return Ok((0, SecretString::default())) };
        let Body::Account(account) = &row.body else { return Ok((0, SecretString::default())) };
        match &account.memo {
            Some(sealed) => {
                let text = self.vault.open(self.workspace, self.account.uuid(), "memo", sealed).map_err(|e| store_failure(&e))?;
                Ok((account.memo_version, text))
            }
            None => Ok((account.memo_version, SecretString::default())),
        }
    }

    async fn swap(&self, version: u64, new: SecretString) -> Result<bool, Failure> {
        let (workspace, id, vault) = (self.workspace, self.account, self.vault.clone());
        let now = self.store.clock().now();
        // A nonce is never used twice: the seed is mixed with the version.
        let seed = self.seed ^ version.rotate_left(32) ^ crate::store::os_seed();
        let done = perform(&*self.store, workspace, move |facts, attempt| {
            let mut env = Env::new(workspace, now, Actor::Engine, vault.clone(), seed);
            env.attempt = attempt;
            let mut d = crate::plan::Draft::new(env, facts);
            let result = (|| {
                let mut account = d.get::<Account>(id)?;
                if account.memo_version != version {
                    return Ok(false);
                }
                account.memo = Some(d.env.seal(id.uuid(), "memo", new.expose_secret())?);
                account.memo_version += 1;
                d.set(id, account);
                Ok(true)
            })();
            match result {
                Ok(true) => Ok((Step::Done(Box::new(d.finish("connected_accounts.memo", Some(id.uuid())))), Some(true))),
                Ok(false) => Ok((Step::Nothing, Some(false))),
                Err(crate::plan::Stop::Need(reads)) => Ok((Step::Need(*reads), None)),
                Err(crate::plan::Stop::Reject(e)) => Err(e),
            }
        })
        .await
        .map_err(|e| store_failure(&e))?;
        Ok(matches!(done, Performed::Done(true)))
    }
}

/// Keeps a half-way handle in the row that is in flight.
pub(super) struct RowNotes<'a> {
    pub(super) inner: &'a Inner,
    pub(super) workspace: WorkspaceId,
    pub(super) row: RowId,
    pub(super) channel: Channel,
    pub(super) fence: u64,
}

impl fmt::Debug for RowNotes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowNotes").field("row", &self.row).finish_non_exhaustive()
    }
}

#[async_trait]
impl Notes for RowNotes<'_> {
    async fn keep(&self, half_way: &Handle) -> Result<(), Failure> {
        let (row, workspace, channel, fence, handle) = (self.row, self.workspace, self.channel.clone(), self.fence, half_way.clone());
        let (maker, seed) = (self.inner.maker(), self.inner.seed());
        let done = perform(&*self.inner.store, workspace, move |facts, attempt| {
            let mut d = crate::plan::Draft::new(maker.env(workspace, seed, attempt), facts);
            let result = (|| {
                // An attempt's half-way handle belongs to the credential that it makes.
                let target = match d.try_get::<Attempt>(row)? {
                    Some(a) => a.target(),
                    None => Some(row),
                };
                match target {
                    Some(target) => crate::plan::settle::half_way(&mut d, target, &handle),
                    None => Ok(()),
                }
            })();
            match result {
                Ok(()) => {
                    let mut changeset = d.finish("engine.half_way", Some(row));
                    changeset.only_if.push(OnlyIf::Fence { channel: channel.clone(), fence });
                    Ok((Step::Done(Box::new(changeset)), Some(())))
                }
                Err(crate::plan::Stop::Need(reads)) => Ok((Step::Need(*reads), None)),
                Err(crate::plan::Stop::Reject(e)) => Err(e),
            }
        })
        .await
        .map_err(|e| store_failure(&e))?;
        match done {
            Performed::Done(()) => Ok(()),
            Performed::FenceLost => Err(Failure::nothing(Reason::Other, "the channel was lost")),
        }
    }
}
