//! Which changes of a row are legal.
use seam_core::error::Effect;
use seam_core::state::*;

/// M1 and the stickiness of S6: what was taken away never comes back, what has ended never goes on.
pub(crate) fn edge(old: Option<&Row>, new: &Row) -> Result<(), String> {
    let Some(old) = old else {
        return if new.version == 1 { Ok(()) } else { Err("a row begins in the middle of its life".to_owned()) };
    };
    if new.version != old.version + 1 || new.workspace != old.workspace {
        return Err(format!("version {} follows {}", new.version, old.version));
    }
    match (&old.body, &new.body) {
        (Body::Target(a), Body::Target(b)) => target(a, b),
        (Body::Grant(a), Body::Grant(b)) => grant(a, b),
        (Body::Method(a), Body::Method(b)) => method(a, b),
        (Body::Stay(a), Body::Stay(b)) => stay(a, b),
        (Body::Attempt(a), Body::Attempt(b)) => attempt(a, b),
        (a, b) if a.kind() == b.kind() => Ok(()),
        _ => Err("a row became another kind".to_owned()),
    }
}

fn target(a: &Target, b: &Target) -> Result<(), String> {
    let flight = |t: &Target| t.work.in_flight.map(|f| (f.fence, f.doing));
    if a.gone && !b.gone {
        return Err("S6: a target that was taken away is wanted again".to_owned());
    }
    if a.gone && b.rev != a.rev {
        return Err("S6: a target that was taken away is changed".to_owned());
    }
    if b.rev < a.rev {
        return Err("a revision goes back".to_owned());
    }
    if let (Some(x), Some(y)) = (flight(a), flight(b))
        && x != y
    {
        return Err(format!("work is begun while other work is under way: {x:?}, then {y:?}"));
    }
    if let (Some((_, Doing::Put { .. } | Doing::Encode { .. })), None) = (flight(b), flight(a))
        && b.gone
    {
        return Err("S6: a target that was taken away is sent".to_owned());
    }
    Ok(())
}

fn grant(a: &Grant, b: &Grant) -> Result<(), String> {
    let rank = |g: &Grant| match g.phase {
        GrantPhase::Live => 0,
        GrantPhase::Ended { .. } => 1,
        GrantPhase::Deleted { .. } => 2,
    };
    if rank(b) < rank(a) { Err("S6: a grant that had ended lives again".to_owned()) } else { Ok(()) }
}

fn method(a: &Method, b: &Method) -> Result<(), String> {
    if a.is_over() && !b.is_over() {
        return Err("S6: a method that was over lives again".to_owned());
    }
    if b.is_over() && b.issued {
        return Err("a method that is over is issued".to_owned());
    }
    Ok(())
}

fn stay(a: &Stay, b: &Stay) -> Result<(), String> {
    if a.phase == StayPhase::Closed && b.phase != StayPhase::Closed {
        return Err("a closed stay is opened".to_owned());
    }
    if b.phase == StayPhase::Closed && !b.grants.is_empty() {
        return Err("a stay is closed while a grant is left".to_owned());
    }
    if b.phase != StayPhase::Closed && b.grants.is_empty() {
        return Err("a stay without grants is not closed".to_owned());
    }
    if let (Some(x), Some(y)) = (a.generation, b.generation)
        && y < x
        && a.phase == StayPhase::Open
    {
        return Err(format!("S8: an issue number goes back, {x} to {y}"));
    }
    Ok(())
}

fn attempt(a: &Attempt, b: &Attempt) -> Result<(), String> {
    match (&a.state, &b.state) {
        (x, y) if x == y => Ok(()),
        (AttemptState::Success { .. } | AttemptState::Error { .. }, _) => Err("an attempt that was over goes on".to_owned()),
        (AttemptState::Begun { .. }, AttemptState::Waiting | AttemptState::Begun { .. }) => {
            Err("S8: an attempt is made a second time".to_owned())
        }
        (AttemptState::Waiting, AttemptState::Success { .. } | AttemptState::Error { effect: Effect::Unknown, .. }) => {
            Err("an attempt ended that was never begun".to_owned())
        }
        _ => Ok(()),
    }
}

/// S8: one override per stay, until it is opened again.
pub(crate) fn roles<'r>(old: Option<&Row>, new: &Row, row: impl Fn(RowId) -> Option<&'r Row>) -> Result<(), String> {
    let Body::Target(t) = &new.body else { return Ok(()) };
    let begun = t.work.in_flight.is_some() && old.is_none_or(|r| !matches!(&r.body, Body::Target(o) if o.work.in_flight.is_some()));
    let Some(sent) = t.sent.as_ref().filter(|s| begun && s.opens) else { return Ok(()) };
    let Some(stay) = t.credential().and_then(|c| c.stay).and_then(|s| row(s.uuid())) else { return Ok(()) };
    let Body::Stay(stay) = &stay.body else { return Ok(()) };
    // The first key's outcome is not known: the same one again, or another once nobody is asked about that one any more.
    let asked = |t: &Target| !t.gone && (t.work.in_flight.is_some() || matches!(t.seen, SeenState::Unknown { .. }));
    let left = |first: RowId| matches!(row(first).map(|r| &r.body), Some(Body::Target(t)) if !asked(t));
    let same = matches!(stay.phase, StayPhase::InDoubt { first } if first == new.id || left(first));
    if stay.phase != StayPhase::Planned && !same {
        return Err(format!("a second key opens the stay {} with number {:?}", stay.key, sent.generation));
    }
    if !same && !stay.made.is_empty() {
        return Err(format!("a key opens the stay {} although others were made", stay.key));
    }
    Ok(())
}

/// S12: a change is told once, in the commit that makes it.
pub(crate) fn events(old: Option<&Row>, new: &Row, set: &Changeset) -> Result<(), String> {
    let told = |event: &str, field: &str, id: RowId| {
        set.events.iter().filter(|e| e.event_type == event && e.payload.get(field) == Some(&serde_json::json!(id))).count()
    };
    let want = |n: usize, event: &str, field: &str| {
        let found = told(event, field, new.id);
        if found == n { Ok(()) } else { Err(format!("{event} was told {found} times, not {n}")) }
    };
    match &new.body {
        Body::Grant(g) => {
            let before = old.and_then(|r| match &r.body {
                Body::Grant(g) => Some(g),
                _ => None,
            });
            want(usize::from(before.is_none()), "access_grant.created", "access_grant_id")?;
            let deleted = |g: &Grant| matches!(g.phase, GrantPhase::Deleted { .. });
            want(usize::from(deleted(g) && !before.is_some_and(deleted)), "access_grant.deleted", "access_grant_id")?;
            want(
                usize::from(g.told_all && !before.is_some_and(|b| b.told_all)),
                "access_grant.access_granted_to_all_doors",
                "access_grant_id",
            )
        }
        Body::Method(m) => {
            let before = old.and_then(|r| match &r.body {
                Body::Method(m) => Some(m),
                _ => None,
            });
            want(usize::from(before.is_none()), "access_method.created", "access_method_id")?;
            let deleted = m.deleted_at.is_some() && before.is_none_or(|b| b.deleted_at.is_none());
            want(usize::from(deleted), "access_method.deleted", "access_method_id")?;
            // Several outcomes may be settled in one commit: what is told of each is told in its order, and leads from what was to what is.
            let mut issued = before.is_some_and(|b| b.issued);
            for e in &set.events {
                let to = match e.event_type.as_str() {
                    "access_method.issued" | "access_method.reissued" => true,
                    "access_method.revoked" => false,
                    _ => continue,
                };
                if e.payload.get("access_method_id") != Some(&serde_json::json!(new.id)) {
                    continue;
                }
                if issued == to {
                    return Err(format!("{} was told although it was so", e.event_type));
                }
                issued = to;
            }
            // One that is deleted or ends may be told as just that.
            if issued != m.issued && !m.is_over() {
                return Err(format!("access_method.issued or revoked was not told: issued {}", m.issued));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
