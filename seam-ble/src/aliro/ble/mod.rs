//! Aliro over Bluetooth Low Energy, without UWB.
//!
//! The lock advertises ([`advert`]), is connected to, and tells in a GATT characteristic ([`gatt`]) where its L2CAP channel is and which
//! versions it speaks. The phone opens the channel and says what it is ([`notification`]); from then on the lock sends the same commands as
//! over NFC, framed ([`message`]). What is no command is encrypted with keys of its own once there are any.

pub mod advert;
pub mod gatt;
pub mod message;
pub mod notification;
