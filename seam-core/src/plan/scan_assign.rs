//! A card is read, and the credential that is found is given to somebody: one attempt. Where the system binds cards by their number, it is told
//! in a second call of the same attempt.
use super::attempt;
use super::change::{CredentialOwner, NewCredential, Outcome};
use super::draft::Draft;
use super::read::{Stop, Try};
use super::{assign, credential, doors, identity, settle, user};
use crate::encoder::CardSeen;
use crate::error::{Effect, Error};
use crate::model::{AccessMethodMode, AcsCredentialId, AcsEncoderId, Holder, codes};
use crate::provider::{CardPath, DoorLimit, Failure, Kind, KindRules, Needs, Receipt};
use crate::state::*;

/// Asks for a card to be read and for its credential to be given to somebody.
///
/// # Errors
/// `NotFound` (the encoder, the user, the person); `InvalidInput` for a user of another system; `Unsupported` where the system holds no cards.
pub(super) fn ask(d: &mut Draft<'_>, encoder: AcsEncoderId, to: CredentialOwner, wait_seconds: u32) -> Try<Outcome> {
    let wait_seconds = attempt::wait(wait_seconds)?;
    let row = d.get::<Encoder>(encoder)?;
    let system = d.get::<System>(row.system)?;
    user::rules(&system, row.system, Kind::Card)?;
    let (user, identity) = match to {
        CredentialOwner::User(id) => {
            if user::living(d, id)?.system != row.system {
                return Err(Error::invalid("acs_user_id", "the user belongs to another access system than the encoder").into());
            }
            (Some(id), None)
        }
        CredentialOwner::Identity(id) => (None, Some(identity::living(d, id)?.0)),
    };
    let action = Action::ScanToAssign { encoder, user, identity, found: None };
    Ok(attempt::new_attempt(d, action, row.system, row.account, row.channel(), wait_seconds))
}

/// The card was read: its credential is given, and where the system has to be told the card's number, that is done next.
pub(super) fn read(d: &mut Draft<'_>, row: RowId, a: &Attempt, seen: &CardSeen) -> Try<()> {
    let Action::ScanToAssign { user, identity, .. } = a.action else { return Ok(()) };
    let given = match (user, identity) {
        (Some(user), _) => give(d, a, CredentialOwner::User(user), seen),
        (None, Some(person)) => give(d, a, CredentialOwner::Identity(person), seen),
        (None, None) => Ok(Err("Nobody is named.".to_owned())),
    };
    match given {
        Ok(Ok(Given::Done(target))) => settle::attempt_done(d, row, serde_json::json!({ "acs_credential_id": target })),
        Ok(Ok(Given::ToBeTold { target, undo })) => {
            let Some(number) = seen.number.as_deref() else { return none_there(d, row) };
            let number = d.env.seal(row, "number", number)?;
            let system = d.get::<System>(a.system)?;
            let Action::ScanToAssign { encoder, user, identity, .. } = a.action else { return Ok(()) };
            let mut a = d.get::<Attempt>(row)?;
            a.action = Action::ScanToAssign { encoder, user, identity, found: Some(FoundCard { target, undo, number }) };
            a.channel = doors::channel_of(&system, None);
            a.state = AttemptState::Waiting;
            a.begin_at = d.now();
            a.expires_at = a.expires_at.max(d.now() + attempt::QUEUE);
            d.set(row, a);
            Ok(())
        }
        Ok(Ok(Given::NoCredential)) => none_there(d, row),
        Ok(Err(why)) => settle::attempt_over(d, row, codes::action_error::UNCATEGORIZED_ERROR, &why, Effect::Nothing),
        // The person or the user is gone by now, or the system does not do it.
        Err(Stop::Reject(e)) => settle::attempt_over(d, row, codes::action_error::UNCATEGORIZED_ERROR, e.message(), Effect::Nothing),
        Err(need) => Err(need),
    }
}

fn none_there(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let message = "The card carries no credential that can be assigned here.";
    settle::attempt_over(d, row, codes::action_error::NO_CREDENTIAL_ON_ENCODER, message, Effect::Nothing)
}

enum Given {
    /// It is hers, and nothing has to be told.
    Done(RowId),
    /// It is hers once the system has been told the card's number.
    ToBeTold {
        target: RowId,
        /// What is done with it if the system refuses.
        undo: Undo,
    },
    /// There is no credential on the card, and none can be made of it.
    NoCredential,
}

/// Gives what a card carries to its new owner, or says why that is not done.
fn give(d: &mut Draft<'_>, a: &Attempt, to: CredentialOwner, seen: &CardSeen) -> Try<Result<Given, String>> {
    let system = d.get::<System>(a.system)?;
    let rules = user::rules(&system, a.system, Kind::Card)?;
    let Some((id, t)) = known(d, seen)?.filter(|(_, t)| t.system == a.system) else {
        return Ok(Ok(unknown(d, a, to, &rules, seen)?));
    };
    let Some(c) = t.credential().cloned() else { return Ok(Err("The card carries no credential.".to_owned())) };
    let person = match to {
        CredentialOwner::User(user) => user::living(d, user)?.identity,
        CredentialOwner::Identity(person) => Some(identity::living(d, person)?.0),
    };
    let is_hers = matches!(to, CredentialOwner::User(user) if c.user == Some(user)) || (person.is_some() && c.identity == person);
    let mut undo = Undo::Nothing;
    if !is_hers {
        if t.of != TargetOf::Direct {
            return Ok(Err("The card belongs to an access grant of somebody else.".to_owned()));
        }
        if !t.is_unassigned() {
            return Ok(Err("The card is somebody else's: unassign it first.".to_owned()));
        }
        assign::assign(d, AcsCredentialId::from_uuid(id), to)?;
        undo = Undo::Unassign;
    }
    let needs = d.get::<Target>(id)?.needs;
    Ok(Ok(if needs == Needs::Assignment { Given::ToBeTold { target: id, undo } } else { Given::Done(id) }))
}

/// A card of which nothing is recorded. Where the system binds cards by their number it becomes one of hers: the one that waits for a card, else a
/// new one.
fn unknown(d: &mut Draft<'_>, a: &Attempt, to: CredentialOwner, rules: &KindRules, seen: &CardSeen) -> Try<Given> {
    if rules.card != Some(CardPath::Preassigned) || rules.doors != DoorLimit::ByUser || seen.number.is_none() {
        return Ok(Given::NoCredential);
    }
    let of = match to {
        CredentialOwner::User(user) => Some(user),
        CredentialOwner::Identity(person) => user::of_person(d, a.system, identity::living(d, person)?.0)?,
    };
    if let Some(user) = of {
        let waits = |t: &Target| t.of == TargetOf::Direct && t.kind() == Kind::Card && !t.gone && t.needs == Needs::Assignment;
        if let Some((id, _)) = user::hanging(d, user)?.into_iter().find(|(_, t)| waits(t) && t.work.in_flight.is_none()) {
            return Ok(Given::ToBeTold { target: id, undo: Undo::Nothing });
        }
    }
    let (user, identity, system) = match to {
        CredentialOwner::User(user) => (Some(user), None, None),
        CredentialOwner::Identity(person) => (None, Some(person), Some(a.system)),
    };
    let new = NewCredential {
        user,
        identity,
        system,
        mode: AccessMethodMode::Card,
        code: None,
        entrances: Vec::new(),
        starts_at: None,
        ends_at: None,
        holder: Holder::Guest,
    };
    match credential::create_credential(d, &new)? {
        Outcome::Credential(id) => Ok(Given::ToBeTold { target: id.uuid(), undo: Undo::Delete }),
        _ => Ok(Given::NoCredential),
    }
}

/// The credential that a card carries, as we know it: by our tag, else by the card's number.
pub(super) fn known(d: &Draft<'_>, seen: &CardSeen) -> Try<Option<(RowId, Target)>> {
    if let Some(id) = seen.tag.as_ref().and_then(super::spec::row_of)
        && let Some(t) = d.try_get::<Target>(id)?
    {
        return Ok(Some((id, t)).filter(|(_, t)| !t.gone));
    }
    let Some(number) = &seen.number else { return Ok(None) };
    let tag = d.env.vault.tag(d.env.workspace, "card", number);
    for id in d.find(&Key::new(Index::CardNumber, tag.as_str()))? {
        if let Some(t) = d.try_get::<Target>(id)?.filter(|t| !t.gone && t.card_tag.as_ref() == Some(&tag)) {
            return Ok(Some((id, t)));
        }
    }
    Ok(None)
}

/// The system was told the card's number. What it refused is taken back: in one step it is hers, or nothing has changed.
pub(super) fn told(d: &mut Draft<'_>, row: RowId, found: &FoundCard, result: &Result<Receipt, Failure>) -> Try<()> {
    settle::settle_card(d, found.target, result)?;
    let refused = result.as_ref().is_err_and(|f| f.effect != Effect::Unknown);
    if refused && !d.get::<Target>(found.target)?.gone {
        match found.undo {
            Undo::Delete => credential::take_away(d, found.target)?,
            Undo::Unassign => {
                assign::unassign(d, AcsCredentialId::from_uuid(found.target), None)?;
            }
            Undo::Nothing => {}
        }
    }
    settle::finish_card(d, row, found.target, result)
}
