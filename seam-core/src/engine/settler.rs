//! Settling: outcomes that arrive together are one commit.
use super::{Inner, Maker};
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::plan;
use crate::plan::settle::Report;
use crate::planted::{self, Bug};
use crate::state::{Channel, OnlyIf, RowId};
use crate::store::Step;
use crate::store::perform::perform;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// So many outcomes go into one commit at most.
const BATCH: usize = 64;

type Item = (RowId, u64, Arc<Report>);

/// Outcomes that wait for the commit that is under way.
#[derive(Debug, Default)]
pub(crate) struct Settler {
    waiting: Mutex<BTreeMap<u64, (WorkspaceId, Channel, Item)>>,
    tickets: Mutex<u64>,
    /// What became of outcomes that another caller took along.
    done: Mutex<BTreeMap<u64, Result<()>>>,
    turn: tokio::sync::Mutex<()>,
}

impl Settler {
    /// Returns when the outcome is settled: by this caller, or by one that was before it and took it along.
    pub(super) async fn settle(&self, inner: &Inner, workspace: WorkspaceId, channel: &Channel, item: Item) -> Result<()> {
        let ticket = {
            let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
            *tickets += 1;
            *tickets
        };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, (workspace, channel.clone(), item.clone()));
        let _turn = self.turn.lock().await;
        if let Some(done) = self.done.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket) {
            return done;
        }
        let mut batch: Vec<(u64, Channel, Item)> = Vec::new();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            // If it does not wait any more and nothing became of it, whoever took it along was dropped half-way: it is settled again, which
            // changes nothing if it was settled after all.
            waiting.remove(&ticket);
            batch.push((ticket, channel.clone(), item));
            let others: Vec<u64> = waiting.iter().filter(|(_, (ws, ..))| *ws == workspace).map(|(t, _)| *t).take(BATCH - 1).collect();
            for t in others {
                if let Some((_, channel, item)) = waiting.remove(&t) {
                    batch.push((t, channel, item));
                }
            }
        }
        let tickets: Vec<u64> = batch.iter().map(|(t, ..)| *t).collect();
        let shared: Arc<Vec<(u64, Channel, Item)>> = Arc::new(batch);
        let together = commit(inner, workspace, &shared, (0..shared.len()).collect()).await;
        let mut mine = Ok(());
        for (i, t) in tickets.iter().enumerate() {
            // One outcome, or one lost channel, must not keep the others from being settled.
            let result = match &together {
                Ok(true) => Ok(()),
                _ => commit(inner, workspace, &shared, vec![i]).await.map(drop),
            };
            if *t == ticket {
                mine = result;
            } else {
                self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(*t, result);
            }
        }
        mine
    }
}

/// Settles some outcomes in one commit. `false`: not together (one of them is refused, or its channel is lost).
async fn commit(inner: &Inner, workspace: WorkspaceId, batch: &Arc<Vec<(u64, Channel, Item)>>, which: Vec<usize>) -> Result<bool> {
    let seed = inner.seed();
    let maker: Maker = inner.maker();
    let alone = which.len() == 1;
    let items = Arc::clone(batch);
    let done = perform(&*inner.store, workspace, move |facts, attempt| {
        let chosen: Vec<&Item> = which.iter().map(|i| &items[*i].2).collect();
        let step = plan::settle_work(&chosen, facts, maker.env(workspace, seed, attempt))?;
        Ok(match step {
            Step::Done(mut changeset) => {
                let fences: BTreeSet<(Channel, u64)> = which.iter().map(|i| (items[*i].1.clone(), items[*i].2.1)).collect();
                let fences = if planted::is(Bug::SettledWithoutFence) { BTreeSet::new() } else { fences };
                changeset.only_if.extend(fences.into_iter().map(|(channel, fence)| OnlyIf::Fence { channel, fence }));
                (Step::Done(changeset), Some(()))
            }
            Step::Nothing => (Step::Nothing, Some(())),
            Step::Need(reads) => (Step::Need(reads), None),
        })
    })
    .await;
    match done {
        Ok(crate::store::perform::Performed::Done(())) => Ok(true),
        // A stale worker's outcome is dropped: the row says it is in flight, and whoever has the channel now finds out.
        Ok(crate::store::perform::Performed::FenceLost) => Ok(alone),
        Err(e) if alone => Err(e),
        Err(_) => Ok(false),
    }
}
