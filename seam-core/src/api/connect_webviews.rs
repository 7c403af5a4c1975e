//! Pages on which somebody connects an account.
use super::paging::{Among, At, body, holds, paged, passing};
use super::{Seam, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ConnectWebview, ConnectWebviewId, Map, Page, WebviewStatus};
use crate::plan::{self, Change, NewAccount, NewConnectWebview, Outcome};
use crate::provider::{Failure, Memo, ProviderEnv, ProviderFactory, Reason, check_settings};
use crate::state::{self, Index, Key, Row, RowKind};
use crate::view::{self, Readiness, Viewer};
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Connect webviews: pages on which somebody who knows the login connects an account. The pages themselves are the caller's to serve
/// ([`Seam::with_pages`] says where).
#[derive(Clone, Copy, Debug)]
pub struct ConnectWebviews<'a> {
    pub(super) ws: &'a Workspace,
}

/// Which pages are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct WebviewFilter {
    /// Of this customer.
    pub customer_key: Option<String>,
    /// With all of these pairs in its custom metadata.
    #[builder(default)]
    pub custom_metadata_has: Map,
    /// With this in its id, its accepted providers, its custom metadata or its customer's key, whatever the case.
    pub search: Option<String>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(WebviewFilter);

/// Whether metadata has all of some pairs.
pub(super) fn has_all(metadata: &Map, wanted: &Map) -> bool {
    wanted.iter().all(|(key, value)| metadata.get(key) == Some(value))
}

impl ConnectWebviews<'_> {
    /// Makes a page.
    ///
    /// # Errors
    /// `InvalidInput`; `Busy`, `Store` (may be retried).
    pub async fn create(self, new: NewConnectWebview) -> Result<ConnectWebview> {
        match self.ws.apply(Change::CreateWebview(new)).await? {
            Outcome::Webview(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a connect webview was expected")),
        }
    }
    /// A page.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: ConnectWebviewId) -> Result<ConnectWebview> {
        self.ws.look(|v| view::connect_webview(v, id)).await
    }
    /// The page that a visitor opens, by the token in its address.
    ///
    /// # Errors
    /// `Unauthenticated` (`invalid_connect_webview_token`) for a page that is not there or another's token, which it does not repeat; `Store` (may be
    /// retried).
    pub async fn open(self, id: ConnectWebviewId, auth_token: &str) -> Result<ConnectWebview> {
        let tag = plan::webview_token_tag(&self.ws.seam.0.vault, self.ws.id(), auth_token);
        self.ws
            .look(|v| match v.reader.try_get::<state::ConnectWebview>(id)? {
                Some(row) if row.token_tag == tag && row.deleted_at.is_none() => view::connect_webview(v, id),
                _ => Err(unknown().into()),
            })
            .await
    }
    /// A page of them, in the order in which they were made.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor; `Store` (may be retried).
    pub async fn list(self, filter: &WebviewFilter) -> Result<Page<ConnectWebview>> {
        let among = Among::from(filter.customer_key.as_ref().map(|c| Key::new(Index::OfCustomer, c.as_str())));
        let keep = |row: &Row| {
            body::<state::ConnectWebview>(row).is_some_and(|w| filter.customer_key.is_none() || w.customer == filter.customer_key)
        };
        let see = |v: &Viewer<'_>, row| {
            passing(view::connect_webview(v, ConnectWebviewId::from_uuid(row)), |w| {
                let id = w.connect_webview_id.to_string();
                let texts = w.custom_metadata.iter().flat_map(|(key, value)| [Some(key.as_str()), value.as_str()]);
                let texts = texts.chain([Some(id.as_str()), w.customer_key.as_deref()]);
                let texts = texts.chain(w.accepted_providers.iter().map(|kind| Some(kind.as_str())));
                has_all(&w.custom_metadata, &filter.custom_metadata_has) && holds(filter.search.as_deref(), texts)
            })
        };
        self.ws.page(RowKind::ConnectWebview, among, At::of(filter), keep, see).await
    }
    /// Connects the account whose settings a visitor has filled in: they are checked against the factory's schema and then by the factory itself, without
    /// any call to the vendor. Whether the login works is seen when the engine reads the account ([`ConnectWebviews::wait`]); after a refused login another
    /// may be submitted.
    ///
    /// # Errors
    /// `InvalidInput`: the page does not take this kind, or the settings do not fit (`field` names the member, as `settings.host`; nothing of them is
    /// repeated); `NotFound`; `Conflict` (`connect_webview_submitted`) when an account was connected there already; `Busy`, `Store` (may be retried).
    pub async fn submit(self, id: ConnectWebviewId, factory: &dyn ProviderFactory, settings: &Value) -> Result<ConnectWebview> {
        self.ws.check_settings(factory, settings)?;
        let new = NewAccount::new(factory.kind(), settings);
        self.ws.apply(Change::SubmitWebview { webview: id, account: new }).await?;
        self.get(id).await
    }
    /// What stands between the account that was connected on a page and its first grant.
    ///
    /// # Errors
    /// `NotFound`, also when nothing was connected there; `Store` (may be retried).
    pub async fn readiness(self, id: ConnectWebviewId) -> Result<Readiness> {
        self.ws
            .look(|v| {
                let row = v.reader.get::<state::ConnectWebview>(id)?;
                let account = row.account.filter(|_| row.deleted_at.is_none());
                view::readiness(v, account.ok_or_else(|| Error::not_found("connect_webview", id))?)
            })
            .await
    }
    /// Waits until the login of the account that was connected on a page was seen to work, or was refused.
    ///
    /// # Errors
    /// `Timeout` when the deadline passes (the work goes on); `NotFound`; `Store` (may be retried).
    pub async fn wait(self, id: ConnectWebviewId, within: Duration) -> Result<ConnectWebview> {
        super::wait::until(self.ws, within, async || Ok(Some(self.get(id).await?).filter(|w| w.status != WebviewStatus::Pending))).await
    }
    /// Deletes a page. The account that came of it stays.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn delete(self, id: ConnectWebviewId) -> Result<()> {
        self.ws.apply(Change::DeleteWebview { webview: id }).await.map(drop)
    }
}

impl Workspace {
    /// Checks settings before anything is stored: by the schema, then by opening them, which calls nobody.
    fn check_settings(&self, factory: &dyn ProviderFactory, settings: &Value) -> Result<()> {
        if let Some(fault) = check_settings(&factory.settings_schema(), settings).into_iter().next() {
            let field = if fault.path.is_empty() { "settings".to_owned() } else { format!("settings.{}", fault.path) };
            return Err(Error::invalid(field, fault.message));
        }
        let env = ProviderEnv::new(Arc::clone(self.seam.clock()), Arc::new(NoMemo));
        match factory.open(SecretString::from(settings.to_string()), env) {
            Ok(_) => Ok(()),
            Err(failure) => Err(Error::invalid("settings", failure.message)),
        }
    }
}

/// A provider that is only opened keeps nothing.
#[derive(Debug)]
struct NoMemo;

#[async_trait]
impl Memo for NoMemo {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        Ok((0, SecretString::from("")))
    }
    async fn swap(&self, _: u64, _: SecretString) -> Result<bool, Failure> {
        Err(Failure::nothing(Reason::Other, "nothing is kept while settings are checked"))
    }
}

impl Seam {
    /// The same, with the address under which the caller serves the pages on which accounts are connected (no slash at the end). The first one given
    /// counts.
    #[must_use]
    pub fn with_pages(self, base: impl Into<String>) -> Self {
        let _ = self.0.pages.set(base.into());
        self
    }
    /// The page that a visitor opens, and the workspace that it belongs to, by the token in its address.
    ///
    /// # Errors
    /// As [`ConnectWebviews::open`].
    pub async fn open_webview(&self, id: ConnectWebviewId, auth_token: &str) -> Result<(Workspace, ConnectWebview)> {
        let workspace = Workspace::new(self.clone(), plan::webview_workspace(auth_token).ok_or_else(unknown)?);
        let page = workspace.connect_webviews().open(id, auth_token).await?;
        Ok((workspace, page))
    }
}

/// A token is a secret: no error repeats it.
fn unknown() -> Error {
    Error::new(ErrorKind::Unauthenticated, "invalid_connect_webview_token", "there is no such page").with_field("auth_token")
}
