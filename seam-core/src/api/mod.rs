//! What an integrator calls: one handle per resource, in the shape of the public API's own clients.
//!
//! A handle never reaches an access system. A call that changes something is durable when it returns; carrying it out is the [`Engine`]'s work, on
//! this instance or another. A call that waits, waits on the store.
//!
//! [`Engine`]: crate::engine::Engine
mod access_grants;
mod access_log;
mod access_methods;
mod accounts;
mod acs;
mod action_attempts;
mod client_sessions;
mod connect_webviews;
mod customers;
mod events;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod instant_keys;
mod occupancy;
mod paging;
mod phones;
mod related;
mod sandbox;
mod spaces;
mod unmanaged;
mod user_identities;
mod wait;
mod webhooks;
mod workspace;
mod written;

pub use access_grants::{AccessGrants, GrantFilter};
pub use access_log::{AccessLog, AccessLogEntry, AccessLogPage};
pub use access_methods::{AccessMethods, MethodFilter};
pub use accounts::{AccountFilter, ConnectedAccounts};
pub use acs::{
    AccessGroupFilter, Acs, AcsAccessGroups, AcsCredentials, AcsEncoders, AcsEntrances, AcsSystems, AcsUsers, CredentialFilter,
    EncoderFilter, EntranceFilter, SystemFilter, UserFilter,
};
pub use action_attempts::ActionAttempts;
pub use client_sessions::{ClientSessions, SessionFilter};
pub use connect_webviews::{ConnectWebviews, WebviewFilter};
pub use customers::{Customers, DeleteData, PushData, PushDone, PushReport, PushSkipped, PushedPerson, PushedReservation, PushedSpace};
pub use events::{EventFilter, EventPage, Events};
pub use instant_keys::{InstantKeys, RedeemedKey};
pub use paging::Paged;
pub use phones::Phones;
pub use related::{Related, RelatedKind, Select};
pub use spaces::{SpaceFilter, Spaces};
pub use unmanaged::UnmanagedFilter;
pub use user_identities::{IdentityFilter, UserIdentities};
pub use webhooks::Webhooks;
pub use workspace::{Preview, Workspace};
pub use written::Written;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::model::WorkspaceId;
use crate::plan::{self, Change, Env, NewWorkspace};
use crate::state::{Actor, Row, RowId};
use crate::store::{Store, Vault};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The SDK over a store. Cheap to clone.
#[derive(Clone)]
pub struct Seam(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    vault: Vault,
    links: String,
    pages: OnceLock<String>,
    rng: Mutex<StdRng>,
    written: Mutex<written::Kept>,
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seam").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl Seam {
    /// The SDK over a store, with the keys that its secrets are sealed with.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, vault: Vault) -> Self {
        Self::with_options(store, vault, "https://instant-key.invalid", None)
    }

    /// As [`Seam::new`], with the address under which the pages of instant keys are served (no slash at the end), and with a seed that ids and PINs are
    /// drawn from: for tests and replays; without one the operating system gives it.
    #[must_use]
    pub fn with_options(store: Arc<dyn Store>, vault: Vault, links: &str, seed: Option<u64>) -> Self {
        let rng = StdRng::seed_from_u64(seed.unwrap_or_else(crate::store::os_seed));
        Self(Arc::new(Shared {
            store,
            vault,
            links: links.to_owned(),
            pages: OnceLock::new(),
            rng: Mutex::new(rng),
            written: Mutex::default(),
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }
    /// What seals and opens its secrets.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// Makes a workspace. `sandbox`: simulate calls are allowed in it.
    ///
    /// # Errors
    /// `InvalidInput` for the name; `Store` when the database cannot be used (may be retried).
    pub async fn create_workspace(&self, name: &str, sandbox: bool) -> Result<Workspace> {
        let now = self.0.store.clock().now();
        let mut env = Env::new(WorkspaceId::from_uuid(uuid::Uuid::nil()), now, Actor::Engine, self.0.vault.clone(), self.seed());
        let id = plan::new_workspace(&mut env);
        let workspace = Workspace::new(self.clone(), id);
        workspace.apply(Change::CreateWorkspace(NewWorkspace { name: name.to_owned(), sandbox })).await?;
        Ok(workspace)
    }

    /// A workspace that is there.
    ///
    /// # Errors
    /// `NotFound`; `Store` when the database cannot be used (may be retried).
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Workspace> {
        let reads = crate::state::ReadSet { rows: BTreeSet::from([id.uuid()]), ..Default::default() };
        match self.0.store.read(id, &reads).await?.rows.get(&id.uuid()) {
            Some(Some(_)) => Ok(Workspace::new(self.clone(), id)),
            _ => Err(Error::not_found("workspace", id)),
        }
    }

    /// All workspaces.
    ///
    /// # Errors
    /// `Store` when the database cannot be used (may be retried).
    pub async fn workspaces(&self) -> Result<Vec<Workspace>> {
        Ok(self.0.store.workspaces().await?.into_iter().map(|id| Workspace::new(self.clone(), id)).collect())
    }

    /// Where the pages are on which accounts are connected.
    fn pages(&self) -> &str {
        self.0.pages.get().map_or("https://connect.invalid", String::as_str)
    }
    fn seed(&self) -> u64 {
        self.0.rng.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
    fn clock(&self) -> &Arc<dyn Clock> {
        self.0.store.clock()
    }
}
