//! Simulated cards, and the field of a reader that they lie in.
//!
//! They stand for real cards in tests and wherever there is no hardware. They know nothing of the drivers: their secure messaging is written a
//! second time, directly on the block ciphers, from the same facts.
//!
//! Cards with a memory can be kept in a file between two runs of a program: they are serde data, of what a card keeps without power. Their keys stand
//! in it in the clear.
pub mod classic;
mod desfire;
mod field;
pub mod ntag424;
pub mod pkoc;
pub mod ultralight;
mod ultralight_aes;

pub use desfire::{DesfireCard, DesfireModel};
pub use field::{Fault, FaultKind, Field, Reply};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A card. What it has been told to keep it keeps when it loses power; everything else it forgets.
pub trait SimulatedCard: fmt::Debug + Send {
    /// Gets power: forgets its session and tells its ATR, as a PC/SC reader gives it.
    fn power_on(&mut self) -> Vec<u8>;
    /// Answers one command, with a status word at the end; an empty answer is a card that stays mute.
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;
    /// The number that it gives on being selected: 4, 7 or 10 bytes. A card with random numbers gives another one at each [`power_on`](Self::power_on).
    fn uid(&self) -> Vec<u8>;
}

/// A card that somebody else looks into while it lies in a field.
impl<C: SimulatedCard> SimulatedCard for Arc<Mutex<C>> {
    fn power_on(&mut self) -> Vec<u8> {
        self.lock().unwrap_or_else(PoisonError::into_inner).power_on()
    }
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.lock().unwrap_or_else(PoisonError::into_inner).answer(command)
    }
    fn uid(&self) -> Vec<u8> {
        self.lock().unwrap_or_else(PoisonError::into_inner).uid()
    }
}
