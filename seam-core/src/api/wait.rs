//! Waiting on the store, never on an access system.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// Looks after every commit until there is something, or the deadline passes.
pub(super) async fn until<T>(ws: &Workspace, within: Duration, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let clock = ws.seam.clock();
    let now = clock.now();
    // Longer than the calendar goes is for ever.
    let deadline =
        chrono::Duration::from_std(within).ok().and_then(|within| now.checked_add_signed(within)).unwrap_or(DateTime::<Utc>::MAX_UTC);
    loop {
        let changed = ws.seam.0.store.changed();
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if clock.now() >= deadline {
            return Err(Error::new(ErrorKind::Timeout, "wait_timed_out", "what was waited for has not happened yet; it goes on"));
        }
        if let Either::Right(_) = select(changed, pin!(clock.sleep_until(deadline))).await
            && let Some(found) = look().await?
        {
            return Ok(found);
        }
    }
}
