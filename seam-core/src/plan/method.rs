//! Methods: made for a grant, fitted to their grants, taken away. One function says what a method wants of systems; whatever happens to a
//! grant, a space, a stay or a suspension ends in it.
use super::change::NewMethod;
use super::claims::{claim_pin, free_slot, places};
use super::doors::{self, Doors};
use super::draft::{Draft, expose};
use super::grant::methods_of;
use super::pin::{self, Place};
use super::read::Try;
use super::{card, discover, instant_key, member, next, refresh, span, stay, user};
use crate::model::{AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, AcsSystemId, EventType, Holder, StayId, Window};
use crate::planted::{self, Bug};
use crate::provider::{DoorClass, DoorLimit, Kind, KindRules, Needs};
use crate::state::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What came of one requested method.
pub(super) struct MadeMethods {
    pub(super) ids: Vec<AccessMethodId>,
    /// Doors that the mode cannot open.
    pub(super) missing: Vec<AcsEntranceId>,
    /// Methods whose wanted PIN was not to be had.
    pub(super) other_pin: Vec<AccessMethodId>,
}

/// Makes the methods for one request of a grant: usually one; one per distinct secret where systems cannot share a PIN.
///
/// # Errors
/// `Unsupported` when a system cannot do it, `Exhausted` when no PIN or slot is free.
pub(super) fn make(d: &mut Draft<'_>, grant_id: AccessGrantId, grant: &Grant, asked: &NewMethod, doors: &Doors) -> Try<MadeMethods> {
    let usable: Vec<AcsEntranceId> = doors.usable(&asked.mode).into_iter().map(|x| x.id).collect();
    let missing: Vec<AcsEntranceId> =
        doors.doors.iter().filter(|x| x.entrance.report.class != DoorClass::Implicit && !usable.contains(&x.id)).map(|x| x.id).collect();
    let mut made = MadeMethods { ids: Vec::new(), missing, other_pin: Vec::new() };
    if usable.is_empty() {
        return Ok(made);
    }
    if asked.mode == AccessMethodMode::Code {
        let places = places(doors, &usable)?;
        for group in pin::groups(places) {
            make_code(d, grant_id, grant, asked, &group, &mut made)?;
        }
    } else {
        let id = AccessMethodId::from_uuid(d.env.mint());
        let mut method = blank(d, grant_id, grant, asked.mode.clone(), usable);
        if asked.mode == AccessMethodMode::MobileKey {
            let uses = asked.instant_key_max_use_count.unwrap_or(1);
            method.instant_key = Some(instant_key::for_method(d, id, grant.identity, uses, grant.window.ends_at())?);
        }
        born(d, id, method, grant_id, grant)?;
        made.ids.push(id);
    }
    Ok(made)
}

fn blank(d: &Draft<'_>, grant_id: AccessGrantId, grant: &Grant, mode: AccessMethodMode, doors: Vec<AcsEntranceId>) -> Method {
    Method {
        mode,
        identity: grant.identity,
        grants: vec![grant_id],
        doors,
        targets: Vec::new(),
        pin: None,
        issued: false,
        issued_at: None,
        ever_issued: false,
        told_encoding: false,
        instant_key: None,
        warnings: Vec::new(),
        graced_at: Vec::new(),
        lost: false,
        created_at: d.now(),
        ended_at: None,
        deleted_at: None,
    }
}

/// Writes a new method, tells it, and fits it.
fn born(d: &mut Draft<'_>, id: AccessMethodId, method: Method, grant_id: AccessGrantId, grant: &Grant) -> Try<()> {
    d.set(id, method);
    // The grant may be new in this draft: `fit` reads it there.
    if d.try_get::<Grant>(grant_id)?.is_none() {
        d.set(grant_id, grant.clone());
    }
    tell(d, &EventType::ACCESS_METHOD_CREATED, id)?;
    fit(d, id)
}

fn make_code(
    d: &mut Draft<'_>,
    grant_id: AccessGrantId,
    grant: &Grant,
    asked: &NewMethod,
    group: &[Place],
    made: &mut MadeMethods,
) -> Try<()> {
    let group_doors: Vec<AcsEntranceId> = group.iter().flat_map(|p| p.doors.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect();
    let rules = &group[0].rules;
    if rules.per_user
        && let Some((id, mut method)) = member::shared_code(d, group[0].system, grant.identity)?
    {
        // The person's PIN there serves this grant too.
        if !method.grants.contains(&grant_id) {
            method.grants.push(grant_id);
        }
        method.doors = method.doors.into_iter().chain(group_doors).collect::<BTreeSet<_>>().into_iter().collect();
        d.set(id, method);
        if d.try_get::<Grant>(grant_id)?.is_none() {
            d.set(grant_id, grant.clone());
        }
        fit(d, id)?;
        made.ids.push(id);
        return Ok(());
    }
    let id = AccessMethodId::from_uuid(d.env.mint());
    let mut method = blank(d, grant_id, grant, AccessMethodMode::Code, group_doors);
    if !rules.made_by_vendor {
        let chosen = pin::choose(d, group, asked.code.as_ref().map(crate::model::Shown::expose), &grant.window, &|_| false)?;
        if chosen.refused_preference {
            made.other_pin.push(id);
        }
        method.pin = Some(d.env.seal(id.uuid(), "pin", &chosen.pin)?);
    } else if asked.code.is_some() {
        made.other_pin.push(id);
    }
    born(d, id, method, grant_id, grant)?;
    made.ids.push(id);
    Ok(())
}

/// What a method wants at one system, or at one door where a credential has only one.
struct Wish {
    system: AcsSystemId,
    door: Option<AcsEntranceId>,
    want: WantedCredential,
    channel: Channel,
    /// The least and the most that its window may be: without graces, and with all of them.
    between: Option<(Window, Window)>,
    /// The window that the grants ask for.
    asked: Window,
    /// Rooms where it belongs to no stay and has a grace all the same.
    graced: Vec<AcsEntranceId>,
}

/// Makes what is wanted of systems fit a method as this draft sees it: its grants, their windows and suspension, its doors, its stay.
pub(super) fn fit(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let method = d.get::<Method>(id)?;
    if method.is_over() {
        return Ok(());
    }
    d.hint(method.grants.iter().map(|g| g.uuid()));
    d.hint(method.targets.iter().copied());
    d.gather()?;
    let mut live: Vec<Grant> = Vec::new();
    for g in &method.grants {
        live.extend(d.try_get::<Grant>(*g)?.filter(Grant::is_live));
    }
    if live.is_empty() {
        return retire(d, id, false);
    }
    let serving: Vec<&Grant> = live.iter().filter(|g| !g.suspended).collect();
    let suspended = serving.is_empty();
    let counted: Vec<&Grant> = if suspended { live.iter().collect() } else { serving };
    let window = cover(&counted, d.now());
    let reach: BTreeSet<AcsEntranceId> = counted.iter().flat_map(|g| g.doors.iter().copied()).collect();
    let wanted_doors: Vec<AcsEntranceId> = method.doors.iter().copied().filter(|x| reach.contains(x)).collect();
    let doors = doors::load(d, &wanted_doors)?;
    let mut method = method;
    let usable = usable_or_held(d, &mut method, &doors)?;
    if let Some(key) = method.instant_key {
        instant_key::follow(d, key, window.ends_at())?;
    }
    let leading = counted[0].clone();
    let wishes = wishes(d, &method, &leading, &doors, &usable, window, suspended)?;
    let graced: BTreeSet<AcsEntranceId> = wishes.iter().flat_map(|wish| wish.graced.iter().copied()).collect();
    method.graced_at = graced.into_iter().collect();
    let grants = method.grants.clone();
    apply(d, id, method, &doors, wishes)?;
    for grant in grants {
        refresh::doors_lost(d, grant)?;
    }
    Ok(())
}

/// Doors that the method's mode opens, by what their systems report, and those where it is already: nothing is taken away because a system says
/// less of itself than before. That it does is noted.
fn usable_or_held(d: &Draft<'_>, method: &mut Method, doors: &Doors) -> Try<Vec<AcsEntranceId>> {
    let mut usable: Vec<AcsEntranceId> = doors.usable(&method.mode).into_iter().map(|x| x.id).collect();
    let mut held = BTreeSet::new();
    for row in &method.targets {
        let t = d.get::<Target>(*row)?;
        if let Some(c) = t.credential().filter(|_| !t.gone) {
            let by_user = doors.of(t.system).map(|x| x.id).filter(|_| c.user.is_some());
            held.extend(c.doors.iter().copied().chain(by_user));
        }
    }
    let kept: Vec<AcsEntranceId> = doors.doors.iter().map(|x| x.id).filter(|id| held.contains(id) && !usable.contains(id)).collect();
    discover::clear_note(&mut method.warnings, NOT_SUPPORTED);
    if !kept.is_empty() {
        let mut note = discover::note(d, NOT_SUPPORTED, "Entrances no longer say that they take this method. It is left there.");
        note.details.insert("acs_entrance_ids".to_owned(), json!(kept));
        method.warnings.push(note);
    }
    usable.extend(kept);
    Ok(usable)
}
/// The warning of a method at entrances that no longer say that they take it.
const NOT_SUPPORTED: &str = "entrance_not_supported";

/// The window of a method that serves several grants: the earliest that is not over, with all that overlap or touch it.
pub(super) fn cover(grants: &[&Grant], now: chrono::DateTime<chrono::Utc>) -> Window {
    let mut windows: Vec<Window> = grants.iter().map(|g| g.window).filter(|w| !w.is_over(now)).collect();
    if windows.is_empty() {
        return grants[0].window;
    }
    windows.sort_by_key(Window::starts_at);
    let mut hull = windows[0];
    for w in &windows[1..] {
        if hull.ends_at().is_none_or(|end| w.starts_at() <= end) {
            hull = hull.hull(w);
        }
    }
    hull
}

fn wishes(
    d: &mut Draft<'_>,
    method: &Method,
    grant: &Grant,
    doors: &Doors,
    usable: &[AcsEntranceId],
    window: Window,
    suspended: bool,
) -> Try<Vec<Wish>> {
    let Some(kind) = doors::kind_of(&method.mode) else { return Ok(Vec::new()) };
    let mut wishes = Vec::new();
    for (system_id, system) in &doors.systems {
        let here: Vec<_> = doors.of(*system_id).filter(|x| usable.contains(&x.id)).collect();
        let Some(rules) = doors.rules(*system_id, kind).filter(|_| !here.is_empty()) else { continue };
        // Where credentials belong to users, the hours are those of each permission: one PIN may serve grants with other hours.
        let by_user = rules.doors == DoorLimit::ByUser;
        let keeps_hours = if by_user { doors.rules(*system_id, Kind::Access).is_some_and(|r| r.schedule) } else { rules.schedule };
        if grant.schedule.is_some() && !keeps_hours {
            return Err(doors::unsupported(
                "schedule_not_supported",
                "the access system keeps no weekly schedule for this kind of credential; without one it would open at all hours".to_owned(),
                *system_id,
            )
            .with_field("schedule")
            .into());
        }
        let ids: Vec<AcsEntranceId> = here.iter().map(|x| x.id).collect();
        let rooms: Vec<AcsEntranceId> = here.iter().filter(|x| doors.is_reservable(x)).map(|x| x.id).collect();
        let is_guest = grant.holder == Holder::Guest && !rooms.is_empty();
        let own_stay = if is_guest { stay::stay_at(d, &grant.stays, *system_id)? } else { None };
        // A PIN is overridden by nobody, so it belongs to no stay; but it ends before the next one all the same.
        let stay_id = own_stay.filter(|_| kind != Kind::Code);
        let next_stay = if is_guest && system.graces.departure > 0 { stay::next_stay_start(d, own_stay, &rooms, &window)? } else { None };
        // Who is in no stay is found by the doors when the next one begins.
        let graced: Vec<AcsEntranceId> =
            if is_guest && own_stay.is_none() && system.graces.departure > 0 { rooms.clone() } else { Vec::new() };
        let asked = span::Asked { grant: window, graces: system.graces, next_stay, now: d.now() };
        let between = span::between(&asked, rules);
        let credential = WantedCredential {
            kind,
            identity: Some(method.identity),
            user: None,
            doors: ids.clone(),
            window: span::credential_window(&asked, rules)?,
            schedule: grant.schedule.clone().filter(|_| !by_user),
            suspended,
            slot: None,
            stay: stay_id,
        };
        match rules.doors {
            DoorLimit::One => {
                for door in here {
                    let want = WantedCredential { doors: vec![door.id], ..credential.clone() };
                    wishes.push(Wish {
                        system: *system_id,
                        door: Some(door.id),
                        want,
                        channel: doors::channel_of(system, Some(&door.entrance)),
                        between,
                        asked: window,
                        graced: graced.iter().copied().filter(|room| *room == door.id).collect(),
                    });
                }
            }
            DoorLimit::Many { guest, common } => {
                let guests = here.iter().filter(|x| x.entrance.report.class == DoorClass::Guest).count();
                let commons = here.len() - guests;
                if guests > usize::from(guest) || commons > usize::from(common) {
                    return Err(doors::unsupported(
                        "too_many_doors",
                        format!("a credential here holds {guest} guest doors and {common} others; {guests} and {commons} were asked for"),
                        *system_id,
                    )
                    .into());
                }
                wishes.push(Wish {
                    system: *system_id,
                    door: None,
                    want: credential,
                    channel: doors::channel_of(system, None),
                    between,
                    asked: window,
                    graced,
                });
            }
            DoorLimit::ByUser => {
                let user = user::ensure_user(d, *system_id, system.account, method.identity)?;
                member::fit_access(d, user, *system_id, method.identity)?;
                let want = WantedCredential { user: Some(user), doors: Vec::new(), ..credential };
                wishes.push(Wish {
                    system: *system_id,
                    door: None,
                    want,
                    channel: doors::channel_of(system, None),
                    between,
                    asked: window,
                    graced,
                });
            }
        }
    }
    Ok(wishes)
}

/// Compares wishes with the method's targets: new ones are made, changed ones are wanted anew, others are taken away.
fn apply(d: &mut Draft<'_>, id: AccessMethodId, mut method: Method, doors: &Doors, wishes: Vec<Wish>) -> Try<()> {
    let now = d.now();
    let mut old: BTreeMap<(AcsSystemId, Option<AcsEntranceId>), (RowId, Target)> = BTreeMap::new();
    for row in &method.targets {
        let t = d.get::<Target>(*row)?;
        if t.gone {
            continue;
        }
        let Some(c) = t.credential() else { continue };
        let one = doors_limit(d, &t)? == DoorLimit::One;
        let door = if one { c.doors.first().copied() } else { None };
        old.insert((t.system, door), (*row, t));
    }
    let mut changed = false;
    let pin = match &method.pin {
        Some(sealed) => Some(d.env.open(id.uuid(), "pin", sealed)?),
        None => None,
    };
    for wish in wishes {
        let Some(rules) = doors.rules(wish.system, wish.want.kind).cloned() else { continue };
        if let Some((row, mut t)) = old.remove(&(wish.system, wish.door)) {
            let mut want = wish.want;
            want.slot = t.credential().and_then(|c| c.slot);
            if let Some(window) = kept_window(&t, &rules, wish.between) {
                want.window = window;
            }
            let (window, renew_at) = span::roll(&t, want.window, &wish.asked, &rules, now);
            want.window = window;
            next::renew(&mut t, renew_at);
            let before = t.clone();
            changed |= next::want(&mut t, Wanted::Credential(want), &rules, now);
            t.channel = wish.channel;
            claim_pin(d, doors, row, &mut t, pin.as_ref(), &before)?;
            d.set(row, t);
        } else {
            let row = d.env.mint();
            let mut want = wish.want;
            let renew_at = span::renew_at(&want.window, &wish.asked, &rules, now);
            if let Some(slots) = doors.systems[&wish.system].report.pin.as_ref().and_then(|p| p.slots).filter(|_| want.kind == Kind::Code) {
                want.slot = Some(free_slot(d, doors, &want, slots)?);
            }
            let mut t = Target {
                channel: wish.channel,
                needs: next::first_needs(&rules),
                renew_at,
                ..user::blank_target(d, &doors.systems[&wish.system], wish.system, TargetOf::Method(id), Wanted::Credential(want))
            };
            if let Some(user) = t.credential().and_then(|c| c.user) {
                t.work.after = Some(d.get::<AcsUser>(user)?.target);
            }
            if let Some(pin) = &pin {
                t.pin = Some(d.env.seal(row, "pin", expose(pin))?);
            }
            let before = t.clone();
            claim_pin(d, doors, row, &mut t, pin.as_ref(), &before)?;
            next::schedule(&mut t, &rules, now);
            method.targets.push(row);
            d.set(row, t);
            changed = true;
        }
    }
    for (row, mut t) in old.into_values() {
        let rules = rules_of(d, &t)?;
        next::take_away(&mut t, &rules, now);
        d.set(row, t);
        changed = true;
    }
    d.set(id, method);
    if changed { unissue(d, id) } else { Ok(()) }
}

/// The window of a card that was made, where it differs from what is wanted by no more than graces: nobody is asked to write a card again for those.
fn kept_window(t: &Target, rules: &KindRules, between: Option<(Window, Window)>) -> Option<Window> {
    let (least, most) = between.filter(|_| t.made.is_some() && card::is_plastic(rules))?;
    t.credential().map(|c| c.window).filter(|window| window.covers(&least) && most.covers(window))
}

/// The rules of a target's kind at its system. A system that no longer reports the kind gets the most careful rules.
pub(super) fn rules_of(d: &Draft<'_>, t: &Target) -> Try<KindRules> {
    Ok(rules_at(&d.get::<System>(t.system)?, t.kind()))
}

/// The rules of a kind at a system, as [`rules_of`].
pub(super) fn rules_at(system: &System, kind: Kind) -> KindRules {
    system.report.kinds.get(&kind).cloned().unwrap_or_else(KindRules::full)
}

fn doors_limit(d: &Draft<'_>, t: &Target) -> Try<DoorLimit> {
    Ok(rules_of(d, t)?.doors)
}

/// A method is no longer as it should be: it is told once, and again when it is issued anew.
pub(super) fn unissue(d: &mut Draft<'_>, id: AccessMethodId) -> Try<()> {
    let mut method = d.get::<Method>(id)?;
    let was_issued = method.issued;
    method.issued = false;
    let mut encoding = false;
    for row in &method.targets {
        let t = d.get::<Target>(*row)?;
        encoding |= !t.gone && t.needs == Needs::Encoding;
    }
    let tell_encoding = encoding && !method.told_encoding;
    method.told_encoding = encoding;
    d.set(id, method);
    if was_issued {
        tell(d, &EventType::ACCESS_METHOD_REVOKED, id)?;
    }
    if tell_encoding {
        tell(d, &EventType::ACCESS_METHOD_CARD_ENCODING_REQUIRED, id)?;
    }
    Ok(())
}

/// Tells an event about a method, with its grants and their keys.
pub(super) fn tell(d: &mut Draft<'_>, event: &EventType, id: AccessMethodId) -> Try<()> {
    let method = d.get::<Method>(id)?;
    let mut keys = Vec::new();
    for g in &method.grants {
        keys.extend(d.try_get::<Grant>(*g)?.and_then(|g| g.key));
    }
    let mut fields = json!({ "access_method_id": id, "access_grant_ids": method.grants });
    if !keys.is_empty() {
        fields["access_grant_keys"] = json!(keys);
    }
    if planted::is(Bug::PinTold)
        && let Some(pin) = &method.pin
    {
        fields["code"] = json!(expose(&d.env.open(id.uuid(), "pin", pin)?));
    }
    d.event(event.as_str(), method.identity, fields);
    Ok(())
}

/// Takes a method away, for good. `tell_deleted`: a person asked for it, or its grant was deleted; else its time has passed.
pub(super) fn retire(d: &mut Draft<'_>, id: AccessMethodId, tell_deleted: bool) -> Try<()> {
    let mut method = d.get::<Method>(id)?;
    if method.is_over() {
        return Ok(());
    }
    d.hint(method.targets.iter().copied());
    d.gather()?;
    if tell_deleted {
        tell(d, &EventType::ACCESS_METHOD_DELETED, id)?;
    }
    let now = d.now();
    let mut users: BTreeSet<(crate::model::AcsUserId, AcsSystemId)> = BTreeSet::new();
    for row in &method.targets {
        let mut t = d.get::<Target>(*row)?;
        let rules = rules_of(d, &t)?;
        if let Some(user) = t.credential().and_then(|c| c.user) {
            users.insert((user, t.system));
        }
        next::take_away(&mut t, &rules, now);
        d.set(*row, t);
    }
    if tell_deleted {
        method.deleted_at = Some(now);
    } else {
        method.ended_at = Some(now);
    }
    method.issued = false;
    if let Some(key) = method.instant_key {
        if tell_deleted { instant_key::end(d, key)? } else { instant_key::run_out(d, key)? }
    }
    let identity = method.identity;
    let grants = method.grants.clone();
    d.set(id, method);
    for (user, system) in users {
        member::fit_access(d, user, system, identity)?;
    }
    for grant in grants {
        refresh::doors_lost(d, grant)?;
    }
    Ok(())
}

/// A stay was opened again: the credentials of its grants are wanted anew, so that each gets the new number. Cards ask to be encoded; the rest follows.
pub(super) fn remake_for_stay(d: &mut Draft<'_>, stay: StayId, grants: &[AccessGrantId]) -> Try<()> {
    d.hint(grants.iter().map(|g| g.uuid()));
    d.gather()?;
    let mut methods = BTreeSet::new();
    for g in grants {
        methods.extend(methods_of(&d.get::<Grant>(*g)?));
    }
    d.hint(methods.iter().map(|m| m.uuid()));
    d.gather()?;
    for id in methods {
        let method = d.get::<Method>(id)?;
        if method.is_over() {
            continue;
        }
        d.hint(method.targets.iter().copied());
        d.gather()?;
        let now = d.now();
        let mut touched = false;
        for row in &method.targets {
            let mut t = d.get::<Target>(*row)?;
            // One that is being made right now gets the old number too.
            let untouched = t.made.is_none() && t.others.is_empty() && t.work.in_flight.is_none();
            if t.gone || untouched || t.credential().and_then(|c| c.stay) != Some(stay) {
                continue;
            }
            let rules = rules_of(d, &t)?;
            next::again(&mut t, &rules, now);
            d.set(*row, t);
            touched = true;
        }
        if touched {
            unissue(d, id)?;
        }
    }
    Ok(())
}
