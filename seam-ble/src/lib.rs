//! Mobile-key protocols for the seam SDK, as state machines without I/O, to be used in phones, locks and backends.
//!
//! It holds nothing yet. Mobile keys that an access system hands to its own phone app need nothing of this crate: the system's provider in
//! `seam-providers` issues them.
