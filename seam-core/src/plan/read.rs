//! Reading facts in straight code.
use crate::error::Error;
use crate::state::*;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// Why a decision stopped.
#[derive(Debug)]
pub enum Stop {
    /// It must know more. Boxed: it is rare and large.
    Need(Box<ReadSet>),
    /// It refuses.
    Reject(Error),
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Self::Reject(e)
    }
}

/// A step of a decision.
pub type Try<T> = Result<T, Stop>;

/// A body that rows hold.
pub trait Kept: Sized + Clone + 'static {
    /// What an error calls it.
    const WHAT: &'static str;
    /// The body, if the row holds this kind.
    fn of(body: &Body) -> Option<&Self>;
    /// As a body.
    fn into_body(self) -> Body;
}

macro_rules! kept {
    ($($ty:ident $variant:ident $what:literal;)*) => {$(
        impl Kept for $ty {
            const WHAT: &'static str = $what;
            fn of(body: &Body) -> Option<&Self> {
                match body { Body::$variant(x) => Some(x), _ => None }
            }
            fn into_body(self) -> Body { Body::$variant(self) }
        }
    )*};
}
kept! {
    WorkspaceRow Workspace "workspace";
    Account Account "connected_account";
    System System "acs_system";
    Entrance Entrance "acs_entrance";
    Group Group "acs_access_group";
    Encoder Encoder "acs_encoder";
    Space Space "space";
    Identity Identity "user_identity";
    AcsUser User "acs_user";
    Grant Grant "access_grant";
    Method Method "access_method";
    Stay Stay "stay";
    Target Target "acs_credential";
    Attempt Attempt "action_attempt";
    InstantKey InstantKey "instant_key";
    Answer Answer "answer";
    Unmanaged Unmanaged "unmanaged_acs_credential";
    LogFeed LogFeed "access_log";
    ClientSession ClientSession "client_session";
    Webhook Webhook "webhook";
    ConnectWebview ConnectWebview "connect_webview";
    Phone Phone "phone";
}

/// A body that is only looked at: where it lies, without a copy.
#[derive(Clone, Debug)]
pub struct Shared<T> {
    row: Arc<Row>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Kept> Shared<T> {
    /// The body, if the row holds this kind.
    #[must_use]
    pub fn of(row: &Arc<Row>) -> Option<Self> {
        T::of(&row.body)?;
        Some(Self { row: Arc::clone(row), kind: PhantomData })
    }
}

impl<T: Kept> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match T::of(&self.row.body) {
            Some(body) => body,
            None => unreachable!("the row was of this kind when it was taken, and it cannot change"),
        }
    }
}

/// Facts, read with `?`.
#[derive(Debug)]
pub struct Reader<'a> {
    facts: &'a Facts,
    wanted: RefCell<ReadSet>,
    /// What was looked at, if that is noted.
    noted: Option<RefCell<ReadSet>>,
}

impl<'a> Reader<'a> {
    /// A reader of these facts.
    #[must_use]
    pub fn new(facts: &'a Facts) -> Self {
        Self { facts, wanted: RefCell::default(), noted: None }
    }
    /// A reader that notes what is looked at: [`Reader::noted`].
    #[must_use]
    pub fn noting(facts: &'a Facts) -> Self {
        Self { noted: Some(RefCell::default()), ..Self::new(facts) }
    }
    /// What was looked at.
    #[must_use]
    pub fn noted(self) -> ReadSet {
        self.noted.map(RefCell::into_inner).unwrap_or_default()
    }
    fn note(&self, looked: impl FnOnce(&mut ReadSet)) {
        if let Some(noted) = &self.noted {
            looked(&mut noted.borrow_mut());
        }
    }

    fn stop<T>(&self) -> Try<T> {
        Err(Stop::Need(Box::new(self.wanted.take())))
    }

    /// Says that rows will be wanted, without stopping: a later stop reads them in the same go.
    pub fn hint(&self, ids: impl IntoIterator<Item = RowId>) {
        let mut wanted = self.wanted.borrow_mut();
        wanted.rows.extend(ids.into_iter().filter(|id| !self.facts.rows.contains_key(id)));
    }
    /// Says that keys will be wanted.
    pub fn hint_keys(&self, keys: impl IntoIterator<Item = Key>) {
        let mut wanted = self.wanted.borrow_mut();
        wanted.keys.extend(keys.into_iter().filter(|k| !self.facts.keys.contains_key(k)));
    }
    /// Says that claims will be wanted.
    pub fn hint_near(&self, near: impl IntoIterator<Item = Near>) {
        let mut wanted = self.wanted.borrow_mut();
        wanted.near.extend(near.into_iter().filter(|n| !self.facts.near.contains_key(n)));
    }
    /// Stops if anything that was hinted at is not known yet.
    ///
    /// # Errors
    /// What is to be read.
    pub fn gather(&self) -> Try<()> {
        if self.wanted.borrow().is_empty() { Ok(()) } else { self.stop() }
    }

    /// A row; `None` if there is none in this workspace.
    ///
    /// # Errors
    /// What is to be read.
    pub fn row(&self, id: RowId) -> Try<Option<&'a Arc<Row>>> {
        self.note(|noted| noted.rows.extend([id]));
        match self.facts.rows.get(&id) {
            Some(row) => Ok(row.as_ref()),
            None => {
                self.hint([id]);
                self.stop()
            }
        }
    }

    /// The rows that a key finds.
    ///
    /// # Errors
    /// What is to be read.
    pub fn find(&self, key: &Key) -> Try<&'a [RowId]> {
        self.note(|noted| noted.keys.extend([key.clone()]));
        if let Some(ids) = self.facts.keys.get(key) {
            Ok(ids)
        } else {
            self.hint_keys([key.clone()]);
            self.stop()
        }
    }

    /// Claims near a window.
    ///
    /// # Errors
    /// What is to be read.
    pub fn near(&self, near: &Near) -> Try<&'a [Claimed]> {
        self.note(|noted| noted.near.extend([near.clone()]));
        if let Some(claims) = self.facts.near.get(near) {
            Ok(claims)
        } else {
            self.hint_near([near.clone()]);
            self.stop()
        }
    }

    /// A body of a known kind; an error that names the kind if it is not there.
    ///
    /// # Errors
    /// What is to be read, or `NotFound`.
    pub fn get<T: Kept>(&self, id: impl Into<RowId>) -> Try<&'a T> {
        let id = id.into();
        match self.row(id)?.and_then(|row| T::of(&row.body)) {
            Some(x) => Ok(x),
            None => Err(Error::not_found(T::WHAT, id).into()),
        }
    }

    /// A body of a known kind, if it is there.
    ///
    /// # Errors
    /// What is to be read.
    pub fn try_get<T: Kept>(&self, id: impl Into<RowId>) -> Try<Option<&'a T>> {
        Ok(self.row(id.into())?.and_then(|row| T::of(&row.body)))
    }

    /// The facts themselves.
    #[must_use]
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }
}
