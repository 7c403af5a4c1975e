//! stub
#![allow(unused_variables, missing_docs)]
use super::draft::Draft; use super::read::Try; use crate::model::*; use crate::provider::*; use crate::state::*;
#[derive(Debug, Default)]
pub struct Scan { pub systems: Vec<ScannedSystem> }
#[derive(Debug)]
pub struct ScannedSystem { pub report: SystemReport, pub entrances: Option<Vec<EntranceReport>>, pub groups: Option<Vec<GroupReport>>, pub encoders: Option<Vec<EncoderReport>>, pub held: Option<Vec<Held>> }
pub(crate) fn apply_scan(d: &mut Draft<'_>, account: ConnectedAccountId, scan: &Result<Scan, Failure>) -> Try<()> {
    let now = d.now();
    let mut a = d.get::<Account>(account)?;
    a.work.in_flight = None;
    a.work.due_at = Some(now + d.env.scan_every);
    let kind = a.kind.clone();
    let first = a.synced_at.is_none();
    a.synced_at = Some(now);
    d.set(account, a);
    if !first { return Ok(()); }
    if let Ok(scan) = scan {
        for s in &scan.systems {
            let sid = AcsSystemId::from_uuid(d.env.mint());
            d.set(sid, System { account, kind: kind.clone(), report: s.report.clone(), created_at: now, missing_since: None, errors: vec![], warnings: vec![], graces: Graces::default(), log_cursor: None });
            let mut by = std::collections::BTreeMap::new();
            for e in s.entrances.iter().flatten() {
                let id = AcsEntranceId::from_uuid(d.env.mint());
                by.insert(e.handle.0.to_string(), id);
                d.set(id, Entrance { system: sid, account, report: e.clone(), created_at: now, missing_since: None });
            }
            for g in s.groups.iter().flatten() {
                let id = d.env.mint();
                d.set(id, Group { system: sid, account, handle: g.handle.clone(), name: g.name.clone(), entrances: g.entrances.iter().filter_map(|h| by.get(&h.0.to_string()).copied()).collect(), created_at: now, missing_since: None });
            }
            for e in s.encoders.iter().flatten() {
                let id = d.env.mint();
                d.set(id, Encoder { system: sid, account, kind: kind.clone(), report: e.clone(), created_at: now, missing_since: None, quarantined_until: None });
            }
        }
    }
    Ok(())
}
