//! What customers' own systems push: reservation automations.
mod data;

pub use data::{DeleteData, PushData, PushedPerson, PushedReservation, PushedSpace};

use super::Workspace;
use super::paging::Among;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccessGrantId, ClientSessionId, SpaceId};
use crate::model::{CustomerThing, UserIdentityId};
use crate::plan::{AutomationRules, Change, CustomerPerson, CustomerReservation, CustomerSpace, Outcome};
use crate::state::{Index, Key, RowId, RowKind};

/// The most things that are pushed or deleted at once.
const MOST: usize = 5_000;

/// Customers of the caller: their people, places and reservations follow what their own systems push.
#[derive(Clone, Copy, Debug)]
pub struct Customers<'a> {
    pub(super) ws: &'a Workspace,
}

/// What came of a push or a deletion.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PushReport {
    /// What is as it was pushed, or gone as was asked.
    pub done: Vec<PushDone>,
    /// What was left as it was, and why.
    pub skipped: Vec<PushSkipped>,
}

/// Something that was pushed, or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushDone {
    /// What.
    pub thing: CustomerThing,
    /// Its key.
    pub key: String,
    /// The id of the person, the space or the grant; none after a deletion.
    pub id: Option<RowId>,
}

/// Something that was left as it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PushSkipped {
    /// What.
    pub thing: CustomerThing,
    /// Its key.
    pub key: String,
    /// Why.
    pub why: Error,
}

impl PushReport {
    /// Takes up what came of one thing.
    ///
    /// # Errors
    /// What says nothing of the thing but of the store: the rest would fare no better.
    fn take(&mut self, thing: CustomerThing, key: &str, done: Result<Option<RowId>>) -> Result<()> {
        match done {
            Ok(id) => self.done.push(PushDone { thing, key: key.to_owned(), id }),
            Err(e) if is_of_the_store(&e) => return Err(e),
            Err(why) => self.skipped.push(PushSkipped { thing, key: key.to_owned(), why }),
        }
        Ok(())
    }
}

fn is_of_the_store(e: &Error) -> bool {
    use ErrorKind::{Busy, Corrupt, InUse, Internal, NewerDatabase, Store};
    matches!(e.kind(), Busy | Corrupt | InUse | Internal | NewerDatabase | Store)
}

impl Customers<'_> {
    /// Brings people, spaces and reservations to what is pushed: first spaces, then people, then reservations, each thing in one commit. What cannot be
    /// brought there is skipped whole, with the reason, and the rest goes on; pushed again, what is there already stays as it is.
    ///
    /// # Errors
    /// `InvalidInput` for the customer, the rules or more than 5,000 things: nothing was written. `Busy`, `Store`: some of it may be done; push it again.
    pub async fn push_data(self, data: &PushData, rules: &AutomationRules) -> Result<PushReport> {
        few_enough(data.len())?;
        if data.customer_key.trim().is_empty() {
            return Err(Error::invalid("customer_key", "it is empty"));
        }
        let customer = data.customer_key.as_str();
        let ws = self.ws.many();
        let mut report = PushReport::default();
        for space in data.spaces() {
            let mut new = CustomerSpace::builder().customer_key(customer).key(space.space_key.as_str()).name(space.name.as_str()).build();
            new.customer_data.clone_from(&space.customer_data);
            new.geolocation = space.geolocation;
            new.parent_key.clone_from(&space.parent_site_key);
            let done = ws.apply(Change::PutCustomerSpace(new)).await.map(id_of);
            report.take(CustomerThing::Space, &space.space_key, done)?;
        }
        for person in data.people() {
            let mut new = CustomerPerson::builder().customer_key(customer).key(person.user_identity_key.as_str()).build();
            new.full_name.clone_from(&person.name);
            new.email_address.clone_from(&person.email_address);
            new.phone_number.clone_from(&person.phone_number);
            new.shared_contacts = rules.shared_contacts;
            let done = ws.apply(Change::PutCustomerPerson(new)).await.map(id_of);
            report.take(CustomerThing::UserIdentity, &person.user_identity_key, done)?;
        }
        for stay in data.stays() {
            let (thing, key) = match (&stay.access_grant_key, &stay.reservation_key) {
                (Some(key), _) => (CustomerThing::AccessGrant, key.as_str()),
                (None, key) => (CustomerThing::Reservation, key.as_deref().unwrap_or_default()),
            };
            let done = match wish(customer, thing, key, stay, rules) {
                Ok(new) => ws.apply(Change::PutReservation(Box::new(new))).await.map(id_of),
                Err(e) => Err(e),
            };
            report.take(thing, key, done)?;
        }
        Ok(report)
    }

    /// Deletes what customers' systems have pushed: reservations end, then people, then spaces go. What is named by a customer's key is everything that
    /// was pushed for her, with the client sessions that reach it. What is not there is reported as skipped (`NotFound`).
    ///
    /// # Errors
    /// `InvalidInput` for more than 5,000 keys: nothing was written. `Busy`, `Store`: some of it may be done; ask again.
    pub async fn delete_data(self, data: &DeleteData) -> Result<PushReport> {
        few_enough(data.len())?;
        let ws = self.ws.many();
        let mut report = PushReport::default();
        let reservations = data.reservations().map(|key| (CustomerThing::Reservation, key));
        let grants = data.access_grant_keys.iter().map(|key| (CustomerThing::AccessGrant, key));
        let people = data.people().map(|key| (CustomerThing::UserIdentity, key));
        let spaces = data.spaces().map(|key| (CustomerThing::Space, key));
        for (thing, key) in reservations.chain(grants).chain(people).chain(spaces) {
            let done = ws.apply(Change::DeleteCustomerThing { thing, key: key.clone() }).await;
            report.take(thing, key, done.map(|_| None))?;
        }
        for customer in &data.customer_keys {
            delete_all(&ws, customer, &mut report).await?;
        }
        Ok(report)
    }
}

/// Everything of a customer: her grants first, so that nobody's access outlives the person or the place that it is for.
async fn delete_all(ws: &Workspace, customer: &str, report: &mut PushReport) -> Result<()> {
    let of = || Among::By(Key::new(Index::OfCustomer, customer));
    let change = |kind: RowKind, id: RowId| match kind {
        RowKind::Grant => (CustomerThing::Reservation, Change::DeleteGrant { grant: AccessGrantId::from_uuid(id) }),
        RowKind::Space => (CustomerThing::Space, Change::DeleteSpace { space: SpaceId::from_uuid(id) }),
        RowKind::ClientSession => (CustomerThing::ClientSession, Change::DeleteClientSession { session: ClientSessionId::from_uuid(id) }),
        _ => (CustomerThing::UserIdentity, Change::DeleteIdentity { identity: UserIdentityId::from_uuid(id) }),
    };
    for kind in [RowKind::ClientSession, RowKind::Grant, RowKind::Identity, RowKind::Space] {
        for id in ws.every(kind, of(), |_| true, |_, row| Ok(row)).await? {
            let (thing, change) = change(kind, id);
            report.take(thing, customer, ws.apply(change).await.map(|_| None))?;
        }
    }
    Ok(())
}

fn few_enough(things: usize) -> Result<()> {
    if things > MOST {
        return Err(Error::invalid("data", format!("{things} are more than the {MOST} things that are allowed at once")));
    }
    Ok(())
}

fn wish(customer: &str, thing: CustomerThing, key: &str, stay: &PushedReservation, rules: &AutomationRules) -> Result<CustomerReservation> {
    let mut new = CustomerReservation::builder().customer_key(customer).key(key).rules(rules.clone()).build();
    new.is_grant = thing == CustomerThing::AccessGrant;
    new.name.clone_from(&stay.name);
    (new.starts_at, new.ends_at) = (stay.starts_at, stay.ends_at);
    new.person_key = stay.person()?.map(str::to_owned);
    new.space_keys = stay.places();
    new.preferred_code.clone_from(&stay.preferred_code);
    Ok(new)
}

fn id_of(outcome: Outcome) -> Option<RowId> {
    match outcome {
        Outcome::Grant(id) => Some(id.uuid()),
        Outcome::Space(id) => Some(id.uuid()),
        Outcome::Identity(id) => Some(id.uuid()),
        _ => None,
    }
}
