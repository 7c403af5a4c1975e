//! Readers on an OSDP bus, for enrolment: a person presents a card or types at a reader, and the program learns what came.
//!
//! OSDP 2.2 (IEC 60839-11-5) reads cards and cannot write them: transparent commands to a card (`osdp_XWR`) are optional and the common stacks leave
//! them out. So there is no [`Reader`](crate::transport::Reader) here, only a [`Panel`] that polls one reader over any byte stream (a serial port, a
//! converter on TCP), in a secure channel, and sets its light and its buzzer. Packets and the secure channel's cryptography are those of the crate
//! `osdp`.
mod event;
mod panel;

pub use event::{CardBits, Event, Keys};
pub use osdp::command::{BuzzerTone, LedColor};
pub use panel::{OsdpError, Panel, Security, Times};
