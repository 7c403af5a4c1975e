//! The one error of the SDK.
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What may have happened although the call failed. There is no conversion from an I/O error: the line that knows says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing happened: busy, offline, rate limited, a lost race. It may be tried again as it is.
    Nothing,
    /// The request was understood and refused; asked again it would be refused again.
    Refused,
    /// It may or may not have happened: an answer was lost after the request had left.
    Unknown,
}

/// What went wrong, coarsely, for a program to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a rule that can be seen without looking at state. `field` names the parameter.
    InvalidInput,
    /// No such object in this workspace. A foreign id and an unknown id are the same.
    NotFound,
    /// Who asks is not known, or no longer let in: a token that is unknown, revoked or expired.
    Unauthenticated,
    /// The request contradicts the present state (a reservation rule, a taken key, a window that no longer fits).
    Conflict,
    /// The same idempotency key (or `access_grant_key`) was used with other content.
    IdempotencyConflict,
    /// An access system cannot do what was asked. Nothing was sent to it.
    Unsupported,
    /// Nothing is free: no PIN, no slot.
    Exhausted,
    /// The object is being worked on by a device; ask again.
    Busy,
    /// The deadline of the call passed. What was asked goes on.
    Timeout,
    /// The work ended without success at the access system.
    Failed,
    /// The database cannot be used: not there, not readable, full, locked.
    Store,
    /// The database was written by a newer version of this crate.
    NewerDatabase,
    /// Another process has the database open.
    InUse,
    /// A stored row does not decode or does not authenticate.
    Corrupt,
    /// A bug of this crate: please report it.
    Internal,
}

/// Who has to do something so that the same request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NextAction {
    /// Change the request.
    FixRequest,
    /// Send the same request again later (see [`Error::retry_after`]).
    RetryLater,
    /// Ask the person at the device: present a card, free the encoder.
    AskPerson,
    /// Change something in the access system, or its settings.
    FixSystem,
    /// Look after the database or the host.
    FixHost,
}

/// The one error of the SDK: what went wrong, what may have happened, and who can help.
///
/// It never holds a PIN, a key, a token or a password.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    effect: Effect,
    code: &'static str,
    message: String,
    field: Option<String>,
    operation: &'static str,
    retry_after: Option<Duration>,
    next_action: NextAction,
    context: Vec<(&'static str, String)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// How much of somebody's text an error repeats, in characters.
const REPEATED: usize = 120;

/// What a caller has sent, fit for one line of a log: cut, and without control characters.
fn printable(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let mut out: String = text.chars().take(REPEATED).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(REPEATED).is_some() {
        out.push('\u{2026}');
    }
    out
}

impl Error {
    /// A new error. `code` is a stable machine name in snake case; `message` is one sentence for a developer.
    #[must_use]
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        let (effect, next_action) = match kind {
            ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Unauthenticated | ErrorKind::IdempotencyConflict => {
                (Effect::Refused, NextAction::FixRequest)
            }
            ErrorKind::Conflict => (Effect::Refused, NextAction::FixRequest),
            ErrorKind::Unsupported | ErrorKind::Exhausted | ErrorKind::Failed => (Effect::Refused, NextAction::FixSystem),
            ErrorKind::Busy => (Effect::Nothing, NextAction::RetryLater),
            ErrorKind::Timeout => (Effect::Unknown, NextAction::RetryLater),
            ErrorKind::Store | ErrorKind::NewerDatabase | ErrorKind::InUse | ErrorKind::Corrupt => (Effect::Nothing, NextAction::FixHost),
            ErrorKind::Internal => (Effect::Unknown, NextAction::FixHost),
        };
        Self(Box::new(Inner {
            kind,
            effect,
            code,
            message: message.into(),
            field: None,
            operation: "",
            retry_after: None,
            next_action,
            context: Vec::new(),
            source: None,
        }))
    }

    /// Bad input in the parameter `field`.
    #[must_use]
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut e = Self::new(ErrorKind::InvalidInput, "invalid_input", message);
        e.0.field = Some(field.into());
        e
    }

    /// No such object in this workspace. `what` is the resource in snake case.
    #[must_use]
    pub fn not_found(what: &'static str, id: impl fmt::Display) -> Self {
        let code = match what {
            "access_grant" => "access_grant_not_found",
            "access_method" => "access_method_not_found",
            "space" => "space_not_found",
            "user_identity" => "user_identity_not_found",
            "acs_entrance" => "acs_entrance_not_found",
            "acs_system" => "acs_system_not_found",
            "acs_encoder" => "acs_encoder_not_found",
            "acs_user" => "acs_user_not_found",
            "acs_credential" => "acs_credential_not_found",
            "acs_access_group" => "acs_access_group_not_found",
            "action_attempt" => "action_attempt_not_found",
            "connected_account" => "connected_account_not_found",
            "instant_key" => "instant_key_not_found",
            "event" => "event_not_found",
            "client_session" => "client_session_not_found",
            "connect_webview" => "connect_webview_not_found",
            "phone" => "phone_not_found",
            "customer" => "customer_not_found",
            "webhook" => "webhook_not_found",
            _ => "not_found",
        };
        Self::new(ErrorKind::NotFound, code, format!("there is no {what} {} in this workspace", printable(id)))
    }

    /// Names the parameter that is wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }
    /// Says what may have happened.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }
    /// Names the operation, as `resource.verb`.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = operation;
        self
    }
    /// Adds a fact. Never a secret.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, printable(value)));
        self
    }
    /// Says when it is worth trying again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }
    /// Says who has to do something.
    #[must_use]
    pub fn with_next_action(mut self, next: NextAction) -> Self {
        self.0.next_action = next;
        self
    }
    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What went wrong, coarsely.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    /// What may have happened.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.0.effect
    }
    /// The stable machine name, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }
    /// One sentence for a developer.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
    /// The parameter that is wrong, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }
    /// The operation, as `resource.verb`; empty if unnamed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }
    /// Whether the store may answer when it is asked again: it is busy, locked, full or away for a moment. Not when it was closed, and not when a
    /// write to the disk failed so that it has to be opened anew.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self.kind(), ErrorKind::Busy | ErrorKind::Store) && !matches!(self.code(), "store_closed" | "store_broken")
    }

    /// When it is worth trying again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
    /// Who has to do something.
    #[must_use]
    pub fn next_action(&self) -> NextAction {
        self.0.next_action
    }
    /// Facts beside the message.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.operation.is_empty() {
            write!(f, "{}: ", self.0.operation)?;
        }
        write!(f, "{} ({})", self.0.message, self.0.code)?;
        if let Some(field) = &self.0.field {
            write!(f, " [{field}]")?;
        }
        for (k, v) in &self.0.context {
            write!(f, " {k}={v}")?;
        }
        Ok(())
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {:?}: {self})", self.0.kind, self.0.effect)
    }
}
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|s| &**s as &(dyn StdError + 'static))
    }
}

/// `Result` with the SDK's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
