//! Who asks: an API key names a workspace.
use super::problem::Problem;
use axum::http::{HeaderMap, header};
use seam_core::model::WorkspaceId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;

/// The API keys that are known, as hashes: the keys themselves are not kept.
#[derive(Default)]
pub struct Keys {
    known: HashMap<[u8; 32], WorkspaceId>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("known", &self.known.len()).finish()
    }
}

impl Keys {
    /// Lets a key into a workspace.
    pub fn admit(&mut self, key: &str, workspace: WorkspaceId) {
        self.known.insert(Sha256::digest(key).into(), workspace);
    }
    /// The workspace of a key.
    #[must_use]
    pub fn workspace_of(&self, key: &str) -> Option<WorkspaceId> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        self.known.get(&hash).copied()
    }
}

/// What a request shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// An API key.
    ApiKey(&'a str),
    /// The token of a client session.
    ClientSession(&'a str),
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey(_) => "ApiKey([redacted])",
            Self::ClientSession(_) => "ClientSession([redacted])",
        })
    }
}

/// The token in the headers of a request.
///
/// # Errors
/// `unauthorized`: there is none, or one of a kind that this server has not.
pub fn token(headers: &HeaderMap) -> Result<Token<'_>, Problem> {
    let named = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let session = named("client-session-token").or_else(|| named("seam-client-session-token"));
    let bearer = match headers.get(header::AUTHORIZATION) {
        None => None,
        Some(value) => {
            let text = value.to_str().ok();
            let parted = text.and_then(|t| t.trim().split_once(' '));
            match parted {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
                _ => return Err(Problem::unauthorized("the authorization header must be: Bearer <API key>")),
            }
        }
    };
    match bearer.or(session) {
        None => Err(Problem::unauthorized("an API key is required, in the header authorization: Bearer <API key>")),
        Some(token) if token.starts_with("seam_cst") => Ok(Token::ClientSession(token)),
        Some(token) if token.starts_with("seam_at") || token.starts_with("seam_pk") || token.starts_with("ey") => {
            Err(Problem::unauthorized("this server takes API keys and the tokens of client sessions"))
        }
        Some(token) => Ok(Token::ApiKey(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().expect("a name"), v.parse().expect("a value"))).collect()
    }

    #[test]
    fn tokens_are_told_apart() {
        assert_eq!(token(&headers(&[("authorization", "Bearer seam_test_1")])).expect("a key"), Token::ApiKey("seam_test_1"));
        assert_eq!(token(&headers(&[("authorization", "bearer  seam_cst1")])).expect("a session"), Token::ClientSession("seam_cst1"));
        assert_eq!(token(&headers(&[("client-session-token", "seam_cst2")])).expect("a session"), Token::ClientSession("seam_cst2"));
        for wrong in [&[][..], &[("authorization", "Basic abc")], &[("authorization", "Bearer seam_at_1")], &[("authorization", "x")]] {
            assert_eq!(token(&headers(wrong)).expect_err("refused").status, 401);
        }
    }

    #[test]
    fn keys_are_kept_as_hashes() {
        let mut keys = Keys::default();
        let id = WorkspaceId::from_uuid(uuid::Uuid::from_u128(1));
        keys.admit("seam_secret_1", id);
        assert_eq!(keys.workspace_of("seam_secret_1"), Some(id));
        assert_eq!(keys.workspace_of("seam_secret_2"), None);
        assert!(!format!("{keys:?}").contains("seam_secret"));
    }
}
