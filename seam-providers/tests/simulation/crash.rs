//! A crash at every enumerated step: each flow is run once to count every call of the store and of a provider that an engine makes, and then
//! once for each of them, crashing right before it (the call is never made) and right after it (its answer is never heard). After a restart
//! nothing is lost, nothing is there twice, nothing is left over.
use crate::exec::minutes;
use crate::house::{Check, House, Setup};
use crate::ledger::SpaceAsked;
use chrono::Duration;
use seam_core::model::{AccessMethodId, AccessMethodMode, Holder, Shown};
use seam_core::plan::{Change, NewMethod, NewSpace, Outcome};
use std::collections::BTreeSet;

/// A flow whose every step is crashed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Create,
    Extend,
    Replace,
    Revoke,
    Expire,
    Encode,
    Suspend,
    Space,
}

pub(crate) const FLOWS: [Flow; 8] =
    [Flow::Create, Flow::Extend, Flow::Replace, Flow::Revoke, Flow::Expire, Flow::Encode, Flow::Suspend, Flow::Space];

struct Stage {
    house: House,
    guest: usize,
    card: AccessMethodId,
    mixed: usize,
    space: usize,
}

/// Two guests in a room, one with a card that was made; somebody with a PIN at four systems; a space.
fn stage(seed: u64, disk: bool) -> Result<Stage, String> {
    let mut house = House::new(Setup { seed, instances: 1, rates: (0, 0, 0), trace: false, disk })?;
    let now = house.exec.now();
    let doors = |house: &House, names: &[(&str, &str)]| -> BTreeSet<_> {
        let all = house.tenants[0].doors.keys();
        all.filter(|d| names.iter().any(|(s, n)| d.site == *s && d.door == *n)).cloned().collect()
    };
    let room = doors(&house, &[("hotel", "101"), ("hotel", "gym")]);
    let modes = [AccessMethodMode::Card, AccessMethodMode::MobileKey, AccessMethodMode::Code];
    let mut new = house.new_grant(0, &room, &modes);
    (new.starts_at, new.ends_at, new.reservation) = (Some(now), Some(now + Duration::days(2)), Some("stay".to_owned()));
    let guest = house.create(0, &new, room, Vec::new())?.ok_or("no guest")?;
    let space_doors = doors(&house, &[("hotel", "pool")]);
    let ids: Vec<_> = space_doors.iter().filter_map(|d| house.tenants[0].doors.get(d).copied()).collect();
    let change = Change::CreateSpace(NewSpace::builder().name("Spa").entrances(ids).build());
    let Ok(Outcome::Space(id)) = house.ask(0, &change)? else { return Err("no space".to_owned()) };
    house.ledger.spaces.push(SpaceAsked { tenant: 0, id, doors: space_doors, deleted: false });
    let four = doors(&house, &[("slots", "front"), ("mute", "front"), ("office", "lab"), ("hotel", "lobby")]);
    let mut new = house.new_grant(0, &four, &[]);
    let mut code = NewMethod::new(AccessMethodMode::Code);
    code.code = Some(Shown::new("847362"));
    (new.methods, new.holder, new.spaces) = (vec![code], Holder::Guest, vec![id]);
    (new.starts_at, new.ends_at) = (Some(now), Some(now + Duration::hours(5)));
    let mixed = house.create(0, &new, four, vec![id])?.ok_or("nobody")?;
    house.run_for(minutes(1))?;
    let methods = house.ledger.grants[guest].methods.iter();
    let card = methods.filter(|(_, m)| m.mode == AccessMethodMode::Card).map(|(id, _)| *id).next().ok_or("no card")?;
    let encoder = house.tenants[0].encoders.iter().find(|(s, ..)| s == "hotel").map(|(_, _, id)| *id).ok_or("no encoder")?;
    house.encode_at(0, card, encoder, 10)?;
    house.run_for(minutes(1))?;
    house.collect();
    Ok(Stage { house, guest, card, mixed, space: 0 })
}

/// What is done in a flow; faults are counted while it runs.
fn act(s: &mut Stage, flow: Flow) -> Check {
    let encoder = s.house.tenants[0].encoders.iter().find(|(site, ..)| site == "hotel").map(|(_, _, id)| *id).ok_or("no encoder")?;
    let g = s.house.ledger.grants[s.guest].clone();
    let m = s.house.ledger.grants[s.mixed].clone();
    match flow {
        Flow::Create => {
            let mut doors = m.entrances.clone();
            doors.extend(g.entrances.clone());
            let modes = [AccessMethodMode::Card, AccessMethodMode::MobileKey, AccessMethodMode::Code];
            let mut new = s.house.new_grant(0, &doors, &modes);
            (new.starts_at, new.ends_at, new.reservation) = (Some(g.from), g.until, Some("stay".to_owned()));
            s.house.create(0, &new, doors, Vec::new())?;
        }
        Flow::Extend => {
            s.house.update(s.guest, g.from, g.until.map(|u| u + Duration::hours(20)))?;
            s.house.update(s.mixed, m.from, m.until.map(|u| u + Duration::hours(2)))?;
        }
        Flow::Replace => {
            let new = s.house.replace(s.guest, s.card)?.ok_or("nothing in its place")?;
            s.house.run_for(Duration::seconds(30))?;
            s.house.encode_at(0, new, encoder, 10)?;
        }
        Flow::Revoke => {
            s.house.delete(s.guest)?;
            s.house.delete(s.mixed)?;
        }
        Flow::Expire => {
            let end = m.until.ok_or("no end")?;
            s.house.jump_to(end - Duration::seconds(1))?;
            s.house.run_for(Duration::seconds(2))?;
        }
        Flow::Encode => drop(s.house.encode_at(0, s.card, encoder, 10)?),
        Flow::Suspend => {
            s.house.suspend_grant(s.guest, true)?;
            s.house.suspend_grant(s.mixed, true)?;
            s.house.run_for(Duration::seconds(30))?;
            s.house.suspend_grant(s.mixed, false)?;
        }
        Flow::Space => {
            let names = s.house.tenants[0].doors.keys().cloned().collect::<Vec<_>>();
            let pick = |door: &str| names.iter().filter(|d| d.site == "hotel" && d.door == door).cloned().collect::<BTreeSet<_>>();
            let (grow, shrink) = (pick("gym"), pick("pool"));
            s.house.space_doors(s.space, &grow, &shrink)?;
        }
    }
    s.house.run_for(minutes(2))
}

/// Runs a flow with crashes at these points; gives how many points there were.
pub(crate) fn crash(flow: Flow, disk: bool, at: &[u64]) -> Result<u64, String> {
    let mut s = stage(1, disk)?;
    {
        let mut p = s.house.faults.plan();
        p.counting = true;
        p.crash_at = at.iter().copied().collect();
    }
    act(&mut s, flow)?;
    let points = {
        let mut p = s.house.faults.plan();
        p.counting = false;
        p.points
    };
    s.house.settle()?;
    s.house.streams()?;
    Ok(points)
}
