//! Waiting on the store, never on an access system.
use super::Workspace;
use crate::error::{Error, ErrorKind, Result};
use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// Looks after every commit until there is something, or the deadline passes.
///
/// Not `AsyncFnMut`: nobody could spawn a task that waits, because the compiler cannot show that such a future may go to another thread.
pub(super) async fn until<T, F: Future<Output = Result<Option<T>>>>(
    ws: &Workspace,
    within: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccessGrantId, AccessMethodId, ActionAttemptId, ConnectedAccountId};

    /// That it compiles is the test: whoever waits may do so in a task of her own.
    #[test]
    fn a_wait_can_be_spawned() {
        fn spawned(_: impl Future + Send + 'static) {}
        let _ = |ws: Workspace, grant: AccessGrantId, within: Duration| {
            let all = [(); 5].map(|()| ws.clone());
            let [a, b, c, d, e] = all;
            spawned(async move { a.events().wait(0, within).await });
            spawned(async move { b.access_grants().wait_until_issued(grant, within).await });
            spawned(async move { c.access_methods().wait_until_issued(AccessMethodId::from_uuid(grant.uuid()), within).await });
            spawned(async move { d.action_attempts().wait(ActionAttemptId::from_uuid(grant.uuid()), within).await });
            spawned(async move { e.connected_accounts().wait_until_synced(ConnectedAccountId::from_uuid(grant.uuid()), within).await });
        };
    }
}
