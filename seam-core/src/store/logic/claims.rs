//! The claims of one key, so kept that "is this window free?" does not get slower with their number.
mod lane;

use crate::model::WorkspaceId;
use crate::state::{Claim, ClaimKey, Claimed, Near, RowId, later};
use chrono::{DateTime, Utc};
use lane::Lane;

/// A window that is asked for.
#[derive(Clone, Debug)]
pub(in crate::store) struct Asked {
    pub(in crate::store) from: DateTime<Utc>,
    pub(in crate::store) until: Option<DateTime<Utc>>,
    pub(in crate::store) gap_seconds: i64,
    pub(in crate::store) except: RowId,
}

/// The end of a claim; for good is the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(DateTime<Utc>),
    Never,
}

/// A claim in the order in which claims are told: by start, then end, then row. In one line of the processor's cache, not across two.
#[repr(align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    from: DateTime<Utc>,
    end: End,
    row: RowId,
    exclusive: bool,
    workspace: WorkspaceId,
}

impl Slot {
    fn new(claim: &Claim, row: RowId, workspace: WorkspaceId) -> Self {
        let end = claim.until.map_or(End::Never, End::At);
        Self { from: claim.from, end, row, exclusive: claim.exclusive, workspace }
    }
    /// In which second it begins.
    fn second(&self) -> i64 {
        self.from.timestamp()
    }
    fn until(&self) -> Option<DateTime<Utc>> {
        match self.end {
            End::At(at) => Some(at),
            End::Never => None,
        }
    }
    fn claim(&self, key: ClaimKey) -> Claim {
        Claim { key, from: self.from, until: self.until(), exclusive: self.exclusive }
    }
    fn claimed(&self, key: ClaimKey) -> Claimed {
        Claimed { claim: self.claim(key), row: self.row, workspace: self.workspace }
    }
}

/// The claims of one key.
///
/// They are kept in lanes. Along a lane, in the order of the starts, the ends never go back, so the nearest claim before a window tells
/// for all before it whether they have ended. Disjoint claims always fit into one lane; only a claim that lies within another (put by
/// somebody who did not ask whether it was free, or not exclusive) opens a further lane.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct ClaimSet {
    lanes: Vec<Lane>,
}

impl ClaimSet {
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn len(&self) -> usize {
        self.lanes.iter().map(Lane::len).sum()
    }

    pub(in crate::store) fn insert(&mut self, claim: &Claim, row: RowId, workspace: WorkspaceId) {
        let slot = Slot::new(claim, row, workspace);
        if self.lanes.iter().any(|lane| lane.contains(&slot)) {
            return;
        }
        match self.lanes.iter_mut().find(|lane| lane.has_room_for(&slot)) {
            Some(lane) => lane.insert(slot),
            None => self.lanes.push(Lane::new(slot)),
        }
    }

    pub(in crate::store) fn remove(&mut self, claim: &Claim, row: RowId, workspace: WorkspaceId) {
        let slot = Slot::new(claim, row, workspace);
        for lane in &mut self.lanes {
            if lane.remove(&slot) {
                break;
            }
        }
        self.lanes.retain(|lane| !lane.is_empty());
    }

    /// Whether no claim meets the window, but those of the row that asks.
    pub(in crate::store) fn is_free(&self, key: ClaimKey, asked: &Asked) -> bool {
        // An end so late that nothing starts after it counts as none.
        let last_start = asked.until.and_then(|until| later(until, asked.gap_seconds));
        self.lanes.iter().all(|lane| {
            for slot in lane.back_from(last_start.map_or(lane.end(), |end| lane.first_from(end))) {
                let meets = slot.claim(key).meets(asked.from, asked.until, asked.gap_seconds);
                let counts = slot.row != asked.except;
                match (meets, counts) {
                    (true, true) => return false,
                    (true, false) => {}
                    // It has ended before the window; so have all before it.
                    (false, _) => return true,
                }
            }
            true
        })
    }

    /// The claims near a window, in the order of their starts.
    pub(in crate::store) fn near(&self, near: &Near) -> Vec<Claimed> {
        let until = near.until.map(|until| until.max(near.from));
        let (mut before, mut found, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for lane in &self.lanes {
            let start = lane.first_from(near.from);
            before.extend(lane.back_from(start).take(Near::BEFORE));
            let mut later = 0;
            for slot in lane.on_from(start) {
                if until.is_none_or(|until| slot.from < until) {
                    found.push(slot);
                } else if later < Near::AFTER {
                    after.push(slot);
                    later += 1;
                } else {
                    break;
                }
            }
        }
        before.sort_unstable();
        after.sort_unstable();
        found.extend_from_slice(&before[before.len().saturating_sub(Near::BEFORE)..]);
        found.extend(after.into_iter().take(Near::AFTER));
        found.sort_unstable();
        found.into_iter().map(|slot| slot.claimed(near.key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(n, 0).unwrap()
    }

    #[test]
    fn disjoint_claims_share_one_lane_and_a_nested_one_opens_another() {
        let key = ClaimKey(Uuid::nil());
        let ws = WorkspaceId::from_uuid(Uuid::nil());
        let claim = |from, until: Option<i64>| Claim { key, from: at(from), until: until.map(at), exclusive: true };
        let mut set = ClaimSet::default();
        for n in [5, 1, 9, 3, 7] {
            set.insert(&claim(n * 10, Some(n * 10 + 10)), Uuid::from_u128(1), ws);
        }
        assert_eq!(set.lanes.len(), 1);
        set.insert(&claim(0, None), Uuid::from_u128(2), ws);
        assert_eq!(set.lanes.len(), 2);
        let asked = Asked { from: at(200), until: Some(at(210)), gap_seconds: 0, except: Uuid::nil() };
        assert!(!set.is_free(key, &asked));
        assert!(set.is_free(key, &Asked { except: Uuid::from_u128(2), ..asked.clone() }));
        set.remove(&claim(0, None), Uuid::from_u128(2), ws);
        assert!(set.is_free(key, &asked));
        assert_eq!(set.lanes.len(), 1);
    }
}
