//! A hotel on the SDK, and a replay of real bookings in it.
//!
//! The parts, each of which knows only those before it:
//!
//! - [`world`]: doors, stays, grants, cards, windows; [`bookings`] are read from a table, [`rooms`] handed out.
//! - [`script`]: everything that happens, in order of time, from bookings and a seed.
//! - [`oracle`]: what each door has to answer. It knows neither the SDK nor how keys are made.
//! - [`hotel`]: what the replay asks of a hotel; [`sdk_hotel`] is one on the SDK, [`model_hotel`] one in memory to test the test.
//! - [`demo`]: a small story in such a hotel.
//! - [`replay`]: runs the script in a hotel and compares; [`journal`] and [`summary`] are its memory and its report.
pub mod bookings;
pub mod demo;
pub mod dice;
pub mod hotel;
pub mod journal;
pub mod model_hotel;
pub mod oracle;
pub mod replay;
pub mod rooms;
pub mod script;
pub mod sdk_hotel;
pub mod summary;
pub mod world;
