//! A route: its path and verb, its parameters, what it answers, and what it does.
use super::answer::Outcome;
use super::decode::Params;
use crate::app::Call;
use axum::http::Method;
use futures_util::future::{BoxFuture, FutureExt};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// What a route does, which says what verbs it takes. Every route takes POST too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads: GET, with a query.
    Read,
    /// Makes or does something: POST.
    Do,
    /// Changes a part: PATCH.
    Change,
    /// Adds, and adding twice is adding once: PUT.
    Add,
    /// Takes away: DELETE, with a query.
    Remove,
}

impl Verb {
    /// The verb of its own, beside POST.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Read => Method::GET,
            Self::Do => Method::POST,
            Self::Change => Method::PATCH,
            Self::Add => Method::PUT,
            Self::Remove => Method::DELETE,
        }
    }
    /// Whether a request with this verb means this route.
    #[must_use]
    pub fn takes(self, method: &Method) -> bool {
        *method == Method::POST || *method == self.method()
    }
}

/// What stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Nothing but `ok`.
    Nothing,
    /// One object of this kind, under its name.
    One(&'static str),
    /// A list under the first name of objects of the second.
    Many(&'static str, &'static str),
    /// The same, in pages.
    Pages(&'static str, &'static str),
    /// An object of lists, under `batch`.
    Batch,
    /// Something of its own, under this name.
    Own(&'static str),
}

type Handler = Arc<dyn Fn(Call, Value) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// A route.
#[derive(Clone)]
pub struct Route {
    /// Its path.
    pub path: &'static str,
    /// Its verb.
    pub verb: Verb,
    /// One sentence on what it does.
    pub about: &'static str,
    /// What it answers.
    pub gives: Gives,
    /// Its parameters.
    pub params: Arc<Params>,
    /// Whether a client session may ask; else only an API key.
    pub for_sessions: bool,
    /// What it does.
    pub handler: Handler,
}

impl Route {
    /// The same route, for client sessions too: its handler keeps to what the session may reach.
    #[must_use]
    pub fn for_sessions(self) -> Self {
        Self { for_sessions: true, ..self }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("path", &self.path).field("verb", &self.verb).finish_non_exhaustive()
    }
}

/// A route whose handler takes what its parameters describe.
pub fn route<P, F>(
    verb: Verb,
    path: &'static str,
    about: &'static str,
    gives: Gives,
    handler: impl Fn(Call, P) -> F + Send + Sync + 'static,
) -> Route
where
    P: DeserializeOwned + JsonSchema + Send + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let params = Arc::new(Params::of::<P>());
    let (check, handler) = (Arc::clone(&params), Arc::new(handler));
    let handler: Handler = Arc::new(move |call, asked| match check.read::<P>(asked) {
        Ok(params) => handler(call, params).boxed(),
        Err(problem) => std::future::ready(Err(problem)).boxed(),
    });
    Route { path, verb, about, gives, params, for_sessions: false, handler }
}
