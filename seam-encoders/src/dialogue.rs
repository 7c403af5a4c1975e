//! Dialogues with a card, without I/O: a protocol is an `async fn` over a [`Card`] handle, and a [`Dialogue`] steps it from outside.
//!
//! Nothing here waits: the future is polled with a waker that does nothing, because all that it ever awaits is the answer that the next step
//! brings. So there are no hand-made state tables, and yet no runtime, no transport and no clock.
//!
//! ```
//! use seam_encoders::{apdu::{Command, Response}, dialogue::{Dialogue, Step}, error::CardError};
//!
//! let mut dialogue = Dialogue::<Vec<u8>>::new(|card| async move {
//!     let uid = card.transmit(Command::new(0xFF, 0xCA, 0, 0).expecting(0)).await?.ok()?;
//!     Ok(uid.to_vec())
//! });
//! let Step::Send(command) = dialogue.step(None) else { panic!("a command comes first") };
//! assert_eq!(command.bytes(), [0xFF, 0xCA, 0, 0, 0]);
//! let answer = Response::parse([4, 1, 2, 3, 0x90, 0])?;
//! assert!(matches!(dialogue.step(Some(answer)), Step::Done(Ok(uid)) if uid == [4, 1, 2, 3]));
//! # Ok::<(), CardError>(())
//! ```
use seam_core::encoder::Progress;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::apdu::{Command, Response};
use crate::error::CardError;

/// The card of a dialogue, as its protocol sees it. Clones are the same card.
#[derive(Clone)]
pub struct Card {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    turn: Turn,
    progress: VecDeque<Progress>,
}

/// Whose turn it is.
#[derive(Default)]
enum Turn {
    /// The protocol computes.
    #[default]
    Ours,
    /// A command waits to be fetched.
    Asked(Command),
    /// The command is with the card.
    Theirs,
    /// The answer waits to be taken; `None`: there is none.
    Answered(Option<Response>),
}

impl Card {
    /// Sends a command and waits for the answer, whatever its status word.
    ///
    /// # Errors
    /// [`CardError::Lost`] when no answer came. [`CardError::Misused`] when another command is on its way.
    pub async fn transmit(&self, command: Command) -> Result<Response, CardError> {
        {
            let mut shared = self.lock();
            if !matches!(shared.turn, Turn::Ours) {
                return Err(CardError::Misused("two commands at once"));
            }
            shared.turn = Turn::Asked(command);
        }
        poll_fn(|_| {
            let mut shared = self.lock();
            match std::mem::take(&mut shared.turn) {
                Turn::Answered(answer) => Poll::Ready(answer.ok_or(CardError::Lost)),
                other => {
                    shared.turn = other;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Tells how far the dialogue is.
    pub fn report(&self, progress: Progress) {
        self.lock().progress.push_back(progress);
    }

    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").finish_non_exhaustive()
    }
}

type Protocol<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A protocol under way. Dropping it ends it; what it then means for the card is in what was sent last.
pub struct Dialogue<T, E = CardError> {
    card: Card,
    /// `None` once it is over.
    protocol: Option<Protocol<T, E>>,
}

/// What a dialogue wants next.
#[derive(Debug)]
pub enum Step<T, E = CardError> {
    /// Send this, and step with the answer.
    Send(Command),
    /// It is over.
    Done(Result<T, E>),
}

impl<T, E: From<CardError>> Dialogue<T, E> {
    /// A dialogue that follows this protocol.
    pub fn new<F, Fut>(protocol: F) -> Self
    where
        F: FnOnce(Card) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let card = Card { shared: Arc::default() };
        let protocol = protocol(card.clone());
        Self { card, protocol: Some(Box::pin(protocol)) }
    }

    /// Goes on until the next command or the end. The first step takes `None`; each later one the answer to the command of the step before,
    /// or `None` when no answer came (the protocol then sees [`CardError::Lost`]).
    pub fn step(&mut self, answer: Option<Response>) -> Step<T, E> {
        let Some(protocol) = self.protocol.as_mut() else {
            return Step::Done(Err(CardError::Misused("stepped after its end").into()));
        };
        let is_asked = matches!(self.card.lock().turn, Turn::Theirs);
        if is_asked {
            self.card.lock().turn = Turn::Answered(answer);
        } else if answer.is_some() {
            return self.end(Err(CardError::Misused("an answer to no command").into()));
        }
        let polled = protocol.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(result) = polled {
            return self.end(result);
        }
        let asked = {
            let mut shared = self.card.lock();
            match std::mem::replace(&mut shared.turn, Turn::Theirs) {
                Turn::Asked(command) => Some(command),
                _ => None,
            }
        };
        match asked {
            Some(command) => Step::Send(command),
            None => self.end(Err(CardError::Misused("it waits for something that is not its card").into())),
        }
    }

    fn end(&mut self, result: Result<T, E>) -> Step<T, E> {
        self.protocol = None;
        Step::Done(result)
    }

    /// What was reported since the last call, oldest first. Ask before sending each command.
    #[must_use]
    pub fn progress(&mut self) -> Vec<Progress> {
        self.card.lock().progress.drain(..).collect()
    }

    /// Runs it to its end with a function that brings each command to the card and gives the answer, or `None` for a card that is gone.
    ///
    /// # Errors
    /// As the protocol.
    pub fn run(mut self, mut exchange: impl FnMut(&Command) -> Option<Vec<u8>>) -> Result<T, E> {
        let mut answer = None;
        loop {
            match self.step(answer) {
                Step::Send(command) => answer = exchange(&command).and_then(|bytes| Response::parse(bytes).ok()),
                Step::Done(result) => return result,
            }
        }
    }
}

impl<T, E> fmt::Debug for Dialogue<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").field("over", &self.protocol.is_none()).finish_non_exhaustive()
    }
}

/// Random numbers for a dialogue. They are passed in, so that a recorded exchange replays.
pub trait Random: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`CardError::NoRandom`] when there are none; the card has seen nothing of the command that needs them.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError>;
}

/// The random numbers of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        getrandom::fill(out).map_err(|_| CardError::NoRandom)
    }
}

/// What a recording drew: for replays and tests only.
#[derive(Clone, Debug, Default)]
pub struct RecordedRandom(VecDeque<u8>);

impl RecordedRandom {
    /// Gives these bytes, in this order, and then fails.
    pub fn new(bytes: impl IntoIterator<Item = u8>) -> Self {
        Self(bytes.into_iter().collect())
    }
}

impl Random for RecordedRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        out.iter_mut().try_for_each(|byte| self.0.pop_front().map(|drawn| *byte = drawn).ok_or(CardError::NoRandom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(ins: u8) -> Command {
        Command::new(0x90, ins, 0, 0)
    }

    #[test]
    fn answers_come_to_the_commands_they_belong_to() {
        let dialogue = Dialogue::<u16>::new(|card| async move {
            let first = card.transmit(ask(1)).await?;
            card.report(Progress::Writing { done: 1, of: 2 });
            let second = card.transmit(ask(2)).await?;
            Ok(first.status().0 + second.status().0)
        });
        assert_eq!(dialogue.run(|command| Some(vec![0, command.ins()])), Ok(3));
    }

    #[test]
    fn progress_leaves_before_the_next_command() {
        let mut dialogue = Dialogue::<()>::new(|card| async move {
            card.report(Progress::Verifying);
            card.transmit(ask(1)).await.map(drop)
        });
        assert!(matches!(dialogue.step(None), Step::Send(_)));
        assert_eq!(dialogue.progress(), [Progress::Verifying]);
        assert_eq!(dialogue.progress(), []);
    }

    #[test]
    fn no_answer_is_a_lost_card_and_the_protocol_may_go_on() {
        let dialogue = Dialogue::<bool>::new(|card| async move {
            let lost = card.transmit(ask(1)).await == Err(CardError::Lost);
            card.transmit(ask(2)).await?;
            Ok(lost)
        });
        assert_eq!(dialogue.run(|command| (command.ins() == 2).then(|| vec![0x90, 0])), Ok(true));
    }

    #[test]
    fn misuse_is_an_error_and_not_a_hang() {
        let mut stuck = Dialogue::<()>::new(|_| std::future::pending());
        assert!(matches!(stuck.step(None), Step::Done(Err(CardError::Misused(_)))));
        assert!(matches!(stuck.step(None), Step::Done(Err(CardError::Misused(_)))));
        let mut unasked = Dialogue::<()>::new(|card| async move { card.transmit(ask(1)).await.map(drop) });
        let answer = Response::parse([0x90, 0]).expect("a status word");
        assert!(matches!(unasked.step(Some(answer)), Step::Done(Err(CardError::Misused(_)))));
    }

    #[test]
    fn a_dialogue_can_be_sent_to_the_thread_of_a_reader() {
        fn is_send(_: &impl Send) {}
        is_send(&Dialogue::<()>::new(|card| async move { card.transmit(ask(1)).await.map(drop) }));
    }
}
