//! A lock and the phones of its guests, each a part of this program, meet and speak the protocol that they would speak over the air.
//!
//! [`door`] is what a lock's firmware is made of: flash, a clock, the reader's side of the protocol, the decision, and a bolt that asks for a
//! permit. [`phone`] is an app: a key that never leaves it and a grant from the [`office`], where the issuer's keys are. [`story`] lets them
//! meet, over any [`Meeting`](meeting::Meeting): in memory, or over a virtual [`radio`]. They speak Aliro as over Bluetooth ([`approach`]) or as at a
//! touch ([`touch`]), or PKOC as over Bluetooth.

pub mod approach;
pub mod door;
pub mod meeting;
pub mod office;
pub mod phone;
pub mod radio;
pub mod story;
pub mod touch;
