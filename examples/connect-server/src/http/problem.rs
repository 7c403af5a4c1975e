//! What goes wrong, as the clients read it: `{"ok": false, "error": {"type", "message", "data"?, "validation_errors"?}}`.
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use seam_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// An answer that is no success.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable machine name, in snake case.
    pub kind: String,
    /// One sentence for a developer.
    pub message: String,
    /// Facts beside the message.
    pub data: Map<String, Value>,
    /// What is wrong with which parameter, as a tree of `_errors`.
    pub validation: Option<Value>,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem without further facts.
    pub fn new(status: StatusCode, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, kind: kind.into(), message: message.into(), data: Map::new(), validation: None, retry_after: None }
    }
    /// It is the server's fault; its log tells why.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the server failed; its log tells why")
    }
    /// Nobody, or somebody unknown, asks.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }
    /// A client session asks for what it may not reach.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this client session does not reach that")
    }
    /// One parameter is wrong.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        let mut tree = Faults::default();
        let message = message.into();
        tree.add(&[param], message.clone());
        Self { message: format!("{param}: {message}"), ..tree.into() }
    }
    /// Something is asked for that is not there.
    pub fn not_found(what: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what}_not_found"), message)
    }

    /// The answer on the wire.
    pub fn into_response(self) -> Response<Body> {
        let mut error = json!({"type": self.kind, "message": self.message});
        if !self.data.is_empty() {
            error["data"] = Value::Object(self.data);
        }
        if let Some(validation) = self.validation {
            error["validation_errors"] = validation;
        }
        let body = json!({"ok": false, "error": error}).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        let status = match e.kind() {
            ErrorKind::InvalidInput | ErrorKind::Unsupported => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Conflict | ErrorKind::IdempotencyConflict | ErrorKind::Exhausted => StatusCode::CONFLICT,
            ErrorKind::Failed => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Busy | ErrorKind::Store | ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            // What the host has to look after is for its log; the client learns that it was not her fault.
            tracing::error!(error = %e, "a request could not be served");
            let problem = match e.kind() {
                ErrorKind::Busy | ErrorKind::Store | ErrorKind::Timeout => {
                    Self::new(status, "temporarily_unavailable", "nothing was changed; ask again")
                }
                _ => Self::internal(),
            };
            let retry_after = Some(e.retry_after().unwrap_or(Duration::from_secs(1)));
            return Self { retry_after, ..problem };
        }
        if status == StatusCode::UNAUTHORIZED {
            // The clients know one name for it; which kind of no it was stands beside.
            let mut problem = Self::unauthorized(e.message());
            problem.data.insert("reason".to_owned(), e.code().into());
            return problem;
        }
        let mut problem = match (e.code(), e.field()) {
            ("invalid_input", Some(field)) => Self::invalid(field, e.message()),
            _ => Self::new(status, e.code(), e.message()),
        };
        problem.status = status;
        if let Some(field) = e.field() {
            problem.data.insert("parameter".to_owned(), field.into());
        }
        for (key, value) in e.context() {
            problem.data.insert((*key).to_owned(), value.as_str().into());
        }
        problem.retry_after = e.retry_after();
        problem
    }
}

/// What is wrong with which parameter.
#[derive(Debug, Default)]
pub struct Faults {
    tree: Map<String, Value>,
    first: Option<String>,
}

/// So many faults are told at most: an array of ten thousand wrong ids has as many.
const TOLD: usize = 50;

impl Faults {
    /// Adds a fault at a path of member names and places; an empty path is the request itself.
    pub fn add(&mut self, path: &[&str], message: String) {
        if self.first.is_none() {
            self.first = Some(match path {
                [] => message.clone(),
                path => format!("{}: {message}", path.join(".")),
            });
        }
        if self.count() >= TOLD {
            return;
        }
        let mut node = &mut self.tree;
        for step in path {
            let next = node.entry((*step).to_owned()).or_insert_with(|| json!({}));
            match next {
                Value::Object(map) => node = map,
                _ => return,
            }
        }
        if let Value::Array(list) = node.entry("_errors").or_insert_with(|| json!([])) {
            list.push(message.into());
        }
    }
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
    fn count(&self) -> usize {
        fn of(map: &Map<String, Value>) -> usize {
            map.values()
                .map(|v| match v {
                    Value::Array(list) => list.len(),
                    Value::Object(map) => of(map),
                    _ => 0,
                })
                .sum()
        }
        of(&self.tree)
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        fn complete(map: &mut Map<String, Value>) {
            map.entry("_errors").or_insert_with(|| json!([]));
            for value in map.values_mut() {
                if let Value::Object(inner) = value {
                    complete(inner);
                }
            }
        }
        let mut tree = faults.tree;
        complete(&mut tree);
        let message = faults.first.unwrap_or_else(|| "the request is not valid".to_owned());
        Self { validation: Some(Value::Object(tree)), ..Self::new(StatusCode::BAD_REQUEST, "invalid_input", message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_deep_inside_is_found_where_the_clients_look() {
        let mut faults = Faults::default();
        faults.add(&["requested_access_methods", "0", "code"], "too short".to_owned());
        let problem = Problem::from(faults);
        let tree = problem.validation.expect("a tree");
        assert_eq!(tree["_errors"], json!([]));
        assert_eq!(tree["requested_access_methods"]["0"]["code"]["_errors"], json!(["too short"]));
        assert_eq!(problem.message, "requested_access_methods.0.code: too short");
    }

    #[test]
    fn a_flood_of_faults_is_cut() {
        let mut faults = Faults::default();
        for n in 0..10_000 {
            faults.add(&["ids", &n.to_string()], "no".to_owned());
        }
        assert_eq!(faults.count(), TOLD);
    }

    #[test]
    fn what_the_host_must_repair_is_not_told_to_the_client() {
        let error = Error::new(ErrorKind::Corrupt, "corrupt_row", "row 17 of /srv/connect.db does not decode");
        let problem = Problem::from(error);
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.message.contains("/srv"), "{}", problem.message);
    }
}
