//! Readers that are not part of the API, for the fuzz targets of `seam-fuzz` (feature `fuzzing`). Each function panics when a promise is broken.
use crate::model::WorkspaceId;
use crate::provider::HttpRequest;
use crate::store::{StaticKeys, Vault};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Any bytes as a document of the SQLite store: as a row, as a record of a commit, and as a plain value. What was read is written, and that
/// is read as the same; what was not is a typed error.
#[cfg(feature = "sqlite")]
pub fn document(bytes: &[u8]) {
    crate::store::fuzzing::document(bytes);
}

/// A value of JSON as a document, for seeds; none for what has no document.
#[cfg(feature = "sqlite")]
#[must_use]
pub fn document_of(json: &serde_json::Value) -> Option<Vec<u8>> {
    crate::store::fuzzing::document_of(json)
}

/// A text as the cursor of a page: the id after which it goes on, when it is one of this list.
#[must_use]
pub fn page_cursor(text: &str) -> Option<uuid::Uuid> {
    crate::api::fuzzing::page_cursor(text)
}

/// The cursor that this list gives after a row.
#[must_use]
pub fn page_cursor_after(id: uuid::Uuid) -> String {
    crate::api::fuzzing::page_cursor_after(id)
}

/// Whether a text is taken for the address of a webhook.
#[must_use]
pub fn is_webhook_address(text: &str) -> bool {
    crate::plan::webhook::is_address(text)
}

/// The delivery of a body to a webhook with this secret; none when the secret is none.
#[must_use]
pub fn delivery(secret: &str, id: &str, at: DateTime<Utc>, body: &[u8]) -> Option<HttpRequest> {
    crate::plan::webhook::delivery(secret, id, at, body)
}

/// The pause that an endpoint asks for with this header.
#[must_use]
pub fn pause(retry_after: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    crate::plan::webhook::pause(retry_after, now)
}

/// The workspaces that a text says to belong to as the token of a client session, as that of a connect webview; and whether it is the code
/// of an instant key.
#[must_use]
pub fn tokens(text: &str) -> (Option<WorkspaceId>, Option<WorkspaceId>, bool) {
    let workspace = WorkspaceId::from_uuid(uuid::Uuid::from_u128(7));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let code = crate::plan::instant_key_tag(&vault, workspace, text);
    (crate::plan::parse_session_token(text), crate::plan::webview_workspace(text), code.is_some())
}
