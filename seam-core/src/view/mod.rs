//! Rows to public objects. Pure: what is read comes through a [`Reader`], the time and the keys are passed in.
//!
//! A view never decides anything. It says what is stored: what is wanted, what was seen, and the difference between the two as warnings,
//! errors and pending mutations. Where a door may know something else than we do, it says so (explanations, residual access).
mod answer;
mod attempt;
mod changes;
mod credential;
mod event;
pub mod explain;
mod grant;
pub mod history;
mod instant_key;
mod key_contents;
mod method;
mod notes;
pub mod occupancy;
mod people;
mod phone;
mod places;
pub mod question;
pub(crate) mod reach;
mod session;
mod status;
mod target;
pub(crate) mod unmanaged;
pub(crate) mod webhook;
mod webview;
mod worlds;

pub use answer::{CanEnter, Explanation, Fact, Says};
pub(crate) use attempt::action_attempt;
pub(crate) use credential::acs_credential;
pub(crate) use event::{event, event_in};
#[cfg(test)]
pub(crate) use explain::door_claim;
pub(crate) use explain::explain;
pub(crate) use grant::access_grant;
pub(crate) use instant_key::instant_key;
pub(crate) use key_contents::key_contents;
pub use key_contents::{KeyContents, KeyDoor, KeyState, RemoteUnlock};
pub(crate) use method::{access_method, entrances_of_method};
pub(crate) use people::{acs_user, staying_id, texts_of, user_identity};
pub(crate) use phone::phone;
pub(crate) use places::{
    accounts_of_space, acs_access_group, acs_encoder, acs_entrance, acs_system, connected_account, entrances_of_space, space,
};
pub(crate) use session::client_session;
pub use webview::Readiness;
pub(crate) use webview::{connect_webview, readiness};

use crate::error::Error;
use crate::model::{Shown, Window, WorkspaceId};
use crate::plan::{Kept, Reader, Try};
use crate::state::{RowId, Sealed};
use crate::store::Vault;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use std::cell::Cell;
use uuid::Uuid;

/// What a view looks through: facts, keys, the tenant, the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer<'a> {
    /// The facts.
    pub(crate) reader: &'a Reader<'a>,
    /// Opens PINs, links, names.
    pub(crate) vault: &'a Vault,
    /// The tenant.
    pub(crate) workspace: WorkspaceId,
    /// The present instant.
    pub(crate) present: &'a Present,
    /// Where the links of instant keys lead, without a slash at the end.
    pub(crate) links: &'a str,
    /// Where the pages are on which accounts are connected, without a slash at the end.
    pub(crate) pages: &'a str,
}

/// The present instant, and until when what was shown of it stays as it is while nothing is committed.
#[derive(Debug)]
pub(crate) struct Present {
    at: DateTime<Utc>,
    until: Cell<DateTime<Utc>>,
}

impl Present {
    pub(crate) fn new(at: DateTime<Utc>) -> Self {
        Self { at, until: Cell::new(DateTime::<Utc>::MAX_UTC) }
    }
    /// Until when what was shown may be kept; not at all if that has passed.
    pub(crate) fn until(&self) -> DateTime<Utc> {
        self.until.get()
    }
    fn is_over(&self) {
        self.until.set(DateTime::<Utc>::MIN_UTC);
    }
}

/// The names under which secrets are sealed: the field of the row that holds them.
pub(crate) mod sealed {
    /// A PIN, of a method or a target.
    pub(crate) const PIN: &str = "pin";
    /// The short code of an instant key.
    pub(crate) const CODE: &str = "code";
    /// A PIN that was asked for: by the place of the request in the grant.
    pub(crate) fn requested(index: usize) -> String {
        format!("requested.{index}")
    }
    /// The number of a card.
    pub(crate) const CARD_NUMBER: &str = "card_number";
    /// Name and contacts of a user without a person, as the JSON of a [`Person`](crate::plan::Person).
    pub(crate) const PROFILE: &str = "profile";
    /// A person's name, under her own key.
    pub(crate) const FULL_NAME: &str = "full_name";
    /// A person's e-mail address, under her own key.
    pub(crate) const EMAIL: &str = "email";
    /// A person's phone number, under her own key.
    pub(crate) const PHONE: &str = "phone";
}

impl<'a> Viewer<'a> {
    /// A body of a known kind, or `NotFound`.
    fn get<T: Kept + 'a>(&self, id: impl Into<Uuid>) -> Try<&'a T> {
        self.reader.get::<T>(id)
    }
    /// A body of a known kind, if it is there.
    fn try_get<T: Kept + 'a>(&self, id: impl Into<Uuid>) -> Try<Option<&'a T>> {
        self.reader.try_get::<T>(id)
    }
    /// Bodies of a known kind in the order of `ids`, read in one go; what is not there is left out.
    fn all<T: Kept + 'a, I: Copy + Into<Uuid>>(&self, ids: &[I]) -> Try<Vec<(I, &'a T)>> {
        self.reader.hint(ids.iter().map(|id| (*id).into()));
        self.reader.gather()?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.try_get::<T>(*id)?.map(|body| (*id, body)));
        }
        Ok(found)
    }
    /// The present instant. What shows it is not kept: it is another thing at another time.
    fn now(&self) -> DateTime<Utc> {
        self.present.is_over();
        self.present.at
    }
    /// Whether an instant has come. What shows that is kept until it does.
    fn has_come(&self, at: DateTime<Utc>) -> bool {
        if at > self.present.at {
            self.present.until.set(self.present.until.get().min(at));
        }
        at <= self.present.at
    }
    /// Whether the present lies in a window.
    fn is_within(&self, window: &Window) -> bool {
        self.has_come(window.starts_at()) && !window.ends_at().is_some_and(|end| self.has_come(end))
    }
    /// A secret of a row, for its owner. What shows a PIN, a link or a token is not kept.
    fn open(&self, row: impl Into<RowId>, field: &str, sealed: &Sealed) -> Try<Shown> {
        self.present.is_over();
        let secret = self.vault.open(self.workspace, row.into(), field, sealed)?;
        Ok(Shown::new(secret.expose_secret()))
    }
    /// As [`Viewer::open`], of a secret that need not be there.
    fn open_some(&self, row: impl Into<RowId>, field: &str, sealed: Option<&Sealed>) -> Try<Option<Shown>> {
        sealed.map(|sealed| self.open(row, field, sealed)).transpose()
    }
}

/// What a get of something hidden answers: the same as of something that never was.
fn hidden<T: Kept, R>(id: impl Into<Uuid>) -> Try<R> {
    Err(Error::not_found(T::WHAT, id.into()).into())
}

#[cfg(test)]
mod tests;
