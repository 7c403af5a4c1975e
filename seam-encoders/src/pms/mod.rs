//! Hotel encoders that are told what to write over a line: the family of framed messages that lock vendors offer to property management
//! systems, on TCP or a serial port.
//!
//! Such an encoder makes the card itself: there is no APDU and no key of ours, only a request ("a card for a new guest of room 101") and an answer
//! after a person has offered a card. [`Frame`] and [`Decoder`] are the bytes, [`Line`] is the dialogue, [`onity`] the words of one vendor's
//! dialect. Salto's dialect of the same family lives with its provider, as its dates and errors differ.
//!
//! Source of the facts: the public client `batiati/Onity` (unlicensed into the public domain), which was written against an HT24. They were never
//! tried against a real HT24 here.
mod frame;
mod line;
pub mod onity;

pub use frame::{Control, Decoder, Event, Frame, FrameError};
pub use line::{Line, LineError, Timeouts};
