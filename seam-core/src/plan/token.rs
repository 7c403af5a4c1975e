//! Tokens that strangers bring: they say which workspace they belong to, and hold a secret that only we could have made.
use super::draft::Draft;
use crate::model::WorkspaceId;
use rand::Rng;
use std::fmt::Display;
use uuid::Uuid;

/// A token for a thing: its workspace, and 128 bits that only the holder of the index key can make. Nothing hangs on how good the generator of ids is.
pub(super) fn mint(d: &mut Draft<'_>, kind: &str, id: impl Display) -> String {
    let mut salt = [0u8; 16];
    d.env.rng().fill_bytes(&mut salt);
    let secret = d.env.vault.tag(d.env.workspace, kind, &format!("{id}/{}", Uuid::from_bytes(salt)));
    format!("{}_{secret}", d.env.workspace.uuid().simple())
}

/// The workspace that a token says it belongs to; `None` for what was never minted.
pub(super) fn workspace_of(token: &str) -> Option<WorkspaceId> {
    let (workspace, secret) = token.split_once('_')?;
    let hex = |text: &str| text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (hex(workspace) && hex(secret)).then(|| Uuid::parse_str(workspace).ok().map(WorkspaceId::from_uuid)).flatten()
}
