//! A tenant: everything starts here.
use super::*;
use crate::error::ErrorKind;
use crate::model::{AccessGrantId, AcsCredentialId, AcsEntranceId, UserIdentityId, WorkspaceInfo};
use crate::plan::{Decided, Outcome, Reader, Resolution, Stop, Try};
use crate::state::{Changeset, Facts, Index, Key, ReadSet, WorkspaceRow};
use crate::store::perform::{Performed, perform};
use crate::view::history::GrantHistory;
use crate::view::question::OpenQuestion;
use crate::view::{self, Present, Viewer};
use chrono::{DateTime, Utc};

/// A tenant. Every object belongs to one; a foreign id is not found, like an unknown one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub(super) seam: Seam,
    id: WorkspaceId,
    actor: Actor,
    reason: Option<String>,
    once: Option<String>,
}

/// What a change would do, without doing it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preview {
    /// What would be written and told. The ids are examples.
    pub changeset: Changeset,
    /// What would be answered.
    pub outcome: Outcome,
}

/// What a view showed.
pub(super) struct Seen<T> {
    pub(super) it: T,
    /// What it looked at, if that was noted.
    pub(super) by: ReadSet,
    /// Until when it stays as it is, if nothing of that is touched.
    pub(super) until: DateTime<Utc>,
}

/// A change that is about to be committed.
pub(super) struct Deed<'a> {
    ws: &'a Workspace,
    vault: &'a Vault,
    /// What its decision has read.
    facts: &'a Facts,
}

impl Deed<'_> {
    /// Looks at rows as they will be once the changeset is committed, beside those that its decision has read. Keys are not looked up: what they find
    /// may change with it.
    pub(super) fn see<T>(&self, changeset: &mut Changeset, see: impl FnOnce(&Viewer<'_>) -> Try<T>) -> Option<T> {
        let put: Vec<_> = std::mem::take(&mut changeset.put).into_iter().map(Arc::new).collect();
        let mut facts = Facts { rows: self.facts.rows.clone(), ..Facts::default() };
        facts.rows.extend(put.iter().map(|row| (row.id, Some(Arc::clone(row)))));
        let seen = {
            let (reader, present) = (Reader::new(&facts), Present::new(self.ws.seam.clock().now()));
            see(&self.ws.viewer(self.vault, &reader, &present)).ok()
        };
        drop(facts);
        changeset.put.extend(put.into_iter().map(Arc::unwrap_or_clone));
        seen
    }
}

impl Workspace {
    pub(super) fn new(seam: Seam, id: WorkspaceId) -> Self {
        Self { seam, id, actor: Actor::Integration("sdk".to_owned()), reason: None, once: None }
    }
    /// Its id.
    #[must_use]
    pub fn id(&self) -> WorkspaceId {
        self.id
    }
    /// Its name, and whether simulate calls are allowed in it.
    ///
    /// # Errors
    /// `Store` (may be retried).
    pub async fn about(&self) -> Result<WorkspaceInfo> {
        let id = self.id;
        self.look(|v| v.reader.get::<WorkspaceRow>(id).map(|row| WorkspaceInfo::new(id, row.name.as_str(), row.sandbox))).await
    }
    /// The same workspace, with calls made by somebody: kept in the audit, told to systems that have a field for it.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }
    /// The same workspace, with a reason for the calls: kept in the audit.
    #[must_use]
    pub fn because(&self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self.clone() }
    }
    /// The same workspace, for one change that is made once: asked again under this key with the same content, it gives the same answer; with other
    /// content it is refused.
    #[must_use]
    pub fn once(&self, idempotency_key: impl Into<String>) -> Self {
        Self { once: Some(idempotency_key.into()), ..self.clone() }
    }

    /// The same workspace, for changes that are each made under a key of their own: one idempotency key cannot stand for many of them.
    pub(super) fn many(&self) -> Self {
        Self { once: None, ..self.clone() }
    }

    /// Makes a change. Durable when it returns. The handles below are this, with types.
    ///
    /// # Errors
    /// What the change can be refused for (`InvalidInput`, `NotFound`, `Conflict`, `IdempotencyConflict`, `Unsupported`, `Exhausted`: nothing was
    /// written, asking again changes nothing); `Busy` and `Store` (nothing was written; may be retried).
    pub async fn apply(&self, change: Change) -> Result<Outcome> {
        self.carry_out(change, |_, _, _| None::<()>).await.map(|(outcome, _)| outcome)
    }

    /// As [`Workspace::apply`]. `see` is shown what the decision knew and is about to write: mostly that tells what is to be answered, so that it need
    /// not be read back. `None` when it does not, or when others were in the way of the change: then it is to be read.
    pub(super) async fn carry_out<T: Send + 'static>(
        &self,
        change: Change,
        see: impl Fn(&Deed<'_>, &mut Changeset, &Outcome) -> Option<T> + Send + 'static,
    ) -> Result<(Outcome, Option<T>)> {
        let change = Arc::new(change);
        let name = change.name();
        let (seed, me, vault) = (self.seam.seed(), self.clone(), self.seam.0.vault.remembering());
        let done = perform(&*self.seam.0.store, self.id, move |facts: &Facts, attempt: u32| {
            let mut decided = plan::decide(&change, me.once.as_deref(), facts, me.env(vault.clone(), seed, attempt))?;
            // Later attempts are made while everybody waits for the store.
            let seen = match &mut decided {
                Decided::Done { changeset, outcome } if attempt == 0 => see(&Deed { ws: &me, vault: &vault, facts }, changeset, outcome),
                _ => None,
            };
            let (step, outcome) = decided.into_step();
            Ok((step, outcome.map(|outcome| (outcome, seen))))
        })
        .await
        .map_err(|e| e.with_operation(name))?;
        match done {
            Performed::Done(answer) => Ok(answer),
            Performed::FenceLost => Err(Error::new(ErrorKind::Internal, "unexpected_fence", "a change has no fence")),
        }
    }

    /// What a change would do. The same decision as the deed, on the same facts; it only does not commit.
    ///
    /// # Errors
    /// As [`Workspace::apply`].
    pub async fn preview(&self, change: &Change) -> Result<Preview> {
        let mut facts = Facts::default();
        let seed = self.seam.seed();
        loop {
            match plan::decide(change, None, &facts, self.env(self.seam.0.vault.clone(), seed, 1))? {
                Decided::Need(reads) => facts.merge(self.seam.0.store.read(self.id, &reads).await?),
                Decided::Done { changeset, outcome } => return Ok(Preview { changeset: *changeset, outcome }),
                Decided::Before(_) => return Err(Error::new(ErrorKind::Internal, "preview_answered", "a preview has no key")),
            }
        }
    }

    fn env(&self, vault: Vault, seed: u64, attempt: u32) -> Env {
        let mut env = Env::new(self.id, self.seam.clock().now(), self.actor.clone(), vault, seed);
        env.reason.clone_from(&self.reason);
        env.attempt = attempt;
        env
    }

    /// Reads something through a view.
    pub(super) async fn look<T>(&self, see: impl Fn(&Viewer<'_>) -> Try<T>) -> Result<T> {
        let mut facts = Facts::default();
        loop {
            let present = Present::new(self.seam.clock().now());
            let reads = {
                let reader = Reader::new(&facts);
                match see(&self.viewer(&self.seam.0.vault, &reader, &present)) {
                    Ok(x) => return Ok(x),
                    Err(Stop::Reject(e)) => return Err(e),
                    Err(Stop::Need(reads)) => *reads,
                }
            };
            let missing = facts.missing(&reads);
            if missing.is_empty() {
                return Err(Error::new(ErrorKind::Internal, "view_stuck", "a view asks for what it was told"));
            }
            facts.merge(self.seam.0.store.read(self.id, &missing).await?);
        }
    }

    /// The rows that these keys find, one each.
    pub(super) async fn by_keys(&self, index: Index, what: &'static str, keys: &[impl AsRef<str>]) -> Result<Vec<RowId>> {
        let keys: Vec<Key> = keys.iter().map(|key| Key::new(index, key.as_ref())).collect();
        let see = |v: &Viewer<'_>| {
            v.reader.hint_keys(keys.iter().cloned());
            v.reader.gather()?;
            keys.iter().map(|key| v.reader.find(key)?.first().copied().ok_or_else(|| Error::not_found(what, &key.key).into())).collect()
        };
        self.look(see).await
    }

    /// What looks through facts of this workspace.
    fn viewer<'a>(&'a self, vault: &'a Vault, reader: &'a Reader<'a>, present: &'a Present) -> Viewer<'a> {
        Viewer { reader, vault, workspace: self.id, present, links: &self.seam.0.links, pages: self.seam.pages() }
    }

    /// Looks at each of some rows, all of them with the same few reads; `None` for one that the view does not show.
    pub(super) async fn look_each<T>(&self, rows: &[&Arc<Row>], see: impl Fn(&Viewer<'_>, RowId) -> Try<T>) -> Result<Vec<Option<T>>> {
        let seen = self.look_each_noting(rows, see, false).await?;
        Ok(seen.into_iter().map(|seen| seen.map(|seen| seen.it)).collect())
    }

    /// As [`Workspace::look_each`]; if that is to be noted, with what each was seen by.
    pub(super) async fn look_each_noting<T>(
        &self,
        rows: &[&Arc<Row>],
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
        noting: bool,
    ) -> Result<Vec<Option<Seen<T>>>> {
        let mut facts = Facts::default();
        facts.rows.extend(rows.iter().map(|row| (row.id, Some(Arc::clone(row)))));
        // What was seen stays seen: only those that want more are looked at again.
        let mut seen: Vec<Option<Option<Seen<T>>>> = rows.iter().map(|_| None).collect();
        loop {
            let now = self.seam.clock().now();
            let mut wanted = ReadSet::default();
            for (row, seen) in rows.iter().zip(&mut seen).filter(|(_, seen)| seen.is_none()) {
                let reader = if noting { Reader::noting(&facts) } else { Reader::new(&facts) };
                let present = Present::new(now);
                let looked = see(&self.viewer(&self.seam.0.vault, &reader, &present), row.id);
                match looked {
                    Ok(it) => *seen = Some(Some(Seen { it, by: reader.noted(), until: present.until() })),
                    Err(Stop::Reject(e)) if e.kind() == ErrorKind::NotFound => *seen = Some(None),
                    Err(Stop::Reject(e)) => return Err(e),
                    Err(Stop::Need(reads)) => wanted.merge(*reads),
                }
            }
            if wanted.is_empty() {
                return Ok(seen.into_iter().map(Option::flatten).collect());
            }
            let missing = facts.missing(&wanted);
            if missing.is_empty() {
                return Err(Error::new(ErrorKind::Internal, "view_stuck", "a view asks for what it was told"));
            }
            facts.merge(self.seam.0.store.read(self.id, &missing).await?);
        }
    }

    /// Grants: who, where, when, how.
    #[must_use]
    pub fn access_grants(&self) -> AccessGrants<'_> {
        AccessGrants { ws: self }
    }
    /// Access methods: PINs, cards, mobile keys, cloud keys.
    #[must_use]
    pub fn access_methods(&self) -> AccessMethods<'_> {
        AccessMethods { ws: self }
    }
    /// Spaces.
    #[must_use]
    pub fn spaces(&self) -> Spaces<'_> {
        Spaces { ws: self }
    }
    /// People.
    #[must_use]
    pub fn user_identities(&self) -> UserIdentities<'_> {
        UserIdentities { ws: self }
    }
    /// What access systems hold.
    #[must_use]
    pub fn acs(&self) -> Acs<'_> {
        Acs { ws: self }
    }
    /// Connected accounts.
    #[must_use]
    pub fn connected_accounts(&self) -> ConnectedAccounts<'_> {
        ConnectedAccounts { ws: self }
    }
    /// Phones of a sandbox.
    #[must_use]
    pub fn phones(&self) -> Phones<'_> {
        Phones { ws: self }
    }
    /// Pages on which somebody connects an account.
    #[must_use]
    pub fn connect_webviews(&self) -> ConnectWebviews<'_> {
        ConnectWebviews { ws: self }
    }
    /// Instant keys.
    #[must_use]
    pub fn instant_keys(&self) -> InstantKeys<'_> {
        InstantKeys { ws: self }
    }
    /// Customers, whose own systems push people, places and reservations.
    #[must_use]
    pub fn customers(&self) -> Customers<'_> {
        Customers { ws: self }
    }
    /// Client sessions.
    #[must_use]
    pub fn client_sessions(&self) -> ClientSessions<'_> {
        ClientSessions { ws: self }
    }
    /// The event stream.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events { ws: self }
    }
    /// Endpoints that are told what happens.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { ws: self }
    }
    /// What persons asked for at devices.
    #[must_use]
    pub fn action_attempts(&self) -> ActionAttempts<'_> {
        ActionAttempts { ws: self }
    }

    /// What a person has to decide, because the engine would have to guess.
    ///
    /// # Errors
    /// `Store` when the database cannot be used (may be retried).
    pub async fn questions(&self) -> Result<Vec<OpenQuestion>> {
        self.look(view::question::questions).await
    }

    /// Answers a question.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` (`no_open_question`) when nothing is asked.
    pub async fn resolve(&self, credential: AcsCredentialId, answer: Resolution) -> Result<()> {
        self.apply(Change::Resolve { credential, answer }).await.map(drop)
    }

    /// What is kept of a grant, also after it has ended or was deleted.
    ///
    /// # Errors
    /// `NotFound`; `Store` when the database cannot be used (may be retried).
    pub async fn history(&self, grant: AccessGrantId) -> Result<GrantHistory> {
        self.look(|v| view::history::grant(v, grant)).await
    }

    /// Whether a person can pass a door at an instant, and the facts that decide it.
    ///
    /// # Errors
    /// `NotFound`; `Store` when the database cannot be used (may be retried).
    pub async fn explain(&self, person: UserIdentityId, entrance: AcsEntranceId, at: DateTime<Utc>) -> Result<view::Explanation> {
        self.look(|v| view::explain(v, person, entrance, at)).await
    }
}
