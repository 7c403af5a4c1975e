//! The stores against their suite.
#![cfg(feature = "conformance")]
use seam_core::conformance::store;
use seam_core::store::MemoryStore;
use std::sync::Arc;

#[tokio::test]
async fn memory_passes_the_suite() {
    store::run(async |clock| Arc::new(MemoryStore::new(clock)) as _).await;
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use seam_core::store::{SqliteOptions, SqliteStore};

    async fn run(options: SqliteOptions) {
        let folder = tempfile::tempdir().expect("a folder");
        let next = std::sync::atomic::AtomicUsize::new(0);
        store::run(async |clock| {
            let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let path = folder.path().join(format!("{n}.db"));
            Arc::new(SqliteStore::open_with(path, clock, options.clone()).expect("it opens")) as _
        })
        .await;
    }

    #[tokio::test]
    async fn sqlite_passes_the_suite() {
        run(SqliteOptions::new()).await;
    }

    #[tokio::test]
    async fn sqlite_with_next_to_no_memory_passes_the_suite() {
        run(SqliteOptions::new().rows_in_memory(16).readers(4)).await;
    }
}
