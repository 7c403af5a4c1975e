//! The field of a reader, and everything that can happen in it.
use std::collections::VecDeque;
use std::time::Duration;

use super::SimulatedCard;
use crate::apdu::Command;
use crate::dialogue::Dialogue;
use crate::error::CardError;

/// A field in which at most one card lies, and what shall go wrong in it.
#[derive(Debug, Default)]
pub struct Field {
    card: Option<Box<dyn SimulatedCard>>,
    /// A card that was pulled away, to be put back.
    pulled: Option<Box<dyn SimulatedCard>>,
    faults: VecDeque<Fault>,
    /// Commands that were sent, from 0 on; a lost one counts.
    sent: usize,
}

/// Something that goes wrong at one command.
#[derive(Debug)]
pub struct Fault {
    /// At which command, counted from 0 over the life of the field.
    pub at: usize,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Debug)]
pub enum FaultKind {
    /// The card leaves after it received this many bytes of the command; a whole command is carried out, and its answer is lost.
    PulledAfterBytes(usize),
    /// The card carries the command out and leaves after this many bytes of its answer.
    PulledInAnswer(usize),
    /// The card carries nothing out and does not answer, but stays.
    Mute,
    /// The card carries the command out and answers late.
    Slow(Duration),
    /// The card carries the command out and this comes back instead of its answer.
    Garbage(Vec<u8>),
    /// The card carries the command out, and a bit of its answer flips: byte (from the start, the last one at most) and bit.
    Flipped(usize, u8),
    /// Another card lies there when the command comes.
    Replaced(Box<dyn SimulatedCard>),
}

/// What a reader gets back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer, after this long. It is as the card gave it: also too short, or nonsense.
    Answer(Vec<u8>, Duration),
    /// No card lies there.
    Gone,
    /// The card does not answer, and the reader waits.
    Mute,
}

impl Field {
    /// A field with a card in it.
    #[must_use]
    pub fn with(card: impl SimulatedCard + 'static) -> Self {
        let mut field = Self::default();
        field.put(Box::new(card));
        field
    }
    /// Puts a card into it, which gets power. The ATR.
    pub fn put(&mut self, mut card: Box<dyn SimulatedCard>) -> Vec<u8> {
        let atr = card.power_on();
        self.card = Some(card);
        atr
    }
    /// Puts the card back that was pulled away. The ATR, if there was one.
    pub fn put_back(&mut self) -> Option<Vec<u8>> {
        let card = self.pulled.take()?;
        Some(self.put(card))
    }
    /// Takes the card away.
    pub fn take(&mut self) -> Option<Box<dyn SimulatedCard>> {
        self.card.take()
    }
    /// Takes power from the card and gives it again. The ATR, if one lies there.
    pub fn reset(&mut self) -> Option<Vec<u8>> {
        self.card.as_mut().map(|card| card.power_on())
    }
    /// The card in it.
    #[must_use]
    pub fn card(&self) -> Option<&dyn SimulatedCard> {
        self.card.as_deref()
    }
    /// How many commands were sent.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent
    }
    /// Plans a fault. Faults are planned in the order in which they come.
    pub fn plan(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    /// Sends a command to the card.
    pub fn transmit(&mut self, command: &[u8]) -> Reply {
        let at = self.sent;
        self.sent += 1;
        let fault = self.faults.front().is_some_and(|fault| fault.at == at).then(|| self.faults.pop_front()).flatten();
        let Some(kind) = fault.map(|fault| fault.kind) else { return self.ask(command, Duration::ZERO) };
        match kind {
            FaultKind::PulledAfterBytes(received) => {
                if received >= command.len() {
                    self.ask(command, Duration::ZERO);
                }
                self.pulled = self.card.take();
                Reply::Gone
            }
            FaultKind::PulledInAnswer(given) => {
                let reply = self.ask(command, Duration::ZERO);
                self.pulled = self.card.take();
                match reply {
                    // A reader gives a frame on only when its check sum came, so of a cut one nothing is left.
                    Reply::Answer(answer, late) if answer.len() > given => Reply::Answer(Vec::new(), late),
                    other => other,
                }
            }
            FaultKind::Mute => Reply::Mute,
            FaultKind::Slow(late) => self.ask(command, late),
            FaultKind::Garbage(garbage) => match self.ask(command, Duration::ZERO) {
                Reply::Answer(_, late) => Reply::Answer(garbage, late),
                other => other,
            },
            FaultKind::Flipped(byte, bit) => match self.ask(command, Duration::ZERO) {
                Reply::Answer(mut answer, late) => {
                    let last = answer.len().saturating_sub(1);
                    if let Some(byte) = answer.get_mut(byte.min(last)) {
                        *byte ^= 1 << (bit & 7);
                    }
                    Reply::Answer(answer, late)
                }
                other => other,
            },
            FaultKind::Replaced(other) => {
                self.pulled = self.card.take();
                self.put(other);
                self.ask(command, Duration::ZERO)
            }
        }
    }

    fn ask(&mut self, command: &[u8], late: Duration) -> Reply {
        let Some(card) = self.card.as_mut() else { return Reply::Gone };
        let answer = card.answer(command);
        if answer.is_empty() { Reply::Mute } else { Reply::Answer(answer, late) }
    }

    /// Runs a dialogue with the card; a mute card is a lost one, and nobody waits for a slow one.
    ///
    /// # Errors
    /// As the dialogue.
    pub fn run<T, E: From<CardError>>(&mut self, dialogue: Dialogue<T, E>) -> Result<T, E> {
        dialogue.run(|command: &Command| match self.transmit(command.bytes()) {
            Reply::Answer(answer, _) => Some(answer),
            Reply::Gone | Reply::Mute => None,
        })
    }
}
