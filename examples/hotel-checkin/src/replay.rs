//! Runs a script in a hotel and holds every door's answer against the oracle's.
use crate::hotel::{Answer, Hotel, HotelError};
use crate::journal::{Journal, JournalError, Outcome};
use crate::oracle::{Oracle, Verdict, guess};
use crate::script::{Deed, Note, Op, Script};
use crate::world::{GrantNo, Instant, Token, Window};
use std::collections::BTreeMap;
use std::path::Path;

/// Wrong answers that are kept with their explanation.
const KEPT: usize = 20;

/// Why a replay stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The hotel could not do what it was asked to.
    #[error("operation {op} ({key}, {deed}) failed")]
    Hotel {
        /// The index of the operation.
        op: usize,
        /// Its key.
        key: String,
        /// What was to be done.
        deed: String,
        /// Why it failed.
        source: HotelError,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// An answer that was not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// When.
    pub at: Instant,
    /// What was asked, answered and expected, as a sentence.
    pub what: String,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Operations.
    pub operations: u64,
    /// Grants that were made.
    pub grants: u64,
    /// Doors that were tried.
    pub door_attempts: u64,
    /// Answers that were not right.
    pub wrong_answers: u64,
    /// The first of them.
    pub wrong: Vec<Wrong>,
    /// Right answers by what the oracle said.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Special cases.
    pub notes: BTreeMap<Note, u64>,
}

/// A replay.
#[derive(Debug)]
pub struct Replay<'s> {
    script: &'s Script,
    oracle: Oracle,
    journal: Option<Journal>,
    next: usize,
    /// What was counted so far.
    pub tally: Tally,
}

/// What was done last, for whoever watches.
#[derive(Debug)]
pub struct Step<'a> {
    /// The operation.
    pub op: &'a Op,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// For a door: what the oracle said.
    pub verdict: Option<Verdict>,
    /// Operations that are done.
    pub done: usize,
    /// What was counted so far.
    pub tally: &'a Tally,
}

impl<'s> Replay<'s> {
    /// A replay from the beginning that is not written down.
    #[must_use]
    pub fn new(script: &'s Script) -> Self {
        Self { script, oracle: Oracle::new(script.plan.clone()), journal: None, next: 0, tally: Tally::default() }
    }

    /// A replay whose journal is this file: it goes on after what is written there, and reminds the hotel of it.
    ///
    /// # Errors
    /// [`JournalError`]: the file cannot be used, or belongs to another replay.
    pub fn resume(script: &'s Script, journal: &Path, hotel: &mut impl Hotel) -> Result<Self, JournalError> {
        let mut replay = Self::new(script);
        let (journal, done) = Journal::open(journal, script)?;
        for (op, outcome) in script.ops.iter().zip(&done) {
            hotel.recall(outcome.late.unwrap_or(op.at), &outcome.memo);
            replay.account(op, outcome);
        }
        replay.next = done.len();
        replay.journal = Some(journal);
        Ok(replay)
    }

    /// Operations that are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.next
    }

    /// Runs until `until` operations are done, or all.
    ///
    /// # Errors
    /// [`ReplayError`]: the hotel failed, or the journal cannot be written. The operation in question counts as not done, and is
    /// asked for again under the same key by a replay that resumes.
    pub async fn run(&mut self, hotel: &mut impl Hotel, until: usize, mut watch: impl FnMut(&Step<'_>)) -> Result<(), ReplayError> {
        while let Some(op) = self.script.ops.get(self.next).filter(|_| self.next < until) {
            let failed = |source| ReplayError::Hotel { op: self.next, key: op.key(), deed: format!("{:?}", op.deed), source };
            let outcome = self.perform(hotel, op).await.map_err(failed)?;
            if let Some(journal) = &mut self.journal {
                journal.finished(self.next, &outcome)?;
            }
            let verdict = self.account(op, &outcome);
            self.next += 1;
            watch(&Step { op, outcome: &outcome, verdict, done: self.next, tally: &self.tally });
        }
        Ok(())
    }

    async fn perform(&self, hotel: &mut impl Hotel, op: &Op) -> Result<Outcome, HotelError> {
        let key = op.key();
        let now = hotel.now();
        hotel.advance(op.at.max(now)).await?;
        let mut outcome = Outcome { late: (now > op.at).then_some(now), ..Outcome::default() };
        outcome.memo = match op.deed {
            Deed::Hire(staff) => {
                let staff = self.script.plan.staff.get(usize::from(staff)).ok_or("there is no such staff")?;
                hotel.hire(&key, staff).await?
            }
            Deed::Book(place) => {
                let wish = usize::try_from(place).ok().and_then(|place| self.script.wishes.get(place)).ok_or("there is no such wish")?;
                let memo = hotel.book(&key, wish).await?;
                if wish.code {
                    outcome.told = self.ask(hotel, wish.grant, wish.window).await?;
                }
                memo
            }
            Deed::Update { grant, window } => hotel.update(&key, grant, window).await?,
            Deed::Suspend(grant) => hotel.suspend(&key, grant).await?,
            Deed::Delete(grant) => hotel.delete(&key, grant).await?,
            Deed::AddCard(method) => hotel.add_card(&key, method).await?,
            Deed::AddPhone(grant) => hotel.add_phone(&key, grant).await?,
            Deed::Encode { method, onto } => hotel.encode(&key, method, onto).await?,
            Deed::ReplaceLost { lost, new, onto } => hotel.replace_lost(&key, lost, new, onto).await?,
            Deed::Try { door, token } => {
                let typed = match token {
                    Token::Code(grant) => {
                        if let Some(window) = self.oracle.window(grant).filter(|_| self.oracle.lives(grant)) {
                            outcome.told = self.ask(hotel, grant, window).await?;
                        }
                        let told = outcome.told.iter().rev().find(|(to, _)| *to == grant).map(|(_, pin)| pin.clone());
                        told.or_else(|| self.oracle.pin(grant).map(str::to_owned))
                    }
                    Token::Guess(digits) => Some(guess(digits)),
                    Token::Card(_) | Token::Phone(_) => None,
                };
                outcome.no_seat = matches!(token, Token::Code(_)) && typed.is_none() && hotel.is_full();
                let Answer { opened, why } = hotel.try_door(door, token, typed.as_deref()).await?;
                (outcome.opened, outcome.why) = (Some(opened), why);
                None
            }
        };
        Ok(outcome)
    }

    /// Asks for a guest's PIN. Whoever seems to have the same one is asked too: it may have been changed since.
    async fn ask(&self, hotel: &mut impl Hotel, grant: GrantNo, window: Window) -> Result<Vec<(GrantNo, String)>, HotelError> {
        let Some(pin) = hotel.pin(grant).await? else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        for other in self.oracle.sharing(grant, &pin, window) {
            told.extend(hotel.pin(other).await?.map(|pin| (other, pin)));
        }
        told.push((grant, pin));
        Ok(told)
    }

    /// Tells the oracle what was done, and holds a door's answer against its own.
    fn account(&mut self, op: &Op, outcome: &Outcome) -> Option<Verdict> {
        let at = outcome.late.unwrap_or(op.at);
        self.tally.operations += 1;
        for note in Note::ALL.into_iter().filter(|note| op.notes.has(*note)) {
            *self.tally.notes.entry(note).or_default() += 1;
        }
        let verdict = if let Deed::Try { door, token } = op.deed {
            self.hear(at, outcome);
            if let Token::Code(grant) = token {
                self.oracle.seat(grant, outcome.no_seat);
            }
            let verdict = self.oracle.expect(at, door, token);
            self.judge(at, op, verdict, outcome);
            Some(verdict)
        } else {
            None
        };
        self.oracle.learn(at, &op.deed, &self.script.wishes);
        if verdict.is_none() {
            self.hear(at, outcome);
        }
        self.tally.grants += u64::from(matches!(op.deed, Deed::Book(_)));
        verdict
    }

    fn hear(&mut self, at: Instant, outcome: &Outcome) {
        for (grant, pin) in &outcome.told {
            for other in self.oracle.told(*grant, pin) {
                self.wrong(at, || format!("{} and {} have the same PIN at the same time", Token::Code(*grant), Token::Code(other)));
            }
        }
    }

    fn judge(&mut self, at: Instant, op: &Op, verdict: Verdict, outcome: &Outcome) {
        self.tally.door_attempts += 1;
        if outcome.opened == Some(verdict.opens()) {
            *self.tally.verdicts.entry(verdict).or_default() += 1;
            return;
        }
        let Deed::Try { door, token } = op.deed else { return };
        let name = self.script.plan.door(door).map_or_else(|| format!("door {}", door.0), |door| door.name.clone());
        let word = |opens| if opens { "opens" } else { "stays shut" };
        let did = word(outcome.opened == Some(true));
        let should = word(verdict.opens());
        let why = if outcome.why.is_empty() { String::new() } else { format!(" ({})", outcome.why) };
        self.wrong(at, || format!("{}: {name} {did}{why} for {token}; it {should}: {verdict}", op.key()));
    }

    fn wrong(&mut self, at: Instant, what: impl FnOnce() -> String) {
        self.tally.wrong_answers += 1;
        if self.tally.wrong.len() < KEPT {
            self.tally.wrong.push(Wrong { at, what: what() });
        }
    }
}
