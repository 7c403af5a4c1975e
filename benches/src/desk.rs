//! The hotel that every measurement takes its grants from, and one guest's grant.
use chrono::{DateTime, TimeDelta, Utc};
use seam_bench::Failed;
use seam_core::clock::{Clock, SystemClock};
use seam_core::store::{SqliteOptions, SqliteStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodMode, AcsEntranceId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_providers::sandbox::{SandboxFactory, World};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rooms of the hotel. So many guests are in the house at a time, each with a PIN of her own at every common door.
const ROOMS: u32 = 200;

/// A front desk over a database file.
pub(crate) struct Desk {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) ws: Workspace,
    rooms: Vec<AcsEntranceId>,
    common: Vec<AcsEntranceId>,
    from: DateTime<Utc>,
}

/// A connected hotel without guests, as a closed file: what every run starts from a copy of.
pub(crate) struct Template {
    pub(crate) file: PathBuf,
    rooms: Vec<AcsEntranceId>,
    common: Vec<AcsEntranceId>,
    from: DateTime<Utc>,
}

fn vault() -> Vault {
    Vault::new(Arc::new(StaticKeys::new([7; 32])))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

impl Template {
    pub(crate) async fn new(folder: &Path) -> Result<Self, Failed> {
        let file = folder.join("template.db");
        let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(&file, clock())?);
        let as_store: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let seam = Seam::new(Arc::clone(&as_store), vault());
        let ws = seam.create_workspace("Hotel", false).await?;
        let world = World::hotel(clock(), ROOMS);
        let engine = Engine::new(as_store, vault(), vec![Arc::new(SandboxFactory::new(world))], EngineConfig::default());
        ws.connected_accounts().connect("sandbox", &serde_json::json!({"site": "hotel"})).await?;
        engine.round().await?;
        let mut rooms = Vec::new();
        for room in 0..ROOMS {
            rooms.push(ws.acs().entrances().by_name(&(room + 101).to_string()).await?.acs_entrance_id);
        }
        let mut common = Vec::new();
        for name in ["gym", "lobby"] {
            common.push(ws.acs().entrances().by_name(name).await?.acs_entrance_id);
        }
        store.close().await;
        Ok(Self { file, rooms, common, from: clock().now() + TimeDelta::days(1) })
    }

    /// A copy of the file, opened.
    pub(crate) async fn open(&self, copy: &Path, options: SqliteOptions) -> Result<Desk, Failed> {
        self.copy(copy)?;
        self.reopen(copy, options).await
    }

    /// What began as a copy of the file, opened again.
    pub(crate) async fn reopen(&self, copy: &Path, options: SqliteOptions) -> Result<Desk, Failed> {
        let store: Arc<SqliteStore> = Arc::new(SqliteStore::open_with(copy, clock(), options)?);
        let seam = Seam::new(Arc::clone(&store) as Arc<dyn Store>, vault());
        let ws = seam.workspaces().await?.pop().ok_or("the template has no workspace")?;
        Ok(Desk { store, ws, rooms: self.rooms.clone(), common: self.common.clone(), from: self.from })
    }

    /// A copy of the file, with nothing of an earlier copy beside it.
    pub(crate) fn copy(&self, copy: &Path) -> Result<(), Failed> {
        for beside in ["-wal", "-shm"] {
            let mut name = copy.as_os_str().to_owned();
            name.push(beside);
            if Path::new(&name).exists() {
                std::fs::remove_file(&name)?;
            }
        }
        std::fs::copy(&self.file, copy)?;
        // What was copied is on the disk before the clock runs.
        std::fs::File::open(copy)?.sync_all()?;
        Ok(())
    }
}

impl Desk {
    /// The `n`-th guest: a room of her own for one night, the common doors, a card and a PIN.
    pub(crate) fn wish(&self, n: usize) -> NewGrant {
        let night = TimeDelta::days(i64::try_from(n / self.rooms.len()).unwrap_or(0));
        let starts_at = self.from + night;
        let mut doors = vec![self.rooms[n % self.rooms.len()]];
        doors.extend(&self.common);
        NewGrant::builder()
            .who(Who::named(format!("Guest {n}")))
            .entrances(doors)
            .starts_at(starts_at)
            .ends_at(starts_at + TimeDelta::hours(20))
            .methods([AccessMethodMode::Card, AccessMethodMode::Code].map(NewMethod::new).to_vec())
            .reservation(format!("stay-{n}"))
            .build()
    }
}
