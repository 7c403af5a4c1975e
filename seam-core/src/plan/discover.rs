//! A scan of an account becomes rows: systems, entrances, groups, encoders.
//!
//! Nothing is taken away because a list got shorter: what is no longer shown is marked as missing, and what is granted there stays granted.
use super::account;
use super::draft::Draft;
use super::read::Try;
use super::{access_log, adopt, drift, places, settle, webview};
use crate::model::{AcsSystemId, ConnectedAccountId, EventType, codes, time};
use crate::provider::{EncoderReport, EntranceReport, Failure, Finding, GroupReport, Held, Kind, Reason, SystemReport};
use crate::state::*;
use chrono::Duration;
use rand::RngExt;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long after the first failed scan the next one is made; twice as long after every further one.
const RETRY: Duration = Duration::seconds(30);
/// The longest time between two tries.
const LONGEST: Duration = Duration::hours(1);

/// After so many conflicts a system that is not found counts as connected in another workspace. Wrongly once in a while: then the next scan
/// finds it.
const ELSEWHERE_AFTER: u32 = 3;
/// The error of an account one of whose systems is connected through another account.
const ELSEWHERE: &str = "system_connected_elsewhere";
/// The error of an account whose settings its provider does not take.
const INVALID_SETTINGS: &str = "invalid_settings";
/// The errors that scans set and clear.
const OURS: [&str; 5] = [
    codes::error::ACCOUNT_DISCONNECTED,
    codes::error::INSUFFICIENT_PERMISSIONS,
    codes::error::PROVIDER_SERVICE_UNAVAILABLE,
    INVALID_SETTINGS,
    ELSEWHERE,
];

/// What an account showed.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// The systems of the account, all of them.
    pub systems: Vec<ScannedSystem>,
    /// What stands between the account and its first grant, if that was looked at.
    pub readiness: Option<Vec<Finding>>,
}

/// What one system showed. `None`: the provider cannot list it, or could not this time; what is known of it stays.
#[derive(Clone, Debug)]
pub struct ScannedSystem {
    /// The system and its rules.
    pub report: SystemReport,
    /// All entrances.
    pub entrances: Option<Vec<EntranceReport>>,
    /// All groups.
    pub groups: Option<Vec<GroupReport>>,
    /// All encoders.
    pub encoders: Option<Vec<EncoderReport>>,
    /// Everything that the system holds, whoever put it there.
    pub held: Option<Vec<Held>>,
}

impl ScannedSystem {
    /// A system of which nothing else was read.
    #[must_use]
    pub fn new(report: SystemReport) -> Self {
        Self { report, entrances: None, groups: None, encoders: None, held: None }
    }
}

/// A note without details.
pub(super) fn note(d: &Draft<'_>, code: &str, message: impl Into<String>) -> Note {
    Note { code: code.to_owned(), message: message.into(), at: d.now(), details: Map::new() }
}

/// Sets a note, once per code: the first keeps its time unless something else is to be said. Gives whether it is new.
pub(super) fn set_note(notes: &mut Vec<Note>, note: Note) -> bool {
    match notes.iter_mut().find(|n| n.code == note.code) {
        Some(old) => {
            if old.details != note.details || old.message != note.message {
                *old = Note { at: old.at, ..note };
            }
            false
        }
        None => {
            notes.push(note);
            true
        }
    }
}

/// Takes a note away. Gives whether it was there.
pub(super) fn clear_note(notes: &mut Vec<Note>, code: &str) -> bool {
    let before = notes.len();
    notes.retain(|n| n.code != code);
    notes.len() < before
}

/// Errors or warnings as events show them. Messages are our own: a vendor's might name a person.
fn shown(notes: &[Note], code: &str) -> Value {
    notes.iter().map(|n| json!({ code: n.code, "message": n.message, "created_at": time::text(n.at) })).collect()
}

/// Turns what a scan came to into rows, and sets when the next one is made. Nothing for an account that was disconnected meanwhile.
///
/// # Errors
/// None of its own: whatever a provider reports can be applied.
pub(crate) fn apply_scan(d: &mut Draft<'_>, id: ConnectedAccountId, scan: &Result<Scan, Failure>) -> Try<()> {
    let mut account = d.get::<Account>(id)?;
    account.work.in_flight = None;
    if account.deleted_at.is_some() {
        account.work = Work::default();
        d.set(id, account);
        return Ok(());
    }
    match scan {
        Ok(scan) => succeeded(d, id, account, scan),
        Err(failure) => failed(d, id, account, failure),
    }
}

fn failed(d: &mut Draft<'_>, id: ConnectedAccountId, mut account: Account, failure: &Failure) -> Try<()> {
    let systems = d.find(&Key::id(Index::SystemsOf, id))?;
    d.hint(systems.iter().copied());
    d.gather()?;
    let now = d.now();
    account.work.attempt = account.work.attempt.saturating_add(1);
    let full = (RETRY * 2i32.pow(account.work.attempt.saturating_sub(1).min(10))).min(LONGEST).num_milliseconds();
    // Between half and all of it: accounts that failed together do not come back together.
    let wait = Duration::milliseconds(d.env.rng().random_range(full / 2..=full));
    let asked = settle::asked_pause(failure).unwrap_or_default();
    account.work.due_at = Some(if account.work.look { now } else { now + wait.max(asked) });
    account.work.look = false;
    account.work.failure = Some(Failed { effect: failure.effect, reason: failure.reason, message: failure.message.clone(), at: now });
    let not_understood = matches!(failure.reason, Reason::Garbled | Reason::Other);
    let (code, message) = match failure.reason {
        // Alive, and asks for patience.
        Reason::Busy | Reason::RateLimited => {
            d.set(id, account);
            return Ok(());
        }
        Reason::Unauthenticated => (codes::error::ACCOUNT_DISCONNECTED, "The login no longer works: connect the account again."),
        Reason::Invalid => (INVALID_SETTINGS, "The settings do not fit this kind of access system: correct them."),
        Reason::Forbidden => (codes::error::INSUFFICIENT_PERMISSIONS, "The login lacks rights at the access system."),
        _ => (codes::error::PROVIDER_SERVICE_UNAVAILABLE, "The access system cannot be reached; it is tried again."),
    };
    for other in OURS.iter().filter(|c| **c != code && **c != ELSEWHERE) {
        clear_note(&mut account.errors, other);
    }
    let new = set_note(&mut account.errors, note(d, code, message));
    let account_errors = shown(&account.errors, "error_code");
    if new && code == codes::error::ACCOUNT_DISCONNECTED {
        let fields = json!({ "connected_account_errors": account_errors, "connected_account_warnings": [] });
        // It stays so until a person logs in again.
        account::tell(d, &EventType::CONNECTED_ACCOUNT_DISCONNECTED, id, fields.clone());
        account::tell(d, &EventType::CONNECTED_ACCOUNT_REAUTHORIZATION_REQUESTED, id, fields);
    }
    d.set(id, account);
    for row in systems {
        let mut system = d.get::<System>(row)?;
        if system.missing_since.is_none() {
            if not_understood {
                let message = "What the access system answered could not be understood; it is read again.";
                set_note(&mut system.warnings, note(d, codes::warning::UNKNOWN_ISSUE_WITH_ACS_SYSTEM, message));
            }
            unreachable(d, AcsSystemId::from_uuid(row), &mut system, &account_errors);
            d.set(row, system);
        }
    }
    Ok(())
}

/// Tells once that a system cannot be reached.
fn unreachable(d: &mut Draft<'_>, id: AcsSystemId, system: &mut System, account_errors: &Value) {
    let note = note(d, codes::error::ACS_SYSTEM_DISCONNECTED, "The access system cannot be reached.");
    if set_note(&mut system.errors, note) {
        let fields = json!({
            "acs_system_id": id,
            "connected_account_id": system.account,
            "acs_system_errors": shown(&system.errors, "error_code"),
            "acs_system_warnings": shown(&system.warnings, "warning_code"),
            "connected_account_errors": account_errors,
            "connected_account_warnings": [],
        });
        d.event(EventType::ACS_SYSTEM_DISCONNECTED.as_str(), id, fields);
    }
}

fn succeeded(d: &mut Draft<'_>, id: ConnectedAccountId, mut account: Account, scan: &Scan) -> Try<()> {
    let known_key = Key::id(Index::SystemsOf, id);
    let prints = |s: &ScannedSystem| s.report.fingerprint.clone();
    let print_keys: Vec<Key> = scan.systems.iter().flat_map(|s| [prints(s), account::released(d, &prints(s))]).map(fingerprint).collect();
    d.reader().hint_keys(print_keys.into_iter().chain([known_key.clone()]));
    d.gather()?;
    let first = account.synced_at.is_none();
    let reconnected = clear_note(&mut account.errors, codes::error::ACCOUNT_DISCONNECTED);
    for code in OURS.iter().filter(|c| **c != ELSEWHERE) {
        clear_note(&mut account.errors, code);
    }
    account.synced_at = Some(d.now());
    if let Some(findings) = &scan.readiness {
        // Settings that came meanwhile are looked at the next time.
        let rev = if account.work.look { 0 } else { account.settings_rev };
        account.readiness = Some(ReadinessSeen { rev, at: d.now(), findings: findings.clone() });
    }
    // Somebody asked for a scan while this one was being made.
    let next = if account.work.look { d.now() } else { d.now() + d.env.scan_every };
    account.work = Work { due_at: Some(next), ..Work::default() };
    if first || reconnected {
        account::tell(d, &EventType::CONNECTED_ACCOUNT_CONNECTED, id, json!({}));
    }
    if let Some(page) = account.webview.filter(|_| first) {
        webview::authorized(d, page)?;
    }
    let mut places = Vec::new();
    let mut elsewhere: u32 = 0;
    let mut seen = BTreeSet::new();
    for scanned in &scan.systems {
        // A fingerprint that is reported twice is one installation.
        if seen.insert(prints(scanned)) {
            match place(d, id, &prints(scanned))? {
                Place::Elsewhere => elsewhere += 1,
                place => places.push((place, scanned)),
            }
        }
    }
    if elsewhere == 0 {
        clear_note(&mut account.errors, ELSEWHERE);
    } else {
        let mut note = note(d, ELSEWHERE, "Systems that this account shows are connected through another account; they are left to it.");
        note.details.insert("count".to_owned(), json!(elsewhere));
        set_note(&mut account.errors, note);
    }
    let kind = account.kind.clone();
    d.set(id, account);
    // Everything that is known of these systems, in one go.
    for (place, scanned) in &places {
        if let Place::Ours(system) | Place::Adopt(system) = place {
            let held = scanned.held.is_some().then_some([Index::TargetsAt, Index::UnmanagedAt]).into_iter().flatten();
            d.reader().hint_keys([Index::PlacesOf].into_iter().chain(held).map(|index| Key::id(index, *system)));
        }
    }
    d.gather()?;
    let mut there = BTreeSet::new();
    for (place, scanned) in places {
        there.insert(apply_system(d, id, &kind, place, scanned)?);
    }
    for row in d.find(&known_key)? {
        let system_id = AcsSystemId::from_uuid(row);
        let mut system = d.get::<System>(row)?;
        if !there.contains(&system_id) && system.missing_since.is_none() && system.account == id {
            unreachable(d, system_id, &mut system, &json!([]));
            system.missing_since = Some(d.now());
            d.set(row, system);
        }
    }
    if first {
        account::tell(d, &EventType::CONNECTED_ACCOUNT_COMPLETED_FIRST_SYNC, id, json!({}));
    } else if reconnected {
        account::tell(d, &EventType::CONNECTED_ACCOUNT_COMPLETED_FIRST_SYNC_AFTER_RECONNECTION, id, json!({}));
    }
    Ok(())
}

fn fingerprint(print: String) -> Key {
    Key::new(Index::Fingerprint, print)
}

/// Where the row of a system is.
enum Place {
    /// It is new.
    New,
    /// This account has it.
    Ours(AcsSystemId),
    /// It is left over from an account that was disconnected.
    Adopt(AcsSystemId),
    /// Another account has it, here or in another workspace.
    Elsewhere,
}

fn place(d: &Draft<'_>, id: ConnectedAccountId, print: &str) -> Try<Place> {
    let mut rows = d.find(&fingerprint(print.to_owned()))?;
    rows.extend(d.find(&fingerprint(account::released(d, print)))?);
    let Some(row) = rows.first() else {
        // Rows of other workspaces cannot be seen; that one of them has the fingerprint shows only when commits fail again and again.
        return Ok(if d.env.attempt >= ELSEWHERE_AFTER { Place::Elsewhere } else { Place::New });
    };
    let Some(system) = d.try_get::<System>(*row)? else { return Ok(Place::Elsewhere) };
    let system_id = AcsSystemId::from_uuid(*row);
    if system.account == id {
        return Ok(Place::Ours(system_id));
    }
    let left = d.try_get::<Account>(system.account)?.is_none_or(|a| a.deleted_at.is_some());
    Ok(if left { Place::Adopt(system_id) } else { Place::Elsewhere })
}

/// A report that says nothing of a kind any more leaves the rules of it as they were, for what is there. Gives those kinds.
fn keep_rules(report: &mut SystemReport, old: &SystemReport) -> BTreeSet<Kind> {
    let reported: BTreeSet<Kind> = report.kinds.keys().copied().collect();
    for (kind, rules) in &old.kinds {
        report.kinds.entry(*kind).or_insert_with(|| rules.clone());
    }
    let missing: BTreeSet<Kind> = report.kinds.keys().copied().filter(|kind| !reported.contains(kind)).collect();
    if report.pin.is_none() && missing.contains(&Kind::Code) {
        report.pin.clone_from(&old.pin);
    }
    missing
}

fn apply_system(d: &mut Draft<'_>, account: ConnectedAccountId, kind: &str, place: Place, scanned: &ScannedSystem) -> Try<AcsSystemId> {
    let (id, known) = match place {
        Place::Ours(id) => (id, true),
        Place::Adopt(id) => {
            adopt::adopt(d, id, account)?;
            (id, true)
        }
        Place::New | Place::Elsewhere => (AcsSystemId::from_uuid(d.env.mint()), false),
    };
    let ids = json!({ "acs_system_id": id, "connected_account_id": account });
    let mut moved = BTreeMap::new();
    if known {
        let old = d.get::<System>(id)?;
        let mut report = scanned.report.clone();
        let missing_kinds = keep_rules(&mut report, &old.report);
        let mut system = System { report: report.into(), missing_kinds, missing_since: None, ..old.clone() };
        clear_note(&mut system.warnings, codes::warning::UNKNOWN_ISSUE_WITH_ACS_SYSTEM);
        let was_lost = clear_note(&mut system.errors, codes::error::ACS_SYSTEM_DISCONNECTED);
        if was_lost || old.missing_since.is_some() {
            d.event(EventType::ACS_SYSTEM_CONNECTED.as_str(), id, ids);
        }
        if old.report.channel.key != system.report.channel.key {
            moved.insert(super::doors::channel_of(&old, None), super::doors::channel_of(&system, None));
        }
        if system != old {
            d.set(id, system);
        }
    } else {
        let system = System {
            account,
            kind: kind.to_owned(),
            report: scanned.report.clone().into(),
            created_at: d.now(),
            missing_since: None,
            errors: Vec::new(),
            warnings: Vec::new(),
            graces: Graces::default(),
            missing_kinds: BTreeSet::new(),
        };
        d.set(id, system);
        d.event(EventType::ACS_SYSTEM_ADDED.as_str(), id, ids.clone());
        d.event(EventType::ACS_SYSTEM_CONNECTED.as_str(), id, ids);
    }
    let here = places::Here { account, system: id, kind, known };
    places::apply(d, &here, scanned, &mut moved)?;
    if known && !moved.is_empty() {
        adopt::move_channels(d, id, &moved)?;
    }
    access_log::follow(d, &here, &scanned.report)?;
    if let Some(held) = &scanned.held {
        drift::apply_held(d, account, id, held)?;
    }
    Ok(id)
}
