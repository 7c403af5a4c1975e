//! Pages on which somebody connects an account.
use super::account;
use super::change::{AccountUpdate, NewAccount, NewConnectWebview, Outcome};
use super::draft::Draft;
use super::read::Try;
use super::{token, validate};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ConnectWebviewId, ConnectedAccountId, WorkspaceId};
use crate::state::*;
use crate::store::Vault;
use serde_json::{Map, Value};

/// The field under which the token is sealed.
pub(crate) const TOKEN: &str = "token";
/// The most pairs of custom metadata, and the most characters of a key and of a value.
const MAX_METADATA: (usize, usize, usize) = (50, 40, 500);
/// The longest address.
const MAX_URL: usize = 2_048;

/// Makes a page.
///
/// # Errors
/// `InvalidInput` for a field.
pub(super) fn create(d: &mut Draft<'_>, new: &NewConnectWebview) -> Try<Outcome> {
    for (field, kinds) in [("accepted_providers", &new.accepted_providers), ("excluded_providers", &new.excluded_providers)] {
        validate::at_most(field, kinds.len(), 200)?;
        for kind in kinds {
            account::check_kind(field, kind)?;
        }
    }
    if let Some(key) = &new.customer_key {
        validate::key("customer_key", key)?;
    }
    for (field, url) in
        [("custom_redirect_url", &new.custom_redirect_url), ("custom_redirect_failure_url", &new.custom_redirect_failure_url)]
    {
        if let Some(url) = url {
            check_redirect(field, url)?;
        }
    }
    let metadata = metadata(&new.custom_metadata)?;
    let id = ConnectWebviewId::from_uuid(d.env.mint());
    let token = token::mint(d, "connect_webview_secret", id);
    let row = ConnectWebview {
        token: d.env.seal(id.uuid(), TOKEN, &token)?,
        token_tag: tag_of(&d.env.vault, d.env.workspace, &token),
        accepted: new.accepted_providers.clone(),
        excluded: new.excluded_providers.clone(),
        metadata,
        customer: new.customer_key.clone(),
        redirect: new.custom_redirect_url.clone(),
        failure_redirect: new.custom_redirect_failure_url.clone(),
        waits: new.wait_for_device_creation,
        account: None,
        authorized_at: None,
        created_at: d.now(),
        deleted_at: None,
    };
    d.set(id, row);
    Ok(Outcome::Webview(id))
}

/// The workspace that the token of a page says it belongs to; `None` for what is no token of ours.
pub(crate) fn workspace_of(token: &str) -> Option<WorkspaceId> {
    token::workspace_of(token)
}

/// The keyed hash by which the token of a page is known.
pub(crate) fn tag_of(vault: &Vault, workspace: WorkspaceId, token: &str) -> String {
    vault.tag(workspace, "connect_webview", token)
}

/// Where a visitor is sent is opened by her browser: an address with a host, of a scheme that shows a page or opens an app.
fn check_redirect(field: &str, url: &str) -> Result<()> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !["javascript", "data", "vbscript", "file", "blob"].contains(&scheme.to_ascii_lowercase().as_str());
    if url.len() <= MAX_URL && named && !rest.is_empty() && !url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Ok(())
    } else {
        Err(Error::invalid(field, "it is not an address as https://example.com/done"))
    }
}

/// Custom metadata: text or true/false by key; `null` is left out.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn metadata(given: &Map<String, Value>) -> Result<Map<String, Value>> {
    const FIELD: &str = "custom_metadata";
    let (pairs, key_length, text_length) = MAX_METADATA;
    validate::at_most(FIELD, given.len(), pairs)?;
    let mut kept = Map::new();
    for (key, value) in given {
        validate::key(FIELD, key)?;
        if key.chars().count() > key_length {
            return Err(Error::invalid(FIELD, format!("a key is longer than {key_length} characters")));
        }
        match value {
            Value::Null => continue,
            Value::Bool(_) => {}
            Value::String(text) if text.chars().count() <= text_length => {}
            Value::String(_) => return Err(Error::invalid(FIELD, format!("a text is longer than {text_length} characters"))),
            _ => return Err(Error::invalid(FIELD, "a value is neither text nor true or false")),
        }
        kept.insert(key.clone(), value.clone());
    }
    Ok(kept)
}

/// A page that is there.
fn living(d: &Draft<'_>, id: ConnectWebviewId) -> Try<ConnectWebview> {
    let row = d.get::<ConnectWebview>(id)?;
    if row.deleted_at.is_some() {
        return Err(Error::not_found("connect_webview", id).into());
    }
    Ok(row)
}

/// Connects the account whose settings were filled in on a page. Where the login of an earlier try was refused, it takes its place.
///
/// # Errors
/// `InvalidInput` for a provider kind that the page does not accept, and as connecting an account; `NotFound`; `Conflict`
/// (`connect_webview_submitted`) when an account was connected there already and its login works or is being tried.
pub(super) fn submit(d: &mut Draft<'_>, id: ConnectWebviewId, new: &NewAccount) -> Try<Outcome> {
    let mut row = living(d, id)?;
    if !row.accepts(&new.kind) {
        return Err(Error::invalid("provider", "accounts of this kind are not connected on this page").into());
    }
    if let Some(before) = row.account {
        let was = d.get::<Account>(before)?;
        if row.authorized_at.is_some() || !was.is_refused() {
            let message = "an account was connected on this page already";
            return Err(Error::new(ErrorKind::Conflict, "connect_webview_submitted", message).into());
        }
        if was.deleted_at.is_none() && was.kind == new.kind {
            account::update(d, before, &new.settings)?;
            return Ok(Outcome::Account(before));
        }
        if was.deleted_at.is_none() {
            account::disconnect(d, before)?;
        }
    }
    let from = account::From { webview: Some(id), customer: row.customer.clone(), metadata: row.metadata.clone() };
    let account = account::connect_from(d, new, from)?;
    row.account = Some(account);
    d.set(id, row);
    Ok(Outcome::Account(account))
}

/// The login of an account that was connected on a page was seen to work.
pub(super) fn authorized(d: &mut Draft<'_>, id: ConnectWebviewId) -> Try<()> {
    if let Some(mut row) = d.try_get::<ConnectWebview>(id)?
        && row.authorized_at.is_none()
    {
        row.authorized_at = Some(d.now());
        d.set(id, row);
    }
    Ok(())
}

/// Deletes a page. The account that came of it stays.
///
/// # Errors
/// `NotFound`.
pub(super) fn delete(d: &mut Draft<'_>, id: ConnectWebviewId) -> Try<Outcome> {
    let mut row = living(d, id)?;
    row.deleted_at = Some(d.now());
    d.set(id, row);
    Ok(Outcome::Done)
}

/// Changes what the caller keeps with an account.
///
/// # Errors
/// `InvalidInput`; `NotFound`; `Conflict` (`connected_account_of_another_customer`).
pub(super) fn change_account(d: &mut Draft<'_>, update: &AccountUpdate) -> Try<Outcome> {
    let id: ConnectedAccountId = update.account;
    let mut row = account::living(d, id)?;
    if let Some(name) = &update.display_name {
        if let Some(name) = name {
            validate::name("display_name", name)?;
        }
        row.name.clone_from(name);
    }
    if let Some(key) = &update.customer_key {
        validate::key("customer_key", key)?;
        if row.customer.as_ref().is_some_and(|has| has != key) {
            let message = "the account belongs to another customer";
            return Err(Error::new(ErrorKind::Conflict, "connected_account_of_another_customer", message)
                .with_field("customer_key")
                .into());
        }
        row.customer = Some(key.clone());
    }
    if let Some(given) = &update.custom_metadata {
        row.metadata = metadata(given)?;
    }
    d.set(id, row);
    Ok(Outcome::Account(id))
}
