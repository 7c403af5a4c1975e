//! Places in a workspace's event stream. Events have no index by time: a place is found by halving.
use super::Store;
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::state::{RowId, Webhook};
use chrono::{DateTime, Duration, Utc};

/// The last place in the stream before an instant: about twice the logarithm of its length in reads of one event.
pub(crate) async fn before(store: &dyn Store, workspace: WorkspaceId, instant: DateTime<Utc>) -> Result<u64> {
    let (mut low, mut step) = (0u64, 1u64);
    // First up in doubling steps to a place that is not before it, then down by halving.
    let early =
        async |seq: u64| -> Result<bool> { Ok(store.events(workspace, seq, 1).await?.first().is_some_and(|s| s.event.at < instant)) };
    while early(low + step - 1).await? {
        low += step;
        step = step.saturating_mul(2);
    }
    while step > 1 {
        step /= 2;
        if early(low + step - 1).await? {
            low += step;
        }
    }
    Ok(low)
}

/// The place in the stream after which everything lies that was recorded at an instant or later. Instants rise but for the difference between the
/// clocks of the instances, for which an hour is allowed.
pub(crate) async fn since(store: &dyn Store, workspace: WorkspaceId, instant: DateTime<Utc>) -> Result<u64> {
    const CHUNK: usize = 1000;
    let mut at = before(store, workspace, instant.checked_sub_signed(Duration::hours(1)).unwrap_or(instant)).await?;
    loop {
        let events = store.events(workspace, at, CHUNK).await?;
        match events.iter().position(|s| s.event.at >= instant) {
            Some(i) => return Ok(at + i as u64),
            None => at += events.len() as u64,
        }
        if events.len() < CHUNK {
            return Ok(at);
        }
    }
}

/// The last place in the stream.
pub(crate) async fn last(store: &dyn Store, workspace: WorkspaceId) -> Result<u64> {
    before(store, workspace, DateTime::<Utc>::MAX_UTC).await
}

/// How far a webhook has gone through the stream.
pub(crate) async fn of_webhook(store: &dyn Store, workspace: WorkspaceId, id: RowId, webhook: &Webhook) -> Result<u64> {
    let cursor = store.cursor(workspace, &webhook.consumer(id)).await?;
    let begins = match webhook.begins_after {
        Some(after) => after,
        None if cursor > 0 => 0,
        None => since(store, workspace, webhook.created_at).await?,
    };
    Ok(cursor.max(begins))
}
