//! The server's state: the SDK over a store, its engine, and who may ask.
use crate::args::{Args, Sandbox};
use crate::http::auth::Keys;
use crate::http::metrics::Metrics;
use crate::http::problem::Problem;
use crate::pages::guard::Guard;
use crate::sandbox;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rand::RngExt;
use seam_core::clock::{Clock, SystemClock};
use seam_core::model::{ClientSession, UserIdentityId, WorkspaceId};
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, SqliteStore, StaticKeys, Store, Vault};
use seam_core::{Engine, EngineConfig, Seam, Workspace};
use seam_providers::http::{HttpClient, HttpOptions, Reach};
use seam_providers::sandbox::{SandboxFactory, World};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// The name of the workspace of `--api-key`.
const FIRST: &str = "main";
/// So many readers of the event stream at once: each holds a connection.
const STREAMS: usize = 256;

/// What every request can reach.
pub struct App {
    /// The SDK.
    pub seam: Seam,
    /// What carries everything to the access systems.
    pub engine: Engine,
    /// The kinds of access system that can be connected.
    pub factories: Vec<Arc<dyn ProviderFactory>>,
    /// The virtual sites.
    pub world: World,
    /// Who may ask.
    pub keys: Keys,
    /// What is counted.
    pub metrics: Metrics,
    /// The address under which others reach this server.
    pub public_url: String,
    /// Who asks without a key, and how often.
    pub guard: Guard,
    /// Places for readers of the event stream.
    pub streams: Arc<Semaphore>,
    ending: watch::Sender<bool>,
    workspaces: BTreeMap<WorkspaceId, Workspace>,
    pace: Option<DefaultKeyedRateLimiter<WorkspaceId>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// One request: who asks, in which workspace.
#[derive(Clone, Debug)]
pub struct Call {
    /// The server.
    pub app: Arc<App>,
    /// The workspace of the key.
    pub ws: Workspace,
    /// The client session that asks; `None`: an API key does, which may reach everything.
    pub session: Option<ClientSession>,
    /// The request may come again, because it was sent with PUT: what it makes is made once.
    pub repeats: bool,
    /// The id of the request.
    pub request: Uuid,
}

impl Call {
    /// The person whose things are asked for: of a session always its own, whatever is said.
    ///
    /// # Errors
    /// `forbidden`: the session is of nobody, or of somebody else.
    pub fn person(&self, asked: Option<UserIdentityId>) -> Result<Option<UserIdentityId>, Problem> {
        let Some(session) = &self.session else { return Ok(asked) };
        match (session.user_identity_id, asked) {
            (Some(own), None) => Ok(Some(own)),
            (Some(own), Some(asked)) if own == asked => Ok(Some(own)),
            _ => Err(Problem::forbidden()),
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file cannot be used.
    #[error("{path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no HTTP client to deliver webhooks with.
    #[error("no HTTP client: {0}")]
    Http(String),
    /// The key file holds no key.
    #[error("{0} does not hold a key: 64 hexadecimal digits are wanted")]
    NoKey(PathBuf),
    /// The address cannot be listened on.
    #[error("it cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The store says no.
    #[error(transparent)]
    Seam(#[from] seam_core::Error),
}

impl App {
    /// Opens the state and lets the keys in. `url`: the address under which others reach the server.
    ///
    /// # Errors
    /// The database, its key or the sandbox's file cannot be used.
    pub async fn open(args: &Args, url: String) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let in_memory = args.database.as_os_str() == ":memory:";
        let (store, world, key): (Arc<dyn Store>, World, [u8; 32]) = if in_memory {
            (Arc::new(MemoryStore::new(Arc::clone(&clock))), World::new(Arc::clone(&clock)), rand::rng().random())
        } else {
            let beside = |end: &str| {
                let mut name = args.database.clone().into_os_string();
                name.push(end);
                PathBuf::from(name)
            };
            let key = key_in(&beside(".key"), args.database.exists())?;
            let path = beside(".world");
            let world = World::open(&path, Arc::clone(&clock)).map_err(|source| StartError::File { path, source })?;
            (Arc::new(SqliteStore::open(&args.database, clock)?), world, key)
        };
        let vault = Vault::new(Arc::new(StaticKeys::new(key)));
        let seam = Seam::with_options(Arc::clone(&store), vault.clone(), &format!("{url}/i"), None).with_pages(format!("{url}/connect"));
        let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(SandboxFactory::new(world.clone()))];
        // Addresses of webhooks are strangers' input: they reach public addresses only, unless a test says otherwise.
        let reach = if args.allow_private_webhooks { Reach::Anywhere } else { Reach::Public };
        let transport = HttpClient::new(&HttpOptions::new(reach)).map_err(|failure| StartError::Http(failure.message))?;
        let mut config = EngineConfig::default();
        config.webhooks = Some(Arc::new(transport));
        let engine = Engine::new(store, vault, factories.clone(), config);
        let mut app = Self {
            seam,
            engine,
            factories,
            world,
            keys: Keys::default(),
            metrics: Metrics::default(),
            public_url: url,
            guard: Guard::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            ending: watch::Sender::new(false),
            workspaces: BTreeMap::new(),
            pace: NonZeroU32::new(args.requests_per_second).map(|n| RateLimiter::keyed(Quota::per_second(n))),
        };
        app.admit(args).await?;
        Ok(app)
    }

    /// Makes the workspaces that are named and not there yet, and lets their keys in.
    async fn admit(&mut self, args: &Args) -> Result<(), StartError> {
        let mut named: BTreeMap<String, Workspace> = BTreeMap::new();
        for workspace in self.seam.workspaces().await? {
            named.insert(workspace.about().await?.name, workspace);
        }
        let first = (FIRST.to_owned(), args.api_key.clone());
        for (name, key) in std::iter::once(&first).chain(&args.workspaces) {
            let workspace = match named.get(name) {
                Some(there) => there.clone(),
                None => self.seam.create_workspace(name, args.sandbox.is_some()).await?,
            };
            self.keys.admit(&key.0, workspace.id());
            self.workspaces.insert(workspace.id(), workspace.clone());
            named.insert(name.clone(), workspace);
        }
        Ok(())
    }

    /// Sets the sandbox up in every workspace; the engine must be running.
    ///
    /// # Errors
    /// What the store says.
    pub async fn set_up(&self, sandbox: Sandbox) -> seam_core::Result<()> {
        let Sandbox::Hotel = sandbox;
        for workspace in self.workspaces.values() {
            let name = workspace.about().await?.name;
            let suffix = if name == FIRST { String::new() } else { format!("@{name}") };
            sandbox::set_up_hotel(&self.world, workspace, &suffix).await?;
        }
        Ok(())
    }

    /// The workspace of a key.
    ///
    /// # Errors
    /// `workspace_not_found`.
    pub fn workspace(&self, id: WorkspaceId) -> Result<Workspace, Problem> {
        self.workspaces.get(&id).cloned().ok_or_else(|| Problem::not_found("workspace", "there is no such workspace"))
    }
    /// All workspaces.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.values()
    }
    /// The present instant, on the store's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.seam.store().clock().now()
    }
    /// The server ends: what goes on without an end of its own ends now.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }
    /// Until the server ends.
    pub async fn ended(&self) {
        // The sender is ours: there is no error.
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
    }
    /// Counts a request of a workspace against its rate.
    ///
    /// # Errors
    /// `rate_limited`, with when to ask again.
    pub fn pace(&self, workspace: WorkspaceId) -> Result<(), Problem> {
        let Some(pace) = &self.pace else { return Ok(()) };
        pace.check_key(&workspace).map_err(|early| {
            let wait = early.wait_time_from(DefaultClock::default().now());
            let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests for this workspace");
            problem.retry_after = Some(wait);
            problem
        })
    }
}

/// The key that seals the database's secrets: of the file, or a new one in a file that only its owner reads.
fn key_in(path: &Path, database_there: bool) -> Result<[u8; 32], StartError> {
    let broken = |source| StartError::File { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => unhex(text.trim()).ok_or_else(|| StartError::NoKey(path.to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !database_there => {
            let key: [u8; 32] = rand::rng().random();
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).map_err(broken)?;
            let text: String = key.iter().map(|b| format!("{b:02x}")).collect();
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(broken)?;
            Ok(key)
        }
        Err(e) => Err(broken(e)),
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(key)
}
