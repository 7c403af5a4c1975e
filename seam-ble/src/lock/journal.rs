//! Two places in flash, written in turn, and the rule that the bolt comes last.
use super::decide::Opening;
use super::grant::{Action, Claim};
use super::state::{LockState, MAX_RECORD};

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

/// Flash with two places of at least [`MAX_RECORD`] bytes. A write may stop at any byte; what stands in the other place has to survive that, so
/// the two must not share an erase block.
pub trait Storage {
    /// What can go wrong.
    type Error;

    /// Reads the place from its beginning; gives how many bytes it got. An empty place may give 0, or what erased flash reads as.
    ///
    /// # Errors
    /// When the part does not answer.
    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, Self::Error>;

    /// Writes the record to the place's beginning; it is durable when this returns.
    ///
    /// # Errors
    /// When it is not known to be durable.
    fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), Self::Error>;
}

/// Why the state could not be read or kept. The bolt does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalError<E> {
    /// The part failed.
    Storage(E),
    /// Neither place has a whole record: the lock was never fitted, or lost its memory. It has to be fitted again; a default would let
    /// every earlier guest in.
    NoState,
    /// What was written reads differently.
    NotKept,
}

impl<E: core::fmt::Display> core::fmt::Display for JournalError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Storage(e) => write!(f, "the lock's memory failed: {e}"),
            Self::NoState => f.write_str("the lock has no state; it has to be fitted again"),
            Self::NotKept => f.write_str("the lock's memory did not keep what was written"),
        }
    }
}

impl<E: core::fmt::Debug + core::fmt::Display> core::error::Error for JournalError<E> {}

/// What a bolt's driver asks for before it moves. Only [`Journal::admit`] makes one, after the state was kept.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the permit is what moves the bolt"]
pub struct Permit {
    action: Action,
    claim: Claim,
}

impl Permit {
    /// What to do.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// By what right, for the log.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        self.claim
    }
}

/// The lock's memory: the state as it surely is in flash.
#[derive(Debug)]
pub struct Journal<S> {
    storage: S,
    state: LockState,
    sequence: u32,
    /// The place that may be overwritten: the older record, or the one that is not whole.
    next: Slot,
}

impl<S: Storage> Journal<S> {
    /// Reads the state after a start.
    ///
    /// # Errors
    /// [`JournalError::NoState`] when no whole record is there; [`JournalError::Storage`].
    pub fn open(mut storage: S) -> Result<Self, JournalError<S::Error>> {
        let a = load(&mut storage, Slot::A)?;
        let b = load(&mut storage, Slot::B)?;
        let (state, sequence, next) = match (a, b) {
            (None, None) => return Err(JournalError::NoState),
            (Some((sequence, state)), None) => (state, sequence, Slot::B),
            (None, Some((sequence, state))) => (state, sequence, Slot::A),
            // The merge is the guard against whatever confuses the sequence (two writers, a copied chip): nothing falls.
            (Some((a, first)), Some((b, second))) => (first.merged(second), a.max(b), if a < b { Slot::A } else { Slot::B }),
        };
        Ok(Self { storage, state, sequence, next })
    }

    /// Fits a lock: writes its first state to both places. What was there is merged in, so fitting a lock again lets no earlier guest in.
    ///
    /// # Errors
    /// [`JournalError::Storage`], [`JournalError::NotKept`].
    pub fn commission(mut storage: S, state: LockState) -> Result<Self, JournalError<S::Error>> {
        let found = [load(&mut storage, Slot::A)?, load(&mut storage, Slot::B)?];
        let merged = found.iter().flatten().fold(state, |sum, (_, state)| sum.merged(*state));
        let sequence = found.iter().flatten().map(|(sequence, _)| *sequence).max().unwrap_or(0);
        // The place that has less to lose first, as in every later write.
        let next = match &found {
            [Some((a, _)), Some((b, _))] if a > b => Slot::B,
            [Some(_), None] => Slot::B,
            _ => Slot::A,
        };
        let mut journal = Self { storage, state: merged, sequence, next };
        journal.write(merged)?;
        journal.write(merged)?;
        Ok(journal)
    }

    /// The state that the next decision goes by.
    #[must_use]
    pub const fn state(&self) -> &LockState {
        &self.state
    }

    /// Keeps what an opening changes, then lets the bolt move.
    ///
    /// # Errors
    /// [`JournalError`]: the bolt stays. Whether the new state is in flash is not known then; either way a later decision is right.
    pub fn admit(&mut self, opening: Opening) -> Result<Permit, JournalError<S::Error>> {
        self.keep(self.state.with_issue(opening.issue))?;
        Ok(Permit { action: opening.action, claim: opening.claim })
    }

    /// Keeps a state: a raised floor, a newer revocation list. Nothing of it ever falls below what is kept already.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn keep(&mut self, state: LockState) -> Result<(), JournalError<S::Error>> {
        let state = self.state.merged(state);
        // Most openings change nothing: flash wears out, and an unchanged state has nothing to lose.
        if state == self.state { Ok(()) } else { self.write(state) }
    }

    /// Gives the storage back, as a power cut would.
    pub fn into_storage(self) -> S {
        self.storage
    }

    #[cfg(test)]
    pub(super) const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    fn write(&mut self, state: LockState) -> Result<(), JournalError<S::Error>> {
        let mut record = [0; MAX_RECORD];
        let sequence = self.sequence.saturating_add(1);
        let len = state.encode(sequence, &mut record);
        self.storage.write(self.next, &record[..len]).map_err(JournalError::Storage)?;
        if load(&mut self.storage, self.next)? != Some((sequence, state)) {
            return Err(JournalError::NotKept);
        }
        (self.state, self.sequence) = (state, sequence);
        self.next = match self.next {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        };
        Ok(())
    }
}

fn load<S: Storage>(storage: &mut S, slot: Slot) -> Result<Option<(u32, LockState)>, JournalError<S::Error>> {
    let mut bytes = [0; MAX_RECORD];
    let len = storage.read(slot, &mut bytes).map_err(JournalError::Storage)?;
    Ok(bytes.get(..len).and_then(LockState::decode))
}
