//! The card technologies beside DESFire, from outside: published vectors, other implementations, and faults at every command.
#![cfg(feature = "sim")]
#![expect(clippy::unwrap_used, reason = "a failed one is a failed test, with its line")]
mod classic;
mod desk;
mod lrp;
mod lrp_vectors;
mod ndef;
mod ntag424_card;
mod ntag424_oracle;
mod pkoc;
mod sdm;
#[path = "../support/mod.rs"]
mod support;
mod ultralight;

use seam_encoders::error::CardError;
use seam_encoders::sim::{FaultKind, SimulatedCard};

/// Bytes of digits.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

/// Bytes of digits, as many as are wanted.
fn array<const N: usize>(digits: &str) -> [u8; N] {
    bytes(digits).try_into().expect("the right number of digits")
}

/// A fault, made anew for each command at which it is tried.
type NamedFault = (&'static str, Box<dyn Fn() -> FaultKind>);

/// What may go wrong at one command. `other` makes the card that lies there instead.
fn faults(other: impl Fn() -> Box<dyn SimulatedCard> + 'static) -> Vec<NamedFault> {
    vec![
        ("pulled before", Box::new(|| FaultKind::PulledAfterBytes(3))),
        ("pulled after", Box::new(|| FaultKind::PulledAfterBytes(usize::MAX))),
        ("pulled in the answer", Box::new(|| FaultKind::PulledInAnswer(1))),
        ("mute", Box::new(|| FaultKind::Mute)),
        ("garbage", Box::new(|| FaultKind::Garbage(vec![0x12, 0x34, 0x91, 0x00]))),
        ("garbage that a reader calls done", Box::new(|| FaultKind::Garbage(vec![0x12, 0x34, 0x90, 0x00]))),
        ("a refusal that is not the card's", Box::new(|| FaultKind::Garbage(vec![0x91, 0x9d]))),
        ("a reader that fails", Box::new(|| FaultKind::Garbage(vec![0x63, 0x00]))),
        ("a flipped bit at the start", Box::new(|| FaultKind::Flipped(0, 0))),
        ("a flipped bit at the end", Box::new(|| FaultKind::Flipped(usize::MAX, 3))),
        ("another card", Box::new(move || FaultKind::Replaced(other()))),
    ]
}

/// Whether a failure is one that a fault of a card, a reader or the air may have, and none of a caller or an order.
fn is_of_a_fault(error: &CardError) -> bool {
    matches!(
        error,
        CardError::Lost
            | CardError::Status(_)
            | CardError::Integrity(_)
            | CardError::Garbage(_)
            | CardError::NotGenuine { .. }
            | CardError::AuthenticationRefused { .. }
            | CardError::NotThisTechnology { .. }
            | CardError::NotAsWritten
            | CardError::Invalid("this is another card than the one that was presented")
    )
}
