//! Connected accounts: connected, changed, disconnected, read again; what was held is confirmed.
use super::change::{NewAccount, Outcome};
use super::draft::Draft;
use super::read::Try;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsSystemId, ConnectWebviewId, ConnectedAccountId, EventType, Shown};
use crate::state::*;
use serde_json::{Value, json};

pub(super) use super::rebind::rebind;

/// The field under which settings are sealed.
const SETTINGS: &str = "settings";
/// The longest settings, in bytes: room for certificates.
const MAX_SETTINGS: usize = 64 * 1024;
/// The widest grace, in seconds: a week.
const MAX_GRACE: u32 = 7 * 24 * 3600;

/// Connects an account. It is read at once; what it shows appears then.
///
/// # Errors
/// `InvalidInput` for the kind or the settings. Whether the settings fit the kind's schema is for the provider's factory to say, before.
pub(super) fn connect(d: &mut Draft<'_>, new: &NewAccount) -> Try<Outcome> {
    connect_from(d, new, From::default()).map(Outcome::Account)
}

/// Where an account comes from.
#[derive(Default)]
pub(super) struct From {
    pub(super) webview: Option<ConnectWebviewId>,
    pub(super) customer: Option<String>,
    pub(super) metadata: serde_json::Map<String, Value>,
}

/// A provider kind: 1 to 64 small letters, digits and underscores.
pub(super) fn check_kind(field: &str, kind: &str) -> Result<()> {
    if (1..=64).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Ok(());
    }
    Err(Error::invalid(field, "a provider kind is 1 to 64 small letters, digits and underscores"))
}

/// As [`connect`], of an account that comes from somewhere.
pub(super) fn connect_from(d: &mut Draft<'_>, new: &NewAccount, from: From) -> Try<ConnectedAccountId> {
    check_kind("kind", &new.kind)?;
    check_settings(&new.settings)?;
    let id = ConnectedAccountId::from_uuid(d.env.mint());
    let account = Account {
        kind: new.kind.clone(),
        settings: d.env.seal(id.uuid(), SETTINGS, new.settings.expose())?,
        settings_rev: 1,
        memo: None,
        memo_version: 0,
        created_at: d.now(),
        synced_at: None,
        errors: Vec::new(),
        work: Work { due_at: Some(d.now()), ..Work::default() },
        deleted_at: None,
        held: None,
        name: None,
        customer: from.customer,
        metadata: from.metadata,
        webview: from.webview,
        readiness: None,
    };
    d.set(id, account);
    tell(d, &EventType::CONNECTED_ACCOUNT_CREATED, id, json!({}));
    Ok(id)
}

/// Settings hold a password, so no error repeats anything of them.
fn check_settings(settings: &Shown) -> Result<()> {
    if settings.expose().len() > MAX_SETTINGS {
        return Err(Error::invalid(SETTINGS, format!("they are longer than {MAX_SETTINGS} bytes")));
    }
    match serde_json::from_str::<Value>(settings.expose()) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(Error::invalid(SETTINGS, "they are not a JSON object")),
    }
}

/// Tells an event about an account that was read or written: with its customer, and where it was connected, the page. What the caller keeps with it
/// may name somebody, and is not told.
pub(super) fn tell(d: &mut Draft<'_>, event: &EventType, id: ConnectedAccountId, mut fields: Value) {
    fields["connected_account_id"] = json!(id);
    if let Ok(Some(account)) = d.try_get::<Account>(id) {
        if let Some(customer) = account.customer {
            fields["customer_key"] = json!(customer);
        }
        let of_page = [EventType::CONNECTED_ACCOUNT_CREATED, EventType::CONNECTED_ACCOUNT_CONNECTED].contains(event);
        if let Some(webview) = account.webview.filter(|_| of_page) {
            fields["connect_webview_id"] = json!(webview);
        }
    }
    d.event(event.as_str(), id, fields);
}

/// An account that is connected.
pub(super) fn living(d: &Draft<'_>, id: ConnectedAccountId) -> Try<Account> {
    let account = d.get::<Account>(id)?;
    if account.deleted_at.is_some() {
        return Err(Error::not_found("connected_account", id).into());
    }
    Ok(account)
}

/// Reads the account as soon as a channel is free. While it is being read, the next reading follows at once.
fn read_soon(d: &Draft<'_>, account: &mut Account) {
    if account.work.in_flight.is_some() {
        account.work.look = true;
        return;
    }
    account.work.due_at = Some(d.now());
    account.work.attempt = 0;
    account.work.failure = None;
}

/// Sets the settings: every instance opens the provider anew. The provider's own record stays: it may hold the only token that is valid.
///
/// # Errors
/// As [`connect`]; `NotFound`.
pub(super) fn update(d: &mut Draft<'_>, id: ConnectedAccountId, settings: &Shown) -> Try<Outcome> {
    let mut account = living(d, id)?;
    check_settings(settings)?;
    account.settings = d.env.seal(id.uuid(), SETTINGS, settings.expose())?;
    account.settings_rev += 1;
    read_soon(d, &mut account);
    d.set(id, account);
    Ok(Outcome::Account(id))
}

/// The name of a system that nobody is connected to: its installation can be connected again, here or in another workspace.
pub(super) fn released(d: &Draft<'_>, fingerprint: &str) -> String {
    if fingerprint.starts_with(RELEASED) { fingerprint.to_owned() } else { format!("{RELEASED}{}/{fingerprint}", d.env.workspace) }
}
/// The name of a system itself, whether anybody is connected to it or not.
pub(super) fn bare(fingerprint: &str) -> &str {
    fingerprint.strip_prefix(RELEASED).and_then(|rest| rest.split_once('/')).map_or(fingerprint, |(_, bare)| bare)
}
const RELEASED: &str = "released:";

/// Disconnects an account. Nothing is taken away at the vendor: what is there stays there, and grants stay. What is to be done rests until the
/// same installation is connected again.
///
/// # Errors
/// `NotFound`.
pub(super) fn disconnect(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    let mut account = living(d, id)?;
    let systems = d.find_exactly(&Key::id(Index::SystemsOf, id))?;
    let targets_at = |s: &RowId| Key::id(Index::TargetsAt, *s);
    d.reader().hint_keys(systems.iter().map(targets_at));
    d.hint(systems.iter().copied());
    d.gather()?;
    let now = d.now();
    for row in &systems {
        let mut system = d.get::<System>(*row)?;
        let fingerprint = released(d, &system.report.fingerprint);
        std::sync::Arc::make_mut(&mut system.report).fingerprint = fingerprint;
        system.missing_since = system.missing_since.or(Some(now));
        d.set(*row, system);
        for target in d.find(&targets_at(row))? {
            let mut t = d.get::<Target>(target)?;
            if t.work.due_at.is_some() {
                t.work.due_at = None;
                d.set(target, t);
            }
        }
    }
    tell(d, &EventType::CONNECTED_ACCOUNT_DELETED, id, json!({ "connected_account_type": account.kind }));
    account.deleted_at = Some(now);
    account.work = Work::default();
    account.held = None;
    d.set(id, account);
    Ok(Outcome::Done)
}

/// Reads an account again soon.
///
/// # Errors
/// `NotFound`.
pub(super) fn rescan(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    let mut account = living(d, id)?;
    read_soon(d, &mut account);
    if let Some(seen) = &mut account.readiness {
        seen.rev = 0;
    }
    d.set(id, account);
    Ok(Outcome::Account(id))
}

/// Between two readings of an account that its system asks for.
const NOTICE_EVERY: chrono::Duration = chrono::Duration::seconds(30);

/// Reads the account again because its system has said that something changed. However often it says so, and whoever says it in its name: it is read once in
/// [`NOTICE_EVERY`], and no reading that is due is put off.
///
/// # Errors
/// `NotFound`.
pub(super) fn notice(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    let mut account = living(d, id)?;
    let from = account.synced_at.map_or(d.now(), |last| d.now().max(last + NOTICE_EVERY));
    if account.work.in_flight.is_some() {
        // What it says may be younger than what is being read.
        account.work.look |= from <= d.now();
    } else if account.work.failure.is_none() && account.work.due_at.is_none_or(|due| due > from) {
        // A reading that failed waits for its turn: a word from outside is no reason to hurry.
        account.work.due_at = Some(from);
    }
    d.set(id, account);
    Ok(Outcome::Account(id))
}

/// Confirms what is held. The account is read again and then it is carried out, if it has not become more: what is done follows what is
/// there now, not what was there when somebody looked.
///
/// # Errors
/// `Conflict` (`nothing_held`); `NotFound`.
pub(super) fn confirm_held(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    let mut account = living(d, id)?;
    let Some(held) = &mut account.held else {
        return Err(Error::new(ErrorKind::Conflict, "nothing_held", "nothing is held at this account").into());
    };
    super::drift::confirm(held);
    read_soon(d, &mut account);
    d.set(id, account);
    Ok(Outcome::Account(id))
}

/// Sets by how much credentials' windows are wider than grants' at a system, in seconds, each up to a week.
///
/// It holds for what is made or changed from now on. Cards in guests' pockets are not asked back for it.
///
/// # Errors
/// `InvalidInput` for a grace that is too wide; `NotFound`.
pub(super) fn set_graces(d: &mut Draft<'_>, id: AcsSystemId, arrival: u32, departure: u32) -> Try<Outcome> {
    let mut system = d.get::<System>(id)?;
    for (field, seconds) in [("arrival", arrival), ("departure", departure)] {
        if seconds > MAX_GRACE {
            return Err(Error::invalid(field, format!("a grace is at most {MAX_GRACE} seconds")).into());
        }
    }
    system.graces = Graces { arrival, departure };
    d.set(id, system);
    Ok(Outcome::Done)
}
