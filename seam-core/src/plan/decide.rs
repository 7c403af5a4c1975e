//! One door for everything that is asked: the dispatch, idempotency, and the preview.
use super::change::{Change, Outcome};
use super::draft::{Draft, Env};
use super::read::{Stop, Try};
use super::{
    account, assign, attempt, grant, identity, instant_key, link, own_encoder, permit, phone, push, scan_assign, session, space, user,
    validate, webhook, webview,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::planted::{self, Bug};
use crate::state::*;
use crate::store::Step;

/// What a change came to.
#[derive(Debug)]
pub enum Decided {
    /// More facts are needed.
    Need(ReadSet),
    /// This is to be committed, and answered.
    Done {
        /// What is written.
        changeset: Box<Changeset>,
        /// What is answered.
        outcome: Outcome,
    },
    /// It was done before under this key: this was answered.
    Before(Outcome),
}

impl Decided {
    /// What a store is to do.
    #[must_use]
    pub fn into_step(self) -> (Step, Option<Outcome>) {
        match self {
            Self::Need(reads) => (Step::Need(reads), None),
            Self::Done { changeset, outcome } => (Step::Done(changeset), Some(outcome)),
            Self::Before(outcome) => (Step::Nothing, Some(outcome)),
        }
    }
}

/// Decides a change on these facts. The preview is the same function: it only does not commit.
///
/// # Errors
/// Whatever the change can be refused for; nothing is written then.
pub fn decide(change: &Change, idempotency_key: Option<&str>, facts: &Facts, env: Env) -> Result<Decided> {
    validate::who_and_why(&env.actor, env.reason.as_deref())?;
    let mut d = Draft::new(env, facts);
    match decided(&mut d, change, idempotency_key) {
        Ok(Answered::Before(outcome)) => Ok(Decided::Before(outcome)),
        Ok(Answered::Now(outcome)) => {
            let subject = subject(&outcome);
            Ok(Decided::Done { changeset: Box::new(d.finish(change.name(), subject)), outcome })
        }
        Err(Stop::Need(reads)) => Ok(Decided::Need(*reads)),
        Err(Stop::Reject(e)) => Err(e.with_operation(change.name())),
    }
}

enum Answered {
    Before(Outcome),
    Now(Outcome),
}

fn decided(d: &mut Draft<'_>, change: &Change, idempotency_key: Option<&str>) -> Try<Answered> {
    let Some(key) = idempotency_key else { return Ok(Answered::Now(dispatch(d, change)?)) };
    validate::key("idempotency_key", key)?;
    let text = serde_json::to_string(change).unwrap_or_default();
    // Keyed: the text may hold a PIN.
    let digest = d.env.vault.tag(d.env.workspace, "change", &text);
    if let Some(row) = d.find(&Key::new(Index::Idempotency, key))?.first() {
        let answer = d.get::<Answer>(*row)?;
        if answer.digest != digest && !planted::is(Bug::DigestIgnored) {
            return Err(Error::new(
                ErrorKind::IdempotencyConflict,
                "idempotency_key_conflict",
                "this idempotency key was used with other content",
            )
            .with_field("idempotency_key")
            .into());
        }
        let outcome = serde_json::from_value(answer.answer)
            .map_err(|e| Error::new(ErrorKind::Corrupt, "answer_unreadable", "a kept answer does not decode").with_source(e))?;
        return Ok(Answered::Before(outcome));
    }
    let outcome = dispatch(d, change)?;
    let answer = Answer {
        key: key.to_owned(),
        digest,
        answer: serde_json::to_value(&outcome)
            .map_err(|e| Error::new(ErrorKind::Internal, "answer_unwritable", "an answer does not encode").with_source(e))?,
        at: d.now(),
    };
    let row = d.env.mint();
    d.set(row, answer);
    Ok(Answered::Now(outcome))
}

fn dispatch(d: &mut Draft<'_>, change: &Change) -> Try<Outcome> {
    match change {
        Change::CreateWorkspace(new) => {
            validate::name("name", &new.name)?;
            let id = d.env.workspace;
            let row = WorkspaceRow { name: new.name.clone(), sandbox: new.sandbox, created_at: d.now() };
            d.set(id, row);
            Ok(Outcome::Workspace(id))
        }
        Change::CreateGrant(new) => grant::create(d, new),
        Change::UpdateGrant(update) => grant::update(d, update),
        Change::DeleteGrant { grant } => grant::delete(d, *grant),
        Change::SuspendGrant { grant, suspended } => grant::suspend(d, *grant, *suspended),
        Change::RequestMethods { grant, methods } => grant::request_methods(d, *grant, methods),
        Change::DeleteMethods(which) => grant::delete_methods(d, which),
        Change::ReplaceLost { method } => grant::replace_lost(d, *method),
        Change::CreateSpace(new) => space::create(d, new),
        Change::UpdateSpace(update) => space::update(d, update),
        Change::ChangeSpaceEntrances { space, add, remove } => space::change_entrances(d, *space, add, remove),
        Change::SetSpaceAccount { space, account, within } => space::set_account(d, *space, *account, *within),
        Change::DeleteSpace { space } => space::delete(d, *space),
        Change::CreateIdentity(person) => identity::create(d, person),
        Change::UpdateIdentity { identity, update } => identity::update(d, *identity, update),
        Change::DeleteIdentity { identity } => identity::delete(d, *identity),
        Change::EraseIdentity { identity } => identity::erase(d, *identity),
        Change::MergeIdentities { identity, merged } => identity::merge(d, *identity, merged),
        Change::Connect(new) => account::connect(d, new),
        Change::CreateWebview(new) => webview::create(d, new),
        Change::SubmitWebview { webview: id, account } => webview::submit(d, *id, account),
        Change::DeleteWebview { webview: id } => webview::delete(d, *id),
        Change::ChangeAccount(update) => webview::change_account(d, update),
        Change::UpdateAccount { account, settings } => account::update(d, *account, settings),
        Change::Disconnect { account } => account::disconnect(d, *account),
        Change::Rescan { account } => account::rescan(d, *account),
        Change::Notice { account } => account::notice(d, *account),
        Change::ConfirmHeld { account } => account::confirm_held(d, *account),
        Change::SetGraces { system, arrival, departure } => account::set_graces(d, *system, *arrival, *departure),
        Change::RebindEntrance { entrance, to } => account::rebind(d, *entrance, *to),
        Change::AddEncoder(new) => own_encoder::add(d, new),
        Change::RemoveEncoder { encoder } => own_encoder::remove(d, *encoder),
        Change::Encode(new) => attempt::encode(d, new),
        Change::Scan { encoder, wait_seconds } => attempt::scan(d, *encoder, *wait_seconds),
        Change::ScanToAssign { encoder, to, wait_seconds } => scan_assign::ask(d, *encoder, *to, *wait_seconds),
        Change::AssignCard { method, number } => attempt::assign(d, *method, number.expose()),
        Change::Unlock { method, entrance } => attempt::unlock(d, *method, *entrance),
        Change::UnlockWith { credential, entrance } => attempt::unlock_with(d, *credential, *entrance),
        Change::CancelAttempt { attempt: id } => attempt::cancel(d, *id),
        Change::Resolve { credential, answer } => attempt::resolve(d, *credential, *answer),
        Change::CreateInstantKey { identity, max_use_count } => instant_key::create(d, *identity, *max_use_count),
        Change::DeleteInstantKey { instant_key: id } => instant_key::delete(d, *id),
        Change::RedeemInstantKey { code } => instant_key::redeem(d, code),
        Change::PutCustomerPerson(new) => push::person(d, new),
        Change::PutCustomerSpace(new) => push::place(d, new),
        Change::PutReservation(new) => push::reservation(d, new),
        Change::DeleteCustomerThing { thing, key } => push::remove(d, *thing, key),
        Change::CreatePhone(new) => phone::create(d, new),
        Change::DeactivatePhone { phone: id } => phone::deactivate(d, *id),
        Change::CreateClientSession(new) => session::create(d, new),
        Change::GetOrCreateClientSession(new) => session::get_or_create(d, new),
        Change::GrantSessionAccess { session: id, access } => session::grant_access(d, *id, access),
        Change::RevokeClientSession { session: id } => session::revoke(d, *id),
        Change::DeleteClientSession { session: id } => session::delete(d, *id),
        Change::CreateUser(new) => user::create(d, new),
        Change::UpdateUser { user: id, update } => user::update(d, *id, update),
        Change::DeleteUser { user: id } => user::delete(d, *id),
        Change::SuspendUser { user: id, suspended } => user::suspend(d, *id, *suspended),
        Change::SetMembership { user: id, group, member } => user::set_membership(d, *id, *group, *member),
        Change::JoinGroup { who, group } => permit::join_group(d, *who, *group),
        Change::GrantEntrance { who, entrance } => permit::entrance(d, *who, *entrance),
        Change::CreateCredential(new) => user::create_credential(d, new),
        Change::UpdateCredential { credential, code, ends_at } => user::update_credential(d, *credential, code.as_ref(), *ends_at),
        Change::DeleteCredential { credential } => user::delete_credential(d, *credential),
        Change::AssignCredential { credential, to } => assign::assign(d, *credential, *to),
        Change::UnassignCredential { credential, from } => assign::unassign(d, *credential, *from),
        Change::SuspendCredential { credential, suspended } => assign::suspend(d, *credential, *suspended),
        Change::RevokeUserAccess { user: id } => user::revoke_access(d, *id),
        Change::LinkUser { user: id, identity } => link::link(d, *id, *identity),
        Change::UnlinkUser { user: id, identity } => link::unlink(d, *id, *identity),
        Change::Webhook(change) => webhook::change(d, change),
    }
}

fn subject(outcome: &Outcome) -> Option<RowId> {
    Some(match outcome {
        Outcome::Done => return None,
        Outcome::Workspace(id) => id.uuid(),
        Outcome::Grant(id) => id.uuid(),
        Outcome::Method(id) => id.uuid(),
        Outcome::Space(id) => id.uuid(),
        Outcome::Identity(id) => id.uuid(),
        Outcome::Account(id) => id.uuid(),
        Outcome::Attempt(id) => id.uuid(),
        Outcome::InstantKey(id) => id.uuid(),
        Outcome::User(id) => id.uuid(),
        Outcome::Credential(id) => id.uuid(),
        Outcome::ClientSession(id) => id.uuid(),
        Outcome::Webhook(id) => id.uuid(),
        Outcome::Encoder(id) => id.uuid(),
        Outcome::Webview(id) => id.uuid(),
        Outcome::Phone(id) => id.uuid(),
    })
}

/// What the engine is about to do with a row: decided, to be committed before it is done.
#[derive(Debug)]
pub enum Begun {
    /// More facts are needed.
    Need(ReadSet),
    /// This is to be committed; then this is to be called, if anything.
    Done {
        /// What is written.
        changeset: Box<Changeset>,
        /// What is called.
        call: Option<Box<super::begin::CallPlan>>,
    },
}

/// Begins what is due on a row.
///
/// # Errors
/// What makes it impossible for now; the row is left as it is.
pub fn begin(row: RowId, fence: u64, facts: &Facts, env: Env) -> Result<Begun> {
    let mut d = Draft::new(env, facts);
    match super::begin::begin(&mut d, row, fence) {
        Ok(call) => Ok(Begun::Done { changeset: Box::new(d.finish("engine.begin", Some(row))), call: call.map(Box::new) }),
        Err(Stop::Need(reads)) => Ok(Begun::Need(*reads)),
        Err(Stop::Reject(e)) => Err(e.with_operation("engine.begin")),
    }
}

/// Settles what calls came to: one commit for all of them.
///
/// # Errors
/// `Corrupt` or `Internal` only: whatever a provider answers can be settled.
pub fn settle(reports: &[&(RowId, u64, std::sync::Arc<super::settle::Report>)], facts: &Facts, env: Env) -> Result<Step> {
    let mut d = Draft::new(env, facts);
    for (row, _, _) in reports {
        d.hint([*row]);
    }
    let all = || -> Try<()> {
        d.gather()?;
        Ok(())
    };
    if let Err(Stop::Need(reads)) = all() {
        return Ok(Step::Need(*reads));
    }
    for (row, fence, report) in reports {
        match super::settle::settle(&mut d, *row, *fence, report) {
            Ok(()) => {}
            Err(Stop::Need(reads)) => return Ok(Step::Need(*reads)),
            Err(Stop::Reject(e)) => return Err(e.with_operation("engine.settle")),
        }
    }
    let subject = reports.first().map(|(row, _, _)| *row);
    let changeset = d.finish("engine.settle", subject);
    Ok(if changeset.put.is_empty() && changeset.events.is_empty() { Step::Nothing } else { Step::Done(Box::new(changeset)) })
}

/// The workspace that a new one will be.
#[must_use]
pub fn new_workspace(env: &mut Env) -> WorkspaceId {
    WorkspaceId::from_uuid(env.mint())
}
